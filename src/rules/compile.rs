//! Makes a rule set as meant out of files as written, and tells every mistake in them.

mod chain;
mod mistakes;
mod senders;
mod templates;

pub(super) use senders::listed;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ring::digest;

use crate::document::read_document;
use crate::flow::VendorName;
use crate::guard::quota::Quota;
use crate::guard::{Allow, Limit, Settings};
use crate::number::{Country, NumberType};
use crate::problem::{Problems, Severity, Source, did_you_mean};
use crate::rules::condition::Condition;
use crate::rules::countries::{Groups, is_nanp};
use crate::rules::file::{self, Name, NamedQuota, Written};
use crate::rules::lookup::Lookup;
use crate::rules::plan::{Account, Around, Chain};
use crate::rules::sender::Sender;
use crate::rules::wording::Wordings;
use crate::rules::{Act, Fleet, FleetVendor, Rule, Rules, Send, Switch, expect};
use crate::time::{Moment, Rate};

/// A reason for switches that give none.
const SWITCHED_OFF: &str = "switched off";
/// So many are listed where a name is none of them.
const ORGS_TOLD_MAX: usize = 8;
const VERSION_BYTES: usize = 6;

/// Compiles all files as one rule set.
pub(super) fn compile(
    files: &[Source],
    fleet: &Fleet,
    region: &str,
    now: Moment,
    problems: &RefCell<Problems>,
) -> Rules {
    let mut written = Written::default();
    for file in files {
        read_document(file, problems, |root| written.read(root));
    }
    let compiler = Compiler {
        problems,
        groups: Groups::new(&written.groups, written.unread.contains("group"), problems),
        fleet: fleet.vendors.iter().map(|v| (&*v.name, v)).collect(),
        orgs: &fleet.orgs,
        definitions: fleet.definitions.iter().map(|d| &**d).collect(),
        unread: &written.unread,
        missing: RefCell::default(),
    };
    compiler.duplicates(&written);
    let rules = compiler.rules(&written, version(files), region);
    if !problems.borrow().has_errors() {
        compiler.unused(&written, &rules);
        rules.tell_out_of_reach(&written.rules, problems);
        rules.tell_unregistered(&written.rules, now, problems);
    }
    if !problems.borrow().has_errors() {
        rules.tell_shadowed(&written.rules, problems);
        expect::check_all(&rules, &written.expects, fleet, now, problems);
    }
    rules
}

/// Each name and text with its length, so that no two rule sets read alike.
fn version(files: &[Source]) -> Arc<str> {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in files.iter().flat_map(|file| [&file.name, &file.text]) {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let hash = context.finish();
    let head = &hash.as_ref()[..VERSION_BYTES];
    let hex: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.into()
}

struct Compiler<'a> {
    problems: &'a RefCell<Problems>,
    groups: Groups<'a>,
    fleet: BTreeMap<&'a str, &'a FleetVendor>,
    /// What people call each org, by its configured name.
    orgs: &'a [(Arc<str>, Arc<str>)],
    definitions: BTreeSet<&'a str>,
    /// What may have more names than could be read.
    unread: &'a BTreeSet<&'static str>,
    /// Vendors without an account that have been told.
    missing: RefCell<BTreeSet<String>>,
}

/// What a vendor's name leads to.
enum Found {
    Account(VendorName),
    /// A definition that nobody has an account for: left out.
    NoAccount,
    Unknown,
}

type Accounts = BTreeMap<VendorName, Arc<Account>>;
type Chains = BTreeMap<String, Arc<Chain>>;
/// Senders by name; none where the sender's vendor has no account.
type Named = BTreeMap<String, Option<Arc<Sender>>>;

impl<'a> Compiler<'a> {
    fn rules(&self, written: &Written, version: Arc<str>, region: &str) -> Rules {
        let (senders, named) = self.senders(written);
        let accounts = self.accounts(&senders);
        let chains = self.chains(&written.chains, &accounts, &named);
        let mut rules: Vec<Rule> = Vec::new();
        let mut named_countries = BTreeSet::new();
        let mut allowed_countries = BTreeSet::new();
        for rule in &written.rules {
            let conditions = self.conditions(rule);
            for condition in &conditions {
                if let Condition::Country(countries) = condition {
                    named_countries.extend(countries);
                    if rule.chain.is_some() {
                        allowed_countries.extend(countries);
                    }
                }
            }
            let act = self.act(rule, &chains);
            rules.extend(act.map(|act| Rule {
                name: (*rule.name.text).into(),
                place: rule.place.line().into(),
                conditions,
                validity: rule.validity.clone(),
                act,
            }));
        }
        if written.rules.is_empty() && !self.unread.contains("rule") {
            let message = "there is no rule: nothing could be sent".to_owned();
            let mut problems = self.problems.borrow_mut();
            problems.general(
                Severity::Error,
                message,
                Some("a `[[rule]]` with a `chain`".to_owned()),
            );
        }
        let registers = self.registers(&written.registrations);
        let templates = self.templates(&written.templates);
        let orgs = self.orgs.iter().cloned();
        Rules {
            version,
            region: region.into(),
            lookup: Lookup::new(&rules, region),
            rules,
            around: Around {
                registers,
                wordings: Wordings::new(templates, orgs),
            },
            senders,
            quotas: quotas(&written.quotas),
            capacities: self.capacities(&written.capacities),
            switches: self.switches(&written.switches),
            guard: self.guard(&written.guards, allowed_countries, written),
            countries: named_countries.into_iter().collect(),
            vendors_used: vendors_used(chains.values()),
        }
    }

    fn vendor(&self, name: &Name) -> Found {
        if let Some(account) = self.fleet.get(&*name.text) {
            return Found::Account(account.name.clone());
        }
        let text = &name.text;
        if self.definitions.contains(&**text) {
            if self.missing.borrow_mut().insert(text.clone()) {
                let message = format!("there is no account for vendor `{text}`: it is left out");
                let hint = format!("`[vendors.{text}]` in the configuration");
                name.place.warning(self.problems, message, Some(hint));
            }
            return Found::NoAccount;
        }
        let known = self.fleet.keys().chain(&self.definitions).copied();
        self.unknown("vendor", name, known);
        Found::Unknown
    }

    fn unknown<'n>(&self, what: &str, name: &Name, known: impl Iterator<Item = &'n str>) {
        if self.unread.contains(what) {
            return;
        }
        let known: BTreeSet<&str> = known.collect();
        let hint = did_you_mean(&name.text, known.iter().copied()).or_else(|| {
            let known: Vec<_> = known.iter().map(|k| format!("`{k}`")).collect();
            (!known.is_empty()).then(|| format!("there is {}", known.join(", ")))
        });
        let message = format!("unknown {what} `{}`", name.text);
        name.place.error(self.problems, message, hint);
    }

    fn conditions(&self, rule: &file::Rule) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (wanted, _) in &rule.when {
            conditions.push(match wanted {
                file::Wanted::Countries(names) => Condition::Country(self.groups.countries(names)),
                file::Wanted::Ready(condition) => condition.clone(),
            });
        }
        let names_nanp = conditions.iter().any(is_about_nanp);
        for (condition, (_, place)) in conditions.iter().zip(&rule.when) {
            if let Condition::Org(orgs) = condition {
                orgs.iter().for_each(|org| self.unknown_org(org, place));
            }
            if names_nanp && is_mobile_only(condition) {
                let message = "`mobile` does not match numbers with +1";
                let hint = "add `fixed_line_or_mobile`: that is what almost all of them are";
                place.warning(self.problems, message, Some(hint.to_owned()));
            }
        }
        conditions
    }

    /// Tells orgs that no message can be from: rules may be shared with instances that serve others.
    fn unknown_org(&self, org: &str, place: &file::Place) {
        let known = || self.orgs.iter().map(|(name, _)| &**name);
        if !self.orgs.is_empty() && known().all(|known| known != org) {
            let message = format!("no org of this instance is named `{org}`");
            let all = known().map(|name| format!("`{name}`"));
            let all: Vec<String> = all.take(ORGS_TOLD_MAX).collect();
            let hint = did_you_mean(org, known());
            let hint = hint.unwrap_or_else(|| format!("there is {}", all.join(", ")));
            place.warning(self.problems, message, Some(hint));
        }
    }

    fn act(&self, rule: &file::Rule, chains: &Chains) -> Option<Act> {
        let Some(name) = &rule.chain else {
            return rule.deny.as_ref().map(|why| Act::Deny((*why.text).into()));
        };
        let Some(chain) = chains.get(&*name.text) else {
            self.unknown("chain", name, chains.keys().map(|k| &**k));
            return None;
        };
        let data_region = rule.data_region.as_ref();
        Some(Act::Send(Send {
            chain: chain.clone(),
            data_region: data_region.map(|r| (*r.text).into()),
            parts_max: rule.parts_max,
            transliterate: rule.transliterate,
        }))
    }

    fn capacities(&self, written: &[(Name, Rate)]) -> Vec<(Country, Rate)> {
        let all = written.iter().flat_map(|(name, rate)| {
            let countries = self.groups.countries(std::slice::from_ref(name));
            countries.into_iter().map(|country| (country, *rate))
        });
        all.collect()
    }

    fn switches(&self, written: &[file::Switch]) -> Vec<Switch> {
        let mut switches = Vec::new();
        for switch in written {
            let countries = switch.countries.as_ref();
            let countries = countries.map(|c| self.groups.countries(c));
            let reason = switch.reason.as_deref().unwrap_or(SWITCHED_OFF);
            if let Found::Account(vendor) = self.vendor(&switch.vendor) {
                switches.push(Switch {
                    vendor,
                    countries,
                    until: switch.until,
                    reason: reason.into(),
                });
            }
        }
        switches
    }

    fn guard(&self, written: &[file::Guard], named: BTreeSet<Country>, all: &Written) -> Settings {
        let guard = written.first();
        let allow = match guard.and_then(|g| g.allow_countries.as_ref()) {
            Some(names) if names.iter().any(|n| n.text == "*") => Allow::Every,
            Some(names) => Allow::Some(self.groups.countries(names).into_iter().collect()),
            None => {
                let sends = all.rules.iter().any(|rule| rule.chain.is_some());
                if named.is_empty() && sends && !self.problems.borrow().has_errors() {
                    let message = "no rule names a country, so that every message is blocked";
                    let hint = "`allow_countries = [\"*\"]` in `[guard]`".to_owned();
                    let mut problems = self.problems.borrow_mut();
                    problems.general(Severity::Warning, message, Some(hint));
                }
                Allow::Some(named)
            }
        };
        Settings {
            allow,
            per_number: guard
                .and_then(|g| g.per_number)
                .unwrap_or(Limit::PER_NUMBER),
        }
    }
}

fn quotas(written: &[NamedQuota]) -> BTreeMap<Arc<str>, Quota> {
    let quotas = written.iter();
    quotas
        .filter_map(|named| Some(((*named.name.text).into(), named.quota.clone()?)))
        .collect()
}

fn vendors_used<'c>(chains: impl Iterator<Item = &'c Arc<Chain>>) -> Vec<VendorName> {
    let mut vendors: Vec<VendorName> = chains
        .flat_map(|chain| &chain.positions)
        .flat_map(|position| &position.entries)
        .map(|entry| entry.vendor.name.clone())
        .collect();
    vendors.sort_unstable();
    vendors.dedup();
    vendors
}

fn is_about_nanp(condition: &Condition) -> bool {
    match condition {
        Condition::Country(countries) => countries.iter().any(|c| is_nanp(*c)),
        Condition::Prefix(prefixes) => prefixes.iter().any(|p| p.starts_with("+1")),
        _ => false,
    }
}

fn is_mobile_only(condition: &Condition) -> bool {
    matches!(condition, Condition::NumberType(types)
        if types.contains(&NumberType::Mobile) && !types.contains(&NumberType::FixedLineOrMobile))
}
