//! The hook as Okta and others call it.

use std::time::Instant;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::router::{NUMBER, Place, Router, hook_call, number, provider, reason, status};

const TWO_ORGS: &str = r#"
[[org]]
name = "acme"
host = ["acme.okta.com"]
auth = [
  { header = "Authorization", value = "old-secret" },
  { header = "Authorization", value = "new-secret" },
]
[[org]]
name = "umbrella"
host = ["umbrella.okta.com"]
okta_failover = "disabled"
default_country = "SG"
auth = [{ header = "x-hook-key", value = "umbrella-secret" }]
"#;

#[tokio::test]
async fn the_first_vendor_of_the_countrys_chain_accepts() {
    let router = Router::start("");
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(status(&answer), "SUCCESSFUL");
    assert_eq!(provider(&answer), "twilio");
    assert_eq!(answer["debugContext"]["rule"], "singapore");
    let delivery = router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    assert_eq!(delivery["country"], "SG");
    assert_eq!(delivery["attempts"][0]["verdict"], "accepted");
    assert_eq!(delivery["attempts"][0]["vendor"], "twilio");
    assert_eq!(
        delivery["attempts"][0]["message_id"],
        answer["commands"][0]["value"][0]["transactionId"]
    );
}

#[tokio::test]
async fn what_is_no_hook_call_is_refused_with_its_status() {
    let router = Router::start(TWO_ORGS);
    let client = &router.client;
    let base = router.hook.trim_end_matches("/okta/telephony");
    let call = hook_call(NUMBER).to_string();
    let with = |key: &str| {
        let post = client
            .post(&router.hook)
            .header("content-type", "application/json");
        post.header("authorization", key.to_owned())
    };
    let check = async |request: reqwest::RequestBuilder, expected: u16| {
        let response = request.send().await.unwrap();
        let got = response.status().as_u16();
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(got, expected, "{body}");
        assert!(
            body.get("error").is_none() && body["message"].is_string(),
            "{body}"
        );
        body
    };
    check(client.post(format!("{base}/else")).body(call.clone()), 404).await;
    check(client.get(&router.hook), 405).await;
    let large = format!("{}{}", call, " ".repeat(64 * 1024));
    check(client.post(&router.hook).body(large.clone()), 413).await;
    check(with("wrong").body(call.clone()), 401).await;
    check(client.post(&router.hook).body(call.clone()), 401).await;
    let plain = client
        .post(&router.hook)
        .header("authorization", "old-secret");
    check(
        plain
            .header("content-type", "text/plain")
            .body(call.clone()),
        415,
    )
    .await;
    let told = check(with("new-secret").body("{\n \"data\": {,"), 400).await;
    assert_eq!(
        (&told["where"]["line"], &told["where"]["column"]),
        (&json!(2), &json!(11))
    );
    let told = check(with("new-secret").body("{}"), 400).await;
    assert_eq!(told["where"]["field"], "data.messageProfile");
    let elsewhere = call.replace("acme.okta.com", "umbrella.okta.com");
    check(with("new-secret").body(elsewhere), 401).await;
    for secret in ["old-secret", "new-secret"] {
        let body = hook_call(&number(1)).to_string();
        let response = with(secret).body(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_so_even_when_it_never_ends() {
    let router = Router::start(TWO_ORGS);
    let address = router.hook.strip_prefix("http://").unwrap();
    let (address, _) = address.split_once('/').unwrap();
    let said_too_large = "content-length: 99999999\r\n\r\n{".to_owned();
    let chunk = format!("11000\r\n{}\r\n", " ".repeat(0x11000));
    let is_too_large = format!("transfer-encoding: chunked\r\n\r\n{chunk}");
    for rest in [said_too_large, is_too_large] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST /okta/telephony HTTP/1.1\r\nhost: trunkline\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(rest.as_bytes()).await.unwrap();
        let mut told = [0; 12];
        stream.read_exact(&mut told).await.unwrap();
        assert_eq!(str::from_utf8(&told), Ok("HTTP/1.1 413"));
    }
}

#[tokio::test]
async fn okta_is_told_failed_only_where_that_cannot_make_it_send() {
    let router = Router::start(TWO_ORGS);
    let call = async |header: (&str, &str), host: &str, to: serde_json::Value| {
        let mut body = hook_call(NUMBER);
        body["source"] = json!(format!("https://{host}/api/v1/inlineHooks/cal1"));
        body["data"]["messageProfile"]["phoneNumber"] = to;
        let post = router.client.post(&router.hook).header(header.0, header.1);
        let response = post.json(&body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let answer: serde_json::Value = response.json().await.unwrap();
        format!("{} {}", status(&answer), reason(&answer))
    };
    let acme = ("authorization", "old-secret");
    let umbrella = ("x-hook-key", "umbrella-secret");
    let hosts = ("acme.okta.com", "umbrella.okta.com");
    let premium = json!("+19002345678");
    assert_eq!(
        call(acme, hosts.0, premium.clone()).await,
        "SUCCESSFUL number type"
    );
    assert_eq!(call(umbrella, hosts.1, premium).await, "FAILED number type");
    assert_eq!(
        call(acme, hosts.0, json!("+65")).await,
        "SUCCESSFUL impossible_length"
    );
    assert_eq!(
        call(acme, hosts.0, json!(91234567)).await,
        "SUCCESSFUL no_default_country"
    );
    // A JSON number without `+`, in an org whose people are in Singapore.
    assert_eq!(
        call(umbrella, hosts.1, json!(91234567)).await,
        "SUCCESSFUL accepted"
    );
}

#[tokio::test]
async fn a_repeated_event_hears_the_same_answer_and_sends_nothing() {
    let router = Router::start("");
    router.steer("twilio", "slow:200ms").await;
    let body = hook_call(NUMBER);
    let (one, two) = tokio::join!(router.call(&body), router.call(&body));
    let three = router.call(&body).await;
    assert_eq!(one, two);
    assert_eq!(one, three);
    let sent: u64 = router
        .sandbox()
        .await
        .iter()
        .map(|v| v["received"].as_u64().unwrap())
        .sum();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_passcode_dead_on_arrival_is_not_sent() {
    let router = Router::start("");
    let mut body = hook_call(NUMBER);
    body["data"]["messageProfile"]["otpExpires"] = json!("2026-11-24T08:59:59Z");
    let answer = router.call(&body).await;
    assert_eq!(
        (status(&answer), reason(&answer)),
        ("SUCCESSFUL", "expired")
    );
    router
        .delivery(&answer, |d| d["outcome"] == "expired")
        .await;
    assert!(router.sandbox().await.iter().all(|v| v["received"] == 0));
}

#[tokio::test]
async fn a_preview_that_cannot_be_sent_says_so() {
    let router = Router::start("");
    router.steer_all("500").await;
    let mut body = hook_call(NUMBER);
    body["data"]["context"]["request"]["url"]["value"] = json!("/api/x/generatePreview");
    assert_eq!(status(&router.call(&body).await), "FAILED");
}

#[tokio::test]
async fn a_number_has_its_share_and_no_more() {
    let router = Router::start("");
    for _ in 0..10 {
        assert_eq!(reason(&router.call(&hook_call(NUMBER)).await), "accepted");
    }
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(
        (status(&answer), reason(&answer)),
        ("SUCCESSFUL", "per_number")
    );
    router
        .delivery(&answer, |d| d["outcome"] == "blocked")
        .await;
    let metrics = router.metrics().await;
    let blocks = r#"trunkline_guard_blocks_total{country="SG",reason="per_number"} 1"#;
    assert!(metrics.contains(blocks), "{metrics}");
}

#[tokio::test]
async fn a_call_is_read_out_and_goes_through_the_voice_chain() {
    let router = Router::start("");
    let mut body = hook_call(NUMBER);
    let profile = body["data"]["messageProfile"].as_object_mut().unwrap();
    profile.remove("msgTemplate");
    profile.insert("deliveryChannel".to_owned(), json!("voice call"));
    for expected in ["twilio", "vonage", "telnyx", "infobip"] {
        body["eventId"] = json!(expected);
        let answer = router.call(&body).await;
        assert_eq!(
            (status(&answer), provider(&answer)),
            ("SUCCESSFUL", expected)
        );
        router.steer(expected, "reject").await;
        // A refused call may be a terminal verdict; the next one must not be.
        router.steer(expected, "500").await;
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_changes_nothing() {
    let router = Router::start("");
    router.steer("twilio", "slow:300ms").await;
    let body = hook_call(NUMBER);
    let impatient = router.client.post(&router.hook).json(&body);
    let gone = impatient
        .timeout(std::time::Duration::from_millis(100))
        .send()
        .await;
    assert!(gone.is_err_and(|e| e.is_timeout()));
    let answer = router.call(&body).await;
    assert_eq!(provider(&answer), "twilio");
    router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
}

#[tokio::test]
async fn http2_is_served_with_and_without_tls() {
    let hook =
        "public_url = \"https://otp.example\"\ntls = { cert = \"tls.crt\", key = \"tls.key\" }";
    let place = Place::new(&format!("[hook]\n{hook}\n"));
    place.write("tls.crt", include_str!("../data/tls.crt"));
    place.write("tls.key", include_str!("../data/tls.key"));
    let router = Router::start_in(std::sync::Arc::new(place), &["--sandbox"]);
    let root = reqwest::Certificate::from_pem(include_bytes!("../data/tls.crt")).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .build()
        .unwrap();
    assert!(router.hook.starts_with("https://"));
    let hook = router.hook.replace("127.0.0.1", "localhost");
    let response = client
        .post(hook)
        .json(&hook_call(NUMBER))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    // Simulated vendors report here, not to the address of a real router.
    let answer = response.json().await.unwrap();
    router
        .delivery(&answer, |d| d["outcome"] == "delivered")
        .await;
    let plain = Router::start("");
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let response = client
        .post(&plain.hook)
        .json(&hook_call(NUMBER))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
}

#[tokio::test]
async fn above_max_waiting_calls_are_answered_as_soon_as_they_are_journaled() {
    let router = Router::start("[hook]\nmax_waiting = 1\n");
    router.steer("twilio", "slow:500ms").await;
    let (first, second) = (hook_call(&number(1)), hook_call(&number(2)));
    let began = Instant::now();
    let (first, second) = tokio::join!(router.call(&first), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let answer = router.call(&second).await;
        (answer, began.elapsed())
    });
    assert_eq!(provider(&first), "twilio");
    assert_eq!(
        (provider(&second.0), reason(&second.0)),
        ("trunkline", "pending")
    );
    assert!(second.1.as_millis() < 450, "{:?}", second.1);
    router
        .delivery(&second.0, |d| d["outcome"] == "delivered")
        .await;
}
