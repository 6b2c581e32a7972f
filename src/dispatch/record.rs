//! What the journal keeps of a message: in the clear what a dashboard may show, sealed what it may not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, Event, Terms};
use crate::flow::{Channel, DeliveryId, Message, Outcome, Plan, Secret, Step};
use crate::journal::Record;
use crate::number::PhoneNumber;
use crate::text::{Given, render};
use crate::time::Moment;

/// What a plan of some vendors takes as JSON; more is no fault.
const KEPT_BYTES: usize = 2048;

/// The clear part of an admission.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The number as support sees it; absent when it was none.
    pub number: Option<String>,
    pub number_type: Option<String>,
    pub request_type: String,
    pub locale: String,
    pub preview: bool,
    pub rule: String,
    pub rules: String,
    /// How it was to be delivered; absent when it was refused.
    pub course: Option<Course>,
    /// Why it was refused.
    pub refused: Option<String>,
    /// A keyed hash of org, user and number; absent for previews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u64>,
    /// A keyed hash of the address that the person asked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<u64>,
    /// The older deliveries whose passcode this one replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<DeliveryId>,
}

/// Terms and plan, frozen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Course {
    pub terms: Terms,
    pub plan: Arc<Plan>,
}

/// The sealed part, as JSON inside the journal's seal.
#[derive(Serialize, Deserialize)]
struct Sealed {
    to: String,
    /// Empty where Okta gave none.
    text: String,
    code: Option<String>,
}

/// The sealed part, opened.
pub(super) struct Opened {
    pub(super) to: PhoneNumber,
    /// Okta's own text.
    pub(super) text: Option<Secret>,
    pub(super) code: Option<Secret>,
}

impl Opened {
    /// What has the passcode in it.
    pub(super) fn said(&self) -> Vec<&Secret> {
        self.code.iter().chain(&self.text).collect()
    }
}

impl Kept {
    /// The clear part of a message, without what was decided of it.
    pub(super) fn of(message: &Message) -> Kept {
        let to = message.to.as_ref().ok();
        Kept {
            number: to.map(PhoneNumber::masked),
            number_type: to.map(|n| n.number_type().as_str().to_owned()),
            request_type: message.request_type.clone(),
            locale: message.locale.clone(),
            preview: message.preview,
            rule: String::new(),
            rules: String::new(),
            course: None,
            refused: None,
            person: None,
            address: None,
            supersedes: Vec::new(),
        }
    }

    /// Reads it back; `None` when another version wrote it so that this one cannot.
    pub fn read(record: &Record) -> Option<Kept> {
        serde_json::from_str(&record.record).ok()
    }

    pub(super) fn to_json(&self) -> String {
        let mut json = Vec::with_capacity(KEPT_BYTES);
        match serde_json::to_writer(&mut json, self) {
            Ok(()) => String::from_utf8(json).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }
}

impl Course {
    /// The machine as it stood, made by feeding it again what it was fed.
    pub fn replay(&self, record: &Record) -> Delivery {
        let kept = record.fed.iter().filter_map(|fed| {
            let event: Option<Event> = serde_json::from_str(&fed.event)
                .inspect_err(|error| {
                    tracing::error!(delivery = %record.id, seq = fed.seq, %error,
                        "an event in the journal cannot be read");
                })
                .ok();
            Some((fed.at, event?))
        });
        Delivery::replay(self.terms.clone(), Arc::clone(&self.plan), kept.collect())
    }
}

impl Opened {
    /// What is sent by a step, when `asked` is the channel that Okta asked for.
    pub(super) fn text_for(&self, step: &Step, asked: Channel) -> Secret {
        let given = Given {
            channel: asked,
            code: self.code.as_ref(),
            text: self.text.as_ref(),
        };
        render(step.wording.as_deref(), step.channel, &given)
    }

    pub(super) fn seal(&self) -> Secret {
        let sealed = Sealed {
            to: self.to.e164().to_owned(),
            text: self.text.as_ref().map_or("", Secret::expose).to_owned(),
            code: self.code.as_ref().map(|c| c.expose().to_owned()),
        };
        Secret::new(serde_json::to_string(&sealed).unwrap_or_default())
    }

    pub(super) fn open(secret: &Secret) -> Option<Opened> {
        let sealed: Sealed = serde_json::from_str(secret.expose()).ok()?;
        Some(Opened {
            to: PhoneNumber::parse(&sealed.to, None).ok()?,
            text: Some(Secret::new(sealed.text)).filter(|t| !t.expose().is_empty()),
            code: sealed.code.map(Secret::new),
        })
    }
}

/// What Okta was told, or is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub delivery: DeliveryId,
    pub how: How,
    /// From the call's first byte, in milliseconds.
    pub ms: i64,
    pub rule: String,
    pub rules: String,
    /// Why, in one word.
    pub reason: String,
}

/// The kinds of answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A vendor accepted; the attempt counts from 1.
    Accepted {
        vendor: String,
        message_id: String,
        attempt: usize,
    },
    /// We own it, nobody has accepted it yet.
    Pending,
    /// No vendor ever will take it.
    Never,
    /// The passcode was dead on arrival.
    Expired,
    /// Neither journal nor vendor could be reached.
    Nobody,
}

/// Why a message is not delivered at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    pub(super) rule: String,
}

impl Refusal {
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Refusal {
        Refusal {
            outcome,
            reason: reason.into(),
            rule: String::new(),
        }
    }

    pub(super) fn how(&self) -> How {
        if self.outcome == Outcome::Expired {
            How::Expired
        } else {
            How::Never
        }
    }
}

/// How long ago, never negative.
pub(super) fn since(received_at: Moment, now: Moment) -> i64 {
    now.ms_since(received_at).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_comes_back() {
        for text in [Some("123456 is your code."), None] {
            let opened = Opened {
                to: PhoneNumber::parse("+6591234567", None).unwrap(),
                text: text.map(Secret::new),
                code: Some(Secret::new("123456")),
            };
            let back = Opened::open(&opened.seal()).unwrap();
            assert_eq!(back.to.e164(), "+6591234567");
            assert_eq!(back.text, opened.text);
            assert_eq!(back.code, opened.code);
        }
    }
}
