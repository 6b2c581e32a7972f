//! The listener that Okta calls: who may call, what is a hook call, and its answer.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use subtle::{Choice, ConstantTimeEq};

use crate::catalog::Catalog;
use crate::config::{Config, NO_ORG, Org};
use crate::dispatch::{Dispatch, How, Told};
use crate::flow::{DeliveryId, Message};
use crate::okta;
use crate::server::Handler;
use crate::server::health::health;
use crate::server::receipts::{RECEIPTS_PATH, receipts};
use crate::server::reply::{BodyFault, Response, json, read_body, refusal, with_type};
use crate::server::voice::{VOICE_PATH, voice};
use crate::telemetry::{Telemetry, seconds};
use crate::time::Clock;

/// A hook call's body, at most.
const HOOK_BYTES_MAX: usize = 64 * 1024;
const HOOK_PATH: &str = "/okta/telephony";

/// Answers Okta.
pub struct HookHandler {
    pub dispatch: Arc<Dispatch>,
    pub catalog: Arc<ArcSwap<Catalog>>,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
}

impl Handler for HookHandler {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, peer: SocketAddr) -> Response {
        match request.uri().path() {
            HOOK_PATH => self.hook(request, peer).await,
            "/healthz" | "/readyz" => health(&request, &self.dispatch).await,
            path if path.starts_with(RECEIPTS_PATH) => receipts(&self.dispatch, request).await,
            path if path.starts_with(VOICE_PATH) => voice(&self.dispatch, request).await,
            _ => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

/// The orgs that a call may be of.
struct Callers<'a> {
    config: &'a Config,
    /// Those whose credential the call has.
    proven: Vec<&'a Arc<Org>>,
}

impl HookHandler {
    async fn hook(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let received_at = self.clock.now();
        if request.method() != Method::POST {
            return not_allowed();
        }
        let catalog = self.catalog.load_full();
        let (head, body) = request.into_parts();
        let body = match read_body(body, HOOK_BYTES_MAX).await {
            Ok(body) => body,
            Err(fault) => return self.refuse(fault),
        };
        let Some(callers) = Callers::of(&catalog.config, &head.headers, peer) else {
            self.count("unknown", "unknown", "unauthenticated");
            let message = "the credential is missing or wrong";
            return refusal(StatusCode::UNAUTHORIZED, message);
        };
        if !is_json(&head.headers) {
            let message = "the content type must be application/json";
            return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        }
        let call = match okta::Request::read(&body) {
            Ok(call) => call,
            Err(fault) => {
                self.count("unknown", "unknown", "malformed");
                let told = json!({ "message": fault.message, "where": fault, "status": 400 });
                return json(StatusCode::BAD_REQUEST, &told);
            }
        };
        let org = match callers.org(call.source_host().as_deref()) {
            Ok(org) => org,
            Err(message) => {
                self.count("unknown", "unknown", "unauthenticated");
                return refusal(StatusCode::UNAUTHORIZED, message);
            }
        };
        let name = org.map_or_else(|| Arc::from(NO_ORG), |o| Arc::clone(&o.name));
        if let Some(event_time) = call.event_time() {
            let age = self.telemetry.hook_age.with_label_values(&[&*name]);
            age.observe(seconds(received_at.ms_since(event_time)));
        }
        let country = org.and_then(|o| o.default_country);
        let message = call.into_message(DeliveryId::mint(), name, country, received_at);
        self.answer(message, org.cloned(), catalog).await
    }

    async fn answer(
        &self,
        message: Message,
        org: Option<Arc<Org>>,
        catalog: Arc<Catalog>,
    ) -> Response {
        let (name, channel) = (Arc::clone(&message.org), message.channel);
        let (received_at, preview) = (message.received_at, message.preview);
        let pending_as_pending = catalog.config.hook.pending_as_pending;
        let told = self.dispatch.admit(message, catalog).await;
        let okta_failover = !org.is_some_and(|o| o.okta_failover_disabled);
        let status = status(&told.how, preview, okta_failover, pending_as_pending);
        let answer = status.map_or("nobody", okta::Status::as_str);
        self.count(&name, channel.as_str(), answer);
        let took = self.clock.now().ms_since(received_at);
        let durations = &self.telemetry.hook_duration;
        durations
            .with_label_values(&[channel.as_str()])
            .observe(seconds(took));
        match status {
            Some(status) => with_type(StatusCode::OK, "application/json", body(&told, status)),
            None => {
                tracing::error!(delivery = %told.delivery, org = %name,
                    "neither the journal nor a vendor could be reached: Okta is told to help itself");
                let message = "neither the journal nor a vendor could be reached";
                refusal(StatusCode::SERVICE_UNAVAILABLE, message)
            }
        }
    }

    fn refuse(&self, fault: BodyFault) -> Response {
        self.count("unknown", "unknown", "malformed");
        match fault {
            BodyFault::TooLarge => refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a hook call has at most {HOOK_BYTES_MAX} bytes"),
            ),
            BodyFault::TooSlow => refusal(StatusCode::BAD_REQUEST, "the body did not come in time"),
            BodyFault::Broken => refusal(StatusCode::BAD_REQUEST, "the body broke off"),
        }
    }

    fn count(&self, org: &str, channel: &str, answer: &str) {
        let requests = &self.telemetry.hook_requests;
        requests.with_label_values(&[org, channel, answer]).inc();
    }
}

impl<'a> Callers<'a> {
    /// Who a call may be of, by its credentials; `None` for nobody. Every secret is compared, so that the
    /// time it takes tells nothing.
    fn of(config: &'a Config, headers: &HeaderMap, peer: SocketAddr) -> Option<Callers<'a>> {
        if config.orgs.is_empty() {
            let proven = Vec::new();
            let local = peer.ip().to_canonical().is_loopback();
            return local.then_some(Callers { config, proven });
        }
        let proves = |org: &&Arc<Org>| {
            let mut proven = Choice::from(0);
            for auth in &org.headers {
                let given = headers.get(&auth.header).map(HeaderValue::as_bytes);
                let same = given
                    .unwrap_or_default()
                    .ct_eq(auth.value.expose().as_bytes());
                proven |= same & Choice::from(u8::from(given.is_some()));
            }
            bool::from(proven)
        };
        let proven: Vec<_> = config.orgs.iter().filter(proves).collect();
        (!proven.is_empty()).then_some(Callers { config, proven })
    }

    /// The one org that a call is of: `source` must name it, or be absent where only one fits.
    fn org(&self, source_host: Option<&str>) -> Result<Option<&'a Arc<Org>>, &'static str> {
        if self.config.orgs.is_empty() {
            return Ok(None);
        }
        let named = |org: &&&Arc<Org>| match source_host {
            Some(host) => org.hosts.is_empty() || org.hosts.iter().any(|h| h == host),
            None => true,
        };
        let mut fitting = self.proven.iter().filter(named);
        match (fitting.next(), fitting.next()) {
            (Some(org), None) => Ok(Some(org)),
            (None, _) => Err("`source` names another org than the credential"),
            (Some(_), Some(_)) => Err("more than one org has this credential and `source`"),
        }
    }
}

/// What Okta hears; `None` when nobody owns the message, so that Okta's own failover is the right one.
fn status(
    how: &How,
    preview: bool,
    okta_failover: bool,
    pending_as_pending: bool,
) -> Option<okta::Status> {
    Some(match how {
        How::Accepted { .. } => okta::Status::Successful,
        // Nobody waits for a preview's code; the administrator should see that it did not go out.
        How::Pending | How::Never | How::Nobody | How::Expired if preview => okta::Status::Failed,
        How::Nobody => return None,
        // `FAILED` makes Okta send the message itself, except where Okta has switched that off.
        How::Never if !okta_failover => okta::Status::Failed,
        How::Pending if pending_as_pending => okta::Status::Pending,
        How::Pending | How::Never | How::Expired => okta::Status::Successful,
    })
}

fn body(told: &Told, status: okta::Status) -> String {
    let accepted = match &told.how {
        How::Accepted {
            vendor,
            message_id,
            attempt,
        } => Some((vendor.as_str(), message_id.as_str(), *attempt)),
        How::Pending | How::Never | How::Expired | How::Nobody => None,
    };
    let answer = okta::Answer {
        status,
        accepted,
        delivery: told.delivery,
        ms: told.ms,
        rule: &told.rule,
        rules: &told.rules,
        reason: &told.reason,
    };
    answer.to_json()
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = value.and_then(|v| v.split(';').next()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn not_allowed() -> Response {
    let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "only POST is allowed here");
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_is_said_only_where_it_cannot_make_okta_send() {
        let accepted = How::Accepted {
            vendor: "v".to_owned(),
            message_id: "m".to_owned(),
            attempt: 1,
        };
        let check = |how: &How, preview, failover, expected: &str| {
            let said = status(how, preview, failover, false);
            assert_eq!(
                said.map_or("503", okta::Status::as_str),
                expected,
                "{how:?}"
            );
        };
        check(&accepted, true, false, "successful");
        check(&How::Pending, false, true, "successful");
        check(&How::Pending, true, true, "failed");
        check(&How::Never, false, true, "successful");
        check(&How::Never, false, false, "failed");
        check(&How::Expired, false, false, "successful");
        check(&How::Nobody, false, true, "503");
        check(&How::Nobody, true, true, "failed");
        let pending = status(&How::Pending, false, true, true);
        assert_eq!(pending, Some(okta::Status::Pending));
    }
}
