//! The conditions of a rule: whether they hold for a message, and which of two is the weaker.

use crate::document::Value;
use crate::flow::{Channel, Message};
use crate::number::{Country, NumberType, PhoneNumber};
use crate::rules::file::{channel, each};

/// So many names are listed when a condition is explained.
const NAMES_SHOWN_MAX: usize = 6;

/// What conditions are held against.
pub(super) struct Facts<'a> {
    pub(super) message: &'a Message,
    pub(super) number: &'a PhoneNumber,
    /// The login, lower case.
    pub(super) login: Option<String>,
    /// The label of this instance.
    pub(super) region: &'a str,
}

/// One key of `when`; a list is "any of".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Country(Vec<Country>),
    /// Digits with `+`.
    Prefix(Vec<String>),
    NumberType(Vec<NumberType>),
    Channel(Vec<Channel>),
    RequestType(Vec<String>),
    Org(Vec<String>),
    /// Lower case, `_` as `-`.
    Locale(Vec<String>),
    Region(Vec<String>),
    User(Vec<String>),
    Login(Vec<Login>),
    Preview(bool),
}

/// A login, or `*@example.com`; lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Login {
    Whole(String),
    EndsWith(String),
}

type Reader = fn(Value<'_>) -> Option<Condition>;

/// How each key is read. Countries are missing here: their groups must be looked up.
pub(super) const READERS: [(&str, Reader); 10] = [
    ("prefix", |v| each(v, prefix).map(Condition::Prefix)),
    ("number_type", |v| {
        each(v, number_type).map(Condition::NumberType)
    }),
    ("channel", |v| each(v, channel).map(Condition::Channel)),
    ("request_type", |v| {
        each(v, request_type).map(Condition::RequestType)
    }),
    ("org", |v| each(v, text).map(Condition::Org)),
    ("locale", |v| each(v, locale).map(Condition::Locale)),
    ("region", |v| each(v, text).map(Condition::Region)),
    ("user", |v| each(v, text).map(Condition::User)),
    ("login", |v| each(v, login).map(Condition::Login)),
    ("preview", |v| v.boolean().map(Condition::Preview)),
];

fn text(value: Value<'_>) -> Option<String> {
    Some(value.string()?.value)
}

fn prefix(value: Value<'_>) -> Option<String> {
    let text = value.string()?.value;
    let digits = text.strip_prefix('+').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text);
    }
    let hint = "`+` and digits, such as `+6591`".to_owned();
    value.wrong("this is not the beginning of a number", Some(hint))
}

fn number_type(value: Value<'_>) -> Option<NumberType> {
    value.one_of(&NumberType::ALL.map(|t| (t.as_str(), t)))
}

/// Okta writes `com.okta.user.telephony.mfa-verification`; a message has the last part.
pub(super) fn request_type(value: Value<'_>) -> Option<String> {
    let text = value.string()?.value;
    let last = text.rsplit('.').next().unwrap_or_default();
    Some(last.to_lowercase())
}

pub(super) fn locale(value: Value<'_>) -> Option<String> {
    Some(value.string()?.value.to_lowercase().replace('_', "-"))
}

fn login(value: Value<'_>) -> Option<Login> {
    let text = value.string()?.value.to_lowercase();
    match text.strip_prefix('*') {
        Some(end) if !end.contains('*') => Some(Login::EndsWith(end.to_owned())),
        None if !text.contains('*') => Some(Login::Whole(text)),
        Some(_) | None => value.wrong(
            "a `*` can only stand at the beginning",
            Some("a whole login, or `*@example.com`".to_owned()),
        ),
    }
}

impl Condition {
    /// The key of `when`.
    pub(super) fn key(&self) -> &'static str {
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

    /// The channels it asks for, if it is about channels.
    pub(super) fn channels(&self) -> Option<&[Channel]> {
        match self {
            Condition::Channel(channels) => Some(channels),
            _ => None,
        }
    }

    /// Whether it holds.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        let Facts {
            message, number, ..
        } = facts;
        match self {
            Condition::Country(list) => list.contains(&number.country()),
            Condition::Prefix(list) => list.iter().any(|p| number.e164().starts_with(&**p)),
            Condition::NumberType(list) => list.contains(&number.number_type()),
            Condition::Channel(list) => list.contains(&message.channel),
            Condition::RequestType(list) => list
                .iter()
                .any(|t| t.eq_ignore_ascii_case(&message.request_type)),
            Condition::Org(list) => list.iter().any(|o| **o == *message.org),
            Condition::Locale(list) => list.iter().any(|l| is_within(&message.locale, l)),
            Condition::Region(list) => list.iter().any(|r| r == facts.region),
            Condition::User(list) => message.user.as_ref().is_some_and(|u| list.contains(u)),
            Condition::Login(list) => {
                let login = facts.login.as_ref();
                login.is_some_and(|login| list.iter().any(|l| l.matches(login)))
            }
            Condition::Preview(preview) => message.preview == *preview,
        }
    }

    /// Whether this holds wherever `other` does.
    pub(super) fn covers(&self, other: &Condition) -> bool {
        match (self, other) {
            (Condition::Country(a), Condition::Country(b)) => all_in(a, b),
            (Condition::NumberType(a), Condition::NumberType(b)) => all_in(a, b),
            (Condition::Channel(a), Condition::Channel(b)) => all_in(a, b),
            (Condition::RequestType(a), Condition::RequestType(b))
            | (Condition::Org(a), Condition::Org(b))
            | (Condition::Region(a), Condition::Region(b))
            | (Condition::User(a), Condition::User(b)) => all_in(a, b),
            (Condition::Prefix(a), Condition::Prefix(b)) => {
                b.iter().all(|b| a.iter().any(|a| b.starts_with(&**a)))
            }
            (Condition::Locale(a), Condition::Locale(b)) => {
                b.iter().all(|b| a.iter().any(|a| is_within(b, a)))
            }
            (Condition::Login(a), Condition::Login(b)) => {
                b.iter().all(|b| a.iter().any(|a| a.covers(b)))
            }
            (Condition::Preview(a), Condition::Preview(b)) => a == b,
            _ => false,
        }
    }

    /// Why it did not hold. The number, the user and the login are not shown.
    pub(super) fn miss(&self, facts: &Facts<'_>) -> String {
        let message = facts.message;
        let (is, wanted) = match self {
            Condition::Country(list) => {
                let names = list.iter().map(|c| c.to_string()).collect();
                (facts.number.country().to_string(), names)
            }
            Condition::NumberType(list) => {
                let names = list.iter().map(|t| t.as_str().to_owned()).collect();
                (facts.number.number_type().as_str().to_owned(), names)
            }
            Condition::Channel(list) => {
                let names = list.iter().map(|c| c.to_string()).collect();
                (message.channel.to_string(), names)
            }
            Condition::RequestType(list) => (message.request_type.clone(), list.clone()),
            Condition::Org(list) => (message.org.to_string(), list.clone()),
            Condition::Locale(list) => (message.locale.clone(), list.clone()),
            Condition::Region(list) => (facts.region.to_owned(), list.clone()),
            Condition::Prefix(list) => return format!("prefix is not {}", any_of(list)),
            Condition::User(_) => return "user is another".to_owned(),
            Condition::Login(_) => return "login is another".to_owned(),
            Condition::Preview(true) => return "it is no preview".to_owned(),
            Condition::Preview(false) => return "it is a preview".to_owned(),
        };
        let is = if is.is_empty() { "absent" } else { &is };
        format!("{} is {is}, not {}", self.key(), any_of(&wanted))
    }
}

impl Login {
    fn matches(&self, login: &str) -> bool {
        match self {
            Login::Whole(whole) => whole == login,
            Login::EndsWith(end) => login.ends_with(&**end),
        }
    }

    fn covers(&self, other: &Login) -> bool {
        match (self, other) {
            (_, Login::Whole(other)) => self.matches(other),
            (Login::EndsWith(end), Login::EndsWith(other)) => other.ends_with(&**end),
            (Login::Whole(_), Login::EndsWith(_)) => false,
        }
    }
}

fn all_in<T: PartialEq>(all: &[T], some: &[T]) -> bool {
    some.iter().all(|one| all.contains(one))
}

/// `en-us` is within `en` and within `en-us`.
pub(super) fn is_within(locale: &str, wide: &str) -> bool {
    locale
        .strip_prefix(wide)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn any_of(names: &[String]) -> String {
    let shown = names.len().min(NAMES_SHOWN_MAX);
    let mut text = names[..shown].join(" or ");
    if names.len() > shown {
        text.push_str(&format!(" or {} more", names.len() - shown));
    }
    text
}
