//! Describes `[[rule]]` and its conditions.

use crate::number::NumberType;
use crate::schema::rules::{channel, countries, validity};
use crate::schema::{Key, Kind, Needs, Table};

pub(super) fn rule() -> Table {
    let about = "Rules are asked from top to bottom, through all files; the first one whose conditions all hold decides.";
    let example = r#"
[[rule]]
name = "no premium numbers"
when = { number_type = ["premium_rate", "shared_cost"] }
deny = "number type"

[[rule]]
name = "singapore"
when = { country = "SG", channel = "sms" }
chain = "sg-sms"
max_parts = 2
transliterate = true

[[rule]]
name = "north america"
when = { country = "NANP", channel = "sms" }
chain = "us-sms"
valid_from = "2026-01-01"
"#;
    let parts = "Vendors whose text would take more parts leave the chain; with none left the message is denied, reason \
                 `too_many_parts`.";
    let plain = "Typographic quotes, accents and the like become plain characters where that saves a part; the code stays as it is.";
    let deny = "The message is refused for this reason, which is shown in the journal and in the answer to Okta.";
    Table::new("rule", "[[rule]]", about)
        .keys([
            Key::new(
                "name",
                Kind::name("name"),
                "Unique; shown wherever the rule has decided.",
            )
            .required(),
            Key::new("when", Kind::Table(when()), "Its conditions.").or_else("it always matches"),
            Key::new(
                "chain",
                Kind::name("name of a chain"),
                "Who carries the message.",
            ),
            Key::new("deny", Kind::name("reason"), deny),
            Key::new("require", Kind::Table(require()), "What vendors must have."),
            Key::new("max_parts", Kind::Whole { least: 1, most: 10 }, parts),
            Key::new("transliterate", Kind::Flag, plain).or("false"),
        ])
        .keys(validity())
        .needs(Needs::OneOf(&["chain", "deny"]))
        .example(example)
}

fn when() -> Table {
    let about = "The conditions of a rule. All that are given must hold; of a list, any one.";
    let example = r#"
[[rule]]
name = "previews and tests"
when = { preview = true, login = ["*@acme.example"], request_type = "mfa-enrollment" }
chain = "world"
require = { data_region = "eu" }

[[rule]]
name = "everywhere"
chain = "world"
"#;
    let prefix = Kind::form("`+` and digits", r"^\+[0-9]+$", &["+6591"]);
    let login = Kind::form(
        "login, or `*@` and a domain",
        r"^\*?[^*]*$",
        &["ann@acme.example", "*@acme.example"],
    );
    let types = Kind::plain_words(NumberType::ALL.map(NumberType::as_str));
    let request = "What Okta sends it for, such as `mfa-verification`.";
    let number_type =
        "libphonenumber's type. Numbers of +1 are never `mobile`, always `fixed_line_or_mobile`.";
    let locale = "The person's language: `en` stands for `en-US` too.";
    Table::new("when", "`when` of a rule", about)
        .keys([
            Key::new("country", countries(), "Where the number belongs."),
            Key::new(
                "group",
                countries(),
                "The same as `country`, for who prefers to write it.",
            ),
            Key::new("prefix", prefix.some(), "How the number begins."),
            Key::new("number_type", types.some(), number_type),
            Key::new("channel", channel().some(), "How the code is to be sent."),
            Key::new("request_type", Kind::text("type").some(), request),
            Key::new(
                "org",
                Kind::text("name of an org").some(),
                "The Okta org, as `[[org]]` names it.",
            ),
            Key::new("locale", Kind::text("language tag").some(), locale),
            Key::new(
                "region",
                Kind::text("label").some(),
                "The `region` of this instance.",
            ),
            Key::new(
                "user",
                Kind::text("Okta's id of a user").some(),
                "The person.",
            ),
            Key::new("login", login.some(), "The person's login, in any case."),
            Key::new(
                "preview",
                Kind::Flag,
                "Whether it is a preview from Okta's Admin Console.",
            ),
        ])
        .example(example)
}

fn require() -> Table {
    let about = "What vendors must have; the others leave the chain, also when one fails.";
    let region = "The `data_region` of the vendor's account.";
    Table::new("require", "`require` of a rule", about).keys([Key::new(
        "data_region",
        Kind::name("region"),
        region,
    )
    .required()])
}
