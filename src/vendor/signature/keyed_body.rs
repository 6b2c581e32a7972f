//! HMAC-SHA256 over the body, in hex or base64, with or without a prefix.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::vendor::receipt::Refusal;
use crate::vendor::signature::{genuine, hex, same};

/// How the signature and its key are written.
#[derive(Clone, Debug)]
pub(crate) struct Coding {
    /// Hex rather than base64.
    pub(crate) hex: bool,
    /// What stands before the signature, such as `sha256=`.
    pub(crate) prefix: String,
    /// Whether the key is base64 of the real one.
    pub(crate) key_base64: bool,
}

pub(crate) fn check(given: &str, body: &[u8], key: &str, coding: &Coding) -> Result<(), Refusal> {
    let expected = signature(body, key, coding).ok_or(Refusal::Forged)?;
    let folded = |text: &str| match coding.hex {
        true => text.to_ascii_lowercase(),
        false => text.to_owned(),
    };
    let (given, expected) = (folded(given), folded(&expected));
    genuine(same(given.as_bytes(), expected.as_bytes()))
}

pub(crate) fn signature(body: &[u8], key: &str, coding: &Coding) -> Option<String> {
    let key = match coding.key_base64 {
        true => STANDARD.decode(key).ok()?,
        false => key.as_bytes().to_vec(),
    };
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), body);
    let written = match coding.hex {
        true => hex(tag.as_ref()),
        false => STANDARD.encode(tag),
    };
    Some(format!("{}{written}", coding.prefix))
}
