//! Makes texts out of texts: pieces are left out, doubled, swapped and replaced.

use crate::chance::Chance;

/// Pieces of TOML that may matter to somebody.
const PIECES: [&str; 118] = [
    "{",
    "}",
    "[",
    "]",
    "[[",
    "]]",
    "=",
    ",",
    "\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    ".",
    "#",
    "+",
    "-",
    "\\",
    "\\u0000",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "é",
    "😀",
    "\u{202e}",
    "验",
    "0",
    "1",
    "-1",
    "2",
    "10",
    "1000",
    "1001",
    "0.5",
    "1e308",
    "nan",
    "inf",
    "0x10",
    "1_0",
    "9223372036854775807",
    "9223372036854775808",
    "true",
    "false",
    "\"\"",
    "[]",
    "{}",
    "\"0ms\"",
    "\"600ms\"",
    "\"p95\"",
    "\"120s\"",
    "\"99999999999999y\"",
    "\"1000000000000000000000s\"",
    "2026-01-31",
    "\"2026-01-31\"",
    "2026-02-30",
    "\"9999-12-31\"",
    "\"-009999-01-02T01:59:59Z\"",
    "\"9999-12-30T22:00:00.999999999Z\"",
    "2026-01-31T09:00:00",
    "2026-01-31T09:00:00Z",
    "09:00:00",
    "\"EU\"",
    "\"US\"",
    "\"NANP\"",
    "\"*\"",
    "\"XX\"",
    "\"+65\"",
    "\"+1\"",
    "\"+6581234567\"",
    "\"{code}\"",
    "\"{code} {org} {minutes}\"",
    "\"{{code}}\"",
    "\"{\"",
    "\"sms\"",
    "\"voice\"",
    "\"50/s\"",
    "\"40000/day\"",
    "\"1/99999999999999y\"",
    "\"0/s\"",
    "\"24:00\"",
    "\"00:00 America/Los_Angeles\"",
    "\"02:30 Australia/Lord_Howe\"",
    "\"mobile\"",
    "\"silence\"",
    "\"alpha\"",
    "\"pool\"",
    "\"ACME\"",
    "\"twilio\"",
    "\"vonage\"",
    "\"telnyx\"",
    "\"infobip\"",
    "\"parts\"",
    "vendor",
    "sender",
    "country",
    "group",
    "when",
    "chain",
    "deny",
    "name",
    "text",
    "from",
    "valid_from",
    "valid_to",
    "quota",
    "weight",
    "channel",
    "after",
    "on",
    "max_parts",
    "transliterate",
    "[guard]",
    "[[rule]]",
    "[[expect]]",
    "[[sender]]",
    "[[template]]",
];
/// Changes of one text, at most.
const CHANGES_MAX: usize = 6;

/// A text as it is, or with some changes; pieces also come from another text.
pub(crate) fn changed(chance: &mut Chance, text: &str, other: &str) -> String {
    let mut tokens: Vec<&str> = tokens(text);
    let others = tokens_of_lines(other);
    for _ in 0..chance.below(CHANGES_MAX + 1) {
        change(chance, &mut tokens, &others);
    }
    tokens.concat()
}

fn change<'a>(chance: &mut Chance, tokens: &mut Vec<&'a str>, others: &[Vec<&'a str>]) {
    let at = chance.below(tokens.len());
    if tokens.is_empty() {
        tokens.push(chance.of(&PIECES));
        return;
    }
    match chance.below(9) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[at]),
        2 => {
            let with = chance.below(tokens.len());
            tokens.swap(at, with);
        }
        3 | 4 => tokens[at] = chance.of(&PIECES),
        5 => tokens.insert(at, chance.of(&PIECES)),
        6 => {
            let line = line_around(tokens, at);
            tokens.drain(line);
        }
        7 => {
            let line: Vec<&str> = tokens[line_around(tokens, at)].to_vec();
            let to = chance.below(tokens.len());
            let to = line_around(tokens, to).start;
            tokens.splice(to..to, line);
        }
        _ => {
            let to = line_around(tokens, at).start;
            let line = others.get(chance.below(others.len()));
            tokens.splice(to..to, line.cloned().unwrap_or_default());
        }
    }
}

/// A text with changes that often leave it good: texts and numbers change places with others of their kind, and
/// whole paragraphs are left out, doubled and moved.
pub(crate) fn rearranged(chance: &mut Chance, text: &str) -> String {
    let mut paragraphs: Vec<String> = text.split("\n\n").map(str::to_owned).collect();
    for _ in 0..chance.below(3) {
        let at = chance.below(paragraphs.len());
        let taken = match chance.below(3) {
            0 => paragraphs[at].clone(),
            _ => paragraphs.remove(at),
        };
        if chance.one_in(2) || paragraphs.is_empty() {
            paragraphs.insert(chance.below(paragraphs.len() + 1), taken);
        }
    }
    let text = paragraphs.join("\n\n");
    let mut tokens = tokens(&text);
    for _ in 0..=chance.below(3) {
        let at = chance.below(tokens.len());
        let kind = |token: &str| {
            token
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '0'..='9'))
        };
        let is_alike =
            |token: &&&str| kind(token).map(|c| c == '"') == kind(tokens[at]).map(|c| c == '"');
        let alike: Vec<&str> = tokens.iter().filter(is_alike).copied().collect();
        if kind(tokens[at]).is_some() {
            tokens[at] = chance.of(&alike);
        }
    }
    tokens.concat()
}

/// Nothing but pieces, and the beginning of a text now and then.
pub(crate) fn soup(chance: &mut Chance, text: &str) -> String {
    let mut soup = String::new();
    if chance.one_in(3) {
        let all = tokens(text);
        soup.push_str(&all[..chance.below(all.len() + 1)].concat());
    }
    for _ in 0..chance.below(60) {
        soup.push_str(chance.of(&PIECES));
        if chance.one_in(2) {
            soup.push(' ');
        }
    }
    soup
}

/// Bytes as they come, as far as they are a text.
pub(crate) fn noise(chance: &mut Chance) -> String {
    let bytes: Vec<u8> = (0..chance.below(200))
        .map(|_| u8::try_from(chance.below(256)).expect("a byte"))
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One of the three.
pub(crate) fn any(chance: &mut Chance, text: &str, other: &str) -> String {
    match chance.below(16) {
        0 => noise(chance),
        1..=3 => soup(chance, text),
        _ => changed(chance, text, other),
    }
}

/// Names and numbers, quoted texts, single marks, and what is white.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => rest[1..].find([first, '\n']).map(|at| at + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)),
            ' ' => rest.find(|c| c != ' '),
            c => Some(c.len_utf8()),
        };
        let end = end.filter(|end| rest.is_char_boundary(*end));
        let end = end.unwrap_or(rest.len());
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

fn tokens_of_lines(text: &str) -> Vec<Vec<&str>> {
    text.split_inclusive('\n').map(tokens).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+')
}

/// The tokens of the line that a token is in.
fn line_around(tokens: &[&str], at: usize) -> std::ops::Range<usize> {
    let is_end = |token: &&str| token.ends_with('\n');
    let start = tokens[..at]
        .iter()
        .rposition(is_end)
        .map_or(0, |end| end + 1);
    let end = tokens[at..].iter().position(is_end);
    start..end.map_or(tokens.len(), |end| at + end + 1)
}
