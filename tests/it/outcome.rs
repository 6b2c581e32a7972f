//! What happens after a vendor has accepted: receipts of every kind, failover, silence, a call instead.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::router::{NUMBER, Router, hook_call, number, only_rules, provider};
use trunkline::time::Moment;

/// Puts a chain of Singapore with these settings in place of the shipped rules.
async fn with_chain(router: &Router, chain: &str) {
    let rule = "[[rule]]\nname = \"sg\"\nwhen = { country = [\"SG\"] }\nchain = \"sg\"\n";
    only_rules(router, &format!("[chains.sg]\n{chain}\n{rule}")).await;
}

fn at(of: &Json) -> Moment {
    Moment::from_rfc3339(of["at"].as_str().unwrap()).unwrap()
}

fn vendors(delivery: &Json) -> String {
    let mut told = String::new();
    for attempt in delivery["attempts"].as_array().unwrap() {
        let (vendor, verdict) = (&attempt["vendor"], &attempt["verdict"]);
        let (vendor, verdict) = (vendor.as_str().unwrap(), verdict.as_str().unwrap());
        write!(told, "{vendor} {verdict}, ").unwrap();
    }
    told.trim_end_matches(", ").to_owned()
}

#[tokio::test]
async fn what_is_reported_delivered_is_counted() {
    let router = Router::start("");
    for (n, vendor) in ["twilio", "vonage", "telnyx"].into_iter().enumerate() {
        with_chain(&router, &format!("vendors = [\"{vendor}\"]")).await;
        for channel in ["SMS", "CALL"] {
            let mut call = hook_call(&number(n));
            call["data"]["messageProfile"]["deliveryChannel"] = json!(channel);
            let answer = router.call(&call).await;
            assert_eq!(provider(&answer), vendor);
            let delivery = router
                .delivery(&answer, |d| d["outcome"] == "delivered")
                .await;
            let last = delivery["receipts"].as_array().unwrap().last().unwrap();
            assert_eq!(last["status"], "delivered", "{vendor} {channel}");
        }
    }
    let metrics = router.metrics().await;
    for counted in [
        r#"trunkline_receipts_total{status="delivered",vendor="telnyx"}"#,
        r#"trunkline_time_to_delivered_seconds_count{country="SG",vendor="vonage"}"#,
        r#"trunkline_vendor_state{country="SG",vendor="twilio"} 2"#,
    ] {
        assert!(metrics.contains(counted), "{counted} not in\n{metrics}");
    }
}

#[tokio::test]
async fn an_undelivered_message_reaches_the_handset_by_the_next_vendor_within_a_second() {
    let router = Router::start("");
    router.steer("twilio", "undelivered").await;
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "twilio");
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(vendors(&delivery), "twilio accepted, vonage accepted");
    let receipts = delivery["receipts"].as_array().unwrap();
    let failed = receipts.iter().find(|r| r["status"] == "failed").unwrap();
    let second = &delivery["attempts"][1];
    assert!(at(second).ms_since(at(failed)) < 1_000, "{delivery:#}");
    let metrics = router.metrics().await;
    let reason = failed["reason"].as_str().unwrap();
    let counted = format!(
        r#"trunkline_failovers_total{{country="SG",from="twilio",reason="{reason}",to="vonage"}} 1"#
    );
    assert!(metrics.contains(&counted), "{metrics}");
}

#[tokio::test]
async fn early_doubled_and_disordered_receipts_change_nothing_else() {
    let router = Router::start("");
    for (n, behaviour) in ["early", "doubled"].iter().enumerate() {
        router.steer("twilio", behaviour).await;
        let answer = router.call(&hook_call(&number(n))).await;
        let delivery = router
            .delivery(&answer, |d| d["outcome"] == "delivered")
            .await;
        assert_eq!(vendors(&delivery), "twilio accepted", "{behaviour}");
    }
}

#[tokio::test]
async fn with_all_receipts_late_nothing_is_sent_twice() {
    let router = Router::start("");
    let chain =
        "vendors = [\"twilio\", \"vonage\"]\non_silence = \"failover\"\nsilence_after = \"1s\"";
    with_chain(&router, chain).await;
    // The vendor has reported before, so that its silence could mean something.
    let before = router.call(&hook_call(&number(1))).await;
    router
        .delivery(&before, |d| d["outcome"] == "delivered")
        .await;
    router.steer("twilio", "late:10m").await;
    let mut answers = Vec::new();
    for n in 2..12 {
        answers.push(router.call(&hook_call(&number(n))).await);
    }
    for answer in &answers {
        let excused = |d: &Json| {
            d["timeline"]
                .to_string()
                .contains("sends none at the moment")
        };
        let delivery = router.delivery(answer, excused).await;
        assert_eq!(vendors(&delivery), "twilio accepted");
    }
}

#[tokio::test]
async fn silence_about_one_message_while_others_are_reported_moves_on() {
    let router = Router::start("");
    let chain =
        "vendors = [\"twilio\", \"vonage\"]\non_silence = \"failover\"\nsilence_after = \"1s\"";
    with_chain(&router, chain).await;
    router
        .steer("twilio", &format!("unreported@{NUMBER}"))
        .await;
    let lost = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&lost), "twilio");
    let other = router.call(&hook_call(&number(1))).await;
    router
        .delivery(&other, |d| d["outcome"] == "delivered")
        .await;
    let delivery = router
        .delivery(&lost, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(vendors(&delivery), "twilio accepted, vonage accepted");
    let metrics = router.metrics().await;
    let counted =
        r#"trunkline_failovers_total{country="SG",from="twilio",reason="silence",to="vonage"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn what_cannot_be_a_text_becomes_a_call() {
    let router = Router::start("");
    let chain = r#"vendors = ["twilio", "vonage", { vendor = "telnyx", channel = "voice", after = "0s", on = ["not_mobile"] }]"#;
    with_chain(&router, chain).await;
    router.steer("twilio", "reject:21614").await;
    router.steer("vonage", "reject:6").await;
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "telnyx");
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    let called = delivery["attempts"].as_array().unwrap().last().unwrap();
    assert_eq!(called["channel"], "voice");
}
