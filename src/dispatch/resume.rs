//! After a restart: takes up again what was owned, and remembers what was answered.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::delivery::{Delivery, Event, State};
use crate::dispatch::Dispatch;
use crate::dispatch::driver::{Driver, Parcel};
use crate::dispatch::inbox::{Inbox, Post};
use crate::dispatch::people::Claim;
use crate::dispatch::record::{How, Kept, Opened, Told};
use crate::dispatch::twins::REMEMBERED_MS;
use crate::flow::{DeliveryId, Message, Outcome};
use crate::journal::{Closed, Record};
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
    /// later it would find that one too. From now on receipts are taken in for them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn left_open(self: &Arc<Self>) -> anyhow::Result<Vec<LeftOpen>> {
        let dispatch = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            let open = dispatch.journal.open_deliveries(dispatch.sandbox)?;
            anyhow::Ok(open.into_iter().map(|r| dispatch.recall(r)).collect())
        });
        read.await?
    }

    /// Opens the inbox of a delivery, and remembers its message ids and its person.
    fn recall(&self, record: Record) -> LeftOpen {
        let inbox = self.inboxes.open(record.id);
        let kept = Kept::read(&record);
        let delivery = kept.as_ref().and_then(|k| k.course.as_ref());
        let delivery = delivery.map(|course| course.replay(&record));
        let claim = kept.as_ref().and_then(|kept| {
            let claim = Claim::new(
                record.id,
                kept.person?,
                kept.address,
                record.channel,
                record.country,
                record.expires_at,
            );
            Some(Arc::new(claim))
        });
        if let Some(claim) = &claim {
            self.people.remember(claim);
        }
        for older in kept.iter().flat_map(|k| &k.supersedes) {
            self.people.superseded(*older);
            drop(self.inboxes.post(*older, Post::Superseded));
        }
        if let Some(delivery) = &delivery {
            self.recall_attempts(delivery, claim.as_deref(), &record);
        }
        LeftOpen {
            record,
            delivery,
            inbox,
            claim,
        }
    }

    /// Whatever was sent, or may have been: its message id, and who is to blame if it does not
    /// arrive.
    fn recall_attempts(&self, delivery: &Delivery, claim: Option<&Claim>, record: &Record) {
        for (index, attempt) in delivery.attempts().iter().enumerate() {
            let step = &delivery.plan().steps[attempt.step];
            if let Some(claim) = claim
                && !matches!(attempt.state, State::Skipped(_))
            {
                claim.called(index, step);
            }
            let verdict = attempt.verdict();
            let sent = verdict.map_or(attempt.state == State::InFlight, |v| v.may_have_been_sent());
            if !sent {
                continue;
            }
            if let Some(claim) = claim {
                claim.sent(index, step, attempt.accepted_at().unwrap_or(attempt.at));
            }
            if let Some(id) = verdict.and_then(|v| v.message_id.as_deref()) {
                // Nothing can have come before the listener opens.
                self.ids.learn(&step.vendor, id, (record.id, index));
            }
        }
    }

    /// Takes up what was left open, one delivery after the other.
    pub async fn resume(self: Arc<Self>, open: Vec<LeftOpen>) {
        if !open.is_empty() {
            tracing::info!(deliveries = open.len(), "taking up what was in flight");
        }
        for left in open {
            if self.draining.is_cancelled() {
                return;
            }
            self.take_up(left);
            tokio::time::sleep(RESUME_EVERY).await;
        }
    }

    fn take_up(self: &Arc<Self>, left: LeftOpen) {
        let now = self.clock.now();
        let record = left.record;
        let kept = Kept::read(&record);
        if kept.is_some_and(|kept| kept.refused.is_some()) {
            // Refused and answered; only its end was not on disk yet.
            self.close_unsent(&record, Outcome::Denied, now);
            return;
        }
        let opened = record.secret.as_ref().and_then(Opened::open);
        let (Some(delivery), Some(opened)) = (left.delivery, opened) else {
            tracing::error!(delivery = %record.id,
                "a delivery in the journal cannot be read; it is closed as expired");
            self.close_unsent(&record, Outcome::Expired, now);
            return;
        };
        if let Some(outcome) = delivery.outcome() {
            // Over; only that was not on disk yet.
            self.close_unsent(&record, outcome, now);
            return;
        }
        let parcel = Parcel {
            id: record.id,
            org: Arc::clone(&record.org),
            channel: record.channel,
            country: record.country,
            opened,
            expires_at: record.expires_at,
        };
        let mut driver = Driver::new(Arc::clone(self), Arc::new(parcel), delivery, left.inbox);
        driver.seq = record.fed.last().map_or(0, |fed| fed.seq + 1);
        driver.claim = left.claim;
        driver.promise_again();
        self.drive(driver, Event::Restarted, now);
    }

    fn close_unsent(&self, record: &Record, outcome: Outcome, now: Moment) {
        self.inboxes.close(record.id);
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

/// A delivery that an earlier process did not close.
pub struct LeftOpen {
    record: Record,
    /// The machine as it stood; absent where it was refused or cannot be read.
    delivery: Option<Delivery>,
    inbox: Inbox,
    claim: Option<Arc<Claim>>,
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
