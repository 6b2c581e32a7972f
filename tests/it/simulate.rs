//! `trunkline simulate`, as a person runs it.

use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::router::{BINARY, Place};

const SCENARIO: &str = "
name = \"the first vendor is gone\"
lasts = \"10m\"
[[traffic]]
country = \"SG\"
rate = \"1/s\"
[[change]]
vendor = \"twilio\"
from = \"5m\"
errors = \"100%\"
as = \"refuse\"
";

fn simulate(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command
        .arg("simulate")
        .args(args)
        .current_dir(&place.0)
        .env_remove("TRUNKLINE_LOG");
    command.output().expect("the binary starts")
}

#[test]
fn rules_stand_beside_one_vendor_and_beside_other_rules() {
    let place = Place::new("");
    place.write("one.toml", SCENARIO);
    place.write("two.toml", SCENARIO);
    std::fs::create_dir_all(place.0.join("other")).unwrap();
    place.write(
        "other/rules.toml",
        "[chains.one]\nvendors = [\"twilio\"]\n[[rule]]\nname = \"one\"\nchain = \"one\"\n\
         [guard]\nallow_countries = [\"*\"]\n",
    );
    let args = ["one.toml", "two.toml", "--against", "other", "--sandbox"];
    let files = ["--json", "out.json", "--svg", "out.svg"];
    let output = simulate(&place, &[&args[..], &files[..]].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        table.matches("the first vendor is gone").count(),
        2,
        "{table}"
    );
    let json = std::fs::read_to_string(place.0.join("out.json")).unwrap();
    let json: Json = serde_json::from_str(&json).unwrap();
    let columns = json["scenarios"][0]["contenders"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().filter_map(|c| c["name"].as_str()).collect();
    assert_eq!(names, ["one vendor", "rules", "other"]);
    let within = |column: usize| columns[column]["total"]["within_30s"].as_f64().unwrap();
    assert!(within(0) < 0.6 && within(1) > 0.9, "{table}");
    // Another round finds the only vendor as it was.
    assert!(within(2) < within(1), "{table}");
    let svg = std::fs::read_to_string(place.0.join("out.svg")).unwrap();
    assert!(svg.contains("the first vendor is gone"));
}

#[test]
fn what_is_wrong_in_a_scenario_is_told_and_nothing_is_run() {
    let place = Place::new("");
    place.write("bad.toml", "name = \"x\"\nlasts = \"1h\"\nlatency = 3\n");
    let output = simulate(&place, &["bad.toml", "none.toml", "--sandbox"]);
    assert_eq!(output.status.code(), Some(78));
    let told = String::from_utf8_lossy(&output.stderr);
    for expected in [
        "bad.toml:3:1",
        "unknown key `latency`",
        "cannot read `none.toml`",
    ] {
        assert!(told.contains(expected), "{expected} not in\n{told}");
    }
    assert_eq!(simulate(&place, &[]).status.code(), Some(2));
    let output = simulate(&place, &["bad.toml", "--rate-scale", "0"]);
    assert_eq!(output.status.code(), Some(2));
}
