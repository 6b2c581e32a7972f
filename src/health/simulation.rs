//! Two vendors at ten messages a second, one of which falls ill and gets well again.

use std::collections::BTreeMap;

use super::tests::*;
use super::*;
use crate::flow::VerdictKind;

/// A receipt that is missing for this long after the acceptance is asked about.
const SILENCE_MS: i64 = 15_000;
const PATIENCE_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// How a vendor treats one message.
#[derive(Clone, Copy)]
struct Manner {
    answer: Answer,
    answer_ms: i64,
    /// What its receipt says, and how long after the acceptance it comes; None: never.
    receipt: Option<(bool, i64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Accepts,
    Fails,
}

impl Manner {
    const WELL: Manner = Manner {
        answer: Answer::Accepts,
        answer_ms: 80,
        receipt: Some((true, 2_500)),
    };
    const DOWN: Manner = Manner {
        answer: Answer::Fails,
        ..Manner::WELL
    };
}

/// What is still to come.
enum Event {
    Answer { message: Message, manner: Manner },
    Patience { message: Message },
    Receipt { message: Message, delivered: bool },
    Due { message: Message },
}

#[derive(Clone)]
struct Message {
    number: u64,
    vendor: VendorName,
    country: Country,
    first: bool,
    accepted_at: Moment,
}

/// Messages go to the first of `a` and `b` that may be asked, and to `a` where neither may.
struct World<F> {
    health: Health,
    now: Moment,
    /// How vendor `a` treats a message: a function of country, moment and chance.
    ill: F,
    dice: u64,
    coming: BTreeMap<(Moment, u64), Event>,
    events: u64,
    reported: std::collections::HashSet<u64>,
    /// First asked of `a`, and all, per country since last looked at.
    firsts: BTreeMap<Country, (u32, u32)>,
    /// Missing receipts that were taken for telling, and those that were not.
    telling: u32,
    excused: u32,
}

impl<F: FnMut(Country, Moment, u64) -> Manner> World<F> {
    fn new(ill: F) -> World<F> {
        World {
            health: Health::default(),
            now: START,
            ill,
            dice: 7,
            coming: BTreeMap::new(),
            events: 0,
            reported: std::collections::HashSet::new(),
            firsts: BTreeMap::new(),
            telling: 0,
            excused: 0,
        }
    }

    /// From 0 to 99, by a linear congruence.
    fn roll(&mut self) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % 100
    }

    /// Ten German messages a second and a French one, until `end_ms` after the start.
    fn run_until(&mut self, end_ms: i64) {
        let end = START.plus_ms(end_ms);
        while self.now < end {
            self.hear();
            self.start("DE");
            if self.now.0 % 1_000 == 0 {
                self.start("FR");
            }
            self.now = self.now.plus_ms(STEP_MS);
        }
    }

    /// The share of messages that asked `a` first since this was last read.
    fn share_of_a(&mut self, place: &str) -> f64 {
        let (a, all) = self.firsts.remove(&country(place)).unwrap_or((0, 1));
        f64::from(a) / f64::from(all)
    }

    fn start(&mut self, place: &str) {
        let country = country(place);
        let names: [VendorName; 2] = ["a".into(), "b".into()];
        let may = |fitness| matches!(fitness, Fitness::Well | Fitness::Probe);
        let fit = names
            .iter()
            .find(|name| may(self.health.ask(name, country, self.now)));
        let vendor = fit.unwrap_or(&names[0]).clone();
        let firsts = self.firsts.entry(country).or_default();
        firsts.0 += u32::from(&*vendor == "a");
        firsts.1 += 1;
        self.call(&vendor, country, true);
    }

    fn call(&mut self, vendor: &VendorName, country: Country, first: bool) {
        let chance = self.roll();
        let manner = if &**vendor == "a" {
            (self.ill)(country, self.now, chance)
        } else {
            Manner::WELL
        };
        let message = Message {
            number: self.events,
            vendor: vendor.clone(),
            country,
            first,
            accepted_at: self.now,
        };
        if manner.answer_ms > PATIENCE_MS {
            let message = message.clone();
            self.later(PATIENCE_MS, Event::Patience { message });
        }
        self.later(manner.answer_ms, Event::Answer { message, manner });
    }

    fn later(&mut self, ms: i64, event: Event) {
        self.events += 1;
        let place = (self.now.plus_ms(ms), self.events);
        self.coming.insert(place, event);
    }

    /// All that has happened by now.
    fn hear(&mut self) {
        let until = self.now;
        while let Some(entry) = self.coming.first_entry() {
            if entry.key().0 > until {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.happen(event);
        }
        self.now = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Answer { message, manner } => self.answer(message, manner),
            Event::Patience { message } => {
                self.tell(&message, Sign::Slow { ms: PATIENCE_MS });
                self.try_next(&message);
            }
            Event::Receipt { message, delivered } => {
                self.reported.insert(message.number);
                let sign = Sign::Reported {
                    delivered,
                    reason: None,
                    accepted_at: message.accepted_at,
                    sender: SenderType::Number,
                    first: message.first,
                };
                self.tell(&message, sign);
            }
            Event::Due { message } => self.due(&message),
        }
    }

    fn answer(&mut self, message: Message, manner: Manner) {
        let (ms, first) = (manner.answer_ms, message.first);
        if manner.answer == Answer::Fails {
            let verdict = Verdict::failed(VerdictKind::Unavailable, Reason::Server);
            let verdict = &verdict;
            self.tell(&message, Sign::Verdict { verdict, ms, first });
            self.try_next(&message);
            return;
        }
        let verdict = &Verdict::accepted(None);
        self.tell(&message, Sign::Verdict { verdict, ms, first });
        let message = Message {
            accepted_at: self.now,
            ..message
        };
        if let Some((delivered, delay_ms)) = manner.receipt {
            let message = message.clone();
            self.later(delay_ms, Event::Receipt { message, delivered });
        }
        let due = self
            .health
            .receipt_due_ms(&message.vendor, message.country, SenderType::Number);
        let due_ms = due.map_or(SILENCE_MS, |ms| ms.min(SILENCE_MS));
        self.later(due_ms, Event::Due { message });
    }

    fn due(&mut self, message: &Message) {
        if self.reported.contains(&message.number) {
            return;
        }
        let Message {
            vendor,
            accepted_at,
            ..
        } = message;
        if self.health.receipts_quiet(vendor, *accepted_at) {
            self.excused += 1;
            return;
        }
        self.telling += 1;
        let first = message.first;
        self.tell(message, Sign::Silent { first });
    }

    fn try_next(&mut self, message: &Message) {
        if &*message.vendor == "a" {
            self.call(&"b".into(), message.country, false);
        }
    }

    fn tell(&mut self, message: &Message, sign: Sign<'_>) {
        self.health
            .saw(&message.vendor, message.country, sign, self.now);
    }
}

/// Ill for the second and third minute.
fn is_ill(at: Moment) -> bool {
    (MINUTE_MS..3 * MINUTE_MS).contains(&at.ms_since(START))
}

/// Well at first; within `seconds` of falling ill hardly asked first in Germany, and asked again as
/// before within a minute and a half of being well.
fn falls_and_recovers<F>(world: &mut World<F>, seconds: i64, ill_share: f64)
where
    F: FnMut(Country, Moment, u64) -> Manner,
{
    world.run_until(MINUTE_MS);
    assert!(world.share_of_a("DE") > 0.99, "before");
    world.run_until(MINUTE_MS + seconds * 1_000);
    world.share_of_a("DE");
    world.run_until(3 * MINUTE_MS);
    let share = world.share_of_a("DE");
    assert!(share < ill_share, "while ill: {share}");
    assert!(share > 0.0, "it is probed");
    world.run_until(3 * MINUTE_MS + 75_000);
    world.share_of_a("DE");
    world.run_until(6 * MINUTE_MS);
    let share = world.share_of_a("DE");
    assert!(share > 0.99, "afterwards: {share}");
}

fn german(place: Country) -> bool {
    place == country("DE")
}

#[test]
fn an_outage_everywhere() {
    let mut world = World::new(|_, at, _| {
        if is_ill(at) {
            Manner::DOWN
        } else {
            Manner::WELL
        }
    });
    falls_and_recovers(&mut world, 2, 0.02);
}

#[test]
fn an_outage_in_one_country() {
    let mut world = World::new(|place, at, _| {
        if is_ill(at) && german(place) {
            Manner::DOWN
        } else {
            Manner::WELL
        }
    });
    falls_and_recovers(&mut world, 2, 0.02);
    assert!(world.share_of_a("FR") > 0.999, "the other country kept it");
}

#[test]
fn three_calls_in_ten_fail_in_one_country() {
    let mut world = World::new(|place, at, chance| {
        if is_ill(at) && german(place) && chance < 30 {
            Manner::DOWN
        } else {
            Manner::WELL
        }
    });
    falls_and_recovers(&mut world, 15, 0.35);
    assert!(world.share_of_a("FR") > 0.999, "the other country kept it");
}

#[test]
fn answers_take_five_seconds_in_one_country() {
    let mut world = World::new(|place, at, chance| Manner {
        answer_ms: if is_ill(at) && german(place) && chance < 50 {
            5_000
        } else {
            80
        },
        ..Manner::WELL
    });
    falls_and_recovers(&mut world, 15, 0.25);
    assert!(world.share_of_a("FR") > 0.999, "the other country kept it");
}

#[test]
fn a_drift_to_a_99th_percentile_of_five_seconds_in_one_country() {
    let drifted = |chance| match chance {
        0..50 => 400,
        50..75 => 900,
        75..90 => 2_000,
        90..98 => 3_500,
        _ => 5_000,
    };
    let mut world = World::new(move |place, at, chance| Manner {
        answer_ms: if is_ill(at) && german(place) {
            drifted(chance)
        } else {
            80
        },
        ..Manner::WELL
    });
    falls_and_recovers(&mut world, 15, 0.35);
    assert!(world.share_of_a("FR") > 0.999, "the other country kept it");
}

#[test]
fn one_call_in_a_hundred_taking_five_seconds_moves_nobody() {
    let mut world = World::new(|_, _, chance| Manner {
        answer_ms: if chance == 0 { 5_000 } else { 80 },
        ..Manner::WELL
    });
    world.run_until(5 * MINUTE_MS);
    assert!(world.share_of_a("DE") > 0.999);
}

#[test]
fn it_accepts_and_says_that_it_did_not_deliver_in_one_country() {
    let mut world = World::new(|place, at, _| Manner {
        receipt: Some((!(is_ill(at) && german(place)), 2_500)),
        ..Manner::WELL
    });
    falls_and_recovers(&mut world, 6, 0.02);
    assert!(world.share_of_a("FR") > 0.999, "the other country kept it");
}

#[test]
fn it_accepts_and_never_delivers_in_one_country() {
    let mut world = World::new(|place, at, _| Manner {
        receipt: (!(is_ill(at) && german(place))).then_some((true, 2_500)),
        ..Manner::WELL
    });
    falls_and_recovers(&mut world, 12, 0.02);
    assert!(world.share_of_a("FR") > 0.999, "the other country kept it");
    assert!(world.telling > 0);
}

#[test]
fn half_of_the_messages_are_lost() {
    let mut world = World::new(|place, at, chance| Manner {
        receipt: (!(is_ill(at) && german(place) && chance < 50)).then_some((true, 2_500)),
        ..Manner::WELL
    });
    falls_and_recovers(&mut world, 15, 0.3);
    assert_eq!(world.excused, 0, "the others were reported");
}

#[test]
fn receipts_that_are_ten_minutes_late_are_never_missed() {
    let late = |minutes: i64| {
        move |_: Country, at: Moment, _: u64| Manner {
            receipt: Some((
                true,
                if at.ms_since(START) < minutes * MINUTE_MS {
                    2_500
                } else {
                    10 * MINUTE_MS
                },
            )),
            ..Manner::WELL
        }
    };
    for minutes in [0, 2] {
        let mut world = World::new(late(minutes));
        world.run_until(30 * MINUTE_MS);
        assert_eq!(world.telling, 0);
        assert!(world.excused > 1_000);
        assert!(world.share_of_a("DE") > 0.999);
    }
}

#[test]
fn the_adaptive_order_finds_the_better_vendor_and_forgets_none() {
    let mut world = World::new(|_, _, _| Manner::WELL);
    let names = [("a".into(), None), ("b".into(), None)];
    let mut firsts = [0_u32; 2];
    for n in 0..20_000_u64 {
        let mut seed = [0; 16];
        seed[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let place = country("DE");
        let order = world.health.order(&names, place, &seed, world.now);
        let chosen = order[0];
        let good = world.roll() < [80, 95][chosen];
        let verdict = if good {
            Verdict::accepted(None)
        } else {
            rejected(Reason::Server)
        };
        let sign = Sign::Verdict {
            verdict: &verdict,
            ms: 80,
            first: true,
        };
        world.health.saw(&names[chosen].0, place, sign, world.now);
        world.now = world.now.plus_ms(STEP_MS);
        if n >= 1_000 {
            firsts[chosen] += 1;
        }
    }
    let share = f64::from(firsts[0]) / f64::from(firsts[0] + firsts[1]);
    assert!((0.04..0.08).contains(&share), "{share}");
}
