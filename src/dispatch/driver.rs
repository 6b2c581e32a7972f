//! Drives one delivery: feeds the machine what happens, does what it says, keeps both in the journal.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::delivery::{Action, Delivery, Event, Reply, Skip, State};
use crate::dispatch::courier::sleep_until;
use crate::dispatch::record::{How, Opened, Told, since};
use crate::dispatch::{Dispatch, Waiting};
use crate::flow::{Channel, DeliveryId, Outcome, Step, Verdict, VerdictKind};
use crate::journal::{Ack, Broken, Closed, Fed};
use crate::number::Country;
use crate::telemetry::seconds;
use crate::time::Moment;
use crate::vendor::Job;

/// A later intent is on disk before its call, unless the disk takes longer than this.
const INTENT_WAIT_MAX: Duration = Duration::from_millis(250);

/// What is to be delivered, and how.
pub(super) struct Parcel {
    pub(super) id: DeliveryId,
    pub(super) org: Arc<str>,
    pub(super) channel: Channel,
    pub(super) country: Country,
    pub(super) opened: Opened,
    pub(super) ucs2: bool,
    pub(super) expires_at: Moment,
}

/// One delivery under way.
pub(super) struct Driver {
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) parcel: Arc<Parcel>,
    pub(super) delivery: Delivery,
    /// The next event's number in the journal.
    pub(super) seq: u32,
    /// Who waits for the answer, and is counted as waiting; nobody after a restart.
    pub(super) hook: Option<(watch::Sender<Option<Told>>, Waiting)>,
    /// The admission on its way to the disk.
    pub(super) admission: Option<Ack>,
    /// Answered, and not yet accepted by any vendor.
    pub(super) promised: bool,
    calls: FuturesUnordered<Call>,
    /// Sends whose intent is on its way to the disk.
    intents: VecDeque<Intent>,
}

/// A vendor being called: which attempt it is, and what came of it.
type Call = Pin<Box<dyn Future<Output = (usize, Verdict)> + Send>>;

struct Intent {
    ack: Ack,
    until: Instant,
    sends: Vec<(usize, usize)>,
}

impl Driver {
    pub(super) fn new(
        dispatch: Arc<Dispatch>,
        parcel: Arc<Parcel>,
        delivery: Delivery,
        seq: u32,
    ) -> Driver {
        Driver {
            dispatch,
            parcel,
            delivery,
            seq,
            hook: None,
            admission: None,
            promised: false,
            calls: FuturesUnordered::new(),
            intents: VecDeque::new(),
        }
    }

    /// Feeds the first event and goes on until the delivery is closed, or the process is about to end.
    pub(super) async fn run(mut self, first: Event, at: Moment) {
        self.dispatch.telemetry.deliveries_in_flight.inc();
        self.feed(first, at);
        while let Some(wake_at) = self.delivery.wake_at() {
            let clock = self.dispatch.clock;
            let at_rest = self.is_at_rest();
            let event = tokio::select! {
                Some((attempt, verdict)) = self.calls.next() => Event::Settled { attempt, verdict },
                durable = durable(&mut self.admission) => self.admitted(durable),
                () = intent_kept(&mut self.intents) => {
                    self.send_intended();
                    continue;
                }
                () = sleep_until(clock, wake_at) => Event::Woke,
                () = self.dispatch.draining.cancelled(), if at_rest => break,
                () = self.dispatch.abandon.cancelled() => break,
            };
            self.feed(event, clock.now());
        }
        self.dispatch.telemetry.deliveries_in_flight.dec();
        self.keep_promise(false);
    }

    /// Nobody waits, nothing is under way: the journal alone can hold it.
    fn is_at_rest(&self) -> bool {
        let under_way = !self.calls.is_empty() || !self.intents.is_empty();
        self.hook.is_none() && self.admission.is_none() && !under_way
    }

    fn admitted(&mut self, durable: Result<(), Broken>) -> Event {
        if let Err(broken) = durable {
            let labels = [broken.as_str()];
            let telemetry = &self.dispatch.telemetry;
            telemetry.journal_failures.with_label_values(&labels).inc();
            tracing::error!(delivery = %self.parcel.id, reason = broken.as_str(),
                "the journal did not take a delivery; it is attempted all the same");
        }
        Event::Journaled {
            durable: durable.is_ok(),
        }
    }

    fn feed(&mut self, event: Event, now: Moment) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.observe(&event, now);
            let actions = self.delivery.on(event.clone(), now);
            let kept = self.keep(&event, &actions, now);
            let mut sends = Vec::new();
            let mut answer = None;
            for action in actions {
                match action {
                    Action::Send { attempt, step } => sends.push((attempt, step)),
                    Action::Answer(reply) => answer = self.answer(reply, now),
                    Action::AskSilence { attempt } => events.push_back(Event::Silent {
                        attempt,
                        excused: true,
                    }),
                    Action::Close(outcome) => self.close(outcome, answer.take(), now),
                }
            }
            if let Some(answer) = answer {
                drop(self.dispatch.journal.answered(self.parcel.id, answer));
            }
            for (attempt, _) in &sends {
                self.observe_failover(*attempt, now);
            }
            let mut fit = Vec::new();
            for (attempt, step) in sends {
                match self.skip(step, now) {
                    Some(why) => events.push_back(Event::Skipped { attempt, why }),
                    None => fit.push((attempt, step)),
                }
            }
            match kept {
                Some(ack) if !fit.is_empty() => self.intents.push_back(Intent {
                    ack,
                    until: Instant::now() + INTENT_WAIT_MAX,
                    sends: fit,
                }),
                Some(_) | None => events.extend(self.start(fit)),
            }
        }
    }

    /// Appends what changes the machine. The first wake is implied in the admission.
    fn keep(&mut self, event: &Event, actions: &[Action], now: Moment) -> Option<Ack> {
        let acts = actions.iter().any(|a| matches!(a, Action::Send { .. }));
        let first = self.delivery.attempts().iter().all(|a| a.at == now) && self.seq == 0;
        let matters = match event {
            Event::Woke => acts && !first,
            Event::Journaled { .. } => false,
            Event::Settled { .. }
            | Event::Skipped { .. }
            | Event::Restarted
            | Event::Reported { .. }
            | Event::Silent { .. }
            | Event::Superseded
            | Event::Converted => true,
        };
        if !matters {
            return None;
        }
        let seq = self.seq;
        self.seq += 1;
        Some(self.dispatch.journal.feed(Fed {
            id: self.parcel.id,
            seq,
            at: now,
            event: serde_json::to_string(event).unwrap_or_default(),
        }))
    }

    /// Why a vendor is passed over now; switches, accounts and rates are those of this moment.
    fn skip(&self, step: usize, now: Moment) -> Option<Skip> {
        let step = &self.delivery.plan().steps[step];
        let catalog = self.dispatch.catalog.load();
        let why = if let Some(reason) = self.dispatch.off(step, self.parcel.country, now) {
            Skip::Off { reason }
        } else if catalog.account(&step.vendor).is_none() {
            Skip::Gone
        } else {
            let rate = catalog.configured(&step.vendor).and_then(|v| v.rate);
            if self.dispatch.courier.may_call(&step.vendor, rate, now) {
                return None;
            }
            Skip::Rate
        };
        Some(why)
    }

    /// Starts calls; what cannot be asked for is skipped.
    fn start(&mut self, sends: Vec<(usize, usize)>) -> Vec<Event> {
        let mut skipped = Vec::new();
        for (attempt, step) in sends {
            if let Err(why) = self.call(attempt, step) {
                skipped.push(Event::Skipped { attempt, why });
            }
        }
        skipped
    }

    fn call(&mut self, attempt: usize, step: usize) -> Result<(), Skip> {
        let parcel = &self.parcel;
        let step = &self.delivery.plan().steps[step];
        let catalog = self.dispatch.catalog.load();
        let account = catalog.account(&step.vendor).ok_or(Skip::Gone)?;
        let account = Arc::clone(account);
        let now = self.dispatch.clock.now();
        let job = Job {
            to: &parcel.opened.to,
            from: step.from.as_deref().or(account.from().map(|f| &**f)),
            text: &parcel.opened.text,
            code: parcel.opened.code.as_ref(),
            reference: &format!("{}-{}", parcel.id, attempt + 1),
            callback: None,
            left_ms: parcel.expires_at.ms_since(now),
            ucs2: parcel.ucs2,
        };
        let request = account.request(step.channel, &job, now).map_err(|unfit| {
            tracing::warn!(delivery = %parcel.id, vendor = %step.vendor, ?unfit,
                "a vendor cannot be asked for this message");
            Skip::Unfit
        })?;
        let (dispatch, channel) = (Arc::clone(&self.dispatch), step.channel);
        self.calls.push(Box::pin(async move {
            let verdict = dispatch.courier.call(&account, channel, request).await;
            (attempt, verdict)
        }));
        Ok(())
    }

    fn send_intended(&mut self) {
        let Some(intent) = self.intents.pop_front() else {
            return;
        };
        for skipped in self.start(intent.sends) {
            let now = self.dispatch.clock.now();
            self.feed(skipped, now);
        }
    }

    /// Answers the hook call; gives what the journal is to keep of it.
    fn answer(&mut self, reply: Reply, now: Moment) -> Option<String> {
        let (hook, _waits) = self.hook.take()?;
        let (how, reason) = match reply {
            Reply::Accepted { attempt } => (self.accepted_by(attempt), "accepted"),
            Reply::Pending => (How::Pending, "pending"),
            Reply::Hopeless { reason } => (How::Never, reason.as_str()),
            Reply::Nobody => (How::Nobody, "nobody"),
        };
        if how == How::Pending {
            self.promised = true;
            self.promises().inc();
        }
        let told = Told {
            delivery: self.parcel.id,
            how,
            ms: since(self.delivery.terms().received_at, now),
            rule: self.delivery.plan().rule.to_string(),
            rules: self.delivery.plan().rules.to_string(),
            reason: reason.to_owned(),
        };
        let answer = serde_json::to_string(&told).ok();
        hook.send_replace(Some(told));
        answer.filter(|_| reply != Reply::Nobody)
    }

    fn accepted_by(&self, attempt: usize) -> How {
        let made = &self.delivery.attempts()[attempt];
        let message_id = made.verdict().and_then(|v| v.message_id.clone());
        How::Accepted {
            vendor: self.step(attempt).vendor.to_string(),
            message_id: message_id.unwrap_or_else(|| self.parcel.id.to_string()),
            attempt: attempt + 1,
        }
    }

    fn close(&mut self, outcome: Outcome, answer: Option<String>, now: Moment) {
        let parcel = &self.parcel;
        drop(self.dispatch.journal.close(Closed {
            id: parcel.id,
            at: now,
            outcome,
            answer,
        }));
        let duplicates = self.delivery.possible_duplicates() as u64;
        self.dispatch
            .count_outcome(parcel.country, parcel.channel, outcome, duplicates);
        let accepted = self.delivery.accepted();
        let accepted = accepted.map_or("", |attempt| &*self.step(attempt).vendor);
        tracing::info!(
            delivery = %parcel.id,
            org = %parcel.org,
            country = %parcel.country,
            channel = %parcel.channel,
            outcome = outcome.as_str(),
            vendor = accepted,
            rule = %self.delivery.plan().rule,
            chain = %self.delivery.plan().chain,
            tried = %self.tried(),
            duplicates,
            ms = since(self.delivery.terms().received_at, now),
            "delivery closed"
        );
    }

    /// Every vendor that was turned to, in order, and what came of it.
    fn tried(&self) -> String {
        let attempts = self.delivery.attempts().iter();
        let tried = attempts.map(|attempt| {
            let vendor = &self.delivery.plan().steps[attempt.step].vendor;
            format!("{vendor}: {}", crate::dispatch::view::came_to(attempt))
        });
        tried.collect::<Vec<_>>().join(", ")
    }

    fn observe(&mut self, event: &Event, now: Moment) {
        match event {
            Event::Settled { attempt, verdict } => self.observe_verdict(*attempt, verdict, now),
            Event::Skipped { attempt, why } => {
                let country = self.parcel.country;
                let labels = [&*self.step(*attempt).vendor, country.as_str(), why.as_str()];
                let skips = &self.dispatch.telemetry.skips;
                skips.with_label_values(&labels).inc();
            }
            Event::Woke
            | Event::Journaled { .. }
            | Event::Restarted
            | Event::Reported { .. }
            | Event::Silent { .. }
            | Event::Superseded
            | Event::Converted => {}
        }
    }

    fn observe_verdict(&mut self, attempt: usize, verdict: &Verdict, now: Moment) {
        let step = self.step(attempt).clone();
        let country = self.parcel.country;
        let telemetry = &self.dispatch.telemetry;
        let (vendor, channel) = (&*step.vendor, step.channel.as_str());
        telemetry
            .attempts
            .with_label_values(&[vendor, country.as_str(), channel, verdict.kind.as_str()])
            .inc();
        let took = since(self.delivery.attempts()[attempt].at, now);
        telemetry
            .attempt_duration
            .with_label_values(&[vendor, channel])
            .observe(seconds(took));
        if let Some(parts) = verdict.parts {
            let counted = telemetry
                .parts
                .with_label_values(&[vendor, country.as_str()]);
            counted.inc_by(u64::from(parts));
        }
        if verdict.kind == VerdictKind::Rejected
            && verdict.reason == Some(crate::flow::Reason::Unknown)
        {
            let unlisted = &telemetry.unlisted_codes;
            unlisted.with_label_values(&[vendor, channel]).inc();
        }
        if let Some(ms) = verdict.retry_after_ms {
            self.dispatch
                .courier
                .leave_alone(&step.vendor, now.plus_ms(ms));
        }
        let words = crate::dispatch::view::words(verdict);
        self.dispatch.see(&step.vendor, words, now);
        if verdict.kind == VerdictKind::Accepted {
            self.keep_promise(true);
        }
    }

    /// Counts the move from the attempt before to this one.
    fn observe_failover(&self, attempt: usize, now: Moment) {
        let Some(before) = attempt.checked_sub(1) else {
            return;
        };
        let (from, to) = (self.step(before), self.step(attempt));
        if from.vendor == to.vendor && from.channel == to.channel {
            return;
        }
        let made = &self.delivery.attempts()[before];
        if made.state == State::InFlight {
            let waited = now.ms_since(made.at);
            let words = format!("silent for {waited} ms");
            self.dispatch.see(&from.vendor, words, now);
        }
        let reason = crate::dispatch::view::why_left(made);
        self.dispatch
            .telemetry
            .failovers
            .with_label_values(&[
                &from.vendor,
                &to.vendor,
                self.parcel.country.as_str(),
                reason,
            ])
            .inc();
    }

    fn keep_promise(&mut self, accepted: bool) {
        if std::mem::take(&mut self.promised) {
            self.promises().dec();
            if accepted {
                tracing::info!(delivery = %self.parcel.id, "a vendor accepted after the answer");
            }
        }
    }

    /// After a restart: Okta was told that all is well, and no vendor is known to have accepted.
    pub(super) fn promise_again(&mut self) {
        if self.delivery.accepted().is_none() {
            self.promised = true;
            self.promises().inc();
        }
    }

    fn promises(&self) -> prometheus::IntGauge {
        let promises = &self.dispatch.telemetry.promised_unaccepted;
        promises.with_label_values(&[self.parcel.country.as_str()])
    }

    fn step(&self, attempt: usize) -> &Step {
        &self.delivery.plan().steps[self.delivery.attempts()[attempt].step]
    }
}

/// The admission's fate, once; pending when it is known already.
async fn durable(admission: &mut Option<Ack>) -> Result<(), Broken> {
    let Some(ack) = admission else {
        return std::future::pending().await;
    };
    let durable = ack.durable().await;
    *admission = None;
    durable
}

/// Returns when the oldest intent is on disk, has failed, or has taken too long.
async fn intent_kept(intents: &mut VecDeque<Intent>) {
    let Some(intent) = intents.front_mut() else {
        return std::future::pending().await;
    };
    match tokio::time::timeout_at(intent.until, intent.ack.durable()).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => {
            tracing::error!("an intent is not in the journal; the vendor is called all the same");
        }
    }
}
