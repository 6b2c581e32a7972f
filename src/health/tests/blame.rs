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
