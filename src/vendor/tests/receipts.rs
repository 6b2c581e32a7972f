//! Receipts from the simulator and back, for every shipped definition; and what must not be believed or kept.

use std::sync::Arc;

use http::{HeaderMap, Method};

use super::{URL, read, reporting, told};
use crate::flow::{Channel, Progress, Reason, Secret};
use crate::problem::Source;
use crate::time::Moment;
use crate::vendor::{
    Account, Callback, Grant, News, RECEIPTS_PER_REQUEST_MAX, Refusal, Told, same_id,
};

const NOW: Moment = Moment(1_767_225_600_000);

fn of(progress: Progress) -> Told<'static> {
    Told {
        url: URL,
        message_id: "id-1",
        reference: Some("dlv_1-1"),
        to: "+6591234567",
        progress,
        code: None,
        forged: false,
    }
}

/// What an account makes of a receipt that its own simulator sends. The address proves the reference as long
/// as it is the one that was given.
fn heard(
    account: &Account,
    channel: Channel,
    told: &Told<'_>,
    now: Moment,
) -> Result<Vec<(Channel, News)>, Refusal> {
    let request = account.receipt_request(channel, told, NOW).unwrap();
    let url = request.uri().to_string();
    let callback = Callback::of(&request, &url, url.starts_with(URL));
    account.receipts(&callback, now)
}

#[test]
fn every_shipped_definition_understands_its_own_simulators_receipts() {
    for (name, account, channel) in reporting() {
        assert!(account.reports(channel), "{name}");
        for progress in [
            Progress::Intermediate,
            Progress::Failed,
            Progress::Delivered,
        ] {
            if account
                .receipt_request(channel, &of(progress), NOW)
                .is_none()
            {
                assert_eq!(progress, Progress::Intermediate, "{name}");
                continue;
            }
            let news = heard(&account, channel, &of(progress), NOW).unwrap();
            let [(heard_of, news)] = news.as_slice() else {
                panic!("{name}: {news:?}");
            };
            assert_eq!(*heard_of, channel, "{name}");
            let (id, reference) = (news.message_id.as_deref(), news.reference.as_deref());
            assert!(
                id == Some("id-1") || reference == Some("dlv_1-1"),
                "{name}: {news:?}"
            );
            assert!(id.is_none_or(|id| id == "id-1"), "{name}");
            assert!(news.reference.as_ref().is_none_or(|r| r == "dlv_1-1"));
            assert_eq!(news.receipt.progress, progress, "{name}");
            let failed = progress == Progress::Failed;
            assert_eq!(news.receipt.reason.is_some(), failed, "{name}");
            assert_ne!(news.receipt.reason, Some(Reason::Unknown), "{name}");
        }
    }
}

#[test]
fn a_changed_signature_or_reference_is_forged() {
    for (name, account, channel) in reporting() {
        let forged = Told {
            forged: true,
            ..of(Progress::Delivered)
        };
        let heard = heard(&account, channel, &forged, NOW);
        assert_eq!(heard, Err(Refusal::Forged), "{name}");
    }
}

#[test]
fn what_is_not_understood_is_forged_before_it_is_unreadable() {
    for (name, account, _) in reporting() {
        let headers = HeaderMap::new();
        let callback = |reference_proven| Callback {
            method: &Method::POST,
            url: URL,
            headers: &headers,
            body: b"\xff{[",
            reference_proven,
            certificate: None,
        };
        let refused = account.receipts(&callback(false), NOW);
        assert_eq!(refused, Err(Refusal::Forged), "{name}");
        assert!(account.receipts(&callback(true), NOW).is_err(), "{name}");
    }
}

const SMALL: &str = r#"
receipt_reply = 204
[credentials]
secret = { optional = true, example = "s" }
[sms]
path = "/send"
auth = { scheme = "in_request" }
json = { to = "{to}", text = "{text}" }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1 }
[sms.receipts]
body = ["form", "json"]
each = "/all"
message_id = "/id"
status = "/status"
code = "/code"
intermediate = ["sent"]
delivered = ["ok"]
failed = ["bad"]
reasons = { unreachable = [3], expired = ["late"] }
auth = { scheme = "header", value = "Token {credential.secret}" }
sandbox = { json = { all = [{ id = "{id}", status = "{status}" }] }, intermediate = "sent", delivered = "ok", failed = "bad", default_error = 3 }
"#;

fn small(secret: Option<&str>) -> Account {
    small_as(SMALL, secret)
}

fn small_as(text: &str, secret: Option<&str>) -> Account {
    let (definition, told) = read(&Source::new("small.toml", text));
    assert_eq!(told.len(), 2, "the examples are missing: {told:?}");
    let grant = Grant {
        name: "small".into(),
        base_url: None,
        region: None,
        credentials: secret
            .map(|s| ("secret".to_owned(), Secret::new(s)))
            .into_iter()
            .collect(),
        from: None,
    };
    Account::new(definition, grant)
}

fn read_small(body: &str) -> Result<Vec<News>, Refusal> {
    let headers = HeaderMap::from_iter([(
        http::header::AUTHORIZATION,
        http::HeaderValue::from_static("Token t"),
    )]);
    let callback = Callback {
        method: &Method::POST,
        url: URL,
        headers: &headers,
        body: body.as_bytes(),
        reference_proven: false,
        certificate: None,
    };
    let news = small(Some("t")).receipts(&callback, NOW)?;
    Ok(news.into_iter().map(|(_, news)| news).collect())
}

#[test]
fn without_the_optional_credential_the_reference_is_the_proof() {
    let heard = |account: &Account, reference_proven| {
        let callback = Callback {
            method: &Method::POST,
            url: URL,
            headers: &HeaderMap::new(),
            body: br#"{"all":[{"id":"a","status":"ok"}]}"#,
            reference_proven,
            certificate: None,
        };
        account.receipts(&callback, NOW).map(|news| news.len())
    };
    assert_eq!(heard(&small(None), true), Ok(1));
    assert_eq!(heard(&small(None), false), Err(Refusal::Forged));
    assert_eq!(heard(&small(Some("s")), true), Err(Refusal::Forged));
    assert_eq!(small(None).receipt_reply(), 204);
}

#[test]
fn a_user_and_a_password_are_proof_only_together() {
    let header = r#"{ scheme = "header", value = "Token {credential.secret}" }"#;
    let basic = r#"{ scheme = "basic", user = "Aladdin", password = "{credential.secret}" }"#;
    let account = small_as(&SMALL.replace(header, basic), Some("open sesame"));
    let heard = |given: &'static str| {
        let headers = HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            http::HeaderValue::from_static(given),
        )]);
        let callback = Callback {
            method: &Method::POST,
            url: URL,
            headers: &headers,
            body: br#"{"all":[{"id":"a","status":"ok"}]}"#,
            reference_proven: true,
            certificate: None,
        };
        account.receipts(&callback, NOW).map(|news| news.len())
    };
    // RFC 7617, section 2.
    assert_eq!(heard("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Ok(1));
    for wrong in ["Basic QWxhZGRpbjpvcGVu", "Basic QWxhZGRpbjo=", "Basic", ""] {
        assert_eq!(heard(wrong), Err(Refusal::Forged), "{wrong}");
    }
}

#[test]
fn statuses_codes_and_reasons_are_read_as_listed() {
    let check = |item: &str, progress, reason, code: Option<&str>| {
        let news = read_small(&format!(r#"{{"all":[{item}]}}"#)).unwrap();
        let receipt = &news[0].receipt;
        assert_eq!(receipt.progress, progress, "{item}");
        assert_eq!(receipt.reason, reason, "{item}");
        assert_eq!(receipt.code.as_deref(), code, "{item}");
    };
    let delivered = Progress::Delivered;
    check(
        r#"{"id":1,"status":"ok","code":3}"#,
        delivered,
        None,
        Some("ok"),
    );
    let failed = Progress::Failed;
    let reason = |r| Some(r);
    check(
        r#"{"id":1,"status":"bad","code":3}"#,
        failed,
        reason(Reason::Unreachable),
        Some("3"),
    );
    check(
        r#"{"id":1,"status":"bad","code":4}"#,
        failed,
        reason(Reason::Unknown),
        Some("4"),
    );
    check(
        r#"{"id":1,"status":"bad"}"#,
        failed,
        reason(Reason::Unknown),
        Some("bad"),
    );
    check(
        r#"{"id":1,"status":"odd"}"#,
        Progress::Unknown,
        None,
        Some("odd"),
    );
}

#[test]
fn texts_and_numbers_are_not_kept_as_codes() {
    for text in [
        "not sent to 6591234567",
        "6591234567",
        "gone: +1",
        &"a".repeat(65),
    ] {
        let body = format!(r#"{{"all":[{{"id":1,"status":"{text}"}}]}}"#);
        let news = read_small(&body).unwrap();
        assert_eq!(news[0].receipt.progress, Progress::Unknown);
        assert_eq!(news[0].receipt.code, None, "{text}");
    }
}

#[test]
fn what_says_nothing_of_a_message_is_unreadable() {
    for body in [
        "",
        "{}",
        r#"{"all":[]}"#,
        r#"{"all":[{"status":"ok"}]}"#,
        r#"{"all":[{"id":"","status":"ok"}]}"#,
        r#"{"all":[{"id":"a"}]}"#,
        r#"{"id":"a","status":"ok"}"#,
    ] {
        assert_eq!(read_small(body), Err(Refusal::Unreadable), "{body}");
    }
}

#[test]
fn of_many_receipts_in_one_request_the_first_thousand_are_read() {
    let item = r#"{"id":"a","status":"ok"}"#;
    let many = vec![item; RECEIPTS_PER_REQUEST_MAX + 1].join(",");
    let news = read_small(&format!(r#"{{"all":[{many}]}}"#)).unwrap();
    assert_eq!(news.len(), RECEIPTS_PER_REQUEST_MAX);
}

#[test]
fn mistakes_in_receipts_are_told_with_their_places() {
    let text = SMALL
        .replace(r#"scheme = "header""#, r#"scheme = "heeder""#)
        .replace(r#"body = ["form", "json"]"#, r#"body = ["form", "xml"]"#)
        .replace(r#"failed = ["bad"]"#, r#"failed = ["ok"]"#)
        .replace(r#"status = "{status}""#, r#"status = "{statu}""#);
    let told = told(&text);
    for expected in [
        "`heeder` is not known here\n  hint: did you mean `header`?",
        "`xml` is not known here",
        "the status `ok` is listed twice",
        "there is no slot `{statu}` here\n  hint: did you mean `status`?",
    ] {
        assert!(told.contains(expected), "{expected}\nnot in\n{told}");
    }
    let slot = SMALL.replace("{credential.secret}", "{reference}");
    assert!(super::told(&slot).contains("only credentials can be used here"));
}

#[test]
fn a_receipt_example_that_does_not_hold_is_told() {
    let example = r#"
[[receipt_example]]
name = "arrived"
json = { all = [{ id = "a", status = "ok" }] }
news = [{ message_id = "a", progress = "failed" }]
[[receipt_example]]
name = "odd"
json = { id = "a" }
news = [{ message_id = "a", progress = "delivered" }]
"#;
    let told = told(&format!("{SMALL}{example}"));
    for expected in [
        "the receipt example `arrived` does not hold: the news' progress is `delivered`, not `failed`",
        "the receipt example `odd` does not hold: it is not understood: nothing at `/all`",
    ] {
        assert!(told.contains(expected), "{expected}\nnot in\n{told}");
    }
    let (_, without) = read(&Source::new("small.toml", SMALL));
    assert!(
        without
            .iter()
            .any(|t| t.contains("no receipt example shows a message delivered by sms"))
    );
}

#[test]
fn an_account_of_a_definition_without_receipts_has_none() {
    let text = SMALL.split("[sms.receipts]").next().unwrap();
    let (definition, _) = read(&Source::new("none.toml", text));
    let account = Account::example(Arc::clone(&definition), "n".into(), "http://n".into(), None);
    assert!(!account.reports(Channel::Sms));
    let told = of(Progress::Delivered);
    assert!(account.receipt_request(Channel::Sms, &told, NOW).is_none());
}

#[test]
fn ids_are_the_same_in_another_case_with_other_zeros_and_spaces() {
    for (one, other) in [
        ("0A0000000123ABCD1", "a0000000123abcd1"),
        (" SM12 ", "sm12"),
        ("000", "0"),
        ("c5ba8f24-1a14", "C5BA8F24-1A14"),
    ] {
        assert_eq!(same_id(one), same_id(other));
    }
    assert_ne!(same_id("c5ba-8f24"), same_id("c5ba8f24"));
    assert_ne!(same_id("10"), same_id("1"));
}
