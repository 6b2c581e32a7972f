//! Admits a message or refuses it with a reason, given counts.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::number::Country;
use crate::time::Moment;

/// Numbers counted at a time; beyond it those not heard of within the window are forgotten, then the oldest.
const NUMBERS_MAX: usize = 500_000;

/// What `[guard]` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub allow: Allow,
    pub per_number: Limit,
}

/// The countries that may be sent to.
#[derive(Clone, Debug, PartialEq)]
pub enum Allow {
    Every,
    Only(BTreeSet<Country>),
}

/// So many in any window of so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub count: u32,
    pub per_ms: i64,
}

impl Default for Settings {
    /// Every country, ten passcodes in any ten minutes.
    fn default() -> Settings {
        Settings {
            allow: Allow::Every,
            per_number: Limit {
                count: 10,
                per_ms: 600_000,
            },
        }
    }
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The country is not among those allowed.
    Country,
    /// The number has had its share.
    PerNumber,
}

impl Refusal {
    /// The label in metrics, and the reason that support reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Country => "country",
            Refusal::PerNumber => "per_number",
        }
    }
}

impl Settings {
    /// Whether a country may be sent to.
    pub fn allows(&self, country: Country) -> bool {
        match &self.allow {
            Allow::Every => true,
            Allow::Only(countries) => countries.contains(&country),
        }
    }
}

/// When each number was last sent to.
#[derive(Debug, Default)]
pub struct NumberCounts {
    seen: HashMap<u64, VecDeque<Moment>>,
}

impl NumberCounts {
    /// Admits a message for a number (by its keyed hash), and counts it.
    ///
    /// # Errors
    /// With the reason why not; a refused one is not counted.
    pub fn admit(
        &mut self,
        settings: &Settings,
        country: Country,
        number: u64,
        now: Moment,
    ) -> Result<(), Refusal> {
        if !settings.allows(country) {
            return Err(Refusal::Country);
        }
        let Limit { count, per_ms } = settings.per_number;
        if self.seen.len() >= NUMBERS_MAX {
            self.make_room(per_ms, now);
        }
        let seen = self.seen.entry(number).or_default();
        while seen.front().is_some_and(|at| now.ms_since(*at) >= per_ms) {
            seen.pop_front();
        }
        if seen.len() >= count as usize {
            return Err(Refusal::PerNumber);
        }
        seen.push_back(now);
        Ok(())
    }

    /// Counts a message from before a restart. Must be called in the order of time.
    pub fn remember(&mut self, number: u64, at: Moment) {
        self.seen.entry(number).or_default().push_back(at);
    }

    fn make_room(&mut self, per_ms: i64, now: Moment) {
        let recent = |at: Option<&Moment>| at.is_some_and(|at| now.ms_since(*at) < per_ms);
        self.seen.retain(|_, seen| recent(seen.back()));
        // All of them recent: an attack. Forgetting some lets a few messages more through, no others.
        let surplus = self.seen.len().saturating_sub(NUMBERS_MAX * 9 / 10);
        let forgotten: Vec<u64> = self.seen.keys().copied().take(surplus).collect();
        for number in forgotten {
            self.seen.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(text: &str) -> Country {
        Country::parse(text).unwrap()
    }

    fn settings(count: u32) -> Settings {
        Settings {
            allow: Allow::Only([country("SG")].into()),
            per_number: Limit {
                count,
                per_ms: 1_000,
            },
        }
    }

    #[test]
    fn other_countries_are_refused() {
        let mut counts = NumberCounts::default();
        let refused = counts.admit(&settings(1), country("MY"), 1, Moment(0));
        assert_eq!(refused, Err(Refusal::Country));
    }

    #[test]
    fn no_window_of_that_length_holds_more() {
        let mut counts = NumberCounts::default();
        let mut admitted = Vec::new();
        for at in 0..5_000 {
            let at = Moment(at);
            if counts.admit(&settings(3), country("SG"), 1, at).is_ok() {
                admitted.push(at);
            }
        }
        assert!(admitted.windows(4).all(|w| w[3].ms_since(w[0]) >= 1_000));
        assert_eq!(admitted.len(), 15);
    }

    #[test]
    fn numbers_do_not_share() {
        let mut counts = NumberCounts::default();
        counts.remember(1, Moment(0));
        let mut admit = |number| counts.admit(&settings(1), country("SG"), number, Moment(1));
        assert_eq!(admit(1), Err(Refusal::PerNumber));
        assert_eq!(admit(2), Ok(()));
    }

    #[test]
    fn the_table_does_not_grow_without_end() {
        let mut counts = NumberCounts::default();
        for number in 0..NUMBERS_MAX as u64 + 10 {
            counts
                .admit(&settings(1), country("SG"), number, Moment(0))
                .ok();
        }
        assert!(counts.seen.len() <= NUMBERS_MAX);
    }
}
