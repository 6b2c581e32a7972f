//! Who is turned to when the usual way is closed: unwell vendors, waiting steps, silence asked about again.

use super::*;

fn skipped(attempt: usize, why: Skip) -> Event {
    Event::Skipped { attempt, why }
}

fn unwell(attempt: usize) -> Event {
    let why = "errors".to_owned();
    skipped(attempt, Skip::Unwell { why })
}

fn answered(attempt: usize, kind: VerdictKind, reason: Reason) -> Event {
    settled(attempt, Verdict::failed(kind, reason))
}

/// Two vendors, and a call for whom texts do not reach.
fn with_a_call() -> Plan {
    let mut plan = plan(2);
    plan.steps.push(Step {
        waits: Some(Waits {
            after_ms: 35_000,
            on: vec![Reason::Unreachable, Reason::OptedOut],
            on_silence: true,
        }),
        ..Step::default()
    });
    plan
}

#[test]
fn an_unwell_vendor_comes_after_the_well_ones_in_the_same_round() {
    check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (0, unwell(0), &[send(1, 1)]),
            (1, DURABLE, &[]),
            (9, skipped(1, Skip::Rate), &[send(2, 0)]),
        ],
    );
}

#[test]
fn a_call_that_cannot_be_made_does_not_stop_the_texts() {
    let why = || Skip::Off { reason: "x".into() };
    let mut delivery = check(
        with_a_call(),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (2, settled(0, rejected(Reason::Unreachable)), &[send(1, 1)]),
            (
                3,
                answered(1, VerdictKind::Unavailable, Reason::Server),
                &[],
            ),
        ],
    );
    let mut texts = 0;
    while let Some(at) = delivery.wake_at().filter(|at| at.ms_since(START) < 119_000) {
        for action in delivery.on(Event::Woke, at) {
            let Action::Send { attempt, step } = action else {
                continue;
            };
            if step == 2 {
                delivery.on(skipped(attempt, why()), at);
            } else {
                texts += 1;
                let failed = answered(attempt, VerdictKind::Unavailable, Reason::Server);
                for action in delivery.on(failed, at) {
                    if let Action::Send { attempt, .. } = action {
                        let failed = answered(attempt, VerdictKind::Unavailable, Reason::Server);
                        delivery.on(failed, at);
                    }
                }
            }
        }
    }
    assert!(texts > 10, "{texts}");
}

#[test]
fn a_call_of_which_nothing_came_is_made_again() {
    check(
        with_a_call(),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (2, settled(0, rejected(Reason::OptedOut)), &[]),
            (1_400, Event::Woke, &[Action::Answer(Reply::Pending)]),
            (35_000, Event::Woke, &[send(1, 2)]),
            (
                35_100,
                answered(1, VerdictKind::Unavailable, Reason::Connect),
                &[],
            ),
            (36_100, Event::Woke, &[send(2, 2)]),
        ],
    );
}

#[test]
fn an_excused_silence_is_asked_about_again_ever_more_seldom() {
    let mut plan = reporting(2);
    plan.pace.moves_on_silence = true;
    let silent = |excused| Event::Silent {
        attempt: 0,
        excused,
    };
    let ask = [Action::AskSilence { attempt: 0 }];
    check(
        plan,
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                2,
                settled(0, Verdict::accepted(None)),
                &[Action::Answer(Reply::Accepted { attempt: 0 })],
            ),
            (20_002, Event::Woke, &ask),
            (20_002, silent(true), &[]),
            (40_002, Event::Woke, &ask),
            (40_002, silent(true), &[]),
            (80_001, Event::Woke, &[]),
            (80_002, Event::Woke, &ask),
            (80_002, silent(false), &[send(1, 1)]),
        ],
    );
}

#[test]
fn silence_about_an_unanswered_call_counts_from_what_was_heard_of_it() {
    let mut plan = reporting(2);
    plan.pace.moves_on_silence = true;
    plan.pace.patience_ms = 60_000;
    check(
        plan,
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                500,
                reported(0, Progress::Intermediate, None),
                &[Action::Answer(Reply::Accepted { attempt: 0 })],
            ),
            (11_000, Event::Woke, &[]),
            (20_500, Event::Woke, &[Action::AskSilence { attempt: 0 }]),
        ],
    );
}

#[test]
fn a_call_that_was_passed_over_as_superseded_is_the_last() {
    check(
        plan(2),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, DURABLE, &[]),
            (
                2,
                skipped(0, Skip::Superseded),
                &[
                    Action::Answer(Reply::Pending),
                    Action::Close(Outcome::Superseded),
                ],
            ),
        ],
    );
}

#[test]
fn hopeless_is_not_said_while_another_vendor_may_still_take_it() {
    let mut plan = plan(2);
    plan.pace.width = 2;
    check(
        plan,
        &[
            (0, Event::Woke, &[send(0, 0), send(1, 1)]),
            (1, DURABLE, &[]),
            (50, settled(0, rejected(Reason::FraudBlock)), &[]),
            (
                300,
                settled(1, Verdict::accepted(None)),
                &[
                    Action::Answer(Reply::Accepted { attempt: 1 }),
                    Action::Close(Outcome::Accepted),
                ],
            ),
        ],
    );
}
