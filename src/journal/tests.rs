//! What the journal keeps, and what it does when it cannot.

mod late;
mod opening;
mod quota;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::writer::{GROUP_MAX, PRUNE_CHUNK, STALL_MS};
use super::*;
use crate::flow::{Channel, Outcome};
use crate::number::Country;

const NUMBER: &str = "+14155550112";
const CODE: &str = "739251";

/// A directory that is gone after the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trunkline-journal-{}-{count}", std::process::id());
        Place(std::env::temp_dir().join(name))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("data").join(name)
    }

    fn settings(&self) -> Settings {
        Settings {
            path: self.file("trunkline.db"),
            key: None,
            keep_ms: 1_000,
        }
    }

    fn with_key(&self, key: &str) -> Settings {
        Settings {
            key: Some(Secret::new(key)),
            ..self.settings()
        }
    }

    fn open(&self) -> Journal {
        open(&self.settings()).unwrap()
    }

    /// The database as anybody with a tool of their own would open it.
    fn raw(&self) -> Connection {
        Connection::open(self.file("trunkline.db")).unwrap()
    }

    /// The sealed part of the only delivery.
    fn sealed(&self) -> Vec<u8> {
        self.raw()
            .query_row("SELECT sealed FROM deliveries", [], |row| row.get(0))
            .unwrap()
    }

    /// Whether any of the files, the log included, has these bytes.
    fn holds(&self, bytes: &[u8]) -> bool {
        fs::read_dir(self.0.join("data")).unwrap().any(|entry| {
            let file = fs::read(entry.unwrap().path()).unwrap();
            file.windows(bytes.len()).any(|part| part == bytes)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn open(settings: &Settings) -> Result<Journal, OpenError> {
    Journal::open(settings, Clock::start(), |_| ())
}

fn wait(ack: Ack) -> Result<(), Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut ack = ack;
    runtime.block_on(ack.durable())
}

fn id(n: u8) -> DeliveryId {
    DeliveryId::from_bytes([n; 16])
}

fn admission(n: u8) -> Admission {
    Admission {
        id: id(n),
        org: "acme".into(),
        event: Some(format!("event-{n}")),
        country: Country::parse("US").unwrap(),
        channel: Channel::Voice,
        number: Some(NUMBER.to_owned()),
        user: Some("00u1".to_owned()),
        admitted_at: Moment(1_000 + i64::from(n)),
        expires_at: Moment(301_000),
        sandbox: false,
        record: r#"{"plan":1}"#.to_owned(),
        sealed: secret(),
    }
}

fn secret() -> Secret {
    Secret::new(format!(r#"{{"number":"{NUMBER}","code":"{CODE}"}}"#))
}

fn fed(n: u8, seq: u32) -> Fed {
    Fed {
        id: id(n),
        seq,
        at: Moment(2_000 + i64::from(seq)),
        event: r#""woke""#.to_owned(),
    }
}

fn closed(n: u8) -> Closed {
    Closed {
        id: id(n),
        at: Moment(9_000),
        outcome: Outcome::Delivered,
        answer: None,
    }
}

fn ids(records: &[Record]) -> Vec<DeliveryId> {
    records.iter().map(|r| r.id).collect()
}

/// A journal whose writer stops after each commit until the gate gives way or is dropped.
fn open_with_gate(place: &Place) -> (Journal, Receiver<()>, Sender<()>) {
    let (arrived, arrivals) = channel();
    let (gate, way) = channel::<()>();
    let on_commit = move |_| {
        // The test may have stopped to look; a dropped gate is an open one.
        let _unheard = arrived.send(());
        let _open = way.recv();
    };
    let journal = Journal::open(&place.settings(), Clock::start(), on_commit).unwrap();
    (journal, arrivals, gate)
}

#[test]
fn what_was_written_is_read_back_after_a_restart() {
    let place = Place::new();
    let journal = place.open();
    assert_eq!(wait(journal.admit(admission(1))), Ok(()));
    assert_eq!(wait(journal.feed(fed(1, 1))), Ok(()));
    assert_eq!(wait(journal.feed(fed(1, 0))), Ok(()));
    assert_eq!(wait(journal.answered(id(1), "yes".to_owned())), Ok(()));
    journal.shutdown();
    drop(journal);

    let expected = Record {
        id: id(1),
        org: "acme".into(),
        event: Some("event-1".to_owned()),
        country: Country::parse("US").unwrap(),
        channel: Channel::Voice,
        admitted_at: Moment(1_001),
        expires_at: Moment(301_000),
        sandbox: false,
        record: r#"{"plan":1}"#.to_owned(),
        secret: Some(secret()),
        fed: vec![fed(1, 0), fed(1, 1)],
        answer: Some("yes".to_owned()),
        closed: None,
    };
    let journal = place.open();
    assert_eq!(journal.delivery(id(1)).unwrap(), Some(expected));
    assert_eq!(journal.delivery(id(2)).unwrap(), None);
}

#[test]
fn what_was_acknowledged_outlives_a_crash() {
    let place = Place::new();
    let after = Place::new();
    let journal = place.open();
    for n in 0..20 {
        assert_eq!(wait(journal.admit(admission(n))), Ok(()));
    }
    // The files as they are at this moment, as after the loss of power: the log was never emptied.
    fs::create_dir_all(after.0.join("data")).unwrap();
    for name in ["trunkline.db", "trunkline.db-wal", "trunkline.key"] {
        fs::copy(place.file(name), after.file(name)).unwrap();
    }
    let opened = after.open().open_deliveries(false).unwrap();
    assert_eq!(ids(&opened), (0..20).map(id).collect::<Vec<_>>());
}

#[test]
fn a_drop_without_shutdown_loses_nothing_and_frees_the_lock() {
    let place = Place::new();
    let journal = place.open();
    let acks: Vec<Ack> = (0..100).map(|n| journal.admit(admission(n))).collect();
    drop(journal);
    assert!(acks.into_iter().all(|ack| wait(ack).is_ok()));
    assert_eq!(place.open().open_deliveries(false).unwrap().len(), 100);
}

#[test]
fn every_outcome_and_channel_is_read_back() {
    let place = Place::new();
    let journal = place.open();
    let outcomes = [
        Outcome::Delivered,
        Outcome::Accepted,
        Outcome::Undelivered,
        Outcome::Expired,
        Outcome::Superseded,
        Outcome::Blocked,
        Outcome::Denied,
        Outcome::Converted,
        Outcome::Disowned,
    ];
    for (n, outcome) in (0..).zip(outcomes) {
        let channel = Channel::ALL[usize::from(n % 2)];
        let admission = Admission {
            channel,
            ..admission(n)
        };
        assert_eq!(wait(journal.admit(admission)), Ok(()));
        let closed = Closed {
            outcome,
            answer: Some("yes".to_owned()),
            ..closed(n)
        };
        assert_eq!(wait(journal.close(closed)), Ok(()));
        let record = journal.delivery(id(n)).unwrap().unwrap();
        assert_eq!(record.closed, Some((Moment(9_000), outcome)));
        assert_eq!(record.answer.as_deref(), Some("yes"));
        assert_eq!(record.channel, channel);
    }
}

#[test]
fn neither_number_nor_code_nor_user_is_ever_on_disk() {
    let place = Place::new();
    let journal = place.open();
    assert_eq!(wait(journal.admit(admission(1))), Ok(()));
    assert!(place.holds(b"acme"), "the search finds nothing at all");
    for secret in [&NUMBER[1..], CODE, "00u1"] {
        assert!(!place.holds(secret.as_bytes()), "{secret}");
    }
}

#[test]
fn a_close_wipes_what_was_sealed() {
    let place = Place::new();
    let journal = place.open();
    assert_eq!(wait(journal.admit(admission(1))), Ok(()));
    let sealed = place.sealed();
    assert!(place.holds(&sealed));

    assert_eq!(wait(journal.close(closed(1))), Ok(()));
    let record = journal.delivery(id(1)).unwrap().unwrap();
    assert_eq!(record.secret, None);
    assert_eq!(record.closed, Some((Moment(9_000), Outcome::Delivered)));
    assert_eq!(wait(journal.prune(Moment(0))), Ok(()));
    assert!(!place.holds(&sealed), "after pruning");
}

#[test]
fn a_shutdown_leaves_nothing_of_what_was_wiped() {
    let place = Place::new();
    let journal = place.open();
    assert_eq!(wait(journal.admit(admission(1))), Ok(()));
    let sealed = place.sealed();
    journal.shutdown();
    assert!(place.holds(&sealed));
    drop(journal);
    let journal = place.open();
    assert_eq!(wait(journal.close(closed(1))), Ok(()));
    journal.shutdown();
    assert!(!place.holds(&sealed));
}

#[test]
fn what_waits_is_committed_together_and_each_is_told() {
    let place = Place::new();
    let (journal, arrivals, gate) = open_with_gate(&place);
    let first = journal.probe();
    arrivals.recv().unwrap();
    let good = journal.admit(admission(1));
    let twin = journal.admit(admission(1));
    let other = journal.admit(admission(2));
    let orphan = journal.feed(fed(3, 0));
    drop(gate);
    assert_eq!(wait(first), Ok(()));
    assert_eq!(wait(good), Ok(()));
    assert_eq!(wait(twin), Err(Broken::Failed));
    assert_eq!(wait(other), Ok(()));
    assert_eq!(wait(orphan), Err(Broken::Failed));
    assert!(journal.is_healthy());
    assert_eq!(arrivals.try_iter().count(), 1, "commits");
    assert_eq!(wait(journal.close(closed(9))), Err(Broken::Failed));
}

#[test]
fn a_full_queue_refuses_at_once() {
    let place = Place::new();
    let (journal, arrivals, gate) = open_with_gate(&place);
    let first = journal.probe();
    arrivals.recv().unwrap();
    let waiting: Vec<Ack> = (0..QUEUE_MAX).map(|_| journal.probe()).collect();
    assert_eq!(wait(journal.admit(admission(1))), Err(Broken::Full));
    drop(gate);
    assert_eq!(wait(first), Ok(()));
    assert!(waiting.into_iter().all(|ack| wait(ack).is_ok()));
    assert_eq!(arrivals.try_iter().count(), QUEUE_MAX / GROUP_MAX);
    assert_eq!(wait(journal.admit(admission(1))), Ok(()));
}

#[test]
fn a_database_that_fails_is_known_to_and_recovers() {
    let place = Place::new();
    let journal = place.open();
    let raw = place.raw();
    raw.execute_batch("ALTER TABLE about RENAME TO away")
        .unwrap();
    assert_eq!(wait(journal.probe()), Err(Broken::Failed));
    assert!(!journal.is_healthy());
    raw.execute_batch("ALTER TABLE away RENAME TO about")
        .unwrap();
    assert_eq!(wait(journal.probe()), Ok(()));
    assert!(journal.is_healthy());
}

#[test]
fn a_failed_commit_fails_all_of_its_members() {
    let place = Place::new();
    let (journal, arrivals, gate) = open_with_gate(&place);
    let first = journal.probe();
    arrivals.recv().unwrap();
    place
        .raw()
        .execute_batch("ALTER TABLE settings RENAME TO away")
        .unwrap();
    let admitted = journal.admit(admission(1));
    let setting = journal.put_setting("a".to_owned(), Some("b".to_owned()));
    drop(gate);
    assert_eq!(wait(first), Ok(()));
    assert_eq!(wait(admitted), Err(Broken::Failed));
    assert_eq!(wait(setting), Err(Broken::Failed));
    assert_eq!(journal.delivery(id(1)).unwrap(), None);
    assert_eq!(wait(journal.admit(admission(1))), Ok(()));
}

#[test]
fn a_stalled_disk_is_unhealthy() {
    let health = Health::new();
    assert!(health.is_well(Moment(1_000_000)));
    health.busy_since(Moment(5_000));
    assert!(health.is_well(Moment(5_000 + STALL_MS - 1)));
    assert!(!health.is_well(Moment(5_000 + STALL_MS)));
}

#[test]
fn a_shut_journal_says_so() {
    let place = Place::new();
    let journal = place.open();
    journal.shutdown();
    journal.shutdown();
    assert!(!journal.is_healthy());
    assert_eq!(wait(journal.probe()), Err(Broken::Gone));
    assert_eq!(wait(journal.prune_old()), Err(Broken::Gone));
}

#[test]
fn deliveries_are_found_by_number_user_and_event() {
    let place = Place::new();
    let journal = place.open();
    for n in [1, 2, 3] {
        assert_eq!(wait(journal.admit(admission(n))), Ok(()));
    }
    let stranger = Admission {
        number: Some("+4915112345678".to_owned()),
        user: None,
        ..admission(4)
    };
    assert_eq!(wait(journal.admit(stranger)), Ok(()));
    let find = |by: Lookup, limit| ids(&journal.find(&by, limit).unwrap());
    let phone = || Lookup::Phone(NUMBER.to_owned());
    assert_eq!(find(phone(), 10), [id(3), id(2), id(1)]);
    assert_eq!(find(phone(), 2), [id(3), id(2)]);
    let user = |user: &str| Lookup::User(user.to_owned());
    assert_eq!(find(user("00u1"), 10), [id(3), id(2), id(1)]);
    assert_eq!(find(user("00u2"), 10), []);
    assert_eq!(find(Lookup::Event("event-4".to_owned()), 10), [id(4)]);
}

#[test]
fn open_and_recent_deliveries_keep_the_sandbox_apart() {
    let place = Place::new();
    let journal = place.open();
    for n in [3, 1, 2, 4] {
        let sandbox = n == 4;
        let admission = Admission {
            sandbox,
            ..admission(n)
        };
        assert_eq!(wait(journal.admit(admission)), Ok(()));
    }
    let ended = Closed {
        answer: Some("yes".to_owned()),
        ..closed(2)
    };
    assert_eq!(wait(journal.close(ended)), Ok(()));
    let open = |sandbox| ids(&journal.open_deliveries(sandbox).unwrap());
    assert_eq!(open(false), [id(1), id(3)]);
    assert_eq!(open(true), [id(4)]);

    let recent = journal.recent(Moment(1_002), false).unwrap();
    let seen: Vec<_> = recent.iter().map(|r| (r.id, r.answer.as_deref())).collect();
    assert_eq!(seen, [(id(2), Some("yes")), (id(3), None)]);
    assert_eq!(recent[0].number_hash, Some(journal.number_hash(NUMBER)));
    assert_eq!(recent[0].event.as_deref(), Some("event-2"));
    assert_eq!(journal.recent(Moment(0), true).unwrap().len(), 1);
}

#[test]
fn pruning_deletes_what_is_closed_and_old_in_chunks() {
    let place = Place::new();
    let journal = place.open();
    let old = 2 * u8::try_from(PRUNE_CHUNK).unwrap() + 10;
    for n in 0..=old {
        journal.admit(admission(n));
        journal.feed(fed(n, 0));
        if n != 5 {
            journal.close(closed(n));
        }
    }
    let before = admission(old).admitted_at;
    assert_eq!(wait(journal.prune(before)), Ok(()));
    let left = journal.recent(Moment(0), false).unwrap();
    let left: Vec<_> = left.iter().map(|r| r.id).collect();
    assert_eq!(left, [id(5), id(old)]);
    let fed: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM fed", [], |row| row.get(0))
        .unwrap();
    assert_eq!(fed, 2);
    assert_eq!(wait(journal.close(closed(5))), Ok(()));
    assert_eq!(wait(journal.prune_old()), Ok(()));
    assert_eq!(journal.recent(Moment(0), false).unwrap(), []);
}

#[test]
fn settings_outlive_a_restart() {
    let place = Place::new();
    let journal = place.open();
    let put = |name: &str, value: Option<&str>| {
        wait(journal.put_setting(name.to_owned(), value.map(str::to_owned)))
    };
    assert_eq!(put("b", Some("1")), Ok(()));
    assert_eq!(put("a", Some("2")), Ok(()));
    assert_eq!(put("b", Some("3")), Ok(()));
    assert_eq!(put("a", None), Ok(()));
    assert_eq!(put("never", None), Ok(()));
    assert_eq!(wait(journal.probe()), Ok(()));
    drop(journal);
    let kept = place.open().settings().unwrap();
    assert_eq!(kept, [("b".to_owned(), "3".to_owned())]);
}

#[test]
fn debug_shows_no_secret() {
    let admission = format!("{:?}", admission(1));
    let lookup = format!("{:?}", Lookup::Phone(NUMBER.to_owned()));
    for shown in [admission, lookup] {
        assert!(!shown.contains(&NUMBER[1..]), "{shown}");
        assert!(!shown.contains(CODE) && !shown.contains("00u1"), "{shown}");
    }
}
