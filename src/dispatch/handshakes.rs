//! Answers handshakes: what a vendor asks once when our address is set up for its receipts.

use std::sync::Arc;

use crate::dispatch::Dispatch;
use crate::dispatch::receipts::Taken;
use crate::flow::VendorName;
use crate::time::Moment;
use crate::vendor::{Account, Callback, Certificate, Greeting};

/// A certificate is needed and cannot be had now.
pub(super) struct Unfetched;

impl Dispatch {
    /// The certificate that a request is said to be signed with, where the account has none of its own.
    pub(super) async fn certificate_of(
        &self,
        account: &Account,
        callback: &Callback<'_>,
        now: Moment,
    ) -> Result<Option<Arc<Certificate>>, Unfetched> {
        let Some(address) = account.certificate_address(callback, now) else {
            return Ok(None);
        };
        if let Some(certificate) = self.certificates.get(&address, now).await {
            return Ok(Some(certificate));
        }
        // Anybody can send what names an address.
        if self.refusal_log.is_due(now) {
            let vendor = account.name();
            tracing::warn!(%vendor, "a certificate that proves receipts cannot be fetched");
        }
        Err(Unfetched)
    }

    /// Does what a proven handshake wants. Its token is a secret.
    pub(super) async fn greet(&self, vendor: &VendorName, greeting: Greeting) -> Taken {
        match greeting {
            Greeting::Reply(reply) => {
                tracing::info!(%vendor, "a vendor's handshake was answered");
                Taken::Greeted(Some(reply))
            }
            Greeting::Visit(address) => {
                if !self.certificates.visit(&address).await {
                    tracing::warn!(%vendor, "the address in a vendor's handshake could not be visited");
                    return Taken::NotKept;
                }
                tracing::info!(%vendor, "the address in a vendor's handshake was visited");
                Taken::Greeted(None)
            }
            Greeting::Farewell => {
                tracing::warn!(%vendor, "a vendor's subscription was ended: no more receipts will come by it");
                Taken::Greeted(None)
            }
        }
    }
}
