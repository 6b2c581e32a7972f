//! Describes receipts in signed envelopes, and handshakes.

use crate::schema::vendor::receipts::{scheme, secret};
use crate::schema::vendor::{credential_text, fields, pointer, replied};
use crate::schema::{Key, Kind, Needs, Table};

pub(super) fn rsa_envelope() -> Table {
    let about = "RSA over the fields of a notification service's envelope, up to an hour old. What is not signed is not read.";
    let topic =
        "The only topic that is believed: anybody can have others signed with the same key.";
    let certificate =
        "The certificate in PEM. Without it, it is fetched from where the envelope says.";
    let hosts = "The hosts that certificates may be fetched from, whole. Where it fits hosts that anybody can have, anybody can sign.";
    let host = Kind::form(
        "pattern of a host",
        r"^\^.*\$$",
        &[r"^files\.vendor\.example$"],
    );
    let key = "The private key of the example certificate (PKCS #8 in PEM), for the simulator.";
    let address = Kind::form(
        "address of a certificate",
        r"^https://[a-z0-9.-]+/[^?]*\.pem$",
        &["https://files.vendor.example/k1.pem"],
    );
    let address = Key::new(
        "sandbox_address",
        address,
        "Where the simulator says that its certificate is.",
    );
    Table::new("proof_envelope", "Receipts: a signed envelope", about).keys([
        scheme("rsa_envelope", "RSA over the fields of an envelope."),
        secret("topic", topic),
        Key::new("certificate", credential_text(), certificate),
        Key::new("hosts", host, hosts).required(),
        Key::new("sandbox_key", Kind::text("text"), key),
        address,
    ])
}

pub(super) fn handshake() -> Table {
    let about = "What is asked once when our address is set up. It is proven as receipts are; a proof that needs a message's \
                 reference cannot prove it.";
    let token =
        "Where the token is, outside of an `envelope`. A request that has one is a handshake.";
    let reply = "The JSON that is answered; its slot is `{token}`.";
    let visit = "The address that the token is, is visited once if it begins so: https, the host, and the `/` after it.";
    let beginning = Kind::form(
        "pattern of an address's beginning",
        r"^\^https://.*/$",
        &[r"^https://hooks\.vendor\.example/"],
    );
    let example = r#"
[sms.receipts.handshake]
token = "/validation/code"
reply = { response = "{token}" }
"#;
    Table::new("handshake", "[sms.receipts.handshake]", about)
        .keys([
            Key::new("token", pointer(), token).required(),
            Key::new("reply", fields(replied()), reply),
            Key::new("visit", beginning, visit),
        ])
        .needs(Needs::OneOf(&["reply", "visit"]))
        .example(example)
}
