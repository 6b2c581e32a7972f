//! What can be written to the journal, what comes back from it, and the promise that it is on disk.

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::flow::{Channel, DeliveryId, Outcome, Secret};
use crate::number::Country;
use crate::time::Moment;

/// A delivery at its beginning.
pub struct Admission {
    pub id: DeliveryId,
    pub org: Arc<str>,
    /// Okta's `eventId`, when it gave one.
    pub event: Option<String>,
    pub country: Country,
    pub channel: Channel,
    /// `+` and the digits; only its keyed hash is written.
    pub number: Option<String>,
    /// Okta's `userId`; only its keyed hash is written.
    pub user: Option<String>,
    pub admitted_at: Moment,
    pub expires_at: Moment,
    pub sandbox: bool,
    /// JSON of whatever is needed to go on and is not secret.
    pub record: String,
    /// JSON of whatever is secret: number, code, text. Written encrypted, wiped at the close.
    pub sealed: Secret,
}

/// Neither the number nor the user.
impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("id", &self.id)
            .field("org", &self.org)
            .field("country", &self.country)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// One event that was fed to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    pub id: DeliveryId,
    /// Counts the events of one delivery; each number is used once.
    pub seq: u32,
    pub at: Moment,
    /// JSON; nothing secret.
    pub event: String,
}

/// A delivery's end. Its sealed part is wiped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub id: DeliveryId,
    pub at: Moment,
    pub outcome: Outcome,
    /// What Okta was told, unless that was written before.
    pub answer: Option<String>,
}

/// What is used of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub name: Arc<str>,
    pub sandbox: bool,
    /// The window that it was counted in: its first moment, and the first one behind it.
    pub from: Moment,
    pub until: Moment,
    pub units: u64,
    /// A vendor said that its own cap is reached.
    pub capped: bool,
}

/// All that the journal knows of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: DeliveryId,
    pub org: Arc<str>,
    pub event: Option<String>,
    pub country: Country,
    pub channel: Channel,
    pub admitted_at: Moment,
    pub expires_at: Moment,
    pub sandbox: bool,
    /// The JSON given at admission.
    pub record: String,
    /// What was sealed at admission; absent once closed. Absent before that, it could not be unsealed.
    pub secret: Option<Secret>,
    /// In the order of `seq`.
    pub fed: Vec<Fed>,
    pub answer: Option<String>,
    pub closed: Option<(Moment, Outcome)>,
}

/// The little of a delivery that is needed to know twins and to count after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    pub id: DeliveryId,
    pub org: Arc<str>,
    pub event: Option<String>,
    /// Absent where a guard refused it: that counts against nobody.
    pub number_hash: Option<u64>,
    pub admitted_at: Moment,
    pub answer: Option<String>,
}

/// What deliveries are looked up by.
#[derive(Clone, PartialEq, Eq)]
pub enum Lookup {
    /// `+` and the digits.
    Phone(String),
    /// Okta's `userId`.
    User(String),
    /// Okta's `eventId`.
    Event(String),
}

/// What it looks for, not what for.
impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookup::Phone(_) => "Phone",
            Lookup::User(_) => "User",
            Lookup::Event(_) => "Event",
        })
    }
}

/// Why something is not on disk, as far as the journal knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Too much is waiting to be written.
    Full,
    /// The disk or the database refused it.
    Failed,
    /// The journal is shut.
    Gone,
}

impl Broken {
    /// The name used in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Broken::Full => "full",
            Broken::Failed => "failed",
            Broken::Gone => "gone",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Full => "too much is waiting to be written to the journal",
            Broken::Failed => "the journal could not be written",
            Broken::Gone => "the journal is shut",
        })
    }
}

impl std::error::Error for Broken {}

/// How one write ends.
pub(crate) type Written = Result<(), Broken>;

/// The promise to tell when something is on disk. Dropping it changes nothing about the write.
#[derive(Debug)]
pub struct Ack(Result<oneshot::Receiver<Written>, Broken>);

impl Ack {
    /// A promise, and the means to keep it.
    pub(crate) fn pair() -> (oneshot::Sender<Written>, Ack) {
        let (sender, receiver) = oneshot::channel();
        (sender, Ack(Ok(receiver)))
    }

    /// Of nothing to write: kept at once.
    pub fn nothing() -> Ack {
        let (sender, ack) = Ack::pair();
        let _heard = sender.send(Ok(()));
        ack
    }

    /// A promise that is broken already.
    pub(crate) fn broken(why: Broken) -> Ack {
        Ack(Err(why))
    }

    /// Waits until it is on disk. May be given up and begun again, but once it has told it must not be asked
    /// again.
    ///
    /// # Errors
    /// When it is not and will not be.
    pub async fn durable(&mut self) -> Result<(), Broken> {
        match &mut self.0 {
            Ok(receiver) => receiver.await.unwrap_or(Err(Broken::Gone)),
            Err(broken) => Err(*broken),
        }
    }
}
