//! Puts calls first to the vendors that have a voice for their language, where there is one.

use std::sync::Arc;

use crate::flow::{Channel, Step, Wording};
use crate::rules::plan::Offer;
use crate::text::{Languages, language};

/// The language of a call that is none of those which a vendor speaks; it is frozen with the wording.
pub(super) fn foreign(
    speaks: Option<&Languages>,
    channel: Channel,
    wording: Option<&Wording>,
) -> Option<Arc<str>> {
    let speaks = speaks.filter(|_| channel == Channel::Voice)?;
    let language = language(wording);
    (!speaks.has(&language)).then(|| Arc::from(&*language))
}

/// Takes out of all positions whose voice is foreign to a call that another one speaks, each into a position of its
/// own list: they come last, since a passcode that is read with an accent is better than none.
pub(super) fn take_foreign(positions: &mut [Vec<Offer>]) -> Vec<Vec<Offer>> {
    let all = || positions.iter().flatten().map(|offer| &offer.step);
    if all().all(|step| step.foreign.is_none()) {
        return Vec::new();
    }
    let speaking: Vec<Step> = all().filter(|s| s.foreign.is_none()).cloned().collect();
    let is_last = |offer: &mut Offer| speaking.iter().any(|step| offer.step.yields_to(step));
    let positions = positions.iter_mut();
    positions
        .map(|offers| offers.extract_if(.., is_last).collect())
        .collect()
}
