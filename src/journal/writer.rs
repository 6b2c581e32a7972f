//! The one thread that writes: it takes what waits, commits it together, and tells each.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, named_params, params};
use tokio::sync::oneshot;

use crate::flow::DeliveryId;
use crate::journal::entry::{Admission, Broken, Closed, Fed, Usage, Written};
use crate::time::{Clock, Moment};

/// Entries written in one commit.
pub(crate) const GROUP_MAX: usize = 512;
/// Something that waits longer than this means a stalled disk.
pub(crate) const STALL_MS: i64 = 2_000;
/// Deliveries deleted in one commit; between two of them whatever waits is written.
pub(crate) const PRUNE_CHUNK: u16 = 64;
/// With so many events of one delivery, none is added behind it.
pub(crate) const FED_MAX: u32 = 400;
/// What nobody waits for may wait this long for a commit that somebody does wait for.
const UNHEARD_WAIT_MAX: Duration = Duration::from_millis(10);
/// `Health::oldest_ms` while nothing is being written.
const IDLE: i64 = i64::MAX;

/// One thing to write, and who waits for it.
pub(crate) struct Entry {
    pub(crate) work: Work,
    pub(crate) since: Moment,
    pub(crate) ack: oneshot::Sender<Written>,
}

/// What to write.
pub(crate) enum Work {
    Admit(Box<Admitted>),
    Feed(Fed),
    Late {
        id: DeliveryId,
        at: Moment,
        event: String,
    },
    Close(Closed),
    Answered {
        id: DeliveryId,
        answer: String,
    },
    PutSetting {
        name: String,
        value: Option<String>,
    },
    Count(Usage),
    Probe,
    Prune {
        before: Moment,
    },
    Stop,
}

/// An admission with its secrets hashed and sealed. The originals in it are not written.
pub(crate) struct Admitted {
    pub(crate) admission: Admission,
    pub(crate) number_hash: Option<u64>,
    pub(crate) user_hash: Option<u64>,
    pub(crate) sealed: Vec<u8>,
}

/// How the writer is, for whoever asks from another thread.
pub(crate) struct Health {
    broken: AtomicBool,
    oldest_ms: AtomicI64,
}

impl Health {
    pub(crate) fn new() -> Health {
        Health {
            broken: AtomicBool::new(false),
            oldest_ms: AtomicI64::new(IDLE),
        }
    }

    /// Whether the last commit succeeded and nothing has waited for too long.
    pub(crate) fn is_well(&self, now: Moment) -> bool {
        let oldest = Moment(self.oldest_ms.load(Ordering::Relaxed));
        !self.broken.load(Ordering::Relaxed) && now.ms_since(oldest) < STALL_MS
    }

    pub(crate) fn busy_since(&self, oldest: Moment) {
        self.oldest_ms.store(oldest.0, Ordering::Relaxed);
    }

    fn idle(&self) {
        self.oldest_ms.store(IDLE, Ordering::Relaxed);
    }

    fn succeeded(&self) {
        if self.broken.swap(false, Ordering::Relaxed) {
            tracing::info!("the journal can be written again");
        }
    }

    fn failed(&self, error: &rusqlite::Error) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the journal cannot be written");
        }
    }
}

/// The writer's thread, as data.
pub(crate) struct Writer<F> {
    pub(crate) connection: Connection,
    pub(crate) entries: Receiver<Entry>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Clock,
    /// Told how long each commit took.
    pub(crate) on_commit: F,
    pub(crate) pruning: Option<Pruning>,
    /// Held until the last byte is written.
    pub(crate) lock: File,
}

/// A deletion that goes on chunk by chunk.
pub(crate) struct Pruning {
    before: Moment,
    acks: Vec<oneshot::Sender<Written>>,
}

/// What `gather` found.
struct Group {
    entries: Vec<Entry>,
    stop: bool,
}

impl<F: Fn(Duration)> Writer<F> {
    /// Writes until told to stop or until nobody can send any more, and closes the database.
    pub(crate) fn run(mut self) {
        loop {
            let group = self.gather();
            let stop = group.stop;
            self.write_group(group.entries);
            if stop {
                break;
            }
            self.prune_chunk();
            self.health.idle();
        }
        self.finish();
    }

    /// Waits for one entry, and takes what else is there; waits for nothing while there is pruning to do.
    /// Entries that nobody waits for wait themselves a little, for one that somebody does: one commit less.
    fn gather(&mut self) -> Group {
        let mut group = Group {
            entries: Vec::new(),
            stop: false,
        };
        let mut urgent = self.pruning.is_some();
        let mut unheard_until: Option<Instant> = None;
        while group.entries.len() < GROUP_MAX {
            let next = match (urgent, unheard_until) {
                (true, _) => self
                    .entries
                    .try_recv()
                    .map_err(|e| e == TryRecvError::Empty),
                (false, None) => self.entries.recv().map_err(|_| false),
                (false, Some(until)) => {
                    let left = until.saturating_duration_since(Instant::now());
                    let next = self.entries.recv_timeout(left);
                    next.map_err(|e| e == RecvTimeoutError::Timeout)
                }
            };
            match next {
                Ok(entry) if matches!(entry.work, Work::Stop) => {
                    group.stop = true;
                    break;
                }
                Ok(entry) => {
                    urgent |= !entry.ack.is_closed();
                    unheard_until.get_or_insert_with(|| Instant::now() + UNHEARD_WAIT_MAX);
                    self.sort_in(entry, &mut group.entries);
                }
                Err(nothing_there) => {
                    group.stop = !nothing_there;
                    break;
                }
            }
        }
        group
    }

    fn sort_in(&mut self, entry: Entry, entries: &mut Vec<Entry>) {
        let Work::Prune { before } = entry.work else {
            entries.push(entry);
            return;
        };
        let pruning = self.pruning.get_or_insert(Pruning {
            before,
            acks: Vec::new(),
        });
        pruning.before = pruning.before.max(before);
        pruning.acks.push(entry.ack);
    }

    /// One transaction for all; a row that the schema refuses fails alone.
    fn write_group(&mut self, entries: Vec<Entry>) {
        let Some(first) = entries.first() else {
            return;
        };
        self.health.busy_since(first.since);
        let written = self.in_transaction(|transaction| {
            entries
                .iter()
                .map(|entry| alone_or_all(write(transaction, &entry.work)))
                .collect::<rusqlite::Result<Vec<Written>>>()
        });
        let written = written.unwrap_or_else(|| vec![Err(Broken::Failed); entries.len()]);
        for (entry, written) in entries.into_iter().zip(written) {
            tell(entry.ack, written);
        }
    }

    fn prune_chunk(&mut self) {
        let Some(pruning) = self.pruning.take() else {
            return;
        };
        self.health.busy_since(self.clock.now());
        let deleted = self.in_transaction(|transaction| delete_closed(transaction, pruning.before));
        let written = match deleted {
            Some(deleted) if deleted >= usize::from(PRUNE_CHUNK) => {
                self.pruning = Some(pruning);
                return;
            }
            Some(_) => {
                // In a quiet hour nothing else would overwrite wiped seals.
                self.empty_log();
                Ok(())
            }
            None => Err(Broken::Failed),
        };
        for ack in pruning.acks {
            tell(ack, written);
        }
    }

    /// Commits what `work` did, or nothing of it; keeps the health and the time it took.
    fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Option<T> {
        let began = Instant::now();
        let result = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            });
        match result {
            Ok(done) => {
                self.health.succeeded();
                (self.on_commit)(began.elapsed());
                Some(done)
            }
            Err(error) => {
                self.health.failed(&error);
                None
            }
        }
    }

    /// Moves the log into the database, so that what was wiped is gone from both. A log that cannot be
    /// emptied loses nothing: the next commits or the next start do it.
    fn empty_log(&self) {
        let blocked = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        match blocked {
            Ok(false) => {}
            Ok(true) => tracing::warn!("the journal's log is in use and was not emptied"),
            Err(error) => tracing::warn!(%error, "the journal's log could not be emptied"),
        }
    }

    /// Lets go of the database, and last of the lock.
    fn finish(self) {
        self.empty_log();
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the journal did not close well");
        }
        drop(self.lock);
    }
}

/// Nobody listening is no failure.
fn tell(ack: oneshot::Sender<Written>, written: Written) {
    let _unheard = ack.send(written);
}

/// Tells a row that the schema refuses from a database that fails.
fn alone_or_all(result: rusqlite::Result<usize>) -> rusqlite::Result<Written> {
    match result {
        Ok(0) => Ok(Err(Broken::Failed)),
        Ok(_) => Ok(Ok(())),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Ok(Err(Broken::Failed))
            }
            Some(_) | None => Err(error),
        },
    }
}

/// Writes one entry; returns how many rows it touched, where none is a failure.
fn write(transaction: &Transaction<'_>, work: &Work) -> rusqlite::Result<usize> {
    match work {
        Work::Admit(admitted) => admit(transaction, admitted),
        Work::Feed(fed) => transaction
            .prepare_cached("INSERT INTO fed (delivery, seq, at, event) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![fed.id.as_bytes(), fed.seq, fed.at.0, fed.event]),
        Work::Late { id, at, event } => transaction
            .prepare_cached(
                "INSERT INTO fed (delivery, seq, at, event) \
                 SELECT ?1, coalesce(max(seq) + 1, 0), ?2, ?3 FROM fed WHERE delivery = ?1 \
                 HAVING count(*) < ?4",
            )?
            .execute(params![id.as_bytes(), at.0, event, FED_MAX]),
        Work::Close(closed) => transaction
            .prepare_cached(
                "UPDATE deliveries SET sealed = NULL, closed_at = ?2, outcome = ?3, \
                 answer = coalesce(?4, answer) WHERE id = ?1",
            )?
            .execute(params![
                closed.id.as_bytes(),
                closed.at.0,
                closed.outcome.as_str(),
                closed.answer,
            ]),
        Work::Answered { id, answer } => transaction
            .prepare_cached("UPDATE deliveries SET answer = ?2 WHERE id = ?1")?
            .execute(params![id.as_bytes(), answer]),
        Work::PutSetting { name, value } => put_setting(transaction, name, value.as_deref()),
        Work::Count(usage) => count(transaction, usage),
        Work::Probe => transaction
            .prepare_cached("INSERT OR REPLACE INTO about (name, value) VALUES ('probe', '')")?
            .execute([]),
        // `gather` keeps these two.
        Work::Prune { .. } | Work::Stop => Ok(0),
    }
}

fn admit(transaction: &Transaction<'_>, admitted: &Admitted) -> rusqlite::Result<usize> {
    let admission = &admitted.admission;
    transaction
        .prepare_cached(
            "INSERT INTO deliveries (id, org, event, country, channel, number_hash, user_hash, \
             admitted_at, expires_at, sandbox, record, sealed) VALUES (:id, :org, :event, :country, \
             :channel, :number_hash, :user_hash, :admitted_at, :expires_at, :sandbox, :record, :sealed)",
        )?
        .execute(named_params! {
            ":id": admission.id.as_bytes(),
            ":org": &*admission.org,
            ":event": admission.event,
            ":country": admission.country.as_str(),
            ":channel": admission.channel.as_str(),
            ":number_hash": admitted.number_hash.map(u64::cast_signed),
            ":user_hash": admitted.user_hash.map(u64::cast_signed),
            ":admitted_at": admission.admitted_at.0,
            ":expires_at": admission.expires_at.0,
            ":sandbox": admission.sandbox,
            ":record": admission.record,
            ":sealed": admitted.sealed,
        })
}

fn put_setting(
    transaction: &Transaction<'_>,
    name: &str,
    value: Option<&str>,
) -> rusqlite::Result<usize> {
    match value {
        Some(value) => transaction
            .prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?
            .execute([name, value]),
        // Taking away what is not there is no failure.
        None => transaction
            .prepare_cached("DELETE FROM settings WHERE name = ?1")?
            .execute([name])
            .map(|_| 1),
    }
}

fn count(transaction: &Transaction<'_>, usage: &Usage) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(
            "INSERT INTO quota (sandbox, name, window_from, window_until, units, capped) \
             VALUES (:sandbox, :name, :from, :until, :units, :capped) \
             ON CONFLICT (sandbox, name) DO UPDATE SET window_from = excluded.window_from, \
             window_until = excluded.window_until, units = excluded.units, capped = excluded.capped",
        )?
        .execute(named_params! {
            ":sandbox": usage.sandbox,
            ":name": &*usage.name,
            ":from": usage.from.0,
            ":until": usage.until.0,
            ":units": i64::try_from(usage.units).unwrap_or(i64::MAX),
            ":capped": usage.capped,
        })
}

/// Deletes one chunk of closed deliveries and all that was fed to them, and what was counted in windows that
/// are as old.
fn delete_closed(transaction: &Transaction<'_>, before: Moment) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached("DELETE FROM quota WHERE window_until < ?1")?
        .execute([before.0])?;
    transaction
        .prepare_cached(
            "DELETE FROM deliveries WHERE rowid IN (SELECT rowid FROM deliveries \
             WHERE admitted_at < ?1 AND closed_at IS NOT NULL ORDER BY admitted_at LIMIT ?2)",
        )?
        .execute(params![before.0, PRUNE_CHUNK])
}
