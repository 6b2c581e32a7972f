//! Describes the languages that operators write, each key once: editors' schemas and the reference pages are made of it.
//!
//! The readers are in `rules`, `config` and `vendor`; `tests/schema.rs` holds them and this description to each other.

mod config;
mod json;
mod kind;
mod page;
mod reason;
mod rules;
mod vendor;

use serde_json::Value as Json;

pub use kind::{Form, Kind, Word};

/// One of the languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `routing-rules/*.toml`
    Rules,
    /// `trunkline.toml`
    Config,
    /// `vendors/*.toml`
    Vendor,
}

/// One TOML table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Unique in its language.
    pub id: &'static str,
    /// As it is written: `[chains.NAME]`.
    pub heading: &'static str,
    pub about: &'static str,
    pub keys: Vec<Key>,
    /// What stands for keys that people choose, and their values; without it other keys are mistakes.
    pub others: Option<(&'static str, Box<Kind>)>,
    pub needs: Vec<Needs>,
    /// A piece of a file that is right. All pieces of a language together are one.
    pub example: &'static str,
}

/// One key of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub absence: Absence,
    pub about: &'static str,
}

/// What it means that a key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It must be there.
    Wrong,
    /// What its description says.
    Told,
    /// The same as this value, written as TOML.
    Same(&'static str),
    /// What these words say.
    Means(&'static str),
}

/// What must hold among the keys of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// One of these, and only one.
    OneOf(&'static [&'static str]),
    /// One of these at least.
    AnyOf(&'static [&'static str]),
    /// Both of these, or neither.
    Both(&'static str, &'static str),
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 3] = [Language::Rules, Language::Config, Language::Vendor];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Rules => "rules",
            Language::Config => "config",
            Language::Vendor => "vendor",
        }
    }

    /// The whole file as a table.
    pub fn root(self) -> Table {
        match self {
            Language::Rules => rules::root(),
            Language::Config => config::root(),
            Language::Vendor => vendor::root(),
        }
    }

    /// The language as JSON Schema (draft 07).
    pub fn schema(self) -> Json {
        json::schema(self)
    }

    /// The reference page, as Markdown.
    pub fn reference(self) -> String {
        page::reference(self)
    }

    fn title(self) -> &'static str {
        match self {
            Language::Rules => "Routing rules",
            Language::Config => "Configuration",
            Language::Vendor => "Vendor definitions: reference",
        }
    }

    /// What the page says before its tables.
    fn opening(self) -> &'static str {
        match self {
            Language::Rules => rules::OPENING,
            Language::Config => config::OPENING,
            Language::Vendor => vendor::OPENING,
        }
    }
}

impl Table {
    fn new(id: &'static str, heading: &'static str, about: &'static str) -> Table {
        Table {
            id,
            heading,
            about,
            keys: Vec::new(),
            others: None,
            needs: Vec::new(),
            example: "",
        }
    }

    fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Table {
        self.keys.extend(keys);
        self
    }

    fn others(mut self, called: &'static str, kind: Kind) -> Table {
        self.others = Some((called, Box::new(kind)));
        self
    }

    fn needs(mut self, needs: Needs) -> Table {
        self.needs.push(needs);
        self
    }

    fn example(mut self, example: &'static str) -> Table {
        self.example = example;
        self
    }
}

impl Key {
    /// A key that may be left out.
    fn new(name: &'static str, kind: Kind, about: &'static str) -> Key {
        Key {
            name,
            kind,
            absence: Absence::Told,
            about,
        }
    }

    /// It must be there.
    fn required(self) -> Key {
        self.absent(Absence::Wrong)
    }

    /// Without it all is as with this value, written as TOML.
    fn or(self, value: &'static str) -> Key {
        self.absent(Absence::Same(value))
    }

    /// What it is without it, in words.
    fn or_else(self, words: &'static str) -> Key {
        self.absent(Absence::Means(words))
    }

    fn absent(self, absence: Absence) -> Key {
        Key { absence, ..self }
    }
}
