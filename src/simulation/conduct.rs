//! How a vendor behaves at one time in one country, and what comes of one call of it.

use std::sync::Arc;

use crate::delivery::LISTEN_MS;
use crate::flow::{Reason, Verdict, VerdictKind};
use crate::simulation::dice::Dice;
use crate::simulation::spread::Spread;

/// A connection is refused after this, in milliseconds.
const REFUSED_AFTER_MS: i64 = 5;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It answers that it is unavailable.
    Unavailable,
    /// A gateway before it gives up waiting.
    GatewayTimeout,
    /// It never answers.
    Silent,
    /// It takes no connection.
    Refused,
    /// It takes no more messages for now.
    Throttled,
    /// It refuses the message.
    Rejected,
}

impl Failure {
    /// The words of the scenario language.
    pub(super) const WORDS: [(&'static str, Failure); 6] = [
        ("503", Failure::Unavailable),
        ("504", Failure::GatewayTimeout),
        ("timeout", Failure::Silent),
        ("refuse", Failure::Refused),
        ("throttle", Failure::Throttled),
        ("reject", Failure::Rejected),
    ];
}

/// How a vendor behaves, as far as one table of a scenario says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) latency: Option<Spread>,
    pub(super) errors: Option<f64>,
    pub(super) failures: Option<Arc<[Failure]>>,
    pub(super) sent: Option<f64>,
    pub(super) lost: Option<f64>,
    pub(super) failed: Option<f64>,
    pub(super) reason: Option<Reason>,
    pub(super) arrives: Option<Spread>,
    pub(super) receipts: Option<Receipts>,
}

/// How a vendor reports.
#[derive(Clone, Debug)]
pub(super) struct Receipts {
    /// The share of its messages that it reports on.
    pub(super) share: f64,
    /// How long after the message has arrived or failed.
    pub(super) delay: Spread,
}

/// How a vendor behaves.
#[derive(Clone, Debug)]
pub(super) struct Conduct {
    /// From a call to its answer.
    latency: Spread,
    /// The share of calls that fail.
    errors: f64,
    /// How they do, each as often as the others.
    failures: Arc<[Failure]>,
    /// The share of unanswered calls whose message is sent all the same.
    sent: f64,
    /// The share of accepted messages that vanish.
    lost: f64,
    /// The share of accepted messages that are reported as failed.
    failed: f64,
    /// Why they are, and why calls are refused.
    reason: Reason,
    /// From the acceptance to the telephone.
    arrives: Spread,
    receipts: Receipts,
}

/// What a call comes to, all times in milliseconds after it.
#[derive(Debug)]
pub(super) struct Fate {
    pub(super) answers_ms: i64,
    pub(super) answer: Answer,
    /// The vendor has sent it, which costs.
    pub(super) is_sent: bool,
    pub(super) arrives_ms: Option<i64>,
    pub(super) reports_ms: Option<i64>,
}

/// What the vendor answers, and says later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Accepted,
    Failed(Failure),
}

impl Conduct {
    /// A vendor with which all is well.
    pub(super) fn well() -> Conduct {
        Conduct {
            latency: Spread::between(150, 500),
            errors: 0.0,
            failures: Arc::from([Failure::Unavailable]),
            sent: 0.0,
            lost: 0.0,
            failed: 0.0,
            reason: Reason::Unknown,
            arrives: Spread::between(3_000, 20_000),
            receipts: Receipts {
                share: 1.0,
                delay: Spread::between(500, 3_000),
            },
        }
    }

    /// The same, but for what is said.
    pub(super) fn with(self, said: &Said) -> Conduct {
        let Said {
            latency,
            errors,
            failures,
            sent,
            lost,
            failed,
            reason,
            arrives,
            receipts,
        } = said.clone();
        Conduct {
            latency: latency.unwrap_or(self.latency),
            errors: errors.unwrap_or(self.errors),
            failures: failures.unwrap_or(self.failures),
            sent: sent.unwrap_or(self.sent),
            lost: lost.unwrap_or(self.lost),
            failed: failed.unwrap_or(self.failed),
            reason: reason.unwrap_or(self.reason),
            arrives: arrives.unwrap_or(self.arrives),
            receipts: receipts.unwrap_or(self.receipts),
        }
    }

    /// Why messages fail and calls are refused.
    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    /// What comes of a call. The same throws are made whatever happens, so that the same call meets the same
    /// fate as far as it can.
    pub(super) fn call(&self, dice: &mut Dice) -> Fate {
        let fails = dice.falls_within(self.errors);
        let latency_ms = self.latency.draw(dice);
        if !fails {
            return self.accept(latency_ms, dice);
        }
        let failure = self.failures[dice.roll(self.failures.len())];
        let (answers_ms, unanswered) = match failure {
            Failure::Unavailable | Failure::Throttled | Failure::Rejected => (latency_ms, false),
            Failure::GatewayTimeout => (latency_ms, true),
            Failure::Silent => (LISTEN_MS, true),
            Failure::Refused => (REFUSED_AFTER_MS, false),
        };
        let sent = unanswered && dice.falls_within(self.sent);
        let fate = self.accept(latency_ms, dice);
        Fate {
            answers_ms: answers_ms.min(LISTEN_MS),
            answer: Answer::Failed(failure),
            is_sent: sent,
            arrives_ms: fate.arrives_ms.filter(|_| sent),
            reports_ms: fate.reports_ms.filter(|_| sent),
        }
    }

    /// An answer that comes after we have stopped listening is none, but the message is on its way.
    fn accept(&self, latency_ms: i64, dice: &mut Dice) -> Fate {
        let arrival_ms = latency_ms + self.arrives.draw(dice);
        let report_ms = arrival_ms + self.receipts.delay.draw(dice);
        let is_told = dice.falls_within(self.receipts.share);
        let fate = dice.share();
        let lost = fate < self.lost;
        let failed = !lost && fate < self.lost + self.failed;
        let heard = latency_ms <= LISTEN_MS;
        Fate {
            answers_ms: latency_ms.min(LISTEN_MS),
            answer: if heard {
                Answer::Accepted
            } else {
                Answer::Failed(Failure::Silent)
            },
            is_sent: true,
            arrives_ms: (!lost && !failed).then_some(arrival_ms),
            reports_ms: (!lost && is_told).then_some(report_ms),
        }
    }
}

impl Answer {
    /// As a vendor's definition would read it.
    pub(super) fn verdict(self, reason: Reason) -> Verdict {
        let (kind, reason) = match self {
            Answer::Accepted => return Verdict::accepted(None),
            Answer::Failed(failure) => match failure {
                Failure::Unavailable => (VerdictKind::Unavailable, Reason::Server),
                Failure::GatewayTimeout | Failure::Silent => {
                    (VerdictKind::Ambiguous, Reason::Timeout)
                }
                Failure::Refused => (VerdictKind::Unavailable, Reason::Connect),
                Failure::Throttled => (VerdictKind::Throttled, Reason::Rate),
                Failure::Rejected => (VerdictKind::Rejected, reason),
            },
        };
        Verdict::failed(kind, reason)
    }
}
