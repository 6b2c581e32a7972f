//! Sums a definition up for people who choose among vendors.

use serde::Serialize;

use crate::flow::Channel;
use crate::text::{Languages, languages};
use crate::vendor::definition::{Definition, Operation, Validity};
use crate::vendor::receipt::Receipts;
use crate::vendor::template::Slot;

/// What a vendor offers through its definition, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The file's name without `.toml`; accounts name it.
    pub definition: String,
    /// What people call the vendor.
    pub name: String,
    pub documentation: Option<String>,
    pub channels: Vec<Offer>,
    /// The regional addresses that an account may choose from.
    pub regions: Vec<String>,
    pub credentials: Vec<Needed>,
}

/// What it offers on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    pub channel: Channel,
    /// Nothing is sent to anybody.
    pub sends_nothing: bool,
    pub receipts: ReceiptsFor,
    /// How receipts are signed, where there are any.
    pub signed: Option<Signed>,
    pub validity: Option<Period>,
    /// It is told when the passcode ends, as a time.
    pub tells_end: bool,
    /// The field by which the vendor knows a repeated request.
    pub idempotency: Option<String>,
    /// What it reads out, where it reads anything out.
    pub languages: Option<Tongues>,
}

/// What an address for receipts is given out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptsFor {
    /// Every message has an address of its own.
    Message,
    /// One address, configured at the vendor, is for all of an account's messages.
    Account,
    /// The vendor tells nothing later.
    None,
}

/// How it is proven that a receipt is the vendor's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The scheme, as definitions write it: `reference` where the address alone is the proof.
    pub scheme: &'static str,
    /// Optional credentials without which the address alone is the proof.
    pub with: Vec<String>,
}

/// The languages that calls are read in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tongues {
    /// BCP 47 tags or their beginnings; absent: every one.
    pub speaks: Option<Vec<String>>,
    /// How many there are among those that there are scripts in.
    pub count: usize,
    /// How many have a script.
    pub of: usize,
}

/// How long a message may be valid at the vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    pub least: i64,
    pub most: i64,
    /// `ms`, `s` or `min`.
    pub unit: &'static str,
}

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Needed {
    pub name: String,
    /// Only what uses it needs it.
    pub optional: bool,
}

impl Definition {
    /// What it comes to.
    pub fn summary(&self) -> Summary {
        let operations = self.operations.iter();
        let credentials = self.credentials.iter();
        Summary {
            definition: self.name.clone(),
            name: self.title.clone(),
            documentation: self.documentation.clone(),
            channels: operations
                .map(|(channel, operation)| self.offer(*channel, operation))
                .collect(),
            regions: self.regions().into_iter().map(str::to_owned).collect(),
            credentials: credentials
                .map(|c| Needed {
                    name: c.name.clone(),
                    optional: c.optional,
                })
                .collect(),
        }
    }

    fn offer(&self, channel: Channel, operation: &Operation) -> Offer {
        let receipts = match &operation.receipts {
            Some(_) if operation.is_called_back() => ReceiptsFor::Message,
            Some(_) => ReceiptsFor::Account,
            None => ReceiptsFor::None,
        };
        Offer {
            channel,
            sends_nothing: operation.sends_nothing,
            receipts,
            signed: operation.receipts.as_ref().map(|r| self.signed(r)),
            validity: operation.validity.map(period),
            tells_end: operation.slots().contains(&&Slot::Expires),
            idempotency: operation.idempotency.clone(),
            languages: (channel == Channel::Voice && !operation.sends_nothing)
                .then(|| tongues(operation.speaks.as_ref())),
        }
    }

    fn signed(&self, receipts: &Receipts) -> Signed {
        let templates = receipts.proof.templates().into_iter();
        let slots: Vec<&Slot> = templates.flat_map(|t| t.slots()).collect();
        let is_used = |name: &str| slots.contains(&&Slot::Credential(name.to_owned()));
        let optional = self.credentials.iter().filter(|c| c.optional);
        Signed {
            scheme: receipts.proof.scheme(),
            with: optional
                .filter(|c| is_used(&c.name))
                .map(|c| c.name.clone())
                .collect(),
        }
    }
}

fn tongues(speaks: Option<&Languages>) -> Tongues {
    let of = languages().count();
    Tongues {
        speaks: speaks.map(|speaks| speaks.tags().to_vec()),
        count: speaks.map_or(of, Languages::scripts),
        of,
    }
}

fn period(validity: Validity) -> Period {
    Period {
        least: validity.least,
        most: validity.most,
        unit: validity.unit,
    }
}
