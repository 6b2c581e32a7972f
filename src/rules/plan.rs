//! Applies rules to a message: which one matches, which vendors, in which order.

use std::sync::Arc;

use ring::digest;
use serde::Serialize;

use crate::flow::{Channel, Message, Plan, Step};
use crate::number::{Country, PhoneNumber};
use crate::rules::{Chain, Decision, FleetVendor, Member, Rules, Sender, Then};

/// A rule that did not match, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    pub rule: String,
    /// `file:line`.
    pub place: String,
    /// The first condition that does not hold, and what the message has there.
    pub why: String,
}

/// A decision and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// In canonical order: inside a position by weight.
    pub decision: Decision,
    /// `file:line` of the rule that matched.
    pub place: Option<String>,
    /// The rules before it.
    pub passed: Vec<Passed>,
    /// Each step's weight inside its position, in percent; 100 where it is alone.
    pub shares: Vec<u32>,
    /// Vendors of the chain that were left out, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// What a weighted choice is a function of; `None` gives the canonical order.
type Seed<'a> = Option<(&'a [u8; 16], u64)>;

impl Rules {
    /// Decides what is done with a message. `recipient` is the number's keyed hash, for chains that choose by
    /// recipient.
    pub fn decide(&self, message: &Message, recipient: u64) -> Decision {
        let Ok(to) = &message.to else {
            return Decision::NoRule;
        };
        let seed = Some((message.id.as_bytes(), recipient));
        let matching = self.rules.iter().find(|rule| {
            let mut conditions = rule.when.iter();
            conditions.all(|c| c.holds(message, to, &self.region))
        });
        match matching {
            Some(rule) => self.then(rule.name.clone(), &rule.then, message, to, seed),
            None => Decision::NoRule,
        }
    }

    /// The same in canonical order, with all that led to it.
    pub fn explain(&self, message: &Message) -> Explanation {
        let mut explanation = Explanation {
            decision: Decision::NoRule,
            place: None,
            passed: Vec::new(),
            shares: Vec::new(),
            left_out: Vec::new(),
        };
        let Ok(to) = &message.to else {
            return explanation;
        };
        for rule in &self.rules {
            let mut conditions = rule.when.iter();
            let Some(failed) = conditions.find(|c| !c.holds(message, to, &self.region)) else {
                explanation.decision = self.then(rule.name.clone(), &rule.then, message, to, None);
                explanation.place = Some(rule.place.clone());
                self.explain_chain(&rule.then, message.channel, &mut explanation);
                break;
            };
            let found = failed.found(message, to, &self.region);
            explanation.passed.push(Passed {
                rule: rule.name.to_string(),
                place: rule.place.clone(),
                why: format!("{} is {found}", failed.name()),
            });
        }
        explanation
    }

    fn explain_chain(&self, then: &Then, channel: Channel, explanation: &mut Explanation) {
        let Then::Chain { chain, data_region } = then else {
            return;
        };
        for position in &self.chains[*chain].positions {
            let fit = |m: &&Member| self.unfit(m, channel, data_region.as_deref()).is_none();
            let total: u32 = position.iter().filter(fit).map(|m| m.weight).sum();
            for member in by_weight(position) {
                match self.unfit(member, channel, data_region.as_deref()) {
                    Some(why) => explanation.left_out.push((member.vendor.to_string(), why)),
                    None => explanation.shares.push(member.weight * 100 / total.max(1)),
                }
            }
        }
    }

    fn then(
        &self,
        rule: Arc<str>,
        then: &Then,
        message: &Message,
        to: &PhoneNumber,
        seed: Seed<'_>,
    ) -> Decision {
        let (chain, data_region) = match then {
            Then::Deny(why) => {
                let why = Arc::clone(why);
                return Decision::Denied { rule, why };
            }
            Then::Chain { chain, data_region } => (&self.chains[*chain], data_region.as_deref()),
        };
        let mut steps = Vec::new();
        for (index, position) in chain.positions.iter().enumerate() {
            let fit: Vec<&Member> = by_weight(position)
                .into_iter()
                .filter(|m| self.unfit(m, message.channel, data_region).is_none())
                .collect();
            let order = match seed {
                Some(seed) => chosen_first(fit, chain, index, seed),
                None => fit,
            };
            steps.extend(order.into_iter().map(|member| Step {
                vendor: Arc::clone(&member.vendor),
                channel: message.channel,
                from: self.sender(member, to.country()),
            }));
        }
        if steps.is_empty() {
            return Decision::NoChain { rule };
        }
        Decision::Plan(Plan {
            rule,
            rules: Arc::clone(&self.version),
            chain: Arc::clone(&chain.name),
            steps,
            pace: chain.pace,
        })
    }

    /// Why a chain's member is left out.
    fn unfit(
        &self,
        member: &Member,
        channel: Channel,
        data_region: Option<&str>,
    ) -> Option<&'static str> {
        let vendor = self.vendor(&member.vendor)?;
        if !vendor.channels.contains(&channel) {
            return Some("it cannot do this channel");
        }
        let elsewhere = data_region.is_some_and(|r| vendor.data_region.as_deref() != Some(r));
        elsewhere.then_some("its data is in another region")
    }

    fn vendor(&self, name: &str) -> Option<&FleetVendor> {
        self.vendors.iter().find(|v| &*v.name == name)
    }

    /// The sender that the entry names, else the most specific one that fits, else the account's.
    fn sender(&self, member: &Member, country: Country) -> Option<Arc<str>> {
        if let Some(from) = &member.sender {
            return Some(Arc::clone(from));
        }
        let fits = |s: &&Sender| {
            s.vendor.as_ref().is_none_or(|v| *v == member.vendor)
                && s.countries.as_ref().is_none_or(|c| c.contains(&country))
        };
        let specific = |s: &&Sender| (s.countries.is_some(), s.vendor.is_some());
        // The first of those that are equally specific.
        let best = self.senders.iter().rev().filter(fits).max_by_key(specific);
        let account = || self.vendor(&member.vendor)?.from.clone();
        best.map(|s| Arc::clone(&s.from)).or_else(account)
    }
}

/// The heaviest first; equal ones as they are written.
fn by_weight(position: &[Member]) -> Vec<&Member> {
    let mut members: Vec<&Member> = position.iter().collect();
    members.sort_by_key(|m| std::cmp::Reverse(m.weight));
    members
}

/// The member that the seed falls on first, then the others.
fn chosen_first<'a>(
    mut members: Vec<&'a Member>,
    chain: &Chain,
    position: usize,
    (delivery, recipient): (&[u8; 16], u64),
) -> Vec<&'a Member> {
    let total: u64 = members.iter().map(|m| u64::from(m.weight)).sum();
    if members.len() < 2 || total == 0 {
        return members;
    }
    let mut context = digest::Context::new(&digest::SHA256);
    if chain.by_recipient {
        context.update(&recipient.to_be_bytes());
    } else {
        context.update(delivery);
    }
    context.update(chain.name.as_bytes());
    context.update(&(position as u64).to_be_bytes());
    let hash = context.finish();
    let hash = hash.as_ref().iter().take(8);
    let mut point = hash.fold(0_u64, |n, b| n << 8 | u64::from(*b)) % total;
    for index in 0..members.len() {
        let weight = u64::from(members[index].weight);
        if point < weight {
            let chosen = members.remove(index);
            members.insert(0, chosen);
            break;
        }
        point -= weight;
    }
    members
}
