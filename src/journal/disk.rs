//! Opens the journal's files: directory, lock, database, schema.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::journal::open_error::OpenError;

/// Each brings the database from its place in the list to the next version.
const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), include_str!("quota.sql")];
/// Only a person with a tool of their own can hold the database; the writer waits so long for them.
const BUSY_MAX: Duration = Duration::from_millis(250);
/// The log is moved into the database when it has so many pages (of 4 KiB).
const WAL_PAGES: i64 = 4_000;
/// A log that once grew larger is cut back to this, so that wiped seals do not linger in its tail.
const WAL_BYTES_KEPT: i64 = 32 * 1024 * 1024;
/// Pages the writer keeps in memory, in KiB; negative is how SQLite tells KiB from pages.
const CACHE_KIB: i64 = -32_768;
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// The database's path with another extension.
pub(crate) fn beside(database: &Path, extension: &str) -> PathBuf {
    let path = database.with_extension(extension);
    if path != database {
        return path;
    }
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Writes a key file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("key-new");
    // A draft that an earlier crash left may have any mode.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(directory_of(path))?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        Some(_) | None => Path::new("."),
    }
}

/// Makes the directory when it is absent, and takes the lock that keeps other processes away for as
/// long as the returned file is open.
pub(crate) fn lock(database: &Path) -> Result<File, OpenError> {
    let path = beside(database, "lock");
    let io_error = |source| OpenError::Io {
        path: path.clone(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(DIR_MODE)
        .create(directory_of(database))
        .map_err(io_error)?;
    let file = private_file(&path).map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            path: database.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(io_error(source)),
    }
}

/// Opens a file, making it when absent, as SQLite would do but for its owner only. SQLite gives the
/// log the mode of the database.
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
}

/// Opens the database for the writer, with the schema of this version.
pub(crate) fn open_to_write(database: &Path) -> Result<Connection, OpenError> {
    private_file(database).map_err(|source| OpenError::Io {
        path: database.to_owned(),
        source,
    })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sqlite_error = |source| OpenError::Sqlite {
        path: database.to_owned(),
        source,
    };
    let mut connection = Connection::open_with_flags(database, flags).map_err(sqlite_error)?;
    if !prepare(&connection).map_err(sqlite_error)? {
        return Err(OpenError::NoWal {
            path: database.to_owned(),
        });
    }
    let version = migrate(&mut connection).map_err(sqlite_error)?;
    if version > latest() {
        return Err(OpenError::TooNew {
            path: database.to_owned(),
            version,
        });
    }
    Ok(connection)
}

/// Opens the database a second time, for reading.
pub(crate) fn open_to_read(database: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(database, flags)
        .and_then(|connection| connection.busy_timeout(BUSY_MAX).map(|()| connection))
        .map_err(|source| OpenError::Sqlite {
            path: database.to_owned(),
            source,
        })
}

/// Sets the connection up; tells whether there is a write-ahead log now.
fn prepare(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(BUSY_MAX)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Wiped bytes are overwritten, not just forgotten.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(mode == "wal")
}

fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the schema up to date, all steps or none; returns the version found or made.
fn migrate(connection: &mut Connection) -> rusqlite::Result<i64> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version >= latest() {
        return Ok(version);
    }
    let done = usize::try_from(version).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", latest())?;
    transaction.commit()?;
    Ok(latest())
}

/// The check value of the key that this database was made with.
pub(crate) fn key_check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT value FROM about WHERE name = 'key'", [], |row| {
            row.get(0)
        })
        .optional()
}

/// Keeps the check value of a new database's key.
pub(crate) fn keep_key_check(connection: &Connection, check: &str) -> rusqlite::Result<()> {
    connection
        .execute("INSERT INTO about VALUES ('key', ?1)", [check])
        .map(|_| ())
}
