//! Says what to do next for one message: events and the moment go in, actions come out.
//!
//! There is no clock, no timer and no vendor here. When to wake the machine is derived (`wake_at`), so a
//! timer cannot be lost; feeding the same events at the same moments yields the same actions again.

mod attempt;
mod end;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::flow::{DeliveryId, Outcome, Plan, Reason, Receipt, Verdict, VerdictKind};
use crate::time::Moment;

use attempt::Standing;
pub use attempt::{Attempt, RECEIPTS_MAX, Silence, State};

/// A vendor is listened to for this long; then its attempt counts as ambiguous.
pub const LISTEN_MS: i64 = 10_000;
/// What the machine adds to `LISTEN_MS` before it stops waiting for whoever should have told it.
const LISTEN_SLACK_MS: i64 = 1_000;
/// No new send with less of the passcode's life left than this.
pub const LEAST_LIFE_MS: i64 = 10_000;
/// How often the time until an excused silence is asked about again is doubled.
const EXCUSES_MAX: u8 = 10;
/// More entries than this in one delivery's list of attempts and it gives up.
pub const ATTEMPTS_MAX: usize = 200;

/// What is known of a delivery before its first event, beside its plan, and never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The delivery; its bytes make the jitter.
    pub id: DeliveryId,
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
    /// An attempt was not made: its vendor is off, gone, unwell, or at its limit. Uses no place.
    Skipped { attempt: usize, why: Skip },
    /// The process came back; whatever was in flight may have been sent.
    Restarted,
    /// The vendor told how far a message has come.
    Reported { attempt: usize, receipt: Receipt },
    /// What `AskSilence` asked: `excused` when nothing comes from that vendor at all.
    Silent { attempt: usize, excused: bool },
    /// The same person has a newer passcode.
    Superseded,
    /// Okta told that the passcode was used.
    Converted,
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
    /// It fetches what its call is to say, and it is not known where it could reach us.
    NoPublicUrl,
    /// It fails too often, and another one is well.
    Unwell { why: String },
    /// Too many second messages are under way already.
    Budget,
    /// A newer passcode came just before the call.
    Superseded,
    /// Another vendor took it just before the call.
    Needless,
    /// The counter that its messages use up is full.
    Quota { name: String },
    /// Its account processes data elsewhere by now than the plan asks.
    Elsewhere,
}

impl Skip {
    /// The label in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Skip::Off { .. } => "off",
            Skip::Rate => "rate",
            Skip::Gone => "gone",
            Skip::Unfit | Skip::NoPublicUrl => "unfit",
            Skip::Unwell { .. } => "unwell",
            Skip::Budget => "budget",
            Skip::Superseded => "superseded",
            Skip::Needless => "needless",
            Skip::Quota { .. } => "quota",
            Skip::Elsewhere => "elsewhere",
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
    /// A receipt was due and has not come: find out whether the vendor reports on others, and tell with
    /// `Event::Silent`.
    AskSilence { attempt: usize },
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
    plan: Arc<Plan>,
    attempts: Vec<Attempt>,
    /// The steps of this round that are still to be tried, in order.
    ahead: Vec<usize>,
    round: u32,
    /// The latest moment told; nothing can be sent before it.
    seen: Moment,
    /// When the last attempt ended; a new round is counted from here.
    idle_since: Moment,
    /// No second vendor beside one that is under way before this.
    hedge_denied_until: Option<Moment>,
    admission: Admission,
    answered: Option<Reply>,
    /// Something other than a vendor ended it.
    ended: Option<Outcome>,
    closed: Option<Outcome>,
}

impl Delivery {
    /// A delivery that has seen nothing yet. The first actions come with the first event.
    pub fn new(terms: Terms, plan: Arc<Plan>) -> Delivery {
        let mut delivery = Delivery {
            idle_since: terms.received_at,
            seen: terms.received_at,
            terms,
            plan,
            attempts: Vec::new(),
            ahead: Vec::new(),
            round: 0,
            hedge_denied_until: None,
            admission: Admission::Unknown,
            answered: None,
            ended: None,
            closed: None,
        };
        delivery.ahead = delivery.plain_steps();
        delivery
    }

    /// The delivery as it stood, made by feeding it again what was kept of what it was fed. That it was woken
    /// first goes without saying, and so does that its admission was on disk, unless something else came before.
    pub fn replay(terms: Terms, plan: Arc<Plan>, kept: Vec<(Moment, Event)>) -> Delivery {
        let received_at = terms.received_at;
        let mut delivery = Delivery::new(terms, plan);
        delivery.on(Event::Woke, received_at);
        let is_journaled = |(_, event): &(_, Event)| matches!(event, Event::Journaled { .. });
        if !kept.iter().any(is_journaled) {
            delivery.on(Event::Journaled { durable: true }, received_at);
        }
        for (at, event) in kept {
            delivery.on(event, at);
        }
        delivery
    }

    /// The same as `on`, and whether the event must be kept, so that `replay` can make the delivery again:
    /// whatever tells something; the mere passing of time, where it led to something; that the admission is on
    /// disk, where something else came first or more than an answer came of it.
    pub fn on_kept(&mut self, event: &Event, now: Moment) -> (Vec<Action>, bool) {
        let begins = self.is_untouched();
        let in_flight = self.in_flight().count();
        let actions = self.on(event.clone(), now);
        let kept = match event {
            Event::Woke if begins && now == self.terms.received_at => false,
            Event::Woke => !actions.is_empty() || self.in_flight().count() < in_flight,
            Event::Journaled { .. } => {
                !begins || actions.iter().any(|a| !matches!(a, Action::Answer(_)))
            }
            Event::Settled { .. }
            | Event::Skipped { .. }
            | Event::Restarted
            | Event::Reported { .. }
            | Event::Silent { .. }
            | Event::Superseded
            | Event::Converted => true,
        };
        (actions, kept)
    }

    /// Takes in what happened and says what to do now. After the close, receipts are still noted.
    pub fn on(&mut self, event: Event, now: Moment) -> Vec<Action> {
        if self.closed.is_some() {
            if let Event::Reported { attempt, receipt } = event {
                self.report(attempt, receipt, now);
            }
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
            Event::Reported { attempt, receipt } => self.report(attempt, receipt, now),
            Event::Silent { attempt, excused } => self.note_silence(attempt, excused, now),
            Event::Superseded => self.ended = self.ended.or(Some(Outcome::Superseded)),
            Event::Converted => self.ended = Some(Outcome::Converted),
        }
        if self.in_flight().next().is_none() {
            self.hedge_denied_until = None;
        }
        self.advance(now)
    }

    /// Nothing has happened but the first calls.
    fn is_untouched(&self) -> bool {
        let mut attempts = self.attempts.iter();
        let waits = |a: &Attempt| a.state == State::InFlight && a.receipts.is_empty();
        let first = |a: &Attempt| a.at == self.terms.received_at;
        self.answered.is_none() && attempts.all(|a| waits(a) && first(a))
    }

    /// When to send `Event::Woke` next; `None` once closed.
    pub fn wake_at(&self) -> Option<Moment> {
        if self.closed.is_some() {
            return None;
        }
        let answer = self.answered.is_none().then_some(self.terms.answer_by);
        let listen = self.in_flight().map(|a| listened_until(a.at)).min();
        let silence = self.next_silence().map(|(_, at)| at);
        let settled = self.answered.is_some() || self.admission != Admission::Unknown;
        let idle = self.in_flight().next().is_none();
        let end = (settled && idle).then(|| self.end_at());
        let send = self.next_send().map(|next| next.at);
        [answer, send, listen, silence, end]
            .into_iter()
            .flatten()
            .min()
    }

    /// What never changes.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Who is tried, and how.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// All attempts, in the order they were started.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The steps of this round that are still to be tried, in order.
    pub fn ahead(&self) -> &[usize] {
        &self.ahead
    }

    /// The outcome, once closed.
    pub fn outcome(&self) -> Option<Outcome> {
        self.closed
    }

    /// What Okta was told, once it was.
    pub fn reply(&self) -> Option<Reply> {
        self.answered
    }

    /// The attempt that delivered, or may still: the first one that a vendor has accepted and that has not
    /// failed since.
    pub fn accepted(&self) -> Option<usize> {
        let standing = |wanted: Standing| {
            let mut attempts = self.attempts.iter();
            attempts.position(|a| a.standing() == wanted)
        };
        let delivered = standing(Standing::Delivered);
        delivered.or_else(|| {
            let took = |a: &Attempt| matches!(a.standing(), Standing::Hoped | Standing::Silent);
            self.attempts.iter().position(took)
        })
    }

    /// How many messages more than one may have reached the handset.
    pub fn possible_duplicates(&self) -> usize {
        let sent = |a: &&Attempt| match a.standing() {
            Standing::Hoped | Standing::Silent | Standing::Ambiguous | Standing::Delivered => true,
            Standing::Nothing | Standing::InFlight | Standing::Failed => false,
        };
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
        if let Some((attempt, _)) = self.next_silence().filter(|(_, at)| *at <= now) {
            self.attempts[attempt].silence = Silence::Asked;
            return Some(Action::AskSilence { attempt });
        }
        if let Some(next) = self.next_send().filter(|next| next.at <= now) {
            return Some(self.start(&next, now));
        }
        let outcome = self.outcome_due(now)?;
        self.closed = Some(outcome);
        Some(Action::Close(outcome))
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

    fn report(&mut self, attempt: usize, receipt: Receipt, now: Moment) {
        let Some(known) = self.attempts.get_mut(attempt) else {
            return;
        };
        if !matches!(known.state, State::Skipped(_)) && known.hear(receipt, now) {
            self.idle_since = now;
        }
    }

    /// The next receipt that will be missed if it does not come until then. Where its absence was excused, it
    /// is asked about again after as long, then after twice as long, and so on: others may have come since.
    fn next_silence(&self) -> Option<(usize, Moment)> {
        if self.ended.is_some() {
            return None;
        }
        let attempts = self.attempts.iter().enumerate();
        let due = attempts.filter_map(|(index, attempt)| {
            let after_ms = self.plan.steps[attempt.step].receipts?.after_ms?;
            let at = match attempt.silence {
                Silence::None => attempt.taken_at()?.plus_ms(after_ms),
                Silence::Excused { since, times } => {
                    let times = times.saturating_sub(1).min(EXCUSES_MAX);
                    since.plus_ms(after_ms.saturating_mul(1 << times))
                }
                Silence::Asked | Silence::Telling { .. } => return None,
            };
            let hoped = attempt.standing() == Standing::Hoped;
            (hoped && at < self.terms.expires_at).then_some((index, at))
        });
        due.min_by_key(|(_, at)| *at)
    }

    fn note_silence(&mut self, attempt: usize, excused: bool, now: Moment) {
        let Some(known) = self.attempts.get_mut(attempt) else {
            return;
        };
        if matches!(known.silence, Silence::Telling { .. }) {
            return;
        }
        if excused {
            known.excuses = known.excuses.saturating_add(1);
            known.silence = Silence::Excused {
                since: now,
                times: known.excuses,
            };
        } else {
            self.idle_since = now;
            known.silence = Silence::Telling { since: now };
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
            if self.attempts[attempt].silence == Silence::Asked {
                self.attempts[attempt].silence = Silence::None;
            }
        }
    }
}

fn listened_until(started: Moment) -> Moment {
    started.plus_ms(LISTEN_MS + LISTEN_SLACK_MS)
}
