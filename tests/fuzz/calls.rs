//! Hook calls, whatever their bodies say.

use std::sync::Arc;

use trunkline::flow::DeliveryId;
use trunkline::number::Country;
use trunkline::okta::Request;
use trunkline::time::Moment;

use crate::chance::Chance;
use crate::{soup, throw};

const BODIES: [&str; 3] = [
    r#"{"eventId":"uS5871kJThSsU8qlA1LTcg","eventTime":"2020-01-17T21:23:56.000Z","eventType":"com.okta.telephony.provider","eventTypeVersion":"1.0","contentType":"application/json","cloudEventVersion":"0.1","source":"https://acme.okta.com/api/v1/inlineHooks/cal4egvp1mbMldrYN0g7","requestType":"com.okta.user.telephony.pre-enrollment","data":{"context":{"request":{"id":"reqRgSk8IBBRhuo0YdlEDTmUw","method":"POST","url":{"value":"/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview"},"ipAddress":"127.0.0.1"}},"userProfile":{"firstName":"test","lastName":"user","login":"test.user@okta.com","userId":"00uyxxSknGtK8022w0g3"},"messageProfile":{"msgTemplate":"(HOOK)Your code is 11111","phoneNumber":"9876543210","otpExpires":"2021-10-11T21:26:45.000Z","deliveryChannel":"SMS","otpCode":"11111","locale":"EN-US"}}}"#,
    r#"{"data":{"messageProfile":{"phoneNumber":"+6581234567","otpCode":123456,"deliveryChannel":"voice call"}}}"#,
    r#"{"eventTime":null,"data":{"context":null,"userProfile":[],"messageProfile":{"phoneNumber":2.015550123e9,"msgTemplate":"\u00e9 1","otpExpires":0,"locale":"de_AT"}}}"#,
];
/// Longest life of a passcode, in milliseconds.
const LIFE_MS_MAX: i64 = 900_000;

#[test]
fn hook_calls_are_read_whatever_they_say() {
    let make = |chance: &mut Chance| {
        let (body, other) = (chance.of(&BODIES), chance.of(&BODIES));
        soup::any(chance, body, other)
    };
    throw("hook calls", 6_000, make, |text| check(text.as_bytes()));
}

#[test]
fn hook_calls_are_read_whatever_their_bytes_are() {
    let make = |chance: &mut Chance| chance.next().to_string();
    throw("bytes", 3_000, make, |seed| {
        let mut chance = Chance::new(seed, 0, 0);
        let mut bytes = chance.of(&BODIES).as_bytes().to_vec();
        for _ in 0..=chance.below(4) {
            let at = chance.below(bytes.len());
            bytes[at] = u8::try_from(chance.below(256)).expect("a byte");
        }
        bytes.truncate(match chance.one_in(4) {
            true => chance.below(bytes.len()),
            false => bytes.len(),
        });
        check(&bytes);
    });
}

fn check(body: &[u8]) {
    let request = match Request::read(body) {
        Ok(request) => request,
        Err(fault) => {
            let told = serde_json::to_string(&fault).expect("JSON");
            assert!(!told.contains("11111"), "a fault does not quote");
            return;
        }
    };
    assert!(request.source_host().is_none_or(|host| !host.contains('/')));
    let country = Country::parse("US");
    let id = DeliveryId::from_bytes([7; 16]);
    let message = request.into_message(id, Arc::from("acme"), country, Moment(1_000));
    assert!((0..=LIFE_MS_MAX).contains(&message.life_ms));
    assert!(message.code.is_some() || message.text.is_some());
    let names = [&message.event, &message.user, &message.login, &message.ip];
    let names = names.into_iter().flatten();
    assert!(names.into_iter().all(|name| name.chars().count() <= 200));
}
