//! The schemes by which receipts are proven, on whole requests, against what vendors publish in their own tests.

use http::{HeaderMap, HeaderName, Method};
use serde_json::Value as Json;

use crate::time::Moment;
use crate::vendor::keyed::Keyed;
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::Proof;
use crate::vendor::signature::keyed::KeyedReceipt;
use crate::vendor::template::{Place, Slot, Template};

/// 43 tokens from the tests of messagebird/go-rest-api (BSD-2-Clause), and whether they are right.
const URL_TOKENS: &str = include_str!("../../../tests/data/url-tokens.json");

/// The key of the vectors of plivo-go (MIT).
const NONCE_KEY: &str = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4";
const NONCE: &str = "31627761595286130198";
const NONCE_URL: &str = "https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml";
const NONCE_FIELDS: [(&str, &str); 13] = [
    ("Direction", "outbound"),
    ("From", "19792014278"),
    ("ALegUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    ("CallStatus", "in-progress"),
    ("BillRate", "0.002"),
    ("ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"),
    (
        "To",
        "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com",
    ),
    ("ALegRequestUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    ("CallUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    ("RequestUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
    (
        "SIP-H-To",
        "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1",
    ),
    ("SessionStart", "2020-04-08 11:34:33.238707"),
    ("Event", "StartApp"),
];

fn account(text: &str) -> Template {
    Template::parse(text, Place::Account).unwrap()
}

/// What a scheme says of a request with these headers.
struct Received<'a> {
    method: Method,
    url: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    now: Moment,
}

impl Received<'_> {
    fn checked(&self, proof: &Proof) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        let callback = Callback {
            method: &self.method,
            url: self.url,
            headers: &headers,
            body: self.body.as_bytes(),
            reference_proven: false,
            certificate: None,
        };
        proof.check(&callback, &|_: &Slot| None, self.now)
    }
}

fn url_nonce() -> Proof {
    Proof::UrlNonce {
        signature: HeaderName::from_static("x-signature"),
        nonce: HeaderName::from_static("x-nonce"),
        key: account(NONCE_KEY),
    }
}

#[test]
fn addresses_and_fields_are_signed_with_a_nonce() {
    let fields = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(NONCE_FIELDS)
        .finish();
    let with_query = format!("{NONCE_URL}/?a=b&c=d");
    let check = |method: Method, url: &str, body: &str, signature: &str| {
        let headers = [("x-signature", signature), ("x-nonce", NONCE)];
        Received {
            method,
            url,
            headers: &headers,
            body,
            now: Moment(0),
        }
        .checked(&url_nonce())
    };
    let vectors = [
        (
            Method::POST,
            &*with_query,
            "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c=",
        ),
        (
            Method::GET,
            &*with_query,
            "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ=",
        ),
        (
            Method::POST,
            NONCE_URL,
            "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0=",
        ),
        (
            Method::GET,
            NONCE_URL,
            "i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc=",
        ),
    ];
    for (method, url, signature) in vectors {
        assert_eq!(check(method.clone(), url, &fields, signature), Ok(()));
        // Of a GET the fields are in the query, of which the vendor signs the same.
        if method == Method::GET {
            let joint = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{joint}{fields}");
            assert_eq!(check(Method::GET, &url, "", signature), Ok(()));
        }
        let several = format!("bm9uZQ==, {signature}");
        assert_eq!(check(method.clone(), url, &fields, &several), Ok(()));
        let forged = Err(Refusal::Forged);
        let other = format!("{fields}&x=1");
        assert_eq!(check(method.clone(), url, &other, signature), forged);
        let elsewhere = url.replace("/v1/", "/v2/");
        assert_eq!(check(method, &elsewhere, &fields, signature), forged);
    }
}

#[test]
fn tokens_for_an_address_are_as_their_vendor_says() {
    let vectors: Vec<Json> = serde_json::from_str(URL_TOKENS).unwrap();
    assert_eq!(vectors.len(), 43);
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        let proof = |issuer: &str| Proof::UrlToken {
            header: HeaderName::from_static("x-token"),
            key: account(text("key")),
            issuer: Some(issuer.to_owned()),
        };
        let received = Received {
            method: Method::POST,
            url: text("url"),
            headers: &[("x-token", text("token"))],
            body: text("body"),
            now: Moment(vector["at"].as_i64().unwrap() * 1000),
        };
        let checked = received.checked(&proof("MessageBird"));
        let valid = vector["valid"].as_bool().unwrap();
        assert_eq!(checked.is_ok(), valid, "{}: {checked:?}", text("name"));
        let of_another = received.checked(&proof("SomebodyElse"));
        assert!(of_another.is_err(), "{}", text("name"));
    }
}

fn keyed(key: &str, key_base64: bool, hex: bool, signed: &str, value: &str) -> KeyedReceipt {
    let keyed = Keyed {
        header: HeaderName::from_static("x-signature"),
        key: account(key),
        key_base64,
        hex,
        signed: Template::parse(signed, Place::Signed).unwrap(),
        value: Template::parse(value, Place::Signature).unwrap(),
    };
    KeyedReceipt {
        keyed,
        timestamp: None,
    }
}

#[test]
fn a_keyed_body_is_compared_as_it_is_written() {
    // RFC 4231, test case 2.
    let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let base64 = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
    let check = |given: &str, keyed: KeyedReceipt| {
        Received {
            method: Method::POST,
            url: "https://otp.example/receipts/x",
            headers: &[("x-signature", given)],
            body: "what do ya want for nothing?",
            now: Moment(0),
        }
        .checked(&Proof::Keyed(Box::new(keyed)))
    };
    let plain = |key, key_base64, hex, value| keyed(key, key_base64, hex, "{body}", value);
    let alone = "{signature}";
    assert_eq!(check(hex, plain("Jefe", false, true, alone)), Ok(()));
    let upper = hex.to_uppercase();
    assert_eq!(check(&upper, plain("Jefe", false, true, alone)), Ok(()));
    assert_eq!(check(base64, plain("Jefe", false, false, alone)), Ok(()));
    let prefixed = format!("sha256={hex}");
    let prefix = "sha256={signature}";
    assert_eq!(
        check(&prefixed, plain("SmVmZQ==", true, true, prefix)),
        Ok(())
    );
    for (given, keyed) in [
        (hex, plain("Jefe", false, false, alone)),
        (hex, plain("Jefe", false, true, prefix)),
        ("", plain("Jefe", false, true, alone)),
        (&hex[1..], plain("Jefe", false, true, alone)),
        (hex, plain("Jefe!", true, true, alone)),
    ] {
        assert_eq!(check(given, keyed), Err(Refusal::Forged));
    }
}

#[test]
fn a_body_is_signed_between_headers_and_believed_for_minutes() {
    // From the tests of sinch-sdk-java (Apache-2.0).
    let body = r#"{"app_id":"","accepted_time":"2021-10-18T17:49:13.813615Z","project_id":"e2df3a34-a71b-4448-9db5-a8d2baad28e4","contact_create_notification":{"contact":{"id":"01FJA8B466Y0R2GNXD78MD9SM1","channel_identities":[{"channel":"SMS","identity":"48123456789","app_id":""}],"display_name":"New Test Contact","email":"new.contact@email.com","external_id":"","metadata":"","language":"EN_US"}},"message_metadata":""}"#;
    let signature = "6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE=";
    let proof = Proof::Keyed(Box::new(KeyedReceipt {
        timestamp: Some(HeaderName::from_static("x-time")),
        ..keyed(
            "foo_secret1234",
            false,
            false,
            "{body}.{header.x-nonce}.{header.x-time}",
            "{signature}",
        )
    }));
    let check = |nonce: &str, time: &str, later_s: i64| {
        Received {
            method: Method::POST,
            url: "https://otp.example/receipts/x",
            headers: &[
                ("x-signature", signature),
                ("x-nonce", nonce),
                ("x-time", time),
            ],
            body,
            now: Moment((1_634_579_353 + later_s) * 1000),
        }
        .checked(&proof)
    };
    let nonce = "01FJA8B4A7BM43YGWSG9GBV067";
    assert_eq!(check(nonce, "1634579353", 0), Ok(()));
    assert_eq!(check(nonce, "1634579353", 300), Ok(()));
    assert_eq!(check(nonce, "1634579353", 301), Err(Refusal::Stale));
    assert_eq!(check(nonce, "1634579353", -301), Err(Refusal::Stale));
    assert_eq!(check("another", "1634579353", 0), Err(Refusal::Forged));
    assert_eq!(check(nonce, "1634579354", 0), Err(Refusal::Forged));
}

#[test]
fn the_name_of_the_customer_stands_beside_the_signature() {
    // From the tests of python_telesign (MIT); its key without what lenient readers of base64 skip.
    let key =
        "EXAMPLETE8sTgg45yusumoN6BYsBVkh+yRJ5czgsnCehZaOYldPJdmFh6NeX8kunZ2zU1YWaUw/0wV6xfw==";
    let given = "TSA FFFF:B97g3N9lPdVaptvifxRau7bzVAC5hhRBZ6HKXABN744=";
    let check = |given: &str| {
        let keyed = keyed(key, true, false, "{body}", "TSA FFFF:{signature}");
        Received {
            method: Method::POST,
            url: "https://otp.example/receipts/x",
            headers: &[("x-signature", given)],
            body: "{'test': 123}",
            now: Moment(0),
        }
        .checked(&Proof::Keyed(Box::new(keyed)))
    };
    assert_eq!(check(given), Ok(()));
    assert_eq!(check(&given.replace("FFFF", "FFFE")), Err(Refusal::Forged));
    assert_eq!(check(&given.replace("TSA", "tsa")), Err(Refusal::Forged));
}

#[test]
fn a_receipt_is_signed_as_requests_are_and_its_scheme_is_written_in_any_case() {
    // From the tests of sinch-sdk-node (Apache-2.0).
    let body = r#"{"identity":{"type":"number","endpoint":"+33444555666"},"method":"sms"}"#;
    let signed = "{method}\n{body|md5}\n{content_type}\nx-timestamp:{header.x-timestamp}\n{path}";
    let check = |scheme: &str, path: &str| {
        let mut receipt = keyed(
            "bXkta2V5LXNlY3JldA==",
            true,
            false,
            signed,
            "Application me:{signature}",
        );
        receipt.keyed.header = http::header::AUTHORIZATION;
        let signature = "QP3OzQZVzRZAEev6DBLvJkgpiqyZPuXYsc7oyjUV0K8=";
        Received {
            method: Method::POST,
            url: &format!("https://otp.example{path}"),
            headers: &[
                ("authorization", &format!("{scheme} me:{signature}")),
                ("content-type", "application/json; charset=UTF-8"),
                ("x-timestamp", "2023-11-22T09:10:11.999Z"),
            ],
            body,
            now: Moment(0),
        }
        .checked(&Proof::Keyed(Box::new(receipt)))
    };
    assert_eq!(check("application", "/path/pathParamValue"), Ok(()));
    assert_eq!(check("Application", "/path/pathParamValue"), Ok(()));
    assert_eq!(check("Basic", "/path/pathParamValue"), Err(Refusal::Forged));
    assert_eq!(check("application", "/path/other"), Err(Refusal::Forged));
}

#[test]
fn a_secret_in_the_query_is_the_proof() {
    let proof = Proof::Query {
        name: "key".to_owned(),
        value: account("s3cret/+"),
    };
    let check = |url: &str| {
        Received {
            method: Method::POST,
            url,
            headers: &[],
            body: "",
            now: Moment(0),
        }
        .checked(&proof)
    };
    assert_eq!(
        check("https://otp.example/receipts/x?key=s3cret%2F%2B"),
        Ok(())
    );
    assert_eq!(
        check("https://otp.example/receipts/x?a=1&key=s3cret/%2B"),
        Ok(())
    );
    for other in [
        "",
        "?",
        "?key=",
        "?key=s3cret",
        "?Key=s3cret%2F%2B",
        "?yek=s3cret%2F%2B",
    ] {
        let url = format!("https://otp.example/receipts/x{other}");
        assert_eq!(check(&url), Err(Refusal::Forged), "{other}");
    }
}
