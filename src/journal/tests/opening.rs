//! Whom the journal opens for: lock, key, seals, files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::flow::Secret;
use crate::journal::keys::Keys;
use crate::journal::tests::{NUMBER, Place, admission, id, open, secret, wait};
use crate::journal::{Settings, disk};

#[track_caller]
fn refusal(settings: &Settings) -> String {
    open(settings).err().expect("a refusal").to_string()
}

#[test]
fn another_key_is_refused_and_nothing_is_made() {
    let place = Place::new();
    drop(open(&place.with_key("the first of two keys")).unwrap());
    let told = refusal(&place.with_key("the second of two keys"));
    assert!(told.contains("was sealed with another key"), "{told}");
    assert!(told.contains("hint: set `journal.key`"), "{told}");
    let told = refusal(&place.settings());
    assert!(told.contains("is missing"), "{told}");
    assert!(!place.file("trunkline.key").exists());
    open(&place.with_key("the first of two keys")).unwrap();
}

#[test]
fn a_lost_key_file_is_never_replaced() {
    let place = Place::new();
    let key = place.file("trunkline.key");
    drop(place.open());
    let text = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let told = refusal(&place.settings());
    assert!(told.contains("the key of the journal"), "{told}");
    assert!(told.contains("trunkline.key` from where"), "{told}");
    assert!(!key.exists());

    fs::write(&key, "0".repeat(64)).unwrap();
    let told = refusal(&place.settings());
    assert!(told.contains("was sealed with another key"), "{told}");
    fs::write(&key, &text[1..]).unwrap();
    let told = refusal(&place.settings());
    assert!(told.contains("does not hold a key"), "{told}");
    assert!(!told.contains(text.trim()) && !told.contains(text[1..].trim()));
    fs::write(&key, &text).unwrap();
    drop(place.open());
    // The file's text may move into the configuration.
    open(&place.with_key(text.trim())).unwrap();
}

#[test]
fn a_short_key_is_refused() {
    let place = Place::new();
    let told = refusal(&place.with_key("fifteen letters"));
    assert!(told.contains("fewer than 16 characters"), "{told}");
    assert!(!told.contains("fifteen letters"));
}

#[test]
fn the_files_are_for_their_owner_only() {
    let place = Place::new();
    let journal = place.open();
    assert_eq!(wait(journal.probe()), Ok(()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.0.join("data")), 0o700);
    for name in ["trunkline.key", "trunkline.db", "trunkline.db-wal"] {
        assert_eq!(mode(&place.file(name)), 0o600, "{name}");
    }
}

#[test]
fn a_second_process_is_kept_away() {
    let place = Place::new();
    let journal = place.open();
    let told = refusal(&place.settings());
    assert!(told.contains("in use by another process"), "{told}");
    assert_eq!(wait(journal.probe()), Ok(()));
    journal.shutdown();
    place.open();
}

#[test]
fn a_newer_journal_and_a_file_that_is_none_are_refused() {
    let place = Place::new();
    drop(place.open());
    place.raw().pragma_update(None, "user_version", 99).unwrap();
    let told = refusal(&place.settings());
    assert!(told.contains("has version 99"), "{told}");
    fs::write(place.file("trunkline.db"), "no database".repeat(100)).unwrap();
    let told = refusal(&place.settings());
    assert!(told.contains("cannot be opened"), "{told}");
}

#[test]
fn a_changed_seal_does_not_open() {
    let keys = Keys::derive(&Secret::new("sixteen characters"));
    let sealed = keys.seal(id(1), &secret()).unwrap();
    assert_eq!(keys.unseal(id(1), &sealed), Some(secret()));
    assert_eq!(keys.unseal(id(2), &sealed), None);
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert_eq!(keys.unseal(id(1), &changed), None);
        assert_eq!(keys.unseal(id(1), &sealed[..place]), None);
    }
    assert_ne!(keys.seal(id(1), &secret()).unwrap(), sealed);
}

#[test]
fn a_seal_opens_for_its_own_delivery_only() {
    let place = Place::new();
    let journal = place.open();
    for n in [1, 2] {
        assert_eq!(wait(journal.admit(admission(n))), Ok(()));
    }
    let swap = "UPDATE deliveries SET sealed = (SELECT sealed FROM deliveries AS other \
                WHERE other.id <> deliveries.id) WHERE id = ?1";
    assert_eq!(place.raw().execute(swap, [id(1).as_bytes()]).unwrap(), 1);
    assert_eq!(journal.delivery(id(1)).unwrap().unwrap().secret, None);
    let other = journal.delivery(id(2)).unwrap().unwrap();
    assert_eq!(other.secret, Some(secret()));
}

#[test]
fn hashes_depend_on_key_and_kind() {
    let keys = Keys::derive(&Secret::new("sixteen characters"));
    let other = Keys::derive(&Secret::new("sixteen character!"));
    assert_ne!(keys.number_hash(NUMBER), other.number_hash(NUMBER));
    assert_ne!(keys.number_hash(NUMBER), keys.user_hash(NUMBER));
    assert_ne!(keys.check(), other.check());
}

#[test]
fn the_database_is_as_safe_as_it_was_asked_to_be() {
    let place = Place::new();
    drop(place.open());
    let connection = disk::open_to_write(&place.file("trunkline.db")).unwrap();
    let is = |name: &str, expected: i64| {
        let value: i64 = connection
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap();
        assert_eq!(value, expected, "{name}");
    };
    is("synchronous", 2);
    is("secure_delete", 1);
    is("foreign_keys", 1);
}

#[test]
fn lock_and_key_are_never_the_database_itself() {
    let beside = |path: &str| disk::beside(Path::new(path), "key");
    assert_eq!(beside("data/trunkline.db"), Path::new("data/trunkline.key"));
    assert_eq!(
        beside("data/trunkline.key"),
        Path::new("data/trunkline.key.key")
    );
    assert_eq!(beside("trunkline"), Path::new("trunkline.key"));
}
