//! Goes to the few addresses that vendors name: fetches certificates and keeps them, and visits for handshakes.
//!
//! Anybody can send a forged receipt that names an address. It must not make us hammer anybody, nor keep us from
//! fetching what we had before.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::Semaphore;

use crate::time::Moment;
use crate::vendor::Certificate;

/// From the connection to the last byte.
const FETCH_MAX: Duration = Duration::from_secs(2);
/// A certificate with all that stands around it.
const FETCHED_BYTES_MAX: usize = 64 * 1024;
/// Of all addresses together.
const FETCHES_AT_ONCE_MAX: usize = 4;
/// The one that was not used for the longest time makes room for another.
const KEPT_MAX: usize = 16;
/// Then a certificate is fetched again.
const KEPT_MS: i64 = 86_400_000;
/// After a failure nothing that is not known is fetched for so long.
const PAUSE_MS: i64 = 10_000;

/// Fetches and keeps certificates.
pub(crate) struct Certificates {
    client: reqwest::Client,
    room: Semaphore,
    /// The ones used last are at the end.
    kept: Mutex<Vec<Kept>>,
    /// Until when addresses without a certificate are left alone.
    pause: AtomicI64,
}

struct Kept {
    address: String,
    certificate: Arc<Certificate>,
    fetched_at: Moment,
    /// This address's own, which forged receipts with other ones do not touch.
    pause_until: Moment,
}

/// What is known of an address.
enum Look {
    Kept(Arc<Certificate>),
    Fetch,
    Pause,
}

impl Certificates {
    /// Makes the client.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(crate) fn new() -> reqwest::Result<Certificates> {
        Certificates::speaking(true)
    }

    fn speaking(https_only: bool) -> reqwest::Result<Certificates> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")))
            .https_only(https_only)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(FETCH_MAX)
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Certificates {
            client,
            room: Semaphore::new(FETCHES_AT_ONCE_MAX),
            kept: Mutex::default(),
            pause: AtomicI64::new(i64::MIN),
        })
    }

    /// The certificate at an address; `None` when it cannot be had now.
    pub(crate) async fn get(&self, address: &str, now: Moment) -> Option<Arc<Certificate>> {
        self.get_by(address, now, self.fetch(address)).await
    }

    async fn get_by(
        &self,
        address: &str,
        now: Moment,
        fetch: impl Future<Output = Option<Vec<u8>>>,
    ) -> Option<Arc<Certificate>> {
        match self.look(address, now) {
            Look::Kept(certificate) => return Some(certificate),
            Look::Pause => return None,
            Look::Fetch => {}
        }
        let _place = self.room.acquire().await.ok()?;
        // Whoever had the place before may have fetched the same, or failed.
        match self.look(address, now) {
            Look::Kept(certificate) => return Some(certificate),
            Look::Pause => return None,
            Look::Fetch => {}
        }
        let pem = fetch.await;
        let certificate = pem.and_then(|pem| Certificate::from_pem(&pem));
        match certificate {
            Some(certificate) => Some(self.keep(address, certificate, now)),
            None => {
                self.leave_alone(address, now.plus_ms(PAUSE_MS));
                None
            }
        }
    }

    /// Goes to an address once; whether it was well received.
    pub(super) async fn visit(&self, address: &str) -> bool {
        let Ok(_place) = self.room.acquire().await else {
            return false;
        };
        let response = self.go(address).await;
        response.is_some_and(|response| response.status().is_success())
    }

    async fn fetch(&self, address: &str) -> Option<Vec<u8>> {
        let mut response = self.go(address).await?;
        if response.status() != reqwest::StatusCode::OK {
            return None;
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > FETCHED_BYTES_MAX {
                return None;
            }
        }
        Some(body)
    }

    async fn go(&self, address: &str) -> Option<reqwest::Response> {
        // The client must go where the pattern was asked about.
        let url = Url::parse(address).ok();
        let url = url.filter(|url| url.as_str() == address)?;
        match self.client.get(url).send().await {
            Ok(response) => Some(response),
            Err(error) => {
                let error = error.without_url();
                tracing::debug!(%error, "an address that a vendor named cannot be reached");
                None
            }
        }
    }

    fn look(&self, address: &str, now: Moment) -> Look {
        let mut kept = self.kept();
        let Some(at) = kept.iter().position(|k| k.address == address) else {
            let paused = now.0 < self.pause.load(Ordering::Relaxed);
            return if paused { Look::Pause } else { Look::Fetch };
        };
        let found = kept.remove(at);
        let look = match &found {
            k if now.ms_since(k.fetched_at) < KEPT_MS => Look::Kept(Arc::clone(&k.certificate)),
            k if now < k.pause_until => Look::Pause,
            _ => Look::Fetch,
        };
        kept.push(found);
        look
    }

    fn keep(&self, address: &str, certificate: Certificate, now: Moment) -> Arc<Certificate> {
        let certificate = Arc::new(certificate);
        let mut kept = self.kept();
        kept.retain(|k| k.address != address);
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Kept {
            address: address.to_owned(),
            certificate: Arc::clone(&certificate),
            fetched_at: now,
            pause_until: now,
        });
        certificate
    }

    fn leave_alone(&self, address: &str, until: Moment) {
        match self.kept().iter_mut().find(|k| k.address == address) {
            Some(kept) => kept.pause_until = until,
            None => {
                self.pause.fetch_max(until.0, Ordering::Relaxed);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
