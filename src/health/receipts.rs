//! Tells a lost receipt from a vendor whose receipts have all stopped or are all late.

use crate::time::Moment;

/// What is known of a vendor's receipts as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReceiptChannel {
    /// The latest acceptance that any report was about.
    frontier: Option<Moment>,
}

impl ReceiptChannel {
    /// Whether anything was ever heard in it.
    pub(super) fn has_spoken(self) -> bool {
        self.frontier.is_some()
    }

    /// A report came on a message that was accepted then.
    pub(super) fn reported(&mut self, accepted_at: Moment) {
        self.frontier = self.frontier.max(Some(accepted_at));
    }

    /// Whether the missing receipt of a message accepted at `accepted_at` proves nothing: no message that was
    /// accepted later has been reported. An outage of receipts looks just so, and however late they all are,
    /// none overtakes another by enough to be taken for proof.
    pub(super) fn is_quiet(self, accepted_at: Moment) -> bool {
        self.frontier.is_none_or(|frontier| frontier < accepted_at)
    }
}
