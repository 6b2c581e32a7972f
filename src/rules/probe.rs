//! Makes messages that stand for all others: one for each country, channel and value that rules tell apart.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::flow::{Channel, DeliveryId, Message, Secret, VendorName};
use crate::number::{Country, NumberType, PhoneNumber, all_countries, example, types_in};
use crate::rules::condition::{Condition, Login};
use crate::rules::plan::Wanted;
use crate::rules::sender::Sender;
use crate::rules::{Act, Decision, Rules, Seed, Unused, facts, wanted};
use crate::text::{SHOWN_CODE, SHOWN_TEXT};
use crate::time::Moment;

/// Probes, at most; beyond that, each shape gets fewer countries.
const PROBES_MAX: usize = 40_000;
/// Combinations of values that one rule or template gives, at most.
const TRAITS_MAX: usize = 32;
/// What somebody usually asks for.
const REQUEST_TYPE: &str = "mfa-verification";
const LOCALE: &str = "en";
const LIFE_MS: i64 = 300_000;
/// `+` and a number behind a prefix has so many digits at most (ITU-T E.164).
const DIGITS_MAX: usize = 15;

/// A message that stands for others, and what is special about it.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) message: Message,
    pub(super) number: PhoneNumber,
    /// The label of the instance it is for.
    pub(super) region: Arc<str>,
    /// `org acme, locale fr`; empty where nothing is special.
    pub(super) special: String,
}

/// What is asked about.
pub(super) struct Scope<'a> {
    /// The rule sets that must be told apart.
    pub(super) sides: &'a [&'a Rules],
    pub(super) countries: &'a [Country],
    /// The configured orgs.
    pub(super) orgs: &'a [Arc<str>],
    /// The label of this instance.
    pub(super) region: &'a str,
    pub(super) now: Moment,
}

/// Values that conditions ask for, beyond number and channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Traits {
    org: Option<String>,
    request_type: Option<String>,
    locale: Option<String>,
    region: Option<String>,
    user: Option<String>,
    login: Option<String>,
    preview: bool,
}

/// The messages of one rule, template or sender.
#[derive(Clone, Debug, Default)]
struct Shape {
    traits: Traits,
    /// Absent: all.
    countries: Option<Vec<Country>>,
    types: Vec<NumberType>,
    prefixes: Vec<String>,
}

/// The probes, and whether there is one for everything that can be told apart.
pub(super) fn probes(scope: &Scope<'_>) -> (Vec<Probe>, bool) {
    let shapes = shapes(scope.sides);
    let budget = (PROBES_MAX / shapes.len().max(1)).max(4);
    let mut maker = Maker {
        scope,
        org: usual_org(scope, &shapes),
        seen: HashSet::new(),
        probes: Vec::new(),
    };
    let mut is_complete = true;
    for shape in &shapes {
        is_complete &= maker.add(shape, budget);
    }
    (maker.probes, is_complete)
}

/// The countries that rules tell from others, and one that stands for all the others.
pub(super) fn told_apart(sides: &[&Rules]) -> (BTreeSet<Country>, Option<Country>) {
    let mut named = BTreeSet::new();
    for rules in sides {
        named.extend(rules.countries().iter().copied());
        let senders = rules.senders.iter().filter_map(|s| s.countries.as_ref());
        let templates = rules.around.wordings.templates().iter();
        let templates = templates.filter_map(|t| t.countries.as_ref());
        let registers = rules.around.registers.iter().map(|r| &r.countries);
        named.extend(senders.chain(templates).chain(registers).flatten().copied());
        named.extend(rules.capacities.iter().map(|(country, _)| *country));
        if let crate::guard::Allow::Some(allowed) = &rules.guard.allow {
            named.extend(allowed);
        }
        for shape in shapes(&[rules]) {
            let numbers = shape.prefixes.iter().filter_map(|p| beyond(p));
            named.extend(numbers.map(|number| number.country()));
        }
    }
    // The one with the most kinds of numbers.
    let others = all_countries().into_iter().filter(|c| !named.contains(c));
    let stand_in = others.max_by_key(|country| types_in(*country).len());
    (named, stand_in)
}

/// The kind of number that most people of a country give.
pub(super) fn usual_number(country: Country) -> Option<PhoneNumber> {
    let usual = [NumberType::Mobile, NumberType::FixedLineOrMobile];
    let mut all = usual.into_iter().chain(NumberType::ALL);
    all.find_map(|number_type| example(country, number_type))
}

/// What a probe meets, in canonical order.
#[derive(Debug)]
pub(super) struct Met<'r> {
    /// The rule that decides, by its index.
    pub(super) rule: Option<usize>,
    pub(super) decision: Decision,
    pub(super) left_out: Vec<(VendorName, Unused)>,
    /// Who the messages of a plan come from, where the vendor does not choose.
    pub(super) senders: Vec<(VendorName, Channel, &'r Sender)>,
}

impl Rules {
    /// What a probe meets at a moment.
    pub(super) fn meet(&self, probe: &Probe, now: Moment) -> Met<'_> {
        let message = &Message {
            received_at: now,
            ..probe.message.clone()
        };
        let mut met = Met {
            rule: None,
            decision: Decision::NoRule,
            left_out: Vec::new(),
            senders: Vec::new(),
        };
        let Some(facts) = facts(message, &probe.region) else {
            return met;
        };
        let Some(index) = self.first(&facts) else {
            return met;
        };
        let rule = &self.rules[index];
        let (decision, acted) = self.act(&facts, rule, &Seed::Canonical);
        if let (Act::Send(send), Decision::Plan(plan)) = (&rule.act, &decision) {
            let wanted = wanted(&facts, send, &Seed::Canonical);
            for entry in send.chain.positions.iter().flat_map(|p| &p.entries) {
                let name = &entry.vendor.name;
                let Ok(channel) = entry.channel_for(&wanted) else {
                    continue;
                };
                let wanted = Wanted { channel, ..wanted };
                let is_step = plan.steps.iter().any(|step| step.vendor == *name);
                let sender = entry.sender(&self.around, &wanted).ok().flatten();
                let sender = sender.filter(|_| is_step);
                met.senders
                    .extend(sender.map(|s| (name.clone(), channel, s)));
            }
        }
        Met {
            rule: Some(index),
            decision,
            left_out: acted.left_out,
            ..met
        }
    }
}

struct Maker<'a> {
    scope: &'a Scope<'a>,
    /// An org that nothing is special about.
    org: Arc<str>,
    seen: HashSet<(String, Channel, Traits)>,
    probes: Vec<Probe>,
}

impl Maker<'_> {
    /// Whether all of the shape's messages were within the budget.
    fn add(&mut self, shape: &Shape, budget: usize) -> bool {
        let numbers = self.numbers(shape);
        for (number, what) in numbers.iter().take(budget) {
            for channel in Channel::ALL {
                let key = (number.e164().to_owned(), channel, shape.traits.clone());
                if self.seen.insert(key) {
                    self.probes.push(self.probe(number, channel, shape, what));
                }
            }
        }
        numbers.len() <= budget
    }

    /// Each with what is special about it.
    fn numbers(&self, shape: &Shape) -> Vec<(PhoneNumber, String)> {
        let scope = self.scope.countries.iter();
        let countries = scope.filter(|c| shape.countries.as_ref().is_none_or(|s| s.contains(c)));
        let countries: Vec<Country> = countries.copied().collect();
        if !shape.prefixes.is_empty() {
            let beyond = shape.prefixes.iter().filter_map(|p| Some((beyond(p)?, p)));
            let told = beyond.map(|(number, prefix)| (number, format!("prefix {prefix}")));
            return told
                .filter(|(n, _)| countries.contains(&n.country()))
                .collect();
        }
        if shape.types.is_empty() {
            let usual = countries.iter().filter_map(|c| usual_number(*c));
            return usual.map(|number| (number, String::new())).collect();
        }
        let each = countries.iter().flat_map(|c| {
            let types = shape.types.iter();
            types.filter_map(|t| Some((example(*c, *t)?, format!("number_type {}", t.as_str()))))
        });
        let usual = |number: &PhoneNumber| usual_number(number.country());
        each.map(|(number, what)| {
            let is_usual = usual(&number).as_ref() == Some(&number);
            (number, if is_usual { String::new() } else { what })
        })
        .collect()
    }

    fn probe(&self, number: &PhoneNumber, channel: Channel, shape: &Shape, what: &str) -> Probe {
        let traits = &shape.traits;
        let org = traits
            .org
            .as_deref()
            .map_or_else(|| self.org.clone(), Arc::from);
        let special = [what.to_owned()].into_iter().chain(traits.words());
        let special: Vec<String> = special.filter(|words| !words.is_empty()).collect();
        let okta_text = (channel == Channel::Sms).then_some(SHOWN_TEXT);
        let or = |given: &Option<String>, usual: &str| given.clone().unwrap_or(usual.to_owned());
        Probe {
            number: number.clone(),
            region: or(&traits.region, self.scope.region).into(),
            special: special.join(", "),
            message: Message {
                id: DeliveryId::from_bytes([0; 16]),
                org,
                event: None,
                to: Ok(number.clone()),
                channel,
                code: Some(Secret::new(SHOWN_CODE)),
                text: okta_text.map(Secret::new),
                locale: or(&traits.locale, LOCALE),
                request_type: or(&traits.request_type, REQUEST_TYPE),
                user: traits.user.clone(),
                login: traits.login.clone(),
                ip: None,
                preview: traits.preview,
                resend: false,
                received_at: self.scope.now,
                life_ms: LIFE_MS,
            },
        }
    }
}

impl Traits {
    fn words(&self) -> impl Iterator<Item = String> {
        let given = [
            ("org", &self.org),
            ("request_type", &self.request_type),
            ("locale", &self.locale),
            ("region", &self.region),
            ("user", &self.user),
            ("login", &self.login),
        ];
        let given = given.into_iter();
        let given = given.filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)));
        given.chain(self.preview.then(|| "preview".to_owned()))
    }
}

/// The org that nothing mentions, where there is one.
fn usual_org(scope: &Scope<'_>, shapes: &[Shape]) -> Arc<str> {
    let is_special = |org: &Arc<str>| {
        let mut mentioned = shapes.iter().filter_map(|shape| shape.traits.org.as_ref());
        mentioned.any(|special| **special == **org)
    };
    let usual = scope.orgs.iter().find(|org| !is_special(org));
    usual.or(scope.orgs.first()).cloned().unwrap_or_default()
}

fn shapes(sides: &[&Rules]) -> Vec<Shape> {
    let mut shapes = vec![Shape::default()];
    for rules in sides {
        for rule in &rules.rules {
            shapes.extend(of_conditions(&rule.conditions));
        }
        for template in rules.around.wordings.templates() {
            let locales = template.locales.clone().map(Condition::Locale);
            let types = template.request_types.clone().map(Condition::RequestType);
            let orgs = template.orgs.clone().map(Condition::Org);
            let countries = template.countries.clone().map(Condition::Country);
            let all = [countries, locales, types, orgs];
            shapes.extend(of_conditions(
                &all.into_iter().flatten().collect::<Vec<_>>(),
            ));
        }
        for sender in &rules.senders {
            let orgs = sender.orgs.clone().map(Condition::Org);
            let countries = sender.countries.clone().map(Condition::Country);
            let all: Vec<Condition> = orgs.into_iter().chain(countries).collect();
            shapes.extend(of_conditions(&all));
        }
    }
    shapes
}

/// What meets all the conditions, with each combination of their values.
fn of_conditions(conditions: &[Condition]) -> Vec<Shape> {
    let mut shape = Shape::default();
    let mut all = vec![Traits::default()];
    for condition in conditions {
        let spread = |all: &[Traits], values: Vec<String>, set: fn(&mut Traits, String)| {
            let pairs = all.iter().flat_map(|traits| {
                values.iter().map(|value| {
                    let mut traits = traits.clone();
                    set(&mut traits, value.clone());
                    traits
                })
            });
            pairs.take(TRAITS_MAX).collect::<Vec<Traits>>()
        };
        match condition {
            Condition::Country(list) => match &mut shape.countries {
                Some(countries) => countries.retain(|c| list.contains(c)),
                None => shape.countries = Some(list.clone()),
            },
            Condition::Prefix(list) => shape.prefixes = list.clone(),
            Condition::NumberType(list) => shape.types = list.clone(),
            Condition::Channel(_) => {}
            Condition::RequestType(list) => {
                all = spread(&all, list.clone(), |t, v| t.request_type = Some(v));
            }
            Condition::Org(list) => all = spread(&all, list.clone(), |t, v| t.org = Some(v)),
            Condition::Locale(list) => {
                all = spread(&all, list.clone(), |t, v| t.locale = Some(v));
            }
            Condition::Region(list) => {
                all = spread(&all, list.clone(), |t, v| t.region = Some(v));
            }
            Condition::User(list) => all = spread(&all, list.clone(), |t, v| t.user = Some(v)),
            Condition::Login(list) => {
                let logins = list.iter().map(|login| match login {
                    Login::Whole(login) => login.clone(),
                    Login::EndsWith(end) => format!("somebody{end}"),
                });
                all = spread(&all, logins.collect(), |t, v| t.login = Some(v));
            }
            Condition::Preview(preview) => all.iter_mut().for_each(|t| t.preview = *preview),
        }
    }
    let shapes = all.into_iter().map(|traits| Shape {
        traits,
        ..shape.clone()
    });
    shapes.collect()
}

/// A number that begins so.
fn beyond(prefix: &str) -> Option<PhoneNumber> {
    let room = DIGITS_MAX.saturating_sub(prefix.len() - 1);
    let numbers = (0..=room).filter_map(|more| {
        let tail: String = "123456789012345".chars().take(more).collect();
        PhoneNumber::parse(&format!("{prefix}{tail}"), None).ok()
    });
    let mut numbers: Vec<PhoneNumber> = numbers.collect();
    let known = numbers
        .iter()
        .position(|n| n.number_type() != NumberType::Unknown);
    match known {
        Some(index) => Some(numbers.swap_remove(index)),
        None => numbers.pop(),
    }
}
