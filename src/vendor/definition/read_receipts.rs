//! Reads a definition's tables of receipts.

use crate::document::{At, Table, Value};
use crate::flow::Progress;
use crate::vendor::definition::read::{
    Reader, coded, header_name, plain, plain_list, pointer, pointers,
};
use crate::vendor::definition::read_envelope::{envelope, handshake};
use crate::vendor::receipt::{Receipts, SimulatedReceipt, Written};
use crate::vendor::signature::Proof;
use crate::vendor::signature::keyed_body::Coding;
use crate::vendor::template::{Place, Slot, Template, read_fields};

const WRITTEN: [(&str, Written); 3] = [
    ("form", Written::Form),
    ("json", Written::Json),
    ("query", Written::Query),
];

#[derive(Clone, Copy)]
enum Scheme {
    Reference,
    Basic,
    Header,
    UrlParams,
    Token,
    Timestamped,
    KeyedBody,
    Envelope,
}

const SCHEMES: [(&str, Scheme); 8] = [
    ("reference", Scheme::Reference),
    ("basic", Scheme::Basic),
    ("header", Scheme::Header),
    ("hmac_sha1_url_params", Scheme::UrlParams),
    ("jwt_hs256_body_hash", Scheme::Token),
    ("ed25519_timestamp", Scheme::Timestamped),
    ("hmac_sha256_body", Scheme::KeyedBody),
    ("rsa_envelope", Scheme::Envelope),
];

impl Reader<'_> {
    pub(super) fn receipts(&self, table: &Table<'_>) -> Option<Receipts> {
        let written: Option<Vec<Written>> = table.require("body", |v| match v.raw().is_array() {
            true => Some(
                v.list()?
                    .into_iter()
                    .filter_map(|v| v.one_of(&WRITTEN))
                    .collect(),
            ),
            false => v.one_of(&WRITTEN).map(|one| vec![one]),
        });
        let at = |key| {
            let text = table.read(key, Value::string);
            text.and_then(|text| pointer(table, text))
        };
        let enveloped = envelope(table, written.as_ref());
        let (each, only_with) = (at("each"), at("only_with"));
        let (message_id, reference) = (at("message_id"), at("reference"));
        if message_id.is_none() && reference.is_none() {
            let message = "receipts need a `message_id`, a `reference`, or both";
            table.error(table.span.clone(), message, None);
        }
        let status = table.require("status", Value::strings);
        let status = pointers(table, status);
        let progress = progress(table);
        let coded = coded(table);
        let proof = table.require("auth", Value::table);
        let proof = proof.and_then(|t| self.proof(&t));
        let greeted = table.read("handshake", Value::table);
        let greeted = greeted.and_then(|t| handshake(&t, proof.as_ref()));
        let simulation = table.require("sandbox", Value::table);
        let simulation = simulation.and_then(|t| simulated(&t));
        table.finish();
        Some(Receipts {
            written: written?,
            envelope: enveloped,
            each,
            only_with,
            message_id,
            reference,
            status,
            progress,
            coded,
            proof: proof?,
            handshake: greeted,
            simulation: simulation?,
        })
    }

    fn proof(&self, table: &Table<'_>) -> Option<Proof> {
        let key = || table.require("key", |v| self.secret(v));
        let header = |key, default: Option<&str>| {
            let written = match default {
                None => table.require(key, Value::string),
                Some(_) => table.read(key, Value::string),
            };
            let default = default.map(|name| At {
                value: name.to_owned(),
                span: table.span.clone(),
            });
            written
                .or(default)
                .and_then(|name| header_name(table, name))
        };
        let proof = match table.require("scheme", |v| v.one_of(&SCHEMES))? {
            Scheme::Reference => Some(Proof::Reference),
            Scheme::Basic => {
                let user = table.require("user", |v| self.secret(v));
                let password = table.require("password", |v| self.secret(v));
                user.zip(password)
                    .map(|(user, password)| Proof::Basic { user, password })
            }
            Scheme::Header => {
                let name = header("name", Some("authorization"));
                let value = table.require("value", |v| self.secret(v));
                name.zip(value)
                    .map(|(name, value)| Proof::Header { name, value })
            }
            Scheme::UrlParams => header("header", None)
                .zip(key())
                .map(|(header, key)| Proof::UrlParams { header, key }),
            Scheme::Token => key().map(|key| Proof::Token { key }),
            Scheme::Timestamped => {
                let seed = table.read("sandbox_seed", Value::string);
                let headers = header("signature", None).zip(header("timestamp", None));
                let key = key();
                headers
                    .zip(key)
                    .map(|((signature, timestamp), key)| Proof::Timestamped {
                        signature,
                        timestamp,
                        key,
                        sandbox_seed: seed.map(|s| s.value),
                    })
            }
            Scheme::Envelope => self.rsa_envelope(table),
            Scheme::KeyedBody => {
                let coding = coding(table);
                header("header", None)
                    .zip(key())
                    .map(|(header, key)| Proof::KeyedBody {
                        header,
                        key,
                        coding,
                    })
            }
        };
        table.finish();
        proof
    }

    /// A template of credentials alone. Anything else would have no value, and nothing would be checked.
    pub(super) fn secret(&self, value: Value<'_>) -> Option<Template> {
        let template = self.template(value)?;
        let credential = |slot: &Slot| matches!(slot, Slot::Credential(_));
        if template.slots().all(credential) {
            return Some(template);
        }
        value.wrong("only credentials can be used here", None)
    }
}

fn coding(table: &Table<'_>) -> Coding {
    let text = |key| table.read(key, Value::string).map(|t| t.value);
    let words = [("hex", true), ("base64", false)];
    Coding {
        hex: table.read("encoding", |v| v.one_of(&words)).unwrap_or(true),
        prefix: text("prefix").unwrap_or_default(),
        key_base64: table.read("key_base64", Value::boolean).unwrap_or(false),
    }
}

/// The statuses and what each of them says.
fn progress(table: &Table<'_>) -> Vec<(String, Progress)> {
    let lists = [
        ("intermediate", Progress::Intermediate),
        ("delivered", Progress::Delivered),
        ("failed", Progress::Failed),
        ("unknown", Progress::Unknown),
    ];
    let mut all: Vec<(String, Progress)> = Vec::new();
    for (key, progress) in lists {
        let Some(value) = table.get(key) else {
            continue;
        };
        for word in plain_list(value).unwrap_or_default() {
            if all.iter().any(|(known, _)| *known == word) {
                value.wrong::<()>(format!("the status `{word}` is listed twice"), None);
            }
            all.push((word, progress));
        }
    }
    all
}

fn simulated(table: &Table<'_>) -> Option<SimulatedReceipt> {
    let mut found = Vec::new();
    for (key, written) in WRITTEN {
        let fields = table.read(key, |v| read_fields(v, Place::Receipt));
        found.extend(fields.map(|fields| (written, fields)));
    }
    if found.len() != 1 {
        let message = "a simulated receipt has `form`, `json` or `query`";
        table.error(table.span.clone(), message, None);
    }
    let intermediate = table.require("intermediate", plain);
    let delivered = table.require("delivered", plain);
    let failed = table.require("failed", plain);
    let default_error = table.require("default_error", plain);
    table.finish();
    let (written, fields) = found.pop()?;
    Some(SimulatedReceipt {
        written,
        fields,
        intermediate: intermediate?,
        delivered: delivered?,
        failed: failed?,
        default_error: default_error?,
    })
}
