//! Reads `valid_from` and `valid_to`: from when and until when something holds.

use crate::document::{Table, Value};
use crate::rules::file::Place;
use crate::time::Moment;

const DAY_MS: i64 = 24 * 3_600_000;

/// From when, and until when; both may be open.
#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Validity {
    pub(in crate::rules) from: Option<Moment>,
    /// It holds before this moment.
    pub(in crate::rules) until: Option<Moment>,
    /// Where the end is written.
    pub(in crate::rules) ends: Option<Place>,
}

impl Validity {
    /// Whether it holds at any time.
    pub(in crate::rules) fn is_always(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }

    /// Whether it holds.
    pub(in crate::rules) fn holds(&self, now: Moment) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// The key because of which it does not hold, and why in words.
    pub(in crate::rules) fn miss(&self, now: Moment) -> Option<(&'static str, String)> {
        match (self.from, self.until) {
            (Some(from), _) if now < from => {
                let why = format!("it holds from {}", from.to_rfc3339());
                Some(("valid_from", why))
            }
            (_, Some(until)) if until <= now => {
                let why = format!("it held before {}", until.to_rfc3339());
                Some(("valid_to", why))
            }
            _ => None,
        }
    }

    /// Reads both keys.
    pub(super) fn read(table: &Table<'_>) -> Validity {
        let from = table.read("valid_from", |v| Some((time(v, 0)?, v)));
        let until = table.read("valid_to", |v| Some((time(v, DAY_MS)?, v)));
        if let (Some((from, _)), Some((until, value))) = (&from, &until)
            && from >= until
        {
            let hint = "`valid_to` is the last day; `valid_from` is the first".to_owned();
            value.wrong::<()>("it ends before it begins", Some(hint));
        }
        Validity {
            from: from.map(|(from, _)| from),
            until: until.as_ref().map(|(until, _)| *until),
            ends: until.map(|(_, value)| Place::of(&value)),
        }
    }
}

/// A date, whose day begins in UTC and is moved by `day_ms`, or a time with its offset.
pub(super) fn time(value: Value<'_>, day_ms: i64) -> Option<Moment> {
    let text = match value.raw().as_datetime() {
        Some(date) => date.to_string(),
        None => {
            let date = |_: &str| "a date such as `2026-01-31`".to_owned();
            value.string_such_as(date)?.value
        }
    };
    if let Some(moment) = Moment::from_rfc3339(&text) {
        return Some(moment);
    }
    if Moment::from_rfc3339(&format!("{text}Z")).is_some() {
        return value.wrong(format!("`{text}` has no offset"), Some(with_offset(&text)));
    }
    let day = Moment::from_day(&text);
    let hint = "a date such as `2026-01-31`, or a time such as `2026-01-31T09:00:00+01:00`";
    day.map(|day| day.plus_ms(day_ms))
        .or_else(|| value.wrong(format!("`{text}` is not a date"), Some(hint.to_owned())))
}

/// The hint that a time needs an offset.
pub(super) fn with_offset(text: &str) -> String {
    format!("`{text}Z` in UTC, or `{text}+01:00`")
}
