//! Reads a vendor's answer: closed verdicts come out, and codes, never texts.

use http::header::RETRY_AFTER;
use serde_json::Value as Json;

use crate::flow::{Reason, Verdict, VerdictKind};
use crate::vendor::definition::{Coded, Codes, Operation, Refused};
use crate::vendor::pick::{all_at, code_word, groups, text_of};

/// A vendor's wish to be left alone is heard for at most this long, in milliseconds.
const RETRY_AFTER_MS_MAX: i64 = 3_600_000;

/// How an answer stands to what acceptance needs.
enum Conditions {
    Met,
    /// None of it holds, or the answer has no such place.
    Unmet,
    /// Some elements meet them and some do not: a part of the message may be on its way.
    Partly,
}

impl Operation {
    pub(crate) fn verdict(&self, head: &http::response::Parts, body: &[u8]) -> Verdict {
        let status = head.status.as_u16();
        let json = match &self.answer_pattern {
            Some(pattern) => groups(pattern, body),
            None => serde_json::from_slice(body).ok(),
        };
        let refused = &self.refused;
        let is_no = refused.is_present(json.as_ref());
        let code = json.as_ref().and_then(|j| refused.coded.code_in(j));
        let listed = code.as_deref().and_then(|c| refused.coded.reason_of(c));
        let known = listed.or_else(|| refused.reason_of_status(status));
        let mut verdict = if self.accepted.status.contains(&status) {
            match self.conditions(json.as_ref()) {
                Conditions::Met if !is_no => return self.acceptance(json.as_ref()),
                Conditions::Met | Conditions::Unmet => no_inside_of_yes(known, is_no),
                Conditions::Partly => return Verdict::unreadable(),
            }
        } else if head.status.is_success() {
            no_inside_of_yes(known, is_no)
        } else {
            known.map_or_else(
                || by_status(status),
                |reason| Verdict::failed(kind_of(reason), reason),
            )
        };
        verdict.capped = code.as_deref().is_some_and(|c| refused.coded.is_cap(c));
        verdict.unlisted = code.is_some() && listed.is_none();
        verdict.code = match code {
            // What is listed is no phone number and no text.
            Some(code) => Some(code).filter(|c| listed.is_some() || code_word(c).is_some()),
            None if head.status.is_success() && verdict.kind == VerdictKind::Ambiguous => None,
            None => Some(status.to_string()),
        };
        verdict.retry_after_ms = refused.retry_after_ms(head);
        verdict
    }

    fn conditions(&self, json: Option<&Json>) -> Conditions {
        let accepted = &self.accepted;
        let Some(json) = json else {
            let reads = !accepted.when.is_empty() || accepted.message_id.is_some();
            let reads = reads || self.answer_pattern.is_some();
            return if reads {
                Conditions::Unmet
            } else {
                Conditions::Met
            };
        };
        let (mut met, mut failed) = (0, 0);
        for (pointer, allowed) in &accepted.when {
            let found = all_at(json, pointer);
            if found.is_empty() {
                return Conditions::Unmet;
            }
            let good = found
                .iter()
                .filter(|v| text_of(v).is_some_and(|t| allowed.contains(&t)));
            let good = good.count();
            met += good;
            failed += found.len() - good;
        }
        let has_id = |pointer: &String| {
            all_at(json, pointer)
                .into_iter()
                .any(|v| text_of(v).is_some())
        };
        match (met, failed) {
            // Where nothing else says yes, the id does.
            (0, 0) if !accepted.message_id.as_ref().is_none_or(has_id) => Conditions::Unmet,
            (_, 0) => Conditions::Met,
            (0, _) => Conditions::Unmet,
            _ if accepted.when.len() > 1 => Conditions::Unmet,
            _ => Conditions::Partly,
        }
    }

    fn acceptance(&self, json: Option<&Json>) -> Verdict {
        let at = |pointer: &Option<String>| {
            let found = all_at(json?, pointer.as_deref()?);
            found.first().copied().cloned()
        };
        let id = at(&self.accepted.message_id).and_then(|v| text_of(&v));
        let parts = at(&self.accepted.parts).and_then(|v| match v {
            Json::Array(parts) => u32::try_from(parts.len()).ok(),
            other => text_of(&other)?.parse().ok(),
        });
        Verdict {
            // Some vendors say 0 while they do not know yet.
            parts: parts.filter(|n| *n > 0),
            ..Verdict::accepted(id)
        }
    }
}

impl Verdict {
    /// An answer that says neither yes nor no: it may have been sent.
    pub fn unreadable() -> Verdict {
        Verdict::failed(VerdictKind::Ambiguous, Reason::Unknown)
    }
}

impl Coded {
    /// The code; where there are several, the first one that has a reason.
    fn code_in(&self, json: &Json) -> Option<String> {
        let found: Vec<String> = self.code.iter().flat_map(|pick| pick.texts(json)).collect();
        let listed = found.iter().find(|c| self.reason_of(c).is_some());
        listed.or(found.first()).cloned()
    }

    /// A cap for the day is a matter of rate, unless its code is listed with another reason.
    pub(crate) fn reason_of(&self, code: &str) -> Option<Reason> {
        let found = self.reasons.iter().find(|(codes, _)| codes.name(code));
        let capped = self.is_cap(code).then_some(Reason::Rate);
        found.map(|(_, reason)| *reason).or(capped)
    }

    /// Whether a code says that a cap for the day is reached.
    pub(crate) fn is_cap(&self, code: &str) -> bool {
        self.daily_cap.iter().any(|codes| codes.name(code))
    }
}

impl Codes {
    fn name(&self, code: &str) -> bool {
        match self {
            Codes::One(one) => one == code,
            Codes::Range(from, to) => {
                let number: Option<i64> = code.parse().ok();
                number.is_some_and(|n| (*from..=*to).contains(&n))
            }
        }
    }
}

impl Refused {
    /// Whether an answer has what only refusals have.
    fn is_present(&self, json: Option<&Json>) -> bool {
        let says_something = |value: &&Json| match value {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(fields) => !fields.is_empty(),
            Json::Bool(true) | Json::Number(_) => true,
        };
        let has = |pointer: &String| {
            json.is_some_and(|json| all_at(json, pointer).iter().any(says_something))
        };
        self.present.iter().any(has)
    }

    /// What the definition says of an HTTP status.
    fn reason_of_status(&self, status: u16) -> Option<Reason> {
        let status = status.to_string();
        let found = self.statuses.iter().find(|(codes, _)| codes.name(&status));
        found.map(|(_, reason)| *reason)
    }

    /// `Retry-After` in seconds, or a header that the definition names.
    fn retry_after_ms(&self, head: &http::response::Parts) -> Option<i64> {
        let seconds = std::iter::once(&RETRY_AFTER)
            .chain(&self.retry_after)
            .filter_map(|name| {
                head.headers
                    .get(name)?
                    .to_str()
                    .ok()?
                    .trim()
                    .parse::<f64>()
                    .ok()
            })
            .find(|s| s.is_finite() && *s > 0.0)?;
        #[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
        let ms = (seconds * 1000.0).clamp(0.0, RETRY_AFTER_MS_MAX as f64) as i64;
        Some(ms)
    }
}

/// What an answer comes to whose HTTP status says yes while its body does not. Unless the definition knows it for a
/// refusal, the message may have been sent.
fn no_inside_of_yes(known: Option<Reason>, is_no: bool) -> Verdict {
    match known {
        Some(reason) => Verdict::failed(kind_of(reason), reason),
        None if is_no => Verdict::failed(VerdictKind::Rejected, Reason::Unknown),
        None => Verdict::unreadable(),
    }
}

/// What a reason means for the next step.
fn kind_of(reason: Reason) -> VerdictKind {
    match reason {
        Reason::Rate => VerdictKind::Throttled,
        Reason::Server | Reason::Connect => VerdictKind::Unavailable,
        Reason::Timeout => VerdictKind::Ambiguous,
        Reason::InvalidNumber
        | Reason::OptedOut
        | Reason::Unreachable
        | Reason::Content
        | Reason::Sender
        | Reason::Account
        | Reason::FraudBlock
        | Reason::NotMobile
        | Reason::WrongChannel
        | Reason::Expired
        | Reason::Unknown => VerdictKind::Rejected,
    }
}

/// What an HTTP status means where the definition does not list the answer's code.
fn by_status(status: u16) -> Verdict {
    let (kind, reason) = match status {
        401..=403 => (VerdictKind::Rejected, Reason::Account),
        408 | 429 => (VerdictKind::Throttled, Reason::Rate),
        504 => (VerdictKind::Ambiguous, Reason::Timeout),
        500..=599 => (VerdictKind::Unavailable, Reason::Server),
        400..=499 => (VerdictKind::Rejected, Reason::Unknown),
        _ => (VerdictKind::Ambiguous, Reason::Unknown),
    };
    Verdict::failed(kind, reason)
}
