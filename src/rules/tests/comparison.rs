//! What a draft is said to change.

use super::*;
use crate::rules::{Change, Comparison, Difference};

/// A chain, and a rule for Singapore and Malaysia.
const LIVE: &str = "[chains.c]\nvendors = [\"one\", \"two\"]\n[chains.d]\nvendors = [\"two\", \"one\"]\n\
    [[rule]]\nname = \"a\"\nwhen = { country = [\"SG\", \"MY\"], channel = \"sms\" }\nchain = \"c\"\n\
    [[rule]]\nname = \"v\"\nwhen = { country = [\"SG\"], channel = \"voice\" }\nchain = \"d\"\n";

fn compared(live: &str, draft: &str) -> Comparison {
    let compile = |text: &str| {
        let files = [Source::new("r", text)];
        let problems = RefCell::<Problems>::default();
        let rules = Rules::compile(&files, &fleet(), "here", Moment(0), &problems);
        let problems = problems.take();
        assert!(!problems.has_errors(), "{problems:?}");
        rules
    };
    compile(draft).compare(&compile(live), &["acme".into()], Moment(0))
}

fn in_words(differences: &[Difference]) -> String {
    let words: Vec<String> = differences
        .iter()
        .map(|d| format!("{} {} -> {}", d.what, d.before, d.after))
        .collect();
    words.join("; ")
}

fn line(change: &Change) -> String {
    let countries: Vec<&str> = change.countries.iter().map(Country::as_str).collect();
    let only = change.only.as_ref();
    let only = only.map_or(String::new(), |only| format!(" ({only})"));
    let loud = if change.loses_all { "LOST " } else { "" };
    let others = if change.others { "+" } else { "" };
    format!(
        "{loud}{}{others} {}{only}: {}",
        countries.join(","),
        change.channel,
        in_words(&change.differences)
    )
}

/// Checks the changes of a draft that is the live rules with one text for another, and more behind them.
#[track_caller]
fn check(text: &str, other: &str, more: &str, expected: &[&str]) {
    let draft = LIVE.replacen(text, other, 1) + more;
    let lines: Vec<String> = compared(LIVE, &draft).changes.iter().map(line).collect();
    assert_eq!(lines, expected);
}

#[test]
fn equal_rules_change_nothing() {
    let compared = compared(LIVE, LIVE);
    let nothing = Comparison {
        unchanged: 2,
        is_complete: true,
        ..Comparison::default()
    };
    assert_eq!(compared, nothing);
}

#[test]
fn another_chain_is_told_with_its_vendors_and_senders() {
    check(
        "chain = \"c\"",
        "chain = \"d\"",
        "",
        &["MY,SG sms: chain c -> d; vendors one, two -> two, one"],
    );
    check(
        "",
        "",
        "[[sender]]\nvendor = \"two\"\ncountry = \"SG\"\nfrom = \"ACME\"\n",
        &["SG sms: sender of two +two -> ACME"],
    );
    check(
        "",
        "",
        "[[sender]]\ncountry = \"SG\"\nfrom = \"+6512345678\"\norg = \"other\"\n",
        &[
            "SG sms (org other): sender of one +one -> +6512345678; sender of two +two -> +6512345678",
            "SG voice (org other): sender of two +two -> +6512345678; sender of one +one -> +6512345678",
        ],
    );
}

#[test]
fn texts_are_told_for_those_who_get_them() {
    check(
        "",
        "",
        "[[template]]\ncountry = \"MY\"\nlocale = \"ms\"\ntext = \"Kod {code}\"\n",
        &["MY sms (locale ms): text Okta's own -> \"Kod 123456\""],
    );
    check(
        "",
        "",
        "[[template]]\ncountry = \"MY\"\ntext = \"{code}\"\nparameters = { id = \"7\" }\n",
        &["MY sms: text Okta's own -> \"123456\"; parameters none -> id 7"],
    );
}

#[test]
fn countries_that_lose_all_come_first() {
    let draft = LIVE
        .replace("\"SG\", \"MY\"", "\"SG\"")
        .replace("[\"one\", \"two\"]", "[\"two\"]");
    let changes = compared(LIVE, &draft).changes;
    let lines: Vec<String> = changes.iter().map(line).collect();
    let lost = "LOST MY sms: sent by chain c (one, two) -> nothing (`allow_countries` blocks it)";
    assert_eq!(lines, [lost, "SG sms: vendors one, two -> two"]);
}

#[test]
fn numbers_that_conditions_tell_apart_are_told_apart() {
    let deny =
        "[[rule]]\nname = \"no\"\nwhen = { number_type = \"premium_rate\" }\ndeny = \"no\"\n";
    let draft = deny.to_owned() + LIVE;
    let lines: Vec<String> = compared(LIVE, &draft).changes.iter().map(line).collect();
    let lost = "sms (number_type premium_rate): sent by chain c (one, two) -> nothing (denied: no)";
    assert!(lines.contains(&format!("LOST MY,SG {lost}")), "{lines:?}");
    let prefix = deny.replace("number_type = \"premium_rate\"", "prefix = \"+6591\"");
    let lines: Vec<String> = compared(LIVE, &(prefix + LIVE))
        .changes
        .iter()
        .map(line)
        .collect();
    assert!(
        lines[0].starts_with("LOST SG sms (prefix +6591): sent by chain c"),
        "{lines:?}"
    );
}

#[test]
fn all_countries_that_nothing_names_are_told_as_one() {
    let rest = "[[rule]]\nname = \"rest\"\nwhen = { channel = \"sms\" }\nchain = \"c\"\n[guard]\nallow_countries = [\"*\"]\n";
    let changes = compared(LIVE, &format!("{LIVE}{rest}")).changes;
    let lines: Vec<String> = changes.iter().map(line).collect();
    assert_eq!(
        lines,
        ["+ sms: sent nothing (`allow_countries` blocks it) -> by chain c (one, two)"]
    );
}

#[test]
fn pace_limits_and_guard_are_told_once() {
    let draft = LIVE.replacen(
        "[chains.d]",
        "patience = \"300ms\"\nmax_sends = 2\n[chains.d]",
        1,
    ) + "[guard]\nallow_countries = [\"SG\", \"MY\", \"BN\"]\nper_number = \"3/h\"\n";
    let compared = compared(LIVE, &draft);
    assert_eq!(compared.changes, []);
    assert_eq!(compared.chains.len(), 1);
    assert_eq!(compared.chains[0].chain, "c");
    assert_eq!(
        in_words(&compared.chains[0].differences),
        "patience 600 ms -> 300 ms; max_sends 3 -> 2"
    );
    let guard = "allow_countries - -> BN; per_number 10 in 600 s -> 3 in 3600 s";
    assert_eq!(in_words(&compared.guard), guard);
    check(
        "chain = \"c\"",
        "chain = \"c\"\nmax_parts = 2",
        "",
        &["MY,SG sms: max_parts any -> 2"],
    );
}
