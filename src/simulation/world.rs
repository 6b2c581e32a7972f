//! What is around simulated deliveries: the vendors with their health, budgets, agreed rates and behaviour.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::delivery::{Delivery, Skip};
use crate::fitness::Surroundings;
use crate::flow::{Channel, Step, VendorName};
use crate::guard::quota::Counters;
use crate::health::{Budget, Fitness, Health};
use crate::number::Country;
use crate::simulation::conduct::Conduct;
use crate::simulation::scenario::Scenario;
use crate::time::Moment;

/// One scenario's world, with one catalog in force.
pub(super) struct World<'a> {
    catalog: &'a Catalog,
    pub(super) health: Health,
    pub(super) vendors: Vec<Vendor>,
    /// The countries that are written to, each once.
    pub(super) countries: Vec<Country>,
    budgets: Vec<Budget>,
    /// What is used of the rules' quotas since the start; a simulated message has one part.
    counters: Counters,
}

/// A vendor account, with all that the scenario says of it.
pub(super) struct Vendor {
    pub(super) name: VendorName,
    region: Option<Arc<str>>,
    gate: Option<Gate>,
    /// What a message costs, by country.
    pub(super) prices: Vec<f64>,
    /// How it behaves, by country and channel.
    timelines: Vec<[Timeline; 2]>,
}

/// Each stretch of time and how a vendor behaves from then on.
type Timeline = Vec<(i64, Conduct)>;

/// An agreed rate: when the next call would be in time if calls came evenly, and how far ahead of that one may
/// be. In milliseconds since the scenario's start, with fractions.
struct Gate {
    every_ms: f64,
    burst_ms: f64,
    next_ms: f64,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &Scenario, catalog: &'a Catalog) -> World<'a> {
        let mut countries: Vec<Country> = scenario.traffic.iter().map(|t| t.to.country()).collect();
        countries.sort_unstable();
        countries.dedup();
        let vendors = catalog.accounts();
        let vendors =
            vendors.map(|account| Vendor::new(account.name(), scenario, catalog, &countries));
        World {
            catalog,
            health: Health::default(),
            vendors: vendors.collect(),
            budgets: vec![Budget::default(); countries.len()],
            countries,
            counters: Counters::default(),
        }
    }

    /// Takes a call out of its quota; tells why the vendor is passed over where that is full.
    pub(super) fn take_quota(
        &mut self,
        delivery: &Delivery,
        attempt: usize,
        now: Moment,
    ) -> Option<Skip> {
        let step = &delivery.plan().steps[delivery.attempts()[attempt].step];
        let name = step.quota.as_ref()?;
        let quota = self.catalog.rules.quota(name)?;
        let taken = self.counters.reserve(name, quota, 1, now);
        let name = name.to_string();
        taken.err().map(|_| Skip::Quota { name })
    }

    /// Gives back what a call took that sent nothing.
    pub(super) fn return_quota(&mut self, delivery: &Delivery, attempt: usize) {
        let made = &delivery.attempts()[attempt];
        if let Some(name) = &delivery.plan().steps[made.step].quota
            && let Some(quota) = self.catalog.rules.quota(name)
        {
            self.counters.give_back(name, 1, quota.window(made.at));
        }
    }

    pub(super) fn vendor(&self, name: &str) -> Option<usize> {
        self.vendors.iter().position(|v| *v.name == *name)
    }

    /// Whether receipts can come for a step.
    pub(super) fn reports(&self, step: &Step) -> bool {
        let account = self.catalog.account(&step.vendor);
        account.is_some_and(|a| a.reports(step.channel))
    }

    fn budget(&mut self, country: Country) -> Option<&mut Budget> {
        let index = self.countries.iter().position(|c| *c == country)?;
        self.budgets.get_mut(index)
    }
}

impl Vendor {
    fn new(
        name: &VendorName,
        scenario: &Scenario,
        catalog: &Catalog,
        countries: &[Country],
    ) -> Vendor {
        let configured = catalog.configured(name);
        let timelines = countries
            .iter()
            .map(|country| Channel::ALL.map(|channel| scenario.timeline(name, *country, channel)));
        let prices = countries.iter().map(|c| scenario.price(name, *c));
        Vendor {
            name: Arc::clone(name),
            region: configured.and_then(|v| v.data_region.clone()),
            gate: configured
                .and_then(|v| v.rate)
                .map(|rate| Gate::new(rate.count, rate.per_ms)),
            prices: prices.collect(),
            timelines: timelines.collect(),
        }
    }

    /// How it behaves `at` so many milliseconds after the start.
    pub(super) fn conduct(&self, country: usize, channel: Channel, at: i64) -> Option<&Conduct> {
        let timelines = self.timelines.get(country)?;
        let timeline = match channel {
            Channel::Sms => &timelines[0],
            Channel::Voice => &timelines[1],
        };
        let begun = timeline.iter().rev().find(|(from, _)| *from <= at);
        begun.map(|(_, conduct)| conduct)
    }
}

impl Gate {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate's time is some days at most"
    )]
    fn new(count: u32, per_ms: i64) -> Gate {
        Gate {
            every_ms: per_ms as f64 / f64::from(count),
            burst_ms: per_ms as f64,
            next_ms: 0.0,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds fit for 285,000 years"
    )]
    fn passes(&mut self, now: Moment) -> bool {
        let now_ms = now.0 as f64;
        let next_ms = self.next_ms.max(now_ms) + self.every_ms;
        let passes = next_ms - now_ms <= self.burst_ms;
        if passes {
            self.next_ms = next_ms;
        }
        passes
    }
}

impl Surroundings for World<'_> {
    fn off(&self, vendor: &VendorName, country: Country, now: Moment) -> Option<String> {
        let off = self.catalog.rules.off(vendor, country, now);
        off.map(str::to_owned)
    }

    fn has_account(&self, vendor: &VendorName) -> bool {
        self.vendor(vendor).is_some()
    }

    fn is_in_region(&self, vendor: &VendorName, region: &str) -> bool {
        let vendor = self.vendor(vendor).and_then(|v| self.vendors.get(v));
        vendor.is_some_and(|v| v.region.as_deref() == Some(region))
    }

    fn full_quota(&self, step: &Step, now: Moment) -> Option<String> {
        let name = step.quota.as_ref()?;
        let quota = self.catalog.rules.quota(name)?;
        let used = self.counters.used(name, quota, now);
        used.is_full(quota).then(|| name.to_string())
    }

    fn look(&self, vendor: &VendorName, country: Country, now: Moment) -> Fitness {
        self.health.look(vendor, country, now)
    }

    fn ask(&mut self, vendor: &VendorName, country: Country, now: Moment) -> Fitness {
        self.health.ask(vendor, country, now)
    }

    fn may_call(&mut self, vendor: &VendorName, now: Moment) -> bool {
        let vendor = self.vendors.iter_mut().find(|v| v.name == *vendor);
        let gate = vendor.and_then(|v| v.gate.as_mut());
        gate.is_none_or(|gate| gate.passes(now))
    }

    fn deposit(&mut self, country: Country, now: Moment) {
        if let Some(budget) = self.budget(country) {
            budget.deposit(now);
        }
    }

    fn withdraw(&mut self, country: Country, now: Moment) -> bool {
        self.budget(country).is_none_or(|b| b.withdraw(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreed_rate_lets_its_count_through_at_once_and_then_evenly() {
        let mut gate = Gate::new(10, 1_000);
        let passed = |gate: &mut Gate, at: i64| {
            let passed = (0..20).filter(|_| gate.passes(Moment(at)));
            passed.count()
        };
        assert_eq!(passed(&mut gate, 5_000), 10);
        assert_eq!(passed(&mut gate, 5_050), 0);
        assert_eq!(passed(&mut gate, 5_300), 3);
        assert_eq!(passed(&mut gate, 60_000), 10);
    }
}
