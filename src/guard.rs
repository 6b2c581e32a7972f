//! Admits a message or refuses it with a reason, given counts.

pub mod quota;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::number::Country;
use crate::time::Moment;

/// Numbers counted at once. Above it, those not heard of for longest are forgotten.
const NUMBERS_MAX: usize = 262_144;
/// The largest count a limit may have, which is also how many moments one number may occupy.
const COUNT_MAX: u32 = 1_000;
const SECOND_MS: i64 = 1_000;
/// The longest time a limit may look back.
const PER_MS_MAX: i64 = 7 * 24 * 3_600 * SECOND_MS;

/// What is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The countries that may be sent to.
    pub allow: Allow,
    /// How often one number may get a message.
    pub per_number: Limit,
}

/// The countries that may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// All of them, and numbers that belong to none.
    Every,
    /// These.
    Some(BTreeSet<Country>),
}

/// At most `count` in any `per_ms` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u32,
    /// In which time.
    pub per_ms: i64,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Its country is not one of those allowed.
    Country,
    /// Its number had as many messages as one may have.
    PerNumber,
}

impl Refusal {
    /// The name used in metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Country => "country",
            Refusal::PerNumber => "per_number",
        }
    }
}

impl Limit {
    /// Where nothing else is written: 10 in any 10 minutes.
    pub const PER_NUMBER: Limit = Limit {
        count: 10,
        per_ms: 600 * SECOND_MS,
    };

    /// Reads `10/10m`, `3/h` or `1/30s`.
    pub fn parse(text: &str) -> Option<Limit> {
        let (count, per) = text.split_once('/')?;
        let count: u32 = count.trim().parse().ok()?;
        let per = per.trim();
        let per = humantime::parse_duration(per)
            .or_else(|_| humantime::parse_duration(&format!("1{per}")))
            .ok()?;
        let per_ms = i64::try_from(per.as_millis()).ok()?;
        let in_range =
            (1..=COUNT_MAX).contains(&count) && (SECOND_MS..=PER_MS_MAX).contains(&per_ms);
        in_range.then_some(Limit { count, per_ms })
    }
}

impl Settings {
    /// Whether the country may be sent to at all.
    pub fn allows(&self, country: Country) -> bool {
        match &self.allow {
            Allow::Every => true,
            Allow::Some(countries) => countries.contains(&country),
        }
    }
}

/// When each number was last let in, by the keyed hash of the number.
#[derive(Debug)]
pub struct NumberCounts {
    admitted: HashMap<u64, VecDeque<Moment>>,
    swept_at: Option<Moment>,
    numbers_max: usize,
}

impl Default for NumberCounts {
    fn default() -> NumberCounts {
        NumberCounts::holding(NUMBERS_MAX)
    }
}

impl NumberCounts {
    fn holding(numbers_max: usize) -> NumberCounts {
        NumberCounts {
            admitted: HashMap::new(),
            swept_at: None,
            numbers_max,
        }
    }

    /// Lets a message in and counts it, or refuses it. A refused message does not count, so that
    /// whoever waits long enough is always let in again.
    pub fn admit(
        &mut self,
        settings: &Settings,
        country: Country,
        number_hash: u64,
        now: Moment,
    ) -> Result<(), Refusal> {
        if !settings.allows(country) {
            return Err(Refusal::Country);
        }
        let limit = settings.per_number;
        self.make_room(limit.per_ms, number_hash, now);
        let moments = self.admitted.entry(number_hash).or_default();
        drop_older(moments, limit.per_ms, now);
        if moments.len() >= limit.count as usize {
            return Err(Refusal::PerNumber);
        }
        insert(moments, now);
        Ok(())
    }

    /// Counts a message that was let in earlier, in any order, as when a journal is read back.
    pub fn remember(&mut self, number_hash: u64, at: Moment) {
        if !self.admitted.contains_key(&number_hash) && self.admitted.len() >= self.numbers_max {
            self.forget_half();
        }
        insert(self.admitted.entry(number_hash).or_default(), at);
    }

    /// How many numbers are held in memory.
    pub fn len(&self) -> usize {
        self.admitted.len()
    }

    /// Whether no number is held in memory.
    pub fn is_empty(&self) -> bool {
        self.admitted.is_empty()
    }

    /// Drops what no window reaches any more, once per window or when there is no room for another.
    fn make_room(&mut self, per_ms: i64, number_hash: u64, now: Moment) {
        let due = self.swept_at.is_none_or(|at| now.ms_since(at) >= per_ms);
        let full = self.admitted.len() >= self.numbers_max;
        let full = full && !self.admitted.contains_key(&number_hash);
        if !due && !full {
            return;
        }
        self.swept_at = Some(now);
        self.admitted.retain(|_, moments| {
            drop_older(moments, per_ms, now);
            !moments.is_empty()
        });
        if full && self.admitted.len() >= self.numbers_max {
            self.forget_half();
        }
    }

    /// Forgets the half not heard of for longest: half, so that a flood of numbers pays for it rarely.
    fn forget_half(&mut self) {
        let mut last: Vec<(Option<Moment>, u64)> = self
            .admitted
            .iter()
            .map(|(&number, moments)| (moments.back().copied(), number))
            .collect();
        let half = last.len() / 2;
        last.select_nth_unstable(half);
        for (_, number) in &last[..=half] {
            self.admitted.remove(number);
        }
    }
}

/// A window is `per_ms` long and open at its end: a moment exactly that old is outside.
fn drop_older(moments: &mut VecDeque<Moment>, per_ms: i64, now: Moment) {
    while moments
        .front()
        .is_some_and(|&at| now.ms_since(at) >= per_ms)
    {
        moments.pop_front();
    }
}

fn insert(moments: &mut VecDeque<Moment>, at: Moment) {
    let place = moments.partition_point(|&earlier| earlier <= at);
    moments.insert(place, at);
    if moments.len() > COUNT_MAX as usize {
        moments.pop_front();
    }
}
