//! Counts what came of deliveries: how many arrived, how soon, how often, and what it cost.

use crate::simulation::PATIENT_MS;

/// Times are told apart as finely as this: so many steps from one power of two to the next.
const STEPS: u64 = 64;
const STEPS_BITS: u32 = STEPS.trailing_zeros();
/// Longer than any passcode lives: 2^20 milliseconds are 17 minutes.
const POWERS: usize = 20;
const TIMES: usize = (POWERS - STEPS_BITS as usize + 1) * STEPS as usize;

/// What came of a delivery, as the person saw it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fared {
    /// When a vendor first took it, in milliseconds after the hook call.
    pub(super) accepted_ms: Option<i64>,
    /// When it first arrived, likewise.
    pub(super) arrived_ms: Option<i64>,
    /// How often it arrived.
    pub(super) arrivals: u32,
    pub(super) calls: u32,
    pub(super) failovers: u32,
    pub(super) cost: f64,
}

/// What came of many.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) deliveries: u64,
    /// The rules or the guard refused it.
    pub(super) refused: u64,
    /// A vendor took it before the deadline.
    pub(super) in_time: u64,
    /// It arrived while people still wait.
    pub(super) patient: u64,
    pub(super) arrived: u64,
    /// Messages that arrived beside the first one.
    pub(super) duplicates: u64,
    pub(super) failovers: u64,
    pub(super) calls: u64,
    pub(super) cost: f64,
    times: Times,
}

impl Tally {
    pub(super) fn add(&mut self, fared: &Fared, deadline_ms: i64) {
        self.deliveries += 1;
        self.in_time += u64::from(fared.accepted_ms.is_some_and(|ms| ms <= deadline_ms));
        self.patient += u64::from(fared.arrived_ms.is_some_and(|ms| ms <= PATIENT_MS));
        self.arrived += u64::from(fared.arrived_ms.is_some());
        self.duplicates += u64::from(fared.arrivals.saturating_sub(1));
        self.failovers += u64::from(fared.failovers);
        self.calls += u64::from(fared.calls);
        self.cost += fared.cost;
        if let Some(ms) = fared.arrived_ms {
            self.times.add(ms);
        }
    }

    pub(super) fn merge(&mut self, other: &Tally) {
        self.deliveries += other.deliveries;
        self.refused += other.refused;
        self.in_time += other.in_time;
        self.patient += other.patient;
        self.arrived += other.arrived;
        self.duplicates += other.duplicates;
        self.failovers += other.failovers;
        self.calls += other.calls;
        self.cost += other.cost;
        self.times.merge(&other.times);
    }

    /// After how many milliseconds so many of 100 people had their passcode; None: that many never had.
    pub(super) fn quantile(&self, of_100: u64) -> Option<i64> {
        let wanted = (self.deliveries * of_100).div_ceil(100).max(1);
        self.times.nth(wanted)
    }
}

/// What one vendor did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VendorTally {
    pub(super) calls: u64,
    pub(super) accepted: u64,
    pub(super) arrived: u64,
    /// How often another one was turned to instead.
    pub(super) left: u64,
    pub(super) cost: f64,
}

/// How many took how long.
#[derive(Clone, Debug, Default)]
struct Times(Vec<u32>);

impl Times {
    fn add(&mut self, ms: i64) {
        if self.0.is_empty() {
            self.0 = vec![0; TIMES];
        }
        let place = place(ms.unsigned_abs()).min(TIMES - 1);
        self.0[place] += 1;
    }

    fn merge(&mut self, other: &Times) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    fn nth(&self, wanted: u64) -> Option<i64> {
        let mut seen = 0;
        let reached = self.0.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        reached.map(least)
    }
}

/// Small times each have their own place; larger ones share it with those that differ by a 64th.
fn place(ms: u64) -> usize {
    if ms < STEPS {
        return ms as usize;
    }
    let power = 63 - ms.leading_zeros() - STEPS_BITS;
    (u64::from(power + 1) * STEPS + ((ms >> power) - STEPS)) as usize
}

/// The least time of a place.
fn least(place: usize) -> i64 {
    let (power, step) = (place as i64 / STEPS as i64, place as i64 % STEPS as i64);
    if power == 0 {
        return step;
    }
    (STEPS as i64 + step) << (power - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_counted_at_a_place_that_is_at_most_a_64th_below_it() {
        for ms in (0..2_000).chain([29_999, 30_000, 299_999, 900_000]) {
            let counted = least(place(ms));
            let missing = ms as i64 - counted;
            assert!((0..=ms as i64 / 64).contains(&missing), "{ms}: {counted}");
        }
        assert!(place(900_000) < TIMES);
    }

    #[test]
    fn who_never_got_it_counts_in_the_quantiles() {
        let mut tally = Tally::default();
        for arrived in [Some(10), Some(20), Some(30), None] {
            let fared = Fared {
                arrived_ms: arrived,
                ..Fared::default()
            };
            tally.add(&fared, 1_500);
        }
        assert_eq!(tally.quantile(50), Some(20));
        assert_eq!(tally.quantile(75), Some(30));
        assert_eq!(tally.quantile(99), None);
    }
}
