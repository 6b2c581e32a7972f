//! Shows a delivery and the vendors, for people and the API.

use std::sync::PoisonError;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::delivery::{Attempt, Skip, State};
use crate::dispatch::record::Kept;
use crate::dispatch::{Dispatch, Switch, Told};
use crate::flow::Verdict;
use crate::journal::Record;
use crate::time::Moment;

/// One delivery, as support sees it.
#[derive(Debug, Serialize)]
pub struct DeliveryView {
    pub id: String,
    pub org: String,
    pub event: Option<String>,
    pub channel: &'static str,
    pub country: String,
    /// Masked.
    pub number: Option<String>,
    pub number_type: Option<String>,
    /// `open` or `closed`.
    pub state: &'static str,
    pub outcome: Option<&'static str>,
    pub reason: Option<String>,
    pub rule: String,
    pub rules: String,
    pub chain: Option<String>,
    pub preview: bool,
    pub sandbox: bool,
    pub admitted_at: String,
    pub expires_at: String,
    pub answer: Option<Told>,
    pub attempts: Vec<AttemptView>,
    pub receipts: Vec<Json>,
    pub timeline: Vec<Moved>,
}

/// One attempt.
#[derive(Debug, Serialize)]
pub struct AttemptView {
    pub vendor: String,
    pub channel: &'static str,
    pub from: Option<String>,
    /// A verdict's kind, `in_flight`, or `skipped`.
    pub verdict: &'static str,
    pub reason: Option<String>,
    pub code: Option<String>,
    pub message_id: Option<String>,
    pub at: String,
    pub ms: Option<i64>,
}

/// One step of what happened.
#[derive(Debug, Serialize)]
pub struct Moved {
    pub at: String,
    pub what: String,
}

impl DeliveryView {
    /// What the journal knows of a delivery.
    pub fn of(record: &Record) -> DeliveryView {
        let kept = Kept::read(record);
        let course = kept.as_ref().and_then(|k| k.course.as_ref());
        let delivery = course.map(|c| c.replay(record));
        let made = delivery.as_ref().map(|d| d.attempts()).unwrap_or_default();
        let attempts: Vec<AttemptView> = made
            .iter()
            .zip(course.into_iter().cycle())
            .map(|(attempt, course)| attempt_view(attempt, &course.plan.steps[attempt.step]))
            .collect();
        let answer = record.answer.as_deref();
        let answer: Option<Told> = answer.and_then(|a| serde_json::from_str(a).ok());
        let text = |value: &dyn Fn(&Kept) -> String| kept.as_ref().map(value).unwrap_or_default();
        let mut view = DeliveryView {
            id: record.id.to_string(),
            org: record.org.to_string(),
            event: record.event.clone(),
            channel: record.channel.as_str(),
            country: record.country.to_string(),
            number: kept.as_ref().and_then(|k| k.number.clone()),
            number_type: kept.as_ref().and_then(|k| k.number_type.clone()),
            state: if record.closed.is_some() {
                "closed"
            } else {
                "open"
            },
            outcome: record.closed.map(|(_, outcome)| outcome.as_str()),
            reason: kept.as_ref().and_then(|k| k.refused.clone()),
            rule: text(&|k| k.rule.clone()),
            rules: text(&|k| k.rules.clone()),
            chain: course.map(|c| c.plan.chain.to_string()),
            preview: kept.as_ref().is_some_and(|k| k.preview),
            sandbox: record.sandbox,
            admitted_at: record.admitted_at.to_rfc3339(),
            expires_at: record.expires_at.to_rfc3339(),
            answer,
            attempts,
            receipts: Vec::new(),
            timeline: Vec::new(),
        };
        view.timeline = timeline(record, &view, made);
        view
    }
}

fn attempt_view(attempt: &Attempt, step: &crate::flow::Step) -> AttemptView {
    let verdict = attempt.verdict();
    let (kind, reason, ms) = match &attempt.state {
        State::InFlight => ("in_flight", None, None),
        State::Skipped(why) => ("skipped", Some(skipped_because(why)), None),
        State::Settled { verdict, at } => (
            verdict.kind.as_str(),
            verdict.reason.map(|r| r.as_str().to_owned()),
            Some(at.ms_since(attempt.at)),
        ),
    };
    AttemptView {
        vendor: step.vendor.to_string(),
        channel: step.channel.as_str(),
        from: step.from.as_ref().map(|f| f.to_string()),
        verdict: kind,
        reason,
        code: verdict.and_then(|v| v.code.clone()),
        message_id: verdict.and_then(|v| v.message_id.clone()),
        at: attempt.at.to_rfc3339(),
        ms,
    }
}

fn timeline(record: &Record, view: &DeliveryView, made: &[Attempt]) -> Vec<Moved> {
    let mut moves: Vec<(Moment, String)> = vec![(record.admitted_at, "Okta called".to_owned())];
    for (attempt, shown) in made.iter().zip(&view.attempts) {
        let vendor = &shown.vendor;
        if matches!(attempt.state, State::Skipped(_)) {
            moves.push((attempt.at, format!("{vendor} {}", came_to(attempt))));
            continue;
        }
        moves.push((attempt.at, format!("asked {vendor}")));
        if let State::Settled { at, .. } = attempt.state {
            moves.push((at, format!("{vendor}: {}", came_to(attempt))));
        }
    }
    if let Some(told) = &view.answer {
        let at = record.admitted_at.plus_ms(told.ms);
        moves.push((at, format!("answered Okta: {}", told.reason)));
    }
    if let Some((at, outcome)) = record.closed {
        moves.push((at, format!("closed: {}", outcome.as_str())));
    }
    moves.sort_by_key(|(at, _)| *at);
    let moved = |(at, what): (Moment, String)| Moved {
        at: at.to_rfc3339(),
        what,
    };
    moves.into_iter().map(moved).collect()
}

/// What came of an attempt, in a few words: `rejected account 20003`.
pub fn came_to(attempt: &Attempt) -> String {
    match &attempt.state {
        State::InFlight => "no answer yet".to_owned(),
        State::Skipped(why) => format!("passed over ({})", skipped_because(why)),
        State::Settled { verdict, .. } => words(verdict),
    }
}

/// A verdict in a few words.
pub fn words(verdict: &Verdict) -> String {
    let mut words = vec![verdict.kind.as_str()];
    words.extend(verdict.reason.map(|r| r.as_str()));
    words.extend(verdict.code.as_deref());
    words.join(" ")
}

/// Why the next vendor was turned to after this attempt, as a metric's label.
pub fn why_left(attempt: &Attempt) -> &'static str {
    match &attempt.state {
        State::InFlight => "patience",
        State::Skipped(why) => why.as_str(),
        State::Settled { verdict, .. } => verdict.reason.map_or("unknown", |r| r.as_str()),
    }
}

fn skipped_because(why: &Skip) -> String {
    match why {
        Skip::Off { reason } => format!("off: {reason}"),
        Skip::Unwell { why } => format!("unwell: {why}"),
        Skip::Rate | Skip::Gone | Skip::Unfit | Skip::Budget | Skip::Superseded => {
            why.as_str().to_owned()
        }
    }
}

/// One vendor account, as operators see it.
#[derive(Debug, Serialize)]
pub struct VendorView {
    pub name: String,
    pub definition: String,
    pub channels: Vec<&'static str>,
    pub rate: Option<String>,
    pub data_region: Option<String>,
    /// Switched off through the API.
    pub off: Option<Switch>,
    /// Switched off everywhere by the rules, and why.
    pub off_by_rules: Option<String>,
    /// The vendor asked to be left alone until then.
    pub left_alone_until: Option<String>,
    /// What was last seen of it.
    pub last: Option<String>,
}

impl Dispatch {
    /// Every vendor account.
    pub fn vendors(&self) -> Vec<VendorView> {
        let catalog = self.catalog.load();
        let now = self.clock.now();
        let shown = catalog.accounts().map(|account| {
            let name = account.name();
            let configured = catalog.configured(name);
            let rate = configured.and_then(|v| v.rate);
            let off_by_rules = catalog.rules.off(name, crate::number::Country::NONE, now);
            VendorView {
                name: name.to_string(),
                definition: account.definition().name.clone(),
                channels: account.channels().iter().map(|c| c.as_str()).collect(),
                rate: rate.map(|r| format!("{}/{}ms", r.count, r.per_ms)),
                data_region: configured.and_then(|v| v.data_region.as_ref().map(|r| r.to_string())),
                off: self.switches.get(name),
                off_by_rules: off_by_rules.map(str::to_owned),
                left_alone_until: self
                    .courier
                    .left_alone_until(name)
                    .filter(|until| now < *until)
                    .map(Moment::to_rfc3339),
                last: self.last_seen(name),
            }
        });
        shown.collect()
    }

    /// What was last seen of a vendor, such as `accepted 4 s ago`.
    pub fn last_seen(&self, vendor: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (words, at) = seen.get(vendor)?;
        let ago = self.clock.now().ms_since(*at) / 1000;
        Some(format!("{words} {ago} s ago"))
    }

    /// The rules in force.
    pub fn rules(&self) -> Json {
        let catalog = self.catalog.load();
        json!({
            "version": &**catalog.rules.version(),
            "rules": catalog.rules.rule_names().collect::<Vec<_>>(),
            "region": &*catalog.config.region,
        })
    }
}
