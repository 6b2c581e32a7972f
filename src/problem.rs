//! Carries one mistake: the file, the place, what is wrong, and a hint.

mod page;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// Words that are more alike than this are told as what may have been meant.
const NEAR: f64 = 0.8;
/// How alike two words are that one slip of a finger tells apart.
const SLIP: f64 = 0.9;
/// A slip makes another word of shorter ones.
const SLIP_CHARS_MIN: usize = 3;

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

    /// The same with asterisks in some places, each as long as what it hides.
    pub fn masked(&self, spans: &[Range<usize>]) -> Source {
        let mut text = String::with_capacity(self.text.len());
        for (at, c) in self.text.char_indices() {
            let is_hidden = spans.iter().any(|span| span.contains(&at));
            match is_hidden && c != '\n' {
                true => text.extend(std::iter::repeat_n('*', c.len_utf8())),
                false => text.push(c),
            }
        }
        Source::new(Arc::clone(&self.name), text)
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

    /// A line, from 1, without its end.
    pub fn line(&self, number: usize) -> &str {
        let (lines, _) = self.lines_of(number, number);
        lines
            .strip_suffix('\n')
            .unwrap_or(lines)
            .trim_end_matches('\r')
    }

    /// The lines from one to another, both from 1, with their ends; and where they begin.
    fn lines_of(&self, first: usize, last: usize) -> (&str, usize) {
        let start_of = |line: usize| self.lines.get(line.saturating_sub(1)).copied();
        let start = start_of(first).unwrap_or(self.text.len());
        let end = start_of(last + 1).unwrap_or(self.text.len());
        (self.text.get(start..end).unwrap_or_default(), start)
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
    /// What it is known by: everything but the file's text.
    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let span = self.place.as_ref().map(|(_, span)| (span.start, span.end));
        let severity = self.severity == Severity::Error;
        (severity, self.file(), span, &self.message, &self.hint).hash(&mut hasher);
        hasher.finish()
    }

    /// By file, then by place.
    fn order(&self) -> (Option<&str>, Option<usize>) {
        (self.file(), self.place.as_ref().map(|(_, span)| span.start))
    }

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
    /// The line it begins on, and where on it and to where it is marked.
    fn excerpt(&self) -> Option<serde_json::Value> {
        let (source, span) = self.place.as_ref()?;
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.end);
        Some(serde_json::json!({
            "text": source.line(line),
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
        }))
    }

    /// The problem as JSON: `severity`, `message`, and where there are such, `file`, `line`, `column`, `hint` and an
    /// `excerpt`: the line, and the marked columns from 1, the end being the first that is not marked.
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
            "excerpt": self.excerpt(),
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
pub struct Problems {
    all: Vec<Problem>,
    /// A hash of each, so that none is told twice and many are told quickly.
    known: HashSet<u64>,
}

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

    /// Takes an error back that another one tells better.
    pub fn take_back(&mut self, source: &Source, span: &Range<usize>, message: &str) {
        let known = &mut self.known;
        self.all.retain(|problem| {
            let place = problem.place.as_ref();
            let is_there = place.is_some_and(|(s, at)| at == span && s.name == source.name);
            let is_it = is_there && problem.message == message;
            if is_it {
                known.remove(&problem.hash());
            }
            !is_it
        });
    }

    /// Shows the file of that name as this text from now on.
    pub fn show_as(&mut self, shown: &Source) {
        for (source, _) in self.all.iter_mut().filter_map(|p| p.place.as_mut()) {
            if source.name == shown.name {
                *source = shown.clone();
            }
        }
    }

    /// Takes over all of another list.
    pub fn extend(&mut self, other: Problems) {
        for problem in other.all {
            self.add(problem);
        }
    }

    /// Tells all of them to another list, as warnings and with another hint.
    pub fn told_as_warnings(self, to: &RefCell<Problems>, hint: &str) {
        let mut to = to.borrow_mut();
        for problem in self.all {
            to.push(
                Severity::Warning,
                problem.place,
                problem.message,
                Some(hint.to_owned()),
            );
        }
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        let errors = self.all.iter();
        errors.filter(|p| p.severity == Severity::Error).count()
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(|p| p.severity == Severity::Error)
    }

    /// All of them, by file and place.
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut all: Vec<&Problem> = self.all.iter().collect();
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        all
    }

    fn push(
        &mut self,
        severity: Severity,
        place: Option<(Source, Range<usize>)>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.add(Problem {
            severity,
            place,
            message: message.into(),
            hint,
        });
    }

    fn add(&mut self, problem: Problem) {
        if self.known.insert(problem.hash()) {
            self.all.push(problem);
        }
    }
}

/// `did you mean ...?` for the candidate nearest to `wrong`, when one is near enough.
pub fn did_you_mean<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(wrong, candidates).map(|c| format!("did you mean `{c}`?"))
}

/// The candidate nearest to `wrong`, when one is near enough: upper or lower case does not matter.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (likeness(&wrong, &c.to_lowercase()), c))
        .filter(|(score, _)| *score > NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// From 0 to 1; two words of which one is a slip of the other are near.
fn likeness(a: &str, b: &str) -> f64 {
    let alike = strsim::jaro_winkler(a, b);
    let is_slip = a.len().min(b.len()) >= SLIP_CHARS_MIN && strsim::damerau_levenshtein(a, b) == 1;
    if is_slip { alike.max(SLIP) } else { alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_has_the_line_and_the_marked_columns() {
        let source = Source::new("r.toml", "[a]\nkéy = \"valué\"\nb = 1\n");
        let start = source.text.find('"').unwrap();
        let end = source.text.rfind('"').unwrap() + 1;
        let mut problems = Problems::default();
        problems.error(&source, start..end, "wrong");
        problems.general(Severity::Warning, "nowhere", None);
        let told: Vec<_> = problems.sorted().iter().map(|p| p.to_json()).collect();
        let placed = told.iter().find(|json| json["message"] == "wrong").unwrap();
        let excerpt = serde_json::json!({
            "text": "kéy = \"valué\"", "column": 7, "end_line": 2, "end_column": 14,
        });
        assert_eq!(placed["excerpt"], excerpt);
        assert_eq!((&placed["line"], &placed["column"]), (&2.into(), &7.into()));
        let placeless = told
            .iter()
            .find(|json| json["message"] == "nowhere")
            .unwrap();
        assert!(placeless["excerpt"].is_null());
    }
}
