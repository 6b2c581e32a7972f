//! Reads which languages a vendor speaks, and what it calls them.

use crate::document::{At, Table, Value};
use crate::flow::Channel;
use crate::text::{Languages, is_tag, tag};

/// What stands for the languages that a vendor does not speak.
pub(crate) const OTHERS: &str = "*";

/// The languages that calls are read in; `None` for every one.
pub(super) fn speaks(channel: Channel, table: &Table<'_>) -> Option<Languages> {
    if channel != Channel::Voice {
        table.misplaced(&["speaks"], |_| "only calls are read out".to_owned());
        return None;
    }
    table.read("speaks", |value| {
        let written = value.list()?;
        if written.is_empty() {
            let hint = "without `speaks`, every language is spoken".to_owned();
            return value.wrong("this vendor speaks no language", Some(hint));
        }
        let tags: Vec<String> = written.iter().filter_map(|tag| spoken(*tag)).collect();
        (tags.len() == written.len()).then(|| Languages::new(tags))
    })
}

/// A tag as calls have it, or the beginning of one.
fn spoken(value: Value<'_>) -> Option<String> {
    let At { value: text, .. } = value.string()?;
    if !is_tag(&text) {
        let hint = "a tag such as `de-DE`, or its beginning".to_owned();
        return value.wrong(format!("`{text}` is not a language"), Some(hint));
    }
    let known = tag(&text);
    if !primary(&known).eq_ignore_ascii_case(primary(&text)) {
        let hint = format!("write `{}`", primary(&known));
        return value.wrong(format!("no call is in `{text}`"), Some(hint));
    }
    Some(text)
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// What a vendor calls languages, by their tags or the beginnings of these.
pub(super) fn names(operation: &Table<'_>, speaks: Option<&Languages>) -> Vec<(String, String)> {
    let Some(table) = operation.read("languages", Value::table) else {
        return Vec::new();
    };
    let entries = table.entries().into_iter();
    let names = entries.filter_map(|(tag, name)| {
        let is_for_others = tag.value == OTHERS;
        if is_for_others && operation.get("speaks").is_none() {
            let hint = "say in `speaks` which those are that it does".to_owned();
            let message = "`*` is for the languages that the vendor does not speak";
            table.error(tag.span, message, Some(hint));
        } else if !is_for_others && speaks.is_some_and(|speaks| !speaks.has_any(&tag.value)) {
            let message = format!("`speaks` leaves `{}` out", tag.value);
            let hint = "add it there, or write `\"*\"` for all that are not there".to_owned();
            table.error(tag.span, message, Some(hint));
        }
        Some((tag.value, name.string()?.value))
    });
    names.collect()
}
