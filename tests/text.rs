//! Texts against a list of what they take over the air.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use trunkline::text::{Encoding, measure};

/// `case,text,encoding,units,parts` and what a plain division would give; texts are escaped.
const SEGMENTS: &str = include_str!("data/sms-segments.csv");

/// The cells of a line; a quoted one may have commas, and its quotes are doubled.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut().expect("there is always one");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cell.push(other),
        }
    }
    cells
}

/// Undoes `\n`, `\t`, `\\`, `\xe9`, `\u0151` and `\U0001f600`.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let digits = match rest.next().expect("something is escaped") {
            'n' => {
                plain.push('\n');
                continue;
            }
            't' => {
                plain.push('\t');
                continue;
            }
            '\\' => {
                plain.push('\\');
                continue;
            }
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other => panic!("`\\{other}` is not known"),
        };
        let code: String = rest.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&code, 16).expect("hexadecimal digits");
        plain.push(char::from_u32(code).expect("a character"));
    }
    plain
}

#[test]
fn every_listed_text_takes_what_is_listed() {
    let mut rows = 0;
    for line in SEGMENTS.lines().skip(1) {
        let cells = cells(line);
        let [case, text, encoding, units, parts, _] = &*cells else {
            panic!("{line}");
        };
        let measure = measure(&unescaped(text));
        let name = match measure.encoding {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        };
        let found = (name, measure.units.to_string(), measure.parts.to_string());
        assert_eq!(found, (&**encoding, units.clone(), parts.clone()), "{case}");
        rows += 1;
    }
    assert_eq!(rows, 191);
}
