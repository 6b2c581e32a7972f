//! Drives one delivery: feeds the machine what happens, does what it says, keeps both in the journal.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::delivery::{Action, Delivery, Event, Reply, Skip};
use crate::dispatch::courier::sleep_until;
use crate::dispatch::inbox::Inbox;
use crate::dispatch::people::Claim;
use crate::dispatch::quotas::Taken;
use crate::dispatch::record::{How, Opened, Told, since};
use crate::dispatch::scripts::Fetches;
use crate::dispatch::{Dispatch, Waiting, view};
use crate::flow::{Channel, DeliveryId, Outcome, Verdict};
use crate::journal::{Ack, Broken, Closed, Fed};
use crate::number::Country;
use crate::time::Moment;
use crate::vendor::{Job, Unfit};

/// A later intent is on disk before its call, unless the disk takes longer than this.
const INTENT_WAIT_MAX: Duration = Duration::from_millis(250);

/// What is to be delivered, and how.
pub(super) struct Parcel {
    pub(super) id: DeliveryId,
    pub(super) org: Arc<str>,
    pub(super) channel: Channel,
    pub(super) country: Country,
    pub(super) opened: Opened,
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
    /// What others learn about this delivery.
    pub(super) inbox: Inbox,
    /// Who waits for it; nobody for a preview.
    pub(super) claim: Option<Arc<Claim>>,
    /// What its calls have taken out of quotas.
    pub(super) taken: Taken,
    /// What its calls say, and how often that was fetched.
    pub(super) fetches: Fetches,
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
        inbox: Inbox,
    ) -> Driver {
        Driver {
            dispatch,
            parcel,
            delivery,
            seq: 0,
            hook: None,
            admission: None,
            promised: false,
            inbox,
            claim: None,
            taken: Taken::default(),
            fetches: Fetches::default(),
            calls: FuturesUnordered::new(),
            intents: VecDeque::new(),
        }
    }

    /// Feeds the first event and goes on until the delivery is closed, or the process is about to end.
    pub(super) async fn run(mut self, first: Event, at: Moment) {
        self.dispatch.telemetry.deliveries_in_flight.inc();
        if first == Event::Restarted {
            // What has come since may say more than the restart does.
            while let Ok(post) = self.inbox.try_recv() {
                self.read(post, at);
            }
        }
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
                Some(post) = self.inbox.recv() => {
                    self.read(post, clock.now());
                    continue;
                }
                () = sleep_until(clock, wake_at) => Event::Woke,
                () = self.dispatch.draining.cancelled(), if at_rest => break,
                () = self.dispatch.abandon.cancelled() => break,
            };
            self.feed(event, clock.now());
        }
        self.end_inbox();
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

    /// Feeds an event and does what the delivery says, until it says no more. The promise is that the event
    /// is on disk.
    pub(super) fn feed(&mut self, event: Event, now: Moment) -> Option<Ack> {
        let mut promised = None;
        let mut events = VecDeque::from([event]);
        let mut first = true;
        while let Some(event) = events.pop_front() {
            self.observe(&event, now);
            self.observe_quota(&event, now);
            let (actions, matters) = self.delivery.on_kept(&event, now);
            let mut kept = matters.then(|| self.keep(&event, now));
            events.extend(self.told_early(&event));
            let sends = self.carry_out(actions, &mut events, now);
            let mut fit = Vec::new();
            for (attempt, step) in sends {
                self.observe_patience(attempt, now);
                match self.skip(attempt, now) {
                    Some(why) => events.push_back(Event::Skipped { attempt, why }),
                    None => {
                        self.observe_failover(attempt, now);
                        fit.push((attempt, step));
                    }
                }
            }
            if fit.is_empty() {
                if first {
                    promised = kept;
                }
            } else if let Some(ack) = kept.take() {
                if first {
                    // Written behind the event, so on disk only with it.
                    promised = Some(self.dispatch.journal.probe());
                }
                self.intents.push_back(Intent {
                    ack,
                    until: Instant::now() + INTENT_WAIT_MAX,
                    sends: fit,
                });
            } else {
                events.extend(self.start(fit));
            }
            first = false;
        }
        promised
    }

    /// Does all but the sends, and returns these.
    fn carry_out(
        &mut self,
        actions: Vec<Action>,
        events: &mut VecDeque<Event>,
        now: Moment,
    ) -> Vec<(usize, usize)> {
        let mut sends = Vec::new();
        let mut answer = None;
        for action in actions {
            match action {
                Action::Send { attempt, step } => sends.push((attempt, step)),
                Action::Answer(reply) => answer = self.answer(reply, now),
                Action::AskSilence { attempt } => {
                    let excused = self.is_silence_excused(attempt);
                    events.push_back(Event::Silent { attempt, excused });
                }
                Action::Close(outcome) => self.close(outcome, answer.take(), now),
            }
        }
        if let Some(answer) = answer {
            drop(self.dispatch.journal.answered(self.parcel.id, answer));
        }
        sends
    }

    /// Appends an event to the journal.
    fn keep(&mut self, event: &Event, now: Moment) -> Ack {
        let seq = self.seq;
        self.seq += 1;
        self.dispatch.journal.feed(Fed {
            id: self.parcel.id,
            seq,
            at: now,
            event: serde_json::to_string(event).unwrap_or_default(),
        })
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
        if self.is_superseded() {
            return Err(Skip::Superseded);
        }
        let step = &self.delivery.plan().steps[step];
        let catalog = self.dispatch.catalog.load();
        let account = Arc::clone(catalog.account(&step.vendor).ok_or(Skip::Gone)?);
        let now = self.dispatch.clock.now();
        let (dispatch, channel) = (Arc::clone(&self.dispatch), step.channel);
        if account.sends_nothing(channel) {
            let accepted = Verdict::accepted(Some(crate::dispatch::reference::name(
                self.parcel.id,
                attempt,
            )));
            self.calls
                .push(Box::pin(std::future::ready((attempt, accepted))));
            return Ok(());
        }
        let fetched = account.fetches_script(channel);
        let script = fetched.then(|| dispatch.script_address(&catalog, self.parcel.id, attempt));
        let script = script.flatten();
        let ask = |job: &Job<'_>| account.request(channel, job, now);
        let request = self.with_job(&catalog, attempt, script.as_deref(), now, ask);
        let request = request.map_err(|unfit| {
            tracing::warn!(delivery = %self.parcel.id, vendor = %step.vendor, ?unfit,
                "a vendor cannot be asked for this message");
            match unfit {
                Unfit::NoScriptAddress => Skip::NoPublicUrl,
                Unfit::NoChannel | Unfit::NoAddress | Unfit::Lacks(_) | Unfit::Credential => {
                    Skip::Unfit
                }
            }
        })?;
        if let Some(claim) = &self.claim {
            claim.called(attempt, step);
        }
        let parcel = Arc::clone(&self.parcel);
        self.calls.push(Box::pin(async move {
            let verdict = dispatch.courier.call(&account, channel, request).await;
            (attempt, verdict.without(&parcel.opened.said()))
        }));
        Ok(())
    }

    fn send_intended(&mut self) {
        let Some(intent) = self.intents.pop_front() else {
            return;
        };
        let now = self.dispatch.clock.now();
        for (attempt, step) in intent.sends {
            // Another one may have taken it while the intent was on its way to the disk.
            let why = if self.delivery.is_hopeful() {
                Some(Skip::Needless)
            } else {
                self.call(attempt, step).err()
            };
            if let Some(why) = why {
                self.feed(Event::Skipped { attempt, why }, now);
            }
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
            format!("{vendor}: {}", view::came_to(attempt))
        });
        tried.collect::<Vec<_>>().join(", ")
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
