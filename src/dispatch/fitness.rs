//! Tells `fitness` what is around a delivery right before each call.

use std::sync::Arc;

use arc_swap::Guard;

use crate::catalog::Catalog;
use crate::delivery::Skip;
use crate::dispatch::driver::Driver;
use crate::fitness::{Surroundings, skip};
use crate::flow::{Step, VendorName};
use crate::health::Fitness;
use crate::number::Country;
use crate::time::Moment;

impl Driver {
    /// Why a vendor is passed over now.
    pub(super) fn skip(&self, attempt: usize, now: Moment) -> Option<Skip> {
        if self.is_superseded() {
            return Some(Skip::Superseded);
        }
        let mut around = Around {
            driver: self,
            catalog: self.dispatch.catalog.load(),
        };
        let country = self.parcel.country;
        skip(&self.delivery, country, attempt, &mut around, now)
            // Two may have seen the last of it.
            .or_else(|| self.take_quota(attempt, now))
    }

    /// The same person has a newer passcode by now.
    pub(super) fn is_superseded(&self) -> bool {
        self.claim.as_ref().is_some_and(|c| c.is_superseded())
    }
}

/// The process, with the catalog in force now.
struct Around<'a> {
    driver: &'a Driver,
    catalog: Guard<Arc<Catalog>>,
}

impl Surroundings for Around<'_> {
    fn off(&self, vendor: &VendorName, country: Country, now: Moment) -> Option<String> {
        let by_rules = self.catalog.rules.off(vendor, country, now);
        let by_rules = by_rules.map(str::to_owned);
        by_rules.or_else(|| self.driver.dispatch.switches.off(vendor, country, now))
    }

    fn has_account(&self, vendor: &VendorName) -> bool {
        self.catalog.account(vendor).is_some()
    }

    fn is_in_region(&self, vendor: &VendorName, region: &str) -> bool {
        let configured = self.catalog.configured(vendor);
        configured.and_then(|v| v.data_region.as_deref()) == Some(region)
    }

    fn full_quota(&self, step: &Step, now: Moment) -> Option<String> {
        let units = |unit| self.driver.units(step, unit);
        self.driver
            .dispatch
            .full_quota(step, units, &self.catalog, now)
    }

    fn look(&self, vendor: &VendorName, country: Country, now: Moment) -> Fitness {
        self.driver.dispatch.health().look(vendor, country, now)
    }

    fn ask(&mut self, vendor: &VendorName, country: Country, now: Moment) -> Fitness {
        self.driver.dispatch.health().ask(vendor, country, now)
    }

    fn may_call(&mut self, vendor: &VendorName, now: Moment) -> bool {
        let rate = self.catalog.configured(vendor).and_then(|v| v.rate);
        self.driver.dispatch.courier.may_call(vendor, rate, now)
    }

    fn deposit(&mut self, country: Country, now: Moment) {
        self.driver
            .dispatch
            .with_budget(country, |b| b.deposit(now));
    }

    fn withdraw(&mut self, country: Country, now: Moment) -> bool {
        self.driver
            .dispatch
            .with_budget(country, |b| b.withdraw(now))
    }
}
