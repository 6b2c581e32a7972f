//! Places in rule files, and the names that stand there.

use std::cell::RefCell;
use std::ops::Range;

use crate::document::{Table, Value};
use crate::problem::{Problems, Source};

/// A place in a file.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Place {
    pub(in crate::rules) source: Source,
    pub(in crate::rules) span: Range<usize>,
}

/// A text and the place it stood at.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Name {
    pub(in crate::rules) text: String,
    pub(in crate::rules) place: Place,
}

impl Place {
    pub(super) fn of(value: &Value<'_>) -> Place {
        Place {
            source: value.source().clone(),
            span: value.span(),
        }
    }

    pub(super) fn of_table(table: &Table<'_>) -> Place {
        Place {
            source: table.source().clone(),
            span: table.span.clone(),
        }
    }

    /// `file:line`.
    pub(in crate::rules) fn line(&self) -> String {
        let (line, _) = self.source.position(self.span.start);
        format!("{}:{line}", self.source.name)
    }

    pub(in crate::rules) fn error(
        &self,
        problems: &RefCell<Problems>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let span = self.span.clone();
        let mut problems = problems.borrow_mut();
        match hint {
            Some(hint) => problems.error_hint(&self.source, span, message, hint),
            None => problems.error(&self.source, span, message),
        }
    }

    pub(in crate::rules) fn warning(
        &self,
        problems: &RefCell<Problems>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let span = self.span.clone();
        problems
            .borrow_mut()
            .warning(&self.source, span, message, hint);
    }
}
