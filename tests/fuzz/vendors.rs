//! Vendor definitions, and what vendors answer and report, whatever it says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Response};
use trunkline::flow::{Channel, Secret};
use trunkline::number::PhoneNumber;
use trunkline::problem::Source;
use trunkline::time::Moment;
use trunkline::vendor::{Account, Callback, Definition, Job, check_examples};

use crate::chance::Chance;
use crate::rules::texts_in;
use crate::{are_shown, soup, throw};

/// The moment of the definitions' own examples.
const NOW: Moment = Moment(1_767_225_600_000);
const ANSWERS: [&str; 8] = [
    r#"{"sid":"SM1","status":"queued","num_segments":"2","error_code":21211,"code":20429}"#,
    r#"{"message-count":"2","messages":[{"status":"0","message-id":"0A1"},{"status":"1","error-text":"Throttled"}]}"#,
    r#"{"messages":[{"messageId":"1","status":{"groupId":1,"groupName":"PENDING","id":26}}]}"#,
    r#"{"data":{"id":"40385f64","parts":2},"errors":[{"code":"40310","title":"Invalid 'to'"}]}"#,
    r#"{"messageId":"0A1","status":"delivered","err-code":"0","client-ref":"r"}"#,
    r#"{"data":{"event_type":"message.finalized","payload":{"id":"1","to":[{"status":"delivered"}],"errors":[]}}}"#,
    r#"{"results":[{"messageId":"1","status":{"groupName":"DELIVERED","name":"DELIVERED_TO_HANDSET"},"error":{"id":0}}]}"#,
    r#"{"Type":"Notification","MessageId":"1","TopicArn":"arn:north:topic:receipts","Message":"{}","Timestamp":"2026-01-01T00:00:00Z","SignatureVersion":"2","Signature":"AA==","SigningCertURL":"https://files.eu.north.example/1.pem","SubscribeURL":"https://hooks.eu.north.example/","Token":"t"}"#,
];
/// Receipts in signed envelopes, and handshakes.
const INVENTED: [&str; 2] = [
    include_str!("../data/enveloped.toml"),
    include_str!("../data/greeting.toml"),
];
const STATUSES: [u16; 12] = [100, 200, 201, 202, 204, 301, 400, 401, 404, 429, 500, 504];
const TEXTS: [&str; 5] = [
    "123456 is your code.",
    "",
    "验证码 123456",
    "<speak>\u{0}\u{1f468}&'\"</speak>",
    "{text}\r\n\\",
];

/// The proof that needs no signature.
const REFERENCE: &str = "auth = { scheme = \"reference\" }";

fn shipped() -> Vec<String> {
    texts_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("vendors"))
}

#[test]
fn definitions_are_read_whatever_they_say() {
    let small = texts_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vendors"));
    let (shipped, mut seeds) = (shipped(), small);
    // Signing takes long; the keys are shipped, and read elsewhere.
    seeds.extend(shipped.iter().map(|text| without_examples(text)));
    let make = |chance: &mut Chance| {
        let text = &seeds[chance.below(seeds.len())];
        let other = &seeds[chance.below(seeds.len())];
        soup::any(chance, text, other)
    };
    throw("definitions", 500, make, |text| {
        if let Some(account) = account(text) {
            ask(&account);
            answer(&account, ANSWERS[0], text.len());
            report(&account, ANSWERS[4], text.len());
        }
    });
}

#[test]
fn answers_and_receipts_are_read_whatever_they_say() {
    let accounts: Vec<Account> = shipped()
        .iter()
        .flat_map(|text| [text.clone(), proven(text)])
        .map(|text| account(&text))
        .chain(INVENTED.map(account))
        .map(|account| account.expect("these definitions are good ones"))
        .collect();
    assert_eq!(accounts.len(), 2 * shipped().len() + INVENTED.len());
    let make = |chance: &mut Chance| {
        let (text, other) = (chance.of(&ANSWERS), chance.of(&ANSWERS));
        soup::any(chance, text, other)
    };
    throw("answers", 1_500, make, |text| {
        for account in &accounts {
            answer(account, text, text.len());
            report(account, text, text.len());
        }
    });
}

fn without_examples(text: &str) -> String {
    let end = text.find("[[example]]").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The definition with receipts that need no signature, so that more than signatures is read; a handshake is
/// nothing without one.
fn proven(text: &str) -> String {
    let text = without_examples(text);
    let mut proven = String::new();
    let (mut is_receipts, mut is_left_out) = (false, false);
    for line in text.lines() {
        if line.starts_with('[') {
            let is_table = |name: &str| {
                ["[sms.receipts", "[voice.receipts"]
                    .iter()
                    .any(|receipts| line.starts_with(&format!("{receipts}{name}]")))
            };
            is_receipts = is_table("");
            is_left_out = is_table(".auth") || is_table(".handshake");
        }
        if is_left_out || is_receipts && line.starts_with("auth = ") {
            continue;
        }
        proven.extend([line, "\n"]);
        if is_receipts && line.starts_with('[') {
            proven.extend([REFERENCE, "\n"]);
        }
    }
    // Such receipts must come to an address that the vendor is told.
    proven.replace("{text", "{callback}{text")
}

fn account(text: &str) -> Option<Account> {
    let problems = RefCell::default();
    let definition = Arc::new(Definition::read(&Source::new("v.toml", text), &problems));
    check_examples(&definition, &problems);
    let problems = problems.into_inner();
    are_shown(&problems);
    let base_url = "https://vendor.example".to_owned();
    (!problems.has_errors()).then(|| Account::example(definition, "v".into(), base_url, None))
}

/// Requests of every kind can be made or not, and the vendor's own simulator recognises them.
fn ask(account: &Account) {
    let to = PhoneNumber::parse("+6591234567", None).expect("a number");
    let parameters = BTreeMap::from([(Arc::from("entity_id"), Arc::from("1 é"))]);
    let code = Secret::new("123456");
    for (index, text) in TEXTS.iter().enumerate() {
        let text = Secret::new(*text);
        let job = Job {
            to: &to,
            from: [None, Some("ACME"), Some("é\n")][index % 3],
            text: &text,
            code: (index % 2 == 0).then_some(&code),
            reference: "dlv_01890000000070008000000000000000-1",
            callback: (index != 1).then_some("https://otp.example/receipts/v/1"),
            script: (index != 2).then_some("https://otp.example/voice/1"),
            left_ms: [300_000, 0, -5, i64::MAX, 1][index],
            ucs2: index > 1,
            language: ["en-US", "", "de", "zh-Hant-TW", "é"][index],
            parameters: &parameters,
        };
        for channel in Channel::ALL {
            if let Ok(request) = account.request(channel, &job, NOW) {
                drop(account.recognise(&request, NOW));
            }
        }
    }
}

fn answer(account: &Account, body: &str, index: usize) {
    let mut response = Response::builder().status(STATUSES[index % STATUSES.len()]);
    if let Ok(value) = HeaderValue::from_str(&body.chars().take(9).collect::<String>()) {
        response = response.header("retry-after", value);
    }
    let (head, ()) = response.body(()).expect("a response").into_parts();
    for channel in Channel::ALL {
        let verdict = account.verdict(channel, &head, body.as_bytes());
        assert!(
            verdict
                .retry_after_ms
                .is_none_or(|ms| (0..=3_600_000).contains(&ms))
        );
        let kept = [&verdict.message_id, &verdict.code];
        let mut kept = kept.into_iter().flatten();
        assert!(kept.all(|text| text.chars().count() <= 128));
    }
}

fn report(account: &Account, body: &str, index: usize) {
    let types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
    ];
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static(types[index % types.len()]);
    headers.insert("content-type", kind);
    for name in [
        "authorization",
        "x-twilio-signature",
        "telnyx-signature-ed25519",
        "telnyx-timestamp",
        "x-signature",
    ] {
        if let Ok(value) = HeaderValue::from_str(body.get(..index % 90).unwrap_or("1767225600")) {
            headers.insert(name, value);
        }
    }
    let query: String = form_urlencoded::byte_serialize(body.as_bytes()).collect();
    let url = format!("https://otp.example/receipts/v/1?messageId=1&status=delivered&{query}");
    let callback = Callback {
        method: [&Method::GET, &Method::POST][index % 2],
        url: &url,
        headers: &headers,
        body: body.as_bytes(),
        reference_proven: !index.is_multiple_of(4),
        certificate: None,
    };
    drop(account.certificate_address(&callback, NOW));
    drop(account.hear(&callback, NOW));
    for (_, news) in account.receipts(&callback, NOW).unwrap_or_default() {
        assert!(news.message_id.is_some() || news.reference.is_some());
        assert!(
            news.receipt
                .code
                .is_none_or(|code| code.chars().count() <= 64)
        );
    }
}
