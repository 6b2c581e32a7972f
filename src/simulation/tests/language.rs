//! The scenario language, its mistakes, and what is printed and drawn.

use super::*;

/// What is told about a scenario, each with line and column.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let problems = RefCell::default();
    Scenario::read(&Source::new("s.toml", text), &ACCOUNTS, &problems);
    let told = problems.borrow();
    let told: Vec<String> = told.sorted().into_iter().map(|p| p.to_string()).collect();
    assert_eq!(told, expected);
}

/// The same about a whole scenario with these lines at its end, which begin in line 6.
#[track_caller]
fn check_end(lines: &str, expected: &[&str]) {
    let whole = "name = \"x\"\nlasts = \"1h\"\n[[traffic]]\ncountry = \"SG\"\nrate = \"1/s\"\n";
    check(&format!("{whole}{lines}"), expected);
}

#[test]
fn a_scenario_needs_a_name_a_length_and_traffic() {
    check(
        "",
        &[
            "s.toml:1:1: error: `lasts` is missing here",
            "s.toml:1:1: error: `name` is missing here",
            "s.toml:1:1: error: nobody is written to\n  hint: [[traffic]]\ncountry = \"US\"\nrate = \"10/s\"",
        ],
    );
    check_end("", &[]);
}

#[test]
fn every_key_says_what_it_takes() {
    check_end(
        "[vendors.twilio]\nerrors = \"120%\"\n",
        &["s.toml:7:10: error: `120%` is not a share\n  hint: from `0%` to `100%`, such as `2.5%`"],
    );
    check_end(
        "[vendors.twilio]\nas = \"timeuot\"\n",
        &["s.toml:7:6: error: `timeuot` is not known here\n  hint: did you mean `timeout`?"],
    );
    check_end(
        "[vendors.twilio]\nlatency = { p50 = \"2s\", p99 = \"1s\" }\n",
        &["s.toml:7:11: error: half of them take longer than 99 of 100"],
    );
    check_end(
        "[vendors.twilio]\nprice = { Mars = 1 }\n",
        &[
            "s.toml:7:11: error: `Mars` is no country\n  hint: two letters, such as `SG`, or `*` for all others",
        ],
    );
    check_end(
        "[[traffic]]\ncountry = \"SG\"\nrate = \"many\"\n",
        &[
            "s.toml:8:8: error: `many` is not a rate\n  hint: a count and a time: `20/s`, `5/m`, `1/10s`",
        ],
    );
    check_end(
        "[[traffic]]\nnumber = \"12\"\nrate = \"1/s\"\n",
        &[
            "s.toml:7:10: error: this is no phone number\n  hint: `+`, the country's calling code and the number",
        ],
    );
}

#[test]
fn an_unknown_key_has_the_nearest_known_one_as_a_hint() {
    check_end(
        "[[change]]\nvendor = \"twilio\"\nlatencey = \"1s\"\n",
        &["s.toml:8:1: error: unknown key `latencey`\n  hint: did you mean `latency`?"],
    );
}

#[test]
fn a_change_ends_after_it_begins_and_within_the_scenario() {
    check_end(
        "[[change]]\nvendor = \"twilio\"\nfrom = \"30m\"\nto = \"20m\"\n",
        &[
            "s.toml:6:1: error: it ends before it begins\n  hint: both are counted from the scenario's start",
        ],
    );
    check_end(
        "[[change]]\nvendor = \"twilio\"\nto = \"2h\"\n",
        &["s.toml:8:6: error: `2h` is out of range\n  hint: from 0ms to 1h"],
    );
}

#[test]
fn a_vendor_without_an_account_is_a_warning() {
    check_end(
        "[[change]]\nvendor = \"twillio\"\nerrors = \"1%\"\n",
        &[
            "s.toml:7:10: warning: there is no vendor account `twillio`\n  hint: did you mean `twilio`?",
        ],
    );
}

#[test]
fn a_slip_of_the_pen_does_not_run_for_a_year() {
    let text = "name = \"x\"\nlasts = \"7d\"\n[[traffic]]\ncountry = \"SG\"\nrate = \"1000/s\"\n";
    check(
        text,
        &["s.toml:1:1: error: 604800000 messages are more than 50000000"],
    );
}

#[test]
fn what_is_said_of_all_vendors_holds_for_each_but_for_what_is_said_of_it() {
    let text = "
[[traffic]]
country = \"SG\"
rate = \"1/s\"
[vendors.twilio]
latency = \"300ms\"
[[change]]
vendor = \"*\"
from = \"10m\"
errors = \"100%\"
as = \"refuse\"
[[change]]
vendor = \"twilio\"
errors = \"0%\"
";
    let compared = beside(&scenario(text), &two_in_a_row());
    let rules = &compared.contenders[1].total;
    // The later change wins, for that vendor.
    assert_eq!(rules.within_30s, 1.0);
    assert_eq!(rules.p50_ms.map(|ms| ms / 100), Some(32));
}

#[test]
fn a_chart_is_well_formed_and_escapes_what_people_wrote() {
    let mut scenario = scenario(SINGAPORE);
    scenario.name = "<script>&\"".to_owned();
    let svg = chart(&[beside(&scenario, &two_in_a_row())]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("&lt;script&gt;&amp;&quot;"));
    assert!(!svg.contains("<script>"));
    for tag in ["g", "text", "style"] {
        let opened = svg.matches(&format!("<{tag}")).count();
        assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    assert!(svg.contains("prefers-color-scheme: dark"));
}

#[test]
fn one_scenario_is_told_by_country_and_by_vendor() {
    let text = details(&beside(&scenario(SINGAPORE), &two_in_a_row()));
    for wanted in ["even", "one vendor", "code within 30 s", "SG", "twilio"] {
        assert!(text.contains(wanted), "{text}");
    }
}
