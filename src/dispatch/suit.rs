//! Fits a plan to what is known at admission: who reports, who is quick, who does best, who has just failed
//! this person.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::dispatch::Dispatch;
use crate::dispatch::people::Claim;
use crate::flow::{DeliveryId, Plan, Step};
use crate::number::Country;
use crate::time::Moment;

/// Deliveries that wait for receipts at a time; beyond it they close when a vendor accepts.
const AWAITING_MAX: usize = 200_000;

impl Dispatch {
    /// Fits the plan; what comes out is frozen.
    pub(super) fn suit(
        &self,
        plan: &mut Plan,
        id: DeliveryId,
        country: Country,
        catalog: &Catalog,
        now: Moment,
    ) {
        let heard = self.is_reachable(catalog) && self.inboxes.len() < AWAITING_MAX;
        let health = self.health();
        for step in &mut plan.steps {
            let account = catalog.account(&step.vendor);
            let reports = heard && account.is_some_and(|a| a.reports(step.channel));
            step.receipts = step.receipts.filter(|_| reports);
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
            let (mut plain, waiting): (Vec<Step>, Vec<Step>) =
                plan.steps.drain(..).partition(|s| s.waits.is_none());
            let candidates: Vec<_> = plain
                .iter()
                .map(|s| (Arc::clone(&s.vendor), s.cost))
                .collect();
            let order = health.order(&candidates, country, id.as_bytes(), now);
            let mut ordered: Vec<Step> = order.iter().map(|i| plain[*i].clone()).collect();
            plain.clear();
            ordered.extend(waiting);
            plan.steps = ordered;
        }
    }
}

/// Puts the vendors last that have just had a passcode for this person which did not arrive; those that had
/// several, behind those that had one.
pub(super) fn blame(plan: &mut Plan, superseded: &[Arc<Claim>]) {
    let failed: Vec<_> = superseded.iter().flat_map(|c| c.failed_by()).collect();
    let times = |step: &Step| {
        let had = failed.iter();
        had.filter(|(vendor, channel)| *vendor == step.vendor && *channel == step.channel)
            .count()
    };
    plan.steps
        .sort_by_key(|step| (step.waits.is_some(), times(step)));
}
