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

use std::collections::BTreeSet;

use contract::{definition, documented, names_of};

#[test]
fn every_definition_that_sends_something_has_a_contract_and_every_contract_a_definition() {
    let (contracts, definitions) = (
        names_of("tests/contracts", "json"),
        names_of("vendors", "toml"),
    );
    let sends = |name: &String| {
        let account = documented(&definition(name));
        let mut channels = account.definition().operations.iter().map(|(c, _)| *c);
        channels.any(|channel| !account.sends_nothing(channel))
    };
    let (sending, silent): (BTreeSet<String>, _) = definitions.into_iter().partition(sends);
    let described: Vec<_> = silent.intersection(&contracts).collect();
    assert!(described.is_empty(), "they send nothing: {described:?}");
    let without: Vec<_> = sending.difference(&contracts).collect();
    assert!(without.is_empty(), "without a contract: {without:?}");
    let alone: Vec<_> = contracts.difference(&sending).collect();
    assert!(alone.is_empty(), "without a definition: {alone:?}");
}
