//! The one thread that writes: takes what waits, commits it together, tells everybody.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::{mpsc, oneshot};

use crate::flow::DeliveryId;
use crate::journal::key::Key;
use crate::journal::{Admission, Closed, Fed, Health};
use crate::time::{Clock, Moment};

/// Entries committed together, at most.
const GROUP_MAX: usize = 512;
/// Deliveries deleted in one commit, at most, so that nobody waits long for it.
const PRUNED_MAX: i64 = 500;
/// After a failed commit, before the next one.
const PAUSE: Duration = Duration::from_millis(20);

/// One thing to write, and who waits for it.
pub(super) enum Entry {
    Admit(Box<Admission>, oneshot::Sender<bool>),
    Feed(Fed, oneshot::Sender<bool>),
    Answered(DeliveryId, String, oneshot::Sender<bool>),
    Close(Closed, oneshot::Sender<bool>),
    Setting(String, Option<String>, oneshot::Sender<bool>),
    Prune(Moment, oneshot::Sender<bool>),
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) key: Key,
    pub(super) clock: Clock,
    pub(super) health: Arc<Health>,
    pub(super) on_commit: Box<dyn Fn(Duration) + Send>,
    /// Held as long as this process may write.
    pub(super) _lock: File,
}

impl Writer {
    /// Writes until nobody can append any more and all is written.
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Entry>) {
        self.connection.set_prepared_statement_cache_capacity(32);
        let mut group = Vec::with_capacity(GROUP_MAX);
        while waiting.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
            self.moved();
            self.health.busy.store(true, Ordering::Relaxed);
            self.write_group(&mut group);
            self.health.busy.store(false, Ordering::Relaxed);
            self.moved();
        }
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        if let Err(error) = self.connection.query_row(checkpoint, [], |_| Ok(())) {
            tracing::warn!(%error, "the journal could not be folded at the end");
        }
    }

    fn moved(&self) {
        let now = self.clock.now().0;
        self.health.moved_at.store(now, Ordering::Relaxed);
    }

    fn write_group(&mut self, group: &mut Vec<Entry>) {
        let began = Instant::now();
        let key = &self.key;
        let committed = self.connection.transaction().and_then(|transaction| {
            let each: Vec<rusqlite::Result<()>> = group
                .iter()
                .map(|entry| entry.write(&transaction, key))
                .collect();
            // A full disk fails every statement; then none may be told that it is kept.
            transaction.commit()?;
            Ok(each)
        });
        (self.on_commit)(began.elapsed());
        match committed {
            Ok(each) => {
                let failed = each.iter().find_map(|r| r.as_ref().err());
                self.note(failed);
                for (entry, written) in group.drain(..).zip(&each) {
                    entry.tell(written.is_ok());
                }
            }
            Err(error) => {
                self.note(Some(&error));
                for entry in group.drain(..) {
                    entry.tell(false);
                }
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Says loudly when the disk stops taking what it is given, and when it does again.
    fn note(&self, failed: Option<&rusqlite::Error>) {
        let was_well = self.health.well.swap(failed.is_none(), Ordering::Relaxed);
        match failed {
            Some(error) if was_well => {
                tracing::error!(%error, "the journal cannot be written: deliveries are not safe over a restart");
            }
            None if !was_well => tracing::info!("the journal can be written again"),
            Some(_) | None => {}
        }
    }
}

impl Entry {
    fn write(&self, transaction: &Transaction<'_>, key: &Key) -> rusqlite::Result<()> {
        match self {
            Entry::Admit(admission, _) => admit(transaction, key, admission),
            Entry::Feed(fed, _) => {
                let mut statement = transaction.prepare_cached(
                    "INSERT INTO fed (delivery, seq, at, event) VALUES (?1, ?2, ?3, ?4)",
                )?;
                let id = fed.id.as_bytes();
                statement.execute(params![id, fed.seq, fed.at.0, fed.event])?;
                Ok(())
            }
            Entry::Answered(id, answer, _) => {
                let mut statement =
                    transaction.prepare_cached("UPDATE delivery SET answer = ?2 WHERE id = ?1")?;
                statement.execute(params![id.as_bytes(), answer])?;
                Ok(())
            }
            Entry::Close(closed, _) => {
                let mut statement = transaction.prepare_cached(
                    "UPDATE delivery SET closed_at = ?2, outcome = ?3, sealed = NULL,
                     answer = coalesce(?4, answer) WHERE id = ?1",
                )?;
                let id = closed.id.as_bytes();
                let outcome = closed.outcome.as_str();
                statement.execute(params![id, closed.at.0, outcome, closed.answer])?;
                Ok(())
            }
            Entry::Setting(name, value, _) => match value {
                Some(value) => {
                    let mut statement = transaction.prepare_cached(
                        "INSERT INTO setting (name, value) VALUES (?1, ?2)
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    )?;
                    statement.execute(params![name, value.as_bytes()])?;
                    Ok(())
                }
                None => {
                    transaction.execute("DELETE FROM setting WHERE name = ?1", [name])?;
                    Ok(())
                }
            },
            Entry::Prune(before, _) => prune(transaction, *before),
        }
    }

    fn tell(self, kept: bool) {
        let done = match self {
            Entry::Admit(_, done)
            | Entry::Feed(_, done)
            | Entry::Answered(_, _, done)
            | Entry::Close(_, done)
            | Entry::Setting(_, _, done)
            | Entry::Prune(_, done) => done,
        };
        // Whoever asked need not be waiting any more.
        done.send(kept).ok();
    }
}

fn admit(transaction: &Transaction<'_>, key: &Key, admission: &Admission) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO delivery (id, org, event, country, channel, number_hash, user_hash,
         admitted_at, expires_at, sandbox, record, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let id = Key::tie(admission.id);
    let number = admission.number.as_ref();
    let number = number.map(|n| key.hash("number", n.expose()).cast_signed());
    let user = admission.user.as_ref();
    let user = user.map(|u| key.hash("user", u).cast_signed());
    let sealed = key
        .seal(&id, admission.sealed.expose().as_bytes())
        .ok_or(rusqlite::Error::InvalidQuery)?;
    statement.execute(params![
        id,
        &*admission.org,
        admission.event,
        admission.country.as_str(),
        admission.channel.as_str(),
        number,
        user,
        admission.admitted_at.0,
        admission.expires_at.0,
        admission.sandbox,
        admission.record,
        sealed,
    ])?;
    Ok(())
}

/// Deletes one handful; the next prune takes the next one.
fn prune(transaction: &Transaction<'_>, before: Moment) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM fed WHERE delivery IN (SELECT id FROM delivery
         WHERE admitted_at < ?1 AND closed_at IS NOT NULL ORDER BY admitted_at LIMIT ?2)",
        params![before.0, PRUNED_MAX],
    )?;
    transaction.execute(
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery
         WHERE admitted_at < ?1 AND closed_at IS NOT NULL ORDER BY admitted_at LIMIT ?2)",
        params![before.0, PRUNED_MAX],
    )?;
    Ok(())
}
