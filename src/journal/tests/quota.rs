//! What is counted against quotas outlives the process.

use super::*;

fn usage(name: &str, units: u64) -> Usage {
    Usage {
        name: name.into(),
        sandbox: false,
        from: Moment(0),
        until: Moment(1_000),
        units,
        capped: false,
    }
}

#[test]
fn the_last_count_of_each_quota_is_read_back() {
    let place = Place::new();
    let journal = place.open();
    assert_eq!(wait(journal.count(usage("a", 1))), Ok(()));
    assert_eq!(wait(journal.count(usage("b", 7))), Ok(()));
    let capped = Usage {
        capped: true,
        until: Moment(2_000),
        ..usage("a", u64::MAX)
    };
    assert_eq!(wait(journal.count(capped.clone())), Ok(()));
    drop(journal);
    let kept = place.open().usage(false).unwrap();
    let capped = Usage {
        // As large as a column can be.
        units: i64::MAX.cast_unsigned(),
        ..capped
    };
    assert_eq!(kept, [capped, usage("b", 7)]);
}

#[test]
fn counts_are_on_disk_with_what_was_written_after_them() {
    let place = Place::new();
    let journal = place.open();
    for units in 1..=9 {
        drop(journal.count(usage("a", units)));
    }
    wait(journal.admit(admission(1))).unwrap();
    // The process may be killed here: another one sees what this one has committed.
    let units: i64 = place
        .raw()
        .query_row("SELECT units FROM quota", [], |row| row.get(0))
        .unwrap();
    assert_eq!(units, 9);
}

#[test]
fn the_sandbox_counts_apart() {
    let place = Place::new();
    let journal = place.open();
    let sandbox = Usage {
        sandbox: true,
        ..usage("a", 5)
    };
    wait(journal.count(sandbox.clone())).unwrap();
    wait(journal.count(usage("a", 1))).unwrap();
    assert_eq!(journal.usage(true).unwrap(), [sandbox]);
    assert_eq!(journal.usage(false).unwrap(), [usage("a", 1)]);
}

#[test]
fn windows_that_are_over_are_pruned_with_deliveries_that_are_as_old() {
    let place = Place::new();
    let journal = place.open();
    wait(journal.count(usage("old", 1))).unwrap();
    let young = Usage {
        until: Moment(9_000),
        ..usage("young", 1)
    };
    wait(journal.count(young.clone())).unwrap();
    assert_eq!(wait(journal.prune(Moment(5_000))), Ok(()));
    assert_eq!(journal.usage(false).unwrap(), [young]);
}

#[test]
fn a_database_from_before_there_were_quotas_gets_the_table() {
    let place = Place::new();
    let journal = place.open();
    wait(journal.admit(admission(1))).unwrap();
    drop(journal);
    let raw = place.raw();
    raw.execute_batch("DROP TABLE quota").unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    drop(raw);
    let journal = place.open();
    assert_eq!(wait(journal.count(usage("a", 1))), Ok(()));
    assert!(journal.delivery(id(1)).unwrap().is_some());
}
