//! Decides from past verdicts, latency and receipts whether a vendor is well in a country.
//!
//! A breaker per vendor and country opens after a few failures in a row or a bad share of the last
//! twenty seconds, of calls, of quick answers, or of receipts, and lets single probes through until
//! it is over. A vendor as a whole opens only where most of the countries heard of fail, and then
//! keeps those countries whose own traffic goes well.

mod blame;
mod breaker;
mod budget;
mod order;
mod receipts;
mod record;
mod samples;
#[cfg(test)]
mod simulation;
mod tally;
#[cfg(test)]
mod tests;
mod vendor;
mod window;

use std::collections::HashMap;

use crate::flow::{Reason, SenderType, VendorName, Verdict};
use crate::number::Country;
use crate::time::Moment;

pub use budget::Budget;

use record::Record;
use vendor::VendorRecord;

/// Vendors and countries known at once. Above it, those not used for longest are forgotten.
const CELLS_MAX: usize = 10_000;
/// Vendors known at once. Above it, the one not used for longest is forgotten.
const VENDORS_MAX: usize = 1_000;
/// The part of all cells that is forgotten at once, so that it is rarely done.
const FORGOTTEN_PART: usize = 8;
/// Learned patience is no shorter than this, in milliseconds.
const PATIENCE_MIN_MS: i64 = 100;
/// Learned patience is no longer than this, in milliseconds; nor is any answer quick beyond it.
const PATIENCE_MAX_MS: i64 = 3_000;

/// All that is known of all vendors.
#[derive(Clone, Debug)]
pub struct Health {
    vendors: HashMap<VendorName, VendorRecord>,
    /// How many countries there are in all of them.
    cells: usize,
    cells_max: usize,
}

/// Whether a vendor may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// As far as is known, it works.
    Well,
    /// It was unwell; one call may try whether it still is.
    Probe,
    /// It does not work.
    Unwell {
        /// Why it is so.
        why: Why,
        /// It need not be asked again earlier than this.
        until: Moment,
    },
}

/// Why a vendor is unwell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// It refuses our account.
    Account,
    /// It has no room for us.
    Throttled,
    /// Its calls fail.
    Errors,
    /// It answers late.
    Slow,
    /// It takes messages, and its receipts say that they failed.
    Undelivered,
    /// It takes messages, and the receipts that are due do not come.
    Silent,
}

impl Why {
    /// The name used in metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Account => "account",
            Why::Throttled => "throttled",
            Why::Errors => "errors",
            Why::Slow => "slow",
            Why::Undelivered => "undelivered",
            Why::Silent => "silent",
        }
    }
}

/// A breaker's state: open means that nothing passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Unwell: not asked.
    Open,
    /// Asked with one call at a time.
    Probing,
    /// Well: asked.
    Closed,
}

impl State {
    /// The number used in metrics.
    pub fn gauge(self) -> i64 {
        match self {
            State::Open => 0,
            State::Probing => 1,
            State::Closed => 2,
        }
    }

    /// The name used in logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Probing => "probing",
            State::Closed => "closed",
        }
    }
}

/// Something that tells of a vendor's health in a country.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    /// A call came to a verdict.
    Verdict {
        /// What it came to.
        verdict: &'a Verdict,
        /// How long after the call's start, in milliseconds.
        ms: i64,
        /// It was the delivery's first attempt and not a hedge.
        first: bool,
    },
    /// A call has gone unanswered for its patience; it is still in flight.
    Slow {
        /// The patience, in milliseconds.
        ms: i64,
    },
    /// A final receipt came.
    Reported {
        /// It said delivered; else failed.
        delivered: bool,
        /// Why it failed, where that is known.
        reason: Option<Reason>,
        /// When the vendor took the message.
        accepted_at: Moment,
        /// What the message came from.
        sender: SenderType,
        /// The message was the delivery's first attempt and not a hedge.
        first: bool,
    },
    /// A receipt was due, others came, this one did not.
    Silent {
        /// The message was the delivery's first attempt and not a hedge.
        first: bool,
    },
    /// A receipt was due, and none comes from the vendor at all: either its receipts have stopped or its
    /// messages go nowhere.
    Quiet,
    /// Okta told that the passcode was used.
    Converted {
        /// The message was the delivery's first attempt and not a hedge.
        first: bool,
    },
}

/// A final receipt, as `Sign::Reported` has it.
struct Reported {
    delivered: bool,
    reason: Option<Reason>,
    accepted_at: Moment,
    sender: SenderType,
    first: bool,
}

/// What is known of one vendor in one country, for people to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The vendor account.
    pub vendor: VendorName,
    /// The country, or `Country::NONE` for the vendor alone.
    pub country: Country,
    /// Whether it may be asked there.
    pub state: State,
    /// Why it may not, or only with probes.
    pub why: Option<Why>,
    /// The share of calls that it took, 0 to 1; None where nothing was heard of late.
    pub success: Option<f64>,
    /// Half of its definite answers took at most this long, in milliseconds.
    pub p50_ms: Option<i64>,
    /// 95 of 100 definite answers took at most this long, in milliseconds.
    pub p95_ms: Option<i64>,
    /// How many calls `success` stands on, older ones weighing less.
    pub samples: u64,
}

impl Default for Health {
    fn default() -> Health {
        Health::holding(CELLS_MAX)
    }
}

impl Health {
    fn holding(cells_max: usize) -> Health {
        Health {
            vendors: HashMap::new(),
            cells: 0,
            cells_max,
        }
    }

    /// Whether the vendor may be asked now. `Probe` means that this very call is the one probe:
    /// asking takes the probe's place, which is free again once the call's verdict is told, or
    /// after ten seconds.
    pub fn ask(&mut self, vendor: &VendorName, country: Country, now: Moment) -> Fitness {
        let Some(known) = self.vendors.get_mut(vendor) else {
            return Fitness::Well;
        };
        known.touch(country, now);
        let fitness = known.fitness(country, now);
        if fitness == Fitness::Probe {
            known.take_probe(country, now);
        }
        fitness
    }

    /// The same without taking a probe's place, for people to read.
    pub fn look(&self, vendor: &str, country: Country, now: Moment) -> Fitness {
        let known = self.vendors.get(vendor);
        known.map_or(Fitness::Well, |known| known.fitness(country, now))
    }

    /// The breaker that decides for the vendor in the country.
    pub fn state(&self, vendor: &str, country: Country, now: Moment) -> State {
        let known = self.vendors.get(vendor);
        known.map_or(State::Closed, |known| known.state(country, now))
    }

    /// Learns from a sign.
    pub fn saw(&mut self, vendor: &VendorName, country: Country, sign: Sign<'_>, now: Moment) {
        let known = self.known(vendor, country, now);
        match sign {
            Sign::Verdict { verdict, ms, first } => {
                known.answered(country, verdict, ms.max(0), first, now);
            }
            Sign::Slow { ms } => known.slow(country, ms.max(0), now),
            Sign::Reported {
                delivered,
                reason,
                accepted_at,
                sender,
                first,
            } => {
                let report = Reported {
                    delivered,
                    reason,
                    accepted_at,
                    sender,
                    first,
                };
                known.reported(country, &report, now);
            }
            Sign::Silent { first } => known.silent(country, first, now),
            Sign::Quiet => known.quiet(country, now),
            Sign::Converted { first } => {
                if first {
                    known.converted(country, now);
                }
            }
        }
    }

    /// How long after its acceptance a message's final receipt is due, in milliseconds: three times
    /// what 99 of 100 took in the country, or with the vendor alone where little is known there,
    /// and at least 5 s. Each type of sender is learned apart. None while too little is known.
    pub fn receipt_due_ms(
        &self,
        vendor: &str,
        country: Country,
        sender: SenderType,
    ) -> Option<i64> {
        self.vendors.get(vendor)?.due_ms(country, Some(sender))
    }

    /// Whether the vendor's receipts as a whole are quiet or late, so that the missing receipt of a
    /// message accepted at `accepted_at` proves nothing.
    pub fn receipts_quiet(&self, vendor: &str, accepted_at: Moment) -> bool {
        let known = self.vendors.get(vendor);
        known.is_none_or(|known| known.channel.is_quiet(accepted_at))
    }

    /// Learned patience: what 95 of 100 definite answers take in the country, or of the vendor alone
    /// where little is known there, 100 ms to 3 s. None while too little is known.
    pub fn patience_ms(&self, vendor: &str, country: Country) -> Option<i64> {
        let known = self.vendors.get(vendor)?;
        let here = known.countries.get(&country);
        here.and_then(|here| here.latency.quantiles())
            .or_else(|| known.alone.latency.quantiles())
            .map(|answer| answer.p95.clamp(PATIENCE_MIN_MS, PATIENCE_MAX_MS))
    }

    /// The adaptive order, best first: a permutation of `0..candidates.len()`, each candidate being
    /// a vendor and what a message costs with it. It is a function of what is known and of `seed`.
    pub fn order(
        &self,
        candidates: &[(VendorName, Option<f64>)],
        country: Country,
        seed: &[u8; 16],
        now: Moment,
    ) -> Vec<usize> {
        order::order(self, candidates, country, seed, now)
    }

    /// All that is known, sorted by vendor and country. Numbers of no country are counted with the
    /// vendor alone only.
    pub fn cells(&self, now: Moment) -> Vec<Cell> {
        let mut cells = Vec::with_capacity(self.vendors.len() + self.cells);
        for (vendor, known) in &self.vendors {
            let alone = known.state_alone(now);
            cells.push(cell(vendor, Country::NONE, &known.alone, alone, now));
            for (&country, record) in &known.countries {
                if country != Country::NONE {
                    let here = (known.state(country, now), known.why(country, now));
                    cells.push(cell(vendor, country, record, here, now));
                }
            }
        }
        cells.sort_by(|a, b| (&a.vendor, a.country).cmp(&(&b.vendor, b.country)));
        cells
    }

    /// The vendor's record, with one for the country in it.
    fn known(&mut self, vendor: &VendorName, country: Country, now: Moment) -> &mut VendorRecord {
        let has_country = self
            .vendors
            .get(vendor)
            .is_some_and(|known| known.countries.contains_key(&country));
        if !has_country {
            self.make_room(vendor);
            self.cells += 1;
        }
        let known = self
            .vendors
            .entry(vendor.clone())
            .or_insert_with(|| VendorRecord::new(now));
        known
            .countries
            .entry(country)
            .or_insert_with(|| Record::new(now));
        known.touch(country, now);
        known
    }

    /// Forgets what was not used for longest where another cell, or another vendor, has no room.
    fn make_room(&mut self, vendor: &VendorName) {
        if self.cells >= self.cells_max {
            self.forget_cells();
        }
        if self.vendors.len() >= VENDORS_MAX && !self.vendors.contains_key(vendor) {
            self.forget_vendor();
        }
    }

    fn forget_cells(&mut self) {
        let mut used: Vec<Moment> = self
            .vendors
            .values()
            .flat_map(|known| known.countries.values().map(|record| record.used_at))
            .collect();
        let (_, &mut latest, _) = used.select_nth_unstable(self.cells / FORGOTTEN_PART);
        for known in self.vendors.values_mut() {
            known.countries.retain(|_, record| record.used_at > latest);
        }
        self.cells = self
            .vendors
            .values()
            .map(|known| known.countries.len())
            .sum();
    }

    fn forget_vendor(&mut self) {
        let oldest = self
            .vendors
            .iter()
            .min_by_key(|(_, known)| known.alone.used_at);
        if let Some(name) = oldest.map(|(name, _)| name.clone())
            && let Some(known) = self.vendors.remove(&name)
        {
            self.cells -= known.countries.len();
        }
    }
}

fn cell(
    vendor: &VendorName,
    country: Country,
    record: &Record,
    (state, why): (State, Option<Why>),
    now: Moment,
) -> Cell {
    let calls = record.calls.faded(now);
    let latency = record.latency.quantiles();
    Cell {
        vendor: vendor.clone(),
        country,
        state,
        why,
        success: calls.share(),
        p50_ms: latency.map(|quantiles| quantiles.p50),
        p95_ms: latency.map(|quantiles| quantiles.p95),
        samples: calls.weight().round() as u64,
    }
}
