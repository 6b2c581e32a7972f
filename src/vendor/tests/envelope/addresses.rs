//! The addresses that attackers would have us go to.

use serde_json::json;

use super::{
    CERTIFICATE_URL, MADE, TOPIC, account, address, confirmation, envelopes, heard, invented,
    signed,
};
use crate::vendor::{Greeting, Heard, Refusal};

/// Addresses that a careless reader takes for the vendor's own.
const ATTACKERS: [&str; 34] = [
    "http://sns.us-east-1.amazonaws.com/x.pem",
    "HTTPS://sns.us-east-1.amazonaws.com/x.pem",
    "https:sns.us-east-1.amazonaws.com/x.pem",
    "https:///sns.us-east-1.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
    "https://evil.example@sns.us-east-1.amazonaws.com/x.pem",
    "https://a:b@sns.us-east-1.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
    "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
    "https://evil.example/?https://sns.us-east-1.amazonaws.com/x.pem",
    "https://evil.example#.sns.us-east-1.amazonaws.com/x.pem",
    "https://evil.example\\.sns.us-east-1.amazonaws.com/x.pem",
    "https://evil.example%2f.sns.us-east-1.amazonaws.com/x.pem",
    "https://evilsns.us-east-1.amazonaws.com/x.pem",
    "https://evil.sns.us-east-1.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.com:443/x.pem",
    "https://sns.us-east-1.amazonaws.com:8443/x.pem",
    "https://sns.us-east-1.amazonaws.com./x.pem",
    "https://sns.us-east-1.amazonaws.com\n/x.pem",
    "https://sns.us-east-1.amazonaws.com\u{0}/x.pem",
    "https://sns.us-east-1.amazonaws\u{3002}com/x.pem",
    "https://sns.US-EAST-1.amazonaws.com/x.pem",
    "https://sns..amazonaws.com/x.pem",
    "https://sns.s3.amazonaws.com/x.pem",
    "https://sns.s3-us-west-2.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.org/x.pem",
    "https://169.254.169.254/x.pem",
    "https://[::1]/x.pem",
    "https://localhost/x.pem",
    " https://sns.us-east-1.amazonaws.com/x.pem",
    "https://sns.us-east-1.amazonaws.com/a b.pem",
    "https://sns.us-east-1.amazonaws.com/../x.pem",
    "https://sns.us-east-1.amazonaws.com//x.pem",
    "https://sns.us-east-1.amazonaws.com/%2e%2e/x.pem",
];

#[test]
fn certificates_are_fetched_from_nowhere_else() {
    let account = account(TOPIC, None);
    let mut root = envelopes().remove(0);
    let mut address_of = |url: &str| {
        root["SigningCertURL"] = json!(url);
        address(&account, &root, MADE)
    };
    for url in [
        CERTIFICATE_URL,
        "https://sns.cn-north-1.amazonaws.com.cn/a/b_c-1.pem",
    ] {
        assert_eq!(address_of(url).as_deref(), Some(url));
    }
    let long = format!(
        "https://sns.us-east-1.amazonaws.com/{}.pem",
        "a".repeat(2_048)
    );
    for url in ATTACKERS.iter().copied().chain([
        "",
        "https://",
        "https://sns.us-east-1.amazonaws.com",
        "https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com/x.pem/",
        "https://sns.us-east-1.amazonaws.com/x.pem.exe",
        "https://sns.us-east-1.amazonaws.com/x.pem#",
        "https://sns.us-east-1.amazonaws.com/x.pem?",
        "https://sns.us-east-1.amazonaws.com/?x=.pem",
        &*long,
    ]) {
        assert_eq!(address_of(url), None, "{url}");
    }
    root["SigningCertURL"] = json!([CERTIFICATE_URL]);
    assert_eq!(address(&account, &root, MADE), None);
}

#[test]
fn only_addresses_that_begin_as_they_should_are_visited() {
    let north = invented();
    let visit = |url: &str| {
        let root = signed(confirmation("SubscriptionConfirmation", url));
        heard(&north, &root, MADE)
    };
    let url = "https://hooks.eu.north.example/confirm?token=a:b,c%20&d=/x";
    let greeting = Heard::Greeting(Greeting::Visit(url.to_owned()));
    assert_eq!(visit(url), Ok(greeting));
    assert!(visit("https://hooks.eu.north.example/").is_ok());
    let attackers = ATTACKERS.map(|url| {
        let host = url.replace("sns.us-east-1.amazonaws.com", "hooks.eu.north.example");
        host.replace("/x.pem", "/")
    });
    let others = [
        "https://hooks.eu.north.example",
        "https://hooks.eu.north.example/x#y",
        "https://hooks.eu.north.example/x?y z",
        "https://hooks.eu.north.example.evil.example/https://hooks.eu.north.example/",
        "https://evil.example/https://hooks.eu.north.example/",
        "file:///etc/passwd",
        "",
    ];
    for url in attackers.iter().map(String::as_str).chain(others) {
        let refused = visit(url);
        assert!(
            matches!(refused, Err(Refusal::Unreadable | Refusal::Forged)),
            "{url:?}: {refused:?}"
        );
    }
}
