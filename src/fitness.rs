//! Decides right before each call whether its vendor may be called now, and what a delivery's events tell of one.

mod signs;
mod suit;
#[cfg(test)]
mod tests;

use crate::delivery::{Delivery, Skip, State};
use crate::flow::{Step, VendorName};
use crate::health::{Fitness, Why};
use crate::number::Country;
use crate::time::Moment;

pub use signs::{is_silence_excused, late_sign, moved_from, sign, slow_sign};
pub use suit::suit;

/// What a decision needs to know of the world around a delivery, as it is at this moment.
pub trait Surroundings {
    /// Why the vendor is switched off in the country.
    fn off(&self, vendor: &VendorName, country: Country, now: Moment) -> Option<String>;
    /// Whether there is an account with the vendor.
    fn has_account(&self, vendor: &VendorName) -> bool;
    /// Whether the account processes data in the region.
    fn is_in_region(&self, vendor: &VendorName, region: &str) -> bool;
    /// The name of the counter that the step's messages use up, where it is full. Asking uses nothing.
    fn full_quota(&self, step: &Step, now: Moment) -> Option<String>;
    /// How the vendor is in the country.
    fn look(&self, vendor: &VendorName, country: Country, now: Moment) -> Fitness;
    /// The same, and whoever is told to probe is the one who does.
    fn ask(&mut self, vendor: &VendorName, country: Country, now: Moment) -> Fitness;
    /// Whether the vendor has room for one more call now. Asking uses a place.
    fn may_call(&mut self, vendor: &VendorName, now: Moment) -> bool;
    /// A delivery makes its first call in the country.
    fn deposit(&mut self, country: Country, now: Moment);
    /// Whether the country's budget has room for one more second message. Asking takes it.
    fn withdraw(&mut self, country: Country, now: Moment) -> bool;
}

/// Why the vendor of an attempt is passed over now; switches, accounts, rates and health are those of this moment.
pub fn skip(
    delivery: &Delivery,
    country: Country,
    attempt: usize,
    around: &mut impl Surroundings,
    now: Moment,
) -> Option<Skip> {
    let call = Call {
        delivery,
        country,
        attempt,
        now,
    };
    call.skip(around)
}

/// A call that is about to be made.
struct Call<'a> {
    delivery: &'a Delivery,
    country: Country,
    attempt: usize,
    now: Moment,
}

impl Call<'_> {
    fn skip(&self, around: &mut impl Surroundings) -> Option<Skip> {
        let (step, country, now) = (self.step(), self.country, self.now);
        let vendor = &step.vendor;
        if let Some(reason) = around.off(vendor, country, now) {
            return Some(Skip::Off { reason });
        }
        if !around.has_account(vendor) {
            return Some(Skip::Gone);
        }
        if let Some(region) = &self.delivery.plan().data_region
            && !around.is_in_region(vendor, region)
        {
            return Some(Skip::Elsewhere);
        }
        if let Some(name) = around.full_quota(step, now) {
            return Some(Skip::Quota { name });
        }
        if let Fitness::Unwell { why, .. } = around.look(vendor, country, now)
            && self.has_better(around)
        {
            return Some(unwell(why));
        }
        if self.exceeds_budget(around) {
            return Some(Skip::Budget);
        }
        if !around.may_call(vendor, now) {
            return Some(Skip::Rate);
        }
        if self.called_before() == 0 {
            around.deposit(country, now);
        }
        match around.ask(vendor, country, now) {
            // Another delivery has the probe by now.
            Fitness::Unwell { why, .. } if self.has_better(around) => Some(unwell(why)),
            Fitness::Well | Fitness::Probe | Fitness::Unwell { .. } => None,
        }
    }

    fn step(&self) -> &Step {
        step(self.delivery, self.attempt)
    }

    /// Whether another vendor, well and not tried yet, comes next in this one's stead. Without one even an unwell
    /// vendor is called: a small chance is better than none. A step that waited for its reason has no stead.
    fn has_better(&self, around: &impl Surroundings) -> bool {
        if self.step().waits.is_some() {
            return false;
        }
        let (country, now) = (self.country, self.now);
        let tried = |step: usize| {
            let mut attempts = self.delivery.attempts().iter();
            attempts.any(|a| a.step == step && !matches!(a.state, State::Skipped(_)))
        };
        self.delivery.ahead().iter().any(|index| {
            let step = &self.delivery.plan().steps[*index];
            let off = around.off(&step.vendor, country, now);
            let region = self.delivery.plan().data_region.as_deref();
            let may = off.is_none()
                && around.has_account(&step.vendor)
                && region.is_none_or(|region| around.is_in_region(&step.vendor, region))
                && around.full_quota(step, now).is_none();
            !tried(*index) && may && !is_unwell(step, country, around, now)
        })
    }

    /// How many vendors were called before this attempt.
    fn called_before(&self) -> usize {
        let before = self.delivery.attempts()[..self.attempt].iter();
        let called = before.filter(|a| !matches!(a.state, State::Skipped(_)));
        called.count()
    }

    /// A second message beside one that is under way is paid for by first messages: when every vendor is slow,
    /// hedging stops instead of doubling the load. Away from an unwell vendor to a well one there is no limit.
    /// What a race starts together is no hedge.
    fn exceeds_budget(&self, around: &mut impl Surroundings) -> bool {
        let (country, now) = (self.country, self.now);
        let made = &self.delivery.attempts()[..self.attempt];
        let before = self.called_before();
        let plan = self.delivery.plan();
        let mut under_way = made.iter().filter(|a| a.state == State::InFlight);
        let Some(waited_for) = under_way
            .next()
            .filter(|_| before >= plan.pace.width as usize)
        else {
            return false;
        };
        let waited_for = &plan.steps[waited_for.step];
        if is_unwell(waited_for, country, around, now)
            && !is_unwell(self.step(), country, around, now)
        {
            return false;
        }
        !around.withdraw(country, now)
    }
}

fn step(delivery: &Delivery, attempt: usize) -> &Step {
    &delivery.plan().steps[delivery.attempts()[attempt].step]
}

fn is_unwell(step: &Step, country: Country, around: &impl Surroundings, now: Moment) -> bool {
    let fitness = around.look(&step.vendor, country, now);
    matches!(fitness, Fitness::Unwell { .. })
}

fn unwell(why: Why) -> Skip {
    Skip::Unwell {
        why: why.as_str().to_owned(),
    }
}
