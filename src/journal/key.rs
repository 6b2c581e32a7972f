//! Takes the journal's lock, finds or makes its key, and seals with it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use rusqlite::{Connection, OptionalExtension};
use zeroize::Zeroizing;

use crate::flow::{DeliveryId, Secret};
use crate::journal::{OpenError, Settings, storage};

/// A configured key is at least this long; it should be 32 random bytes, written as text.
const KEY_CHARS_MIN: usize = 16;
/// What the key seals to be known again by.
const CHECK: &[u8] = b"trunkline";
/// The setting that holds it.
const CHECK_SETTING: &str = "key_check";
/// The delivery id that the check is sealed for.
const CHECK_ID: [u8; 16] = [0; 16];
const SCHEMA: &str = include_str!("schema.sql");
const SCHEMA_VERSION: i64 = 1;

/// Seals and hashes.
#[derive(Clone)]
pub(super) struct Key {
    seal: LessSafeKey,
    hash: hmac::Key,
    random: SystemRandom,
}

impl Key {
    fn of(material: &[u8]) -> Option<Key> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, material);
        let seal = hmac::sign(&root, b"trunkline journal seal");
        let hash = hmac::sign(&root, b"trunkline journal hash");
        let seal = UnboundKey::new(&AES_256_GCM, seal.as_ref()).ok()?;
        Some(Key {
            seal: LessSafeKey::new(seal),
            hash: hmac::Key::new(hmac::HMAC_SHA256, hash.as_ref()),
            random: SystemRandom::new(),
        })
    }

    /// Seals a text for one delivery: a random nonce, then the text, then its tag.
    pub(super) fn seal(&self, id: &[u8; 16], text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut sealed = Zeroizing::new(text.to_vec());
        let tag = self
            .seal
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(id),
                &mut sealed,
            )
            .ok()?;
        Some([&nonce, sealed.as_slice(), tag.as_ref()].concat())
    }

    /// Opens what was sealed for this delivery; `None` for anything else.
    pub(super) fn unseal(&self, id: &[u8; 16], sealed: &[u8]) -> Option<Secret> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let opened = self.seal.open_in_place(nonce, Aad::from(id), &mut text);
        let opened = std::str::from_utf8(opened.ok()?).ok()?;
        Some(Secret::new(opened))
    }

    /// Eight bytes of a keyed hash; `kind` keeps numbers and users apart.
    pub(super) fn hash(&self, kind: &str, text: &str) -> u64 {
        let mut context = hmac::Context::with_key(&self.hash);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        let tag = context.sign();
        tag.as_ref()
            .iter()
            .take(8)
            .fold(0, |n, b| n << 8 | u64::from(*b))
    }

    /// What a sealed text may be tied to.
    pub(super) fn tie(id: DeliveryId) -> [u8; 16] {
        *id.as_bytes()
    }
}

/// Opens the database for writing: its directory, its lock, its schema and its key.
pub(super) fn open(settings: &Settings) -> Result<(File, Connection, Key), OpenError> {
    let path = &settings.path;
    let io = |what: &str, error: std::io::Error| {
        OpenError::Storage(format!("cannot {what} `{}`: {error}", path.display()))
    };
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(dir);
        made.map_err(|error| io("make the directory of", error))?;
    }
    let lock = private(path.with_extension("lock"), false).map_err(|e| io("lock", e))?;
    if lock.try_lock().is_err() {
        return Err(OpenError::Locked(path.clone()));
    }
    // Made private before SQLite would make it readable for all.
    private(path.clone(), false).map_err(|error| io("make", error))?;
    let mut connection = Connection::open(path).map_err(storage)?;
    prepare(&mut connection)?;
    let key = find_key(settings, &connection)?;
    Ok((lock, connection, key))
}

/// Opens a file that only its owner may read, making it when it is not there.
fn private(path: PathBuf, must_be_new: bool) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .create_new(must_be_new)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA busy_timeout = 5000;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(storage)?;
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(storage)?;
    if version > SCHEMA_VERSION {
        return Err(OpenError::Storage(format!(
            "the journal was written by a newer trunkline (schema {version}, this one knows {SCHEMA_VERSION})\n\nhint: run the newer one, or move the journal away"
        )));
    }
    if version < SCHEMA_VERSION {
        let transaction = connection.transaction().map_err(storage)?;
        transaction.execute_batch(SCHEMA).map_err(storage)?;
        transaction
            .pragma_update(None, "user_version", SCHEMA_VERSION)
            .map_err(storage)?;
        transaction.commit().map_err(storage)?;
    }
    Ok(())
}

fn find_key(settings: &Settings, connection: &Connection) -> Result<Key, OpenError> {
    let check: Option<Vec<u8>> = connection
        .query_row(
            "SELECT value FROM setting WHERE name = ?1",
            [CHECK_SETTING],
            |row| row.get(0),
        )
        .optional()
        .map_err(storage)?;
    let material = match &settings.key {
        Some(key) if key.expose().chars().count() < KEY_CHARS_MIN => {
            return Err(OpenError::WrongKey(format!(
                "`[journal] key` is shorter than {KEY_CHARS_MIN} characters\n\nhint: `openssl rand -hex 32` makes a good one"
            )));
        }
        Some(key) => key.clone(),
        None => key_file(&settings.path.with_extension("key"), check.is_some())?,
    };
    let material = digest::digest(&digest::SHA256, material.expose().as_bytes());
    let key = Key::of(material.as_ref());
    let key =
        key.ok_or_else(|| OpenError::WrongKey("the journal's key cannot be used".to_owned()))?;
    match check {
        Some(check) if key.unseal(&CHECK_ID, &check).is_none() => {
            Err(OpenError::WrongKey(format!(
                "the journal `{}` is sealed with another key\n\nhint: give back the key it was made with; without it what is in flight cannot be read",
                settings.path.display()
            )))
        }
        Some(_) => Ok(key),
        None => {
            let check = key.seal(&CHECK_ID, CHECK).unwrap_or_default();
            connection
                .execute(
                    "INSERT INTO setting (name, value) VALUES (?1, ?2)",
                    (CHECK_SETTING, check),
                )
                .map_err(storage)?;
            Ok(key)
        }
    }
}

/// The key file's text; made when there is none and the database is new.
fn key_file(path: &Path, needed: bool) -> Result<Secret, OpenError> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= KEY_CHARS_MIN => return Ok(Secret::new(text.trim())),
        Ok(_) => {
            return Err(OpenError::WrongKey(format!(
                "the key file `{}` holds no key\n\nhint: give back the one that was there",
                path.display()
            )));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpenError::WrongKey(format!(
                "the journal's key file `{}` is gone\n\nhint: give it back, or set `[journal] key`; a new key could not open what is sealed",
                path.display()
            )));
        }
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            return Err(OpenError::Storage(message));
        }
    }
    let mut bytes = [0; 32];
    let made = SystemRandom::new().fill(&mut bytes).is_ok();
    let text: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let written = made
        .then(|| private(path.to_owned(), true))
        .ok_or_else(|| std::io::Error::other("no random numbers"))
        .flatten()
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    match written {
        Ok(()) => Ok(Secret::new(text)),
        Err(error) => Err(OpenError::Storage(format!(
            "cannot write `{}`: {error}",
            path.display()
        ))),
    }
}
