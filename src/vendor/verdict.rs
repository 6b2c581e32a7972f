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
    Failed,
    /// Some elements meet them and some do not: a part of the message may be on its way.
    Partly,
    /// The answer has no such place.
    Absent,
}

impl Operation {
    pub(crate) fn verdict(&self, head: &http::response::Parts, body: &[u8]) -> Verdict {
        let status = head.status.as_u16();
        let json = match &self.answer_pattern {
            Some(pattern) => groups(pattern, body),
            None => serde_json::from_slice(body).ok(),
        };
        let refused = &self.refused;
        let code = json.as_ref().and_then(|j| refused.coded.code_in(j));
        let listed = code.as_deref().and_then(|c| refused.coded.reason_of(c));
        if self.accepted.status.contains(&status) {
            let conditions = match &json {
                Some(json) => self.conditions(json),
                None if self.reads_body() => Conditions::Absent,
                None => Conditions::Met,
            };
            match conditions {
                Conditions::Met => return self.acceptance(json.as_ref()),
                Conditions::Failed => {}
                // What is no yes and has a known code, or looks like a no, is one.
                Conditions::Absent if listed.is_some() || refused.is_present(&json) => {}
                Conditions::Partly | Conditions::Absent => return Verdict::unreadable(),
            }
        }
        let mut verdict = match listed.or_else(|| refused.reason_of_status(status)) {
            Some(reason) => Verdict::failed(kind_of(reason), reason),
            None => by_status(status),
        };
        verdict.capped = code.as_deref().is_some_and(|c| refused.coded.is_cap(c));
        verdict.unlisted = code.is_some() && listed.is_none();
        // What is listed is no phone number and no text.
        let code = code.filter(|c| listed.is_some() || code_word(c).is_some());
        verdict.code = Some(code.unwrap_or_else(|| status.to_string()));
        verdict.retry_after_ms = refused.retry_after_ms(head);
        verdict
    }

    fn reads_body(&self) -> bool {
        !self.accepted.when.is_empty()
            || self.accepted.message_id.is_some()
            || self.answer_pattern.is_some()
    }

    fn conditions(&self, json: &Json) -> Conditions {
        let mut met = 0;
        let mut failed = 0;
        for (pointer, allowed) in &self.accepted.when {
            let found = all_at(json, pointer);
            if found.is_empty() {
                return Conditions::Absent;
            }
            let good = found
                .iter()
                .filter(|v| text_of(v).is_some_and(|t| allowed.contains(&t)));
            let good = good.count();
            met += good;
            failed += found.len() - good;
        }
        match (met, failed) {
            (_, 0) => Conditions::Met,
            (0, _) => Conditions::Failed,
            _ if self.accepted.when.len() > 1 => Conditions::Failed,
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
    fn is_present(&self, json: &Option<Json>) -> bool {
        let has = |pointer: &String| {
            let found = json.as_ref().map(|json| all_at(json, pointer));
            found.is_some_and(|found| found.iter().any(|value| !value.is_null()))
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
        200..=299 | 400..=499 => (VerdictKind::Rejected, Reason::Unknown),
        _ => (VerdictKind::Ambiguous, Reason::Unknown),
    };
    Verdict::failed(kind, reason)
}
