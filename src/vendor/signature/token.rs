//! Tokens (JWT) with the SHA-256 of the body, or of the address and the body, among their claims.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value as Json, json};

use crate::time::Moment;
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::{fresh, genuine, same, sha256_hex};

/// A token is believed this long after it was made.
const AGE_MAX_S: i64 = 300;
/// A token may be this far ahead of our clock.
const AHEAD_MAX_S: i64 = 60;
/// How far the clocks may differ where a token says itself how long it lives.
const SKEW_S: i64 = 1;
/// A token that the simulator makes for an address lives so long.
const URL_LIFE_S: i64 = 60;
/// What tokens for addresses are signed with.
const URL_ALGORITHMS: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];

pub(crate) fn check(given: &str, body: &[u8], key: &str, now: Moment) -> Result<(), Refusal> {
    let token = given.strip_prefix("Bearer ").ok_or(Refusal::Forged)?;
    let claims = claims_by(token, key, &[Algorithm::HS256]).ok_or(Refusal::Forged)?;
    let hash = claims["payload_hash"].as_str().ok_or(Refusal::Forged)?;
    genuine(same(
        hash.to_ascii_lowercase().as_bytes(),
        sha256_hex(body).as_bytes(),
    ))?;
    let issued_at = claims["iat"].as_i64().ok_or(Refusal::Forged)?;
    fresh(issued_at, now, AGE_MAX_S, AHEAD_MAX_S)
}

/// The claims of a token whose signature is right. Its times are judged by our own clock, not here.
pub(crate) fn claims_by(token: &str, key: &str, algorithms: &[Algorithm]) -> Option<Json> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.algorithms = algorithms.to_vec();
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
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

/// A token with the hashes of the address and the body, which lives as long as it says.
pub(crate) fn check_url(
    callback: &Callback<'_>,
    token: &str,
    key: &str,
    issuer: Option<&str>,
    now: Moment,
) -> Result<(), Refusal> {
    let claims = claims_by(token, key, &URL_ALGORITHMS).ok_or(Refusal::Forged)?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let hashed = |name, of: &[u8]| genuine(same(text(name).as_bytes(), sha256_hex(of).as_bytes()));
    hashed("url_hash", callback.url.as_bytes())?;
    match callback.body.is_empty() {
        true => genuine(claims["payload_hash"].is_null())?,
        false => hashed("payload_hash", callback.body)?,
    }
    genuine(issuer.is_none_or(|issuer| text("iss") == issuer))?;
    let time = |name: &str| claims[name].as_i64().ok_or(Refusal::Forged);
    let now_s = now.0 / 1000;
    let living = time("nbf")? <= now_s + SKEW_S && now_s - SKEW_S < time("exp")?;
    living.then_some(()).ok_or(Refusal::Stale)
}

pub(crate) fn made_for_url(
    url: &str,
    body: &[u8],
    key: &str,
    issuer: Option<&str>,
    now: Moment,
) -> Option<String> {
    let now_s = now.0 / 1000;
    let mut claims = json!({
        "nbf": now_s, "exp": now_s + URL_LIFE_S,
        "jti": sha256_hex(url.as_bytes()), "url_hash": sha256_hex(url.as_bytes()),
    });
    if let Some(issuer) = issuer {
        claims["iss"] = Json::from(issuer);
    }
    if !body.is_empty() {
        claims["payload_hash"] = Json::from(sha256_hex(body));
    }
    let key = EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
}
