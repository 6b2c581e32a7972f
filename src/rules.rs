//! Turns rules and a message into a plan with reasons.

mod compile;
mod condition;
mod countries;
mod expect;
mod file;
mod plan;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::flow::{Channel, Pace, Plan, VendorName};
use crate::guard;
use crate::number::Country;
use crate::time::Moment;

use condition::Condition;

pub use plan::{Explanation, Passed};

/// What rules may name, given by whoever knows the vendors.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub vendors: Vec<FleetVendor>,
    /// Vendor definitions, whether or not an account uses them.
    pub definitions: Vec<String>,
}

/// One vendor account, as rules see it.
#[derive(Clone, Debug)]
pub struct FleetVendor {
    pub name: VendorName,
    /// The sender where no rule names one.
    pub from: Option<Arc<str>>,
    pub data_region: Option<Arc<str>>,
    pub channels: Vec<Channel>,
}

/// All rule files, compiled. Immutable.
#[derive(Clone, Debug)]
pub struct Rules {
    version: Arc<str>,
    region: Arc<str>,
    rules: Vec<Rule>,
    chains: Vec<Chain>,
    senders: Vec<Sender>,
    vendors: Vec<FleetVendor>,
    switches: Vec<Off>,
    guard: guard::Settings,
    countries: Vec<Country>,
}

/// What is to be done with a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    Plan(Plan),
    /// A rule refuses it.
    Denied {
        rule: Arc<str>,
        why: Arc<str>,
    },
    /// No rule matches.
    NoRule,
    /// The rule's chain has no vendor for this channel, or none in the region that the rule requires.
    NoChain {
        rule: Arc<str>,
    },
}

#[derive(Clone, Debug)]
struct Rule {
    name: Arc<str>,
    /// `file:line`.
    place: String,
    when: Vec<Condition>,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    Chain {
        /// An index of `Rules::chains`.
        chain: usize,
        data_region: Option<Arc<str>>,
    },
    Deny(Arc<str>),
}

#[derive(Clone, Debug)]
struct Chain {
    name: Arc<str>,
    /// Each position's members; more than one: by weight.
    positions: Vec<Vec<Member>>,
    pace: Pace,
    /// A weighted choice is a function of the recipient rather than of the delivery.
    by_recipient: bool,
}

#[derive(Clone, Debug)]
struct Member {
    vendor: VendorName,
    weight: u32,
    sender: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Sender {
    vendor: Option<VendorName>,
    countries: Option<BTreeSet<Country>>,
    from: Arc<str>,
}

#[derive(Clone, Debug)]
struct Off {
    vendor: VendorName,
    countries: Option<BTreeSet<Country>>,
    until: Option<Moment>,
    reason: Arc<str>,
}

impl Rules {
    /// A short hash of all rule files: the same texts, the same version.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// What `[guard]` says.
    pub fn guard(&self) -> &guard::Settings {
        &self.guard
    }

    /// The countries that rules name, one by one or by group.
    pub fn countries(&self) -> &[Country] {
        &self.countries
    }

    /// The rules' names, in order.
    pub fn rule_names(&self) -> Vec<&str> {
        self.rules.iter().map(|rule| &*rule.name).collect()
    }

    /// Why a vendor is switched off for a country; `None` when it is not.
    pub fn off(&self, vendor: &str, country: Country, now: Moment) -> Option<&str> {
        let applies = |off: &&Off| {
            let here = off.countries.as_ref().is_none_or(|c| c.contains(&country));
            &*off.vendor == vendor && here && off.until.is_none_or(|until| now < until)
        };
        self.switches.iter().find(applies).map(|off| &*off.reason)
    }
}

#[cfg(test)]
mod tests;
