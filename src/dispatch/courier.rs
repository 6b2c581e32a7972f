//! Calls vendors: one pooled client, each account's agreed rate, and what every way of failing means.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::Url;

use crate::delivery::LISTEN_MS;
use crate::flow::{Channel, Reason, VendorName, Verdict, VerdictKind};
use crate::time::Rate;
use crate::time::{Clock, Moment};
use crate::vendor::Account;

/// A vendor's connection is opened within this, or not at all.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A vendor's answer, at most; the rest is not read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A pooled connection may idle this long.
const IDLE_MAX: Duration = Duration::from_secs(90);
/// Between the requests that keep a connection open; shorter than what common proxies allow.
const WARM_EVERY: Duration = Duration::from_secs(45);
/// Addresses kept in the client's own type. Those with a message in them are forgotten soon.
const URLS_MAX: usize = 256;
/// Between pings on HTTP/2 connections.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Calls vendors.
pub(crate) struct Courier {
    client: reqwest::Client,
    gates: Mutex<HashMap<VendorName, Arc<Gate>>>,
    /// Addresses read before.
    urls: Mutex<HashMap<http::Uri, Url>>,
}

/// What holds a vendor back: its agreed rate, and its own wish to be left alone.
struct Gate {
    rate: Option<Rate>,
    limiter: Option<DefaultDirectRateLimiter>,
    not_before: AtomicI64,
}

impl Courier {
    /// Makes the client.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(crate) fn new() -> reqwest::Result<Courier> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_MAX)
            .timeout(Duration::from_millis(LISTEN_MS.unsigned_abs()))
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_while_idle(true)
            .build()?;
        Ok(Courier {
            client,
            gates: Mutex::default(),
            urls: Mutex::default(),
        })
    }

    /// Whether the vendor has room for one more call now. Asking uses a place.
    pub(super) fn may_call(&self, vendor: &VendorName, rate: Option<Rate>, now: Moment) -> bool {
        let gate = self.gate(vendor, rate);
        if now.0 < gate.not_before.load(Ordering::Relaxed) {
            return false;
        }
        gate.limiter.as_ref().is_none_or(|l| l.check().is_ok())
    }

    /// The vendor asked to be left alone until then.
    pub(super) fn leave_alone(&self, vendor: &VendorName, until: Moment) {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(vendor) {
            gate.not_before.fetch_max(until.0, Ordering::Relaxed);
        }
    }

    /// Until when a vendor asked to be left alone.
    pub(super) fn left_alone_until(&self, vendor: &str) -> Option<Moment> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let until = gates.get(vendor)?.not_before.load(Ordering::Relaxed);
        (until > 0).then_some(Moment(until))
    }

    fn gate(&self, vendor: &VendorName, rate: Option<Rate>) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(vendor)
            && gate.rate == rate
        {
            return Arc::clone(gate);
        }
        let not_before = gates
            .get(vendor)
            .map(|g| g.not_before.load(Ordering::Relaxed));
        let gate = Arc::new(Gate {
            rate,
            limiter: rate.and_then(limiter),
            not_before: AtomicI64::new(not_before.unwrap_or(0)),
        });
        gates.insert(Arc::clone(vendor), Arc::clone(&gate));
        gate
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn call(
        &self,
        account: &Account,
        channel: Channel,
        request: http::Request<Bytes>,
    ) -> Verdict {
        let Some(request) = self.request(request) else {
            return Verdict::failed(VerdictKind::Unavailable, Reason::Connect);
        };
        let mut response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => return failure(&error),
        };
        let mut body = BytesMut::new();
        while body.len() < ANSWER_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return failure(&error),
            }
        }
        body.truncate(ANSWER_BYTES_MAX);
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = response.status();
        head.headers = std::mem::take(response.headers_mut());
        account.verdict(channel, &head, &body)
    }

    /// The same request in the client's own type.
    fn request(&self, request: http::Request<Bytes>) -> Option<reqwest::Request> {
        let (head, body) = request.into_parts();
        let mut request = reqwest::Request::new(head.method, self.url(&head.uri)?);
        *request.headers_mut() = head.headers;
        *request.body_mut() = Some(body.into());
        Some(request)
    }

    /// Reading an address takes longer than anything else in a request, and an account has one or two.
    fn url(&self, uri: &http::Uri) -> Option<Url> {
        let mut known = self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = known.get(uri) {
            return Some(url.clone());
        }
        let url = Url::parse(&uri.to_string()).ok()?;
        if known.len() >= URLS_MAX {
            known.clear();
        }
        known.insert(uri.clone(), url.clone());
        Some(url)
    }

    /// Opens a connection to each address, so that the next message does not wait for TLS.
    pub(super) async fn warm(&self, origins: Vec<String>) {
        let mut opening = tokio::task::JoinSet::new();
        for origin in origins {
            let request = self.client.head(origin).timeout(CONNECT_MAX);
            opening.spawn(async move {
                if let Err(error) = request.send().await {
                    let error = error.without_url();
                    tracing::debug!(%error, "a vendor's connection could not be warmed");
                }
            });
        }
        opening.join_all().await;
    }

    /// Keeps connections open through quiet hours.
    pub(super) async fn keep_warm(&self, origins: impl Fn() -> Vec<String>) {
        loop {
            tokio::time::sleep(WARM_EVERY).await;
            self.warm(origins()).await;
        }
    }
}

/// A token bucket of the whole count, refilled evenly.
fn limiter(rate: Rate) -> Option<DefaultDirectRateLimiter> {
    let count = NonZeroU32::new(rate.count)?;
    let per = Duration::from_millis(u64::try_from(rate.per_ms).ok()?);
    let quota = Quota::with_period(per / count.get())?.allow_burst(count);
    Some(RateLimiter::direct(quota))
}

/// What an error of the client means. Nothing was sent when there was no connection.
fn failure(error: &reqwest::Error) -> Verdict {
    if error.is_connect() {
        Verdict::failed(VerdictKind::Unavailable, Reason::Connect)
    } else if error.is_timeout() {
        Verdict::failed(VerdictKind::Ambiguous, Reason::Timeout)
    } else {
        Verdict::failed(VerdictKind::Ambiguous, Reason::Unknown)
    }
}

/// How long a clock's moment is away, for sleeping until it.
pub(super) async fn sleep_until(clock: Clock, moment: Moment) {
    tokio::time::sleep(clock.until(moment)).await;
}
