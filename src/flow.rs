//! Names the nouns that pass between rooms: message, plan, attempt, verdict, outcome, and their parts.

mod verdict;
mod wording;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::number::{NumberProblem, PhoneNumber};
use crate::time::Moment;

pub use verdict::{Progress, Reason, Receipt, Verdict, VerdictKind};
pub use wording::Wording;

/// The name of one delivery: `dlv_` and a UUID version 7, which sorts by time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(Uuid);

impl DeliveryId {
    /// Mints a new id. This is the only place where chance enters a delivery.
    pub fn mint() -> DeliveryId {
        DeliveryId(Uuid::now_v7())
    }

    /// An id made from 16 given bytes, for tests and simulations.
    pub fn from_bytes(bytes: [u8; 16]) -> DeliveryId {
        DeliveryId(Uuid::from_bytes(bytes))
    }

    /// The 16 bytes that every weighted choice and jitter of this delivery is a function of.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// When it was minted, as the id itself says; `None` where it was not.
    pub fn minted_at(&self) -> Option<Moment> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let seconds = i64::try_from(seconds).ok()?;
        Some(Moment(seconds * 1_000 + i64::from(nanos) / 1_000_000))
    }

    /// Reads `dlv_` and 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<DeliveryId> {
        let uuid = Uuid::try_parse(text.strip_prefix("dlv_")?).ok()?;
        Some(DeliveryId(uuid))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dlv_{}", self.0.simple())
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = String;

    fn try_from(text: String) -> Result<DeliveryId, String> {
        DeliveryId::parse(&text).ok_or_else(|| "not a delivery id".to_owned())
    }
}

/// A text nobody may see in a log: a passcode, a rendered message, a credential. Wiped when dropped;
/// it has no `Display` and no `Serialize`, and its `Debug` says only that it is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that must write it to a vendor or compare it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// Short codes have three to six digits.
const SHORT_CODE_DIGITS_MAX: usize = 6;

/// The name of a vendor account, as rules use it.
pub type VendorName = Arc<str>;

/// How a passcode travels.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A text message.
    #[default]
    Sms,
    /// A call that reads the passcode out.
    Voice,
}

impl Channel {
    /// Both channels, in the order they are shown.
    pub const ALL: [Channel; 2] = [Channel::Sms, Channel::Voice];

    /// `sms` or `voice`.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Voice => "voice",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One hook call, as meant: one passcode for one person.
#[derive(Clone, Debug)]
pub struct Message {
    /// The delivery's name.
    pub id: DeliveryId,
    /// The Okta org that called, by its configured name.
    pub org: Arc<str>,
    /// Okta's `eventId`, when it gave one.
    pub event: Option<String>,
    /// Where the passcode goes, or why that cannot be told.
    pub to: Result<PhoneNumber, NumberProblem>,
    /// How it is to travel.
    pub channel: Channel,
    /// The passcode, when Okta gave it apart from the text.
    pub code: Option<Secret>,
    /// The text as Okta rendered it, with the passcode in it; absent for voice.
    pub text: Option<Secret>,
    /// Okta's `locale`, lower case, `_` as `-`; empty when absent.
    pub locale: String,
    /// The last part of Okta's `requestType`, such as `mfa-verification`; empty when absent.
    pub request_type: String,
    /// Okta's `userProfile.userId`.
    pub user: Option<String>,
    /// Okta's `userProfile.login`.
    pub login: Option<String>,
    /// Okta's `context.request.ipAddress`.
    pub ip: Option<String>,
    /// A preview from the Admin Console: nobody waits for this code.
    pub preview: bool,
    /// The person pressed "resend", as far as the request's address tells.
    pub resend: bool,
    /// When the request's first byte was here.
    pub received_at: Moment,
    /// How long the passcode lives from `received_at`, in milliseconds, 0 to 15 minutes.
    pub life_ms: i64,
}

/// Who does what for one message, decided once and frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The rule that matched.
    pub rule: Arc<str>,
    /// The version of the rule set that decided.
    pub rules: Arc<str>,
    /// The chain that the rule names.
    pub chain: Arc<str>,
    /// Vendors in the order in which they are tried.
    pub steps: Vec<Step>,
    /// Where a vendor must process data to be called for this message, also on failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_region: Option<Arc<str>>,
    /// How the chain is walked.
    pub pace: Pace,
    /// What was learned decides the order, or may change the patience.
    #[serde(default, skip_serializing_if = "Learning::is_none")]
    pub learning: Learning,
}

/// What a chain leaves to be learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learning {
    /// `order = "adaptive"`: the steps' order.
    pub order: bool,
    /// `patience = "p95"`, or `hedge`: each step's patience.
    pub patience: bool,
}

impl Learning {
    fn is_none(&self) -> bool {
        *self == Learning::default()
    }
}

/// One vendor's place in a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The vendor account.
    pub vendor: VendorName,
    /// The channel used with it.
    pub channel: Channel,
    /// The sender put on the message; absent where the vendor chooses.
    pub from: Option<Arc<str>>,
    /// What is said with it; absent for Okta's own text, unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<Arc<Wording>>,
    /// The language of a call that its vendor has no voice for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Arc<str>>,
    /// The counter that its messages use up, by the name that rules give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Arc<str>>,
    /// What one message costs, in any unit that all vendors of the chain share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// The vendor's learned patience, in milliseconds; else the chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_ms: Option<i64>,
    /// Whether receipts can come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Due>,
    /// Present where the step waits for a reason to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
}

/// What a message comes from, as far as networks treat it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenderType {
    /// A name.
    Alpha,
    /// A number of at most six digits.
    ShortCode,
    /// A telephone number.
    Number,
    /// Whatever the vendor chooses.
    VendorsChoice,
    /// A call, from any number.
    Call,
}

impl Step {
    /// Whether it comes after another one because that has a voice for its call, and this has none. One that waits
    /// for its reason cannot stand in for one that does not.
    pub fn yields_to(&self, other: &Step) -> bool {
        let speaks = other.channel == Channel::Voice && other.foreign.is_none();
        self.foreign.is_some() && speaks && (self.waits.is_some() || other.waits.is_none())
    }

    /// What its messages come from.
    pub fn sender_type(&self) -> SenderType {
        match (self.channel, self.from.as_deref()) {
            (Channel::Voice, _) => SenderType::Call,
            (Channel::Sms, None) => SenderType::VendorsChoice,
            (Channel::Sms, Some(from)) if from.contains(|c: char| c.is_alphabetic()) => {
                SenderType::Alpha
            }
            (Channel::Sms, Some(from)) if from.len() <= SHORT_CODE_DIGITS_MAX => {
                SenderType::ShortCode
            }
            (Channel::Sms, Some(_)) => SenderType::Number,
        }
    }
}

/// What silence means of a vendor that reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// A final receipt is due this long after the acceptance, in milliseconds; absent where its absence
    /// proves nothing.
    pub after_ms: Option<i64>,
}

/// What a step waits for, often one on the other channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// Not earlier than this after the hook call, in milliseconds.
    pub after_ms: i64,
    /// It acts when another attempt failed with one of these.
    pub on: Vec<Reason>,
    /// It acts when a receipt was due and none came.
    pub on_silence: bool,
}

/// The limits of one plan's walk along its chain; all times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Start the next vendor too when the last one has not answered for this long.
    pub patience_ms: i64,
    /// How many vendors start at once: 1, or a race's width.
    pub width: u32,
    /// Vendor calls that may have reached the handset, in the whole life of the passcode.
    pub max_sends: u32,
    /// No new attempt later than this after the hook call.
    pub give_up_after_ms: i64,
    /// A failed receipt ends the walk.
    #[serde(default)]
    pub stops_on_failed_receipt: bool,
    /// A receipt that was due and did not come moves the walk on.
    #[serde(default)]
    pub moves_on_silence: bool,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A receipt says that it arrived.
    Delivered,
    /// A vendor took it, and no receipt was due or came before expiry.
    Accepted,
    /// Every attempt definitely failed.
    Undelivered,
    /// The passcode's life ended before that was known.
    Expired,
    /// The same person got a newer passcode.
    Superseded,
    /// A guard refused it.
    Blocked,
    /// A rule refused it, or the number is none.
    Denied,
    /// Okta told us that the passcode was used.
    Converted,
    /// Nobody could own it: Okta was told so with a 503.
    Disowned,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 9] = [
        Outcome::Delivered,
        Outcome::Accepted,
        Outcome::Undelivered,
        Outcome::Expired,
        Outcome::Superseded,
        Outcome::Blocked,
        Outcome::Denied,
        Outcome::Converted,
        Outcome::Disowned,
    ];

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|o| o.as_str() == text)
    }

    /// The name used in metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Accepted => "accepted",
            Outcome::Undelivered => "undelivered",
            Outcome::Expired => "expired",
            Outcome::Superseded => "superseded",
            Outcome::Blocked => "blocked",
            Outcome::Denied => "denied",
            Outcome::Converted => "converted",
            Outcome::Disowned => "disowned",
        }
    }
}
