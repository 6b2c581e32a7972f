//! What a vendor says of a message: its verdict at once, its receipts later, and the reasons for both.

use serde::{Deserialize, Serialize};

use crate::flow::Secret;

/// What kind of answer a vendor gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The vendor took the message.
    Accepted,
    /// The vendor definitely refused it.
    Rejected,
    /// The vendor has no room now; nothing was sent.
    Throttled,
    /// Nothing was sent: the vendor could not be reached or failed.
    Unavailable,
    /// Bytes were written and no readable answer came: it may have been sent.
    Ambiguous,
}

impl VerdictKind {
    /// The name used in metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            VerdictKind::Accepted => "accepted",
            VerdictKind::Rejected => "rejected",
            VerdictKind::Throttled => "throttled",
            VerdictKind::Unavailable => "unavailable",
            VerdictKind::Ambiguous => "ambiguous",
        }
    }
}

/// Why a vendor did not take a message. The list is closed: vendors' own codes end at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    InvalidNumber,
    OptedOut,
    Unreachable,
    Content,
    Sender,
    Account,
    Rate,
    FraudBlock,
    NotMobile,
    WrongChannel,
    Timeout,
    Connect,
    Server,
    Expired,
    Unknown,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Reason; 15] = [
        Reason::InvalidNumber,
        Reason::OptedOut,
        Reason::Unreachable,
        Reason::Content,
        Reason::Sender,
        Reason::Account,
        Reason::Rate,
        Reason::FraudBlock,
        Reason::NotMobile,
        Reason::WrongChannel,
        Reason::Timeout,
        Reason::Connect,
        Reason::Server,
        Reason::Expired,
        Reason::Unknown,
    ];

    /// The name used in vendor definitions, metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::InvalidNumber => "invalid_number",
            Reason::OptedOut => "opted_out",
            Reason::Unreachable => "unreachable",
            Reason::Content => "content",
            Reason::Sender => "sender",
            Reason::Account => "account",
            Reason::Rate => "rate",
            Reason::FraudBlock => "fraud_block",
            Reason::NotMobile => "not_mobile",
            Reason::WrongChannel => "wrong_channel",
            Reason::Timeout => "timeout",
            Reason::Connect => "connect",
            Reason::Server => "server",
            Reason::Expired => "expired",
            Reason::Unknown => "unknown",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// Whether no other vendor on the same channel would do better, so that the chain stops.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Reason::InvalidNumber | Reason::OptedOut | Reason::FraudBlock
        )
    }
}

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Accepted, refused, or not known.
    pub kind: VerdictKind,
    /// Why, for everything but an acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The vendor's id of the message, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// How many parts the vendor says it made of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// The vendor's own error code or HTTP status; never its error text, which may echo the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How long the vendor asked us to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
    /// The vendor's own cap for the day is reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub capped: bool,
    /// The vendor gave a code that its definition does not list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
}

impl Verdict {
    /// The vendor took the message.
    pub fn accepted(message_id: Option<String>) -> Verdict {
        Verdict {
            message_id,
            ..Verdict::of(VerdictKind::Accepted, None)
        }
    }

    /// Anything but an acceptance, with its reason.
    pub fn failed(kind: VerdictKind, reason: Reason) -> Verdict {
        Verdict::of(kind, Some(reason))
    }

    /// The same verdict with the vendor's code noted.
    pub fn with_code(self, code: impl Into<String>) -> Verdict {
        Verdict {
            code: Some(code.into()),
            ..self
        }
    }

    /// The same without a code that may be the passcode, which a vendor may echo where nobody expects it; `said` is
    /// the passcode, or the text that it is in.
    pub fn without(mut self, said: &[&Secret]) -> Verdict {
        forget(&mut self.code, self.unlisted, said);
        self
    }

    /// Whether the message may be on its way because of this attempt.
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self.kind, VerdictKind::Accepted | VerdictKind::Ambiguous)
    }

    fn of(kind: VerdictKind, reason: Option<Reason>) -> Verdict {
        Verdict {
            kind,
            reason,
            message_id: None,
            parts: None,
            code: None,
            retry_after_ms: None,
            capped: false,
            unlisted: false,
        }
    }
}

/// How far a message has come, as its vendor tells later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// A status that its vendor's definition does not list.
    Unknown,
    /// Queued, sent, handed to an operator, ringing: nothing final.
    Intermediate,
    /// It will not arrive.
    Failed,
    /// It arrived. Nothing that comes later changes this.
    Delivered,
}

impl Progress {
    /// The name used in metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Unknown => "unknown",
            Progress::Intermediate => "intermediate",
            Progress::Failed => "failed",
            Progress::Delivered => "delivered",
        }
    }
}

/// One delivery report (DLR), read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How far the message has come.
    pub progress: Progress,
    /// Why it failed, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The vendor's own code or status; never its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// It failed because the vendor's own cap for the day is reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub capped: bool,
    /// The vendor gave a code or a status that its definition does not list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
}

impl Receipt {
    /// The same without a code that may be the passcode.
    pub fn without(mut self, said: &[&Secret]) -> Receipt {
        forget(&mut self.code, self.unlisted, said);
        self
    }
}

/// Fewer digits are no passcode.
const PASSCODE_DIGITS_MIN: usize = 4;

/// What a definition lists is a code; another one that holds the passcode, or stands in the text, is not kept.
fn forget(code: &mut Option<String>, unlisted: bool, said: &[&Secret]) {
    let Some(text) = code.as_deref().filter(|_| unlisted) else {
        return;
    };
    let digits = text.split(|c: char| !c.is_ascii_digit());
    let mut may_be = digits.filter(|run| run.len() >= PASSCODE_DIGITS_MIN);
    let is_said = |run: &str| {
        said.iter()
            .any(|s| s.expose().contains(run) || run.contains(s.expose()))
    };
    let whole = said.iter().any(|s| text.contains(s.expose()));
    if whole || may_be.any(is_said) {
        *code = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_holds_the_passcode_is_kept_only_if_it_is_listed() {
        let check = |said: &str, code: &str, unlisted, expected: Option<&str>| {
            let verdict = Verdict {
                unlisted,
                ..Verdict::failed(VerdictKind::Rejected, Reason::Unknown).with_code(code)
            };
            let kept = verdict.without(&[&Secret::new(said)]);
            assert_eq!(kept.code.as_deref(), expected, "{said} {code}");
        };
        check("482913", "482913", true, None);
        check("482913", "E-482913", true, None);
        check("482913", "482913", false, Some("482913"));
        check("482913", "30003", true, Some("30003"));
        check("x7k2", "x7k2", true, None);
        check("Your code is 482913.", "482913", true, None);
        check("Your code is 482913.", "E9", true, Some("E9"));
    }
}
