//! Makes messages that stand for all others: one for each country, channel and value that rules tell apart.

mod numbers;
mod places;
mod shapes;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::flow::{Channel, DeliveryId, Message, Secret, VendorName};
use crate::guard::Allow;
use crate::number::{Country, PhoneNumber, all_countries, types_in};
use crate::rules::condition::is_within;
use crate::rules::countries::takes_no_names;
use crate::rules::plan::Wanted;
use crate::rules::probe::numbers::{Number, Told, numbers};
use crate::rules::probe::places::{PLACES_MAX, Places};
use crate::rules::probe::shapes::{Axis, Shape, Shapes, Values};
use crate::rules::sender::{Kind, Sender};
use crate::rules::{Act, Decision, Rules, Seed, Unused, facts, wanted};
use crate::text::{SHOWN_CODE, SHOWN_TEXT};
use crate::time::Moment;

pub(super) use shapes::{NOTHING, Traits};

/// Probes, at most; beyond that, each shape gets fewer numbers.
const PROBES_MAX: usize = 40_000;
/// Values that are tried for what nothing is special about; the last one stands in no file.
const LOCALES: [&str; 2] = ["en", "und"];
const REQUEST_TYPES: [&str; 3] = ["mfa-verification", "mfa-enrollment", "other"];
const LIFE_MS: i64 = 300_000;
/// What one message costs beyond the rules that it is held against.
const MESSAGE_EFFORT: u64 = 200;

/// A message that stands for others, and what is special about it.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) message: Message,
    pub(super) number: PhoneNumber,
    /// The label of the instance it is for.
    pub(super) region: Arc<str>,
    /// `org acme, locale fr`; empty where nothing is special.
    pub(super) special: String,
    /// What is special about its number.
    pub(super) what: String,
    pub(super) traits: Traits,
    /// Nothing may be said of all messages unless it was looked at.
    pub(super) is_needed: bool,
}

/// What is asked about.
pub(super) struct Scope<'a> {
    /// The rule sets that must be told apart.
    pub(super) sides: &'a [&'a Rules],
    /// Sorted.
    pub(super) countries: &'a [Country],
    /// The configured orgs.
    pub(super) orgs: &'a [Arc<str>],
    /// The label of this instance.
    pub(super) region: &'a str,
    pub(super) now: Moment,
    /// What the sides have otherwise, where only that is asked about.
    pub(super) changed: Option<&'a Changed>,
}

/// What two sides have otherwise, by its index on each side.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) sides: [ChangedSide; 2],
    /// Countries that are let in, or want registered senders, on one side only.
    pub(super) countries: Vec<Country>,
}

#[derive(Debug, Default)]
pub(super) struct ChangedSide {
    pub(super) rules: BTreeSet<usize>,
    pub(super) templates: BTreeSet<usize>,
    pub(super) senders: BTreeSet<usize>,
}

/// Countries by how they are told apart.
pub(super) struct Apart {
    /// Those that rules name.
    pub(super) named: BTreeSet<Country>,
    /// Those that nothing names and that are not like all others.
    pub(super) special: BTreeSet<Country>,
    /// The one that stands for all others.
    pub(super) stand_in: Option<Country>,
}

/// How much may still be done, in rules held against a message.
#[derive(Debug)]
pub(super) struct Effort(Cell<u64>);

impl Effort {
    pub(super) fn new(most: u64) -> Effort {
        Effort(Cell::new(most))
    }

    pub(super) fn spend(&self, effort: u64) {
        self.0.set(self.0.get().saturating_sub(effort));
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// The probes, those with the least special first, and whether there is one for everything that can be told apart.
pub(super) fn probes(scope: &Scope<'_>) -> (Vec<Probe>, bool) {
    let mut shapes = Shapes::of(scope);
    let told = Told::of(scope.sides);
    let (numbers, has_all) = numbers(scope.countries, &told);
    let usual = Usual::of(scope, &shapes.values);
    if usual.org.is_none() && scope.changed.is_some() {
        // Each message is from an org that something asks for.
        shapes.all.retain(|shape| shape.has(Axis::Org));
    }
    let mut maker = Maker {
        scope,
        usual,
        values: &shapes.values,
        numbers: &numbers,
        probes: Vec::new(),
    };
    let needed = |shape: &Shape| shape.must;
    let others = |shape: &Shape| shape.may.without(shape.must);
    let is_within = maker.add_all(&shapes.all, needed, true);
    // What is left is spent on what should be the same.
    maker.add_all(&shapes.all, others, false);
    let is_complete = has_all || scope.changed.is_some_and(Changed::is_nothing);
    let is_complete = is_complete && is_within && shapes.is_complete;
    (
        maker.probes,
        is_complete && scope.countries.len() <= PLACES_MAX,
    )
}

impl Changed {
    /// Whether every message fares alike.
    pub(super) fn is_nothing(&self) -> bool {
        let is_nothing = |side: &ChangedSide| {
            side.rules.is_empty() && side.templates.is_empty() && side.senders.is_empty()
        };
        self.countries.is_empty() && self.sides.iter().all(is_nothing)
    }
}

/// The countries that rules tell from others.
pub(super) fn told_apart(sides: &[&Rules]) -> Apart {
    let mut named = BTreeSet::new();
    for rules in sides {
        named.extend(rules.countries().iter().copied());
        let senders = rules.senders.iter().filter_map(|s| s.countries.as_ref());
        let templates = rules.around.wordings.templates().iter();
        let templates = templates.filter_map(|t| t.countries.as_ref());
        let registers = rules.around.registers.iter().map(|r| &r.countries);
        named.extend(senders.chain(templates).chain(registers).flatten().copied());
        named.extend(rules.capacities.iter().map(|(country, _)| *country));
        if let Allow::Some(allowed) = &rules.guard.allow {
            named.extend(allowed);
        }
    }
    let all = all_countries();
    named.extend(Told::of(sides).countries(&all));
    let has_names = sides.iter().any(|rules| rules.has_names());
    let others = all.into_iter().filter(|c| !named.contains(c));
    let (special, others): (BTreeSet<Country>, BTreeSet<Country>) =
        others.partition(|c| has_names && takes_no_names(*c));
    // The one with the most kinds of numbers.
    let others = others.into_iter();
    let stand_in = others.max_by_key(|country| types_in(*country).len());
    Apart {
        named,
        special,
        stand_in,
    }
}

impl Apart {
    /// One or more for every country, sorted.
    pub(super) fn countries(&self) -> Vec<Country> {
        let all = self.named.iter().chain(&self.special);
        let mut all: Vec<Country> = all.copied().chain(self.stand_in).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn is_named(&self, country: Country) -> bool {
        self.named.contains(&country)
    }
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
    /// Whether messages may come from a name.
    fn has_names(&self) -> bool {
        let chains = self.rules.iter().filter_map(|rule| match &rule.act {
            Act::Send(send) => Some(&send.chain),
            Act::Deny(_) => None,
        });
        let entries = chains.flat_map(|c| &c.positions).flat_map(|p| &p.entries);
        let mut all = entries.flat_map(|entry| entry.vendor.senders.iter().chain(&entry.sender));
        all.any(|sender| sender.kind == Kind::Alpha)
    }

    /// What a probe meets at a moment.
    pub(super) fn meet(&self, probe: &Probe, now: Moment, effort: &Effort) -> Met<'_> {
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
        effort.spend(MESSAGE_EFFORT);
        let Some(facts) = facts(message, &probe.region) else {
            return met;
        };
        let first = self.lookup.first(&facts, |index| {
            effort.spend(1);
            self.rules[index].matches(&facts)
        });
        let Some(index) = first else {
            return met;
        };
        let rule = &self.rules[index];
        let (decision, acted) = self.act(&facts, rule, &Seed::Canonical);
        if let (Act::Send(send), Decision::Plan(plan)) = (&rule.act, &decision) {
            let wanted = wanted(&facts, send, &Seed::Canonical);
            for entry in send.chain.positions.iter().flat_map(|p| &p.entries) {
                let templates = self.around.wordings.templates().len();
                effort.spend((templates + 2 * entry.vendor.senders.len()) as u64);
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

/// What messages have that nothing is special about.
struct Usual {
    /// None where something is special about every org.
    org: Option<Arc<str>>,
    locale: &'static str,
    request_type: &'static str,
}

impl Usual {
    fn of(scope: &Scope<'_>, values: &Values) -> Usual {
        let is_asked = |axis: Axis, value: &str| values.all(axis).any(|asked| asked == value);
        let nobody = [Arc::from("")];
        let orgs = if scope.orgs.is_empty() {
            &nobody
        } else {
            scope.orgs
        };
        let org = orgs.iter().find(|org| !is_asked(Axis::Org, org));
        let is_in = |usual: &str| {
            let mut asked = values.all(Axis::Locale);
            asked.any(|asked| is_within(usual, asked))
        };
        let locale = LOCALES.into_iter().find(|locale| !is_in(locale));
        let mut types = REQUEST_TYPES.into_iter();
        let request_type = types.find(|value| !is_asked(Axis::RequestType, value));
        Usual {
            org: org.cloned(),
            locale: locale.unwrap_or_default(),
            request_type: request_type.unwrap_or_default(),
        }
    }
}

struct Maker<'n> {
    scope: &'n Scope<'n>,
    usual: Usual,
    values: &'n Values,
    /// By country.
    numbers: &'n [Vec<Number>],
    probes: Vec<Probe>,
}

impl<'n> Maker<'n> {
    /// Adds the shapes' messages in these places; whether all of them were within the budget.
    fn add_all(
        &mut self,
        shapes: &[Shape],
        places: impl Fn(&Shape) -> Places,
        is_needed: bool,
    ) -> bool {
        let wanted: Vec<(&Shape, Places)> = shapes
            .iter()
            .map(|shape| (shape, places(shape)))
            .filter(|(_, places)| !places.is_none())
            .collect();
        let count =
            |places: &Places| -> usize { places.iter().map(|i| self.numbers[i].len()).sum() };
        let total: usize = wanted.iter().map(|(_, places)| count(places)).sum();
        let room = PROBES_MAX.saturating_sub(self.probes.len()) / Channel::ALL.len();
        let share = match total <= room {
            true => usize::MAX,
            false => (room / wanted.len().max(1)).max(1),
        };
        for (index, (shape, places)) in wanted.into_iter().enumerate() {
            let mut numbers = self.numbers_of(places);
            // Others for each shape, where there is no room for all.
            if share < numbers.len() && shape.traits != NOTHING {
                let start = index * share % numbers.len();
                numbers.rotate_left(start);
                numbers.truncate(share);
            }
            for number in numbers {
                if self.probes.len() >= PROBES_MAX {
                    return false;
                }
                for channel in Channel::ALL {
                    let probe = self.probe(number, channel, &shape.traits, is_needed);
                    self.probes.push(probe);
                }
            }
        }
        share == usize::MAX
    }

    /// The numbers of some countries, the usual ones first.
    fn numbers_of(&self, places: Places) -> Vec<&'n Number> {
        let of_each = || places.iter().filter_map(|index| self.numbers.get(index));
        let usual = of_each().filter_map(|numbers| numbers.first());
        let others = of_each().flat_map(|numbers| numbers.iter().skip(1));
        usual.chain(others).collect()
    }

    fn probe(&self, number: &Number, channel: Channel, traits: &Traits, is_needed: bool) -> Probe {
        let value = |axis: Axis| self.values.value(traits, axis);
        let or = |axis: Axis, usual: &str| value(axis).unwrap_or(usual).to_owned();
        let usual = self.usual.org.as_ref().or(self.scope.orgs.first());
        let org = value(Axis::Org).map(Arc::from).or(usual.cloned());
        let special = std::iter::once(number.what.clone()).chain(self.values.words(traits));
        let special: Vec<String> = special.filter(|words| !words.is_empty()).collect();
        let okta_text = (channel == Channel::Sms).then_some(SHOWN_TEXT);
        let Number { number, what } = number;
        Probe {
            number: number.clone(),
            region: or(Axis::Region, self.scope.region).into(),
            special: special.join(", "),
            what: what.clone(),
            traits: *traits,
            is_needed,
            message: Message {
                id: DeliveryId::from_bytes([0; 16]),
                org: org.unwrap_or_default(),
                event: None,
                to: Ok(number.clone()),
                channel,
                code: Some(Secret::new(SHOWN_CODE)),
                text: okta_text.map(Secret::new),
                locale: or(Axis::Locale, self.usual.locale),
                request_type: or(Axis::RequestType, self.usual.request_type),
                user: value(Axis::User).map(str::to_owned),
                login: value(Axis::Login).map(str::to_owned),
                ip: None,
                preview: value(Axis::Preview).is_some(),
                resend: false,
                received_at: self.scope.now,
                life_ms: LIFE_MS,
            },
        }
    }
}
