//! Windows across changes of clocks, what is wrong with a quota's texts, and counting.

use std::sync::Arc;

use super::*;

const LOS_ANGELES: &str = "00:00 America/Los_Angeles";

fn at(text: &str) -> Moment {
    Moment::from_rfc3339(text).unwrap()
}

fn quota(limit: &str, resets: Option<&str>) -> Quota {
    Quota::read(limit, resets, Unit::Parts).unwrap()
}

/// The window that a moment is in, in UTC, for resets at a time of day.
#[track_caller]
fn check(resets: &str, now: &str, from: &str, until: &str) {
    let window = quota("9/day", Some(resets)).window(at(now));
    let expected = Window {
        from: at(from),
        until: at(until),
    };
    let told = |w: Window| (w.from.to_rfc3339(), w.until.to_rfc3339());
    assert_eq!(told(window), told(expected), "{resets} at {now}");
}

/// What is told about a limit and its reset.
fn wrong(limit: &str, resets: Option<&str>) -> Vec<(Text, String, String)> {
    let mistakes = Quota::read(limit, resets, Unit::Parts).unwrap_err();
    let told = mistakes.into_iter().map(|m| (m.text, m.message, m.hint));
    told.collect()
}

#[test]
fn a_day_begins_at_midnight_utc_unless_told_otherwise() {
    let quota = quota("40000/day", None);
    assert_eq!(quota.limit, 40_000);
    let window = quota.window(at("2026-06-01T23:59:59.999Z"));
    assert_eq!(window.from, at("2026-06-01T00:00:00Z"));
    assert_eq!(window.until, at("2026-06-02T00:00:00Z"));
    assert_eq!(quota.window(window.until).from, window.until);
    assert_eq!(
        Quota::read("40000/24h", Some("00:00"), Unit::Parts),
        Ok(quota)
    );
}

#[test]
fn days_in_los_angeles_have_23_and_25_hours_when_clocks_change() {
    check(
        LOS_ANGELES,
        "2026-01-15T12:00:00Z",
        "2026-01-15T08:00:00Z",
        "2026-01-16T08:00:00Z",
    );
    check(
        LOS_ANGELES,
        "2026-03-08T12:00:00Z",
        "2026-03-08T08:00:00Z",
        "2026-03-09T07:00:00Z",
    );
    check(
        LOS_ANGELES,
        "2026-03-09T06:59:59.999Z",
        "2026-03-08T08:00:00Z",
        "2026-03-09T07:00:00Z",
    );
    check(
        LOS_ANGELES,
        "2026-03-09T07:00:00Z",
        "2026-03-09T07:00:00Z",
        "2026-03-10T07:00:00Z",
    );
    check(
        LOS_ANGELES,
        "2026-11-01T20:00:00Z",
        "2026-11-01T07:00:00Z",
        "2026-11-02T08:00:00Z",
    );
}

#[test]
fn a_reset_that_clocks_leave_out_comes_as_much_later() {
    let resets = "02:30 Europe/Berlin";
    // 02:30 is 03:30 on that day: the same distance from the reset before.
    check(
        resets,
        "2026-03-29T01:29:00Z",
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:30:00Z",
    );
    check(
        resets,
        "2026-03-29T12:00:00Z",
        "2026-03-29T01:30:00Z",
        "2026-03-30T00:30:00Z",
    );
}

#[test]
fn a_reset_that_a_day_has_twice_counts_the_first_time() {
    let resets = "02:30 Europe/Berlin";
    check(
        resets,
        "2026-10-25T00:29:00Z",
        "2026-10-24T00:30:00Z",
        "2026-10-25T00:30:00Z",
    );
    check(
        resets,
        "2026-10-25T01:31:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
    );
}

#[test]
fn clocks_that_change_by_half_an_hour_are_followed() {
    let resets = "00:00 Australia/Lord_Howe";
    check(
        resets,
        "2026-04-05T00:00:00Z",
        "2026-04-04T13:00:00Z",
        "2026-04-05T13:30:00Z",
    );
    check(
        resets,
        "2026-10-04T00:00:00Z",
        "2026-10-03T13:30:00Z",
        "2026-10-04T13:00:00Z",
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_is_no_window() {
    let resets = "00:00 Pacific/Apia";
    // There was no 30 December 2011 in Samoa.
    check(
        resets,
        "2011-12-30T09:59:00Z",
        "2011-12-29T10:00:00Z",
        "2011-12-30T10:00:00Z",
    );
    check(
        resets,
        "2011-12-30T10:00:00Z",
        "2011-12-30T10:00:00Z",
        "2011-12-31T10:00:00Z",
    );
}

#[test]
fn windows_follow_one_another_without_a_gap() {
    for zone in [
        "America/Los_Angeles",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
    ] {
        for time in ["00:00", "01:30", "02:00", "02:30", "03:00"] {
            let quota = quota("9/day", Some(&format!("{time} {zone}")));
            let mut window = quota.window(at("2026-01-01T00:00:00Z"));
            for _ in 0..400 {
                let next = quota.window(window.until);
                assert_eq!(next.from, window.until, "{time} {zone}");
                let last = Moment(window.until.0 - 1);
                assert_eq!(quota.window(last), window, "{time} {zone}");
                let hours = next.until.ms_since(next.from) / 3_600_000;
                assert!((22..=25).contains(&hours), "{time} {zone}: {hours} h");
                window = next;
            }
        }
    }
}

#[test]
fn other_times_are_counted_from_the_epoch() {
    let quota = quota("1000/10m", None);
    let window = quota.window(at("2026-06-01T12:34:56Z"));
    assert_eq!(window.from, at("2026-06-01T12:30:00Z"));
    assert_eq!(window.until, at("2026-06-01T12:40:00Z"));
    assert_eq!(
        Quota::read("1/h", None, Unit::Parts).map(|q| q.per),
        Ok(Period::Every { ms: 3_600_000 })
    );
}

#[test]
fn what_is_wrong_is_told_with_the_text_that_it_is_in() {
    let told = wrong("many/day", None);
    assert_eq!(told[0].0, Text::Limit);
    assert_eq!(told[0].1, "`many/day` is not a limit");
    assert!(told[0].2.contains("40000/day"));
    assert_eq!(wrong("0/day", None)[0].1, "`0/day` is not a limit");
    assert_eq!(
        wrong("5/30d", None)[0].1,
        "the time in `5/30d` is not from 1 second to 7 days"
    );
    let told = wrong("5/h", Some(LOS_ANGELES));
    assert_eq!(told[0].0, Text::Resets);
    assert_eq!(
        told[0].1,
        "`5/h` is not per day, so that no time of day resets it"
    );
    for time in ["24:00", "0:00", "noon", "-1:00", "00:00:00"] {
        let told = wrong("5/day", Some(&format!("{time} UTC")));
        assert_eq!(told[0].1, format!("`{time}` is not a time of day"));
    }
    let both: Vec<Text> = wrong("x", Some("y")).into_iter().map(|t| t.0).collect();
    assert_eq!(both, [Text::Limit, Text::Resets]);
}

#[test]
fn a_zone_that_is_none_is_answered_with_one_that_is() {
    for (zone, meant) in [
        ("America/Los_Angles", "America/Los_Angeles"),
        ("Los Angeles", "America/Los_Angeles"),
        ("los_angeles", "America/Los_Angeles"),
        ("Europe/Berlni", "Europe/Berlin"),
    ] {
        let told = wrong("5/day", Some(&format!("00:00 {zone}")));
        assert_eq!(told[0].1, format!("there is no time zone `{zone}`"));
        assert_eq!(told[0].2, format!("did you mean `{meant}`?"));
    }
}

#[test]
fn a_reset_is_shown_as_it_is_written() {
    let Period::Day(reset) = quota("5/day", Some("07:05 america/los_angeles")).per else {
        panic!("it is per day");
    };
    assert_eq!(reset.to_string(), "07:05 America/Los_Angeles");
    let Period::Day(reset) = quota("5/day", None).per else {
        panic!("it is per day");
    };
    assert_eq!(reset.to_string(), "00:00 UTC");
}

fn name(text: &str) -> Arc<str> {
    text.into()
}

#[test]
fn what_is_used_up_is_full_until_the_reset() {
    let (mut counters, q, quota) = (Counters::default(), name("q"), quota("5/h", None));
    let now = Moment(1_000);
    assert!(counters.reserve(&q, &quota, 3, now).is_ok());
    let full = Full {
        until: Moment(3_600_000),
    };
    assert_eq!(counters.reserve(&q, &quota, 3, now), Err(full));
    assert!(counters.reserve(&q, &quota, 2, now).is_ok());
    assert_eq!(counters.reserve(&q, &quota, 1, now), Err(full));
    assert!(counters.used("q", &quota, now).is_full(&quota));
    assert_eq!(counters.used("q", &quota, full.until).units, 0);
    assert!(counters.reserve(&q, &quota, 5, full.until).is_ok());
}

#[test]
fn what_sent_nothing_is_given_back_to_its_own_window_only() {
    let (mut counters, q, quota) = (Counters::default(), name("q"), quota("5/h", None));
    let early = counters.reserve(&q, &quota, 5, Moment(0)).unwrap();
    counters.give_back("q", 2, early);
    assert_eq!(counters.used("q", &quota, Moment(1)).units, 3);
    let later = early.until;
    assert!(counters.reserve(&q, &quota, 1, later).is_ok());
    counters.give_back("q", 3, early);
    assert_eq!(counters.used("q", &quota, later).units, 1);
    counters.give_back("unknown", 3, early);
}

#[test]
fn a_vendors_own_cap_fills_it_once_and_giving_back_changes_nothing() {
    let (mut counters, q, quota) = (Counters::default(), name("q"), quota("5/h", None));
    let window = counters.reserve(&q, &quota, 1, Moment(0)).unwrap();
    let full = Full {
        until: window.until,
    };
    assert_eq!(counters.fill(&q, &quota, Moment(0), Moment(9)), Some(full));
    assert_eq!(counters.fill(&q, &quota, Moment(0), Moment(9)), None);
    counters.give_back("q", 1, window);
    assert_eq!(counters.reserve(&q, &quota, 1, Moment(10)), Err(full));
    assert!(counters.reserve(&q, &quota, 1, window.until).is_ok());
}

#[test]
fn a_cap_of_yesterday_does_not_close_today() {
    let (mut counters, q) = (Counters::default(), name("q"));
    let quota = Quota::VENDORS_OWN;
    let (sent_at, told_at) = (Moment(DAY_MS - 1), Moment(DAY_MS + 1));
    assert_eq!(counters.fill(&q, &quota, sent_at, told_at), None);
    assert!(!counters.used("q", &quota, told_at).capped);
    assert!(counters.fill(&q, &quota, told_at, told_at).is_some());
    assert!(!counters.used("q", &quota, Moment(2 * DAY_MS)).capped);
}

#[test]
fn a_restart_goes_on_counting() {
    let (mut counters, q) = (Counters::default(), name("q"));
    let quota = quota("5/day", Some(LOS_ANGELES));
    let now = at("2026-03-08T12:00:00Z");
    counters.reserve(&q, &quota, 5, now).unwrap();
    let mut again = Counters::default();
    again.remember(Arc::clone(&q), *counters.get("q").unwrap());
    let late = at("2026-03-09T06:59:00Z");
    assert!(again.reserve(&q, &quota, 1, late).is_err());
    assert!(
        again
            .reserve(&q, &quota, 1, at("2026-03-09T07:00:00Z"))
            .is_ok()
    );
}

#[test]
fn a_reset_that_rules_move_forgets_nothing_of_the_window_it_is_in() {
    let (mut counters, q) = (Counters::default(), name("q"));
    let now = at("2026-06-01T12:00:00Z");
    counters.reserve(&q, &quota("5/day", None), 4, now).unwrap();
    let moved = quota("5/day", Some("10:00 UTC"));
    assert_eq!(counters.used("q", &moved, now).units, 4);
    assert!(counters.reserve(&q, &moved, 2, now).is_err());
    assert!(counters.reserve(&q, &moved, 1, now).is_ok());
    let tomorrow = at("2026-06-02T10:00:00Z");
    assert_eq!(counters.used("q", &moved, tomorrow).units, 0);
}

#[test]
fn a_quota_that_rules_make_shorter_begins_anew() {
    let (day, minute) = (quota("2/day", None), quota("2/m", None));
    let mut counters = Counters::default();
    let now = at("2026-11-25T10:00:00Z");
    counters.reserve(&name("q"), &day, 2, now).expect("room");
    assert!(counters.used("q", &day, now).is_full(&day));
    assert_eq!(counters.used("q", &minute, now).units, 0);
    counters.reserve(&name("q"), &minute, 2, now).expect("room");
    assert!(!counters.used("q", &minute, now).has_room(&minute, 1));
    let next = now.plus_ms(60_000);
    assert!(counters.used("q", &minute, next).has_room(&minute, 2));
    assert!(!counters.used("q", &minute, next).has_room(&minute, 3));
}

#[test]
fn there_are_only_so_many_counters() {
    let mut counters = Counters::holding(2);
    let (hour, day) = (quota("5/h", None), quota("5/day", None));
    counters.reserve(&name("day"), &day, 1, Moment(0)).unwrap();
    counters
        .reserve(&name("hour"), &hour, 1, Moment(0))
        .unwrap();
    counters.reserve(&name("new"), &day, 1, Moment(1)).unwrap();
    let names: Vec<&str> = counters.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["day", "new"]);
}
