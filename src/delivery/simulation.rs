//! Thousands of seeded schedules of silent, slow and lying vendors, receipts, resends and crashes.

use super::tests::*;
use super::*;
use crate::flow::{Due, Pace, Progress, Waits};

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
    /// What a journal would hold of it.
    kept: Vec<(Moment, Event)>,
    yielded: Vec<Vec<Action>>,
    coming: Vec<(Moment, Event)>,
    answers: Vec<(Moment, Reply)>,
    sends: Vec<(Moment, usize)>,
    closed: usize,
}

/// More of them where they take seconds rather than minutes.
const SCHEDULES: u64 = if cfg!(debug_assertions) {
    10_000
} else {
    100_000
};
const EVENTS_MAX: usize = 2_000;

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let terms = Terms {
            id: DeliveryId::from_bytes(bytes),
            expires_at: START.plus_ms(dice.roll(400_000) as i64),
            answer_at_once: dice.roll(4) == 0,
            ..terms()
        };
        World {
            delivery: Delivery::new(terms, Arc::new(some_plan(&mut dice))),
            dice,
            fed: Vec::new(),
            kept: Vec::new(),
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
        let ends = [Event::Superseded, Event::Converted];
        if let Some(end) = ends.get(self.dice.roll(20) as usize) {
            let at = START.plus_ms(self.dice.roll(100_000) as i64);
            self.coming.push((at, end.clone()));
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
        // Whatever vendors still say after the end has no consequence.
        for (at, event) in std::mem::take(&mut self.coming) {
            let now = self.fed.last().map_or(at, |(last, _)| at.max(*last));
            assert_eq!(self.delivery.on(event.clone(), now), vec![]);
            self.kept.push((now, event.clone()));
            self.fed.push((now, event));
            self.yielded.push(Vec::new());
        }
    }

    fn feed(&mut self, now: Moment, event: Event) {
        let was_delivered = self.delivery.any(Standing::Delivered);
        let (actions, kept) = self.delivery.on_kept(&event, now);
        if kept {
            self.kept.push((now, event.clone()));
        }
        self.fed.push((now, event));
        self.yielded.push(actions.clone());
        let delivered = self.delivery.any(Standing::Delivered);
        assert!(delivered || !was_delivered, "delivered is final");
        for action in actions {
            match action {
                Action::Send { attempt, step } => {
                    self.check_send(attempt, step);
                    self.sends.push((now, attempt));
                    self.vendor_answers(attempt, now);
                }
                Action::AskSilence { attempt } => {
                    let excused = self.dice.roll(2) == 0;
                    self.coming.push((now, Event::Silent { attempt, excused }));
                }
                Action::Answer(reply) => self.answers.push((now, reply)),
                Action::Close(_) => self.closed += 1,
            }
        }
    }

    /// Nothing is sent while a vendor has the message, after the end, or on the other channel without a reason.
    fn check_send(&self, attempt: usize, step: usize) {
        let others = || self.delivery.attempts.iter().take(attempt);
        let needless =
            others().any(|a| matches!(a.standing(), Standing::Hoped | Standing::Delivered));
        assert!(!needless, "attempt {attempt} is needless");
        // A vendor that refuses and then reports takes a place that was given away; nothing follows that.
        let places = self.delivery.places_used();
        assert!(places <= self.delivery.plan.pace.max_sends as usize);
        assert_eq!(self.delivery.ended, None);
        if let Some(waits) = &self.delivery.plan.steps[step].waits {
            let reasoned = others().any(|a| {
                let failed = a
                    .failure()
                    .is_some_and(|(reason, _)| waits.on.contains(&reason));
                failed || (waits.on_silence && a.standing() == Standing::Silent)
            });
            assert!(reasoned, "attempt {attempt} has no reason");
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
                let unwell = Skip::Unwell {
                    why: "errors".to_owned(),
                };
                let whys = [Skip::Rate, unwell, Skip::Budget];
                let why = whys[self.dice.roll(3) as usize].clone();
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
        self.vendor_reports(attempt, now);
    }

    /// Receipts come early, late, twice, out of order, against all reason, or not at all.
    fn vendor_reports(&mut self, attempt: usize, now: Moment) {
        let reports = self.dice.roll(4);
        for _ in 0..reports {
            let progress = [
                Progress::Intermediate,
                Progress::Failed,
                Progress::Delivered,
                Progress::Unknown,
            ][self.dice.roll(4) as usize];
            let reason = Reason::ALL[self.dice.roll(Reason::ALL.len() as u64) as usize];
            let receipt = Receipt {
                progress,
                reason: (progress == Progress::Failed).then_some(reason),
                code: None,
                capped: false,
                unlisted: false,
            };
            let slow = [5, 5_000, 60_000, 600_000][self.dice.roll(4) as usize];
            let at = now.plus_ms(self.dice.roll(slow) as i64);
            self.coming.push((at, Event::Reported { attempt, receipt }));
        }
    }

    /// The process dies and comes back: the journal is replayed, what was coming is lost.
    fn crash(&mut self, now: Moment) {
        if self.delivery.admission != Admission::Durable {
            return;
        }
        self.check_replay();
        // Receipts come again or later; answers to calls are lost.
        self.coming
            .retain(|(_, event)| matches!(event, Event::Reported { .. }));
        let back = now.plus_ms(self.dice.roll(20_000) as i64);
        self.feed(back, Event::Restarted);
    }

    fn check_replay(&self) {
        let delivery = &self.delivery;
        let mut again = Delivery::new(delivery.terms.clone(), Arc::clone(&delivery.plan));
        for ((now, event), actions) in self.fed.iter().zip(&self.yielded) {
            assert_eq!(&again.on(event.clone(), *now), actions);
        }
        assert_eq!(again, self.delivery);
        if delivery.admission != Admission::Durable {
            return;
        }
        // From the journal alone: the same calls, and the same end.
        let terms = delivery.terms.clone();
        let kept = self.kept.clone();
        let again = Delivery::replay(terms, Arc::clone(&delivery.plan), kept);
        assert_eq!(again.attempts, delivery.attempts);
        assert_eq!(again.ahead, delivery.ahead);
        assert_eq!(again.outcome(), delivery.outcome());
    }

    fn check_invariants(&self) {
        let (terms, pace) = (&self.delivery.terms, &self.delivery.plan.pace);
        assert_eq!(self.answers.len(), 1, "exactly one answer");
        assert_eq!(self.closed, 1, "closed once");
        let crashed = self.fed.iter().any(|(_, e)| *e == Event::Restarted);
        let (answered_at, reply) = self.answers[0];
        assert!(
            answered_at <= terms.answer_by || crashed,
            "answered at {answered_at:?}"
        );
        for (at, attempt) in &self.sends {
            assert!(*at < terms.expires_at, "attempt {attempt} after expiry");
            assert!(at.ms_since(START) < pace.give_up_after_ms);
        }
        if let Reply::Accepted { attempt } = reply {
            let answered = &self.delivery.attempts[attempt];
            let known = !answered.receipts.is_empty();
            assert!(answered.is(VerdictKind::Accepted) || known);
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
    for outcome in [
        "accepted",
        "converted",
        "delivered",
        "disowned",
        "expired",
        "superseded",
        "undelivered",
    ] {
        assert!(outcomes[&Some(outcome)] > 50, "{outcomes:?}");
    }
}

fn some_plan(dice: &mut Dice) -> Plan {
    let mut plan = plan(dice.roll(6) as usize);
    for step in &mut plan.steps {
        step.receipts = (dice.roll(3) > 0).then(|| Due {
            after_ms: (dice.roll(3) > 0).then(|| 1_000 + dice.roll(60_000) as i64),
        });
        step.patience_ms = (dice.roll(3) == 0).then(|| 20 + dice.roll(900) as i64);
        step.waits = (dice.roll(5) == 0).then(|| Waits {
            after_ms: dice.roll(60_000) as i64,
            on: vec![Reason::OptedOut, Reason::Unreachable, Reason::NotMobile],
            on_silence: dice.roll(2) == 0,
        });
    }
    plan.pace = Pace {
        patience_ms: 50 + dice.roll(2_000) as i64,
        width: 1 + dice.roll(3) as u32,
        max_sends: 1 + dice.roll(4) as u32,
        give_up_after_ms: dice.roll(150_000) as i64,
        stops_on_failed_receipt: dice.roll(4) == 0,
        moves_on_silence: dice.roll(2) == 0,
    };
    plan
}
