//! Finds what has ended or ends soon, what is lost then, and examples that will not hold any more.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Channel, Plan, Step};
use crate::number::Country;
use crate::problem::{Problems, Severity};
use crate::rules::Decision;
use crate::rules::analysis::reach::{label, template_name};
use crate::rules::analysis::{Analysis, day, quoted, shown};
use crate::rules::expect;
use crate::rules::file::{Name, Place, Validity};
use crate::rules::probe::{Met, Probe};
use crate::time::Moment;

const DAY_MS: i64 = 24 * 3_600_000;
/// How far ahead is looked.
const SOON_MS: i64 = 60 * DAY_MS;
/// Days on which examples are tried again, at most.
const DATES_MAX: usize = 60;
/// So many cases are passed over with the effort of one rule.
const CASES_A_RULE: u64 = 8;
/// What one example costs beside the rules that it is held against.
const EXAMPLE_EFFORT: u64 = 500;
const ENDS: &str = "what is lost when something ends or begins";
const EXAMPLES: &str = "whether every example holds on the days ahead";
/// Things that take over, as many as are listed.
const OTHERS_MAX: usize = 4;

/// What a date takes away.
#[derive(Default)]
struct Loss {
    /// Nothing is sent to them any more.
    countries: BTreeSet<Country>,
    /// Vendors that are not asked any more, and where.
    vendors: BTreeMap<String, BTreeSet<Country>>,
    /// What is another for those that stay, in words.
    others: BTreeSet<String>,
}

impl Analysis<'_> {
    pub(super) fn dates(&self) {
        for (index, rule) in self.written.rules.iter().enumerate() {
            let what = format!("rule `{}`", rule.name.text);
            self.end(&what, &rule.validity, |_, met| met.rule == Some(index));
        }
        for sender in &self.written.senders {
            let what = format!("sender `{}`", label(sender));
            let is_it = |met: &Met<'_>| {
                let mut places = met.senders.iter().filter_map(|(_, _, s)| s.place.as_ref());
                places.any(|(source, start)| sender.place.is_at(&source.name, *start))
            };
            self.end(&what, &sender.validity, |_, met| is_it(met));
        }
        for template in &self.written.templates {
            let name = template_name(template);
            let says = |plan: &Plan| {
                let mut wordings = plan.steps.iter().filter_map(|step| step.wording.as_ref());
                wordings.any(|w| w.template.as_deref() == Some(&*name))
            };
            self.end(
                &format!("template `{name}`"),
                &template.validity,
                |_, met| matches!(&met.decision, Decision::Plan(plan) if says(plan)),
            );
        }
        for registration in &self.written.registrations {
            let countries = self.countries(&registration.countries);
            let what = "this registration";
            self.end(what, &registration.validity, |_, _| false);
            self.begin(&countries, &registration.countries, &registration.validity);
        }
        self.expectations();
    }

    /// Tells what has ended, or ends soon; `concerns` says which cases are its own now.
    fn end(&self, what: &str, validity: &Validity, concerns: impl Fn(&Probe, &Met<'_>) -> bool) {
        let (Some(until), Some(place)) = (validity.until, &validity.ends) else {
            return;
        };
        let last = place.written();
        if until <= self.now {
            let hint = Some("remove it, or move its end".to_owned());
            place.warning(self.problems, format!("{what} ended with {last}"), hint);
            return;
        }
        let left_ms = until.ms_since(self.now);
        if left_ms > SOON_MS || validity.from.is_some_and(|from| self.now < from) {
            return;
        }
        let days = left_ms / DAY_MS;
        let loss = self.loss(until, concerns);
        let message = match loss.in_words() {
            Some(loss) => format!("{what} ends with {last}, in {days} days: from then on {loss}"),
            None => format!("{what} ends with {last}, in {days} days"),
        };
        let hint = match loss.in_words() {
            Some(_) => Some("nothing that begins by then takes over".to_owned()),
            None if loss.others.is_empty() => None,
            None => {
                let others: Vec<String> = loss.others.into_iter().take(OTHERS_MAX).collect();
                Some(format!("then {}", others.join(", ")))
            }
        };
        place.warning(self.problems, message, hint);
    }

    /// Tells whom a register that begins soon takes away.
    fn begin(&self, countries: &[Country], names: &[Name], validity: &Validity) {
        let soon = self.now.plus_ms(SOON_MS);
        let from = validity
            .from
            .filter(|from| self.now < *from && *from <= soon);
        let (Some(from), Some(name)) = (from, names.first()) else {
            return;
        };
        let loss = self.loss(from, |probe, _| {
            let is_text = probe.message.channel == Channel::Sms;
            is_text && countries.contains(&probe.number.country())
        });
        if let Some(loss) = loss.in_words() {
            let message = format!(
                "senders must be registered here from {} on: from then on {loss}",
                day(from)
            );
            let hint = "a `[[sender]]` with `registered = true` that is valid then".to_owned();
            name.place.warning(self.problems, message, Some(hint));
        }
    }

    /// What the cases lose from now until then.
    fn loss(&self, then: Moment, concerns: impl Fn(&Probe, &Met<'_>) -> bool) -> Loss {
        let mut loss = Loss::default();
        self.effort.spend(self.cases.len() as u64 / CASES_A_RULE);
        for (probe, met) in &self.cases {
            if self.leaves_out(ENDS) {
                break;
            }
            let Decision::Plan(now) = &met.decision else {
                continue;
            };
            if !concerns(probe, met) {
                continue;
            }
            let country = probe.number.country();
            match self.rules.meet(probe, then, &self.effort).decision {
                Decision::Plan(plan) => {
                    let gone = now.steps.iter().filter(|step| {
                        let mut left = plan.steps.iter();
                        left.all(|other| other.vendor != step.vendor)
                    });
                    let stay = now.steps.iter().flat_map(|step| {
                        let after = plan.steps.iter().find(|s| s.vendor == step.vendor);
                        after.map_or_else(Vec::new, |after| otherwise(step, after))
                    });
                    loss.others.extend(stay);
                    for step in gone {
                        let vendor = step.vendor.to_string();
                        loss.vendors.entry(vendor).or_default().insert(country);
                    }
                }
                Decision::Denied { .. }
                | Decision::NoRule
                | Decision::TooLong { .. }
                | Decision::NoChain { .. } => {
                    loss.countries.insert(country);
                }
            }
        }
        loss
    }

    /// The moments ahead at which something begins or ends.
    fn moments(&self) -> BTreeSet<Moment> {
        let written = &self.written;
        let rules = written.rules.iter().map(|rule| &rule.validity);
        let senders = written.senders.iter().map(|sender| &sender.validity);
        let templates = written.templates.iter().map(|template| &template.validity);
        let registers = written.registrations.iter().map(|r| &r.validity);
        let all = rules.chain(senders).chain(templates).chain(registers);
        let moments = all
            .flat_map(|validity| [validity.from, validity.until])
            .flatten();
        let soon = self.now.plus_ms(SOON_MS);
        let ahead: BTreeSet<Moment> = moments.filter(|at| self.now < *at && *at <= soon).collect();
        ahead.into_iter().take(DATES_MAX).collect()
    }

    /// Tries every example for now again, whenever something begins or ends.
    fn expectations(&self) {
        let moments = self.moments();
        // Rules that every message is held against.
        let always = self.rules.lookup.that_may_cover(&[]).len() as u64;
        for example in self.written.expects.iter().filter(|e| e.at.is_none()) {
            for then in &moments {
                if self.leaves_out(EXAMPLES) {
                    return;
                }
                self.effort.spend(EXAMPLE_EFFORT + always);
                let broken = RefCell::<Problems>::default();
                expect::check(self.rules, example, self.fleet, *then, &broken);
                let broken = broken.take();
                if !broken.has_errors() {
                    continue;
                }
                for problem in broken.sorted() {
                    if let (Severity::Error, Some((source, span))) =
                        (problem.severity, &problem.place)
                    {
                        let message = format!(
                            "from {} on this no longer holds: {}",
                            day(*then),
                            problem.message
                        );
                        let hint = Some(
                            "something begins or ends then; `at` pins an example to a moment"
                                .to_owned(),
                        );
                        let mut problems = self.problems.borrow_mut();
                        problems.warning(source, span.clone(), message, hint);
                    }
                }
                break;
            }
        }
    }
}

/// What is another for a vendor, in words.
fn otherwise(before: &Step, after: &Step) -> Vec<String> {
    let template = |step: &Step| step.wording.as_ref().and_then(|w| w.template.clone());
    let mut words = Vec::new();
    if before.from != after.from {
        let vendor = &before.vendor;
        words.push(match &after.from {
            Some(from) => format!("`{vendor}` sends from `{from}`"),
            None => format!("`{vendor}` chooses the sender"),
        });
    }
    if template(before) != template(after) {
        words.push(match template(after) {
            Some(name) => format!("template `{name}` takes over"),
            None => "Okta's own text takes over".to_owned(),
        });
    }
    words
}

impl Loss {
    fn in_words(&self) -> Option<String> {
        let mut words = Vec::new();
        if !self.countries.is_empty() {
            words.push(format!("nothing is sent to {}", shown(&self.countries)));
        }
        // Those that leave the same countries are told together.
        let mut leaving: BTreeMap<&BTreeSet<Country>, Vec<&str>> = BTreeMap::new();
        for (vendor, countries) in &self.vendors {
            leaving.entry(countries).or_default().push(vendor);
        }
        for (countries, vendors) in leaving {
            let verb = if vendors.len() == 1 { "is" } else { "are" };
            words.push(format!(
                "{} {verb} out in {}",
                quoted(vendors),
                shown(countries)
            ));
        }
        (!words.is_empty()).then(|| words.join(", and "))
    }
}

impl Place {
    /// The date or text that stands there, without its quotes.
    fn written(&self) -> &str {
        let text = self.source.text.get(self.span.clone()).unwrap_or_default();
        text.trim_matches(['"', '\''])
    }

    fn is_at(&self, file: &str, start: usize) -> bool {
        *self.source.name == *file && self.span.start == start
    }
}
