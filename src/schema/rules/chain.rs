//! Describes `[chains]`.

use crate::schema::rules::channel;
use crate::schema::{Key, Kind, Table, Word, reason};

pub(super) fn chain() -> Table {
    let about = "Vendors in order of preference, and the pace at which they are tried.";
    let example = r#"
[chains.us-sms]
vendors = [
  [ { vendor = "north", weight = 70 }, { vendor = "south", weight = 30 } ],   # one weighted position
  "east",
  { vendor = "east", channel = "voice", after = "35s", on = ["silence", "unreachable", "not_mobile"] },
]
patience = "p95"
on_silence = "failover"

[chains.sg-sms]
vendors = ["north", { vendor = "east", sender = "sg east" }]

[chains.world]
vendors = [{ vendor = "east", cost = 0.8 }, { vendor = "north", cost = 1.0 }]
strategy = "hedge"
order = "adaptive"
"#;
    Table::new("chain", "[chains.NAME]", about)
        .keys(who())
        .keys(pace())
        .keys(afterwards())
        .example(example)
}

fn who() -> [Key; 4] {
    let position = Kind::Any(vec![
        Kind::name("name of a vendor"),
        Kind::Table(entry()),
        Kind::Table(weighted()).list(),
    ]);
    let vendors = "Who is tried, in this order. A list in the list is one weighted position: one of its members is chosen for \
                   each message, and the others come next.";
    let sticky = "What a weighted choice depends on.";
    let order = "Whether the positions stay as written.";
    let width = "How many positions start at once, with `strategy = \"race\"`.";
    let sticks = [
        ("delivery", "Every message chooses anew."),
        ("recipient", "One person always has the same choice."),
    ];
    let orders = [
        ("fixed", "They do."),
        (
            "adaptive",
            "It is learned for each country who delivers best, and what it costs.",
        ),
    ];
    [
        Key::new("vendors", position.list(), vendors).required(),
        Key::new("order", Kind::words(&orders), order).or("\"fixed\""),
        Key::new("sticky", Kind::words(&sticks), sticky).or("\"delivery\""),
        Key::new("race_width", Kind::Whole { least: 1, most: 10 }, width).or("2"),
    ]
}

fn pace() -> [Key; 4] {
    let learned = [(
        "p95",
        "Learned for each vendor and country: what 95 of 100 answers take.",
    )];
    let patience = "So long may a vendor be silent before the next one starts too; the silent one is still listened to.";
    let strategies = [
        (
            "cascade",
            "The next vendor starts when one fails or `patience` is over.",
        ),
        ("hedge", "The same, with a learned patience."),
        ("race", "Several start at once."),
    ];
    let sends =
        "Calls to vendors that may have reached the telephone, in the whole life of the passcode.";
    let give_up =
        "No vendor is asked later than this after Okta's call, nor after the passcode has expired.";
    [
        Key::new(
            "strategy",
            Kind::words(&strategies),
            "When the next vendor starts.",
        )
        .or("\"cascade\""),
        Key::new(
            "patience",
            Kind::Any(vec![Kind::words(&learned), Kind::duration(1, 60_000)]),
            patience,
        )
        .or("\"600ms\""),
        Key::new("max_sends", Kind::Whole { least: 1, most: 10 }, sends).or("3"),
        Key::new("give_up_after", Kind::duration(1_000, 900_000), give_up).or("\"120s\""),
    ]
}

fn afterwards() -> [Key; 3] {
    let actions =
        |failover| Kind::words(&[("failover", failover), ("stop", "Nothing more is sent.")]);
    let failed = "What happens when a vendor reports that it could not deliver.";
    let silent = "What happens when a report was due and did not come.";
    let after = "A report is due so long after acceptance at the latest; sooner where the vendor is known to be quicker.";
    [
        Key::new("on_failed_receipt", actions("The next vendor is asked."), failed).or("\"failover\""),
        Key::new(
            "on_silence",
            actions("The next vendor is asked, unless nothing comes from that vendor at all or reports prove nothing there."),
            silent,
        )
        .or("\"stop\""),
        Key::new("silence_after", Kind::duration(1_000, 900_000), after).or("\"20s\""),
    ]
}

fn entry() -> Table {
    let about = "A vendor of a chain with more than its name. With `after` or `on` it waits for a reason to act.";
    let weight = "Has no effect outside a list in the list.";
    Table::new("entry", "An entry of `vendors`", about)
        .keys(entry_keys())
        .keys([Key::new("weight", weight_kind(), weight)])
}

fn weighted() -> Table {
    let about = "A member of a weighted position: a list in the list.";
    let weight = "Its share, relative to the other members' weights.";
    Table::new("weighted", "A weighted entry", about)
        .keys(entry_keys())
        .keys([Key::new("weight", weight_kind(), weight).required()])
}

fn weight_kind() -> Kind {
    Kind::Whole {
        least: 1,
        most: 1_000,
    }
}

fn entry_keys() -> [Key; 6] {
    let silence = Word {
        word: "silence",
        about: "A report was due and did not come.",
    };
    let reasons = std::iter::once(silence).chain(reason::words()).collect();
    let cost = "What one message costs, in any unit that all entries share; counts with `order = \"adaptive\"`.";
    let millions = Kind::Number {
        least: 0.0,
        most: 1_000_000.0,
    };
    [
        Key::new(
            "vendor",
            Kind::name("name of a vendor"),
            "An account in `trunkline.toml`.",
        )
        .required(),
        Key::new(
            "sender",
            Kind::name("name of a sender"),
            "Who the message comes from.",
        )
        .or_else("the most specific `[[sender]]` that fits"),
        Key::new(
            "channel",
            channel(),
            "Another channel than the message's own.",
        )
        .or_else("the message's"),
        Key::new("cost", millions, cost),
        Key::new(
            "on",
            Kind::Words(reasons).some(),
            "It acts only for these reasons.",
        )
        .or_else("with `after`, every reason"),
        Key::new(
            "after",
            Kind::duration(0, 900_000),
            "It acts no earlier than this after Okta's call.",
        )
        .or_else("with `on`, at once"),
    ]
}
