//! Liveness and readiness, on both listeners.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use crate::dispatch::Dispatch;
use crate::server::reply::{Response, json, refusal};

/// Answers `/healthz` and `/readyz`. Ready means: rules are loaded, and the journal keeps what it is given.
pub(super) async fn health(request: &Request<Incoming>, dispatch: &Arc<Dispatch>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed here");
    }
    if request.uri().path() == "/healthz" {
        return json(StatusCode::OK, &json!({ "status": "alive" }));
    }
    let writable = dispatch.is_journal_writable().await;
    let rules = dispatch.catalog.load().rules.version().to_string();
    if writable {
        return json(
            StatusCode::OK,
            &json!({ "status": "ready", "rules": rules, "journal": "writable" }),
        );
    }
    let told = json!({ "status": "not ready", "rules": rules, "journal": "not writable" });
    json(StatusCode::SERVICE_UNAVAILABLE, &told)
}
