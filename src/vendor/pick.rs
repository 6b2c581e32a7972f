//! Where a code or a status is picked from what a vendor says.

use regex::Regex;
use serde_json::Value as Json;

/// Codes and message ids longer than this are cut before they are kept.
const TEXT_CHARS_MAX: usize = 128;
/// Of a text that is matched with a pattern, so much is looked at.
const MATCHED_CHARS_MAX: usize = 4_096;
/// A code is at most this long; what is longer is a text.
const CODE_CHARS_MAX: usize = 64;
/// More digits in a row, or so, may be a phone number, which is not kept.
const CODE_DIGITS_MAX: usize = 6;

/// One place, and what of its text is meant.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    /// JSON pointers, `*` for every element; the texts of several are joined.
    pub(crate) at: Vec<String>,
    /// Its first group is meant.
    pub(crate) pattern: Option<Regex>,
}

impl Pick {
    /// Every text at this place, in order; none where something is missing.
    pub(crate) fn texts(&self, json: &Json) -> Vec<String> {
        let found = match self.at.as_slice() {
            [pointer] => all_at(json, pointer)
                .into_iter()
                .filter_map(long_text)
                .collect(),
            pointers => joined(json, pointers).into_iter().collect::<Vec<_>>(),
        };
        let meant = |text: String| match &self.pattern {
            None => Some(text),
            Some(pattern) => {
                let groups = pattern.captures(&text)?;
                groups.get(1).map(|group| group.as_str().to_owned())
            }
        };
        let found = found.into_iter().filter_map(meant);
        let found = found.map(|text| text.chars().take(TEXT_CHARS_MAX).collect::<String>());
        found.filter(|text| !text.is_empty()).collect()
    }
}

/// The first text of each pointer, with `:` between; nothing unless all are there.
fn joined(json: &Json, pointers: &[String]) -> Option<String> {
    let first = |pointer: &String| all_at(json, pointer).into_iter().find_map(long_text);
    let texts: Option<Vec<String>> = pointers.iter().map(first).collect();
    Some(texts?.join(":"))
}

/// The named groups of a text that matches, as one flat object.
pub(crate) fn groups(pattern: &Regex, body: &[u8]) -> Option<Json> {
    let text: String = std::str::from_utf8(body)
        .ok()?
        .chars()
        .take(MATCHED_CHARS_MAX)
        .collect();
    let found = pattern.captures(&text)?;
    let named = pattern.capture_names().flatten();
    let fields = named.filter_map(|name| {
        let value = found.name(name)?.as_str();
        Some((name.to_owned(), Json::from(value)))
    });
    Some(Json::Object(fields.collect()))
}

/// Every value at a JSON pointer in which `*` stands for each element.
pub(crate) fn all_at<'a>(json: &'a Json, pointer: &str) -> Vec<&'a Json> {
    let mut found = vec![json];
    for key in pointer.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|value| match (value, key) {
                (Json::Array(items), "*") => items.iter().collect(),
                (value, key) => value
                    .pointer(&format!("/{key}"))
                    .into_iter()
                    .collect::<Vec<_>>(),
            })
            .collect();
    }
    found
}

/// A text, a number or a truth value as the text that it is compared as.
pub(crate) fn text_of(value: &Json) -> Option<String> {
    let text = long_text(value)?;
    Some(text.chars().take(TEXT_CHARS_MAX).collect())
}

fn long_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.chars().take(MATCHED_CHARS_MAX).collect()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A code as it is kept; not what may be a text or a phone number.
pub(crate) fn code_word(text: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.len() <= CODE_CHARS_MAX && text.chars().all(word) && digits <= CODE_DIGITS_MAX;
    plain.then(|| text.to_owned())
}
