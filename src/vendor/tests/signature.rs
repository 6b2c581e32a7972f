//! Each scheme against what vendors publish in their own tests, and against small changes of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::time::Moment;
use crate::vendor::receipt::Callback;
use crate::vendor::receipt::Refusal;
use crate::vendor::signature::{timestamped, token, url_nonce, url_params};

/// When the vectors with a time in them were made: 2026-01-01T00:00:00Z.
const MADE: Moment = Moment(1_767_225_600_000);

const HS256: [jsonwebtoken::Algorithm; 1] = [jsonwebtoken::Algorithm::HS256];

/// From the tests of twilio-python and twilio-node (MIT): what it shows, address, body, signature.
const URL_PARAMS: [(&str, &str, &str, &str); 12] = [
    (
        "plain",
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
    (
        "fields of one name",
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (
        "a list",
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "MessagingBinding.Address=%2B1415xxxxxxx&MessagingBinding.Address=%2B1325xxxxxxx",
        "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    ),
    (
        "a port",
        "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    ),
    (
        "the usual port of https added",
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "kvajT1Ptam85bY51eRf/AJRuM3w=",
    ),
    (
        "the usual port of http added",
        "http://mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "0ZXoZLH/DfblKGATFgpif+LLRf4=",
    ),
    (
        "user and password",
        "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "CukzLTc1tT5dXEDIHm/tKBanW10=",
    ),
    (
        "a user",
        "https://user@mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "2YRLlVAflCqxaNicjMpJcSTgzSs=",
    ),
    (
        "user, password and port",
        "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=",
    ),
    (
        "a hashed body",
        "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        r#"{"property": "value", "boolean": true}"#,
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    ),
    (
        "a hashed body and a port",
        "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "{}",
        "Ldidvp12m26NI7eqEvxnEpkd9Hc=",
    ),
    (
        "only the hash",
        "https://mycompany.com/myapp.php?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        r#"{"property": "value", "boolean": true}"#,
        "y77kIzt2vzLz71DgmJGsen2scGs=",
    ),
];

#[test]
fn published_signatures_over_url_and_params_are_right() {
    for (told, url, body, signature) in URL_PARAMS {
        let check =
            |url: &str, body: &str| url_params::check(url, body.as_bytes(), signature, "12345");
        assert_eq!(check(url, body), Ok(()), "{told}");
        assert_eq!(
            check(&url.replace("mycompany", "yourcompany"), body),
            Err(Refusal::Forged)
        );
        assert_eq!(
            check(url, &format!("{body}&a=b")),
            Err(Refusal::Forged),
            "{told}"
        );
        let other_key = url_params::check(url, body.as_bytes(), signature, "12346");
        assert_eq!(other_key, Err(Refusal::Forged), "{told}");
    }
}

#[test]
fn a_port_is_tried_with_and_without_it() {
    let key = "12345";
    let signed = |url: &str| url_params::signature(url, b"", key).unwrap();
    let right = |told: &str, signed_url: &str| {
        url_params::check(told, b"", &signed(signed_url), key).is_ok()
    };
    assert!(right("https://a.example:8443/x", "https://a.example/x"));
    assert!(right("https://a.example/x", "https://a.example:443/x"));
    assert!(right("https://[::1]/x", "https://[::1]:443/x"));
    assert!(right("https://[::1]:8443/x", "https://[::1]/x"));
    assert!(!right("https://a.example/x", "https://a.example:8443/x"));
    assert!(!right(
        "https://a.example:8443/x",
        "https://a.example:443/x"
    ));
}

#[test]
fn more_fields_than_any_vendor_has_are_forged_before_they_are_sorted() {
    let (url, key) = ("https://a.example/x", "12345");
    let form = |fields: usize| (0..fields).map(|n| format!("f{n}=1&")).collect::<String>();
    let (most, more) = (form(256), form(257));
    let method = &http::Method::POST;
    let (headers, query) = (http::HeaderMap::new(), format!("{url}?{more}"));
    // Signed as the vendor would sign them, with the fields in the order of their names.
    let mut fields: Vec<String> = (0..257).map(|n| format!("f{n}1")).collect();
    fields.sort();
    let hmac_key = |algorithm| ring::hmac::Key::new(algorithm, key.as_bytes());
    let signed = format!("{url}{}", fields.concat());
    let sha1 = hmac_key(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY);
    let given = STANDARD.encode(ring::hmac::sign(&sha1, signed.as_bytes()));
    let refused = url_params::check(url, more.as_bytes(), &given, key);
    assert_eq!(refused, Err(Refusal::Forged));
    let given = url_params::signature(url, most.as_bytes(), key).unwrap();
    assert_eq!(url_params::check(url, most.as_bytes(), &given, key), Ok(()));
    let check = |url: &str, body: &str, given: &str| {
        let callback = Callback {
            method,
            url,
            headers: &headers,
            body: body.as_bytes(),
            reference_proven: false,
            certificate: None,
        };
        url_nonce::check(&callback, given, "n", key)
    };
    let sha256 = hmac_key(ring::hmac::HMAC_SHA256);
    let signed = format!("{url}?{}.n", fields.concat());
    let given = STANDARD.encode(ring::hmac::sign(&sha256, signed.as_bytes()));
    assert_eq!(check(url, &more, &given), Err(Refusal::Forged));
    assert!(url_nonce::signature(method, &query, b"", "n", key).is_err());
    let given = url_nonce::signature(method, url, most.as_bytes(), "n", key).unwrap();
    assert_eq!(check(url, &most, &given), Ok(()));
}

/// From the tests of vonage-python-sdk (Apache-2.0).
const TOKEN_KEY: &str = "qwertyuiopasdfghjklzxcvbnm123456";
const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJPbmxpbmUgSldUIEJ1aWxkZXIiLCJpYXQiOjE2OTc2MzQ2ODAsImV4cCI6MzMyNTQ1NDA4MjgsImF1ZCI6IiIsInN1YiI6IiJ9.88vJc3I2HhuqEDixHXVhc9R30tA6U_HQHZTC29y6CGM";
/// With the claims that the vendor documents; made for this test.
const TOKEN_WITH_HASH: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjcyMjU2MDAsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6ImEwNjU5MmUyM2Q0NGM3YWJhNGI2OWZlNjEwOGYwYzBmMTNhOTQxN2IwZTgwY2U4YmFlNzkzZGQ3YTJmNjI5NjAiLCJhcGlfa2V5IjoiMTIzNDUiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmItNGNjYy04ZGRkLTAxMjM0NTY3ODlhYiJ9.YYzg9jg2qZym5pRqgHah02RC-OWDwkLunX_EsbZb2AY";
const TOKEN_BODY: &str = r#"{"message_uuid":"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab","to":"447700900000","from":"447700900001","timestamp":"2026-01-01T00:00:00.000Z","status":"delivered","client_ref":"hl-1"}"#;

#[test]
fn a_token_is_right_when_its_signature_and_its_hash_of_the_body_are() {
    assert!(token::claims_by(TOKEN, TOKEN_KEY, &HS256).is_some());
    assert!(token::claims_by(TOKEN, "another key", &HS256).is_none());
    let given = format!("Bearer {TOKEN_WITH_HASH}");
    let check = |given: &str, body: &str, ms: i64| {
        token::check(given, body.as_bytes(), TOKEN_KEY, MADE.plus_ms(ms))
    };
    assert_eq!(check(&given, TOKEN_BODY, 0), Ok(()));
    assert_eq!(check(&given, TOKEN_BODY, 300_000), Ok(()));
    assert_eq!(check(&given, TOKEN_BODY, 301_000), Err(Refusal::Stale));
    assert_eq!(check(&given, TOKEN_BODY, -60_000), Ok(()));
    assert_eq!(check(&given, TOKEN_BODY, -61_000), Err(Refusal::Stale));
    assert_eq!(check(&given, "{}", 0), Err(Refusal::Forged));
    assert_eq!(check(&given, "{}", 301_000), Err(Refusal::Forged));
    assert_eq!(check(TOKEN_WITH_HASH, TOKEN_BODY, 0), Err(Refusal::Forged));
    let without_hash = format!("Bearer {TOKEN}");
    assert_eq!(check(&without_hash, TOKEN_BODY, 0), Err(Refusal::Forged));
}

#[test]
fn a_token_that_says_it_needs_no_signature_is_forged() {
    // {"alg":"none","typ":"JWT"}, with the claims of the right one.
    let claims = TOKEN_WITH_HASH.split('.').nth(1).unwrap();
    for end in ["", TOKEN_WITH_HASH.split('.').nth(2).unwrap()] {
        let given = format!("Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.{end}");
        let checked = token::check(&given, TOKEN_BODY.as_bytes(), TOKEN_KEY, MADE);
        assert_eq!(checked, Err(Refusal::Forged));
    }
}

/// Made for this test: the vendor publishes none.
const ED25519_KEY: &str = "tEaTmPZA7waoAHJ6XHtMR7gODmicGUYjI3svkwwyfRg=";
const ED25519_BODY: &str = r#"{"data":{"event_type":"message.finalized","id":"b301ed3f-1490-491f-995f-6e64e69674d4","payload":{"id":"40385f64-5717-4562-b3fc-2c963f66afa6","to":[{"phone_number":"+13125550001","status":"delivered"}],"errors":[]}}}"#;
const ED25519_SIGNATURE: &str =
    "UWaBeh9ZSSK8bKxAGE/16RV26kFB7D6LJd8JQuHIKEed6i3jhXFc5jQFmI/XPK0U4zOvsAIAaFfhuav7ZUhhAg==";

#[test]
fn a_timestamped_signature_is_right_for_five_minutes() {
    let check = |signature: &str, timestamp: &str, body: &str, ms: i64| {
        let now = MADE.plus_ms(ms);
        timestamped::check(signature, timestamp, body.as_bytes(), ED25519_KEY, now)
    };
    let at = "1767225600";
    assert_eq!(check(ED25519_SIGNATURE, at, ED25519_BODY, 0), Ok(()));
    for (ms, expected) in [
        (300_000, Ok(())),
        (-300_000, Ok(())),
        (301_000, Err(Refusal::Stale)),
        (-301_000, Err(Refusal::Stale)),
    ] {
        assert_eq!(
            check(ED25519_SIGNATURE, at, ED25519_BODY, ms),
            expected,
            "{ms}"
        );
    }
    for (signature, at, body) in [
        (ED25519_SIGNATURE, "1767225601", ED25519_BODY),
        (ED25519_SIGNATURE, at, "{}"),
        ("", at, ED25519_BODY),
        ("AAAA", at, ED25519_BODY),
    ] {
        assert_eq!(check(signature, at, body, 0), Err(Refusal::Forged));
    }
}
