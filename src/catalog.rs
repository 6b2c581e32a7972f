//! Compiles configuration, rules and vendor definitions into one immutable snapshot, or all problems.

mod misfits;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{Config, VendorAccount};
use crate::flow::VendorName;
use crate::problem::{Problems, Severity, Source, did_you_mean};
use crate::rules::{Comparison, Fleet, FleetVendor, OwnSender, Rules};
use crate::time::Moment;
use crate::vendor::{Account, Definition, Grant, check_examples};

/// Everything a message is decided and sent with. One is loaded at the door and carried to the end.
#[derive(Debug)]
pub struct Catalog {
    pub config: Config,
    pub rules: Rules,
    /// What rules may name.
    fleet: Fleet,
    accounts: BTreeMap<VendorName, Arc<Account>>,
}

/// Whom messages can be sent through, whatever the rules say.
#[derive(Debug)]
pub struct Roster {
    pub config: Config,
    /// Every vendor definition, with an account or without.
    pub definitions: Vec<Arc<Definition>>,
    accounts: BTreeMap<VendorName, Arc<Account>>,
}

/// What the catalog is made of, as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    /// The rule files, in file-name order.
    pub rules: Vec<Source>,
    /// The vendor definitions, in file-name order.
    pub definitions: Vec<Source>,
}

/// Makes the account through which a simulated vendor is used.
pub type Simulate<'a> =
    dyn Fn(&VendorName, &Arc<Definition>, Option<Arc<str>>) -> Option<Account> + 'a;

impl Catalog {
    /// Compiles everything, as it is to hold `now`. When `problems` holds an error afterwards, the result must not be used.
    pub fn compile(
        config: Config,
        texts: &Texts,
        simulate: Option<&Simulate<'_>>,
        now: Moment,
        problems: &RefCell<Problems>,
    ) -> Catalog {
        let Roster {
            config,
            definitions,
            accounts,
        } = Roster::compile(config, &texts.definitions, simulate, problems);
        let fleet = fleet(&config, &accounts, &definitions);
        let rules = Rules::compile(&texts.rules, &fleet, &config.region, now, problems);
        Catalog {
            config,
            rules,
            fleet,
            accounts,
        }
    }

    /// Warns of what works and should not stay so, in the rules that were compiled from these texts.
    pub fn analyse(&self, texts: &Texts, now: Moment, problems: &RefCell<Problems>) {
        let configured = self.config.vendors.iter();
        let with_senders = configured.filter(|vendor| vendor.from.is_some());
        let own: Vec<OwnSender> = with_senders
            .filter_map(|vendor| {
                let source = self.config.source.clone()?;
                Some(OwnSender {
                    vendor: vendor.name.value.clone(),
                    place: (source, vendor.name.span.clone()),
                })
            })
            .collect();
        self.rules
            .analyse(&texts.rules, &self.fleet, &own, now, problems);
    }

    /// What these rules would change, were those of the live catalog in force.
    pub fn compare(&self, live: &Catalog, now: Moment) -> Comparison {
        let orgs = self.fleet.orgs.iter().map(|(name, _)| name.clone());
        let orgs: Vec<Arc<str>> = orgs.collect();
        self.rules.compare(&live.rules, &orgs, now)
    }

    /// A vendor account.
    pub fn account(&self, name: &str) -> Option<&Arc<Account>> {
        self.accounts.get(name)
    }

    /// Every vendor account, by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// The configuration of an account, where it has one.
    pub fn configured(&self, name: &str) -> Option<&VendorAccount> {
        self.config.vendors.iter().find(|v| &*v.name.value == name)
    }
}

impl Roster {
    /// Compiles definitions and accounts. When `problems` holds an error afterwards, the result must not be used.
    pub fn compile(
        config: Config,
        definitions: &[Source],
        simulate: Option<&Simulate<'_>>,
        problems: &RefCell<Problems>,
    ) -> Roster {
        let definitions: Vec<Arc<Definition>> = definitions
            .iter()
            .map(|source| Arc::new(Definition::read(source, problems)))
            .collect();
        for definition in &definitions {
            check_examples(definition, problems);
        }
        let accounts = match simulate {
            Some(simulate) => simulated_accounts(&config, &definitions, simulate, problems),
            None => real_accounts(&config, &definitions, problems),
        };
        Roster {
            config,
            definitions,
            accounts,
        }
    }

    /// A vendor account.
    pub fn account(&self, name: &str) -> Option<&Arc<Account>> {
        self.accounts.get(name)
    }

    /// Every vendor account, by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }
}

fn fleet(
    config: &Config,
    accounts: &BTreeMap<VendorName, Arc<Account>>,
    definitions: &[Arc<Definition>],
) -> Fleet {
    let vendors = accounts.values().map(|account| {
        let mut configured = config.vendors.iter();
        let configured = configured.find(|v| v.name.value == *account.name());
        FleetVendor {
            name: Arc::clone(account.name()),
            from: account.from().cloned(),
            data_region: configured.and_then(|v| v.data_region.clone()),
            channels: account.channels(),
            needs_sender: account.needs_sender(),
            speaks: account.speaks().cloned(),
            rate: configured.and_then(|v| v.rate),
            quota: configured.and_then(|v| v.quota.clone()),
            stand_in: configured.is_none(),
        }
    });
    let orgs = config.orgs.iter();
    Fleet {
        vendors: vendors.collect(),
        definitions: definitions.iter().map(|d| d.name.clone()).collect(),
        orgs: orgs
            .map(|org| (Arc::clone(&org.name), Arc::clone(&org.display_name)))
            .collect(),
    }
}

/// An account for each one configured, and one for each definition that has none.
fn simulated_accounts(
    config: &Config,
    definitions: &[Arc<Definition>],
    simulate: &Simulate<'_>,
    problems: &RefCell<Problems>,
) -> BTreeMap<VendorName, Arc<Account>> {
    let mut wanted: BTreeMap<VendorName, (Arc<Definition>, Option<Arc<str>>)> = definitions
        .iter()
        .map(|d| (VendorName::from(&*d.name), (Arc::clone(d), None)))
        .collect();
    for vendor in &config.vendors {
        if let Some(definition) = definition_of(config, vendor, definitions, problems) {
            let entry = (Arc::clone(definition), vendor.from.clone());
            wanted.insert(Arc::clone(&vendor.name.value), entry);
        }
    }
    let mut accounts = BTreeMap::new();
    for (name, (definition, from)) in wanted {
        match simulate(&name, &definition, from) {
            Some(account) => {
                accounts.insert(name, Arc::new(account));
            }
            None => problems.borrow_mut().general(
                Severity::Error,
                format!("no port could be had for the simulated vendor `{name}`"),
                None,
            ),
        }
    }
    accounts
}

fn real_accounts(
    config: &Config,
    definitions: &[Arc<Definition>],
    problems: &RefCell<Problems>,
) -> BTreeMap<VendorName, Arc<Account>> {
    let mut accounts = BTreeMap::new();
    for vendor in &config.vendors {
        let Some(definition) = definition_of(config, vendor, definitions, problems) else {
            continue;
        };
        let credentials = vendor.credentials.iter();
        let account = Account::new(
            Arc::clone(definition),
            Grant {
                name: Arc::clone(&vendor.name.value),
                base_url: vendor.base_url.clone(),
                region: vendor.region.as_ref().map(|r| Arc::clone(&r.value)),
                credentials: credentials
                    .map(|(name, secret)| (name.value.clone(), secret.clone()))
                    .collect(),
                from: vendor.from.clone(),
            },
        );
        misfits::tell(config, vendor, &account, &mut problems.borrow_mut());
        accounts.insert(Arc::clone(&vendor.name.value), Arc::new(account));
    }
    accounts
}

fn definition_of<'a>(
    config: &Config,
    vendor: &VendorAccount,
    definitions: &'a [Arc<Definition>],
    problems: &RefCell<Problems>,
) -> Option<&'a Arc<Definition>> {
    let wanted = &vendor.definition.value;
    let found = definitions.iter().find(|d| d.name == *wanted);
    if found.is_none()
        && let Some(source) = &config.source
    {
        let hint = did_you_mean(wanted, definitions.iter().map(|d| d.name.as_str()));
        let dir = config.definitions_dir.display();
        let hint = hint.unwrap_or_else(|| format!("write `{dir}/{wanted}.toml`"));
        let message = format!("there is no vendor definition `{wanted}`");
        let span = vendor.definition.span.clone();
        problems
            .borrow_mut()
            .error_hint(source, span, message, hint);
    }
    found
}
