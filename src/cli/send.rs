//! `trunkline send`: plays Okta, and says what Okta would make of the answer.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::cli::{CONFIG_FILE, ChannelArg, FINE, NO, block_on};
use crate::reload::{Place, configuration};
use crate::time::Clock;

/// Okta waits this long.
const OKTA_WAITS: Duration = Duration::from_secs(3);
/// Okta's default text (Okta's guide to custom SMS messaging).
const OKTA_TEXT: &str = "Your verification code is {code}";
/// The life that Okta gives a passcode, in milliseconds.
const LIFE_MS: i64 = 300_000;

/// Play Okta: post a hook call, and say what Okta would make of the answer.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The number the passcode goes to
    #[arg(value_name = "NUMBER")]
    number: String,
    #[arg(long, value_enum, default_value = "sms")]
    channel: ChannelArg,
    /// The hook's address [default: the listener that ./trunkline.toml names]
    #[arg(long)]
    url: Option<String>,
    /// A header, such as the org's credential; may be given several times
    #[arg(long = "header", value_name = "K: V", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The host in the call's `source`
    #[arg(long, value_name = "HOST", default_value = "dev.okta.com")]
    source: String,
    /// The event's id; the same one again is answered the same and sends nothing [default: a new one]
    #[arg(long, value_name = "E")]
    event: Option<String>,
    /// The person's language, as Okta writes it
    #[arg(long, value_name = "L", default_value = "EN-US")]
    locale: String,
    /// mfa-verification, account-unlock, password-reset or pre-enrollment
    #[arg(long, value_name = "T", default_value = "mfa-verification")]
    request_type: String,
    /// The text that Okta rendered, with {code} for the passcode [default: Okta's default]
    #[arg(long)]
    text: Option<String>,
    /// As Okta's Admin Console does it for a preview
    #[arg(long)]
    preview: bool,
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("a header is `Name: value`")?;
    let name = name
        .trim()
        .parse()
        .map_err(|_| "this is no header's name")?;
    let value = value
        .trim()
        .parse()
        .map_err(|_| "this is no header's value")?;
    Ok((name, value))
}

pub(super) fn run(args: &Args) -> u8 {
    let began = Instant::now();
    let answered = block_on(async { tokio::time::timeout(OKTA_WAITS, post(args)).await });
    let ms = began.elapsed().as_millis();
    let (status, body) = match answered {
        Ok(Ok(Ok(answered))) => answered,
        Ok(Ok(Err(error))) => {
            eprintln!("no answer: {error}");
            return okta_sends("the hook could not be reached");
        }
        Ok(Err(_)) => {
            say!("no answer within {} s", OKTA_WAITS.as_secs());
            return okta_sends("the hook took too long");
        }
        Err(code) => return code,
    };
    say!("HTTP {status} after {ms} ms");
    verdict(status, &body)
}

/// The hook of a router that runs with the configuration in this directory.
fn own_hook() -> String {
    let default = PathBuf::from(CONFIG_FILE);
    let config = configuration(&Place {
        config: default.exists().then_some(default),
        sandbox: true,
        stand_ins: true,
    });
    let mut address = config.hook.listen;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let scheme = if config.hook.tls.is_some() {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{address}/okta/telephony")
}

/// What Okta does with an answer.
fn verdict(status: u16, body: &[u8]) -> u8 {
    let json: Json = match serde_json::from_slice(body) {
        Ok(json) => json,
        Err(_) if status == 200 => return okta_sends("the answer is not JSON"),
        Err(_) => Json::Null,
    };
    if status != 200 {
        say!("{json}");
        return okta_sends("any status but 200 counts as a failure");
    }
    if json.get("error").is_some() {
        say!("{json}");
        return okta_sends("the answer has an `error`, which people will see");
    }
    let command = &json["commands"][0];
    let value = &command["value"][0];
    let word = value["status"].as_str().unwrap_or_default();
    if command["type"] != "com.okta.telephony.action"
        || !["SUCCESSFUL", "PENDING", "FAILED"].contains(&word)
    {
        say!("{json}");
        return okta_sends("the answer is malformed");
    }
    let text = |value: &Json| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.unwrap_or("none").to_owned()
    };
    say!("status       {word}");
    say!("provider     {}", text(&value["provider"]));
    say!("transaction  {}", text(&value["transactionId"]));
    say!("metadata     {}", text(&value["transactionMetadata"]));
    let context = &json["debugContext"];
    say!(
        "rule         {} (rules {})",
        text(&context["rule"]),
        text(&context["rules"])
    );
    say!("reason       {}", text(&context["reason"]));
    if word == "FAILED" {
        return okta_sends("the hook said FAILED");
    }
    say!("Okta is content and sends nothing itself.");
    match context["reason"].as_str() {
        Some("accepted") | None => {}
        Some("pending") => say!("No vendor has accepted yet; the router goes on."),
        Some(reason) => say!("Nobody gets a code: {}.", reason.replace('_', " ")),
    }
    FINE
}

fn okta_sends(why: &str) -> u8 {
    say!("Okta would send the message itself, unless Okta has switched that off: {why}.");
    NO
}

async fn post(args: &Args) -> Result<(u16, Vec<u8>), String> {
    let told = |error: reqwest::Error| {
        let connect = error.is_connect();
        let error = error.without_url();
        if connect {
            format!("{error}; is `trunkline serve` running?")
        } else {
            error.to_string()
        }
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .map_err(told)?;
    let headers: HeaderMap = args.headers.iter().cloned().collect();
    let response = client
        .post(args.url.clone().unwrap_or_else(own_hook))
        .headers(headers)
        .header("content-type", "application/json")
        .body(call(args).to_string())
        .send()
        .await
        .map_err(told)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(told)?;
    Ok((status, body.to_vec()))
}

/// A hook call as Okta writes it.
fn call(args: &Args) -> Json {
    let now = Clock::start().now();
    let code = passcode();
    let text = args.text.as_deref().unwrap_or(OKTA_TEXT);
    let (channel, text) = match args.channel {
        ChannelArg::Sms => ("SMS", Some(text.replace("{code}", &code))),
        ChannelArg::Voice => ("VOICE CALL", None),
    };
    let address = if args.preview {
        "/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview"
    } else {
        "/api/v1/authn/factors/smsfactor/verify"
    };
    let event = args.event.clone();
    json!({
        "eventId": event.unwrap_or_else(|| Uuid::now_v7().simple().to_string()),
        "eventTime": now.to_rfc3339(),
        "eventType": "com.okta.telephony.provider",
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "cloudEventVersion": "0.1",
        "source": format!("https://{}/api/v1/inlineHooks/cal0000000000000000", args.source),
        "requestType": format!("com.okta.user.telephony.{}", args.request_type),
        "data": {
            "context": { "request": {
                "id": "req0000000000000000000",
                "method": "POST",
                "url": { "value": address },
                "ipAddress": "127.0.0.1",
            } },
            "userProfile": {
                "firstName": "Test",
                "lastName": "Person",
                "login": "test.person@example.com",
                "userId": "00u0000000000000test",
            },
            "messageProfile": {
                "msgTemplate": text,
                "phoneNumber": args.number,
                "otpExpires": now.plus_ms(LIFE_MS).to_rfc3339(),
                "deliveryChannel": channel,
                "otpCode": code,
                "locale": args.locale,
            },
        },
    })
}

/// Six random digits; they are never shown.
fn passcode() -> String {
    let mut bytes = [0; 4];
    // Without random numbers the passcode is 000000, which plays Okta as well.
    SystemRandom::new().fill(&mut bytes).ok();
    format!("{:06}", u32::from_be_bytes(bytes) % 1_000_000)
}
