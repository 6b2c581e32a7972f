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
    /// Our address for this attempt's receipts.
    Callback,
    /// What is left of the passcode's life, in the unit and range that the operation states.
    Validity,
    /// The word that the operation states for the text's encoding.
    Encoding,
    /// The language the text is read in.
    Language(Form),
    /// What the text's template says beside it, by its name.
    Parameter(String),
    /// One of the account's credentials.
    Credential(String),
    /// A message id, in what the simulator says.
    Id,
    /// An error code, in what the simulator says.
    Error,
    /// A status, in the simulator's receipts.
    Status,
    /// What a handshake tells, in our reply.
    Token,
}

/// How a language is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// The whole tag: `de-DE`.
    Tag,
    /// The language alone: `de`.
    Primary,
}

/// Where a template stands decides which slots it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a request.
    Request,
    /// In an answer of the simulator.
    Answer,
    /// In a receipt of the simulator.
    Receipt,
    /// In our reply to a handshake.
    Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Plain,
    /// Without a leading `+`.
    Digits,
    /// Escaped for XML, for texts and attributes.
    Xml,
    /// Without `<` and `>`, for a text that may otherwise be taken for speech markup.
    Unmarked,
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

const NAMES: [(&str, Slot, &[Place]); 13] = [
    ("to", Slot::To, &[Place::Request, Place::Receipt]),
    ("from", Slot::From, &[Place::Request]),
    ("text", Slot::Text, &[Place::Request]),
    ("code", Slot::Code, &[Place::Request]),
    (
        "reference",
        Slot::Reference,
        &[Place::Request, Place::Receipt],
    ),
    ("callback", Slot::Callback, &[Place::Request]),
    ("validity", Slot::Validity, &[Place::Request]),
    ("encoding", Slot::Encoding, &[Place::Request]),
    ("language", Slot::Language(Form::Tag), &[Place::Request]),
    ("id", Slot::Id, &[Place::Answer, Place::Receipt]),
    ("error", Slot::Error, &[Place::Answer, Place::Receipt]),
    ("status", Slot::Status, &[Place::Receipt]),
    ("token", Slot::Token, &[Place::Reply]),
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

    /// Whether it cannot be filled without this slot.
    pub(crate) fn needs(&self, wanted: &Slot) -> bool {
        self.0.iter().any(
            |piece| matches!(piece, Piece::Slot { slot, optional: false, .. } if slot == wanted),
        )
    }

    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        self.0
            .iter()
            .any(|p| matches!(p, Piece::Slot { optional: true, .. }))
    }

    /// What a slot was filled with to give this text; `None` where that cannot be told.
    pub(crate) fn taken_from(&self, slot: &Slot, text: &str) -> Option<String> {
        let at = |p: &Piece| matches!(p, Piece::Slot { slot: s, .. } if s == slot);
        let at = self.0.iter().position(at)?;
        let words = |pieces: &[Piece]| -> Option<String> {
            let words = pieces.iter().map(|p| match p {
                Piece::Words(words) => Some(words.as_str()),
                Piece::Slot { .. } => None,
            });
            words.collect()
        };
        let (before, after) = (words(&self.0[..at])?, words(&self.0[at + 1..])?);
        let inside = text.strip_prefix(&*before)?.strip_suffix(&*after)?;
        Some(inside.to_owned())
    }

    fn has_slots(&self) -> bool {
        self.0.iter().any(|p| matches!(p, Piece::Slot { .. }))
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
    let slot = slot_named(name, place)?;
    let (slot, filter) = match (slot, filter) {
        (Slot::Language(_), "primary") => (Slot::Language(Form::Primary), Filter::Plain),
        (slot, filter) => (slot, filter_named(filter)?),
    };
    Ok(Piece::Slot {
        slot,
        filter,
        optional,
    })
}

fn slot_named(name: &str, place: Place) -> Result<Slot, (String, Option<String>)> {
    if place == Place::Request {
        if let Some(credential) = name.strip_prefix("credential.") {
            return Ok(Slot::Credential(credential.to_owned()));
        }
        if let Some(parameter) = name.strip_prefix("parameter.") {
            return Ok(Slot::Parameter(parameter.to_owned()));
        }
    }
    let known = || NAMES.iter().filter(|(_, _, p)| p.contains(&place));
    if let Some((_, slot, _)) = known().find(|(known, _, _)| *known == name) {
        return Ok(slot.clone());
    }
    let hint = did_you_mean(name, known().map(|(n, _, _)| *n)).or_else(|| {
        let known: Vec<String> = known().map(|(n, _, _)| format!("`{{{n}}}`")).collect();
        Some(format!("there are {}", known.join(", ")))
    });
    Err((format!("there is no slot `{{{name}}}` here"), hint))
}

fn filter_named(name: &str) -> Result<Filter, (String, Option<String>)> {
    match name {
        "" => Ok(Filter::Plain),
        "digits" => Ok(Filter::Digits),
        "xml" => Ok(Filter::Xml),
        "unmarked" => Ok(Filter::Unmarked),
        "number" => Ok(Filter::Number),
        "primary" => {
            let hint = "`primary` is for `{language}`".to_owned();
            Err((
                "there is no filter `primary` for this slot".to_owned(),
                Some(hint),
            ))
        }
        other => {
            let known = ["digits", "xml", "unmarked", "number", "primary"];
            let hint = did_you_mean(other, known);
            Err((format!("there is no filter `{other}`"), hint))
        }
    }
}

impl Filter {
    fn apply(self, value: String) -> String {
        match self {
            Filter::Plain | Filter::Number => value,
            Filter::Digits => value.trim_start_matches('+').to_owned(),
            Filter::Xml => escaped_for_xml(&value),
            Filter::Unmarked => value.replace(['<', '>'], " "),
        }
    }
}

fn escaped_for_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 4);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            // XML has no way to write these.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
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

    /// The tree as JSON; `Ok(None)` when all the slots it has were left out. What stands beside them,
    /// such as the format of a callback without an address, would say nothing.
    ///
    /// # Errors
    /// When a slot that is not optional has no value.
    pub fn fill(&self, fill: &Fill<'_>) -> Result<Option<Json>, Unfilled> {
        Ok(match self {
            Tree::Text(template) => template.fill(fill)?.map(|text| {
                let number = template.is_number().then(|| text.parse::<Number>().ok());
                number.flatten().map_or(Json::String(text), Json::Number)
            }),
            Tree::Whole(number) => Some(Json::from(*number)),
            Tree::Flag(flag) => Some(Json::from(*flag)),
            Tree::List(items) => {
                let mut filled = Vec::with_capacity(items.len());
                let mut left_out = LeftOut::default();
                for item in items {
                    let value = item.fill(fill)?;
                    left_out.note(item, value.is_some());
                    filled.extend(value);
                }
                left_out.unless_all(Json::Array(filled))
            }
            Tree::Table(fields) => {
                let mut filled = Map::new();
                let mut left_out = LeftOut::default();
                for (name, tree) in fields {
                    let value = tree.fill(fill)?;
                    left_out.note(tree, value.is_some());
                    if let Some(value) = value {
                        filled.insert(name.clone(), value);
                    }
                }
                left_out.unless_all(Json::Object(filled))
            }
        })
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
        let all = |trees: &mut dyn Iterator<Item = &Tree>| {
            let mut with_slots = trees.filter(|t| t.has_slots()).peekable();
            with_slots.peek().is_some() && with_slots.all(Tree::is_optional)
        };
        match self {
            Tree::Text(template) => template.is_optional(),
            Tree::Whole(_) | Tree::Flag(_) => false,
            Tree::List(items) => all(&mut items.iter()),
            Tree::Table(fields) => all(&mut fields.iter().map(|(_, t)| t)),
        }
    }

    /// What a slot was filled with to give this value.
    pub(crate) fn taken_from(&self, slot: &Slot, value: &Json) -> Option<String> {
        match (self, value) {
            (Tree::Text(template), Json::String(text)) => template.taken_from(slot, text),
            (Tree::Text(template), Json::Number(number)) => {
                template.taken_from(slot, &number.to_string())
            }
            (Tree::List(items), Json::Array(values)) => {
                let mut pairs = items.iter().zip(values);
                pairs.find_map(|(item, value)| item.taken_from(slot, value))
            }
            (Tree::Table(fields), Json::Object(object)) => fields
                .iter()
                .find_map(|(name, tree)| tree.taken_from(slot, object.get(name)?)),
            (
                Tree::Text(_) | Tree::Whole(_) | Tree::Flag(_) | Tree::List(_) | Tree::Table(_),
                _,
            ) => None,
        }
    }

    fn has_slots(&self) -> bool {
        match self {
            Tree::Text(template) => template.has_slots(),
            Tree::Whole(_) | Tree::Flag(_) => false,
            Tree::List(items) => items.iter().any(Tree::has_slots),
            Tree::Table(fields) => fields.iter().any(|(_, t)| t.has_slots()),
        }
    }
}

/// Whether a list or a table has slots, and all of them were left out.
#[derive(Default)]
struct LeftOut {
    some: bool,
    not_all: bool,
}

impl LeftOut {
    fn note(&mut self, tree: &Tree, filled: bool) {
        self.some |= !filled;
        self.not_all |= filled && tree.has_slots();
    }

    fn unless_all(self, json: Json) -> Option<Json> {
        (self.not_all || !self.some).then_some(json)
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
