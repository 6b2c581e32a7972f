//! The listener for people and Prometheus: metrics, health, and the JSON API.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::dispatch::view::DeliveryView;
use crate::dispatch::{Dispatch, Switch};
use crate::explain::{Question, VendorNow, explain};
use crate::flow::DeliveryId;
use crate::journal::{Lookup, ReadError, Record};
use crate::problem::{Problems, Severity};
use crate::reload::Trigger;
use crate::sandbox::{Behaviour, Sandbox};
use crate::server::Handler;
use crate::server::health::health;
use crate::server::reply::{Response, json, read_body, refusal, with_type};
use crate::telemetry::Telemetry;
use crate::time::Moment;

/// A request's body, at most.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Deliveries in one answer, at most.
const FOUND_MAX: usize = 100;

/// Answers operators.
pub struct AdminHandler {
    pub dispatch: Arc<Dispatch>,
    pub telemetry: Arc<Telemetry>,
    pub reload: Trigger,
    /// Present with `--sandbox`.
    pub sandbox: Option<Arc<Sandbox>>,
}

impl Handler for AdminHandler {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: SocketAddr) -> Response {
        let path = request.uri().path().to_owned();
        if matches!(&*path, "/healthz" | "/readyz") {
            return health(&request, &self.dispatch).await;
        }
        if !self.knows(request.headers()) {
            let message = "send `Authorization: Bearer` and the token of `[admin]`";
            return refusal(StatusCode::UNAUTHORIZED, message);
        }
        // A page in an operator's browser must not be able to switch vendors off.
        if *request.method() != Method::GET && request.headers().contains_key("origin") {
            return refusal(StatusCode::FORBIDDEN, "not from a page in a browser");
        }
        let (head, body) = request.into_parts();
        let body = match read_body(body, BODY_BYTES_MAX).await {
            Ok(body) => body,
            Err(_) => return refusal(StatusCode::BAD_REQUEST, "the body could not be read"),
        };
        let query = Query::read(head.uri.query().unwrap_or_default());
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        self.route(&head.method, &segments, &query, body).await
    }
}

/// A query string's pairs; the last one of a name counts.
struct Query(HashMap<String, String>);

impl Query {
    fn read(query: &str) -> Query {
        Query(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }
}

impl AdminHandler {
    fn knows(&self, headers: &HeaderMap) -> bool {
        // The token of this moment: it may have been rotated.
        let catalog = self.dispatch.catalog.load();
        let Some(token) = &catalog.config.admin.token else {
            return true;
        };
        let given = headers.get(AUTHORIZATION).map(|v| v.as_bytes());
        let given = given.and_then(|v| v.strip_prefix(b"Bearer "));
        given.is_some_and(|g| bool::from(g.ct_eq(token.expose().as_bytes())))
    }

    async fn route(
        &self,
        method: &Method,
        segments: &[&str],
        query: &Query,
        body: Bytes,
    ) -> Response {
        let get = *method == Method::GET;
        match segments {
            ["metrics"] if get => {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                self.dispatch.show_health();
                self.dispatch.show_quotas();
                with_type(StatusCode::OK, kind, self.telemetry.exposition())
            }
            ["api", "v1", "vendors"] if get => json(StatusCode::OK, &self.dispatch.vendors()),
            ["api", "v1", "vendors", vendor, "off"] if *method == Method::POST => {
                self.switch_off(vendor, &body).await
            }
            ["api", "v1", "vendors", vendor, "off"] if *method == Method::DELETE => {
                self.switch(vendor, None).await
            }
            ["api", "v1", "rules"] if get => json(StatusCode::OK, &self.dispatch.rules()),
            ["api", "v1", "rules", "reload"] if *method == Method::POST => self.reload().await,
            ["api", "v1", "explain"] if get => self.explain(query),
            ["api", "v1", "deliveries"] if get => self.deliveries(query).await,
            ["api", "v1", "deliveries", id] if get => self.delivery(id).await,
            ["api", "v1", "sandbox"] if get => match &self.sandbox {
                Some(sandbox) => json(StatusCode::OK, &sandbox.state()),
                None => no_sandbox(),
            },
            ["api", "v1", "sandbox", vendor] if *method == Method::PUT => self.steer(vendor, &body),
            ["metrics"] | ["api", "v1", ..] => refusal(
                StatusCode::NOT_FOUND,
                "no such path, or not with this method",
            ),
            _ => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }

    async fn switch_off(&self, vendor: &str, body: &[u8]) -> Response {
        let switch = if body.is_empty() {
            Ok(Switch::default())
        } else {
            serde_json::from_slice(body)
        };
        match switch {
            Ok(switch) => self.switch(vendor, Some(switch)).await,
            Err(error) => {
                let hint = r#"a JSON object such as {"country": ["BR"], "until": "2026-11-24T09:00:00Z", "reason": "INC-1"}"#;
                refusal(StatusCode::BAD_REQUEST, format!("{error}; expected {hint}"))
            }
        }
    }

    async fn switch(&self, vendor: &str, switch: Option<Switch>) -> Response {
        let catalog = self.dispatch.catalog.load_full();
        if catalog.account(vendor).is_none() && switch.is_some() {
            return refusal(
                StatusCode::NOT_FOUND,
                format!("there is no vendor `{vendor}`"),
            );
        }
        tracing::warn!(
            vendor,
            off = switch.is_some(),
            "a vendor was switched by the API"
        );
        let switches = self.dispatch.switches();
        let mut kept = switches.set(&self.dispatch.journal, vendor, switch.clone());
        let durable = kept.durable().await.is_ok();
        let told = json!({ "vendor": vendor, "off": switch, "outlasts_a_restart": durable });
        json(StatusCode::OK, &told)
    }

    async fn reload(&self) -> Response {
        match self.reload.reload().await {
            Ok(version) => json(StatusCode::OK, &json!({ "rules": version })),
            Err(problems) => json(
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!({ "message": "the rules in force stay", "problems": told(&problems) }),
            ),
        }
    }

    fn explain(&self, query: &Query) -> Response {
        let Some(to) = query.get("to") else {
            return refusal(
                StatusCode::BAD_REQUEST,
                "`to` is missing: a number with `+`",
            );
        };
        let text = |name| query.get(name).map(str::to_owned);
        let question = Question {
            // In a query a bare plus is a space.
            to: match to.strip_prefix(' ') {
                Some(digits) => format!("+{digits}"),
                None => to.to_owned(),
            },
            channel: Some(match query.get("channel") {
                Some("voice") => crate::flow::Channel::Voice,
                Some("sms") | None => crate::flow::Channel::Sms,
                Some(_) => {
                    return refusal(StatusCode::BAD_REQUEST, "`channel` is `sms` or `voice`");
                }
            }),
            org: text("org"),
            request_type: text("request_type"),
            locale: text("locale"),
            user: text("user"),
            login: text("login"),
            text: query.0.get("text").cloned(),
            at: match query.get("at").map(Moment::from_day_or_rfc3339) {
                Some(None) => {
                    let message = "`at` is a day or a time, such as 2027-01-31";
                    return refusal(StatusCode::BAD_REQUEST, message);
                }
                Some(at) => at,
                None => None,
            },
        };
        let catalog = self.dispatch.catalog.load_full();
        if let Some(mistake) = question.mistake(&catalog) {
            return refusal(StatusCode::BAD_REQUEST, mistake);
        }
        let now = self.dispatch.clock.now();
        let mut explained = explain(&catalog, &question, now);
        let country = explained.country;
        explained.note_vendors(|vendor| {
            let switch = self.dispatch.switches().get(vendor);
            let off = switch.and_then(|s| s.reason_for(country, now));
            Some(VendorNow {
                off,
                last: self.dispatch.last_seen(vendor),
                health: Some(self.dispatch.health_in(vendor, country)),
            })
        });
        if question.at.is_none() {
            self.dispatch.note_quotas(&mut explained);
        }
        self.dispatch.note_order(&mut explained);
        json(StatusCode::OK, &explained)
    }

    async fn deliveries(&self, query: &Query) -> Response {
        let lookup = match (query.get("phone"), query.get("user"), query.get("event")) {
            (Some(phone), None, None) => {
                let digits = phone.trim().trim_start_matches('+');
                Lookup::Phone(format!("+{digits}"))
            }
            (None, Some(user), None) => Lookup::User(user.to_owned()),
            (None, None, Some(event)) => Lookup::Event(event.to_owned()),
            _ => {
                let message = "give one of `phone`, `user` and `event`";
                return refusal(StatusCode::BAD_REQUEST, message);
            }
        };
        let journal = Arc::clone(&self.dispatch.journal);
        let found = tokio::task::spawn_blocking(move || journal.find(&lookup, FOUND_MAX)).await;
        match found {
            Ok(Ok(records)) => {
                let views: Vec<DeliveryView> = records.iter().map(DeliveryView::of).collect();
                json(StatusCode::OK, &views)
            }
            Ok(Err(error)) => unreadable(&error),
            Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the look-up broke off"),
        }
    }

    async fn delivery(&self, id: &str) -> Response {
        let Some(id) = DeliveryId::parse(id) else {
            let message = "not a delivery's id: `dlv_` and 32 hexadecimal digits";
            return refusal(StatusCode::BAD_REQUEST, message);
        };
        let journal = Arc::clone(&self.dispatch.journal);
        let found: Result<Result<Option<Record>, ReadError>, _> =
            tokio::task::spawn_blocking(move || journal.delivery(id)).await;
        match found {
            Ok(Ok(Some(record))) => json(StatusCode::OK, &DeliveryView::of(&record)),
            Ok(Ok(None)) => refusal(StatusCode::NOT_FOUND, "there is no such delivery"),
            Ok(Err(error)) => unreadable(&error),
            Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the look-up broke off"),
        }
    }

    fn steer(&self, vendor: &str, body: &[u8]) -> Response {
        let Some(sandbox) = &self.sandbox else {
            return no_sandbox();
        };
        // The bare word, or the word as a JSON string, or {"behaviour": word}.
        let text = String::from_utf8_lossy(body);
        let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let word = match &value {
            Some(serde_json::Value::String(word)) => word,
            Some(value) if value.get("behaviour").is_some_and(|b| b.is_string()) => {
                value["behaviour"].as_str().unwrap_or_default()
            }
            Some(_) | None => text.trim(),
        };
        match word.parse::<Behaviour>() {
            Err(error) => refusal(StatusCode::BAD_REQUEST, error.to_string()),
            Ok(behaviour) => {
                let shown = behaviour.to_string();
                if !sandbox.steer(vendor, behaviour) {
                    let message = format!("there is no vendor `{vendor}`");
                    return refusal(StatusCode::NOT_FOUND, message);
                }
                json(
                    StatusCode::OK,
                    &json!({ "vendor": vendor, "behaviour": shown }),
                )
            }
        }
    }
}

fn no_sandbox() -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        "start with `serve --sandbox` to simulate vendors",
    )
}

fn unreadable(error: &ReadError) -> Response {
    tracing::error!(%error, "the journal could not be read");
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "the journal cannot be read",
    )
}

/// Problems as JSON, the errors only.
fn told(problems: &Problems) -> Vec<serde_json::Value> {
    let errors = problems.sorted().into_iter();
    errors
        .filter(|p| p.severity == Severity::Error)
        .map(crate::problem::Problem::to_json)
        .collect()
}
