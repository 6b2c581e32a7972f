//! What people read of a definition is what it does.

use super::*;

const DEFINITION: &str = r#"
name = "Acme Messaging"
documentation = "https://acme.example/docs"
base_url = "https://acme.example"

[credentials]
key = { example = "k" }
secret = { optional = true, example = "s" }

[sms]
path = "/send"
auth = { scheme = "header", value = "Bearer {credential.key}" }
json = { to = "{to}", text = "{text}", hook = "{callback?}" }
validity = { unit = "min", least = 1, most = 60 }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1, accept = { status = 200, json = { id = "{id}" } }, reject = { status = 400 } }

[sms.receipts]
body = "json"
message_id = "/id"
status = "/status"
intermediate = ["sent"]
delivered = ["ok"]
failed = ["no"]
auth = { scheme = "hmac_sha256", header = "x-sig", key = "{credential.secret}", encoding = "hex" }
sandbox = { json = { id = "{id}", status = "{status}" }, intermediate = "sent", delivered = "ok", failed = "no", default_error = 1 }

[voice]
speaks = ["en", "pt"]
path = "/call"
auth = { scheme = "header", value = "Bearer {credential.key}" }
json = { to = "{to}", text = "{text}" }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1, accept = { status = 200, json = { id = "{id}" } }, reject = { status = 400 } }
"#;

fn summary(text: &str) -> Summary {
    let problems = RefCell::<Problems>::default();
    let source = Source::new("vendors/acme.toml", text);
    let definition = Definition::read(&source, &problems);
    let told: Vec<String> = problems
        .borrow()
        .sorted()
        .iter()
        .map(|p| p.to_string())
        .collect();
    assert_eq!(told, Vec::<String>::new());
    definition.summary()
}

#[test]
fn a_summary_has_what_people_choose_by() {
    let summary = summary(DEFINITION);
    assert_eq!(summary.definition, "acme");
    assert_eq!(summary.name, "Acme Messaging");
    let credentials = summary.credentials.iter();
    let credentials: Vec<_> = credentials.map(|c| (c.name.as_str(), c.optional)).collect();
    assert_eq!(credentials, [("key", false), ("secret", true)]);
    let [sms, voice] = summary.channels.as_slice() else {
        panic!("two channels");
    };
    assert_eq!(
        (sms.receipts, voice.receipts),
        (ReceiptsFor::Message, ReceiptsFor::None)
    );
    let signed = Signed {
        scheme: "hmac_sha256",
        with: vec!["secret".to_owned()],
    };
    assert_eq!((&sms.signed, &voice.signed), (&Some(signed), &None));
    let period = Period {
        least: 1,
        most: 60,
        unit: "min",
    };
    assert_eq!((&sms.validity, &voice.validity), (&Some(period), &None));
    let tongues = voice.languages.as_ref().expect("what calls are read in");
    assert_eq!(tongues.speaks, Some(vec!["en".to_owned(), "pt".to_owned()]));
    assert_eq!((tongues.count, tongues.of, &sms.languages), (3, 41, &None));
}

#[test]
fn without_its_own_address_a_message_is_reported_to_the_accounts() {
    let summary = summary(&DEFINITION.replace(", hook = \"{callback?}\"", ""));
    assert_eq!(summary.channels[0].receipts, ReceiptsFor::Account);
}

#[test]
fn every_shipped_definition_has_one() {
    for source in shipped() {
        let (definition, _) = read(&source);
        let summary = definition.summary();
        assert!(!summary.channels.is_empty(), "{}", source.name);
        let sends = summary.channels.iter().any(|offer| !offer.sends_nothing);
        let documented = summary.documentation.is_some();
        assert!(documented || !sends, "{}", source.name);
    }
}
