//! A vendor that nobody has is one file in `vendors/`: everything works with it, and no line of Rust is touched.

use std::process::Command;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::router::{BINARY, Place, Router, hook_call, number, only_rules, provider};

/// The one file.
const DEFINITION: &str = include_str!("../data/northwind.toml");
const CONFIG: &str = "[vendors.northwind]\nfrom = \"+6580000001\"\nregion = \"north\"\n";
const RULES: &str = "[chains.all]\nvendors = [\"northwind\"]\non_failed_receipt = \"stop\"\n\
                     [[rule]]\nname = \"all\"\nwhen = { country = \"SG\" }\nchain = \"all\"\n";

fn place() -> Arc<Place> {
    let place = Place::new(CONFIG);
    place.write("vendors/northwind.toml", DEFINITION);
    Arc::new(place)
}

/// Runs the binary; gives what it printed, and demands that all is well.
fn run(place: &Place, args: &[&str]) -> String {
    let output = Command::new(BINARY)
        .args(args)
        .current_dir(&place.0)
        .output();
    let output = output.expect("the binary runs");
    let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{args:?}: {err}");
    String::from_utf8_lossy(&out).into_owned()
}

#[tokio::test]
async fn an_invented_vendor_delivers_refuses_reports_and_calls() {
    let router = Router::start_in(place(), &["--sandbox"]);
    only_rules(&router, RULES).await;
    let send = async |n: usize, channel: &str| {
        let mut call = hook_call(&number(n));
        call["data"]["messageProfile"]["deliveryChannel"] = json!(channel);
        call["data"]["userProfile"]["userId"] = json!(format!("00u{n}"));
        router.call(&call).await
    };
    let closed = |d: &Json| d["state"] == "closed";
    for (n, channel) in ["SMS", "CALL"].into_iter().enumerate() {
        let answer = send(n, channel).await;
        assert_eq!(provider(&answer), "northwind");
        let delivery = router.delivery(&answer, closed).await;
        assert_eq!(delivery["outcome"], "delivered", "{delivery:#}");
    }
    router.steer("northwind", "reject").await;
    let refused = router.delivery(&send(2, "SMS").await, closed).await;
    let attempt = &refused["attempts"][0];
    assert_eq!(attempt["reason"], "invalid_number", "{refused:#}");
    assert_eq!(attempt["code"], "E41");
    router.steer("northwind", "undelivered:E52").await;
    let failed = |d: &Json| d["receipts"][0]["status"] == "failed";
    let lost = router.delivery(&send(3, "SMS").await, failed).await;
    assert_eq!(lost["receipts"][0]["reason"], "not_mobile", "{lost:#}");
    router.steer("northwind", "forged").await;
    send(4, "SMS").await;
    let counted = "trunkline_receipts_total{status=\"forged\",vendor=\"northwind\"} 1\n";
    router
        .wait_for(counted, async || router.metrics().await.contains(counted))
        .await;
}

#[test]
fn every_command_knows_an_invented_vendor() {
    let place = place();
    for shipped in ["20-rules", "30-guard", "40-switches"] {
        place.write(&format!("routing-rules/{shipped}.toml"), "");
    }
    place.write("routing-rules/10-chains.toml", RULES);
    run(&place, &["check", "--sandbox"]);
    let explained = run(&place, &["explain", "--sandbox", "+6591234567"]);
    assert!(explained.contains("northwind"), "{explained}");
    let listed = run(&place, &["vendors", "list", "--sandbox"]);
    let line = listed.lines().find(|line| line.starts_with("northwind"));
    assert!(line.expect("a line").contains("hmac_sha256"), "{listed}");
    let dry = [
        "vendors",
        "try",
        "northwind",
        "+6591234567",
        "--sandbox",
        "--dry-run",
    ];
    let shown = run(&place, &dry);
    assert!(
        shown.starts_with("GET https://api.northwind.example/send/"),
        "{shown}"
    );
    assert!(
        !shown.contains("nw-1") && !shown.contains("bm9ydGh3"),
        "{shown}"
    );
    for channel in ["sms", "voice"] {
        let real = [
            "vendors",
            "try",
            "northwind",
            "+6591234567",
            "--sandbox",
            "--yes",
            "--yes",
        ];
        let said = run(&place, &[&real[..], &["--channel", channel]].concat());
        assert!(said.contains("delivered"), "{said}");
    }
}
