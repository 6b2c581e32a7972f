//! Somebody picks up a simulated vendor's call: the vendor fetches what it is to say, and hangs up where that is nothing.

use crate::sandbox::behaviour::Reports;
use crate::sandbox::reporter::{Message, Reporter};

/// A script has this many bytes at most; the rest is not read.
const SCRIPT_BYTES_MAX: usize = 64 * 1024;

/// Whether a call is picked up after it was accepted; an early one was before, and one that fails never is.
pub(super) fn is_picked_up(reports: &Reports) -> bool {
    match reports {
        Reports::Delivered
        | Reports::Nothing
        | Reports::Late(_)
        | Reports::Doubled
        | Reports::Forged => true,
        Reports::Early | Reports::Undelivered(_) => false,
    }
}

impl Reporter {
    /// Whether the call says something: it was told what in its request, or fetches that now.
    pub(super) async fn says_something(&self, message: &Message) -> bool {
        let Some(url) = &message.script else {
            return true;
        };
        let now = self.clock.now();
        let request = message
            .account
            .script_request(message.channel, url, now)
            .and_then(|request| reqwest::Request::try_from(request).ok());
        let (Some(request), Ok(_place)) = (request, self.in_flight.acquire().await) else {
            tracing::warn!("a simulated vendor cannot fetch a script from this address");
            return false;
        };
        match self.fetch(request).await {
            Ok(length) => length > 0,
            Err(error) => {
                let error = error.without_url();
                tracing::warn!(%error, "a simulated vendor could not fetch what its call is to say");
                false
            }
        }
    }

    /// How long the answer is.
    async fn fetch(&self, request: reqwest::Request) -> reqwest::Result<usize> {
        let mut response = self.client.execute(request).await?.error_for_status()?;
        let mut length = 0;
        while length < SCRIPT_BYTES_MAX
            && let Some(chunk) = response.chunk().await?
        {
            length += chunk.len();
        }
        Ok(length)
    }
}
