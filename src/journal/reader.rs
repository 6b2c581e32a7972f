//! Reads deliveries back, on a connection of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{error, fmt};

use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NameError;

use crate::flow::{Channel, DeliveryId, Outcome};
use crate::journal::entry::{Fed, Lookup, Recent, Record, Usage};
use crate::journal::keys::Keys;
use crate::number::Country;
use crate::time::Moment;

/// The most that one look-up returns.
pub(crate) const FIND_MAX: u32 = 1_000;
/// The most open deliveries taken up at once; a passcode lives for minutes, so the newest matter.
pub(crate) const OPEN_MAX: u32 = 100_000;
/// The most deliveries counted again after a restart; the newest.
pub(crate) const RECENT_MAX: u32 = 1_000_000;

/// The most counters of quotas read back; those whose window ends last.
const USAGE_MAX: u32 = 10_000;

const RECORD: &str = "SELECT id, org, event, country, channel, admitted_at, expires_at, sandbox, \
     record, sealed, answer, closed_at, outcome FROM deliveries";

/// The database could not be read.
#[derive(Debug)]
pub struct ReadError(rusqlite::Error);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal cannot be read: {}", self.0)
    }
}

impl error::Error for ReadError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.0)
    }
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        ReadError(error)
    }
}

/// The connection that reads; one reader at a time.
pub(crate) struct Reader(Mutex<Connection>);

impl Reader {
    pub(crate) fn new(connection: Connection) -> Reader {
        Reader(Mutex::new(connection))
    }

    pub(crate) fn settings(&self) -> Result<Vec<(String, String)>, ReadError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT name, value FROM settings ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn delivery(
        &self,
        keys: &Keys,
        id: DeliveryId,
    ) -> Result<Option<Record>, ReadError> {
        let found = self.records(keys, &format!("{RECORD} WHERE id = ?1"), [id.as_bytes()])?;
        Ok(found.into_iter().next())
    }

    pub(crate) fn find(
        &self,
        keys: &Keys,
        by: &Lookup,
        limit: usize,
    ) -> Result<Vec<Record>, ReadError> {
        let limit = u32::try_from(limit).map_or(FIND_MAX, |limit| limit.min(FIND_MAX));
        let sql = |column| {
            format!("{RECORD} WHERE {column} = ?1 ORDER BY admitted_at DESC, rowid DESC LIMIT ?2")
        };
        match by {
            Lookup::Phone(number) => {
                let hash = keys.number_hash(number).cast_signed();
                self.records(keys, &sql("number_hash"), (hash, limit))
            }
            Lookup::User(user) => {
                let hash = keys.user_hash(user).cast_signed();
                self.records(keys, &sql("user_hash"), (hash, limit))
            }
            Lookup::Event(event) => self.records(keys, &sql("event"), (event, limit)),
        }
    }

    pub(crate) fn open_deliveries(
        &self,
        keys: &Keys,
        sandbox: bool,
    ) -> Result<Vec<Record>, ReadError> {
        let sql = format!(
            "{RECORD} WHERE closed_at IS NULL AND sandbox = ?1 \
             ORDER BY admitted_at DESC, rowid DESC LIMIT ?2"
        );
        let mut records = self.records(keys, &sql, (sandbox, OPEN_MAX))?;
        records.reverse();
        Ok(records)
    }

    pub(crate) fn recent(&self, since: Moment, sandbox: bool) -> Result<Vec<Recent>, ReadError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT id, org, event, iif(outcome IS 'blocked', NULL, number_hash), admitted_at, answer \
             FROM deliveries \
             WHERE admitted_at >= ?1 AND sandbox = ?2 ORDER BY admitted_at DESC, rowid DESC LIMIT ?3",
        )?;
        let rows = statement.query_map((since.0, sandbox, RECENT_MAX), recent)?;
        let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        found.reverse();
        Ok(found)
    }

    pub(crate) fn usage(&self, sandbox: bool) -> Result<Vec<Usage>, ReadError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT name, window_from, window_until, units, capped FROM quota \
             WHERE sandbox = ?1 ORDER BY window_until DESC, name LIMIT ?2",
        )?;
        let rows = statement.query_map((sandbox, USAGE_MAX), |row| {
            Ok(Usage {
                name: row.get::<_, Arc<str>>(0)?,
                sandbox,
                from: Moment(row.get(1)?),
                until: Moment(row.get(2)?),
                units: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
                capped: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Deliveries and what was fed to them, all as of one moment.
    fn records(
        &self,
        keys: &Keys,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<Record>, ReadError> {
        let mut connection = self.connection();
        let snapshot = connection.transaction()?;
        let mut deliveries = snapshot.prepare_cached(sql)?;
        let mut fed = snapshot
            .prepare_cached("SELECT seq, at, event FROM fed WHERE delivery = ?1 ORDER BY seq")?;
        let mut found = Vec::new();
        let mut rows = deliveries.query(params)?;
        while let Some(row) = rows.next()? {
            let mut record = record(keys, row)?;
            record.fed = fed
                .query_map([record.id.as_bytes()], |row| fed_row(record.id, row))?
                .collect::<rusqlite::Result<_>>()?;
            found.push(record);
        }
        Ok(found)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A reader that panicked leaves nothing half done: its transaction was rolled back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record(keys: &Keys, row: &Row<'_>) -> rusqlite::Result<Record> {
    let id = delivery_id(row, 0)?;
    let sealed: Option<Vec<u8>> = row.get(9)?;
    let secret = sealed.and_then(|sealed| {
        let secret = keys.unseal(id, &sealed);
        if secret.is_none() {
            // The rest of the record is worth showing, and the other deliveries are worth resuming.
            tracing::error!(delivery = %id, "a sealed text in the journal was changed");
        }
        secret
    });
    Ok(Record {
        id,
        org: row.get::<_, Arc<str>>(1)?,
        event: row.get(2)?,
        country: Country::parse(&row.get::<_, String>(3)?).unwrap_or(Country::NONE),
        channel: named::<Channel>(row, 4)?,
        admitted_at: Moment(row.get(5)?),
        expires_at: Moment(row.get(6)?),
        sandbox: row.get(7)?,
        record: row.get(8)?,
        secret,
        fed: Vec::new(),
        answer: row.get(10)?,
        closed: match row.get::<_, Option<i64>>(11)? {
            Some(at) => Some((Moment(at), named::<Outcome>(row, 12)?)),
            None => None,
        },
    })
}

fn recent(row: &Row<'_>) -> rusqlite::Result<Recent> {
    Ok(Recent {
        id: delivery_id(row, 0)?,
        org: row.get::<_, Arc<str>>(1)?,
        event: row.get(2)?,
        number_hash: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        admitted_at: Moment(row.get(4)?),
        answer: row.get(5)?,
    })
}

fn fed_row(id: DeliveryId, row: &Row<'_>) -> rusqlite::Result<Fed> {
    Ok(Fed {
        id,
        seq: row.get(0)?,
        at: Moment(row.get(1)?),
        event: row.get(2)?,
    })
}

fn delivery_id(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryId> {
    row.get::<_, [u8; 16]>(column).map(DeliveryId::from_bytes)
}

/// Reads a name back into what it names, by the same names as in JSON.
fn named<'a, T: Deserialize<'a>>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<T> {
    let name = row.get_ref(column)?.as_str()?;
    T::deserialize(IntoDeserializer::<NameError>::into_deserializer(name)).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
