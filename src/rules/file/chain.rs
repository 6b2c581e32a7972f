//! Reads `[chains]`: who is tried, in which order and at what pace.

use crate::document::{At, Table, Value};
use crate::flow::{Channel, Reason};
use crate::rules::file::{Chain, Entry, Name, each, key_name, name, not_yet};

/// The delivery's own life is never longer.
const GIVE_UP_AFTER_MS_MAX: i64 = 900_000;
const PATIENCE_MS_MAX: i64 = 60_000;
const WEIGHT_MAX: i64 = 1_000;
const SENDS_MAX: i64 = 10;
const RACE_WIDTH_MAX: i64 = 10;

pub(super) fn chain(chains: &Table<'_>, key: At<String>, table: &Table<'_>) -> Option<Chain> {
    let positions = table.require("vendors", |v| {
        let list = v.list()?;
        Some(list.into_iter().filter_map(position).collect())
    });
    let strategies = [("cascade", 'c'), ("hedge", 'h'), ("race", 'r')];
    let strategy = table.read("strategy", |v| v.one_of(&strategies));
    if strategy == Some('h') {
        let hint = "works as `cascade` until then".to_owned();
        not_yet(table, "strategy", "hedge", Some(hint));
    }
    let patience_ms = table.read("patience", |v| patience(table, v));
    let race_width = table.read("race_width", |v| v.whole(1, RACE_WIDTH_MAX));
    let sticky = [("delivery", false), ("recipient", true)];
    let by_recipient = table.read("sticky", |v| v.one_of(&sticky));
    let max_sends = table.read("max_sends", |v| v.whole(1, SENDS_MAX));
    let give_up_after_ms = table.read("give_up_after", |v| {
        v.duration_ms(1_000, GIVE_UP_AFTER_MS_MAX)
    });
    chain_keys_to_come(table);
    table.finish();
    Some(Chain {
        name: key_name(chains, key),
        positions: positions?,
        race: strategy == Some('r'),
        race_width,
        patience_ms,
        by_recipient: by_recipient.unwrap_or(false),
        max_sends,
        give_up_after_ms,
    })
}

fn patience(table: &Table<'_>, value: Value<'_>) -> Option<i64> {
    if value.raw().as_str() == Some("p95") {
        let hint = "600ms until then".to_owned();
        not_yet(table, "patience", "p95", Some(hint));
        return None;
    }
    value.duration_ms(1, PATIENCE_MS_MAX)
}

fn chain_keys_to_come(table: &Table<'_>) {
    let orders = [("fixed", false), ("adaptive", true)];
    if table.read("order", |v| v.one_of(&orders)) == Some(true) {
        not_yet(table, "order", "adaptive", None);
    }
    let actions = [("stop", false), ("failover", true)];
    if table
        .read("on_failed_receipt", |v| v.one_of(&actions))
        .is_some()
    {
        not_yet(table, "on_failed_receipt", "on_failed_receipt", None);
    }
    if table.read("on_silence", |v| v.one_of(&actions)) == Some(true) {
        not_yet(table, "on_silence", "on_silence", None);
    }
    table.read("silence_after", |v| {
        v.duration_ms(1_000, GIVE_UP_AFTER_MS_MAX)
    });
}

fn position(value: Value<'_>) -> Option<Vec<Entry>> {
    if value.raw().is_array() {
        let list = value.list()?;
        let entries = list.into_iter().filter_map(weighted_entry);
        return Some(entries.collect());
    }
    if value.raw().is_str() {
        return Some(vec![plain_entry(name(value)?)]);
    }
    let table = value.table()?;
    let entry = entry(&table);
    if table.read("weight", |v| v.whole(1, WEIGHT_MAX)).is_some() {
        let hint = "a weighted position is a list in the list".to_owned();
        table.warning(
            table.span.clone(),
            "this `weight` has no effect",
            Some(hint),
        );
    }
    table.finish();
    Some(vec![entry?])
}

fn weighted_entry(value: Value<'_>) -> Option<Entry> {
    if let Some(vendor) = value.raw().as_str() {
        let hint = format!("`{{ vendor = \"{vendor}\", weight = 50 }}`");
        return value.wrong("`weight` is missing here", Some(hint));
    }
    let table = value.table()?;
    let entry = entry(&table);
    let weight = table.require("weight", |v| v.whole(1, WEIGHT_MAX));
    table.finish();
    Some(Entry { weight, ..entry? })
}

fn plain_entry(vendor: Name) -> Entry {
    Entry {
        vendor,
        weight: None,
        sender: None,
        channel: None,
        waits: false,
    }
}

fn entry(table: &Table<'_>) -> Option<Entry> {
    let vendor = table.require("vendor", name);
    let sender = table.read("sender", name);
    let channel = table.read("channel", channel);
    let mut reasons: Vec<(&str, ())> = vec![("silence", ())];
    reasons.extend(Reason::ALL.map(|r| (r.as_str(), ())));
    let on = table.read("on", |v| each(v, |v| v.one_of(&reasons)));
    let after = table.read("after", |v| v.duration_ms(1, GIVE_UP_AFTER_MS_MAX));
    let waits = on.is_some() || after.is_some();
    if waits {
        let hint = "this entry is left out until then".to_owned();
        let key = if on.is_some() { "on" } else { "after" };
        not_yet(table, key, key, Some(hint));
    }
    Some(Entry {
        sender,
        channel,
        waits,
        ..plain_entry(vendor?)
    })
}

pub(in crate::rules) fn channel(value: Value<'_>) -> Option<Channel> {
    value.one_of(&Channel::ALL.map(|c| (c.as_str(), c)))
}
