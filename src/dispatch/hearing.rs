//! What a delivery's driver hears from others: receipts, silence, and that a newer passcode came.

use std::sync::Arc;

use crate::delivery::{Event, RECEIPTS_MAX, State};
use crate::dispatch::driver::Driver;
use crate::dispatch::inbox::{Post, Report};
use crate::fitness::is_silence_excused;
use crate::flow::{Channel, Receipt};
use crate::journal::Ack;
use crate::time::Moment;

impl Driver {
    pub(super) fn read(&mut self, post: Post, now: Moment) {
        match post {
            Post::Reported { report, kept } => {
                // Whoever took it in may have given up waiting.
                drop(kept.send(self.hear(report, now)));
            }
            Post::Fetched(fetch) => self.tell_script(*fetch, now),
            Post::Superseded => {
                self.feed(Event::Superseded, now);
            }
        }
    }

    /// Feeds a receipt, if it is of an attempt that its vendor was called for.
    fn hear(&mut self, report: Report, now: Moment) -> Ack {
        let Report {
            attempt,
            vendor,
            channel,
            receipt,
        } = report;
        let made = self.delivery.attempts().get(attempt);
        let own = made.is_some_and(|made| {
            let step = &self.delivery.plan().steps[made.step];
            let called = !matches!(made.state, State::Skipped(_));
            called && step.vendor == vendor && step.channel == channel
        });
        let full = made.is_some_and(|m| {
            m.receipts.len() >= RECEIPTS_MAX && m.progress() >= Some(receipt.progress)
        });
        if !own {
            tracing::warn!(delivery = %self.parcel.id, %vendor, attempt,
                "a receipt is of no message of this vendor");
        }
        let receipt = self.read_receipt(&vendor, channel, receipt);
        let fed = if own && !full {
            self.feed(Event::Reported { attempt, receipt }, now)
        } else {
            None
        };
        fed.unwrap_or_else(Ack::nothing)
    }

    /// What has come while the delivery closed is written behind it.
    pub(super) fn end_inbox(&mut self) {
        let dispatch = Arc::clone(&self.dispatch);
        dispatch.inboxes.close(self.parcel.id);
        self.inbox.close();
        let closed = self.delivery.outcome().is_some();
        while let Ok(post) = self.inbox.try_recv() {
            match post {
                // Left open, it is fed to whoever takes the delivery up again: the vendor shall come again.
                Post::Reported { .. } | Post::Fetched(_) if !closed => {}
                Post::Reported { report, kept } => {
                    let ack = dispatch.keep_late(self.parcel.id, report, dispatch.clock.now());
                    drop(kept.send(ack));
                }
                Post::Fetched(fetch) => fetch.came_too_late(),
                Post::Superseded => {}
            }
        }
    }

    /// A receipt as it is kept; a code that nobody listed is counted.
    fn read_receipt(&self, vendor: &str, channel: Channel, receipt: Receipt) -> Receipt {
        let receipt = receipt.without(&self.parcel.opened.said());
        if receipt.unlisted {
            let code = receipt.code.as_deref();
            let telemetry = &self.dispatch.telemetry;
            telemetry.count_unlisted(vendor, channel.as_str(), code);
        }
        receipt
    }

    /// What a vendor has told of a message before its answer brought the message's id.
    pub(super) fn told_early(&self, event: &Event) -> Vec<Event> {
        let Event::Settled { attempt, verdict } = event else {
            return Vec::new();
        };
        let (attempt, step) = (*attempt, self.step(*attempt));
        let Some(message_id) = verdict.message_id.as_deref() else {
            return Vec::new();
        };
        if step.receipts.is_none() {
            return Vec::new();
        }
        let ids = &self.dispatch.ids;
        let early = ids.learn(&step.vendor, message_id, (self.parcel.id, attempt));
        let reported = |receipt| Event::Reported {
            attempt,
            receipt: self.read_receipt(&step.vendor, step.channel, receipt),
        };
        early.into_iter().map(reported).collect()
    }

    /// Whether nothing comes from this vendor at all, so that a missing receipt says nothing of its message.
    pub(super) fn is_silence_excused(&self, attempt: usize) -> bool {
        is_silence_excused(&self.delivery, attempt, &self.dispatch.health())
    }
}
