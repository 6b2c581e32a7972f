//! The machine's rules one by one, then thousands of seeded schedules of silent, slow and lying vendors.

use super::*;

const START: Moment = Moment(1_000_000);

fn terms(steps: usize) -> Terms {
    Terms {
        id: DeliveryId::from_bytes([7; 16]),
        steps,
        pace: Pace {
            patience_ms: 600,
            width: 1,
            max_sends: 3,
            give_up_after_ms: 120_000,
        },
        received_at: START,
        answer_by: START.plus_ms(1_400),
        expires_at: START.plus_ms(300_000),
        answer_at_once: false,
    }
}

fn rejected(reason: Reason) -> Verdict {
    Verdict::failed(VerdictKind::Rejected, reason)
}

fn settled(attempt: usize, verdict: Verdict) -> Event {
    Event::Settled { attempt, verdict }
}

fn send(attempt: usize, step: usize) -> Action {
    Action::Send { attempt, step }
}

/// Feeds events at milliseconds after the start and compares what each yields.
fn check(terms: Terms, script: &[(i64, Event, &[Action])]) -> Delivery {
    let mut delivery = Delivery::new(terms);
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
        terms(2),
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
        terms(2),
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
        terms(2),
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
        terms(3),
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
        terms(2),
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
        terms(1),
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
        terms(1),
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
        terms(1),
        &[
            (0, Event::Woke, &[send(0, 0)]),
            (1, BROKEN, &[]),
            (1_400, Event::Woke, &[Action::Answer(Reply::Pending)]),
        ],
    );
}

#[test]
fn a_race_starts_its_width_at_once() {
    let mut race = terms(3);
    race.pace.width = 2;
    check(race, &[(0, Event::Woke, &[send(0, 0), send(1, 1)])]);
}

#[test]
fn a_dead_passcode_is_answered_and_nothing_is_sent() {
    let mut dead = terms(2);
    dead.expires_at = START;
    check(
        dead,
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

/// xorshift64*: the simulation's only chance, seeded.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % below.max(1)
    }
}

/// What a simulated world does with one delivery, and what it saw.
struct World {
    dice: Dice,
    delivery: Delivery,
    fed: Vec<(Moment, Event)>,
    yielded: Vec<Vec<Action>>,
    coming: Vec<(Moment, Event)>,
    answers: Vec<(Moment, Reply)>,
    sends: Vec<(Moment, usize)>,
    closed: usize,
}

const SCHEDULES: u64 = 10_000;
const EVENTS_MAX: usize = 2_000;

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut terms = terms(dice.roll(5) as usize);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        terms.id = DeliveryId::from_bytes(bytes);
        terms.pace.width = 1 + dice.roll(3) as u32;
        terms.pace.max_sends = 1 + dice.roll(4) as u32;
        terms.pace.patience_ms = 50 + dice.roll(2_000) as i64;
        terms.pace.give_up_after_ms = dice.roll(150_000) as i64;
        terms.expires_at = START.plus_ms(dice.roll(400_000) as i64);
        terms.answer_at_once = dice.roll(4) == 0;
        World {
            delivery: Delivery::new(terms),
            dice,
            fed: Vec::new(),
            yielded: Vec::new(),
            coming: Vec::new(),
            answers: Vec::new(),
            sends: Vec::new(),
            closed: 0,
        }
    }

    fn run(&mut self) {
        if self.dice.roll(10) > 0 {
            let durable = self.dice.roll(8) > 0;
            let at = START.plus_ms(self.dice.roll(2_500) as i64);
            self.coming.push((at, Event::Journaled { durable }));
        }
        self.feed(START, Event::Woke);
        while let Some(wake_at) = self.delivery.wake_at() {
            assert!(self.fed.len() < EVENTS_MAX, "the delivery never closes");
            self.coming.sort_by_key(|(at, _)| *at);
            let next = self.coming.first().filter(|(at, _)| *at <= wake_at);
            let (at, event) = match next {
                Some(_) => self.coming.remove(0),
                None => (wake_at, Event::Woke),
            };
            let now = self.fed.last().map_or(at, |(last, _)| at.max(*last));
            self.feed(now, event);
            if self.dice.roll(60) == 0 {
                self.crash(now);
            }
        }
        // Whatever vendors still say after the end changes nothing.
        for (at, event) in std::mem::take(&mut self.coming) {
            let now = self.fed.last().map_or(at, |(last, _)| at.max(*last));
            assert_eq!(self.delivery.on(event, now), vec![]);
        }
    }

    fn feed(&mut self, now: Moment, event: Event) {
        let actions = self.delivery.on(event.clone(), now);
        self.fed.push((now, event));
        self.yielded.push(actions.clone());
        for action in actions {
            match action {
                Action::Send { attempt, .. } => {
                    self.sends.push((now, attempt));
                    self.vendor_answers(attempt, now);
                }
                Action::Answer(reply) => self.answers.push((now, reply)),
                Action::Close(_) => self.closed += 1,
            }
        }
    }

    /// A vendor accepts, refuses, throttles, fails, stays silent, is slow, or says it twice.
    fn vendor_answers(&mut self, attempt: usize, now: Moment) {
        let reason = Reason::ALL[self.dice.roll(Reason::ALL.len() as u64) as usize];
        let verdict = match self.dice.roll(10) {
            0 | 1 => Verdict::accepted(None),
            2 | 3 => rejected(reason),
            4 => Verdict::failed(VerdictKind::Throttled, Reason::Rate),
            5 => Verdict::failed(VerdictKind::Ambiguous, Reason::Timeout),
            6 => Verdict::failed(VerdictKind::Unavailable, Reason::Connect),
            7 => {
                let why = Skip::Rate;
                self.coming.push((now, Event::Skipped { attempt, why }));
                return;
            }
            8 => return,
            _ => Verdict::failed(VerdictKind::Unavailable, Reason::Server),
        };
        let slow = [5, 200, 3_000, 30_000][self.dice.roll(4) as usize];
        let at = now.plus_ms(self.dice.roll(slow) as i64);
        self.coming.push((at, settled(attempt, verdict.clone())));
        if self.dice.roll(10) == 0 {
            self.coming.push((at.plus_ms(7), settled(attempt, verdict)));
        }
    }

    /// The process dies and comes back: the journal is replayed, what was coming is lost.
    fn crash(&mut self, now: Moment) {
        if self.delivery.admission != Admission::Durable {
            return;
        }
        self.check_replay();
        self.coming.clear();
        let back = now.plus_ms(self.dice.roll(20_000) as i64);
        self.feed(back, Event::Restarted);
    }

    fn check_replay(&self) {
        let mut again = Delivery::new(self.delivery.terms.clone());
        for ((now, event), actions) in self.fed.iter().zip(&self.yielded) {
            assert_eq!(&again.on(event.clone(), *now), actions);
        }
        assert_eq!(again, self.delivery);
    }

    fn check_invariants(&self) {
        let terms = &self.delivery.terms;
        assert_eq!(self.answers.len(), 1, "exactly one answer");
        assert_eq!(self.closed, 1, "closed once");
        let crashed = self.fed.iter().any(|(_, e)| *e == Event::Restarted);
        let (answered_at, reply) = self.answers[0];
        assert!(
            answered_at <= terms.answer_by || crashed,
            "answered at {answered_at:?}"
        );
        let may: Vec<_> = self
            .delivery
            .attempts
            .iter()
            .filter_map(Attempt::verdict)
            .collect();
        let sent = may.iter().filter(|v| v.may_have_been_sent()).count();
        assert!(sent <= terms.pace.max_sends as usize, "{sent} sends");
        for (at, attempt) in &self.sends {
            assert!(*at < terms.expires_at, "attempt {attempt} after expiry");
            assert!(at.ms_since(START) < terms.pace.give_up_after_ms);
        }
        if let Reply::Accepted { attempt } = reply {
            assert!(self.delivery.attempts[attempt].is(VerdictKind::Accepted));
        }
        if reply == Reply::Nobody {
            assert_ne!(self.delivery.admission, Admission::Durable);
            assert!(self.sends.iter().all(|(at, _)| *at <= answered_at));
        }
        self.check_replay();
    }
}

#[test]
fn thousands_of_schedules_keep_the_invariants() {
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in 0..SCHEDULES {
        let mut world = World::new(seed);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.run();
            world.check_invariants();
        }));
        if let Err(panic) = checked {
            println!("seed {seed}: {:#?}", world.fed);
            std::panic::resume_unwind(panic);
        }
        let outcome = world.delivery.outcome().map(Outcome::as_str);
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    // A simulation that never meets an outcome tests nothing of it.
    for outcome in ["accepted", "undelivered", "expired", "disowned"] {
        assert!(outcomes[&Some(outcome)] > 50, "{outcomes:?}");
    }
}
