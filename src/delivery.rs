//! Says what to do next for one message: events and the moment go in, actions come out.
//!
//! There is no clock, no timer and no vendor here. When to wake the machine is derived (`wake_at`), so a
//! timer cannot be lost; feeding the same events at the same moments yields the same actions again.

use serde::{Deserialize, Serialize};

use crate::flow::{DeliveryId, Outcome, Pace, Reason, Verdict, VerdictKind};
use crate::time::Moment;

/// A vendor is listened to for this long; then its attempt counts as ambiguous.
pub const LISTEN_MS: i64 = 10_000;
/// What the machine adds to `LISTEN_MS` before it stops waiting for whoever should have told it.
const LISTEN_SLACK_MS: i64 = 1_000;
/// No new send with less of the passcode's life left than this.
pub const LEAST_LIFE_MS: i64 = 10_000;
/// The pauses before the second, third, ... walk along the chain; the last one repeats.
const ROUND_PAUSES_MS: [i64; 4] = [1_000, 2_000, 4_000, 8_000];
/// More entries than this in one delivery's list of attempts and it gives up.
pub const ATTEMPTS_MAX: usize = 200;

/// What is known of a delivery before its first event, and never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The delivery; its bytes make the jitter.
    pub id: DeliveryId,
    /// How many vendors the chain has.
    pub steps: usize,
    /// How the chain is walked.
    pub pace: Pace,
    /// When the hook call came.
    pub received_at: Moment,
    /// Okta hears an answer at this moment at the latest.
    pub answer_by: Moment,
    /// The passcode is worthless from here on.
    pub expires_at: Moment,
    /// Answer as soon as the admission is on disk, without waiting for a vendor.
    pub answer_at_once: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Time has passed.
    Woke,
    /// The admission is on disk, or known not to be.
    Journaled { durable: bool },
    /// An attempt came to a verdict.
    Settled { attempt: usize, verdict: Verdict },
    /// An attempt was not made: its vendor is off, gone, or at its limit. Uses no slot.
    Skipped { attempt: usize, why: Skip },
    /// The process came back; whatever was in flight may have been sent.
    Restarted,
}

/// Why a vendor was passed over without a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// A switch turned it off.
    Off { reason: String },
    /// Its agreed rate is used up, or it asked us to wait.
    Rate,
    /// The configuration no longer has it.
    Gone,
    /// Its definition could not make a request of this message.
    Unfit,
}

impl Skip {
    /// The label in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Skip::Off { .. } => "off",
            Skip::Rate => "rate",
            Skip::Gone => "gone",
            Skip::Unfit => "unfit",
        }
    }
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Call the vendor of this step.
    Send { attempt: usize, step: usize },
    /// Answer the hook call. Given exactly once.
    Answer(Reply),
    /// The delivery is over. Given exactly once, last.
    Close(Outcome),
}

/// What the hook call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A vendor accepted.
    Accepted { attempt: usize },
    /// Nobody has yet; we own it.
    Pending,
    /// No vendor ever will.
    Hopeless { reason: Reason },
    /// Nobody owns it: neither journal nor vendor could be reached.
    Nobody,
}

/// One call of a vendor, made, under way, or passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The step of the plan.
    pub step: usize,
    /// When it was started.
    pub at: Moment,
    /// What came of it.
    pub state: State,
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

#[derive(Clone, Copy, Debug, PartialEq)]
enum Admission {
    Unknown,
    Durable,
    Broken,
}

/// The state of one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    terms: Terms,
    attempts: Vec<Attempt>,
    /// The steps of this round that are still to be tried, in order.
    ahead: Vec<usize>,
    round: u32,
    /// The latest moment told; nothing can be sent before it.
    seen: Moment,
    /// When the last attempt ended; a new round is counted from here.
    idle_since: Moment,
    admission: Admission,
    answered: Option<Reply>,
    closed: Option<Outcome>,
}

impl Delivery {
    /// A delivery that has seen nothing yet. The first actions come with the first event.
    pub fn new(terms: Terms) -> Delivery {
        Delivery {
            ahead: (0..terms.steps).collect(),
            idle_since: terms.received_at,
            seen: terms.received_at,
            terms,
            attempts: Vec::new(),
            round: 0,
            admission: Admission::Unknown,
            answered: None,
            closed: None,
        }
    }

    /// Takes in what happened and says what to do now.
    pub fn on(&mut self, event: Event, now: Moment) -> Vec<Action> {
        if self.closed.is_some() {
            return Vec::new();
        }
        self.seen = self.seen.max(now);
        match event {
            Event::Woke => self.stop_listening(now),
            Event::Journaled { durable: true } => self.admission = Admission::Durable,
            Event::Journaled { durable: false } => self.admission = Admission::Broken,
            Event::Settled { attempt, verdict } => self.settle(attempt, verdict, now),
            Event::Skipped { attempt, why } => self.skip(attempt, why, now),
            Event::Restarted => self.restart(now),
        }
        self.advance(now)
    }

    /// When to send `Event::Woke` next; `None` once closed.
    pub fn wake_at(&self) -> Option<Moment> {
        if self.closed.is_some() {
            return None;
        }
        let answer = self.answered.is_none().then_some(self.terms.answer_by);
        let listen = self.in_flight().map(|a| listened_until(a.at)).min();
        let settled = self.answered.is_some() || self.admission != Admission::Unknown;
        let idle = self.in_flight().next().is_none();
        let end = (settled && idle).then(|| self.end_at());
        [answer, self.next_send_at(), listen, end]
            .into_iter()
            .flatten()
            .min()
    }

    /// What never changes.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// All attempts, in the order they were started.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The outcome, once closed.
    pub fn outcome(&self) -> Option<Outcome> {
        self.closed
    }

    /// What Okta was told, once it was.
    pub fn reply(&self) -> Option<Reply> {
        self.answered
    }

    /// The first attempt that a vendor accepted.
    pub fn accepted(&self) -> Option<usize> {
        self.attempts
            .iter()
            .position(|a| a.is(VerdictKind::Accepted))
    }

    /// How many messages more than one may have reached the handset.
    pub fn possible_duplicates(&self) -> usize {
        let sent = |a: &&Attempt| a.verdict().is_some_and(Verdict::may_have_been_sent);
        self.attempts.iter().filter(sent).count().saturating_sub(1)
    }

    fn advance(&mut self, now: Moment) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(action) = self.next_action(now) {
            actions.push(action);
        }
        actions
    }

    fn next_action(&mut self, now: Moment) -> Option<Action> {
        if self.closed.is_some() {
            return None;
        }
        if let Some(reply) = self.reply_due(now) {
            self.answered = Some(reply);
            return Some(Action::Answer(reply));
        }
        if self.next_send_at().is_some_and(|at| at <= now) {
            return Some(self.start_next(now));
        }
        let outcome = self.outcome_due(now)?;
        self.closed = Some(outcome);
        Some(Action::Close(outcome))
    }

    fn start_next(&mut self, now: Moment) -> Action {
        if self.ahead.is_empty() {
            self.round += 1;
            self.ahead = self.steps_by_ambiguity();
        }
        let step = self.ahead.remove(0);
        self.attempts.push(Attempt {
            step,
            at: now,
            state: State::InFlight,
        });
        Action::Send {
            attempt: self.attempts.len() - 1,
            step,
        }
    }

    /// The steps in their order, those that may already have sent last.
    fn steps_by_ambiguity(&self) -> Vec<usize> {
        let mut steps: Vec<usize> = (0..self.terms.steps).collect();
        steps.sort_by_key(|step| {
            self.attempts
                .iter()
                .any(|a| a.step == *step && a.is(VerdictKind::Ambiguous))
        });
        steps
    }

    /// The earliest moment at which another vendor may be called, as things stand; `None` for never.
    fn next_send_at(&self) -> Option<Moment> {
        let nobody = self.answered == Some(Reply::Nobody);
        let over = nobody || self.accepted().is_some() || self.hopeless().is_some();
        let full = self.slots_used() >= self.terms.pace.max_sends as usize;
        if over || full || self.terms.steps == 0 || self.attempts.len() >= ATTEMPTS_MAX {
            return None;
        }
        let at = if self.ahead.is_empty() {
            self.next_round_at()?
        } else {
            self.patience_ends_at()
        };
        (at.max(self.seen) < self.give_up_at()).then_some(at)
    }

    /// When fewer than `width` attempts are still within their patience.
    fn patience_ends_at(&self) -> Moment {
        let width = self.terms.pace.width.max(1) as usize;
        let mut ends: Vec<Moment> = self
            .in_flight()
            .map(|a| a.at.plus_ms(self.terms.pace.patience_ms))
            .collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        ends.get(width - 1).copied().unwrap_or(self.idle_since)
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

    fn give_up_at(&self) -> Moment {
        let by_plan = self
            .terms
            .received_at
            .plus_ms(self.terms.pace.give_up_after_ms);
        by_plan.min(self.terms.expires_at.plus_ms(-LEAST_LIFE_MS))
    }

    /// When nothing can change any more although nothing is in flight.
    fn end_at(&self) -> Moment {
        if self.any_ambiguous() {
            self.terms.expires_at
        } else {
            self.give_up_at()
        }
    }

    fn reply_due(&self, now: Moment) -> Option<Reply> {
        let late = now >= self.terms.answer_by;
        if self.answered.is_some() || (self.admission == Admission::Unknown && !late) {
            return None;
        }
        if let Some(attempt) = self.accepted() {
            return Some(Reply::Accepted { attempt });
        }
        if let Some(reason) = self.hopeless() {
            return Some(Reply::Hopeless { reason });
        }
        let ended = self.in_flight().next().is_none() && now >= self.end_at();
        let owned = self.admission == Admission::Durable || self.slots_used() > 0;
        if late || ended {
            let unowned_life = now < self.terms.expires_at;
            return Some(if owned || !unowned_life {
                Reply::Pending
            } else {
                Reply::Nobody
            });
        }
        (self.terms.answer_at_once && self.admission == Admission::Durable)
            .then_some(Reply::Pending)
    }

    fn outcome_due(&self, now: Moment) -> Option<Outcome> {
        if self.in_flight().next().is_some() || self.answered.is_none() {
            return None;
        }
        if self.accepted().is_some() {
            return Some(Outcome::Accepted);
        }
        if self.answered == Some(Reply::Nobody) {
            return Some(Outcome::Disowned);
        }
        if self.hopeless().is_some() && !self.any_ambiguous() {
            return Some(Outcome::Undelivered);
        }
        if now < self.end_at() && (self.any_ambiguous() || self.next_send_at().is_some()) {
            return None;
        }
        let tried = self.attempts.iter().any(|a| a.verdict().is_some());
        Some(if self.any_ambiguous() || !tried {
            Outcome::Expired
        } else {
            Outcome::Undelivered
        })
    }

    fn settle(&mut self, attempt: usize, verdict: Verdict, now: Moment) {
        let Some(known) = self.attempts.get_mut(attempt) else {
            return;
        };
        let news = match &known.state {
            State::InFlight => true,
            // The vendor answered after we had stopped listening: acceptance is news, the rest is not.
            State::Settled { verdict: old, .. } => {
                old.kind == VerdictKind::Ambiguous && verdict.kind == VerdictKind::Accepted
            }
            State::Skipped(_) => false,
        };
        if news {
            known.state = State::Settled { verdict, at: now };
            self.idle_since = now;
        }
    }

    fn skip(&mut self, attempt: usize, why: Skip, now: Moment) {
        if let Some(known) = self.attempts.get_mut(attempt)
            && known.state == State::InFlight
        {
            known.state = State::Skipped(why);
            self.idle_since = now;
        }
    }

    fn stop_listening(&mut self, now: Moment) {
        let silent: Vec<usize> = (0..self.attempts.len())
            .filter(|i| self.attempts[*i].state == State::InFlight)
            .filter(|i| listened_until(self.attempts[*i].at) <= now)
            .collect();
        for attempt in silent {
            let verdict = Verdict::failed(VerdictKind::Ambiguous, Reason::Timeout);
            self.settle(attempt, verdict, now);
        }
    }

    fn restart(&mut self, now: Moment) {
        // Replayed from the journal, so the admission is on disk.
        self.admission = Admission::Durable;
        for attempt in 0..self.attempts.len() {
            if self.attempts[attempt].state == State::InFlight {
                let verdict = Verdict::failed(VerdictKind::Ambiguous, Reason::Unknown);
                self.settle(attempt, verdict, now);
            }
        }
    }

    fn hopeless(&self) -> Option<Reason> {
        self.attempts
            .iter()
            .filter_map(Attempt::verdict)
            .filter(|v| v.kind == VerdictKind::Rejected)
            .filter_map(|v| v.reason)
            .find(|r| r.is_terminal())
    }

    fn any_ambiguous(&self) -> bool {
        self.attempts.iter().any(|a| a.is(VerdictKind::Ambiguous))
    }

    /// Attempts that reached the handset, may have, or still may.
    fn slots_used(&self) -> usize {
        let holds = |a: &&Attempt| match &a.state {
            State::InFlight => true,
            State::Settled { verdict, .. } => verdict.may_have_been_sent(),
            State::Skipped(_) => false,
        };
        self.attempts.iter().filter(holds).count()
    }

    fn in_flight(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|a| a.state == State::InFlight)
    }
}

impl Attempt {
    /// The verdict, once there is one.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.state {
            State::Settled { verdict, .. } => Some(verdict),
            State::InFlight | State::Skipped(_) => None,
        }
    }

    fn is(&self, kind: VerdictKind) -> bool {
        self.verdict().is_some_and(|v| v.kind == kind)
    }
}

fn listened_until(started: Moment) -> Moment {
    started.plus_ms(LISTEN_MS + LISTEN_SLACK_MS)
}

#[cfg(test)]
mod tests;
