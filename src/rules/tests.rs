//! The language of rule files: what matches, in which order, and what is told when something is wrong.

mod problems;

use std::cell::RefCell;
use std::path::Path;

use super::*;
use crate::flow::{DeliveryId, Message};
use crate::number::PhoneNumber;
use crate::problem::{Problems, Source};

fn vendor(name: &str, channels: &[Channel]) -> FleetVendor {
    FleetVendor {
        name: name.into(),
        from: Some(format!("from-{name}").into()),
        data_region: None,
        channels: channels.to_vec(),
    }
}

/// Accounts `a`, `b`, `c` (no voice), `eu` (in the EU), and a definition `d` without account.
fn fleet() -> Fleet {
    let mut vendors = vec![
        vendor("a", &Channel::ALL),
        vendor("b", &Channel::ALL),
        vendor("c", &[Channel::Sms]),
        vendor("eu", &Channel::ALL),
    ];
    vendors[3].data_region = Some("eu".into());
    Fleet {
        vendors,
        definitions: vec!["d".to_owned()],
    }
}

fn compile_with(files: &[Source], fleet: &Fleet) -> (Rules, Vec<String>) {
    let problems = RefCell::<Problems>::default();
    let rules = Rules::compile(files, fleet, "eu-west", &problems);
    let told = problems
        .borrow()
        .sorted()
        .iter()
        .map(|p| p.to_string())
        .collect();
    (rules, told)
}

fn compile(text: &str) -> (Rules, Vec<String>) {
    compile_with(&[Source::new("r.toml", text)], &fleet())
}

/// Compiles, ignoring warnings.
fn rules(text: &str) -> Rules {
    let (rules, told) = compile(text);
    let errors: Vec<_> = told.iter().filter(|t| !t.contains("warning: ")).collect();
    assert!(errors.is_empty(), "{errors:?}");
    rules
}

fn message(to: &str) -> Message {
    Message {
        id: DeliveryId::from_bytes([3; 16]),
        org: "acme".into(),
        event: None,
        to: PhoneNumber::parse(to, None),
        channel: Channel::Sms,
        code: None,
        text: None,
        locale: "en-us".to_owned(),
        request_type: "mfa-verification".to_owned(),
        user: Some("00u1".to_owned()),
        login: Some("ann@acme.com".to_owned()),
        ip: None,
        preview: false,
        resend: false,
        received_at: Moment(0),
        life_ms: 300_000,
    }
}

/// The rule, then the vendors in their order.
fn decided(rules: &Rules, message: &Message) -> String {
    match rules.decide(message, 0) {
        Decision::Plan(plan) => {
            let vendors: Vec<&str> = plan.steps.iter().map(|s| &*s.vendor).collect();
            format!("{}: {}", plan.rule, vendors.join(" "))
        }
        Decision::Denied { rule, why } => format!("{rule} denies: {why}"),
        Decision::NoRule => "no rule".to_owned(),
        Decision::NoChain { rule } => format!("{rule}: no chain"),
    }
}

const SG: &str = "+6591234567";
const US: &str = "+14155552671";

/// Whether a rule with this `when` takes a message.
fn takes(when: &str, message: &Message) -> bool {
    let text = format!(
        "[chains.x]\nvendors = [\"a\"]\n[[rule]]\nname = \"r\"\nwhen = {{ {when} }}\nchain = \"x\"\n"
    );
    decided(&rules(&text), message) == "r: a"
}

#[test]
fn every_condition_is_checked() {
    let yes = |when: &str| assert!(takes(when, &message(SG)), "{when}");
    let no = |when: &str| assert!(!takes(when, &message(SG)), "{when}");
    yes("country = [\"SG\", \"MY\"]");
    no("country = \"MY\"");
    yes("prefix = [\"+659\"]");
    no("prefix = \"+658\"");
    yes("number_type = \"mobile\"");
    no("number_type = [\"fixed_line\", \"voip\"]");
    yes("channel = \"sms\"");
    no("channel = [\"voice\"]");
    yes("request_type = \"mfa-verification\"");
    no("request_type = \"password-reset\"");
    yes("org = \"acme\"");
    no("org = \"umbrella\"");
    yes("locale = \"EN\"");
    yes("locale = \"en_US\"");
    no("locale = [\"e\", \"de\"]");
    yes("region = \"eu-west\"");
    no("region = \"us\"");
    yes("user = \"00u1\"");
    no("user = \"00u2\"");
    yes("login = \"*@acme.com\"");
    no("login = \"*@umbrella.com\"");
    yes("preview = false");
    no("preview = true");
    yes("country = \"SG\", channel = \"sms\", org = \"acme\"");
    no("country = \"SG\", channel = \"sms\", org = \"umbrella\"");
}

#[test]
fn groups_are_built_in_or_made_and_may_hold_groups() {
    let take = |groups: &str, name: &str, to: &str| {
        let text = format!(
            "{groups}\n[chains]\nx = {{ vendors = [\"a\"] }}\n[[rule]]\nname = \"r\"\nwhen = {{ country = [\"{name}\"] }}\nchain = \"x\"\n"
        );
        decided(&rules(&text), &message(to)) == "r: a"
    };
    assert!(take("", "EU", "+491512345678"));
    assert!(!take("", "EU", "+447400123456"));
    assert!(take("", "NANP", US));
    let groups = "[groups]\nall = [\"EU\", \"islands\"]\nislands = [\"GB\"]";
    assert!(take(groups, "all", "+447400123456"));
}

const TWO_RULES: &str = r#"
[chains.x]
vendors = [[{ vendor = "a", weight = 30 }, { vendor = "b", weight = 70 }], "c"]
[chains.y]
vendors = ["b", "eu"]
[[rule]]
name = "no premium"
when = { number_type = ["premium_rate"] }
deny = "number type"
[[rule]]
name = "sg"
when = { country = ["SG"] }
chain = "x"
[[rule]]
name = "in the eu"
when = { country = ["DE"] }
chain = "y"
require = { data_region = "eu" }
[[rule]]
name = "calls"
when = { channel = "voice" }
chain = "y"
"#;

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = rules(TWO_RULES);
    assert_eq!(
        decided(&rules, &message("+19002345678")),
        "no premium denies: number type"
    );
    assert_eq!(decided(&rules, &message("+491512345678")), "in the eu: eu");
    assert_eq!(decided(&rules, &message(US)), "no rule");
    let call = Message {
        channel: Channel::Voice,
        ..message(SG)
    };
    assert!(["sg: a b", "sg: b a"].contains(&&*decided(&rules, &call)));
}

#[test]
fn a_weighted_choice_keeps_its_weights_and_repeats_itself() {
    let rules = rules(TWO_RULES);
    let mut first_is_b = 0;
    for n in 0..10_000_u64 {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        let message = Message {
            id: DeliveryId::from_bytes(bytes),
            ..message(SG)
        };
        let order = decided(&rules, &message);
        assert_eq!(order, decided(&rules, &message));
        assert!(["sg: a b c", "sg: b a c"].contains(&&*order), "{order}");
        first_is_b += usize::from(order == "sg: b a c");
    }
    assert!((6_800..7_200).contains(&first_is_b), "{first_is_b}");
}

#[test]
fn a_choice_by_recipient_does_not_depend_on_the_delivery() {
    let text = TWO_RULES.replacen("[chains.y]", "sticky = \"recipient\"\n[chains.y]", 1);
    let rules = rules(&text);
    let order = |delivery: u8, recipient: u64| {
        let message = Message {
            id: DeliveryId::from_bytes([delivery; 16]),
            ..message(SG)
        };
        match rules.decide(&message, recipient) {
            Decision::Plan(plan) => plan.steps[0].vendor.clone(),
            other => panic!("{other:?}"),
        }
    };
    for recipient in 0..50 {
        assert_eq!(order(1, recipient), order(2, recipient));
    }
    let different = (0..50).filter(|r| order(1, *r) != order(1, 0)).count();
    assert!(different > 5, "{different}");
}

#[test]
fn an_explanation_is_in_canonical_order_and_says_why_others_did_not_match() {
    let explanation = rules(TWO_RULES).explain(&message(SG));
    let Decision::Plan(plan) = &explanation.decision else {
        panic!("{explanation:?}");
    };
    let vendors: Vec<&str> = plan.steps.iter().map(|s| &*s.vendor).collect();
    assert_eq!(vendors, ["b", "a", "c"]);
    assert_eq!(explanation.shares, [70, 30, 100]);
    assert_eq!(explanation.place.as_deref(), Some("r.toml:10"));
    let why: Vec<&str> = explanation.passed.iter().map(|p| p.why.as_str()).collect();
    assert_eq!(why, ["number_type is mobile"]);
}

#[test]
fn the_most_specific_sender_wins_and_an_entry_may_name_its_own() {
    let text = r#"
[chains.x]
vendors = ["a", { vendor = "b", sender = "named" }, "c"]
[[rule]]
name = "r"
chain = "x"
[[sender]]
name = "for all of a"
vendor = "a"
from = "A"
[[sender]]
name = "for a in sg"
vendor = "a"
country = ["SG"]
from = "ASG"
[[sender]]
name = "named"
from = "N"
country = ["GB"]
"#;
    let rules = rules(text);
    let senders = |to: &str| match rules.decide(&message(to), 0) {
        Decision::Plan(plan) => plan
            .steps
            .iter()
            .map(|s| s.from.as_deref().unwrap_or("none").to_owned())
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(senders(SG), ["ASG", "N", "from-c"]);
    assert_eq!(senders(US), ["A", "N", "from-c"]);
    assert_eq!(senders("+447400123456"), ["N", "N", "N"]);
}

#[test]
fn switches_hold_for_their_vendor_country_and_time() {
    let text = r#"
chains = { x = { vendors = ["a", "b"] } }
rule = [{ name = "r", chain = "x" }]
[switches]
off = [
  { vendor = "a", reason = "INC-1" },
  { vendor = "b", country = ["SG"], until = "2026-01-01T00:00:00Z", reason = "INC-2" },
]
"#;
    let rules = rules(text);
    let (sg, us) = (Country::parse("SG").unwrap(), Country::parse("US").unwrap());
    let until = Moment::from_rfc3339("2026-01-01T00:00:00Z").unwrap();
    assert_eq!(rules.off("a", us, until), Some("INC-1"));
    assert_eq!(rules.off("b", sg, until.plus_ms(-1)), Some("INC-2"));
    assert_eq!(rules.off("b", sg, until), None);
    assert_eq!(rules.off("b", us, Moment(0)), None);
}

#[test]
fn without_a_list_the_countries_that_rules_name_are_allowed() {
    let rules = rules(TWO_RULES);
    let allows = |c: &str| rules.guard().allows(Country::parse(c).unwrap());
    assert!(allows("SG") && allows("DE") && !allows("US"));
    let star = format!("{TWO_RULES}\n[guard]\nallow_countries = [\"*\"]\n");
    assert!(
        self::rules(&star)
            .guard()
            .allows(Country::parse("US").unwrap())
    );
}

#[test]
fn the_version_is_a_function_of_the_texts() {
    let one = rules(TWO_RULES);
    assert_eq!(one.version(), rules(TWO_RULES).version());
    assert_ne!(one.version(), rules(&format!("{TWO_RULES}\n")).version());
}

#[test]
fn the_shipped_rules_have_no_problem() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing-rules");
    let mut files: Vec<Source> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Source::new(name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let names = ["twilio", "vonage", "telnyx", "infobip"];
    let fleet = Fleet {
        vendors: names.iter().map(|n| vendor(n, &Channel::ALL)).collect(),
        definitions: Vec::new(),
    };
    let (rules, told) = compile_with(&files, &fleet);
    assert_eq!(told, Vec::<String>::new());
    let singapore = decided(&rules, &message(SG));
    assert_eq!(singapore, "singapore: twilio vonage telnyx infobip");
}
