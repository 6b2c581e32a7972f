//! One thing that must hold of a message for a rule to match.

use std::collections::BTreeSet;

use crate::flow::{Channel, Message};
use crate::number::{Country, NumberType, PhoneNumber};

/// One condition; a list is "any of".
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Country(BTreeSet<Country>),
    /// `+` and digits.
    Prefix(Vec<String>),
    NumberType(Vec<NumberType>),
    Channel(Vec<Channel>),
    RequestType(Vec<String>),
    Org(Vec<String>),
    /// `en` stands for `en-us` too.
    Locale(Vec<String>),
    /// This instance's label.
    Region(Vec<String>),
    User(Vec<String>),
    /// `*` stands for any text.
    Login(Vec<String>),
    Preview(bool),
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds(&self, message: &Message, to: &PhoneNumber, region: &str) -> bool {
        let any = |list: &[String], text: &str| list.iter().any(|l| l == text);
        match self {
            Condition::Country(countries) => countries.contains(&to.country()),
            Condition::Prefix(prefixes) => prefixes.iter().any(|p| to.e164().starts_with(&**p)),
            Condition::NumberType(types) => types.contains(&to.number_type()),
            Condition::Channel(channels) => channels.contains(&message.channel),
            Condition::RequestType(types) => any(types, &message.request_type),
            Condition::Org(orgs) => any(orgs, &message.org),
            Condition::Locale(locales) => locales.iter().any(|l| {
                let rest = message.locale.strip_prefix(&**l);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            }),
            Condition::Region(regions) => any(regions, region),
            Condition::User(users) => message.user.as_ref().is_some_and(|u| any(users, u)),
            Condition::Login(patterns) => message
                .login
                .as_ref()
                .is_some_and(|login| patterns.iter().any(|p| matches(p, login))),
            Condition::Preview(preview) => message.preview == *preview,
        }
    }

    /// The key it is written under.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Condition::Country(_) => "country",
            Condition::Prefix(_) => "prefix",
            Condition::NumberType(_) => "number_type",
            Condition::Channel(_) => "channel",
            Condition::RequestType(_) => "request_type",
            Condition::Org(_) => "org",
            Condition::Locale(_) => "locale",
            Condition::Region(_) => "region",
            Condition::User(_) => "user",
            Condition::Login(_) => "login",
            Condition::Preview(_) => "preview",
        }
    }

    /// What the message has there instead, for whoever asks why a rule did not match. A user or a login is
    /// not repeated.
    pub(super) fn found(&self, message: &Message, to: &PhoneNumber, region: &str) -> String {
        match self {
            Condition::Country(_) => to.country().to_string(),
            Condition::Prefix(_) => to.masked(),
            Condition::NumberType(_) => to.number_type().as_str().to_owned(),
            Condition::Channel(_) => message.channel.to_string(),
            Condition::RequestType(_) => message.request_type.clone(),
            Condition::Org(_) => message.org.to_string(),
            Condition::Locale(_) => message.locale.clone(),
            Condition::Region(_) => region.to_owned(),
            Condition::User(_) | Condition::Login(_) => "another".to_owned(),
            Condition::Preview(_) => message.preview.to_string(),
        }
    }

    /// Whether every message for which `other` holds is one for which this holds.
    pub(super) fn covers(&self, other: &Condition) -> bool {
        let within = |ours: &[String], theirs: &[String]| theirs.iter().all(|t| ours.contains(t));
        match (self, other) {
            (Condition::Country(ours), Condition::Country(theirs)) => theirs.is_subset(ours),
            (Condition::Prefix(ours), Condition::Prefix(theirs)) => theirs
                .iter()
                .all(|t| ours.iter().any(|o| t.starts_with(&**o))),
            (Condition::NumberType(ours), Condition::NumberType(theirs)) => {
                theirs.iter().all(|t| ours.contains(t))
            }
            (Condition::Channel(ours), Condition::Channel(theirs)) => {
                theirs.iter().all(|t| ours.contains(t))
            }
            (Condition::RequestType(ours), Condition::RequestType(theirs))
            | (Condition::Org(ours), Condition::Org(theirs))
            | (Condition::Locale(ours), Condition::Locale(theirs))
            | (Condition::Region(ours), Condition::Region(theirs))
            | (Condition::User(ours), Condition::User(theirs))
            | (Condition::Login(ours), Condition::Login(theirs)) => within(ours, theirs),
            (Condition::Preview(ours), Condition::Preview(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

/// Compares without regard to case; `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("ann@acme.com", "Ann@acme.com", true),
            ("ann@acme.com", "joann@acme.com", false),
            ("*@acme.com", "ann@acme.com", true),
            ("*@acme.com", "ann@acme.com.evil", false),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "axxcxxb", false),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
