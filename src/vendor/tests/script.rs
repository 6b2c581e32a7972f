//! What calls say is escaped, is written without credentials, and is told to nobody but the vendor.

use std::collections::BTreeMap;

use http::{Request, header};

use super::{read, reporting};
use crate::flow::{Channel, Secret};
use crate::number::PhoneNumber;
use crate::problem::Source;
use crate::time::Moment;
use crate::vendor::{Account, Callback, Job, Refusal, Spoken, Unfit};

const NOW: Moment = Moment(1_767_225_600_000);
const URL: &str = "https://otp.example/voice/AAAA";

/// A vendor that fetches what its calls say.
fn fetching(script: &str) -> Account {
    let text = format!(
        r#"
[credentials]
key = {{ optional = true, example = "k" }}
[voice]
path = "/calls"
auth = {{ scheme = "in_request" }}
form = {{ to = "{{to}}", url = "{{script}}", hook = "{{callback?}}" }}
accepted = {{ status = [200], message_id = "/id" }}
sandbox = {{ default_error = 1, accept = {{ status = 200, json = {{ id = "{{id}}" }} }} }}
[voice.script]
{script}
[voice.receipts]
body = "form"
message_id = "/id"
status = "/status"
intermediate = [1]
delivered = ["ok"]
failed = [2]
auth = {{ scheme = "reference" }}
sandbox = {{ form = {{ id = "{{id}}" }}, intermediate = 1, delivered = "ok", failed = 2, default_error = 3 }}
[[receipt_example]]
name = "it was answered"
channel = "voice"
form = {{ id = "c1", status = "ok" }}
news = [{{ message_id = "c1", progress = "delivered", code = "ok" }}]
[[example]]
name = "a call"
channel = "voice"
response = {{ status = 200, json = {{ id = "c1" }} }}
verdict = {{ kind = "accepted", message_id = "c1" }}
"#
    );
    let (definition, told) = read(&Source::new("v.toml", text));
    assert_eq!(told, Vec::<String>::new());
    Account::example(definition, "v".into(), "http://v".into(), None)
}

fn with_job<T>(script: Option<&str>, from: Option<&str>, make: impl FnOnce(&Job<'_>) -> T) -> T {
    make(&Job {
        to: &PhoneNumber::parse("+6591234567", None).unwrap(),
        from,
        text: &Secret::new("1 & </Say> 2"),
        code: None,
        reference: "dlv_1-1",
        callback: None,
        script,
        left_ms: 300_000,
        ucs2: false,
        language: "de-DE",
        parameters: &BTreeMap::new(),
    })
}

fn spoken(account: &Account) -> Result<Spoken, Unfit> {
    with_job(None, None, |job| {
        account.spoken(Channel::Voice, job, Moment(0))
    })
}

/// Whether a request is the vendor's own.
fn proves(account: &Account, request: &Request<bytes::Bytes>) -> Result<(), Refusal> {
    let url = request.uri().to_string();
    let callback = Callback::of(request, &url, true);
    account.proves_script(Channel::Voice, &callback, NOW)
}

#[test]
fn the_text_is_escaped_and_the_language_told() {
    let account = fetching(r#"body = '<Say language="{language}">{text|xml}</Say>'"#);
    let spoken = spoken(&account).unwrap();
    let said = r#"<Say language="de-DE">1 &amp; &lt;/Say&gt; 2</Say>"#;
    assert_eq!(spoken.body.expose(), said);
    assert_eq!(spoken.content_type, "application/xml");
    assert!(!format!("{spoken:?}").contains("language"));
}

#[test]
fn a_content_type_is_told_as_it_is_written() {
    let account = fetching("content_type = 'text/xml; charset=utf-8'\nbody = '{text|xml}'");
    let told = spoken(&account).unwrap().content_type;
    assert_eq!(told, "text/xml; charset=utf-8");
}

#[test]
fn a_call_is_not_asked_for_when_it_would_be_silent() {
    let account = fetching(r#"body = '<Say from="{from|xml}">{text|xml}</Say>'"#);
    let request = |script, from| {
        with_job(script, from, |job| {
            account.request(Channel::Voice, job, NOW).map(drop)
        })
    };
    let from = Some("+15005550006");
    assert_eq!(request(None, from), Err(Unfit::NoScriptAddress));
    let lacks = request(Some(URL), None);
    assert!(matches!(lacks, Err(Unfit::Lacks(_))), "{lacks:?}");
    assert_eq!(request(Some(URL), from), Ok(()));
    assert_eq!(account.needs_sender(), [Channel::Voice]);
}

#[test]
fn the_vendors_side_reads_the_address_back() {
    let account = fetching("body = '{text|xml}'");
    let request = with_job(Some(URL), None, |job| {
        account.request(Channel::Voice, job, NOW).unwrap()
    });
    let asked = account.recognise(&request, NOW).unwrap();
    assert_eq!(asked.script.as_deref(), Some(URL));
    assert_eq!(asked.callback, None);
}

#[test]
fn nobody_but_the_vendor_is_told() {
    let signed = "body = '{text|xml}'\nauth = { scheme = 'hmac_sha1_url_params', header = 'x-signature', key = '{credential.key}' }";
    let account = fetching(signed);
    let mut request = account.script_request(Channel::Voice, URL, NOW).unwrap();
    assert_eq!(
        request.headers()[header::CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(proves(&account, &request), Ok(()));
    *request.uri_mut() = format!("{URL}?more=1").parse().unwrap();
    assert_eq!(proves(&account, &request), Err(Refusal::Forged));
    *request.uri_mut() = URL.parse().unwrap();
    request.headers_mut().remove("x-signature");
    assert_eq!(proves(&account, &request), Err(Refusal::Forged));
}

#[test]
fn without_a_signature_the_address_is_the_proof() {
    let account = fetching("body = '{text|xml}'");
    let request = account.script_request(Channel::Voice, URL, NOW).unwrap();
    assert_eq!(proves(&account, &request), Ok(()));
    let forged = Callback {
        method: request.method(),
        url: URL,
        headers: request.headers(),
        body: b"",
        reference_proven: false,
        certificate: None,
    };
    let told = account.proves_script(Channel::Voice, &forged, NOW);
    assert_eq!(told, Err(Refusal::Forged));
}

#[test]
fn a_vendor_that_fetches_nothing_has_nothing_to_be_told() {
    for (name, account, channel) in reporting() {
        let spoken = with_job(None, None, |job| {
            account.spoken(channel, job, Moment(0)).is_ok()
        });
        let fetches = account.fetches_script(channel);
        assert!(fetches || !spoken, "{name}");
        let request = account.script_request(channel, URL, NOW);
        assert_eq!(request.is_some(), fetches, "{name}");
        // Its own simulator is believed, whatever the scheme.
        let proven = request.map(|request| {
            let callback = Callback::of(&request, URL, true);
            account.proves_script(channel, &callback, NOW)
        });
        assert!(proven.is_none_or(|proven| proven == Ok(())), "{name}");
    }
}
