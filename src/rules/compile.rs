//! Compiles rule files into rules: names become references, and what cannot be meant is told.

mod lint;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ring::digest;

use crate::document::At;
use crate::flow::{Pace, VendorName};
use crate::guard::{self, Allow, Limit};
use crate::number::{Country, NumberType, all_countries, is_known_country};
use crate::problem::{Problems, Severity, Source, did_you_mean};
use crate::rules::condition::Condition;
use crate::rules::countries::{BUILT_IN, built_in};
use crate::rules::expect::check_expects;
use crate::rules::file::{ChainText, EntryText, GuardText, RuleFile, RuleText, WhenText};
use crate::rules::{Chain, Fleet, Member, Off, Rule, Rules, Sender, Then};

/// Groups inside groups are followed this deep.
const GROUP_DEPTH_MAX: usize = 8;

/// A file as written, and the text it came from.
type Read<'a> = (&'a Source, RuleFile);

impl Rules {
    /// Compiles rule files, given in file-name order. When `problems` holds an error afterwards, the result
    /// must not be used.
    pub fn compile(
        files: &[Source],
        fleet: &Fleet,
        region: &str,
        problems: &RefCell<Problems>,
    ) -> Rules {
        let read: Vec<Read<'_>> = files
            .iter()
            .map(|source| (source, RuleFile::read(source, problems)))
            .collect();
        let compiler = Compiler {
            fleet,
            problems,
            groups: RefCell::default(),
        };
        compiler.collect_groups(&read);
        compiler.tell_duplicates(&read);
        let mut rules = Rules {
            version: version(files),
            region: region.into(),
            rules: Vec::new(),
            chains: compiler.chains(&read),
            senders: compiler.senders(&read),
            vendors: fleet.vendors.clone(),
            switches: compiler.switches(&read),
            guard: guard::Settings::default(),
            countries: Vec::new(),
        };
        rules.rules = compiler.rules(&read, &rules.chains);
        rules.countries = countries_named(&rules.rules);
        rules.guard = compiler.guard(&read, &rules.countries);
        compiler.tell_unused(&rules, &read);
        check_expects(&rules, &read, problems);
        rules
    }
}

/// A group's member, and the file that names it.
type Placed = (Source, At<String>);

struct Compiler<'a> {
    fleet: &'a Fleet,
    problems: &'a RefCell<Problems>,
    groups: RefCell<BTreeMap<String, Vec<Placed>>>,
}

impl Compiler<'_> {
    fn error(&self, source: &Source, span: &Range<usize>, message: String, hint: Option<String>) {
        let mut problems = self.problems.borrow_mut();
        match hint {
            Some(hint) => problems.error_hint(source, span.clone(), message, hint),
            None => problems.error(source, span.clone(), message),
        }
    }

    fn warning(&self, source: &Source, span: &Range<usize>, message: String, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        let mut problems = self.problems.borrow_mut();
        problems.warning(source, span.clone(), message, hint);
    }

    fn collect_groups(&self, read: &[Read<'_>]) {
        for (source, file) in read {
            for (name, members) in &file.groups {
                if BUILT_IN.contains(&name.value.as_str()) {
                    let message = format!("the group `{}` is built in", name.value);
                    self.error(source, &name.span, message, None);
                }
                let members = members.iter().map(|m| (Source::clone(source), m.clone()));
                let mut groups = self.groups.borrow_mut();
                groups.insert(name.value.clone(), members.collect());
            }
        }
        let names: Vec<String> = self.groups.borrow().keys().cloned().collect();
        for name in names {
            let members = self.groups.borrow()[&name].clone();
            for (source, member) in members {
                self.countries_of(&source, &member, 0);
            }
        }
    }

    /// The countries that codes and group names stand for.
    fn countries(&self, source: &Source, names: &[At<String>]) -> BTreeSet<Country> {
        let all = names.iter();
        all.flat_map(|name| self.countries_of(source, name, 0))
            .collect()
    }

    fn countries_of(&self, source: &Source, name: &At<String>, depth: usize) -> Vec<Country> {
        if depth > GROUP_DEPTH_MAX {
            let message = format!("the group `{}` contains itself", name.value);
            self.error(source, &name.span, message, None);
            return Vec::new();
        }
        if let Some(members) = built_in(&name.value) {
            return members;
        }
        let members = self.groups.borrow().get(&name.value).cloned();
        if let Some(members) = members {
            let members = members.iter();
            return members
                .flat_map(|(source, member)| self.countries_of(source, member, depth + 1))
                .collect();
        }
        let country = Country::parse(&name.value);
        if let Some(country) = country.filter(|c| is_known_country(*c) && c.as_str() == name.value)
        {
            return vec![country];
        }
        let groups: Vec<String> = self.groups.borrow().keys().cloned().collect();
        let hint = if country.is_some_and(is_known_country) {
            format!(
                "country codes are written in capitals: `{}`",
                name.value.to_uppercase()
            )
        } else if name.value == "UK" {
            "did you mean `GB`?".to_owned()
        } else {
            let known = groups.iter().map(String::as_str).chain(BUILT_IN);
            did_you_mean(&name.value, known)
                .unwrap_or_else(|| "two capital letters (ISO 3166), or a group's name".to_owned())
        };
        let message = format!("there is no country or group `{}`", name.value);
        self.error(source, &name.span, message, Some(hint));
        Vec::new()
    }

    fn chains(&self, read: &[Read<'_>]) -> Vec<Chain> {
        let senders: BTreeMap<&str, &str> = read
            .iter()
            .flat_map(|(_, f)| &f.senders)
            .map(|s| (s.name.value.as_str(), s.from.as_str()))
            .collect();
        let mut chains = Vec::new();
        for (source, file) in read {
            for text in &file.chains {
                chains.push(self.chain(source, text, &senders));
            }
        }
        chains
    }

    fn chain(&self, source: &Source, text: &ChainText, senders: &BTreeMap<&str, &str>) -> Chain {
        let mut positions = Vec::new();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for position in &text.positions {
            let mut members = Vec::new();
            for entry in position.iter().filter(|e| !e.elsewhere) {
                if !known.insert(&entry.vendor.value) {
                    let message = format!("`{}` is in this chain already", entry.vendor.value);
                    self.error(source, &entry.vendor.span, message, None);
                }
                members.extend(self.member(source, entry, senders));
            }
            if !members.is_empty() {
                positions.push(members);
            }
        }
        if positions.is_empty() {
            let message = format!("the chain `{}` has no vendor left", text.name.value);
            let hint = "give one of its vendors an account in trunkline.toml".to_owned();
            self.error(source, &text.name.span, message, Some(hint));
        }
        Chain {
            name: text.name.value.as_str().into(),
            positions,
            by_recipient: text.by_recipient,
            pace: Pace {
                patience_ms: text.patience_ms,
                width: if text.race { text.race_width } else { 1 },
                max_sends: text.max_sends,
                give_up_after_ms: text.give_up_after_ms,
            },
        }
    }

    fn member(
        &self,
        source: &Source,
        entry: &EntryText,
        senders: &BTreeMap<&str, &str>,
    ) -> Option<Member> {
        let sender = entry.sender.as_ref().and_then(|name| {
            let from = senders.get(name.value.as_str());
            if from.is_none() {
                let hint = did_you_mean(&name.value, senders.keys().copied());
                let message = format!("there is no sender `{}`", name.value);
                self.error(source, &name.span, message, hint);
            }
            from.map(|f| Arc::from(*f))
        });
        Some(Member {
            vendor: self.vendor(source, &entry.vendor, true)?,
            weight: entry.weight,
            sender,
        })
    }

    /// A vendor that has an account. One that has only a definition is left out, with a warning if `told`.
    fn vendor(&self, source: &Source, name: &At<String>, told: bool) -> Option<VendorName> {
        let accounts = || self.fleet.vendors.iter().map(|v| &*v.name);
        if let Some(vendor) = self.fleet.vendors.iter().find(|v| *v.name == *name.value) {
            return Some(Arc::clone(&vendor.name));
        }
        if self.fleet.definitions.contains(&name.value) {
            if told {
                let message = format!("`{}` has no account and is left out", name.value);
                let hint = format!("add `[vendors.{}]` to trunkline.toml", name.value);
                self.warning(source, &name.span, message, &hint);
            }
            return None;
        }
        let known = accounts().chain(self.fleet.definitions.iter().map(String::as_str));
        let hint = did_you_mean(&name.value, known)
            .unwrap_or_else(|| "vendors are named in trunkline.toml and in vendors/".to_owned());
        let message = format!("there is no vendor `{}`", name.value);
        self.error(source, &name.span, message, Some(hint));
        None
    }

    fn senders(&self, read: &[Read<'_>]) -> Vec<Sender> {
        let mut senders = Vec::new();
        for (source, file) in read {
            for text in &file.senders {
                let countries = text.country.as_ref();
                let sender = Sender {
                    vendor: text.vendor.as_ref().map(|v| Arc::from(&*v.value)),
                    countries: countries.map(|c| self.countries(source, c)),
                    from: text.from.as_str().into(),
                };
                if let Some(vendor) = &text.vendor {
                    self.vendor(source, vendor, false);
                }
                senders.push(sender);
            }
        }
        senders
    }

    fn switches(&self, read: &[Read<'_>]) -> Vec<Off> {
        let mut switches = Vec::new();
        for (source, file) in read {
            for text in &file.switches {
                let countries = text.country.as_ref();
                let countries = countries.map(|c| self.countries(source, c));
                if let Some(vendor) = self.vendor(source, &text.vendor, false) {
                    switches.push(Off {
                        vendor,
                        countries,
                        until: text.until,
                        reason: text.reason.as_str().into(),
                    });
                }
            }
        }
        switches
    }

    fn rules(&self, read: &[Read<'_>], chains: &[Chain]) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        for (source, file) in read {
            for text in &file.rules {
                let when = self.conditions(source, &text.when);
                let place = format!("{}:{}", source.name, source.position(text.span.start).0);
                self.tell_shadowed(source, text, &when, &rules);
                if let Some(then) = self.then(source, text, chains) {
                    rules.push(Rule {
                        name: text.name.value.as_str().into(),
                        place,
                        when,
                        then,
                    });
                }
            }
        }
        if read.iter().all(|(_, file)| file.rules.is_empty()) {
            self.problems.borrow_mut().general(
                Severity::Error,
                "there is no rule at all",
                Some("a `[[rule]]` with a `name` and a `chain` serves everybody".to_owned()),
            );
        }
        rules
    }

    fn then(&self, source: &Source, text: &RuleText, chains: &[Chain]) -> Option<Then> {
        if let Some(deny) = &text.deny {
            return Some(Then::Deny(deny.value.as_str().into()));
        }
        let name = text.chain.as_ref()?;
        let Some(chain) = chains.iter().position(|c| *c.name == *name.value) else {
            let hint = did_you_mean(&name.value, chains.iter().map(|c| &*c.name));
            let message = format!("there is no chain `{}`", name.value);
            self.error(source, &name.span, message, hint);
            return None;
        };
        let region = text.data_region.as_deref();
        let there = |m: &Member| {
            let vendor = self.fleet.vendors.iter().find(|v| v.name == m.vendor);
            vendor.is_some_and(|v| v.data_region.as_deref() == region)
        };
        let mut members = chains[chain].positions.iter().flatten();
        if let Some(region) = region
            && !members.any(there)
        {
            let message = format!("no vendor of `{}` keeps its data in `{region}`", name.value);
            let hint = "set `data_region` of the vendor's account in trunkline.toml";
            self.warning(source, &name.span, message, hint);
        }
        Some(Then::Chain {
            chain,
            data_region: region.map(Arc::from),
        })
    }

    fn conditions(&self, source: &Source, when: &WhenText) -> Vec<Condition> {
        let countries = when.country.as_ref().map(|c| self.countries(source, c));
        if let Some(types) = &when.number_type {
            let nanp = built_in("NANP").unwrap_or_default();
            let reaches = countries
                .as_ref()
                .is_none_or(|c| nanp.iter().any(|n| c.contains(n)));
            let mobile = types.value.contains(&NumberType::Mobile);
            if mobile && reaches && !types.value.contains(&NumberType::FixedLineOrMobile) {
                let message = "`mobile` never matches a number of +1".to_owned();
                let hint = "there they are all `fixed_line_or_mobile`; add that";
                self.warning(source, &types.span, message, hint);
            }
        }
        let types = when.number_type.as_ref().map(|t| t.value.clone());
        let clone = |list: &Option<Vec<String>>| list.clone();
        [
            countries.map(Condition::Country),
            clone(&when.prefix).map(Condition::Prefix),
            types.map(Condition::NumberType),
            when.channel.clone().map(Condition::Channel),
            clone(&when.request_type).map(Condition::RequestType),
            clone(&when.org).map(Condition::Org),
            clone(&when.locale).map(Condition::Locale),
            clone(&when.region).map(Condition::Region),
            clone(&when.user).map(Condition::User),
            clone(&when.login).map(Condition::Login),
            when.preview.map(Condition::Preview),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn guard(&self, read: &[Read<'_>], named: &[Country]) -> guard::Settings {
        let mut settings = guard::Settings {
            allow: Allow::Only(named.iter().copied().collect()),
            ..guard::Settings::default()
        };
        let mut before: Option<(&Source, &GuardText)> = None;
        for (source, file) in read {
            let Some(guard) = &file.guard else {
                continue;
            };
            if let Some((other, _)) = before {
                let message = format!("`[guard]` is in {} already", other.name);
                self.error(source, &guard.span, message, None);
            }
            before = Some((source, guard));
            if let Some(allowed) = &guard.allow_countries {
                settings.allow = if allowed.iter().any(|c| c.value == "*") {
                    Allow::Every
                } else {
                    Allow::Only(self.countries(source, allowed))
                };
            }
            if let Some((count, per_ms)) = guard.per_number {
                settings.per_number = Limit { count, per_ms };
            }
        }
        settings
    }
}

fn countries_named(rules: &[Rule]) -> Vec<Country> {
    let mut named = BTreeSet::<Country>::new();
    for condition in rules.iter().flat_map(|r| &r.when) {
        if let Condition::Country(countries) = condition {
            named.extend(countries);
        }
    }
    let mut known = all_countries();
    known.retain(|c| named.contains(c));
    known
}

fn version(files: &[Source]) -> Arc<str> {
    let mut context = digest::Context::new(&digest::SHA256);
    for file in files {
        let name = file.name.rsplit('/').next().unwrap_or_default();
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(file.text.as_bytes());
        context.update(&[0]);
    }
    let hash = context.finish();
    let hex = hash.as_ref().iter().take(6).map(|b| format!("{b:02x}"));
    hex.collect::<String>().into()
}
