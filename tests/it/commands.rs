//! The subcommands, as a person runs them.

use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::router::{BINARY, NUMBER, Place, Router};

pub(crate) fn run(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command
        .args(args)
        .current_dir(&place.0)
        .env_remove("TRUNKLINE_LOG");
    command.output().expect("the binary starts")
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_is_content_with_what_is_shipped() {
    let place = Place::new("");
    let output = run(&place, &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("fine: "), "{}", out(&output));
}

#[test]
fn check_tells_every_problem_of_every_file_at_once() {
    let place = Place::new(
        "[vendors.twilio]\ncredentials = { account_sd = \"env:PATH\" }\nrate = \"fast\"\n",
    );
    place.write(
        "routing-rules/50-more.toml",
        "[[rule]]\nname = \"x\"\nchain = \"sg-smss\"\n",
    );
    place.write("vendors/broken.toml", "[sms]\npath = \"/{tou}\"\n");
    let output = run(&place, &["check"]);
    assert_eq!(output.status.code(), Some(78));
    let told = err(&output);
    for expected in [
        "`twilio` has no credential `auth_token`",
        "`twilio` takes no credential `account_sd`",
        "did you mean `account_sid`?",
        "`fast` is not a rate",
        "unknown chain `sg-smss`",
        "did you mean `sg-sms`?",
        "there is no slot `{tou}` here",
        "routing-rules/50-more.toml:3:9",
    ] {
        assert!(told.contains(expected), "{expected} not in\n{told}");
    }
    let output = run(&place, &["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(78));
    let json: Json = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["ok"], false);
    let problems = json["problems"].as_array().unwrap();
    let chain = problems
        .iter()
        .find(|p| p["message"] == "unknown chain `sg-smss`");
    let chain = chain.unwrap();
    assert_eq!(
        (&chain["line"], &chain["column"]),
        (&Json::from(3), &Json::from(9))
    );
}

#[test]
fn explain_says_what_would_be_done_and_why() {
    let place = Place::new("");
    let output = run(&place, &["explain", NUMBER, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let json: Json = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["to"], NUMBER);
    assert_eq!(json["country"], "SG");
    assert_eq!(json["number_type"], "mobile");
    assert_eq!(json["rule"], "singapore");
    assert_eq!(json["chain"], "sg-sms");
    assert_eq!(json["vendors"][0], "twilio");
    assert_eq!(json["text"]["encoding"], "GSM-7");
    assert_eq!(json["text"]["parts"], 1);
    let output = run(&place, &["explain", "+19002345678"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("nothing would be sent: number type"));
    let output = run(&place, &["explain", "+1", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn serve_without_accounts_says_how_to_try_it() {
    let place = Place::new("");
    let output = run(&place, &["serve"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(
        err(&output).contains("trunkline serve --sandbox"),
        "{}",
        err(&output)
    );
    let output = run(&place, &["serve", "--vendor", "twilio=silent"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn send_plays_okta_and_deliveries_answers_the_support_desk() {
    let place = Arc::new(Place::new(""));
    let args = ["--sandbox", "--vendor", "twilio=reject:21606"];
    let router = Router::start_in(place, &args);
    let output = run(
        &router.place,
        &["send", NUMBER, "--url", &router.hook, "--event", "e1"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let told = out(&output);
    assert!(
        told.contains("status       SUCCESSFUL\nprovider     vonage"),
        "{told}"
    );
    let of = |event| {
        let args = ["deliveries", "--event", event, "--admin", &router.admin];
        run(&router.place, &args)
    };
    // What nobody waits for reaches the journal a few milliseconds later.
    let accepted = async || out(&of("e1")).contains("vonage: accepted");
    router.wait_for("the acceptance", accepted).await;
    let told = out(&of("e1"));
    for expected in ["SG by sms to +6591••••67", "twilio: rejected sender 21606"] {
        assert!(told.contains(expected), "{expected} not in\n{told}");
    }
    assert_eq!(of("e2").status.code(), Some(1));
    let wrong = router.hook.replace("telephony", "telefony");
    let output = run(&router.place, &["send", NUMBER, "--url", &wrong]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("Okta would send the message itself"));
}
