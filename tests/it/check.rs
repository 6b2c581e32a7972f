//! What `trunkline check` says beyond problems: the shipped rules are clean, and a draft is held against what is live.

use std::process::Output;

use serde_json::Value as Json;

use crate::commands::{err, out, run};
use crate::router::Place;

fn check(place: &Place, args: &[&str]) -> Output {
    run(place, &[&["check", "--sandbox"], args].concat())
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
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("the other rules have problems of their own"));
    assert!(err(&output).contains("unknown chain `y`"));
    let output = check(&place, &["--against", "nowhere", "--format", "json"]);
    let json: Json = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(json["against"]["ok"], false);
    place.write("routing-rules/90.toml", "x = 1\n");
    let output = check(&place, &["--against", "live"]);
    assert_eq!(output.status.code(), Some(78));
}

/// Rules of two orgs with a chain each, and a text for French.
const TWO_ORGS: &str = r#"
[chains.a]
vendors = ["twilio", "vonage"]
[chains.b]
vendors = ["telnyx", "infobip"]
[[rule]]
name = "acme"
when = { country = "SG", org = "acme", channel = "sms" }
chain = "a"
[[rule]]
name = "others"
when = { country = "SG", channel = "sms" }
chain = "b"
[[template]]
name = "french"
locale = ["fr"]
vendor = ["twilio", "vonage"]
text = "Votre code est {code}"
"#;

/// A place with these rules, and others of which only one text differs.
fn with_two_texts(rules: &str, text: &str, other: &str) -> Place {
    let place = with_directory();
    for name in ["10-chains", "20-rules", "30-guard", "40-switches"] {
        place.write(&format!("routing-rules/{name}.toml"), "");
    }
    place.write("routing-rules/10-chains.toml", &rules.replace(text, other));
    place.write("live/10-chains.toml", rules);
    place
}

#[test]
fn a_text_that_one_orgs_messages_get_is_never_called_no_change() {
    let place = with_two_texts(TWO_ORGS, "Votre code", "Ton code");
    let output = check(&place, &["--against", "live"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(!err(&output).contains("no message"), "{}", err(&output));
    let told = out(&output);
    let changed =
        "SG sms (org acme, locale fr): text \"Votre code est 123456\" -> \"Ton code est 123456\"\n";
    assert!(told.contains(changed), "{told}");
    assert!(!told.contains("nothing changes"), "{told}");
}

#[test]
fn what_could_not_be_looked_at_is_loud() {
    let axis = |key: &str| -> String {
        let rules = (0..20).map(|i| {
            let when = format!("when = {{ {key} = \"{key}{i}\", channel = \"sms\" }}");
            format!("[[rule]]\nname = \"{key}{i}\"\n{when}\nchain = \"b\"\n")
        });
        rules.collect()
    };
    let rules = ["user", "org", "request_type"].map(axis).concat();
    let rules = TWO_ORGS.replacen("[[rule]]", &format!("{rules}[[rule]]"), 1);
    let rules = rules.replace("vendor = [\"twilio\", \"vonage\"]", "channel = \"voice\"");
    let place = with_two_texts(&rules, "Votre code", "Ton code");
    let output = check(&place, &["--against", "live"]);
    let told = out(&output);
    let loud = "NOT EVERYTHING WAS LOOKED AT: MORE MAY CHANGE THAN IS TOLD HERE\n";
    assert!(told.contains(loud), "{told}{}", err(&output));
    let unshown = "template french is written differently, and no probe shows where: text \"Votre code est {code}\" -> \"Ton code est {code}\"\n";
    assert!(told.contains(unshown), "{told}");
    let output = check(&place, &["--against", "live", "--format", "json"]);
    let json: Json = serde_json::from_str(&out(&output)).expect("JSON");
    let comparison = &json["against"]["comparison"];
    assert_eq!(comparison["is_complete"], false);
    assert_eq!(comparison["unshown"][0]["name"], "french");
}

#[test]
fn equal_rules_change_nothing_and_it_is_said() {
    let place = with_two_texts(TWO_ORGS, "Votre code", "Votre code");
    let told = out(&check(&place, &["--against", "live"]));
    assert!(told.contains("\nnothing changes\n"), "{told}");
}
