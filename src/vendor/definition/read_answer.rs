//! Reads how a definition's answers are read: what is a yes, what codes mean, what the simulator says.

use http::StatusCode;
use regex::Regex;

use crate::document::{At, Table, Value};
use crate::vendor::definition::read::header_name;
use crate::vendor::definition::read_codes::{codes, codes_of_reasons, statuses_of_reasons};
use crate::vendor::definition::{Accepted, Coded, Refused, Simulated, SimulatedBody, Simulation};
use crate::vendor::pick::Pick;
use crate::vendor::template::{Place, Tree, read_template};

/// A pattern is at most this long.
const PATTERN_CHARS_MAX: usize = 500;

pub(super) fn accepted_when(table: &Table<'_>) -> Option<Accepted> {
    let status = table.require("status", Value::list)?;
    let status = status
        .into_iter()
        .filter_map(|v| v.whole(100, 599))
        .filter_map(|n| u16::try_from(n).ok())
        .collect();
    let when = table.read("when", Value::table);
    let when = when.map(|t| {
        let entries = t.entries().into_iter();
        entries
            .filter_map(|(at, v)| Some((pointed(&t, at)?, plain_list(v)?)))
            .collect()
    });
    let accepted = Accepted {
        status,
        when: when.unwrap_or_default(),
        message_id: table.read("message_id", pointer),
        parts: table.read("parts", pointer),
    };
    table.finish();
    Some(accepted)
}

pub(super) fn refusals(table: &Table<'_>) -> Refused {
    let coded = coded(table);
    let retry_after = table.read("retry_after", Value::strings);
    let retry_after = retry_after.unwrap_or_default().into_iter();
    let retry_after = retry_after
        .filter_map(|name| header_name(table, name))
        .collect();
    let present = table.read("present", |v| {
        let texts = v.strings()?.into_iter();
        Some(texts.filter_map(|at| pointer_in(v, at)).collect())
    });
    let statuses = table.read("statuses", Value::table);
    let statuses = statuses
        .map(|t| statuses_of_reasons(&t))
        .unwrap_or_default();
    table.finish();
    Refused {
        coded,
        present: present.unwrap_or_default(),
        statuses,
        retry_after,
    }
}

pub(super) fn coded(table: &Table<'_>) -> Coded {
    let reasons = table.read("reasons", Value::table);
    let daily_cap = table.read("daily_cap", Value::list).unwrap_or_default();
    Coded {
        code: table.read("code", picks).unwrap_or_default(),
        reasons: reasons.map(|t| codes_of_reasons(&t)).unwrap_or_default(),
        daily_cap: daily_cap.into_iter().filter_map(codes).collect(),
    }
}

pub(super) fn simulate(table: &Table<'_>) -> Option<Simulation> {
    let read = |key| table.read(key, |v| simulated(&v.table()?));
    let accept = read("accept");
    let reject = read("reject");
    let throttle = read("throttle");
    let error = read("error");
    let unauthorized = read("unauthorized");
    let default_error = table.require("default_error", plain);
    table.finish();
    let bare = |status| Simulated {
        status,
        ..Simulated::default()
    };
    Some(Simulation {
        accept: accept.unwrap_or_else(|| bare(200)),
        reject: reject.unwrap_or_else(|| bare(400)),
        throttle: throttle.unwrap_or_else(|| bare(429)),
        error: error.unwrap_or_else(|| bare(500)),
        unauthorized: unauthorized.unwrap_or_else(|| bare(401)),
        default_error: default_error?,
    })
}

fn simulated(table: &Table<'_>) -> Option<Simulated> {
    let status = table.require("status", |v| v.whole(100, 599));
    let headers = table.read("headers", Value::table);
    let headers = headers.map(|t| {
        let entries = t.entries().into_iter();
        entries
            .filter_map(|(name, v)| Some((header_name(&t, name)?, v.string()?.value)))
            .collect()
    });
    let json = table.read("json", |v| Tree::read(v, Place::Answer));
    let text = table.read("text", |v| read_template(v, Place::Answer));
    if json.is_some()
        && let Some(text) = table.get("text")
    {
        text.wrong::<()>("an answer has `json` or `text`, not both", None);
    }
    table.finish();
    let body = match (json, text) {
        (Some(json), _) => SimulatedBody::Json(json),
        (None, Some(text)) => SimulatedBody::Text(text),
        (None, None) => SimulatedBody::Nothing,
    };
    let status = u16::try_from(status?).unwrap_or(StatusCode::OK.as_u16());
    Some(Simulated {
        status,
        headers: headers.unwrap_or_default(),
        body,
    })
}

/// One place or several: a pointer, or a table of pointers and a pattern.
pub(super) fn picks(value: Value<'_>) -> Option<Vec<Pick>> {
    if value.raw().is_array() {
        return Some(value.list()?.into_iter().filter_map(pick).collect());
    }
    pick(value).map(|one| vec![one])
}

fn pick(value: Value<'_>) -> Option<Pick> {
    if value.raw().is_str() {
        let at = pointer_in(value, value.string()?)?;
        return Some(Pick {
            at: vec![at],
            pattern: None,
        });
    }
    let table = value.table()?;
    let at = table.require("at", |v| {
        let texts = v.strings()?;
        if texts.is_empty() {
            return v.wrong("at least one pointer is needed", None);
        }
        texts
            .into_iter()
            .map(|at| pointer_in(v, at))
            .collect::<Option<Vec<String>>>()
    });
    let pattern = table.read("pattern", |v| {
        let pattern = pattern(v)?;
        if pattern.captures_len() < 2 {
            let hint = "put round brackets around what is meant: `#([a-z0-9-]+)$`";
            return v.wrong("the pattern has no group", Some(hint.to_owned()));
        }
        Some(pattern)
    });
    table.finish();
    Some(Pick { at: at?, pattern })
}

/// A pattern whose named groups are what a text says.
pub(super) fn naming_pattern(value: Value<'_>) -> Option<Regex> {
    let pattern = pattern(value)?;
    if pattern.capture_names().flatten().next().is_none() {
        let hint = "such as `^(?<code>\\d+)\\|(?<id>\\S+)$`, which is read at `/code` and `/id`";
        return value.wrong("the pattern has no named group", Some(hint.to_owned()));
    }
    Some(pattern)
}

pub(super) fn pattern(value: Value<'_>) -> Option<Regex> {
    let text = value.string()?.value;
    if text.chars().count() > PATTERN_CHARS_MAX {
        let message = format!("a pattern has at most {PATTERN_CHARS_MAX} characters");
        return value.wrong(message, None);
    }
    match Regex::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            // The last line of such an error says what is wrong.
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            let last = last.trim_start_matches("error: ");
            value.wrong(format!("this is not a pattern: {last}"), None)
        }
    }
}

pub(super) fn pointer(value: Value<'_>) -> Option<String> {
    let at = value.string()?;
    pointer_in(value, at)
}

fn pointer_in(value: Value<'_>, at: At<String>) -> Option<String> {
    if at.value.starts_with('/') {
        return Some(at.value);
    }
    let (message, hint) = no_pointer(&at.value);
    value.wrong_at(at.span, message, hint);
    None
}

fn no_pointer(text: &str) -> (String, Option<String>) {
    let hint = "such as `/messages/0/status`, with `*` for every element";
    let message = format!("`{text}` is not a JSON pointer");
    (message, Some(hint.to_owned()))
}

/// A pointer that is a key.
fn pointed(table: &Table<'_>, at: At<String>) -> Option<String> {
    if at.value.starts_with('/') {
        return Some(at.value);
    }
    let (message, hint) = no_pointer(&at.value);
    table.error(at.span, message, hint);
    None
}

pub(super) fn plain_list(value: Value<'_>) -> Option<Vec<String>> {
    Some(value.list()?.into_iter().filter_map(plain).collect())
}

/// A string, number or truth value, as the text that an answer is compared with.
pub(super) fn plain(value: Value<'_>) -> Option<String> {
    if value.raw().is_integer() {
        return value.whole(i64::MIN, i64::MAX).map(|n| n.to_string());
    }
    if let Some(flag) = value.raw().as_bool() {
        return Some(flag.to_string());
    }
    value.string().map(|t| t.value)
}
