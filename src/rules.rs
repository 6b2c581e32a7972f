//! Turns rules, a message and the set of unwell vendors into a plan with reasons.

mod analysis;
mod compare;
mod compile;
mod condition;
mod countries;
mod expect;
mod file;
mod languages;
mod lookup;
mod plan;
mod probe;
mod sender;
#[cfg(test)]
mod tests;
mod wording;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::flow::{Channel, Message, Plan, Step, VendorName};
use crate::guard::Settings;
use crate::guard::quota::Quota;
use crate::number::Country;
use crate::problem::{Problems, Source};
use crate::rules::condition::{Condition, Facts};
use crate::rules::file::Validity;
use crate::rules::lookup::Lookup;
use crate::rules::plan::{Around, Chain, Laid, Offer, Said, Wanted};
use crate::rules::sender::Sender;
use crate::text::{Given, Languages};
use crate::time::{Moment, Rate};

pub use analysis::OwnSender;
pub use compare::{ChainChange, Change, Comparison, Declaration, Difference};
pub use plan::Unused;

/// What rules may name: the vendor accounts there are, given by the caller.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The accounts.
    pub vendors: Vec<FleetVendor>,
    /// Definitions that exist, with or without an account.
    pub definitions: Vec<String>,
    /// What people call each org, by its configured name.
    pub orgs: Vec<(Arc<str>, Arc<str>)>,
}

/// One vendor account, as far as rules are concerned.
#[derive(Clone, Debug)]
pub struct FleetVendor {
    /// The account's name.
    pub name: VendorName,
    /// Its sender where no `[[sender]]` says otherwise.
    pub from: Option<Arc<str>>,
    /// Where it processes data.
    pub data_region: Option<Arc<str>>,
    /// What it can carry.
    pub channels: Vec<Channel>,
    /// The channels on which it must be told who a message comes from.
    pub needs_sender: Vec<Channel>,
    /// The languages that it reads calls in; absent: every one.
    pub speaks: Option<Languages>,
    /// What we may send through it, where that is agreed.
    pub rate: Option<Rate>,
    /// The counter that its messages use up whose sender names none.
    pub quota: Option<Arc<str>>,
    /// Nobody configured it: it stands in for an account of its definition.
    pub stand_in: bool,
}

/// One rule set as meant: every name in it is resolved.
#[derive(Debug)]
pub struct Rules {
    version: Arc<str>,
    region: Arc<str>,
    rules: Vec<Rule>,
    lookup: Lookup,
    around: Around,
    senders: Vec<Arc<Sender>>,
    quotas: BTreeMap<Arc<str>, Quota>,
    /// What is expected of countries at their busiest.
    capacities: Vec<(Country, Rate)>,
    switches: Vec<Switch>,
    guard: Settings,
    countries: Vec<Country>,
    vendors_used: Vec<VendorName>,
}

#[derive(Debug)]
struct Rule {
    name: Arc<str>,
    /// `file:line`.
    place: Arc<str>,
    conditions: Vec<Condition>,
    validity: Validity,
    act: Act,
}

#[derive(Debug)]
enum Act {
    Send(Send),
    Deny(Arc<str>),
}

/// What a rule sends with.
#[derive(Debug)]
struct Send {
    chain: Arc<Chain>,
    data_region: Option<Arc<str>>,
    /// The most parts that a text may take.
    parts_max: Option<usize>,
    transliterate: bool,
}

#[derive(Debug)]
struct Switch {
    vendor: VendorName,
    /// Absent: every country.
    countries: Option<Vec<Country>>,
    until: Option<Moment>,
    reason: Arc<str>,
}

/// What the rules say about one message.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It is sent like this.
    Plan(Plan),
    /// A rule refuses it.
    Denied {
        /// The rule.
        rule: Arc<str>,
        /// The reason that the rule gives.
        why: Arc<str>,
    },
    /// No rule matches, or its number is none.
    NoRule,
    /// A rule matches, and its text takes too many parts.
    TooLong {
        /// The rule.
        rule: Arc<str>,
        /// The chain that it names.
        chain: Arc<str>,
    },
    /// A rule matches, and no vendor of its chain can carry this message.
    NoChain {
        /// The rule.
        rule: Arc<str>,
        /// The chain that it names.
        chain: Arc<str>,
    },
}

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The decision; a plan's steps are in canonical order, inside a weighted position by weight.
    pub decision: Decision,
    /// Where the rule that matched stands, as `file:line`.
    pub place: Option<Arc<str>>,
    /// The weight of each step of the plan, where it has one.
    pub weights: Vec<Option<u32>>,
    /// The rules before it, and why they did not match.
    pub missed: Vec<Missed>,
    /// The vendors of the chain that cannot carry this message, and why.
    pub left_out: Vec<(VendorName, Unused)>,
}

/// A rule that did not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The rule.
    pub rule: Arc<str>,
    /// Where it stands, as `file:line`.
    pub place: Arc<str>,
    /// The first of its conditions that did not hold, such as `country` or `valid_from`.
    pub condition: &'static str,
    /// In words: `country is FR, not SG`.
    pub why: String,
}

impl Rules {
    /// Reads all files, in the order given, as one rule set for the instance labelled `region`, whose examples
    /// must hold `now`. Every mistake is added to `problems`; if one is an error, the result must not be used.
    pub fn compile(
        files: &[Source],
        fleet: &Fleet,
        region: &str,
        now: Moment,
        problems: &RefCell<Problems>,
    ) -> Rules {
        let found = RefCell::default();
        let rules = compile::compile(files, fleet, region, now, &found);
        problems.borrow_mut().extend(found.take());
        rules
    }

    /// A short hash of the files' names and texts.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// Decides about a message. `recipient` is a keyed hash of its number: the weighted choices of a
    /// chain with `sticky = "recipient"` are a function of it.
    pub fn decide(&self, message: &Message, recipient: u64) -> Decision {
        let seed = Seed::Of {
            delivery: message.id.as_bytes(),
            recipient: recipient.to_be_bytes(),
        };
        let Some((facts, rule)) = self.matching(message) else {
            return Decision::NoRule;
        };
        self.act(&facts, rule, &seed).0
    }

    /// The name of the rule that a message meets.
    pub fn rule_of<'a>(&'a self, message: &'a Message) -> Option<&'a Arc<str>> {
        let (_, rule) = self.matching(message)?;
        Some(&rule.name)
    }

    /// Decides in canonical order, and tells why.
    pub fn explain(&self, message: &Message) -> Explanation {
        let found = self.canonical(message);
        Explanation {
            missed: self.missed(message, found.rule),
            ..found.explanation
        }
    }

    /// Decides in canonical order; why earlier rules did not match is not looked at.
    fn canonical<'a>(&'a self, message: &'a Message) -> Found<'a> {
        let matching = self.matching(message);
        let (decision, laid) = match &matching {
            Some((facts, rule)) => self.act(facts, rule, &Seed::Canonical),
            None => (Decision::NoRule, Acted::default()),
        };
        let rule = matching.map(|(_, rule)| rule);
        Found {
            rule,
            explanation: Explanation {
                decision,
                place: rule.map(|rule| rule.place.clone()),
                weights: laid.weights,
                missed: Vec::new(),
                left_out: laid.left_out,
            },
        }
    }

    /// Why a vendor may not be used in a country now, when a switch says so.
    pub fn off(&self, vendor: &str, country: Country, now: Moment) -> Option<&str> {
        let switch = self.switches.iter().find(|switch| {
            let countries = switch.countries.as_ref();
            *switch.vendor == *vendor
                && countries.is_none_or(|c| c.contains(&country))
                && switch.until.is_none_or(|until| now < until)
        })?;
        Some(&switch.reason)
    }

    /// Every moment at which something begins or ends, in order.
    fn moments(&self) -> Vec<Moment> {
        let rules = self.rules.iter().map(|rule| &rule.validity);
        let senders = self.senders.iter().map(|sender| &sender.validity);
        let templates = self.around.wordings.templates().iter();
        let templates = templates.map(|template| &template.validity);
        let registers = self.around.registers.iter().map(|r| &r.validity);
        let all = rules.chain(senders).chain(templates).chain(registers);
        let mut moments: Vec<Moment> = all.flat_map(|v| [v.from, v.until]).flatten().collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// The quota of that name.
    pub fn quota(&self, name: &str) -> Option<&Quota> {
        self.quotas.get(name)
    }

    /// Every quota, by name.
    pub fn quotas(&self) -> impl Iterator<Item = (&Arc<str>, &Quota)> {
        self.quotas.iter()
    }

    /// What is let in.
    pub fn guard(&self) -> &Settings {
        &self.guard
    }

    /// The countries that rules name, one by one or by group.
    pub fn countries(&self) -> &[Country] {
        &self.countries
    }

    /// The vendors that are in any chain.
    pub fn vendors_used(&self) -> &[VendorName] {
        &self.vendors_used
    }

    /// The rules' names, in order.
    pub fn rule_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.rules.iter().map(|rule| &rule.name)
    }

    fn matching<'a>(&'a self, message: &'a Message) -> Option<(Facts<'a>, &'a Rule)> {
        let facts = facts(message, &self.region)?;
        let index = self.first(&facts)?;
        Some((facts, &self.rules[index]))
    }

    /// The rule that decides, by its index.
    fn first(&self, facts: &Facts<'_>) -> Option<usize> {
        self.lookup
            .first(facts, |index| self.rules[index].matches(facts))
    }

    fn missed(&self, message: &Message, until: Option<&Rule>) -> Vec<Missed> {
        let Some(facts) = facts(message, &self.region) else {
            return Vec::new();
        };
        self.rules
            .iter()
            .take_while(|rule| until.is_none_or(|until| !std::ptr::eq(until, *rule)))
            .filter_map(|rule| rule.missed(&facts))
            .collect()
    }

    fn act(&self, facts: &Facts<'_>, rule: &Rule, seed: &Seed<'_>) -> (Decision, Acted) {
        let send = match &rule.act {
            Act::Send(send) => send,
            Act::Deny(why) => {
                let denied = Decision::Denied {
                    rule: rule.name.clone(),
                    why: why.clone(),
                };
                return (denied, Acted::default());
            }
        };
        let chain = &send.chain;
        let laid = chain.lay(&self.around, wanted(facts, send, seed));
        let Laid {
            offers,
            pace,
            left_out,
        } = laid;
        let is_long = left_out
            .iter()
            .any(|(_, why)| matches!(why, Unused::TooLong { .. }));
        let acted = Acted {
            weights: offers.iter().map(|offer| offer.weight).collect(),
            left_out,
        };
        let steps: Vec<Step> = offers.into_iter().map(|Offer { step, .. }| step).collect();
        let (name, chain_name) = (rule.name.clone(), chain.name.clone());
        if steps.iter().all(|step| step.waits.is_some()) {
            let (rule, chain) = (name, chain_name);
            let decision = if is_long {
                Decision::TooLong { rule, chain }
            } else {
                Decision::NoChain { rule, chain }
            };
            return (decision, acted);
        }
        let plan = Plan {
            rule: name,
            rules: self.version.clone(),
            chain: chain_name,
            steps,
            data_region: send.data_region.clone(),
            pace,
            learning: chain.learning,
        };
        (Decision::Plan(plan), acted)
    }
}

/// What came of a rule, beside the decision.
#[derive(Default)]
struct Acted {
    weights: Vec<Option<u32>>,
    left_out: Vec<(VendorName, Unused)>,
}

/// What a message meets.
struct Found<'a> {
    rule: Option<&'a Rule>,
    explanation: Explanation,
}

/// What conditions are held against, unless the number is none.
fn facts<'a>(message: &'a Message, region: &'a str) -> Option<Facts<'a>> {
    Some(Facts {
        message,
        number: message.to.as_ref().ok()?,
        login: message.login.as_ref().map(|login| login.to_lowercase()),
        region,
    })
}

fn wanted<'a>(facts: &Facts<'a>, send: &'a Send, seed: &'a Seed<'_>) -> Wanted<'a> {
    let message = facts.message;
    Wanted {
        country: facts.number.country(),
        channel: message.channel,
        org: &message.org,
        data_region: send.data_region.as_deref(),
        parts_max: send.parts_max,
        transliterate: send.transliterate,
        now: message.received_at,
        any_time: false,
        recipient: facts.number.e164(),
        seed: seed.of(&send.chain),
        said: Some(Said {
            given: Given {
                channel: message.channel,
                code: message.code.as_ref(),
                text: message.text.as_ref(),
            },
            locale: &message.locale,
            request_type: &message.request_type,
            life_ms: message.life_ms,
        }),
    }
}

impl Rule {
    fn matches(&self, facts: &Facts<'_>) -> bool {
        self.validity.holds(facts.message.received_at) && self.miss(facts).is_none()
    }

    /// The first condition that does not hold.
    fn miss(&self, facts: &Facts<'_>) -> Option<&Condition> {
        self.conditions.iter().find(|c| !c.holds(facts))
    }

    fn missed(&self, facts: &Facts<'_>) -> Option<Missed> {
        let (condition, why) = match self.miss(facts) {
            Some(condition) => (condition.key(), condition.miss(facts)),
            None => self.validity.miss(facts.message.received_at)?,
        };
        Some(Missed {
            rule: self.name.clone(),
            place: self.place.clone(),
            condition,
            why,
        })
    }
}

/// What weighted choices are a function of.
enum Seed<'a> {
    /// Nothing: the heaviest is chosen.
    Canonical,
    Of {
        delivery: &'a [u8; 16],
        recipient: [u8; 8],
    },
}

impl Seed<'_> {
    fn of(&self, chain: &Chain) -> Option<&[u8]> {
        match self {
            Seed::Canonical => None,
            Seed::Of { recipient, .. } if chain.by_recipient => Some(recipient),
            Seed::Of { delivery, .. } => Some(*delivery),
        }
    }
}
