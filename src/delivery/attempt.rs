//! One call of a vendor: how far it has come, and what its receipts say of it.

use crate::delivery::Skip;
use crate::flow::{Progress, Reason, Receipt, Verdict, VerdictKind};
use crate::time::Moment;

/// Receipts kept of one attempt for people to read; what later ones say still counts.
pub const RECEIPTS_MAX: usize = 16;

/// One call of a vendor, made, under way, or passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The step of the plan.
    pub step: usize,
    /// When it was started.
    pub at: Moment,
    /// What came of it.
    pub state: State,
    /// What its vendor told later, in the order in which it came.
    pub receipts: Vec<(Moment, Receipt)>,
    /// Whether a receipt was missed.
    pub silence: Silence,
    /// The furthest that receipts say it has come, and since when; it never goes back.
    pub(super) progress: Option<(Progress, Moment)>,
    /// Why receipts say that it failed.
    pub(super) failed: Option<Reason>,
    /// How often its silence was excused.
    pub(super) excuses: u8,
}

/// How far an attempt has come.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// No answer yet.
    InFlight,
    /// The vendor answered, or we stopped listening.
    Settled { verdict: Verdict, at: Moment },
    /// No call was made.
    Skipped(Skip),
}

/// What is known of a receipt that did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// None was missed.
    None,
    /// One is missed; whether that means anything has been asked.
    Asked,
    /// Nothing comes from this vendor: its receipts are missing, not its messages.
    Excused {
        since: Moment,
        /// How often.
        times: u8,
    },
    /// The vendor reports on others and not on this one.
    Telling { since: Moment },
}

/// Where an attempt stands, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not made, or definitely refused.
    Nothing,
    InFlight,
    /// The vendor has it; nothing speaks against its arrival.
    Hoped,
    /// The vendor took it, and is silent about it.
    Silent,
    /// It may have been sent.
    Ambiguous,
    /// A receipt says that it will not arrive.
    Failed,
    /// A receipt says that it arrived.
    Delivered,
}

impl Attempt {
    pub(super) fn new(step: usize, at: Moment) -> Attempt {
        Attempt {
            step,
            at,
            state: State::InFlight,
            receipts: Vec::new(),
            silence: Silence::None,
            progress: None,
            failed: None,
            excuses: 0,
        }
    }

    /// The verdict, once there is one.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.state {
            State::Settled { verdict, .. } => Some(verdict),
            State::InFlight | State::Skipped(_) => None,
        }
    }

    /// When the vendor took it, as far as its answer says.
    pub fn accepted_at(&self) -> Option<Moment> {
        match &self.state {
            State::Settled { verdict, at } if verdict.kind == VerdictKind::Accepted => Some(*at),
            State::Settled { .. } | State::InFlight | State::Skipped(_) => None,
        }
    }

    /// How often its silence was excused.
    pub fn excuses(&self) -> u8 {
        self.excuses
    }

    /// When the vendor is known to have had it: by its answer, else by a receipt.
    pub(super) fn taken_at(&self) -> Option<Moment> {
        self.accepted_at()
            .or_else(|| self.progress.map(|(_, at)| at))
    }

    /// The furthest that receipts say it has come.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.map(|(progress, _)| progress)
    }

    /// When a receipt said that it arrived.
    pub fn delivered_at(&self) -> Option<Moment> {
        self.progress
            .filter(|(progress, _)| *progress == Progress::Delivered)
            .map(|(_, at)| at)
    }

    /// Why it failed, by its answer or by a receipt, and when that was known.
    pub fn failure(&self) -> Option<(Reason, Moment)> {
        if let Some((Progress::Failed, at)) = self.progress {
            return Some((self.failed.unwrap_or(Reason::Unknown), at));
        }
        match &self.state {
            State::Settled { verdict, at } => verdict.reason.map(|reason| (reason, *at)),
            State::InFlight | State::Skipped(_) => None,
        }
    }

    #[cfg(test)]
    pub(super) fn is(&self, kind: VerdictKind) -> bool {
        self.verdict().is_some_and(|v| v.kind == kind)
    }

    pub(super) fn standing(&self) -> Standing {
        let progress = self.progress.map(|(progress, _)| progress);
        match progress {
            Some(Progress::Delivered) => return Standing::Delivered,
            Some(Progress::Failed) => return Standing::Failed,
            Some(Progress::Intermediate | Progress::Unknown) | None => {}
        }
        match (&self.state, self.silence) {
            // Its vendor knows of it before it has answered.
            (State::InFlight, _) if progress.is_some() => Standing::Hoped,
            (State::InFlight, _) => Standing::InFlight,
            (State::Skipped(_), _) => Standing::Nothing,
            (State::Settled { verdict, .. }, silence) => match (verdict.kind, silence) {
                (VerdictKind::Accepted, Silence::Telling { .. }) => Standing::Silent,
                (VerdictKind::Accepted, _) => Standing::Hoped,
                // Its vendor knows of it, so it was sent.
                (VerdictKind::Ambiguous, _) if progress.is_some() => Standing::Hoped,
                (VerdictKind::Ambiguous, _) => Standing::Ambiguous,
                (VerdictKind::Rejected | VerdictKind::Throttled | VerdictKind::Unavailable, _) => {
                    Standing::Nothing
                }
            },
        }
    }

    /// Whether it counts against `max_sends`: a failed receipt does not give the place back.
    pub(super) fn holds_place(&self) -> bool {
        let made = match &self.state {
            State::InFlight => true,
            State::Settled { verdict, .. } => verdict.may_have_been_sent(),
            State::Skipped(_) => false,
        };
        made || self.progress.is_some()
    }

    /// Takes a receipt in; whether it is the first one to say that it failed.
    pub(super) fn hear(&mut self, receipt: Receipt, now: Moment) -> bool {
        let known = self.progress.map(|(progress, _)| progress);
        let news = known.is_none_or(|known| receipt.progress > known);
        if news {
            self.progress = Some((receipt.progress, now));
            self.failed = receipt.reason;
        }
        let failed = news && receipt.progress == Progress::Failed;
        if self.receipts.len() < RECEIPTS_MAX {
            self.receipts.push((now, receipt));
        }
        failed
    }
}
