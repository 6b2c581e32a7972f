//! Appends events and reads them back.
//!
//! One SQLite database, one thread that writes. Whatever waits is committed together and then each is told:
//! an `Ack` that says "durable" survives the loss of power. Reads have a connection of their own and block,
//! so async callers wrap them in `spawn_blocking`. What is secret is sealed with AES-256-GCM to its delivery
//! and wiped when that closes; of numbers and users only keyed hashes are kept.

mod disk;
mod entry;
mod keys;
mod open_error;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::flow::{DeliveryId, Secret};
use crate::time::{Clock, Moment};

pub use entry::{Ack, Admission, Broken, Closed, Fed, Lookup, Recent, Record, Usage};
pub use keys::REFERENCE_SEAL_BYTES;
pub use open_error::{KeySource, OpenError};
pub use reader::ReadError;

use keys::Keys;
use reader::Reader;
use writer::{Admitted, Entry, Health, Work, Writer};

/// Entries that may wait for the writer; one more is refused rather than waited for.
const QUEUE_MAX: usize = 4_096;

/// Where the journal is, and how it is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database file. The lock, and the key file if there is one, are beside it.
    pub path: PathBuf,
    /// What seals are made with; absent, a key file is made once.
    pub key: Option<Secret>,
    /// How long closed deliveries are kept, in milliseconds.
    pub keep_ms: i64,
}

/// The journal, open. Dropping it does what `shutdown` does.
pub struct Journal {
    entries: SyncSender<Entry>,
    writer: Mutex<Option<JoinHandle<()>>>,
    reader: Reader,
    keys: Keys,
    health: Arc<Health>,
    clock: Clock,
    keep_ms: i64,
}

impl Journal {
    /// Opens the journal, making it when absent, and starts the writer. `on_commit` hears, on the writer's
    /// thread, how long each commit took.
    ///
    /// # Errors
    /// When another process has it, when the key is not the one it was made with, or when the disk fails.
    pub fn open(
        settings: &Settings,
        clock: Clock,
        on_commit: impl Fn(Duration) + Send + 'static,
    ) -> Result<Journal, OpenError> {
        let lock = disk::lock(&settings.path)?;
        let connection = disk::open_to_write(&settings.path)?;
        let keys = unlock(&connection, &settings.path, settings.key.as_ref())?;
        let reader = Reader::new(disk::open_to_read(&settings.path)?);
        let (sender, receiver) = sync_channel(QUEUE_MAX);
        let health = Arc::new(Health::new());
        let writer = Writer {
            connection,
            entries: receiver,
            health: Arc::clone(&health),
            clock,
            on_commit,
            pruning: None,
            lock,
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| OpenError::Io {
                path: settings.path.clone(),
                source,
            })?;
        Ok(Journal {
            entries: sender,
            writer: Mutex::new(Some(thread)),
            reader,
            keys,
            health,
            clock,
            keep_ms: settings.keep_ms,
        })
    }

    /// Writes a delivery's beginning. Never blocks.
    pub fn admit(&self, admission: Admission) -> Ack {
        let Some(sealed) = self.keys.seal(admission.id, &admission.sealed) else {
            return Ack::broken(Broken::Failed);
        };
        self.push(Work::Admit(Box::new(Admitted {
            number_hash: admission.number.as_deref().map(|n| self.number_hash(n)),
            user_hash: admission.user.as_deref().map(|u| self.user_hash(u)),
            sealed,
            admission,
        })))
    }

    /// Writes what was fed to a delivery. Never blocks.
    pub fn feed(&self, fed: Fed) -> Ack {
        self.push(Work::Feed(fed))
    }

    /// Writes what came for a delivery that nobody feeds any more, behind all that was fed to it. It fails when
    /// there is no such delivery. Never blocks.
    pub fn late(&self, id: DeliveryId, at: Moment, event: String) -> Ack {
        self.push(Work::Late { id, at, event })
    }

    /// Writes what Okta was told, so that a twin hears the same after a restart. Never blocks.
    pub fn answered(&self, id: DeliveryId, answer: String) -> Ack {
        self.push(Work::Answered { id, answer })
    }

    /// Writes a delivery's end and wipes its sealed part; closing again replaces the outcome. Never blocks.
    pub fn close(&self, closed: Closed) -> Ack {
        self.push(Work::Close(closed))
    }

    /// Keeps a setting over restarts, or takes it away. Never blocks.
    pub fn put_setting(&self, name: String, value: Option<String>) -> Ack {
        self.push(Work::PutSetting { name, value })
    }

    /// Writes what is used of a quota, in place of what was written before. Never blocks.
    pub fn count(&self, usage: Usage) -> Ack {
        self.push(Work::Count(usage))
    }

    /// Writes next to nothing, to know whether the journal can be written. Never blocks.
    pub fn probe(&self) -> Ack {
        self.push(Work::Probe)
    }

    /// Deletes closed deliveries admitted before a moment, a few at a time between other writes, then empties
    /// the log: until then wiped seals may linger in it, still sealed. Never blocks.
    pub fn prune(&self, before: Moment) -> Ack {
        self.push(Work::Prune { before })
    }

    /// Prunes what is older than the settings keep.
    pub fn prune_old(&self) -> Ack {
        self.prune(self.clock.now().plus_ms(self.keep_ms.saturating_neg()))
    }

    /// All settings, by name.
    ///
    /// # Errors
    /// When the database cannot be read; so for all reads.
    pub fn settings(&self) -> Result<Vec<(String, String)>, ReadError> {
        self.reader.settings()
    }

    /// What is used of each quota, as it was last counted; those of the sandbox apart.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn usage(&self, sandbox: bool) -> Result<Vec<Usage>, ReadError> {
        self.reader.usage(sandbox)
    }

    /// One delivery.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Record>, ReadError> {
        self.reader.delivery(&self.keys, id)
    }

    /// Deliveries by number, user or event, newest first; never more than a thousand.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(&self, by: &Lookup, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.reader.find(&self.keys, by, limit)
    }

    /// Deliveries that are not closed, oldest first; beyond a hundred thousand, only the newest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_deliveries(&self, sandbox: bool) -> Result<Vec<Record>, ReadError> {
        self.reader.open_deliveries(&self.keys, sandbox)
    }

    /// What was admitted at or after a moment, oldest first; beyond a million, only the newest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recent(&self, since: Moment, sandbox: bool) -> Result<Vec<Recent>, ReadError> {
        self.reader.recent(since, sandbox)
    }

    /// The keyed hash of a number, `+` and digits; the same for the same key, always.
    pub fn number_hash(&self, e164: &str) -> u64 {
        self.keys.number_hash(e164)
    }

    /// The keyed hash of a user's id.
    pub fn user_hash(&self, user: &str) -> u64 {
        self.keys.user_hash(user)
    }

    /// The keyed hash of one person at one number of one org: what a resend has in common with the first call.
    pub fn person_hash(&self, org: &str, user: Option<&str>, e164: &str) -> u64 {
        self.keys.person_hash(org, user, e164)
    }

    /// The keyed hash of the address that a person asked from.
    pub fn address_hash(&self, address: &str) -> u64 {
        self.keys.address_hash(address)
    }

    /// What makes a reference unguessable: a keyed hash of what it refers to.
    pub fn reference_seal(&self, refers_to: &[u8]) -> [u8; REFERENCE_SEAL_BYTES] {
        self.keys.reference_seal(refers_to)
    }

    /// Whether the last commit succeeded, nothing has waited too long, and the writer lives.
    pub fn is_healthy(&self) -> bool {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let lives = writer.as_ref().is_some_and(|thread| !thread.is_finished());
        lives && self.health.is_well(self.clock.now())
    }

    /// Writes what waits, empties the log, and ends the writer. Blocks for as long as the disk takes.
    pub fn shutdown(&self) {
        let thread = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else {
            return;
        };
        let (ack, _) = Ack::pair();
        let stop = Entry {
            work: Work::Stop,
            since: self.clock.now(),
            ack,
        };
        // A writer that cannot be told has ended already.
        if self.entries.send(stop).is_err() || thread.join().is_err() {
            tracing::error!("the journal's writer ended before it was told to");
        }
    }

    fn push(&self, work: Work) -> Ack {
        let (sender, ack) = Ack::pair();
        let entry = Entry {
            work,
            since: self.clock.now(),
            ack: sender,
        };
        match self.entries.try_send(entry) {
            Ok(()) => ack,
            Err(TrySendError::Full(_)) => Ack::broken(Broken::Full),
            Err(TrySendError::Disconnected(_)) => Ack::broken(Broken::Gone),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Finds the key and proves that it is the database's, or makes it so in a new database.
fn unlock(
    connection: &Connection,
    path: &Path,
    configured: Option<&Secret>,
) -> Result<Keys, OpenError> {
    let sqlite_error = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let known = disk::key_check(connection).map_err(sqlite_error)?;
    let material = keys::find_key(configured, path, known.is_none())?;
    let keys = Keys::derive(&material.text);
    match known {
        Some(check) if check == keys.check() => Ok(keys),
        Some(_) => Err(OpenError::WrongKey {
            path: path.to_owned(),
            key: material.source,
        }),
        None => {
            disk::keep_key_check(connection, keys.check()).map_err(sqlite_error)?;
            Ok(keys)
        }
    }
}
