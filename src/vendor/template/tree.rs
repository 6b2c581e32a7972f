//! Trees of texts with slots: what a JSON body, a form or a query is made of.

use serde_json::{Map, Number, Value as Json};
use toml::de::DeValue;

use crate::document::Value;
use crate::vendor::template::{Fill, Place, Slot, Template, Unfilled, read_template};

/// A JSON-like tree whose texts are templates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Text(Template),
    Whole(i64),
    Flag(bool),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
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

    /// Reads a TOML table, and nothing else.
    pub(crate) fn read_table(value: Value<'_>, place: Place) -> Option<Tree> {
        read_fields(value, place).map(Tree::Table)
    }

    /// The fields of a table; none of anything else.
    pub(crate) fn fields(&self) -> &[(String, Tree)] {
        match self {
            Tree::Table(fields) => fields,
            Tree::Text(_) | Tree::Whole(_) | Tree::Flag(_) | Tree::List(_) => &[],
        }
    }

    /// The tree as JSON; `Ok(None)` when all the slots it has were left out. What stands beside them,
    /// such as the format of a callback without an address, would say nothing.
    ///
    /// # Errors
    /// When a slot that is not optional has no value.
    pub(crate) fn fill(&self, fill: &Fill<'_>) -> Result<Option<Json>, Unfilled> {
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

    /// What stands at a JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Tree> {
        pointer
            .split('/')
            .skip(1)
            .try_fold(self, |tree, key| match tree {
                Tree::Table(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, t)| t),
                Tree::List(items) => items.get(key.parse::<usize>().ok()?),
                Tree::Text(_) | Tree::Whole(_) | Tree::Flag(_) => None,
            })
    }

    /// Every template in it.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Tree::Text(template) => vec![template],
            Tree::Whole(_) | Tree::Flag(_) => Vec::new(),
            Tree::List(items) => items.iter().flat_map(Tree::templates).collect(),
            Tree::Table(fields) => fields.iter().flat_map(|(_, t)| t.templates()).collect(),
        }
    }

    /// Whether it may be left out.
    pub(crate) fn is_optional(&self) -> bool {
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

/// The entries of a table, in the order they are written.
pub(crate) fn read_fields(value: Value<'_>, place: Place) -> Option<Vec<(String, Tree)>> {
    let entries = value.table()?.entries().into_iter();
    Some(
        entries
            .filter_map(|(name, v)| Some((name.value, Tree::read(v, place)?)))
            .collect(),
    )
}
