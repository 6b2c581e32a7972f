//! Asks a running router through its admin listener.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value as Json;

use crate::config::Config;
use crate::flow::Secret;

/// A router on the same machine answers faster than this, or not at all.
const ANSWER_MAX: Duration = Duration::from_millis(800);

/// A running router's admin listener.
pub(super) struct Admin {
    base: String,
    token: Option<Secret>,
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// Nobody listens there.
    Nobody(String),
    /// It says no, and why.
    Refused(StatusCode, String),
}

impl Admin {
    /// The one that a configuration names.
    pub(super) fn of(config: &Config) -> Admin {
        let mut address = config.admin.listen;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Admin {
            base: format!("http://{address}"),
            token: config.admin.token.clone(),
        }
    }

    /// One at a given address.
    pub(super) fn at(base: &str, config: &Config) -> Admin {
        Admin {
            base: base.trim_end_matches('/').to_owned(),
            token: config.admin.token.clone(),
        }
    }

    /// Its vendors; `None` when nobody answers.
    pub(super) async fn vendors(&self) -> Option<Vec<Json>> {
        match self.get("/api/v1/vendors").await {
            Ok(Json::Array(vendors)) => Some(vendors),
            Ok(_) | Err(_) => None,
        }
    }

    /// The quotas of its rules; `None` when nobody answers.
    pub(super) async fn quotas(&self) -> Option<Vec<Json>> {
        match self.get("/api/v1/rules").await {
            Ok(mut rules) => serde_json::from_value(rules["quotas"].take()).ok(),
            Err(_) => None,
        }
    }

    /// Any path of its API.
    pub(super) async fn get(&self, path: &str) -> Result<Json, Unanswered> {
        let nobody = |error: reqwest::Error| {
            let error = error.without_url();
            Unanswered::Nobody(format!("no router answers at {}: {error}", self.base))
        };
        let client = Client::builder().no_proxy().timeout(ANSWER_MAX).build();
        let mut request = client.map_err(nobody)?.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let response = request.send().await.map_err(nobody)?;
        let status = response.status();
        let body = response.bytes().await.map_err(nobody)?;
        let body: Json = serde_json::from_slice(&body).unwrap_or(Json::Null);
        if status.is_success() {
            return Ok(body);
        }
        let message = body["message"].as_str().unwrap_or("no reason given");
        Err(Unanswered::Refused(status, message.to_owned()))
    }
}
