//! Says why the journal could not be opened, and what to do about it.

use std::path::PathBuf;
use std::{error, fmt, io};

use crate::journal::keys::KEY_CHARS_MIN;

/// Why a journal could not be opened. Nothing was changed in it.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it.
    Locked { path: PathBuf },
    /// It was sealed with another key than the one at hand.
    WrongKey { path: PathBuf, key: KeySource },
    /// The configured key is too short to be one.
    ShortKey,
    /// The key file does not hold a key.
    KeyFile { path: PathBuf },
    /// A newer version of the program wrote it.
    TooNew { path: PathBuf, version: i64 },
    /// The file system cannot carry a write-ahead log.
    NoWal { path: PathBuf },
    /// A file could not be read, made or written.
    Io { path: PathBuf, source: io::Error },
    /// SQLite refused.
    Sqlite {
        path: PathBuf,
        source: rusqlite::Error,
    },
}

/// Where the key at hand came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `journal.key`.
    Configured,
    /// The file beside the database.
    File(PathBuf),
    /// Nowhere: this file was once there and is not any more.
    LostFile(PathBuf),
}

impl KeySource {
    fn hint(&self) -> String {
        match self {
            KeySource::Configured => {
                "set `journal.key` to the key that the database was made with; if there was \
                 none, take the line out, and the key file beside the database is used"
                    .to_owned()
            }
            KeySource::File(path) => format!(
                "put the key that the database was made with back into `{}`, or set `journal.key` to it",
                path.display()
            ),
            KeySource::LostFile(path) => format!(
                "restore `{}` from where it was copied to, or set `journal.key`; without its key, move the \
                 database away to begin a new one",
                path.display()
            ),
        }
    }
}

impl OpenError {
    fn hint(&self) -> Option<String> {
        match self {
            OpenError::Locked { .. } => Some(
                "stop the other process first, or give this one another `journal.url`".to_owned(),
            ),
            OpenError::WrongKey { key, .. } => Some(key.hint()),
            OpenError::ShortKey => Some("`openssl rand -hex 32` makes a good one".to_owned()),
            OpenError::KeyFile { path } => Some(format!(
                "`{}` must hold 64 hexadecimal digits; restore it from where it was copied to",
                path.display()
            )),
            OpenError::TooNew { .. } => {
                Some("run the version that wrote it, or a later one".to_owned())
            }
            OpenError::NoWal { .. } => {
                Some("use a local disk: network file systems cannot carry it".to_owned())
            }
            OpenError::Io { .. } | OpenError::Sqlite { .. } => None,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked { path } => {
                write!(
                    f,
                    "the journal `{}` is in use by another process",
                    path.display()
                )
            }
            OpenError::WrongKey {
                path,
                key: KeySource::LostFile(_),
            } => {
                write!(f, "the key of the journal `{}` is missing", path.display())
            }
            OpenError::WrongKey { path, .. } => {
                write!(
                    f,
                    "the journal `{}` was sealed with another key",
                    path.display()
                )
            }
            OpenError::ShortKey => {
                write!(f, "`journal.key` has fewer than {KEY_CHARS_MIN} characters")
            }
            OpenError::KeyFile { path } => {
                write!(f, "the key file `{}` does not hold a key", path.display())
            }
            OpenError::TooNew { path, version } => {
                let path = path.display();
                write!(
                    f,
                    "the journal `{path}` has version {version}, which is newer than this program"
                )
            }
            OpenError::NoWal { path } => {
                write!(
                    f,
                    "the journal `{}` cannot have a write-ahead log",
                    path.display()
                )
            }
            OpenError::Io { path, source } => write!(f, "`{}`: {source}", path.display()),
            OpenError::Sqlite { path, source } => {
                write!(
                    f,
                    "the journal `{}` cannot be opened: {source}",
                    path.display()
                )
            }
        }?;
        match self.hint() {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            OpenError::Io { source, .. } => Some(source),
            OpenError::Sqlite { source, .. } => Some(source),
            OpenError::Locked { .. }
            | OpenError::WrongKey { .. }
            | OpenError::ShortKey
            | OpenError::KeyFile { .. }
            | OpenError::TooNew { .. }
            | OpenError::NoWal { .. } => None,
        }
    }
}
