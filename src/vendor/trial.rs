//! Tries whether an account's credentials can be used at all: a key that is none is told before the first message.

use std::collections::BTreeMap;

use crate::flow::{Channel, Secret};
use crate::number::PhoneNumber;
use crate::vendor::account::Account;
use crate::vendor::definition::Definition;
use crate::vendor::example::EXAMPLE_NOW;
use crate::vendor::request::{Job, Unfit};

/// A number that nobody is asked to reach.
const SAMPLE: &str = "+6591234567";

impl Account {
    /// The credentials with which no request can be made: no key, no base64, no header's value. Each is known by
    /// this, that with the definition's example in its place there can be one.
    pub fn unusable(&self) -> Vec<&str> {
        let Ok(to) = PhoneNumber::parse(SAMPLE, None) else {
            return Vec::new();
        };
        let mut unusable = Vec::new();
        for channel in self.channels() {
            if !self.is_refused(channel, &to) {
                continue;
            }
            let names = self.definition().credentials.iter();
            let names = names.filter(|c| self.credential(&c.name).is_some());
            unusable.extend(names.filter_map(|credential| {
                let definition = Definition::clone(self.definition());
                let other = self.with_marks(definition, |name, secret| {
                    let value = match name == credential.name {
                        true => credential.example.as_str(),
                        false => secret.expose(),
                    };
                    value.to_owned()
                });
                (!other.is_refused(channel, &to)).then_some(credential.name.as_str())
            }));
        }
        unusable.sort_unstable();
        unusable.dedup();
        unusable
    }

    /// Whether a credential stands in the way of any request.
    fn is_refused(&self, channel: Channel, to: &PhoneNumber) -> bool {
        let (text, none) = (Secret::new("1"), BTreeMap::new());
        let job = Job {
            to,
            from: Some(SAMPLE),
            text: &text,
            code: Some(&text),
            reference: "sample",
            callback: Some("https://vendor.example/"),
            script: Some("https://vendor.example/"),
            left_ms: 60_000,
            ucs2: false,
            language: "en-US",
            parameters: &none,
        };
        matches!(
            self.request(channel, &job, EXAMPLE_NOW),
            Err(Unfit::Credential)
        )
    }
}
