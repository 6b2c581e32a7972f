//! Shows a delivery, for people and the API.

use serde::Serialize;

use crate::delivery::{Attempt, Event, Silence, Skip, State};
use crate::dispatch::Told;
use crate::dispatch::record::Kept;
use crate::flow::{DeliveryId, Plan, Verdict, VerdictKind};
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
    pub receipts: Vec<ReceiptView>,
    /// The vendors' order, where it was learned.
    pub learned_order: Option<String>,
    /// The older deliveries whose passcode this one replaced.
    pub supersedes: Vec<String>,
    pub timeline: Vec<Moved>,
}

/// One attempt.
#[derive(Debug, Serialize)]
pub struct AttemptView {
    pub vendor: String,
    pub channel: &'static str,
    pub from: Option<String>,
    /// The template that it said; absent where it was Okta's own text.
    pub template: Option<String>,
    /// A verdict's kind, `in_flight`, or `skipped`.
    pub verdict: &'static str,
    pub reason: Option<String>,
    pub code: Option<String>,
    pub message_id: Option<String>,
    pub at: String,
    pub ms: Option<i64>,
}

/// One receipt.
#[derive(Debug, Serialize)]
pub struct ReceiptView {
    pub vendor: String,
    /// The attempt that it is of, counted from 1.
    pub attempt: usize,
    /// `intermediate`, `delivered`, `failed` or `unknown`.
    pub status: &'static str,
    pub reason: Option<&'static str>,
    pub code: Option<String>,
    pub at: String,
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
            learned_order: course.and_then(|c| learned_order(&c.plan)),
            supersedes: kept
                .iter()
                .flat_map(|k| &k.supersedes)
                .map(DeliveryId::to_string)
                .collect(),
            timeline: Vec::new(),
        };
        view.receipts = receipt_views(&view.attempts, made);
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
        template: step
            .wording
            .as_ref()
            .and_then(|w| w.template.as_ref())
            .map(|t| t.to_string()),
        verdict: kind,
        reason,
        code: verdict.and_then(|v| v.code.clone()),
        message_id: verdict.and_then(|v| v.message_id.clone()),
        at: attempt.at.to_rfc3339(),
        ms,
    }
}

fn learned_order(plan: &Plan) -> Option<String> {
    let vendors = plan.steps.iter().filter(|s| s.waits.is_none());
    let vendors: Vec<&str> = vendors.map(|s| &*s.vendor).collect();
    plan.learning.order.then(|| vendors.join(", "))
}

fn receipt_views(shown: &[AttemptView], made: &[Attempt]) -> Vec<ReceiptView> {
    let mut receipts: Vec<(Moment, ReceiptView)> = Vec::new();
    for (index, (attempt, shown)) in made.iter().zip(shown).enumerate() {
        for (at, receipt) in &attempt.receipts {
            let view = ReceiptView {
                vendor: shown.vendor.clone(),
                attempt: index + 1,
                status: receipt.progress.as_str(),
                reason: receipt.reason.map(|r| r.as_str()),
                code: receipt.code.clone(),
                at: at.to_rfc3339(),
            };
            receipts.push((*at, view));
        }
    }
    receipts.sort_by_key(|(at, _)| *at);
    receipts.into_iter().map(|(_, view)| view).collect()
}

fn timeline(record: &Record, view: &DeliveryView, made: &[Attempt]) -> Vec<Moved> {
    let mut moves: Vec<(Moment, String)> = vec![(record.admitted_at, "Okta called".to_owned())];
    if let Some(order) = &view.learned_order {
        moves.push((record.admitted_at, format!("order as learned: {order}")));
    }
    for older in &view.supersedes {
        moves.push((record.admitted_at, format!("replaces {older}")));
    }
    for (attempt, shown) in made.iter().zip(&view.attempts) {
        let vendor = &shown.vendor;
        if matches!(attempt.state, State::Skipped(_)) {
            moves.push((attempt.at, format!("{vendor} {}", came_to(attempt))));
            continue;
        }
        let from = shown.from.iter().map(|from| format!(" from {from}"));
        let words = shown
            .template
            .iter()
            .map(|name| format!(", template {name}"));
        let more: String = from.chain(words).collect();
        moves.push((attempt.at, format!("asked {vendor}{more}")));
        if let State::Settled { at, .. } = attempt.state {
            moves.push((at, format!("{vendor}: {}", came_to(attempt))));
        }
        for (at, receipt) in &attempt.receipts {
            let progress = receipt.progress.as_str();
            let told = [
                Some(progress),
                receipt.reason.map(|r| r.as_str()),
                receipt.code.as_deref().filter(|code| *code != progress),
            ];
            let told = told.into_iter().flatten().collect::<Vec<_>>().join(" ");
            moves.push((*at, format!("receipt from {vendor}: {told}")));
        }
        match attempt.silence {
            Silence::None | Silence::Asked => {}
            Silence::Excused { since, .. } => {
                let what = format!("no receipt from {vendor}, which sends none at the moment");
                moves.push((since, what));
            }
            Silence::Telling { since } => {
                let what = format!("no receipt from {vendor}, which sends others");
                moves.push((since, what));
            }
        }
    }
    for fed in &record.fed {
        match serde_json::from_str(&fed.event) {
            Ok(Event::Superseded) => {
                moves.push((fed.at, "a newer passcode took its place".to_owned()));
            }
            Ok(Event::Converted) => moves.push((fed.at, "the passcode was used".to_owned())),
            Ok(Event::Restarted) => moves.push((fed.at, "taken up after a restart".to_owned())),
            Ok(_) | Err(_) => {}
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
    if verdict.kind == VerdictKind::Ambiguous {
        words.push("(it may have been sent)");
    }
    words.join(" ")
}

/// Why the next vendor was turned to after this attempt, as a metric's label.
pub fn why_left(attempt: &Attempt) -> &'static str {
    match (&attempt.state, attempt.failure(), attempt.silence) {
        (State::Skipped(why), ..) => why.as_str(),
        (State::InFlight | State::Settled { .. }, Some((reason, _)), _) => reason.as_str(),
        (State::Settled { .. }, None, Silence::Telling { .. }) => "silence",
        (State::InFlight, None, _) => "patience",
        (State::Settled { .. }, None, Silence::None | Silence::Asked | Silence::Excused { .. }) => {
            "unknown"
        }
    }
}

fn skipped_because(why: &Skip) -> String {
    match why {
        Skip::Off { reason } => format!("off: {reason}"),
        Skip::Unwell { why } => format!("unwell: {why}"),
        Skip::Quota { name } => format!("quota {name} is used up"),
        Skip::NoPublicUrl => {
            "unfit: without `public_url` it cannot fetch what its call is to say".to_owned()
        }
        Skip::Elsewhere => "its data region has changed".to_owned(),
        Skip::Rate
        | Skip::Gone
        | Skip::Unfit
        | Skip::Budget
        | Skip::Superseded
        | Skip::Needless => why.as_str().to_owned(),
    }
}
