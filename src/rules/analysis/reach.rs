//! Finds what no message leads to: rules, vendors, senders, templates, quotas; and switches that are over.

use std::collections::BTreeSet;

use crate::flow::Channel;
use crate::number::{Country, NumberType, calling_code};
use crate::problem::Severity;
use crate::rules::analysis::{Analysis, day, quoted};
use crate::rules::condition::Condition;
use crate::rules::file::{Sender, Template, Validity};
use crate::rules::{Decision, Rule};

/// Combinations of country, channel and number type that are looked at for one rule, at most.
const CELLS_MAX: usize = 20_000;
/// What one of them costs beside the rules that it is held against.
const CELL_EFFORT: u64 = 20;
const TAKEN: &str = "whether earlier rules together leave nothing to each rule";

/// What the rules ask about at all.
struct Apart {
    types: bool,
    previews: bool,
}

impl Apart {
    fn of(rules: &[Rule]) -> Apart {
        let is_about = |key: &str| {
            let mut all = rules.iter().flat_map(|rule| &rule.conditions);
            all.any(|condition| condition.key() == key)
        };
        Apart {
            types: is_about("number_type"),
            previews: is_about("preview"),
        }
    }
}

impl Analysis<'_> {
    pub(super) fn reach(&self) {
        let apart = Apart::of(&self.rules.rules);
        for index in 0..self.rules.rules.len() {
            self.never_matching(index, &apart);
        }
        self.ended_switches();
        self.unused_quotas();
        if self.is_complete {
            self.unreached_vendors();
            self.unused_senders();
            self.unused_templates();
        }
    }

    /// Whether a rule contradicts itself, or several earlier ones leave it nothing.
    fn never_matching(&self, index: usize, apart: &Apart) {
        let rule = &self.rules.rules[index];
        let Some(written) = self.written.rules.get(index) else {
            return;
        };
        let place = &written.name.place;
        if let Some(why) = contradiction(&rule.conditions) {
            let message = format!("rule `{}` can never match: {why}", rule.name);
            place.warning(self.problems, message, None);
            return;
        }
        if self.leaves_out(TAKEN) {
            return;
        }
        // So many rules are asked for each kind of message.
        let may = self.rules.lookup.that_may_cover(&rule.conditions).len();
        self.effort.spend(2 * may as u64 + 1);
        if self.rules.is_covered(index, &rule.conditions) {
            return;
        }
        if let Some(takers) = self.takers(index, apart, may as u64) {
            let takers: Vec<&Rule> = takers.iter().map(|t| &self.rules.rules[*t]).collect();
            let names = takers.iter().map(|taker| &*taker.name);
            let message = format!(
                "rule `{}` can never match: {} together match all that it would",
                rule.name,
                quoted(names)
            );
            let first = takers.first();
            let hint = first.map(|first| format!("move it before {}", first.place));
            place.warning(self.problems, message, hint);
        }
    }

    /// The earlier rules that together take all of a rule's messages, in order.
    fn takers(&self, index: usize, apart: &Apart, may: u64) -> Option<BTreeSet<usize>> {
        let mut takers = BTreeSet::new();
        let cells = self.cells(&self.rules.rules[index].conditions, apart);
        self.effort.spend(CELL_EFFORT * cells.len() as u64);
        if cells.is_empty() || cells.len() > CELLS_MAX {
            return None;
        }
        for cell in &cells {
            if self.leaves_out(TAKEN) {
                return None;
            }
            self.effort.spend(may + 1);
            takers.insert(self.rules.covering(index, cell)?);
        }
        Some(takers)
    }

    /// The conditions of a rule, once for each country, channel and number type that rules tell apart.
    fn cells(&self, conditions: &[Condition], apart: &Apart) -> Vec<Vec<Condition>> {
        let allowed = |country: &Country| self.rules.guard.allows(*country);
        let countries = countries_of(conditions).unwrap_or_else(|| {
            let named = self.apart.countries().into_iter();
            named.chain([Country::NONE]).filter(allowed).collect()
        });
        let types = types_of(conditions).unwrap_or_else(|| match apart.types {
            true => NumberType::ALL.to_vec(),
            false => vec![NumberType::Mobile],
        });
        let channels = channels_of(conditions).unwrap_or(Channel::ALL.to_vec());
        let is_finite = |condition: &Condition| {
            matches!(
                condition,
                Condition::Country(_) | Condition::NumberType(_) | Condition::Channel(_)
            )
        };
        let others = conditions.iter().filter(|c| !is_finite(c)).cloned();
        let others: Vec<Condition> = others.collect();
        let has_preview = others.iter().any(|c| c.key() == "preview");
        let previews: &[Option<bool>] = match apart.previews && !has_preview {
            true => &[Some(true), Some(false)],
            false => &[None],
        };
        let mut cells = Vec::new();
        for country in &countries {
            for number_type in &types {
                for channel in &channels {
                    for preview in previews {
                        let mut cell = others.clone();
                        cell.push(Condition::Country(vec![*country]));
                        cell.push(Condition::NumberType(vec![*number_type]));
                        cell.push(Condition::Channel(vec![*channel]));
                        cell.extend(preview.map(Condition::Preview));
                        cells.push(cell);
                    }
                }
            }
        }
        cells
    }

    fn ended_switches(&self) {
        for switch in &self.written.switches {
            if let Some(until) = switch.until.filter(|until| *until <= self.now) {
                let message = format!("this switch ended at {}", day(until));
                let hint = Some("remove it, or move `until`".to_owned());
                switch.vendor.place.warning(self.problems, message, hint);
            }
        }
    }

    fn unused_quotas(&self) {
        let of_senders = self.written.senders.iter();
        let of_senders = of_senders.filter_map(|s| Some(&*s.quota.as_ref()?.text));
        let of_vendors = self.fleet.vendors.iter().filter_map(|v| v.quota.as_deref());
        let named: BTreeSet<&str> = of_senders.chain(of_vendors).collect();
        for quota in &self.written.quotas {
            let name = &quota.name;
            if !named.contains(&*name.text) {
                let message = format!("nothing names quota `{}`", name.text);
                let hint = format!(
                    "`quota = \"{}\"` in a `[[sender]]` or an account",
                    name.text
                );
                name.place.warning(self.problems, message, Some(hint));
            }
        }
    }

    /// Vendors in chains that rules use, and that no message ever gets to.
    fn unreached_vendors(&self) {
        let used = self
            .written
            .rules
            .iter()
            .filter_map(|rule| rule.chain.as_ref());
        let used: BTreeSet<&str> = used.map(|name| &*name.text).collect();
        let chains = self.written.chains.iter();
        let chains = chains.filter(|chain| used.contains(&*chain.name.text));
        let mut told = BTreeSet::new();
        for entry in chains.flat_map(|chain| &chain.positions).flatten() {
            let vendor = &*entry.vendor.text;
            let has_account = self.rules.vendors_used.iter().any(|v| **v == *vendor);
            if !has_account || self.is_reached(vendor) || !told.insert(vendor) {
                continue;
            }
            let message = format!("vendor `{vendor}` is in a chain, and no message gets to it");
            let mut left_out = self.cases.iter().flat_map(|(_, met)| &met.left_out);
            let why = left_out.find(|(name, _)| **name == *vendor);
            let hint = why.map(|(_, why)| why.to_string());
            entry.vendor.place.warning(self.problems, message, hint);
        }
    }

    fn is_reached(&self, vendor: &str) -> bool {
        self.cases.iter().any(|(_, met)| match &met.decision {
            Decision::Plan(plan) => plan.steps.iter().any(|step| *step.vendor == *vendor),
            Decision::Denied { .. }
            | Decision::NoRule
            | Decision::TooLong { .. }
            | Decision::NoChain { .. } => false,
        })
    }

    fn unused_senders(&self) {
        let met = self.cases.iter().flat_map(|(_, met)| &met.senders);
        let met = met.filter_map(|(_, _, sender)| sender.place.as_ref());
        let used: BTreeSet<(&str, usize)> = met.map(|(s, start)| (&*s.name, *start)).collect();
        for sender in &self.written.senders {
            let key = (&*sender.place.source.name, sender.place.span.start);
            let vendor = sender.vendor.as_ref().map(|name| &*name.text);
            let mut fleet = self.fleet.vendors.iter();
            let is_there = vendor.is_none_or(|vendor| fleet.any(|v| *v.name == *vendor));
            if used.contains(&key) || !is_there || !sender.validity.holds(self.now) {
                continue;
            }
            let message = format!("no message comes from sender `{}`", label(sender));
            let hint = "its vendor is in no chain for what it is for, or a sender that fits better is always there";
            sender
                .place
                .warning(self.problems, message, Some(hint.to_owned()));
        }
    }

    fn unused_templates(&self) {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for (_, met) in &self.cases {
            if let Decision::Plan(plan) = &met.decision {
                let wordings = plan.steps.iter().filter_map(|step| step.wording.as_ref());
                used.extend(wordings.filter_map(|w| w.template.as_deref()));
            }
        }
        let meant = self.rules.around.wordings.templates();
        for template in &self.written.templates {
            let place = template.name.as_ref().map_or(&template.place, |n| &n.place);
            let name = template_name(template);
            let of_nobody = meant.iter().any(|t| {
                *t.name == *name && t.vendors.as_ref().is_some_and(|vendors| vendors.is_empty())
            });
            let holds = Validity::holds(&template.validity, self.now);
            if used.contains(&*name) || of_nobody || !holds || self.is_too_long(template) {
                continue;
            }
            let message = format!("no message meets template `{name}`");
            let hint =
                "nothing is sent where it is for, or one with more conditions is always there";
            place.warning(self.problems, message, Some(hint.to_owned()));
        }
    }

    /// Whether texts are denied where a template is for, perhaps because of it: that is told of the rule.
    fn is_too_long(&self, template: &Template) -> bool {
        let countries = template
            .countries
            .as_ref()
            .map(|names| self.countries(names));
        self.cases.iter().any(|(probe, met)| {
            let country = probe.number.country();
            let is_there = countries.as_ref().is_none_or(|c| c.contains(&country));
            is_there && matches!(met.decision, Decision::TooLong { .. })
        })
    }

    /// Tells what no file holds.
    pub(super) fn general(&self, message: String, hint: Option<String>) {
        let mut problems = self.problems.borrow_mut();
        problems.general(Severity::Warning, message, hint);
    }
}

/// What a sender is called.
pub(super) fn label(sender: &Sender) -> &str {
    let from = sender.from.first().map_or("", |from| &from.text);
    sender.name.as_ref().map_or(from, |name| &name.text)
}

/// What a template is called.
pub(super) fn template_name(template: &Template) -> String {
    let name = template.name.as_ref().map(|name| name.text.clone());
    name.unwrap_or_else(|| template.place.line())
}

/// The countries that all the conditions leave; `None` for every one.
fn countries_of(conditions: &[Condition]) -> Option<Vec<Country>> {
    let lists = conditions.iter().filter_map(|condition| match condition {
        Condition::Country(list) => Some(list.clone()),
        _ => None,
    });
    lists.reduce(|all, list| all.into_iter().filter(|c| list.contains(c)).collect())
}

fn types_of(conditions: &[Condition]) -> Option<Vec<NumberType>> {
    conditions.iter().find_map(|condition| match condition {
        Condition::NumberType(list) => Some(list.clone()),
        _ => None,
    })
}

fn channels_of(conditions: &[Condition]) -> Option<Vec<Channel>> {
    conditions
        .iter()
        .find_map(Condition::channels)
        .map(<[Channel]>::to_vec)
}

/// Why no message can meet all the conditions.
fn contradiction(conditions: &[Condition]) -> Option<String> {
    let countries = countries_of(conditions)?;
    if countries.is_empty() {
        return Some("no country is in both `country` and `group`".to_owned());
    }
    let prefixes = conditions.iter().find_map(|condition| match condition {
        Condition::Prefix(list) => Some(list),
        _ => None,
    })?;
    let codes: Vec<String> = countries.iter().filter_map(|c| calling_code(*c)).collect();
    let can_begin = |prefix: &String| {
        let digits = prefix.trim_start_matches('+');
        let mut codes = codes.iter();
        codes.any(|code| code.starts_with(digits) || digits.starts_with(&**code))
    };
    let mistaken = !codes.is_empty() && !prefixes.iter().any(can_begin);
    mistaken.then(|| "no number of its `country` begins with its `prefix`".to_owned())
}
