//! What a slot may be called, and where.

use std::fmt;

use http::HeaderName;

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
    /// Our address for what the call is to say.
    Script,
    /// What is left of the passcode's life, in the unit and range that the operation states.
    Validity,
    /// The passcode's end, within that range.
    Expires,
    /// The moment itself.
    Now,
    /// The word that the operation states for the text's encoding.
    Encoding,
    /// The language the text is read in.
    Language(Form),
    /// What the text's template says beside it, by its name.
    Parameter(String),
    /// One of the account's credentials.
    Credential(String),
    /// Another text for each attempt.
    Nonce,
    /// The method of the request that is signed.
    Method,
    /// Where the request goes, with a port that is not the usual one.
    Host,
    /// The path and the query of the request.
    Path,
    /// The type of the request's body.
    ContentType,
    /// The body as it is sent or was received.
    Body,
    /// One of the headers of what is signed, in lower case.
    Header(String),
    /// The signature that was made.
    Signature,
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
    /// In a header of a request, which is written after the body.
    Header,
    /// In what a signature is made of.
    Signed,
    /// In the header that a signature is put into.
    Signature,
    /// Where there is an account and no message.
    Account,
    /// In an answer of the simulator.
    Answer,
    /// In a receipt of the simulator.
    Receipt,
    /// In our reply to a handshake.
    Reply,
}

const REQUEST: &[Place] = &[Place::Request, Place::Header];
const REPLY: &[Place] = &[Place::Answer, Place::Receipt];

const NAMES: [(&str, Slot, &[Place]); 23] = [
    (
        "to",
        Slot::To,
        &[Place::Request, Place::Header, Place::Answer, Place::Receipt],
    ),
    ("from", Slot::From, REQUEST),
    ("text", Slot::Text, REQUEST),
    ("code", Slot::Code, REQUEST),
    (
        "reference",
        Slot::Reference,
        &[Place::Request, Place::Header, Place::Answer, Place::Receipt],
    ),
    ("callback", Slot::Callback, REQUEST),
    ("script", Slot::Script, REQUEST),
    ("validity", Slot::Validity, REQUEST),
    ("expires", Slot::Expires, REQUEST),
    (
        "now",
        Slot::Now,
        &[Place::Request, Place::Header, Place::Answer, Place::Receipt],
    ),
    ("encoding", Slot::Encoding, REQUEST),
    ("language", Slot::Language(Form::Tag), REQUEST),
    ("nonce", Slot::Nonce, &[Place::Header]),
    ("method", Slot::Method, &[Place::Signed]),
    ("host", Slot::Host, &[Place::Signed]),
    ("path", Slot::Path, &[Place::Signed]),
    ("content_type", Slot::ContentType, &[Place::Signed]),
    ("body", Slot::Body, &[Place::Header, Place::Signed]),
    ("signature", Slot::Signature, &[Place::Signature]),
    ("id", Slot::Id, REPLY),
    ("error", Slot::Error, REPLY),
    ("status", Slot::Status, &[Place::Receipt]),
    ("token", Slot::Token, &[Place::Reply]),
];

/// As definitions write it.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slot::Parameter(name) => write!(f, "{{parameter.{name}}}"),
            Slot::Credential(name) => write!(f, "{{credential.{name}}}"),
            Slot::Header(name) => write!(f, "{{header.{name}}}"),
            Slot::Language(Form::Primary) => f.write_str("{language|primary}"),
            plain => {
                let named = NAMES.iter().find(|(_, slot, _)| slot == plain);
                let name = named.map_or("", |(name, _, _)| *name);
                write!(f, "{{{name}}}")
            }
        }
    }
}

impl Place {
    fn has_credentials(self) -> bool {
        match self {
            Place::Request | Place::Header | Place::Signed | Place::Signature | Place::Account => {
                true
            }
            Place::Answer | Place::Receipt | Place::Reply => false,
        }
    }
}

/// The slot of this name.
///
/// # Errors
/// With what is wrong, and a hint.
pub(super) fn slot_named(name: &str, place: Place) -> Result<Slot, (String, Option<String>)> {
    if place.has_credentials()
        && let Some(credential) = name.strip_prefix("credential.")
    {
        return Ok(Slot::Credential(credential.to_owned()));
    }
    if REQUEST.contains(&place)
        && let Some(parameter) = name.strip_prefix("parameter.")
    {
        return Ok(Slot::Parameter(parameter.to_owned()));
    }
    if place == Place::Signed
        && let Some(header) = name.strip_prefix("header.")
    {
        return match header.parse::<HeaderName>() {
            Ok(header) => Ok(Slot::Header(header.as_str().to_owned())),
            Err(_) => Err((format!("`{header}` is not a header's name"), None)),
        };
    }
    if place == Place::Account {
        return Err(("only credentials can be used here".to_owned(), None));
    }
    let known = || NAMES.iter().filter(|(_, _, p)| p.contains(&place));
    if let Some((_, slot, _)) = known().find(|(known, _, _)| *known == name) {
        return Ok(slot.clone());
    }
    let hint = did_you_mean(name, known().map(|(n, _, _)| *n)).or_else(|| {
        let known = known().map(|(n, _, _)| *n);
        let named = [
            (place.has_credentials(), "credential.NAME"),
            (REQUEST.contains(&place), "parameter.NAME"),
            (place == Place::Signed, "header.NAME"),
        ];
        let named = named
            .into_iter()
            .filter_map(|(is_here, n)| is_here.then_some(n));
        let known: Vec<String> = known.chain(named).map(|n| format!("`{{{n}}}`")).collect();
        Some(format!("there are {}", known.join(", ")))
    });
    Err((format!("there is no slot `{{{name}}}` here"), hint))
}
