//! Writes what a draft changes so that a reviewer reads it at a glance.

use crate::number::Country;
use crate::rules::{Change, Comparison, Difference};

/// A longer text is cut.
const SHOWN_CHARS_MAX: usize = 160;

/// One line for each change, the worst first, and how much stays as it is.
pub(super) fn in_words(compared: &Comparison) -> String {
    let mut lines: Vec<String> = compared.changes.iter().map(line).collect();
    for chain in &compared.chains {
        lines.push(format!(
            "chain {}: {}",
            chain.chain,
            all(&chain.differences)
        ));
    }
    if !compared.guard.is_empty() {
        lines.push(format!("guard: {}", all(&compared.guard)));
    }
    if lines.is_empty() {
        lines.push("nothing changes".to_owned());
    }
    if !compared.is_complete {
        lines.push("note: the rules tell more apart than was looked at".to_owned());
    }
    let unchanged = compared.unchanged;
    lines.push(format!(
        "{unchanged} countries that rules name stay as they are"
    ));
    lines.join("\n") + "\n"
}

fn line(change: &Change) -> String {
    let mut whose: Vec<&str> = change.countries.iter().map(Country::as_str).collect();
    if change.others {
        whose.push("every other country");
    }
    let only = change.only.as_ref();
    let only = only.map_or(String::new(), |only| format!(" ({only})"));
    let loud = if change.loses_all {
        "NOTHING IS SENT ANY MORE: "
    } else {
        ""
    };
    format!(
        "{loud}{} {}{only}: {}",
        whose.join(", "),
        change.channel,
        all(&change.differences)
    )
}

fn all(differences: &[Difference]) -> String {
    let all: Vec<String> = differences
        .iter()
        .map(|d| format!("{} {} -> {}", d.what, cut(&d.before), cut(&d.after)))
        .collect();
    all.join("; ")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
