//! The machine's rules, one by one.

mod recourse;

use super::*;
use crate::flow::{Due, Learning, Pace, Progress, Step, Waits};

pub(super) const START: Moment = Moment(1_000_000);

pub(super) fn terms() -> Terms {
    Terms {
        id: DeliveryId::from_bytes([7; 16]),
        received_at: START,
        answer_by: START.plus_ms(1_400),
        expires_at: START.plus_ms(300_000),
        answer_at_once: false,
    }
}

pub(super) fn plan(steps: usize) -> Plan {
    Plan {
        rule: "rule".into(),
        rules: "version".into(),
        chain: "chain".into(),
        steps: vec![Step::default(); steps],
        data_region: None,
        pace: Pace {
            patience_ms: 600,
            width: 1,
            max_sends: 3,
            give_up_after_ms: 120_000,
            stops_on_failed_receipt: false,
            moves_on_silence: false,
        },
        learning: Learning::default(),
    }
}

/// A plan whose vendors report, and are missed after 20 s.
fn reporting(steps: usize) -> Plan {
    let mut plan = plan(steps);
    for step in &mut plan.steps {
        step.receipts = Some(Due {
            after_ms: Some(20_000),
        });
    }
    plan
}

fn reported(attempt: usize, progress: Progress, reason: Option<Reason>) -> Event {
    let receipt = Receipt {
        progress,
        reason,
        code: None,
        capped: false,
        unlisted: false,
    };
    Event::Reported { attempt, receipt }
}

pub(super) fn rejected(reason: Reason) -> Verdict {
    Verdict::failed(VerdictKind::Rejected, reason)
}

pub(super) fn settled(attempt: usize, verdict: Verdict) -> Event {
    Event::Settled { attempt, verdict }
}

fn send(attempt: usize, step: usize) -> Action {
    Action::Send { attempt, step }
}

/// Feeds events at milliseconds after the start and compares what each yields.
fn check(plan: Plan, script: &[(i64, Event, &[Action])]) -> Delivery {
    check_with(terms(), plan, script)
}

fn check_with(terms: Terms, plan: Plan, script: &[(i64, Event, &[Action])]) -> Delivery {
    let mut delivery = Delivery::new(terms, Arc::new(plan));
    for (ms, event, expected) in script {
        let actions = delivery.on(event.clone(), START.plus_ms(*ms));
        assert_eq!(&actions, expected, "after {event:?} at {ms} ms");
    }
    delivery
}

const DURABLE: Event = Event::Journaled { durable: true };
const BROKEN: Event = Event::Journaled { durable: false };

#[test]
fn an_acceptance_is_answered_once_the_admission_is_on_disk() {
    check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (5, settled(0, Verdict::accepted(None)), &[]),
            (
                6,
                DURABLE,
                &[
                    Action::Answer(Reply::Accepted { attempt: 0 }),
                    Action::Close(Outcome::Accepted),
                ],
            ),
        ],
    );
}

#[test]
fn a_definite_failure_is_followed_by_the_next_vendor_at_once() {
    check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (5, settled(0, rejected(Reason::Sender)), &[send(1, 1)]),
        ],
    );
}

#[test]
fn a_silent_vendor_is_followed_by_the_next_one_and_still_heard() {
    let delivery = check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (599, Event::Woke, &[]),
            (600, Event::Woke, &[send(1, 1)]),
            (
                650,
                settled(1, Verdict::accepted(None)),
                &[Action::Answer(Reply::Accepted { attempt: 1 })],
            ),
            (
                5_000,
                settled(0, Verdict::accepted(None)),
                &[Action::Close(Outcome::Accepted)],
            ),
        ],
    );
    assert_eq!(delivery.possible_duplicates(), 1);
}

#[test]
fn an_invalid_number_stops_the_chain() {
    let reason = Reason::InvalidNumber;
    check(
        plan(3),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                9,
                settled(0, rejected(reason)),
                &[
                    Action::Answer(Reply::Hopeless { reason }),
                    Action::Close(Outcome::Undelivered),
                ],
            ),
        ],
    );
}

#[test]
fn a_skipped_vendor_uses_no_slot_and_no_time() {
    check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (
                0,
                Event::Skipped {
                    attempt: 0,
                    why: Skip::Rate,
                },
                &[send(1, 1)],
            ),
        ],
    );
}

#[test]
fn an_exhausted_chain_is_answered_as_pending_and_tried_again() {
    let mut delivery = check(
        plan(1),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (3, settled(0, rejected(Reason::Account)), &[]),
        ],
    );
    let again = delivery.wake_at().expect("open");
    assert!((1_003..1_400).contains(&again.ms_since(START)), "{again:?}");
    assert_eq!(delivery.on(Event::Woke, again), vec![send(1, 0)]);
    let late = START.plus_ms(1_400);
    assert_eq!(
        delivery.on(Event::Woke, late),
        vec![Action::Answer(Reply::Pending)]
    );
}

#[test]
fn nobody_owns_it_only_when_journal_and_all_vendors_failed() {
    check(
        plan(1),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, BROKEN, &[]),
            (3, settled(0, rejected(Reason::Account)), &[]),
            (
                1_400,
                Event::Woke,
                &[
                    Action::Answer(Reply::Nobody),
                    Action::Close(Outcome::Disowned),
                ],
            ),
        ],
    );
}

#[test]
fn a_broken_journal_alone_is_no_reason_to_fail() {
    check(
        plan(1),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, BROKEN, &[]),
            (1_400, Event::Woke, &[Action::Answer(Reply::Pending)]),
        ],
    );
}

#[test]
fn a_race_starts_its_width_at_once() {
    let mut race = plan(3);
    race.pace.width = 2;
    check(race, &[(0, Event::Woke, &[send(0, 0), send(1, 1)])]);
}

#[test]
fn a_dead_passcode_is_answered_and_nothing_is_sent() {
    let mut dead = terms();
    dead.expires_at = START;
    check_with(
        dead,
        plan(2),
        &[
            (0, Event::Woke, &[]),
            (
                1,
                DURABLE,
                &[
                    Action::Answer(Reply::Pending),
                    Action::Close(Outcome::Expired),
                ],
            ),
        ],
    );
}

#[test]
fn a_failed_receipt_is_followed_by_the_next_vendor_at_once() {
    let failed = || reported(0, Progress::Failed, Some(Reason::Unreachable));
    let delivery = check(
        reporting(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                5,
                settled(0, Verdict::accepted(None)),
                &[Action::Answer(Reply::Accepted { attempt: 0 })],
            ),
            (900, reported(0, Progress::Intermediate, None), &[]),
            (4_000, failed(), &[send(1, 1)]),
            (4_001, failed(), &[]),
            (4_010, settled(1, Verdict::accepted(None)), &[]),
            (
                6_000,
                reported(1, Progress::Delivered, None),
                &[Action::Close(Outcome::Delivered)],
            ),
        ],
    );
    assert_eq!(delivery.possible_duplicates(), 0);
}

#[test]
fn a_failed_receipt_stops_the_chain_where_it_says_so() {
    let mut stops = reporting(2);
    stops.pace.stops_on_failed_receipt = true;
    check(
        stops,
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                5,
                settled(0, Verdict::accepted(None)),
                &[Action::Answer(Reply::Accepted { attempt: 0 })],
            ),
            (
                4_000,
                reported(0, Progress::Failed, None),
                &[Action::Close(Outcome::Undelivered)],
            ),
        ],
    );
}

#[test]
fn a_receipt_may_come_before_the_answer_and_never_goes_back() {
    let delivery = check(
        reporting(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                3,
                reported(0, Progress::Delivered, None),
                &[Action::Answer(Reply::Accepted { attempt: 0 })],
            ),
            (4, reported(0, Progress::Failed, None), &[]),
            (
                5,
                settled(0, Verdict::accepted(None)),
                &[Action::Close(Outcome::Delivered)],
            ),
            (9, reported(0, Progress::Intermediate, None), &[]),
        ],
    );
    assert_eq!(delivery.attempts()[0].receipts.len(), 3);
    assert_eq!(delivery.attempts()[0].standing(), Standing::Delivered);
}

#[test]
fn silence_moves_on_only_where_the_chain_says_so_and_the_vendor_reports_on_others() {
    for (moves, excused) in [(true, false), (true, true), (false, false)] {
        let mut silent = reporting(2);
        silent.pace.moves_on_silence = moves;
        let next = [send(1, 1)];
        let actions: &[Action] = if moves && !excused { &next } else { &[] };
        let ask = [Action::AskSilence { attempt: 0 }];
        check(
            silent,
            &[
                (0, Event::Woke, &[send(0, 0)]),
                (1, DURABLE, &[]),
                (
                    5,
                    settled(0, Verdict::accepted(None)),
                    &[Action::Answer(Reply::Accepted { attempt: 0 })],
                ),
                (20_004, Event::Woke, &[]),
                (20_005, Event::Woke, &ask),
                (
                    20_005,
                    Event::Silent {
                        attempt: 0,
                        excused,
                    },
                    actions,
                ),
            ],
        );
    }
}

#[test]
fn a_waiting_step_acts_for_its_reasons_and_not_before_its_time() {
    let mut calls = reporting(3);
    calls.steps[1].waits = Some(Waits {
        after_ms: 35_000,
        on: vec![Reason::OptedOut],
        on_silence: false,
    });
    check(
        calls.clone(),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (5, settled(0, rejected(Reason::OptedOut)), &[]),
            (1_400, Event::Woke, &[Action::Answer(Reply::Pending)]),
            (34_999, Event::Woke, &[]),
            (35_000, Event::Woke, &[send(1, 1)]),
        ],
    );
    check(
        calls,
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (5, settled(0, rejected(Reason::Sender)), &[send(1, 2)]),
        ],
    );
}

#[test]
fn a_newer_passcode_ends_the_older_one_and_answers_its_call() {
    let delivery = check(
        reporting(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (300, Event::Superseded, &[Action::Answer(Reply::Pending)]),
            (
                900,
                settled(0, Verdict::accepted(None)),
                &[Action::Close(Outcome::Superseded)],
            ),
            (2_000, reported(0, Progress::Delivered, None), &[]),
        ],
    );
    assert_eq!(
        delivery.attempts()[0].delivered_at(),
        Some(START.plus_ms(2_000))
    );
}

#[test]
fn without_a_budget_the_next_vendor_waits_as_long_again_or_until_none_is_under_way() {
    let why = || Skip::Budget;
    let skipped = |attempt| Event::Skipped {
        attempt,
        why: why(),
    };
    check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (600, Event::Woke, &[send(1, 1)]),
            (600, skipped(1), &[]),
            (1_000, Event::Woke, &[]),
            (1_200, Event::Woke, &[send(2, 1)]),
            (1_200, skipped(2), &[]),
            (1_300, settled(0, rejected(Reason::Server)), &[send(3, 1)]),
        ],
    );
}
