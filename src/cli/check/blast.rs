//! Writes what a draft changes so that a reviewer reads it at a glance.

use crate::number::Country;
use crate::rules::{Change, Comparison, Declaration, Difference};

/// A longer text is cut.
const SHOWN_CHARS_MAX: usize = 160;
/// So many changes are told to people.
const CHANGES_SHOWN_MAX: usize = 500;
const NOT_ALL: &str = "NOT EVERYTHING WAS LOOKED AT";

/// One line for each change, the worst first, and how much stays as it is.
pub(super) fn in_words(compared: &Comparison) -> String {
    let changes = compared.changes.iter();
    let mut lines: Vec<String> = changes.take(CHANGES_SHOWN_MAX).map(line).collect();
    let more = compared.changes.len() - lines.len();
    if more > 0 {
        lines.push(format!(
            "and {more} changes more: `--format json` has them all"
        ));
    }
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
    let of_each = |what: &str, each: &[Difference]| {
        let each = each.iter();
        each.map(|one| format!("{what} {}", in_short(one)))
            .collect::<Vec<String>>()
    };
    lines.extend(of_each("quota", &compared.quotas));
    lines.extend(of_each("switch", &compared.switches));
    lines.extend(compared.unshown.iter().map(unshown));
    match (lines.is_empty(), compared.is_complete) {
        (true, true) => lines.push("nothing changes".to_owned()),
        (true, false) => lines.push(format!(
            "{NOT_ALL}: no change was found, and there may be some"
        )),
        (false, true) => {}
        (false, false) => lines.insert(0, format!("{NOT_ALL}: MORE MAY CHANGE THAN IS TOLD HERE")),
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

/// What differs in the files, and for no message that was looked at.
fn unshown(declaration: &Declaration) -> String {
    let Declaration {
        what,
        name,
        differences,
    } = declaration;
    let differences = all(differences);
    format!("{what} {name} is written differently, and no probe shows where: {differences}")
}

fn all(differences: &[Difference]) -> String {
    let all: Vec<String> = differences.iter().map(in_short).collect();
    all.join("; ")
}

fn in_short(difference: &Difference) -> String {
    let Difference {
        what,
        before,
        after,
    } = difference;
    format!("{what} {} -> {}", cut(before), cut(after))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
