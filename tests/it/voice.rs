//! Calls whose vendor fetches what is to be said: who is told, how often, and what is left after a crash.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder, Response};
use ring::hmac;
use serde_json::{Value as Json, json};

use crate::far_end::{FarEnd, PUBLIC_URL, sid};
use crate::router::{NUMBER, Place, Router, hook_call, provider, status};

const KEY: &str = "a-key-of-the-test";
const DEFINITION: &str = r#"
base_url = "https://api.caller.example"
[credentials]
key = { example = "k" }
[voice]
path = "/calls"
auth = { scheme = "header", value = "Bearer {credential.key}" }
form = { To = "{to}", Url = "{script}", Report = "{callback?}" }
accepted = { status = [201], message_id = "/sid" }
sandbox = { default_error = "busy", accept = { status = 201, json = { sid = "{id}" } } }
[voice.script]
content_type = "text/xml"
body = '<Response><Say language="{language}">{text|xml}</Say></Response>'
auth = { scheme = "hmac_sha1_url_params", header = "x-caller-signature", key = "{credential.key}" }
[voice.receipts]
body = "json"
message_id = "/sid"
status = "/call"
intermediate = ["ringing"]
delivered = ["answered"]
failed = ["busy"]
auth = { scheme = "reference" }
sandbox = { json = { sid = "{id}", call = "{status}" }, intermediate = "ringing", delivered = "answered", failed = "busy", default_error = "busy" }
"#;
const RULES: &str = r#"
[chains.calls]
vendors = ["caller"]
[[rule]]
name = "calls"
when = { country = "SG", channel = "voice" }
chain = "calls"
[[template]]
channel = "voice"
text = "R&D <b>says</b> {code}"
"#;

/// The vendor's definition, and rules that call through it alone.
fn place(config: &str) -> Arc<Place> {
    let place = Place::new(config);
    place.write("vendors/caller.toml", DEFINITION);
    for shipped in ["20-rules", "30-guard", "40-switches"] {
        place.write(&format!("routing-rules/{shipped}.toml"), "");
    }
    place.write("routing-rules/10-chains.toml", RULES);
    place.write("key", KEY);
    Arc::new(place)
}

/// A router whose vendor is this test.
fn router(far_end: &FarEnd, hook: &str) -> Router {
    let config = format!(
        "[hook]\n{hook}\n[vendors.caller]\nbase_url = \"{}\"\ncredentials = {{ key = \"file:key\" }}\n",
        far_end.url()
    );
    Router::start_in(place(&config), &[])
}

fn public() -> String {
    format!("public_url = \"{PUBLIC_URL}\"")
}

fn voice_call() -> Json {
    let mut call = hook_call(NUMBER);
    call["data"]["messageProfile"]["deliveryChannel"] = json!("voice call");
    call
}

/// The path of an address that the vendor was given with its latest call.
fn path(far_end: &FarEnd, field: &str) -> String {
    let asked = far_end.asked();
    let url = &asked.last().expect("a call")[field];
    url.strip_prefix(PUBLIC_URL)
        .expect("our address")
        .to_owned()
}

fn to(router: &Router, method: Method, path: &str) -> RequestBuilder {
    let base = router.hook.strip_suffix("/okta/telephony").unwrap();
    router.client.request(method, format!("{base}{path}"))
}

/// Comes for a script as the vendor does, with these fields, which are sorted by name.
async fn fetch(router: &Router, method: Method, path: &str, fields: &[(&str, &str)]) -> Response {
    let pairs = fields.iter().map(|(name, value)| format!("{name}{value}"));
    let signed = format!("{PUBLIC_URL}{path}{}", pairs.collect::<String>());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, KEY.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = to(router, method, path).header("x-caller-signature", signature);
    request.body(body).send().await.unwrap()
}

async fn status_of(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_simulated_vendor_fetches_what_it_says_and_reports_then() {
    let router = Router::start_in(place(""), &["--sandbox"]);
    let answer = router.call(&voice_call()).await;
    assert_eq!(provider(&answer), "caller");
    router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    let metrics = router.metrics().await;
    let told = r#"trunkline_scripts_total{answer="told"} 1"#;
    assert!(metrics.contains(told), "{metrics}");
    let log = router.log().join("\n");
    for secret in ["482913", "4, 8", "<Say", "R&D"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn the_vendor_alone_is_told_what_to_say_and_three_times_at_most() {
    let far_end = FarEnd::start().await;
    let router = router(&far_end, &public());
    let answer = router.call(&voice_call()).await;
    assert_eq!(provider(&answer), "caller");
    let script = path(&far_end, "Url");
    let forged = || to(&router, Method::POST, &script).header("x-caller-signature", "MTIz");
    for _ in 0..4 {
        assert_eq!(status_of(forged()).await, 403);
        assert_eq!(status_of(to(&router, Method::GET, &script)).await, 403);
    }
    let fields = [("CallStatus", "in-progress"), ("CallUUID", "c1")];
    let told = fetch(&router, Method::POST, &script, &fields).await;
    assert_eq!(told.status(), 200);
    assert_eq!(told.headers()["content-type"], "text/xml");
    assert_eq!(told.headers()["cache-control"], "no-store");
    let said = told.text().await.unwrap();
    let begin = r#"<Response><Say language="en-US">R&amp;D &lt;b&gt;says&lt;/b&gt; "#;
    let inside = said.strip_prefix(begin).unwrap_or_else(|| panic!("{said}"));
    let inside = inside.strip_suffix("</Say></Response>").unwrap();
    let digits: String = inside.chars().filter(char::is_ascii_digit).collect();
    assert!(
        !inside.contains('<') && digits.starts_with("482913"),
        "{said}"
    );
    // An early one of a query, as some vendors do.
    let queried = format!("{script}?CallUUID=c1");
    for path in [&script, &queried] {
        let told = fetch(&router, Method::GET, path, &[]).await;
        assert_eq!(told.status(), 200);
    }
    let told = fetch(&router, Method::GET, &script, &[]).await;
    assert_eq!(told.status(), 410);
}

#[tokio::test]
async fn one_kind_of_reference_is_worth_nothing_as_another() {
    let far_end = FarEnd::start().await;
    let router = router(&far_end, &public());
    router.call(&voice_call()).await;
    let script = path(&far_end, "Url");
    let own = script.strip_prefix("/voice/").unwrap();
    let report = path(&far_end, "Report");
    let reported = report.strip_prefix("/receipts/caller/").unwrap();
    let changed = format!("B{}", &own[1..]);
    for other in [
        reported,
        &changed,
        "",
        "x",
        &format!("{own}/"),
        &format!("{own}/x"),
    ] {
        let told = fetch(&router, Method::GET, &format!("/voice/{other}"), &[]).await;
        assert_eq!(told.status(), 404, "{other}");
    }
    let news = json!({ "sid": sid(1), "call": "answered" });
    let swapped = to(&router, Method::POST, &format!("/receipts/caller/{own}")).json(&news);
    assert_eq!(status_of(swapped).await, 403);
    assert_eq!(status_of(to(&router, Method::PUT, &script)).await, 405);
    let large = to(&router, Method::POST, &script).body(" ".repeat(65 * 1024));
    assert_eq!(status_of(large).await, 413);
}

#[tokio::test]
async fn after_kill_9_the_script_is_there_until_the_call_is_answered() {
    let far_end = FarEnd::start().await;
    let before = router(&far_end, &public());
    let answer = before.call(&voice_call()).await;
    before
        .delivery(&answer, |d| d["attempts"][0]["verdict"] == "accepted")
        .await;
    let script = path(&far_end, "Url");
    let said = fetch(&before, Method::GET, &script, &[]).await.text().await;
    let router = Router::start_in(before.kill(), &[]);
    let again = fetch(&router, Method::GET, &script, &[]).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.text().await.unwrap(), said.unwrap());
    let news = json!({ "sid": sid(1), "call": "answered" });
    let report = to(&router, Method::POST, &path(&far_end, "Report")).json(&news);
    assert_eq!(status_of(report).await, 200);
    router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    let late = fetch(&router, Method::GET, &script, &[]).await;
    assert_eq!(late.status(), 410);
    assert_eq!(far_end.asked().len(), 1);
}

#[tokio::test]
async fn the_script_may_be_fetched_before_the_vendor_has_answered() {
    let far_end = FarEnd::start().await;
    far_end.answer(false);
    let router = Arc::new(router(&far_end, &public()));
    let caller = Arc::clone(&router);
    let calling = tokio::spawn(async move { caller.call(&voice_call()).await });
    router
        .wait_for("the vendor is asked", async || !far_end.asked().is_empty())
        .await;
    let told = fetch(&router, Method::GET, &path(&far_end, "Url"), &[]).await;
    assert_eq!(told.status(), 200);
    far_end.answer(true);
    assert_eq!(provider(&calling.await.unwrap()), "caller");
}

#[tokio::test]
async fn an_older_passcode_is_not_said_any_more() {
    let far_end = FarEnd::start().await;
    let router = router(&far_end, &public());
    router.call(&voice_call()).await;
    let older = path(&far_end, "Url");
    router.call(&voice_call()).await;
    assert_eq!(far_end.asked().len(), 2);
    let told = async |path: &str| {
        let told = fetch(&router, Method::GET, path, &[]).await;
        told.status().as_u16()
    };
    assert_eq!(told(&older).await, 410);
    assert_eq!(told(&path(&far_end, "Url")).await, 200);
}

#[tokio::test]
async fn without_a_public_address_the_vendor_is_passed_over() {
    let far_end = FarEnd::start().await;
    let router = router(&far_end, "");
    let answer = router.call(&voice_call()).await;
    assert_eq!(status(&answer), "SUCCESSFUL");
    assert_eq!(provider(&answer), "trunkline");
    let tried = |d: &Json| d["attempts"].as_array().is_some_and(|a| !a.is_empty());
    let delivery = router.delivery(&answer, tried).await;
    let why = &delivery["attempts"][0]["reason"];
    let told = why
        .as_str()
        .is_some_and(|why| why.contains("without `public_url`"));
    assert!(told, "{delivery:#}");
    assert_eq!(far_end.asked().len(), 0);
    let log = router.log().join("\n");
    assert!(log.contains("`caller` cannot call"), "{log}");
}
