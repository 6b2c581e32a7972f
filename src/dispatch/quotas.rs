//! Takes what a call uses out of its quota, gives it back when nothing was sent, and keeps the count on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::delivery::{Event, Skip};
use crate::dispatch::Dispatch;
use crate::dispatch::driver::Driver;
use crate::flow::{Channel, Receipt, Step, Verdict};
use crate::guard::quota::{Counters, Period, Quota, Unit, Used, Window};
use crate::journal::{Journal, Usage};
use crate::text::measure;
use crate::time::Moment;

/// Whose quota it is, in words, where a vendor's own cap is reached and rules name none.
const VENDORS_OWN: &str = "of the vendor";

/// Counters of the rules' quotas begin with this.
const QUOTA: &str = "quota/";

/// What is used of every quota, and where that is kept.
pub(super) struct Quotas {
    counters: Mutex<Counters>,
    journal: Arc<Journal>,
    sandbox: bool,
}

/// What the calls of one delivery have taken, by attempt, while nobody knows whether they sent anything.
#[derive(Default)]
pub(super) struct Taken(Mutex<BTreeMap<usize, Share>>);

struct Share {
    name: Arc<str>,
    units: u64,
    window: Window,
}

/// One quota, as operators see it.
#[derive(Debug, Serialize)]
pub(super) struct QuotaView {
    pub name: String,
    pub used: u64,
    pub limit: u64,
    pub unit: &'static str,
    /// `00:00 America/Los_Angeles`, for one that is counted by the day.
    pub resets: Option<String>,
    pub resets_at: String,
    /// Nothing more is sent until then.
    pub full: bool,
    /// A vendor says so, by its own count.
    pub capped: bool,
}

/// A sender for which a vendor's own daily cap is reached.
#[derive(Debug, Serialize)]
pub struct CapView {
    /// Absent where the vendor chooses.
    pub sender: Option<String>,
    pub until: String,
}

/// A message that met a vendor's own cap.
pub(super) struct Capped<'a> {
    pub(super) vendor: &'a str,
    pub(super) from: Option<&'a str>,
    pub(super) quota: Option<&'a Arc<str>>,
    pub(super) sent_at: Moment,
}

impl Quotas {
    /// Goes on from what an earlier process had counted.
    pub(super) fn read(journal: &Arc<Journal>, sandbox: bool) -> anyhow::Result<Quotas> {
        let mut counters = Counters::default();
        for usage in journal.usage(sandbox)? {
            let used = Used {
                window: Window {
                    from: usage.from,
                    until: usage.until,
                },
                units: usage.units,
                capped: usage.capped,
            };
            counters.remember(usage.name, used);
        }
        Ok(Quotas {
            counters: Mutex::new(counters),
            journal: Arc::clone(journal),
            sandbox,
        })
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a counter, while it is locked: what is written last counts.
    fn keep(&self, counters: &Counters, name: &Arc<str>) {
        let Some(used) = counters.get(name) else {
            return;
        };
        // Nobody waits: what a crash forgets of it are the calls of its last moments.
        drop(self.journal.count(Usage {
            name: Arc::clone(name),
            sandbox: self.sandbox,
            from: used.window.from,
            until: used.window.until,
            units: used.units,
            capped: used.capped,
        }));
    }

    fn take(&self, name: &Arc<str>, quota: &Quota, units: u64, now: Moment) -> Option<Share> {
        let mut counters = self.counters();
        let window = counters.reserve(name, quota, units, now).ok()?;
        self.keep(&counters, name);
        if counters.used(name, quota, now).is_full(quota) {
            let (quota, until) = (name.trim_start_matches(QUOTA), window.until.to_rfc3339());
            tracing::warn!(
                quota,
                until,
                "a quota is used up: its senders are passed over"
            );
        }
        Some(Share {
            name: Arc::clone(name),
            units,
            window,
        })
    }

    fn give_back(&self, share: &Share) {
        let mut counters = self.counters();
        counters.give_back(&share.name, share.units, share.window);
        self.keep(&counters, &share.name);
    }
}

impl Taken {
    fn shares(&self) -> MutexGuard<'_, BTreeMap<usize, Share>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver {
    /// Takes what a call uses out of its quota; tells why the vendor is passed over when that has too little left.
    pub(super) fn take_quota(&self, attempt: usize, now: Moment) -> Option<Skip> {
        let catalog = self.dispatch.catalog.load();
        let step = self.step(attempt);
        let name = step.quota.as_ref()?;
        let quota = catalog.rules.quota(name)?;
        let units = self.units(step, quota.unit);
        let quotas = &self.dispatch.quotas;
        let Some(share) = quotas.take(&quota_key(name), quota, units, now) else {
            return Some(Skip::Quota {
                name: name.to_string(),
            });
        };
        self.taken.shares().insert(attempt, share);
        None
    }

    /// What a call uses.
    pub(super) fn units(&self, step: &Step, unit: Unit) -> u64 {
        match (unit, step.channel) {
            (Unit::Messages, _) | (Unit::Parts, Channel::Voice) => 1,
            (Unit::Parts, Channel::Sms) => {
                let text = self.parcel.opened.text_for(step, self.parcel.channel);
                measure(text.expose()).parts as u64
            }
        }
    }

    /// Gives back what a call has taken that sent nothing for sure, and notes what vendors say of their own caps.
    pub(super) fn observe_quota(&self, event: &Event, now: Moment) {
        match event {
            Event::Settled { attempt, verdict } => {
                self.settle_quota(*attempt, verdict);
                self.observe_cap(*attempt, verdict.capped, now);
            }
            Event::Skipped { attempt, .. } => self.return_quota(*attempt),
            Event::Reported {
                attempt,
                receipt: Receipt { capped, .. },
            } => self.observe_cap(*attempt, *capped, now),
            Event::Woke
            | Event::Journaled { .. }
            | Event::Restarted
            | Event::Silent { .. }
            | Event::Superseded
            | Event::Converted => {}
        }
    }

    fn settle_quota(&self, attempt: usize, verdict: &Verdict) {
        if verdict.may_have_been_sent() {
            self.taken.shares().remove(&attempt);
        } else {
            self.return_quota(attempt);
        }
    }

    fn return_quota(&self, attempt: usize) {
        let share = self.taken.shares().remove(&attempt);
        if let Some(share) = share {
            self.dispatch.quotas.give_back(&share);
        }
    }

    fn observe_cap(&self, attempt: usize, capped: bool, now: Moment) {
        if !capped {
            return;
        }
        let Some(made) = self.delivery.attempts().get(attempt) else {
            return;
        };
        let step = self.step(attempt);
        let capped = Capped {
            vendor: &step.vendor,
            from: step.from.as_deref(),
            quota: step.quota.as_ref(),
            sent_at: made.at,
        };
        self.dispatch.note_cap(&capped, now);
    }
}

impl Dispatch {
    /// The counter that a step's messages use up, where that has too little left: the quota that rules name, or
    /// the vendor's own.
    pub(super) fn full_quota(
        &self,
        step: &Step,
        units: impl Fn(Unit) -> u64,
        catalog: &Catalog,
        now: Moment,
    ) -> Option<String> {
        let quota = step.quota.as_ref();
        let quota = quota.and_then(|name| Some((name, catalog.rules.quota(name)?)));
        let units = quota.map_or(0, |(_, quota)| units(quota.unit));
        let cap = cap_key(&step.vendor, step.from.as_deref());
        let counters = self.quotas.counters();
        if counters.get(&cap).is_some() {
            let used = counters.used(&cap, &Quota::VENDORS_OWN, now);
            if used.capped {
                return Some(VENDORS_OWN.to_owned());
            }
        }
        let (name, quota) = quota?;
        let used = counters.used(&quota_key(name), quota, now);
        (!used.has_room(quota, units)).then(|| name.to_string())
    }

    /// A vendor says that its own cap is reached: its sender, or all that shares the quota, rests until the reset.
    pub(super) fn note_cap(&self, capped: &Capped<'_>, now: Moment) {
        let vendor = capped.vendor;
        self.telemetry.daily_caps.with_label_values(&[vendor]).inc();
        let catalog = self.catalog.load();
        let vendors_own = Quota::VENDORS_OWN;
        // A shorter window than a day says nothing of when the vendor counts anew.
        let named = capped
            .quota
            .and_then(|name| Some((name, catalog.rules.quota(name)?)))
            .filter(|(_, quota)| matches!(quota.per, Period::Day(_)));
        let (key, counted) = match named {
            Some((name, quota)) => (quota_key(name), quota),
            None => (cap_key(vendor, capped.from), &vendors_own),
        };
        let mut counters = self.quotas.counters();
        let Some(full) = counters.fill(&key, counted, capped.sent_at, now) else {
            return;
        };
        self.quotas.keep(&counters, &key);
        drop(counters);
        let until = full.until.to_rfc3339();
        let quota = named.map(|(name, _)| &**name);
        tracing::warn!(vendor, quota, until, "a vendor's own daily cap is reached");
    }

    /// Every quota of the rules in force.
    pub(super) fn quota_views(&self) -> Vec<QuotaView> {
        let catalog = self.catalog.load();
        let now = self.clock.now();
        let counters = self.quotas.counters();
        let shown = catalog.rules.quotas().map(|(name, quota)| {
            let used = counters.used(&quota_key(name), quota, now);
            QuotaView {
                name: name.to_string(),
                used: shown_units(&used, quota),
                limit: quota.limit,
                unit: quota.unit.as_str(),
                resets: match &quota.per {
                    Period::Day(reset) => Some(reset.to_string()),
                    Period::Every { .. } => None,
                },
                resets_at: used.window.until.to_rfc3339(),
                full: used.is_full(quota),
                capped: used.capped,
            }
        });
        shown.collect()
    }

    /// The senders for which a vendor's own daily cap is reached, beside those that have a quota.
    pub(super) fn caps_of(&self, vendor: &str) -> Vec<CapView> {
        let now = self.clock.now();
        let beginning = cap_key(vendor, Some(""));
        let counters = self.quotas.counters();
        let capped = counters.iter().filter_map(|(name, used)| {
            let sender = name.strip_prefix(&*beginning)?;
            (used.capped && now < used.window.until).then(|| CapView {
                sender: (!sender.is_empty()).then(|| sender.to_owned()),
                until: used.window.until.to_rfc3339(),
            })
        });
        capped.collect()
    }

    /// Sets the gauges of the quotas, for whoever reads the metrics now.
    pub fn show_quotas(&self) {
        let (used, limit) = (&self.telemetry.quota_used, &self.telemetry.quota_limit);
        // The rules may have others by now.
        used.reset();
        limit.reset();
        for view in self.quota_views() {
            let gauge = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            used.with_label_values(&[&*view.name]).set(gauge(view.used));
            limit
                .with_label_values(&[&*view.name])
                .set(gauge(view.limit));
        }
    }
}

/// What is used, as people see it: all of it when a vendor says so.
fn shown_units(used: &Used, quota: &Quota) -> u64 {
    if used.capped {
        used.units.max(quota.limit)
    } else {
        used.units
    }
}

/// The counter of a quota of the rules.
fn quota_key(name: &str) -> Arc<str> {
    format!("{QUOTA}{name}").into()
}

/// The counter of a vendor's own cap for one sender.
fn cap_key(vendor: &str, from: Option<&str>) -> Arc<str> {
    format!("cap/{vendor}/{}", from.unwrap_or_default()).into()
}
