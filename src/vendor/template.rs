//! Texts with slots in braces, as vendor definitions write requests.

mod filter;
mod slot;
mod tree;

use crate::document::Value;
use crate::vendor::template::filter::{Filter, filter_named};
use crate::vendor::template::slot::slot_named;

pub(crate) use filter::uuid_of;
pub use slot::Slot;
pub(crate) use slot::{Form, Place};
pub(crate) use tree::Tree;
pub(crate) use tree::read_fields;

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
pub(crate) struct Template(Vec<Piece>);

/// A slot that had to be filled and could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfilled(pub(crate) Slot);

/// Fills slots; `None` for a value that is not there.
pub(crate) type Fill<'a> = dyn Fn(&Slot) -> Option<String> + 'a;

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

    /// A text without slots.
    pub(crate) fn words(text: &str) -> Template {
        Template(vec![Piece::Words(text.to_owned())])
    }

    /// One slot and nothing else.
    pub(crate) fn slot(slot: Slot) -> Template {
        Template(vec![Piece::Slot {
            slot,
            filter: Filter::Plain,
            optional: false,
        }])
    }

    /// The text with every slot filled; `Ok(None)` when an optional one has no value, or one that its filter
    /// leaves out.
    ///
    /// # Errors
    /// When a slot that is not optional has none.
    pub(crate) fn fill(&self, fill: &Fill<'_>) -> Result<Option<String>, Unfilled> {
        self.fill_written(fill, &|value| value)
    }

    /// The same, with what comes out of a slot's filter written in another way.
    ///
    /// # Errors
    /// When a slot that is not optional has no value.
    pub(crate) fn fill_written(
        &self,
        fill: &Fill<'_>,
        written: &dyn Fn(String) -> String,
    ) -> Result<Option<String>, Unfilled> {
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
            // What is signed may be empty.
            let is_there = |v: &String| !v.is_empty() || matches!(slot, Slot::Body);
            match fill(slot).filter(is_there) {
                Some(value) => match filter.apply(value) {
                    Some(value) => text.push_str(&written(value)),
                    None => return Ok(None),
                },
                None if optional => return Ok(None),
                None => return Err(Unfilled(slot.clone())),
            }
        }
        Ok(Some(text))
    }

    /// Whether nothing at all is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it may have given this text: the words and what `fill` knows are there, and something for all else.
    pub(crate) fn may_give(
        &self,
        text: &str,
        fill: &Fill<'_>,
        written: &dyn Fn(String) -> String,
    ) -> bool {
        let mut rest = text;
        let mut is_open = false;
        for piece in &self.0 {
            let known = match piece {
                Piece::Words(words) => Some(words.clone()),
                Piece::Slot { slot, filter, .. } => fill(slot)
                    .and_then(|value| filter.apply(value))
                    .map(written),
            };
            let Some(known) = known else {
                is_open = true;
                continue;
            };
            // Something stands in the open place.
            let at = match is_open {
                true => rest.find(&*known).filter(|at| *at > 0),
                false => rest.starts_with(&*known).then_some(0),
            };
            let Some(at) = at else {
                return false;
            };
            rest = &rest[at + known.len()..];
            is_open = false;
        }
        is_open != rest.is_empty()
    }

    /// Every slot in it.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot { slot, .. } => Some(slot),
            Piece::Words(_) => None,
        })
    }

    /// Every slot without which it cannot be filled.
    pub(crate) fn needed_slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot {
                slot,
                optional: false,
                ..
            } => Some(slot),
            Piece::Slot { .. } | Piece::Words(_) => None,
        })
    }

    /// Whether it may be left out.
    pub(crate) fn is_optional(&self) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Slot {
                optional, filter, ..
            } => *optional || filter.is_choosy(),
            Piece::Words(_) => false,
        })
    }

    /// What a slot was filled with to give this text; `None` where that cannot be told.
    pub(crate) fn taken_from(&self, slot: &Slot, text: &str) -> Option<String> {
        let at = |p: &Piece| matches!(p, Piece::Slot { slot: s, filter, .. } if s == slot && filter.is_reversible());
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
        matches!(self.0.as_slice(), [Piece::Slot { filter, .. }] if filter.is_number())
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
        (slot, filter) => {
            let filter = filter_named(filter, &slot)?;
            (slot, filter)
        }
    };
    Ok(Piece::Slot {
        slot,
        filter,
        optional,
    })
}

/// A template that is a string in the file.
pub(crate) fn read_template(value: Value<'_>, place: Place) -> Option<Template> {
    let text = value.string()?.value;
    match Template::parse(&text, place) {
        Ok(template) => Some(template),
        Err((message, hint)) => value.wrong(message, hint),
    }
}
