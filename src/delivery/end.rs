//! What Okta is answered and when, and how a delivery ends.

use crate::delivery::attempt::{Attempt, Standing};
use crate::delivery::{Admission, Delivery, Reply};
use crate::flow::Outcome;
use crate::time::Moment;

impl Delivery {
    pub(super) fn reply_due(&self, now: Moment) -> Option<Reply> {
        if self.answered.is_some() {
            return None;
        }
        if self.ended.is_some() {
            return Some(Reply::Pending);
        }
        let late = now >= self.terms.answer_by;
        if self.admission == Admission::Unknown && !late {
            return None;
        }
        if let Some(attempt) = self.accepted() {
            return Some(Reply::Accepted { attempt });
        }
        if let Some(reason) = self.terminal()
            && !self.has_recourse()
            && self.in_flight().next().is_none()
        {
            return Some(Reply::Hopeless { reason });
        }
        let over = self.in_flight().next().is_none() && now >= self.end_at();
        if late || over {
            let owned = self.admission == Admission::Durable || self.places_used() > 0;
            let dead = now >= self.terms.expires_at;
            return Some(if owned || dead {
                Reply::Pending
            } else {
                Reply::Nobody
            });
        }
        (self.terms.answer_at_once && self.admission == Admission::Durable)
            .then_some(Reply::Pending)
    }

    /// When nothing can change any more although nothing is in flight.
    pub(super) fn end_at(&self) -> Moment {
        if self.has_open_end() {
            self.terms.expires_at
        } else {
            self.give_up_at()
        }
    }

    /// Something may still arrive, or be heard of.
    fn has_open_end(&self) -> bool {
        self.attempts.iter().any(|a| match a.standing() {
            Standing::Hoped | Standing::Silent | Standing::Ambiguous => true,
            Standing::Nothing | Standing::InFlight | Standing::Failed | Standing::Delivered => {
                false
            }
        })
    }

    pub(super) fn outcome_due(&self, now: Moment) -> Option<Outcome> {
        if self.in_flight().next().is_some() || self.answered.is_none() {
            return None;
        }
        if self.any(Standing::Delivered) {
            return Some(Outcome::Delivered);
        }
        if self.ended.is_some() {
            return self.ended;
        }
        let lives = now < self.terms.expires_at;
        let goes_on = lives && self.next_send().is_some();
        if self.accepted().is_some() {
            let waits = lives && self.attempts.iter().any(|a| self.may_be_heard_of(a));
            return (!waits && !goes_on).then_some(Outcome::Accepted);
        }
        if self.answered == Some(Reply::Nobody) {
            return Some(Outcome::Disowned);
        }
        let ambiguous = self.any(Standing::Ambiguous);
        if goes_on || (ambiguous && lives) {
            return None;
        }
        let tried = self.attempts.iter().any(|a| a.verdict().is_some());
        Some(if ambiguous || !tried {
            Outcome::Expired
        } else {
            Outcome::Undelivered
        })
    }

    /// Its vendor has it, and will tell what came of it.
    fn may_be_heard_of(&self, attempt: &Attempt) -> bool {
        let taken = matches!(attempt.standing(), Standing::Hoped | Standing::Silent);
        taken && self.plan.steps[attempt.step].receipts.is_some()
    }
}
