//! Which rule a message meets and what plan comes of it.

mod analysed_texts;
mod analysis;
mod chains;
mod comparison;
mod languages;
mod lookup;
mod problems;
mod senders;
mod shipped;
mod templates;

use std::cell::RefCell;

use super::*;
use crate::flow::{DeliveryId, Secret};
use crate::number::PhoneNumber;

/// The accounts that the shipped rules are made for.
const SHIPPED_FOR: [&str; 4] = ["twilio", "vonage", "telnyx", "infobip"];

const SINGAPORE: &str = "+6581234567";
const FRANCE: &str = "+33612345678";
const UNITED_STATES: &str = "+12015550123";

/// Vendors `one` to `four` carry both channels, `text` only messages; `ghost` has no account.
fn fleet() -> Fleet {
    let vendor = |name: &str, data_region: Option<&str>, channels: &[Channel]| FleetVendor {
        name: name.into(),
        from: Some(format!("+{name}").into()),
        data_region: data_region.map(Arc::from),
        channels: channels.to_vec(),
        needs_sender: Vec::new(),
        speaks: None,
        rate: None,
        quota: None,
        stand_in: false,
    };
    Fleet {
        vendors: vec![
            vendor("one", Some("eu"), &Channel::ALL),
            vendor("two", None, &Channel::ALL),
            vendor("three", Some("eu"), &Channel::ALL),
            vendor("four", Some("us"), &Channel::ALL),
            vendor("text", None, &[Channel::Sms]),
        ],
        definitions: vec!["ghost".to_owned(), "one".to_owned()],
        orgs: ["acme", "other", "third"]
            .map(|name| {
                (
                    name.into(),
                    if name == "acme" {
                        "Acme".into()
                    } else {
                        name.into()
                    },
                )
            })
            .to_vec(),
    }
}

/// The rules, and everything told about them but the vendors that are in no chain.
fn compile(files: &[(&str, &str)]) -> (Rules, Vec<String>) {
    let files: Vec<Source> = files
        .iter()
        .map(|(name, text)| Source::new(*name, *text))
        .collect();
    let problems = RefCell::new(Problems::default());
    let rules = Rules::compile(&files, &fleet(), "here", Moment(0), &problems);
    let told = problems.borrow();
    let told = told.sorted().into_iter().map(|p| p.to_string());
    let told = told.filter(|text| !text.ends_with("is in no chain"));
    (rules, told.collect())
}

/// Rules that nothing is wrong with.
#[track_caller]
fn rules(text: &str) -> Rules {
    let (rules, told) = compile(&[("r.toml", text)]);
    assert_eq!(told, Vec::<String>::new());
    rules
}

fn message(to: &str) -> Message {
    Message {
        id: DeliveryId::from_bytes([7; 16]),
        org: "acme".into(),
        event: None,
        to: PhoneNumber::parse(to, None),
        channel: Channel::Sms,
        code: Some(Secret::new("123456")),
        text: Some(Secret::new("Your code is 123456")),
        locale: "en-us".to_owned(),
        request_type: "mfa-verification".to_owned(),
        user: Some("00u1".to_owned()),
        login: Some("Ann@Example.com".to_owned()),
        ip: None,
        preview: false,
        resend: false,
        received_at: Moment(0),
        life_ms: 300_000,
    }
}

#[track_caller]
fn plan(decision: Decision) -> Plan {
    match decision {
        Decision::Plan(plan) => plan,
        other => panic!("no plan but {other:?}"),
    }
}

/// The canonical vendors, separated by spaces.
#[track_caller]
fn vendors(rules: &Rules, message: &Message) -> String {
    let plan = plan(rules.explain(message).decision);
    let names: Vec<&str> = plan.steps.iter().map(|s| &*s.vendor).collect();
    names.join(" ")
}

/// One rule with the condition, and one that takes what it leaves.
fn conditional(when: &str) -> Rules {
    rules(&format!(
        "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [\"one\"]\n\
         [[rule]]\nname = \"first\"\nwhen = {{ {when} }}\nchain = \"c\"\n\
         [[rule]]\nname = \"rest\"\ndeny = \"no\"\n"
    ))
}

/// Whether the condition holds for a message changed from the usual one to Singapore.
#[track_caller]
fn check(when: &str, change: impl FnOnce(&mut Message), holds: bool) {
    let mut message = message(SINGAPORE);
    change(&mut message);
    let decision = conditional(when).decide(&message, 0);
    assert_eq!(matches!(decision, Decision::Plan(_)), holds, "{when}");
}

fn to(number: &'static str) -> impl FnOnce(&mut Message) {
    move |message| message.to = PhoneNumber::parse(number, None)
}

#[test]
fn countries_are_told_by_code_and_by_group() {
    check("country = \"SG\"", |_| {}, true);
    check("country = [\"MY\", \"sg\"]", |_| {}, true);
    check("country = \"SG\"", to(FRANCE), false);
    check("group = \"EU\"", to(FRANCE), true);
    check("country = \"EU\"", |_| {}, false);
    check("country = \"EEA\"", to("+4740612345"), true);
    check("country = \"EU\"", to("+4740612345"), false);
    check("country = \"NANP\"", to("+18762101234"), true);
    check("country = \"SG\", group = \"EU\"", |_| {}, false);
}

#[test]
fn a_prefix_is_one_of_digits() {
    check("prefix = \"+6581\"", |_| {}, true);
    check("prefix = [\"+6591\", \"+33\"]", |_| {}, false);
}

#[test]
fn number_types_are_libphonenumbers() {
    check("number_type = \"mobile\"", |_| {}, true);
    check("number_type = \"mobile\"", to(UNITED_STATES), false);
    let either = "number_type = \"fixed_line_or_mobile\"";
    check(either, to(UNITED_STATES), true);
}

#[test]
fn the_channel_is_the_messages() {
    check("channel = \"sms\"", |_| {}, true);
    check("channel = \"voice\"", |_| {}, false);
    check(
        "channel = [\"sms\", \"voice\"]",
        |m| m.channel = Channel::Voice,
        true,
    );
}

#[test]
fn the_request_type_may_be_written_whole() {
    check("request_type = \"mfa-verification\"", |_| {}, true);
    let whole = "request_type = \"com.okta.user.telephony.mfa-verification\"";
    check(whole, |_| {}, true);
    check("request_type = \"account-unlock\"", |_| {}, false);
}

#[test]
fn org_and_user_are_exact() {
    check("org = \"acme\"", |_| {}, true);
    check("org = \"other\"", |_| {}, false);
    check("user = [\"00u1\"]", |_| {}, true);
    check("user = \"00u1\"", |m| m.user = None, false);
}

#[test]
fn a_language_matches_all_of_its_locales() {
    check("locale = \"en\"", |_| {}, true);
    check("locale = \"EN_us\"", |_| {}, true);
    check("locale = \"en-gb\"", |_| {}, false);
    check("locale = \"e\"", |_| {}, false);
    check("locale = \"en-us\"", |m| m.locale = "en".to_owned(), false);
}

#[test]
fn a_login_is_whole_or_ends_with_its_domain() {
    check("login = \"ann@example.com\"", |_| {}, true);
    check("login = \"*@EXAMPLE.com\"", |_| {}, true);
    check("login = \"*@example.org\"", |_| {}, false);
    check("login = \"@example.com\"", |_| {}, false);
    check("login = \"*@example.com\"", |m| m.login = None, false);
}

#[test]
fn the_region_is_this_instances_label() {
    check("region = \"here\"", |_| {}, true);
    check("region = \"there\"", |_| {}, false);
}

#[test]
fn previews_are_told_apart() {
    check("preview = true", |_| {}, false);
    check("preview = true", |m| m.preview = true, true);
    check("preview = false", |_| {}, true);
}

#[test]
fn all_conditions_must_hold() {
    check("country = \"SG\", org = \"acme\"", |_| {}, true);
    check("country = \"SG\", org = \"other\"", |_| {}, false);
}

#[test]
fn a_denial_says_why() {
    let denied = conditional("country = \"FR\"").decide(&message(SINGAPORE), 0);
    let expected = Decision::Denied {
        rule: "rest".into(),
        why: "no".into(),
    };
    assert_eq!(denied, expected);
}

#[test]
fn what_no_rule_matches_and_what_is_no_number_has_no_rule() {
    let rules = rules(
        "[chains.c]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"FR\" }\nchain = \"c\"",
    );
    assert_eq!(rules.decide(&message(SINGAPORE), 0), Decision::NoRule);
    let unreadable = rules.explain(&message("hello"));
    assert_eq!(unreadable.decision, Decision::NoRule);
    assert_eq!(unreadable.missed, []);
}

#[test]
fn groups_may_hold_groups() {
    let text = "[groups]\nwide = [\"narrow\", \"EU\"]\nnarrow = [\"SG\"]\n\
        [chains.c]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"wide\" }\nchain = \"c\"";
    let rules = rules(text);
    assert_eq!(vendors(&rules, &message(SINGAPORE)), "one");
    assert_eq!(vendors(&rules, &message(FRANCE)), "one");
    assert_eq!(rules.countries().len(), 28);
}

#[test]
fn explaining_tells_why_the_earlier_rules_did_not_match() {
    let text = "[chains.c]\nvendors = [\"one\"]\n\
        [[rule]]\nname = \"a\"\nwhen = { country = [\"FR\", \"DE\"] }\nchain = \"c\"\n\
        [[rule]]\nname = \"b\"\nwhen = { country = \"SG\", channel = \"voice\" }\nchain = \"c\"\n\
        [[rule]]\nname = \"d\"\nwhen = { prefix = \"+1\" }\nchain = \"c\"\n\
        [[rule]]\nname = \"e\"\nwhen = { country = \"SG\" }\nchain = \"c\"\n\
        [[rule]]\nname = \"f\"\nchain = \"c\"";
    let explanation = rules(text).explain(&message(SINGAPORE));
    assert_eq!(&*plan(explanation.decision).rule, "e");
    assert_eq!(explanation.place.as_deref(), Some("r.toml:15"));
    let missed: Vec<String> = explanation
        .missed
        .iter()
        .map(|m| format!("{} {} {}: {}", m.rule, m.place, m.condition, m.why))
        .collect();
    let expected = [
        "a r.toml:3 country: country is SG, not DE or FR",
        "b r.toml:7 channel: channel is sms, not voice",
        "d r.toml:11 prefix: prefix is not +1",
    ];
    assert_eq!(missed, expected);
}

#[test]
fn an_explanation_shows_neither_user_nor_login_nor_number() {
    let text = "[chains.c]\nvendors = [\"one\"]\n[guard]\nallow_countries = \"*\"\n\
        [[rule]]\nname = \"a\"\nwhen = { user = \"00u2\" }\nchain = \"c\"\n\
        [[rule]]\nname = \"b\"\nwhen = { login = \"x@y.z\" }\nchain = \"c\"\n\
        [[rule]]\nname = \"d\"\nwhen = { prefix = \"+1\" }\nchain = \"c\"";
    let shown = format!("{:?}", rules(text).explain(&message(SINGAPORE)));
    for secret in ["00u1", "Ann@", "ann@", "81234567"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn switches_unite_end_and_keep_to_their_countries() {
    let one = "[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"SG\" }\nchain = \"c\"\n\
        [switches]\noff = [ { vendor = \"one\", country = \"SG\", until = \"1970-01-01T00:00:01Z\", reason = \"A\" } ]";
    let two = "[switches]\noff = [ { vendor = \"two\" }, { vendor = \"one\", country = [\"EU\"], until = 1970-01-01T00:00:02Z, reason = \"B\" } ]";
    let (rules, told) = compile(&[("1.toml", one), ("2.toml", two)]);
    assert_eq!(told, Vec::<String>::new());
    let country = |code| Country::parse(code).unwrap();
    assert_eq!(rules.off("one", country("SG"), Moment(999)), Some("A"));
    assert_eq!(rules.off("one", country("SG"), Moment(1_000)), None);
    assert_eq!(rules.off("one", country("FR"), Moment(1_999)), Some("B"));
    assert_eq!(rules.off("one", country("US"), Moment(0)), None);
    let forever = Moment(i64::MAX);
    assert_eq!(
        rules.off("two", country("US"), forever),
        Some("switched off")
    );
    assert_eq!(rules.off("three", country("US"), Moment(0)), None);
}

#[test]
fn the_guard_lets_in_what_rules_name_unless_it_says_otherwise() {
    let text = "[chains.c]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nwhen = { country = [\"SG\"] }\nchain = \"c\"\n\
        [[rule]]\nname = \"no\"\nwhen = { country = \"FR\" }\ndeny = \"no\"\n";
    let country = |code| Country::parse(code).unwrap();
    let named = rules(text);
    assert!(named.guard().allows(country("SG")));
    assert!(!named.guard().allows(country("FR")), "named to be denied");
    assert_eq!(named.countries(), [country("FR"), country("SG")]);
    assert_eq!(named.guard().per_number.count, 10);
    let listed = rules(&format!(
        "{text}[guard]\nallow_countries = [\"NANP\"]\nper_number = \"3/h\""
    ));
    assert!(listed.guard().allows(country("JM")) && !listed.guard().allows(country("SG")));
    assert_eq!(listed.guard().per_number.per_ms, 3_600_000);
    let every = rules(&format!("{text}[guard]\nallow_countries = [\"*\"]"));
    assert!(every.guard().allows(Country::NONE));
}

#[test]
fn the_version_changes_with_any_name_or_text() {
    let version = |files: &[(&str, &str)]| compile(files).0.version().to_string();
    let first = version(&[("a", "x=1"), ("b", "")]);
    assert_eq!(first.len(), 12);
    assert!(first.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(first, version(&[("a", "x=1"), ("b", "")]));
    for other in [
        [("a", "x=1"), ("c", "")],
        [("a", "x=1 "), ("b", "")],
        [("a", ""), ("x=1b", "")],
    ] {
        assert_ne!(first, version(&other));
    }
}

#[test]
fn what_is_used_can_be_asked() {
    let rules = rules(
        "[chains.c]\nvendors = [\"two\", \"one\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"SG\" }\nchain = \"c\"",
    );
    let used: Vec<&str> = rules.vendors_used().iter().map(|v| &**v).collect();
    assert_eq!(used, ["one", "two"]);
    let names: Vec<&str> = rules.rule_names().map(|n| &**n).collect();
    assert_eq!(names, ["a"]);
}
