//! Vendors' receipts: who they are of, and what the vendor hears.

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use tokio::sync::Semaphore;

use crate::dispatch::{ReceiptRequest, Taken, TakesReceipts};
use crate::server::reply::{Response, empty, json, neither_get_nor_post, read_body, refusal};

/// The path begins so; the vendor's account follows, then perhaps a reference.
pub(crate) const RECEIPTS_PATH: &str = "/receipts/";
/// A request with receipts, at most.
const RECEIPT_BYTES_MAX: usize = 256 * 1024;

/// Requests with receipts read at a time: 64 MiB at most. More are told to come again.
static ROOM: Semaphore = Semaphore::const_new(256);

/// Takes a request with receipts in.
pub(crate) async fn receipts(
    dispatch: &impl TakesReceipts,
    request: Request<Incoming>,
) -> Response {
    let (head, body) = request.into_parts();
    if let Some(refused) = neither_get_nor_post(&head.method) {
        return refused;
    }
    let path = head.uri.path();
    let named = path.strip_prefix(RECEIPTS_PATH).unwrap_or_default();
    let (vendor, reference) = match named.trim_end_matches('/').split_once('/') {
        Some((vendor, reference)) => (vendor, Some(reference)),
        None => (named.trim_end_matches('/'), None),
    };
    if !dispatch.is_reporting(vendor) {
        return no_vendor();
    }
    let Ok(_room) = ROOM.try_acquire() else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "come again later");
    };
    let body = match read_body(body, RECEIPT_BYTES_MAX).await {
        Ok(body) => body,
        Err(fault) => return fault.refusal(),
    };
    let received = ReceiptRequest {
        vendor,
        reference,
        method: &head.method,
        path: head.uri.path_and_query().map_or(path, |p| p.as_str()),
        headers: &head.headers,
        body: &body,
    };
    match dispatch.take_receipts(&received).await {
        Taken::Kept(status) => empty(status),
        Taken::Greeted(Some(reply)) => json(StatusCode::OK, &reply),
        Taken::Greeted(None) => empty(StatusCode::OK),
        Taken::NoVendor => no_vendor(),
        Taken::Unproven => refusal(StatusCode::FORBIDDEN, "it is not proven to be the vendor's"),
        Taken::Unreadable => refusal(StatusCode::BAD_REQUEST, "it cannot be read as a receipt"),
        Taken::NotKept => refusal(StatusCode::SERVICE_UNAVAILABLE, "come again later"),
    }
}

fn no_vendor() -> Response {
    refusal(StatusCode::NOT_FOUND, "there is no such vendor account")
}
