//! Texts with slots in braces, and trees of them, as vendor definitions write requests.

use serde_json::{Map, Number, Value as Json};
use toml::de::DeValue;

use crate::document::Value;
use crate::problem::did_you_mean;

/// What a slot is filled with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The number, as E.164 with `+`.
    To,
    /// The sender.
    From,
    /// The text, rendered, with the passcode in it.
    Text,
    /// The passcode alone.
    Code,
    /// Our name for this attempt.
    Reference,
    /// What is left of the passcode's life, in the unit and range that the operation states.
    Validity,
    /// The word that the operation states for the text's encoding.
    Encoding,
    /// One of the account's credentials.
    Credential(String),
    /// A message id, in the simulator's answers.
    Id,
    /// An error code, in the simulator's answers.
    Error,
}

/// Where a template stands decides which slots it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a request.
    Request,
    /// In an answer of the simulator.
    Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Plain,
    /// Without a leading `+`.
    Digits,
    /// Escaped for XML text.
    Xml,
    /// A JSON number rather than a string.
    Number,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Words(String),
    Slot {
        slot: Slot,
        filter: Filter,
        optional: bool,
    },
}

/// A text with slots.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Piece>);

/// A JSON-like tree whose texts are templates.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    Text(Template),
    Whole(i64),
    Flag(bool),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

/// A slot that had to be filled and could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfilled(pub Slot);

/// Fills slots; `None` for a value that is not there.
pub(crate) type Fill<'a> = dyn Fn(&Slot) -> Option<String> + 'a;

const NAMES: [(&str, Slot, Place); 9] = [
    ("to", Slot::To, Place::Request),
    ("from", Slot::From, Place::Request),
    ("text", Slot::Text, Place::Request),
    ("code", Slot::Code, Place::Request),
    ("reference", Slot::Reference, Place::Request),
    ("validity", Slot::Validity, Place::Request),
    ("encoding", Slot::Encoding, Place::Request),
    ("id", Slot::Id, Place::Answer),
    ("error", Slot::Error, Place::Answer),
];

impl Template {
    /// Reads `text {slot} {slot|filter} {slot?}`.
    ///
    /// # Errors
    /// With what is wrong, and a hint.
    pub(crate) fn parse(text: &str, place: Place) -> Result<Template, (String, Option<String>)> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once('{') {
            let Some((inside, after)) = after.split_once('}') else {
                return Err(("a `{` without its `}`".to_owned(), None));
            };
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            pieces.push(slot(inside, place)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Template(pieces))
    }

    /// The text with every slot filled; `Ok(None)` when an optional one has no value.
    ///
    /// # Errors
    /// When a slot that is not optional has none.
    pub fn fill(&self, fill: &Fill<'_>) -> Result<Option<String>, Unfilled> {
        let mut text = String::new();
        for piece in &self.0 {
            let (slot, filter, optional) = match piece {
                Piece::Words(words) => {
                    text.push_str(words);
                    continue;
                }
                Piece::Slot {
                    slot,
                    filter,
                    optional,
                } => (slot, filter, *optional),
            };
            match fill(slot).filter(|v| !v.is_empty()) {
                Some(value) => text.push_str(&filter.apply(value)),
                None if optional => return Ok(None),
                None => return Err(Unfilled(slot.clone())),
            }
        }
        Ok(Some(text))
    }

    /// Every slot in it.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot { slot, .. } => Some(slot),
            Piece::Words(_) => None,
        })
    }

    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        self.0
            .iter()
            .any(|p| matches!(p, Piece::Slot { optional: true, .. }))
    }

    fn is_number(&self) -> bool {
        matches!(
            self.0.as_slice(),
            [Piece::Slot {
                filter: Filter::Number,
                ..
            }]
        )
    }
}

fn slot(inside: &str, place: Place) -> Result<Piece, (String, Option<String>)> {
    let (name, filter) = inside.split_once('|').unwrap_or((inside, ""));
    let (name, optional) = match name.strip_suffix('?') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let filter = match filter {
        "" => Filter::Plain,
        "digits" => Filter::Digits,
        "xml" => Filter::Xml,
        "number" => Filter::Number,
        other => {
            let hint = did_you_mean(other, ["digits", "xml", "number"]);
            return Err((format!("there is no filter `{other}`"), hint));
        }
    };
    let slot = match name.strip_prefix("credential.") {
        Some(credential) if place == Place::Request => Slot::Credential(credential.to_owned()),
        Some(_) | None => {
            let known = || NAMES.iter().filter(|(_, _, p)| *p == place);
            match known().find(|(known, _, _)| *known == name) {
                Some((_, slot, _)) => slot.clone(),
                None => {
                    let hint = did_you_mean(name, known().map(|(n, _, _)| *n));
                    return Err((format!("there is no slot `{{{name}}}` here"), hint));
                }
            }
        }
    };
    Ok(Piece::Slot {
        slot,
        filter,
        optional,
    })
}

impl Filter {
    fn apply(self, value: String) -> String {
        match self {
            Filter::Plain | Filter::Number => value,
            Filter::Digits => value.trim_start_matches('+').to_owned(),
            Filter::Xml => value
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;"),
        }
    }
}

impl Tree {
    /// Reads a TOML value; mistakes in its templates become problems.
    pub(crate) fn read(value: Value<'_>, place: Place) -> Option<Tree> {
        match value.raw() {
            DeValue::String(_) => read_template(value, place).map(Tree::Text),
            DeValue::Integer(_) => value.whole(i64::MIN, i64::MAX).map(Tree::Whole),
            DeValue::Boolean(flag) => Some(Tree::Flag(*flag)),
            DeValue::Array(_) => {
                let items = value.list()?.into_iter();
                Some(Tree::List(
                    items.filter_map(|v| Tree::read(v, place)).collect(),
                ))
            }
            DeValue::Table(_) => Some(Tree::Table(read_fields(value, place)?)),
            DeValue::Float(_) | DeValue::Datetime(_) => value.wrong("write it as a string", None),
        }
    }

    /// The tree as JSON; `Ok(None)` when all it holds is an optional slot without a value.
    ///
    /// # Errors
    /// When a slot that is not optional has no value.
    pub fn fill(&self, fill: &Fill<'_>) -> Result<Option<Json>, Unfilled> {
        Ok(Some(match self {
            Tree::Text(template) => {
                let Some(text) = template.fill(fill)? else {
                    return Ok(None);
                };
                let number = template.is_number().then(|| text.parse::<Number>().ok());
                number.flatten().map_or(Json::String(text), Json::Number)
            }
            Tree::Whole(number) => Json::from(*number),
            Tree::Flag(flag) => Json::from(*flag),
            Tree::List(items) => {
                let mut filled = Vec::with_capacity(items.len());
                for item in items {
                    filled.extend(item.fill(fill)?);
                }
                Json::Array(filled)
            }
            Tree::Table(fields) => {
                let mut filled = Map::new();
                for (name, tree) in fields {
                    if let Some(value) = tree.fill(fill)? {
                        filled.insert(name.clone(), value);
                    }
                }
                Json::Object(filled)
            }
        }))
    }

    /// Every template in it.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Tree::Text(template) => vec![template],
            Tree::Whole(_) | Tree::Flag(_) => Vec::new(),
            Tree::List(items) => items.iter().flat_map(Tree::templates).collect(),
            Tree::Table(fields) => fields.iter().flat_map(|(_, t)| t.templates()).collect(),
        }
    }

    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        match self {
            Tree::Text(template) => template.is_optional(),
            Tree::Whole(_) | Tree::Flag(_) | Tree::List(_) | Tree::Table(_) => false,
        }
    }
}

/// A template that is a string in the file.
pub(crate) fn read_template(value: Value<'_>, place: Place) -> Option<Template> {
    let text = value.string()?.value;
    match Template::parse(&text, place) {
        Ok(template) => Some(template),
        Err((message, hint)) => value.wrong(message, hint),
    }
}

/// The entries of a table, in the order they are written.
pub(crate) fn read_fields(value: Value<'_>, place: Place) -> Option<Vec<(String, Tree)>> {
    let entries = value.table()?.entries().into_iter();
    Some(
        entries
            .filter_map(|(name, v)| Some((name.value, Tree::read(v, place)?)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<Option<String>, Unfilled> {
        Template::parse(text, Place::Request)
            .unwrap()
            .fill(&|slot| match slot {
                Slot::To => Some("+6591234567".to_owned()),
                Slot::Text => Some("a<b & \"c\"".to_owned()),
                Slot::From
                | Slot::Code
                | Slot::Reference
                | Slot::Validity
                | Slot::Encoding
                | Slot::Credential(_)
                | Slot::Id
                | Slot::Error => None,
            })
    }

    #[test]
    fn slots_are_filled_through_their_filters() {
        assert_eq!(fill("x{to}y"), Ok(Some("x+6591234567y".to_owned())));
        assert_eq!(fill("{to|digits}"), Ok(Some("6591234567".to_owned())));
        let escaped = "<Say>a&lt;b &amp; &quot;c&quot;</Say>".to_owned();
        assert_eq!(fill("<Say>{text|xml}</Say>"), Ok(Some(escaped)));
    }

    #[test]
    fn an_optional_slot_leaves_the_whole_text_out_and_another_is_an_error() {
        assert_eq!(fill("a{from?}"), Ok(None));
        assert_eq!(fill("a{from}"), Err(Unfilled(Slot::From)));
    }

    #[test]
    fn mistakes_are_told_with_the_nearest_name() {
        let check = |text: &str, expected: &str| {
            let (message, hint) = Template::parse(text, Place::Request).unwrap_err();
            assert_eq!(format!("{message}; {}", hint.unwrap_or_default()), expected);
        };
        check(
            "{tex}",
            "there is no slot `{tex}` here; did you mean `text`?",
        );
        check(
            "{to|digit}",
            "there is no filter `digit`; did you mean `digits`?",
        );
        check("{to", "a `{` without its `}`; ");
        check("{id}", "there is no slot `{id}` here; ");
    }
}
