//! Reads deliveries back, on a connection of its own.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, Params, Row};

use crate::flow::{Channel, DeliveryId, Outcome};
use crate::journal::key::Key;
use crate::journal::{Fed, Lookup, Recent, Record};
use crate::number::Country;
use crate::time::Moment;

/// Why the database could not be read.
#[derive(Debug)]
pub struct ReadError(rusqlite::Error);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal cannot be read: {}", self.0)
    }
}

impl std::error::Error for ReadError {}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        ReadError(error)
    }
}

const COLUMNS: &str = "id, org, event, country, channel, admitted_at, expires_at, sandbox, record, \
                       sealed, answer, closed_at, outcome";

pub(super) struct Reader {
    connection: Connection,
    key: Key,
}

impl Reader {
    pub(super) fn open(path: &Path, key: Key) -> rusqlite::Result<Reader> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.execute_batch("PRAGMA busy_timeout = 5000;")?;
        Ok(Reader { connection, key })
    }

    pub(super) fn settings(&self) -> Result<Vec<(String, String)>, ReadError> {
        let sql = "SELECT name, value FROM setting ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let value: Vec<u8> = row.get(1)?;
            Ok((row.get(0)?, String::from_utf8(value).ok()))
        })?;
        let mut settings = Vec::new();
        for row in rows {
            // The key's check is no text, and nobody's setting.
            if let (name, Some(value)) = row? {
                settings.push((name, value));
            }
        }
        Ok(settings)
    }

    pub(super) fn delivery(&self, id: DeliveryId) -> Result<Option<Record>, ReadError> {
        let found = self.records("WHERE id = ?1", [id.as_bytes()])?;
        Ok(found.into_iter().next())
    }

    pub(super) fn find(&self, by: &Lookup, limit: usize) -> Result<Vec<Record>, ReadError> {
        let newest = "ORDER BY admitted_at DESC LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match by {
            Lookup::Phone(number) => {
                let hash = self.key.hash("number", number.expose()).cast_signed();
                self.records(&format!("WHERE number_hash = ?1 {newest}"), (hash, limit))
            }
            Lookup::User(user) => {
                let hash = self.key.hash("user", user).cast_signed();
                self.records(&format!("WHERE user_hash = ?1 {newest}"), (hash, limit))
            }
            Lookup::Event(event) => {
                self.records(&format!("WHERE event = ?1 {newest}"), (event, limit))
            }
        }
    }

    pub(super) fn open_deliveries(&self, sandbox: bool) -> Result<Vec<Record>, ReadError> {
        self.records(
            "WHERE closed_at IS NULL AND sandbox = ?1 ORDER BY admitted_at",
            [sandbox],
        )
    }

    pub(super) fn recent(&self, since: Moment, sandbox: bool) -> Result<Vec<Recent>, ReadError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, org, event, number_hash, admitted_at, answer FROM delivery
             WHERE admitted_at >= ?1 AND sandbox = ?2 ORDER BY admitted_at",
        )?;
        let rows = statement.query_map((since.0, sandbox), |row| {
            let org: String = row.get(1)?;
            let hash: Option<i64> = row.get(3)?;
            Ok(Recent {
                id: DeliveryId::from_bytes(row.get(0)?),
                org: Arc::from(org),
                event: row.get(2)?,
                number_hash: hash.map(i64::cast_unsigned),
                admitted_at: Moment(row.get(4)?),
                answer: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn records(&self, filter: &str, params: impl Params) -> Result<Vec<Record>, ReadError> {
        let sql = format!("SELECT {COLUMNS} FROM delivery {filter}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params, |row| self.record(row))?;
        let mut records: Vec<Record> = rows.collect::<rusqlite::Result<_>>()?;
        let sql = "SELECT seq, at, event FROM fed WHERE delivery = ?1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        for record in &mut records {
            let id = record.id;
            let rows = statement.query_map([id.as_bytes()], |row| {
                Ok(Fed {
                    id,
                    seq: row.get(0)?,
                    at: Moment(row.get(1)?),
                    event: row.get(2)?,
                })
            })?;
            record.fed = rows.collect::<rusqlite::Result<_>>()?;
        }
        Ok(records)
    }

    fn record(&self, row: &Row<'_>) -> rusqlite::Result<Record> {
        let id = DeliveryId::from_bytes(row.get(0)?);
        let org: String = row.get(1)?;
        let country: String = row.get(3)?;
        let channel: String = row.get(4)?;
        let sealed: Option<Vec<u8>> = row.get(9)?;
        let closed_at: Option<i64> = row.get(11)?;
        let outcome: Option<String> = row.get(12)?;
        let outcome = outcome.and_then(|o| Outcome::parse(&o));
        Ok(Record {
            id,
            org: Arc::from(org),
            event: row.get(2)?,
            country: Country::parse(&country).unwrap_or(Country::NONE),
            channel: if channel == Channel::Voice.as_str() {
                Channel::Voice
            } else {
                Channel::Sms
            },
            admitted_at: Moment(row.get(5)?),
            expires_at: Moment(row.get(6)?),
            sandbox: row.get(7)?,
            record: row.get(8)?,
            secret: sealed.and_then(|sealed| self.key.unseal(&Key::tie(id), &sealed)),
            fed: Vec::new(),
            answer: row.get(10)?,
            closed: closed_at.map(Moment).zip(outcome),
        })
    }
}
