//! Reads `[[sender]]`, and the registers, quotas and templates that do not act yet.

use crate::document::{Table, Value};
use crate::guard::Limit;
use crate::rules::file::{Sender, Written, each, name, names, not_yet};

/// The kinds of sender, and whether a call may come from one.
const KINDS: [(&str, bool); 6] = [
    ("alpha", false),
    ("short_code", false),
    ("long_code", true),
    ("toll_free", true),
    ("10dlc", true),
    ("pool", true),
];

pub(super) fn sender(table: &Table<'_>) -> Option<Sender> {
    let kind_can_call = table.read("kind", |v| v.one_of(&KINDS));
    let sender_name = table.read("name", name);
    let vendor = table.read("vendor", name);
    let countries = table.read("country", names);
    let from = table.require("from", name);
    table.read("registered", Value::boolean);
    for key in ["valid_from", "valid_to"] {
        if table.read(key, date).is_some() {
            not_yet(table, key, key, None);
        }
    }
    if table.read("quota", name).is_some() {
        not_yet(table, "quota", "quota", None);
    }
    table.finish();
    let from = from?;
    let is_number = from.text.chars().all(|c| c == '+' || c.is_ascii_digit());
    Some(Sender {
        name: sender_name,
        vendor,
        countries,
        can_call: is_number && kind_can_call.unwrap_or(true),
        from,
    })
}

impl Written {
    pub(super) fn read_what_is_to_come(&mut self, root: &Table<'_>) {
        for table in root.tables("registration") {
            self.other_countries.extend(table.require("country", names));
            if table.read("required", Value::boolean) == Some(true) {
                not_yet(&table, "required", "registration", None);
            }
            table.finish();
        }
        for table in root.tables("template") {
            self.other_countries.extend(table.read("country", names));
            template(&table);
        }
        if let Some(quotas) = root.read("quota", Value::table) {
            let quotas = quotas.entries();
            let quotas = quotas.into_iter().filter_map(|(_, value)| value.table());
            quotas.for_each(|table| quota(&table));
        }
    }
}

fn template(table: &Table<'_>) {
    table.read("locale", |v| each(v, name));
    table.require("text", name);
    if let Some(parameters) = table.read("parameters", Value::table) {
        for (_, value) in parameters.entries() {
            value.string();
        }
    }
    let hint = "Okta's own text is sent until then".to_owned();
    not_yet(table, "text", "template", Some(hint));
    table.finish();
}

fn quota(table: &Table<'_>) {
    table.require("limit", |v| {
        let text = v.string()?.value;
        let (count, per) = text.split_once('/').unwrap_or_default();
        let is_limit = count.parse::<u64>().is_ok() && Limit::parse(&format!("1/{per}")).is_some();
        let hint = "a count and a time, such as `40000/day`".to_owned();
        is_limit
            .then_some(())
            .or_else(|| v.wrong(format!("`{text}` is not a limit"), Some(hint)))
    });
    table.read("resets", name);
    not_yet(table, "limit", "quota", None);
    table.finish();
}

fn date(value: Value<'_>) -> Option<()> {
    let text = match value.raw().as_datetime() {
        Some(date) => date.to_string(),
        None => value.string()?.value,
    };
    if text.parse::<jiff::civil::Date>().is_ok() {
        return Some(());
    }
    let hint = "such as `2026-01-31`".to_owned();
    value.wrong(format!("`{text}` is not a date"), Some(hint))
}
