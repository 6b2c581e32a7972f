//! A vendor definition as it is written: credentials, one operation for each channel, the simulator's answers.

mod read;
mod read_answer;
mod read_auth;
mod read_codes;
mod read_envelope;
mod read_languages;
mod read_receipts;
mod read_script;
mod soundness;

use std::cell::RefCell;

use http::{HeaderName, Method, StatusCode};
use regex::Regex;

use crate::document::read_document;
use crate::flow::{Channel, Reason};
use crate::problem::{Problems, Source};
use crate::text::Languages;
use crate::vendor::authorization::Auth;
use crate::vendor::example::Example;
use crate::vendor::example::receipts::ReceiptExample;
use crate::vendor::pick::Pick;
use crate::vendor::receipt::Receipts;
use crate::vendor::script::Script;
use crate::vendor::template::{Template, Tree};

pub(crate) use read_languages::OTHERS;

/// How to speak with one vendor.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The file's name without `.toml`; accounts name it.
    pub name: String,
    /// What people call the vendor.
    pub title: String,
    /// Where its API is described.
    pub documentation: Option<String>,
    /// The file, for problems.
    pub source: Source,
    /// Where the vendor is, unless the account or the operation says otherwise.
    pub(crate) base_url: Option<Template>,
    /// Where it is for accounts of a region.
    pub(crate) regions: Regions,
    /// The credentials an account may have.
    pub credentials: Vec<Credential>,
    /// How to send a text message, and how to call.
    pub operations: Vec<(Channel, Operation)>,
    /// What the vendor wants to hear when its receipt has arrived.
    pub(crate) receipt_reply: StatusCode,
    pub(crate) examples: Vec<Example>,
    pub(crate) receipt_examples: Vec<ReceiptExample>,
}

/// Names and their values, in the order they are written.
pub(crate) type Fields = Vec<(String, Tree)>;

/// Names of regions, and the addresses there.
pub(crate) type Regions = Vec<(String, Template)>;

/// One credential that an account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub name: String,
    /// Without it only the operations that do not use it can be done.
    pub optional: bool,
    /// What the sandbox's account and the examples have in its place.
    pub example: String,
}

/// One request of the vendor's API and how its answer is read.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Nothing is sent to anybody: the message counts as accepted.
    pub(crate) sends_nothing: bool,
    pub(crate) base_url: Option<Template>,
    pub(crate) regions: Regions,
    pub(crate) method: Method,
    pub(crate) path: Template,
    pub(crate) query: Fields,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) auth: Auth,
    pub(crate) body: Body,
    pub(crate) validity: Option<Validity>,
    /// The field by which the vendor knows a request that it has had before.
    pub(crate) idempotency: Option<String>,
    /// The words for GSM-7 and for UCS-2.
    pub(crate) encoding: Option<(String, String)>,
    /// The languages that calls are read in; absent: every one.
    pub(crate) speaks: Option<Languages>,
    /// BCP 47 tags or their beginnings, and what the vendor calls these languages; `*` for those it does not speak.
    pub(crate) languages: Vec<(String, String)>,
    /// The answer is a text; its named groups are what is read.
    pub(crate) answer_pattern: Option<Regex>,
    pub(crate) accepted: Accepted,
    pub(crate) refused: Refused,
    pub(crate) receipts: Option<Receipts>,
    /// What a call says, where the vendor fetches that.
    pub(crate) script: Option<Script>,
    /// What the simulator answers.
    pub simulation: Simulation,
}

/// What a request carries.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Nothing,
    Form(Fields),
    Json(Tree),
}

/// The unit and range of a message's validity period at this vendor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    /// `ms`, `s` or `min`.
    pub(crate) unit: &'static str,
    /// Milliseconds in one unit.
    pub(crate) unit_ms: i64,
    pub(crate) least: i64,
    pub(crate) most: i64,
}

/// When a message is accepted, and what the answer says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accepted {
    pub(crate) status: Vec<u16>,
    /// JSON pointers, `*` for every element, and the values one of which each must have.
    pub(crate) when: Vec<(String, Vec<String>)>,
    pub(crate) message_id: Option<String>,
    /// A number, or an array whose length is meant.
    pub(crate) parts: Option<String>,
}

/// How a refusal is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused {
    pub(crate) coded: Coded,
    /// Pointers: an answer that has one of these is a no, whatever its status.
    pub(crate) present: Vec<String>,
    /// What HTTP statuses mean where no code is listed.
    pub(crate) statuses: Vec<(Codes, Reason)>,
    pub(crate) retry_after: Vec<HeaderName>,
}

/// Where codes are, and what they mean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coded {
    /// Where the code is; the first one that is listed counts, else the first that is there.
    pub(crate) code: Vec<Pick>,
    /// Inclusive ranges for numbers, single texts for the rest.
    pub(crate) reasons: Vec<(Codes, Reason)>,
    /// Those that say that a cap for the day is reached.
    pub(crate) daily_cap: Vec<Codes>,
}

/// The codes of one entry: `21211`, `"low-balance"`, `"4106-4158"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Codes {
    One(String),
    Range(i64, i64),
}

/// What the simulator answers, by behaviour.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    pub accept: Simulated,
    pub reject: Simulated,
    pub throttle: Simulated,
    pub error: Simulated,
    /// What wrong credentials hear.
    pub unauthorized: Simulated,
    /// The code of a `reject` that names none.
    pub default_error: String,
}

/// One answer of the simulator.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    pub status: u16,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: SimulatedBody,
}

/// What the simulator's answer carries.
#[derive(Clone, Debug, Default)]
pub(crate) enum SimulatedBody {
    #[default]
    Nothing,
    Json(Tree),
    Text(Template),
}

impl Definition {
    /// Reads a definition; what is wrong is told.
    pub fn read(source: &Source, problems: &RefCell<Problems>) -> Definition {
        read_document(source, problems, |root| read::definition(source, root))
    }

    /// The regions in which it has addresses, each once.
    pub fn regions(&self) -> Vec<&str> {
        let of_operations = self.operations.iter().flat_map(|(_, o)| &o.regions);
        let all = self.regions.iter().chain(of_operations);
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in all {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The operation of a channel.
    pub fn operation(&self, channel: Channel) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|(c, _)| *c == channel)
            .map(|(_, operation)| operation)
    }
}
