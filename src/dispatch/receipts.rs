//! Takes receipts in: proves them, finds the attempt that each is of, and hands it to the delivery.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use tokio::sync::oneshot;

use crate::catalog::Catalog;
use crate::delivery::Event;
use crate::dispatch::Dispatch;
use crate::dispatch::ids::Target;
use crate::dispatch::inbox::{Post, Unposted};
use crate::dispatch::reference;
use crate::flow::{Channel, DeliveryId, Progress, Receipt, VendorName};
use crate::journal::Ack;
use crate::time::Moment;
use crate::vendor::{Callback, News, Refusal};

/// A receipt is on disk before its vendor is thanked, unless the disk takes longer than this.
const KEPT_WAIT_MAX: Duration = Duration::from_secs(1);

/// A request that says it is a vendor's.
pub struct Report<'a> {
    pub vendor: &'a str,
    /// The last part of its path, when there is one.
    pub reference: Option<&'a str>,
    pub method: &'a Method,
    /// Path and query.
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// All of it is kept; the vendor wants to hear this status.
    Kept(StatusCode),
    /// There is no such vendor account, or it never reports.
    NoVendor,
    /// It is forged, or too old.
    Unproven,
    /// It is no receipt of this vendor's.
    Unreadable,
    /// The disk did not take it: the vendor shall come again.
    NotKept,
}

impl Dispatch {
    /// Takes a vendor's report in.
    pub async fn take_report(self: &Arc<Self>, report: &Report<'_>) -> Taken {
        let catalog = self.catalog.load_full();
        let now = self.clock.now();
        let account = catalog.account(report.vendor);
        let Some(account) = account.filter(|a| Channel::ALL.iter().any(|c| a.reports(*c))) else {
            return Taken::NoVendor;
        };
        let vendor = account.name();
        let meant = report
            .reference
            .and_then(|text| reference::read(&self.journal, text, vendor));
        let url = self.public_url(&catalog).unwrap_or_default();
        let callback = Callback {
            method: report.method,
            url: &format!("{}{}", url.trim_end_matches('/'), report.path),
            headers: report.headers,
            body: report.body,
            reference_proven: meant.is_some(),
        };
        let news = match account.receipts(&callback, now) {
            Ok(news) => news,
            Err(refusal) => {
                self.count_receipt(vendor, refusal.as_str());
                tracing::warn!(%vendor, reason = refusal.as_str(), "a receipt was refused");
                return match refusal {
                    Refusal::Forged | Refusal::Stale => Taken::Unproven,
                    Refusal::Unreadable => Taken::Unreadable,
                };
            }
        };
        let alone = news.len() == 1;
        let mut acks = Vec::new();
        for (_, news) in news {
            self.count_receipt(vendor, news.receipt.progress.as_str());
            let target = self.target(vendor, &news, meant.filter(|_| alone), now);
            let Some(target) = target else {
                continue;
            };
            match self.hand_over(target, news.receipt, now).await {
                Ok(ack) => acks.extend(ack),
                Err(NoRoom) => return Taken::NotKept,
            }
        }
        for _ in 0..self.ids.forget_old(now) {
            self.count_receipt(vendor, "unmatched");
        }
        if kept(acks).await {
            Taken::Kept(account.receipt_reply())
        } else {
            Taken::NotKept
        }
    }

    /// Which attempt a receipt is of: by the vendor's id, by our name for it, by the address it came to. One
    /// that nobody knows yet is kept until its vendor's answer brings the id.
    fn target(
        &self,
        vendor: &VendorName,
        news: &News,
        meant: Option<Target>,
        now: Moment,
    ) -> Option<Target> {
        let id = news.message_id.as_deref();
        let named = || news.reference.as_deref().and_then(reference::named);
        let known = id.and_then(|id| self.ids.find(vendor, id));
        known
            .or(meant)
            .or_else(named)
            .or_else(|| self.ids.find_or_keep(vendor, id?, &news.receipt, now))
    }

    /// Gives a receipt to the delivery's driver, or writes it behind a delivery that is over, for people to
    /// read: nobody waits for that.
    async fn hand_over(
        &self,
        (id, attempt): Target,
        receipt: Receipt,
        now: Moment,
    ) -> Result<Option<Ack>, NoRoom> {
        let (kept, ack) = oneshot::channel();
        let post = Post::Reported {
            attempt,
            receipt,
            kept,
        };
        match self.inboxes.post(id, post) {
            Ok(()) => ack.await.map(Some).map_err(|_| NoRoom),
            Err(Unposted::Closed(Post::Reported {
                attempt, receipt, ..
            })) => {
                drop(self.keep_late(id, attempt, receipt, now));
                Ok(None)
            }
            Err(Unposted::Closed(Post::Superseded) | Unposted::Full) => Err(NoRoom),
        }
    }

    /// Writes a receipt behind a delivery that nobody drives any more.
    pub(super) fn keep_late(
        &self,
        id: DeliveryId,
        attempt: usize,
        receipt: Receipt,
        now: Moment,
    ) -> Ack {
        if receipt.progress == Progress::Delivered {
            self.people.delivered_late(id);
        }
        let event = Event::Reported { attempt, receipt };
        let event = serde_json::to_string(&event).unwrap_or_default();
        self.journal.late(id, now, event)
    }

    fn count_receipt(&self, vendor: &str, status: &str) {
        let receipts = &self.telemetry.receipts;
        receipts.with_label_values(&[vendor, status]).inc();
    }

    /// Where vendors reach us: as configured, or in the sandbox at our own listener.
    pub(super) fn public_url(&self, catalog: &Catalog) -> Option<String> {
        let configured = catalog.config.hook.public_url.clone();
        configured.or_else(|| self.own_url.get().cloned())
    }

    /// Where a vendor reports on an attempt.
    pub(super) fn callback(
        &self,
        catalog: &Catalog,
        id: DeliveryId,
        attempt: usize,
        vendor: &str,
    ) -> Option<String> {
        let url = self.public_url(catalog)?;
        let reference = reference::write(&self.journal, id, attempt, vendor);
        let url = url.trim_end_matches('/');
        Some(format!("{url}/receipts/{vendor}/{reference}"))
    }
}

/// Nobody could take a receipt over.
struct NoRoom;

/// Whether all of it is on disk in time.
async fn kept(acks: Vec<Ack>) -> bool {
    let all = async {
        for mut ack in acks {
            if ack.durable().await.is_err() {
                return false;
            }
        }
        true
    };
    let in_time = tokio::time::timeout(KEPT_WAIT_MAX, all);
    in_time.await.unwrap_or(false)
}
