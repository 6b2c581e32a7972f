//! Counts what senders and vendors share, window by window, and says when it is used up.

mod counters;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use crate::problem::did_you_mean;
use crate::time::{Moment, Rate};

pub use counters::{Counters, Full, Used};

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// The shortest and the longest time that a limit may be for, in milliseconds.
const PER_MS_MIN: i64 = 1_000;
const PER_MS_MAX: i64 = 7 * DAY_MS;
/// Resets this many days around a moment are looked at: zones have left out whole days.
const DAYS_AROUND: i64 = 2;

/// So much may be sent in each window of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    pub limit: u64,
    pub per: Period,
    pub unit: Unit,
}

/// How long a window is, and when it begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Period {
    /// From one reset to the next.
    Day(Reset),
    /// So many milliseconds; the first window began with the Unix epoch.
    Every { ms: i64 },
}

/// The time of day at which a day of counting begins, as clocks in a zone show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reset {
    at: Time,
    zone: TimeZone,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// The parts that a text takes; a call is one.
    #[default]
    Parts,
    /// Messages and calls, however long.
    Messages,
}

/// A span of time: its first moment, and the first moment behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Moment,
    pub until: Moment,
}

/// Which of a quota's texts cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub text: Text,
    pub message: String,
    pub hint: String,
}

/// The texts that a quota is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    Limit,
    Resets,
}

impl Quota {
    /// Reads a limit such as `40000/day` or `1000/10m`, and where there is one, a reset such as
    /// `00:00 America/Los_Angeles`, which only a limit per day has; without one a day begins at 00:00 UTC.
    ///
    /// # Errors
    /// When one of the texts, or each of them, says something else.
    pub fn read(limit: &str, resets: Option<&str>, unit: Unit) -> Result<Quota, Vec<Mistake>> {
        let count = Count::read(limit);
        let reset = resets.map(Reset::read).transpose();
        let (count, reset) = match (count, reset) {
            (Ok(count), Ok(reset)) => (count, reset),
            (count, reset) => {
                return Err([count.err(), reset.err()].into_iter().flatten().collect());
            }
        };
        let per = match (count.per_ms, reset) {
            (DAY_MS, reset) => Period::Day(reset.unwrap_or(Reset::UTC)),
            (ms, None) => Period::Every { ms },
            (_, Some(_)) => {
                return Err(vec![Mistake {
                    text: Text::Resets,
                    message: format!("`{limit}` is not per day, so that no time of day resets it"),
                    hint: "leave `resets` out, or count by `/day`".to_owned(),
                }]);
            }
        };
        let limit = count.limit;
        Ok(Quota { limit, per, unit })
    }

    /// What a vendor's own daily cap is taken for where rules say nothing: full until the next 00:00 UTC.
    pub const VENDORS_OWN: Quota = Quota {
        limit: u64::MAX,
        per: Period::Day(Reset::UTC),
        unit: Unit::Messages,
    };

    /// The window that a moment is in.
    pub fn window(&self, now: Moment) -> Window {
        match &self.per {
            Period::Day(reset) => reset.window(now).unwrap_or_else(|| every(DAY_MS, now)),
            Period::Every { ms } => every(*ms, now),
        }
    }
}

struct Count {
    limit: u64,
    per_ms: i64,
}

impl Count {
    fn read(text: &str) -> Result<Count, Mistake> {
        let mistake = |message| {
            Mistake {
            text: Text::Limit,
            message,
            hint: "a count from 1 to 4294967295 and a time, such as `40000/day`, `100/h` or `1000/10m`"
                .to_owned(),
        }
        };
        let Rate { count, per_ms } =
            Rate::parse(text).ok_or_else(|| mistake(format!("`{text}` is not a limit")))?;
        if !(PER_MS_MIN..=PER_MS_MAX).contains(&per_ms) {
            return Err(mistake(format!(
                "the time in `{text}` is not from 1 second to 7 days"
            )));
        }
        let limit = u64::from(count);
        Ok(Count { limit, per_ms })
    }
}

impl Reset {
    const UTC: Reset = Reset {
        at: Time::midnight(),
        zone: TimeZone::UTC,
    };

    fn read(text: &str) -> Result<Reset, Mistake> {
        let mistake = |message, hint| Mistake {
            text: Text::Resets,
            message,
            hint,
        };
        let (at, zone) = text.trim().split_once(' ').unwrap_or((text.trim(), "UTC"));
        let at = time_of_day(at).ok_or_else(|| {
            let hint = "such as `00:00 America/Los_Angeles`".to_owned();
            mistake(format!("`{at}` is not a time of day"), hint)
        })?;
        let zones = TimeZoneDatabase::bundled();
        let name = zone.trim();
        let zone = zones.get(name).map_err(|_| {
            let message = format!("there is no time zone `{name}`");
            mistake(message, nearest_zone(&zones, name))
        })?;
        Ok(Reset { at, zone })
    }

    /// A reset that a day has twice counts the first time; one that the clocks leave out comes as much later.
    fn window(&self, now: Moment) -> Option<Window> {
        let now_there = Timestamp::from_millisecond(now.0).ok()?;
        let today = self.zone.to_datetime(now_there).date();
        let days = -DAYS_AROUND..=DAYS_AROUND;
        let resets: Vec<Moment> = days.filter_map(|days| self.on(today, days)).collect();
        Some(Window {
            from: resets.iter().rev().find(|at| **at <= now).copied()?,
            until: resets.iter().find(|at| now < **at).copied()?,
        })
    }

    /// The reset so many days after a date.
    fn on(&self, date: Date, days: i64) -> Option<Moment> {
        let date = date.checked_add(days.days()).ok()?;
        let at = DateTime::from_parts(date, self.at);
        let at = self.zone.to_ambiguous_timestamp(at).compatible().ok()?;
        Some(Moment(at.as_millisecond()))
    }
}

/// `00:00 America/Los_Angeles`.
impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        write!(f, "{:02}:{:02} {zone}", self.at.hour(), self.at.minute())
    }
}

impl Unit {
    /// The names used in rules and in the API.
    pub const NAMES: [(&str, Unit); 2] = [("parts", Unit::Parts), ("messages", Unit::Messages)];

    /// The name used in rules and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Parts => "parts",
            Unit::Messages => "messages",
        }
    }
}

/// Windows of equal length, one behind the other.
fn every(ms: i64, now: Moment) -> Window {
    let from = Moment(now.0.saturating_sub(now.0.rem_euclid(ms)));
    Window {
        from,
        until: from.plus_ms(ms),
    }
}

/// `HH:MM`, from 00:00 to 23:59.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| -> Option<i8> {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

/// A zone of that city, else one that is written nearly so.
fn nearest_zone(zones: &TimeZoneDatabase, wrong: &str) -> String {
    let names: Vec<String> = zones.available().map(|n| n.as_str().to_owned()).collect();
    let city = wrong.rsplit('/').next().unwrap_or(wrong).replace(' ', "_");
    let of_city = names.iter().find(|name| {
        let last = name.rsplit('/').next().unwrap_or(name);
        name.contains('/') && last.eq_ignore_ascii_case(&city)
    });
    of_city
        .map(|name| format!("did you mean `{name}`?"))
        .or_else(|| did_you_mean(wrong, names.iter().map(String::as_str)))
        .unwrap_or_else(|| "an IANA name, such as `America/Los_Angeles` or `UTC`".to_owned())
}
