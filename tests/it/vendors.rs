//! Vendors are listed, asked without being called, and called once, as a person at a terminal does it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

use crate::commands::{err, out, run};
use crate::far_end::{FarEnd, PUBLIC_URL, report_at, sid};
use crate::router::{BINARY, NUMBER, Place, client};

/// Sends one simulated message.
fn send(place: &Place, vendor: &str, more: &[&str]) -> Output {
    let args = [
        "vendors",
        "try",
        vendor,
        NUMBER,
        "--sandbox",
        "--yes",
        "--yes",
    ];
    run(place, &[&args[..], more].concat())
}

fn dry_run(place: &Place, vendor: &str, more: &[&str]) -> Output {
    let args = ["vendors", "try", vendor, NUMBER, "--dry-run"];
    run(place, &[&args[..], more].concat())
}

fn check_told(told: &str, expected: &[&str]) {
    for expected in expected {
        assert!(told.contains(expected), "{expected} not in\n{told}");
    }
}

/// The next line in which this stands.
fn line(told: &mut impl BufRead, wanted: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(told.read_line(&mut line).expect("a line"), 0, "no {wanted}");
        if line.contains(wanted) {
            return line.trim_end().to_owned();
        }
    }
}

/// The shipped definitions' names.
fn shipped(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.0.join("vendors")).expect("a directory");
    let names = entries.map(|e| {
        e.expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    names
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect()
}

#[test]
fn every_definition_is_listed_in_each_format() {
    let place = Place::new(
        "[vendors.main]\ndefinition = \"twilio\"\ncredentials = { account_sid = \"env:NOT_SET\" }\n",
    );
    let list = |format| {
        let output = run(&place, &["vendors", "list", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let (human, markdown) = (list("human"), list("markdown"));
    let json: Json = serde_json::from_str(&list("json")).expect("JSON");
    let json = json.as_array().expect("a list");
    let names = shipped(&place);
    assert_eq!(json.len(), names.len());
    assert_eq!(human.lines().count(), names.len() + 1);
    assert_eq!(markdown.lines().count(), names.len() + 2);
    for name in &names {
        assert!(
            human
                .lines()
                .any(|line| line.starts_with(&format!("{name} ")))
        );
        assert!(markdown.contains(&format!("\n| {name} | ")));
        assert!(json.iter().any(|one| one["definition"] == **name));
    }
    check_told(
        &human,
        &[
            "accounts",
            "main",
            "none",
            "address only",
            "hmac_sha1_url_params",
        ],
    );
    assert!(!markdown.contains("accounts"), "{markdown}");
    let twilio = json.iter().find(|one| one["definition"] == "twilio");
    let twilio = twilio.expect("a vendor");
    assert_eq!(twilio["accounts"], serde_json::json!(["main"]));
    assert_eq!(twilio["channels"][0]["channel"], "sms");
    assert_eq!(twilio["channels"][0]["receipts"], "message");
    assert_eq!(twilio["channels"][0]["validity"]["most"], 36000);
}

#[test]
fn each_shipped_definition_shows_its_request() {
    let place = Place::new("[hook]\npublic_url = \"https://otp.example\"\n");
    let output = run(&place, &["vendors", "list", "--format", "json"]);
    let listed: Json = serde_json::from_str(&out(&output)).expect("JSON");
    for one in listed.as_array().expect("a list") {
        let name = one["definition"].as_str().expect("a name");
        for offer in one["channels"].as_array().expect("channels") {
            if offer["sends_nothing"] == true {
                continue;
            }
            let channel = offer["channel"].as_str().expect("a channel");
            let output = dry_run(&place, name, &["--sandbox", "--channel", channel]);
            assert_eq!(output.status.code(), Some(0), "{name}: {}", err(&output));
            let told = out(&output);
            let first = told.lines().next().expect("a line");
            assert!(first.contains(" http"), "{name}: {told}");
            check_told(&told, &[&NUMBER[1..]]);
            if offer["receipts"] == "message" {
                check_told(&told, &[&format!("/receipts/{name}/REFERENCE")]);
            }
        }
    }
}

#[test]
fn a_dry_run_shows_everything_but_secrets() {
    let place = Place::new("");
    place.write("sid", "AC5ecre7\n");
    place.write("token", "t0p-5ecre7\n");
    let account = "[vendors.main]\ndefinition = \"twilio\"\nfrom = \"+15005550006\"\n\
                   credentials = { account_sid = \"file:sid\", auth_token = \"file:token\" }\n";
    place.write("trunkline.toml", account);
    let output = dry_run(
        &place,
        "main",
        &["--text", "Code: {code}", "--from", "ACME"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let told = out(&output);
    let url = "POST https://api.twilio.com/2010-04-01/Accounts/•••(account_sid)/Messages.json\n";
    let fields = "To = +6591234567\nFrom = ACME\nBody = Code: 123456\n";
    check_told(
        &told,
        &[url, "base64(•••(account_sid):•••(auth_token))", fields],
    );
    assert!(!told.contains("5ecre7"), "{told}");
    assert!(
        err(&output).contains("without `public_url`"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_simulated_account_is_shown_where_our_address_would_stand() {
    let place = Place::new("");
    let output = dry_run(&place, "bandwidth", &["--sandbox", "--channel", "voice"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(err(&output), "");
    let addresses = [
        "https://PUBLIC_URL/voice/REFERENCE",
        "https://PUBLIC_URL/receipts/bandwidth/REFERENCE",
    ];
    check_told(&out(&output), &addresses);
}

#[test]
fn what_cannot_be_asked_for_is_told_with_a_hint() {
    let place = Place::new("");
    let check = |vendor: &str, more: &[&str], code: i32, expected: &[&str]| {
        let output = dry_run(&place, vendor, more);
        assert_eq!(output.status.code(), Some(code), "{}", err(&output));
        check_told(&err(&output), expected);
    };
    let unknown = ["there is no vendor `twilo`", "did you mean `twilio`?"];
    check("twilo", &["--sandbox"], 2, &unknown);
    place.write("secret", "s\n");
    let account = "[vendors.main]\ndefinition = \"vonage\"\n\
                   credentials = { api_key = \"file:secret\", api_secret = \"file:secret\" }\n";
    place.write("trunkline.toml", account);
    let lacking = ["`main` has no credential `private_key`, which voice needs"];
    check(
        "main",
        &["--channel", "voice", "--from", "+15005550006"],
        78,
        &lacking,
    );
    check(
        "main",
        &[],
        2,
        &["`main` must be told who the message comes from", "--from"],
    );
    check(
        "twilio",
        &[],
        78,
        &["no account for `twilio` is configured"],
    );
    let output = run(&place, &["vendors", "try", "main", "+12", "--dry-run"]);
    assert_eq!(output.status.code(), Some(2));
    check_told(&err(&output), &["no plan has numbers of that length"]);
    place.write(
        "trunkline.toml",
        "[vendors.vonage]\ncredentials = { api_key = \"file:secret\" }\n",
    );
    check(
        "vonage",
        &[],
        78,
        &["`vonage` has no credential `api_secret`"],
    );
    let text = fs::read_to_string(place.0.join("vendors/vonage.toml")).expect("a definition");
    let (sms, _) = text.split_once("\n[voice]").expect("its channels");
    place.write("vendors/texts-only.toml", sms);
    let no_channel = ["`texts-only` has no channel `voice`", "it has `sms`"];
    check(
        "texts-only",
        &["--sandbox", "--channel", "voice"],
        2,
        &no_channel,
    );
}

#[test]
fn one_message_is_sent_and_its_receipts_are_heard() {
    let place = Place::new("");
    for channel in ["sms", "voice"] {
        let output = send(&place, "twilio", &["--channel", channel]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}{}",
            out(&output),
            err(&output)
        );
        let told = out(&output);
        check_told(
            &told,
            &[
                "verdict     accepted",
                "message id  ",
                "  intermediate, code ",
                "  delivered, code ",
            ],
        );
        let plan = err(&output);
        check_told(
            &plan,
            &[
                "twilio (definition `twilio`)",
                "+6591••••67",
                "/receipts/twilio/...",
            ],
        );
        assert!(!(told + &plan).contains(NUMBER));
    }
}

#[test]
fn what_fails_is_a_failure_of_the_command() {
    let place = Place::new("");
    let output = send(&place, "twilio", &["--behaviour", "reject:21211"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let told = out(&output);
    check_told(
        &told,
        &[
            "verdict     rejected",
            "reason      invalid_number",
            "code        21211",
        ],
    );
    assert!(!told.contains("after the send"), "{told}");
    let output = send(&place, "twilio", &["--behaviour", "undelivered:30006"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    check_told(
        &out(&output),
        &["verdict     accepted", "failed, not_mobile, code 30006"],
    );
}

#[test]
fn what_is_not_heard_is_no_failure() {
    let place = Place::new("");
    let output = send(&place, "twilio", &["--behaviour", "forged", "--wait", "1s"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    check_told(
        &out(&output),
        &["refused: forged", "no final receipt within 1s"],
    );
    let output = send(&place, "twilio", &["--wait", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(!out(&output).contains("receipt"), "{}", out(&output));
}

#[test]
fn nothing_is_sent_where_nobody_could_be_asked_or_heard() {
    let place = Place::new("");
    let args = ["vendors", "try", "twilio", NUMBER, "--sandbox"];
    let ask = |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .args(more)
            .current_dir(&place.0)
            .stdin(Stdio::null());
        command.output().expect("the binary starts")
    };
    for more in [&[][..], &["--yes"]] {
        let output = ask(more);
        assert_eq!(output.status.code(), Some(2), "{}", err(&output));
        check_told(&err(&output), &["there is no terminal", "--yes --yes"]);
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|a| (a.to_string(), taken));
    let (address, _held) = taken.expect("an address");
    let output = send(&place, "twilio", &["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    check_told(
        &err(&output),
        &["is in use", "nothing was sent", "--wait 0"],
    );
    assert_eq!(out(&output), "");
}

#[test]
fn an_interruption_ends_the_waiting_and_keeps_the_verdict() {
    let place = Place::new("");
    let mut command = Command::new(BINARY);
    command.args([
        "vendors",
        "try",
        "twilio",
        NUMBER,
        "--sandbox",
        "--yes",
        "--yes",
    ]);
    command.args(["--behaviour", "unreported"]);
    command
        .current_dir(&place.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    let mut told = BufReader::new(child.stdout.take().expect("its output"));
    line(&mut told, "took");
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &id]).status();
    assert!(sent.expect("the command").success());
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("the rest");
    assert_eq!(rest, "no longer waited for; a receipt may still come\n");
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_vendors_receipts_are_told_from_those_of_other_messages() {
    let far_end = FarEnd::start().await;
    let place = far_end.place();
    let mut command = Command::new(BINARY);
    command.args(["vendors", "try", "twilio", NUMBER, "--yes", "--yes"]);
    command
        .current_dir(&place.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut plan = BufReader::new(child.stderr.take().expect("its notes"));
    let heard = line(&mut plan, "heard at");
    let (_, address) = heard.rsplit_once(' ').expect("an address");
    let mut told = BufReader::new(child.stdout.take().expect("its output"));
    assert_eq!(
        line(&mut told, "message id"),
        format!("message id  {}", sid(1))
    );
    assert_eq!(far_end.asked()[0]["To"], NUMBER);
    let own = far_end.report_path();
    assert!(own.starts_with("/receipts/twilio/"), "{own}");
    let (client, base) = (client(), format!("http://{address}"));
    let report = async |path: &str, sid: &str, status: &str| {
        let fields = [("MessageSid", sid), ("MessageStatus", status)];
        report_at(&client, &base, path, &fields).await
    };
    let shared = "/receipts/twilio";
    assert_eq!(report(shared, &sid(2), "delivered").await, 503);
    assert_eq!(report("/receipts/infobip", &sid(1), "delivered").await, 404);
    assert_eq!(report("/healthz", &sid(1), "delivered").await, 404);
    assert_eq!(report(&own, &sid(1), "sent").await, 200);
    assert_eq!(report(shared, &sid(1), "delivered").await, 200);
    line(&mut told, "of another message");
    line(&mut told, "intermediate, code sent");
    line(&mut told, "delivered, code delivered");
    assert_eq!(child.wait().expect("its end").code(), Some(0));

    let config = fs::read_to_string(place.0.join("trunkline.toml")).expect("the configuration");
    place.write(
        "trunkline.toml",
        &config.replace(&format!("public_url = \"{PUBLIC_URL}\""), ""),
    );
    let output = run(
        &place,
        &["vendors", "try", "twilio", NUMBER, "--yes", "--yes"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    check_told(
        &err(&output),
        &["receipts  none can come: `[hook]` has no `public_url`"],
    );
    assert!(!far_end.asked()[1].contains_key("StatusCallback"));
}
