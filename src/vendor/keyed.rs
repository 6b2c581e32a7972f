//! HMAC-SHA256 over parts of a request: our own that a vendor checks, and a vendor's that we check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, Method};
use ring::hmac;

use crate::vendor::signature::hex;
use crate::vendor::template::{Fill, Slot, Template};

/// What is signed, and how the signature is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Keyed {
    pub(crate) key: Template,
    /// Whether the key is base64 of the real one.
    pub(crate) key_base64: bool,
    pub(crate) signed: Template,
    /// Where the signature stands.
    pub(crate) header: HeaderName,
    /// How it stands there.
    pub(crate) value: Template,
    /// Hex rather than base64.
    pub(crate) hex: bool,
}

/// The parts of a request of which a signature may be made.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a Method,
    /// The address, whole, or from the path on.
    pub(crate) url: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Keyed {
    /// What must stand in the header; `None` where something is missing or the key is none.
    pub(crate) fn value(&self, parts: &Parts<'_>, fill: &Fill<'_>) -> Option<String> {
        let signed = self
            .signed
            .fill(&|slot| parts.part(slot).or_else(|| fill(slot)));
        let key = self.key.fill(fill).ok()??;
        let key = match self.key_base64 {
            true => STANDARD.decode(key).ok()?,
            false => key.into_bytes(),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, signed.ok()??.as_bytes());
        let signature = match self.hex {
            true => hex(tag.as_ref()),
            false => STANDARD.encode(tag),
        };
        let value = self.value.fill(&|slot| match slot {
            Slot::Signature => Some(signature.clone()),
            other => fill(other),
        });
        value.ok()?
    }
}

impl Parts<'_> {
    /// One part, as a signature is made of it.
    fn part(&self, slot: &Slot) -> Option<String> {
        match slot {
            Slot::Method => Some(self.method.to_string()),
            Slot::Host => self.host(),
            Slot::Path => Some(self.split().1.to_owned()),
            Slot::ContentType => self.header(CONTENT_TYPE.as_str()),
            Slot::Body => std::str::from_utf8(self.body).ok().map(str::to_owned),
            Slot::Header(name) => self.header(name),
            _ => None,
        }
    }

    /// Where the request goes, with a port that is not its scheme's own.
    pub(crate) fn host(&self) -> Option<String> {
        let authority = self.split().0.map(str::to_owned);
        let host = authority.or_else(|| self.header(HOST.as_str()))?;
        let usual = if self.url.starts_with("http:") {
            ":80"
        } else {
            ":443"
        };
        Some(host.strip_suffix(usual).unwrap_or(&host).to_owned())
    }

    /// The authority, where there is one, and the path with its query.
    pub(crate) fn split(&self) -> (Option<&str>, &str) {
        let Some((_, rest)) = self.url.split_once("://") else {
            return (None, self.url);
        };
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_at);
        (Some(authority), if path.is_empty() { "/" } else { path })
    }

    fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    }
}
