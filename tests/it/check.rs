//! What `trunkline check` says beyond problems: the shipped rules are clean, and a draft is held against what is live.

use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::router::{BINARY, Place};

fn check(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command
        .args(["check", "--sandbox"])
        .args(args)
        .current_dir(&place.0)
        .env_remove("TRUNKLINE_LOG");
    command.output().expect("the binary starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A place with another directory for rules.
fn with_directory() -> Place {
    let place = Place::new("");
    std::fs::create_dir(place.0.join("live")).expect("a directory");
    place
}

/// A place with rules of another directory that differ from the shipped ones for Singapore.
fn with_live_rules() -> Place {
    let place = with_directory();
    for name in ["10-chains", "20-rules", "30-guard", "40-switches"] {
        let text = std::fs::read_to_string(place.0.join(format!("routing-rules/{name}.toml")));
        let text = text.expect("a shipped file");
        let vendors =
            "vendors = [\"twilio\", \"vonage\", \"telnyx\", \"infobip\"]\npatience = \"600ms\"";
        let live = text
            .replace(vendors, "vendors = [\"vonage\", \"telnyx\"]")
            .replace(
                "rule = \"singapore\"\nvendors = [\"twilio\", \"vonage\", \"telnyx\", \"infobip\"]",
                "rule = \"singapore\"",
            );
        place.write(&format!("live/{name}.toml"), &live);
    }
    place
}

#[test]
fn the_shipped_rules_are_warned_of_nothing() {
    let output = check(&Place::new(""), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains(" 0 warnings"), "{}", err(&output));
}

#[test]
fn a_draft_is_held_against_what_is_live() {
    let place = with_live_rules();
    let output = check(&place, &["--against", "live"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let told = out(&output);
    let changed = "SG sms: vendors vonage, telnyx -> twilio, vonage, telnyx, infobip\n";
    assert!(told.contains(changed), "{told}");
    let output = check(&place, &["--against", "live", "--format", "json"]);
    let json: Json = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["ok"], true);
    let change = &json["against"]["comparison"]["changes"][0];
    assert_eq!(change["countries"], serde_json::json!(["SG"]));
    assert_eq!(change["channel"], "sms");
    assert_eq!(change["loses_all"], false);
    let vendors = &change["differences"][0];
    assert_eq!(vendors["what"], "vendors");
    assert_eq!(vendors["before"], "vonage, telnyx");
}

#[test]
fn a_country_that_loses_every_vendor_is_loud() {
    let place = with_live_rules();
    let rule = "[[rule]]\nname = \"none\"\nwhen = { country = \"BR\" }\ndeny = \"none there\"\n";
    place.write("routing-rules/00-first.toml", rule);
    let rules = std::fs::read_to_string(place.0.join("routing-rules/20-rules.toml")).expect("it");
    place.write(
        "routing-rules/20-rules.toml",
        &rules.replace("+5511961234567", "+27711234567"),
    );
    let output = check(&place, &["--against", "live"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let told = out(&output);
    let mut lines = told.lines().skip(1);
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("NOTHING IS SENT ANY MORE: BR "), "{told}");
}

#[test]
fn problems_of_the_other_rules_are_told_as_theirs() {
    let place = with_directory();
    place.write("live/a.toml", "[[rule]]\nname = \"x\"\nchain = \"y\"\n");
    let output = check(&place, &["--against", "live"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("the other rules have problems of their own"));
    assert!(err(&output).contains("unknown chain `y`"));
    let output = check(&place, &["--against", "nowhere", "--format", "json"]);
    let json: Json = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["against"]["ok"], false);
    place.write("routing-rules/90.toml", "x = 1\n");
    let output = check(&place, &["--against", "live"]);
    assert_eq!(output.status.code(), Some(78));
}
