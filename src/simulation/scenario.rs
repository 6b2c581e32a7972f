//! What happens in a scenario: who is written to, and how each vendor behaves, where and when.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::flow::Channel;
use crate::number::{Country, PhoneNumber};
use crate::problem::{Problems, Source};
use crate::simulation::conduct::{Conduct, Said};
use crate::simulation::read;

/// One scenario as meant.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    /// What it is, in a sentence or two.
    pub about: Option<String>,
    /// Where it was documented.
    pub source: Option<String>,
    /// When it happened: a label, no more.
    pub starts: Option<String>,
    pub lasts_ms: i64,
    pub seed: u64,
    /// Okta must hear of an acceptance within this; absent: as configured.
    pub deadline_ms: Option<i64>,
    /// How long a passcode lives.
    pub(super) life_ms: i64,
    pub(super) traffic: Vec<Traffic>,
    /// How vendors behave all the time, those of the first one all of them.
    pub(super) everyone: Said,
    pub(super) vendors: BTreeMap<String, Said>,
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) changes: Vec<Change>,
}

/// People in one country who ask for passcodes.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    pub(super) to: PhoneNumber,
    pub(super) channel: Channel,
    /// Between one message and the next, on average, in milliseconds.
    pub(super) every_ms: f64,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) org: Arc<str>,
    pub(super) locale: String,
    pub(super) request_type: String,
}

/// What a message costs with a vendor.
#[derive(Clone, Debug, Default)]
pub(super) struct Price {
    pub(super) elsewhere: Option<f64>,
    pub(super) countries: Vec<(Country, f64)>,
}

/// Something that is different for a while.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// None: all of them.
    pub(super) vendors: Option<Vec<String>>,
    /// None: everywhere.
    pub(super) countries: Option<Vec<Country>>,
    pub(super) channel: Option<Channel>,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) said: Said,
}

impl Scenario {
    /// Reads a scenario file. Every mistake is added to `problems`; if one is an error, the result must not be
    /// used. `accounts` are the vendor accounts there are.
    pub fn read(source: &Source, accounts: &[&str], problems: &RefCell<Problems>) -> Scenario {
        read::read(source, accounts, problems)
    }

    /// The same with so many times the traffic.
    #[must_use]
    pub fn scaled(mut self, times: f64) -> Scenario {
        for traffic in &mut self.traffic {
            traffic.every_ms /= times;
        }
        self
    }

    /// When something is different, from and to, in milliseconds.
    pub fn changes(&self) -> impl Iterator<Item = (i64, i64)> {
        self.changes.iter().map(|c| (c.from_ms, c.to_ms))
    }

    /// How a vendor behaves in a country, from each moment on at which that changes.
    pub(super) fn timeline(
        &self,
        vendor: &str,
        country: Country,
        channel: Channel,
    ) -> Vec<(i64, Conduct)> {
        let concerns = |change: &&Change| change.concerns(vendor, country, channel);
        let changes: Vec<&Change> = self.changes.iter().filter(concerns).collect();
        let mut always = Conduct::well().with(&self.everyone);
        if let Some(said) = self.vendors.get(vendor) {
            always = always.with(said);
        }
        let ends = changes.iter().flat_map(|c| [c.from_ms, c.to_ms]);
        let mut moments: Vec<i64> = ends.chain([0]).collect();
        moments.sort_unstable();
        moments.dedup();
        let conduct_at = |at: i64| {
            let lasting = changes
                .iter()
                .filter(|c| (c.from_ms..c.to_ms).contains(&at));
            lasting.fold(always.clone(), |conduct, change| conduct.with(&change.said))
        };
        moments.into_iter().map(|at| (at, conduct_at(at))).collect()
    }

    /// What a message costs; 1 where nothing is said, so that costs count messages then.
    pub(super) fn price(&self, vendor: &str, country: Country) -> f64 {
        let of = |name: &str| {
            let price = self.prices.get(name)?;
            let here = price.countries.iter().find(|(c, _)| *c == country);
            here.map(|(_, price)| *price).or(price.elsewhere)
        };
        of(vendor).or_else(|| of(read::EVERYONE)).unwrap_or(1.0)
    }
}

impl Change {
    fn concerns(&self, vendor: &str, country: Country, channel: Channel) -> bool {
        let vendors = self.vendors.as_ref();
        let countries = self.countries.as_ref();
        vendors.is_none_or(|v| v.iter().any(|v| v == vendor))
            && countries.is_none_or(|c| c.contains(&country))
            && self.channel.is_none_or(|c| c == channel)
    }
}
