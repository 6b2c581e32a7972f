//! What health does, rule by rule.

use super::*;

#[test]
fn a_vendor_nobody_knows_is_well() {
    let mut health = Health::default();
    let fitness = health.ask(&"a".into(), Country::NONE, Moment(0));
    assert_eq!(fitness, Fitness::Well);
}
