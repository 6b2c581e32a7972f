//! The story of a message: admit it, plan it, deliver it, record it.

mod admission;
mod certificates;
mod courier;
mod driver;
mod fitness;
mod handshakes;
mod hearing;
mod ids;
mod inbox;
mod job;
mod observe;
mod people;
mod quotas;
mod receipts;
mod record;
mod reference;
mod resume;
mod scripts;
mod suit;
mod switches;
mod twins;
mod vendors;
pub mod view;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::dispatch::driver::Driver;
use crate::dispatch::ids::MessageIds;
use crate::dispatch::inbox::Inboxes;
use crate::dispatch::people::People;
use crate::dispatch::quotas::Quotas;
use crate::dispatch::switches::Switches;
use crate::dispatch::twins::{Hearing, Joined, Twins};
use crate::explain::AIM_EARLY_MS;
use crate::flow::{Channel, Message, Outcome, VendorName};
use crate::guard::NumberCounts;
use crate::health::{Budget, Health};
use crate::journal::Journal;
use crate::number::Country;
use crate::telemetry::Telemetry;
use crate::time::{Clock, Moment};

pub(crate) use certificates::Certificates;
pub(crate) use courier::Courier;
pub use receipts::{ReceiptRequest, Taken, TakesReceipts};
pub use record::{How, Kept, Told};
pub(crate) use reference::name as attempt_name;
pub use resume::LeftOpen;
pub use scripts::{ScriptRequest, Scripted, TellsScripts};
pub use switches::Switch;

/// A journal that takes longer than this to keep one line is not ready.
const PROBE_MAX: Duration = Duration::from_secs(1);
/// Receipts written behind closed deliveries, for people to read. More are not: open ones need the disk.
const LATE_PER_SECOND_MAX: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// Between two log lines that anybody could cause, in milliseconds.
const SELDOM_MS: i64 = 1_000;
/// However many ask, the journal is tried no more often than this, in milliseconds.
const PROBE_EVERY_MS: i64 = 500;

/// Carries messages from admission to outcome.
pub struct Dispatch {
    pub(crate) catalog: Arc<ArcSwap<Catalog>>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) clock: Clock,
    sandbox: bool,
    courier: Courier,
    certificates: Certificates,
    counts: Mutex<NumberCounts>,
    twins: Twins,
    switches: Switches,
    inboxes: Inboxes,
    ids: MessageIds,
    people: People,
    quotas: Quotas,
    health: Mutex<Health>,
    /// What second messages may cost, by country.
    budgets: Mutex<HashMap<Country, Budget>>,
    /// Where our own listener is, for vendors inside the process.
    own_url: OnceLock<String>,
    /// When a refused receipt was last logged.
    refusal_log: Seldom,
    /// How many receipts are written behind closed deliveries.
    late_receipts: DefaultDirectRateLimiter,
    waiting: Mutex<HashMap<Arc<str>, usize>>,
    /// What was last seen of each vendor, in words, for whoever asks how it is.
    seen: Mutex<HashMap<VendorName, (String, Moment)>>,
    /// When the journal was last tried, and whether it was well.
    probed: tokio::sync::Mutex<Option<(Moment, bool)>>,
    tasks: TaskTracker,
    /// The process is about to end: deliveries at rest are left to the journal.
    draining: CancellationToken,
    /// All of them are.
    abandon: CancellationToken,
}

impl Dispatch {
    /// Makes the room; nothing moves yet.
    ///
    /// # Errors
    /// When the client for vendors cannot be made, or the journal cannot be read.
    pub fn new(
        catalog: Arc<ArcSwap<Catalog>>,
        journal: Arc<Journal>,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        sandbox: bool,
    ) -> anyhow::Result<Arc<Dispatch>> {
        let switches = Switches::read(&journal)?;
        let quotas = Quotas::read(&journal, sandbox)?;
        let dispatch = Arc::new(Dispatch {
            catalog,
            journal,
            telemetry,
            clock,
            sandbox,
            courier: Courier::new()?,
            certificates: Certificates::new()?,
            counts: Mutex::default(),
            twins: Twins::default(),
            switches,
            inboxes: Inboxes::default(),
            ids: MessageIds::default(),
            people: People::default(),
            quotas,
            health: Mutex::default(),
            budgets: Mutex::default(),
            own_url: OnceLock::new(),
            refusal_log: Seldom::default(),
            late_receipts: RateLimiter::direct(Quota::per_second(LATE_PER_SECOND_MAX)),
            waiting: Mutex::default(),
            seen: Mutex::default(),
            probed: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            abandon: CancellationToken::new(),
        });
        dispatch.remember()?;
        Ok(dispatch)
    }

    /// Takes a message over and says what its hook call is answered. The delivery goes on in a task of its
    /// own, whether or not anybody still waits.
    pub async fn admit(self: &Arc<Self>, message: Message, catalog: Arc<Catalog>) -> Told {
        let within = catalog.config.hook.answer_within_ms;
        let answer_by = message.received_at.plus_ms(within - AIM_EARLY_MS);
        let unheard = Told {
            delivery: message.id,
            how: How::Pending,
            ms: within - AIM_EARLY_MS,
            rule: String::new(),
            rules: catalog.rules.version().to_string(),
            reason: "pending".to_owned(),
        };
        let mut hearing = match self.join(&message).await {
            Heard::Told(told) => return told,
            Heard::Twin(hearing) => hearing,
            Heard::First(hook, hearing) => {
                self.own(message, &catalog, answer_by, hook);
                hearing
            }
        };
        // The driver answers in time by itself; this is for a twin that came late, and for a stalled machine.
        let patience = self.clock.until(answer_by.plus_ms(AIM_EARLY_MS / 2));
        let heard = hearing.wait_for(Option::is_some);
        match tokio::time::timeout(patience, heard).await {
            Ok(Ok(told)) => told.clone().unwrap_or(unheard),
            Ok(Err(_)) | Err(_) => unheard,
        }
    }

    /// Whether this call is the first one with its event.
    async fn join(self: &Arc<Self>, message: &Message) -> Heard {
        let event = message.event.as_deref();
        let now = self.clock.now();
        let mut not = None;
        loop {
            let past = match self.twins.join(&message.org, event, message.id, not, now) {
                Joined::First(hook, hearing) => return Heard::First(hook, hearing),
                Joined::Twin(hearing) => return Heard::Twin(hearing),
                Joined::Past(past) => past,
            };
            if let Some(told) = self.told_before(message, past).await {
                return Heard::Told(told);
            }
            not = Some(past);
        }
    }

    /// How many calls of an org wait for a vendor now, this one included; the guard ends the waiting.
    fn wait(self: &Arc<Self>, org: &Arc<str>) -> (usize, Waiting) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(Arc::clone(org)).or_default();
        *count += 1;
        let gauge = self.telemetry.hook_waiting.with_label_values(&[&**org]);
        gauge.inc();
        let ends = Waiting {
            dispatch: Arc::clone(self),
            org: Arc::clone(org),
        };
        (*count, ends)
    }

    /// What is known of the vendors' health.
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A country's budget for second messages.
    fn with_budget<T>(&self, country: Country, spend: impl FnOnce(&mut Budget) -> T) -> T {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        spend(budgets.entry(country).or_default())
    }

    /// Tells where our own listener is, for simulated vendors to report to.
    pub fn listens_at(&self, url: String) {
        // Told once, at start.
        drop(self.own_url.set(url));
    }

    fn see(&self, vendor: &VendorName, what: String, now: Moment) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(Arc::clone(vendor), (what, now));
    }

    /// The switches that people set through the API.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }

    fn count_outcome(&self, country: Country, channel: Channel, outcome: Outcome, twice: u64) {
        let labels = [country.as_str(), channel.as_str(), outcome.as_str()];
        self.telemetry.deliveries.with_label_values(&labels).inc();
        if twice > 0 {
            let twices = &self.telemetry.possible_duplicates;
            twices.with_label_values(&[country.as_str()]).inc_by(twice);
        }
    }

    /// Whether the journal keeps what it is given. Asked often, it is tried once for all who ask.
    pub async fn is_journal_writable(&self) -> bool {
        let mut probed = self.probed.lock().await;
        let now = self.clock.now();
        if let Some((at, writable)) = *probed
            && now.ms_since(at) < PROBE_EVERY_MS
        {
            return writable;
        }
        let mut probe = self.journal.probe();
        let probe = tokio::time::timeout(PROBE_MAX, probe.durable()).await;
        let writable = matches!(probe, Ok(Ok(())));
        *probed = Some((now, writable));
        writable
    }

    /// Opens connections to every vendor.
    pub async fn warm(&self) {
        self.courier.warm(self.origins()).await;
    }

    /// Opens connections again after a reload, beside everything else.
    pub fn rewarm(self: &Arc<Self>) {
        let dispatch = Arc::clone(self);
        self.tasks.spawn(async move { dispatch.warm().await });
    }

    /// Keeps them open, until cancelled.
    pub async fn keep_warm(&self) {
        self.courier.keep_warm(|| self.origins()).await;
    }

    fn origins(&self) -> Vec<String> {
        let catalog = self.catalog.load();
        let mut origins: Vec<String> = catalog.accounts().flat_map(|a| a.origins()).collect();
        origins.sort();
        origins.dedup();
        origins
    }

    /// Lets attempts in flight go on for `grace`; what is at rest is left to the journal at once, and after
    /// `grace` the rest too.
    pub async fn shut_down(&self, grace: Duration) {
        self.draining.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            let left = self.tasks.len();
            tracing::info!(left, "deliveries in flight are left to the journal");
        }
        self.abandon.cancel();
        self.tasks.wait().await;
    }

    fn drive(self: &Arc<Self>, driver: Driver, first: crate::delivery::Event, at: Moment) {
        self.tasks.spawn(driver.run(first, at));
    }
}

/// Something that is done once in a while, however often it is asked for.
#[derive(Default)]
struct Seldom(AtomicI64);

impl Seldom {
    /// Whether it is time again.
    fn is_due(&self, now: Moment) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = now.ms_since(Moment(last)) >= SELDOM_MS;
        due && {
            let swapped =
                self.0
                    .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed);
            swapped.is_ok()
        }
    }
}

/// What a call can hear its answer with.
enum Heard {
    First(watch::Sender<Option<Told>>, Hearing),
    Twin(Hearing),
    Told(Told),
}

/// A hook call that waits for a vendor; it waits no more when this is dropped.
struct Waiting {
    dispatch: Arc<Dispatch>,
    org: Arc<str>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let dispatch = &self.dispatch;
        let mut waiting = dispatch
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.org) {
            *count = count.saturating_sub(1);
        }
        let gauges = &dispatch.telemetry.hook_waiting;
        gauges.with_label_values(&[&*self.org]).dec();
    }
}
