//! What `explain` says of a number is what the hook does with it, for very many numbers.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline::catalog::{Catalog, Texts};
use trunkline::config::{Config, NO_ORG};
use trunkline::explain::{Explained, Question, explain};
use trunkline::flow::{Channel, DeliveryId, Message};
use trunkline::okta;
use trunkline::problem::Source;
use trunkline::rules::Decision;
use trunkline::text::{Given, SHOWN_CODE, render};
use trunkline::time::Moment;
use trunkline::vendor::{Account, Definition};

/// One example of each type in each country, as `number,country,type`.
const EXAMPLES: &str = include_str!("data/phone-examples.csv");
/// Everything that the rule language has, beside the shipped rules.
const MORE: &str = include_str!("data/agreement.toml");
const SHIPPED: [(&str, &str); 4] = [
    ("10", include_str!("../routing-rules/10-chains.toml")),
    ("20", include_str!("../routing-rules/20-rules.toml")),
    ("30", include_str!("../routing-rules/30-guard.toml")),
    ("40", include_str!("../routing-rules/40-switches.toml")),
];
const DEFINITIONS: [(&str, &str); 4] = [
    ("infobip.toml", include_str!("../vendors/infobip.toml")),
    ("telnyx.toml", include_str!("../vendors/telnyx.toml")),
    ("twilio.toml", include_str!("../vendors/twilio.toml")),
    ("vonage.toml", include_str!("../vendors/vonage.toml")),
];
/// More of them where they take seconds rather than minutes.
const NUMBERS: usize = if cfg!(debug_assertions) {
    15_000
} else {
    1_000_000
};
/// 2026-11-25.
const NOW: Moment = Moment(1_795_600_000_000);
const LOCALES: [&str; 8] = ["EN-US", "de", "de_AT", "fr", "", "ja", "fi", "et"];
const TYPES: [&str; 3] = [
    "",
    "com.okta.user.telephony.mfa-verification",
    "com.okta.user.telephony.account-unlock",
];
const TEXTS: [&str; 3] = [
    "Your verification code is 123456",
    "Your code is ‘123456’, and it is a rather long text that would go into two parts",
    "Ваш код: 123456",
];

/// xorshift64*, seeded.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }
}

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    files
        .iter()
        .map(|(name, text)| Source::new(*name, *text))
        .collect()
}

fn catalog() -> Catalog {
    let problems = RefCell::default();
    let texts = Texts {
        rules: [sources(&[("00", MORE)]), sources(&SHIPPED)].concat(),
        definitions: sources(&DEFINITIONS),
    };
    let simulate = |name: &Arc<str>, definition: &Arc<Definition>, _: Option<Arc<str>>| {
        let from = Some("+15005550006".into());
        let (definition, name) = (Arc::clone(definition), Arc::clone(name));
        let nowhere = "http://vendor.invalid".to_owned();
        Some(Account::example(definition, name, nowhere, from))
    };
    let config = Config::built_in();
    let catalog = Catalog::compile(config, &texts, Some(&simulate), NOW, &problems);
    let told = problems.into_inner();
    let told: Vec<String> = told.sorted().iter().map(|p| p.to_string()).collect();
    assert!(!told.iter().any(|t| t.contains("error: ")), "{told:#?}");
    catalog
}

/// A number like an example, with other digits at its end.
fn number(examples: &[&str], dice: &mut Dice) -> String {
    let mut digits = examples[dice.roll(examples.len())].to_owned();
    let changed = 1 + dice.roll(5);
    let kept = digits.len().saturating_sub(changed).max(4);
    let changed = digits.len() - kept;
    digits.truncate(kept);
    for _ in 0..changed {
        digits.push(char::from(
            b'0' + u8::try_from(dice.roll(10)).expect("a digit"),
        ));
    }
    digits
}

/// A call and the question that asks the same.
fn call(to: &str, dice: &mut Dice) -> (Message, Question) {
    let (locale, request_type) = (LOCALES[dice.roll(8)], TYPES[dice.roll(3)]);
    let channel = Channel::ALL[usize::from(dice.roll(4) == 0)];
    let text = TEXTS[dice.roll(3)];
    let spelling = match channel {
        Channel::Sms => "SMS",
        Channel::Voice => "voice call",
    };
    let mut profile = serde_json::json!({
        "phoneNumber": to, "deliveryChannel": spelling, "otpCode": SHOWN_CODE, "locale": locale,
        "otpExpires": "2026-11-25T09:51:40.000Z",
    });
    if channel == Channel::Sms {
        profile["msgTemplate"] = text.into();
    }
    let body = serde_json::json!({
        "eventId": "e", "eventTime": "2026-11-25T09:46:40.000Z", "requestType": request_type,
        "data": { "messageProfile": profile },
    });
    let body = body.to_string();
    let call = okta::Request::read(body.as_bytes()).expect("a hook call");
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(dice.roll(usize::MAX) as u64).to_be_bytes());
    let message = call.into_message(DeliveryId::from_bytes(id), NO_ORG.into(), None, NOW);
    let question = Question {
        to: to.to_owned(),
        channel: Some(channel),
        locale: Some(locale.to_owned()),
        request_type: Some(request_type.to_owned()),
        text: (channel == Channel::Sms).then(|| text.to_owned()),
        ..Question::default()
    };
    (message, question)
}

/// What the hook does, in words: the rule, the chain, and for each vendor its sender and its text.
fn done(catalog: &Catalog, message: &Message, recipient: u64) -> String {
    let allowed = message
        .to
        .as_ref()
        .is_ok_and(|n| catalog.rules.guard().allows(n.country()));
    match catalog.rules.decide(message, recipient) {
        Decision::Plan(plan) if allowed => {
            let given = Given {
                channel: message.channel,
                code: message.code.as_ref(),
                text: message.text.as_ref(),
            };
            let steps = plan.steps.iter().map(|step| {
                let text = render(step.wording.as_deref(), step.channel, &given);
                let said = (
                    step.from.as_ref().map(|f| f.to_string()),
                    text.expose().to_owned(),
                );
                ((step.vendor.to_string(), step.channel), said)
            });
            let steps: BTreeMap<_, _> = steps.collect();
            format!("{} {} {steps:?}", plan.rule, plan.chain)
        }
        Decision::Plan(_) => "refused".to_owned(),
        Decision::Denied { rule, .. }
        | Decision::NoChain { rule, .. }
        | Decision::TooLong { rule, .. } => format!("{rule} refused"),
        Decision::NoRule => "refused".to_owned(),
    }
}

/// What the explanation says, in the same words.
fn said(explained: &Explained) -> String {
    if !explained.is_sent() {
        return match &explained.rule {
            Some(rule) => format!("{rule} refused"),
            None => "refused".to_owned(),
        };
    }
    let steps = explained.steps.iter().map(|step| {
        let said = (step.sender.clone(), step.text.said.clone());
        ((step.vendor.clone(), step.channel), said)
    });
    let steps: BTreeMap<_, _> = steps.collect();
    let (rule, chain) = (explained.rule.as_deref(), explained.chain.as_deref());
    format!(
        "{} {} {steps:?}",
        rule.unwrap_or_default(),
        chain.unwrap_or_default()
    )
}

#[test]
fn explain_says_what_the_hook_does() {
    let catalog = catalog();
    let examples: Vec<&str> = EXAMPLES
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    let mut dice = Dice(20_261_125);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..NUMBERS {
        let to = number(&examples, &mut dice);
        let (message, question) = call(&to, &mut dice);
        let recipient = dice.roll(usize::MAX) as u64;
        let (done, said) = (
            done(&catalog, &message, recipient),
            said(&explain(&catalog, &question, NOW)),
        );
        assert_eq!(done, said, "{to}: {question:?}");
        let head: Vec<&str> = done.split(' ').take(2).collect();
        *seen.entry(head.join(" ")).or_default() += 1;
    }
    assert!(seen.len() >= 10, "too few rules are met: {seen:?}");
}
