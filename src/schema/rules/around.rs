//! Describes what stands around the rules: capacity, guard, switches, examples.

use crate::schema::rules::{channel, countries};
use crate::schema::{Key, Kind, Needs, Table};

pub(super) fn capacity() -> Table {
    let about = "The expected peak of each country. `trunkline check` warns where the vendors of a chain could not carry it when \
                 one of them is out.";
    let example = r#"
[capacity]
US = "50/s"
"#;
    Table::new("capacity", "[capacity]", about)
        .others("COUNTRY", Kind::count_per_time("count and time", &["50/s"]))
        .example(example)
}

pub(super) fn guard() -> Table {
    let about = "Asked before the rules: who may be sent to, and how often.";
    let example = r#"
[guard]
allow_countries = ["US", "SG", "IN", "north"]
per_number = "10/10m"
"#;
    let anywhere = Kind::offering("country or group", vec!["*", "EU", "EEA", "NANP"]).some();
    let allow = "The countries that may be sent to; `*` is every country.";
    let limit = Kind::count_per_time("count and time", &["10/10m", "3/h"]);
    let per_number = "So many messages one number gets in any such time: 1 to 1000 in 1 s to 7 d.";
    Table::new("guard", "[guard]", about)
        .keys([
            Key::new("allow_countries", anywhere, allow).or_else("those that rules name"),
            Key::new("per_number", limit, per_number).or("\"10/10m\""),
        ])
        .example(example)
}

pub(super) fn switches() -> Table {
    let about = "Vendors that are off, from the moment the file is saved; messages on their way skip them too. Several files' \
                 switches unite.";
    let example = r#"
[switches]
off = [{ vendor = "south", country = "BR", until = "2026-11-24T09:00:00Z", reason = "INC-4412" }]
"#;
    Table::new("switches", "[switches]", about)
        .keys([Key::new(
            "off",
            Kind::Tables(switch()),
            "Who is off, where, until when and why.",
        )])
        .example(example)
}

fn switch() -> Table {
    let about = "One vendor that is off.";
    Table::new("switch", "An entry of `off`", about).keys([
        Key::new("vendor", Kind::name("name of a vendor"), "Who.").required(),
        Key::new("country", countries(), "Where.").or_else("everywhere"),
        Key::new("until", Kind::time(), "When it is on again by itself.")
            .or_else("when this is removed"),
        Key::new("reason", Kind::name("reason"), "Shown in journal and API.")
            .or("\"switched off\""),
    ])
}

pub(super) fn expect() -> Table {
    let about =
        "An example that must hold, else the files are refused. It says what comes of a message.";
    let example = r#"
[[expect]]
to = "+6581234567"
at = "2026-06-01"
rule = "singapore"
vendors = ["north"]
sender = "ACME"

[[expect]]
to = "+12015550123"
rule = "north america"

[[expect]]
to = "+19002345678"
deny = "number type"

[[expect]]
to = "+4915123456789"
outcome = "blocked"
"#;
    Table::new("expect", "[[expect]]", about)
        .keys(given())
        .keys(comes())
        .needs(Needs::AnyOf(&[
            "rule", "vendors", "sender", "template", "text", "parts", "deny", "outcome",
        ]))
        .example(example)
}

fn given() -> [Key; 9] {
    let locale = "The person's language.";
    [
        Key::new("to", Kind::name("number with `+`"), "The number.").required(),
        Key::new("channel", channel(), "How the code is to be sent.").or("\"sms\""),
        Key::new("org", Kind::text("name of an org"), "The org that asks.").or("\"\""),
        Key::new(
            "request_type",
            Kind::text("type"),
            "What Okta sends it for.",
        )
        .or("\"\""),
        Key::new("locale", Kind::text("language tag"), locale).or("\"\""),
        Key::new("user", Kind::text("Okta's id of a user"), "The person."),
        Key::new("login", Kind::text("login"), "The person's login."),
        Key::new("preview", Kind::Flag, "Whether it is a preview.").or("false"),
        Key::new("at", Kind::date_or_time(), "When it must hold.").or_else("now"),
    ]
}

fn comes() -> [Key; 8] {
    let vendors = "The first vendors of the chain; the members of a weighted position by weight.";
    let outcomes = [
        ("denied", "A rule refuses it."),
        ("blocked", "The guard refuses it."),
    ];
    let parts = "How many parts the text takes.";
    [
        Key::new(
            "rule",
            Kind::name("name of a rule"),
            "The rule that decides.",
        ),
        Key::new("vendors", Kind::name("name of a vendor").some(), vendors),
        Key::new(
            "sender",
            Kind::name("sender"),
            "Who the first vendor's message comes from.",
        ),
        Key::new(
            "template",
            Kind::name("name of a template"),
            "The template that is used.",
        ),
        Key::new("text", Kind::name("text"), "What is said."),
        Key::new(
            "parts",
            Kind::Whole {
                least: 1,
                most: 255,
            },
            parts,
        ),
        Key::new("deny", Kind::name("reason"), "Why a rule refuses it."),
        Key::new(
            "outcome",
            Kind::words(&outcomes),
            "How it ends without a vendor.",
        ),
    ]
}
