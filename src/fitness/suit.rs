//! Fits a plan to what is known at admission: who reports, who is quick, who does best.

use std::sync::Arc;

use crate::flow::{DeliveryId, Plan, Step};
use crate::health::Health;
use crate::number::Country;
use crate::time::Moment;

/// Fits the plan; what comes out is frozen. `reports` says whether receipts can come for a step.
pub fn suit(
    plan: &mut Plan,
    id: DeliveryId,
    country: Country,
    health: &Health,
    reports: impl Fn(&Step) -> bool,
    now: Moment,
) {
    for step in &mut plan.steps {
        if !reports(step) {
            step.receipts = None;
        }
        let sender = step.sender_type();
        if let Some(due) = &mut step.receipts
            && let Some(cap) = due.after_ms
            && let Some(learned) = health.receipt_due_ms(&step.vendor, country, sender)
        {
            due.after_ms = Some(learned.min(cap));
        }
        if plan.learning.patience {
            step.patience_ms = health.patience_ms(&step.vendor, country);
        }
    }
    if plan.learning.order {
        order(plan, id, country, health, now);
    }
}

/// Puts the steps that wait for no reason into the learned order: first those whose vendors have a voice for a call,
/// then the others.
fn order(plan: &mut Plan, id: DeliveryId, country: Country, health: &Health, now: Moment) {
    let (plain, waiting): (Vec<Step>, Vec<Step>) =
        plan.steps.drain(..).partition(|s| s.waits.is_none());
    let (foreign, own): (Vec<Step>, Vec<Step>) =
        plain.into_iter().partition(|s| s.foreign.is_some());
    for steps in [own, foreign] {
        let candidates: Vec<_> = steps
            .iter()
            .map(|s| (Arc::clone(&s.vendor), s.cost))
            .collect();
        let order = health.order(&candidates, country, id.as_bytes(), now);
        plan.steps.extend(order.iter().map(|i| steps[*i].clone()));
    }
    plan.steps.extend(waiting);
}
