//! Resolves lists of countries: ISO codes, the built-in groups, and groups of the rules' own.

mod regime;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::number::{Country, is_known_country};
use crate::problem::{Problems, did_you_mean};
use crate::rules::file::{Group, Name};

pub(super) use regime::{Names, Receipts, Regime, Support, TextRule, regime};

/// A group within a group within a group ... is told as a mistake beyond this depth.
const NESTING_MAX: usize = 16;

const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];
/// The European Economic Area beyond the EU.
const EFTA_IN_EEA: [&str; 3] = ["IS", "LI", "NO"];
/// The countries of calling code 1.
const NANP: [&str; 25] = [
    "AG", "AI", "AS", "BB", "BM", "BS", "CA", "DM", "DO", "GD", "GU", "JM", "KN", "KY", "LC", "MP",
    "MS", "PR", "SX", "TC", "TT", "US", "VC", "VG", "VI",
];
const BUILT_IN: [&str; 3] = ["EEA", "EU", "NANP"];
/// Codes that people write for others.
const MISTAKEN: [(&str, &str); 11] = [
    ("UK", "GB"),
    ("EL", "GR"),
    ("USA", "US"),
    ("GBR", "GB"),
    ("DEU", "DE"),
    ("FRA", "FR"),
    ("IND", "IN"),
    ("SGP", "SG"),
    ("CHN", "CN"),
    ("JPN", "JP"),
    ("BRA", "BR"),
];

/// Whether the country has calling code 1.
pub(super) fn is_nanp(country: Country) -> bool {
    NANP.contains(&country.as_str())
}

/// Whether names are no senders there: US and Canadian operators take numbers only, and vendors say the same of
/// Puerto Rico.
pub(super) fn takes_no_names(country: Country) -> bool {
    regime(country).is_some_and(|regime| regime.names == Names::No)
}

/// Whether the absence of a receipt says nothing there, and a receipt little.
pub(super) fn receipts_prove_nothing(country: Country) -> bool {
    regime(country).is_some_and(|regime| match regime.receipts {
        Receipts::Carrier | Receipts::None => true,
        Receipts::Handset | Receipts::Unknown => false,
    })
}

/// All groups by name, each resolved when it is first asked for.
pub(super) struct Groups<'a> {
    problems: &'a RefCell<Problems>,
    written: BTreeMap<&'a str, &'a Group>,
    /// There may be more groups than could be read.
    has_unread: bool,
    resolved: RefCell<BTreeMap<&'a str, Vec<Country>>>,
}

impl<'a> Groups<'a> {
    /// Takes the groups of all files, and tells what is wrong in them.
    pub(super) fn new(
        groups: &'a [Group],
        has_unread: bool,
        problems: &'a RefCell<Problems>,
    ) -> Groups<'a> {
        let mut written = BTreeMap::new();
        for group in groups {
            let name = &*group.name.text;
            if BUILT_IN.contains(&name) {
                let message = format!("`{name}` is built in");
                let hint = format!("another name: {} are built in", BUILT_IN.join(", "));
                group.name.place.error(problems, message, Some(hint));
                continue;
            } else if Country::parse(name).is_some_and(is_known_country) {
                let message = format!("`{name}` is a country, and cannot name a group");
                let hint = "another name, such as `ours`".to_owned();
                group.name.place.error(problems, message, Some(hint));
                continue;
            }
            written.insert(name, group);
        }
        let all = Groups {
            problems,
            written,
            has_unread,
            resolved: RefCell::default(),
        };
        for group in groups {
            all.group(&group.name.text, &mut Vec::new());
        }
        all
    }

    /// The countries of a list, sorted, each once; names that mean nothing are told.
    pub(super) fn countries(&self, names: &[Name]) -> Vec<Country> {
        self.list(names, &mut Vec::new())
    }

    /// `open` are the groups being resolved, outermost first.
    fn list(&self, names: &[Name], open: &mut Vec<String>) -> Vec<Country> {
        let mut countries: Vec<Country> = names.iter().flat_map(|n| self.one(n, open)).collect();
        countries.sort_unstable();
        countries.dedup();
        countries
    }

    fn one(&self, name: &Name, open: &mut Vec<String>) -> Vec<Country> {
        let text = &*name.text;
        if open.iter().any(|o| o == text) || open.len() > NESTING_MAX {
            let message = format!("group `{text}` contains itself");
            name.place.error(self.problems, message, None);
            return Vec::new();
        }
        if let Some(group) = self.group(text, open) {
            return group;
        }
        match Country::parse(text).filter(|c| is_known_country(*c)) {
            Some(country) => vec![country],
            None if self.has_unread && text.len() != 2 => Vec::new(),
            None => {
                let message = format!("`{text}` is neither a country nor a group");
                name.place
                    .error(self.problems, message, Some(self.hint(text)));
                Vec::new()
            }
        }
    }

    fn group(&self, name: &str, open: &mut Vec<String>) -> Option<Vec<Country>> {
        match name {
            "EU" => return Some(codes(&EU)),
            "EEA" => return Some([codes(&EU), codes(&EFTA_IN_EEA)].concat()),
            "NANP" => return Some(codes(&NANP)),
            _ => {}
        }
        let (&name, group) = self.written.get_key_value(name)?;
        if let Some(known) = self.resolved.borrow().get(name) {
            return Some(known.clone());
        }
        open.push(name.to_owned());
        let countries = self.list(&group.members, open);
        open.pop();
        self.resolved.borrow_mut().insert(name, countries.clone());
        Some(countries)
    }

    fn hint(&self, wrong: &str) -> String {
        let code = wrong.to_uppercase();
        if let Some((_, right)) = MISTAKEN.iter().find(|(w, _)| *w == code) {
            return format!("did you mean `{right}`?");
        }
        if wrong == "*" {
            return "leave the key out where every country is meant".to_owned();
        }
        if wrong.starts_with('+') {
            return format!("`prefix = \"{wrong}\"` is about the beginning of numbers");
        }
        let groups = self.written.keys().copied().chain(BUILT_IN);
        did_you_mean(wrong, groups)
            .unwrap_or_else(|| "two letters of ISO 3166, such as `SG`".to_owned())
    }
}

fn codes(list: &[&str]) -> Vec<Country> {
    list.iter()
        .filter_map(|code| Country::parse(code))
        .collect()
}
