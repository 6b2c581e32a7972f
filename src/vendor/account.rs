//! A definition together with one customer's credentials: what a vendor can be asked with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::flow::{Channel, Secret, VendorName, Verdict};
use crate::text::Languages;
use crate::time::Moment;
use crate::vendor::definition::{Credential, Definition, Operation, Regions};
use crate::vendor::request::{Job, Unfit};
use crate::vendor::template::Slot;

/// What the configuration gives an account.
#[derive(Clone)]
pub struct Grant {
    pub name: VendorName,
    pub base_url: Option<String>,
    /// Which of the definition's regions it is in.
    pub region: Option<Arc<str>>,
    pub credentials: Vec<(String, Secret)>,
    /// The sender where no rule names one.
    pub from: Option<Arc<str>>,
}

/// A vendor that can be asked.
#[derive(Clone)]
pub struct Account {
    name: VendorName,
    definition: Arc<Definition>,
    base_url: Option<String>,
    region: Option<Arc<str>>,
    credentials: BTreeMap<String, Secret>,
    from: Option<Arc<str>>,
}

/// Without addresses, which may have a password in them.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Binds a definition to a customer's credentials.
    pub fn new(definition: Arc<Definition>, grant: Grant) -> Account {
        Account {
            name: grant.name,
            definition,
            base_url: grant.base_url,
            region: grant.region,
            credentials: grant.credentials.into_iter().collect(),
            from: grant.from,
        }
    }

    /// The account that the sandbox and the definition's examples use: its own example credentials.
    pub fn example(
        definition: Arc<Definition>,
        name: VendorName,
        base_url: String,
        from: Option<Arc<str>>,
    ) -> Account {
        let credential = |c: &Credential| (c.name.clone(), Secret::new(&*c.example));
        let grant = Grant {
            name,
            base_url: Some(base_url),
            region: None,
            credentials: definition.credentials.iter().map(credential).collect(),
            from,
        };
        Account::new(definition, grant)
    }

    /// The same account at the vendor's own address, or elsewhere where the definition leaves that to the account:
    /// what the definition's examples use, and what is shown and never called.
    pub fn documented(
        definition: Arc<Definition>,
        name: VendorName,
        elsewhere: String,
        from: Option<Arc<str>>,
    ) -> Account {
        let mut account = Account::example(definition, name, String::new(), from);
        account.base_url = None;
        let mut operations = account.definition.operations.iter();
        if operations.any(|(_, o)| !o.sends_nothing && account.base_url(o).is_none()) {
            account.base_url = Some(elsewhere);
        }
        account
    }

    /// The same account with other words in the place of its credentials, and perhaps another definition.
    pub(crate) fn with_marks(
        &self,
        definition: Definition,
        mark: impl Fn(&str, &Secret) -> String,
    ) -> Account {
        let marked = self.credentials.iter();
        let marked = marked.map(|(name, secret)| (name.clone(), Secret::new(mark(name, secret))));
        Account {
            definition: Arc::new(definition),
            credentials: marked.collect(),
            ..self.clone()
        }
    }

    /// The names of the credentials that it has.
    pub(crate) fn credential_names(&self) -> impl Iterator<Item = &str> {
        self.credentials.keys().map(String::as_str)
    }

    /// The name that rules use.
    pub fn name(&self) -> &VendorName {
        &self.name
    }

    /// The sender where no rule names one.
    pub fn from(&self) -> Option<&Arc<str>> {
        self.from.as_ref()
    }

    /// How this vendor is spoken with.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// The channels that the definition has and the credentials suffice for.
    pub fn channels(&self) -> Vec<Channel> {
        let able = |(channel, operation): &(Channel, Operation)| {
            let fit = self.lacking(*channel).is_empty();
            let reachable = operation.sends_nothing || self.base_url(operation).is_some();
            (fit && reachable).then_some(*channel)
        };
        self.definition.operations.iter().filter_map(able).collect()
    }

    /// The channels on which it must be told who a message comes from.
    pub fn needs_sender(&self) -> Vec<Channel> {
        let operations = self.definition.operations.iter();
        let needy = operations.filter(|(_, operation)| operation.needs_sender());
        needy.map(|(channel, _)| *channel).collect()
    }

    /// The credentials that it lacks for a channel.
    pub fn lacking(&self, channel: Channel) -> Vec<&str> {
        let operation = self.definition.operation(channel);
        let needed = operation.into_iter().flat_map(Operation::needed_slots);
        let needed = needed.filter_map(|slot| match slot {
            Slot::Credential(name) => Some(name.as_str()),
            _ => None,
        });
        let mut lacking: Vec<&str> = needed
            .filter(|name| !self.credentials.contains_key(*name))
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        lacking
    }

    /// The languages that it reads calls in; absent: every one.
    pub fn speaks(&self) -> Option<&Languages> {
        let call = self.definition.operation(Channel::Voice)?;
        call.speaks.as_ref()
    }

    /// What the account lacks and has too much, as problems to be told: credential names.
    pub fn misfits(&self) -> (Vec<&str>, Vec<&str>) {
        let known = &self.definition.credentials;
        let missing = known
            .iter()
            .filter(|c| !c.optional && !self.credentials.contains_key(&c.name))
            .map(|c| c.name.as_str())
            .collect();
        let unknown = self
            .credentials
            .keys()
            .filter(|name| !known.iter().any(|c| c.name == **name))
            .map(String::as_str)
            .collect();
        (missing, unknown)
    }

    /// The addresses that connections are opened to before the first message.
    pub fn origins(&self) -> Vec<String> {
        let mut origins: Vec<String> = Vec::new();
        for (_, operation) in &self.definition.operations {
            let origin = self.base_url(operation);
            origins.extend(origin.filter(|o| !operation.sends_nothing && !origins.contains(o)));
        }
        origins
    }

    /// The request that asks for this job on this channel.
    ///
    /// # Errors
    /// When the definition has no such channel, or something it needs is not there.
    pub fn request(
        &self,
        channel: Channel,
        job: &Job<'_>,
        now: Moment,
    ) -> Result<http::Request<Bytes>, Unfit> {
        let operation = self.definition.operation(channel);
        let operation = operation.ok_or(Unfit::NoChannel)?;
        let base_url = self.base_url(operation).ok_or(Unfit::NoAddress)?;
        operation.request(&base_url, &|name| self.credential(name), job, now)
    }

    /// What an answer to such a request comes to.
    pub fn verdict(&self, channel: Channel, head: &http::response::Parts, body: &[u8]) -> Verdict {
        match self.definition.operation(channel) {
            Some(operation) => operation.verdict(head, body),
            None => Verdict::unreadable(),
        }
    }

    pub(crate) fn credential(&self, name: &str) -> Option<String> {
        self.credentials.get(name).map(|s| s.expose().to_owned())
    }

    /// Whether messages on this channel go to nobody and count as accepted.
    pub fn sends_nothing(&self, channel: Channel) -> bool {
        let operation = self.definition.operation(channel);
        operation.is_some_and(|o| o.sends_nothing)
    }

    /// The account's own address, else that of its region, else the usual one; the operation's before the
    /// definition's.
    fn base_url(&self, operation: &Operation) -> Option<String> {
        if self.base_url.is_some() {
            return self.base_url.clone();
        }
        let definition = &self.definition;
        let in_region = |regions: &'_ Regions| {
            let wanted = self.region.as_deref()?;
            let found = regions.iter().find(|(name, _)| name == wanted);
            found.map(|(_, address)| address.clone())
        };
        let address = in_region(&operation.regions)
            .or_else(|| operation.base_url.clone())
            .or_else(|| in_region(&definition.regions))
            .or_else(|| definition.base_url.clone())?;
        let credential = |slot: &Slot| match slot {
            Slot::Credential(name) => self.credential(name),
            _ => None,
        };
        address.fill(&credential).ok().flatten()
    }
}
