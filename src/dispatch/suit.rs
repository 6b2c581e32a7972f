//! Fits a plan to what is known at admission: what `fitness` has learned, and who has just failed this person.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::dispatch::Dispatch;
use crate::dispatch::people::Claim;
use crate::fitness::suit;
use crate::flow::{DeliveryId, Plan, Step};
use crate::number::Country;
use crate::time::Moment;

/// Deliveries that wait for receipts at a time; beyond it they close when a vendor accepts.
const AWAITING_MAX: usize = 200_000;

impl Dispatch {
    /// Fits the plan; what comes out is frozen.
    pub(super) fn suit(
        &self,
        plan: &mut Plan,
        id: DeliveryId,
        country: Country,
        catalog: &Catalog,
        now: Moment,
    ) {
        let reachable = self.is_reachable(catalog);
        let room = self.inboxes.len() < AWAITING_MAX;
        let reports = |step: &Step| {
            let account = catalog.account(&step.vendor);
            account.is_some_and(|account| {
                // Closed at once, it would have nothing to say when the vendor comes for its script.
                let waits = room || account.fetches_script(step.channel);
                reachable && waits && account.reports(step.channel)
            })
        };
        suit(plan, id, country, &self.health(), reports, now);
    }
}

/// Puts the vendors last that have just had a passcode for this person which did not arrive; those that had
/// several, behind those that had one.
pub(super) fn blame(plan: &mut Plan, superseded: &[Arc<Claim>]) {
    let failed: Vec<_> = superseded.iter().flat_map(|c| c.failed_by()).collect();
    let times = |step: &Step| {
        let had = failed.iter();
        had.filter(|(vendor, channel)| *vendor == step.vendor && *channel == step.channel)
            .count()
    };
    plan.steps
        .sort_by_key(|step| (step.waits.is_some(), times(step)));
}
