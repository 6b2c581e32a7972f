//! What stands in the way of a call, and what events tell, one by one.

use std::sync::Arc;

use super::*;
use crate::delivery::{Action, Event, Terms};
use crate::flow::{
    DeliveryId, Learning, Pace, Plan, Progress, Reason, Receipt, Verdict, VerdictKind,
};
use crate::health::{Health, Sign};

const START: Moment = Moment(1_000_000);

fn country() -> Country {
    Country::parse("SG").unwrap()
}

fn vendor(name: &str) -> VendorName {
    VendorName::from(name)
}

/// Two vendors, "a" and "b", each with a quota; "a" is being called.
fn delivery() -> Delivery {
    let step = |name: &str| Step {
        vendor: vendor(name),
        quota: Some(Arc::from(name)),
        ..Step::default()
    };
    let plan = Plan {
        rule: "rule".into(),
        rules: "version".into(),
        chain: "chain".into(),
        steps: vec![step("a"), step("b")],
        data_region: Some("eu".into()),
        pace: Pace {
            patience_ms: 600,
            width: 1,
            max_sends: 3,
            give_up_after_ms: 120_000,
            stops_on_failed_receipt: false,
            moves_on_silence: false,
        },
        learning: Learning::default(),
    };
    let terms = Terms {
        id: DeliveryId::from_bytes([7; 16]),
        received_at: START,
        answer_by: START.plus_ms(1_400),
        expires_at: START.plus_ms(300_000),
        answer_at_once: false,
    };
    let mut delivery = Delivery::new(terms, Arc::new(plan));
    let actions = delivery.on(Event::Woke, START);
    assert!(matches!(actions[..], [Action::Send { attempt: 0, .. }]));
    delivery
}

/// A world in which all is well, but for what a test takes out of it.
#[derive(Default)]
struct World {
    off: Vec<&'static str>,
    gone: Vec<&'static str>,
    elsewhere: Vec<&'static str>,
    full: Vec<&'static str>,
    unwell: Vec<&'static str>,
    busy: bool,
    broke: bool,
    deposits: usize,
}

impl Surroundings for World {
    fn off(&self, vendor: &VendorName, _: Country, _: Moment) -> Option<String> {
        self.off.contains(&&**vendor).then(|| "INC-1".to_owned())
    }
    fn has_account(&self, vendor: &VendorName) -> bool {
        !self.gone.contains(&&**vendor)
    }
    fn is_in_region(&self, vendor: &VendorName, region: &str) -> bool {
        region == "eu" && !self.elsewhere.contains(&&**vendor)
    }
    fn full_quota(&self, step: &Step, _: Moment) -> Option<String> {
        let name = step.quota.as_ref()?;
        self.full.contains(&&*step.vendor).then(|| name.to_string())
    }
    fn look(&self, vendor: &VendorName, _: Country, now: Moment) -> Fitness {
        if self.unwell.contains(&&**vendor) {
            let why = Why::Errors;
            return Fitness::Unwell { why, until: now };
        }
        Fitness::Well
    }
    fn ask(&mut self, vendor: &VendorName, country: Country, now: Moment) -> Fitness {
        self.look(vendor, country, now)
    }
    fn may_call(&mut self, _: &VendorName, _: Moment) -> bool {
        !self.busy
    }
    fn deposit(&mut self, _: Country, _: Moment) {
        self.deposits += 1;
    }
    fn withdraw(&mut self, _: Country, _: Moment) -> bool {
        !self.broke
    }
}

/// Why the first call of "a" is not made.
fn check(mut world: World, expected: Option<Skip>) {
    assert_eq!(skip(&delivery(), country(), 0, &mut world, START), expected);
    assert_eq!(world.deposits, usize::from(expected.is_none()));
}

fn unwell_now() -> Option<Skip> {
    Some(unwell(Why::Errors))
}

#[test]
fn a_well_vendor_is_called_and_pays_into_the_budget() {
    check(World::default(), None);
}

#[test]
fn a_switch_an_account_a_region_a_quota_and_a_rate_stand_in_the_way() {
    let reason = "INC-1".to_owned();
    let (a, name) = (vec!["a"], "a".to_owned());
    let off = World {
        off: a.clone(),
        ..World::default()
    };
    check(off, Some(Skip::Off { reason }));
    let gone = World {
        gone: a.clone(),
        ..World::default()
    };
    check(gone, Some(Skip::Gone));
    let elsewhere = World {
        elsewhere: a.clone(),
        ..World::default()
    };
    check(elsewhere, Some(Skip::Elsewhere));
    let full = World {
        full: a,
        ..World::default()
    };
    check(full, Some(Skip::Quota { name }));
    let busy = World {
        busy: true,
        ..World::default()
    };
    check(busy, Some(Skip::Rate));
}

#[test]
fn an_unwell_vendor_is_passed_over_only_for_a_better_one() {
    let unwell = |others: World| World {
        unwell: vec!["a"],
        ..others
    };
    check(unwell(World::default()), unwell_now());
    check(
        World {
            unwell: vec!["a", "b"],
            ..World::default()
        },
        None,
    );
    check(
        unwell(World {
            off: vec!["b"],
            ..World::default()
        }),
        None,
    );
    check(
        unwell(World {
            gone: vec!["b"],
            ..World::default()
        }),
        None,
    );
    check(
        unwell(World {
            full: vec!["b"],
            ..World::default()
        }),
        None,
    );
}

#[test]
fn a_hedge_needs_a_budget_unless_it_leaves_an_unwell_vendor() {
    let mut delivery = delivery();
    let later = START.plus_ms(600);
    let actions = delivery.on(Event::Woke, later);
    assert!(matches!(actions[..], [Action::Send { attempt: 1, .. }]));
    let mut broke = World {
        broke: true,
        ..World::default()
    };
    let why = skip(&delivery, country(), 1, &mut broke, later);
    assert_eq!(why, Some(Skip::Budget));
    broke.unwell = vec!["a"];
    assert_eq!(skip(&delivery, country(), 1, &mut broke, later), None);
    let told = slow_sign(&delivery, 1, later);
    assert!(matches!(told, Some((0, Sign::Slow { ms: 600 }))));
    assert_eq!(moved_from(&delivery, 1, later), Some(0));
}

#[test]
fn a_verdict_tells_how_long_it_took_and_whether_the_vendor_was_alone() {
    let verdict = Verdict::failed(VerdictKind::Unavailable, Reason::Server);
    let event = Event::Settled {
        attempt: 0,
        verdict,
    };
    let delivery = delivery();
    let told = sign(&delivery, &event, START.plus_ms(80));
    let Some((0, Sign::Verdict { ms, first, .. })) = told else {
        panic!("{told:?}");
    };
    assert_eq!((ms, first), (80, true));
}

#[test]
fn a_receipt_is_a_sign_once_and_only_when_final() {
    let reported = |progress| Event::Reported {
        attempt: 0,
        receipt: Receipt {
            capped: false,
            unlisted: false,
            progress,
            reason: None,
            code: None,
        },
    };
    let mut delivery = delivery();
    let verdict = Verdict::accepted(None);
    delivery.on(
        Event::Settled {
            attempt: 0,
            verdict,
        },
        START,
    );
    let is_told = |delivery: &Delivery, event: &Event| sign(delivery, event, START).is_some();
    assert!(!is_told(&delivery, &reported(Progress::Intermediate)));
    assert!(is_told(&delivery, &reported(Progress::Delivered)));
    delivery.on(reported(Progress::Delivered), START);
    assert!(!is_told(&delivery, &reported(Progress::Delivered)));
    assert!(!is_told(&delivery, &reported(Progress::Failed)));
}

#[test]
fn a_silence_is_excused_where_nothing_is_known_of_the_vendors_receipts() {
    assert!(is_silence_excused(&delivery(), 0, &Health::default()));
}

#[test]
fn a_learned_order_keeps_who_has_no_voice_for_a_call_behind_who_has() {
    let mut met = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let mut plan = Plan::clone(delivery().plan());
        plan.learning.order = true;
        for (name, language) in [("c", "et-EE"), ("d", "et-EE")] {
            let foreign = Step {
                vendor: vendor(name),
                foreign: Some(language.into()),
                ..Step::default()
            };
            plan.steps.insert(0, foreign);
        }
        let (id, health) = (DeliveryId::from_bytes([seed; 16]), Health::default());
        suit(&mut plan, id, country(), &health, |_| false, START);
        let names: Vec<&str> = plan.steps.iter().map(|step| &*step.vendor).collect();
        met.insert(names.join(" "));
    }
    let met: Vec<&str> = met.iter().map(String::as_str).collect();
    assert_eq!(met, ["a b c d", "a b d c", "b a c d", "b a d c"]);
}
