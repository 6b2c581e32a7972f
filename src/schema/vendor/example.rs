//! Describes the examples of a definition.

use crate::schema::vendor::{answered, channel, fields, status};
use crate::schema::{Key, Kind, Needs, Table, Word, reason};

/// A value of an example, which has no slots to fill.
fn value() -> Kind {
    answered()
}

fn text() -> Kind {
    Kind::text("text")
}

fn capped() -> Key {
    Key::new(
        "capped",
        Kind::Flag,
        "Whether it says that a day's worth is sent.",
    )
    .or("false")
}

fn reasons() -> Kind {
    Kind::Words(reason::words())
}

fn unlisted() -> Key {
    let about = "Whether the code or the status is one that nobody listed.";
    Key::new("unlisted", Kind::Flag, about).or("false")
}

pub(super) fn example() -> Table {
    let about = "From the vendor's documentation, with the example credentials: what is asked must give the request, the response \
                 must give the verdict.";
    let example = r#"
[[example]]
name = "a text message"
left = "290s"
request = { url = "https://api.north.example/v1/messages", json = { to = "6591234567", from = "+15005550006", text = "123456 is your code.", ttl = 290 } }
response = { status = 200, json = { id = "m1", status = "queued", parts = 1 } }
verdict = { kind = "accepted", message_id = "m1", parts = 1 }

[[example]]
name = "a number that is none"
response = { status = 400, json = { error = { code = 1001 } } }
verdict = { kind = "rejected", reason = "invalid_number", code = "1001" }
"#;
    Table::new("example", "[[example]]", about)
        .keys(asked())
        .keys([
            Key::new(
                "request",
                Kind::Table(request()),
                "What is sent; only what is given is compared.",
            ),
            Key::new(
                "response",
                Kind::Table(response()),
                "What the vendor answers.",
            ),
            Key::new("verdict", Kind::Table(verdict()), "What that means."),
        ])
        .needs(Needs::Both("response", "verdict"))
        .example(example)
}

fn asked() -> [Key; 13] {
    let left = "What is left of the passcode's life.";
    let says = "What the vendor then fetches, where it has `[voice.script]`.";
    [
        Key::new("name", text(), "What it shows.").required(),
        Key::new("channel", channel(), "The channel.").or("\"sms\""),
        Key::new("to", text(), "The number.").or("\"+6591234567\""),
        Key::new("from", text(), "The sender; empty for none.").or("\"+15005550006\""),
        Key::new("text", text(), "The text.").or("\"123456 is your code.\""),
        Key::new("code", text(), "The passcode.").or("\"123456\""),
        Key::new("callback", text(), "Where receipts are to go."),
        Key::new("script", text(), "What `{script}` is.").or("\"https://otp.example/voice/1\""),
        Key::new("says", text(), says),
        Key::new("left", Kind::duration(0, 900_000), left).or("\"5m\""),
        Key::new("language", text(), "What `{language}` is.").or("\"en-US\""),
        Key::new("parameters", fields(text()), "What `{parameter.NAME}` is."),
        Key::new(
            "ucs2",
            Kind::Flag,
            "Whether the text is beyond the GSM alphabet.",
        )
        .or("false"),
    ]
}

fn request() -> Table {
    Table::new(
        "example_request",
        "`request` of an example",
        "What is compared of the request.",
    )
    .keys([
        Key::new("url", text(), "The whole address."),
        Key::new("headers", fields(text()), "Headers."),
        Key::new(
            "basic",
            text(),
            "`user:password` of `Authorization: Basic`.",
        ),
        Key::new("form", value(), "The form, whole."),
        Key::new("json", value(), "The JSON body, whole."),
    ])
}

fn response() -> Table {
    Table::new(
        "example_response",
        "`response` of an example",
        "The vendor's answer.",
    )
    .keys([
        Key::new("status", status(), "The HTTP status.").required(),
        Key::new("headers", fields(text()), "Headers."),
        Key::new("body", text(), "The body as it is."),
        Key::new(
            "json",
            value(),
            "The body as JSON, where `body` is not given.",
        ),
    ])
}

fn verdict() -> Table {
    let kinds = Kind::words(&[
        ("accepted", "The vendor took it."),
        ("rejected", "The vendor refused it."),
        ("throttled", "No room now; nothing was sent."),
        ("unavailable", "The vendor failed; nothing was sent."),
        ("ambiguous", "It may have been sent."),
    ]);
    let day = Kind::duration(0, 86_400_000);
    Table::new(
        "example_verdict",
        "`verdict` of an example",
        "What the answer means.",
    )
    .keys([
        Key::new("kind", kinds, "The verdict.").required(),
        Key::new("reason", reasons(), "Why."),
        Key::new("message_id", text(), "The vendor's id of the message."),
        Key::new(
            "parts",
            Kind::Whole {
                least: 1,
                most: 1_000,
            },
            "How many parts were sent.",
        ),
        Key::new("code", text(), "The vendor's code, or the HTTP status."),
        Key::new("retry_after", day, "When it may be tried again."),
        capped(),
        unlisted(),
    ])
}

pub(super) fn receipt_example() -> Table {
    let about =
        "From the vendor's documentation; signed with the example credentials before it is read.";
    let example = r#"
[[receipt_example]]
name = "delivered"
json = { id = "m1", status = "delivered" }
news = [{ message_id = "m1", progress = "delivered", code = "delivered" }]
"#;
    let pairs = || fields(text());
    Table::new("receipt_example", "[[receipt_example]]", about)
        .keys([
            Key::new("name", text(), "What it shows.").required(),
            Key::new("channel", channel(), "The channel.").or("\"sms\""),
            Key::new("form", pairs(), "The body, as a form."),
            Key::new("json", value(), "The body, as JSON."),
            Key::new("body", text(), "The body as it is."),
            Key::new("query", pairs(), "The query."),
            Key::new(
                "news",
                Kind::Table(news()).list_of_some(),
                "What it says, one for each message.",
            )
            .required(),
        ])
        .example(example)
}

fn news() -> Table {
    let progress = [
        ("unknown", "Final, and nobody knows."),
        ("intermediate", "Nothing final."),
        ("failed", "It will not arrive."),
        ("delivered", "It arrived."),
    ];
    let progress = progress.map(|(word, about)| Word { word, about });
    Table::new(
        "news",
        "`news` of a receipt",
        "What a receipt says of one message.",
    )
    .keys([
        Key::new(
            "progress",
            Kind::Words(progress.to_vec()),
            "How far it has come.",
        )
        .required(),
        Key::new("message_id", text(), "The vendor's id of the message."),
        Key::new("reference", text(), "Our reference."),
        Key::new("reason", reasons(), "Why it failed."),
        Key::new("code", text(), "The vendor's code or status."),
        capped(),
        unlisted(),
    ])
}
