//! Whom a failure speaks against.

use super::*;
use crate::health::blame::{Blame, blame, blame_of_receipt};

#[test]
fn neutral_reasons_say_nothing() {
    for reason in Reason::ALL {
        let neutral = blame(Some(reason)) == Blame::Nobody;
        let mut scene = Scene::new();
        scene.verdicts("DE", &rejected(reason), 50);
        assert_eq!(scene.why("DE").is_none(), neutral, "{reason:?}");
        let neutral = blame_of_receipt(Some(reason)) == Blame::Nobody;
        let mut scene = Scene::new();
        scene.receipts("DE", true, None, 10);
        scene.receipts("DE", false, Some(reason), 12);
        assert_eq!(scene.why("DE").is_none(), neutral, "receipt {reason:?}");
    }
}

#[test]
fn where_hardly_anybody_can_be_reached_it_is_the_vendors_fault() {
    let mut scene = Scene::new();
    scene.receipts("FR", true, None, 50);
    scene.receipts("DE", true, None, 50);
    scene.receipts("DE", false, Some(Reason::Unreachable), 19);
    assert_eq!(scene.why("DE"), None);
    scene.receipts("DE", false, Some(Reason::Unreachable), 1);
    assert_eq!(scene.why("DE"), Some(Why::Undelivered));
    assert_eq!(scene.why("FR"), None);
}

#[test]
fn a_vendor_whose_receipts_stop_altogether_is_passed_over_after_a_while() {
    let mut scene = Scene::new();
    let quiet = |scene: &mut Scene, count| {
        for _ in 0..count {
            scene.saw("DE", Sign::Quiet);
        }
    };
    quiet(&mut scene, 50);
    assert_eq!(scene.why("DE"), None, "it never reported");
    scene.receipts("DE", true, None, 30);
    quiet(&mut scene, 19);
    assert_eq!(scene.why("DE"), None);
    quiet(&mut scene, 1);
    assert_eq!(scene.why("DE"), Some(Why::Silent));
    scene.pass(1_000);
    for _ in 0..2 {
        assert_eq!(scene.ask("DE"), Fitness::Probe);
        scene.good("DE", 1);
        let accepted_at = scene.now;
        scene.receipt("DE", true, None, accepted_at);
    }
    assert_eq!(scene.why("DE"), None);
}
