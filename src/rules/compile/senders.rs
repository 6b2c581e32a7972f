//! Makes senders and registers as meant, and tells which chains can reach no registered sender.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::flow::{Channel, VendorName};
use crate::number::Country;
use crate::problem::{Problems, Severity};
use crate::rules::compile::chain::vendors_alone;
use crate::rules::compile::{Accounts, Compiler, Found, Named};
use crate::rules::condition::Condition;
use crate::rules::file::{self, Name, Validity, Written};
use crate::rules::plan::{Account, Around, Wanted};
use crate::rules::sender::{Kind, Register, Sender};
use crate::rules::{Act, Rules, Send};
use crate::time::Moment;

impl Compiler<'_> {
    pub(super) fn senders(&self, written: &Written) -> (Vec<Arc<Sender>>, Named) {
        let mut senders = Vec::new();
        let mut named = BTreeMap::new();
        let quotas: BTreeSet<&str> = written.quotas.iter().map(|q| &*q.name.text).collect();
        for sender in &written.senders {
            if let Some(quota) = sender.quota.as_ref().filter(|q| !quotas.contains(&*q.text)) {
                self.unknown("quota", quota, quotas.iter().copied());
            }
            for org in sender.orgs.iter().flatten() {
                self.unknown_org(&org.text, &org.place);
            }
            let vendor = sender.vendor.as_ref().map(|name| self.vendor(name));
            let countries = sender.countries.as_ref();
            let countries = countries.map(|c| self.groups.countries(c));
            let compiled = match &vendor {
                Some(Found::NoAccount | Found::Unknown) => None,
                Some(Found::Account(_)) | None => Some(Arc::new(meant(sender, countries))),
            };
            if let Some(name) = &sender.name {
                named.insert(name.text.clone(), compiled.clone());
            }
            senders.extend(compiled);
        }
        for vendor in self.fleet.values() {
            if let Some(quota) = vendor.quota.as_ref().filter(|q| !quotas.contains(&***q)) {
                let message = format!(
                    "vendor `{}` names quota `{quota}`: no rules have it",
                    vendor.name
                );
                let hint = Some(format!("`[quota.{quota}]`"));
                let mut problems = self.problems.borrow_mut();
                problems.general(Severity::Error, message, hint);
            }
        }
        (senders, named)
    }

    /// The accounts, each with the senders that may be its.
    pub(super) fn accounts(&self, senders: &[Arc<Sender>]) -> Accounts {
        let account = |vendor: &&crate::rules::FleetVendor| {
            let own = senders.iter().filter(|sender| {
                let owner = sender.vendor.as_ref();
                owner.is_none_or(|owner| *owner == vendor.name)
            });
            let mut own: Vec<Arc<Sender>> = own.cloned().collect();
            own.sort_by_key(|sender| std::cmp::Reverse(sender.rank()));
            if own.is_empty() && vendor.from.is_none() && !vendor.needs_sender.is_empty() {
                let message = format!("vendor `{}` has no sender: it is left out", vendor.name);
                let hint = format!("`from` in `[vendors.{}]`, or a `[[sender]]`", vendor.name);
                let mut problems = self.problems.borrow_mut();
                problems.general(Severity::Warning, message, Some(hint));
            }
            own.extend(
                vendor
                    .from
                    .clone()
                    .map(|from| Arc::new(of_account(&vendor.name, from))),
            );
            Account {
                name: vendor.name.clone(),
                data_region: vendor.data_region.clone(),
                channels: vendor.channels.clone(),
                needs_sender: vendor.needs_sender.clone(),
                speaks: vendor.speaks.clone(),
                quota: vendor.quota.clone(),
                senders: own,
            }
        };
        let vendors = self.fleet.values();
        vendors
            .map(|vendor| (vendor.name.clone(), Arc::new(account(vendor))))
            .collect()
    }

    pub(super) fn registers(&self, written: &[file::Registration]) -> Vec<Register> {
        let required = written.iter().map(|registration| {
            let countries = self.groups.countries(&registration.countries);
            (registration, countries)
        });
        required
            .filter(|(registration, _)| registration.required)
            .map(|(registration, countries)| Register {
                countries,
                kinds: registration.kinds.clone(),
                validity: registration.validity.clone(),
            })
            .collect()
    }
}

fn meant(sender: &file::Sender, countries: Option<Vec<Country>>) -> Sender {
    let from: Vec<Arc<str>> = sender.from.iter().map(|f| Arc::from(&*f.text)).collect();
    let guessed = match from.as_slice() {
        [one] => Kind::of(one),
        _ => Kind::Pool,
    };
    Sender {
        vendor: sender.vendor.as_ref().map(|v| VendorName::from(&*v.text)),
        countries,
        channel: sender.channel,
        orgs: sender.orgs.as_deref().map(texts),
        from,
        kind: sender.kind.unwrap_or(guessed),
        registered: sender.registered,
        validity: sender.validity.clone(),
        quota: sender.quota.as_ref().map(|q| Arc::from(&*q.text)),
        place: Some((sender.place.source.clone(), sender.place.span.start)),
    }
}

/// What an account sends from where no `[[sender]]` says otherwise.
fn of_account(vendor: &VendorName, from: Arc<str>) -> Sender {
    Sender {
        vendor: Some(vendor.clone()),
        countries: None,
        channel: None,
        orgs: None,
        kind: Kind::of_account(&from),
        from: vec![from],
        registered: false,
        validity: Validity::default(),
        quota: None,
        place: None,
    }
}

pub(super) fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}

/// How long a chain can send nothing to a country.
#[derive(Clone, Copy)]
enum Emptiness {
    None,
    /// Because of a date: the passing of time must not keep a router from starting.
    Now,
    Always,
}

impl Rules {
    /// Tells the rules whose chain has no vendor with a registered sender in a country where there must be one.
    pub(in crate::rules) fn tell_unregistered(
        &self,
        written: &[file::Rule],
        now: Moment,
        problems: &RefCell<Problems>,
    ) {
        let registers = &self.around.registers;
        let mut registered: Vec<Country> =
            registers.iter().flat_map(|r| r.countries.clone()).collect();
        registered.sort_unstable();
        registered.dedup();
        if registered.is_empty() {
            return;
        }
        let mut known = HashMap::new();
        for (index, (rule, written)) in self.rules.iter().zip(written).enumerate() {
            let (Act::Send(send), Some(chain)) = (&rule.act, &written.chain) else {
                continue;
            };
            let (mut never, mut late) = (Vec::new(), Vec::new());
            for country in &registered {
                if !self.meets(index, *country, Channel::Sms) {
                    continue;
                }
                let key = (Arc::as_ptr(&send.chain), &send.data_region, *country);
                match *known
                    .entry(key)
                    .or_insert_with(|| self.emptiness(send, *country, now))
                {
                    Emptiness::None => {}
                    Emptiness::Always => never.push(*country),
                    Emptiness::Now => late.push(*country),
                }
            }
            let hint =
                || Some("a `[[sender]]` of one of its vendors with `registered = true`".to_owned());
            if !never.is_empty() {
                let message = format!(
                    "chain `{}` has no vendor with a registered sender in {}",
                    chain.text,
                    listed(&never)
                );
                chain.place.error(problems, message, hint());
            }
            if !late.is_empty() {
                let message = format!(
                    "chain `{}` has no vendor whose registered sender is valid now in {}",
                    chain.text,
                    listed(&late)
                );
                chain.place.warning(problems, message, hint());
            }
        }
    }

    /// Whether a chain can send no text to a country where senders are registered.
    fn emptiness(&self, send: &Send, country: Country, now: Moment) -> Emptiness {
        let is_empty = |around: &Around, any_time: bool| {
            let wanted = Wanted {
                country,
                data_region: send.data_region.as_deref(),
                now,
                any_time,
                ..vendors_alone(Channel::Sms)
            };
            let laid = send.chain.lay(around, wanted);
            laid.offers.iter().all(|offer| offer.step.waits.is_some())
        };
        let undated = self.around.registers.iter();
        let undated = Around {
            registers: undated
                .filter(|r| r.validity.is_always())
                .cloned()
                .collect(),
            ..Around::default()
        };
        if !is_empty(&self.around, false) {
            Emptiness::None
        } else if is_empty(&undated, true) {
            Emptiness::Always
        } else {
            Emptiness::Now
        }
    }

    /// Whether a rule can match a message to the country by the channel that no earlier rule takes.
    pub(in crate::rules) fn meets(&self, index: usize, country: Country, channel: Channel) -> bool {
        let rule = &self.rules[index];
        let is_met = |condition: &Condition| match condition {
            Condition::Country(list) => list.contains(&country),
            Condition::Channel(list) => list.contains(&channel),
            _ => true,
        };
        if !rule.conditions.iter().all(is_met) {
            return false;
        }
        let mut such = rule.conditions.clone();
        for condition in &mut such {
            match condition {
                Condition::Country(list) => *list = vec![country],
                Condition::Channel(list) => *list = vec![channel],
                _ => {}
            }
        }
        such.push(Condition::Country(vec![country]));
        such.push(Condition::Channel(vec![channel]));
        !self.is_covered(index, &such)
    }
}

/// `SG, MY and VN`.
pub(in crate::rules) fn listed(countries: &[Country]) -> String {
    let names: Vec<&str> = countries.iter().map(Country::as_str).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
