//! Reads `[[sender]]` and `[[registration]]`: who messages come from, and where that must be registered.

use crate::document::{Table, Value};
use crate::rules::file::{Name, Place, Registration, Sender, Validity, channel, each, name, names};
use crate::rules::sender::{Kind, mistake_in};

/// Members of one pool, at most.
const POOL_MAX: usize = 1_000;

pub(super) fn sender(table: &Table<'_>) -> Option<Sender> {
    let kind = table.read("kind", kind);
    let sender_name = table.read("name", name);
    let vendor = table.read("vendor", name);
    let countries = table.read("country", names);
    let channel = table.read("channel", channel);
    let orgs = table.read("org", names);
    let from = table.require("from", |v| from(v, kind));
    let registered = table.read("registered", Value::boolean);
    let validity = Validity::read(table);
    let quota = table.read("quota", name);
    table.finish();
    Some(Sender {
        place: Place::of_table(table),
        name: sender_name,
        vendor,
        countries,
        channel,
        orgs,
        from: from?,
        kind,
        registered: registered.unwrap_or(false),
        validity,
        quota,
    })
}

pub(super) fn registration(table: &Table<'_>) -> Option<Registration> {
    let countries = table.require("country", names);
    let required = table.read("required", Value::boolean);
    let kinds = table.read("kind", |v| each(v, kind));
    let validity = Validity::read(table);
    table.finish();
    Some(Registration {
        countries: countries?,
        required: required.unwrap_or(true),
        kinds,
        validity,
    })
}

fn kind(value: Value<'_>) -> Option<Kind> {
    value.one_of(&Kind::ALL.map(|k| (k.as_str(), k)))
}

/// One sender, or the members of a pool.
fn from(value: Value<'_>, kind: Option<Kind>) -> Option<Vec<Name>> {
    if value.raw().is_array() && kind.is_some_and(|k| k != Kind::Pool) {
        let hint = "only a `pool` has several".to_owned();
        return value.wrong("this is a list", Some(hint));
    }
    let all = names(value)?;
    if all.len() > POOL_MAX {
        return value.wrong(format!("more than {POOL_MAX} members"), None);
    }
    for one in &all {
        if let Some((message, hint)) = mistake_in(&one.text, kind) {
            value.wrong_at(one.place.span.clone(), message, Some(hint));
        }
    }
    Some(all)
}
