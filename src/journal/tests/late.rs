//! What comes for a delivery that nobody feeds any more.

use super::*;

#[test]
fn late_events_come_behind_all_that_was_fed() {
    let place = Place::new();
    let journal = place.open();
    wait(journal.admit(admission(1))).unwrap();
    wait(journal.feed(fed(1, 0))).unwrap();
    wait(journal.feed(fed(1, 1))).unwrap();
    wait(journal.close(closed(1))).unwrap();
    let late = |event: &str| wait(journal.late(id(1), Moment(9_000), event.to_owned()));
    late("\"one\"").unwrap();
    late("\"two\"").unwrap();
    let record = journal.delivery(id(1)).unwrap().unwrap();
    let told: Vec<(u32, &str)> = record
        .fed
        .iter()
        .skip(2)
        .map(|f| (f.seq, &*f.event))
        .collect();
    assert_eq!(told, [(2, "\"one\""), (3, "\"two\"")]);
}

#[test]
fn what_is_late_for_an_unknown_delivery_fails_alone() {
    let place = Place::new();
    let journal = place.open();
    let unknown = journal.late(id(7), Moment(1), "\"x\"".to_owned());
    let known = journal.admit(admission(1));
    assert_eq!(wait(unknown), Err(Broken::Failed));
    assert_eq!(wait(known), Ok(()));
}

#[test]
fn people_addresses_and_references_have_keys_of_their_own() {
    let place = Place::new();
    let journal = place.open();
    let person = journal.person_hash("acme", Some("00u1"), NUMBER);
    assert_eq!(person, journal.person_hash("acme", Some("00u1"), NUMBER));
    assert_ne!(person, journal.person_hash("acme0", Some("0u1"), NUMBER));
    assert_ne!(person, journal.person_hash("acme", None, NUMBER));
    assert_ne!(journal.address_hash(NUMBER), journal.number_hash(NUMBER));
    let seal = journal.reference_seal(b"a");
    assert_eq!(seal, journal.reference_seal(b"a"));
    assert_ne!(seal, journal.reference_seal(b"b"));
}
