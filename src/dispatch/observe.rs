//! What a delivery's driver tells others of what happens: metrics, the vendors' health, the promise gauge.

use crate::delivery::Event;
use crate::dispatch::driver::Driver;
use crate::dispatch::record::since;
use crate::dispatch::view;
use crate::fitness::{moved_from, sign, slow_sign};
use crate::flow::{Reason, Receipt, Step, Verdict, VerdictKind};
use crate::health::Sign;
use crate::telemetry::seconds;
use crate::time::Moment;

impl Driver {
    /// Notes an event that the delivery is about to be fed.
    pub(super) fn observe(&mut self, event: &Event, now: Moment) {
        let told = sign(&self.delivery, event, now);
        if let Event::Settled { attempt, verdict } = event {
            self.observe_verdict(*attempt, verdict, now);
        }
        if let Event::Skipped { attempt, why } = event {
            let country = self.parcel.country;
            let labels = [&*self.step(*attempt).vendor, country.as_str(), why.as_str()];
            let skips = &self.dispatch.telemetry.skips;
            skips.with_label_values(&labels).inc();
        }
        let Some((attempt, sign)) = told else {
            return;
        };
        self.tell_health(attempt, sign, now);
        if let (Event::Reported { receipt, .. }, Sign::Reported { delivered, .. }) = (event, sign) {
            self.observe_receipt(attempt, receipt, delivered, now);
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
        if verdict.unlisted {
            telemetry.count_unlisted(vendor, channel, verdict.code.as_deref());
        }
        if verdict.reason == Some(Reason::Account) {
            let refusals = &telemetry.account_refusals;
            refusals.with_label_values(&[vendor]).inc();
            tracing::error!(vendor, code = verdict.code.as_deref(), delivery = %self.parcel.id,
                "a vendor refuses our account: credentials, credit or permissions");
        }
        if let Some(ms) = verdict.retry_after_ms {
            self.dispatch
                .courier
                .leave_alone(&step.vendor, now.plus_ms(ms));
        }
        let words = view::words(verdict);
        self.dispatch.see(&step.vendor, words, now);
        if verdict.kind == VerdictKind::Accepted {
            self.keep_promise(true);
        }
        if let Some(claim) = &self.claim
            && verdict.may_have_been_sent()
        {
            claim.sent(attempt, &step, now);
        }
    }

    /// Notes a final receipt that is news.
    fn observe_receipt(&mut self, attempt: usize, receipt: &Receipt, delivered: bool, now: Moment) {
        if let Some(claim) = &self.claim {
            claim.reported(attempt, receipt);
        }
        if !delivered {
            return;
        }
        self.keep_promise(true);
        let took = since(self.delivery.terms().received_at, now);
        let labels = [&*self.step(attempt).vendor, self.parcel.country.as_str()];
        let times = &self.dispatch.telemetry.time_to_delivered;
        times.with_label_values(&labels).observe(seconds(took));
    }

    fn tell_health(&self, attempt: usize, sign: Sign<'_>, now: Moment) {
        let vendor = &self.step(attempt).vendor;
        let mut health = self.dispatch.health();
        health.saw(vendor, self.parcel.country, sign, now);
    }

    /// Tells health of the vendor whose patience has just run out, if that is why this attempt begins.
    pub(super) fn observe_patience(&self, attempt: usize, now: Moment) {
        let Some((before, sign)) = slow_sign(&self.delivery, attempt, now) else {
            return;
        };
        let waited = since(self.delivery.attempts()[before].at, now);
        let words = format!("silent for {waited} ms");
        self.dispatch.see(&self.step(before).vendor, words, now);
        self.tell_health(before, sign, now);
    }

    /// Counts the move from the vendor before to the one that is called now.
    pub(super) fn observe_failover(&self, attempt: usize, now: Moment) {
        let Some(before) = moved_from(&self.delivery, attempt, now) else {
            return;
        };
        let labels = [
            &*self.step(before).vendor,
            &*self.step(attempt).vendor,
            self.parcel.country.as_str(),
            view::why_left(&self.delivery.attempts()[before]),
        ];
        let failovers = &self.dispatch.telemetry.failovers;
        failovers.with_label_values(&labels).inc();
    }

    pub(super) fn keep_promise(&mut self, accepted: bool) {
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

    pub(super) fn promises(&self) -> prometheus::IntGauge {
        let promises = &self.dispatch.telemetry.promised_unaccepted;
        promises.with_label_values(&[self.parcel.country.as_str()])
    }

    pub(super) fn step(&self, attempt: usize) -> &Step {
        &self.delivery.plan().steps[self.delivery.attempts()[attempt].step]
    }
}
