//! Runs a scenario once for each contender and measures them side by side.

use serde::Serialize;

use crate::catalog::Catalog;
use crate::number::Country;
use crate::simulation::run::{Ran, Run, STRETCHES};
use crate::simulation::scenario::Scenario;
use crate::simulation::tally::{Tally, VendorTally};
use crate::time::Moment;

/// Who is to be compared.
#[derive(Clone, Copy)]
pub struct Contender<'a> {
    /// What its column is called.
    pub name: &'a str,
    pub catalog: &'a Catalog,
    /// Each plan is cut to its first vendor and one call, as in Okta's published sample.
    pub one_vendor: bool,
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Instead of the scenario's own.
    pub seed: Option<u64>,
    /// The virtual moment at which it begins; rules may depend on it.
    pub begins_at: Moment,
}

/// A scenario, and how each contender did.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    pub scenario: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    pub lasts_ms: i64,
    pub seed: u64,
    /// Okta must hear of an acceptance within this.
    pub deadline_ms: i64,
    /// When something is different, from and to, in milliseconds.
    pub changes: Vec<(i64, i64)>,
    pub contenders: Vec<Column>,
}

/// How one contender did.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    pub name: String,
    /// The version of its rules.
    pub rules: String,
    pub total: Measures,
    pub countries: Vec<Slice>,
    pub vendors: Vec<VendorMeasures>,
    pub over_time: Vec<Point>,
}

/// What came of deliveries. Shares are from 0 to 1, times in milliseconds after the hook call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    pub deliveries: u64,
    /// Messages that the guard or the rules refused; they count nowhere else.
    pub refused: u64,
    /// A vendor accepted before Okta's deadline.
    pub in_time: f64,
    /// It arrived within 30 s.
    pub within_30s: f64,
    /// It never arrived while it was worth anything.
    pub undelivered: u64,
    /// Until it arrived, for so many of 100 people; absent where that many never had it.
    pub p50_ms: Option<i64>,
    pub p95_ms: Option<i64>,
    pub p99_ms: Option<i64>,
    /// Messages that arrived beside a first one.
    pub duplicates: u64,
    pub failovers: u64,
    pub calls: u64,
    pub cost: f64,
    /// Absent where nothing arrived.
    pub cost_per_delivered: Option<f64>,
}

/// One country's part.
#[derive(Clone, Debug, Serialize)]
pub struct Slice {
    pub country: Country,
    #[serde(flatten)]
    pub measures: Measures,
}

/// One vendor's part.
#[derive(Clone, Debug, Serialize)]
pub struct VendorMeasures {
    pub vendor: String,
    pub calls: u64,
    pub accepted: u64,
    /// Messages that arrived.
    pub arrived: u64,
    /// How often another vendor was turned to instead.
    pub left: u64,
    pub cost: f64,
}

/// One stretch of time, for those who asked for their passcode in it.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Its begin, in milliseconds after the scenario's.
    pub at_ms: i64,
    pub deliveries: u64,
    pub in_time: f64,
    pub within_30s: f64,
    pub p50_ms: Option<i64>,
    pub p95_ms: Option<i64>,
    pub duplicates: u64,
    pub failovers: u64,
    pub cost: f64,
}

/// Runs the scenario for each contender. The same scenario, contenders and options come to the same.
pub fn compare(scenario: &Scenario, contenders: &[Contender<'_>], options: Options) -> Comparison {
    let seed = options.seed.unwrap_or(scenario.seed);
    let columns = contenders.iter().map(|contender| {
        let run = Run::new(
            scenario,
            contender.catalog,
            contender.one_vendor,
            seed,
            options.begins_at,
        );
        let (world, ran) = run.run();
        let vendors = world.vendors.iter().map(|v| v.name.to_string());
        column(contender, scenario, &world.countries, vendors, &ran)
    });
    let configured = contenders.first().map(|c| &c.catalog.config.hook);
    let configured = configured.map(|hook| hook.answer_within_ms);
    Comparison {
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        source: scenario.source.clone(),
        starts: scenario.starts.clone(),
        lasts_ms: scenario.lasts_ms,
        seed,
        deadline_ms: scenario.deadline_ms.or(configured).unwrap_or_default(),
        changes: scenario.changes().collect(),
        contenders: columns.collect(),
    }
}

fn column(
    contender: &Contender<'_>,
    scenario: &Scenario,
    countries: &[Country],
    vendors: impl Iterator<Item = String>,
    ran: &Ran,
) -> Column {
    let mut total = Tally::default();
    for tally in &ran.by_country {
        total.merge(tally);
    }
    let slices = countries.iter().zip(&ran.by_country);
    let vendors = vendors.zip(&ran.by_vendor);
    let points = ran.by_time.iter().enumerate();
    Column {
        name: contender.name.to_owned(),
        rules: contender.catalog.rules.version().to_string(),
        total: Measures::of(&total),
        countries: slices
            .map(|(country, tally)| Slice {
                country: *country,
                measures: Measures::of(tally),
            })
            .collect(),
        vendors: vendors
            .filter(|(_, tally)| tally.calls > 0)
            .map(|(vendor, tally)| VendorMeasures::of(vendor, tally))
            .collect(),
        over_time: points
            .map(|(index, tally)| {
                let at_ms = scenario.lasts_ms * index as i64 / STRETCHES as i64;
                Point::of(at_ms, tally)
            })
            .collect(),
    }
}

impl Measures {
    fn of(tally: &Tally) -> Measures {
        Measures {
            deliveries: tally.deliveries,
            refused: tally.refused,
            in_time: share(tally.in_time, tally.deliveries),
            within_30s: share(tally.patient, tally.deliveries),
            undelivered: tally.deliveries - tally.arrived,
            p50_ms: tally.quantile(50),
            p95_ms: tally.quantile(95),
            p99_ms: tally.quantile(99),
            duplicates: tally.duplicates,
            failovers: tally.failovers,
            calls: tally.calls,
            cost: cents(tally.cost),
            cost_per_delivered: (tally.arrived > 0).then(|| tally.cost / number(tally.arrived)),
        }
    }
}

impl VendorMeasures {
    fn of(vendor: String, tally: &VendorTally) -> VendorMeasures {
        VendorMeasures {
            vendor,
            calls: tally.calls,
            accepted: tally.accepted,
            arrived: tally.arrived,
            left: tally.left,
            cost: cents(tally.cost),
        }
    }
}

impl Point {
    fn of(at_ms: i64, tally: &Tally) -> Point {
        Point {
            at_ms,
            deliveries: tally.deliveries,
            in_time: share(tally.in_time, tally.deliveries),
            within_30s: share(tally.patient, tally.deliveries),
            p50_ms: tally.quantile(50),
            p95_ms: tally.quantile(95),
            duplicates: tally.duplicates,
            failovers: tally.failovers,
            cost: cents(tally.cost),
        }
    }
}

/// Of none, none.
fn share(part: u64, all: u64) -> f64 {
    number(part) / number(all.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Without the dust of many additions.
fn cents(cost: f64) -> f64 {
    (cost * 10_000.0).round() / 10_000.0
}
