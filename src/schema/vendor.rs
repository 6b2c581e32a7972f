//! Describes `vendors/*.toml`.

mod envelope;
mod example;
mod operation;
mod receipts;

use crate::schema::{Form, Key, Kind, Needs, Table, reason};

pub(super) const OPENING: &str = "\
Every key of a definition. `README.md` teaches the language; this page is for looking things up. A definition is one file,
named after its vendor; `trunkline check` and `cargo test` run the examples in it.";

/// The slots of what is sent to a vendor.
const REQUEST: &str = "to|from|text|code|reference|callback|validity|encoding|language|language\\??\\|primary\
                       |credential\\.[^{}|?]+|parameter\\.[^{}|?]+";
/// The slots of what the simulator answers.
const ANSWER: &str = "id|error";
/// The slots of what the simulator reports.
const REPORT: &str = "id|status|error|to|reference";
/// The slots of our reply to a handshake.
const REPLY: &str = "token";

/// A text with slots.
fn slotted(what: &'static str, slots: &str, examples: &[&'static str]) -> Form {
    let filters = "digits|xml|unmarked|number";
    let slot = format!(r"({slots})\??(\|({filters})?)?");
    Form::new(what, format!(r"^([^{{]|\{{{slot}\}})*$"), examples)
}

fn template(example: &'static str) -> Kind {
    Kind::Form(slotted("text with slots", REQUEST, &[example]))
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

/// A value that the simulator reports.
fn reported() -> Kind {
    Kind::Tree {
        id: "reported",
        text: slotted(
            "text with slots",
            REPORT,
            &["{id}", "{status}", "{error?}", "{to}", "{reference}"],
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
    let about = "What the vendor's codes mean: numbers, texts, and ranges such as `\"4106-4158\"`. A code that is nowhere in it is \
                 judged by the HTTP status.";
    let keys = reason::words().into_iter();
    let keys = keys.map(|word| Key::new(word.word, plain().list(), word.about));
    Table::new("reasons", "`reasons`: what codes mean", about).keys(keys)
}

/// What codes mean, in answers and in receipts.
fn coded() -> [Key; 3] {
    let code = "Where the code is; of several, the first that is there and listed.";
    let cap = "Codes that say that a day's worth is sent. The sender's `quota` is full then until it is reset; a sender without \
               one rests at this vendor until 00:00 UTC. They count as `rate` where `reasons` does not list them.";
    [
        Key::new("code", pointer().some_or_none(), code),
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
            Key::new("base_url", Kind::text("address"), base_url),
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
                Kind::Table(operation::operation()),
                "How a text is sent.",
            ),
            Key::new(
                "voice",
                Kind::Table(operation::operation()),
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
