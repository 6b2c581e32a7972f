//! What the journal promises: durable when acknowledged, sealed, wiped, one owner, loud when broken.

use std::path::PathBuf;

use super::*;
use uuid::Uuid;

const NUMBER: &str = "+6591234567";
const SECRET: &str = r#"{"to":"+6591234567","text":"987654 is your code"}"#;

/// A directory that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        Dir(std::env::temp_dir().join(format!("trunkline-{}", Uuid::now_v7().simple())))
    }

    fn settings(&self) -> Settings {
        Settings {
            path: self.0.join("journal.db"),
            key: None,
        }
    }

    fn open(&self) -> Journal {
        open(&self.settings()).unwrap()
    }

    /// Every byte of every file of the database.
    fn bytes(&self) -> Vec<u8> {
        let files = ["journal.db", "journal.db-wal"];
        let read = files.map(|f| std::fs::read(self.0.join(f)).unwrap_or_default());
        read.concat()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn open(settings: &Settings) -> Result<Journal, OpenError> {
    Journal::open(settings, Clock::start(), |_| {})
}

fn id(n: u8) -> DeliveryId {
    DeliveryId::from_bytes([n; 16])
}

fn admission(n: u8) -> Admission {
    Admission {
        id: id(n),
        org: "acme".into(),
        event: Some(format!("event-{n}")),
        country: Country::parse("SG").unwrap(),
        channel: Channel::Sms,
        number: Some(Secret::new(NUMBER)),
        user: Some("00u1".to_owned()),
        admitted_at: Moment(1_000 + i64::from(n)),
        expires_at: Moment(301_000),
        sandbox: false,
        record: "{}".to_owned(),
        sealed: Secret::new(SECRET),
    }
}

fn closed(n: u8) -> Closed {
    Closed {
        id: id(n),
        at: Moment(2_000),
        outcome: Outcome::Accepted,
        answer: None,
    }
}

async fn kept(mut ack: Ack) -> Result<(), Broken> {
    ack.durable().await
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

#[tokio::test]
async fn what_is_acknowledged_is_there_after_reopening() {
    let dir = Dir::new();
    let journal = dir.open();
    kept(journal.admit(admission(1))).await.unwrap();
    let fed = Fed {
        id: id(1),
        seq: 0,
        at: Moment(1_100),
        event: "\"woke\"".to_owned(),
    };
    kept(journal.feed(fed.clone())).await.unwrap();
    kept(journal.answered(id(1), "told".to_owned()))
        .await
        .unwrap();
    journal.shut_down();
    drop(journal);
    let record = dir.open().delivery(id(1)).unwrap().unwrap();
    assert_eq!(record.secret.unwrap().expose(), SECRET);
    assert_eq!(record.fed, [fed]);
    assert_eq!(record.answer.as_deref(), Some("told"));
    assert_eq!(record.event.as_deref(), Some("event-1"));
    assert_eq!(record.country.as_str(), "SG");
    assert_eq!(record.closed, None);
}

#[tokio::test]
async fn nothing_secret_is_readable_on_disk_and_closing_wipes_it() {
    let dir = Dir::new();
    let journal = dir.open();
    kept(journal.admit(admission(1))).await.unwrap();
    for secret in ["6591234567", "987654", "00u1"] {
        assert!(!contains(&dir.bytes(), secret), "{secret}");
    }
    kept(journal.close(closed(1))).await.unwrap();
    let record = journal.delivery(id(1)).unwrap().unwrap();
    assert_eq!(record.secret, None);
    assert_eq!(record.closed, Some((Moment(2_000), Outcome::Accepted)));
}

#[tokio::test]
async fn look_ups_find_the_newest_first() {
    let dir = Dir::new();
    let journal = dir.open();
    for n in 1..=3 {
        kept(journal.admit(admission(n))).await.unwrap();
    }
    let ids = |by: Lookup| {
        let found = journal.find(&by, 2).unwrap();
        found.iter().map(|r| r.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Lookup::Phone(Secret::new(NUMBER))), [id(3), id(2)]);
    assert_eq!(ids(Lookup::User("00u1".to_owned())), [id(3), id(2)]);
    assert_eq!(ids(Lookup::Event("event-1".to_owned())), [id(1)]);
    assert!(ids(Lookup::Phone(Secret::new("+6591234568"))).is_empty());
}

#[tokio::test]
async fn sandbox_deliveries_and_closed_ones_are_not_taken_up() {
    let dir = Dir::new();
    let journal = dir.open();
    let play = Admission {
        sandbox: true,
        ..admission(1)
    };
    for admission in [play, admission(2), admission(3)] {
        kept(journal.admit(admission)).await.unwrap();
    }
    kept(journal.close(closed(3))).await.unwrap();
    let open = |sandbox| {
        let open = journal.open_deliveries(sandbox).unwrap();
        open.iter().map(|r| r.id).collect::<Vec<_>>()
    };
    assert_eq!(open(false), [id(2)]);
    assert_eq!(open(true), [id(1)]);
    let recent = journal.recent(Moment(1_003), false).unwrap();
    assert_eq!(recent.len(), 1);
    assert_eq!(recent[0].number_hash, Some(journal.number_hash(NUMBER)));
}

#[tokio::test]
async fn a_sealed_text_cannot_be_moved_to_another_delivery() {
    let dir = Dir::new();
    let journal = dir.open();
    kept(journal.admit(admission(1))).await.unwrap();
    kept(journal.admit(admission(2))).await.unwrap();
    journal.shut_down();
    let path = dir.settings().path;
    let connection = rusqlite::Connection::open(path).unwrap();
    let swap =
        "UPDATE delivery SET sealed = (SELECT sealed FROM delivery WHERE id = ?1) WHERE id = ?2";
    let swapped = connection.execute(swap, (id(1).as_bytes(), id(2).as_bytes()));
    assert_eq!(swapped, Ok(1));
    assert_eq!(journal.delivery(id(2)).unwrap().unwrap().secret, None);
    assert!(journal.delivery(id(1)).unwrap().unwrap().secret.is_some());
}

#[test]
fn a_second_process_is_refused() {
    let dir = Dir::new();
    let _first = dir.open();
    let told = open(&dir.settings()).err().unwrap().to_string();
    assert!(told.contains("another trunkline has the journal"), "{told}");
}

#[test]
fn another_key_is_refused_and_never_replaced() {
    let dir = Dir::new();
    let with = |key: &str| Settings {
        key: Some(Secret::new(key)),
        ..dir.settings()
    };
    open(&with("0123456789abcdef")).unwrap().shut_down();
    let refused = |settings: Settings, expected: &str| {
        let told = open(&settings).err().unwrap().to_string();
        assert!(told.contains(expected), "{told}");
    };
    refused(with("fedcba9876543210"), "sealed with another key");
    refused(with("short"), "shorter than 16 characters");
    refused(dir.settings(), "is gone");
    assert!(!dir.0.join("journal.key").exists());
    open(&with("0123456789abcdef")).unwrap();
}

#[test]
fn a_made_key_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let _journal = dir.open();
    for file in ["journal.key", "journal.db"] {
        let mode = std::fs::metadata(dir.0.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn one_bad_entry_does_not_take_its_group_with_it() {
    let dir = Dir::new();
    let journal = dir.open();
    let acks = [1, 1, 2].map(|n| journal.admit(admission(n)));
    let mut told = Vec::new();
    for ack in acks {
        told.push(kept(ack).await);
    }
    assert_eq!(told, [Ok(()), Err(Broken::Failed), Ok(())]);
    kept(journal.probe()).await.unwrap();
    assert!(journal.is_healthy());
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let dir = Dir::new();
    let journal = dir.open();
    // Another connection holds the database, so that the writer is stuck in its first commit.
    let blocker = rusqlite::Connection::open(dir.settings().path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let probes: Vec<Ack> = (0..2 * QUEUE_MAX).map(|_| journal.probe()).collect();
    let refused = probes.iter().filter(|a| matches!(a.0, Err(Broken::Full)));
    assert!(refused.count() >= QUEUE_MAX - 1_024);
    blocker.execute_batch("ROLLBACK").unwrap();
    let first = probes.into_iter().next().unwrap();
    kept(first).await.unwrap();
}

#[tokio::test]
async fn settings_are_kept_and_removed() {
    let dir = Dir::new();
    let journal = dir.open();
    let put =
        |value: Option<&str>| journal.put_setting("off/x".to_owned(), value.map(str::to_owned));
    kept(put(Some("{}"))).await.unwrap();
    assert_eq!(
        journal.settings().unwrap(),
        [("off/x".to_owned(), "{}".to_owned())]
    );
    kept(put(None)).await.unwrap();
    assert!(journal.settings().unwrap().is_empty());
}

#[tokio::test]
async fn only_old_and_closed_deliveries_are_pruned() {
    let dir = Dir::new();
    let journal = dir.open();
    for n in 1..=3 {
        kept(journal.admit(admission(n))).await.unwrap();
    }
    kept(journal.close(closed(1))).await.unwrap();
    kept(journal.close(closed(3))).await.unwrap();
    kept(journal.prune(Moment(1_003))).await.unwrap();
    let there = [1, 2, 3].map(|n| journal.delivery(id(n)).unwrap().is_some());
    assert_eq!(there, [false, true, true]);
}

#[tokio::test]
async fn after_the_end_nothing_is_taken() {
    let dir = Dir::new();
    let journal = dir.open();
    journal.shut_down();
    assert_eq!(kept(journal.probe()).await, Err(Broken::Gone));
}
