//! Writes the one answer that Okta reads without giving up on us.

use serde::Serialize;

use crate::flow::DeliveryId;

/// What Okta is told of the message. Okta's list is closed; any other word makes it send a message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Sent, or owned by us.
    Successful,
    /// Owned by us, nobody has accepted it yet.
    Pending,
    /// Nobody will send it. Okta's own failover follows, unless Okta has switched it off.
    Failed,
}

impl Status {
    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Successful => "successful",
            Status::Pending => "pending",
            Status::Failed => "failed",
        }
    }
}

/// Everything the answer says.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    pub status: Status,
    /// The accepting vendor and its message id, and which attempt it was (from 1).
    pub accepted: Option<(&'a str, &'a str, usize)>,
    pub delivery: DeliveryId,
    /// From the call's first byte, in milliseconds.
    pub ms: i64,
    /// The rule that decided; empty when none did.
    pub rule: &'a str,
    /// The version of the rule set.
    pub rules: &'a str,
    /// Why it is answered so, in one word.
    pub reason: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    commands: [Command<'a>; 1],
    #[serde(rename = "debugContext")]
    debug_context: DebugContext<'a>,
}

#[derive(Serialize)]
struct Command<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: [Value<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
    status: Status,
    provider: &'a str,
    transaction_id: &'a str,
    transaction_metadata: String,
}

#[derive(Serialize)]
struct DebugContext<'a> {
    delivery: &'a str,
    rule: &'a str,
    rules: &'a str,
    reason: &'a str,
}

impl Answer<'_> {
    /// The body of the HTTP 200 that carries it.
    pub fn to_json(&self) -> String {
        let delivery = self.delivery.to_string();
        let (provider, transaction_id, attempt) =
            self.accepted.unwrap_or(("trunkline", &delivery, 0));
        let body = Body {
            commands: [Command {
                kind: "com.okta.telephony.action",
                value: [Value {
                    status: self.status,
                    provider,
                    transaction_id,
                    transaction_metadata: format!(
                        "delivery={delivery},attempt={attempt},ms={}",
                        self.ms
                    ),
                }],
            }],
            debug_context: DebugContext {
                delivery: &delivery,
                rule: self.rule,
                rules: self.rules,
                reason: self.reason,
            },
        };
        serde_json::to_string(&body).unwrap_or_default()
    }
}
