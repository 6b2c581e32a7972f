//! Calls are read in the language of their text, and no text can add to what a vendor is told.

use std::collections::BTreeMap;

use super::{read, sending};
use crate::flow::{Channel, Secret};
use crate::number::PhoneNumber;
use crate::problem::Source;
use crate::time::Moment;
use crate::vendor::{Account, Job, Unfit};

/// What could end a string, an attribute, an element or a markup in it.
const HOSTILE: &str = r#"1, 2 <speak> </Say></Response> & " ' \ {code} "}]"#;

/// The body of a call, each form field and JSON text decoded, and what its vendor fetches.
fn body(account: &Account, text: &str, language: &str) -> Result<Vec<String>, Unfit> {
    let text = Secret::new(text);
    let job = Job {
        to: &PhoneNumber::parse("+6591234567", None).unwrap(),
        from: Some("+15005550006"),
        text: &text,
        code: Some(&Secret::new("12")),
        reference: "dlv_1-1",
        callback: Some("https://otp.example/receipts/x/1"),
        script: Some("https://otp.example/voice/1"),
        left_ms: 300_000,
        ucs2: false,
        language,
        parameters: &BTreeMap::new(),
    };
    let request = account.request(Channel::Voice, &job, Moment(0))?;
    let fetched = account.spoken(Channel::Voice, &job, Moment(0)).ok();
    let body = std::str::from_utf8(request.body()).unwrap();
    let mut said = match serde_json::from_str(body) {
        Ok(json) => texts(&json),
        Err(_) => form_urlencoded::parse(body.as_bytes())
            .map(|(_, value)| value.into_owned())
            .collect(),
    };
    said.extend(fetched.map(|spoken| spoken.body.expose().to_owned()));
    Ok(said)
}

fn texts(json: &serde_json::Value) -> Vec<String> {
    match json {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(items) => items.iter().flat_map(texts).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(texts).collect(),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            Vec::new()
        }
    }
}

#[test]
fn no_text_breaks_out_of_a_shipped_call() {
    for (told, account, channel) in sending() {
        if channel != Channel::Voice {
            continue;
        }
        let tags = |text: &str| {
            let bodies = body(&account, text, "en-US").unwrap();
            let marks = |b: &String| b.matches(['<', '>']).count();
            let quotes = |b: &String| b.contains("</").then(|| b.matches('"').count());
            let counts: Vec<_> = bodies.iter().map(|b| (marks(b), quotes(b))).collect();
            (bodies, counts)
        };
        let (plain, harmless) = tags("1, 2");
        let (bodies, hostile) = tags(HOSTILE);
        assert_eq!(hostile, harmless, "{told}: {bodies:?}");
        // Nothing but the brackets is lost.
        let is_said = plain.iter().any(|b| b.contains("1, 2"));
        assert!(
            !is_said || bodies.iter().any(|b| b.contains("{code}")),
            "{told}"
        );
    }
}

#[test]
fn every_shipped_call_tells_the_language() {
    for (told, account, channel) in sending() {
        if channel == Channel::Voice {
            let told_in = |language| body(&account, "1, 2", language).unwrap().join(" ");
            assert_ne!(told_in("en-US"), told_in("de-DE"), "{told}");
            // Some name their voices.
            let languages = ["en-US", "de-DE", "fr-FR", "es-ES", "it-IT"];
            let said: std::collections::BTreeSet<_> = languages.map(told_in).into();
            assert_eq!(said.len(), languages.len(), "{told}: {said:?}");
        }
    }
}

fn caller(languages: &str, language: &str) -> Account {
    speaker("", languages, language)
}

fn speaker(speaks: &str, languages: &str, language: &str) -> Account {
    let text = format!(
        r#"
[voice]
{speaks}
path = "/call"
auth = {{ scheme = "in_request" }}
json = {{ to = "{{to}}", text = "{{text}}", language = "{language}", id = "{{parameter.id?}}" }}
languages = {{ {languages} }}
accepted = {{ status = [200], message_id = "/id" }}
sandbox = {{ default_error = 1 }}
"#
    );
    let (definition, _) = read(&Source::new("v.toml", text));
    Account::example(definition, "v".into(), "http://v".into(), None)
}

#[test]
fn a_language_is_told_as_the_vendor_calls_it() {
    let check = |slot: &str, tag: &str, expected: &str| {
        let account = caller(r#"cmn = "zh", cmn-TW = "zh-tw", ar = "arb""#, slot);
        let said = body(&account, "x", tag).unwrap();
        assert!(said.contains(&expected.to_owned()), "{tag}: {said:?}");
    };
    check("{language}", "de-AT", "de-AT");
    check("{language}", "cmn-CN", "zh");
    check("{language}", "CMN-tw", "zh-tw");
    check("{language}", "ar-SA", "arb");
    check("{language|primary}", "de-AT", "de");
    check("{language|primary}", "cmn-TW", "zh-tw");
}

#[test]
fn what_a_vendor_does_not_speak_has_a_name_of_its_own() {
    let check = |languages: &str, slot: &str, tag: &str, expected: &str| {
        let account = speaker(r#"speaks = ["en", "pt-BR"]"#, languages, slot);
        let said = body(&account, "x", tag).unwrap();
        assert!(said.contains(&expected.to_owned()), "{tag}: {said:?}");
        let speaks = account.speaks().expect("what it speaks");
        assert!(speaks.has("pt-br") && !speaks.has("pt-PT"));
    };
    let others = r#"en = "english", "*" = "any""#;
    check(others, "{language}", "en-GB", "english");
    check(others, "{language}", "pt-BR", "pt-BR");
    check(others, "{language|primary}", "pt-BR", "pt");
    check(others, "{language}", "pt-PT", "any");
    check(others, "{language|primary}", "de-DE", "any");
    // A name for the beginning is closer.
    check(r#"pt = "p", "*" = "any""#, "{language}", "pt-PT", "p");
    check(r#"pt = "p""#, "{language}", "de-DE", "de-DE");
}
