//! Closed, open, and half open with one probe at a time: whether somebody may be asked at all.

use super::{Fitness, State, Why};
use crate::time::Moment;

/// The first pause after opening; each failed probe doubles it.
const BACKOFF_MIN_MS: i64 = 1_000;
/// The first pause where the account itself was refused, which people must mend.
const BACKOFF_ACCOUNT_MS: i64 = 5_000;
/// No pause is longer.
const BACKOFF_MAX_MS: i64 = 60_000;
/// Who has been well for this long starts again with the first pause.
const WELL_MS: i64 = 60_000;
/// A probe not answered for this long frees its place.
pub(super) const PROBE_MAX_MS: i64 = 10_000;
/// So many answered probes in a row close it.
const ANSWERS_TO_CLOSE: u32 = 3;
/// So many delivered probes in a row close it, where an answer alone proves nothing.
const DELIVERIES_TO_CLOSE: u32 = 2;
/// A relapse doubles how many are needed, so often: who fails now and then passes a few by chance.
const RELAPSES_MAX: u32 = 1;
/// A call's start is told as its length, and both ends are rounded to milliseconds.
const ROUNDING_MS: i64 = 2;

/// Closed unless `tripped`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    tripped: Option<Tripped>,
    backoff_ms: i64,
    /// Openings since it was last well for a while, without the first.
    relapses: u32,
    opened_at: Option<Moment>,
    closed_at: Option<Moment>,
}

/// Open until `retry_at`, then half open.
#[derive(Clone, Copy, Debug)]
struct Tripped {
    why: Why,
    retry_at: Moment,
    probe: Option<Probe>,
    /// Probes that went well in a row.
    successes: u32,
}

/// The one call that tries again.
#[derive(Clone, Copy, Debug)]
struct Probe {
    at: Moment,
    free_at: Moment,
    /// It was accepted and now a receipt must prove it.
    awaits_receipt: bool,
}

impl Why {
    /// Whether an accepted message is no proof that this is over.
    fn is_about_receipts(self) -> bool {
        match self {
            Why::Undelivered | Why::Silent => true,
            Why::Account | Why::Throttled | Why::Errors | Why::Slow => false,
        }
    }
}

impl Breaker {
    pub(super) fn fitness(&self, now: Moment) -> Fitness {
        let Some(tripped) = self.settled(now).tripped else {
            return Fitness::Well;
        };
        let busy_until = tripped.probe.map(|probe| probe.free_at);
        let until = busy_until.map_or(tripped.retry_at, |busy| busy.max(tripped.retry_at));
        if now < until {
            let why = tripped.why;
            return Fitness::Unwell { why, until };
        }
        Fitness::Probe
    }

    pub(super) fn state(&self, now: Moment) -> State {
        match self.settled(now).tripped {
            None => State::Closed,
            Some(tripped) if now < tripped.retry_at => State::Open,
            Some(_) => State::Probing,
        }
    }

    pub(super) fn why(&self) -> Option<Why> {
        self.tripped.map(|tripped| tripped.why)
    }

    /// Whether what began at `moment` tells of the time after the last opening.
    pub(super) fn is_news(&self, moment: Moment) -> bool {
        self.opened_at.is_none_or(|opened| moment >= opened)
    }

    /// Whether what was begun `ms` milliseconds ago was begun before the last opening.
    pub(super) fn opened_within(&self, ms: i64, now: Moment) -> bool {
        self.opened_at
            .is_some_and(|opened| now.ms_since(opened) < ms)
    }

    /// Opens it; where it is open already, only a refused account changes anything.
    pub(super) fn open(&mut self, why: Why, now: Moment) {
        if self
            .why()
            .is_some_and(|old| old == why || why != Why::Account)
        {
            return;
        }
        let first_ms = if why == Why::Account {
            BACKOFF_ACCOUNT_MS
        } else {
            BACKOFF_MIN_MS
        };
        let was_well = self
            .closed_at
            .is_none_or(|closed| now.ms_since(closed) >= WELL_MS);
        if self.tripped.is_none() && was_well {
            self.backoff_ms = first_ms;
            self.relapses = 0;
        } else {
            self.relapses = (self.relapses + 1).min(RELAPSES_MAX);
            self.backoff_ms = (self.backoff_ms * 2).clamp(first_ms, BACKOFF_MAX_MS);
        }
        self.opened_at = Some(now);
        self.tripped = Some(Tripped {
            why,
            retry_at: now.plus_ms(self.backoff_ms),
            probe: None,
            successes: 0,
        });
    }

    /// The call that is about to be made is the probe.
    pub(super) fn take_probe(&mut self, now: Moment) {
        *self = self.settled(now);
        if let Some(tripped) = &mut self.tripped {
            tripped.probe = Some(Probe {
                at: now,
                free_at: now.plus_ms(PROBE_MAX_MS),
                awaits_receipt: false,
            });
        }
    }

    /// A call that began at `begun` went well or badly. Where receipts are the trouble, going well
    /// only means that a receipt is due within `receipt_ms`. True when this closed it.
    pub(super) fn answered(
        &mut self,
        good: bool,
        begun: Moment,
        receipt_ms: i64,
        now: Moment,
    ) -> bool {
        *self = self.settled(now);
        let Some(tripped) = self.probed_by(begun) else {
            return false;
        };
        if !good {
            self.fail(now);
            return false;
        }
        if tripped.why.is_about_receipts() {
            if let Some(probe) = &mut tripped.probe {
                probe.free_at = now.plus_ms(receipt_ms);
                probe.awaits_receipt = true;
            }
            return false;
        }
        self.succeed(now)
    }

    /// A call that began at `begun` ended without telling anything: if it was the probe, another may go.
    pub(super) fn told_nothing(&mut self, begun: Moment, now: Moment) {
        *self = self.settled(now);
        if let Some(tripped) = self.probed_by(begun) {
            tripped.probe = None;
        }
    }

    /// A receipt came for a message accepted at `accepted_at`. True when this closed it.
    pub(super) fn reported(&mut self, delivered: bool, accepted_at: Moment, now: Moment) -> bool {
        *self = self.settled(now);
        let waits = self.why().is_some_and(Why::is_about_receipts);
        if !waits || !self.is_news(accepted_at) {
            return false;
        }
        if delivered {
            return self.succeed(now);
        }
        if self.probed_by(accepted_at).is_some() {
            self.fail(now);
        }
        false
    }

    /// The same breaker at `now`: a probe whose receipt was due and did not come has failed.
    fn settled(&self, now: Moment) -> Breaker {
        let mut breaker = *self;
        let failed_at = self
            .tripped
            .and_then(|tripped| tripped.probe)
            .filter(|probe| probe.awaits_receipt && now >= probe.free_at)
            .map(|probe| probe.free_at);
        if let Some(failed_at) = failed_at {
            breaker.fail(failed_at);
        }
        breaker
    }

    /// Present where the probe had its place when a call began.
    fn probed_by(&mut self, begun: Moment) -> Option<&mut Tripped> {
        self.tripped.as_mut().filter(|tripped| {
            tripped
                .probe
                .is_some_and(|probe| begun.plus_ms(ROUNDING_MS) >= probe.at)
        })
    }

    fn succeed(&mut self, now: Moment) -> bool {
        let Some(tripped) = &mut self.tripped else {
            return false;
        };
        let enough = if tripped.why.is_about_receipts() {
            DELIVERIES_TO_CLOSE
        } else {
            ANSWERS_TO_CLOSE
        };
        tripped.successes += 1;
        tripped.probe = None;
        tripped.retry_at = now;
        if tripped.successes < enough << self.relapses {
            return false;
        }
        self.tripped = None;
        self.closed_at = Some(now);
        true
    }

    fn fail(&mut self, now: Moment) {
        if let Some(tripped) = &mut self.tripped {
            self.backoff_ms = (self.backoff_ms * 2).min(BACKOFF_MAX_MS);
            tripped.retry_at = now.plus_ms(self.backoff_ms);
            tripped.probe = None;
            tripped.successes = 0;
        }
    }
}
