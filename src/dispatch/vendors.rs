//! Shows the vendors and how they do, for people and the API.

use std::sync::PoisonError;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::dispatch::quotas::CapView;
use crate::dispatch::{Dispatch, Switch};
use crate::explain::Explained;
use crate::flow::VendorName;
use crate::health::{Cell, Fitness, State};
use crate::number::Country;
use crate::time::Moment;

/// One vendor account, as operators see it.
#[derive(Debug, Serialize)]
pub struct VendorView {
    pub name: String,
    pub definition: String,
    pub channels: Vec<&'static str>,
    pub rate: Option<String>,
    pub data_region: Option<String>,
    /// Switched off through the API.
    pub off: Option<Switch>,
    /// Switched off everywhere by the rules, and why.
    pub off_by_rules: Option<String>,
    /// The vendor asked to be left alone until then.
    pub left_alone_until: Option<String>,
    /// The senders for which its own daily cap is reached, beside those that have a quota.
    pub capped: Vec<CapView>,
    /// What was last seen of it.
    pub last: Option<String>,
    /// How it does, all in all and by country.
    pub health: Vec<HealthView>,
}

/// How a vendor does in one country.
#[derive(Clone, Debug, Serialize)]
pub struct HealthView {
    /// `ZZ` for all countries together.
    pub country: String,
    /// `well`, `probing`, `unwell: errors`.
    pub health: String,
    /// The share of recent messages that went well, 0 to 1; absent while nothing is known.
    pub success: Option<f64>,
    /// Milliseconds to an answer, the median and the 95th percentile.
    pub p50_ms: Option<i64>,
    pub p95_ms: Option<i64>,
}

impl Dispatch {
    /// Every vendor account.
    pub fn vendors(&self) -> Vec<VendorView> {
        let catalog = self.catalog.load();
        let now = self.clock.now();
        let cells = self.health().cells(now);
        let shown = catalog.accounts().map(|account| {
            let name = account.name();
            let configured = catalog.configured(name);
            let rate = configured.and_then(|v| v.rate);
            let off_by_rules = catalog.rules.off(name, Country::NONE, now);
            VendorView {
                name: name.to_string(),
                definition: account.definition().name.clone(),
                channels: account.channels().iter().map(|c| c.as_str()).collect(),
                rate: rate.map(|r| format!("{}/{}ms", r.count, r.per_ms)),
                data_region: configured.and_then(|v| v.data_region.as_ref().map(|r| r.to_string())),
                off: self.switches.get(name),
                off_by_rules: off_by_rules.map(str::to_owned),
                left_alone_until: self
                    .courier
                    .left_alone_until(name)
                    .filter(|until| now < *until)
                    .map(Moment::to_rfc3339),
                capped: self.caps_of(name),
                last: self.last_seen(name),
                health: cells
                    .iter()
                    .filter(|cell| cell.vendor == *name)
                    .map(health_view)
                    .collect(),
            }
        });
        shown.collect()
    }

    /// What was last seen of a vendor, such as `accepted 4 s ago`.
    pub fn last_seen(&self, vendor: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (words, at) = seen.get(vendor)?;
        let ago = self.clock.now().ms_since(*at) / 1000;
        Some(format!("{words} {ago} s ago"))
    }

    /// What is thought of a vendor in a country, in a few words.
    pub fn health_in(&self, vendor: &str, country: Country) -> String {
        let now = self.clock.now();
        match self.health().look(vendor, country, now) {
            Fitness::Well => "well".to_owned(),
            Fitness::Probe => "probing".to_owned(),
            Fitness::Unwell { why, .. } => format!("unwell: {}", why.as_str()),
        }
    }

    /// Notes until when the quotas of a chain's senders are used up.
    pub fn note_quotas(&self, explained: &mut Explained) {
        let quotas = self.quota_views();
        explained.note_quotas(|name| {
            let full = quotas.iter().find(|quota| quota.name == name && quota.full);
            full.map(|quota| quota.resets_at.clone())
        });
    }

    /// Notes how often each vendor of an adaptive chain would be first, going by what is known now.
    pub fn note_order(&self, explained: &mut Explained) {
        if !explained.adaptive {
            return;
        }
        let now = self.clock.now();
        let mut plain: Vec<_> = explained.steps.iter_mut().collect();
        plain.retain(|step| step.waits.is_none());
        for step in plain.extract_if(.., |step| step.yields) {
            step.first = Some(0);
        }
        let candidates: Vec<(VendorName, Option<f64>)> = plain
            .iter()
            .map(|step| (step.vendor.as_str().into(), step.cost))
            .collect();
        let mut firsts = vec![0; plain.len()];
        let health = self.health();
        for seed in 0..100_u8 {
            let order = health.order(&candidates, explained.country, &[seed; 16], now);
            firsts[order[0]] += 1;
        }
        for (step, first) in plain.iter_mut().zip(firsts) {
            step.first = Some(first);
        }
    }

    /// Sets the gauges of the vendors' health, for whoever reads the metrics now.
    pub fn show_health(&self) {
        let now = self.clock.now();
        let gauges = &self.telemetry.vendor_state;
        for cell in self.health().cells(now) {
            let labels = [&*cell.vendor, cell.country.as_str()];
            gauges.with_label_values(&labels).set(cell.state.gauge());
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> Json {
        let catalog = self.catalog.load();
        json!({
            "version": &**catalog.rules.version(),
            "rules": catalog.rules.rule_names().collect::<Vec<_>>(),
            "region": &*catalog.config.region,
            "quotas": self.quota_views(),
        })
    }
}

fn health_view(cell: &Cell) -> HealthView {
    let health = match (cell.state, cell.why) {
        (State::Closed, _) => "well".to_owned(),
        (State::Probing, _) => "probing".to_owned(),
        (State::Open, why) => format!("unwell: {}", why.map_or("unknown", |w| w.as_str())),
    };
    HealthView {
        country: cell.country.to_string(),
        health,
        success: cell
            .success
            .map(|share| (share * 1_000.0).round() / 1_000.0),
        p50_ms: cell.p50_ms,
        p95_ms: cell.p95_ms,
    }
}
