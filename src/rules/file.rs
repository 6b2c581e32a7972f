//! Rule files as written: every key is read and type-checked, and no name is looked up yet.

mod chain;
mod place;
mod quota;
mod rule;
mod sender;
mod surroundings;
mod template;
mod validity;

use std::collections::BTreeSet;

use crate::document::{At, Table, Value};
use crate::flow::{Channel, Waits};
use crate::guard::Limit;
use crate::guard::quota::Quota;
use crate::rules::condition::Condition;
use crate::rules::sender::Kind;
use crate::rules::wording::Words;
use crate::time::Moment;
use crate::time::Rate;

pub(super) use chain::channel;
pub(super) use place::{Name, Place};
pub(super) use validity::Validity;

/// What others name, or need.
const NAMED: [&str; 5] = ["group", "chain", "sender", "quota", "rule"];

/// All files together.
#[derive(Default)]
pub(super) struct Written {
    /// What may have more names than could be read: `chain`, `sender` ...
    pub(super) unread: BTreeSet<&'static str>,
    pub(super) groups: Vec<Group>,
    pub(super) chains: Vec<Chain>,
    pub(super) rules: Vec<Rule>,
    pub(super) senders: Vec<Sender>,
    pub(super) guards: Vec<Guard>,
    pub(super) switches: Vec<Switch>,
    pub(super) expects: Vec<Expect>,
    pub(super) registrations: Vec<Registration>,
    pub(super) templates: Vec<Template>,
    pub(super) quotas: Vec<NamedQuota>,
    pub(super) capacities: Vec<(Name, Rate)>,
}

pub(super) struct Group {
    pub(super) name: Name,
    pub(super) members: Vec<Name>,
}

pub(super) struct Chain {
    pub(super) name: Name,
    pub(super) positions: Vec<Vec<Entry>>,
    /// All of its positions could be read.
    pub(super) is_whole: bool,
    pub(super) strategy: Option<Strategy>,
    pub(super) race_width: Option<i64>,
    pub(super) patience: Option<Patience>,
    pub(super) by_recipient: bool,
    pub(super) adaptive: bool,
    pub(super) max_sends: Option<i64>,
    pub(super) give_up_after_ms: Option<i64>,
    pub(super) stops_on_failed_receipt: bool,
    pub(super) moves_on_silence: bool,
    pub(super) silence_after_ms: Option<i64>,
}

/// When the next vendor is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// After a failure, or a fixed patience.
    Cascade,
    /// After a failure, or a learned patience.
    Hedge,
    /// Several at once.
    Race,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Ms(i64),
    /// `p95`: what 95 of 100 answers take.
    Learned,
}

pub(super) struct Entry {
    pub(super) vendor: Name,
    pub(super) weight: Option<i64>,
    pub(super) cost: Option<f64>,
    pub(super) sender: Option<Name>,
    pub(super) channel: Option<Channel>,
    /// It waits for a reason to act.
    pub(super) waits: Option<Waits>,
}

pub(super) struct Rule {
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) when: Vec<(Wanted, Place)>,
    pub(super) chain: Option<Name>,
    pub(super) deny: Option<Name>,
    pub(super) data_region: Option<Name>,
    pub(super) validity: Validity,
    pub(super) parts_max: Option<usize>,
    pub(super) transliterate: bool,
}

/// One key of `when`.
pub(super) enum Wanted {
    /// Names of countries and groups.
    Countries(Vec<Name>),
    /// Anything that needs no looking up.
    Ready(Condition),
}

pub(super) struct Sender {
    pub(super) place: Place,
    pub(super) name: Option<Name>,
    pub(super) vendor: Option<Name>,
    pub(super) countries: Option<Vec<Name>>,
    pub(super) channel: Option<Channel>,
    pub(super) orgs: Option<Vec<Name>>,
    /// One, or the members of a pool.
    pub(super) from: Vec<Name>,
    pub(super) kind: Option<Kind>,
    pub(super) registered: bool,
    pub(super) validity: Validity,
    pub(super) quota: Option<Name>,
}

/// Where a register of senders exists.
pub(super) struct Registration {
    pub(super) countries: Vec<Name>,
    pub(super) required: bool,
    pub(super) kinds: Option<Vec<Kind>>,
    pub(super) validity: Validity,
}

pub(super) struct Template {
    pub(super) place: Place,
    pub(super) name: Option<Name>,
    pub(super) countries: Option<Vec<Name>>,
    /// Lower case, `_` as `-`.
    pub(super) locales: Option<Vec<String>>,
    pub(super) orgs: Option<Vec<Name>>,
    pub(super) request_types: Option<Vec<String>>,
    pub(super) vendors: Option<Vec<Name>>,
    pub(super) channel: Channel,
    pub(super) validity: Validity,
    pub(super) words: Words,
    /// Where the text stands.
    pub(super) text: Place,
    pub(super) language: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) webotp: Option<String>,
}

pub(super) struct NamedQuota {
    pub(super) name: Name,
    /// Absent where something is wrong with it.
    pub(super) quota: Option<Quota>,
}

pub(super) struct Guard {
    pub(super) place: Place,
    pub(super) allow_countries: Option<Vec<Name>>,
    pub(super) per_number: Option<Limit>,
}

pub(super) struct Switch {
    pub(super) vendor: Name,
    pub(super) countries: Option<Vec<Name>>,
    pub(super) until: Option<Moment>,
    pub(super) reason: Option<String>,
}

/// An example that must hold.
pub(super) struct Expect {
    pub(super) place: Place,
    pub(super) to: Name,
    pub(super) channel: Channel,
    pub(super) org: String,
    pub(super) request_type: String,
    pub(super) locale: String,
    pub(super) user: Option<String>,
    pub(super) login: Option<String>,
    pub(super) preview: bool,
    /// When it must hold; absent: now.
    pub(super) at: Option<Moment>,
    pub(super) rule: Option<Name>,
    pub(super) vendors: Option<(Vec<Name>, Place)>,
    pub(super) deny: Option<Name>,
    pub(super) sender: Option<Name>,
    pub(super) template: Option<Name>,
    pub(super) text: Option<Name>,
    pub(super) parts: Option<(usize, Place)>,
    pub(super) outcome: Option<(Expected, Place)>,
}

/// How a message may be expected to end without any vendor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Denied,
    Blocked,
}

impl Written {
    /// Adds what one file says.
    pub(super) fn read(&mut self, root: &Table<'_>) {
        if !root.is_whole() {
            self.unread.extend(NAMED);
        }
        let groups = self.named(root, "groups", "group", |table, name, value| {
            Some(group(table, name, value))
        });
        self.groups.extend(groups);
        let chains = self.named(root, "chains", "chain", |table, name, value| {
            Some(chain::chain(table, name, &value.table()?))
        });
        self.chains.extend(chains);
        let rules = root.tables("rule");
        let before = self.rules.len();
        self.rules.extend(rules.iter().filter_map(rule::rule));
        let all_read = self.rules.len() - before == rules.len();
        if !all_read || (rules.is_empty() && root.get("rule").is_some()) {
            self.unread.insert("rule");
        }
        for table in root.tables("sender") {
            match sender::sender(&table) {
                Some(sender) => self.senders.push(sender),
                None => drop(self.unread.insert("sender")),
            }
        }
        if let Some(table) = root.read("guard", Value::table) {
            self.guards.push(surroundings::guard(&table));
        }
        if let Some(table) = root.read("switches", Value::table) {
            let off = table.tables("off");
            self.switches
                .extend(off.iter().filter_map(surroundings::switch));
            table.finish();
        }
        let expects = root.tables("expect");
        self.expects
            .extend(expects.iter().filter_map(surroundings::expect));
        let registrations = root.tables("registration");
        self.registrations
            .extend(registrations.iter().filter_map(sender::registration));
        let templates = root.tables("template");
        self.templates
            .extend(templates.iter().filter_map(template::template));
        let quotas = self.named(root, "quota", "quota", quota::quota);
        self.quotas.extend(quotas);
        let capacities = self.named(root, "capacity", "capacity", |table, name, value| {
            Some((key_name(table, name), surroundings::rate(value)?))
        });
        self.capacities.extend(capacities);
        root.finish();
    }

    /// The entries of a table whose keys are names that people choose.
    fn named<T>(
        &mut self,
        root: &Table<'_>,
        key: &'static str,
        what: &'static str,
        read: impl Fn(&Table<'_>, At<String>, Value<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = root.get(key) else {
            return Vec::new();
        };
        let Some(table) = value.table() else {
            self.unread.insert(what);
            return Vec::new();
        };
        let mut all = Vec::new();
        for (name, value) in table.entries() {
            match read(&table, name, value) {
                Some(one) => all.push(one),
                None => drop(self.unread.insert(what)),
            }
        }
        all
    }
}

pub(super) fn name(value: Value<'_>) -> Option<Name> {
    let text = value.string()?.value;
    if text.trim().is_empty() {
        return value.wrong(
            "this is empty",
            Some("something must stand between the quotes".to_owned()),
        );
    }
    let place = Place::of(&value);
    Some(Name { text, place })
}

/// One value or a list of them, which must not be empty.
pub(super) fn each<'a, T>(
    value: Value<'a>,
    read: impl Fn(Value<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    if !value.raw().is_array() {
        return read(value).map(|one| vec![one]);
    }
    let list = value.list()?;
    if list.is_empty() {
        return value.wrong("an empty list matches nothing", None);
    }
    Some(list.into_iter().filter_map(read).collect())
}

pub(super) fn names(value: Value<'_>) -> Option<Vec<Name>> {
    each(value, name)
}

pub(super) fn key_name(table: &Table<'_>, key: At<String>) -> Name {
    Name {
        text: key.value,
        place: Place {
            source: table.source().clone(),
            span: key.span,
        },
    }
}

fn group(table: &Table<'_>, key: At<String>, value: Value<'_>) -> Group {
    Group {
        name: key_name(table, key),
        members: names(value).unwrap_or_default(),
    }
}
