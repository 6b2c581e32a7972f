//! Bodies in and out: reading within limits, writing JSON.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

/// What every handler gives.
pub type Response = hyper::Response<Full<Bytes>>;

/// A request's body takes no longer than this.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(1);

/// Of a body that is too large, so much is read and forgotten before it is refused.
const DISCARDED_MAX: usize = 4 * 1024 * 1024;

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

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// When it is larger, slower than `BODY_TIME_MAX`, or breaks off.
pub async fn read_body(body: Incoming, most: usize) -> Result<Bytes, BodyFault> {
    match tokio::time::timeout(BODY_TIME_MAX, read_within(body, most)).await {
        Ok(read) => read,
        Err(_) => Err(BodyFault::TooSlow),
    }
}

/// Reads on beyond the limit for a while and forgets it, so that the caller hears the refusal rather than a
/// broken connection.
async fn read_within(mut body: Incoming, most: usize) -> Result<Bytes, BodyFault> {
    let mut read = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyFault::Broken)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen > DISCARDED_MAX {
            break;
        }
        if seen <= most {
            read.extend_from_slice(&data);
        }
    }
    if seen > most {
        return Err(BodyFault::TooLarge);
    }
    Ok(read.freeze())
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
