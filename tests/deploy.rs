//! What is in `deploy/` fits the program: metric names, labels, the example configuration, the copied directories.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// Labels that Prometheus itself adds.
const SCRAPED: [&str; 3] = ["le", "job", "instance"];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(project().join(file)).expect("a file of the project")
}

/// Every metric's labels, read from the one list of metrics.
fn metrics() -> BTreeMap<String, BTreeSet<String>> {
    let source = read("src/telemetry.rs");
    let mut metrics = BTreeMap::new();
    for (at, _) in source.match_indices("\"trunkline_") {
        let rest = &source[at + 1..];
        let name = rest.split('"').next().expect("its name").to_owned();
        // A metric's definition ends with `)?`; its labels are in the last brackets before that.
        let definition = rest.split(")?").next().expect("its end");
        let labels = definition
            .rsplit_once("&[")
            .map_or("", |(_, labels)| labels);
        let labels = labels.split('"').skip(1).step_by(2).map(str::to_owned);
        metrics.insert(name, labels.collect());
    }
    assert!(metrics.len() > 15, "{metrics:?}");
    metrics
}

/// Every query of the dashboard and the alerts.
fn queries() -> Vec<String> {
    let dashboard: Json = serde_json::from_str(&read("deploy/grafana/trunkline.json"))
        .expect("the dashboard is JSON");
    let mut queries = Vec::new();
    collect(&dashboard, &mut queries);
    assert!(queries.len() > 20, "{}", queries.len());
    let alerts = read("deploy/prometheus/alerts.yml");
    let rules: Vec<&str> = alerts.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 10, "{}", rules.len());
    for rule in rules {
        let (_, rest) = rule.split_once("expr: ").expect("a query");
        let query = rest.split("\n        labels:").next().expect("its end");
        for needed in ["severity:", "summary:", "runbook:"] {
            assert!(rule.contains(needed), "{rule}");
        }
        queries.push(query.to_owned());
    }
    queries
}

fn collect(json: &Json, queries: &mut Vec<String>) {
    match json {
        Json::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(query) if name == "expr" || name == "definition" => {
                        queries.push(query.to_owned());
                    }
                    Some(_) | None => collect(value, queries),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, queries)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[test]
fn every_metric_and_label_in_dashboard_and_alerts_exists() {
    let metrics = metrics();
    for query in queries() {
        let mut known = BTreeSet::new();
        for (at, _) in query.match_indices("trunkline_") {
            let name: String = query[at..].chars().take_while(|c| is_word(*c)).collect();
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|base| metrics.contains_key(*base))
                .unwrap_or(&name);
            let labels = metrics.get(base);
            known.extend(labels.unwrap_or_else(|| panic!("no metric `{name}`: {query}")));
            // The matchers directly behind the name.
            let rest = &query[at + name.len()..];
            let matchers = rest.strip_prefix('{').and_then(|r| r.split('}').next());
            for matcher in matchers.unwrap_or_default().split("\",") {
                let label: String = matcher.trim().chars().take_while(|c| is_word(*c)).collect();
                let fits = label.is_empty() || labels.is_some_and(|l| l.contains(&label));
                assert!(fits, "`{name}` has no label `{label}`: {query}");
            }
        }
        for by in query.split("by (").skip(1) {
            let labels = by.split(')').next().expect("its end");
            for label in labels.split(',').map(str::trim) {
                let fits = SCRAPED.contains(&label) || known.iter().any(|k| *k == label);
                assert!(fits, "nothing has the label `{label}`: {query}");
            }
        }
    }
}

#[test]
fn the_example_configuration_is_one() {
    let dir = std::env::temp_dir().join(format!("trunkline-deploy-{}", std::process::id()));
    let secrets = dir.join("secrets");
    fs::create_dir_all(&secrets).expect("a directory");
    fs::write(dir.join("trunkline.toml"), read("deploy/trunkline.toml")).expect("a file");
    for secret in ["okta-hook-next", "twilio"] {
        fs::write(secrets.join(secret), "secret\n").expect("a file");
    }
    for shipped in ["routing-rules", "vendors"] {
        let link = dir.join(shipped);
        std::os::unix::fs::symlink(project().join(shipped), link).expect("a link");
    }
    let mut check = Command::new(env!("CARGO_BIN_EXE_trunkline"));
    check
        .args(["check", "--config"])
        .arg(dir.join("trunkline.toml"));
    for name in [
        "OKTA_HOOK_SECRET",
        "TRUNKLINE_ADMIN_TOKEN",
        "TWILIO_ACCOUNT_SID",
        "VONAGE_API_KEY",
        "VONAGE_API_SECRET",
        "TELNYX_API_KEY",
        "TELNYX_PUBLIC_KEY",
        "INFOBIP_API_KEY",
    ] {
        check.env(name, "a-secret-from-the-environment");
    }
    let output = check.output().expect("the binary starts");
    let told = String::from_utf8_lossy(&output.stderr);
    fs::remove_dir_all(&dir).expect("the directory goes");
    assert_eq!(output.status.code(), Some(0), "{told}");
}

#[test]
fn what_the_image_copies_is_there() {
    let file = read("deploy/Containerfile");
    for line in file
        .lines()
        .filter(|l| l.starts_with("COPY") && !l.contains("--from"))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (sources, _) = words[1..].split_at(words.len() - 2);
        for source in sources {
            let path: PathBuf = project().join(source);
            assert!(path.exists(), "{line}");
        }
    }
    assert!(read("deploy/trunkline.service").contains("trunkline serve --config"));
}
