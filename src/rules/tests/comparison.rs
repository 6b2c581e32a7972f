//! What a draft is said to change.

mod by_chance;

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

/// What is told of a draft that is the live rules with one text for another.
fn changed(live: &str, text: &str, other: &str) -> Comparison {
    assert!(live.contains(text), "{text}");
    compared(live, &live.replacen(text, other, 1))
}

/// The changes that are told of messages, in words.
#[track_caller]
fn check_lines(compared: &Comparison, expected: &[&str]) {
    let lines: Vec<String> = compared.changes.iter().map(line).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_text_that_only_one_orgs_messages_get_is_told() {
    let live = "[chains.a]\nvendors = [\"one\", \"two\"]\n[chains.b]\nvendors = [\"three\"]\n\
        [[rule]]\nname = \"a\"\nwhen = { country = \"SG\", org = \"acme\" }\nchain = \"a\"\n\
        [[rule]]\nname = \"b\"\nwhen = { country = \"SG\" }\nchain = \"b\"\n\
        [[template]]\nlocale = [\"fr\"]\nvendor = [\"one\", \"two\"]\ntext = \"Code {code}\"\n";
    let compared = changed(live, "Code {code}", "{code} : code");
    assert!(compared.is_complete);
    let expected = "SG sms (org acme, locale fr): text \"Code 123456\" -> \"123456 : code\"";
    check_lines(&compared, &[expected]);
    let sender = "[[sender]]\nvendor = \"one\"\norg = \"acme\"\nfrom = \"+6512345678\"\n";
    let with_sender = format!("{live}{sender}");
    let compared = changed(&with_sender, "+6512345678", "+6512345679");
    let senders = "sender of one +6512345678 -> +6512345679";
    check_lines(
        &compared,
        &[
            &format!("SG sms (org acme): {senders}"),
            &format!("SG voice (org acme): {senders}"),
        ],
    );
}

#[test]
fn values_that_rules_name_are_not_what_everybody_has() {
    let live = "[chains.a]\nvendors = [\"one\"]\n[chains.b]\nvendors = [\"two\"]\n\
        [[rule]]\nname = \"a\"\nwhen = { country = \"SG\", locale = \"en\", prefix = \"+6581\" }\nchain = \"a\"\n\
        [[rule]]\nname = \"b\"\nwhen = { country = \"SG\", request_type = \"mfa-verification\" }\nchain = \"a\"\n\
        [[rule]]\nname = \"c\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"b\"\n";
    let compared = changed(live, "chain = \"b\"", "chain = \"b\"\nmax_parts = 3");
    assert!(compared.is_complete);
    check_lines(&compared, &["SG sms: max_parts any -> 3"]);
}

#[test]
fn the_order_of_what_fits_equally_well_is_told_where_it_matters() {
    let one = "[[template]]\norg = \"acme\"\ntext = \"A {code}\"\n";
    let two = "[[template]]\nrequest_type = \"x\"\ntext = \"B {code}\"\n";
    let compared = compared(&[LIVE, one, two].concat(), &[LIVE, two, one].concat());
    assert!(compared.is_complete);
    let expected = "MY,SG sms (org acme, request_type x): text \"A 123456\" -> \"B 123456\"";
    check_lines(&compared, &[expected]);
}

#[test]
fn countries_that_take_no_names_are_looked_at_though_nothing_names_them() {
    let live = "[chains.c]\nvendors = [\"one\"]\n[guard]\nallow_countries = \"*\"\n\
        [[rule]]\nname = \"a\"\nwhen = { channel = \"sms\" }\nchain = \"c\"\n\
        [[sender]]\nvendor = \"one\"\nchannel = \"sms\"\nfrom = \"ACME\"\n\
        [[sender]]\nvendor = \"one\"\nfrom = \"+12025550123\"\n";
    let compared = changed(live, "+12025550123", "+12025550124");
    let expected = "CA,PR,US sms: sender +12025550123 -> +12025550124";
    check_lines(&compared, &[expected]);
}

#[test]
fn a_vendor_that_is_there_for_both_channels_is_held_against_itself() {
    let waits = "{ vendor = \"two\", channel = \"voice\", after = \"35s\", on = [\"silence\", \"unreachable\"] }";
    let live = LIVE
        .replacen("\"one\", \"two\"", &format!("\"two\", {waits}"), 1)
        .replace("channel = \"sms\"", "channel = [\"sms\"]");
    assert!(compared(&live, &live).changes.is_empty());
    let compared = changed(&live, "35s", "3s");
    let expected = "MY,SG sms: waits of two by voice after 35000 ms, on silence, unreachable -> after 3000 ms, on silence, unreachable";
    check_lines(&compared, &[expected]);
    let compared = changed(&live, "\"silence\", ", "");
    let expected = "MY,SG sms: waits of two by voice after 35000 ms, on silence, unreachable -> after 35000 ms, on unreachable";
    check_lines(&compared, &[expected]);
}

#[test]
fn what_rules_add_and_why_they_refuse_is_told() {
    check(
        "chain = \"c\"",
        "chain = \"c\"\ntransliterate = true",
        "",
        &["MY,SG sms: transliterate false -> true"],
    );
    check(
        "chain = \"c\"",
        "chain = \"c\"\nrequire = { data_region = \"eu\" }",
        "",
        &["MY,SG sms: vendors one, two -> one; data_region any -> eu"],
    );
    let deny = |why: &str| {
        let no =
            format!("[[rule]]\nname = \"no\"\nwhen = {{ org = \"acme\" }}\ndeny = \"{why}\"\n");
        no + LIVE
    };
    let compared = compared(&deny("fraud"), &deny("closed"));
    let expected = ["sms", "voice"].map(|channel| {
        let change = "sent nothing (denied: fraud) -> nothing (denied: closed)";
        format!("MY,SG {channel} (org acme): {change}")
    });
    check_lines(&compared, &expected.each_ref().map(String::as_str));
}

#[test]
fn walks_of_chains_are_told() {
    let race = LIVE.replacen("[chains.d]", "strategy = \"race\"\n[chains.d]", 1);
    for (text, other, expected) in [
        (
            "\"race\"",
            "\"race\"\nrace_width = 3",
            "started at once 2 -> 3",
        ),
        (
            "\"race\"",
            "\"race\"\norder = \"adaptive\"",
            "order fixed -> adaptive",
        ),
        (
            "\"race\"",
            "\"race\"\nsticky = \"recipient\"",
            "sticky delivery -> recipient",
        ),
    ] {
        let compared = changed(&race, text, other);
        let told: Vec<String> = compared
            .chains
            .iter()
            .map(|c| in_words(&c.differences))
            .collect();
        assert_eq!(told, [expected]);
    }
}

#[test]
fn quotas_and_switches_are_told_by_name() {
    let more = "[quota.q]\nlimit = \"5/day\"\n[switches]\noff = [{ vendor = \"one\", country = \"SG\", reason = \"slow\" }]\n";
    let live = format!("{LIVE}{more}");
    for (text, other, expected) in [
        (
            "5/day",
            "6/day",
            "q 5 parts in each day from 00:00 UTC -> 6 parts in each day from 00:00 UTC",
        ),
        (
            "\"5/day\"",
            "\"5/day\"\nresets = \"09:30 America/Los_Angeles\"\nunit = \"messages\"",
            "q 5 parts in each day from 00:00 UTC -> 5 messages in each day from 09:30 America/Los_Angeles",
        ),
    ] {
        let compared = changed(&live, text, other);
        assert_eq!(in_words(&compared.quotas), expected);
    }
    let compared = changed(&live, "country = \"SG\", ", "");
    let expected = "one off in SG (slow) -> off everywhere (slow)";
    assert_eq!(in_words(&compared.switches), expected);
}

/// The live rules behind more rules, each for one user of one org, and templates for many locales.
fn crowded() -> String {
    let users = (0..300).map(|i| {
        format!("[[rule]]\nname = \"u{i}\"\nwhen = {{ user = \"u{i}\", org = \"o{i}\", country = \"SG\" }}\nchain = \"c\"\n")
    });
    let templates = (0..30).map(|i| {
        format!("[[template]]\nname = \"t{i}\"\nlocale = \"x{i}\"\nrequest_type = \"r{i}\"\ntext = \"{i} {{code}}\"\n")
    });
    users.chain([LIVE.to_owned()]).chain(templates).collect()
}

#[test]
fn a_change_is_told_for_sure_however_much_else_there_is() {
    let live = crowded();
    let told = compared(&live, &live);
    assert!(told.is_complete && told.changes.is_empty() && told.unshown.is_empty());
    let told = changed(&live, "\"7 {code}\"", "\"{code}\"");
    assert!(told.is_complete);
    let everybodys = "MY,SG sms (request_type r7, locale x7): text \"7 123456\" -> \"123456\"";
    check_lines(&told, &[everybodys]);
}

#[test]
fn where_not_everything_can_be_looked_at_what_is_written_is_told() {
    let wide = |count: usize, text: &str| -> String {
        let axis = |key: &str| -> String {
            let rules = (0..count).map(|i| format!("[[rule]]\nname = \"{key}{i}\"\nwhen = {{ {key} = \"{key}{i}\", country = \"SG\", channel = \"sms\" }}\nchain = \"d\"\n"));
            rules.collect()
        };
        let never = format!(
            "[[template]]\nname = \"never\"\nvendor = \"three\"\ntext = \"{text} {{code}}\"\n"
        );
        [
            &axis("org"),
            &axis("user"),
            &axis("request_type"),
            LIVE,
            &never,
        ]
        .concat()
    };
    let told = compared(&wide(20, "a"), &wide(20, "b"));
    assert!(!told.is_complete);
    assert_eq!(told.changes, []);
    let unshown: Vec<String> = told
        .unshown
        .iter()
        .map(|d| format!("{} {}: {}", d.what, d.name, in_words(&d.differences)))
        .collect();
    assert_eq!(
        unshown,
        ["template never: text \"a {code}\" -> \"b {code}\""]
    );
    let told = compared(&wide(2, "a"), &wide(2, "b"));
    assert!(
        told.is_complete && told.unshown.is_empty(),
        "nobody gets it"
    );
}

#[test]
fn what_differs_on_another_day_is_told() {
    let later =
        "[[template]]\nname = \"later\"\nvalid_from = \"1990-01-01\"\ntext = \"A {code}\"\n";
    let compared = changed(&format!("{LIVE}{later}"), "A {code}", "B {code}");
    assert!(compared.is_complete && compared.changes.is_empty());
    assert_eq!(compared.unshown.len(), 1);
    assert_eq!(compared.unshown[0].name, "later");
}
