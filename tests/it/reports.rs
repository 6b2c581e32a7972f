//! Receipts that a vendor on the other side of a socket sends: late, early, twice, misspelt, after a crash.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::json;

use crate::far_end::{FarEnd, report, sid};
use crate::router::{NUMBER, Router, hook_call, provider};

#[tokio::test]
async fn a_receipt_after_kill_9_finds_its_delivery() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(far_end.place(), &[]);
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "twilio");
    router
        .delivery(&answer, |d| d["attempts"][0]["verdict"] == "accepted")
        .await;
    let place = router.kill();
    let again = Router::start_in(place, &[]);
    assert_eq!(
        report(&again, &far_end.report_path(), &sid(1), "delivered").await,
        200
    );
    let delivery = again
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(delivery["receipts"][0]["status"], "delivered");
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_reference_the_message_id_finds_it_in_any_spelling() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(far_end.place(), &[]);
    let answer = router.call(&hook_call(NUMBER)).await;
    let other_spelling = sid(1).to_lowercase();
    assert_eq!(
        report(&router, "/receipts/twilio", &other_spelling, "sent").await,
        200
    );
    assert_eq!(
        report(&router, "/receipts/twilio", &other_spelling, "delivered").await,
        200
    );
    router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
}

#[tokio::test]
async fn a_receipt_before_the_vendors_own_answer_counts() {
    for with_reference in [true, false] {
        let far_end = FarEnd::start().await;
        far_end.answer(false);
        let router = Arc::new(Router::start_in(far_end.place(), &[]));
        let caller = Arc::clone(&router);
        let calling = tokio::spawn(async move { caller.call(&hook_call(NUMBER)).await });
        router
            .wait_for("the vendor is asked", async || !far_end.asked().is_empty())
            .await;
        let path = if with_reference {
            far_end.report_path()
        } else {
            "/receipts/twilio".to_owned()
        };
        assert_eq!(report(&router, &path, &sid(1), "delivered").await, 200);
        far_end.answer(true);
        let answer = calling.await.unwrap();
        let delivery = router
            .delivery(&answer, |d| d["outcome"] == "delivered")
            .await;
        assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_was_delivered_stays_delivered() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(far_end.place(), &[]);
    let answer = router.call(&hook_call(NUMBER)).await;
    let path = far_end.report_path();
    for status in ["delivered", "delivered", "sent", "undelivered"] {
        assert_eq!(
            report(&router, &path, &sid(1), status).await,
            200,
            "{status}"
        );
    }
    let told = |d: &serde_json::Value| d["receipts"].as_array().map_or(0, Vec::len) == 4;
    let delivery = router.delivery(&answer, told).await;
    assert_eq!(delivery["outcome"], "delivered");
    assert_eq!(far_end.asked().len(), 1);
}

#[tokio::test]
async fn what_is_forged_is_refused_and_counted() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(far_end.place(), &[]);
    router.call(&hook_call(NUMBER)).await;
    let path = far_end.report_path();
    let base = router.hook.strip_suffix("/okta/telephony").unwrap();
    let forged = async |path: &str| {
        let post = router.client.post(format!("{base}{path}"));
        let post = post
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
            .body(format!("MessageSid={}&MessageStatus=delivered", sid(1)));
        post.send().await.unwrap().status().as_u16()
    };
    assert_eq!(forged(&path).await, 403);
    assert_eq!(forged("/receipts/twilio").await, 403);
    assert_eq!(forged("/receipts/nobody").await, 404);
    let metrics = router.metrics().await;
    let counted = r#"trunkline_receipts_total{status="forged",vendor="twilio"} 2"#;
    assert!(metrics.contains(counted), "{metrics}");
    let method = router.client.put(format!("{base}{path}"));
    assert_eq!(method.send().await.unwrap().status(), 405);
}

/// The first address is the sandbox's own, and only there the signature is right.
#[tokio::test]
async fn what_is_proven_at_one_address_is_not_forged_because_of_another() {
    let router = Router::start("[hook]\npublic_url = \"https://otp.example\"\n");
    let base = router.hook.strip_suffix("/okta/telephony").unwrap();
    let url = format!("{base}/receipts/twilio");
    let text = std::fs::read_to_string(router.place.0.join("vendors/twilio.toml")).unwrap();
    let definition: toml::Table = toml::from_str(&text).unwrap();
    let token = definition["credentials"]["auth_token"]["example"].as_str();
    let sha1 = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
    let key = hmac::Key::new(sha1, token.unwrap().as_bytes());
    let signature = hmac::sign(&key, format!("{url}NoReceipt1").as_bytes());
    let post = router
        .client
        .post(&url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", STANDARD.encode(signature))
        .body("NoReceipt=1");
    assert_ne!(post.send().await.unwrap().status(), 403);
    let metrics = router.metrics().await;
    let counted = r#"trunkline_receipts_total{status="unreadable",vendor="twilio"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn one_vendors_reference_is_worth_nothing_at_another() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(far_end.place(), &[]);
    let answer = router.call(&hook_call(NUMBER)).await;
    let id = answer["debugContext"]["delivery"].as_str().unwrap();
    let base = router.hook.strip_suffix("/okta/telephony").unwrap();
    let reference = far_end.report_path().replace("/receipts/twilio/", "");
    let changed = format!("A{}", &reference[1..]);
    // This one signs nothing: the reference is all the proof there is.
    for path in [
        format!("/receipts/infobip/{reference}"),
        format!("/receipts/infobip/{changed}"),
        "/receipts/infobip".to_owned(),
    ] {
        let delivered = json!({ "results": [{
            "messageId": format!("{id}-1"),
            "status": { "groupId": 3, "groupName": "DELIVERED", "id": 5 },
        }] });
        let post = router.client.post(format!("{base}{path}")).json(&delivered);
        assert_eq!(post.send().await.unwrap().status(), 403, "{path}");
    }
    let delivery = router.delivery(&answer, |d| d["state"] == "open").await;
    assert_eq!(delivery["receipts"], json!([]));
}
