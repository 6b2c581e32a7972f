//! Describes a definition's receipts: what the vendor tells later.

use crate::schema::vendor::envelope::{handshake, rsa_envelope};
use crate::schema::vendor::{
    coded, credential_text, fields, header, picks, plain, pointer, reported, signature_template,
    signed_template,
};
use crate::schema::{Key, Kind, Needs, Table};

const WRITTEN: [(&str, &str); 3] = [
    ("form", "A form; pointers see a flat object."),
    ("json", "JSON."),
    ("query", "The query of a GET; pointers see a flat object."),
];

pub(super) fn receipts() -> Table {
    let about = "What the vendor tells later, at `{callback}`.";
    let example = r#"
[sms.receipts]
body = "json"
message_id = "/id"
status = "/status"
code = "/error"
intermediate = ["queued", "sent"]
delivered = ["delivered"]
failed = ["undelivered"]
reasons = { unreachable = [2001], not_mobile = [2002] }
auth = { scheme = "hmac_sha256", header = "x-north-signature", key = "{credential.api_key}" }
"#;
    Table::new("receipts", "[sms.receipts]", about)
        .keys(places())
        .keys(meanings())
        .keys(coded())
        .keys([
            Key::new("auth", Kind::Any(proofs()), "How receipts are proven.").required(),
            Key::new(
                "handshake",
                Kind::Table(handshake()),
                "What is asked once when our address is set up.",
            ),
            Key::new(
                "sandbox",
                Kind::Table(sandbox()),
                "What the simulator reports.",
            )
            .required(),
        ])
        .needs(Needs::AnyOf(&["message_id", "reference"]))
        .example(example)
}

fn places() -> [Key; 7] {
    let body = "How it is written; a list where the account's settings decide.";
    let envelope = "The text in a JSON body that is itself JSON, and the receipt.";
    let only = "What tells it from a receipt of the other channel, where all else is alike.";
    let status = "Where the status is; of several, the first that is listed below.";
    [
        Key::new("body", Kind::words(&WRITTEN).some_or_none(), body).required(),
        Key::new("envelope", pointer(), envelope),
        Key::new(
            "each",
            pointer(),
            "The array, where one request holds several.",
        ),
        Key::new("only_with", pointer(), only),
        Key::new("message_id", pointer(), "The vendor's id of the message."),
        Key::new("reference", pointer(), "Our `{reference}`."),
        Key::new("status", picks(), status).required(),
    ]
}

fn meanings() -> [Key; 4] {
    let statuses = || plain().list();
    [
        Key::new(
            "intermediate",
            statuses(),
            "Statuses after which others come.",
        ),
        Key::new(
            "delivered",
            statuses(),
            "Statuses that say that it arrived.",
        ),
        Key::new(
            "failed",
            statuses(),
            "Statuses that say that it will not arrive.",
        ),
        Key::new(
            "unknown",
            statuses(),
            "Final, and nobody knows; so is every status that is not listed.",
        ),
    ]
}

pub(super) fn scheme(word: &'static str, about: &'static str) -> Key {
    Key::new("scheme", Kind::words(&[(word, about)]), about).required()
}

pub(super) fn secret(name: &'static str, about: &'static str) -> Key {
    Key::new(name, credential_text(), about).required()
}

fn signed(name: &'static str, about: &'static str) -> Key {
    Key::new(name, header(), about).required()
}

pub(super) fn proofs() -> Vec<Kind> {
    let all = unsigned()
        .into_iter()
        .chain(signed_somehow())
        .chain([rsa_envelope()]);
    all.map(Kind::Table).collect()
}

/// Nothing depends on what the receipt says.
fn unsigned() -> [Table; 4] {
    [
        Table::new(
            "proof_reference",
            "Receipts: the address",
            "Nothing is signed: the secret reference in the address is the proof.",
        )
        .keys([scheme("reference", "The address alone.")]),
        Table::new(
            "proof_basic",
            "Receipts: user and password",
            "`Authorization: Basic`.",
        )
        .keys([
            scheme("basic", "User and password."),
            secret("user", "The user."),
            secret("password", "The password."),
        ]),
        Table::new(
            "proof_header",
            "Receipts: a header",
            "A header that never changes.",
        )
        .keys([
            scheme("header", "A header."),
            Key::new("name", header(), "Its name.").or("\"authorization\""),
            secret("value", "Its value."),
        ]),
        Table::new(
            "proof_query",
            "Receipts: a secret in the query",
            "A field of the address's query that never changes.",
        )
        .keys([
            scheme("query", "A secret in the query."),
            Key::new("name", Kind::text("name"), "Its name.").required(),
            secret("value", "The secret."),
        ]),
    ]
}

/// The signature is over what the receipt says.
fn signed_somehow() -> [Table; 6] {
    let seed = "The private half of the example credential, for the simulator.";
    [
        Table::new(
            "proof_url_params",
            "Receipts: HMAC over address and form",
            "Base64 of HMAC-SHA1 over the address and the sorted fields.",
        )
        .keys([
            scheme("hmac_sha1_url_params", "HMAC-SHA1 over address and form."),
            signed("header", "Where the signature is."),
            secret("key", "The key."),
        ]),
        Table::new(
            "proof_token",
            "Receipts: a signed token",
            "A bearer token (HS256) with the body's hash, up to 5 minutes old.",
        )
        .keys([
            scheme("jwt_hs256_body_hash", "A token with the body's hash."),
            secret("key", "The key."),
        ]),
        Table::new(
            "proof_timestamp",
            "Receipts: Ed25519",
            "Ed25519 over a time and the body, within 5 minutes.",
        )
        .keys([
            scheme("ed25519_timestamp", "Ed25519 over time and body."),
            signed("signature", "The header with the signature."),
            signed("timestamp", "The header with the time."),
            secret("key", "The public key."),
            Key::new("sandbox_seed", Kind::text("text"), seed),
        ]),
        Table::new(
            "proof_url_nonce",
            "Receipts: HMAC over address, form and nonce",
            "Base64 of HMAC-SHA256 over the address, its sorted query, the sorted fields and a nonce.",
        )
        .keys([
            scheme("hmac_sha256_url_nonce", "HMAC-SHA256 over address, form and nonce."),
            signed("signature", "The header with the signature, or with several."),
            signed("nonce", "The header with the nonce."),
            secret("key", "The key."),
        ]),
        Table::new(
            "proof_url_token",
            "Receipts: a signed token of the address",
            "A token (HS256, HS384, HS512) with `url_hash`, `payload_hash`, `nbf` and `exp`.",
        )
        .keys([
            scheme("jwt_url_hash", "A token with the address's hash."),
            signed("header", "Where the token is."),
            secret("key", "The key."),
            Key::new("issuer", Kind::text("text"), "What `iss` must be."),
        ]),
        keyed(),
    ]
}

fn keyed() -> Table {
    let coding = Kind::plain_words(["base64", "hex"]);
    let what = signed_template("{body}.{header.x-nonce}");
    let time = "The header with the time in seconds, which must be of these 5 minutes.";
    Table::new(
        "proof_keyed",
        "Receipts: HMAC over the body",
        "HMAC-SHA256 over the body, alone or with headers.",
    )
    .keys([
        scheme("hmac_sha256", "HMAC-SHA256 over the body."),
        signed("header", "Where the signature is."),
        secret("key", "The key."),
        Key::new(
            "key_base64",
            Kind::Flag,
            "Whether the key is written as base64.",
        )
        .or("false"),
        Key::new("signed", what, "What is signed.").or("\"{body}\""),
        Key::new(
            "value",
            signature_template(),
            "How the signature stands in the header.",
        )
        .or("\"{signature}\""),
        Key::new("encoding", coding, "How the signature is written.").or("\"base64\""),
        Key::new("timestamp", header(), time),
    ])
}

fn sandbox() -> Table {
    let about = "What the simulator reports. Slots: `{id}`, `{status}`, `{error}` (only of failed ones: `{error?}`), `{to}`, \
                 `{reference}`.";
    let example = r#"
[sms.receipts.sandbox]
json = { id = "{id}", status = "{status}", error = "{error?|number}" }
intermediate = "sent"
delivered = "delivered"
failed = "undelivered"
default_error = 2001
"#;
    let body = |name, about| Key::new(name, fields(reported()), about);
    let json = Kind::Any(vec![fields(reported()), reported().list()]);
    Table::new("receipt_sandbox", "[sms.receipts.sandbox]", about)
        .keys([
            body("form", "A form."),
            Key::new("json", json, "JSON; a list where several come at once."),
            body("query", "A query."),
            Key::new(
                "intermediate",
                plain(),
                "The status after which others come.",
            )
            .or_else("only the end is told"),
            Key::new("delivered", plain(), "The status of what arrived.").required(),
            Key::new("failed", plain(), "The status of what will not.").required(),
            Key::new(
                "default_error",
                plain(),
                "The code of a failure that names none.",
            )
            .required(),
        ])
        .needs(Needs::OneOf(&["form", "json", "query"]))
        .example(example)
}
