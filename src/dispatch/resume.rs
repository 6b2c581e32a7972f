//! After a restart: takes up again what was owned, and remembers what was answered.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::delivery::Event;
use crate::dispatch::Dispatch;
use crate::dispatch::driver::{Driver, Parcel};
use crate::dispatch::record::{How, Kept, Opened, Told};
use crate::dispatch::twins::REMEMBERED_MS;
use crate::flow::{DeliveryId, Message, Outcome};
use crate::journal::{Closed, Record};
use crate::text::{Encoding, measure};
use crate::time::Moment;

/// Between two deliveries taken up again: 250 a second, so that vendors are not flooded.
const RESUME_EVERY: Duration = Duration::from_millis(4);
/// Between two looks for old deliveries; each also empties the database's log of wiped seals.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

impl Dispatch {
    /// Rebuilds the map of events and the counts of numbers from the journal.
    pub(super) fn remember(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let window = self.catalog.load().rules.guard().per_number.per_ms;
        let since = now.plus_ms(-REMEMBERED_MS.max(window));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for recent in self.journal.recent(since, self.sandbox)? {
            if let Some(number) = recent.number_hash {
                counts.remember(number, recent.admitted_at);
            }
            let Some(event) = recent.event else {
                continue;
            };
            self.twins
                .remember(recent.org, &event, recent.id, recent.admitted_at);
        }
        Ok(())
    }

    /// What the call before was answered, when it came with the same event.
    pub(super) async fn told_before(
        self: &Arc<Self>,
        message: &Message,
        id: DeliveryId,
    ) -> Option<Told> {
        let journal = Arc::clone(&self.journal);
        let read = tokio::task::spawn_blocking(move || journal.delivery(id)).await;
        let record = read.ok()?.ok()??;
        if record.org != message.org || record.event != message.event {
            return None;
        }
        let answer = record.answer.as_deref();
        let told = answer.and_then(|a| serde_json::from_str(a).ok());
        Some(told.unwrap_or_else(|| owned_again(record.id)))
    }

    /// Every delivery that an earlier process left open. To be asked before the first call is taken, since
    /// later it would find that one too.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn left_open(&self) -> anyhow::Result<Vec<Record>> {
        let (journal, sandbox) = (Arc::clone(&self.journal), self.sandbox);
        let open = tokio::task::spawn_blocking(move || journal.open_deliveries(sandbox)).await??;
        Ok(open)
    }

    /// Takes up what was left open, one delivery after the other.
    pub async fn resume(self: Arc<Self>, open: Vec<Record>) {
        if !open.is_empty() {
            tracing::info!(deliveries = open.len(), "taking up what was in flight");
        }
        for record in open {
            if self.draining.is_cancelled() {
                return;
            }
            self.take_up(&record);
            tokio::time::sleep(RESUME_EVERY).await;
        }
    }

    fn take_up(self: &Arc<Self>, record: &Record) {
        let now = self.clock.now();
        let kept = Kept::read(record);
        if kept.as_ref().is_some_and(|kept| kept.refused.is_some()) {
            // Refused and answered; only its end was not on disk yet.
            self.close_unsent(record, Outcome::Denied, now);
            return;
        }
        let course = kept.and_then(|kept| kept.course);
        let opened = record.secret.as_ref().and_then(Opened::open);
        let (Some(course), Some(opened)) = (course, opened) else {
            tracing::error!(delivery = %record.id,
                "a delivery in the journal cannot be read; it is closed as expired");
            self.close_unsent(record, Outcome::Expired, now);
            return;
        };
        let delivery = course.replay(record);
        let parcel = Parcel {
            id: record.id,
            org: Arc::clone(&record.org),
            channel: record.channel,
            country: record.country,
            ucs2: measure(opened.text.expose()).encoding == Encoding::Ucs2,
            opened,
            expires_at: course.terms.expires_at,
        };
        let seq = record.fed.last().map_or(0, |fed| fed.seq + 1);
        let mut driver = Driver::new(Arc::clone(self), Arc::new(parcel), delivery, seq);
        driver.promise_again();
        self.drive(driver, Event::Restarted, now);
    }

    fn close_unsent(&self, record: &Record, outcome: Outcome, now: Moment) {
        drop(self.journal.close(Closed {
            id: record.id,
            at: now,
            outcome,
            answer: None,
        }));
        self.count_outcome(record.country, record.channel, outcome, 0);
    }

    /// Deletes closed deliveries when they are older than `journal.keep`, until cancelled.
    pub async fn prune(&self) {
        loop {
            let mut pruned = self.journal.prune_old();
            if let Err(broken) = pruned.durable().await {
                tracing::warn!(
                    reason = broken.as_str(),
                    "old deliveries could not be deleted"
                );
            }
            tokio::time::sleep(PRUNE_EVERY).await;
        }
    }
}

/// What a repeated call hears whose first answer died with the process.
fn owned_again(id: DeliveryId) -> Told {
    Told {
        delivery: id,
        how: How::Pending,
        ms: 0,
        rule: String::new(),
        rules: String::new(),
        reason: "pending".to_owned(),
    }
}
