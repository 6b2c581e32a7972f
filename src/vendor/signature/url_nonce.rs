//! HMAC-SHA256 over the address, its sorted query, the sorted fields of the form and a nonce, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use ring::hmac;

use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::fields::sorted;
use crate::vendor::signature::{genuine, same};

/// Signatures in one header, at most: several keys may be in use while they are changed.
const SIGNATURES_MAX: usize = 8;

pub(crate) fn check(
    callback: &Callback<'_>,
    given: &str,
    nonce: &str,
    key: &str,
) -> Result<(), Refusal> {
    let expected = signature(callback.method, callback.url, callback.body, nonce, key)?;
    let mut all = given.split(',').map(str::trim).take(SIGNATURES_MAX);
    genuine(all.any(|one| same(one.as_bytes(), expected.as_bytes())))
}

pub(crate) fn signature(
    method: &Method,
    url: &str,
    body: &[u8],
    nonce: &str,
    key: &str,
) -> Result<String, Refusal> {
    let base = base(method, url, body)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("{base}.{nonce}").as_bytes());
    Ok(STANDARD.encode(tag))
}

/// `https://host/path?query.fields`: of a GET all fields are among the query; of a POST those of the body stand
/// behind it, without separators.
fn base(method: &Method, url: &str, body: &[u8]) -> Result<String, Refusal> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query = sorted(query.as_bytes())?;
    let fields = sorted(body)?;
    let in_query = *method == Method::GET;
    if in_query {
        query.extend(fields.iter().cloned());
        query.sort_unstable();
        query.dedup();
    }
    if query.is_empty() && fields.is_empty() {
        return Ok(address.to_owned());
    }
    let pairs: Vec<String> = query.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mut base = format!("{address}?{}", pairs.join("&"));
    if !in_query && !fields.is_empty() {
        if !query.is_empty() {
            base.push('.');
        }
        for (name, value) in &fields {
            base.push_str(name);
            base.push_str(value);
        }
    }
    Ok(base)
}
