//! Reads `[[template]]`: what is said instead of Okta's own text.

use crate::document::{Table, Value};
use crate::flow::Channel;
use crate::rules::condition::{locale, request_type};
use crate::rules::file::{Place, Template, Validity, channel, each, name, names};
use crate::rules::wording::Words;
use crate::text::is_tag;

/// What every vendor takes of a text, in characters (most of their API references say 1,600).
const TEXT_CHARS_MAX: usize = 1_600;
/// Somebody listens to this.
const SPOKEN_CHARS_MAX: usize = 3_000;
/// The longest life of a passcode.
const LIFE_MINUTES: i64 = 15;

pub(super) fn template(table: &Table<'_>) -> Option<Template> {
    let template_name = table.read("name", name);
    let countries = table.read("country", names);
    let locales = table.read("locale", |v| each(v, locale));
    let orgs = table.read("org", names);
    let request_types = table.read("request_type", |v| each(v, request_type));
    let vendors = table.read("vendor", names);
    let channel = table.read("channel", channel).unwrap_or(Channel::Sms);
    let validity = Validity::read(table);
    let text = table.require("text", |v| Some((words(v)?, Place::of(&v))));
    let language = table.read("language", language);
    let webotp = table.read("webotp", host);
    for (key, wanted) in [("language", Channel::Voice), ("webotp", Channel::Sms)] {
        if let Some(value) = table.get(key).filter(|_| channel != wanted) {
            let message = format!("`{key}` has no effect on {channel}");
            table.warning(value.span(), message, None);
        }
    }
    let parameters = table.read("parameters", Value::table);
    let parameters = parameters.map_or_else(Vec::new, |table| {
        let all = table.entries().into_iter();
        all.filter_map(|(key, value)| Some((key.value, value.string()?.value)))
            .collect()
    });
    table.finish();
    let (words, text) = text?;
    let chars = words
        .settle("", LIFE_MINUTES, webotp.as_deref())
        .chars()
        .count();
    let most = match channel {
        Channel::Sms => TEXT_CHARS_MAX,
        Channel::Voice => SPOKEN_CHARS_MAX,
    };
    if chars > most
        && let Some(value) = table.get("text")
    {
        let hint = format!("at most {most}");
        value.wrong::<()>(format!("this text has {chars} characters"), Some(hint));
    }
    Some(Template {
        place: Place::of_table(table),
        name: template_name,
        countries,
        locales,
        orgs,
        request_types,
        vendors,
        channel,
        validity,
        words,
        text,
        language,
        parameters,
        webotp,
    })
}

fn words(value: Value<'_>) -> Option<Words> {
    let text = value.string()?;
    Words::parse(&text.value)
        .map_err(|mistake| value.wrong_at(value.part(mistake.span), mistake.message, mistake.hint))
        .ok()
}

/// A BCP 47 tag, as far as its form tells.
fn language(value: Value<'_>) -> Option<String> {
    let text = value.string()?.value;
    if is_tag(&text) {
        return Some(text);
    }
    let hint = "a tag such as `de-DE`".to_owned();
    value.wrong(format!("`{text}` is not a language"), Some(hint))
}

/// The host that a browser compares with the page's.
fn host(value: Value<'_>) -> Option<String> {
    let text = value.string()?.value;
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if text.contains('.') && text.split('.').all(is_label) {
        return Some(text);
    }
    let hint = "the host of the page that asks for the code, such as `login.acme.com`".to_owned();
    value.wrong(format!("`{text}` is not a host"), Some(hint))
}
