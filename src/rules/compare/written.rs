//! Finds what two rule sets have written otherwise, by its meaning and not by its place.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::Serialize;

use crate::number::Country;
use crate::rules::compare::Difference;
use crate::rules::compare::settings::NONE;
use crate::rules::condition::{Condition, Login};
use crate::rules::file::Validity;
use crate::rules::plan::{Chain, Entry};
use crate::rules::probe::Changed;
use crate::rules::sender::{Register, Sender};
use crate::rules::wording::Template;
use crate::rules::{Act, Rule, Rules};

/// What stands for the slots of a template while it is read back; no text has it.
const ORG: &str = "\u{1}";
const MINUTES: i64 = 7_368_717_368_717;

/// A template, sender, registration, rule or chain that is written otherwise in the draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declaration {
    /// Such as `template`.
    pub what: &'static str,
    /// What people call it.
    pub name: String,
    pub differences: Vec<Difference>,
}

/// One declaration, and where it is looked for.
pub(super) struct Otherwise {
    pub(super) declaration: Declaration,
    pub(super) whose: Whose,
    /// It may mean something else at another time than now.
    pub(super) has_dates: bool,
}

/// Which messages a declaration is about.
pub(super) enum Whose {
    /// By its index on each side where it is.
    Rule([Option<usize>; 2]),
    Template([Option<usize>; 2]),
    Sender([Option<usize>; 2]),
    Chain(String),
    Register(BTreeSet<Country>),
}

/// Everything that is written otherwise.
#[derive(Default)]
pub(super) struct Written {
    pub(super) changed: Changed,
    pub(super) all: Vec<Otherwise>,
}

/// What is written, key by key.
type Meaning = Vec<(&'static str, String)>;

impl Written {
    pub(super) fn of(live: &Rules, draft: &Rules) -> Written {
        let mut written = Written::default();
        let chains = written.chains(live, draft);
        written.rules(live, draft, &chains);
        written.templates(live, draft);
        written.senders(live, draft);
        written.registers(live, draft);
        written
    }

    /// Tells chains of one name that are others, and gives their names.
    fn chains<'r>(&mut self, live: &'r Rules, draft: &'r Rules) -> BTreeSet<&'r str> {
        let after = draft.chains_in_use();
        let mut names = BTreeSet::new();
        for (name, chain) in live.chains_in_use() {
            let Some(other) = after.get(name) else {
                continue;
            };
            let differences = differences(&meaning_of_chain(chain), &meaning_of_chain(other));
            if !differences.is_empty() {
                names.insert(name);
                self.tell(
                    "chain",
                    name,
                    differences,
                    Whose::Chain(name.to_owned()),
                    false,
                );
            }
        }
        names
    }

    fn rules(&mut self, live: &Rules, draft: &Rules, chains: &BTreeSet<&str>) {
        let sides = [live, draft].map(|side| &*side.rules);
        let meanings = sides.map(|rules| rules.iter().map(meaning_of_rule).collect());
        let names = |side: usize, index: usize| sides[side][index].name.to_string();
        let found = Pairing::of(&meanings, names);
        for (name, at) in &found.others {
            let dated = is_dated(*at, |side, i| &sides[side][i].validity);
            let differences = found.differences(&meanings, *at);
            self.tell("rule", name, differences, Whose::Rule(*at), dated);
        }
        for (side, rules) in sides.iter().enumerate() {
            let uses = |rule: &Rule| match &rule.act {
                Act::Send(send) => chains.contains(&*send.chain.name),
                Act::Deny(_) => false,
            };
            let with = rules.iter().enumerate().filter(|(_, rule)| uses(rule));
            let changed = &mut self.changed.sides[side].rules;
            changed.extend(with.map(|(index, _)| index));
            changed.extend(&found.changed[side]);
        }
    }

    fn templates(&mut self, live: &Rules, draft: &Rules) {
        let sides = [live, draft].map(|side| side.around.wordings.templates());
        let meanings = sides.map(|all| all.iter().map(meaning_of_template).collect());
        let names = |side: usize, index: usize| sides[side][index].name.to_string();
        let found = Pairing::of(&meanings, names);
        for (name, at) in &found.others {
            let dated = is_dated(*at, |side, i| &sides[side][i].validity);
            let differences = found.differences(&meanings, *at);
            self.tell("template", name, differences, Whose::Template(*at), dated);
        }
        let [before, after] = found.changed;
        self.changed.sides[0].templates = before;
        self.changed.sides[1].templates = after;
    }

    fn senders(&mut self, live: &Rules, draft: &Rules) {
        let sides = [live, draft].map(|side| &*side.senders);
        let meanings = sides.map(|all| all.iter().map(|s| meaning_of_sender(s)).collect());
        let names = |side: usize, index: usize| {
            let sender = &sides[side][index];
            sender
                .from
                .first()
                .map(|from| from.to_string())
                .unwrap_or_default()
        };
        let found = Pairing::of(&meanings, names);
        for (name, at) in &found.others {
            let dated = is_dated(*at, |side, i| &sides[side][i].validity);
            let differences = found.differences(&meanings, *at);
            self.tell("sender", name, differences, Whose::Sender(*at), dated);
        }
        let [before, after] = found.changed;
        self.changed.sides[0].senders = before;
        self.changed.sides[1].senders = after;
    }

    /// Registers have no names: what is on one side only is told. Their order means nothing.
    fn registers(&mut self, live: &Rules, draft: &Rules) {
        let sides = [live, draft].map(|side| &*side.around.registers);
        for (side, registers) in sides.iter().enumerate() {
            let others: Vec<Meaning> = sides[1 - side].iter().map(meaning_of_register).collect();
            for register in *registers {
                let meaning = meaning_of_register(register);
                if others.contains(&meaning) {
                    continue;
                }
                let words = in_words(&meaning);
                let mut both = [NONE.to_owned(), NONE.to_owned()];
                both[side] = words;
                let [before, after] = both;
                let difference = Difference::of("required", before, after);
                let countries: BTreeSet<Country> = register.countries.iter().copied().collect();
                self.changed.countries.extend(&countries);
                let name = listed(&register.countries);
                let dated = !register.validity.is_always();
                let differences = difference.into_iter().collect();
                self.tell(
                    "registration",
                    &name,
                    differences,
                    Whose::Register(countries),
                    dated,
                );
            }
        }
    }

    fn tell(
        &mut self,
        what: &'static str,
        name: &str,
        differences: Vec<Difference>,
        whose: Whose,
        has_dates: bool,
    ) {
        self.all.push(Otherwise {
            declaration: Declaration {
                what,
                name: name.to_owned(),
                differences,
            },
            whose,
            has_dates,
        });
    }
}

/// Which of two lists' members mean the same, in the same order among themselves.
struct Pairing {
    /// Those that are others or stand elsewhere, by side.
    changed: [BTreeSet<usize>; 2],
    /// Each with its index on the sides where it is.
    others: Vec<(String, [Option<usize>; 2])>,
}

/// Whether either side's one begins or ends on a day.
fn is_dated<'a>(at: [Option<usize>; 2], validity: impl Fn(usize, usize) -> &'a Validity) -> bool {
    let sides = at.into_iter().enumerate();
    let mut there = sides.filter_map(|(side, index)| Some(validity(side, index?)));
    there.any(|validity| !validity.is_always())
}

impl Pairing {
    fn of(meanings: &[Vec<Meaning>; 2], name: impl Fn(usize, usize) -> String) -> Pairing {
        let [before, after] = meanings;
        let mut left: HashMap<&Meaning, VecDeque<usize>> = HashMap::new();
        for (index, meaning) in before.iter().enumerate() {
            left.entry(meaning).or_default().push_back(index);
        }
        // In the order of the draft, where the same stands in the live rules.
        let found = after
            .iter()
            .map(|meaning| left.get_mut(meaning)?.pop_front());
        let found: Vec<Option<usize>> = found.collect();
        let pairs = found.iter().enumerate();
        let pairs: Vec<(usize, usize)> = pairs.filter_map(|(a, b)| Some(((*b)?, a))).collect();
        let stay = longest_rise(&pairs.iter().map(|(b, _)| *b).collect::<Vec<_>>());
        let mut changed = [(0..before.len()).collect(), (0..after.len()).collect()];
        let [from, to]: &mut [BTreeSet<usize>; 2] = &mut changed;
        let mut others: Vec<(String, [Option<usize>; 2])> = Vec::new();
        for (index, (b, a)) in pairs.iter().enumerate() {
            if stay.contains(&index) {
                from.remove(b);
                to.remove(a);
            } else {
                others.push((name(1, *a), [Some(*b), Some(*a)]));
            }
        }
        // Of those without an equal, the ones of one name are taken for one.
        let mut named: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for b in left.into_values().flatten() {
            named.entry(name(0, b)).or_default().push_back(b);
        }
        for (a, _) in found.iter().enumerate().filter(|(_, b)| b.is_none()) {
            let name = name(1, a);
            let b = named.get_mut(&name).and_then(VecDeque::pop_front);
            others.push((name, [b, Some(a)]));
        }
        for (name, all) in named {
            others.extend(all.into_iter().map(|b| (name.clone(), [Some(b), None])));
        }
        others.sort();
        Pairing { changed, others }
    }

    fn differences(&self, meanings: &[Vec<Meaning>; 2], at: [Option<usize>; 2]) -> Vec<Difference> {
        let meaning = |side: usize| at[side].map(|index| &meanings[side][index]);
        match (meaning(0), meaning(1)) {
            (Some(before), Some(after)) if before == after => {
                let places = at.map(|index| index.map_or(0, |index| index + 1).to_string());
                let [before, after] = places;
                Difference::of("place among others", before, after)
                    .into_iter()
                    .collect()
            }
            (Some(before), Some(after)) => differences(before, after),
            (before, after) => {
                let words = |m: Option<&Meaning>| m.map_or(NONE.to_owned(), in_words);
                let difference = Difference::of("written", words(before), words(after));
                difference.into_iter().collect()
            }
        }
    }
}

/// The indices of a longest run of rising values.
fn longest_rise(values: &[usize]) -> BTreeSet<usize> {
    // The last index of the best run of each length, and what came before each.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let length = ends.partition_point(|end| values[*end] < *value);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut run = BTreeSet::new();
    let mut at = ends.last().copied();
    while let Some(index) = at {
        run.insert(index);
        at = before[index];
    }
    run
}

fn differences(before: &Meaning, after: &Meaning) -> Vec<Difference> {
    let keys: BTreeSet<&str> = before.iter().chain(after).map(|(key, _)| *key).collect();
    let value = |meaning: &Meaning, key: &str| {
        let found = meaning.iter().find(|(k, _)| *k == key);
        found.map_or(NONE.to_owned(), |(_, value)| value.clone())
    };
    let all = keys.into_iter();
    all.filter_map(|key| Difference::of(key, value(before, key), value(after, key)))
        .collect()
}

fn in_words(meaning: &Meaning) -> String {
    let words: Vec<String> = meaning.iter().map(|(k, v)| format!("{k} {v}")).collect();
    match words.is_empty() {
        true => "without conditions".to_owned(),
        false => words.join(", "),
    }
}

fn meaning_of_rule(rule: &Rule) -> Meaning {
    let mut meaning: Meaning = Vec::new();
    for condition in &rule.conditions {
        meaning.push((condition.key(), condition_in_words(condition)));
    }
    meaning.sort();
    match &rule.act {
        Act::Deny(why) => meaning.push(("deny", why.to_string())),
        Act::Send(send) => {
            meaning.push(("chain", send.chain.name.to_string()));
            let region = send.data_region.as_ref();
            meaning.extend(region.map(|region| ("data_region", region.to_string())));
            meaning.extend(send.parts_max.map(|n| ("max_parts", n.to_string())));
            meaning.extend(
                send.transliterate
                    .then(|| ("transliterate", "true".to_owned())),
            );
        }
    }
    meaning.extend(dates(&rule.validity));
    meaning
}

fn condition_in_words(condition: &Condition) -> String {
    match condition {
        Condition::Country(list) => listed(list),
        Condition::NumberType(list) => {
            let names = list
                .iter()
                .map(|number_type| number_type.as_str().to_owned());
            texts(&names.collect::<Vec<String>>())
        }
        Condition::Channel(list) => {
            let names = list.iter().map(|channel| channel.to_string());
            texts(&names.collect::<Vec<String>>())
        }
        Condition::Prefix(list)
        | Condition::RequestType(list)
        | Condition::Org(list)
        | Condition::Locale(list)
        | Condition::Region(list)
        | Condition::User(list) => texts(list),
        Condition::Login(list) => {
            let logins = list.iter().map(|login| match login {
                Login::Whole(login) => login.clone(),
                Login::EndsWith(end) => format!("*{end}"),
            });
            texts(&logins.collect::<Vec<String>>())
        }
        Condition::Preview(preview) => preview.to_string(),
    }
}

fn meaning_of_chain(chain: &Chain) -> Meaning {
    let positions = chain.positions.iter().map(|position| {
        let entries: Vec<String> = position.entries.iter().map(entry_in_words).collect();
        format!("[{}]", entries.join(", "))
    });
    let positions: Vec<String> = positions.collect();
    let vendors = ("vendors", positions.join(", "));
    std::iter::once(vendors)
        .chain(chain.pace_in_words())
        .collect()
}

fn entry_in_words(entry: &Entry) -> String {
    let mut words = vec![entry.vendor.name.to_string()];
    words.extend(entry.weight.map(|weight| format!("weight {weight}")));
    words.extend(entry.cost.map(|cost| format!("cost {cost}")));
    words.extend(entry.channel.map(|channel| format!("channel {channel}")));
    words.extend(entry.waits.as_ref().map(super::fate::waits_in_words));
    let sender = entry.sender.as_ref();
    words.extend(sender.map(|s| format!("sender ({})", in_words(&meaning_of_sender(s)))));
    words.join(" ")
}

fn meaning_of_template(template: &Template) -> Meaning {
    let words = template.words.settle(ORG, MINUTES, None);
    let text = words
        .replace(ORG, "{org}")
        .replace(&MINUTES.to_string(), "{minutes}");
    let mut meaning = vec![
        ("text", format!("\"{text}\"")),
        ("channel", template.channel.to_string()),
    ];
    let vendors = template.vendors.as_ref().map(|vendors| vendors.join(", "));
    let parameters = template
        .parameters
        .iter()
        .map(|(name, value)| format!("{name} {value}"));
    let parameters: Vec<String> = parameters.collect();
    let all = [
        ("country", template.countries.as_deref().map(listed)),
        ("locale", template.locales.as_deref().map(texts)),
        ("org", template.orgs.as_deref().map(texts)),
        ("request_type", template.request_types.as_deref().map(texts)),
        ("vendor", vendors),
        (
            "language",
            template.language.as_ref().map(|l| l.to_string()),
        ),
        (
            "parameters",
            (!parameters.is_empty()).then(|| parameters.join(", ")),
        ),
        ("webotp", template.webotp.clone()),
    ];
    meaning.extend(
        all.into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    meaning.extend(dates(&template.validity));
    meaning
}

fn meaning_of_sender(sender: &Sender) -> Meaning {
    let mut meaning = vec![
        ("from", sender.from.join(", ")),
        ("kind", sender.kind.as_str().to_owned()),
        ("registered", sender.registered.to_string()),
    ];
    let all = [
        ("vendor", sender.vendor.as_ref().map(|v| v.to_string())),
        ("country", sender.countries.as_deref().map(listed)),
        ("channel", sender.channel.map(|c| c.to_string())),
        ("org", sender.orgs.as_deref().map(texts)),
        ("quota", sender.quota.as_ref().map(|q| q.to_string())),
    ];
    meaning.extend(
        all.into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    meaning.extend(dates(&sender.validity));
    meaning
}

fn meaning_of_register(register: &Register) -> Meaning {
    let kinds = register.kinds.as_ref().map(|kinds| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        ("kind", names.join(", "))
    });
    let mut meaning = vec![("country", listed(&register.countries))];
    meaning.extend(kinds);
    meaning.extend(dates(&register.validity));
    meaning
}

fn dates(validity: &Validity) -> impl Iterator<Item = (&'static str, String)> {
    let from = validity.from.map(|from| ("valid_from", from.to_rfc3339()));
    // As it is meant: the first moment at which it holds no more.
    let until = validity
        .until
        .map(|until| ("valid_to", format!("before {}", until.to_rfc3339())));
    from.into_iter().chain(until)
}

fn listed(countries: &[Country]) -> String {
    let codes: Vec<&str> = countries.iter().map(Country::as_str).collect();
    codes.join(", ")
}

/// A list is "any of": its order means nothing.
fn texts(list: &[String]) -> String {
    let all: BTreeSet<&str> = list.iter().map(String::as_str).collect();
    Vec::from_iter(all).join(", ")
}
