//! What is written of values with secrets in them: in logs, and where a test fails.

use serde_json::json;

use super::read;
use crate::flow::Channel;
use crate::problem::Source;
use crate::vendor::{Account, Asked, Grant, Greeting};

#[test]
fn neither_tokens_nor_numbers_nor_addresses_are_written() {
    let grant = Grant {
        name: "a".into(),
        base_url: Some("https://user:hush@a.example".to_owned()),
        region: None,
        credentials: Vec::new(),
        from: None,
    };
    let granted = format!("{grant:?}");
    let (definition, _) = read(&Source::new("a.toml", ""));
    let account = Account::new(definition, grant);
    let asked = Asked {
        channel: Channel::Sms,
        to: Some("+6591234567".to_owned()),
        reference: None,
        callback: Some("https://otp.example/hush".to_owned()),
        script: Some("https://otp.example/hush".to_owned()),
    };
    for text in [
        granted,
        format!("{account:?}"),
        format!("{asked:?}"),
        format!("{:?}", Greeting::Reply(json!("hush"))),
        format!("{:?}", Greeting::Visit("https://a.example/?hush".into())),
    ] {
        assert!(
            !text.contains("hush") && !text.contains("91234567"),
            "{text}"
        );
    }
}
