//! Says what a draft of the rules would change for the messages that two rule sets tell apart.

mod fate;
mod settings;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Serialize;

use crate::flow::Channel;
use crate::number::Country;
use crate::rules::compare::fate::Fate;
use crate::rules::compare::settings::{guard_changes, quota_changes, switch_changes};
use crate::rules::compare::written::{Otherwise, Whose, Written};
use crate::rules::plan::Chain;
use crate::rules::probe::{Apart, Effort, Probe, Scope, Traits, probes, told_apart};
use crate::rules::{Act, Rules};
use crate::time::Moment;

pub use written::Declaration;

/// How much is done to compare, at most, in rules held against a message.
const EFFORT_MAX: u64 = 40_000_000;

/// What a draft changes, the worst first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    pub changes: Vec<Change>,
    /// Chains in use on both sides that are walked otherwise.
    pub chains: Vec<ChainChange>,
    pub guard: Vec<Difference>,
    pub quotas: Vec<Difference>,
    /// By the vendor that is switched.
    pub switches: Vec<Difference>,
    /// Written differently, and no probe shows where.
    pub unshown: Vec<Declaration>,
    /// Countries that rules name and for which nothing changes.
    pub unchanged: usize,
    /// Every message that may fare otherwise was looked at. If not, something may change that is not told.
    pub is_complete: bool,
}

/// What changes alike for some countries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Nothing would be sent any more.
    pub loses_all: bool,
    pub countries: Vec<Country>,
    /// All countries that nothing names, too.
    pub others: bool,
    pub channel: Channel,
    /// Whose messages, such as `org acme`; absent: everybody's.
    pub only: Option<String>,
    pub differences: Vec<Difference>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainChange {
    pub chain: String,
    pub differences: Vec<Difference>,
}

/// One thing that is another in the draft.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Such as `chain`, `vendors`, `sender`, `text`.
    pub what: String,
    pub before: String,
    pub after: String,
}

impl Difference {
    /// `None` where both are the same.
    fn of(what: &str, before: String, after: String) -> Option<Difference> {
        (before != after).then(|| Difference {
            what: what.to_owned(),
            before,
            after,
        })
    }
}

/// What is alike: whether all is lost, whose messages, by which channel, what changes.
type Alike = (bool, String, Channel, Vec<Difference>);
/// What number a message is for, by which channel, and what is special about it.
type Kind<'p> = (&'p str, Country, Channel, Traits);

impl Rules {
    /// What these rules would change, were they in force instead of `live`. `orgs` are the configured ones.
    pub fn compare(&self, live: &Rules, orgs: &[Arc<str>], now: Moment) -> Comparison {
        let sides = [live, self];
        let apart = told_apart(&sides);
        let countries = apart.countries();
        let mut written = Written::of(live, self);
        let is_let_in =
            |country: &&Country| live.guard.allows(**country) != self.guard.allows(**country);
        let let_in: Vec<Country> = countries.iter().filter(is_let_in).copied().collect();
        written.changed.countries.extend(let_in);
        let (probes, is_complete) = probes(&Scope {
            sides: &sides,
            countries: &countries,
            orgs,
            region: &self.region,
            now,
            changed: Some(&written.changed),
        });
        let effort = Effort::new(EFFORT_MAX);
        let mut differing: Vec<Differing<'_, '_>> = Vec::new();
        let mut is_complete = is_complete;
        for probe in &probes {
            if effort.is_spent() {
                is_complete &= !probe.is_needed;
                continue;
            }
            let before = Fate::of(live, probe, now, &effort);
            let after = Fate::of(self, probe, now, &effort);
            let differences = before.differences(&after);
            if !differences.is_empty() {
                differing.push(Differing {
                    probe,
                    differences,
                    fates: [before, after],
                });
            }
        }
        let chains = chain_changes(live, self);
        let unshown = written.all.into_iter().filter(|otherwise| {
            // Where every message was looked at, only what depends on the time may show later.
            let is_open = !is_complete || otherwise.has_dates;
            is_open && !otherwise.is_shown(&differing, &chains)
        });
        let unshown = unshown.map(|otherwise| otherwise.declaration).collect();
        let changed: BTreeSet<Country> = differing.iter().map(Differing::country).collect();
        Comparison {
            changes: changes(&differing, &apart),
            chains,
            guard: guard_changes(&live.guard, &self.guard),
            quotas: quota_changes(live, self),
            switches: switch_changes(live, self),
            unshown,
            unchanged: apart.named.difference(&changed).count(),
            is_complete,
        }
    }

    /// The chains that rules send with.
    fn chains_in_use(&self) -> BTreeMap<&str, &Chain> {
        let sends = self.rules.iter().filter_map(|rule| match &rule.act {
            Act::Send(send) => Some(&*send.chain),
            Act::Deny(_) => None,
        });
        sends.map(|chain| (&*chain.name, chain)).collect()
    }
}

/// A probe that fares otherwise.
struct Differing<'p, 'r> {
    probe: &'p Probe,
    differences: Vec<Difference>,
    /// In the live rules, and in the draft.
    fates: [Fate<'r>; 2],
}

impl<'p> Differing<'p, '_> {
    fn country(&self) -> Country {
        self.probe.number.country()
    }

    fn loses_all(&self) -> bool {
        let [before, after] = &self.fates;
        before.is_sent() && !after.is_sent()
    }

    /// Whether others, of whom less is special, are told the same.
    fn is_told(&self, kinds: &HashMap<Kind<'p>, &[Difference]>) -> bool {
        let Probe {
            traits,
            what,
            message,
            ..
        } = self.probe;
        let special: Vec<usize> = (0..traits.len())
            .filter(|axis| traits[*axis] != 0)
            .collect();
        let fewer = (0..1_usize << special.len()).map(|kept| {
            let mut fewer = *traits;
            for (bit, axis) in special.iter().enumerate() {
                if kept >> bit & 1 == 0 {
                    fewer[*axis] = 0;
                }
            }
            fewer
        });
        let mut wider = fewer.flat_map(|fewer| [(what.as_str(), fewer), ("", fewer)]);
        wider.any(|(wider_what, wider_traits)| {
            let is_itself = wider_what == what && wider_traits == *traits;
            let kind = (wider_what, self.country(), message.channel, wider_traits);
            !is_itself
                && kinds
                    .get(&kind)
                    .is_some_and(|told| *told == self.differences)
        })
    }
}

/// What changes, with all to whom the same happens in one. What is special is told only where it is another.
fn changes(differing: &[Differing<'_, '_>], apart: &Apart) -> Vec<Change> {
    let kinds = differing.iter().map(|differing| {
        let Probe {
            what,
            message,
            traits,
            ..
        } = differing.probe;
        let kind = (what.as_str(), differing.country(), message.channel, *traits);
        (kind, &*differing.differences)
    });
    let kinds: HashMap<Kind<'_>, &[Difference]> = kinds.collect();
    let mut alike: BTreeMap<Alike, BTreeSet<Country>> = BTreeMap::new();
    for differing in differing.iter().filter(|d| !d.is_told(&kinds)) {
        let probe = differing.probe;
        let differences = differing.differences.clone();
        let keeps = !differing.loses_all();
        let key = (
            keeps,
            probe.special.clone(),
            probe.message.channel,
            differences,
        );
        alike.entry(key).or_default().insert(differing.country());
    }
    let changes = alike.into_iter();
    let changes = changes.map(|((keeps, special, channel, differences), countries)| {
        let (others, countries): (Vec<Country>, Vec<Country>) = countries
            .into_iter()
            .partition(|c| Some(*c) == apart.stand_in);
        Change {
            loses_all: !keeps,
            others: !others.is_empty(),
            countries,
            channel,
            only: (!special.is_empty()).then_some(special),
            differences,
        }
    });
    let mut changes: Vec<Change> = changes.collect();
    changes.sort_by_key(|change| (!change.loses_all, change.only.is_some()));
    changes
}

impl Otherwise {
    /// Whether any probe that fares otherwise has to do with it, or it is told by itself.
    fn is_shown(&self, differing: &[Differing<'_, '_>], chains: &[ChainChange]) -> bool {
        let is_met = |differing: &Differing<'_, '_>| {
            let mut fates = differing.fates.iter().enumerate();
            fates.any(|(side, fate)| match &self.whose {
                Whose::Rule(at) => at[side].is_some() && fate.rule == at[side],
                Whose::Template(at) => at[side].is_some_and(|index| fate.has_template(index)),
                Whose::Sender(at) => at[side].is_some_and(|index| fate.has_sender(index)),
                Whose::Chain(name) => fate.chain.is_some_and(|chain| *chain.name == **name),
                Whose::Register(countries) => countries.contains(&differing.country()),
            })
        };
        let is_told = |told: &ChainChange| match &self.whose {
            Whose::Chain(name) => {
                let mut own = self.declaration.differences.iter();
                told.chain == *name && own.all(|own| told.differences.contains(own))
            }
            Whose::Rule(_) | Whose::Template(_) | Whose::Sender(_) | Whose::Register(_) => false,
        };
        differing.iter().any(is_met) || chains.iter().any(is_told)
    }
}

fn chain_changes(live: &Rules, draft: &Rules) -> Vec<ChainChange> {
    let after = draft.chains_in_use();
    let both = live.chains_in_use().into_iter();
    let both = both.filter_map(|(name, chain)| Some((name, chain, *after.get(name)?)));
    let changes = both.map(|(name, before, after)| ChainChange {
        chain: name.to_owned(),
        differences: before.pace_differences(after),
    });
    changes
        .filter(|change| !change.differences.is_empty())
        .collect()
}
