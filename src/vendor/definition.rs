//! A vendor definition as it is written: credentials, one operation for each channel, the simulator's answers.

mod read;
mod read_receipts;

use std::cell::RefCell;

use http::{HeaderName, Method, StatusCode};

use crate::document::read_document;
use crate::flow::{Channel, Reason};
use crate::problem::{Problems, Source};
use crate::vendor::example::Example;
use crate::vendor::example::receipts::ReceiptExample;
use crate::vendor::receipt::Receipts;
use crate::vendor::template::{Template, Tree};

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
    pub base_url: Option<String>,
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
    pub(crate) base_url: Option<String>,
    pub(crate) method: Method,
    pub(crate) path: Template,
    pub(crate) query: Fields,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) auth: Auth,
    pub(crate) body: Body,
    pub(crate) validity: Option<Validity>,
    /// The words for GSM-7 and for UCS-2.
    pub(crate) encoding: Option<(String, String)>,
    /// BCP 47 tags or their beginnings, and what the vendor calls these languages.
    pub(crate) languages: Vec<(String, String)>,
    pub(crate) accepted: Accepted,
    pub(crate) refused: Refused,
    pub(crate) receipts: Option<Receipts>,
    /// What the simulator answers.
    pub simulation: Simulation,
}

/// How a request is authenticated.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Credentials are in the body, the query or a header of the request.
    InRequest,
    Basic {
        user: Template,
        password: Template,
    },
    Header {
        name: HeaderName,
        value: Template,
    },
    /// A bearer token signed with the account's RSA key (RS256), with `iat`, `exp` and `jti`.
    Jwt {
        key: Template,
        claims: Fields,
        life_s: i64,
    },
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
    /// Milliseconds in one unit.
    pub(crate) unit_ms: i64,
    pub(crate) least: i64,
    pub(crate) most: i64,
}

/// When a message is accepted, and what the answer says of it.
#[derive(Clone, Debug)]
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
    pub(crate) retry_after: Vec<HeaderName>,
}

/// Where codes are, and what they mean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coded {
    /// Pointers to the code; the first one that is there counts.
    pub(crate) code: Vec<String>,
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
#[derive(Clone, Debug)]
pub struct Simulation {
    pub accept: Simulated,
    pub reject: Simulated,
    pub throttle: Simulated,
    pub error: Simulated,
    /// The code of a `reject` that names none.
    pub default_error: String,
}

/// One answer of the simulator.
#[derive(Clone, Debug)]
pub struct Simulated {
    pub status: u16,
    pub headers: Vec<(HeaderName, String)>,
    pub json: Option<Tree>,
}

impl Definition {
    /// Reads a definition; what is wrong is told.
    pub fn read(source: &Source, problems: &RefCell<Problems>) -> Definition {
        read_document(source, problems, |root| read::definition(source, root))
    }

    /// The operation of a channel.
    pub fn operation(&self, channel: Channel) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|(c, _)| *c == channel)
            .map(|(_, operation)| operation)
    }
}
