//! Describes `[[sender]]`, registers, quotas and templates.

use crate::schema::rules::{channel, countries, validity};
use crate::schema::{Key, Kind, Table};

fn kinds() -> Kind {
    Kind::words(&[
        (
            "alpha",
            "A name of 3 to 11 characters: A-Z a-z 0-9 space & - _ . + with one letter at least. Never used in US, CA, PR.",
        ),
        ("long_code", "A telephone number."),
        ("short_code", "3 to 8 digits."),
        ("toll_free", "A number that is free to call."),
        (
            "10dlc",
            "A telephone number registered for A2P traffic in the US.",
        ),
        (
            "pool",
            "Several numbers, or a vendor's own id for them; each person always has the same one.",
        ),
    ])
}

pub(super) fn sender() -> Table {
    let about = "Who messages come from. A chain's entry may name one; else the most specific one that fits is used, and where \
                 none fits, `from` of the vendor's account.";
    let example = r#"
[[sender]]
name = "sg north"
vendor = "north"
country = "SG"
from = "ACME"
kind = "alpha"
registered = true
valid_from = "2026-01-01"

[[sender]]
name = "sg east"
vendor = "east"
country = "SG"
from = "ACME"
kind = "alpha"
registered = true

[[sender]]
name = "us pool"
vendor = "south"
country = "US"
kind = "pool"
from = ["+12015550111", "+12015550112"]
quota = "acme-10dlc"
"#;
    let from = "What is shown as the sender; for a pool its members.";
    let registered = "Whether it stands in the register of its countries.";
    Table::new("sender", "[[sender]]", about)
        .keys([
            Key::new("name", Kind::name("name"), "Unique; chains use it."),
            Key::new(
                "vendor",
                Kind::name("name of a vendor"),
                "Whose sender it is.",
            )
            .or_else("every vendor's"),
            Key::new("country", countries(), "Where it is used.").or_else("everywhere"),
            Key::new("channel", channel(), "On which channel.")
                .or_else("on both, as far as its kind allows"),
            Key::new(
                "org",
                Kind::name("name of an org").some(),
                "For which orgs.",
            )
            .or_else("for all"),
            Key::new("from", Kind::name("sender").some(), from).required(),
            Key::new("kind", kinds(), "What it is.").or_else("what it looks like"),
            Key::new("registered", Kind::Flag, registered).or("false"),
            Key::new(
                "quota",
                Kind::name("name of a quota"),
                "The counter that its messages count in.",
            ),
        ])
        .keys(validity())
        .example(example)
}

pub(super) fn registration() -> Table {
    let about = "Where senders must be registered: a vendor without a registered sender that is valid there leaves the chain.";
    let example = r#"
[[registration]]
country = ["SG"]
required = true
kind = "alpha"                   # numbers need no registration there
"#;
    let required = "Whether unregistered senders may not be used.";
    Table::new("registration", "[[registration]]", about)
        .keys([
            Key::new("country", countries(), "Where the register is.").required(),
            Key::new("required", Kind::Flag, required).or("true"),
            Key::new(
                "kind",
                kinds().some(),
                "Only these kinds must be registered.",
            )
            .or_else("all of them"),
        ])
        .keys(validity())
        .example(example)
}

pub(super) fn quota() -> Table {
    let about = "One counter for all senders and vendors that name it. A full quota leaves its members out until it is reset.";
    let example = r#"
[quota.acme-10dlc]
limit = "40000/day"
resets = "00:00 America/Los_Angeles"
"#;
    let limit = Kind::count_per_time("count and time", &["40000/day", "100/h"]);
    let resets = Kind::form(
        "time of day and zone",
        r"^\s*[0-9]{1,2}:[0-9]{2}(\s+[A-Za-z][A-Za-z0-9_+/-]*)?\s*$",
        &["00:00 America/Los_Angeles"],
    );
    let units = [
        ("parts", "Each part of a long text counts."),
        ("messages", "A text counts once."),
    ];
    Table::new("quota", "[quota.NAME]", about)
        .keys([
            Key::new("limit", limit, "How much in which time.").required(),
            Key::new("resets", resets, "When the day begins; only with `/day`.")
                .or("\"00:00 UTC\""),
            Key::new("unit", Kind::words(&units), "What is counted.").or("\"parts\""),
        ])
        .example(example)
}

pub(super) fn template() -> Table {
    let about = "What is said instead of Okta's own text. The most specific one that fits is used.";
    let example = r#"
[[template]]
name = "india"
country = "IN"
locale = ["en"]
text = "{code} is your {org} code. It is good for {minutes} minutes."
parameters = { entity_id = "1101000000000000001", template_id = "1107000000000000001" }

[[template]]
name = "web"
org = "acme"
country = "SG"
text = "{code} is your {org} code."
webotp = "login.acme.example"

[[template]]
name = "german calls"
channel = "voice"
locale = "de"
text = "Ihr Code ist {code}. Noch einmal: {code}."
language = "de-DE"
"#;
    Table::new("template", "[[template]]", about)
        .keys(fits())
        .keys(validity())
        .keys(says())
        .example(example)
}

fn fits() -> [Key; 7] {
    let locale = "The person's language: `en` stands for `en-US` too.";
    let request = "What Okta sends it for, such as `mfa-verification`.";
    [
        Key::new("name", Kind::name("name"), "Shown wherever it was used."),
        Key::new("country", countries(), "Where it is used.").or_else("everywhere"),
        Key::new("locale", Kind::text("language tag").some(), locale).or_else("all"),
        Key::new(
            "org",
            Kind::name("name of an org").some(),
            "For which orgs.",
        )
        .or_else("all"),
        Key::new("request_type", Kind::text("type").some(), request).or_else("all"),
        Key::new(
            "vendor",
            Kind::name("name of a vendor").some(),
            "With which vendors.",
        )
        .or_else("all"),
        Key::new("channel", channel(), "On which channel.").or("\"sms\""),
    ]
}

fn says() -> [Key; 4] {
    let text = Kind::form(
        "text with `{code}`",
        r"\{code\}",
        &["{code} is your {org} code."],
    );
    let text_about = "What is said. `{code}` must be in it (a call speaks it digit by digit); `{org}` is the org's `display_name`, \
                      `{minutes}` what is left of the code's life; `{{` and `}}` are braces.";
    let language_about = "The language in which a call is read. Only for `voice`.";
    let parameters = Kind::named("NAME", Kind::text("text"));
    let parameters_about = "What the vendor is told beside the text, such as `entity_id` and `template_id` of India's register; \
                            vendor definitions use them as `{parameter.NAME}`.";
    let label = "[A-Za-z0-9-]+";
    let host = Kind::form(
        "host",
        format!(r"^{label}(\.{label})+$"),
        &["login.acme.example"],
    );
    let host_about = "The host of the page that asks for the code: adds the line `@host #code`, with which browsers fill it in. \
                      Only for `sms`.";
    [
        Key::new("text", text, text_about).required(),
        Key::new("language", Kind::language(&["de-DE"]), language_about)
            .or_else("from the person's locale"),
        Key::new("parameters", parameters, parameters_about),
        Key::new("webotp", host, host_about),
    ]
}
