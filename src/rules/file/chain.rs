//! Reads `[chains]`: who is tried, in which order and at what pace.

use crate::document::{At, Table, Value};
use crate::flow::{Channel, Reason, Waits};
use crate::rules::file::{Chain, Entry, Name, Patience, Strategy, each, key_name, name};

/// The delivery's own life is never longer.
const GIVE_UP_AFTER_MS_MAX: i64 = 900_000;
const PATIENCE_MS_MAX: i64 = 60_000;
const WEIGHT_MAX: i64 = 1_000;
const COST_MAX: f64 = 1_000_000.0;
const SENDS_MAX: i64 = 10;
const RACE_WIDTH_MAX: i64 = 10;

pub(super) fn chain(chains: &Table<'_>, key: At<String>, table: &Table<'_>) -> Chain {
    let positions = table.require("vendors", positions);
    let is_whole = positions.as_ref().is_some_and(|(_, is_whole)| *is_whole);
    let strategies = [
        ("cascade", Strategy::Cascade),
        ("hedge", Strategy::Hedge),
        ("race", Strategy::Race),
    ];
    let strategy = table.read("strategy", |v| v.one_of(&strategies));
    let patience = table.read("patience", patience);
    let race_width = table.read("race_width", |v| v.whole(1, RACE_WIDTH_MAX));
    let sticky = [("delivery", false), ("recipient", true)];
    let by_recipient = table.read("sticky", |v| v.one_of(&sticky));
    let orders = [("fixed", false), ("adaptive", true)];
    let adaptive = table.read("order", |v| v.one_of(&orders));
    let max_sends = table.read("max_sends", |v| v.whole(1, SENDS_MAX));
    let give_up_after_ms = table.read("give_up_after", |v| {
        v.duration_ms(1_000, GIVE_UP_AFTER_MS_MAX)
    });
    let actions = [("stop", Action::Stop), ("failover", Action::Failover)];
    let on_failed_receipt = table.read("on_failed_receipt", |v| v.one_of(&actions));
    let on_silence = table.read("on_silence", |v| v.one_of(&actions));
    let silence_after_ms = table.read("silence_after", |v| {
        v.duration_ms(1_000, GIVE_UP_AFTER_MS_MAX)
    });
    table.finish();
    Chain {
        name: key_name(chains, key),
        positions: positions.map_or_else(Vec::new, |(positions, _)| positions),
        is_whole,
        strategy,
        race_width,
        patience,
        by_recipient: by_recipient.unwrap_or(false),
        adaptive: adaptive.unwrap_or(false),
        max_sends,
        give_up_after_ms,
        stops_on_failed_receipt: on_failed_receipt == Some(Action::Stop),
        moves_on_silence: on_silence == Some(Action::Failover),
        silence_after_ms,
    }
}

/// What a chain does when a message did not arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Stop,
    Failover,
}

fn patience(value: Value<'_>) -> Option<Patience> {
    if value.raw().as_str() == Some("p95") {
        return Some(Patience::Learned);
    }
    if value
        .raw()
        .as_str()
        .is_some_and(|text| text.starts_with('p'))
    {
        let hint = "a time such as `600ms`, or `p95`: learned for each vendor".to_owned();
        return value.wrong("this is no patience", Some(hint));
    }
    value.duration_ms(1, PATIENCE_MS_MAX).map(Patience::Ms)
}

/// The positions, and whether all of them and of their entries could be read.
fn positions(value: Value<'_>) -> Option<(Vec<Vec<Entry>>, bool)> {
    let list = value.list()?;
    let all = list.len();
    let entries_in = |v: &Value<'_>| v.raw().as_array().map_or(1, |entries| entries.len());
    let entries: usize = list.iter().map(entries_in).sum();
    let read: Vec<Vec<Entry>> = list.into_iter().filter_map(position).collect();
    let is_whole = read.len() == all && read.iter().map(Vec::len).sum::<usize>() == entries;
    Some((read, is_whole))
}

fn position(value: Value<'_>) -> Option<Vec<Entry>> {
    if value.raw().is_array() {
        let list = value.list()?;
        if list.is_empty() {
            let hint = "a position is a vendor, or a list of some with weights".to_owned();
            return value.wrong("nobody is in this position", Some(hint));
        }
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
    if value.raw().is_array() {
        let hint = "`{ vendor = \"..\", weight = 50 }`".to_owned();
        return value.wrong("a list in a list in a list", Some(hint));
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
        cost: None,
        sender: None,
        channel: None,
        waits: None,
    }
}

fn entry(table: &Table<'_>) -> Option<Entry> {
    let vendor = table.require("vendor", name);
    let sender = table.read("sender", name);
    let channel = table.read("channel", channel);
    let cost = table.read("cost", |v| v.number(0.0, COST_MAX));
    let waits = waits(table);
    Some(Entry {
        sender,
        channel,
        cost,
        waits,
        ..plain_entry(vendor?)
    })
}

/// `on` without `after` acts at once; `after` without `on`, for every reason.
fn waits(table: &Table<'_>) -> Option<Waits> {
    let mut reasons = vec![("silence", None)];
    reasons.extend(Reason::ALL.map(|r| (r.as_str(), Some(r))));
    let on = table.read("on", |v| each(v, |v| v.one_of(&reasons)));
    let after_ms = table.read("after", |v| v.duration_ms(0, GIVE_UP_AFTER_MS_MAX));
    if on.is_none() && after_ms.is_none() {
        return None;
    }
    let on = on.unwrap_or_else(|| reasons.iter().map(|(_, reason)| *reason).collect());
    Some(Waits {
        after_ms: after_ms.unwrap_or(0),
        on_silence: on.contains(&None),
        on: on.into_iter().flatten().collect(),
    })
}

pub(in crate::rules) fn channel(value: Value<'_>) -> Option<Channel> {
    value.one_of(&Channel::ALL.map(|c| (c.as_str(), c)))
}
