//! What senders and vendors share: counted, given back, kept over `kill -9`, and closed by a vendor's own cap.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::far_end::{FarEnd, report_fields, sid};
use crate::router::{HEAVY, Router, hook_call, number, only_rules, provider};

/// Three vendors; the senders of the first two share a quota that does not reset while a test runs.
async fn with_quota(router: &Router, limit: u32) {
    let hour = jiff::Timestamp::now().as_second() / 3_600;
    let rules = format!(
        r#"
[chains.sg]
vendors = ["twilio", "vonage", "telnyx"]
[[rule]]
name = "sg"
when = {{ country = "SG" }}
chain = "sg"
[[sender]]
vendor = "twilio"
from = "+6580000001"
quota = "shared"
[[sender]]
vendor = "vonage"
from = "+6580000002"
quota = "shared"
[quota.shared]
limit = "{limit}/day"
resets = "{:02}:30 UTC"
"#,
        (hour + 12) % 24
    );
    only_rules(router, &rules).await;
}

/// Each vendor that was turned to, and what came of it.
fn tried(delivery: &Json) -> Vec<(&str, &str)> {
    let attempts = delivery["attempts"].as_array().unwrap().iter();
    let tried = attempts.map(|attempt| (&attempt["vendor"], &attempt["verdict"]));
    tried
        .map(|(vendor, verdict)| (vendor.as_str().unwrap(), verdict.as_str().unwrap()))
        .collect()
}

async fn quota(router: &Router) -> Json {
    router.admin_get("/api/v1/rules").await["quotas"][0].clone()
}

#[tokio::test]
async fn a_shared_quota_is_counted_given_back_and_kept_over_kill_9() {
    let router = Router::start("");
    with_quota(&router, 2).await;
    let answer = router.call(&hook_call(&number(1))).await;
    assert_eq!(provider(&answer), "twilio");
    // What a vendor refuses is given back, or the second one would find nothing left.
    router.steer("twilio", "500").await;
    let answer = router.call(&hook_call(&number(2))).await;
    assert_eq!(provider(&answer), "vonage");
    router.steer("twilio", "accept").await;
    let answer = router.call(&hook_call(&number(3))).await;
    assert_eq!(provider(&answer), "telnyx");
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(
        tried(&delivery),
        [
            ("twilio", "skipped"),
            ("vonage", "skipped"),
            ("telnyx", "accepted")
        ]
    );
    assert!(delivery.to_string().contains("quota shared is used up"));
    let shown = quota(&router).await;
    assert_eq!(shown["name"], "shared");
    assert_eq!((&shown["used"], &shown["limit"]), (&json!(2), &json!(2)));
    assert_eq!(
        (&shown["unit"], &shown["full"]),
        (&json!("parts"), &json!(true))
    );
    let metrics = router.metrics().await;
    assert!(metrics.contains("trunkline_quota_used{quota=\"shared\"} 2"));
    assert!(metrics.contains("trunkline_quota_limit{quota=\"shared\"} 2"));

    let again = Router::start_in(router.kill(), &["--sandbox"]);
    assert_eq!(quota(&again).await, shown);
    let answer = again.call(&hook_call(&number(4))).await;
    assert_eq!(provider(&answer), "telnyx");
}

#[tokio::test]
async fn a_vendors_own_cap_fills_the_quota_that_its_sender_shares() {
    let router = Router::start("");
    with_quota(&router, 1_000).await;
    router.steer("twilio", "undelivered:30023").await;
    let answer = router.call(&hook_call(&number(1))).await;
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(
        tried(&delivery),
        [
            ("twilio", "accepted"),
            ("vonage", "skipped"),
            ("telnyx", "accepted")
        ]
    );
    let shown = quota(&router).await;
    assert_eq!(
        (&shown["full"], &shown["capped"]),
        (&json!(true), &json!(true))
    );
    let answer = router.call(&hook_call(&number(2))).await;
    assert_eq!(provider(&answer), "telnyx");
    let metrics = router.metrics().await;
    assert!(
        metrics.contains("trunkline_daily_caps_total{vendor=\"twilio\"} 1"),
        "{metrics}"
    );
    let told = || {
        let log = router.log();
        log.iter()
            .filter(|l| l.contains("daily cap is reached"))
            .count()
    };
    router.wait_for("the log line", async || told() == 1).await;
}

#[tokio::test]
async fn a_sender_without_a_quota_rests_when_its_vendor_says_so() {
    let router = Router::start("");
    let rules = "[chains.sg]\nvendors = [\"twilio\", \"vonage\"]\n\
                 [[rule]]\nname = \"sg\"\nwhen = { country = \"SG\" }\nchain = \"sg\"\n";
    only_rules(&router, rules).await;
    router.steer("twilio", "undelivered:30027").await;
    let answer = router.call(&hook_call(&number(1))).await;
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(
        tried(&delivery),
        [("twilio", "accepted"), ("vonage", "accepted")]
    );
    router.steer("twilio", "accept").await;
    let again = Router::start_in(router.kill(), &["--sandbox"]);
    let answer = again.call(&hook_call(&number(2))).await;
    assert_eq!(provider(&answer), "vonage");
    let vendors = again.admin_get("/api/v1/vendors").await;
    let vendors = vendors.as_array().unwrap();
    let capped = |name: &str| {
        let vendor = vendors.iter().find(|v| v["name"] == name).unwrap();
        vendor["capped"].as_array().unwrap().len()
    };
    assert_eq!((capped("twilio"), capped("vonage")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_limit_is_sent_however_many_come_at_once() {
    let _heavy = HEAVY.lock().await;
    let router = Arc::new(Router::start(""));
    with_quota(&router, 20).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..40 {
        let router = Arc::clone(&router);
        calls.spawn(async move { router.call(&hook_call(&number(n))).await });
    }
    let answers = calls.join_all().await;
    for answer in &answers {
        let delivered = |d: &Json| d["outcome"] == "delivered";
        router.delivery(answer, delivered).await;
    }
    let sandbox = router.sandbox().await;
    let received = |vendor: &str| {
        let vendor = sandbox.iter().find(|v| v["vendor"] == vendor).unwrap();
        vendor["received"].as_u64().unwrap()
    };
    assert_eq!(received("twilio") + received("vonage"), 20);
    assert!(received("telnyx") >= 20);
    let place = Arc::try_unwrap(router).ok().expect("the last one").kill();
    let again = Router::start_in(place, &["--sandbox"]);
    assert_eq!(quota(&again).await["used"], 20);
}

#[tokio::test]
async fn a_cap_that_is_told_after_its_delivery_is_over_counts() {
    let far_end = FarEnd::start().await;
    let place = far_end.place();
    place.write(
        "routing-rules/15-senders.toml",
        "[[sender]]\nvendor = \"twilio\"\nfrom = \"+6580000001\"\nquota = \"q\"\n[quota.q]\nlimit = \"1000/day\"\n",
    );
    let router = Router::start_in(place, &[]);
    let first = router.call(&hook_call(&number(1))).await;
    assert_eq!(provider(&first), "twilio");
    let path = far_end.report_path();
    // The same person asks again: the first delivery is over.
    router.call(&hook_call(&number(1))).await;
    router
        .delivery(&first, |d| d["outcome"] == "superseded")
        .await;
    let sid = sid(1);
    let fields = [
        ("ErrorCode", "30023"),
        ("MessageSid", &*sid),
        ("MessageStatus", "undelivered"),
    ];
    assert_eq!(report_fields(&router, &path, &fields).await, 200);
    router
        .wait_for("the quota is full", async || {
            quota(&router).await["capped"] == true
        })
        .await;
}
