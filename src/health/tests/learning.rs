//! What health learns: latency, receipts, the order, and the budget for hedges.

use super::*;

/// 16 bytes that look like chance.
fn seed(number: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes
}

/// The share of 2,000 seeds for which each candidate goes first in Germany.
fn shares(scene: &Scene, candidates: &[(VendorName, Option<f64>)]) -> Vec<f64> {
    let mut firsts = vec![0; candidates.len()];
    for number in 0..2_000 {
        let order = scene
            .health
            .order(candidates, country("DE"), &seed(number), scene.now);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..candidates.len()), "{order:?}");
        firsts[order[0]] += 1;
    }
    firsts.iter().map(|&n| f64::from(n) / 2_000.0).collect()
}

/// `good` of ten calls of a vendor go well, hundredfold.
fn learned(scene: &mut Scene, vendor: &str, good: usize) {
    scene.vendor = vendor.into();
    for _ in 0..100 {
        scene.good("DE", good);
        scene.bad("DE", 10 - good);
    }
}

fn candidates(names: &[&str]) -> Vec<(VendorName, Option<f64>)> {
    names.iter().map(|&name| (name.into(), None)).collect()
}

#[test]
fn patience_is_what_most_answers_take() {
    let mut scene = Scene::new();
    let patience = |scene: &Scene, place| scene.health.patience_ms("a", country(place));
    for n in 0..19 {
        scene.verdict("DE", &Verdict::accepted(None), 200 + n);
    }
    assert_eq!(patience(&scene, "DE"), None, "too few are known");
    for n in 0..181 {
        scene.verdict("DE", &Verdict::accepted(None), 300 + n);
    }
    let learned = patience(&scene, "DE").expect("enough are known");
    assert!((440..480).contains(&learned), "{learned}");
    assert_eq!(patience(&scene, "FR"), Some(learned), "of the vendor alone");
    assert_eq!(scene.health.patience_ms("b", country("DE")), None);
}

#[test]
fn patience_has_bounds_and_errors_teach_none() {
    let mut scene = Scene::new();
    for _ in 0..40 {
        scene.verdict("DE", &Verdict::accepted(None), 3);
        scene.verdict("FR", &rejected(Reason::InvalidNumber), 9_000);
        let failed = Verdict::failed(VerdictKind::Unavailable, Reason::Connect);
        scene.verdict("IT", &failed, 1);
    }
    let patience = |place| scene.health.patience_ms("a", country(place));
    assert_eq!(patience("DE"), Some(100));
    assert_eq!(patience("FR"), Some(3_000));
    assert_eq!(patience("IT"), Some(3_000), "as with the vendor alone");
}

#[test]
fn a_receipt_is_due_after_three_times_what_nearly_all_take() {
    let mut scene = Scene::new();
    let due = |scene: &Scene, place| {
        scene
            .health
            .receipt_due_ms("a", country(place), SenderType::Number)
    };
    scene.receipts("DE", true, None, 19);
    assert_eq!(due(&scene, "DE"), None, "too few are known");
    scene.receipts("DE", true, None, 1);
    assert_eq!(due(&scene, "DE"), Some(6_000));
    assert_eq!(due(&scene, "FR"), Some(6_000), "of the vendor alone");
    for _ in 0..40 {
        let accepted_at = scene.now.plus_ms(STEP_MS - 300);
        scene.receipt("FR", true, None, accepted_at);
    }
    assert_eq!(due(&scene, "FR"), Some(5_000), "at least");
}

fn is_quiet(scene: &Scene, accepted_at: Moment) -> bool {
    scene.health.receipts_quiet("a", accepted_at)
}

/// A message is accepted, and reported after two seconds.
fn accept_and_report(scene: &mut Scene) {
    let accepted_at = scene.now;
    scene.pass(2_000 - STEP_MS);
    scene.receipt("DE", true, None, accepted_at);
}

#[test]
fn each_type_of_sender_has_a_due_time_of_its_own() {
    let mut scene = Scene::new();
    for (sender, took_ms) in [(SenderType::Alpha, 9_000), (SenderType::Call, 40_000)] {
        for _ in 0..20 {
            let sign = Sign::Reported {
                delivered: true,
                reason: None,
                accepted_at: scene.now.plus_ms(STEP_MS - took_ms),
                sender,
                first: true,
            };
            scene.saw("DE", sign);
        }
    }
    let due = |sender| scene.health.receipt_due_ms("a", country("DE"), sender);
    assert_eq!(due(SenderType::Alpha), Some(27_000));
    assert_eq!(due(SenderType::Call), Some(120_000));
    assert_eq!(due(SenderType::Number), None);
}

#[test]
fn a_vendor_that_never_reported_is_quiet() {
    assert!(is_quiet(&Scene::new(), START));
}

#[test]
fn a_missing_receipt_tells_when_later_messages_were_reported() {
    let mut scene = Scene::new();
    accept_and_report(&mut scene);
    let lost = scene.now;
    scene.pass(10_000);
    assert!(is_quiet(&scene, lost), "nothing was accepted since");
    accept_and_report(&mut scene);
    assert!(!is_quiet(&scene, lost));
}

#[test]
fn a_straggler_proves_nothing() {
    let mut scene = Scene::new();
    accept_and_report(&mut scene);
    let lost = scene.now;
    scene.receipt("DE", true, None, START.plus_ms(-3_600_000));
    assert!(is_quiet(&scene, lost));
}

#[test]
fn an_order_is_a_function_of_the_seed() {
    let mut scene = Scene::new();
    learned(&mut scene, "a", 9);
    learned(&mut scene, "b", 9);
    let names = candidates(&["a", "b", "c"]);
    let order = |n| {
        scene
            .health
            .order(&names, country("DE"), &seed(n), scene.now)
    };
    assert!((0..100).all(|n| order(n) == order(n)));
    assert!((0..100).any(|n| order(n) != order(n + 1)));
    assert_eq!(order_of_none(&scene), Vec::<usize>::new());
}

fn order_of_none(scene: &Scene) -> Vec<usize> {
    scene.health.order(&[], country("DE"), &seed(1), scene.now)
}

#[test]
fn unknown_vendors_go_first_alike() {
    let scene = Scene::new();
    for share in shares(&scene, &candidates(&["a", "b", "c", "d"])) {
        assert!((0.20..0.30).contains(&share), "{share}");
    }
}

#[test]
fn the_better_vendor_goes_first_but_for_the_floor_share() {
    let mut scene = Scene::new();
    learned(&mut scene, "a", 8);
    learned(&mut scene, "b", 10);
    let shares = shares(&scene, &candidates(&["a", "b"]));
    assert!((0.03..0.08).contains(&shares[0]), "{shares:?}");
}

#[test]
fn what_is_known_elsewhere_helps_a_little() {
    let mut scene = Scene::new();
    learned(&mut scene, "a", 5);
    learned(&mut scene, "b", 10);
    let there = scene
        .health
        .order(&candidates(&["a", "b"]), country("FR"), &seed(3), scene.now);
    assert_eq!(there, [1, 0]);
}

#[test]
fn receipts_outweigh_acceptance() {
    let mut scene = Scene::new();
    for (vendor, delivered) in [("a", 5), ("b", 9)] {
        learned(&mut scene, vendor, 9);
        for _ in 0..20 {
            scene.receipts("DE", true, None, delivered);
            scene.receipts("DE", false, None, 10 - delivered);
        }
    }
    let both = shares(&scene, &candidates(&["a", "b"]));
    assert!(both[1] > 0.9, "{both:?}");
    // One that never reports cannot be measured by receipts, and is not by those of others.
    learned(&mut scene, "c", 10);
    let all = shares(&scene, &candidates(&["a", "b", "c"]));
    assert!(all[2] > 0.8, "{all:?}");
}

#[test]
fn used_passcodes_outweigh_receipts() {
    let mut scene = Scene::new();
    for (vendor, converted) in [("a", 200), ("b", 700)] {
        learned(&mut scene, vendor, 9);
        for _ in 0..converted {
            scene.saw("DE", Sign::Converted { first: true });
        }
        scene.receipts("DE", vendor == "a", None, 100);
    }
    let shares = shares(&scene, &candidates(&["a", "b"]));
    assert!(shares[1] > 0.9, "{shares:?}");
}

#[test]
fn only_first_attempts_teach_the_order() {
    let mut scene = Scene::new();
    let verdict = rejected(Reason::Server);
    let first = false;
    for _ in 0..200 {
        let sign = Sign::Verdict {
            verdict: &verdict,
            ms: 50,
            first,
        };
        scene.saw("DE", sign);
        scene.saw("DE", Sign::Silent { first });
    }
    let shares = shares(&scene, &candidates(&["a", "b"]));
    assert!((0.45..0.55).contains(&shares[0]), "{shares:?}");
}

#[test]
fn costs_decide_between_equals_where_all_have_one() {
    let mut scene = Scene::new();
    learned(&mut scene, "a", 9);
    learned(&mut scene, "b", 9);
    let priced = [("a".into(), Some(1.0)), ("b".into(), Some(2.0))];
    let known = shares(&scene, &priced);
    assert!(known[0] > 0.8, "{known:?}");
    let half = [("a".into(), Some(1.0)), ("b".into(), None)];
    let unknown = shares(&scene, &half);
    assert!((0.3..0.7).contains(&unknown[0]), "{unknown:?}");
    learned(&mut scene, "a", 7);
    let worse = shares(&scene, &priced);
    assert!(worse[0] < 0.1, "much worse for half the price: {worse:?}");
}

#[test]
fn hedges_are_a_fifth_of_first_calls_and_a_few() {
    let mut budget = Budget::default();
    let taken = |budget: &mut Budget, now| (0..1_000).filter(|_| budget.withdraw(now)).count();
    assert_eq!(taken(&mut budget, START), 5);
    let mut now = START.plus_ms(20_000);
    for _ in 0..100 {
        budget.deposit(now);
        now = now.plus_ms(50);
    }
    assert_eq!(taken(&mut budget, now), 25);
    assert_eq!(taken(&mut budget, now.plus_ms(1_000)), 0);
    assert_eq!(taken(&mut budget, now.plus_ms(20_000)), 5);
}

#[test]
fn cells_tell_what_is_known() {
    let mut scene = Scene::new();
    scene.good("FR", 30);
    scene.bad("DE", 10);
    scene.vendor = "0".into();
    scene.good("FR", 1);
    let cells = scene.health.cells(scene.now);
    let names: Vec<(&str, &str)> = cells
        .iter()
        .map(|cell| (&*cell.vendor, cell.country.as_str()))
        .collect();
    let expected = [
        ("0", "FR"),
        ("0", "ZZ"),
        ("a", "DE"),
        ("a", "FR"),
        ("a", "ZZ"),
    ];
    assert_eq!(names, expected);
    let german = &cells[2];
    assert_eq!(german.success, Some(0.0));
    assert_eq!(german.why, Some(Why::Errors));
    assert_eq!((german.samples, german.p50_ms), (10, None));
    let alone = &cells[4];
    assert_eq!(alone.state, State::Closed);
    assert_eq!((alone.samples, alone.p50_ms), (40, Some(50)));
    assert!(
        alone
            .success
            .is_some_and(|share| (share - 0.75).abs() < 0.01)
    );
}
