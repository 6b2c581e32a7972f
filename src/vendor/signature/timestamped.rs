//! Ed25519 over `timestamp|body`, in base64; the time is in a header of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::time::Moment;
use crate::vendor::receipt::Refusal;
use crate::vendor::signature::fresh;

/// A receipt is believed this long before and after its time.
const TOLERANCE_S: i64 = 300;

pub(crate) fn check(
    signature: &str,
    timestamp: &str,
    body: &[u8],
    key: &str,
    now: Moment,
) -> Result<(), Refusal> {
    let decoded = |text: &str| STANDARD.decode(text.trim()).map_err(|_| Refusal::Forged);
    UnparsedPublicKey::new(&ED25519, decoded(key)?)
        .verify(&message(timestamp, body), &decoded(signature)?)
        .map_err(|_| Refusal::Forged)?;
    let at_s = timestamp.parse().map_err(|_| Refusal::Forged)?;
    fresh(at_s, now, TOLERANCE_S, TOLERANCE_S)
}

pub(crate) fn signature(timestamp: &str, body: &[u8], seed: &str) -> Option<String> {
    let seed = STANDARD.decode(seed).ok()?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
    Some(STANDARD.encode(pair.sign(&message(timestamp, body))))
}

fn message(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"|", body].concat()
}
