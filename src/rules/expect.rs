//! Runs the examples that rule files carry.

use std::cell::RefCell;
use std::ops::Range;

use crate::flow::{DeliveryId, Message};
use crate::number::{Country, NumberProblem, PhoneNumber};
use crate::problem::{Problems, Source};
use crate::rules::file::{ExpectText, RuleFile};
use crate::rules::{Decision, Rules};
use crate::time::Moment;

/// Tells every `[[expect]]` that does not hold.
pub(super) fn check_expects(
    rules: &Rules,
    read: &[(&Source, RuleFile)],
    problems: &RefCell<Problems>,
) {
    for (source, file) in read {
        for expect in &file.expects {
            for (span, message) in failures(rules, expect) {
                problems.borrow_mut().error(source, span, message);
            }
        }
    }
}

fn failures(rules: &Rules, expect: &ExpectText) -> Vec<(Range<usize>, String)> {
    let to = PhoneNumber::parse(&expect.to.value, None);
    if to.is_err() {
        let message = format!("`{}` is not a number with `+`", expect.to.value);
        return vec![(expect.to.span.clone(), message)];
    }
    let message = message(expect, to);
    let explanation = rules.explain(&message);
    let (rule, chain, deny) = match &explanation.decision {
        Decision::Plan(plan) => (&*plan.rule, &*plan.chain, None),
        Decision::Denied { rule, why } => (&**rule, "", Some(&**why)),
        Decision::NoChain { rule } => (&**rule, "", None),
        Decision::NoRule => ("", "", None),
    };
    let steps = match &explanation.decision {
        Decision::Plan(plan) => plan.steps.as_slice(),
        Decision::Denied { .. } | Decision::NoChain { .. } | Decision::NoRule => &[],
    };
    let vendors: Vec<&str> = steps.iter().map(|s| &*s.vendor).collect();
    let sender = steps.first().and_then(|s| s.from.as_deref());
    let mut failures = Vec::new();
    let mut compare = |what: &str, expected: Option<&crate::document::At<String>>, found: &str| {
        if let Some(expected) = expected
            && expected.value != found
        {
            let found = if found.is_empty() { "none" } else { found };
            let message = format!("expected the {what} `{}`, found `{found}`", expected.value);
            failures.push((expected.span.clone(), message));
        }
    };
    compare("rule", expect.rule.as_ref(), rule);
    compare("chain", expect.chain.as_ref(), chain);
    compare("sender", expect.sender.as_ref(), sender.unwrap_or_default());
    compare("refusal", expect.deny.as_ref(), deny.unwrap_or_default());
    if let Some(expected) = &expect.vendors
        && !starts_with(&vendors, &expected.value)
    {
        let message = format!(
            "expected the vendors {}, found {}",
            expected.value.join(", "),
            if vendors.is_empty() {
                "none".to_owned()
            } else {
                vendors.join(", ")
            }
        );
        failures.push((expected.span.clone(), message));
    }
    let country = message
        .to
        .as_ref()
        .map_or(Country::NONE, PhoneNumber::country);
    if deny.is_none() && expect.deny.is_none() && !rules.guard().allows(country) {
        let message = format!("`allow_countries` does not let {country} through");
        failures.push((expect.span.clone(), message));
    }
    failures
}

/// The message that an example stands for.
fn message(expect: &ExpectText, to: Result<PhoneNumber, NumberProblem>) -> Message {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Message {
        id: DeliveryId::from_bytes([0; 16]),
        org: text(&expect.org).into(),
        event: None,
        to,
        channel: expect.channel,
        code: None,
        text: None,
        locale: text(&expect.locale),
        request_type: text(&expect.request_type),
        user: expect.user.clone(),
        login: expect.login.clone(),
        ip: None,
        preview: expect.preview,
        resend: false,
        received_at: Moment(0),
        life_ms: 300_000,
    }
}

fn starts_with(vendors: &[&str], expected: &[String]) -> bool {
    expected.len() <= vendors.len() && vendors.iter().zip(expected).all(|(v, e)| v == e)
}
