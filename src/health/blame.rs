//! Decides whom a failure speaks against: nobody, the vendor in one country, its account, or the vendor.

use crate::flow::{Reason, Verdict, VerdictKind};

/// A vendor that asks for a longer rest than this, in milliseconds, is asked again after it.
const REST_MAX_MS: i64 = 300_000;

/// Whom it speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The recipient, the text or the plan; another vendor would have said the same.
    Nobody,
    /// The vendor in this country only.
    Country,
    /// The vendor's account: it will refuse everything.
    Account,
    /// The vendor.
    Vendor,
}

/// What a verdict says of its vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It works.
    Good,
    /// It failed, or the recipient did.
    Failed(Blame),
    /// It has no room for this one.
    Full,
    /// It wants to be left alone for so many milliseconds.
    Rest(i64),
}

pub(super) fn finding(verdict: &Verdict) -> Finding {
    let blame = blame(verdict.reason);
    match verdict.kind {
        VerdictKind::Accepted => Finding::Good,
        VerdictKind::Throttled => match verdict.retry_after_ms {
            Some(ms) if ms > 0 => Finding::Rest(ms.min(REST_MAX_MS)),
            Some(_) | None => Finding::Full,
        },
        VerdictKind::Rejected | VerdictKind::Unavailable | VerdictKind::Ambiguous => {
            Finding::Failed(blame)
        }
    }
}

/// Whom a failed receipt speaks against. Texts that were taken and filtered on the way might have passed by
/// another vendor's way.
pub(super) fn blame_of_receipt(reason: Option<Reason>) -> Blame {
    match reason {
        Some(Reason::Content) => Blame::Vendor,
        Some(_) | None => blame(reason),
    }
}

/// Whom a refusal speaks against.
pub(super) fn blame(reason: Option<Reason>) -> Blame {
    let Some(reason) = reason else {
        return Blame::Vendor;
    };
    match reason {
        Reason::InvalidNumber
        | Reason::OptedOut
        | Reason::Unreachable
        | Reason::Content
        | Reason::FraudBlock
        | Reason::NotMobile
        | Reason::WrongChannel
        | Reason::Expired => Blame::Nobody,
        Reason::Sender => Blame::Country,
        Reason::Account => Blame::Account,
        Reason::Rate | Reason::Timeout | Reason::Connect | Reason::Server | Reason::Unknown => {
            Blame::Vendor
        }
    }
}
