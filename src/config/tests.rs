//! What a configuration file may say, and what it is told when it says something else.

use std::cell::RefCell;
use std::io;
use std::path::Path;

use super::*;
use crate::problem::Problems;

fn read(text: &str, sandbox: bool) -> (Config, Vec<String>) {
    let problems = RefCell::new(Problems::default());
    let around = Surroundings {
        dir: Path::new("/etc/trunkline"),
        sandbox,
        stand_ins: false,
        env: &|name| (name == "SECRET").then(|| "from-env".to_owned()),
        file: &|path| {
            if path == Path::new("/etc/trunkline/secret") {
                return Ok("from-file\n".to_owned());
            }
            if path == Path::new("/etc/trunkline/empty") {
                return Ok(" \n".to_owned());
            }
            Err(io::ErrorKind::NotFound.into())
        },
    };
    let config = read_config(&Source::new("trunkline.toml", text), &around, &problems);
    let told = problems
        .borrow()
        .sorted()
        .iter()
        .map(|p| p.to_string())
        .collect();
    (config, told)
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (_, told) = read(text, false);
    assert_eq!(told, expected);
}

#[test]
fn an_empty_file_is_the_defaults() {
    let (config, told) = read("", false);
    assert!(told.is_empty());
    assert_eq!(config.hook.answer_within_ms, 1_500);
    assert_eq!(config.hook.max_waiting, 50);
    assert!(config.orgs.is_empty() && config.vendors.is_empty());
}

#[test]
fn a_whole_file_is_read() {
    let text = r#"
region = "eu-west"
[hook]
listen = "0.0.0.0:443"
answer_within = "2s"
pending_as = "PENDING"
[[org]]
name = "acme"
host = ["ACME.okta.com"]
okta_failover = "disabled"
default_country = "us"
auth = [ { header = "Authorization", value = "env:SECRET" } ]
[vendors.one]
definition = "other"
credentials = { key = "file:secret" }
rate = "100/s"
"#;
    let (config, told) = read(text, false);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(&*config.region, "eu-west");
    assert_eq!(config.hook.answer_within_ms, 2_000);
    let org = &config.orgs[0];
    assert_eq!(org.hosts, ["acme.okta.com"]);
    assert_eq!(org.headers[0].value.expose(), "from-env");
    assert!(org.okta_failover_disabled);
    let vendor = &config.vendors[0];
    assert_eq!(vendor.definition.value, "other");
    assert_eq!(vendor.credentials[0].1.expose(), "from-file");
    let rate = Rate {
        count: 100,
        per_ms: 1_000,
    };
    assert_eq!(vendor.rate, Some(rate));
    assert_eq!(config.files, [Path::new("/etc/trunkline/secret")]);
}

#[test]
fn a_literal_secret_is_refused_outside_the_sandbox() {
    let text = "[vendors.a]\ncredentials = { key = \"hunter2\" }";
    check(
        text,
        &[
            "trunkline.toml:2:23: error: a secret may not be written into the file\n  hint: `env:NAME` or `file:PATH`",
        ],
    );
    assert!(read(text, true).1.is_empty());
}

#[test]
fn all_mistakes_are_told_at_once() {
    check(
        "[hook]\nlisten = \"here\"\nanswer_within = \"9s\"\nanswer_wen = 1\n[journal]\nurl = \"redis:\"",
        &[
            "trunkline.toml:2:10: error: `here` is not an address and port\n  hint: such as `127.0.0.1:8080` or `[::]:8080`",
            "trunkline.toml:3:17: error: `9s` is out of range\n  hint: from 200ms to 2900ms",
            "trunkline.toml:4:1: error: unknown key `answer_wen`\n  hint: did you mean `answer_when`?",
            "trunkline.toml:6:7: error: not a journal's address\n  hint: `sqlite:` and a path, such as `sqlite:data/trunkline.db`",
        ],
    );
}

#[test]
fn an_open_admin_listener_needs_a_token() {
    let (_, told) = read("[admin]\nlisten = \"0.0.0.0:9090\"", false);
    assert!(told[0].contains("there is no `token`"), "{told:?}");
}

#[test]
fn rates_are_a_count_and_a_time() {
    let rate = |count, per_ms| Some(Rate { count, per_ms });
    assert_eq!(Rate::parse("100/s"), rate(100, 1_000));
    assert_eq!(Rate::parse("10/10m"), rate(10, 600_000));
    assert_eq!(Rate::parse("40000/day"), rate(40_000, 86_400_000));
    assert_eq!(Rate::parse("0/s"), None);
    assert_eq!(Rate::parse("fast"), None);
}

#[test]
fn a_public_url_is_an_address_that_vendors_can_take() {
    let wrong = "error: `public_url` is the address of the hook listener, without a query\n  \
                 hint: such as `https://otp.example`";
    for url in [
        "otp.example",
        "ftp://otp.example",
        "https://otp.example?a=b",
    ] {
        let text = format!("[hook]\npublic_url = \"{url}\"\n");
        check(&text, &[&format!("trunkline.toml:2:14: {wrong}")]);
    }
    check("[hook]\npublic_url = \"https://otp.example/in\"\n", &[]);
    let long = format!("[hook]\npublic_url = \"https://{}\"\n", "a".repeat(40));
    let told = "trunkline.toml:2:14: warning: `public_url` is longer than 44 characters\n  \
                hint: with what is put behind it, some vendors refuse it: they take 100 characters";
    check(&long, &[told]);
}

#[test]
fn an_empty_secret_is_refused() {
    let text = "[[org]]\nname = \"a\"\nauth = [{ header = \"x\", value = \"file:empty\" }]\n";
    check(
        text,
        &["trunkline.toml:3:33: error: `/etc/trunkline/empty` is empty"],
    );
}
