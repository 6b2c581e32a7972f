//! A text as an operator writes it, with slots in braces.

use std::ops::Range;

use crate::problem::nearest;

/// The text of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<Piece>);

/// What is wrong with a text, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the text.
    pub span: Range<usize>,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Code,
    Org,
    Minutes,
}

const SLOTS: [(&str, Piece); 3] = [
    ("code", Piece::Code),
    ("org", Piece::Org),
    ("minutes", Piece::Minutes),
];

impl Words {
    /// Reads `{code}`, `{org}`, `{minutes}`, and `{{` and `}}` for braces.
    ///
    /// # Errors
    /// On the first brace or slot that is wrong, and on a text without `{code}`.
    pub fn parse(text: &str) -> Result<Words, Mistake> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(brace) = text[at..].find(['{', '}']).map(|found| at + found) {
            plain.push_str(&text[at..brace]);
            let rest = &text[brace..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                plain.push_str(&rest[..1]);
                at = brace + 2;
                continue;
            }
            let (piece, end) = slot(text, brace)?;
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
            at = end;
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        if !pieces.contains(&Piece::Code) {
            let hint = match text.contains("{{code}}") {
                true => "doubled braces are plain ones: write `{code}`",
                false => "without it nobody learns the passcode",
            };
            return Err(mistake(0..text.len(), "the text has no `{code}`", hint));
        }
        Ok(Words(pieces))
    }

    /// The text of a `Wording`: all but `{code}` is filled in. `webotp` is the host that the code is bound
    /// to; it makes the last line (WICG, origin-bound one-time codes).
    pub fn settle(&self, org: &str, minutes: i64, webotp: Option<&str>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(plain) => push_plain(plain, &mut text),
                Piece::Code => text.push_str("{code}"),
                Piece::Org => push_plain(org, &mut text),
                Piece::Minutes => text.push_str(&minutes.max(1).to_string()),
            }
        }
        if let Some(host) = webotp {
            text.push_str("\n@");
            push_plain(host, &mut text);
            text.push_str(" #{code}");
        }
        text
    }
}

/// Fills `{code}` in a settled text and makes `{{` and `}}` single.
pub(super) fn fill(text: &str, code: &str) -> String {
    // Enough for every code there is room for, so that no half-filled copy is left behind.
    let room = text.matches("{code}").count() * code.len();
    let mut filled = String::with_capacity(text.len() + room);
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        filled.push_str(&rest[..brace]);
        rest = &rest[brace..];
        let taken = if let Some(after) = rest.strip_prefix("{code}") {
            filled.push_str(code);
            rest.len() - after.len()
        } else {
            filled.push_str(&rest[..1]);
            let is_double = rest.starts_with("{{") || rest.starts_with("}}");
            if is_double { 2 } else { 1 }
        };
        rest = &rest[taken..];
    }
    filled.push_str(rest);
    filled
}

/// The slot that begins at `brace`, and where it ends.
fn slot(text: &str, brace: usize) -> Result<(Piece, usize), Mistake> {
    let rest = &text[brace..];
    if rest.starts_with('}') {
        let span = brace..brace + 1;
        return Err(mistake(
            span,
            "a `}` without its `{`",
            "write `}}` for a brace",
        ));
    }
    let close = rest.find('}');
    let inner = rest[1..].find('{').map(|found| found + 1);
    let closed = close.filter(|close| inner.is_none_or(|inner| *close < inner));
    let Some(close) = closed else {
        let span = brace..inner.map_or(text.len(), |inner| brace + inner);
        return Err(mistake(
            span,
            "a `{` without its `}`",
            "write `{{` for a brace",
        ));
    };
    let (name, end) = (&rest[1..close], brace + close + 1);
    if let Some((_, piece)) = SLOTS.iter().find(|(known, _)| *known == name) {
        return Ok((piece.clone(), end));
    }
    let near = nearest(name, SLOTS.iter().map(|(known, _)| *known));
    let hint = near.map(|near| format!("did you mean `{{{near}}}`?"));
    let hint = hint.unwrap_or_else(|| "there are `{code}`, `{org}` and `{minutes}`".to_owned());
    let message = format!("there is no slot `{{{name}}}` here");
    Err(mistake(brace..end, message, hint))
}

fn mistake(span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Mistake {
    Mistake {
        span,
        message: message.into(),
        hint: Some(hint.into()),
    }
}

/// Text in which no slot can be read.
fn push_plain(plain: &str, text: &mut String) {
    for c in plain.chars() {
        if matches!(c, '{' | '}') {
            text.push(c);
        }
        text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, expected: &str) {
        let settled = Words::parse(written).unwrap().settle("ACME", 5, None);
        assert_eq!(fill(&settled, "123456"), expected, "{written}");
    }

    fn told(written: &str) -> (Range<usize>, String, String) {
        let mistake = Words::parse(written).unwrap_err();
        (mistake.span, mistake.message, mistake.hint.unwrap())
    }

    #[test]
    fn slots_are_filled() {
        check("{code}", "123456");
        check(
            "{code} is your {org} code. It is good for {minutes} minutes: {code}",
            "123456 is your ACME code. It is good for 5 minutes: 123456",
        );
    }

    #[test]
    fn doubled_braces_are_braces() {
        check("{{{code}}} {{code}} }}{{", "{123456} {code} }{");
    }

    #[test]
    fn only_the_code_is_left_when_a_text_is_settled() {
        let words = Words::parse("{org}: {code}, {minutes} min").unwrap();
        assert_eq!(words.settle("ACME", 0, None), "ACME: {code}, 1 min");
    }

    #[test]
    fn an_org_cannot_name_a_slot() {
        let words = Words::parse("{org}: {code}{org}").unwrap();
        let settled = words.settle("{code}}", 5, Some("a{code}.example"));
        let expected = "{code}}: 12{code}}\n@a{code}.example #12";
        assert_eq!(fill(&settled, "12"), expected);
    }

    #[test]
    fn a_bound_code_has_a_line_of_its_own_at_the_end() {
        let words = Words::parse("{code} is your code.").unwrap();
        let settled = words.settle("ACME", 5, Some("login.acme.com"));
        assert_eq!(settled, "{code} is your code.\n@login.acme.com #{code}");
        let expected = "123456 is your code.\n@login.acme.com #123456";
        assert_eq!(fill(&settled, "123456"), expected);
    }

    #[test]
    fn a_code_is_never_read_as_a_slot() {
        assert_eq!(fill("a {code} b {code}", "{code}"), "a {code} b {code}");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let (span, message, hint) = told("é {cod}");
        assert_eq!(span, 3..8);
        assert_eq!(message, "there is no slot `{cod}` here");
        assert_eq!(hint, "did you mean `{code}`?");
        let (span, message, hint) = told("{code} {x}");
        assert_eq!((span, hint.contains("{minutes}")), (7..10, true));
        assert_eq!(message, "there is no slot `{x}` here");
        assert_eq!(told("{code} {org").0, 7..11);
        assert_eq!(told("{code} }").1, "a `}` without its `{`");
        assert_eq!(told("Hello {{code}}").1, "the text has no `{code}`");
        assert_eq!(told("").0, 0..0);
    }
}
