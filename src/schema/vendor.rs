//! Describes `vendors/*.toml`.

mod envelope;
mod example;
mod operation;
mod receipts;
mod script;

use crate::schema::{Form, Key, Kind, Needs, Table, reason};

pub(super) const OPENING: &str = "\
Every key of a definition. `README.md` teaches the language; this page is for looking things up. A definition is one file,
named after its vendor; `trunkline check` and `cargo test` run the examples in it.";

/// The slots of what is sent to a vendor.
const REQUEST: &str = "to|from|text|code|reference|callback|script|validity|expires|now|encoding|language\
                       |credential\\.[^{}|?]+|parameter\\.[^{}|?]+";
/// The slots of a request's headers, which are written after its body.
const HEADER: &str = "to|from|text|code|reference|callback|validity|expires|now|encoding|language|nonce|body\
                      |credential\\.[^{}|?]+|parameter\\.[^{}|?]+";
/// The slots of what a signature is made of.
const SIGNED: &str =
    "method|host|path|content_type|body|header\\.[!#$%&'*+.^_`~0-9A-Za-z-]+|credential\\.[^{}|?]+";
/// The slots of what the simulator answers.
const ANSWER: &str = "id|error|to|reference|now";
/// The slots of what the simulator reports.
const REPORT: &str = "id|status|error|to|reference|now";
/// The slots of our reply to a handshake.
const REPLY: &str = "token";

/// A text with slots.
fn slotted(what: &'static str, slots: &str, examples: &[&'static str]) -> Form {
    let any = "digits|xml|unmarked|number|decimal|uuid|only:[^{}]+|except:[^{}]+";
    let chosen = "only:[^{}]+|except:[^{}]+";
    // Some slots have filters of their own.
    let own = |slot: &str| match slot {
        "now" | "expires" => format!("{slot}\\??(\\|(http_date|unix|{chosen})?)?"),
        "body" => format!("{slot}\\??(\\|(sha256|md5|{chosen})?)?"),
        "language" => format!("{slot}\\??(\\|({any}|primary)?)?"),
        other => format!("{other}\\??(\\|({any})?)?"),
    };
    let slots: Vec<String> = slots.split('|').fold(Vec::new(), |mut slots, part| {
        // A bar inside of brackets is not one between slots.
        match slots.last_mut() {
            Some(last) if last.matches('[').count() > last.matches(']').count() => {
                last.push('|');
                last.push_str(part);
            }
            Some(_) | None => slots.push(part.to_owned()),
        }
        slots
    });
    let slots: Vec<String> = slots.iter().map(|slot| own(slot)).collect();
    let slots = slots.join("|");
    Form::new(what, format!(r"^([^{{]|\{{({slots})\}})*$"), examples)
}

fn template(example: &'static str) -> Kind {
    Kind::Form(slotted("text with slots", REQUEST, &[example]))
}

/// A text in a header of a request.
fn header_template() -> Kind {
    let examples = ["{credential.NAME}", "{now|http_date}", "{body|sha256}"];
    Kind::Form(slotted("text with slots", HEADER, &examples))
}

/// What a signature is made of.
fn signed_template(example: &'static str) -> Kind {
    Kind::Form(slotted("text that is signed", SIGNED, &[example]))
}

/// The header that a signature is put into.
fn signature_template() -> Kind {
    let slots = r"signature|credential\.[^{}|?]+";
    let examples = ["{signature}", "KEY {credential.NAME}:{signature}"];
    Kind::Form(slotted("text with the signature", slots, &examples))
}

/// A text of credentials, which nothing else may be in.
fn credential_text() -> Kind {
    let slots = r"credential\.[^{}|?]+";
    Kind::Form(slotted(
        "text with credentials",
        slots,
        &["{credential.NAME}"],
    ))
}

/// A regular expression.
fn regular(what: &'static str, example: &'static str) -> Kind {
    Kind::form(what, r"\(", &[example])
}

/// Where a code or a status is: a pointer, or pointers and a pattern.
fn picks() -> Kind {
    let pattern = "What of the text is meant: the first group.";
    let table = Table::new(
        "pick",
        "`code`, `status`: a place",
        "Several pointers are read together, with `:` between; a pattern takes a part of the text.",
    )
    .keys([
        Key::new("at", pointer().some(), "One pointer or several.").required(),
        Key::new(
            "pattern",
            regular("pattern with a group", "#([a-z-]+)$"),
            pattern,
        ),
    ]);
    Kind::Any(vec![pointer(), Kind::Table(table)]).some_or_none()
}

/// A value that is sent to the vendor.
fn sent() -> Kind {
    Kind::Tree {
        id: "sent",
        text: slotted(
            "text with slots",
            REQUEST,
            &[
                "{to}",
                "{from?}",
                "{validity|number}",
                "{language}",
                "{language|primary}",
                "{text|unmarked}",
                "{parameter.NAME?}",
            ],
        ),
    }
}

/// A value that the simulator answers.
fn answered() -> Kind {
    Kind::Tree {
        id: "answered",
        text: slotted("text with slots", ANSWER, &["{id}", "{error|number}"]),
    }
}

/// A text that the simulator answers.
fn answered_text() -> Kind {
    Kind::Form(slotted("text with slots", ANSWER, &["OK {id}"]))
}

/// A value that the simulator reports.
fn reported() -> Kind {
    Kind::Tree {
        id: "reported",
        text: slotted(
            "text with slots",
            REPORT,
            &[
                "{id}",
                "{status}",
                "{error?}",
                "{to}",
                "{reference}",
                "{now|unix}",
            ],
        ),
    }
}

/// A value of our reply to a handshake.
fn replied() -> Kind {
    Kind::Tree {
        id: "replied",
        text: slotted("text with slots", REPLY, &["{token}"]),
    }
}

/// Fields of a form, a query or a JSON object.
fn fields(of: Kind) -> Kind {
    Kind::named("NAME", of)
}

fn header() -> Kind {
    Kind::form(
        "name of a header",
        "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        &["x-request-id"],
    )
}

fn status() -> Kind {
    Kind::Whole {
        least: 100,
        most: 599,
    }
}

/// HTTP statuses that have one meaning.
fn statuses() -> Kind {
    let range = Kind::form("range", "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$", &["500-599"]);
    Kind::Any(vec![status(), range])
}

fn pointer() -> Kind {
    Kind::form("JSON pointer", "^/", &["/messages/0/id"])
}

/// A value that is compared with an answer's.
fn plain() -> Kind {
    Kind::Plain
}

fn channel() -> Kind {
    Kind::plain_words(crate::flow::Channel::ALL.map(crate::flow::Channel::as_str))
}

fn reasons() -> Table {
    let about = "What the vendor's codes mean: numbers, texts, and ranges such as `\"4106-4158\"`. A code has one \
                 reason: no range overlaps what another reason has. One that is nowhere in it is judged by the HTTP status, and counted.";
    reasons_called("reasons", "`reasons`: what codes mean", about, &plain())
}

fn reasons_called(
    id: &'static str,
    heading: &'static str,
    about: &'static str,
    codes: &Kind,
) -> Table {
    let keys = reason::words().into_iter();
    let keys = keys.map(|word| Key::new(word.word, codes.clone().list(), word.about));
    Table::new(id, heading, about).keys(keys)
}

/// What codes mean, in answers and in receipts.
fn coded() -> [Key; 3] {
    let code = "Where the code is; of several, the first that is there and listed.";
    let cap = "Codes that say that a day's worth is sent. The sender's `quota` is full then until it is reset; a sender without \
               one rests at this vendor until 00:00 UTC. They count as `rate` where `reasons` does not list them.";
    [
        Key::new("code", picks(), code),
        Key::new("reasons", Kind::Table(reasons()), "What codes mean."),
        Key::new("daily_cap", plain().list(), cap),
    ]
}

pub(super) fn root() -> Table {
    let reply = "The status that the vendor wants for its receipts.";
    let base_url = "Where the vendor is. Left out where every account has an address of its own.";
    Table::new("definition", "At the top", "Who the vendor is.")
        .keys([
            Key::new("name", Kind::text("name"), "For people."),
            Key::new("documentation", Kind::text("address"), "The vendor's own."),
            Key::new("base_url", credential_text(), base_url),
            Key::new("regions", regions(), REGIONS),
            Key::new(
                "receipt_reply",
                Kind::Whole {
                    least: 200,
                    most: 299,
                },
                reply,
            )
            .or("200"),
            Key::new(
                "credentials",
                Kind::Table(credentials()),
                "What an account must have.",
            ),
            Key::new(
                "sms",
                operation::or_nothing(operation::operation()),
                "How a text is sent.",
            ),
            Key::new(
                "voice",
                operation::or_nothing(script::call()),
                "How a call is made.",
            ),
            Key::new(
                "example",
                Kind::Tables(example::example()),
                "Requests and answers.",
            ),
            Key::new(
                "receipt_example",
                Kind::Tables(example::receipt_example()),
                "Receipts.",
            ),
        ])
        .needs(Needs::AnyOf(&["sms", "voice"]))
        .example(
            r#"
name = "North"
documentation = "https://north.example/docs"
base_url = "https://api.north.example"
"#,
        )
}

const REGIONS: &str = "Regional addresses, of which an account takes one by `region`.";

fn regions() -> Kind {
    Kind::named("REGION", credential_text())
}

fn credentials() -> Table {
    let about = "What an account of this vendor must have.";
    let example = r#"
[credentials]
api_key = { example = "k1" }
application = { optional = true, example = "a1" }   # only the channel that uses it needs it
"#;
    Table::new("credentials", "[credentials]", about)
        .others("NAME", Kind::Table(credential()))
        .example(example)
}

fn credential() -> Table {
    let optional = "Whether only what uses it needs it.";
    let example = "What the sandbox and the examples have in its place; opens nothing anywhere.";
    Table::new(
        "credential",
        "A credential",
        "One thing that an account has.",
    )
    .keys([
        Key::new("optional", Kind::Flag, optional).or("false"),
        Key::new("example", Kind::text("text"), example).required(),
    ])
}
