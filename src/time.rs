//! Tells the time, once per event, to whoever must decide.

use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// `2027-01-31`.
const DAY_CHARS: usize = 10;

/// A point in time: milliseconds since the Unix epoch. Within a process it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// This moment moved by `ms` milliseconds (negative: earlier), saturating.
    pub fn plus_ms(self, ms: i64) -> Moment {
        Moment(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is in fact later.
    pub fn ms_since(self, earlier: Moment) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads an RFC 3339 timestamp, as Okta writes `eventTime` and `otpExpires`.
    pub fn from_rfc3339(text: &str) -> Option<Moment> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|t| Moment(t.as_millisecond()))
    }

    /// The same, or a day such as `2027-01-31`, which begins in UTC.
    pub fn from_day_or_rfc3339(text: &str) -> Option<Moment> {
        Moment::from_rfc3339(text).or_else(|| Moment::from_day(text))
    }

    /// Reads `2027-01-31`, which begins in UTC. Days that no clock reaches, such as the last one of the year 9999
    /// that stands for "for ever", are the last moment that there is.
    pub fn from_day(text: &str) -> Option<Moment> {
        let is_plain =
            text.len() == DAY_CHARS && text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
        let day: jiff::civil::Date = text.parse().ok().filter(|_| is_plain)?;
        let begins = jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0));
        Some(Moment(
            begins.unwrap_or(jiff::Timestamp::MAX).as_millisecond(),
        ))
    }

    /// Written as RFC 3339 in UTC with milliseconds.
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|t| format!("{t:.3}"))
            .unwrap_or_else(|_| self.0.to_string())
    }

    /// The same to the second.
    pub fn to_rfc3339_seconds(self) -> String {
        jiff::Timestamp::from_second(self.0.div_euclid(1_000))
            .map(|t| t.to_string())
            .unwrap_or_else(|_| self.0.to_string())
    }
}

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, above 0.
    pub count: u32,
    /// In which time, in milliseconds, above 0.
    pub per_ms: i64,
}

impl Rate {
    /// Reads `100/s`, `40000/day`, `10/10m`: a count and a time.
    pub fn parse(text: &str) -> Option<Rate> {
        let (count, per) = text.split_once('/')?;
        let count: u32 = count.trim().parse().ok().filter(|n| *n > 0)?;
        let per = per.trim();
        let per = if per.starts_with(|c: char| c.is_ascii_digit()) {
            per.to_owned()
        } else {
            format!("1{per}")
        };
        let duration = humantime::parse_duration(&per).ok()?;
        let per_ms = i64::try_from(duration.as_millis())
            .ok()
            .filter(|n| *n > 0)?;
        Some(Rate { count, per_ms })
    }
}

/// The process's one clock: the wall clock read once at its making, moved on by a monotonic one.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch_ms: i64,
    started: Instant,
}

impl Clock {
    /// Reads the wall clock and starts counting from it.
    #[expect(clippy::disallowed_methods, reason = "this is the room of clocks")]
    pub fn start() -> Clock {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Clock {
            epoch_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
            started: Instant::now(),
        }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Moment(self.epoch_ms.saturating_add(elapsed))
    }

    /// How long from now until `moment`; zero when it has passed.
    pub fn until(&self, moment: Moment) -> Duration {
        Duration::from_millis(u64::try_from(moment.ms_since(self.now())).unwrap_or(0))
    }
}
