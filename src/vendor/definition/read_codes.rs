//! Reads which codes and which HTTP statuses have which reason.

use std::ops::Range;

use crate::document::{Table, Value};
use crate::flow::Reason;
use crate::problem::did_you_mean;
use crate::vendor::definition::Codes;
use crate::vendor::definition::read_answer::plain;

/// What HTTP knows as a status.
const STATUSES: std::ops::RangeInclusive<i64> = 100..=599;

pub(super) fn codes_of_reasons(table: &Table<'_>) -> Vec<(Codes, Reason)> {
    reason_table(table, codes)
}

pub(super) fn statuses_of_reasons(table: &Table<'_>) -> Vec<(Codes, Reason)> {
    reason_table(table, statuses)
}

fn reason_table(table: &Table<'_>, read: fn(Value<'_>) -> Option<Codes>) -> Vec<(Codes, Reason)> {
    let mut reasons: Vec<(Codes, Reason)> = Vec::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    for (name, value) in table.entries() {
        let Some(reason) = Reason::parse(&name.value) else {
            let hint = did_you_mean(&name.value, Reason::ALL.iter().map(|r| r.as_str()));
            let message = format!("there is no reason `{}`", name.value);
            table.error(name.span, message, hint);
            continue;
        };
        for item in value.list().unwrap_or_default() {
            let Some(codes) = read(item) else {
                continue;
            };
            let line = |at: usize| table.source().position(places[at].start).0;
            let same = reasons.iter().position(|(known, _)| *known == codes);
            // Which of two reasons is meant, the order in a file should not decide.
            let is_torn =
                |(known, other): &(Codes, Reason)| *other != reason && known.meets(&codes);
            if let Some(at) = same {
                let message = format!("this code is also on line {}", line(at));
                table.error(item.span(), message, None);
            } else if let Some(at) = reasons.iter().position(is_torn) {
                let (known, other) = &reasons[at];
                let message = format!(
                    "{codes} shares codes with {known} on line {}, which means `{}`",
                    line(at),
                    other.as_str()
                );
                let hint = "a code has one reason: divide the range".to_owned();
                table.error(item.span(), message, Some(hint));
            }
            reasons.push((codes, reason));
            places.push(item.span());
        }
    }
    reasons
}

/// One code, or a range of them.
pub(super) fn codes(value: Value<'_>) -> Option<Codes> {
    let text = plain(value)?;
    let range = text
        .split_once('-')
        .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    match range {
        Some((from, to)) if from > to => {
            let hint = format!("`\"{to}-{from}\"`");
            value.wrong(format!("`{text}` ends before it begins"), Some(hint))
        }
        Some((from, to)) => Some(Codes::Range(from, to)),
        None => Some(Codes::One(text)),
    }
}

fn statuses(value: Value<'_>) -> Option<Codes> {
    let codes = codes(value)?;
    let is_status = |code: i64| STATUSES.contains(&code);
    match codes.ends() {
        Some((from, to)) if is_status(from) && is_status(to) => Some(codes),
        Some(_) | None => {
            let hint = "from 100 to 599, or a range such as `\"500-599\"`".to_owned();
            value.wrong(format!("{codes} is no HTTP status"), Some(hint))
        }
    }
}

impl Codes {
    /// The first and the last of them, where they are numbers.
    fn ends(&self) -> Option<(i64, i64)> {
        match self {
            Codes::One(one) => one.parse().ok().map(|one| (one, one)),
            Codes::Range(from, to) => Some((*from, *to)),
        }
    }

    /// Whether some code is one of both, where one of them is a range.
    fn meets(&self, other: &Codes) -> bool {
        let both = self.ends().zip(other.ends());
        let is_one = |codes: &Codes| matches!(codes, Codes::One(_));
        !(is_one(self) && is_one(other)) && both.is_some_and(|((a, b), (c, d))| a <= d && c <= b)
    }
}

impl std::fmt::Display for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Codes::One(one) => write!(f, "`{one}`"),
            Codes::Range(from, to) => write!(f, "`{from}-{to}`"),
        }
    }
}
