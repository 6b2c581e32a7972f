//! The proofs of one request, each checked once: a vendor's channels often have the same.

use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::Proof;
use crate::vendor::template::Slot;

/// What came of the proofs that were asked for so far.
pub(crate) struct Proving<'a> {
    account: &'a Account,
    callback: &'a Callback<'a>,
    now: Moment,
    pub(super) checked: Vec<(&'a Proof, Result<(), Refusal>)>,
}

impl<'a> Proving<'a> {
    pub(crate) fn new(account: &'a Account, callback: &'a Callback<'a>, now: Moment) -> Self {
        Proving {
            account,
            callback,
            now,
            checked: Vec::new(),
        }
    }

    pub(crate) fn check(&mut self, proof: &'a Proof) -> Result<(), Refusal> {
        let mut checked = self.checked.iter();
        if let Some((_, known)) = checked.find(|(known, _)| *known == proof) {
            return *known;
        }
        let fill = |slot: &Slot| self.account.credential_in(slot);
        let result = proof.check(self.callback, &fill, self.now);
        self.checked.push((proof, result));
        result
    }
}
