//! The shipped definitions hold their own examples; mistakes in a definition are told with their place.

mod answers;
mod authorization;
mod envelope;
mod preview;
mod receipts;
mod schemes;
mod script;
mod secrecy;
mod signature;
mod speech;
mod summary;
mod template;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::flow::{Channel, Reason, Secret, VerdictKind};
use crate::problem::{Problems, Source};

/// Where a vendor is told to send receipts.
const URL: &str = "https://otp.example.com/receipts/x/dlv_1-1.0123456789abcdef";

fn shipped() -> Vec<Source> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vendors");
    let mut files: Vec<Source> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Source::new(name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// Those of them that tell later what became of a message.
fn reporting() -> Vec<(String, Account, Channel)> {
    let mut found = sending();
    found.retain(|(_, account, channel)| account.reports(*channel));
    found
}

/// Every channel of every shipped definition that sends something, with an account that has all its credentials.
fn sending() -> Vec<(String, Account, Channel)> {
    let mut found = Vec::new();
    for source in shipped() {
        let (definition, _) = read(&source);
        let account = Account::example(definition, "x".into(), "http://x".into(), None);
        for channel in account.channels() {
            let told = format!("{} {channel}", source.name);
            if !account.sends_nothing(channel) {
                found.push((told, account.clone(), channel));
            }
        }
    }
    found
}

fn read(source: &Source) -> (Arc<Definition>, Vec<String>) {
    let problems = RefCell::<Problems>::default();
    let definition = Arc::new(Definition::read(source, &problems));
    check_examples(&definition, &problems);
    let told = problems
        .borrow()
        .sorted()
        .iter()
        .map(|p| p.to_string())
        .collect();
    (definition, told)
}

/// A signature (RSA, SHA-256) in base64, by a key in PEM.
fn rsa_sha256(key: &str, message: &[u8]) -> String {
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    let signed = jsonwebtoken::crypto::sign(message, &key, jsonwebtoken::Algorithm::RS256).unwrap();
    let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = base64::Engine::decode(&url_safe, signed).unwrap();
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

#[test]
fn every_shipped_definition_holds_its_examples() {
    let files = shipped();
    assert!(files.len() >= 4, "{}", files.len());
    for source in files {
        let (definition, told) = read(&source);
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(format!("{}.toml", definition.name), &*source.name);
    }
}

#[test]
fn every_shipped_definition_understands_its_own_simulator() {
    let asked = Asked {
        channel: Channel::Sms,
        to: Some("+6591234567".to_owned()),
        reference: Some("dlv_1-1".to_owned()),
        callback: None,
        script: None,
    };
    for (told, account, channel) in sending() {
        let definition = account.definition();
        let simulation = &definition.operation(channel).unwrap().simulation;
        let verdict = |simulated: &Simulated| {
            let (head, body) = simulated.answer(&Said {
                id: "id1",
                error: &simulation.default_error,
                asked: Some(&asked),
                now: crate::time::Moment(0),
            });
            account.verdict(channel, &head, &body).kind
        };
        assert_eq!(verdict(&simulation.accept), VerdictKind::Accepted, "{told}");
        assert_eq!(verdict(&simulation.reject), VerdictKind::Rejected, "{told}");
        assert_eq!(
            verdict(&simulation.throttle),
            VerdictKind::Throttled,
            "{told}"
        );
        assert_eq!(
            verdict(&simulation.error),
            VerdictKind::Unavailable,
            "{told}"
        );
        let (head, body) = simulation.unauthorized.answer(&Said {
            id: "",
            error: "",
            asked: None,
            now: crate::time::Moment(0),
        });
        let refused = account.verdict(channel, &head, &body).reason;
        assert_eq!(refused, Some(Reason::Account), "{told}");
    }
}

#[test]
fn every_shipped_definition_finds_in_its_requests_what_it_was_asked() {
    let to = crate::number::PhoneNumber::parse("+6591234567", None).unwrap();
    let (text, code) = (Secret::new("123456 is your code."), Secret::new("123456"));
    let none = std::collections::BTreeMap::new();
    for (told, account, channel) in sending() {
        let job = |callback| Job {
            to: &to,
            from: Some("+15005550006"),
            text: &text,
            code: Some(&code),
            reference: "dlv_1-1",
            callback,
            script: Some("https://otp.example/voice/1"),
            left_ms: 300_000,
            ucs2: false,
            language: "en-US",
            parameters: &none,
        };
        let asked = |callback: Option<&'static str>| {
            let now = crate::time::Moment(1_767_225_600_000);
            let request = account.request(channel, &job(callback), now);
            // Some take nothing without one.
            if matches!(request, Err(Unfit::Lacks(Slot::Callback))) {
                return None;
            }
            Some(account.recognise(&request.unwrap(), now).unwrap())
        };
        let with = asked(Some(URL)).unwrap();
        assert_eq!(with.channel, channel, "{told}");
        let called_back = account.reports(channel) && !account.reports_to_one_address(channel);
        let expected = called_back.then_some(URL);
        assert_eq!(with.callback.as_deref(), expected, "{told}");
        let digits = with.to.as_deref().map(|t| t.trim_start_matches('+'));
        assert_eq!(digits, Some("6591234567"), "{told}");
        assert!(with.reference.is_none_or(|r| r == "dlv_1-1"), "{told}");
        let without = asked(None).and_then(|asked| asked.callback);
        assert_eq!(without, None, "{told}");
    }
}

#[test]
fn an_account_without_the_voice_credentials_has_no_voice() {
    let source = shipped()
        .into_iter()
        .find(|s| s.text.contains("jwt_rs256"))
        .unwrap();
    let (definition, _) = read(&source);
    let credentials = definition
        .credentials
        .iter()
        .filter(|c| !c.optional)
        .map(|c| (c.name.clone(), Secret::new(&*c.example)))
        .collect();
    let grant = Grant {
        name: "v".into(),
        base_url: None,
        region: None,
        credentials,
        from: None,
    };
    let account = Account::new(definition, grant);
    assert_eq!(account.channels(), [Channel::Sms]);
    assert_eq!(account.misfits(), (Vec::new(), Vec::new()));
}

fn told(text: &str) -> String {
    let (_, told) = read(&Source::new("v.toml", text));
    told.join("\n")
}

#[test]
fn mistakes_are_told_all_at_once_with_their_places() {
    let text = r#"
[credentials]
key = { example = "k" }
[sms]
path = "/send/{credential.kee}"
auth = { scheme = "header", value = "Bearer {credential.key}" }
json = { to = "{too}" }
accepted = { status = [200], message_id = "id" }
refused = { code = "/code", reasons = { invalid_numbr = [1], rate = [2], content = [2] } }
sandbox = { default_error = 1 }
colour = "red"
"#;
    let told = told(text);
    for expected in [
        "v.toml:5:8: error: there is no credential `kee`\n  hint: did you mean `key`?",
        "v.toml:7:15: error: there is no slot `{too}` here\n  hint: did you mean `to`?",
        "v.toml:8:43: error: `id` is not a JSON pointer",
        "v.toml:9:41: error: there is no reason `invalid_numbr`\n  hint: did you mean `invalid_number`?",
        "v.toml:9:85: error: this code is also on line 9",
        "v.toml:11:1: error: unknown key `colour`",
    ] {
        assert!(told.contains(expected), "{expected}\nnot in\n{told}");
    }
}

#[test]
fn an_example_that_does_not_hold_is_told() {
    let text = r#"
[sms]
path = "/send"
auth = { scheme = "in_request" }
json = { to = "{to}", text = "{text}" }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1 }
[[example]]
name = "yes"
response = { status = 200, json = { id = "a" } }
verdict = { kind = "accepted", message_id = "b" }
"#;
    assert!(
        told(text)
            .contains("the example `yes` does not hold: the verdict's message_id is `a`, not `b`")
    );
}

#[test]
fn a_daily_cap_is_told_in_answers_and_is_a_matter_of_rate_unless_listed_otherwise() {
    let text = r#"
[sms]
path = "/send"
auth = { scheme = "in_request" }
json = { to = "{to}", text = "{text}" }
accepted = { status = [200], message_id = "/id" }
refused = { code = "/code", daily_cap = [7, "80-89", 9], reasons = { sender = [9], rate = [6] } }
sandbox = { default_error = 1 }
"#;
    let example = |code: u8, verdict: &str| {
        format!(
            "[[example]]\nname = \"{code}\"\nresponse = {{ status = 400, json = {{ code = {code} }} }}\n\
             verdict = {{ {verdict}, code = \"{code}\" }}\n"
        )
    };
    let throttled = "kind = \"throttled\", reason = \"rate\"";
    let capped = format!("{throttled}, capped = true");
    let examples = [
        example(6, throttled),
        example(7, &capped),
        example(85, &capped),
        example(9, "kind = \"rejected\", reason = \"sender\", capped = true"),
        "[[example]]\nname = \"yes\"\nresponse = { status = 200, json = { id = \"a\" } }\n\
         verdict = { kind = \"accepted\", message_id = \"a\" }\n"
            .to_owned(),
    ];
    let told = told(&format!("{text}{}", examples.concat()));
    assert!(!told.contains("does not hold"), "{told}");
}

/// Another value for a credential, which could be one.
const OTHER: &str = "b3RoZXItY3JlZGVudGlhbC1vdGhlci0=";

#[test]
fn every_simulated_vendor_refuses_a_request_with_any_wrong_credential() {
    let to = crate::number::PhoneNumber::parse("+6591234567", None).unwrap();
    let (text, code) = (Secret::new("123456 is your code."), Secret::new("123456"));
    let none = std::collections::BTreeMap::new();
    for (told, account, channel) in sending() {
        let operation = account.definition().operation(channel).unwrap();
        let slots = operation.slots().into_iter();
        let used: std::collections::BTreeSet<&str> = slots
            .filter_map(|slot| match slot {
                Slot::Credential(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let mut refused = 0;
        for wrong in used {
            let given = account.credential(wrong).unwrap();
            // Another key of that kind is not at hand; what it signs is refused with the wrong claims.
            if given.contains("-----BEGIN") {
                continue;
            }
            let definition = Definition::clone(account.definition());
            let other = account.with_marks(definition, |name, secret| match name == wrong {
                true => OTHER.to_owned(),
                false => secret.expose().to_owned(),
            });
            let job = Job {
                to: &to,
                from: Some("+15005550006"),
                text: &text,
                code: Some(&code),
                reference: "dlv_1-1",
                callback: Some(URL),
                script: Some("https://otp.example.com/voice/x"),
                left_ms: 300_000,
                ucs2: false,
                language: "en-US",
                parameters: &none,
            };
            let now = crate::time::Moment(1_767_225_600_000);
            let Ok(request) = other.request(channel, &job, now) else {
                // It is no header's name.
                continue;
            };
            refused += 1;
            assert!(account.recognise(&request, now).is_err(), "{told}: {wrong}");
            let right = account.request(channel, &job, now).unwrap();
            assert!(account.recognise(&right, now).is_ok(), "{told}");
        }
        assert!(refused > 0, "{told}");
    }
}
