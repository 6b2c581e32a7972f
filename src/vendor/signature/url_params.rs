//! HMAC-SHA1 over the address and the sorted fields of the form, in base64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::vendor::receipt::Refusal;
use crate::vendor::signature::fields::{Field, sorted};
use crate::vendor::signature::{genuine, same, sha256_hex};

/// The query's name for the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

pub(crate) fn check(url: &str, body: &[u8], given: &str, key: &str) -> Result<(), Refusal> {
    if let Some(hash) = body_hash(url) {
        genuine(same(hash.as_bytes(), sha256_hex(body).as_bytes()))?;
    }
    let fields = signed_fields(url, body)?;
    let right = |url: &String| same(given.as_bytes(), over(url, &fields, key).as_bytes());
    genuine(spellings(url).iter().any(right))
}

pub(crate) fn signature(url: &str, body: &[u8], key: &str) -> Result<String, Refusal> {
    Ok(over(url, &signed_fields(url, body)?, key))
}

/// A body whose hash is in the address is signed by that; otherwise its fields are.
fn signed_fields<'a>(url: &str, body: &'a [u8]) -> Result<Vec<Field<'a>>, Refusal> {
    match body_hash(url) {
        Some(_) => Ok(Vec::new()),
        None => sorted(body),
    }
}

fn over(url: &str, fields: &[Field<'_>], key: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(url.as_bytes());
    for (name, value) in fields {
        context.update(name.as_bytes());
        context.update(value.as_bytes());
    }
    STANDARD.encode(context.sign())
}

fn body_hash(url: &str) -> Option<Cow<'_, str>> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(name, value)| (name == BODY_HASH).then_some(value))
}

/// The address as it is, without its port, and with the usual one: senders do not agree on it.
fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return all;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    // A colon inside the brackets of an IPv6 address is no port's.
    let port_at = authority
        .rfind(':')
        .filter(|at| *at >= host_at && !authority[*at..].contains(']'));
    let host = &authority[..port_at.unwrap_or(authority.len())];
    let port = if scheme == "http" { 80 } else { 443 };
    all.push(match port_at {
        Some(_) => format!("{scheme}://{host}{path}"),
        None => format!("{scheme}://{host}:{port}{path}"),
    });
    all
}
