//! Describes `[sms]` of a definition, and what `[voice]` has in common with it: a request, and how its answer is read.

use crate::schema::vendor::receipts::receipts;
use crate::schema::vendor::{
    REGIONS, answered, answered_text, coded, credential_text, fields, header, header_template,
    plain, pointer, reasons_called, regions, regular, sent, signature_template, signed_template,
    status, statuses, template,
};
use crate::schema::{Form, Key, Kind, Table};

/// A request, or nothing at all.
pub(super) fn or_nothing(request: Table) -> Kind {
    let word = [(
        "nothing",
        "The message goes to nobody and counts as accepted.",
    )];
    let nothing = Table::new(
        "nothing",
        "[sms], [voice] that send nothing",
        "For tests and previews.",
    )
    .keys([Key::new("sends", Kind::words(&word), "What is sent.").required()]);
    Kind::Any(vec![Kind::Table(request), Kind::Table(nothing)])
}

pub(super) fn operation() -> Table {
    let about = "One request for each channel. Its texts have slots: `{to}` (with `+`), `{from}`, `{text}`, `{code}`, `{reference}`, \
                 `{callback}`, `{validity}`, `{expires}`, `{now}`, `{encoding}`, `{language}`, `{parameter.NAME}`, `{credential.NAME}`. With `?`, as in \
                 `{from?}`, the whole field is left out where there is no value. Filters: `|digits` drops the `+`, `|xml` escapes, `|unmarked` drops `<` and `>`, \
                 `|number` writes a JSON number, `|uuid` makes a UUID of any text, `|only:MG` and `|except:MG` leave the field out by how the value begins, \
                 `|primary` makes `en` of `en-US`, `|http_date` and `|unix` write a time in another way.";
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

fn request() -> [Key; 9] {
    let methods = Kind::plain_words(["POST", "GET", "PUT"]);
    let base_url = "Where it differs from the one at the top.";
    [
        Key::new("base_url", credential_text(), base_url),
        Key::new("regions", regions(), REGIONS),
        Key::new("method", methods, "The method.").or("\"POST\""),
        Key::new(
            "path",
            template("/v1/{to|digits}"),
            "The path behind `base_url`; no slot of it has a `?`.",
        )
        .required(),
        Key::new("query", fields(sent()), "The query."),
        Key::new(
            "headers",
            fields(header_template()),
            "Headers; `{nonce}` and `{body|sha256}` too.",
        ),
        Key::new("auth", Kind::Any(auths()), "How the request proves itself.").required(),
        Key::new(
            "form",
            fields(sent()),
            "The body, as a form. Not together with `json`.",
        ),
        Key::new("json", fields(sent()), "The body, as JSON."),
    ]
}

fn stated() -> [Key; 4] {
    let known = "The field of the request by which the vendor knows one that it has had before.";
    let languages = "The vendor's own words for languages, by their tag; others are as `{language}` has them. `\"*\"` is for all that it does not speak.";
    [
        Key::new("validity", Kind::Table(validity()), "What `{validity}` is."),
        Key::new("encoding", Kind::Table(encoding()), "What `{encoding}` is."),
        Key::new("idempotency", Kind::text("field"), known),
        Key::new("languages", fields(Kind::text("text")), languages),
    ]
}

fn answer() -> [Key; 5] {
    let pattern = "The answer is a text: its named groups are read as one flat object.";
    let example = r"^(?<code>\d+)\|(?<id>\S+)$";
    [
        Key::new(
            "answer_pattern",
            regular("pattern with named groups", example),
            pattern,
        ),
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
    [
        Table::new(
            "auth_header",
            "`auth`: a header",
            "A header with a credential.",
        )
        .keys([
            scheme("header", "A header."),
            Key::new("name", header_of_account(), "Its name.").or("\"Authorization\""),
            Key::new("value", template("{credential.NAME}"), "Its value.").required(),
        ]),
        Table::new(
            "auth_basic",
            "`auth`: user and password",
            "`Authorization: Basic`.",
        )
        .keys([
            scheme("basic", "`Authorization: Basic`."),
            Key::new("user", template("{credential.NAME}"), "The user.").required(),
            Key::new("password", template("{credential.NAME}"), "The password.").required(),
        ]),
        signed_token(),
        signed_request(),
        Table::new(
            "auth_sigv4",
            "`auth`: AWS Signature Version 4",
            "By the account's access key.",
        )
        .keys([
            scheme("sigv4", "AWS Signature Version 4."),
            Key::new(
                "service",
                Kind::text("text"),
                "The service's name in signatures.",
            )
            .required(),
            Key::new("region", credential_text(), "The region.").required(),
            Key::new("access_key", credential_text(), "The id of the key.").required(),
            Key::new("secret_key", credential_text(), "The key.").required(),
        ]),
        Table::new(
            "auth_in_request",
            "`auth`: in the request",
            "Nothing beside the fields.",
        )
        .keys([scheme(
            "in_request",
            "The credentials are among the fields.",
        )]),
    ]
    .map(Kind::Table)
    .to_vec()
}

fn signed_token() -> Table {
    let about = "A token signed with the account's RSA key, with `iat`, `exp` and `jti`.";
    let life = Kind::duration(60_000, 86_400_000);
    Table::new(
        "auth_jwt_rs256",
        "`auth`: a signed token",
        "`Authorization: Bearer` with a token.",
    )
    .keys([
        scheme("jwt_rs256", about),
        Key::new(
            "key",
            template("{credential.NAME}"),
            "The private key, PEM.",
        )
        .required(),
        Key::new("claims", fields(sent()), "Further claims."),
        Key::new("life", life, "How long a token lives.").or("\"15m\""),
    ])
}

fn signed_request() -> Table {
    let about = "HMAC-SHA256 over parts of the request: `{method}`, `{host}`, `{path}` (with the query), `{content_type}`, `{body}`, \
                 `{body|sha256}`, `{body|md5}`, `{header.NAME}`, `{credential.NAME}`.";
    let example = "{method} {path} {header.x-date} {body|sha256}";
    let coding = Kind::plain_words(["base64", "hex"]);
    Table::new("auth_hmac", "`auth`: a signed request", about).keys([
        scheme("hmac_sha256", "HMAC-SHA256 over parts of the request."),
        Key::new("key", credential_text(), "The key.").required(),
        Key::new(
            "key_base64",
            Kind::Flag,
            "Whether the key is written as base64.",
        )
        .or("false"),
        Key::new("signed", signed_template(example), "What is signed.").required(),
        Key::new("header", header(), "Where the signature goes.").or("\"Authorization\""),
        Key::new("value", signature_template(), "How it stands there.").or("\"{signature}\""),
        Key::new("encoding", coding, "How the signature is written.").or("\"base64\""),
    ])
}

/// A header's name, which may be one of the account's credentials.
fn header_of_account() -> Kind {
    let pattern = r"^(\{credential\.[^{}|?]+\}|[!#$%&'*+.^_`|~0-9A-Za-z-]+)+$";
    Kind::Form(Form::new("name of a header", pattern, &["x-api-key"]))
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
    let present = "What only a no has: an answer with one of these is no yes, whatever its status.";
    let statuses = "What HTTP statuses mean where no listed code is in the answer.";
    let after = "Headers that say in seconds when to come again, beside `Retry-After`.";
    Table::new("refused", "[sms.refused]", about)
        .keys(coded())
        .keys([
            Key::new("present", pointer().some_or_none(), present),
            Key::new(
                "statuses",
                Kind::Table(reasons_called(
                    "statuses",
                    "`statuses`: what HTTP statuses mean",
                    statuses,
                    &self::statuses(),
                )),
                statuses,
            ),
            Key::new("retry_after", header().some_or_none(), after),
        ])
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
            Key::new("unauthorized", simulated(), "Wrong credentials.").or_else("status 401"),
        ])
        .example(example)
}

fn simulated() -> Table {
    let about = "One answer of the simulator. Its texts have the slots `{id}`, `{error}`, `{to}`, `{reference}` and `{now}`; `|decimal` makes \
                 a number of an id.";
    Table::new("simulated", "A simulated answer", about).keys([
        Key::new("status", status(), "The HTTP status.").required(),
        Key::new("headers", fields(Kind::text("text")), "Headers."),
        Key::new("json", answered(), "The body.").or_else("no body"),
        Key::new("text", answered_text(), "The body, where it is a text."),
    ])
}
