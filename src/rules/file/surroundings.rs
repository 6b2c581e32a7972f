//! Reads what stands around the rules: `[guard]`, `[switches]` and the `[[expect]]` examples.

use crate::document::{Table, Value};
use crate::flow::Channel;
use crate::guard::Limit;
use crate::rules::file::chain::channel;
use crate::rules::file::validity::{time, with_offset};
use crate::rules::file::{Expect, Expected, Guard, Name, Place, Switch, name, names};
use crate::time::Moment;
use crate::time::Rate;

/// The keys of an example that expect something.
const SAYS: [&str; 8] = [
    "rule", "vendors", "deny", "outcome", "sender", "template", "text", "parts",
];
const PARTS_MAX: i64 = 255;

pub(super) fn guard(table: &Table<'_>) -> Guard {
    let guard = Guard {
        place: Place::of_table(table),
        allow_countries: table.read("allow_countries", names),
        per_number: table.read("per_number", limit),
    };
    table.finish();
    guard
}

fn limit(value: Value<'_>) -> Option<Limit> {
    let text = value.string_such_as(|n| format!("`\"{n}/10m\"`"))?.value;
    let hint = "a count of at most 1000 and a time, such as `10/10m`".to_owned();
    Limit::parse(&text).or_else(|| value.wrong(format!("`{text}` is not a limit"), Some(hint)))
}

pub(super) fn switch(table: &Table<'_>) -> Option<Switch> {
    let vendor = table.require("vendor", name);
    let countries = table.read("country", names);
    let until = table.read("until", timestamp);
    let reason = table.read("reason", name);
    table.finish();
    Some(Switch {
        vendor: vendor?,
        countries,
        until,
        reason: reason.map(|r| r.text),
    })
}

/// A TOML time with its offset, or the same as a string.
fn timestamp(value: Value<'_>) -> Option<Moment> {
    let text = match value.raw().as_datetime() {
        Some(time) => time.to_string(),
        None => value.string()?.value,
    };
    let without_offset = Moment::from_rfc3339(&format!("{text}Z")).is_some();
    let hint = match without_offset {
        true => with_offset(&text),
        false => "such as `2026-11-24T09:00:00Z`".to_owned(),
    };
    Moment::from_rfc3339(&text)
        .or_else(|| value.wrong(format!("`{text}` is not a time"), Some(hint)))
}

/// What is expected of a country at its busiest.
pub(super) fn rate(value: Value<'_>) -> Option<Rate> {
    let text = value.string_such_as(|n| format!("`\"{n}/s\"`"))?.value;
    let hint = "a count and a time, such as `50/s`".to_owned();
    Rate::parse(&text).or_else(|| value.wrong(format!("`{text}` is not a rate"), Some(hint)))
}

pub(super) fn expect(table: &Table<'_>) -> Option<Expect> {
    let outcomes = [("denied", Expected::Denied), ("blocked", Expected::Blocked)];
    let text = |key| table.read(key, Value::string).map(|at| at.value);
    let to = table.require("to", name);
    let expect = Expect {
        place: Place::of_table(table),
        to: to.unwrap_or_else(|| unnamed(table)),
        channel: table.read("channel", channel).unwrap_or(Channel::Sms),
        org: text("org").unwrap_or_default(),
        request_type: text("request_type").unwrap_or_default(),
        locale: text("locale").unwrap_or_default(),
        user: text("user"),
        login: text("login"),
        preview: table.read("preview", Value::boolean).unwrap_or(false),
        at: table.read("at", |v| time(v, 0)),
        rule: table.read("rule", name),
        vendors: table.read("vendors", |v| Some((names(v)?, Place::of(&v)))),
        deny: table.read("deny", name),
        sender: table.read("sender", name),
        template: table.read("template", name),
        text: table.read("text", name),
        parts: table.read("parts", |v| {
            let parts = usize::try_from(v.whole(1, PARTS_MAX)?).ok()?;
            Some((parts, Place::of(&v)))
        }),
        outcome: table.read("outcome", |v| Some((v.one_of(&outcomes)?, Place::of(&v)))),
    };
    if SAYS.iter().all(|key| table.get(key).is_none()) && table.is_understood() {
        let hint = "add `rule`, `vendors`, `sender`, `text`, `deny` or `outcome`".to_owned();
        table.error(
            table.span.clone(),
            "this example expects nothing",
            Some(hint),
        );
    }
    table.finish();
    Some(expect)
}

/// Stands where a name is missing, which is told.
fn unnamed(table: &Table<'_>) -> Name {
    Name {
        text: String::new(),
        place: Place::of_table(table),
    }
}
