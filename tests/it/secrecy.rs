//! A passcode or a full number is in no log, no metric and no page.

use crate::router::{NUMBER, Router, hook_call};

#[tokio::test]
async fn neither_passcode_nor_number_is_told_anywhere() {
    let router = Router::start("");
    router.steer("twilio", "reject:21606").await;
    router.steer("vonage", "refuse").await;
    let answer = router.call(&hook_call(NUMBER)).await;
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    let mut voice = hook_call(NUMBER);
    voice["data"]["messageProfile"]["deliveryChannel"] = serde_json::json!("CALL");
    let call = router.call(&voice).await;
    let mut broken = hook_call(NUMBER).to_string();
    broken.truncate(broken.len() - 2);
    let post = router
        .client
        .post(&router.hook)
        .header("content-type", "application/json");
    let refusal = post
        .body(broken)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let found = router
        .admin_get("/api/v1/deliveries?phone=%2B6591234567")
        .await;
    assert_eq!(found.as_array().unwrap().len(), 2);
    let everything = [
        answer.to_string(),
        delivery.to_string(),
        call.to_string(),
        refusal,
        found.to_string(),
        router.metrics().await,
        router.log().join("\n"),
    ];
    for (index, text) in everything.iter().enumerate() {
        for secret in ["482913", "4, 8, 2, 9", "6591234567", "91234567"] {
            assert!(!text.contains(secret), "{secret} in {index}: {text}");
        }
    }
    assert_eq!(delivery["number"], "+6591••••67");
}
