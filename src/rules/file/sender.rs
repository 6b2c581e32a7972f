//! Reads `[[sender]]`, and the registers and templates that do not act yet.

use crate::document::{Table, Value};
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
    let quota = table.read("quota", name);
    table.finish();
    let from = from?;
    let is_number = from.text.chars().all(|c| c == '+' || c.is_ascii_digit());
    Some(Sender {
        name: sender_name,
        vendor,
        countries,
        can_call: is_number && kind_can_call.unwrap_or(true),
        from,
        quota,
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
