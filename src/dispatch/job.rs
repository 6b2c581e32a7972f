//! Makes an attempt's job of what is sealed and what was planned: for its request, and for what its call says later.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::dispatch::driver::Driver;
use crate::dispatch::reference;
use crate::text::{Encoding, language, measure};
use crate::time::Moment;
use crate::vendor::Job;

impl Driver {
    /// Has something made of an attempt's job; `script` is where its vendor fetches what the call says.
    pub(super) fn with_job<T>(
        &self,
        catalog: &Catalog,
        attempt: usize,
        script: Option<&str>,
        now: Moment,
        make: impl FnOnce(&Job<'_>) -> T,
    ) -> T {
        let (parcel, step) = (&self.parcel, self.step(attempt));
        let dispatch = &self.dispatch;
        let callback = step
            .receipts
            .and_then(|_| dispatch.callback(catalog, parcel.id, attempt, &step.vendor));
        let opened = &parcel.opened;
        let text = opened.text_for(step, parcel.channel);
        let wording = step.wording.as_deref();
        let none = BTreeMap::new();
        make(&Job {
            to: &opened.to,
            from: step.from.as_deref(),
            text: &text,
            code: opened.code.as_ref(),
            reference: &reference::name(parcel.id, attempt),
            callback: callback.as_deref(),
            script,
            left_ms: parcel.expires_at.ms_since(now),
            ucs2: measure(text.expose()).encoding == Encoding::Ucs2,
            language: &language(wording),
            parameters: wording.map_or(&none, |w| &w.parameters),
        })
    }
}
