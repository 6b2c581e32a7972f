//! Who is let in, and exactly how often.

use super::*;

const MINUTE_MS: i64 = 60_000;

fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

fn settings(limit: &str) -> Settings {
    Settings {
        allow: Allow::Some(BTreeSet::from([country("SG")])),
        per_number: Limit::parse(limit).unwrap(),
    }
}

fn admit(counts: &mut NumberCounts, limit: &str, number: u64, ms: i64) -> bool {
    counts
        .admit(&settings(limit), country("SG"), number, Moment(ms))
        .is_ok()
}

#[test]
fn a_country_that_is_not_allowed_is_refused_and_not_counted() {
    let mut counts = NumberCounts::default();
    let refused = counts.admit(&settings("1/m"), country("FR"), 1, Moment(0));
    assert_eq!(refused, Err(Refusal::Country));
    assert!(admit(&mut counts, "1/m", 1, 0));
}

#[test]
fn every_country_includes_none() {
    let mut every = settings("1/m");
    every.allow = Allow::Every;
    assert!(every.allows(Country::NONE) && every.allows(country("FR")));
    assert!(!settings("1/m").allows(Country::NONE));
}

#[test]
fn one_number_has_as_many_as_the_limit_says() {
    let mut counts = NumberCounts::default();
    for ms in 0..10 {
        assert!(admit(&mut counts, "10/10m", 1, ms));
    }
    let refused = counts.admit(&settings("10/10m"), country("SG"), 1, Moment(10));
    assert_eq!(refused, Err(Refusal::PerNumber));
    assert!(admit(&mut counts, "10/10m", 2, 10), "another number");
}

#[test]
fn the_window_slides_and_is_open_at_its_end() {
    let mut counts = NumberCounts::default();
    assert!(admit(&mut counts, "2/1m", 1, 0));
    assert!(admit(&mut counts, "2/1m", 1, 30_000));
    assert!(!admit(&mut counts, "2/1m", 1, MINUTE_MS - 1));
    assert!(admit(&mut counts, "2/1m", 1, MINUTE_MS));
    assert!(!admit(&mut counts, "2/1m", 1, MINUTE_MS + 29_999));
    assert!(admit(&mut counts, "2/1m", 1, MINUTE_MS + 30_000));
}

#[test]
fn no_window_ever_holds_more_than_the_limit() {
    let mut counts = NumberCounts::default();
    let mut admitted: Vec<i64> = Vec::new();
    let mut seed: i64 = 7;
    let mut now = 0;
    for _ in 0..5_000 {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        now += seed % 9_000;
        if admit(&mut counts, "5/30s", 1, now) {
            admitted.push(now);
        }
    }
    assert!(admitted.len() > 1_000);
    for window in admitted.windows(6) {
        assert!(window[5] - window[0] >= 30_000, "{window:?}");
    }
}

#[test]
fn a_refused_message_does_not_count() {
    let mut counts = NumberCounts::default();
    assert!(admit(&mut counts, "1/1m", 1, 0));
    for ms in 1..100 {
        assert!(!admit(&mut counts, "1/1m", 1, ms));
    }
    assert!(admit(&mut counts, "1/1m", 1, MINUTE_MS));
}

#[test]
fn what_is_remembered_counts_in_any_order() {
    let mut counts = NumberCounts::default();
    counts.remember(1, Moment(40_000));
    counts.remember(1, Moment(10_000));
    assert!(!admit(&mut counts, "2/1m", 1, 50_000));
    assert!(admit(&mut counts, "2/1m", 1, 70_000));
    assert!(!admit(&mut counts, "2/1m", 1, 99_999));
    assert!(admit(&mut counts, "2/1m", 1, 100_000));
}

#[test]
fn stale_numbers_leave_memory() {
    let mut counts = NumberCounts::default();
    for number in 0..100 {
        assert!(admit(&mut counts, "1/1m", number, 0));
    }
    assert_eq!(counts.len(), 100);
    assert!(admit(&mut counts, "1/1m", 500, MINUTE_MS));
    assert_eq!(counts.len(), 1);
}

#[test]
fn a_flood_of_numbers_forgets_the_oldest_and_never_outgrows_its_bound() {
    let mut counts = NumberCounts::holding(8);
    for number in 0..100_u32 {
        assert!(admit(&mut counts, "1/1h", number.into(), number.into()));
        assert!(counts.len() <= 8);
    }
    assert!(!admit(&mut counts, "1/1h", 99, 100), "the newest is known");
    assert!(admit(&mut counts, "1/1h", 0, 100), "the oldest is not");
    for number in 200..300 {
        counts.remember(number, Moment(200));
        assert!(counts.len() <= 8);
    }
}

#[test]
fn one_number_occupies_a_bounded_place() {
    let mut counts = NumberCounts::default();
    for ms in 0..3_000 {
        counts.remember(1, Moment(ms));
    }
    assert_eq!(counts.admitted[&1].len(), 1_000);
    assert_eq!(counts.admitted[&1].front(), Some(&Moment(2_000)));
}

#[test]
fn limits_are_read() {
    let limit = |text| Limit::parse(text).map(|l| (l.count, l.per_ms));
    assert_eq!(limit("10/10m"), Some((10, 600_000)));
    assert_eq!(limit("3/h"), Some((3, 3_600_000)));
    assert_eq!(limit("5 / 1day"), Some((5, 86_400_000)));
    for wrong in [
        "", "10", "0/m", "-1/m", "1001/m", "1/0s", "1/8d", "x/m", "1/x",
    ] {
        assert_eq!(limit(wrong), None, "{wrong}");
    }
}
