//! Turns the journal's key into seals and keyed hashes.

use std::path::{Path, PathBuf};
use std::{fs, io};

use ring::rand::{SecureRandom, SystemRandom};
use ring::{aead, hmac};

use crate::flow::{DeliveryId, Secret};
use crate::journal::disk;
use crate::journal::open_error::{KeySource, OpenError};

/// A configured key shorter than this is a password, and a poor one.
pub(crate) const KEY_CHARS_MIN: usize = 16;
/// A key file holds so many random bytes, as hexadecimal digits.
const KEY_FILE_BYTES: usize = 32;
/// 80 bits: nobody guesses one, and an address with it stays short.
pub const REFERENCE_SEAL_BYTES: usize = 10;
/// A seal begins with its nonce.
const NONCE_BYTES: usize = aead::NONCE_LEN;

/// The key's text, and where it came from.
pub(crate) struct Material {
    pub(crate) text: Secret,
    pub(crate) source: KeySource,
}

/// Finds the key: the configured one, else the file beside the database. A file is made only when
/// `may_mint`, that is, when nothing was ever sealed with another one.
pub(crate) fn find_key(
    configured: Option<&Secret>,
    database: &Path,
    may_mint: bool,
) -> Result<Material, OpenError> {
    if let Some(text) = configured {
        if text.expose().chars().count() < KEY_CHARS_MIN {
            return Err(OpenError::ShortKey);
        }
        return Ok(Material {
            text: text.clone(),
            source: KeySource::Configured,
        });
    }
    let path = disk::beside(database, "key");
    let text = match fs::read_to_string(&path) {
        Ok(text) => read_key_file(&path, &Secret::new(text))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && may_mint => mint_key_file(&path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::WrongKey {
                path: database.to_owned(),
                key: KeySource::LostFile(path),
            });
        }
        Err(source) => return Err(OpenError::Io { path, source }),
    };
    Ok(Material {
        text,
        source: KeySource::File(path),
    })
}

fn read_key_file(path: &Path, text: &Secret) -> Result<Secret, OpenError> {
    let digits = text.expose().trim();
    let is_key =
        digits.len() == KEY_FILE_BYTES * 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_key {
        return Err(OpenError::KeyFile {
            path: path.to_owned(),
        });
    }
    Ok(Secret::new(digits))
}

fn mint_key_file(path: &Path) -> Result<Secret, OpenError> {
    let io_error = |path: PathBuf| move |source| OpenError::Io { path, source };
    let mut bytes = [0; KEY_FILE_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system gives no random bytes"))
        .map_err(io_error(path.to_owned()))?;
    let text = Secret::new(hex(&bytes));
    disk::write_private(path, text.expose()).map_err(io_error(path.to_owned()))?;
    Ok(text)
}

/// Everything that is made from the journal's key.
pub(crate) struct Keys {
    seals: hmac::Key,
    numbers: hmac::Key,
    users: hmac::Key,
    people: hmac::Key,
    addresses: hmac::Key,
    references: hmac::Key,
    check: String,
}

impl Keys {
    /// Derives a key for each use, so that none can stand in for another.
    pub(crate) fn derive(text: &Secret) -> Keys {
        let salt = hmac::Key::new(hmac::HMAC_SHA256, b"trunkline journal 1");
        let root = subkey(&salt, text.expose().as_bytes());
        Keys {
            seals: subkey(&root, b"seal"),
            numbers: subkey(&root, b"number"),
            users: subkey(&root, b"user"),
            people: subkey(&root, b"person"),
            addresses: subkey(&root, b"address"),
            references: subkey(&root, b"reference"),
            check: hex(hmac::sign(&root, b"check").as_ref()),
        }
    }

    /// What the database keeps to know this key again; it tells nothing about the key.
    pub(crate) fn check(&self) -> &str {
        &self.check
    }

    /// The keyed hash of a number in E.164.
    pub(crate) fn number_hash(&self, e164: &str) -> u64 {
        first_eight(&hmac::sign(&self.numbers, e164.as_bytes()))
    }

    /// The keyed hash of a user's id.
    pub(crate) fn user_hash(&self, user: &str) -> u64 {
        first_eight(&hmac::sign(&self.users, user.as_bytes()))
    }

    /// The keyed hash of one person at one number of one org.
    pub(crate) fn person_hash(&self, org: &str, user: Option<&str>, e164: &str) -> u64 {
        let mut context = hmac::Context::with_key(&self.people);
        for part in [org, user.unwrap_or_default(), e164] {
            // Lengths first, so that no two different people make the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        first_eight(&context.sign())
    }

    /// The keyed hash of an address that somebody asked from.
    pub(crate) fn address_hash(&self, address: &str) -> u64 {
        first_eight(&hmac::sign(&self.addresses, address.as_bytes()))
    }

    /// The part of a reference that only we can make.
    pub(crate) fn reference_seal(&self, refers_to: &[u8]) -> [u8; REFERENCE_SEAL_BYTES] {
        let tag = hmac::sign(&self.references, refers_to);
        let mut seal = [0; REFERENCE_SEAL_BYTES];
        seal.copy_from_slice(&tag.as_ref()[..REFERENCE_SEAL_BYTES]);
        seal
    }

    /// Seals a text to one delivery; `None` only when the system gives no random bytes.
    pub(crate) fn seal(&self, id: DeliveryId, text: &Secret) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let text = text.expose().as_bytes();
        // All room at once: growing would leave a copy of the text behind.
        let mut sealed = Vec::with_capacity(NONCE_BYTES + text.len() + aead::MAX_TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text);
        let tag = self
            .seal_key(id)?
            .seal_in_place_separate_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(id.as_bytes()),
                &mut sealed[NONCE_BYTES..],
            )
            .ok()?;
        sealed.extend_from_slice(tag.as_ref());
        Some(sealed)
    }

    /// Opens a seal; `None` when it was made with another key, for another delivery, or was changed.
    pub(crate) fn unseal(&self, id: DeliveryId, sealed: &[u8]) -> Option<Secret> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut text = rest.to_vec();
        let length = self
            .seal_key(id)?
            .open_in_place(
                aead::Nonce::assume_unique_for_key(*nonce),
                aead::Aad::from(id.as_bytes()),
                &mut text,
            )
            .ok()?
            .len();
        text.truncate(length);
        String::from_utf8(text).ok().map(Secret::new)
    }

    /// Each delivery has a key of its own, so that random nonces cannot meet however many there are.
    fn seal_key(&self, id: DeliveryId) -> Option<aead::LessSafeKey> {
        let bytes = hmac::sign(&self.seals, id.as_bytes());
        aead::UnboundKey::new(&aead::AES_256_GCM, bytes.as_ref())
            .ok()
            .map(aead::LessSafeKey::new)
    }
}

fn subkey(key: &hmac::Key, label: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(key, label).as_ref())
}

fn first_eight(tag: &hmac::Tag) -> u64 {
    tag.as_ref()
        .iter()
        .take(8)
        .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
