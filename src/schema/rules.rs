//! Describes `routing-rules/*.toml`.

mod around;
mod chain;
mod rule;
mod sender;

use crate::schema::{Key, Kind, Table};

pub(super) const OPENING: &str = "\
Which vendors carry which message. The files in this directory are read in the order of their names as one set of rules, and
again whenever one is saved: with a mistake in any of them nothing changes, and the log says where it is.
`trunkline check` says the same before you save; `trunkline explain NUMBER` shows what the rules make of a number.

A message meets the guard first, then the rules from top to bottom. The first rule that matches names a chain: vendors in
order of preference. Senders, templates and quotas say from whom, in which words and how many.";

/// Names of countries and groups.
fn countries() -> Kind {
    Kind::offering("country or group", vec!["EU", "EEA", "NANP"]).some()
}

fn channel() -> Kind {
    Kind::plain_words(crate::flow::Channel::ALL.map(crate::flow::Channel::as_str))
}

/// From when and until when something holds.
fn validity() -> [Key; 2] {
    let from = "The first day (UTC), or the moment, from which it holds.";
    let to = "The last day (UTC) on which it holds, or the moment from which it holds no more.";
    [
        Key::new("valid_from", Kind::date_or_time(), from),
        Key::new("valid_to", Kind::date_or_time(), to),
    ]
}

pub(super) fn root() -> Table {
    Table::new(
        "rules",
        "The whole file",
        "Chains, rules, and what stands around them.",
    )
    .keys([
        Key::new(
            "groups",
            Kind::Table(groups()),
            "Names for lists of countries.",
        ),
        Key::new(
            "chains",
            Kind::named("NAME", Kind::Table(chain::chain())),
            "Vendors in order.",
        ),
        Key::new(
            "rule",
            Kind::Tables(rule::rule()),
            "The first that matches decides.",
        ),
        Key::new(
            "sender",
            Kind::Tables(sender::sender()),
            "Who messages come from.",
        ),
        Key::new(
            "registration",
            Kind::Tables(sender::registration()),
            "Where senders must be registered.",
        ),
        Key::new(
            "quota",
            Kind::named("NAME", Kind::Table(sender::quota())),
            "Shared counters.",
        ),
        Key::new(
            "template",
            Kind::Tables(sender::template()),
            "What is said.",
        ),
        Key::new(
            "capacity",
            Kind::Table(around::capacity()),
            "Expected peaks.",
        ),
        Key::new(
            "guard",
            Kind::Table(around::guard()),
            "Who may be sent to, and how often.",
        ),
        Key::new(
            "switches",
            Kind::Table(around::switches()),
            "Vendors that are off.",
        ),
        Key::new(
            "expect",
            Kind::Tables(around::expect()),
            "Examples that must hold.",
        ),
    ])
}

fn groups() -> Table {
    let about =
        "Names for lists of countries. Built in are `EU`, `EEA` and `NANP` (the countries of +1).";
    let example = r#"
[groups]
nordics = ["DK", "FI", "IS", "NO", "SE"]
north = ["nordics", "EE", "LV", "LT"]
"#;
    Table::new("groups", "[groups]", about)
        .others("NAME", countries())
        .example(example)
}
