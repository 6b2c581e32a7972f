//! Tells vendors what a call is to say when they come to fetch it: the delivery's driver writes it anew each time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::sync::oneshot;

use crate::catalog::Catalog;
use crate::delivery::{Attempt, State};
use crate::dispatch::Dispatch;
use crate::dispatch::driver::Driver;
use crate::dispatch::inbox::{Post, Unposted};
use crate::dispatch::reference::{self, Use};
use crate::flow::{Channel, DeliveryId};
use crate::time::Moment;
use crate::vendor::{Account, Callback, Refusal, Spoken};

/// One call's script is told so often: once, and again for a vendor that did not hear it or calls a second time.
const FETCHES_MAX: u32 = 3;
/// A driver that has not answered by then is busy, or about to take its delivery up again.
const TELL_MAX: Duration = Duration::from_secs(2);

/// A request for what a call is to say.
pub struct ScriptRequest {
    /// The last part of its path.
    pub reference: String,
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What whoever came for a script hears.
pub enum Scripted {
    /// This is what the call says.
    Told(Spoken),
    /// We never gave that address to anybody.
    NotOurs,
    /// It is not proven to be the vendor.
    Unproven,
    /// There was one: the passcode is used, replaced or dead, or it was fetched too often.
    Gone,
    /// Come again.
    NotNow,
}

impl Scripted {
    /// The label in metrics and logs.
    fn as_str(&self) -> &'static str {
        match self {
            Scripted::Told(_) => "told",
            Scripted::NotOurs => "unknown",
            Scripted::Unproven => "unproven",
            Scripted::Gone => "gone",
            Scripted::NotNow => "busy",
        }
    }
}

/// A request on its way to the delivery's driver.
pub(super) struct Fetch {
    attempt: usize,
    request: ScriptRequest,
    tell: oneshot::Sender<Scripted>,
}

impl Fetch {
    /// The delivery closed before its driver read this.
    pub(super) fn came_too_late(self) {
        // Whoever asked may have given up waiting.
        drop(self.tell.send(Scripted::Gone));
    }
}

/// How often each attempt's script was told.
#[derive(Default)]
pub(super) struct Fetches(BTreeMap<usize, u32>);

impl Fetches {
    /// Whether it may be told once more; then that is counted.
    fn count(&mut self, attempt: usize) -> bool {
        let told = self.0.entry(attempt).or_default();
        let may = *told < FETCHES_MAX;
        *told += u32::from(may);
        may
    }
}

/// Tells scripts, wherever they are asked for.
pub trait TellsScripts {
    /// Whether we gave this reference to a vendor, to fetch a script with it.
    fn is_script(&self, reference: &str) -> bool;

    /// Tells a vendor what a call is to say.
    fn tell_script(&self, request: ScriptRequest) -> impl Future<Output = Scripted> + Send;
}

impl TellsScripts for Arc<Dispatch> {
    fn is_script(&self, reference: &str) -> bool {
        Dispatch::is_script(self, reference)
    }

    async fn tell_script(&self, request: ScriptRequest) -> Scripted {
        Dispatch::tell_script(self, request).await
    }
}

impl Dispatch {
    /// Whether we gave this reference to a vendor, to fetch a script with it.
    pub fn is_script(&self, reference: &str) -> bool {
        self.script_meant(reference).is_some()
    }

    /// Tells a vendor what a call is to say.
    pub async fn tell_script(&self, request: ScriptRequest) -> Scripted {
        let told = self.ask_for_script(request).await;
        let scripts = &self.telemetry.scripts;
        scripts.with_label_values(&[told.as_str()]).inc();
        told
    }

    async fn ask_for_script(&self, request: ScriptRequest) -> Scripted {
        let Some((id, attempt)) = self.script_meant(&request.reference) else {
            return Scripted::NotOurs;
        };
        let (tell, told) = oneshot::channel();
        let fetch = Fetch {
            attempt,
            request,
            tell,
        };
        match self.inboxes.post(id, Post::Fetched(Box::new(fetch))) {
            Ok(()) => {}
            // It is left to the journal, and goes on after the restart.
            Err(Unposted::Closed(_)) if self.draining.is_cancelled() => return Scripted::NotNow,
            Err(Unposted::Closed(_)) => return Scripted::Gone,
            Err(Unposted::Full) => return Scripted::NotNow,
        }
        match tokio::time::timeout(TELL_MAX, told).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) | Err(_) => Scripted::NotNow,
        }
    }

    fn script_meant(&self, reference: &str) -> Option<(DeliveryId, usize)> {
        let now = self.clock.now();
        reference::read(&self.journal, reference, Use::Script, now)
    }

    /// Where a vendor fetches what an attempt's call is to say.
    pub(super) fn script_address(
        &self,
        catalog: &Catalog,
        id: DeliveryId,
        attempt: usize,
    ) -> Option<String> {
        let url = self.addresses(catalog).next()?;
        let reference = reference::write(&self.journal, id, attempt, Use::Script);
        Some(format!("{}/voice/{reference}", url.trim_end_matches('/')))
    }
}

impl Driver {
    /// Tells whoever came for a script what it is, or why not.
    pub(super) fn tell_script(&mut self, fetch: Fetch, now: Moment) {
        let Fetch {
            attempt,
            request,
            tell,
        } = fetch;
        // Who has given up waiting hears nothing, and will come again.
        if tell.is_closed() {
            return;
        }
        let told = self.script(attempt, &request, now);
        let id = self.parcel.id;
        if matches!(told, Scripted::Told(_)) {
            tracing::debug!(delivery = %id, attempt, "a vendor fetched what its call is to say");
        } else if self.dispatch.refusal_log.is_due(now) {
            tracing::warn!(delivery = %id, attempt, reason = told.as_str(),
                "a vendor was not told what its call is to say; the metrics count them all");
        }
        drop(tell.send(told));
    }

    fn script(&mut self, attempt: usize, request: &ScriptRequest, now: Moment) -> Scripted {
        let called = |made: &&Attempt| !matches!(made.state, State::Skipped(_));
        let made = self.delivery.attempts().get(attempt).filter(called);
        let Some(step) = made.map(|made| &self.delivery.plan().steps[made.step]) else {
            return Scripted::NotOurs;
        };
        let catalog = self.dispatch.catalog.load_full();
        let account = catalog.account(&step.vendor).filter(|account| {
            step.channel == Channel::Voice && account.fetches_script(step.channel)
        });
        let Some(account) = account.map(Arc::clone) else {
            return Scripted::NotOurs;
        };
        if self.prove(&account, &catalog, request, now).is_err() {
            return Scripted::Unproven;
        }
        let dead = now >= self.parcel.expires_at || self.delivery.outcome().is_some();
        if dead || self.is_superseded() || !self.fetches.count(attempt) {
            return Scripted::Gone;
        }
        let spoken = self.with_job(&catalog, attempt, None, now, |job| {
            account.spoken(Channel::Voice, job, now)
        });
        match spoken {
            Ok(spoken) => Scripted::Told(spoken),
            Err(unfit) => {
                // It could be written when the call was made; the definition is another by now.
                tracing::error!(delivery = %self.parcel.id, attempt, ?unfit,
                    "what a call is to say cannot be written any more");
                Scripted::Gone
            }
        }
    }

    /// Whether it is the account's vendor who asks. The reference is ours, or it had not come so far.
    fn prove(
        &self,
        account: &Account,
        catalog: &Catalog,
        request: &ScriptRequest,
        now: Moment,
    ) -> Result<(), Refusal> {
        let prove = |url: &str| {
            let callback = Callback {
                method: &request.method,
                url: &format!("{}{}", url.trim_end_matches('/'), request.path),
                headers: &request.headers,
                body: &request.body,
                reference_proven: true,
                certificate: None,
            };
            account.proves_script(Channel::Voice, &callback, now)
        };
        let mut urls = self.dispatch.addresses(catalog);
        let first = urls.next().unwrap_or_default();
        urls.fold(prove(first), |proven, url| proven.or_else(|_| prove(url)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempts_script_is_told_three_times() {
        let mut fetches = Fetches::default();
        let told = [0; 4].map(|attempt| fetches.count(attempt));
        assert_eq!(told, [true, true, true, false]);
        assert!(fetches.count(1));
    }
}
