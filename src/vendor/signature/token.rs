//! A bearer token (JWT, HS256) with the SHA-256 of the body among its claims.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value as Json, json};

use crate::time::Moment;
use crate::vendor::receipt::Refusal;
use crate::vendor::signature::{fresh, genuine, same, sha256_hex};

/// A token is believed this long after it was made.
const AGE_MAX_S: i64 = 300;
/// A token may be this far ahead of our clock.
const AHEAD_MAX_S: i64 = 60;

pub(crate) fn check(given: &str, body: &[u8], key: &str, now: Moment) -> Result<(), Refusal> {
    let token = given.strip_prefix("Bearer ").ok_or(Refusal::Forged)?;
    let claims = claims(token, key).ok_or(Refusal::Forged)?;
    let hash = claims["payload_hash"].as_str().ok_or(Refusal::Forged)?;
    genuine(same(
        hash.to_ascii_lowercase().as_bytes(),
        sha256_hex(body).as_bytes(),
    ))?;
    let issued_at = claims["iat"].as_i64().ok_or(Refusal::Forged)?;
    fresh(issued_at, now, AGE_MAX_S, AHEAD_MAX_S)
}

/// The claims of a token whose signature is right. Its times are judged by our own clock, not here.
pub(crate) fn claims(token: &str, key: &str) -> Option<Json> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(key.as_bytes());
    let token = jsonwebtoken::decode::<Json>(token, &key, &validation).ok()?;
    Some(token.claims)
}

pub(crate) fn made(body: &[u8], key: &str, now: Moment) -> Option<String> {
    let hash = sha256_hex(body);
    let claims = json!({ "iat": now.0 / 1000, "jti": hash, "payload_hash": hash });
    let key = EncodingKey::from_secret(key.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key);
    Some(format!("Bearer {}", token.ok()?))
}
