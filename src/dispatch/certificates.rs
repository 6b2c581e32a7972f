//! Goes to the few addresses that vendors name: fetches certificates and keeps them, and visits for handshakes.
//!
//! Anybody can send a forged receipt that names an address. It must not make us hammer anybody, nor keep us from
//! fetching what we had before.

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
/// The one that was not used for the longest time makes room for another; one that has never proven anything
/// before all that have.
const KEPT_MAX: usize = 16;
/// Then a certificate is fetched again.
const KEPT_MS: i64 = 86_400_000;
/// It is used for so long where it cannot be fetched again.
const USED_MS: i64 = 7 * KEPT_MS;
/// After a failure an address is left alone for so long.
const PAUSE_MS: i64 = 10_000;
/// Addresses that are left alone; when there are so many, all wait that are not known.
const PAUSES_MAX: usize = 32;

/// Fetches and keeps certificates.
pub(crate) struct Certificates {
    client: reqwest::Client,
    room: Semaphore,
    /// The ones used last are at the end.
    kept: Mutex<Vec<Kept>>,
    /// The addresses without a certificate that are left alone, and until when.
    pauses: Mutex<Vec<(String, Moment)>>,
}

struct Kept {
    address: String,
    certificate: Arc<Certificate>,
    fetched_at: Moment,
    /// Whoever can name an address can have a certificate kept, but not prove anything with it.
    has_proven: bool,
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
            pauses: Mutex::default(),
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
                self.leave_alone(address, now);
                self.old(address, now)
            }
        }
    }

    /// Notes that a request was proven with a certificate.
    pub(super) fn has_proven(&self, certificate: &Arc<Certificate>) {
        let mut kept = self.kept();
        let mut kept = kept.iter_mut();
        if let Some(found) = kept.find(|k| Arc::ptr_eq(&k.certificate, certificate)) {
            found.has_proven = true;
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
            return match self.is_left_alone(address, now) {
                true => Look::Pause,
                false => Look::Fetch,
            };
        };
        let found = kept.remove(at);
        let certificate = || Look::Kept(Arc::clone(&found.certificate));
        let look = match now.ms_since(found.fetched_at) {
            age if age < KEPT_MS => certificate(),
            _ if found.pause_until <= now => Look::Fetch,
            age if age < USED_MS => certificate(),
            _ => Look::Pause,
        };
        kept.push(found);
        look
    }

    fn keep(&self, address: &str, certificate: Certificate, now: Moment) -> Arc<Certificate> {
        let certificate = Arc::new(certificate);
        let mut kept = self.kept();
        let before = kept.iter().position(|k| k.address == address);
        let before = before.map(|at| kept.remove(at));
        if kept.len() >= KEPT_MAX {
            let unproven = kept.iter().position(|k| !k.has_proven);
            kept.remove(unproven.unwrap_or(0));
        }
        kept.push(Kept {
            address: address.to_owned(),
            certificate: Arc::clone(&certificate),
            fetched_at: now,
            has_proven: before.is_some_and(|k| k.has_proven),
            pause_until: now,
        });
        certificate
    }

    /// The certificate that cannot be fetched again now.
    fn old(&self, address: &str, now: Moment) -> Option<Arc<Certificate>> {
        let kept = self.kept();
        let found = kept.iter().find(|k| k.address == address)?;
        let usable = now.ms_since(found.fetched_at) < USED_MS;
        usable.then(|| Arc::clone(&found.certificate))
    }

    fn leave_alone(&self, address: &str, now: Moment) {
        let until = now.plus_ms(PAUSE_MS);
        if let Some(kept) = self.kept().iter_mut().find(|k| k.address == address) {
            kept.pause_until = until;
            return;
        }
        let mut pauses = self.pauses(now);
        if pauses.len() < PAUSES_MAX {
            pauses.push((address.to_owned(), until));
        }
    }

    fn is_left_alone(&self, address: &str, now: Moment) -> bool {
        let pauses = self.pauses(now);
        pauses.len() >= PAUSES_MAX || pauses.iter().any(|(known, _)| known == address)
    }

    /// The pauses that are not over.
    fn pauses(&self, now: Moment) -> MutexGuard<'_, Vec<(String, Moment)>> {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|(_, until)| now < *until);
        pauses
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
