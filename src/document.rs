//! Reads a TOML text into tables that remember where everything stood, and tells every mistake in it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problems, Source, did_you_mean};

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
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems
            .borrow_mut()
            .error(source, span, error.message().replace('\n', ", "));
    }
    let table = Table::new(source, problems, root.get_ref(), root.span());
    read(&table)
}

/// One table being read. Every key that nobody asked for is a problem when `finish` is called.
pub struct Table<'a> {
    source: &'a Source,
    problems: &'a RefCell<Problems>,
    table: &'a DeTable<'a>,
    /// Where the table stood.
    pub span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// One value being read.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    source: &'a Source,
    problems: &'a RefCell<Problems>,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Table<'a> {
    fn new(
        source: &'a Source,
        problems: &'a RefCell<Problems>,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Table<'a> {
        Table {
            source,
            problems,
            table,
            span,
            asked: RefCell::default(),
        }
    }

    /// The file this table is in.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// Adds an error at `span` of this file.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let mut problems = self.problems.borrow_mut();
        match hint {
            Some(hint) => problems.error_hint(self.source, span, message, hint),
            None => problems.error(self.source, span, message),
        }
    }

    /// Adds a warning at `span` of this file.
    pub fn warning(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.problems
            .borrow_mut()
            .warning(self.source, span, message, hint);
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
                self.error(self.span.clone(), format!("`{key}` is missing here"), None);
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

    /// Tells every key that nobody asked for, with the nearest known name as a hint.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if asked.contains(name) {
                continue;
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
            source: self.source,
            problems: self.problems,
            value,
        }
    }
}

impl<'a> Value<'a> {
    /// Where the value stood.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The file this value is in.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// Tells that this value is wrong, and is `None`, so that a reader can end with it.
    pub fn wrong<T>(&self, message: impl Into<String>, hint: Option<String>) -> Option<T> {
        self.wrong_at(self.span(), message, hint);
        None
    }

    /// Tells that a part of this value is wrong.
    pub fn wrong_at(&self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let mut problems = self.problems.borrow_mut();
        match hint {
            Some(hint) => problems.error_hint(self.source, span, message, hint),
            None => problems.error(self.source, span, message),
        }
    }

    /// The value as TOML has it, for readers that take any type.
    pub fn raw(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    /// A string and its place.
    pub fn string(self) -> Option<At<String>> {
        match self.raw().as_str() {
            Some(text) => Some(At {
                value: text.to_owned(),
                span: self.span(),
            }),
            None => self.expected("a string"),
        }
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Option<bool> {
        match self.raw().as_bool() {
            Some(value) => Some(value),
            None => self.expected("`true` or `false`"),
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
            Some(n) => self.wrong(format!("{n} is not from {least} to {most}"), None),
            None => self.expected("a whole number"),
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
            None => self.expected("a number"),
        }
    }

    /// A duration such as `"600ms"`, `"20s"`, `"30d"`, in milliseconds, from `least` to `most`.
    pub fn duration_ms(self, least: i64, most: i64) -> Option<i64> {
        let text = self.string()?;
        let hint = "a number and a unit: `600ms`, `20s`, `10m`, `30d`".to_owned();
        let Ok(duration) = humantime::parse_duration(&text.value) else {
            return self.wrong(format!("`{}` is not a duration", text.value), Some(hint));
        };
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        if (least..=most).contains(&ms) {
            return Some(ms);
        }
        self.wrong(
            format!("`{}` is out of range", text.value),
            Some(format!("from {least} ms to {most} ms")),
        )
    }

    /// A table.
    pub fn table(self) -> Option<Table<'a>> {
        match self.raw().as_table() {
            Some(table) => Some(Table::new(self.source, self.problems, table, self.span())),
            None => self.expected("a table"),
        }
    }

    /// An array's values.
    pub fn list(self) -> Option<Vec<Value<'a>>> {
        match self.raw().as_array() {
            Some(array) => Some(array.iter().map(|value| Value { value, ..self }).collect()),
            None => self.expected("a list"),
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
        self.expected("a string or a list of strings")
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

    fn expected<T>(self, what: &str) -> Option<T> {
        let found = self.raw().type_str();
        self.wrong(format!("expected {what}, found {found}"), None)
    }
}
