//! Describes `[sms]` of a definition, and what `[voice]` has in common with it: a request, and how its answer is read.

use crate::schema::vendor::receipts::receipts;
use crate::schema::vendor::{
    answered, coded, fields, header, plain, pointer, sent, status, template,
};
use crate::schema::{Key, Kind, Table};

pub(super) fn operation() -> Table {
    let about = "One request for each channel. Its texts have slots: `{to}` (with `+`), `{from}`, `{text}`, `{code}`, `{reference}`, \
                 `{callback}`, `{validity}`, `{encoding}`, `{language}`, `{parameter.NAME}`, `{credential.NAME}`. With `?`, as in \
                 `{from?}`, the whole field is left out where there is no value. Filters: `|digits` drops the `+`, `|xml` escapes, `|unmarked` drops `<` and `>`, \
                 `|number` writes a JSON number, `|primary` makes `en` of `en-US`.";
    let example = r#"
[sms]
path = "/v1/messages"
auth = { scheme = "header", value = "Bearer {credential.api_key}" }
json = { to = "{to|digits}", from = "{from?}", text = "{text}", ttl = "{validity|number}", hook = "{callback?}" }
validity = { unit = "s", least = 20, most = 86400 }
"#;
    Table::new("operation", "[sms]", about)
        .keys(keys())
        .example(example)
}

/// The keys of both channels.
pub(super) fn keys() -> Vec<Key> {
    let all = request().into_iter().chain(stated()).chain(answer());
    all.collect()
}

fn request() -> [Key; 8] {
    let methods = Kind::plain_words(["POST", "GET", "PUT"]);
    let base_url = "Where it differs from the one at the top.";
    [
        Key::new("base_url", Kind::text("address"), base_url),
        Key::new("method", methods, "The method.").or("\"POST\""),
        Key::new(
            "path",
            template("/v1/{to|digits}"),
            "The path behind `base_url`.",
        )
        .required(),
        Key::new("query", fields(sent()), "The query."),
        Key::new("headers", fields(template("{credential.NAME}")), "Headers."),
        Key::new("auth", Kind::Any(auths()), "How the request proves itself.").required(),
        Key::new(
            "form",
            fields(sent()),
            "The body, as a form. Not together with `json`.",
        ),
        Key::new("json", fields(sent()), "The body, as JSON."),
    ]
}

fn stated() -> [Key; 3] {
    let languages =
        "The vendor's own words for languages, by their tag; others are as `{language}` has them.";
    [
        Key::new("validity", Kind::Table(validity()), "What `{validity}` is."),
        Key::new("encoding", Kind::Table(encoding()), "What `{encoding}` is."),
        Key::new("languages", fields(Kind::text("text")), languages),
    ]
}

fn answer() -> [Key; 4] {
    [
        Key::new(
            "accepted",
            Kind::Table(accepted()),
            "When the answer is a yes.",
        )
        .required(),
        Key::new(
            "refused",
            Kind::Table(refused()),
            "How other answers are read.",
        ),
        Key::new("receipts", Kind::Table(receipts()), "What comes later."),
        Key::new(
            "sandbox",
            Kind::Table(sandbox()),
            "What the simulator answers.",
        )
        .required(),
    ]
}

fn scheme(word: &'static str, about: &'static str) -> Key {
    Key::new("scheme", Kind::words(&[(word, about)]), about).required()
}

fn auths() -> Vec<Kind> {
    let basic = [
        scheme("basic", "`Authorization: Basic`."),
        Key::new("user", template("{credential.NAME}"), "The user.").required(),
        Key::new("password", template("{credential.NAME}"), "The password.").required(),
    ];
    let fixed = [
        scheme("header", "A header."),
        Key::new("name", header(), "Its name.").or("\"Authorization\""),
        Key::new("value", template("{credential.NAME}"), "Its value.").required(),
    ];
    let life = "How long a token lives.";
    let token = [
        scheme(
            "jwt_rs256",
            "A token signed with the account's RSA key, with `iat`, `exp` and `jti`.",
        ),
        Key::new(
            "key",
            template("{credential.NAME}"),
            "The private key, PEM.",
        )
        .required(),
        Key::new("claims", fields(sent()), "Further claims."),
        Key::new("life", Kind::duration(60_000, 86_400_000), life).or("\"15m\""),
    ];
    let inside = [scheme(
        "in_request",
        "The credentials are among the fields.",
    )];
    let table = |id, heading, about| Table::new(id, heading, about);
    [
        table(
            "auth_header",
            "`auth`: a header",
            "A header with a credential.",
        )
        .keys(fixed),
        table(
            "auth_basic",
            "`auth`: user and password",
            "`Authorization: Basic`.",
        )
        .keys(basic),
        table(
            "auth_jwt_rs256",
            "`auth`: a signed token",
            "`Authorization: Bearer` with a token.",
        )
        .keys(token),
        table(
            "auth_in_request",
            "`auth`: in the request",
            "Nothing beside the fields.",
        )
        .keys(inside),
    ]
    .map(Kind::Table)
    .to_vec()
}

fn validity() -> Table {
    let about = "What is left of the passcode's life, in the vendor's unit and range.";
    let units = Kind::plain_words(["ms", "s", "min"]);
    let any = |least| Kind::Whole {
        least,
        most: i64::MAX,
    };
    Table::new("validity", "`validity` of a request", about).keys([
        Key::new("unit", units, "The unit.").required(),
        Key::new("least", any(0), "The least that the vendor takes.").or("1"),
        Key::new("most", any(1), "The most that it takes.").required(),
    ])
}

fn encoding() -> Table {
    Table::new(
        "encoding",
        "`encoding` of a request",
        "The vendor's words for encodings.",
    )
    .keys([
        Key::new("gsm7", Kind::text("text"), "For texts in the GSM alphabet.").required(),
        Key::new("ucs2", Kind::text("text"), "For all others.").required(),
    ])
}

fn accepted() -> Table {
    let about = "The answer is a yes when all of this holds. A yes that cannot be read is ambiguous: it may have been sent.";
    let example = r#"
[sms.accepted]
status = [200]
when = { "/status" = ["queued", "sent"] }
message_id = "/id"
parts = "/parts"
"#;
    let when = "JSON pointers (`*` is every element) and the values that mean yes.";
    let parts = "How many parts were sent: a number, or an array whose length is meant.";
    Table::new("accepted", "[sms.accepted]", about)
        .keys([
            Key::new(
                "status",
                status().list(),
                "The HTTP statuses that mean yes.",
            )
            .required(),
            Key::new("when", Kind::named("POINTER", plain().list()), when),
            Key::new("message_id", pointer(), "The vendor's id of the message."),
            Key::new("parts", pointer(), parts),
        ])
        .example(example)
}

fn refused() -> Table {
    let about = "How a no is read. Texts of errors are never kept: they echo numbers.";
    let example = r#"
[sms.refused]
code = "/error/code"
retry_after = "x-ratelimit-reset"

[sms.refused.reasons]
invalid_number = [1001]
opted_out = [1002]
sender = ["1101-1109"]
rate = [1429]
"#;
    let after = "Headers that say in seconds when to come again, beside `Retry-After`.";
    Table::new("refused", "[sms.refused]", about)
        .keys(coded())
        .keys([Key::new("retry_after", header().some_or_none(), after)])
        .example(example)
}

fn sandbox() -> Table {
    let about = "What the simulator answers, by how it is told to behave.";
    let example = r#"
[sms.sandbox]
default_error = 1001
accept = { status = 200, json = { id = "{id}", status = "queued", parts = 1 } }
reject = { status = 400, json = { error = { code = "{error|number}" } } }
"#;
    let simulated = || Kind::Table(simulated());
    Table::new("sandbox", "[sms.sandbox]", about)
        .keys([
            Key::new(
                "default_error",
                plain(),
                "The code of a `reject` that names none.",
            )
            .required(),
            Key::new("accept", simulated(), "A yes.").or_else("status 200"),
            Key::new("reject", simulated(), "A no.").or_else("status 400"),
            Key::new("throttle", simulated(), "Too much at once.").or_else("status 429"),
            Key::new("error", simulated(), "A failure.").or_else("status 500"),
        ])
        .example(example)
}

fn simulated() -> Table {
    let about = "One answer of the simulator. Its texts have the slots `{id}` and `{error}`.";
    Table::new("simulated", "A simulated answer", about).keys([
        Key::new("status", status(), "The HTTP status.").required(),
        Key::new("headers", fields(Kind::text("text")), "Headers."),
        Key::new("json", answered(), "The body.").or_else("no body"),
    ])
}
