//! Vendors that fail in every way, and what becomes of the passcode.

use std::time::{Duration, Instant};

use crate::router::{NUMBER, Router, hook_call, number, provider, reason, status};

/// With the first vendor behaving so, the second one accepts in time, and the reason is told.
async fn second_accepts(behaviour: &str, told: &str, failover: &str) {
    let router = Router::start("");
    router.steer("twilio", behaviour).await;
    let began = Instant::now();
    let answer = router.call(&hook_call(NUMBER)).await;
    let took = began.elapsed();
    assert_eq!(status(&answer), "SUCCESSFUL");
    assert_eq!(provider(&answer), "vonage", "{answer:#}");
    assert!(took < Duration::from_millis(1_500), "{behaviour}: {took:?}");
    let delivery = router
        .delivery(&answer, |d| d["attempts"][1]["verdict"] == "accepted")
        .await;
    let first = &delivery["attempts"][0];
    let found = format!("{} {}", first["verdict"], first["reason"]).replace('"', "");
    assert_eq!(found, told);
    let metrics = router.metrics().await;
    let counted = format!(
        r#"trunkline_failovers_total{{country="SG",from="twilio",reason="{failover}",to="vonage"}} 1"#
    );
    assert!(metrics.contains(&counted), "{metrics}");
}

#[tokio::test]
async fn a_vendor_that_refuses_connections_is_followed_by_the_next() {
    second_accepts("refuse", "unavailable connect", "connect").await;
}

#[tokio::test]
async fn a_vendor_that_rejects_is_followed_by_the_next() {
    second_accepts("reject:21606", "rejected sender", "sender").await;
}

#[tokio::test]
async fn a_vendor_that_answers_500_is_followed_by_the_next() {
    second_accepts("500", "unavailable server", "server").await;
}

#[tokio::test]
async fn a_vendor_whose_gateway_timed_out_is_followed_by_the_next() {
    second_accepts("504", "ambiguous timeout", "timeout").await;
}

#[tokio::test]
async fn a_vendor_that_throttles_is_followed_by_the_next() {
    second_accepts("throttle", "throttled rate", "rate").await;
}

#[tokio::test]
async fn a_silent_vendor_is_followed_by_the_next() {
    second_accepts("silent", "in_flight null", "patience").await;
}

#[tokio::test]
async fn a_slow_vendor_is_followed_by_the_next_and_its_late_acceptance_is_counted() {
    let router = Router::start("");
    router.steer("twilio", "slow:1s").await;
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "vonage");
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(delivery["attempts"][0]["verdict"], "accepted");
    assert_eq!(delivery["attempts"][1]["verdict"], "accepted");
    let metrics = router.metrics().await;
    let counted = r#"trunkline_possible_duplicates_total{country="SG"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn a_number_that_is_none_stops_the_chain() {
    let router = Router::start("");
    router.steer("twilio", "reject:21211").await;
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(
        (status(&answer), reason(&answer)),
        ("SUCCESSFUL", "invalid_number")
    );
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "undelivered")
        .await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn with_every_vendor_failing_okta_is_content_and_the_code_comes_when_one_recovers() {
    let router = Router::start("");
    router.steer_all("500").await;
    let began = Instant::now();
    let answer = router.call(&hook_call(NUMBER)).await;
    assert!(began.elapsed() < Duration::from_millis(1_500));
    assert_eq!(
        (status(&answer), reason(&answer)),
        ("SUCCESSFUL", "pending")
    );
    assert_eq!(provider(&answer), "trunkline");
    let promised = r#"trunkline_promised_unaccepted{country="SG"}"#;
    assert!(router.metrics().await.contains(&format!("{promised} 1")));
    router.steer("telnyx", "accept").await;
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    let last = delivery["attempts"].as_array().unwrap().last().unwrap();
    assert_eq!(last["vendor"], "telnyx", "{delivery:#}");
    assert!(router.metrics().await.contains(&format!("{promised} 0")));
}

#[tokio::test]
async fn a_vendor_at_its_rate_is_passed_over() {
    let config = "[vendors.twilio]\nrate = \"2/m\"\n";
    let router = Router::start(config);
    let mut providers = Vec::new();
    for n in 0..4 {
        let answer = router.call(&hook_call(&number(n))).await;
        providers.push(provider(&answer).to_owned());
    }
    assert_eq!(providers, ["twilio", "twilio", "vonage", "vonage"]);
    let skipped = r#"trunkline_skips_total{country="SG",vendor="twilio",why="rate"} 2"#;
    assert!(router.metrics().await.contains(skipped));
}

#[tokio::test]
async fn a_vendor_that_asks_to_be_left_alone_is() {
    let router = Router::start("");
    router.steer("twilio", "500").await;
    router.steer("vonage", "500").await;
    // This one says for how long.
    router.steer("telnyx", "throttle").await;
    let answer = router.call(&hook_call(&number(1))).await;
    assert_eq!(provider(&answer), "infobip");
    let answer = router.call(&hook_call(&number(2))).await;
    assert_eq!(provider(&answer), "infobip");
    let state = router.sandbox().await;
    let telnyx = state.iter().find(|v| v["vendor"] == "telnyx").unwrap();
    assert_eq!(telnyx["received"], 1);
}

#[tokio::test]
async fn a_vendor_switched_off_is_passed_over_until_it_is_switched_on() {
    let router = Router::start("");
    let off = format!("{}/api/v1/vendors/twilio/off", router.admin);
    let body = r#"{"country": ["SG"], "reason": "INC-7"}"#;
    let response = router.client.post(&off).body(body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "vonage");
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(delivery["attempts"][0]["reason"], "off: INC-7");
    let explained = router.admin_get("/api/v1/explain?to=%2B6591234567").await;
    assert_eq!(explained["steps"][0]["off"], "INC-7");
    let response = router.client.delete(&off).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "twilio");
}
