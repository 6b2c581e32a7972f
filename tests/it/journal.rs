//! A journal that cannot be written: loud, and no reason not to send.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::router::{NUMBER, Router, hook_call, provider, status};

/// Holds the database's write lock, as a stuck disk would.
fn hold(router: &Router) -> rusqlite::Connection {
    let path = router.place.0.join("data/trunkline.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

async fn readiness(router: &Router) -> u16 {
    let url = format!("{}/readyz", router.admin);
    router
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn with_the_journal_stuck_the_vendor_is_called_all_the_same() {
    let router = Router::start("");
    assert_eq!(readiness(&router).await, 200);
    let held = hold(&router);
    let began = Instant::now();
    let answer = router.call(&hook_call(NUMBER)).await;
    assert!(began.elapsed() < Duration::from_millis(1_500));
    assert_eq!(
        (status(&answer), provider(&answer)),
        ("SUCCESSFUL", "twilio")
    );
    router
        .wait_for("unreadiness", async || readiness(&router).await == 503)
        .await;
    held.execute_batch("ROLLBACK").unwrap();
    drop(held);
    router
        .wait_for("readiness", async || readiness(&router).await == 200)
        .await;
}

#[tokio::test]
async fn when_neither_journal_nor_vendor_can_be_reached_okta_must_help_itself() {
    let router = Router::start("");
    router.steer_all("refuse").await;
    // A preview uses up the connections that were open; what follows finds nobody there.
    let mut preview = hook_call(NUMBER);
    preview["data"]["context"]["request"]["url"]["value"] = json!("/x/generatePreview");
    let preview = router.call(&preview).await;
    router.delivery(&preview, |d| d["state"] == "closed").await;
    let held = hold(&router);
    let began = Instant::now();
    let response = router.post(&hook_call(NUMBER)).await;
    assert_eq!(response.status(), 503);
    assert!(began.elapsed() < Duration::from_millis(1_500));
    // Nobody owns it now, so nothing may be sent later, when Okta has sent its own.
    router.steer_all("accept").await;
    held.execute_batch("ROLLBACK").unwrap();
    let disowned = r#"trunkline_deliveries_total{channel="sms",country="SG",outcome="disowned"} 1"#;
    router
        .wait_for("the end", async || {
            router.metrics().await.contains(disowned)
        })
        .await;
    assert!(router.sandbox().await.iter().all(|v| v["accepted"] == 0));
}

#[tokio::test]
async fn a_second_process_and_a_wrong_key_are_refused_before_any_port_is_opened() {
    let mut router = Router::start("[journal]\nkey = \"0123456789abcdef\"\n");
    let second = |place: &std::path::Path| {
        let output = std::process::Command::new(crate::router::BINARY)
            .args(["serve", "--sandbox"])
            .current_dir(place)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), told)
    };
    let (code, told) = second(&router.place.0);
    assert_eq!(code, Some(78), "{told}");
    assert!(told.contains("trunkline.db"), "{told}");
    assert_eq!(router.stop(), Some(0));
    let config = crate::router::with_ports("[journal]\nkey = \"another-key-of-16\"\n");
    router.place.write("trunkline.toml", &config);
    let (code, told) = second(&router.place.0);
    assert_eq!(code, Some(78), "{told}");
    assert!(!told.contains("serving"), "{told}");
}
