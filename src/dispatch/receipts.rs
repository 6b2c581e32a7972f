//! Takes receipts in: proves them, finds the attempt that each is of, and hands it to the delivery.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value as Json;
use tokio::sync::oneshot;

use crate::catalog::Catalog;
use crate::delivery::Event;
use crate::dispatch::Dispatch;
use crate::dispatch::handshakes::Unfetched;
use crate::dispatch::ids::Target;
use crate::dispatch::inbox::{Post, Report, Unposted};
use crate::dispatch::people::Late;
use crate::dispatch::quotas::Capped;
use crate::dispatch::reference::{self, Use};
use crate::fitness::late_sign;
use crate::flow::{Channel, DeliveryId, VendorName};
use crate::journal::Ack;
use crate::time::Moment;
use crate::vendor::{Callback, Heard, News, Refusal};

/// A receipt is on disk before its vendor is thanked, unless the disk takes longer than this.
const KEPT_WAIT_MAX: Duration = Duration::from_secs(1);

/// A request that says it is a vendor's.
pub struct ReceiptRequest<'a> {
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
#[derive(Clone, PartialEq, Eq)]
pub enum Taken {
    /// All of it is kept; the vendor wants to hear this status.
    Kept(StatusCode),
    /// It was a handshake; the vendor wants to hear this, if anything.
    Greeted(Option<Json>),
    /// There is no such vendor account, or it never reports.
    NoVendor,
    /// It is forged, or too old.
    Unproven,
    /// It is no receipt of this vendor's.
    Unreadable,
    /// The disk did not take it: the vendor shall come again.
    NotKept,
}

/// Without the answer to a handshake.
impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Taken::Kept(_) => "Kept",
            Taken::Greeted(_) => "Greeted",
            Taken::NoVendor => "NoVendor",
            Taken::Unproven => "Unproven",
            Taken::Unreadable => "Unreadable",
            Taken::NotKept => "NotKept",
        })
    }
}

impl From<Refusal> for Taken {
    fn from(refusal: Refusal) -> Taken {
        match refusal {
            Refusal::Forged | Refusal::Stale => Taken::Unproven,
            Refusal::Unreadable => Taken::Unreadable,
        }
    }
}

/// Takes receipts in, wherever they are asked about.
pub trait TakesReceipts {
    /// Whether there is a vendor account that reports.
    fn is_reporting(&self, vendor: &str) -> bool;

    /// Takes a vendor's receipts in.
    fn take_receipts(&self, request: &ReceiptRequest<'_>) -> impl Future<Output = Taken> + Send;
}

impl TakesReceipts for Arc<Dispatch> {
    fn is_reporting(&self, vendor: &str) -> bool {
        Dispatch::is_reporting(self, vendor)
    }

    async fn take_receipts(&self, request: &ReceiptRequest<'_>) -> Taken {
        Dispatch::take_receipts(self, request).await
    }
}

impl Dispatch {
    /// Takes a vendor's receipts in.
    pub async fn take_receipts(self: &Arc<Self>, request: &ReceiptRequest<'_>) -> Taken {
        let catalog = self.catalog.load_full();
        let now = self.clock.now();
        let account = catalog.account(request.vendor);
        let Some(account) = account.filter(|a| Channel::ALL.iter().any(|c| a.reports(*c))) else {
            return Taken::NoVendor;
        };
        let vendor = account.name();
        let meant = request
            .reference
            .and_then(|text| reference::read(&self.journal, text, Use::Receipts(vendor), now));
        let mut callback = Callback {
            method: request.method,
            url: request.path,
            headers: request.headers,
            body: request.body,
            reference_proven: meant.is_some(),
            certificate: None,
        };
        let certificate = match self.certificate_of(account, &callback, now).await {
            Ok(certificate) => certificate,
            Err(Unfetched) => return Taken::NotKept,
        };
        callback.certificate = certificate.as_deref();
        let read = |url: &str| {
            let url = &format!("{}{}", url.trim_end_matches('/'), request.path);
            account.hear(&Callback { url, ..callback }, now)
        };
        let mut urls = self.addresses(&catalog);
        let first = urls.next().unwrap_or_default();
        // What is proven at one address cannot be at another.
        let heard = urls.fold(read(first), |heard, url| match heard {
            Err(Refusal::Forged) => read(url),
            known => known,
        });
        if let (Some(certificate), Ok(_)) = (&certificate, &heard) {
            self.certificates.has_proven(certificate);
        }
        let news = match heard {
            Ok(Heard::News(news)) => news,
            Ok(Heard::Greeting(greeting)) => return self.greet(vendor, greeting).await,
            Err(refusal) => return self.refuse_receipts(vendor, refusal, now),
        };
        let handing = self.hand_all(vendor, news, meant, now);
        let kept = tokio::time::timeout(KEPT_WAIT_MAX, handing).await;
        for _ in 0..self.ids.forget_old(now) {
            self.count_receipt(vendor, "unmatched");
        }
        match kept {
            Ok(true) => Taken::Kept(account.receipt_reply()),
            // What was handed over is read in its time; told again, it changes nothing.
            Ok(false) | Err(_) => Taken::NotKept,
        }
    }

    /// Whether there is a vendor account that reports.
    pub fn is_reporting(&self, vendor: &str) -> bool {
        let catalog = self.catalog.load();
        let account = catalog.account(vendor);
        account.is_some_and(|a| Channel::ALL.iter().any(|c| a.reports(*c)))
    }

    fn refuse_receipts(&self, vendor: &VendorName, refusal: Refusal, now: Moment) -> Taken {
        self.count_receipt(vendor, refusal.as_str());
        // Anybody can send them.
        if self.refusal_log.is_due(now) {
            tracing::warn!(%vendor, reason = refusal.as_str(),
                "a receipt was refused; the metrics count them all");
        }
        refusal.into()
    }

    /// Hands every receipt of a request over; whether all are on disk.
    async fn hand_all(
        &self,
        vendor: &VendorName,
        news: Vec<(Channel, News)>,
        meant: Option<Target>,
        now: Moment,
    ) -> bool {
        let mut acks = Vec::new();
        for (channel, news) in news {
            self.count_receipt(vendor, news.receipt.progress.as_str());
            let Some((id, attempt)) = self.target(vendor, &news, meant, now) else {
                continue;
            };
            let report = Report {
                attempt,
                vendor: Arc::clone(vendor),
                channel,
                receipt: news.receipt,
            };
            match self.hand_over(id, report, now).await {
                Ok(ack) => acks.extend(ack),
                Err(NoRoom) => return false,
            }
        }
        for mut ack in acks {
            if ack.durable().await.is_err() {
                return false;
            }
        }
        true
    }

    /// Which attempt a receipt is of: the one whose address it came to; else by the vendor's id, or by our name
    /// for it. One that nobody knows yet is kept until its vendor's answer brings the id.
    fn target(
        &self,
        vendor: &VendorName,
        news: &News,
        meant: Option<Target>,
        now: Moment,
    ) -> Option<Target> {
        let id = news.message_id.as_deref();
        let named = || news.reference.as_deref().and_then(reference::named);
        meant
            .or_else(|| self.ids.find(vendor, id?))
            .or_else(named)
            .or_else(|| self.ids.find_or_keep(vendor, id?, &news.receipt, now))
    }

    /// Gives a receipt to the delivery's driver, or writes it behind a delivery that is over, for people to
    /// read: nobody waits for that.
    async fn hand_over(
        &self,
        id: DeliveryId,
        report: Report,
        now: Moment,
    ) -> Result<Option<Ack>, NoRoom> {
        let (kept, ack) = oneshot::channel();
        match self.inboxes.post(id, Post::Reported { report, kept }) {
            Ok(()) => ack.await.map(Some).map_err(|_| NoRoom),
            Err(Unposted::Closed(Post::Reported { report, .. })) => {
                drop(self.keep_late(id, report, now));
                Ok(None)
            }
            Err(Unposted::Closed(Post::Superseded | Post::Fetched(_)) | Unposted::Full) => {
                Err(NoRoom)
            }
        }
    }

    /// Writes a receipt behind a delivery that nobody drives any more, and tells health what it says.
    pub(super) fn keep_late(&self, id: DeliveryId, report: Report, now: Moment) -> Ack {
        let late = self.people.reported_late(id, &report);
        let Report {
            attempt,
            vendor,
            channel,
            receipt,
        } = report;
        if matches!(late, Late::NotTheirs) {
            tracing::warn!(delivery = %id, %vendor, attempt,
                "a late receipt is of no message of this vendor");
            return Ack::nothing();
        }
        if receipt.unlisted {
            // Whether it is the passcode nobody knows any more.
            let code = receipt.code.as_deref();
            let code = code.filter(|code| code.bytes().filter(u8::is_ascii_digit).count() < 4);
            self.telemetry
                .count_unlisted(&vendor, channel.as_str(), code);
        }
        if let Late::Theirs(Some(sent)) = late {
            if let Some(sign) = late_sign(&receipt, sent.at, sent.sender) {
                self.health().saw(&vendor, sent.country, sign, now);
            }
            if receipt.capped {
                let capped = Capped {
                    vendor: &vendor,
                    from: sent.from.as_deref(),
                    quota: sent.quota.as_ref(),
                    sent_at: sent.at,
                };
                self.note_cap(&capped, now);
            }
        }
        if self.late_receipts.check().is_err() {
            return Ack::nothing();
        }
        let event = Event::Reported { attempt, receipt };
        let event = serde_json::to_string(&event).unwrap_or_default();
        self.journal.late(id, now, event)
    }

    fn count_receipt(&self, vendor: &str, status: &str) {
        let receipts = &self.telemetry.receipts;
        receipts.with_label_values(&[vendor, status]).inc();
    }

    /// Where vendors reach us: in the sandbox at our own listener, else as configured. Simulated vendors must
    /// never report to the address of a real router.
    pub(super) fn addresses<'a>(&'a self, catalog: &'a Catalog) -> impl Iterator<Item = &'a str> {
        let own = self.own_url.get().map(String::as_str);
        own.into_iter()
            .chain(catalog.config.hook.public_url.as_deref())
    }

    /// Whether vendors can reach us.
    pub(super) fn is_reachable(&self, catalog: &Catalog) -> bool {
        self.addresses(catalog).next().is_some()
    }

    /// Where a vendor reports on an attempt.
    pub(super) fn callback(
        &self,
        catalog: &Catalog,
        id: DeliveryId,
        attempt: usize,
        vendor: &str,
    ) -> Option<String> {
        let url = self.addresses(catalog).next()?;
        let reference = reference::write(&self.journal, id, attempt, Use::Receipts(vendor));
        let url = url.trim_end_matches('/');
        Some(format!("{url}/receipts/{vendor}/{reference}"))
    }
}

/// Nobody could take a receipt over.
struct NoRoom;
