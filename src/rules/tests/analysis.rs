//! What `check` warns of in rules that can be used.

use super::*;

/// `2026-11-25T00:00:00Z`.
const NOW: Moment = Moment(1_795_564_800_000);
/// A chain of two, and a rule for texts to Singapore: nothing to warn of.
const GOOD: &str = "[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"c\"\n";

/// The usual fleet without senders, with rates of 30 and 20 a second and an org.
fn fleet_of_two() -> Fleet {
    let mut fleet = fleet();
    fleet.vendors.truncate(2);
    for (vendor, rate) in fleet.vendors.iter_mut().zip(["30/s", "20/s"]) {
        vendor.from = None;
        vendor.rate = Rate::parse(rate);
    }
    fleet.orgs = vec![("acme".into(), "ACME Corp".into())];
    fleet
}

fn analysed(text: &str, fleet: &Fleet, own: &[OwnSender]) -> Vec<String> {
    let files = [Source::new("r", text)];
    let compiled = RefCell::<Problems>::default();
    let rules = Rules::compile(&files, fleet, "here", NOW, &compiled);
    let compiled = compiled.take();
    assert!(!compiled.has_errors(), "{compiled:?}");
    let problems = RefCell::<Problems>::default();
    rules.analyse(&files, fleet, own, NOW, &problems);
    let problems = problems.take();
    problems.sorted().iter().map(|p| p.to_string()).collect()
}

/// Checks the warnings, each as `line:column: message`, without hints.
#[track_caller]
fn warns(text: &str, expected: &[&str]) {
    let told = analysed(text, &fleet_of_two(), &[]);
    let told: Vec<String> = told
        .iter()
        .map(|t| t.strip_prefix("r:").unwrap_or(t).replace("warning: ", ""))
        .map(|t| t.split("\n  hint: ").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(told, expected, "\n{text}");
}

/// Checks what is warned of text that follows good rules, which end with line 6.
#[track_caller]
fn after(text: &str, expected: &[&str]) {
    warns(&format!("{GOOD}{text}"), expected);
}

/// The good rules for other countries, and more text from line 7 on.
#[track_caller]
fn for_countries(countries: &str, text: &str, expected: &[&str]) {
    let good = GOOD.replace("\"SG\"", countries);
    warns(&format!("{good}{text}"), expected);
}

#[test]
fn good_rules_are_warned_of_nothing() {
    after("", &[]);
}

#[test]
fn a_rule_that_several_earlier_ones_leave_nothing_can_never_match() {
    let more =
        "[[rule]]\nname = \"b\"\nwhen = { country = \"MY\", channel = \"sms\" }\nchain = \"c\"\n";
    let both = "[[rule]]\nname = \"both\"\nwhen = { country = [\"MY\", \"SG\"], channel = \"sms\" }\nchain = \"c\"\n";
    let expected =
        "12:8: rule `both` can never match: `a` and `b` together match all that it would";
    after(&[more, both].concat(), &[expected]);
    let wider = both.replace(", channel = \"sms\"", "");
    after(&[more, &wider].concat(), &[]);
    let types = |name, types: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\nwhen = {{ number_type = [{types}] }}\ndeny = \"no\"\n"
        )
    };
    let all: Vec<String> = crate::number::NumberType::ALL
        .iter()
        .map(|t| format!("\"{}\"", t.as_str()))
        .collect();
    let two = types("x", &all[..6].join(",")) + &types("y", &all[6..].join(","));
    let last = "[[rule]]\nname = \"last\"\nwhen = { country = \"SG\" }\ndeny = \"no\"\n";
    let expected =
        "16:8: rule `last` can never match: `a`, `x` and `y` together match all that it would";
    let text = two + last;
    after(&text, &[expected]);
}

#[test]
fn a_rule_that_contradicts_itself_can_never_match() {
    let text = "[[rule]]\nname = \"b\"\nwhen = { country = \"SG\", prefix = [\"+33\", \"+44\"] }\ndeny = \"no\"\n";
    let expected =
        "8:8: rule `b` can never match: no number of its `country` begins with its `prefix`";
    after(text, &[expected]);
    after(&text.replace("+44", "+659"), &[]);
    let text =
        "[[rule]]\nname = \"b\"\nwhen = { country = \"SG\", group = \"EU\" }\ndeny = \"no\"\n";
    let expected = "8:8: rule `b` can never match: no country is in both `country` and `group`";
    after(text, &[expected]);
}

#[test]
fn vendors_senders_templates_and_quotas_that_nothing_leads_to_are_told() {
    let chains = GOOD.replace("\"two\"]", "{ vendor = \"two\", channel = \"voice\" }]");
    let expected = [
        "1:9: chain `c` has one vendor only by sms for SG: `one`",
        "2:30: vendor `two` is in a chain, and no message gets to it",
    ];
    warns(&chains, &expected);
    let text = "[[sender]]\nname = \"my\"\ncountry = \"MY\"\nfrom = \"+6512345678\"\n\
        [[template]]\nname = \"t\"\ncountry = \"MY\"\ntext = \"{code}\"\n\
        [quota.q]\nlimit = \"5/day\"\n";
    let expected = [
        "7:1: no message comes from sender `my`",
        "12:8: no message meets template `t`",
        "15:8: nothing names quota `q`",
    ];
    after(text, &expected);
    let used = "[[sender]]\nname = \"s\"\norg = \"acme\"\nfrom = \"+6512345678\"\nregistered = true\n\
        [[template]]\nlocale = \"fr\"\nrequest_type = \"x\"\ntext = \"{code}\"\n";
    after(used, &[]);
}

#[test]
fn countries_with_one_vendor_or_none_are_told_once_for_each_chain() {
    let one = GOOD
        .replace("\"one\", \"two\"", "\"one\"")
        .replace("\"SG\"", "[\"SG\", \"MY\"]");
    warns(
        &one,
        &["1:9: chain `c` has one vendor only by sms for MY and SG: `one`"],
    );
    let text = "[guard]\nallow_countries = [\"SG\", \"MY\", \"BN\"]\n";
    after(text, &["no rule sends by sms to BN and MY"]);
    let denied =
        "[[rule]]\nname = \"no\"\ndeny = \"no\"\n[guard]\nallow_countries = [\"SG\", \"MY\"]";
    after(denied, &[]);
    let text = "[[rule]]\nname = \"eu\"\nwhen = { country = \"MY\", channel = \"sms\" }\nchain = \"c\"\nrequire = { data_region = \"eu\" }\n";
    after(
        text,
        &["1:9: chain `c` has one vendor only by sms for MY: `one`"],
    );
}

#[test]
fn what_is_over_is_told() {
    after(
        "[[rule]]\nname = \"b\"\nwhen = { country = \"SG\", channel = \"voice\" }\nchain = \"c\"\nvalid_to = \"2026-11-24\"\n\
         [switches]\noff = [{ vendor = \"one\", country = \"BR\", until = \"2026-11-24T12:00:00Z\" }]\n",
        &[
            "11:12: rule `b` ended with 2026-11-24",
            "13:19: this switch ended at 2026-11-24T12:00:00.000Z",
        ],
    );
}

#[test]
fn what_ends_soon_is_told_with_what_is_lost_then() {
    let rule =
        |valid_to: &str| GOOD.replace("chain = ", &format!("valid_to = {valid_to}\nchain = "));
    let lost =
        "6:12: rule `a` ends with 2027-01-20, in 57 days: from then on nothing is sent to SG";
    warns(&rule("2027-01-20"), &[lost]);
    warns(&rule("2027-01-25"), &[]);
    let next =
        "[[rule]]\nname = \"b\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"c\"\n";
    warns(
        &(rule("2027-01-20") + next),
        &["6:12: rule `a` ends with 2027-01-20, in 57 days"],
    );
    let senders = "[[registration]]\ncountry = \"SG\"\n\
        [[sender]]\nname = \"s1\"\nvendor = \"one\"\ncountry = \"SG\"\nfrom = \"ACME\"\nregistered = true\nvalid_to = 2026-12-31\n\
        [[sender]]\nname = \"s2\"\nvendor = \"two\"\ncountry = \"SG\"\nfrom = \"ACME\"\nregistered = true\n";
    let out =
        "15:12: sender `s1` ends with 2026-12-31, in 37 days: from then on `one` is out in SG";
    after(senders, &[out]);
    let template = "[[template]]\nname = \"t\"\ntext = \"{code}\"\nvalid_to = 2026-12-31\n";
    let told = analysed(&format!("{GOOD}{template}"), &fleet_of_two(), &[]);
    let expected = "r:10:12: warning: template `t` ends with 2026-12-31, in 37 days\n  hint: then Okta's own text takes over";
    assert_eq!(told, [expected]);
}

#[test]
fn a_register_that_begins_soon_is_told_where_nobody_is_ready() {
    let register = "[[registration]]\ncountry = \"SG\"\nvalid_from = \"2026-12-24\"\n";
    let expected = "8:11: senders must be registered here from 2026-12-24 on: from then on nothing is sent to SG";
    after(register, &[expected]);
    let ready = "[[sender]]\nfrom = \"ACME\"\ncountry = \"SG\"\nregistered = true\n";
    after(&[register, ready].concat(), &[]);
}

#[test]
fn examples_are_tried_again_on_the_days_ahead() {
    let rule = GOOD.replace("chain = ", "valid_to = \"2026-12-31\"\nchain = ");
    let next =
        "[[rule]]\nname = \"b\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"c\"\n";
    let expect = "[[expect]]\nto = \"+6581234567\"\nrule = \"a\"\n";
    let text = rule + next + expect;
    let ends = "6:12: rule `a` ends with 2026-12-31, in 37 days";
    let broken = "14:8: from 2027-01-01 on this no longer holds: expected rule `a`, got `b`";
    warns(&text, &[ends, broken]);
    warns(&(text + "at = \"2026-12-01\"\n"), &[ends]);
}

#[test]
fn what_is_left_of_a_chain_is_held_against_what_is_expected() {
    after("[capacity]\nSG = \"20/s\"\n", &[]);
    after(
        "[capacity]\nSG = \"25/s\"\n",
        &["8:1: if `one` is gone, 20/s are left of the 25/s that SG expects"],
    );
    after(
        "[capacity]\nSG = \"2100/m\"\n",
        &[
            "8:1: if `one` is gone, 20/s are left of the 35/s that SG expects",
            "8:1: if `two` is gone, 30/s are left of the 35/s that SG expects",
        ],
    );
    after(
        "[capacity]\nSG = \"51/s\"\n",
        &["8:1: all vendors of SG together take 50/s of the 51/s that are expected"],
    );
    after(
        "[capacity]\nMY = \"1/s\"\n",
        &["8:1: nothing is sent to MY"],
    );
    let mut fleet = fleet_of_two();
    fleet.vendors[1].rate = None;
    let text = format!("{GOOD}[capacity]\nSG = \"100/s\"\n");
    let told = analysed(&text, &fleet, &[]);
    assert_eq!(
        told.len(),
        1,
        "only the one without a rate takes all: {told:?}"
    );
    assert!(
        told[0].contains("if `two` is gone, 30/s are left"),
        "{told:?}"
    );
}

#[test]
fn names_are_held_against_what_countries_want() {
    let name = "[[sender]]\nname = \"n\"\nfrom = \"ACME\"\n";
    let of = |message: &str| format!("9:8: name `n` {message}");
    let blocked = of("is not registered, and such names are blocked in SG (2023-01-31)");
    for_countries("[\"SG\", \"DE\"]", name, &[&blocked]);
    for_countries(
        "[\"SG\", \"DE\"]",
        &format!("{name}registered = true\n"),
        &[],
    );
    let anyhow = of("is not registered, as names must be in NG and SA");
    for_countries("[\"SA\", \"NG\"]", name, &[&anyhow]);
    let replaced = of("is replaced by a number, or refused, in BE and KR");
    for_countries("[\"BE\", \"KR\"]", name, &[&replaced]);
    let fleet = fleet_of_two();
    let text = format!("{}{name}", GOOD.replace("\"SG\"", "\"GH\""));
    let files = [Source::new("r", &*text)];
    let problems = RefCell::<Problems>::default();
    let early = Moment::from_rfc3339("2026-07-01T00:00:00Z").unwrap();
    let rules = Rules::compile(&files, &fleet, "here", early, &problems);
    rules.analyse(&files, &fleet, &[], early, &problems);
    let told = problems.take();
    let told = told.sorted().first().map(|p| p.message.clone());
    let will = "name `n` is not registered, and such names will be blocked in GH (2026-07-08)";
    assert_eq!(told.as_deref(), Some(will));
}

#[test]
fn numbers_are_held_against_what_countries_want() {
    let number = "[[sender]]\nname = \"n\"\nfrom = \"+12025550123\"\n";
    let plain =
        "9:8: `n` is a plain number in US, where operators block numbers that are not registered";
    for_countries("[\"US\", \"CA\"]", number, &[plain]);
    let known = format!("{number}kind = \"10dlc\"\n");
    for_countries("[\"US\", \"CA\"]", &known, &[]);
    let replaced = "9:8: number `n` is replaced or refused in AE and KZ";
    for_countries("[\"AE\", \"KZ\", \"DE\"]", number, &[replaced]);
}

#[test]
fn an_accounts_own_sender_is_told_where_the_account_is_written() {
    let mut fleet = fleet_of_two();
    fleet.vendors[0].from = Some("ACME".into());
    let config = Source::new("trunkline.toml", "[vendors.one]\nfrom = \"ACME\"\n");
    let own = OwnSender {
        vendor: "one".into(),
        place: (config, 9..12),
    };
    let told = analysed(GOOD, &fleet, &[own]);
    let expected = "trunkline.toml:1:10: warning: name `ACME` of account `one` is not registered, and such names are blocked in SG (2023-01-31)";
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with(expected), "{told:?}");
    assert_eq!(
        analysed(GOOD, &fleet, &[]),
        [""; 0],
        "a simulator's own is nobody's"
    );
}

#[test]
fn a_template_for_what_only_one_rule_leads_to_is_met() {
    let rules = "[chains.d]\nvendors = [\"three\", \"four\"]\n\
        [[rule]]\nname = \"r\"\nwhen = { country = \"MY\", org = \"acme\", channel = \"sms\" }\nchain = \"d\"\n\
        [[rule]]\nname = \"rest\"\nwhen = { country = \"MY\", channel = \"sms\" }\nchain = \"c\"\n\
        [[template]]\nname = \"t\"\nlocale = \"fr\"\nvendor = [\"three\", \"four\"]\ntext = \"{code} it is\"\n\
        [[sender]]\nname = \"s\"\nvendor = \"three\"\ncountry = \"MY\"\nfrom = \"+60312345678\"\n";
    let text = format!("{GOOD}{rules}");
    let mut fleet = fleet();
    fleet.vendors.truncate(4);
    for vendor in &mut fleet.vendors {
        vendor.from = None;
    }
    assert_eq!(analysed(&text, &fleet, &[]), [""; 0]);
}

#[test]
fn what_is_not_looked_at_is_told_and_nothing_is_guessed_of_it() {
    let axis = |key: &str| -> String {
        let rules = (0..17).map(|i| format!("[[rule]]\nname = \"{key}{i}\"\nwhen = {{ {key} = \"{key}{i}\", channel = \"sms\" }}\nchain = \"c\"\n"));
        rules.collect()
    };
    let never = "[[template]]\nname = \"t\"\ncountry = \"MY\"\ntext = \"{code}\"\n";
    let many = [&axis("locale"), &axis("user"), &axis("request_type"), never].concat();
    for_countries(
        "\"SG\", org = \"acme\"",
        &many,
        &["the rules tell more apart than is looked at: not all is known of them"],
    );
    after(never, &["8:8: no message meets template `t`"]);
}

#[test]
fn a_country_that_max_parts_shuts_out_is_a_mistake() {
    let long = "x".repeat(170);
    let rules = "[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nwhen = { country = [\"SG\", \"FR\"], channel = \"sms\" }\nchain = \"c\"\nmax_parts = 1\n";
    let template = format!("[[template]]\ncountry = \"SG\"\ntext = \"{{code}} {long}\"\n");
    let error = "4:8: error: every text to SG takes too many parts for rule `a`: all are denied";
    warns(&[rules, &template].concat(), &[error]);
    let german = template.replace("country = \"SG\"", "country = \"SG\"\nlocale = \"de\"");
    let told = analysed(&[rules, &german].concat(), &fleet_of_two(), &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("warning: texts to SG (locale de) take too many parts"),
        "{told:?}"
    );
}

#[test]
fn a_catch_all_behind_a_list_of_allowed_countries_is_not_shadowed() {
    let text = "[guard]\nallow_countries = [\"SG\", \"FR\"]\n[chains.c]\nvendors = [\"one\", \"two\"]\n\
        [[rule]]\nname = \"a\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"c\"\n\
        [[rule]]\nname = \"rest\"\nwhen = { channel = \"sms\" }\nchain = \"c\"\n";
    warns(text, &[]);
}
