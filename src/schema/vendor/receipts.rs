//! Describes a definition's receipts: what the vendor tells later.

use crate::schema::vendor::envelope::{handshake, rsa_envelope};
use crate::schema::vendor::{coded, credential_text, fields, header, plain, pointer, reported};
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
auth = { scheme = "hmac_sha256_body", header = "x-north-signature", key = "{credential.api_key}" }
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
        Key::new("status", pointer().some_or_none(), status).required(),
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

fn proofs() -> Vec<Kind> {
    let all = unsigned()
        .into_iter()
        .chain(signed_somehow())
        .chain([rsa_envelope()]);
    all.map(Kind::Table).collect()
}

/// Nothing depends on what the receipt says.
fn unsigned() -> [Table; 3] {
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
    ]
}

/// The signature is over what the receipt says.
fn signed_somehow() -> [Table; 4] {
    let coding = Kind::plain_words(["hex", "base64"]);
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
            "proof_body",
            "Receipts: HMAC over the body",
            "HMAC-SHA256 over the body.",
        )
        .keys([
            scheme("hmac_sha256_body", "HMAC-SHA256 over the body."),
            signed("header", "Where the signature is."),
            secret("key", "The key."),
            Key::new("encoding", coding, "How the signature is written.").or("\"hex\""),
            Key::new("prefix", Kind::text("text"), "What stands before it.").or("\"\""),
            Key::new(
                "key_base64",
                Kind::Flag,
                "Whether the key is written as base64.",
            )
            .or("false"),
        ]),
    ]
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
    Table::new("receipt_sandbox", "[sms.receipts.sandbox]", about)
        .keys([
            body("form", "A form."),
            body("json", "JSON."),
            body("query", "A query."),
            Key::new(
                "intermediate",
                plain(),
                "The status after which others come.",
            )
            .required(),
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
