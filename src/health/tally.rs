//! Counts that fade, for what is learned over hours rather than seconds.

use crate::time::Moment;

/// After this long without more, a count weighs half.
const HALF_LIFE_MS: f64 = 3_600_000.0;
/// Old samples make way beyond this weight, so that a busy vendor's past is minutes, not hours.
const WEIGHT_MAX: f64 = 1_000.0;

/// How often something went well and badly, of late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    good: f64,
    bad: f64,
    at: Option<Moment>,
}

/// What was learned from first attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lessons {
    /// The vendor took the message, or failed to.
    pub(super) accepted: Tally,
    /// A receipt for an accepted message said delivered, or failed, or did not come.
    pub(super) delivered: Tally,
    /// The passcode of an accepted message was used; the bad ones are all accepted messages.
    pub(super) converted: Tally,
}

impl Tally {
    pub(super) fn add(&mut self, good: bool, now: Moment) {
        *self = self.faded(now);
        if good {
            self.good += 1.0;
        } else {
            self.bad += 1.0;
        }
        let weight = self.weight();
        if weight > WEIGHT_MAX {
            self.good *= WEIGHT_MAX / weight;
            self.bad *= WEIGHT_MAX / weight;
        }
    }

    /// The same counts as they weigh at `now`.
    pub(super) fn faded(&self, now: Moment) -> Tally {
        let age_ms = self.at.map_or(0, |at| now.ms_since(at).max(0));
        let left = (-(age_ms as f64) / HALF_LIFE_MS).exp2();
        Tally {
            good: self.good * left,
            bad: self.bad * left,
            at: Some(now),
        }
    }

    pub(super) fn good(&self) -> f64 {
        self.good
    }

    pub(super) fn bad(&self) -> f64 {
        self.bad
    }

    pub(super) fn weight(&self) -> f64 {
        self.good + self.bad
    }

    /// The good ones' share, 0 to 1; None where nothing is left.
    pub(super) fn share(&self) -> Option<f64> {
        (self.weight() >= 0.5).then(|| self.good / self.weight())
    }
}
