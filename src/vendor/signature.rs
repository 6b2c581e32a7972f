//! Who sent a receipt: each scheme is checked, and for the simulator also made, in one place.

pub(crate) mod envelope;
mod fields;
pub(crate) mod keyed;
pub(crate) mod timestamped;
pub(crate) mod token;
pub(crate) mod url_nonce;
pub(crate) mod url_params;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde_json::Value as Json;
use subtle::ConstantTimeEq;

use crate::time::Moment;
use crate::vendor::keyed::Parts;
use crate::vendor::receipt::simulated::SignedIn;
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::envelope::{Envelope, Kind};
use crate::vendor::template::{Fill, Template};

/// How it is proven that a receipt is the vendor's own. Where the account has not the credential that a
/// scheme needs, the reference in the address is the proof.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Proof {
    /// Nothing is signed: nobody else can know the reference in the address.
    Reference,
    Basic {
        user: Template,
        password: Template,
    },
    Header {
        name: HeaderName,
        value: Template,
    },
    /// A secret in the query of the address.
    Query {
        name: String,
        value: Template,
    },
    /// HMAC-SHA256 over the address, the sorted fields and a nonce.
    UrlNonce {
        signature: HeaderName,
        nonce: HeaderName,
        key: Template,
    },
    /// A token with the hashes of the address and the body.
    UrlToken {
        header: HeaderName,
        key: Template,
        issuer: Option<String>,
    },
    /// HMAC-SHA1 over the address and the sorted fields of the form.
    UrlParams {
        header: HeaderName,
        key: Template,
    },
    /// A bearer token (HS256) that holds the hash of the body.
    Token {
        key: Template,
    },
    /// Ed25519 over a time and the body.
    Timestamped {
        signature: HeaderName,
        timestamp: HeaderName,
        key: Template,
        /// The private half of the example credential, for the simulator.
        sandbox_seed: Option<String>,
    },
    /// HMAC-SHA256 over the body and perhaps headers.
    Keyed(Box<keyed::KeyedReceipt>),
    /// RSA over the fields of the envelope around the receipt.
    Envelope(Envelope),
}

impl Proof {
    /// The templates of its secrets; all they may hold is credentials.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Proof::Reference => Vec::new(),
            Proof::Basic { user, password } => vec![user, password],
            Proof::Header { value, .. } | Proof::Query { value, .. } => vec![value],
            Proof::UrlParams { key, .. }
            | Proof::UrlNonce { key, .. }
            | Proof::UrlToken { key, .. }
            | Proof::Token { key }
            | Proof::Timestamped { key, .. } => vec![key],
            Proof::Keyed(receipt) => vec![&receipt.keyed.key],
            Proof::Envelope(envelope) => vec![&envelope.topic],
        }
    }

    /// The scheme's name in definitions.
    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Proof::Reference => "reference",
            Proof::Basic { .. } => "basic",
            Proof::Header { .. } => "header",
            Proof::Query { .. } => "query",
            Proof::UrlParams { .. } => "hmac_sha1_url_params",
            Proof::UrlNonce { .. } => "hmac_sha256_url_nonce",
            Proof::UrlToken { .. } => "jwt_url_hash",
            Proof::Token { .. } => "jwt_hs256_body_hash",
            Proof::Timestamped { .. } => "ed25519_timestamp",
            Proof::Keyed(_) => "hmac_sha256",
            Proof::Envelope(_) => "rsa_envelope",
        }
    }

    /// Whether it proves something by itself, with these credentials.
    pub(crate) fn suffices(&self, fill: &Fill<'_>) -> bool {
        !matches!(self, Proof::Reference) && self.secrets(fill).is_some()
    }

    /// Whether a receipt is the vendor's own, and of this hour.
    pub(crate) fn check(
        &self,
        callback: &Callback<'_>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<(), Refusal> {
        let Some(secrets) = self.secrets(fill) else {
            return genuine(callback.reference_proven);
        };
        let given = |name| header(callback.headers, name);
        match self {
            Proof::Reference => genuine(callback.reference_proven),
            Proof::Basic { .. } | Proof::Header { .. } => {
                let (name, expected) = self.fixed_header(&secrets);
                genuine(same(given(&name)?.as_bytes(), expected.as_bytes()))
            }
            Proof::Query { name, .. } => in_query(callback.url, name, &secrets[0]),
            Proof::UrlParams { header, .. } => {
                url_params::check(callback.url, callback.body, given(header)?, &secrets[0])
            }
            Proof::UrlNonce {
                signature, nonce, ..
            } => {
                let (signature, nonce) = (given(signature)?, given(nonce)?);
                url_nonce::check(callback, signature, nonce, &secrets[0])
            }
            Proof::UrlToken { header, issuer, .. } => {
                let issuer = issuer.as_deref();
                token::check_url(callback, given(header)?, &secrets[0], issuer, now)
            }
            Proof::Token { .. } => {
                token::check(given(&AUTHORIZATION)?, callback.body, &secrets[0], now)
            }
            Proof::Timestamped {
                signature,
                timestamp,
                ..
            } => {
                let (signature, timestamp) = (given(signature)?, given(timestamp)?);
                timestamped::check(signature, timestamp, callback.body, &secrets[0], now)
            }
            Proof::Keyed(receipt) => receipt.check(callback, fill, now),
            Proof::Envelope(envelope) => envelope.check(callback, &secrets[0], fill, now),
        }
    }

    /// The address of the certificate without which a receipt cannot be proven.
    pub(crate) fn certificate_address(
        &self,
        callback: &Callback<'_>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Option<String> {
        let envelope = self.envelope()?;
        let topic = self.secrets(fill)?.swap_remove(0);
        envelope.certificate_address(callback, &topic, fill, now)
    }

    /// As much of a body as the proof speaks for.
    pub(crate) fn vouched(&self, body: Json) -> Json {
        match self.envelope() {
            Some(_) => envelope::signed_fields(body),
            None => body,
        }
    }

    /// Whether it says that nothing will be told any more.
    pub(crate) fn is_farewell(&self, body: &Json) -> bool {
        self.envelope().is_some() && Kind::of(body) == Some(Kind::Unsubscription)
    }

    fn envelope(&self) -> Option<&Envelope> {
        match self {
            Proof::Envelope(envelope) => Some(envelope),
            _ => None,
        }
    }

    /// Signs as the vendor would, and tells where the signature is.
    pub(crate) fn sign(
        &self,
        request: &mut Request<Bytes>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Option<SignedIn> {
        let Some(secrets) = self.secrets(fill) else {
            return Some(SignedIn::Path);
        };
        let url = request.uri().to_string();
        let body = request.body();
        let mut stamps = Vec::new();
        let (name, value) = match self {
            Proof::Reference => return Some(SignedIn::Path),
            Proof::Query { name, .. } => {
                let secret = form_urlencoded::Serializer::new(String::new())
                    .append_pair(name, &secrets[0])
                    .finish();
                let joint = if url.contains('?') { '&' } else { '?' };
                *request.uri_mut() = format!("{url}{joint}{secret}").parse().ok()?;
                return Some(SignedIn::Query);
            }
            Proof::Basic { .. } | Proof::Header { .. } => self.fixed_header(&secrets),
            Proof::UrlParams { header, .. } => {
                let signed = url_params::signature(&url, body, &secrets[0]).ok()?;
                (header.clone(), signed)
            }
            Proof::UrlNonce {
                signature, nonce, ..
            } => {
                let made = sha256_hex(body);
                let signed = url_nonce::signature(request.method(), &url, body, &made, &secrets[0]);
                let signed = signed.ok()?;
                stamps.push((nonce.clone(), made));
                (signature.clone(), signed)
            }
            Proof::UrlToken { header, issuer, .. } => {
                let made = token::made_for_url(&url, body, &secrets[0], issuer.as_deref(), now)?;
                (header.clone(), made)
            }
            Proof::Token { .. } => (AUTHORIZATION, token::made(body, &secrets[0], now)?),
            Proof::Timestamped {
                signature,
                timestamp,
                sandbox_seed,
                ..
            } => {
                let seconds = (now.0 / 1000).to_string();
                let signed = timestamped::signature(&seconds, body, sandbox_seed.as_ref()?)?;
                stamps.push((timestamp.clone(), seconds));
                (signature.clone(), signed)
            }
            Proof::Keyed(receipt) => {
                for (name, value) in receipt.stamps(request.headers(), body, now) {
                    request.headers_mut().insert(name, value.parse().ok()?);
                }
                let parts = Parts {
                    method: request.method(),
                    url: &url,
                    headers: request.headers(),
                    body: request.body(),
                };
                let signed = receipt.keyed.value(&parts, fill)?;
                (receipt.keyed.header.clone(), signed)
            }
            Proof::Envelope(envelope) => {
                *request.body_mut() = envelope.wrapped(body, &secrets[0], now)?;
                let text = HeaderValue::from_static("text/plain; charset=UTF-8");
                request.headers_mut().insert(CONTENT_TYPE, text);
                return Some(SignedIn::Envelope);
            }
        };
        for (name, value) in stamps.into_iter().chain([(name.clone(), value)]) {
            request.headers_mut().insert(name, value.parse().ok()?);
        }
        Some(SignedIn::Header(name))
    }

    /// What the templates come to; `None` where the account lacks a credential.
    fn secrets(&self, fill: &Fill<'_>) -> Option<Vec<String>> {
        let filled = self.templates().into_iter();
        filled.map(|t| t.fill(fill).ok().flatten()).collect()
    }

    /// The header of the schemes whose header is always the same.
    fn fixed_header(&self, secrets: &[String]) -> (HeaderName, String) {
        if let Proof::Header { name, .. } = self {
            return (name.clone(), secrets.concat());
        }
        let pair = STANDARD.encode(secrets.join(":"));
        (AUTHORIZATION, format!("Basic {pair}"))
    }
}

/// A field of the query that must have this value, wherever it stands.
fn in_query(url: &str, name: &str, expected: &str) -> Result<(), Refusal> {
    let (_, query) = url.split_once('?').ok_or(Refusal::Forged)?;
    let mut given = form_urlencoded::parse(query.as_bytes());
    genuine(
        given.any(|(known, value)| known == name && same(value.as_bytes(), expected.as_bytes())),
    )
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let value = headers.get(name).and_then(|v| v.to_str().ok());
    value.ok_or(Refusal::Forged)
}

/// Compares without telling by the time it takes how much was right.
pub(crate) fn same(given: &[u8], expected: &[u8]) -> bool {
    given.ct_eq(expected).into()
}

pub(crate) fn genuine(genuine: bool) -> Result<(), Refusal> {
    genuine.then_some(()).ok_or(Refusal::Forged)
}

/// Whether a signed time, in seconds, is neither long past nor ahead of our clock.
pub(crate) fn fresh(
    at_s: i64,
    now: Moment,
    past_max_s: i64,
    future_max_s: i64,
) -> Result<(), Refusal> {
    let age_s = (now.0 / 1000).saturating_sub(at_s);
    let fresh = (future_max_s.saturating_neg()..=past_max_s).contains(&age_s);
    fresh.then_some(()).ok_or(Refusal::Stale)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

pub(crate) fn sha256_hex(body: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, body).as_ref())
}
