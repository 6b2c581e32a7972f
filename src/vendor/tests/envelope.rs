//! Signed envelopes: published vectors, and what attackers may make of them.

mod addresses;
mod channels;

use http::{HeaderMap, Method};
use serde_json::{Value as Json, json};

use super::{URL, read};
use crate::flow::{Channel, Progress, Secret};
use crate::problem::Source;
use crate::time::Moment;
use crate::vendor::signature::envelope::with_signature;
use crate::vendor::{Account, Callback, Certificate, Grant, Greeting, Heard, Refusal, Told};

/// 2026-01-01T00:00:00Z, when all of these were made.
const MADE: Moment = Moment(1_767_225_600_000);
const TOPIC: &str = concat!("arn:aws:sns:us-east-1:123456789012:hook", "line");
const CERTIFICATE_URL: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-test.pem";
const SUBSCRIBE_URL: &str =
    "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336412f37";
const EVENT: &str = r#"{"eventType":"TEXT_DELIVERED","messageId":"4f2b1a5e-0000-4000-8000-000000000001","messageStatus":"DELIVERED","isFinal":true}"#;

/// With a certificate that was thrown away: type, subject, version, signature.
const VECTORS: [(&str, Option<&str>, &str, &str); 6] = [
    (
        "Notification",
        None,
        "1",
        "GgHq3O9AkX1U7eP2V22Il3HOd3ekHYmbjH7MYd7u3MnXvkvGjt7bNvJqxqZqthjA8SLAygeUclf6ZF1zowoWEJDqDKN0qx8PrD5VNlTxg6xahvUsWdDoHcAup7UXOMDhVuTLqRA2x5YhWFQSIBjf628iUgKS6e3jyHm6Dlp7wqkjzwwerCY7hUxTizQvHFuHsuWrUTFo/WZmtW46bP11kI0GUx9ejMFpVJnwsDIRtYp+AQLdeTOdGO9ljb4ISkla6gE2BkpGq+Z+mMp/i5IzYFCUzURogGK6A8TGL8BuflvP1umrR5nD59oYcJXujRXd83FbMbYczI8SACM1ec6NJg==",
    ),
    (
        "Notification",
        None,
        "2",
        "le0lB0JbfH0f0iiI+Djc6xLIRByY8oidJEHyg1jtWzk21qUxDH4a4QB/DzA+Xwgmzn2076qjaYKplkeFImk3nvC++TKyN86uJF+NimW51+brJLHf7uyLED986YjkB2pAX4dEj/kfvrL39S2KPxBcGwzhntpGaa53/MqHKiJmCmNhKNn7kOKFQCh6IjmlB1LKCHLqPzKN+vYpss/rfc6c22EZNaxW24VxbgsNsaaBlGMOJO05Xh4lTKZYIOY1mauJy1RJlzww4NRylHQiHVpHyFbE3JsqaLlL5ByHFLNEVqGTrv0KIFraoyrd2EdPTzGc+bA6RCVzqD1/W6o4kcVGwA==",
    ),
    (
        "Notification",
        Some("s1"),
        "1",
        "GgxWtxtNNNdhJCkOjqXNl9gH/nx5k7v7RFsy029DCRhPLZaGGWKzF0Ehvu3YR6l26trB9/6QQ9kY8GgOZfXnlUl368HVptXZaBKBZ0oMzBwcq5Z4bbXkCYOqqFe/7h48+o/c7ywsYAyRx34js69j/4dTN6zBfmr7FlD3WBEl/RYSHVZnnYqGIYDaKuHj5mQL26PRgUxXQ1QRn834zU2a4GU4lEKT0WCGcK97nio500CsS7uYJ2HuxRoZd1RIahfNYiPWgwfRZFAtkxW1wSpOe/PBegHdD43DN1tZ7nz6k/E+1O21VM1ve5gWuto5rK6yH/06I9tNuQGdZ0Kc23cIgw==",
    ),
    (
        "Notification",
        Some("s1"),
        "2",
        "kn7kBc2WPJ5p7UsM42d2S09sPvG9bxTGIRgpww3E1mUbezcyinxhayviKs2n3kT2u0jdbvtRJxzC7y85CjYOuYTnjLKfTSgfnOpk6Yl0Fvns0O2/pAr1ss/A3IKS9CKRSz0kK0659PiqiH6ktwRohCKkGEdw4OAUmFAhwfTNRPbbKODKckIWK7frVYcGE/DADl1VFVZMBmLBnKXxqKKK+P715w43dk6QugtVyn4pmmFKjT4QdMFH48x6vv5GZccAp3jhJAnGnPwcW2joFtAXskihi/FzSqy7jZFwSe1JQLmPMaiHWLuaUrh6vGPfrI6anQ5/lcntZWj3o+W9Uh4AXw==",
    ),
    (
        "SubscriptionConfirmation",
        None,
        "1",
        "G6NmXGSyBJKBRbGSNhBtgF+vMW9rsz6mI8M+JOopVvKr3QNu9fFt16995XTCjfhIdPRncHAbGlWn0BQACgR9JHLYlrJx4ZA4Bw/gqG9YSl0NPpZpCQ95QyoIC6nQbZ9vUnD8PZkbIOF8l6XWF0BTxHNcK2NEF/CTbBsmI8g1IUVOCtoxyglh9Rcjwso8LI0rVgVpy+THexDI9h6cDUduj4gVUA2264XdZZrPmz7IVtPHCfOm1CqsY/V2zFCOqy+pglUf0KYDfuKJex3z0LWHKVQePjS1InoSfGZ5NrsHb7MuOMWsK8kFFuUW419uzGSRpRxOWXcLPbj3zN4mRQ02KQ==",
    ),
    (
        "SubscriptionConfirmation",
        None,
        "2",
        "hPVcQ9dDD5NclQW44RFnVkQ+FHPucw+vP0Bcztah7xtGk+gI6AtjCCNk6sHhCN6OH4wuPDdje3FCIjS2Gp+TYNKioG0NeVxZsFxL6x1WHzLnpj66y3TXw/+RuGYR1LhqFuATy+UhjJlpOCfQGvprk8xvmUlVs+JvyzhoERLR8eptJ/Y/q4NY/VsH6Pan/L1RC4yET7bz66dNe/qHe2b8cb2KI5x2670JM4EDNLu8DUbuivAVDZgIaZRlkSLPZFEhZ7i2j36iujug4zYeyJF2ofyt6pC857pOqcum4i0qwXDnAn8p5PpaqeXcC4gyVLYC8MfKaxrmmPZbJLt9CDrWhQ==",
    ),
];
const PEM: &str = "-----BEGIN CERTIFICATE-----
MIICsTCCAZmgAwIBAgIBATANBgkqhkiG9w0BAQsFADAcMRowGAYDVQQDDBFzbnMu
YW1hem9uYXdzLmNvbTAeFw0yNTAxMDEwMDAwMDBaFw00NTAxMDEwMDAwMDBaMBwx
GjAYBgNVBAMMEXNucy5hbWF6b25hd3MuY29tMIIBIjANBgkqhkiG9w0BAQEFAAOC
AQ8AMIIBCgKCAQEAmwMGW5vF0W5d35TE7j5mH4xyZ8VCL2WSmq70QGvKdfeKGxUi
bHFTLP8HCWLRyufTGwZtgmrVpK6xGEBa0inQUtZlFZoFu2dOxBoscMRNyF82/BDj
ODohUjE0NfZgF1T9pOguXI8JgKWzQj4ypi8XszslONomewu9ocUJ1oxP6aZqEh2I
K4ze39l0wZxc4OzVrWo4SH7oKzWfazwXOi7p6QmpTDjyHCq4juZASSgO6ua5uPHU
l1vsMtNC4Ojke5k5Hv3X975+Db0qNXLRh9i/JHyD5Z6+rHbIY5I7bHhH+mY4Sufc
P0+tE48BwjmzyD7eDV3l4AkWXJtckY1loSQ5jQIDAQABMA0GCSqGSIb3DQEBCwUA
A4IBAQBhDzoEXU1j+WqpcoBPt4galXBSLZ4bIgzzVS4Sw99B0yDXIoikkRj7lwKU
12SF0mtetMffgSIcjUwmpHRfdqUnv24WIVQmBRSli6wGEbVR8nGgf8FEB6PUnJw4
TjpR6dkc+ESmLjxpwJgaXvGwTljW9PiY8+8c29lnc4LsWtl3k+zjW8dmztgihCVy
lcsphqc6e0xcj7in5dodhz1bzXhqu656staExvIyYrkpuxuKM6ZW2KkK9ac7SdiD
twRcl1xbHeQi+o0iUDohX6U5fMIVNagrhZAAIkwBRTkj3Xm8HurpWBZkv5aolI2m
glJhK9YJ16ULQraK4wAf95g+cXK/
-----END CERTIFICATE-----
";

const DEFINITION: &str = r#"
[credentials]
topic = { example = "t" }
certificate = { optional = true, example = "c" }
[sms]
path = "/send"
auth = { scheme = "in_request" }
json = { to = "{to}", text = "{text}" }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1 }
[sms.receipts]
body = "json"
envelope = "/Message"
message_id = "/messageId"
status = "/messageStatus"
delivered = ["DELIVERED"]
failed = ["FAILED"]
sandbox = { json = { messageId = "{id}" }, delivered = "DELIVERED", failed = "FAILED", default_error = 3 }
[sms.receipts.handshake]
token = "/SubscribeURL"
visit = '^https://sns\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com(\.cn)?/'
[sms.receipts.auth]
scheme = "rsa_envelope"
topic = "{credential.topic}"
certificate = "{credential.certificate}"
hosts = '^sns\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com(\.cn)?$'
"#;

fn account(topic: &str, certificate: Option<&str>) -> Account {
    let (definition, told) = read(&Source::new("envelope.toml", DEFINITION));
    assert_eq!(told.len(), 2, "only the examples are missing: {told:?}");
    Account::new(definition, grant(topic, certificate))
}

fn grant(topic: &str, certificate: Option<&str>) -> Grant {
    let credentials = [("topic", Some(topic)), ("certificate", certificate)];
    let credentials = credentials.into_iter();
    Grant {
        name: "e".into(),
        base_url: None,
        region: None,
        credentials: credentials
            .filter_map(|(name, value)| Some((name.to_owned(), Secret::new(value?))))
            .collect(),
        from: None,
    }
}

fn envelopes() -> Vec<Json> {
    let envelope = |(kind, subject, version, signature): (&str, Option<&str>, &str, &str)| {
        let mut root = json!({
            "Type": kind,
            "TopicArn": TOPIC,
            "Timestamp": "2026-01-01T00:00:00.000Z",
            "SignatureVersion": version,
            "Signature": signature,
            "SigningCertURL": CERTIFICATE_URL,
        });
        if kind == "Notification" {
            root["MessageId"] = json!("22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324");
            root["Message"] = json!(EVENT);
        } else {
            root["MessageId"] = json!("165545c9-2a5c-472c-8df2-7ff2be2b3b1b");
            root["Message"] = json!("You have chosen to subscribe");
            root["Token"] = json!("2336412f37");
            root["SubscribeURL"] = json!(SUBSCRIBE_URL);
        }
        if let Some(subject) = subject {
            root["Subject"] = json!(subject);
        }
        root
    };
    VECTORS.map(envelope).to_vec()
}

fn with_callback<T>(root: &Json, pem: Option<&str>, use_it: impl FnOnce(&Callback<'_>) -> T) -> T {
    let certificate = pem.map(|pem| Certificate::from_pem(pem.as_bytes()).unwrap());
    use_it(&Callback {
        method: &Method::POST,
        url: URL,
        headers: &HeaderMap::new(),
        body: root.to_string().as_bytes(),
        // It must not matter.
        reference_proven: true,
        certificate: certificate.as_ref(),
    })
}

fn heard(account: &Account, root: &Json, now: Moment) -> Result<Heard, Refusal> {
    with_callback(root, Some(PEM), |callback| account.hear(callback, now))
}

fn address(account: &Account, root: &Json, now: Moment) -> Option<String> {
    with_callback(root, None, |callback| {
        account.certificate_address(callback, now)
    })
}

#[test]
fn vectors_are_right_with_a_fetched_certificate_and_with_a_given_one() {
    for root in envelopes() {
        let fetching = account(TOPIC, None);
        assert_eq!(
            address(&fetching, &root, MADE).as_deref(),
            Some(CERTIFICATE_URL)
        );
        let fetched = heard(&fetching, &root, MADE).unwrap();
        let given = account(TOPIC, Some(PEM));
        assert_eq!(address(&given, &root, MADE), None);
        let known = with_callback(&root, None, |callback| given.hear(callback, MADE));
        assert_eq!(known.unwrap(), fetched);
        match fetched {
            Heard::News(news) => {
                assert_eq!(root["Type"], "Notification");
                assert_eq!(news[0].1.receipt.progress, Progress::Delivered);
            }
            Heard::Greeting(greeting) => {
                assert_eq!(root["Type"], "SubscriptionConfirmation");
                assert_eq!(greeting, Greeting::Visit(SUBSCRIBE_URL.to_owned()));
            }
        }
        let none = with_callback(&root, None, |callback| fetching.hear(callback, MADE));
        assert_eq!(none, Err(Refusal::Forged));
    }
}

#[test]
fn a_vector_of_which_one_byte_is_another_is_forged() {
    let account = account(TOPIC, None);
    let signed = [
        "Message",
        "MessageId",
        "Subject",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
        "Signature",
        "SignatureVersion",
    ];
    for root in envelopes() {
        for name in signed {
            let Some(text) = root[name].as_str() else {
                continue;
            };
            for at in 0..text.len() {
                let other = if text.as_bytes()[at] == b'1' {
                    "2"
                } else {
                    "1"
                };
                let mut changed = root.clone();
                let text = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                changed[name] = json!(text);
                let heard = heard(&account, &changed, MADE);
                assert_eq!(heard, Err(Refusal::Forged), "{name} {text}");
            }
            let mut without = root.clone();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(heard(&account, &without, MADE), Err(Refusal::Forged));
        }
    }
}

#[test]
fn another_topic_is_forged_and_its_certificate_is_not_fetched() {
    for root in envelopes() {
        for topic in ["arn:aws:sns:us-east-1:123456789012:hooklin", "x"] {
            let account = account(topic, None);
            assert_eq!(heard(&account, &root, MADE), Err(Refusal::Forged));
            assert_eq!(address(&account, &root, MADE), None);
        }
    }
}

#[test]
fn an_envelope_is_believed_for_an_hour() {
    let account = account(TOPIC, None);
    for root in envelopes() {
        for ms in [3_600_000, -300_000] {
            assert!(heard(&account, &root, MADE.plus_ms(ms)).is_ok());
        }
        for ms in [3_601_000, -301_000] {
            let now = MADE.plus_ms(ms);
            assert_eq!(heard(&account, &root, now), Err(Refusal::Stale));
            assert_eq!(address(&account, &root, now), None);
        }
    }
}

#[test]
fn a_given_certificate_that_cannot_be_read_proves_nothing() {
    for pem in [
        "x",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let account = account(TOPIC, Some(pem));
        let root = &envelopes()[0];
        assert_eq!(heard(&account, root, MADE), Err(Refusal::Forged));
        assert_eq!(address(&account, root, MADE), None);
        assert_eq!(Certificate::from_pem(pem.as_bytes()), None);
    }
}

/// An account of the invented vendor of the tests, whose key is known, and an envelope that is signed with it.
fn invented() -> Account {
    let text = include_str!("../../../tests/data/enveloped.toml");
    let (definition, told) = read(&Source::new("enveloped.toml", text));
    assert_eq!(told.len(), 1, "no example of a request: {told:?}");
    Account::example(definition, "north".into(), "http://n".into(), None)
}

/// Signs as nobody but the vendor can.
fn signed(mut root: Json) -> Json {
    let text = include_str!("../../../tests/data/enveloped.toml");
    let definition: toml::Table = toml::from_str(text).unwrap();
    let key = definition["sms"]["receipts"]["auth"]["sandbox_key"]
        .as_str()
        .unwrap();
    let names: &[&str] = match root["Type"].as_str().unwrap() {
        "Notification" => &[
            "Message",
            "MessageId",
            "Subject",
            "Timestamp",
            "TopicArn",
            "Type",
        ],
        _ => &[
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ],
    };
    let there = names
        .iter()
        .filter_map(|n| Some((n, root.get(n)?.as_str()?)));
    let message: String = there.map(|(n, text)| format!("{n}\n{text}\n")).collect();
    root["Signature"] = json!(super::rsa_sha256(key, message.as_bytes()));
    root
}

fn confirmation(kind: &str, url: &str) -> Json {
    json!({
        "Type": kind,
        "MessageId": "1",
        "Token": "t",
        "TopicArn": "arn:north:topic:receipts",
        "Message": "You have chosen\nto subscribe",
        "SubscribeURL": url,
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": "2",
    })
}

#[test]
fn what_is_not_signed_is_not_read() {
    let north = invented();
    let mut root = signed(json!({
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "arn:north:topic:receipts",
        "Message": r#"{"id":"m1","status":"arrived"}"#,
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": "2",
    }));
    // Somebody who saw it adds what the signature says nothing of.
    root["SubscribeURL"] = json!("https://hooks.eu.north.example/");
    root["Token"] = json!("t");
    let heard_of = heard(&north, &root, MADE);
    assert!(matches!(heard_of, Ok(Heard::News(news)) if news.len() == 1));
    root["Type"] = json!("SubscriptionConfirmation");
    assert_eq!(heard(&north, &root, MADE), Err(Refusal::Forged));
    // Two fields in place of one, with the same text to be signed.
    root["Type"] = json!("Notification");
    root["MessageId"] = json!("1\nSubject\ns");
    root["Subject"] = Json::Null;
    assert_eq!(heard(&north, &signed(root), MADE), Err(Refusal::Forged));
}

#[test]
fn the_end_of_a_subscription_is_not_taken_for_its_beginning() {
    let north = invented();
    let url = "https://hooks.eu.north.example/";
    let mut root = signed(confirmation("UnsubscribeConfirmation", url));
    let farewell = Heard::Greeting(Greeting::Farewell);
    assert_eq!(heard(&north, &root, MADE), Ok(farewell));
    root["Token"] = json!("u");
    assert_eq!(heard(&north, &root, MADE), Err(Refusal::Forged));
}

#[test]
fn what_is_in_the_envelope_must_be_a_receipt() {
    let north = invented();
    for message in ["", "arrived", "{}", "[1", r#"{"id":"m1"}"#, "null"] {
        let mut root = confirmation("Notification", "");
        root["Message"] = json!(message);
        let root = signed(root);
        assert_eq!(heard(&north, &root, MADE), Err(Refusal::Unreadable));
    }
}

#[test]
fn the_simulator_signs_envelopes_and_forges_them() {
    let north = invented();
    for (progress, forged) in [
        (Progress::Delivered, false),
        (Progress::Failed, false),
        (Progress::Delivered, true),
    ] {
        let told = Told {
            url: URL,
            message_id: "id-1",
            reference: None,
            to: "+6591234567",
            progress,
            code: None,
            forged,
        };
        let request = north.receipt_request(Channel::Sms, &told, MADE).unwrap();
        assert_eq!(
            request.headers()["content-type"],
            "text/plain; charset=UTF-8"
        );
        let root: Json = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(
            root["SigningCertURL"],
            "https://files.eu.north.example/key-1.pem"
        );
        let heard = heard(&north, &root, MADE);
        if forged {
            assert_eq!(heard, Err(Refusal::Forged));
            continue;
        }
        let Ok(Heard::News(news)) = heard else {
            panic!("{heard:?}");
        };
        assert_eq!(news[0].1.message_id.as_deref(), Some("id-1"));
        assert_eq!(news[0].1.receipt.progress, progress);
        let same = with_signature(request.body(), str::to_owned).unwrap();
        assert_eq!(same, request.body());
    }
}

#[test]
fn a_handshake_is_answered_only_when_it_is_proven() {
    let text = include_str!("../../../tests/data/greeting.toml");
    let (definition, _) = read(&Source::new("greeting.toml", text));
    let south = Account::example(definition, "south".into(), "http://s".into(), None);
    let heard = |secret: &'static str, body: &str| {
        let secret = http::HeaderValue::from_static(secret);
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, secret)]);
        let callback = Callback {
            method: &Method::POST,
            url: URL,
            headers: &headers,
            body: body.as_bytes(),
            reference_proven: true,
            certificate: None,
        };
        south.hear(&callback, MADE)
    };
    let body = r#"[{"data":{"code":"c-1"}}]"#;
    let reply = Greeting::Reply(json!({ "answer": "c-1", "of": ["c-1", 1] }));
    assert_eq!(heard("s", body), Ok(Heard::Greeting(reply)));
    assert_eq!(heard("t", body), Err(Refusal::Forged));
    for other in [
        "[]".to_owned(),
        r#"[{"data":{}}]"#.to_owned(),
        format!(r#"[{{"data":{{"code":"{}"}}}}]"#, "c".repeat(2_049)),
    ] {
        assert_eq!(heard("s", &other), Err(Refusal::Unreadable), "{other}");
    }
}
