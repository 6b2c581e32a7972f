//! Asks, right before each call, whether its vendor may be called now.

use crate::delivery::{Skip, State};
use crate::dispatch::driver::Driver;
use crate::flow::Step;
use crate::health::{Fitness, Why};
use crate::time::Moment;

impl Driver {
    /// Why a vendor is passed over now; switches, accounts, rates and health are those of this moment.
    pub(super) fn skip(&self, attempt: usize, step: usize, now: Moment) -> Option<Skip> {
        if self.is_superseded() {
            return Some(Skip::Superseded);
        }
        let step = &self.delivery.plan().steps[step];
        if let Some(reason) = self.dispatch.off(step, self.parcel.country, now) {
            return Some(Skip::Off { reason });
        }
        let catalog = self.dispatch.catalog.load();
        if catalog.account(&step.vendor).is_none() {
            return Some(Skip::Gone);
        }
        if let Some(region) = &self.delivery.plan().data_region {
            let configured = catalog.configured(&step.vendor);
            if configured.and_then(|v| v.data_region.as_ref()) != Some(region) {
                return Some(Skip::Elsewhere);
            }
        }
        if let Some(name) = self.dispatch.full_quota(step, now) {
            return Some(Skip::Quota { name });
        }
        if let Fitness::Unwell { why, .. } = self.look(step, now)
            && self.has_better(step, now)
        {
            return Some(unwell(why));
        }
        if self.exceeds_budget(attempt, step, now) {
            return Some(Skip::Budget);
        }
        let rate = catalog.configured(&step.vendor).and_then(|v| v.rate);
        if !self.dispatch.courier.may_call(&step.vendor, rate, now) {
            return Some(Skip::Rate);
        }
        if self.called_before(attempt) == 0 {
            let country = self.parcel.country;
            self.dispatch.with_budget(country, |b| b.deposit(now));
        }
        let asked = self
            .dispatch
            .health()
            .ask(&step.vendor, self.parcel.country, now);
        match asked {
            // Another delivery has the probe by now.
            Fitness::Unwell { why, .. } if self.has_better(step, now) => Some(unwell(why)),
            Fitness::Well | Fitness::Probe | Fitness::Unwell { .. } => None,
        }
    }

    /// The same person has a newer passcode by now.
    pub(super) fn is_superseded(&self) -> bool {
        self.claim.as_ref().is_some_and(|c| c.is_superseded())
    }

    /// Whether another vendor, well and not tried yet, comes next in this one's stead. Without one even an unwell
    /// vendor is called: a small chance is better than none. A step that waited for its reason has no stead.
    fn has_better(&self, step: &Step, now: Moment) -> bool {
        if step.waits.is_some() {
            return false;
        }
        let plan = self.delivery.plan();
        let tried = |step: usize| {
            let mut attempts = self.delivery.attempts().iter();
            attempts.any(|a| a.step == step && !matches!(a.state, State::Skipped(_)))
        };
        self.delivery.ahead().iter().any(|index| {
            let step = &plan.steps[*index];
            let off = self.dispatch.off(step, self.parcel.country, now);
            let gone = self.dispatch.catalog.load().account(&step.vendor).is_none();
            let full = self.dispatch.full_quota(step, now).is_some();
            !tried(*index) && off.is_none() && !gone && !full && !self.is_unwell(step, now)
        })
    }

    fn look(&self, step: &Step, now: Moment) -> Fitness {
        let health = self.dispatch.health();
        health.look(&step.vendor, self.parcel.country, now)
    }

    fn is_unwell(&self, step: &Step, now: Moment) -> bool {
        matches!(self.look(step, now), Fitness::Unwell { .. })
    }

    /// How many vendors were called before this attempt.
    fn called_before(&self, attempt: usize) -> usize {
        let before = self.delivery.attempts()[..attempt].iter();
        let called = before.filter(|a| !matches!(a.state, State::Skipped(_)));
        called.count()
    }

    /// A second message beside one that is under way is paid for by first messages: when every vendor is slow,
    /// hedging stops instead of doubling the load. Away from an unwell vendor to a well one there is no limit.
    /// What a race starts together is no hedge.
    fn exceeds_budget(&self, attempt: usize, step: &Step, now: Moment) -> bool {
        let made = &self.delivery.attempts()[..attempt];
        let country = self.parcel.country;
        let before = self.called_before(attempt);
        let plan = self.delivery.plan();
        let mut under_way = made.iter().filter(|a| a.state == State::InFlight);
        let Some(waited_for) = under_way
            .next()
            .filter(|_| before >= plan.pace.width as usize)
        else {
            return false;
        };
        let waited_for = &plan.steps[waited_for.step];
        if self.is_unwell(waited_for, now) && !self.is_unwell(step, now) {
            return false;
        }
        !self.dispatch.with_budget(country, |b| b.withdraw(now))
    }
}

fn unwell(why: Why) -> Skip {
    Skip::Unwell {
        why: why.as_str().to_owned(),
    }
}
