//! Looks for what is wrong with rules that can be used: what leads nowhere, ends, or is not enough.

mod capacity;
mod dates;
mod languages;
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
use crate::rules::probe::{Apart, Effort, Met, Probe, Scope, probes, told_apart};
use crate::rules::{Decision, Fleet, Rules};
use crate::time::Moment;

/// How much is done to analyse, at most, in rules held against a message or a rule.
const EFFORT_MAX: u64 = 60_000_000;
/// How much of it is done to find what messages meet.
const CASES_EFFORT_MAX: u64 = 25_000_000;
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
    apart: Apart,
    effort: Effort,
    /// What was not looked for, or not everywhere.
    left_out: RefCell<BTreeSet<&'static str>>,
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
        let apart = told_apart(&[self]);
        let mut countries = apart.countries();
        countries.retain(|country| self.guard.allows(*country));
        let orgs: Vec<Arc<str>> = fleet.orgs.iter().map(|(name, _)| name.clone()).collect();
        let (probes, is_complete) = probes(&Scope {
            sides: &[self],
            countries: &countries,
            orgs: &orgs,
            region: &self.region,
            now,
            changed: None,
        });
        let (all, effort) = (probes.len(), Effort::new(CASES_EFFORT_MAX));
        let probes = probes.into_iter().take_while(|_| !effort.is_spent());
        let cases = probes.map(|probe| {
            let met = self.meet(&probe, now, &effort);
            (probe, met)
        });
        let cases: Vec<(Probe, Met<'_>)> = cases.collect();
        let analysis = Analysis {
            rules: self,
            written,
            fleet,
            own,
            now,
            problems,
            is_complete: is_complete && cases.len() == all,
            cases,
            apart,
            effort: Effort::new(EFFORT_MAX - CASES_EFFORT_MAX),
            left_out: RefCell::default(),
        };
        analysis.reach();
        analysis.dates();
        analysis.capacities();
        analysis.senders_by_country();
        analysis.texts_by_country();
        analysis.languages();
        analysis.tell_left_out();
    }
}

impl<'a> Analysis<'a> {
    /// Cases of text messages that are sent to countries which something names.
    fn named_texts(&self) -> impl Iterator<Item = (Country, &Probe, &Met<'a>, &Plan)> {
        let texts = self.cases.iter().filter_map(|(probe, met)| {
            let Decision::Plan(plan) = &met.decision else {
                return None;
            };
            Some((probe.number.country(), probe, met, plan))
        });
        texts.filter(|(country, ..)| self.apart.is_named(*country))
    }

    /// Cases that nothing is special about, by this channel, in countries that something names.
    fn usual(&self, channel: Channel) -> impl Iterator<Item = (Country, &Met<'a>)> {
        let usual = self
            .cases
            .iter()
            .filter(move |(probe, _)| probe.special.is_empty() && probe.message.channel == channel);
        let named = usual.map(|(probe, met)| (probe.number.country(), met));
        named.filter(|(country, _)| self.apart.is_named(*country))
    }

    /// Whether there is no effort left for something, which is told at the end.
    fn leaves_out(&self, what: &'static str) -> bool {
        let is_spent = self.effort.is_spent();
        if is_spent {
            self.left_out.borrow_mut().insert(what);
        }
        is_spent
    }

    /// Says what was not looked for because there is too much of it.
    fn tell_left_out(&self) {
        let mut left_out = self.left_out.borrow_mut();
        if !self.is_complete {
            left_out.insert("whether every vendor, sender and template is met by a message");
        }
        if left_out.is_empty() {
            return;
        }
        let message = "the rules tell more apart than is looked at: not all is known of them";
        let left_out: Vec<&str> = left_out.iter().copied().collect();
        let hint = format!("left out: {}", left_out.join("; "));
        self.general(message.to_owned(), Some(hint));
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
