//! Appends what happens to deliveries, durably, and reads it back.
//!
//! One thread writes; what waits for it is committed together, and acknowledged when it is on disk.

mod key;
mod reader;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::flow::{Channel, DeliveryId, Outcome, Secret};
use crate::number::Country;
use crate::time::{Clock, Moment};

use key::Key;
use reader::Reader;
use writer::{Entry, Writer};

pub use reader::ReadError;

/// Entries waiting for the disk; one more is refused, and its delivery goes on without the journal.
pub const QUEUE_MAX: usize = 8_192;
/// An oldest entry waiting longer than this, in milliseconds, means that the disk is stuck.
const STALL_MS_MAX: i64 = 2_000;

/// Where the journal is, and what seals it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub path: PathBuf,
    /// Any text of at least 16 characters; absent: a key file beside the database.
    pub key: Option<Secret>,
}

/// Why the journal cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it.
    Locked(PathBuf),
    /// It is sealed with another key, or its key file is gone.
    WrongKey(String),
    /// The disk, or SQLite, says no.
    Storage(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked(path) => write!(
                f,
                "another trunkline has the journal `{}`\n\nhint: stop it, or give this one another `[journal] url`",
                path.display()
            ),
            OpenError::WrongKey(message) | OpenError::Storage(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for OpenError {}

/// Why an entry is not on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Too many wait already.
    Full,
    /// The disk refused it.
    Failed,
    /// The journal is closed.
    Gone,
}

impl Broken {
    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Broken::Full => "full",
            Broken::Failed => "failed",
            Broken::Gone => "gone",
        }
    }
}

/// Tells when an entry is on disk.
#[derive(Debug)]
pub struct Ack(Result<oneshot::Receiver<bool>, Broken>);

impl Ack {
    /// Waits until the entry is on disk. Once it has told, it does not tell again.
    ///
    /// # Errors
    /// When the entry will never be there.
    pub async fn durable(&mut self) -> Result<(), Broken> {
        match &mut self.0 {
            Ok(receiver) => match receiver.await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Broken::Failed),
                Err(_) => Err(Broken::Gone),
            },
            Err(broken) => Err(*broken),
        }
    }
}

/// A message taken over.
#[derive(Clone, Debug)]
pub struct Admission {
    pub id: DeliveryId,
    pub org: Arc<str>,
    pub event: Option<String>,
    pub country: Country,
    pub channel: Channel,
    /// `+` and digits; only its keyed hash is kept.
    pub number: Option<Secret>,
    /// Okta's user id; only its keyed hash is kept.
    pub user: Option<String>,
    pub admitted_at: Moment,
    pub expires_at: Moment,
    pub sandbox: bool,
    /// JSON without secrets.
    pub record: String,
    /// Sealed before it is written, and wiped when the delivery is closed.
    pub sealed: Secret,
}

/// An event fed to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    pub id: DeliveryId,
    /// From 0, without gaps.
    pub seq: u32,
    pub at: Moment,
    /// JSON.
    pub event: String,
}

/// A delivery's end.
#[derive(Clone, Debug)]
pub struct Closed {
    pub id: DeliveryId,
    pub at: Moment,
    pub outcome: Outcome,
    /// The answer, where it is not in the journal yet.
    pub answer: Option<String>,
}

/// A delivery as it was written.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: DeliveryId,
    pub org: Arc<str>,
    pub event: Option<String>,
    pub country: Country,
    pub channel: Channel,
    pub admitted_at: Moment,
    pub expires_at: Moment,
    pub sandbox: bool,
    pub record: String,
    /// Unsealed; absent once the delivery is closed.
    pub secret: Option<Secret>,
    pub fed: Vec<Fed>,
    pub answer: Option<String>,
    pub closed: Option<(Moment, Outcome)>,
}

/// What is remembered of every call over a restart.
#[derive(Clone, Debug)]
pub struct Recent {
    pub id: DeliveryId,
    pub org: Arc<str>,
    pub event: Option<String>,
    pub number_hash: Option<u64>,
    pub admitted_at: Moment,
    pub answer: Option<String>,
}

/// What to look a delivery up by.
#[derive(Clone)]
pub enum Lookup {
    /// `+` and digits.
    Phone(Secret),
    User(String),
    Event(String),
}

/// The journal, open.
pub struct Journal {
    entries: Mutex<Option<mpsc::Sender<Entry>>>,
    reader: Mutex<Reader>,
    writer: Mutex<Option<JoinHandle<()>>>,
    key: Key,
    clock: Clock,
    health: Arc<Health>,
}

/// Shared by the writer and whoever asks how it is.
struct Health {
    /// The last commit succeeded.
    well: AtomicBool,
    /// When the writer last was at rest or finished a commit, in milliseconds.
    moved_at: AtomicI64,
    /// Entries are waiting.
    busy: AtomicBool,
}

impl Journal {
    /// Opens or makes the database, takes its lock, and starts the writer.
    ///
    /// # Errors
    /// When another process has it, the key is wrong, or the disk says no.
    pub fn open(
        settings: &Settings,
        clock: Clock,
        on_commit: impl Fn(Duration) + Send + 'static,
    ) -> Result<Journal, OpenError> {
        let (lock, connection, key) = key::open(settings)?;
        let reader = Reader::open(&settings.path, key.clone()).map_err(storage)?;
        let (entries, waiting) = mpsc::channel(QUEUE_MAX);
        let health = Arc::new(Health {
            well: AtomicBool::new(true),
            moved_at: AtomicI64::new(clock.now().0),
            busy: AtomicBool::new(false),
        });
        let writer = Writer {
            connection,
            key: key.clone(),
            clock,
            health: Arc::clone(&health),
            on_commit: Box::new(on_commit),
            _lock: lock,
        };
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(|error| OpenError::Storage(error.to_string()))?;
        Ok(Journal {
            entries: Mutex::new(Some(entries)),
            reader: Mutex::new(reader),
            writer: Mutex::new(Some(writer)),
            key,
            clock,
            health,
        })
    }

    /// Appends a message taken over.
    pub fn admit(&self, admission: Admission) -> Ack {
        self.append(|done| Entry::Admit(Box::new(admission), done))
    }

    /// Appends an event.
    pub fn feed(&self, fed: Fed) -> Ack {
        self.append(|done| Entry::Feed(fed, done))
    }

    /// Appends what Okta was told, so that a repeated call hears the same after a restart.
    pub fn answered(&self, id: DeliveryId, answer: String) -> Ack {
        self.append(|done| Entry::Answered(id, answer, done))
    }

    /// Closes a delivery and wipes what was sealed.
    pub fn close(&self, closed: Closed) -> Ack {
        self.append(|done| Entry::Close(closed, done))
    }

    /// Sets or removes a setting.
    pub fn put_setting(&self, name: String, value: Option<String>) -> Ack {
        self.append(|done| Entry::Setting(name, value, done))
    }

    /// Writes one small thing, to see whether it can.
    pub fn probe(&self) -> Ack {
        let now = self.clock.now().0.to_string();
        self.put_setting("probed_at".to_owned(), Some(now))
    }

    /// Deletes deliveries that were admitted before a moment and are closed.
    pub fn prune(&self, before: Moment) -> Ack {
        self.append(|done| Entry::Prune(before, done))
    }

    /// Whether the last commit succeeded and nothing waits too long.
    pub fn is_healthy(&self) -> bool {
        let moved_at = Moment(self.health.moved_at.load(Ordering::Relaxed));
        let stuck = self.health.busy.load(Ordering::Relaxed)
            && self.clock.now().ms_since(moved_at) > STALL_MS_MAX;
        self.health.well.load(Ordering::Relaxed) && !stuck
    }

    /// A number's hash, keyed, so that a stolen database does not tell who was called.
    pub fn number_hash(&self, e164: &str) -> u64 {
        self.key.hash("number", e164)
    }

    /// Every setting that `put_setting` set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn settings(&self) -> Result<Vec<(String, String)>, ReadError> {
        self.reader().settings()
    }

    /// One delivery.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Record>, ReadError> {
        self.reader().delivery(id)
    }

    /// The newest deliveries of a number, a user or an event.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(&self, by: &Lookup, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.reader().find(by, limit)
    }

    /// Every delivery that is not closed, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_deliveries(&self, sandbox: bool) -> Result<Vec<Record>, ReadError> {
        self.reader().open_deliveries(sandbox)
    }

    /// Every call since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recent(&self, since: Moment, sandbox: bool) -> Result<Vec<Recent>, ReadError> {
        self.reader().recent(since, sandbox)
    }

    /// Writes what still waits, and closes the database.
    pub fn shut_down(&self) {
        drop(
            self.entries
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the journal's writer had broken off");
        }
    }

    fn reader(&self) -> std::sync::MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, entry: impl FnOnce(oneshot::Sender<bool>) -> Entry) -> Ack {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = &*entries else {
            return Ack(Err(Broken::Gone));
        };
        let (done, ack) = oneshot::channel();
        match entries.try_send(entry(done)) {
            Ok(()) => Ack(Ok(ack)),
            Err(mpsc::error::TrySendError::Full(_)) => Ack(Err(Broken::Full)),
            Err(mpsc::error::TrySendError::Closed(_)) => Ack(Err(Broken::Gone)),
        }
    }
}

fn storage(error: rusqlite::Error) -> OpenError {
    OpenError::Storage(format!("the journal cannot be opened: {error}"))
}

#[cfg(test)]
mod tests;
