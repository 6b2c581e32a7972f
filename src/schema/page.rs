//! Makes a reference page of a description: one section for each table, with its keys and a tested example.

use crate::schema::kind::duration_text;
use crate::schema::{Absence, Key, Kind, Language, Needs, Table, Word};

/// The lists of words that are explained further up.
type Told = Vec<Vec<Word>>;

pub(super) fn reference(language: Language) -> String {
    let root = language.root();
    let mut tables: Vec<&Table> = Vec::new();
    gather(&root, &mut tables);
    let mut page = format!("# {}\n\n{}\n", language.title(), language.opening());
    page.push_str(&format!(
        "\nThis page is made by `trunkline schema {} --format markdown`; editors complete and check the same with the schema that \
         the first line of a file names. A value is written as TOML has it: text and durations (`\"600ms\"`, `\"20s\"`, `\"30d\"`) \
         in quotes.\n",
        language.as_str()
    ));
    let mut told = Told::new();
    for table in tables {
        page.push_str(&section(table, &mut told));
    }
    page
}

/// Every table once, in the order in which keys name them.
fn gather<'t>(table: &'t Table, tables: &mut Vec<&'t Table>) {
    if tables.iter().any(|known| known.id == table.id) {
        return;
    }
    tables.push(table);
    let kinds = table.keys.iter().map(|key| &key.kind);
    let others = table.others.iter().map(|(_, kind)| &**kind);
    for inner in kinds.chain(others).flat_map(Kind::tables) {
        gather(inner, tables);
    }
}

fn section(table: &Table, told: &mut Told) -> String {
    let mut text = format!("\n## {}\n\n{}\n", heading(table), table.about);
    for need in &table.needs {
        text.push_str(&format!("{}\n", needed(need)));
    }
    text.push_str("\n| key | value | without it | |\n|---|---|---|---|\n");
    for key in &table.keys {
        text.push_str(&row(key, told));
    }
    if let Some((called, kind)) = &table.others {
        text.push_str(&format!("| *{called}* | {} | | |\n", value(kind)));
    }
    let example = table.example.trim();
    if !example.is_empty() {
        text.push_str(&format!("\n```toml\n{example}\n```\n"));
    }
    text
}

/// What is written in brackets is code.
fn heading(table: &Table) -> String {
    match table.heading.starts_with('[') {
        true => format!("`{}`", table.heading),
        false => table.heading.to_owned(),
    }
}

fn needed(need: &Needs) -> String {
    match need {
        Needs::OneOf(keys) => format!("One of {}, and only one.", listed(keys, "or")),
        Needs::AnyOf(keys) => format!("At least one of {}.", listed(keys, "or")),
        Needs::Both(a, b) => format!("Both `{a}` and `{b}`, or neither."),
    }
}

fn listed(names: &[&str], joint: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {joint} {last}", rest.join(", ")),
        Some(_) | None => quoted.concat(),
    }
}

fn row(key: &Key, told: &mut Told) -> String {
    let absence = match key.absence {
        Absence::Wrong => "**needed**".to_owned(),
        Absence::Told => String::new(),
        Absence::Same(value) => format!("`{value}`"),
        Absence::Means(words) => words.to_owned(),
    };
    let mut about = key.about.to_owned();
    let words = words_of(&key.kind);
    if !told.contains(&words) {
        for word in &words {
            about.push_str(&format!("<br>`{}`: {}", word.word, word.about));
        }
        told.push(words);
    }
    let cells = [value(&key.kind), absence, about].map(|cell| cell.replace('|', "\\|"));
    format!("| `{}` | {} |\n", key.name, cells.join(" | "))
}

/// The words that need telling.
fn words_of(kind: &Kind) -> Vec<Word> {
    match kind {
        Kind::Words(words) if words.len() > 1 || words.iter().any(|w| w.word == "p95") => {
            let told = words.iter().filter(|word| !word.about.is_empty());
            told.copied().collect()
        }
        Kind::Some { of, .. } | Kind::List { of, .. } => words_of(of),
        Kind::Any(kinds) => kinds.iter().flat_map(words_of).collect(),
        _ => Vec::new(),
    }
}

fn value(kind: &Kind) -> String {
    match kind {
        Kind::Text { what, .. } => (*what).to_owned(),
        Kind::Form(form) => match form.examples.first() {
            Some(example) => format!("{}: `\"{example}\"`", form.what),
            None => form.what.to_owned(),
        },
        Kind::Words(words) => one_of(words),
        Kind::Flag => "`true`, `false`".to_owned(),
        Kind::Plain => "text or number".to_owned(),
        Kind::Whole { least, most } => whole(*least, *most),
        Kind::Number { least, most } => format!("number, {least} to {most}"),
        Kind::Duration { least, most } => {
            let (least, most) = (duration_text(*least), duration_text(*most));
            format!("duration, {least} to {most}")
        }
        Kind::Some { of, .. } => format!("{}; or a list", value(of)),
        Kind::List { of, .. } => format!("list of: {}", value(of)),
        Kind::Any(kinds) => {
            let all: Vec<String> = kinds.iter().map(value).collect();
            all.join("; or ")
        }
        Kind::Table(table) => format!("table: {}", link(table)),
        Kind::Tables(table) => format!("tables: {}", link(table)),
        Kind::Named(called, of) => format!("table: *{called}* = {}", value(of)),
        Kind::Tree { text, .. } => format!("{}, number, `true`, `false`, list or table", text.what),
    }
}

fn one_of(words: &[Word]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`\"{}\"`", w.word)).collect();
    quoted.join(", ")
}

fn whole(least: i64, most: i64) -> String {
    match (least, most) {
        (i64::MIN, i64::MAX) => "whole number".to_owned(),
        (least, i64::MAX) => format!("whole number from {least}"),
        (least, most) => format!("whole number, {least} to {most}"),
    }
}

/// A link to a table's section, as Markdown readers name it.
fn link(table: &Table) -> String {
    let name = heading(table);
    let anchor: String = table
        .heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect();
    format!("[{name}](#{anchor})")
}
