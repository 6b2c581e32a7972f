//! Bodies in and out: reading within limits, writing JSON.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

/// What every handler gives.
pub type Response = hyper::Response<Full<Bytes>>;

/// A request's body takes no longer than this.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(1);

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// More bytes than allowed.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// Whether the declared length already says that the body is too large.
pub fn declared_too_large(body: &Incoming, most: usize) -> bool {
    body.size_hint().lower() > most as u64
}

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// When it is larger, slower than `BODY_TIME_MAX`, or breaks off.
pub async fn read_body(body: Incoming, most: usize) -> Result<Bytes, BodyFault> {
    if declared_too_large(&body, most) {
        return Err(BodyFault::TooLarge);
    }
    let read = Limited::new(body, most).collect();
    match tokio::time::timeout(BODY_TIME_MAX, read).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(BodyFault::TooLarge)
        }
        Ok(Err(_)) => Err(BodyFault::Broken),
        Err(_) => Err(BodyFault::TooSlow),
    }
}

/// A body of a given type.
pub fn with_type(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

/// A JSON body.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    with_type(status, "application/json", body)
}

/// `{"error": ...}` for people; never sent where Okta would read an `error` object as an order.
pub fn refusal(status: StatusCode, message: impl AsRef<str>) -> Response {
    json(
        status,
        &serde_json::json!({ "message": message.as_ref(), "status": status.as_u16() }),
    )
}
