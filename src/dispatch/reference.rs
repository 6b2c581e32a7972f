//! The references in the addresses that vendors are given: which attempt is meant, for what, and that we wrote it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::flow::DeliveryId;
use crate::journal::{Journal, REFERENCE_SEAL_BYTES};
use crate::time::Moment;

/// Receipts come minutes later, in a vendor's trouble hours later.
const LIFE_MS: i64 = 48 * 3_600_000;
/// The delivery, then the attempt's number.
const MEANT_BYTES: usize = 17;

/// In no vendor's name, which is a text: this byte is in none.
const SCRIPT_MARK: u8 = 0xff;

/// What a reference is good for. One of one kind is worth nothing as one of another.
#[derive(Clone, Copy)]
pub(super) enum Use<'a> {
    /// For this vendor to report on the attempt.
    Receipts(&'a str),
    /// To fetch what the attempt's call is to say.
    Script,
}

/// A reference to one attempt, for one use: 36 letters, digits, `-` and `_`. Whoever has not been given it
/// cannot make it up.
pub(super) fn write(journal: &Journal, id: DeliveryId, attempt: usize, of: Use<'_>) -> String {
    let mut bytes = [0; MEANT_BYTES + REFERENCE_SEAL_BYTES];
    bytes[..16].copy_from_slice(id.as_bytes());
    bytes[16] = u8::try_from(attempt).unwrap_or(u8::MAX);
    let seal = seal(journal, &bytes[..MEANT_BYTES], of);
    bytes[MEANT_BYTES..].copy_from_slice(&seal);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a reference means; `None` when it is not one that we gave for this use, or gave it too long ago.
pub(super) fn read(
    journal: &Journal,
    text: &str,
    of: Use<'_>,
    now: Moment,
) -> Option<(DeliveryId, usize)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let bytes: [u8; MEANT_BYTES + REFERENCE_SEAL_BYTES] = bytes.try_into().ok()?;
    let (meant, given) = bytes.split_at(MEANT_BYTES);
    let expected = seal(journal, meant, of);
    let ours = bool::from(subtle::ConstantTimeEq::ct_eq(given, &expected[..]));
    let id: [u8; 16] = meant[..16].try_into().ok()?;
    let id = DeliveryId::from_bytes(id);
    let fresh = now.ms_since(id.minted_at()?) < LIFE_MS;
    (ours && fresh).then_some((id, usize::from(meant[16])))
}

/// Our open name for an attempt, as vendors echo it: `dlv_..-1`, counted from 1. It proves nothing.
pub(crate) fn name(id: DeliveryId, attempt: usize) -> String {
    format!("{id}-{}", attempt + 1)
}

/// What such a name means.
pub(super) fn named(text: &str) -> Option<(DeliveryId, usize)> {
    let (id, count) = text.rsplit_once('-')?;
    let count: usize = count.parse().ok()?;
    Some((DeliveryId::parse(id)?, count.checked_sub(1)?))
}

fn seal(journal: &Journal, meant: &[u8], of: Use<'_>) -> [u8; REFERENCE_SEAL_BYTES] {
    let mut bytes = meant.to_vec();
    match of {
        Use::Receipts(vendor) => bytes.extend_from_slice(vendor.as_bytes()),
        Use::Script => bytes.push(SCRIPT_MARK),
    }
    journal.reference_seal(&bytes)
}
