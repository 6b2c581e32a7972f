//! Rule files: never a panic, places that are right, and decisions that agree with their explanations.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use trunkline::flow::{Channel, DeliveryId, Message, Plan, Secret, Step};
use trunkline::number::PhoneNumber;
use trunkline::problem::Source;
use trunkline::rules::{Decision, Fleet, FleetVendor, Rules};
use trunkline::text::{Given, render};
use trunkline::time::{Moment, Rate};

use crate::chance::Chance;
use crate::{are_shown, soup, throw};

/// 15 June 2026, noon.
const NOW: Moment = Moment(1_781_524_800_000);
const NUMBERS: [&str; 14] = [
    "+6581234567",
    "+12015550123",
    "+18762101234",
    "+33612345678",
    "+447400123456",
    "+4520123456",
    "+919812345678",
    "+4915123456789",
    "+5511961234567",
    "+449012345678",
    "+19002345678",
    "+882161234567",
    "81234567",
    "hello",
];
/// Where one of several files ends.
const FILE_END: &str = "#--- next file ---\n";

fn fleet() -> Fleet {
    let vendor = |name: &str, data_region: Option<&str>, channels: &[Channel]| FleetVendor {
        name: name.into(),
        from: (name != "telnyx").then(|| "+15005550006".into()),
        data_region: data_region.map(Into::into),
        channels: channels.to_vec(),
        needs_sender: Vec::new(),
        speaks: None,
        rate: Rate::parse("100/s"),
        quota: None,
        stand_in: false,
    };
    Fleet {
        vendors: vec![
            vendor("twilio", Some("us"), &Channel::ALL),
            vendor("vonage", Some("eu"), &Channel::ALL),
            vendor("telnyx", None, &[Channel::Sms]),
        ],
        definitions: vec!["infobip".to_owned(), "twilio".to_owned()],
        orgs: vec![("acme".into(), "ACME".into())],
    }
}

/// Good and broken rule sets; files of one set follow each other.
fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = texts_in(&root.join("routing-rules"));
    let golden = texts_in(&root.join("tests/golden/rules"));
    let whole = include_str!("everything.toml").to_owned();
    let mut all = vec![shipped.join(FILE_END)];
    // What nothing is wrong with is changed most often: only what compiles can be asked to decide.
    all.extend(std::iter::repeat_n(whole, 60));
    all.extend(std::iter::repeat_n(shipped.join(FILE_END), 20));
    all.extend(golden);
    all
}

pub(crate) fn texts_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory of the project");
    let mut paths: Vec<_> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    let files = paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "toml"));
    files
        .map(|p| fs::read_to_string(p).expect("a text"))
        .collect()
}

#[test]
fn rules_are_read_whatever_they_say() {
    let seeds = seeds();
    let make = |chance: &mut Chance| {
        let text = &seeds[chance.below(seeds.len())];
        let other = &seeds[chance.below(seeds.len())];
        soup::any(chance, text, other)
    };
    throw("rules", 1_500, make, check);
}

#[test]
fn rules_that_are_rearranged_decide_as_they_explain() {
    let whole = include_str!("everything.toml");
    let without_examples = whole.split("[[expect]]").next().unwrap_or(whole);
    let make = |chance: &mut Chance| soup::rearranged(chance, without_examples);
    throw("rearranged rules", 1_000, make, check);
}

#[test]
fn rules_in_which_nothing_is_wrong_decide_as_they_explain() {
    let seeds = seeds();
    let compiled = seeds.iter().filter(|seed| {
        check(seed);
        compile(seed).1
    });
    assert!(compiled.count() > 80);
}

fn compile(text: &str) -> (Rules, bool) {
    let files = text.split(FILE_END).enumerate();
    let files: Vec<Source> = files
        .map(|(index, text)| Source::new(format!("{index}.toml"), text))
        .collect();
    let problems = RefCell::default();
    let rules = Rules::compile(&files, &fleet(), "eu-west", NOW, &problems);
    let problems = problems.into_inner();
    are_shown(&problems);
    (rules, !problems.has_errors())
}

fn check(text: &str) {
    let (rules, is_good) = compile(text);
    if !is_good {
        return;
    }
    for (index, number) in NUMBERS.iter().enumerate() {
        for channel in Channel::ALL {
            for (org, locale) in [("acme", "en-us"), ("other", "")] {
                let message = message(number, channel, org, locale, index);
                agree(&rules, &message);
            }
        }
    }
}

fn message(to: &str, channel: Channel, org: &str, locale: &str, index: usize) -> Message {
    let byte = u8::try_from(index).expect("a small number");
    Message {
        id: DeliveryId::from_bytes([byte.wrapping_mul(37); 16]),
        org: org.into(),
        event: None,
        to: PhoneNumber::parse(to, None),
        channel,
        code: (index != 3).then(|| Secret::new("123456")),
        text: (index != 4).then(|| Secret::new("Your code is 123456")),
        locale: locale.to_owned(),
        request_type: "mfa-verification".to_owned(),
        user: Some("00u1".to_owned()),
        login: Some("ann@acme.example".to_owned()),
        ip: None,
        preview: index == 5,
        resend: false,
        received_at: NOW,
        life_ms: 300_000,
    }
}

/// What is decided is what is explained, but for the order.
fn agree(rules: &Rules, message: &Message) {
    let decided = rules.decide(message, 0x0123_4567_89ab_cdef);
    let explanation = rules.explain(message);
    match (&decided, &explanation.decision) {
        (Decision::Plan(decided), Decision::Plan(explained)) => {
            assert_eq!(
                (&decided.rule, &decided.chain, &decided.rules),
                (&explained.rule, &explained.chain, &explained.rules)
            );
            assert_eq!(decided.pace, explained.pace);
            assert_eq!(steps(decided, message), steps(explained, message));
            assert_eq!(explanation.weights.len(), explained.steps.len());
            assert!(decided.steps.iter().any(|step| step.waits.is_none()));
            let quotas = decided.steps.iter().filter_map(|step| step.quota.as_ref());
            assert!(quotas.into_iter().all(|quota| rules.quota(quota).is_some()));
        }
        (decided, explained) => assert_eq!(decided, explained),
    }
    let is_missed = |name: &str| explanation.missed.iter().any(|m| *m.rule == *name);
    match &decided {
        Decision::Plan(Plan { rule, .. })
        | Decision::Denied { rule, .. }
        | Decision::NoChain { rule, .. }
        | Decision::TooLong { rule, .. } => assert!(!is_missed(rule)),
        Decision::NoRule => {
            assert!(message.to.is_err() || !rules.rule_names().any(|n| !is_missed(n)))
        }
    }
}

fn steps(plan: &Plan, message: &Message) -> BTreeSet<String> {
    plan.steps
        .iter()
        .map(|step| in_words(step, message))
        .collect()
}

fn in_words(step: &Step, message: &Message) -> String {
    let given = Given {
        channel: message.channel,
        code: message.code.as_ref(),
        text: message.text.as_ref(),
    };
    let text = render(step.wording.as_deref(), step.channel, &given);
    format!("{step:?} {}", text.expose())
}
