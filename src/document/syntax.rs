//! Tells what is wrong with the form of a TOML text, each mistake once and without what only follows from it.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::Error;

use crate::problem::{Problems, Source};

/// What the reader says of a key that is there already.
pub const DUPLICATE_KEY: &str = "duplicate key";
/// How lines begin that a merge leaves.
const MERGE_MARKS: [&str; 3] = ["<<<<<<< ", "=======", ">>>>>>> "];

/// How the reader's messages begin, and the same in words for people, with what to do.
const WORDS: [(&str, &str, &str); 16] = [
    ("extra comma", "there is one comma too many", "leave it out"),
    ("extra ", "this does not belong here", "leave it out"),
    (
        "invalid basic string, expected `\"`",
        "this text has no end",
        "a `\"` behind it",
    ),
    (
        "invalid literal string, expected `'`",
        "this text has no end",
        "a `'` behind it",
    ),
    (
        "invalid basic string",
        "this character cannot stand here",
        "leave it out, or write it as `\\u0000` with its number",
    ),
    (
        "missing comma between array",
        "a comma is missing before this",
        "or a `]` that ends the list before it",
    ),
    ("unclosed array, ", "the list has no end", "a `]` behind it"),
    (
        "missing comma between key",
        "a comma is missing before this",
        "or a `}` that ends the table before it",
    ),
    (
        "missing key for inline table",
        "a key is missing here",
        "or a `}` that ends the table before it",
    ),
    (
        "unclosed inline table",
        "the table has no end",
        "a `}` behind it",
    ),
    (
        "unclosed table",
        "this header has no end",
        "a `]` behind it",
    ),
    (
        "unclosed array table",
        "this header has no end",
        "`]]` behind it",
    ),
    (
        "key with no value",
        "this is no key with a value",
        "`key = value`, or `[name]` for a header",
    ),
    (
        "carriage return must",
        "this line ends with a carriage return alone",
        "save the file with the line ends of Unix or of Windows",
    ),
    (
        "missing escaped value",
        "there is no such escape",
        "`\\\\` is a backslash; between `'` nothing is escaped",
    ),
    (
        "unexpected leading zero",
        "a number begins with another digit than 0",
        "a text stands in quotes",
    ),
];

/// The lines of a text that could not be read, as bytes. What stands there is no value, and nothing is told of it.
#[derive(Debug, Default)]
pub(super) struct Broken(Vec<Range<usize>>);

impl Broken {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of it is on a line that could not be read.
    pub(super) fn touches(&self, span: &Range<usize>) -> bool {
        let mut lines = self.0.iter();
        lines.any(|line| span.start < line.end && line.start < span.end.max(span.start + 1))
    }

    /// Whether a table may have had more keys: something behind it, before the next header, could not be read.
    pub(super) fn may_cut(&self, source: &Source, table: &Range<usize>) -> bool {
        self.0.iter().any(|line| {
            let between = source.text.get(table.end..line.start);
            line.start >= table.start && between.is_none_or(|text| !text.contains("\n["))
        })
    }
}

/// Tells the errors of a text's reader.
pub(super) fn tell(source: &Source, errors: &[Error], problems: &RefCell<Problems>) -> Broken {
    let faults = faults(source, errors);
    let unclosed = faults.iter().find_map(Fault::unclosed);
    let end = unclosed.and_then(|_| faults.iter().position(Fault::is_elsewhere));
    let (own, behind) = faults.split_at(end.unwrap_or(faults.len()));
    let mut broken = Broken::default();
    let mut before: Option<&Fault<'_>> = None;
    for fault in own {
        if !before.is_some_and(|before| fault.follows(before)) {
            let (message, hint) = fault.in_words();
            problems
                .borrow_mut()
                .error_hint(source, fault.span.clone(), message, hint);
        }
        if !fault.is_repeated() || fault.single_header().is_some() {
            broken.0.push(fault.line());
        }
        before = Some(fault);
    }
    // Behind a list or a table without an end nothing is what it seems.
    if let (Some((what, end)), Some(fault)) = (unclosed, behind.first()) {
        let line = fault.line();
        if !before.is_some_and(|before| fault.follows(before)) {
            let message = format!("the {what} before this has no end");
            let hint = format!("`{end}` somewhere before this line");
            let span = line.start..line.start + fault.line_text().len();
            problems
                .borrow_mut()
                .error_hint(source, span, message, hint);
        }
        broken.0.push(line.start..source.text.len() + 1);
    }
    broken
}

/// The errors in order, without those that a header that could not be read makes of good headers.
fn faults<'a>(source: &'a Source, errors: &'a [Error]) -> Vec<Fault<'a>> {
    let mut faults: Vec<Fault<'_>> = errors.iter().map(|e| Fault::new(source, e)).collect();
    faults.sort_by_key(|fault| fault.span.start);
    let is_only_repeated = faults.iter().all(Fault::is_repeated);
    faults.retain(|fault| is_only_repeated || !fault.is_repeated());
    let singles = faults.iter().filter_map(Fault::single_header);
    let singles: Vec<String> = singles.map(|name| format!("[[{name}]]")).collect();
    faults.retain(|fault| !singles.iter().any(|header| fault.line_text() == header));
    faults
}

/// One error of the reader.
struct Fault<'a> {
    source: &'a Source,
    span: Range<usize>,
    message: &'a str,
}

impl<'a> Fault<'a> {
    fn new(source: &'a Source, error: &'a Error) -> Fault<'a> {
        let mut span = error.span().unwrap_or(0..0);
        while !source.text.is_char_boundary(span.start) {
            span.start -= 1;
        }
        let message = error.message();
        Fault {
            source,
            span,
            message: message
                .strip_suffix(", expected nothing")
                .unwrap_or(message),
        }
    }

    fn is_repeated(&self) -> bool {
        self.message == DUPLICATE_KEY
    }

    /// What has no end, and the end that it lacks, where this is the error that says so.
    fn unclosed(&self) -> Option<(&'static str, char)> {
        let begins = |begin| self.message.starts_with(begin);
        if begins("unclosed array, ") {
            return Some(("list", ']'));
        }
        begins("unclosed inline table").then_some(("table", '}'))
    }

    /// Whether it is about a header or a key at the beginning of a line.
    fn is_elsewhere(&self) -> bool {
        let line = self.line();
        let text = self.source.text.get(line.clone()).unwrap_or_default();
        if text.starts_with('[') {
            return true;
        }
        let key = text.split('=').next().unwrap_or_default().trim_end();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let is_key = key.len() < text.trim_end().len() && key.chars().all(is_name);
        is_key && self.span.start < line.start + key.len()
    }

    /// The bytes of its whole line.
    fn line(&self) -> Range<usize> {
        let text = &self.source.text;
        let start = text[..self.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[self.span.start..].find('\n');
        start..end.map_or(text.len(), |at| self.span.start + at) + 1
    }

    /// Whether it only comes of another: nothing but good lines lies between two mistakes.
    fn follows(&self, before: &Fault<'_>) -> bool {
        let text = &self.source.text;
        let between = text.get(before.line().end..self.line().start);
        if before.is_repeated() && before.line_text().starts_with('[') {
            return between.is_none_or(|text| !text.starts_with('[') && !text.contains("\n["));
        }
        between.is_none_or(|text| text.trim().is_empty())
    }

    fn line_text(&self) -> &'a str {
        self.source.text.get(self.line()).unwrap_or_default().trim()
    }

    /// The name in `[name]`, where `[[name]]` stands elsewhere.
    fn single_header(&self) -> Option<&'a str> {
        let name = self.line_text().strip_prefix('[')?.strip_suffix(']')?;
        let listed = self.source.text.contains(&format!("[[{name}]]"));
        (listed && !name.starts_with('[')).then_some(name)
    }

    /// What is wrong and what to do about it.
    fn in_words(&self) -> (String, String) {
        let message = self.message;
        let begins = |begin: &str| message.starts_with(begin);
        if MERGE_MARKS
            .iter()
            .any(|mark| self.line_text().starts_with(mark))
        {
            return told("this is left from a merge", "keep one of the two sides");
        }
        if let Some(name) = self.single_header().filter(|_| self.is_repeated()) {
            let message = format!("`[{name}]` stands beside `[[{name}]]`");
            return told(&message, &format!("`[[{name}]]` begins each of them"));
        }
        if self.is_repeated() {
            let line = self.line_text();
            let is_header = line.starts_with('[') && !line.starts_with("[[") && !line.contains('.');
            let hint = match is_header {
                true => "put both together; only lists such as `[[rule]]` stand several times"
                    .to_owned(),
                false => "a key stands once: one of the two must go".to_owned(),
            };
            return told(DUPLICATE_KEY, &hint);
        }
        if begins("string values must be quoted")
            || begins("invalid float")
            || begins("invalid boolean")
        {
            return self.unquoted();
        }
        if begins("invalid unquoted key") && self.text() == ":" {
            return told(
                "this is no key with a value",
                "`key = value`, with `=` instead of `:`",
            );
        }
        if begins("invalid date") || begins("invalid time") {
            return told(message, "such as `2026-01-31` or `2026-01-31T09:00:00Z`");
        }
        match WORDS.iter().find(|(begin, _, _)| begins(begin)) {
            Some((_, message, hint)) => told(message, hint),
            None => (
                message.replace('\n', ", "),
                "TOML does not have this here".to_owned(),
            ),
        }
    }

    fn text(&self) -> &'a str {
        self.source.text.get(self.span.clone()).unwrap_or_default()
    }

    /// A word where a value should be.
    fn unquoted(&self) -> (String, String) {
        let word = self.text();
        let plain = word.trim_matches(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']);
        match word.to_lowercase().as_str() {
            "" => told(
                "a value is missing here",
                "such as a text in quotes or a number",
            ),
            "true" | "yes" | "on" => told("this is no value", "`true`"),
            "false" | "no" | "off" => told("this is no value", "`false`"),
            _ if plain != word => told(
                "the quotes of a text are straight",
                &format!("`\"{plain}\"`"),
            ),
            words if words.contains(' ') => told(
                "this is no value",
                "a text in quotes, or a comma before what follows",
            ),
            _ => told("a text must be in quotes", &format!("`\"{plain}\"`")),
        }
    }
}

fn told(message: &str, hint: &str) -> (String, String) {
    (message.to_owned(), hint.to_owned())
}
