//! Carries one mistake: the file, the place, what is wrong, and a hint.

mod page;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that came from a file, kept so that a problem can show its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name as it is shown.
    pub name: Arc<str>,
    /// All of its text.
    pub text: Arc<str>,
    /// Where each of its lines begins.
    lines: Arc<[usize]>,
}

impl Source {
    /// A text and the name of the file it came from.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Source {
        let text = text.into();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Source {
            name: name.into(),
            lines: std::iter::once(0).chain(ends).collect(),
            text,
        }
    }

    /// Line and column, both from 1, of a byte offset; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= offset);
        let line_start = self.lines[line - 1];
        (line, self.text[line_start..offset].chars().count() + 1)
    }
}

/// Whether a problem stops the files from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The files cannot be used.
    Error,
    /// They can, and somebody should look.
    Warning,
}

/// One mistake, told to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// The file, and the bytes within it; absent for what no file holds.
    pub place: Option<(Source, Range<usize>)>,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Line and column from 1, where the problem has a place.
    pub fn position(&self) -> Option<(usize, usize)> {
        let (source, span) = self.place.as_ref()?;
        Some(source.position(span.start))
    }

    /// The file's name, where the problem has a place.
    pub fn file(&self) -> Option<&str> {
        self.place.as_ref().map(|(source, _)| &*source.name)
    }
}

impl Problem {
    /// The problem as JSON: `severity`, `message`, and where there are such, `file`, `line`, `column`, `hint`.
    pub fn to_json(&self) -> serde_json::Value {
        let (line, column) = self.position().unzip();
        serde_json::json!({
            "severity": match self.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "file": self.file(),
            "line": line,
            "column": column,
            "message": self.message,
            "hint": self.hint,
        })
    }
}

/// `file:line:column: error: message`, then the hint on a line of its own.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(file), Some((line, column))) = (self.file(), self.position()) {
            write!(f, "{file}:{line}:{column}: ")?;
        }
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All mistakes found so far. Readers add to it and go on, so that one run tells everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds an error at a place in a file.
    pub fn error(&mut self, source: &Source, span: Range<usize>, message: impl Into<String>) {
        self.push(Severity::Error, Some((source.clone(), span)), message, None);
    }

    /// Adds an error at a place in a file, with what to do about it.
    pub fn error_hint(
        &mut self,
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let place = Some((source.clone(), span));
        self.push(Severity::Error, place, message, Some(hint.into()));
    }

    /// Adds a warning at a place in a file.
    pub fn warning(
        &mut self,
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let place = Some((source.clone(), span));
        self.push(Severity::Warning, place, message, hint);
    }

    /// Adds a problem that no file holds.
    pub fn general(
        &mut self,
        severity: Severity,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(severity, None, message, hint);
    }

    /// Takes over all of another list.
    pub fn extend(&mut self, other: Problems) {
        self.0.extend(other.0);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|p| p.severity == Severity::Error)
    }

    /// All of them, by file and place.
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut all: Vec<&Problem> = self.0.iter().collect();
        all.sort_by_key(|p| {
            (
                p.file().map(str::to_owned),
                p.place.as_ref().map(|(_, s)| s.start),
            )
        });
        all
    }

    fn push(
        &mut self,
        severity: Severity,
        place: Option<(Source, Range<usize>)>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let problem = Problem {
            severity,
            place,
            message: message.into(),
            hint,
        };
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }
}

/// `did you mean ...?` for the candidate nearest to `wrong`, when one is near enough.
pub fn did_you_mean<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(wrong, c), c))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| format!("did you mean `{c}`?"))
}
