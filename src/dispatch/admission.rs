//! Decides whether a message is delivered, and hands it to a driver or closes it at once.

use std::sync::{Arc, PoisonError};

use tokio::sync::watch;

use crate::catalog::Catalog;
use crate::delivery::{Delivery, Event, Terms};
use crate::dispatch::Dispatch;
use crate::dispatch::driver::{Driver, Parcel};
use crate::dispatch::inbox::Post;
use crate::dispatch::people::Claim;
use crate::dispatch::record::{Course, Kept, Opened, Refusal, Told, since};
use crate::dispatch::suit::blame;
use crate::flow::{Message, Outcome, Plan, Secret};
use crate::journal::{Admission, Closed};
use crate::number::{Country, NumberProblem, PhoneNumber};
use crate::rules::Decision;
use crate::time::Moment;

impl Dispatch {
    /// Owns a message: refuses it, or starts a task that drives it to its end. There is no point in it at
    /// which a caller who hangs up could stop it.
    pub(super) fn own(
        self: &Arc<Self>,
        message: Message,
        catalog: &Catalog,
        answer_by: Moment,
        hook: watch::Sender<Option<Told>>,
    ) {
        let now = self.clock.now();
        match self.decide(&message, catalog, now) {
            Ok((to, plan)) => self.deliver(&message, to, plan, catalog, answer_by, hook),
            Err(refusal) => self.refuse(&message, catalog, &refusal, now, &hook),
        }
    }

    fn decide(
        &self,
        message: &Message,
        catalog: &Catalog,
        now: Moment,
    ) -> Result<(PhoneNumber, Plan), Refusal> {
        let to = match &message.to {
            Ok(to) => to.clone(),
            Err(problem) => return Err(Refusal::new(Outcome::Denied, number_problem(*problem))),
        };
        if message.life_ms <= 0 {
            return Err(Refusal::new(Outcome::Expired, "expired"));
        }
        let recipient = self.journal.number_hash(to.e164());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = counts.admit(catalog.rules.guard(), to.country(), recipient, now);
        drop(counts);
        if let Err(refused) = admitted {
            let country = to.country();
            let labels = [refused.as_str(), country.as_str()];
            self.telemetry.guard_blocks.with_label_values(&labels).inc();
            return Err(Refusal::new(Outcome::Blocked, refused.as_str()));
        }
        match catalog.rules.decide(message, recipient) {
            Decision::Plan(plan) => Ok((to, plan)),
            Decision::Denied { rule, why } => Err(Refusal {
                rule: rule.to_string(),
                ..Refusal::new(Outcome::Denied, &*why)
            }),
            Decision::NoRule => Err(Refusal::new(Outcome::Denied, "no_rule")),
            Decision::NoChain { rule, .. } => Err(Refusal {
                rule: rule.to_string(),
                ..Refusal::new(Outcome::Denied, "no_chain")
            }),
            Decision::TooLong { rule, .. } => Err(Refusal {
                rule: rule.to_string(),
                ..Refusal::new(Outcome::Denied, "too_many_parts")
            }),
        }
    }

    fn deliver(
        self: &Arc<Self>,
        message: &Message,
        to: PhoneNumber,
        mut plan: Plan,
        catalog: &Catalog,
        answer_by: Moment,
        hook: watch::Sender<Option<Told>>,
    ) {
        let received_at = message.received_at;
        if message.preview {
            // Nobody waits for a preview's code: it is sent while the administrator looks, or not at all.
            let attended = answer_by.ms_since(received_at);
            plan.pace.give_up_after_ms = plan.pace.give_up_after_ms.min(attended);
        }
        self.suit(&mut plan, message.id, to.country(), catalog, received_at);
        // Opened before anybody can supersede it.
        let inbox = self.inboxes.open(message.id);
        let claim = (!message.preview).then(|| Arc::new(self.claim_of(message, &to)));
        let superseded = claim
            .as_ref()
            .map(|claim| self.supersede(claim, message.resend, received_at))
            .unwrap_or_default();
        blame(&mut plan, &superseded);
        let (waiting, waits) = self.wait(&message.org);
        let config = &catalog.config.hook;
        let terms = Terms {
            id: message.id,
            received_at,
            answer_by,
            expires_at: received_at.plus_ms(message.life_ms),
            answer_at_once: config.answer_when_journaled || waiting > config.max_waiting,
        };
        let plan = Arc::new(plan);
        let kept = Kept {
            rule: plan.rule.to_string(),
            rules: plan.rules.to_string(),
            course: Some(Course {
                terms: terms.clone(),
                plan: Arc::clone(&plan),
            }),
            person: claim.as_ref().map(|c| c.person),
            address: claim.as_ref().and_then(|c| c.address),
            supersedes: superseded.iter().map(|c| c.id).collect(),
            ..Kept::of(message)
        };
        let parcel = Parcel {
            id: message.id,
            org: Arc::clone(&message.org),
            channel: message.channel,
            country: to.country(),
            expires_at: terms.expires_at,
            opened: Opened {
                to,
                text: message.text.clone(),
                code: message.code.clone(),
            },
        };
        let admission = self.admission(message, &kept, parcel.opened.seal());
        let admission = self.journal.admit(admission);
        let mut driver = Driver::new(
            Arc::clone(self),
            Arc::new(parcel),
            Delivery::new(terms, plan),
            inbox,
        );
        driver.hook = Some((hook, waits));
        driver.admission = Some(admission);
        driver.claim = claim;
        self.drive(driver, Event::Woke, received_at);
    }

    fn claim_of(&self, message: &Message, to: &PhoneNumber) -> Claim {
        let user = message.user.as_deref();
        let person = self.journal.person_hash(&message.org, user, to.e164());
        let address = message.ip.as_deref();
        let address = address.map(|ip| self.journal.address_hash(ip));
        let expires_at = message.received_at.plus_ms(message.life_ms);
        Claim::new(
            message.id,
            person,
            address,
            message.channel,
            to.country(),
            expires_at,
        )
    }

    /// Tells the older deliveries of the same person that theirs is of no use any more.
    fn supersede(&self, claim: &Arc<Claim>, resend: bool, now: Moment) -> Vec<Arc<Claim>> {
        let superseded = self.people.claim(claim, resend, now);
        for older in &superseded {
            // One that is closed needs no telling; one whose inbox is full finds out before its next call.
            drop(self.inboxes.post(older.id, Post::Superseded));
        }
        superseded
    }

    fn admission(&self, message: &Message, kept: &Kept, sealed: Secret) -> Admission {
        let to = message.to.as_ref().ok();
        Admission {
            id: message.id,
            org: Arc::clone(&message.org),
            event: message.event.clone(),
            country: to.map_or(Country::NONE, PhoneNumber::country),
            channel: message.channel,
            number: to.map(|n| n.e164().to_owned()),
            user: message.user.clone(),
            admitted_at: message.received_at,
            expires_at: message.received_at.plus_ms(message.life_ms),
            sandbox: self.sandbox,
            record: kept.to_json(),
            sealed,
        }
    }

    fn refuse(
        &self,
        message: &Message,
        catalog: &Catalog,
        refusal: &Refusal,
        now: Moment,
        hook: &watch::Sender<Option<Told>>,
    ) {
        let told = Told {
            delivery: message.id,
            how: refusal.how(),
            ms: since(message.received_at, now),
            rule: refusal.rule.clone(),
            rules: catalog.rules.version().to_string(),
            reason: refusal.reason.clone(),
        };
        let kept = Kept {
            rule: told.rule.clone(),
            rules: told.rules.clone(),
            refused: Some(refusal.reason.clone()),
            ..Kept::of(message)
        };
        // Nothing is owned here, so the answer need not wait for the disk.
        drop(
            self.journal
                .admit(self.admission(message, &kept, Secret::new(""))),
        );
        drop(self.journal.close(Closed {
            id: message.id,
            at: now,
            outcome: refusal.outcome,
            answer: serde_json::to_string(&told).ok(),
        }));
        let country = message
            .to
            .as_ref()
            .map_or(Country::NONE, PhoneNumber::country);
        self.count_outcome(country, message.channel, refusal.outcome, 0);
        tracing::info!(
            delivery = %message.id,
            org = %message.org,
            %country,
            channel = %message.channel,
            outcome = refusal.outcome.as_str(),
            reason = %refusal.reason,
            rule = %refusal.rule,
            "delivery closed"
        );
        hook.send_replace(Some(told));
    }
}

fn number_problem(problem: NumberProblem) -> &'static str {
    match problem {
        NumberProblem::NotANumber => "not_a_number",
        NumberProblem::ImpossibleLength => "impossible_length",
        NumberProblem::NoCountry => "no_country",
        NumberProblem::NoDefaultCountry => "no_default_country",
    }
}
