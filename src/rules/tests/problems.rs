//! What rule files are told when they say something wrong.

use super::*;

/// A rule set in which nothing is wrong, five lines long.
const GOOD: &str = "[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"c\"\n";

/// Checks what is told of one file; each problem as `line:column: ...`.
#[track_caller]
fn tells(text: &str, expected: &[&str]) {
    let (_, told) = compile(&[("r", text)]);
    let told: Vec<&str> = told
        .iter()
        .map(|t| t.strip_prefix("r:").unwrap_or(t))
        .collect();
    assert_eq!(told, expected, "\n{text}");
}

/// Checks what is told of text that follows good rules, which end with line 6.
#[track_caller]
fn after(text: &str, expected: &[&str]) {
    tells(&format!("{GOOD}{text}"), expected);
}

/// Checks what is told of a chain's vendors (line 2) and other keys (line 3).
#[track_caller]
fn of_chain(vendors: &str, more: &str, expected: &[&str]) {
    let text = format!(
        "[chains.c]\nvendors = {vendors}\n{more}\n[[rule]]\nname = \"a\"\nwhen = {{ country = \"SG\", channel = \"sms\" }}\nchain = \"c\"\n"
    );
    tells(&text, expected);
}

/// Checks what is told of one condition, on line 5.
#[track_caller]
fn of_condition(condition: &str, expected: &[&str]) {
    let text = format!(
        "[chains.c]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nwhen = {{ {condition} }}\nchain = \"c\"\n[guard]\nallow_countries = \"*\""
    );
    tells(&text, expected);
}

#[test]
fn no_rule_at_all_is_a_mistake() {
    let expected =
        "error: there is no rule: nothing could be sent\n  hint: a `[[rule]]` with a `chain`";
    tells("", &[expected]);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "[chains.c]\nvendors = [\"won\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"QQ\" }\nchain = \"d\"\n[guard]\nper_numbr = 1";
    let (_, told) = compile(&[("r", text)]);
    let errors = told.iter().filter(|t| t.contains(": error: "));
    assert_eq!(errors.count(), 4, "{told:?}");
}

#[test]
fn unknown_names_are_told_with_the_nearest_one() {
    of_chain(
        "[\"tow\"]",
        "",
        &["2:12: error: unknown vendor `tow`\n  hint: did you mean `two`?"],
    );
    let sender = "[ { vendor = \"one\", sender = \"sq\" } ]";
    let text = "[[sender]]\nname = \"sg\"\nvendor = \"one\"\nfrom = \"ACME\"";
    let hint = "2:40: error: unknown sender `sq`\n  hint: there is `sg`";
    of_chain(sender, text, &[hint]);
    let text = "[chains.sg-sms]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"SG\" }\nchain = \"sg-smS\"";
    let expected = "6:9: error: unknown chain `sg-smS`\n  hint: did you mean `sg-sms`?";
    tells(text, &[expected]);
}

#[test]
fn a_vendor_without_an_account_is_left_out_with_one_warning() {
    let text = "[ \"ghost\", \"one\" ]\n[chains.d]\nvendors = [\"ghost\", \"one\"]";
    let warning = "2:13: warning: there is no account for vendor `ghost`: it is left out\n  hint: `[vendors.ghost]` in the configuration";
    let unused = "3:9: warning: no rule uses chain `d`";
    of_chain(text, "", &[warning, unused]);
}

#[test]
fn a_chain_with_no_vendor_left_is_a_mistake() {
    let error = "1:9: error: chain `c` has no vendor left\n  hint: it needs one that has an account in the configuration";
    let warning = "2:13: warning: there is no account for vendor `ghost`: it is left out\n  hint: `[vendors.ghost]` in the configuration";
    of_chain("[ \"ghost\" ]", "", &[error, warning]);
    let error = "1:9: error: chain `c` has no vendor left\n  hint: name one in `vendors`";
    of_chain("[]", "", &[error]);
}

#[test]
fn duplicate_names_are_told_at_both_places() {
    let rule = "[[rule]]\nname = \"a\"\ndeny = \"x\"";
    let first = "4:8: error: another rule is named `a` too\n  hint: also at r:8";
    let second = "8:8: error: another rule is named `a` too\n  hint: also at r:4";
    after(rule, &[first, second]);
    let sender = "[[sender]]\nname = \"s\"\nfrom = \"ACME\"\n";
    let first = "8:8: error: another sender is named `s` too\n  hint: also at r:11";
    let second = "11:8: error: another sender is named `s` too\n  hint: also at r:8";
    after(&[sender, sender].concat(), &[first, second]);
}

#[test]
fn duplicate_names_are_told_across_files() {
    let more = "[groups]\ng = [\"SG\"]\n[chains.c]\nvendors = [\"one\"]\n[guard]\n";
    let other = "[groups]\ng = [\"FR\"]\n[guard]\n";
    let (_, told) = compile(&[("1", GOOD), ("2", more), ("3", other)]);
    let expected = [
        "1:1:9: error: another chain is named `c` too\n  hint: also at 2:3",
        "2:2:1: error: another group is named `g` too\n  hint: also at 3:2",
        "2:3:9: error: another chain is named `c` too\n  hint: also at 1:1",
        "2:5:1: error: there is more than one `[guard]`\n  hint: also at 3:3",
        "3:2:1: error: another group is named `g` too\n  hint: also at 2:2",
        "3:3:1: error: there is more than one `[guard]`\n  hint: also at 2:5",
    ];
    assert_eq!(told, expected);
}

#[test]
fn weights_are_whole_and_at_least_one() {
    let of = |entry: &str| format!("[ [ {entry}, {{ vendor = \"two\", weight = 1 }} ] ]");
    let zero = of("{ vendor = \"one\", weight = 0 }");
    of_chain(&zero, "", &["2:42: error: 0 is not from 1 to 1000"]);
    let part = of("{ vendor = \"one\", weight = 0.5 }");
    of_chain(
        &part,
        "",
        &["2:42: error: expected a whole number, found float\n  hint: without a fraction"],
    );
    let absent = of("{ vendor = \"one\" }");
    of_chain(&absent, "", &["2:15: error: `weight` is missing here"]);
    let plain = of("\"one\"");
    let hint = "2:15: error: `weight` is missing here\n  hint: `{ vendor = \"one\", weight = 50 }`";
    of_chain(&plain, "", &[hint]);
    let alone = "2:13: warning: this `weight` has no effect\n  hint: a weighted position is a list in the list";
    of_chain("[ { vendor = \"one\", weight = 5 } ]", "", &[alone]);
}

#[test]
fn a_vendor_is_in_a_chain_once() {
    let error = "2:29: error: vendor `one` is in this chain twice\n  hint: once for each channel: a second entry names its `channel`";
    of_chain("[ \"one\", \"two\",   \"one\" ]", "", &[error]);
}

#[test]
fn a_named_sender_is_the_vendors_own() {
    let text = "[[sender]]\nname = \"s\"\nvendor = \"two\"\nfrom = \"ACME\"";
    let error =
        "2:40: error: sender `s` is `two`'s\n  hint: a `[[sender]]` with `vendor = \"one\"`";
    of_chain("[ { vendor = \"one\", sender = \"s\" } ]", text, &[error]);
}

#[test]
fn a_rule_has_a_chain_or_a_denial() {
    let text = "[[rule]]\nname = \"b\"\nwhen = { country = \"FR\" }\n";
    let neither = "7:1: error: `chain` is missing here\n  hint: or `deny = \"reason\"` in a rule that refuses";
    after(text, &[neither]);
    let both = format!("{text}chain = \"c\"\ndeny = \"x\"");
    after(
        &both,
        &[
            "11:8: error: a rule has `chain` or `deny`, not both\n  hint: it sends by its `chain`, or refuses for the reason of `deny`",
        ],
    );
    after(
        "[[rule]]\ndeny = \"x\"",
        &["7:1: error: `name` is missing here"],
    );
}

#[test]
fn countries_must_exist() {
    let hint = "two letters of ISO 3166, such as `SG`";
    let error = |what: &str, hint: &str| {
        format!("5:20: error: `{what}` is neither a country nor a group\n  hint: {hint}")
    };
    of_condition("country = \"QQ\"", &[&error("QQ", hint)]);
    of_condition("country = \"UK\"", &[&error("UK", "did you mean `GB`?")]);
    of_condition(
        "country = \"NAMP\"",
        &[&error("NAMP", "did you mean `NANP`?")],
    );
    let registration = "[[registration]]\ncountry = [\"QQ\"]\n";
    let expected = format!("8:12: error: `QQ` is neither a country nor a group\n  hint: {hint}");
    after(registration, &[&expected]);
}

#[test]
fn groups_neither_circle_nor_hide_what_exists() {
    let circle = "[groups]\na = [\"b\"]\nb = [\"SG\", \"a\"]\n";
    after(circle, &["9:12: error: group `a` contains itself"]);
    after(
        "[groups]\nEU = [\"SG\"]",
        &["8:1: error: `EU` is built in\n  hint: another name: EEA, EU, NANP are built in"],
    );
    let country = "8:1: error: `FR` is a country, and cannot name a group\n  hint: another name, such as `ours`";
    after("[groups]\nFR = [\"SG\"]", &[country]);
}

#[test]
fn conditions_are_checked() {
    let hint = "did you mean `number_type`?";
    let unknown = format!("5:10: error: unknown key `number_typ`\n  hint: {hint}");
    of_condition("number_typ = \"mobile\"", &[&unknown]);
    let mobile = "5:24: error: `mobil` is not known here\n  hint: did you mean `mobile`?";
    of_condition("number_type = \"mobil\"", &[mobile]);
    let prefix = "5:19: error: this is not the beginning of a number\n  hint: `+` and digits, such as `+6591`";
    of_condition("prefix = \"6591\"", &[prefix]);
    let login = "5:18: error: a `*` can only stand at the beginning\n  hint: a whole login, or `*@example.com`";
    of_condition("login = \"a*@b.c\"", &[login]);
    of_condition("org = []", &["5:16: error: an empty list matches nothing"]);
    let preview = "5:20: error: expected `true` or `false`, found string";
    of_condition("preview = \"yes\"", &[preview]);
}

#[test]
fn mobile_numbers_of_plus_one_are_warned_of() {
    let warning = |column: u32| {
        format!(
            "5:{column}: warning: `mobile` does not match numbers with +1\n  hint: add `fixed_line_or_mobile`: that is what almost all of them are"
        )
    };
    let both = "country = [\"SG\", \"NANP\"], number_type = [\"mobile\"]";
    of_condition(both, &[&warning(50)]);
    of_condition(
        "number_type = \"mobile\", prefix = \"+1415\"",
        &[&warning(24)],
    );
    of_condition(
        "country = \"US\", number_type = [\"mobile\", \"fixed_line_or_mobile\"]",
        &[],
    );
    of_condition("country = \"SG\", number_type = \"mobile\"", &[]);
}

#[test]
fn a_rule_behind_a_wider_one_can_never_match() {
    let pair = |first: &str, second: &str| {
        format!(
            "[guard]\nallow_countries = \"*\"\n[[rule]]\nname = \"a\"\n{first}\ndeny = \"x\"\n[[rule]]\nname = \"b\"\n{second}\ndeny = \"x\"\n"
        )
    };
    let warning = "8:8: warning: rule `b` can never match: `a` matches all that it would\n  hint: move it before r:3";
    let never = [
        ("", ""),
        ("", "when = { country = \"SG\" }"),
        (
            "when = { country = \"EEA\" }",
            "when = { country = [\"FR\", \"NO\"], org = \"acme\" }",
        ),
        (
            "when = { locale = \"en\" }",
            "when = { locale = [\"en-gb\", \"en\"] }",
        ),
        (
            "when = { prefix = \"+65\" }",
            "when = { prefix = \"+6591\" }",
        ),
        (
            "when = { login = \"*.com\" }",
            "when = { login = [\"*@a.com\", \"x@b.com\"] }",
        ),
        (
            "when = { preview = true }",
            "when = { preview = true, user = \"u\" }",
        ),
    ];
    for (first, second) in never {
        tells(&pair(first, second), &[warning]);
    }
    let sometimes = [
        ("when = { country = \"SG\" }", ""),
        (
            "when = { country = \"EU\" }",
            "when = { country = \"EEA\" }",
        ),
        (
            "when = { locale = \"en-gb\" }",
            "when = { locale = \"en\" }",
        ),
        (
            "when = { prefix = \"+6591\" }",
            "when = { prefix = \"+65\" }",
        ),
        ("when = { org = \"acme\" }", "when = { user = \"x\" }"),
        ("when = { preview = true }", "when = { preview = false }"),
        (
            "when = { login = \"a@b.com\" }",
            "when = { login = \"*@b.com\" }",
        ),
    ];
    for (first, second) in sometimes {
        tells(&pair(first, second), &[]);
    }
}

#[test]
fn what_nothing_leads_to_is_warned_of() {
    let (_, told) = {
        let problems = RefCell::new(Problems::default());
        let rules = Rules::compile(
            &[Source::new("r", GOOD)],
            &fleet(),
            "",
            Moment(0),
            &problems,
        );
        let told = problems
            .borrow()
            .sorted()
            .iter()
            .map(|p| p.to_string())
            .collect();
        (rules, told)
    };
    let expected: Vec<String> = ["four", "text", "three"]
        .map(|v| format!("warning: vendor `{v}` is in no chain"))
        .to_vec();
    assert_eq!(Vec::<String>::clone(&told), expected);
    let unused = "7:9: warning: no rule uses chain `d`";
    after("[chains.d]\nvendors = [\"one\"]", &[unused]);
}

#[test]
fn a_rule_must_reach_a_vendor() {
    let text = "[chains.t]\nvendors = [\"text\"]\n[[rule]]\nname = \"b\"\nwhen = { channel = \"voice\" }\nchain = \"t\"";
    after(
        text,
        &[
            "12:9: warning: chain `t` has no vendor for voice\n  hint: messages by voice are refused; an account that can do it is needed",
        ],
    );
    let text = "[[rule]]\nname = \"b\"\nwhen = { country = \"FR\" }\nchain = \"c\"\nrequire = { data_region = \"mars\" }";
    after(
        text,
        &[
            "11:27: error: chain `c` has no vendor with `data_region = \"mars\"`\n  hint: `one` has `eu`, `two` has none",
        ],
    );
}

#[test]
fn rules_that_name_no_country_need_a_guard() {
    let text = "[chains.c]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nchain = \"c\"";
    let warning = "warning: no rule names a country, so that every message is blocked\n  hint: `allow_countries = [\"*\"]` in `[guard]`";
    tells(text, &[warning]);
}

#[test]
fn the_guard_is_checked() {
    let limit = "8:14: error: `10` is not a limit\n  hint: a count of at most 1000 and a time, such as `10/10m`";
    after("[guard]\nper_number = \"10\"", &[limit]);
    let key = "8:1: error: unknown key `per_numbers`\n  hint: did you mean `per_number`?";
    after("[guard]\nper_numbers = \"10/m\"", &[key]);
}

#[test]
fn switches_are_checked() {
    let switch = |keys: &str| format!("[switches]\noff = [ {{ vendor = {keys} }} ]");
    let until = "8:38: error: `tomorrow` is not a time\n  hint: such as `2026-11-24T09:00:00Z`";
    after(&switch("\"one\", until =    \"tomorrow\""), &[until]);
    let local = "8:35: error: `2026-11-24T09:00:00` is not a time\n  hint: `2026-11-24T09:00:00Z` in UTC, or `2026-11-24T09:00:00+01:00`";
    after(&switch("\"one\", until = 2026-11-24T09:00:00"), &[local]);
    let vendor = "8:20: error: unknown vendor `thre`\n  hint: did you mean `three`?";
    after(&switch("\"thre\""), &[vendor]);
}

#[test]
fn dates_and_kinds_are_checked() {
    after(
        "[[sender]]\nfrom = \"ACME\"\nkind = \"beta\"",
        &[
            "9:8: error: `beta` is not known here\n  hint: one of `alpha`, `long_code`, `short_code`, `toll_free`, `10dlc`, `pool`",
        ],
    );
    after(
        "[[sender]]\nfrom = \"ACME\"\nvalid_to = \"soon\"",
        &[
            "9:12: error: `soon` is not a date\n  hint: a date such as `2026-01-31`, or a time such as `2026-01-31T09:00:00+01:00`",
        ],
    );
    after(
        "[[sender]]\nfrom = \"ACME\"\nvalid_from = 2026-02-01\nvalid_to = \"2026-01-31\"",
        &[
            "10:12: error: it ends before it begins\n  hint: `valid_to` is the last day; `valid_from` is the first",
        ],
    );
}

#[test]
fn quotas_are_checked_with_their_places() {
    after(
        "[quota.q]\nlimit = \"many\"\nresets = \"00:00 America/Los_Angles\"\nunit = \"part\"",
        &[
            "8:9: error: `many` is not a limit\n  hint: a count from 1 to 4294967295 and a time, such as `40000/day`, `100/h` or `1000/10m`",
            "9:10: error: there is no time zone `America/Los_Angles`\n  hint: did you mean `America/Los_Angeles`?",
            "10:8: error: `part` is not known here\n  hint: did you mean `parts`?",
        ],
    );
    let sender = "[quota.acme]\nlimit = \"5/day\"\n[[sender]]\nfrom = \"ACME\"\nquota = \"acne\"";
    let unknown = "11:9: error: unknown quota `acne`\n  hint: did you mean `acme`?";
    after(sender, &[unknown]);
}

#[test]
fn the_reasons_of_an_entry_that_waits_are_known_words() {
    let vendors = "[ \"one\", { vendor = \"one\", channel = \"voice\", after = \"35s\", on = [\"silence\", \"not_mobile\"] } ]";
    of_chain(vendors, "", &[]);
    let wrong = vendors.replace("not_mobile", "not_mobil");
    let error = "2:89: error: `not_mobil` is not known here\n  hint: did you mean `not_mobile`?";
    of_chain(&wrong, "", &[error]);
    let cost = "[ { vendor = \"one\", cost = -1 } ]";
    of_chain(cost, "", &["2:38: error: -1 is not from 0 to 1000000"]);
    let word = "[ { vendor = \"one\", cost = \"much\" } ]";
    of_chain(word, "", &["2:38: error: expected a number, found string"]);
}

#[test]
fn examples_that_hold_are_not_told() {
    let deny = "[[rule]]\nname = \"no\"\nwhen = { country = \"FR\" }\ndeny = \"never\"\n";
    let expects = format!(
        "[[expect]]\nto = \"{SINGAPORE}\"\nrule = \"a\"\nvendors = [\"one\"]\n\
         [[expect]]\nto = \"{FRANCE}\"\nrule = \"no\"\ndeny = \"never\"\noutcome = \"denied\"\n\
         [[expect]]\nto = \"hello\"\noutcome = \"denied\"\n\
         [[expect]]\nto = \"{UNITED_STATES}\"\noutcome = \"blocked\"\n"
    );
    after(&format!("{deny}{expects}"), &[]);
}

#[test]
fn examples_that_do_not_hold_say_what_came_out() {
    let expect = |to: &str, keys: &str| format!("[[expect]]\nto = \"{to}\"\n{keys}");
    let vendors = "9:11: error: expected vendors `two`, got `one`, `two` by rule `a`";
    after(&expect(SINGAPORE, "vendors = [\"two\"]"), &[vendors]);
    let more = "9:11: error: expected vendors `one`, `two`, `text`, got `one`, `two` by rule `a`\n  hint: chain `c` does not have `text`";
    after(
        &expect(SINGAPORE, "vendors = [\"one\", \"two\", \"text\"]"),
        &[more],
    );
    let rule = "9:8: error: expected rule `a`, and no rule matches\n  hint: it does not match: country is FR, not SG";
    after(&expect(FRANCE, "rule = \"a\""), &[rule]);
    let name = "9:8: error: expected rule `x`, got `a`\n  hint: there is no rule of that name";
    after(&expect(SINGAPORE, "rule = \"x\""), &[name]);
    let deny = "9:8: error: expected denial `never`, got `one`, `two` by rule `a`";
    after(&expect(SINGAPORE, "deny = \"never\""), &[deny]);
    let outcome = "9:11: error: expected outcome `blocked`, got `one`, `two` by rule `a`";
    after(&expect(SINGAPORE, "outcome = \"blocked\""), &[outcome]);
    let number = "8:6: error: this is no number: it must begin with `+`";
    after(&expect("81234567", "rule = \"a\""), &[number]);
    let nothing = "7:1: error: this example expects nothing\n  hint: add `rule`, `vendors`, `sender`, `text`, `deny` or `outcome`";
    after(&expect(SINGAPORE, ""), &[nothing]);
}

#[test]
fn an_example_that_the_guard_blocks_is_warned_of() {
    let text = format!(
        "[guard]\nallow_countries = \"FR\"\n[[expect]]\nto = \"{SINGAPORE}\"\nvendors = [\"one\"]"
    );
    after(
        &text,
        &["9:1: warning: `allow_countries` of `[guard]` blocks SG"],
    );
}

#[test]
fn duplicate_names_in_one_file_are_told_at_both_places_too() {
    let text = "[chains.c]\nvendors = [\"one\"]\n[groups]\ng = [\"SG\"]\ng = [\"FR\"]\n";
    after(
        text,
        &[
            "1:9: error: another chain is named `c` too\n  hint: also at r:7",
            "7:9: error: duplicate key\n  hint: a key stands once: one of the two must go",
            "10:1: error: another group is named `g` too\n  hint: also at r:11",
            "11:1: error: duplicate key\n  hint: a key stands once: one of the two must go",
        ],
    );
}

#[test]
fn a_number_that_is_none_meets_no_rule() {
    let text = "[[expect]]\nto = \"hello\"\nrule = \"a\"\noutcome = \"denied\"";
    let error = "8:6: error: this is no number: it has other things than digits";
    after(text, &[error]);
}
