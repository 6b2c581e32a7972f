//! The receipts that the simulator sends, and how they are forged.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request};

use crate::flow::Progress;
use crate::time::Moment;
use crate::vendor::receipt::written::Written;
use crate::vendor::request::pairs;
use crate::vendor::signature::envelope;
use crate::vendor::template::{Fill, Slot, Tree};

/// A receipt that the simulator is to send.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// Where the client wants it.
    pub url: &'a str,
    pub message_id: &'a str,
    /// The client's own name for the message.
    pub reference: Option<&'a str>,
    /// The number as E.164.
    pub to: &'a str,
    pub progress: Progress,
    /// Why it failed; the definition's default otherwise.
    pub code: Option<&'a str>,
    /// To be signed wrongly, on purpose.
    pub forged: bool,
}

/// What the simulator sends.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedReceipt {
    pub(crate) written: Written,
    /// A table, unless it is JSON.
    pub(crate) body: Tree,
    /// Where the vendor tells of more than the end.
    pub(crate) intermediate: Option<String>,
    pub(crate) delivered: String,
    pub(crate) failed: String,
    pub(crate) default_error: String,
}

/// Where a signature was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedIn {
    /// Nothing is signed: the secret is in the path.
    Path,
    /// The last thing in the query.
    Query,
    Header(HeaderName),
    /// In the envelope that the body is.
    Envelope,
}

impl SimulatedReceipt {
    pub(super) fn request(&self, told: &Told<'_>, now: Moment) -> Option<Request<Bytes>> {
        let (status, error) = match told.progress {
            Progress::Intermediate => (self.intermediate.as_ref()?, None),
            Progress::Delivered => (&self.delivered, None),
            Progress::Failed => (&self.failed, Some(told.code.unwrap_or(&self.default_error))),
            Progress::Unknown => return None,
        };
        let fill = |slot: &Slot| match slot {
            Slot::Id => Some(told.message_id.to_owned()),
            Slot::Status => Some(status.clone()),
            Slot::Error => error.map(str::to_owned),
            Slot::To => Some(told.to.to_owned()),
            Slot::Reference => told.reference.map(str::to_owned),
            Slot::Now => Some(now.to_rfc3339()),
            // Nothing else may stand in a receipt.
            _ => None,
        };
        let (method, url, content_type, body) = self.parts(told.url, &fill)?;
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .body(Bytes::from(body))
            .ok()?;
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        Some(request)
    }

    fn parts(
        &self,
        url: &str,
        fill: &Fill<'_>,
    ) -> Option<(Method, String, Option<&'static str>, String)> {
        Some(match self.written {
            Written::Form => {
                let body = pairs(self.body.fields(), fill).ok()?;
                let form = "application/x-www-form-urlencoded";
                (Method::POST, url.to_owned(), Some(form), body)
            }
            Written::Json => {
                let body = self.body.fill(fill).ok()??.to_string();
                (Method::POST, url.to_owned(), Some("application/json"), body)
            }
            Written::Query => {
                let joint = if url.contains('?') { '&' } else { '?' };
                let url = format!("{url}{joint}{}", pairs(self.body.fields(), fill).ok()?);
                (Method::GET, url, None, String::new())
            }
        })
    }
}

/// Changes one character of what proves the receipt.
pub(super) fn forge(request: &mut Request<Bytes>, signed_in: &SignedIn) -> Option<()> {
    let url = request.uri().to_string();
    match signed_in {
        SignedIn::Path => {
            let path = request.uri().path();
            let forged = url.replacen(path, &changed(path), 1);
            *request.uri_mut() = forged.parse().ok()?;
        }
        SignedIn::Query => *request.uri_mut() = changed(&url).parse().ok()?,
        SignedIn::Envelope => {
            *request.body_mut() = envelope::with_signature(request.body(), changed)?;
        }
        SignedIn::Header(name) => {
            let value = changed(request.headers().get(name)?.to_str().ok()?);
            request.headers_mut().insert(name, value.parse().ok()?);
        }
    }
    Some(())
}

/// Another character near the end; the last ones may be padding, which some readers skip.
fn changed(text: &str) -> String {
    let at = text.chars().count().saturating_sub(5);
    let change = |(i, c)| match c {
        '1' if i == at => '2',
        _ if i == at => '1',
        c => c,
    };
    text.chars().enumerate().map(change).collect()
}
