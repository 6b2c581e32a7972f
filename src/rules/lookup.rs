//! Finds the rules that may match a message without asking all of them.

use std::collections::HashMap;

use crate::number::Country;
use crate::rules::Rule;
use crate::rules::condition::{Condition, Facts, Login};

/// Rules by what they ask for. Each is filed under one of its conditions, once for each of its values.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    countries: HashMap<Country, Vec<usize>>,
    /// Digits with `+`.
    prefixes: HashMap<String, Vec<usize>>,
    orgs: HashMap<String, Vec<usize>>,
    users: HashMap<String, Vec<usize>>,
    /// Whole logins, and what is behind an `@`.
    logins: HashMap<String, Vec<usize>>,
    /// Those that ask for nothing of that.
    rest: Vec<usize>,
}

/// The rules filed under the values that a message has.
const SHELVES_MAX: usize = 5 + 1 + LONGEST_PREFIX;
/// `+` and 15 digits (ITU-T E.164).
const LONGEST_PREFIX: usize = 16;

impl Lookup {
    /// Files the rules that can match in an instance labelled `region`.
    pub(super) fn new(rules: &[Rule], region: &str) -> Lookup {
        let mut all = Lookup::default();
        let is_elsewhere = |rule: &Rule| {
            let mut conditions = rule.conditions.iter();
            conditions
                .any(|c| matches!(c, Condition::Region(list) if list.iter().all(|r| r != region)))
        };
        let here = || {
            let rules = rules.iter().enumerate();
            rules.filter(|(_, rule)| !is_elsewhere(rule))
        };
        for (index, rule) in here() {
            for condition in &rule.conditions {
                all.file(condition, index);
            }
        }
        let mut lookup = Lookup::default();
        for (index, rule) in here() {
            // Where the fewest others are.
            let crowd = |condition: &&Condition| all.crowd(condition);
            let best = rule
                .conditions
                .iter()
                .filter(|c| is_filed(c))
                .min_by_key(crowd);
            match best {
                Some(condition) => lookup.file(condition, index),
                None => lookup.rest.push(index),
            }
        }
        lookup
    }

    /// The first rule, by its index, for which `holds`.
    pub(super) fn first(
        &self,
        facts: &Facts<'_>,
        mut holds: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let mut shelves = Shelves::default();
        shelves.put(self.countries.get(&facts.number.country()));
        shelves.put(self.orgs.get(&*facts.message.org));
        if !self.users.is_empty() {
            let user = facts.message.user.as_ref();
            shelves.put(user.and_then(|user| self.users.get(user)));
        }
        if !self.logins.is_empty()
            && let Some(login) = &facts.login
        {
            shelves.put(self.logins.get(login));
            let domain = login.rfind('@').map(|at| &login[at..]);
            shelves.put(domain.and_then(|domain| self.logins.get(domain)));
        }
        if !self.prefixes.is_empty() {
            let number = facts.number.e164();
            for end in 2..=number.len().min(LONGEST_PREFIX) {
                shelves.put(self.prefixes.get(&number[..end]));
            }
        }
        shelves.put(Some(&self.rest));
        loop {
            let index = shelves.next()?;
            if holds(index) {
                return Some(index);
            }
        }
    }

    /// The rules that may match all that meets these conditions, in order.
    pub(super) fn that_may_cover(&self, conditions: &[Condition]) -> Vec<usize> {
        let mut found = self.rest.clone();
        for condition in conditions {
            match condition {
                Condition::Country(list) => found.extend(filed(&self.countries, list.first())),
                Condition::Org(list) => found.extend(filed(&self.orgs, list.first())),
                Condition::User(list) => found.extend(filed(&self.users, list.first())),
                Condition::Prefix(list) => {
                    let longest = list.first().map_or("", |p| p);
                    for end in 2..=longest.len() {
                        found.extend(self.prefixes.get(&longest[..end]).into_iter().flatten());
                    }
                }
                Condition::Login(list) => {
                    if let Some(key) = list.first().and_then(login_key) {
                        found.extend(filed(&self.logins, Some(key)));
                        let domain = key.rfind('@').map(|at| key[at..].to_owned());
                        found.extend(filed(&self.logins, domain.as_ref()));
                    }
                }
                Condition::NumberType(_)
                | Condition::Channel(_)
                | Condition::RequestType(_)
                | Condition::Locale(_)
                | Condition::Region(_)
                | Condition::Preview(_) => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How many rules are filed under the fullest of a condition's values.
    fn crowd(&self, condition: &Condition) -> usize {
        let most = |sizes: &mut dyn Iterator<Item = usize>| sizes.max().unwrap_or(0);
        match condition {
            Condition::Country(list) => {
                most(&mut list.iter().map(|v| filed(&self.countries, Some(v)).len()))
            }
            Condition::Prefix(list) => {
                most(&mut list.iter().map(|v| filed(&self.prefixes, Some(v)).len()))
            }
            Condition::Org(list) => {
                most(&mut list.iter().map(|v| filed(&self.orgs, Some(v)).len()))
            }
            Condition::User(list) => {
                most(&mut list.iter().map(|v| filed(&self.users, Some(v)).len()))
            }
            Condition::Login(list) => {
                most(&mut keys(list).map(|v| filed(&self.logins, Some(v)).len()))
            }
            Condition::NumberType(_)
            | Condition::Channel(_)
            | Condition::RequestType(_)
            | Condition::Locale(_)
            | Condition::Region(_)
            | Condition::Preview(_) => usize::MAX,
        }
    }

    fn file(&mut self, condition: &Condition, index: usize) {
        match condition {
            Condition::Country(list) => file(&mut self.countries, list.iter().copied(), index),
            Condition::Prefix(list) => file(&mut self.prefixes, list.iter().cloned(), index),
            Condition::Org(list) => file(&mut self.orgs, list.iter().cloned(), index),
            Condition::User(list) => file(&mut self.users, list.iter().cloned(), index),
            Condition::Login(list) => file(&mut self.logins, keys(list).cloned(), index),
            Condition::NumberType(_)
            | Condition::Channel(_)
            | Condition::RequestType(_)
            | Condition::Locale(_)
            | Condition::Region(_)
            | Condition::Preview(_) => {}
        }
    }
}

/// The rules that may match one message.
#[derive(Default)]
struct Shelves<'a> {
    shelves: [&'a [usize]; SHELVES_MAX],
    count: usize,
}

impl<'a> Shelves<'a> {
    fn put(&mut self, shelf: Option<&'a Vec<usize>>) {
        if let Some(shelf) = shelf {
            self.shelves[self.count] = shelf;
            self.count += 1;
        }
    }

    /// The one that was written first of all that are left.
    fn next(&mut self) -> Option<usize> {
        let left = self.shelves[..self.count].iter_mut();
        let first = left
            .filter(|shelf| !shelf.is_empty())
            .min_by_key(|shelf| shelf[0])?;
        let index = first[0];
        *first = &first[1..];
        Some(index)
    }
}

/// Whether a rule can be found by this condition alone.
fn is_filed(condition: &Condition) -> bool {
    match condition {
        Condition::Country(_) | Condition::Org(_) | Condition::User(_) => true,
        Condition::Prefix(list) => list.iter().all(|p| p.len() <= LONGEST_PREFIX),
        Condition::Login(list) => keys(list).count() == list.len(),
        Condition::NumberType(_)
        | Condition::Channel(_)
        | Condition::RequestType(_)
        | Condition::Locale(_)
        | Condition::Region(_)
        | Condition::Preview(_) => false,
    }
}

fn keys(list: &[Login]) -> impl Iterator<Item = &String> {
    list.iter().filter_map(login_key)
}

/// What a login is filed under: all of it, or its domain with the `@`.
fn login_key(login: &Login) -> Option<&String> {
    match login {
        Login::Whole(login) => Some(login),
        Login::EndsWith(end) => end.rfind('@').is_some_and(|at| at == 0).then_some(end),
    }
}

fn filed<'a, K: std::hash::Hash + Eq>(
    shelves: &'a HashMap<K, Vec<usize>>,
    value: Option<&K>,
) -> &'a [usize] {
    value.and_then(|v| shelves.get(v)).map_or(&[], |s| s)
}

fn file<K: std::hash::Hash + Eq>(
    shelves: &mut HashMap<K, Vec<usize>>,
    values: impl Iterator<Item = K>,
    index: usize,
) {
    for value in values {
        let shelf = shelves.entry(value).or_default();
        // A value that stands twice in a list is filed once.
        if shelf.last() != Some(&index) {
            shelf.push(index);
        }
    }
}
