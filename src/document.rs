//! Reads a TOML text into tables that remember where everything stood, and tells every mistake in it.

mod syntax;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::document::syntax::Broken;
use crate::problem::{Problems, Source, did_you_mean, nearest};

pub use syntax::DUPLICATE_KEY;

/// A value and the bytes of the file it stood at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<T> At<T> {
    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> At<U> {
        At {
            value: f(self.value),
            span: self.span,
        }
    }
}

/// Reads `source` and hands its root table to `read`; syntax errors become problems, and what could be
/// read is read all the same.
pub fn read_document<R>(
    source: &Source,
    problems: &RefCell<Problems>,
    read: impl FnOnce(&Table<'_>) -> R,
) -> R {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let broken = syntax::tell(source, &errors, problems);
    let reading = Reading {
        source,
        problems,
        broken: &broken,
    };
    let table = Table::new(reading, root.get_ref(), root.span());
    read(&table)
}

/// What is read, and who is told.
#[derive(Clone, Copy)]
struct Reading<'a> {
    source: &'a Source,
    problems: &'a RefCell<Problems>,
    broken: &'a Broken,
}

impl Reading<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        if self.broken.touches(&span) {
            return;
        }
        let mut problems = self.problems.borrow_mut();
        match hint {
            Some(hint) => problems.error_hint(self.source, span, message, hint),
            None => problems.error(self.source, span, message),
        }
    }
}

/// One table being read. Every key that nobody asked for is a problem when `finish` is called.
pub struct Table<'a> {
    reading: Reading<'a>,
    table: &'a DeTable<'a>,
    /// Where the table stood.
    pub span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
    /// Keys that were told to be missing.
    missing: RefCell<BTreeSet<&'static str>>,
}

/// One value being read.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    reading: Reading<'a>,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Table<'a> {
    fn new(reading: Reading<'a>, table: &'a DeTable<'a>, span: Range<usize>) -> Table<'a> {
        Table {
            reading,
            table,
            span,
            asked: RefCell::default(),
            missing: RefCell::default(),
        }
    }

    /// Whether all of the file could be read.
    pub fn is_whole(&self) -> bool {
        self.reading.broken.is_empty()
    }

    /// How many errors were told so far, of this file and of others: whether there were new ones is to be seen by it.
    pub fn errors_told(&self) -> usize {
        self.reading.problems.borrow().errors()
    }

    /// The file this table is in.
    pub fn source(&self) -> &'a Source {
        self.reading.source
    }

    /// Adds an error at `span` of this file.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.reading.error(span, message, hint);
    }

    /// Adds a warning at `span` of this file.
    pub fn warning(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let Reading {
            source, problems, ..
        } = self.reading;
        problems.borrow_mut().warning(source, span, message, hint);
    }

    /// The value of `key`, when there is one.
    pub fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().insert(key);
        let value = self.table.get(key)?;
        Some(self.value(value))
    }

    /// Every key with its place and value, for tables whose keys are names that people choose.
    pub fn entries(&self) -> Vec<(At<String>, Value<'a>)> {
        let mut all: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| {
                let name = At {
                    value: key.get_ref().to_string(),
                    span: key.span(),
                };
                (name, self.value(value))
            })
            .collect();
        all.sort_by_key(|(name, _)| name.span.start);
        all
    }

    /// Reads `key` with `read`; absent or wrong is `None` (wrong is told).
    pub fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).and_then(read)
    }

    /// Reads `key` with `read`; its absence is a problem too.
    pub fn require<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(value) => read(value),
            None => {
                self.tell_missing(key, None);
                None
            }
        }
    }

    /// The array of tables under `key`; an absent one is empty.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        self.read(key, |v| v.list())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|v| v.table())
            .collect()
    }

    /// Tells that a key is not there, unless it may stand where the file cannot be read.
    pub fn tell_missing(&self, key: &'static str, hint: Option<String>) {
        let Reading { source, broken, .. } = self.reading;
        if !broken.may_cut(source, &self.span) {
            self.missing.borrow_mut().insert(key);
            self.error(self.span.clone(), missing(key), hint);
        }
    }

    /// Whether every key was asked for, and none may stand where the file cannot be read.
    pub fn is_understood(&self) -> bool {
        let Reading { source, broken, .. } = self.reading;
        let asked = self.asked.borrow();
        !broken.may_cut(source, &self.span)
            && self
                .table
                .keys()
                .all(|key| asked.contains::<str>(key.get_ref()))
    }

    /// Tells keys that stand here and belong elsewhere.
    pub fn misplaced(&self, keys: &[&'static str], hint: impl Fn(&str) -> String) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if let Some(known) = keys.iter().find(|known| **known == name)
                && self.asked.borrow_mut().insert(known)
            {
                let message = format!("`{name}` does not stand here");
                self.error(key.span(), message, Some(hint(name)));
            }
        }
    }

    /// Tells every key that nobody asked for, with the nearest known name as a hint. One that is near a
    /// missing key is told instead of it.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if asked.contains(name) {
                continue;
            }
            let missed = self.missing.borrow();
            if let Some(meant) = nearest(name, missed.iter().copied()) {
                let Reading {
                    source, problems, ..
                } = self.reading;
                let mut problems = problems.borrow_mut();
                problems.take_back(source, &self.span, &missing(meant));
            }
            let hint = did_you_mean(name, asked.iter().copied()).unwrap_or_else(|| {
                let known: Vec<_> = asked.iter().map(|k| format!("`{k}`")).collect();
                format!("known here: {}", known.join(", "))
            });
            self.error(key.span(), format!("unknown key `{name}`"), Some(hint));
        }
    }

    fn value(&self, value: &'a Spanned<DeValue<'a>>) -> Value<'a> {
        Value {
            reading: self.reading,
            value,
        }
    }
}

fn missing(key: &str) -> String {
    format!("`{key}` is missing here")
}

impl<'a> Value<'a> {
    /// Where the value stood.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The file this value is in.
    pub fn source(&self) -> &'a Source {
        self.reading.source
    }

    /// Tells that this value is wrong, and is `None`, so that a reader can end with it.
    pub fn wrong<T>(&self, message: impl Into<String>, hint: Option<String>) -> Option<T> {
        self.wrong_at(self.span(), message, hint);
        None
    }

    /// Tells that a part of this value is wrong.
    pub fn wrong_at(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.reading.error(span, message, hint);
    }

    /// The bytes of the file at which a part of this string stands; all of it where escapes make that unclear.
    pub fn part(&self, part: Range<usize>) -> Range<usize> {
        let span = self.span();
        let whole = self.source().text.get(span.clone()).unwrap_or_default();
        let quotes = if whole.starts_with("\"\"\"") || whole.starts_with("'''") {
            3
        } else {
            1
        };
        let inside = whole.get(quotes..whole.len().saturating_sub(quotes));
        if self.raw().as_str().is_none() || inside != self.raw().as_str() {
            return span;
        }
        let start = span.start + quotes;
        start + part.start..start + part.end
    }

    /// Whether it stands where the file cannot be read.
    fn is_broken(&self) -> bool {
        self.reading.broken.touches(&self.span())
    }

    /// The value as TOML has it, for readers that take any type.
    pub fn raw(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    /// A string and its place.
    pub fn string(self) -> Option<At<String>> {
        self.string_such_as(|text| format!("in quotes: `\"{text}\"`"))
    }

    /// A string and its place; `hint` says what to write instead of a number.
    pub fn string_such_as(self, hint: impl FnOnce(&str) -> String) -> Option<At<String>> {
        match self.raw().as_str() {
            Some(_) if self.is_broken() => None,
            Some(text) => Some(At {
                value: text.to_owned(),
                span: self.span(),
            }),
            None => {
                let is_plain = !self.raw().is_array() && !self.raw().is_table();
                let hint = is_plain.then(|| hint(self.text()));
                self.expected("a string", hint)
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Option<bool> {
        match self.raw().as_bool() {
            Some(value) => Some(value),
            None => self.expected("`true` or `false`", self.unquoted()),
        }
    }

    /// A whole number from `least` to `most`.
    pub fn whole(self, least: i64, most: i64) -> Option<i64> {
        let number = self
            .raw()
            .as_integer()
            .and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        match number {
            Some(n) if (least..=most).contains(&n) => Some(n),
            Some(n) if most == i64::MAX => self.wrong(format!("{n} is less than {least}"), None),
            Some(n) => self.wrong(format!("{n} is not from {least} to {most}"), None),
            None if self.raw().is_float() => {
                self.expected("a whole number", Some("without a fraction".to_owned()))
            }
            None => self.expected("a whole number", self.unquoted()),
        }
    }

    /// A number from `least` to `most`, with or without a fraction.
    pub fn number(self, least: f64, most: f64) -> Option<f64> {
        let raw = self.raw();
        let whole = raw.as_integer().and_then(|n| n.as_str().parse().ok());
        let number: Option<f64> = whole.or_else(|| raw.as_float()?.as_str().parse().ok());
        match number {
            Some(n) if (least..=most).contains(&n) => Some(n),
            Some(n) => self.wrong(format!("{n} is not from {least} to {most}"), None),
            None => self.expected("a number", self.unquoted()),
        }
    }

    /// A duration such as `"600ms"`, `"20s"`, `"30d"`, in milliseconds, from `least` to `most`.
    pub fn duration_ms(self, least: i64, most: i64) -> Option<i64> {
        let text = self.string_such_as(|n| format!("with its unit: `\"{n}s\"`, `\"{n}ms\"`"))?;
        let hint = "a number and a unit: `600ms`, `20s`, `10m`, `30d`".to_owned();
        let Ok(duration) = humantime::parse_duration(&text.value) else {
            return self.wrong(format!("`{}` is not a duration", text.value), Some(hint));
        };
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        if (least..=most).contains(&ms) {
            return Some(ms);
        }
        let mut hint = format!("from {} to {}", in_units(least), in_units(most));
        if text.value.contains('M') {
            hint.push_str("; `M` is a month, `m` is a minute");
        }
        self.wrong(format!("`{}` is out of range", text.value), Some(hint))
    }

    /// A table.
    pub fn table(self) -> Option<Table<'a>> {
        match self.raw().as_table() {
            Some(table) if !self.is_broken() => Some(Table::new(self.reading, table, self.span())),
            Some(_) => None,
            None => {
                let is_header = self.text().starts_with("[[");
                let hint = match is_header {
                    true => "a header in single brackets: `[...]`",
                    false => "`{ key = value }`",
                };
                self.expected("a table", Some(hint.to_owned()))
            }
        }
    }

    /// An array's values.
    pub fn list(self) -> Option<Vec<Value<'a>>> {
        match self.raw().as_array() {
            Some(_) if self.is_broken() => None,
            Some(array) => Some(array.iter().map(|value| Value { value, ..self }).collect()),
            None if self.text().starts_with('[') => {
                let hint = format!("a header in double brackets: `[{}]`", self.text());
                self.expected("a list", Some(hint))
            }
            None => {
                let listed = format!("in brackets: `[{}]`", self.text());
                let is_short = !self.text().contains('\n');
                self.expected("a list", is_short.then_some(listed))
            }
        }
    }

    /// A string, or a list of strings.
    pub fn strings(self) -> Option<Vec<At<String>>> {
        if self.raw().is_array() {
            let list = self.list()?;
            return Some(list.into_iter().filter_map(Value::string).collect());
        }
        if self.raw().is_str() {
            return self.string().map(|one| vec![one]);
        }
        self.expected("a string or a list of strings", None)
    }

    /// One of the given words.
    pub fn one_of<T: Copy>(self, words: &[(&str, T)]) -> Option<T> {
        let text = self.string()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*value);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let hint = did_you_mean(&text.value, words.iter().map(|(word, _)| *word))
            .unwrap_or_else(|| format!("one of {}", known.join(", ")));
        self.wrong(format!("`{}` is not known here", text.value), Some(hint))
    }

    fn expected<T>(self, what: &str, hint: Option<String>) -> Option<T> {
        let found = self.raw().type_str();
        self.wrong(format!("expected {what}, found {found}"), hint)
    }

    /// What stands in the file.
    fn text(&self) -> &'a str {
        let text = &self.source().text;
        text.get(self.span()).unwrap_or_default()
    }

    /// The hint that what stands in quotes should stand without.
    fn unquoted(&self) -> Option<String> {
        let text = self.raw().as_str()?;
        let text = text.trim_end_matches('%');
        let is_value = text == "true" || text == "false" || text.parse::<f64>().is_ok();
        is_value.then(|| format!("without quotes: `{text}`"))
    }
}

/// A time in the largest unit that fits: `15m`.
fn in_units(ms: i64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let fitting = units.iter().find(|(unit, _)| ms > 0 && ms % unit == 0);
    match fitting {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    }
}
