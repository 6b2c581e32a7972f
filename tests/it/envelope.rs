//! Receipts in signed envelopes, and vendors that ask whether an address is ours, before there is any message.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::AUTHORIZATION;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value as Json, json};

use crate::router::{NUMBER, Place, Router, hook_call, provider};

const NORTH: &str = include_str!("../data/enveloped.toml");
const RULES: &str = r#"
[chains.all]
vendors = ["north"]
[[rule]]
name = "all"
when = { country = ["SG"], channel = "sms" }
chain = "all"
"#;

/// A router with two invented vendors beside the shipped ones.
fn start() -> Router {
    let place = Place::new("");
    place.write("vendors/north.toml", NORTH);
    place.write("vendors/south.toml", include_str!("../data/greeting.toml"));
    for shipped in ["20-rules", "30-guard", "40-switches"] {
        place.write(&format!("routing-rules/{shipped}.toml"), "");
    }
    place.write("routing-rules/10-chains.toml", RULES);
    Router::start_in(Arc::new(place), &["--sandbox"])
}

/// Posts to a path of the router; gives status and body.
async fn post(router: &Router, path: &str, secret: &str, body: &Json) -> (u16, String) {
    let base = router.hook.strip_suffix("/okta/telephony").unwrap();
    let post = router
        .client
        .post(format!("{base}{path}"))
        .header("content-type", "text/plain; charset=UTF-8")
        .header(AUTHORIZATION, secret)
        .body(body.to_string());
    let response = post.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The log, once this is in it.
async fn logged(router: &Router, what: &str) -> String {
    let told = async || router.log().join("\n").contains(what);
    router.wait_for(what, told).await;
    router.log().join("\n")
}

/// What is told when somebody ends the subscription, signed with the key of the invented vendor.
fn farewell() -> Json {
    let at = jiff::Timestamp::now().to_string();
    let fields = [
        ("Message", "You have chosen to deactivate"),
        ("MessageId", "1"),
        ("SubscribeURL", "https://hooks.eu.north.example/"),
        ("Timestamp", &at),
        ("Token", "t-0123456789"),
        ("TopicArn", "arn:north:topic:receipts"),
        ("Type", "UnsubscribeConfirmation"),
    ];
    let message: String = fields.iter().map(|(n, t)| format!("{n}\n{t}\n")).collect();
    let definition: toml::Table = toml::from_str(NORTH).unwrap();
    let key = &definition["sms"]["receipts"]["auth"]["sandbox_key"];
    let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_str().unwrap().as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    key.sign(
        &RSA_PKCS1_SHA256,
        &random,
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    let mut root: Json = fields.into_iter().map(|(n, t)| (n, json!(t))).collect();
    root["SignatureVersion"] = json!("2");
    root["Signature"] = json!(STANDARD.encode(signature));
    root
}

#[tokio::test]
async fn receipts_in_envelopes_are_believed_unless_they_are_forged() {
    let router = start();
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(provider(&answer), "north");
    let delivered = |d: &Json| d["outcome"] == "delivered";
    let delivery = router.delivery(&answer, delivered).await;
    assert_eq!(delivery["receipts"].as_array().unwrap().len(), 2);
    router.steer("north", "forged").await;
    let answer = router.call(&hook_call("+6591234568")).await;
    let counted = r#"trunkline_receipts_total{status="forged",vendor="north"} 1"#;
    router
        .wait_for("the forged one is counted", async || {
            router.metrics().await.contains(counted)
        })
        .await;
    let delivery = router.delivery(&answer, |d| d["state"] == "open").await;
    assert_eq!(delivery["receipts"], json!([]));
}

#[tokio::test]
async fn a_proven_handshake_is_answered_and_its_token_is_not_logged() {
    let router = start();
    let asked = json!([{ "data": { "code": "c-0123456789" } }]);
    let (status, reply) = post(&router, "/receipts/south", "s", &asked).await;
    assert_eq!(status, 200, "{reply}");
    let reply: Json = serde_json::from_str(&reply).unwrap();
    let expected = json!({ "answer": "c-0123456789", "of": ["c-0123456789", 1] });
    assert_eq!(reply, expected);
    let (status, refusal) = post(&router, "/receipts/south", "wrong", &asked).await;
    assert_eq!(status, 403);
    assert!(!refusal.contains("c-0123456789"), "{refusal}");
    let log = logged(&router, "a vendor's handshake was answered").await;
    assert!(!log.contains("c-0123456789"), "{log}");
}

#[tokio::test]
async fn the_end_of_a_subscription_is_told_and_not_visited() {
    let router = start();
    let (status, body) = post(&router, "/receipts/north", "", &farewell()).await;
    assert_eq!((status, &*body), (200, ""));
    let log = logged(&router, "a vendor's subscription was ended").await;
    assert!(!log.contains("t-0123456789"), "{log}");
    let mut forged = farewell();
    forged["Token"] = json!("another");
    let (status, _) = post(&router, "/receipts/north", "", &forged).await;
    assert_eq!(status, 403);
}
