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
const WORDS: [(&str, &str, &str); 14] = [
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
    let mut faults: Vec<Fault<'_>> = errors.iter().map(|e| Fault::new(source, e)).collect();
    faults.sort_by_key(|fault| fault.span.start);
    let is_only_repeated = faults.iter().all(Fault::is_repeated);
    // A header that cannot be read makes the next ones look repeated.
    faults.retain(|fault| is_only_repeated || !fault.is_repeated());
    let mut broken = Broken::default();
    let unclosed = faults.iter().find_map(Fault::unclosed);
    let mut before: Option<&Fault<'_>> = None;
    for fault in &faults {
        if !before.is_some_and(|before| fault.follows(before)) {
            let (message, hint) = fault.in_words();
            let mut problems = problems.borrow_mut();
            match hint {
                Some(hint) => problems.error_hint(source, fault.span.clone(), message, hint),
                None => problems.error(source, fault.span.clone(), message),
            }
        }
        if unclosed.is_some_and(|inside| fault.message.contains(inside)) {
            let line = source.text[..fault.span.start].rfind('\n');
            broken
                .0
                .push(line.map_or(0, |at| at + 1)..source.text.len() + 1);
            break;
        }
        if !fault.is_repeated() || fault.single_header().is_some() {
            broken.0.push(fault.line());
        }
        before = Some(fault);
    }
    broken
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
        span.start = source.text.floor_char_boundary(span.start);
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

    /// What errors say that come of a list or a table without an end, where this is one.
    fn unclosed(&self) -> Option<&'static str> {
        let ends = [
            ("unclosed array, ", "array"),
            ("unclosed inline table", "key"),
        ];
        let found = ends
            .iter()
            .find(|(begin, _)| self.message.starts_with(begin));
        found.map(|(_, inside)| *inside)
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
    fn in_words(&self) -> (String, Option<String>) {
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
            let is_header = line.starts_with('[') && !line.contains('.');
            let hint = match is_header {
                true => format!(
                    "one of the two must go; where there may be several, each is `[{line}]`"
                ),
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
        match WORDS.iter().find(|(begin, _, _)| begins(begin)) {
            Some((_, message, hint)) => told(message, hint),
            None => (message.replace('\n', ", "), None),
        }
    }

    fn text(&self) -> &'a str {
        self.source.text.get(self.span.clone()).unwrap_or_default()
    }

    /// A word where a value should be.
    fn unquoted(&self) -> (String, Option<String>) {
        let word = self.text();
        let plain = word.trim_matches(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']);
        match word.to_lowercase().as_str() {
            "" => ("a value is missing here".to_owned(), None),
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

fn told(message: &str, hint: &str) -> (String, Option<String>) {
    (message.to_owned(), Some(hint.to_owned()))
}
