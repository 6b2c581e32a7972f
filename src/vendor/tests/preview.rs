//! A request is shown whole, and no credential in any form.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;
use crate::number::PhoneNumber;
use crate::vendor::example::EXAMPLE_NOW;

/// What encodings make something else of.
const AWKWARD: &str = "s3cr3t+/=&% \"\\x:";

fn job<'a>(
    to: &'a PhoneNumber,
    text: &'a Secret,
    none: &'a BTreeMap<Arc<str>, Arc<str>>,
) -> Job<'a> {
    Job {
        to,
        from: Some("+15005550006"),
        text,
        code: Some(text),
        reference: "dlv_1-1",
        callback: Some(URL),
        script: Some("https://otp.example.com/voice/x"),
        left_ms: 300_000,
        ucs2: false,
        language: "en-US",
        parameters: none,
    }
}

fn with_job<T>(then: impl FnOnce(&Job<'_>) -> T) -> T {
    let to = PhoneNumber::parse("+6591234567", None).unwrap();
    let (text, none) = (Secret::new("123456 is your code."), BTreeMap::new());
    then(&job(&to, &text, &none))
}

/// The account with one credential replaced.
fn with(account: &Account, name: &str, value: &str) -> Account {
    let definition = Definition::clone(account.definition());
    account.with_marks(definition, |known, secret| {
        let value = if known == name {
            value
        } else {
            secret.expose()
        };
        value.to_owned()
    })
}

/// The account with awkward secrets wherever they can be used; where only a key or a host will do, the example.
fn awkward(account: &Account, channel: Channel) -> (Account, Vec<String>) {
    let mut awkward = account.clone();
    let mut secrets = Vec::new();
    for credential in &account.definition().credentials {
        let mine = format!("{AWKWARD}{}", credential.name);
        let changed = with(&awkward, &credential.name, &mine);
        if with_job(|job| changed.request(channel, job, EXAMPLE_NOW)).is_ok() {
            awkward = changed;
            secrets.push(mine);
        } else if credential.example.len() > 8 {
            secrets.push(credential.example.clone());
        }
    }
    (awkward, secrets)
}

fn lines(preview: &Preview) -> Vec<String> {
    let pair = |(name, value): &(String, String)| format!("{name}: {value}");
    let mut lines = vec![preview.url.clone()];
    lines.extend(preview.headers.iter().map(pair));
    match &preview.body {
        Shown::Nothing => {}
        Shown::Fields(fields) => lines.extend(fields.iter().map(pair)),
        Shown::Text(text) => lines.extend(text.lines().map(str::to_owned)),
    }
    lines
}

/// Everything that a line may say in another form.
fn readings(line: &str) -> Vec<String> {
    let mut readings = vec![line.to_owned()];
    let form = format!("x={}", line.replace('&', "%26"));
    readings.extend(form_urlencoded::parse(form.as_bytes()).map(|(_, v)| v.into_owned()));
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
    for word in line.split(|c| !is_base64(c)) {
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            let decoded = engine.decode(word).unwrap_or_default();
            readings.push(String::from_utf8_lossy(&decoded).into_owned());
        }
    }
    readings
}

#[test]
fn no_credential_of_a_shipped_definition_is_shown_in_any_form() {
    let mut hidden = 0;
    for (told, account, channel) in sending() {
        let (account, secrets) = awkward(&account, channel);
        let preview = with_job(|job| account.preview(channel, job, EXAMPLE_NOW));
        let lines = lines(&preview.unwrap());
        hidden += usize::from(lines.concat().contains("•••"));
        for reading in lines.iter().flat_map(|line| readings(line)) {
            for secret in &secrets {
                // Nor its middle, should an encoding have changed its ends.
                for part in [secret.as_str(), "s3cr3t", &secret[secret.len() / 3..]] {
                    assert!(!reading.contains(part), "{told}: {reading}");
                }
            }
        }
    }
    assert!(hidden > 0);
}

#[test]
fn all_but_the_credentials_is_shown_as_it_is_sent() {
    for (told, account, channel) in sending() {
        let preview = with_job(|job| account.preview(channel, job, EXAMPLE_NOW)).unwrap();
        let request = with_job(|job| account.request(channel, job, EXAMPLE_NOW)).unwrap();
        assert_eq!(preview.method, *request.method(), "{told}");
        assert_eq!(preview.headers.len(), request.headers().len(), "{told}");
        let real = |text: &str, coded: &dyn Fn(&str) -> String| {
            let credentials = account.definition().credentials.iter();
            credentials.fold(text.to_owned(), |text, c| {
                let mark = format!("•••({})", c.name);
                // Of an address the scheme is shown.
                let text = match c.example.starts_with("https://") {
                    true => text.replace(&format!("https://{mark}"), &mark),
                    false => text,
                };
                text.replace(&mark, &coded(&c.example))
            })
        };
        let plain = |secret: &str| secret.to_owned();
        let in_json = |secret: &str| {
            let quoted = serde_json::to_string(secret).unwrap();
            quoted.trim_matches('"').to_owned()
        };
        match &preview.body {
            Shown::Nothing => assert!(request.body().is_empty(), "{told}"),
            Shown::Fields(fields) => {
                let shown = fields.iter().map(|(n, v)| (n.clone(), real(v, &plain)));
                let sent = form_urlencoded::parse(request.body()).into_owned();
                assert!(shown.eq(sent), "{told}");
            }
            Shown::Text(text) => {
                let text = real(text, &in_json);
                let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
                let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
                assert_eq!(shown, sent, "{told}");
            }
        }
    }
}

#[test]
fn names_stand_where_credentials_would() {
    let shown = |vendor: &str, channel| {
        let all = reporting().into_iter();
        let mut all = all.filter(|(_, a, c)| a.definition().name == vendor && *c == channel);
        let (_, account, _) = all.next().unwrap();
        with_job(|job| account.preview(channel, job, EXAMPLE_NOW)).unwrap()
    };
    let preview = shown("twilio", Channel::Sms);
    let path = "/2010-04-01/Accounts/•••(account_sid)/Messages.json";
    assert!(preview.url.ends_with(path), "{}", preview.url);
    let lines = lines(&preview).join("\n");
    let basic = "authorization: Basic base64(•••(account_sid):•••(auth_token))";
    assert!(lines.contains(basic), "{lines}");
    let form = Shown::Fields(vec![("api_key".to_owned(), "•••(api_key)".to_owned())]);
    let (Shown::Fields(fields), Shown::Fields(expected)) =
        (shown("vonage", Channel::Sms).body, form)
    else {
        panic!("a form");
    };
    assert_eq!(fields[0], expected[0]);
    let token = shown("vonage", Channel::Voice).headers.pop().unwrap();
    assert_eq!(token.1, "Bearer •••(token signed with private_key)");
}

#[test]
fn what_keeps_a_request_from_being_made_is_told() {
    let all = reporting().into_iter();
    let mut all = all.filter(|(_, a, c)| a.definition().name == "vonage" && *c == Channel::Voice);
    let (_, account, channel) = all.next().unwrap();
    let account = with(&account, "private_key", "no key");
    let preview = with_job(|job| account.preview(channel, job, EXAMPLE_NOW));
    assert_eq!(preview.err(), Some(Unfit::Credential));
}
