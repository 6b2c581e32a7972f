//! Finds countries with too few vendors, and chains that cannot take what is expected when a vendor is gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Channel, VendorName};
use crate::number::Country;
use crate::rules::analysis::{Analysis, quoted, shown};
use crate::rules::file::Place;
use crate::rules::probe::Met;
use crate::rules::{Decision, Unused};
use crate::time::Rate;

/// Why there is nobody for a country.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Nobody {
    NoRule,
    Chain(String),
}

impl Analysis<'_> {
    pub(super) fn capacities(&self) {
        self.too_long();
        for channel in Channel::ALL {
            self.coverage(channel);
        }
        for (name, rate) in &self.written.capacities {
            for country in self.countries(std::slice::from_ref(name)) {
                self.capacity(country, *rate, &name.place);
            }
        }
    }

    /// Tells countries with one vendor or none, where the channel is used at all.
    fn coverage(&self, channel: Channel) {
        let mut alone: BTreeMap<(String, VendorName), BTreeSet<Country>> = BTreeMap::new();
        let mut nobody: BTreeMap<Nobody, BTreeSet<Country>> = BTreeMap::new();
        let mut is_used = false;
        for (country, met) in self.usual(channel) {
            match &met.decision {
                Decision::Plan(plan) => {
                    is_used = true;
                    let vendors = vendors_in_turn(met);
                    if let [only] = vendors.as_slice() {
                        let key = (plan.chain.to_string(), only.clone());
                        alone.entry(key).or_default().insert(country);
                    }
                }
                Decision::NoRule => {
                    nobody.entry(Nobody::NoRule).or_default().insert(country);
                }
                Decision::NoChain { chain, .. } if !is_told(met) => {
                    let why = Nobody::Chain(chain.to_string());
                    nobody.entry(why).or_default().insert(country);
                }
                Decision::NoChain { .. } | Decision::Denied { .. } | Decision::TooLong { .. } => {}
            }
        }
        for ((chain, vendor), countries) in &alone {
            let message = format!(
                "chain `{chain}` has one vendor only by {channel} for {}: `{vendor}`",
                shown(countries)
            );
            let hint = "when it fails, nobody takes over".to_owned();
            if let Some(place) = self.chain_place(chain) {
                place.warning(self.problems, message, Some(hint));
            }
        }
        if !is_used {
            return;
        }
        for (why, countries) in &nobody {
            let countries = shown(countries);
            match why {
                Nobody::NoRule => {
                    let message = format!("no rule sends by {channel} to {countries}");
                    let hint = "a `[[rule]]` for them, or none of them in `allow_countries`";
                    self.general(message, Some(hint.to_owned()));
                }
                Nobody::Chain(chain) => {
                    let message =
                        format!("chain `{chain}` has no vendor by {channel} for {countries}");
                    if let Some(place) = self.chain_place(chain) {
                        place.warning(self.problems, message, None);
                    }
                }
            }
        }
    }

    /// Rules whose `max_parts` no text to a country keeps: all of them are denied.
    fn too_long(&self) {
        let mut denied: BTreeMap<(String, &str), BTreeSet<Country>> = BTreeMap::new();
        for (probe, met) in &self.cases {
            if let Decision::TooLong { rule, .. } = &met.decision {
                let key = (rule.to_string(), &*probe.special);
                let countries = denied.entry(key).or_default();
                countries.insert(probe.number.country());
            }
        }
        let usual: BTreeSet<String> = denied
            .keys()
            .filter(|(_, special)| special.is_empty())
            .map(|(rule, _)| rule.clone())
            .collect();
        for ((rule, special), countries) in &denied {
            let written = self.written.rules.iter().find(|r| r.name.text == *rule);
            let Some(place) = written.map(|r| &r.name.place) else {
                continue;
            };
            let hint = Some("a higher `max_parts`, or a shorter `[[template]]`".to_owned());
            let countries = shown(countries);
            if special.is_empty() {
                let message = format!(
                    "every text to {countries} takes too many parts for rule `{rule}`: all are denied"
                );
                place.error(self.problems, message, hint);
            } else if !usual.contains(rule) {
                let message = format!(
                    "texts to {countries} ({special}) take too many parts for rule `{rule}`: they are denied"
                );
                place.warning(self.problems, message, hint);
            }
        }
    }

    /// What is left of a country's chain when one of its vendors is gone.
    fn capacity(&self, country: Country, wanted: Rate, place: &Place) {
        let mut texts = self.usual(Channel::Sms);
        let Some((_, met)) = texts.find(|(c, _)| *c == country) else {
            let message = format!("nothing is sent to {country}");
            place.warning(self.problems, message, None);
            return;
        };
        let vendors = vendors_in_turn(met);
        let rates: Vec<Option<f64>> = vendors.iter().map(|v| self.rate_of(v)).collect();
        let wanted = per_second(wanted);
        let sum = |without: Option<usize>| -> Option<f64> {
            let left = rates
                .iter()
                .enumerate()
                .filter(|(i, _)| Some(*i) != without);
            left.map(|(_, rate)| *rate).sum()
        };
        if let Some(all) = sum(None).filter(|all| *all < wanted) {
            let message = format!(
                "all vendors of {country} together take {}/s of the {}/s that are expected",
                short(all),
                short(wanted)
            );
            place.warning(self.problems, message, Some(LARGER_RATES.to_owned()));
            return;
        }
        // Those after whose loss the same is left are told together.
        let mut lost: Vec<(f64, Vec<&str>)> = Vec::new();
        for (index, vendor) in vendors.iter().enumerate() {
            let Some(left) = sum(Some(index)).filter(|left| *left < wanted) else {
                continue;
            };
            match lost
                .iter_mut()
                .find(|(other, _)| short(*other) == short(left))
            {
                Some((_, vendors)) => vendors.push(vendor),
                None => lost.push((left, vec![vendor])),
            }
        }
        for (left, vendors) in lost {
            let message = format!(
                "if {} is gone, {}/s are left of the {}/s that {country} expects",
                quoted(vendors).replace(" and ", " or "),
                short(left),
                short(wanted)
            );
            place.warning(self.problems, message, Some(LARGER_RATES.to_owned()));
        }
    }

    /// Messages a second; `None` where no rate is agreed.
    fn rate_of(&self, vendor: &str) -> Option<f64> {
        let account = self.fleet.vendors.iter().find(|v| *v.name == *vendor);
        account.and_then(|account| account.rate).map(per_second)
    }
}

const LARGER_RATES: &str = "another vendor in its chain, or larger `rate`s of the accounts";

/// The vendors of a plan that do not wait for a reason, each once.
fn vendors_in_turn(met: &Met<'_>) -> Vec<VendorName> {
    let Decision::Plan(plan) = &met.decision else {
        return Vec::new();
    };
    let mut vendors: Vec<VendorName> = Vec::new();
    for step in plan.steps.iter().filter(|step| step.waits.is_none()) {
        if !vendors.contains(&step.vendor) {
            vendors.push(step.vendor.clone());
        }
    }
    vendors
}

/// Whether compiling tells it already: no account can do the channel, or no sender is registered.
fn is_told(met: &Met<'_>) -> bool {
    met.left_out.iter().all(|(_, why)| match why {
        Unused::Waits
        | Unused::OtherChannel
        | Unused::NoChannel
        | Unused::Unregistered
        | Unused::Date => true,
        Unused::Region | Unused::Name | Unused::NoSender | Unused::TooLong { .. } => false,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate's time is far below what a float holds exactly"
)]
fn per_second(rate: Rate) -> f64 {
    f64::from(rate.count) * 1000.0 / rate.per_ms as f64
}

/// At most two places behind the point.
fn short(rate: f64) -> String {
    let text = format!("{rate:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
