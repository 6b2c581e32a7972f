//! Tells what is written twice, can never happen, or is never used.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::document::At;
use crate::flow::VendorName;
use crate::problem::{Severity, Source};
use crate::rules::compile::{Compiler, Read};
use crate::rules::condition::Condition;
use crate::rules::file::{RuleFile, RuleText};
use crate::rules::{Rule, Rules, Then};

impl Compiler<'_> {
    pub(super) fn tell_duplicates(&self, read: &[Read<'_>]) {
        type Names = fn(&RuleFile) -> Vec<&At<String>>;
        let kinds: [(&str, Names); 4] = [
            ("rule", |f| f.rules.iter().map(|r| &r.name).collect()),
            ("chain", |f| f.chains.iter().map(|c| &c.name).collect()),
            ("sender", |f| f.senders.iter().map(|s| &s.name).collect()),
            ("group", |f| f.groups.iter().map(|(name, _)| name).collect()),
        ];
        for (kind, names) in kinds {
            let mut known: BTreeMap<&str, (&Source, &Range<usize>)> = BTreeMap::new();
            for (source, file) in read {
                for name in names(file) {
                    let Some((other, at)) = known.insert(&name.value, (source, &name.span)) else {
                        continue;
                    };
                    let place = |s: &Source, at: &Range<usize>| {
                        format!("{}:{}", s.name, s.position(at.start).0)
                    };
                    let message = |there: String| {
                        format!("another {kind} is named `{}`, at {there}", name.value)
                    };
                    self.error(source, &name.span, message(place(other, at)), None);
                    self.error(other, at, message(place(source, &name.span)), None);
                }
            }
        }
    }

    /// A rule whose every message an earlier one takes can never match.
    pub(super) fn tell_shadowed(
        &self,
        source: &Source,
        text: &RuleText,
        when: &[Condition],
        earlier: &[Rule],
    ) {
        let covers = |rule: &&Rule| {
            let mut wider = rule.when.iter();
            wider.all(|w| when.iter().any(|narrow| w.covers(narrow)))
        };
        if let Some(rule) = earlier.iter().find(covers) {
            let message = format!("the rule `{}` can never match", text.name.value);
            let hint = format!("`{}` at {} takes all its messages", rule.name, rule.place);
            self.warning(source, &text.name.span, message, &hint);
        }
    }

    pub(super) fn tell_unused(&self, rules: &Rules, read: &[Read<'_>]) {
        let used: BTreeSet<usize> = rules
            .rules
            .iter()
            .filter_map(|rule| match &rule.then {
                Then::Chain { chain, .. } => Some(*chain),
                Then::Deny(_) => None,
            })
            .collect();
        let texts = read
            .iter()
            .flat_map(|(source, f)| f.chains.iter().map(move |c| (*source, c)));
        for (index, (source, text)) in texts.enumerate() {
            if !used.contains(&index) {
                let message = format!("no rule uses the chain `{}`", text.name.value);
                self.warning(source, &text.name.span, message, "");
            }
        }
        let in_chains: BTreeSet<&VendorName> = rules
            .chains
            .iter()
            .flat_map(|c| c.positions.iter().flatten().map(|m| &m.vendor))
            .collect();
        for vendor in &self.fleet.vendors {
            if !in_chains.contains(&vendor.name) {
                let message = format!("no chain uses the vendor `{}`", vendor.name);
                let mut problems = self.problems.borrow_mut();
                problems.general(Severity::Warning, message, None);
            }
        }
    }
}
