//! Requests are signed as vendors and their tests say.

use bytes::Bytes;
use http::{HeaderName, Request};

use crate::time::Moment;
use crate::vendor::authorization::{Auth, SigV4};
use crate::vendor::keyed::Keyed;
use crate::vendor::template::{Place, Slot, Template};

fn account(text: &str) -> Template {
    Template::parse(text, Place::Account).unwrap()
}

fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from_static(body.as_bytes())).unwrap()
}

fn authorization(auth: &Auth, request: &Request<Bytes>, now: Moment) -> String {
    let headers = auth.headers(request, &|_: &Slot| None, now).unwrap();
    let found = headers
        .into_iter()
        .find(|(name, _)| name == "authorization");
    found.unwrap().1
}

/// Name, method, path, type of the body, body, signed headers, signature.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
    &'static str,
);

/// Rows of the AWS Signature Version 4 test suite, as botocore keeps it (Apache-2.0).
const SIGV4: [Row; 4] = [
    (
        "get-vanilla",
        "GET",
        "/",
        None,
        "",
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla",
        "POST",
        "/",
        None,
        "",
        "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        Some("application/x-www-form-urlencoded"),
        "Param1=value1",
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "/?Param2=value2&Param1=value1",
        None,
        "",
        "host;x-amz-date",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
];

#[test]
fn the_test_suite_of_signature_version_4_is_met() {
    let auth = Auth::SigV4(Box::new(SigV4 {
        service: "service".to_owned(),
        region: account("us-east-1"),
        access_key: account("AKIDEXAMPLE"),
        secret_key: account("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    }));
    let at = Moment::from_rfc3339("2015-08-30T12:36:00Z").unwrap();
    for (name, method, path, content_type, body, signed, signature) in SIGV4 {
        let url = format!("https://example.amazonaws.com{path}");
        let headers: Vec<_> = content_type.iter().map(|t| ("content-type", *t)).collect();
        let request = request(method, &url, &headers, body);
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={signed}, Signature={signature}"
        );
        assert_eq!(authorization(&auth, &request, at), expected, "{name}");
    }
}

fn hmac(key: &str, signed: &str, value: &str) -> Auth {
    Auth::Hmac(Box::new(Keyed {
        key: account(key),
        key_base64: true,
        signed: Template::parse(signed, Place::Signed).unwrap(),
        header: HeaderName::from_static("authorization"),
        value: Template::parse(value, Place::Signature).unwrap(),
        hex: false,
    }))
}

#[test]
fn a_date_a_host_and_the_hash_of_the_body_are_signed() {
    // Computed by hand from the description of Azure Communication Services, with a test key.
    let auth = hmac(
        "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=",
        "{method}\n{path}\n{header.x-ms-date};{host};{body|sha256}",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    );
    let body = r#"{"from":"+18005551212","smsRecipients":[{"to":"+14255550123"}],"message":"Your code is 123456"}"#;
    let date = [("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT")];
    let expected = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=+vkZZvL2bQcmF8PQ9/2F81CgckXmn8ZzGPI97Tu2fms=";
    for host in [
        "contoso.communication.azure.com",
        "contoso.communication.azure.com:443",
    ] {
        let url = format!("https://{host}/sms?api-version=2021-03-07");
        let request = request("POST", &url, &date, body);
        assert_eq!(authorization(&auth, &request, Moment(0)), expected);
    }
}

#[test]
fn the_md5_of_a_body_is_signed_and_an_empty_body_has_none() {
    // From the tests of sinch-sdk-node (Apache-2.0).
    let auth = hmac(
        "bXkta2V5LXNlY3JldA==",
        "{method}\n{body|md5}\n{content_type}\nx-timestamp:{header.x-timestamp}\n{path}",
        "application my-key-id:{signature}",
    );
    let check = |method: &str, content_type: &str, body: &'static str, expected: &str| {
        let headers = [
            ("content-type", content_type),
            ("x-timestamp", "2023-11-22T09:10:11.999Z"),
        ];
        let url = "https://calling.example/path/pathParamValue";
        let request = request(method, url, &headers, body);
        let expected = format!("application my-key-id:{expected}");
        assert_eq!(authorization(&auth, &request, Moment(0)), expected);
    };
    check(
        "POST",
        "application/json; charset=UTF-8",
        r#"{"identity":{"type":"number","endpoint":"+33444555666"},"method":"sms"}"#,
        "QP3OzQZVzRZAEev6DBLvJkgpiqyZPuXYsc7oyjUV0K8=",
    );
    check(
        "GET",
        "application/json",
        "",
        "nsrLDvP6KVD/dAxb3IfAncdwjPFJVWSrseEFOcZge+A=",
    );
}

#[test]
fn a_form_is_signed_with_a_date_and_a_nonce() {
    // From the tests of python_telesign (MIT); its key without what lenient readers of base64 skip.
    let auth = hmac(
        "EXAMPLETE8sTgg45yusumoN6BYsBVkh+yRJ5czgsnCehZaOYldPJdmFh6NeX8kunZ2zU1YWaUw/0wV6xfw==",
        "{method}\n{content_type}\n{header.date}\nx-ts-auth-method:HMAC-SHA256\nx-ts-nonce:{header.x-ts-nonce}\n{body}\n{path}",
        "TSA FFFFFFFF-EEEE-DDDD-1234-AB1234567890:{signature}",
    );
    let check = |body: &'static str, expected: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("date", "Wed, 14 Dec 2016 18:20:12 GMT"),
            ("x-ts-nonce", "A1592C6F-E384-4CDB-BC42-C3AB970369E9"),
        ];
        let request = request("POST", "https://rest.example/v1/resource", &headers, body);
        let expected = format!("TSA FFFFFFFF-EEEE-DDDD-1234-AB1234567890:{expected}");
        assert_eq!(authorization(&auth, &request, Moment(0)), expected);
    };
    check("test=param", "2xVlmbrxLjYrrPun3G3WMNG6Jon4yKcTeOoK9DjXJ/Q=");
    check(
        "test=%CF%BF",
        "h8d4I0RTxErbxYXuzCOtNqb/f0w3Ck8e5SEkGNj01+8=",
    );
}
