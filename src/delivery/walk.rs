//! Which vendor is turned to next, and when.

use crate::delivery::attempt::{Attempt, Silence, Standing, State};
use crate::delivery::{ATTEMPTS_MAX, Action, Delivery, LEAST_LIFE_MS, Reply, Skip};
use crate::flow::{Outcome, Reason, VerdictKind, Waits};
use crate::time::Moment;

/// The pauses before the second, third, ... walk along the chain; the last one repeats.
const ROUND_PAUSES_MS: [i64; 4] = [1_000, 2_000, 4_000, 8_000];

/// A hedge that was denied is asked for again no sooner than this.
const HEDGE_PAUSE_MS: i64 = 500;

/// The next step, and the earliest moment for it.
pub(super) struct Next {
    pub(super) at: Moment,
    step: Which,
}

#[derive(Clone, Copy)]
enum Which {
    /// The next one of this round.
    Ahead,
    /// One that waited for a reason.
    Waiting(usize),
}

impl Delivery {
    pub(super) fn start(&mut self, next: &Next, now: Moment) -> Action {
        let step = match next.step {
            Which::Waiting(step) => step,
            Which::Ahead => {
                if self.ahead.is_empty() {
                    self.round += 1;
                    self.ahead = self.steps_by_hope();
                }
                self.ahead.remove(0)
            }
        };
        self.attempts.push(Attempt::new(step, now));
        Action::Send {
            attempt: self.attempts.len() - 1,
            step,
        }
    }

    /// The steps in their order, those whose message may be under way or was lost last.
    fn steps_by_hope(&self) -> Vec<usize> {
        let mut steps = self.plain_steps();
        steps.sort_by_key(|step| {
            let of_step = self.attempts.iter().filter(|a| a.step == *step);
            of_step.map(Attempt::standing).any(|s| {
                matches!(
                    s,
                    Standing::Ambiguous | Standing::Failed | Standing::Silent | Standing::Hoped
                )
            })
        });
        steps
    }

    /// The steps that wait for no reason.
    pub(super) fn plain_steps(&self) -> Vec<usize> {
        let steps = self.plan.steps.iter().enumerate();
        let plain = steps.filter(|(_, step)| step.waits.is_none());
        plain.map(|(index, _)| index).collect()
    }

    /// Who may be called next and when, as things stand; `None` for nobody, ever.
    pub(super) fn next_send(&self) -> Option<Next> {
        let full = self.places_used() >= self.plan.pace.max_sends as usize;
        let over = self.answered == Some(Reply::Nobody) || self.ended.is_some();
        if over || full || self.attempts.len() >= ATTEMPTS_MAX || self.is_hopeful() {
            return None;
        }
        let waiting = self.next_waiting();
        let ahead = self.next_ahead();
        let next = match (waiting, ahead) {
            (Some(waiting), Some(ahead)) if waiting.at <= ahead.at => waiting,
            (_, Some(ahead)) => ahead,
            (waiting, None) => waiting?,
        };
        (next.at.max(self.seen) < self.give_up_at()).then_some(next)
    }

    /// Some vendor has it, and nothing speaks against its arrival.
    pub fn is_hopeful(&self) -> bool {
        self.attempts
            .iter()
            .any(|a| matches!(a.standing(), Standing::Hoped | Standing::Delivered))
    }

    fn next_ahead(&self) -> Option<Next> {
        let silent = self.any(Standing::Silent) && !self.plan.pace.moves_on_silence;
        let failed = self.any(Standing::Failed) && self.plan.pace.stops_on_failed_receipt;
        if silent || failed || self.terminal().is_some() || self.plain_steps().is_empty() {
            return None;
        }
        let at = if self.ahead.is_empty() {
            self.next_round_at()?
        } else {
            self.patience_ends_at()
        };
        Some(Next {
            at,
            step: Which::Ahead,
        })
    }

    /// The step whose reason to act has come, and which has not acted yet.
    fn next_waiting(&self) -> Option<Next> {
        let steps = self.plan.steps.iter().enumerate();
        let due = steps.filter_map(|(index, step)| {
            let waits = step.waits.as_ref()?;
            let mut earliest = self.terms.received_at.plus_ms(waits.after_ms);
            let made = self.attempts.iter().filter(|a| a.step == index);
            for (count, made) in made.enumerate() {
                let pause_ms = ROUND_PAUSES_MS[count.min(ROUND_PAUSES_MS.len() - 1)];
                earliest = earliest.max(made.sent_nothing_at()?.plus_ms(pause_ms));
            }
            let reasons = self.attempts.iter().filter_map(|a| a.gives_reason(waits));
            let at = reasons.min()?;
            Some(Next {
                at: at.max(earliest),
                step: Which::Waiting(index),
            })
        });
        due.min_by_key(|next| next.at)
    }

    /// Whether a waiting step has its reason.
    pub(super) fn has_recourse(&self) -> bool {
        self.next_waiting().is_some()
    }

    /// When fewer than `width` attempts are still within their patience. Without a budget for hedges, after
    /// as long again, or when none is under way.
    fn patience_ends_at(&self) -> Moment {
        let waited_for = self.attempts.iter();
        let waited_for = waited_for.filter(|a| a.standing() == Standing::InFlight);
        let mut ends: Vec<Moment> = waited_for.map(|a| self.patience_of(a)).collect();
        let denied = self.hedge_denied_until.filter(|_| !ends.is_empty());
        let width = self.plan.pace.width.max(1) as usize;
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let end = ends.get(width - 1).copied().unwrap_or(self.idle_since);
        denied.map_or(end, |until| until.max(end))
    }

    /// Whether an attempt has been waited for as long as it may before the next one starts.
    pub fn is_out_of_patience(&self, attempt: usize, now: Moment) -> bool {
        let made = self.attempts.get(attempt);
        made.is_some_and(|made| self.patience_of(made) <= now)
    }

    fn patience_of(&self, attempt: &Attempt) -> Moment {
        let learned = self.plan.steps[attempt.step].patience_ms;
        let patience_ms = learned.unwrap_or(self.plan.pace.patience_ms);
        attempt.at.plus_ms(patience_ms)
    }

    /// A new round waits for all that is under way, then pauses, so that one vendor is not asked twice.
    fn next_round_at(&self) -> Option<Moment> {
        if self.in_flight().next().is_some() {
            return None;
        }
        let last = ROUND_PAUSES_MS.len() - 1;
        let pause = ROUND_PAUSES_MS[(self.round as usize).min(last)];
        Some(self.idle_since.plus_ms(pause + self.jitter(pause / 4)))
    }

    /// A number from 0 to `below`, a function of the delivery and the round.
    fn jitter(&self, below: i64) -> i64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(self.round);
        for byte in self.terms.id.as_bytes() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        i64::try_from(hash >> 33).unwrap_or(0) % below.max(1)
    }

    pub(super) fn give_up_at(&self) -> Moment {
        let give_up_after_ms = self.plan.pace.give_up_after_ms;
        let by_plan = self.terms.received_at.plus_ms(give_up_after_ms);
        by_plan.min(self.terms.expires_at.plus_ms(-LEAST_LIFE_MS))
    }

    pub(super) fn skip(&mut self, attempt: usize, why: Skip, now: Moment) {
        let Some(known) = self.attempts.get_mut(attempt) else {
            return;
        };
        if known.state != State::InFlight {
            return;
        }
        let step = known.step;
        let in_turn = self.plan.steps[step].waits.is_none();
        match &why {
            // Not this vendor's fault: it comes next.
            Skip::Budget if in_turn => {
                self.ahead.insert(0, step);
                let pause_ms = self.plan.pace.patience_ms.max(HEDGE_PAUSE_MS);
                self.hedge_denied_until = Some(now.plus_ms(pause_ms));
            }
            // A well one comes first; should that fail too, a small chance is better than none.
            Skip::Unwell { .. } if in_turn => self.ahead.push(step),
            Skip::Superseded => self.ended = self.ended.or(Some(Outcome::Superseded)),
            Skip::Off { .. }
            | Skip::Rate
            | Skip::Gone
            | Skip::Unfit
            | Skip::NoPublicUrl
            | Skip::Unwell { .. }
            | Skip::Budget
            | Skip::Needless
            | Skip::Quota { .. }
            | Skip::Elsewhere => {}
        }
        known.state = State::Skipped(why);
        if in_turn {
            self.idle_since = now;
        }
    }

    /// Why no other vendor on the same channel would do better.
    pub(super) fn terminal(&self) -> Option<Reason> {
        let failures = self.attempts.iter().filter_map(Attempt::definite_failure);
        failures.map(|(reason, _)| reason).find(|r| r.is_terminal())
    }

    pub(super) fn any(&self, standing: Standing) -> bool {
        self.attempts.iter().any(|a| a.standing() == standing)
    }

    /// Attempts that reached the handset, may have, or still may.
    pub(super) fn places_used(&self) -> usize {
        self.attempts.iter().filter(|a| a.holds_place()).count()
    }

    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|a| a.state == State::InFlight)
    }
}

impl Attempt {
    /// When it ended without anything being sent, by no fault of the message; `None` otherwise.
    fn sent_nothing_at(&self) -> Option<Moment> {
        match &self.state {
            State::Skipped(_) => Some(self.at),
            State::Settled { verdict, at } => match verdict.kind {
                VerdictKind::Throttled | VerdictKind::Unavailable => Some(*at),
                VerdictKind::Accepted | VerdictKind::Rejected | VerdictKind::Ambiguous => None,
            },
            State::InFlight => None,
        }
    }

    /// Since when this attempt is a reason for a waiting step to act.
    fn gives_reason(&self, waits: &Waits) -> Option<Moment> {
        if let Silence::Telling { since } = self.silence
            && waits.on_silence
            && self.standing() == Standing::Silent
        {
            return Some(since);
        }
        let (reason, at) = self.definite_failure()?;
        waits.on.contains(&reason).then_some(at)
    }

    /// A failure that is known for sure: a refusal, or a failed receipt.
    fn definite_failure(&self) -> Option<(Reason, Moment)> {
        let definite = match self.standing() {
            Standing::Failed => true,
            Standing::Nothing => matches!(self.state, State::Settled { .. }),
            Standing::InFlight
            | Standing::Hoped
            | Standing::Silent
            | Standing::Ambiguous
            | Standing::Delivered => false,
        };
        self.failure().filter(|_| definite)
    }
}
