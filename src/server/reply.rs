//! Bodies in and out: reading within limits, writing JSON.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};
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

impl BodyFault {
    /// What a vendor hears whose request has it.
    pub fn refusal(self) -> Response {
        match self {
            BodyFault::TooLarge => refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            BodyFault::TooSlow | BodyFault::Broken => {
                refusal(StatusCode::BAD_REQUEST, "the body could not be read")
            }
        }
    }
}

/// What a vendor hears that comes with another method.
pub fn neither_get_nor_post(method: &Method) -> Option<Response> {
    if matches!(*method, Method::GET | Method::POST) {
        return None;
    }
    let mut response = refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        "only GET and POST are allowed here",
    );
    let allow = HeaderValue::from_static("GET, POST");
    response.headers_mut().insert(ALLOW, allow);
    Some(response)
}

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// When it is larger, slower than `BODY_TIME_MAX`, or breaks off.
pub async fn read_body(mut body: Incoming, most: usize) -> Result<Bytes, BodyFault> {
    if body.size_hint().lower() > DISCARDED_MAX as u64 {
        return Err(BodyFault::TooLarge);
    }
    let mut read = Read::default();
    let ended = tokio::time::timeout(BODY_TIME_MAX, read.all(&mut body, most)).await;
    if read.seen > most {
        return Err(BodyFault::TooLarge);
    }
    ended.map_err(|_| BodyFault::TooSlow)??;
    Ok(read.kept.freeze())
}

#[derive(Default)]
struct Read {
    seen: usize,
    kept: BytesMut,
}

impl Read {
    /// Reads on beyond the limit for a while and forgets it, so that the caller hears the refusal rather
    /// than a broken connection.
    async fn all(&mut self, body: &mut Incoming, most: usize) -> Result<(), BodyFault> {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyFault::Broken)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.seen += data.len();
            if self.seen > DISCARDED_MAX {
                break;
            }
            if self.seen <= most {
                self.kept.extend_from_slice(&data);
            }
        }
        Ok(())
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

/// No body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// `{"error": ...}` for people; never sent where Okta would read an `error` object as an order.
pub fn refusal(status: StatusCode, message: impl AsRef<str>) -> Response {
    json(
        status,
        &serde_json::json!({ "message": message.as_ref(), "status": status.as_u16() }),
    )
}
