//! Shows a request as it would be sent, with the names of credentials in the place of their values.
//!
//! No credential is looked for in the finished request: it is made with marks in their place, twice with
//! different ones. What a mark can be read out of tells its credential's name; what else differs between the
//! two was computed from credentials, such as a signature, and is hidden whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value as Json;

use crate::flow::{Channel, Secret};
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::authorization::Auth;
use crate::vendor::definition::{Body, Definition};
use crate::vendor::request::{Job, Unfit};
use crate::vendor::template::Slot;

/// What stands where a secret would.
const HIDDEN: &str = "•••";
/// The two sets of marks.
const SETS: [char; 2] = ['a', 'b'];

/// A request without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Shown,
}

/// What it carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// The fields of a form, decoded.
    Fields(Vec<(String, String)>),
    /// Anything else; JSON is laid out.
    Text(String),
}

impl Account {
    /// The request that would ask for this job, with `•••(name)` in the place of each credential.
    ///
    /// # Errors
    /// Whatever keeps the real request from being made.
    pub fn preview(&self, channel: Channel, job: &Job<'_>, now: Moment) -> Result<Preview, Unfit> {
        // The real one is made first: a key that is none shall not look like one here.
        self.request(channel, job, now)?;
        let [one, other] = SETS.map(|set| self.marked(set, channel, job, now));
        let mut preview = one?.without_differences(other?);
        preview.headers.extend(self.token(channel));
        Ok(preview)
    }

    /// The request made with one set of marks, and these replaced by what they stand for.
    fn marked(
        &self,
        set: char,
        channel: Channel,
        job: &Job<'_>,
        now: Moment,
    ) -> Result<Preview, Unfit> {
        let names: Vec<&str> = self.credential_names().collect();
        let mark = |name: &str| {
            let at = names.iter().position(|known| *known == name);
            // Letters and digits pass through every encoding; sixteen of them are base64 too.
            format!("trunklinecr{set}{:04}", at.unwrap_or_default())
        };
        let marks: Vec<(String, &str)> = names.iter().map(|name| (mark(name), *name)).collect();
        let definition = without_tokens(self.definition());
        let account = self.with_marks(definition, |name, secret| like(secret, mark(name)));
        let request = account.request(channel, job, now)?;
        let is_form = self.definition().operation(channel);
        let is_form = is_form.is_some_and(|o| matches!(o.body, Body::Form(_)));
        Ok(Preview::of(&request, is_form, &marks))
    }

    /// The header of a token that is signed with a key for which no mark can stand.
    fn token(&self, channel: Channel) -> Option<(String, String)> {
        let Auth::Jwt { key, .. } = &self.definition().operation(channel)?.auth else {
            return None;
        };
        let named = key.slots().find_map(|slot| match slot {
            Slot::Credential(name) => Some(name.as_str()),
            _ => None,
        });
        let named = named.unwrap_or("a key");
        let value = format!("Bearer {HIDDEN}(token signed with {named})");
        Some(("authorization".to_owned(), value))
    }
}

/// The same definition, for requests without signed tokens.
fn without_tokens(definition: &Definition) -> Definition {
    let mut plain = definition.clone();
    for (_, operation) in &mut plain.operations {
        if matches!(operation.auth, Auth::Jwt { .. }) {
            operation.auth = Auth::InRequest;
        }
    }
    plain
}

/// A mark that can stand where the secret can: an address stays one.
fn like(secret: &Secret, mark: String) -> String {
    let mut schemes = ["https://", "http://"].into_iter();
    match schemes.find(|scheme| secret.expose().starts_with(scheme)) {
        Some(scheme) => format!("{scheme}{mark}"),
        None => mark,
    }
}

impl Preview {
    fn of(request: &Request<Bytes>, is_form: bool, marks: &[(String, &str)]) -> Preview {
        let shown = |text: &str| named(text, marks);
        let headers = request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (shown(name.as_str()), header_value(&value, marks))
        });
        Preview {
            method: request.method().clone(),
            url: shown(&without_user(&request.uri().to_string())),
            headers: headers.collect(),
            body: body(request.body(), is_form, marks),
        }
    }

    /// Hides what is not the same in the other one.
    fn without_differences(self, other: Preview) -> Preview {
        let pairs = |ours: Vec<(String, String)>, theirs: Vec<(String, String)>| {
            let both = ours.into_iter().zip(theirs);
            both.map(|(our, their)| (alike(&our.0, &their.0), alike(&our.1, &their.1)))
                .collect()
        };
        Preview {
            method: self.method,
            url: alike(&self.url, &other.url),
            headers: pairs(self.headers, other.headers),
            body: match (self.body, other.body) {
                (Shown::Fields(ours), Shown::Fields(theirs)) => Shown::Fields(pairs(ours, theirs)),
                (Shown::Text(our), Shown::Text(their)) => Shown::Text(alike(&our, &their)),
                (_, _) => Shown::Nothing,
            },
        }
    }
}

fn body(body: &Bytes, is_form: bool, marks: &[(String, &str)]) -> Shown {
    if body.is_empty() {
        return Shown::Nothing;
    }
    if is_form {
        let fields = form_urlencoded::parse(body);
        let fields = fields.map(|(name, value)| (named(&name, marks), named(&value, marks)));
        return Shown::Fields(fields.collect());
    }
    let text = match serde_json::from_slice::<Json>(body) {
        Ok(json) => format!("{json:#}"),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    Shown::Text(named(&text, marks))
}

/// A header's value; what `Basic` encodes is shown decoded.
fn header_value(value: &str, marks: &[(String, &str)]) -> String {
    let decoded = value.strip_prefix("Basic ").and_then(|encoded| {
        let bytes = STANDARD.decode(encoded).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let is_ours = marks.iter().any(|(mark, _)| text.contains(mark));
        is_ours.then_some(text)
    });
    match decoded {
        Some(pair) => format!("Basic base64({})", named(&pair, marks)),
        None => named(value, marks),
    }
}

/// A text with the names of credentials in the place of marks.
fn named(text: &str, marks: &[(String, &str)]) -> String {
    let mut shown = text.to_owned();
    for (mark, name) in marks {
        shown = shown.replace(mark, &format!("{HIDDEN}({name})"));
    }
    shown
}

/// An address without the user and password that a configured one may have.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => url.to_owned(),
    }
}

/// What is the same in both; the words that are not are hidden.
fn alike(one: &str, other: &str) -> String {
    if one == other {
        return one.to_owned();
    }
    let (ours, theirs) = (words(one), words(other));
    if ours.len() != theirs.len() {
        return HIDDEN.to_owned();
    }
    let both = ours.into_iter().zip(theirs);
    both.map(|(our, their)| if our == their { our } else { HIDDEN })
        .collect()
}

/// Words and what stands between them, in order; together they are the text.
fn words(text: &str) -> Vec<&str> {
    let is_between = |c: char| c.is_whitespace() || ",:;=&?\"'()[]{}<>|".contains(c);
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = match rest.find(is_between) {
            Some(0) => rest.chars().next().map_or(rest.len(), char::len_utf8),
            Some(at) => at,
            None => rest.len(),
        };
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, expected: &str) {
        assert_eq!(alike(one, other), expected);
        assert_eq!(alike(other, one), expected);
    }

    #[test]
    fn what_was_computed_from_credentials_is_hidden() {
        check("same", "same", "same");
        check("aGVsbG8/+1=", "d29ybGQ/+2=", "•••=");
        check(
            "V1 Signed=host;date, Signature=0f1e",
            "V1 Signed=host;date, Signature=9b8c",
            "V1 Signed=host;date, Signature=•••",
        );
        check("a b", "a", "•••");
        check("", "é", "•••");
    }

    #[test]
    fn a_user_in_an_address_is_hidden() {
        let check = |url, expected: &str| assert_eq!(without_user(url), expected);
        check("https://me:secret@v.example/p", "https://•••@v.example/p");
        check("https://v.example/p?to=a@b", "https://v.example/p?to=a@b");
        check("https://v.example?to=a@b", "https://v.example?to=a@b");
    }
}
