//! Tells a lost receipt from a vendor whose receipts have all stopped or are all late.

use std::collections::VecDeque;

use crate::time::Moment;

/// Accepted messages remembered per vendor. Beyond it the newest are not: the oldest prove the most.
const OUTSTANDING_MAX: usize = 1_024;
/// When the last report is older than this, nothing is known of the present.
const RECENT_MS: i64 = 3_600_000;

/// What is known of a vendor's receipts as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct ReceiptChannel {
    last: Option<LastReport>,
    /// When messages were accepted, in order, later than any that was reported: none of them was.
    outstanding: VecDeque<Moment>,
}

#[derive(Clone, Copy, Debug)]
struct LastReport {
    came_at: Moment,
    /// The latest acceptance that any report was about.
    frontier: Moment,
    /// How long that report took.
    delay_ms: i64,
}

impl ReceiptChannel {
    /// Whether anything was ever heard in it.
    pub(super) fn has_spoken(&self) -> bool {
        self.last.is_some()
    }

    pub(super) fn accepted(&mut self, at: Moment) {
        let is_past = self.last.is_some_and(|last| at <= last.frontier);
        if is_past || self.outstanding.len() >= OUTSTANDING_MAX {
            return;
        }
        let place = self.outstanding.partition_point(|&earlier| earlier <= at);
        self.outstanding.insert(place, at);
    }

    pub(super) fn reported(&mut self, accepted_at: Moment, now: Moment) {
        let delay_ms = now.ms_since(accepted_at).max(0);
        let last = self.last.filter(|last| last.frontier > accepted_at);
        // A straggler proves that reports come, not how long they take at present.
        let last = last.unwrap_or(LastReport {
            came_at: now,
            delay_ms,
            frontier: accepted_at,
        });
        let frontier = last.frontier;
        self.last = Some(LastReport {
            came_at: now,
            ..last
        });
        while self.outstanding.front().is_some_and(|&at| at <= frontier) {
            self.outstanding.pop_front();
        }
    }

    /// Whether the missing receipt of a message accepted at `accepted_at` proves nothing.
    pub(super) fn is_quiet(&self, accepted_at: Moment, now: Moment) -> bool {
        let Some(last) = self.last else {
            return true;
        };
        if last.frontier >= accepted_at {
            return false;
        }
        let too_old = now.ms_since(last.came_at) > RECENT_MS;
        let too_early = now.ms_since(accepted_at) < last.delay_ms;
        too_old || too_early || self.another_is_missing(accepted_at, last, now)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.outstanding.len()
    }

    /// Whether another message was accepted later than any that was reported, and has had as long
    /// as the last reported one took: then the channel may have stopped for all of them.
    fn another_is_missing(&self, accepted_at: Moment, last: LastReport, now: Moment) -> bool {
        let latest = now.plus_ms(-last.delay_ms);
        let missing = self.outstanding.partition_point(|&at| at <= latest);
        let itself = usize::from(self.outstanding.binary_search(&accepted_at).is_ok());
        missing > itself
    }
}
