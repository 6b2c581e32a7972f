//! What a slot's value goes through before it is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use ring::digest::{SHA256, digest};
use uuid::{Builder, Uuid};

use crate::problem::did_you_mean;
use crate::vendor::template::Slot;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Plain,
    /// Without a leading `+`.
    Digits,
    /// Escaped for XML, for texts and attributes.
    Xml,
    /// Without `<` and `>`, for a text that may otherwise be taken for speech markup.
    Unmarked,
    /// A JSON number rather than a string.
    Number,
    /// A JSON number made of a text of any kind.
    Decimal,
    /// A UUID made of a text of any kind.
    Uuid,
    /// Left out unless the value begins so.
    Only(String),
    /// Left out where the value begins so.
    Except(String),
    /// A time as HTTP writes it.
    HttpDate,
    /// A time in seconds since 1970, a JSON number.
    Unix,
    /// Base64 of the SHA-256 of a body.
    Sha256,
    /// Base64 of the MD5 of a body; nothing of none.
    Md5,
}

const ANY: [(&str, Filter); 7] = [
    ("", Filter::Plain),
    ("digits", Filter::Digits),
    ("xml", Filter::Xml),
    ("unmarked", Filter::Unmarked),
    ("number", Filter::Number),
    ("decimal", Filter::Decimal),
    ("uuid", Filter::Uuid),
];
const TIMES: [(&str, Filter); 3] = [
    ("", Filter::Plain),
    ("http_date", Filter::HttpDate),
    ("unix", Filter::Unix),
];
const BODY: [(&str, Filter); 3] = [
    ("", Filter::Plain),
    ("sha256", Filter::Sha256),
    ("md5", Filter::Md5),
];

/// Digits of the number that `decimal` makes, at most: each such number is exact wherever it is read.
const DECIMAL_MOST: u64 = 1_000_000_000_000_000;

/// The filter of this name, for this slot.
///
/// # Errors
/// With what is wrong, and a hint.
pub(super) fn filter_named(name: &str, slot: &Slot) -> Result<Filter, (String, Option<String>)> {
    let known: &[(&str, Filter)] = match slot {
        Slot::Now | Slot::Expires => &TIMES,
        Slot::Body => &BODY,
        _ => &ANY,
    };
    if let Some((_, filter)) = known.iter().find(|(known, _)| *known == name) {
        return Ok(filter.clone());
    }
    let beginning = |text: &str| !text.is_empty();
    match name.split_once(':') {
        Some(("only", text)) if beginning(text) => return Ok(Filter::Only(text.to_owned())),
        Some(("except", text)) if beginning(text) => return Ok(Filter::Except(text.to_owned())),
        Some(_) | None => {}
    }
    let elsewhere = [
        ("primary", "`{language}`"),
        ("http_date", "`{now}` and `{expires}`"),
        ("unix", "`{now}` and `{expires}`"),
        ("sha256", "`{body}`"),
        ("md5", "`{body}`"),
    ];
    if let Some((_, whose)) = elsewhere.iter().find(|(known, _)| *known == name) {
        let hint = format!("`{name}` is for {whose}");
        let message = format!("there is no filter `{name}` for this slot");
        return Err((message, Some(hint)));
    }
    let own = matches!(slot, Slot::Language(_)).then_some("primary");
    let names = || {
        let names = known.iter().map(|(name, _)| *name);
        let names = names.filter(|name| !name.is_empty()).chain(own);
        names.chain(["only:PREFIX", "except:PREFIX"])
    };
    let hint = did_you_mean(name, names()).or_else(|| {
        let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        Some(format!("this slot has {}", all.join(", ")))
    });
    Err((format!("there is no filter `{name}`"), hint))
}

impl Filter {
    /// Whether what it gives is a JSON number where it stands alone.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Filter::Number | Filter::Decimal | Filter::Unix)
    }

    /// Whether it may leave a value out.
    pub(super) fn is_choosy(&self) -> bool {
        matches!(self, Filter::Only(_) | Filter::Except(_))
    }

    /// Whether the value can be seen in what it gives.
    pub(super) fn is_reversible(&self) -> bool {
        !matches!(
            self,
            Filter::Decimal | Filter::Uuid | Filter::Sha256 | Filter::Md5
        )
    }

    /// The value as it is written; `None` where it is left out.
    pub(super) fn apply(&self, value: String) -> Option<String> {
        Some(match self {
            Filter::Plain | Filter::Number => value,
            Filter::Digits => value.trim_start_matches('+').to_owned(),
            Filter::Xml => escaped_for_xml(&value),
            Filter::Unmarked => value.replace(['<', '>'], " "),
            Filter::Decimal => decimal(&value),
            Filter::Uuid => uuid_of(&value),
            Filter::Only(start) => return value.starts_with(&**start).then_some(value),
            Filter::Except(start) => return (!value.starts_with(&**start)).then_some(value),
            Filter::HttpDate => time(&value)?
                .strftime("%a, %d %b %Y %H:%M:%S GMT")
                .to_string(),
            Filter::Unix => time(&value)?.as_second().to_string(),
            Filter::Sha256 => STANDARD.encode(digest(&SHA256, value.as_bytes())),
            Filter::Md5 if value.is_empty() => value,
            Filter::Md5 => STANDARD.encode(Md5::digest(value.as_bytes())),
        })
    }
}

fn time(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// A UUID of version 8 (RFC 9562): the hash of the text.
pub(crate) fn uuid_of(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    let uuid: Uuid = Builder::from_custom_bytes(bytes).into_uuid();
    uuid.to_string()
}

fn decimal(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_ref()[..8]);
    (u64::from_be_bytes(bytes) % DECIMAL_MOST).to_string()
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
