//! HMAC-SHA256 over the body, alone or with headers, perhaps with a time that must be of these minutes.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use crate::time::Moment;
use crate::vendor::keyed::{Keyed, Parts};
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::{fresh, genuine, header, same, sha256_hex};
use crate::vendor::template::{Fill, Slot};

/// A receipt with a time is believed this long before and after it.
const TOLERANCE_S: i64 = 300;
/// Letters of the nonce that the simulator makes up.
const NONCE_CHARS: usize = 26;

/// What is signed of a receipt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyedReceipt {
    pub(crate) keyed: Keyed,
    /// The header with the time, in seconds.
    pub(crate) timestamp: Option<HeaderName>,
}

impl KeyedReceipt {
    pub(crate) fn check(
        &self,
        callback: &Callback<'_>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<(), Refusal> {
        let parts = Parts {
            method: callback.method,
            url: callback.url,
            headers: callback.headers,
            body: callback.body,
        };
        let given = header(callback.headers, &self.keyed.header)?;
        let expected = self.keyed.value(&parts, fill).ok_or(Refusal::Forged)?;
        let folded = |text: &str| match (self.keyed.hex, text.split_once(' ')) {
            (true, _) => text.to_ascii_lowercase(),
            // The name of a scheme is written in any case (RFC 9110, 11.1).
            (false, Some((scheme, rest))) if self.keyed.header == AUTHORIZATION => {
                format!("{} {rest}", scheme.to_ascii_lowercase())
            }
            (false, _) => text.to_owned(),
        };
        let (given, expected) = (folded(given), folded(&expected));
        genuine(same(given.as_bytes(), expected.as_bytes()))?;
        let Some(timestamp) = &self.timestamp else {
            return Ok(());
        };
        let at_s = header(callback.headers, timestamp)?;
        let at_s = at_s.parse().map_err(|_| Refusal::Forged)?;
        fresh(at_s, now, TOLERANCE_S, TOLERANCE_S)
    }

    /// The headers that are signed and that the simulator makes up.
    pub(crate) fn stamps(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Moment,
    ) -> Vec<(HeaderName, String)> {
        let named = self.keyed.signed.slots().filter_map(|slot| match slot {
            Slot::Header(name) => name.parse::<HeaderName>().ok(),
            _ => None,
        });
        let made = |name: HeaderName| {
            let value = match self.timestamp == Some(name.clone()) {
                true => (now.0 / 1000).to_string(),
                false => sha256_hex(body).chars().take(NONCE_CHARS).collect(),
            };
            (name, value)
        };
        named
            .filter(|name| !headers.contains_key(name))
            .map(made)
            .collect()
    }
}
