//! Looks for what is wrong with rules that can be used: what leads nowhere, ends, or is not enough.

mod capacity;
mod dates;
mod reach;
mod senders;
mod texts;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::document::read_document;
use crate::flow::{Channel, Plan, VendorName};
use crate::number::Country;
use crate::problem::{Problems, Source};
use crate::rules::compile::listed;
use crate::rules::countries::Groups;
use crate::rules::file::{Name, Place, Written};
use crate::rules::probe::{Met, Probe, Scope, probes, told_apart};
use crate::rules::{Decision, Fleet, Rules};
use crate::time::Moment;

/// So many countries are listed in one line.
const COUNTRIES_SHOWN_MAX: usize = 12;

/// An account's own sender, as somebody configured it.
#[derive(Clone, Debug)]
pub struct OwnSender {
    pub vendor: VendorName,
    /// Where the account is written.
    pub place: (Source, Range<usize>),
}

/// Rules that can be used, and what comes of them for every message that they tell from others.
struct Analysis<'a> {
    rules: &'a Rules,
    written: Written,
    fleet: &'a Fleet,
    own: &'a [OwnSender],
    now: Moment,
    problems: &'a RefCell<Problems>,
    /// Each with what it meets now.
    cases: Vec<(Probe, Met<'a>)>,
    /// There is a case for everything that can be told apart.
    is_complete: bool,
    /// The country that stands for all that nothing names.
    stand_in: Option<Country>,
}

impl Rules {
    /// Warns of what works and should not stay so. The rules are those that `files` were compiled to, without an
    /// error. It takes longer than compiling, so that it is for people who check, not for reloads.
    pub fn analyse(
        &self,
        files: &[Source],
        fleet: &Fleet,
        own: &[OwnSender],
        now: Moment,
        problems: &RefCell<Problems>,
    ) {
        let mut written = Written::default();
        for file in files {
            // What is wrong with them has been told.
            read_document(file, &RefCell::default(), |root| written.read(root));
        }
        let (named, stand_in) = told_apart(&[self]);
        let all = named.into_iter().chain(stand_in);
        let countries: Vec<Country> = all.filter(|c| self.guard.allows(*c)).collect();
        let orgs: Vec<Arc<str>> = fleet.orgs.iter().map(|(name, _)| name.clone()).collect();
        let (probes, is_complete) = probes(&Scope {
            sides: &[self],
            countries: &countries,
            orgs: &orgs,
            region: &self.region,
            now,
        });
        let cases = probes.into_iter().map(|probe| {
            let met = self.meet(&probe, now);
            (probe, met)
        });
        let analysis = Analysis {
            rules: self,
            written,
            fleet,
            own,
            now,
            problems,
            cases: cases.collect(),
            is_complete,
            stand_in,
        };
        analysis.reach();
        analysis.dates();
        analysis.capacities();
        analysis.senders_by_country();
        analysis.texts_by_country();
    }
}

impl<'a> Analysis<'a> {
    /// Cases of text messages that are sent to countries which rules name.
    fn named_texts(&self) -> impl Iterator<Item = (Country, &Probe, &Met<'a>, &Plan)> {
        let texts = self.cases.iter().filter_map(|(probe, met)| {
            let Decision::Plan(plan) = &met.decision else {
                return None;
            };
            Some((probe.number.country(), probe, met, plan))
        });
        texts.filter(|(country, ..)| self.rules.countries.contains(country))
    }

    /// Cases that nothing is special about, by this channel, in countries that something names.
    fn usual(&self, channel: Channel) -> impl Iterator<Item = (Country, &Met<'a>)> {
        let usual = self
            .cases
            .iter()
            .filter(move |(probe, _)| probe.special.is_empty() && probe.message.channel == channel);
        let named = usual.map(|(probe, met)| (probe.number.country(), met));
        named.filter(|(country, _)| Some(*country) != self.stand_in)
    }

    /// Where a chain that a rule uses is written.
    fn chain_place(&self, chain: &str) -> Option<&Place> {
        let mut names = self.written.chains.iter().map(|chain| &chain.name);
        names
            .find(|name| name.text == chain)
            .map(|name| &name.place)
    }

    fn countries(&self, names: &[Name]) -> Vec<Country> {
        Groups::new(&self.written.groups, false, &RefCell::default()).countries(names)
    }
}

/// `AT, BE and DE`; of very many, how many more there are.
fn shown(countries: &BTreeSet<Country>) -> String {
    let all: Vec<Country> = countries.iter().copied().collect();
    if all.len() <= COUNTRIES_SHOWN_MAX {
        return listed(&all);
    }
    let first: Vec<&str> = all
        .iter()
        .map(Country::as_str)
        .take(COUNTRIES_SHOWN_MAX)
        .collect();
    let more = all.len() - first.len();
    format!("{} and {more} more", first.join(", "))
}

/// The names, each quoted.
fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A moment, as a day where one begins with it.
fn day(moment: Moment) -> String {
    let text = moment.to_rfc3339();
    match text.strip_suffix("T00:00:00.000Z") {
        Some(day) => day.to_owned(),
        None => text,
    }
}
