//! A person who asks again: the older passcode is given up, and another vendor has the newer one.

use serde_json::json;

use crate::router::{NUMBER, Router, hook_call, provider, reason};

#[tokio::test]
async fn asking_again_turns_to_another_vendor_and_gives_the_older_passcode_up() {
    let router = Router::start("");
    router.steer("twilio", "unreported").await;
    let first = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&first), "twilio");
    let second = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&second), "vonage");
    let older = router
        .delivery(&first, |d| d["outcome"] == "superseded")
        .await;
    let newer = router
        .delivery(&second, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(newer["supersedes"], json!([older["id"]]));
    // Both have failed this person once; the first one in the chain's order comes again.
    router.steer("vonage", "unreported").await;
    let third = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&third), "vonage", "it delivered the last one");
}

#[tokio::test]
async fn pending_retries_of_the_older_one_stop_and_its_caller_is_answered() {
    let router = Router::start("");
    router.steer_all("silent").await;
    let caller = router.client.post(&router.hook).json(&hook_call(NUMBER));
    let calling = tokio::spawn(async move {
        let response = caller.send().await.unwrap();
        response.json::<serde_json::Value>().await.unwrap()
    });
    router
        .wait_for("a vendor is asked", async || {
            router.sandbox().await.iter().any(|v| v["received"] == 1)
        })
        .await;
    router.steer_all("accept").await;
    let second = router.call(&hook_call(NUMBER)).await;
    assert_eq!(reason(&second), "accepted");
    let first = calling.await.unwrap();
    assert_eq!(reason(&first), "pending");
    let older = router.delivery(&first, |d| d["answer"].is_object()).await;
    assert!(older["answer"]["ms"].as_i64().unwrap() < 1_400, "{older:#}");
    assert_eq!(older["attempts"].as_array().unwrap().len(), 1, "{older:#}");
}

#[tokio::test]
async fn two_devices_of_one_person_both_live() {
    let router = Router::start("");
    router.steer_all("unreported").await;
    let first = router.call(&hook_call(NUMBER)).await;
    let mut elsewhere = hook_call(NUMBER);
    elsewhere["data"]["context"]["request"]["ipAddress"] = json!("10.9.9.9");
    let second = router.call(&elsewhere).await;
    assert_eq!((provider(&first), provider(&second)), ("twilio", "twilio"));
    let other = router.delivery(&second, |d| d["state"] == "open").await;
    assert_eq!(other["supersedes"], json!([]));
    router.delivery(&first, |d| d["state"] == "open").await;
}

#[tokio::test]
async fn call_me_instead_supersedes_from_any_address() {
    let router = Router::start("");
    router.steer_all("unreported").await;
    let first = router.call(&hook_call(NUMBER)).await;
    let mut instead = hook_call(NUMBER);
    instead["data"]["context"]["request"]["ipAddress"] = json!("10.9.9.9");
    instead["data"]["messageProfile"]["deliveryChannel"] = json!("CALL");
    let second = router.call(&instead).await;
    // The vendor's texts did not arrive; that says nothing of its calls.
    assert_eq!(provider(&second), "twilio");
    router
        .delivery(&first, |d| d["outcome"] == "superseded")
        .await;
}
