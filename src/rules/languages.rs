//! Keeps calls with the vendors that have a voice for their language, where there is one.

use std::sync::Arc;

use crate::flow::{Channel, Step, VendorName};
use crate::rules::plan::Unused;
use crate::text::{Languages, language};

/// A step that a vendor could take.
pub(super) struct Offer {
    pub(super) step: Step,
    /// Absent where there is nothing to choose from.
    pub(super) weight: Option<u32>,
    /// The language that the vendor would have to read and has no voice for.
    pub(super) foreign: Option<Arc<str>>,
}

impl Offer {
    fn speaks(&self) -> bool {
        self.step.channel == Channel::Voice && self.foreign.is_none()
    }

    fn waits(&self) -> bool {
        self.step.waits.is_some()
    }
}

/// The language of a step that is none of those which its vendor speaks; it is frozen with the step's wording.
pub(super) fn foreign(speaks: Option<&Languages>, step: &Step) -> Option<Arc<str>> {
    let speaks = speaks.filter(|_| step.channel == Channel::Voice)?;
    let language = language(step.wording.as_deref());
    (!speaks.has(&language)).then(|| Arc::from(&*language))
}

/// Leaves out whose voice is foreign to a call, unless nobody in the chain has a better one: a passcode that is read
/// with an accent is better than none. One that waits for its reason cannot stand in for one that does not.
pub(super) fn leave_foreign_out(
    positions: &mut [Vec<Offer>],
    left_out: &mut Vec<(VendorName, Unused)>,
) {
    let mut all = positions.iter().flatten();
    if all.all(|offer| offer.foreign.is_none()) {
        return;
    }
    let speaking = || positions.iter().flatten().filter(|offer| offer.speaks());
    let any = speaking().next().is_some();
    let any_in_turn = speaking().any(|offer| !offer.waits());
    for offers in positions {
        offers.retain(|offer| {
            let has_better = if offer.waits() { any } else { any_in_turn };
            let Some(language) = offer.foreign.as_ref().filter(|_| has_better) else {
                return true;
            };
            let why = Unused::Language(Arc::clone(language));
            left_out.push((offer.step.vendor.clone(), why));
            false
        });
    }
}
