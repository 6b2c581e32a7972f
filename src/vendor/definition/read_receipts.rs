//! Reads a definition's tables of receipts.

use crate::document::{Table, Value};
use crate::flow::Progress;
use crate::vendor::definition::read::{Reader, header_name};
use crate::vendor::definition::read_answer::{coded, picks, plain, plain_list, pointer};
use crate::vendor::definition::read_auth::header_or;
use crate::vendor::definition::read_envelope::{envelope, handshake};
use crate::vendor::definition::soundness::{check_reported, check_signed};
use crate::vendor::receipt::Receipts;
use crate::vendor::receipt::simulated::SimulatedReceipt;
use crate::vendor::receipt::written::Written;
use crate::vendor::signature::Proof;
use crate::vendor::signature::keyed::KeyedReceipt;
use crate::vendor::template::{Place, Slot, Template, Tree};

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
    Query,
    UrlParams,
    UrlNonce,
    Token,
    UrlToken,
    Timestamped,
    Keyed,
    Envelope,
}

const SCHEMES: [(&str, Scheme); 11] = [
    ("reference", Scheme::Reference),
    ("basic", Scheme::Basic),
    ("header", Scheme::Header),
    ("query", Scheme::Query),
    ("hmac_sha1_url_params", Scheme::UrlParams),
    ("hmac_sha256_url_nonce", Scheme::UrlNonce),
    ("jwt_hs256_body_hash", Scheme::Token),
    ("jwt_url_hash", Scheme::UrlToken),
    ("ed25519_timestamp", Scheme::Timestamped),
    ("hmac_sha256", Scheme::Keyed),
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
        let at = |key| table.read(key, pointer);
        let enveloped = envelope(table, written.as_ref());
        let (each, only_with) = (at("each"), at("only_with"));
        let (message_id, reference) = (at("message_id"), at("reference"));
        if message_id.is_none() && reference.is_none() {
            let message = "receipts need a `message_id`, a `reference`, or both";
            table.error(table.span.clone(), message, None);
        }
        let status = table.require("status", picks).unwrap_or_default();
        let progress = progress(table);
        let coded = coded(table);
        let proof = table.require("auth", Value::table);
        let proof = proof.and_then(|t| self.proof(&t, &Slot::Body));
        let greeted = table.read("handshake", Value::table);
        let greeted = greeted.and_then(|t| handshake(&t, proof.as_ref()));
        let simulation = table.require("sandbox", Value::table);
        let simulation = simulation.and_then(|t| simulated(&t));
        if let Some(reported) = &simulation {
            check_reported(table, &status, &progress, reported);
        }
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

    /// How a vendor proves itself; a signature must be over a certain part of what it sends.
    pub(super) fn proof(&self, table: &Table<'_>, proven: &Slot) -> Option<Proof> {
        let proof = self.scheme(table);
        if let Some(proof) = &proof {
            check_signed(table, proof, proven);
        }
        proof
    }

    fn scheme(&self, table: &Table<'_>) -> Option<Proof> {
        let secret = |name| table.require(name, |v| self.secret(v));
        let key = || secret("key");
        let header = |name| {
            let written = table.require(name, Value::string);
            written.and_then(|name| header_name(table, name))
        };
        let proof = match table.require("scheme", |v| v.one_of(&SCHEMES))? {
            Scheme::Reference => Some(Proof::Reference),
            Scheme::Basic => secret("user")
                .zip(secret("password"))
                .map(|(user, password)| Proof::Basic { user, password }),
            Scheme::Header => header_or(table, "name", "authorization")
                .zip(secret("value"))
                .map(|(name, value)| Proof::Header { name, value }),
            Scheme::Query => {
                let name = table.require("name", Value::string).map(|n| n.value);
                name.zip(secret("value"))
                    .map(|(name, value)| Proof::Query { name, value })
            }
            Scheme::UrlParams => header("header")
                .zip(key())
                .map(|(header, key)| Proof::UrlParams { header, key }),
            Scheme::UrlNonce => header("signature").zip(header("nonce")).zip(key()).map(
                |((signature, nonce), key)| Proof::UrlNonce {
                    signature,
                    nonce,
                    key,
                },
            ),
            Scheme::Token => key().map(|key| Proof::Token { key }),
            Scheme::UrlToken => {
                let issuer = table.read("issuer", Value::string).map(|i| i.value);
                header("header")
                    .zip(key())
                    .map(|(header, key)| Proof::UrlToken {
                        header,
                        key,
                        issuer,
                    })
            }
            Scheme::Timestamped => {
                let seed = table.read("sandbox_seed", Value::string);
                let headers = header("signature").zip(header("timestamp"));
                headers
                    .zip(key())
                    .map(|((signature, timestamp), key)| Proof::Timestamped {
                        signature,
                        timestamp,
                        key,
                        sandbox_seed: seed.map(|s| s.value),
                    })
            }
            Scheme::Envelope => self.rsa_envelope(table),
            Scheme::Keyed => {
                let signed = table.read("signed", |v| self.template_in(v, Place::Signed));
                let signed = signed.unwrap_or_else(|| Template::slot(Slot::Body));
                let timestamp = table.read("timestamp", Value::string);
                let timestamp = timestamp.and_then(|name| header_name(table, name));
                let keyed = self.keyed(table, signed, header("header"));
                keyed.map(|keyed| Proof::Keyed(Box::new(KeyedReceipt { keyed, timestamp })))
            }
        };
        table.finish();
        proof
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
        let body = table.read(key, |v| match written {
            // An array is JSON too.
            Written::Json if v.raw().is_array() => Tree::read(v, Place::Receipt),
            Written::Json | Written::Form | Written::Query => Tree::read_table(v, Place::Receipt),
        });
        found.extend(body.map(|body| (written, body)));
    }
    if found.len() != 1 {
        let message = "a simulated receipt has `form`, `json` or `query`";
        table.error(table.span.clone(), message, None);
    }
    let intermediate = table.read("intermediate", plain);
    let delivered = table.require("delivered", plain);
    let failed = table.require("failed", plain);
    let default_error = table.require("default_error", plain);
    table.finish();
    let (written, body) = found.pop()?;
    Some(SimulatedReceipt {
        written,
        body,
        intermediate,
        delivered: delivered?,
        failed: failed?,
        default_error: default_error?,
    })
}
