//! Says what a draft of the rules would change for the messages that two rule sets tell apart.

mod fate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::flow::Channel;
use crate::guard::{Allow, Settings};
use crate::number::Country;
use crate::rules::compare::fate::Fate;
use crate::rules::plan::Chain;
use crate::rules::probe::{Scope, probes, told_apart};
use crate::rules::{Act, Rules};
use crate::time::Moment;

/// What a draft changes, the worst first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    pub changes: Vec<Change>,
    /// Chains in use on both sides that are walked otherwise.
    pub chains: Vec<ChainChange>,
    pub guard: Vec<Difference>,
    /// Countries that rules name and for which nothing changes.
    pub unchanged: usize,
    /// Everything that the rules tell apart was looked at.
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

impl Rules {
    /// What these rules would change, were they in force instead of `live`. `orgs` are the configured ones.
    pub fn compare(&self, live: &Rules, orgs: &[Arc<str>], now: Moment) -> Comparison {
        let sides = [live, self];
        let (named, stand_in) = told_apart(&sides);
        let countries: Vec<Country> = named.iter().copied().chain(stand_in).collect();
        let (probes, is_complete) = probes(&Scope {
            sides: &sides,
            countries: &countries,
            orgs,
            region: &self.region,
            now,
        });
        // Each country's own changes for everybody; what is special is told only where it is another.
        let mut usual: BTreeMap<(Country, Channel), Vec<Difference>> = BTreeMap::new();
        let mut alike: BTreeMap<Alike, BTreeSet<Country>> = BTreeMap::new();
        let mut changed = BTreeSet::new();
        for probe in &probes {
            let (country, channel) = (probe.number.country(), probe.message.channel);
            let before = Fate::of(live, probe, now);
            let after = Fate::of(self, probe, now);
            let differences = before.differences(&after);
            let told = usual.get(&(country, channel));
            let is_told = told.is_some_and(|told| *told == differences);
            if probe.special.is_empty() {
                usual.insert((country, channel), differences.clone());
            }
            if differences.is_empty() || is_told {
                continue;
            }
            changed.insert(country);
            let loses_all = before.is_sent() && !after.is_sent();
            let key = (!loses_all, probe.special.clone(), channel, differences);
            alike.entry(key).or_default().insert(country);
        }
        let changes = alike.into_iter();
        let mut changes: Vec<Change> = changes
            .map(
                |((keeps, special, channel, differences), countries)| Change {
                    loses_all: !keeps,
                    others: stand_in.is_some_and(|other| countries.contains(&other)),
                    countries: countries
                        .into_iter()
                        .filter(|c| Some(*c) != stand_in)
                        .collect(),
                    channel,
                    only: (!special.is_empty()).then_some(special),
                    differences,
                },
            )
            .collect();
        changes.sort_by_key(|change| (!change.loses_all, change.only.is_some()));
        Comparison {
            changes,
            chains: chain_changes(live, self),
            guard: guard_changes(&live.guard, &self.guard),
            unchanged: named.difference(&changed).count(),
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

impl Chain {
    /// How otherwise another chain is walked.
    fn pace_differences(&self, other: &Chain) -> Vec<Difference> {
        let ms = |ms: i64| format!("{ms} ms");
        let action = |moves: bool| if moves { "failover" } else { "stop" }.to_owned();
        let order = |adaptive: bool| if adaptive { "adaptive" } else { "fixed" }.to_owned();
        let sticky = |recipient: bool| if recipient { "recipient" } else { "delivery" }.to_owned();
        let patience = |chain: &Chain| match chain.learning.patience {
            true => "learned".to_owned(),
            false => ms(chain.pace.patience_ms),
        };
        let (a, b) = (&self.pace, &other.pace);
        let all = [
            ("patience", patience(self), patience(other)),
            ("started at once", a.width.to_string(), b.width.to_string()),
            (
                "max_sends",
                a.max_sends.to_string(),
                b.max_sends.to_string(),
            ),
            (
                "give_up_after",
                ms(a.give_up_after_ms),
                ms(b.give_up_after_ms),
            ),
            (
                "on_failed_receipt",
                action(!a.stops_on_failed_receipt),
                action(!b.stops_on_failed_receipt),
            ),
            (
                "on_silence",
                action(a.moves_on_silence),
                action(b.moves_on_silence),
            ),
            (
                "silence_after",
                ms(self.silence_after_ms),
                ms(other.silence_after_ms),
            ),
            (
                "order",
                order(self.learning.order),
                order(other.learning.order),
            ),
            (
                "sticky",
                sticky(self.by_recipient),
                sticky(other.by_recipient),
            ),
        ];
        let all = all.into_iter();
        all.filter_map(|(what, before, after)| Difference::of(what, before, after))
            .collect()
    }
}

fn guard_changes(before: &Settings, after: &Settings) -> Vec<Difference> {
    let rate = |settings: &Settings| {
        let limit = settings.per_number;
        format!("{} in {} s", limit.count, limit.per_ms / 1000)
    };
    let per_number = Difference::of("per_number", rate(before), rate(after));
    let countries = match (&before.allow, &after.allow) {
        (Allow::Some(a), Allow::Some(b)) => {
            let only = |one: &BTreeSet<Country>, other: &BTreeSet<Country>| {
                let only: Vec<&str> = one.difference(other).map(Country::as_str).collect();
                only.join(", ")
            };
            let words = |list: String| {
                if list.is_empty() {
                    "-".to_owned()
                } else {
                    list
                }
            };
            Difference::of("allow_countries", words(only(a, b)), words(only(b, a)))
        }
        (a, b) => Difference::of("allow_countries", allowed(a), allowed(b)),
    };
    countries.into_iter().chain(per_number).collect()
}

fn allowed(allow: &Allow) -> String {
    match allow {
        Allow::Every => "every country".to_owned(),
        Allow::Some(countries) => format!("{} countries", countries.len()),
    }
}
