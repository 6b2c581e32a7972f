//! The kinds of values that keys have.

use crate::schema::Table;

/// The units of a duration, as a pattern.
const UNIT: &str = "(nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h\
                    |days?|d|weeks?|wks?|w|months?|M|years?|yrs?|y)";
const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";

/// What a key's value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Any text; `offers` are values that an editor may propose.
    Text {
        what: &'static str,
        offers: Vec<&'static str>,
        /// Whether a blank text is one.
        blank: bool,
    },
    /// A text of a certain form.
    Form(Form),
    /// One of these words.
    Words(Vec<Word>),
    /// `true` or `false`.
    Flag,
    /// A text, a whole number or a flag, told apart by nothing but their letters.
    Plain,
    /// A whole number in a range.
    Whole { least: i64, most: i64 },
    /// A number in a range.
    Number { least: f64, most: f64 },
    /// A duration in a range, in milliseconds.
    Duration { least: i64, most: i64 },
    /// One value or a list, which has so many at least.
    Some { of: Box<Kind>, least: usize },
    /// A list, which has so many at least.
    List { of: Box<Kind>, least: usize },
    /// Any of these.
    Any(Vec<Kind>),
    /// A table.
    Table(Table),
    /// A list of tables.
    Tables(Table),
    /// A table whose keys are names that people choose; the first is what stands for one.
    Named(&'static str, Box<Kind>),
    /// Any value, whose texts have a form; nested as deep as one likes.
    Tree { id: &'static str, text: Form },
}

/// A form of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub what: &'static str,
    /// A regular expression (ECMA 262).
    pub pattern: String,
    pub examples: Vec<&'static str>,
}

/// One word of a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    pub word: &'static str,
    /// What it means; empty where the word says it.
    pub about: &'static str,
}

impl Kind {
    pub(super) fn text(what: &'static str) -> Kind {
        Kind::Text {
            what,
            offers: Vec::new(),
            blank: true,
        }
    }

    /// A text that is not blank.
    pub(super) fn name(what: &'static str) -> Kind {
        Kind::offering(what, Vec::new())
    }

    pub(super) fn offering(what: &'static str, offers: Vec<&'static str>) -> Kind {
        Kind::Text {
            what,
            offers,
            blank: false,
        }
    }

    pub(super) fn form(
        what: &'static str,
        pattern: impl Into<String>,
        examples: &[&'static str],
    ) -> Kind {
        Kind::Form(Form::new(what, pattern, examples))
    }

    /// A BCP 47 tag.
    pub(super) fn language(examples: &[&'static str]) -> Kind {
        let pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$";
        Kind::form("language tag", pattern, examples)
    }

    /// Words, each with what it means.
    pub(super) fn words(words: &[(&'static str, &'static str)]) -> Kind {
        let words = words.iter();
        Kind::Words(words.map(|&(word, about)| Word { word, about }).collect())
    }

    /// Words that need no telling.
    pub(super) fn plain_words(words: impl IntoIterator<Item = &'static str>) -> Kind {
        let words = words.into_iter();
        Kind::Words(words.map(|word| Word { word, about: "" }).collect())
    }

    /// `least` and `most` are in milliseconds.
    pub(super) fn duration(least: i64, most: i64) -> Kind {
        Kind::Duration { least, most }
    }

    /// One or several of these, but not none.
    pub(super) fn some(self) -> Kind {
        let of = Box::new(self);
        Kind::Some { of, least: 1 }
    }

    /// One or several of these, or an empty list.
    pub(super) fn some_or_none(self) -> Kind {
        let of = Box::new(self);
        Kind::Some { of, least: 0 }
    }

    pub(super) fn list(self) -> Kind {
        let of = Box::new(self);
        Kind::List { of, least: 0 }
    }

    pub(super) fn list_of_some(self) -> Kind {
        let of = Box::new(self);
        Kind::List { of, least: 1 }
    }

    pub(super) fn named(called: &'static str, kind: Kind) -> Kind {
        Kind::Named(called, Box::new(kind))
    }

    /// `100/s`, `10/10m`.
    pub(super) fn count_per_time(what: &'static str, examples: &[&'static str]) -> Kind {
        let pattern = format!(
            r"^\s*[0-9]*[1-9][0-9]*\s*/\s*[0-9.]*\s*{UNIT}\s*([0-9]+(\.[0-9]+)?\s*{UNIT}\s*)*$"
        );
        Kind::form(what, pattern, examples)
    }

    /// A time with its offset.
    pub(super) fn time() -> Kind {
        let pattern = format!(r"^{DATE}[Tt ][^+-]*([Zz]|[+-][0-9].*)$");
        Kind::form("time with offset", pattern, &["2026-11-24T09:00:00Z"])
    }

    /// A date, or a time with its offset.
    pub(super) fn date_or_time() -> Kind {
        let pattern = format!(r"^{DATE}([Tt ][^+-]*([Zz]|[+-][0-9].*))?$");
        let examples = ["2026-01-31", "2026-01-31T09:00:00+01:00"];
        Kind::form("date, or time with offset", pattern, &examples)
    }

    /// The tables in it, however deep, outermost first.
    pub fn tables(&self) -> Vec<&Table> {
        match self {
            Kind::Table(table) | Kind::Tables(table) => vec![table],
            Kind::Named(_, of) | Kind::Some { of, .. } | Kind::List { of, .. } => of.tables(),
            Kind::Any(kinds) => kinds.iter().flat_map(Kind::tables).collect(),
            Kind::Text { .. }
            | Kind::Form(_)
            | Kind::Words(_)
            | Kind::Flag
            | Kind::Plain
            | Kind::Whole { .. }
            | Kind::Number { .. }
            | Kind::Duration { .. }
            | Kind::Tree { .. } => Vec::new(),
        }
    }
}

impl Form {
    pub(super) fn new(
        what: &'static str,
        pattern: impl Into<String>,
        examples: &[&'static str],
    ) -> Form {
        Form {
            what,
            pattern: pattern.into(),
            examples: examples.to_vec(),
        }
    }
}

/// What every duration looks like.
pub(super) fn duration_pattern() -> String {
    format!(r"^(0|\s*([0-9]+(\.[0-9]+)?\s*{UNIT}\s*)+)$")
}

/// A number of milliseconds as people write it.
pub(super) fn duration_text(ms: i64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let fit = units.into_iter().find(|(unit, _)| ms > 0 && ms % unit == 0);
    match fit {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    }
}
