//! Every definition is held to its vendor's own description of requests, answers, receipts and scripts.
//!
//! `NAME.json` beside this file describes the API of `vendors/NAME.toml`: JSON Schema, written from what the vendor
//! publishes and not from the definition. `about` says from which description, and what is not covered by it; `sms` and
//! `voice` have the schemas of a `request`, an `answer` and a `receipt` (`document.rs` says of which documents), and
//! the `content_type` and the `pattern` of a `script` that the vendor fetches.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

mod answers;
mod broken;
mod contract;
mod document;
mod jobs;
mod receipts;
mod requests;
mod strictness;

use contract::names_of;

/// The definitions that are proven. One of somebody's own needs no contract to be used.
const PROVEN: [&str; 20] = [
    "8x8",
    "aws-sms",
    "azure-sms",
    "bandwidth",
    "clickatell",
    "clicksend",
    "firetext",
    "generic",
    "infobip",
    "messagebird",
    "mmg",
    "okta-hook",
    "plivo",
    "signalwire",
    "sinch",
    "telesign",
    "telnyx",
    "twilio",
    "vonage",
    "vonage-messages",
];

#[test]
fn every_shipped_definition_has_a_contract_and_every_contract_a_definition() {
    let contracts = names_of("tests/contracts", "json");
    assert!(contracts.iter().eq(PROVEN), "{contracts:?}");
    let definitions = names_of("vendors", "toml");
    let alone: Vec<_> = contracts.difference(&definitions).collect();
    assert!(alone.is_empty(), "without a definition: {alone:?}");
}
