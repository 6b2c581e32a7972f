//! Hook calls as they were seen in the wild, and the answer's one shape.

use std::sync::Arc;

use super::*;
use crate::flow::{Channel, DeliveryId, Message};
use crate::number::{Country, NumberProblem};
use crate::time::Moment;

fn message_with(profile: &str, envelope: &str) -> Message {
    let body = format!(r#"{{"data":{{"messageProfile":{{{profile}}}}}{envelope}}}"#);
    let request = Request::read(body.as_bytes()).unwrap();
    request.into_message(
        DeliveryId::from_bytes([7; 16]),
        Arc::from("acme"),
        Country::parse("US"),
        Moment(1_000),
    )
}

fn message(profile: &str) -> Message {
    message_with(profile, "")
}

fn fault(body: &str) -> Fault {
    Request::read(body.as_bytes()).err().expect("a fault")
}

const PLAIN: &str =
    r#""phoneNumber":"+6591234567","otpCode":"012345","msgTemplate":"012345 it is""#;

#[test]
fn leading_zeros_of_a_passcode_survive() {
    assert_eq!(message(PLAIN).code.unwrap().expose(), "012345");
}

#[test]
fn a_passcode_may_be_a_json_number() {
    let m = message(r#""phoneNumber":"+6591234567","otpCode":11111"#);
    assert_eq!(m.code.unwrap().expose(), "11111");
}

#[test]
fn a_number_may_be_a_json_number_and_is_not_taken_for_another_country() {
    let m = message(r#""phoneNumber":2015550123,"otpCode":1"#);
    assert_eq!(m.to.unwrap().e164(), "+12015550123");
    let exponent = message(r#""phoneNumber":2.015550123e9,"otpCode":1"#);
    assert_eq!(exponent.to.unwrap().e164(), "+12015550123");
}

#[test]
fn channels_are_read_in_every_spelling() {
    let check = |spelling: &str, expected| {
        let m = message(&format!(r#"{PLAIN},"deliveryChannel":{spelling}"#));
        assert_eq!(m.channel, expected, "{spelling}");
    };
    for sms in ["\"SMS\"", "\"sms\"", "null"] {
        check(sms, Channel::Sms);
    }
    for voice in ["\"CALL\"", "\"Voice\"", "\"voice call\"", "\"VOICE CALL\""] {
        check(voice, Channel::Voice);
    }
}

#[test]
fn without_text_and_channel_it_is_a_call() {
    let m = message(r#""phoneNumber":"+6591234567","otpCode":"1""#);
    assert_eq!(m.channel, Channel::Voice);
}

#[test]
fn null_and_unknown_fields_are_let_pass() {
    let m = message_with(
        &format!(r#"{PLAIN},"locale":null,"otpExpires":{{}},"news":[1,{{"a":2}}]"#),
        r#","eventId":null,"requestType":null,"extra":{"deep":[true]}"#,
    );
    assert_eq!((m.event, m.locale.as_str(), m.life_ms), (None, "", 300_000));
}

#[test]
fn the_life_of_a_passcode_is_counted_from_our_arrival() {
    let check = |event: &str, expires: &str, expected: i64| {
        let profile = format!(r#"{PLAIN},"otpExpires":"{expires}""#);
        let m = message_with(&profile, &format!(r#","eventTime":"{event}""#));
        assert_eq!(m.life_ms, expected, "{event} {expires}");
    };
    check("2020-01-17T21:23:56Z", "2020-01-17T21:28:56.000Z", 300_000);
    check("2020-01-17T21:23:56Z", "2022-01-28T21:48:34.321Z", 900_000);
    check("2020-01-17T21:23:56Z", "2020-01-17T21:23:56Z", 0);
    check("2020-01-17T21:23:56Z", "2019-01-17T21:23:56Z", 0);
    check("yesterday", "2019-01-17T21:23:56Z", 300_000);
}

#[test]
fn previews_and_resends_are_told_by_the_address() {
    let told = |value: &str| {
        let body = format!(
            r#"{{"data":{{"context":{{"request":{{"url":{{"value":"{value}"}},"ipAddress":"10.0.0.1"}}}},"messageProfile":{{{PLAIN}}}}}}}"#
        );
        let request = Request::read(body.as_bytes()).unwrap();
        let m = request.into_message(DeliveryId::from_bytes([7; 16]), "a".into(), None, Moment(0));
        assert_eq!(m.ip.as_deref(), Some("10.0.0.1"));
        (m.preview, m.resend)
    };
    assert_eq!(told("/api/internal/v1/x/generatePreview"), (true, false));
    assert_eq!(
        told("/api/v1/authn/factors/1/verify/resend?a=b"),
        (false, true)
    );
    assert_eq!(told("/api/v1/authn"), (false, false));
}

#[test]
fn names_are_read_plainly() {
    let m = message_with(
        &format!(r#"{PLAIN},"locale":"EN_US""#),
        r#","requestType":"com.okta.user.telephony.mfa-verification","eventId":"e1""#,
    );
    assert_eq!(m.locale, "en-us");
    assert_eq!(m.request_type, "mfa-verification");
    assert_eq!(m.event.as_deref(), Some("e1"));
}

#[test]
fn a_number_that_is_none_is_no_fault_of_the_call() {
    let m = message(r#""phoneNumber":"hello","otpCode":"1""#);
    assert_eq!(m.to, Err(NumberProblem::NotANumber));
}

#[test]
fn the_org_is_named_by_the_source() {
    let host = |source: &str| {
        let body = format!(r#"{{"source":"{source}","data":{{"messageProfile":{{{PLAIN}}}}}}}"#);
        Request::read(body.as_bytes()).unwrap().source_host()
    };
    let acme = Some("acme.okta.com".to_owned());
    assert_eq!(host("https://acme.okta.com/api/v1/inlineHooks/cbl2"), acme);
    assert_eq!(host("https://ACME.okta.com:443/api"), acme);
    assert_eq!(host("acme.okta.com"), acme);
}

#[test]
fn a_body_that_is_no_hook_call_is_told_what_and_where() {
    let broken = fault("{\n  \"data\": [,]\n}");
    assert_eq!(broken.message, "the body is not JSON");
    assert_eq!((broken.line, broken.column), (Some(2), Some(12)));
    let mistyped = fault(r#"{"data":{"messageProfile":"123456"}}"#);
    assert_eq!(mistyped.line, Some(1));
    assert!(!format!("{mistyped:?}").contains("123456"));
    assert_eq!(fault("[]").field, Some("data.messageProfile"));
    assert_eq!(fault("7").line, Some(1));
    let none = fault(r#"{"data":{"messageProfile":{"otpCode":"1"}}}"#);
    assert_eq!(none.field, Some("data.messageProfile.phoneNumber"));
    let mute = fault(r#"{"data":{"messageProfile":{"phoneNumber":"+6591234567"}}}"#);
    assert_eq!(mute.field, Some("data.messageProfile.otpCode"));
    assert_eq!(fault("{}").field, Some("data.messageProfile"));
}

#[test]
fn the_answer_has_the_shape_that_okta_reads() {
    let id = DeliveryId::from_bytes([7; 16]);
    let mut answer = Answer {
        status: Status::Successful,
        accepted: Some(("first", "SM1", 2)),
        delivery: id,
        ms: 412,
        rule: "us",
        rules: "abc",
        reason: "accepted",
    };
    let expected = format!(
        r#"{{"commands":[{{"type":"com.okta.telephony.action","value":[{{"status":"SUCCESSFUL","provider":"first","transactionId":"SM1","transactionMetadata":"delivery={id},attempt=2,ms=412"}}]}}],"debugContext":{{"delivery":"{id}","rule":"us","rules":"abc","reason":"accepted"}}}}"#
    );
    assert_eq!(answer.to_json(), expected);
    answer.accepted = None;
    let json = answer.to_json();
    assert!(json.contains(&format!(r#""provider":"trunkline","transactionId":"{id}""#)));
}
