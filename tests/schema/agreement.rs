//! Writes files from the description, right ones and wrong ones, and holds the readers' answers to it.

use std::collections::BTreeSet;

use jsonschema::Validator;
use trunkline::problem::Problem;
use trunkline::schema::{Absence, Key, Kind, Language, Needs, Table};

use crate::reading::{complaints, errors, json, validator};

/// No key and no word is near it.
const STRANGE: &str = "zzzzzzzzzzzz";
/// Values of every type, some of which are wrong for any key.
const CANDIDATES: [&str; 20] = [
    "7",
    "-1",
    "999999999",
    "1.5",
    "true",
    "2026-01-31",
    "\"? ?\"",
    "\"\"",
    "\"{\"",
    "\"{zzz}\"",
    "\"1\"",
    "\"/\"",
    "\"7/m\"",
    "[]",
    "[7]",
    "[1.5]",
    "[\"? ?\"]",
    "[{}]",
    "{}",
    "{ zzz = 1.5 }",
];

/// The keys of a table and their values, as TOML.
type Fields = Vec<(String, String)>;

/// Places the fields of a table in a file.
type File<'a> = &'a dyn Fn(Fields) -> String;

struct Comparison {
    language: Language,
    validator: Validator,
    /// Tables and trees that were compared.
    seen: BTreeSet<&'static str>,
    differences: Vec<String>,
}

#[test]
fn the_readers_and_the_description_agree() {
    let mut all = Vec::new();
    for language in Language::ALL {
        let mut comparison = Comparison {
            language,
            validator: validator(language),
            seen: BTreeSet::new(),
            differences: Vec::new(),
        };
        let file = |fields: Fields| {
            let lines = fields
                .iter()
                .map(|(key, value)| format!("{key} = {value}\n"));
            lines.collect()
        };
        comparison.table(&language.root(), &[], &file);
        let told = comparison.differences.into_iter();
        all.extend(told.map(|d| format!("{}: {d}", language.as_str())));
    }
    assert!(all.is_empty(), "readers and `src/schema/` differ: {all:#?}");
}

impl Comparison {
    fn table(&mut self, table: &Table, siblings: &[&str], file: File<'_>) {
        if !self.seen.insert(table.id) {
            return;
        }
        let unread = self.keys(table, siblings, file);
        for key in &table.keys {
            let name = format!("{}.{}", table.id, key.name);
            if unread.contains(key.name) {
                self.differences.push(format!("`{name}` is not read"));
                continue;
            }
            self.value(&name, &key.kind, &|value| {
                file(fields(table, &[(key.name, value)], ""))
            });
            if key.absence == Absence::Wrong {
                let base = file(fields(table, &[], ""));
                let without = file(fields(table, &[], key.name));
                if new_errors(self.language, &base, &without).is_empty() {
                    let difference = format!("`{name}` may be left out");
                    self.differences.push(difference);
                }
            }
        }
        if let Some((called, kind)) = &table.others {
            let other = if *called == "COUNTRY" { "US" } else { "x" };
            let name = format!("{}.{called}", table.id);
            self.value(&name, kind, &|value| {
                file(fields(table, &[(other, value)], ""))
            });
        }
    }

    /// Holds the keys that the reader knows to those of the description, and gives those that it does not know.
    fn keys(&mut self, table: &Table, siblings: &[&str], file: File<'_>) -> BTreeSet<&'static str> {
        let strange = file(fields(table, &[(STRANGE, "1.5")], ""));
        let told = new_errors(self.language, &file(fields(table, &[], "")), &strange);
        if told.is_empty() {
            let difference = format!("`{}` takes any key", table.id);
            self.differences.push(difference);
        }
        if complaints(&self.validator, &strange).is_empty() {
            let difference = format!("the schema of `{}` takes any key", table.id);
            self.differences.push(difference);
        }
        let described = table.keys.iter().map(|key| key.name);
        let described: BTreeSet<&str> = described.chain(siblings.iter().copied()).collect();
        let Some(known) = told.iter().find_map(|p| listed(p, "known here: ")) else {
            return BTreeSet::new();
        };
        for key in known.iter().filter(|key| !described.contains(&***key)) {
            let difference = format!("`{}.{key}` is read and not described", table.id);
            self.differences.push(difference);
        }
        let unread = table.keys.iter().map(|key| key.name);
        unread.filter(|key| !known.contains(*key)).collect()
    }

    fn value(&mut self, name: &str, kind: &Kind, with: &dyn Fn(&str) -> String) {
        let base = with(&sample(kind));
        if tree(kind).is_some_and(|id| !self.seen.insert(id)) {
            return;
        }
        for good in samples(kind) {
            let told = self.told_of(&good, &base, with);
            let complaints = complaints(&self.validator, &with(&good));
            if let Some(told) = told.first() {
                let difference = format!("`{name} = {good}` is refused: {}", told.message);
                self.differences.push(difference);
            }
            if !complaints.is_empty() {
                let difference =
                    format!("`{name} = {good}` is refused by the schema: {complaints:?}");
                self.differences.push(difference);
            }
        }
        let wrong = CANDIDATES.map(str::to_owned).into_iter();
        let wrong = wrong.chain(beyond(kind));
        let wrong = wrong.filter(|value| !self.validator.is_valid(&json(&with(value))));
        let wrong: Vec<String> = wrong.chain(beyond_durations(kind)).collect();
        let read = wrong
            .iter()
            .filter(|value| new_errors(self.language, &base, &with(value)).is_empty());
        let read: Vec<String> = read.cloned().collect();
        if !read.is_empty() {
            let all = read.len() == wrong.len();
            let which = if all {
                "anything".to_owned()
            } else {
                read.join(" or ")
            };
            let difference = format!("`{name}` may be {which}");
            self.differences.push(difference);
        }
        self.words(name, kind, with);
        self.nested(kind, with);
    }

    /// What is told of this value itself, not of what it means for others.
    fn told_of(&self, value: &str, base: &str, with: &dyn Fn(&str) -> String) -> Vec<Problem> {
        let from = with("@").find('@').expect("the value's place");
        let to = from + value.len();
        let told = new_errors(self.language, base, &with(value)).into_iter();
        told.filter(|problem| {
            let span = problem.place.as_ref().map(|(_, span)| span.clone());
            span.is_none_or(|span| span.start < to && from < span.end)
        })
        .collect()
    }

    fn nested(&mut self, kind: &Kind, with: &dyn Fn(&str) -> String) {
        let tables = nested(kind, "@");
        // What tells alternatives apart is looked for in each of them.
        let siblings: Vec<&str> = match schemes(kind) {
            Some(_) => Vec::new(),
            None => tables
                .iter()
                .flat_map(|(table, _)| table.keys.iter().map(|key| key.name))
                .collect(),
        };
        for (inner, shape) in &tables {
            let file = |fields| with(&shape.replace('@', &inline(&fields)));
            self.table(inner, &siblings, &file);
        }
    }

    /// Each word of a closed list is one that the reader knows, and there are no others.
    fn words(&mut self, name: &str, kind: &Kind, with: &dyn Fn(&str) -> String) {
        let (described, strange) = match schemes(kind) {
            Some(schemes) => (schemes, format!("{{ scheme = \"{STRANGE}\" }}")),
            None => match words(kind) {
                Some(words) if words.len() > 1 => (words, format!("\"{STRANGE}\"")),
                Some(_) | None => return,
            },
        };
        let told = new_errors(self.language, &with(&sample(kind)), &with(&strange));
        let known = told.iter().find_map(|p| listed(p, "one of "));
        let described: BTreeSet<String> = described.into_iter().map(str::to_owned).collect();
        if known.as_ref() != Some(&described) {
            let difference = format!("the words of `{name}` are {known:?}");
            self.differences.push(difference);
        }
    }
}

/// The errors that a file has and another has not.
fn new_errors(language: Language, base: &str, text: &str) -> Vec<Problem> {
    let known: Vec<String> = errors(language, base)
        .into_iter()
        .map(|p| p.message)
        .collect();
    let errors = errors(language, text).into_iter();
    errors.filter(|p| !known.contains(&p.message)).collect()
}

/// The names in a hint.
fn listed(problem: &Problem, beginning: &str) -> Option<BTreeSet<String>> {
    let list = problem.hint.as_ref()?.strip_prefix(beginning)?;
    let names = list
        .split(", ")
        .map(|name| name.trim_matches('`').to_owned());
    Some(names.collect())
}

/// The least that a table needs, with some values given, and without one key.
fn fields(table: &Table, given: &[(&str, &str)], without: &str) -> Fields {
    let is_given = |name: &str| given.iter().any(|(known, _)| *known == name);
    let mut needed: Vec<&str> = table
        .keys
        .iter()
        .filter(|k| k.absence == Absence::Wrong)
        .map(|k| k.name)
        .collect();
    for need in &table.needs {
        match need {
            Needs::OneOf(keys) | Needs::AnyOf(keys) => {
                needed.extend(
                    keys.first()
                        .filter(|_| !keys.iter().any(|key| is_given(key))),
                );
            }
            Needs::Both(a, b) if is_given(a) || is_given(b) => needed.extend([a, b]),
            Needs::Both(..) => {}
        }
    }
    // Templates name it.
    if table.id == "definition" {
        needed.push("credentials");
    }
    // What it is, a request that has `{validity}` must say.
    if ["operation", "call"].contains(&table.id) {
        needed.push("validity");
    }
    let key = |name: &str| -> Option<&Key> { table.keys.iter().find(|k| k.name == name) };
    let rest = needed
        .into_iter()
        .filter(|name| !is_given(name) && *name != without);
    let rest = rest.filter_map(|name| Some((name.to_owned(), sample(&key(name)?.kind))));
    let given = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    given.chain(rest).collect()
}

fn inline(fields: &Fields) -> String {
    let all: Vec<String> = fields
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("{{ {} }}", all.join(", "))
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// A value that is right, as far as its form tells.
fn sample(kind: &Kind) -> String {
    match kind {
        Kind::Text { .. } => quoted("x"),
        Kind::Table(table) if table.id == "credentials" => {
            "{ NAME = { example = \"x\" } }".to_owned()
        }
        Kind::Table(table) => inline(&fields(table, &[], "")),
        Kind::Tables(table) => format!("[{}]", inline(&fields(table, &[], ""))),
        Kind::Named(_, of) => format!("{{ x = {} }}", sample(of)),
        Kind::List { of, .. } => format!("[{}]", sample(of)),
        Kind::Some { of, .. } => sample(of),
        Kind::Any(kinds) => sample(&kinds[0]),
        Kind::Tree { .. } => quoted("x"),
        Kind::Form(_)
        | Kind::Words(_)
        | Kind::Flag
        | Kind::Plain
        | Kind::Whole { .. }
        | Kind::Number { .. }
        | Kind::Duration { .. } => samples(kind).swap_remove(0),
    }
}

/// Values that are right, whatever else is in the file.
fn samples(kind: &Kind) -> Vec<String> {
    match kind {
        // Nothing has the name `x`, which is told of every value alike.
        Kind::Text { offers, .. } => offers.iter().copied().chain(["x"]).map(quoted).collect(),
        Kind::Form(form) => form.examples.iter().map(|e| quoted(e)).collect(),
        Kind::Words(words) => words.iter().map(|w| quoted(w.word)).collect(),
        Kind::Plain => ["'x'", "1", "true"].map(str::to_owned).to_vec(),
        Kind::Flag => vec!["true".to_owned(), "false".to_owned()],
        Kind::Whole { least, most } => [*least, *most]
            .into_iter()
            .filter(|n| ![i64::MIN, i64::MAX].contains(n))
            .chain((*least == i64::MIN).then_some(0))
            .map(|n| n.to_string())
            .collect(),
        Kind::Number { least, most } => vec![format!("{least:.1}"), format!("{most:.1}")],
        Kind::Duration { least, most } => vec![format!("'{least}ms'"), format!("'{most}ms'")],
        Kind::Some { of, least } => {
            let one = samples(of);
            let mut lists: Vec<String> = one.iter().map(|s| format!("[{s}]")).collect();
            if *least == 0 {
                lists.push("[]".to_owned());
            }
            [one, lists].concat()
        }
        Kind::List { of, .. } => samples(of).iter().map(|s| format!("[{s}]")).collect(),
        Kind::Any(kinds) => kinds.iter().flat_map(samples).collect(),
        Kind::Named(_, of) => samples(of)
            .iter()
            .map(|s| format!("{{ x = {s} }}"))
            .collect(),
        Kind::Tree { text, .. } => {
            let texts = text.examples.iter().map(|e| quoted(e));
            let others = ["1", "true", "[1, 'x']", "{ x = { y = 'x' } }"].map(str::to_owned);
            let inside = others.into_iter().chain(texts);
            inside.collect()
        }
        Kind::Table(_) | Kind::Tables(_) => Vec::new(),
    }
}

/// Numbers just out of range.
fn beyond(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Whole { least, most } => {
            let out = [least.checked_sub(1), most.checked_add(1)];
            out.into_iter().flatten().map(|n| n.to_string()).collect()
        }
        Kind::Number { least, most } => {
            vec![format!("{:.1}", least - 1.0), format!("{:.1}", most + 1.0)]
        }
        Kind::Some { of, .. } => beyond(of),
        Kind::Any(kinds) => kinds.iter().flat_map(beyond).collect(),
        _ => Vec::new(),
    }
}

/// Durations just out of range, which a schema cannot tell.
fn beyond_durations(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Duration { least, most } => {
            let less = (*least > 0).then(|| format!("'{}ms'", least - 1));
            less.into_iter()
                .chain([format!("'{}ms'", most + 1)])
                .collect()
        }
        Kind::Any(kinds) => kinds.iter().flat_map(beyond_durations).collect(),
        _ => Vec::new(),
    }
}

fn words(kind: &Kind) -> Option<Vec<&'static str>> {
    match kind {
        Kind::Words(words) => Some(words.iter().map(|w| w.word).collect()),
        Kind::Some { of, .. } => words(of),
        _ => None,
    }
}

fn tree(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Tree { id, .. } => Some(id),
        Kind::Named(_, of) => tree(of),
        _ => None,
    }
}

/// The words by which tables are told apart.
fn schemes(kind: &Kind) -> Option<Vec<&'static str>> {
    let Kind::Any(kinds) = kind else { return None };
    let scheme = |kind: &Kind| {
        let Kind::Table(table) = kind else {
            return None;
        };
        let scheme = table.keys.iter().find(|key| key.name == "scheme")?;
        words(&scheme.kind)
    };
    let all: Option<Vec<_>> = kinds.iter().map(scheme).collect();
    Some(all?.concat())
}

/// The tables in a value, each with the value around it; `@` is where it stands.
fn nested<'k>(kind: &'k Kind, shape: &str) -> Vec<(&'k Table, String)> {
    match kind {
        Kind::Table(table) => vec![(table, shape.to_owned())],
        Kind::Tables(table) => vec![(table, shape.replace('@', "[@]"))],
        Kind::List { of, .. } => nested(of, &shape.replace('@', "[@]")),
        Kind::Named(_, of) => nested(of, &shape.replace('@', "{ x = @ }")),
        Kind::Some { of, .. } => nested(of, shape),
        Kind::Any(kinds) => kinds.iter().flat_map(|kind| nested(kind, shape)).collect(),
        _ => Vec::new(),
    }
}
