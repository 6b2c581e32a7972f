//! Tells names that are taken twice, and what nothing leads to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::document::DUPLICATE_KEY;
use crate::problem::{Problems, Severity};
use crate::rules::compile::Compiler;
use crate::rules::condition::Condition;
use crate::rules::file::{self, Group, Name, Place, Written};
use crate::rules::{Rule, Rules};

impl Compiler<'_> {
    pub(super) fn duplicates(&self, written: &Written) {
        let senders = written.senders.iter().filter_map(|s| s.name.as_ref());
        self.told_twice("rule", written.rules.iter().map(|r| &r.name));
        self.told_twice("chain", written.chains.iter().map(|c| &c.name));
        self.told_twice("sender", senders);
        self.told_twice("quota", written.quotas.iter().map(|q| &q.name));
        self.told_twice("group", written.groups.iter().map(|g| &g.name));
        self.told_by_toml(&written.groups);
        for (index, guard) in written.guards.iter().enumerate() {
            let others = others(index, written.guards.iter().map(|g| &g.place));
            if let Some(hint) = others {
                let message = "there is more than one `[guard]`";
                guard.place.error(self.problems, message, Some(hint));
            }
        }
    }

    /// A name taken twice in one file is a mistake of TOML's own, told at the second place only:
    /// tells the first one too.
    fn told_by_toml(&self, groups: &[Group]) {
        let again: Vec<Place> = self
            .problems
            .borrow()
            .sorted()
            .into_iter()
            .filter(|problem| problem.message == DUPLICATE_KEY)
            .filter_map(|problem| problem.place.clone())
            .map(|(source, span)| Place { source, span })
            .collect();
        for again in again {
            let group = groups.iter().find(|g| again.repeats(&g.name));
            let first = match group {
                Some(group) => Some(("group", group.name.clone())),
                None => first_chain(&again).map(|name| ("chain", name)),
            };
            if let Some((what, name)) = first {
                let message = format!("another {what} is named `{}` too", name.text);
                let hint = format!("also at {}", again.line());
                name.place.error(self.problems, message, Some(hint));
            }
        }
    }

    fn told_twice<'n>(&self, what: &str, names: impl Iterator<Item = &'n Name>) {
        let mut by_text: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
        for name in names {
            by_text.entry(&name.text).or_default().push(name);
        }
        for (text, names) in by_text {
            for (index, name) in names.iter().enumerate() {
                if let Some(hint) = others(index, names.iter().map(|n| &n.place)) {
                    let message = format!("another {what} is named `{text}` too");
                    name.place.error(self.problems, message, Some(hint));
                }
            }
        }
    }

    pub(super) fn unused(&self, written: &Written, rules: &Rules) {
        let used: BTreeSet<&str> = written
            .rules
            .iter()
            .filter_map(|rule| Some(&*rule.chain.as_ref()?.text))
            .collect();
        for chain in &written.chains {
            let name = &chain.name;
            if !used.contains(&*name.text) {
                let message = format!("no rule uses chain `{}`", name.text);
                name.place.warning(self.problems, message, None);
            }
        }
        let mut problems = self.problems.borrow_mut();
        let configured = self.fleet.iter().filter(|(_, vendor)| !vendor.stand_in);
        for (vendor, _) in configured {
            if !rules.vendors_used.iter().any(|used| **used == **vendor) {
                let message = format!("vendor `{vendor}` is in no chain");
                problems.general(Severity::Warning, message, None);
            }
        }
    }
}

impl Rules {
    /// Warns of rules that can never match, because an earlier one matches all that they would.
    pub(super) fn tell_shadowed(&self, written: &[file::Rule], problems: &RefCell<Problems>) {
        for (index, rule) in self.rules.iter().enumerate() {
            let earlier = self.covering(index, &rule.conditions);
            if let (Some(earlier), Some(place)) = (earlier, written.get(index)) {
                let earlier = &self.rules[earlier];
                let message = format!(
                    "rule `{}` can never match: `{}` matches all that it would",
                    rule.name, earlier.name
                );
                let hint = format!("move it before {}", earlier.place);
                place.name.place.warning(problems, message, Some(hint));
            }
        }
    }
}

impl Rules {
    /// The first rule before this one, by its index, that takes all that meets the conditions, always.
    pub(in crate::rules) fn covering(
        &self,
        index: usize,
        conditions: &[Condition],
    ) -> Option<usize> {
        let may = self.lookup.that_may_cover(conditions);
        let mut earlier = may.into_iter().take_while(|earlier| *earlier < index);
        earlier.find(|earlier| self.rules[*earlier].covers(conditions))
    }

    /// Whether an earlier rule takes all that meets the conditions.
    pub(in crate::rules) fn is_covered(&self, index: usize, conditions: &[Condition]) -> bool {
        self.covering(index, conditions).is_some()
    }
}

impl Rule {
    /// Whether this rule matches whatever meets all the narrower conditions.
    pub(super) fn covers(&self, narrower: &[Condition]) -> bool {
        let mut own = self.conditions.iter();
        self.validity.is_always() && own.all(|own| narrower.iter().any(|narrow| own.covers(narrow)))
    }
}

/// `also at` the places of all but one.
fn others<'p>(index: usize, places: impl Iterator<Item = &'p Place>) -> Option<String> {
    let others: Vec<String> = places
        .enumerate()
        .filter(|(other, _)| *other != index)
        .map(|(_, place)| place.line())
        .collect();
    (!others.is_empty()).then(|| format!("also at {}", others.join(", ")))
}

impl Place {
    /// Whether a key that begins a line here is another of that name in the same file.
    fn repeats(&self, name: &Name) -> bool {
        let text = &self.source.text;
        let key = text.get(self.span.clone()).unwrap_or_default();
        let before = text.get(..self.span.start).unwrap_or_default();
        self.source.name == name.place.source.name
            && self.span.start > name.place.span.start
            && key.trim_matches(['"', '\'']) == name.text
            && before.trim_end_matches([' ', '\t']).ends_with('\n')
    }
}

/// The first header of the chain whose second header has its key at `again`. The reader keeps the
/// second one's place, so the first is looked for in the text.
fn first_chain(again: &Place) -> Option<Name> {
    let text = &again.source.text;
    let key = text.get(again.span.clone())?;
    let opening = format!("[chains.{key}]");
    let start = text.find(&opening)? + "[chains.".len();
    let first = Name {
        text: key.trim_matches(['"', '\'']).to_owned(),
        place: Place {
            source: again.source.clone(),
            span: start..start + key.len(),
        },
    };
    (start < again.span.start).then_some(first)
}
