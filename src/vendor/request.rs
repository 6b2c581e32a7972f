//! Renders the request that asks a vendor for one message.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use serde_json::Value as Json;

use crate::number::PhoneNumber;
use crate::time::Moment;
use crate::vendor::definition::{Body, OTHERS, Operation, Validity};
use crate::vendor::template::{Fill, Form, Slot, Template, Tree, Unfilled, uuid_of};

/// One message for one vendor.
#[derive(Clone)]
pub struct Job<'a> {
    pub to: &'a PhoneNumber,
    pub from: Option<&'a str>,
    /// The final text, with the passcode in it; never logged.
    pub text: &'a crate::flow::Secret,
    pub code: Option<&'a crate::flow::Secret>,
    /// Our name for this attempt: the delivery and the attempt's number.
    pub reference: &'a str,
    /// Where the vendor may send this attempt's receipts.
    pub callback: Option<&'a str>,
    /// Where the vendor may fetch what this attempt's call is to say.
    pub script: Option<&'a str>,
    /// What is left of the passcode's life, in milliseconds.
    pub left_ms: i64,
    /// Whether the text needs UCS-2.
    pub ucs2: bool,
    /// The language that the text is read in, as a BCP 47 tag.
    pub language: &'a str,
    /// What the text's template says beside it.
    pub parameters: &'a BTreeMap<Arc<str>, Arc<str>>,
}

/// Without text and addresses; of the number only what support sees.
impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("to", self.to)
            .field("from", &self.from)
            .field("reference", &self.reference)
            .field("left_ms", &self.left_ms)
            .field("ucs2", &self.ucs2)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Why a definition cannot ask for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It has no such channel.
    NoChannel,
    /// Neither it nor the account says where the vendor is.
    NoAddress,
    /// No public address is known at which it could fetch what the call is to say.
    NoScriptAddress,
    /// This slot has no value.
    Lacks(Slot),
    /// A credential cannot be used as it is (a key that is none, a line break in a header).
    Credential,
}

impl From<Unfilled> for Unfit {
    fn from(unfilled: Unfilled) -> Unfit {
        Unfit::Lacks(unfilled.0)
    }
}

/// Looks a credential up.
type Credentials<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Operation {
    pub(crate) fn request(
        &self,
        base_url: &str,
        credentials: &Credentials<'_>,
        job: &Job<'_>,
        now: Moment,
    ) -> Result<Request<Bytes>, Unfit> {
        self.check_script(job, now)?;
        let fill = |slot: &Slot| self.value(slot, credentials, job, now);
        let mut uri = format!("{}{}", base_url.trim_end_matches('/'), self.path_of(&fill)?);
        let query = pairs(&self.query, &fill)?;
        if !query.is_empty() {
            uri = format!("{uri}?{query}");
        }
        let (content_type, body) = match &self.body {
            Body::Nothing => (None, String::new()),
            Body::Form(fields) => {
                let form = pairs(fields, &fill)?;
                (Some("application/x-www-form-urlencoded"), form)
            }
            Body::Json(tree) => {
                let json = tree.fill(&fill)?.unwrap_or(Json::Null);
                (Some("application/json"), json.to_string())
            }
        };
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .body(Bytes::from(body))
            .map_err(|_| Unfit::Credential)?;
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        self.write_headers(&mut request, &fill)?;
        for (name, value) in self.auth.headers(&request, &fill, now)? {
            request.headers_mut().insert(name, secret_header(&value)?);
        }
        Ok(request)
    }

    /// The headers that the definition names, which may tell of the body.
    fn write_headers(&self, request: &mut Request<Bytes>, fill: &Fill<'_>) -> Result<(), Unfit> {
        let body = request.body().clone();
        let fill = |slot: &Slot| match slot {
            Slot::Body => std::str::from_utf8(&body).ok().map(str::to_owned),
            other => fill(other),
        };
        for (name, template) in &self.headers {
            if let Some(value) = template.fill(&fill)? {
                request
                    .headers_mut()
                    .insert(name.clone(), secret_header(&value)?);
            }
        }
        Ok(())
    }

    /// The path; what fills its slots is escaped.
    pub(crate) fn path_of(&self, fill: &Fill<'_>) -> Result<String, Unfilled> {
        let path = self.path.fill_written(fill, &in_path)?;
        path.ok_or(Unfilled(Slot::Reference))
    }

    /// Whether a request of this operation may have this path.
    pub(crate) fn may_have_path(&self, path: &str, fill: &Fill<'_>) -> bool {
        // A request without a path has this one.
        let path = if self.path.is_empty() {
            path.trim_start_matches('/')
        } else {
            path
        };
        self.path.may_give(path, fill, &in_path)
    }

    /// Every slot of the request.
    pub(crate) fn slots(&self) -> Vec<&Slot> {
        let templates = self.templates().into_iter();
        templates.flat_map(Template::slots).collect()
    }

    /// Every slot of what the vendor is sent, without those of a script that it fetches.
    pub(crate) fn sent_slots(&self) -> Vec<&Slot> {
        let templates = self.sent_templates().into_iter();
        templates.flat_map(Template::slots).collect()
    }

    /// Every slot without which the request cannot be made.
    pub(crate) fn needed_slots(&self) -> impl Iterator<Item = &Slot> {
        let templates = self.templates().into_iter();
        templates.flat_map(Template::needed_slots)
    }

    /// Whether it cannot be made without a sender.
    pub(crate) fn needs_sender(&self) -> bool {
        self.needed_slots().any(|slot| *slot == Slot::From)
    }

    /// Whether the vendor is told with each message where its receipts are to go.
    pub(crate) fn is_called_back(&self) -> bool {
        self.slots().contains(&&Slot::Callback)
    }

    fn templates(&self) -> Vec<&Template> {
        let mut templates = self.sent_templates();
        templates.extend(self.script.iter().map(|script| &script.body));
        templates
    }

    fn sent_templates(&self) -> Vec<&Template> {
        let mut templates: Vec<&Template> = vec![&self.path];
        templates.extend(self.query.iter().flat_map(|(_, t)| t.templates()));
        templates.extend(self.headers.iter().map(|(_, t)| t));
        templates.extend(self.auth.templates());
        match &self.body {
            Body::Nothing => {}
            Body::Form(fields) => templates.extend(fields.iter().flat_map(|(_, t)| t.templates())),
            Body::Json(tree) => templates.extend(tree.templates()),
        }
        templates
    }

    pub(crate) fn value(
        &self,
        slot: &Slot,
        credentials: &Credentials<'_>,
        job: &Job<'_>,
        now: Moment,
    ) -> Option<String> {
        match slot {
            Slot::To => Some(job.to.e164().to_owned()),
            Slot::From => job.from.map(str::to_owned),
            Slot::Text => Some(job.text.expose().to_owned()),
            Slot::Code => job.code.map(|c| c.expose().to_owned()),
            Slot::Reference => Some(job.reference.to_owned()),
            Slot::Callback => job.callback.map(str::to_owned),
            Slot::Script => job.script.map(str::to_owned),
            Slot::Validity => self.validity.map(|v| v.of(job.left_ms).to_string()),
            Slot::Expires => {
                let left_ms = self.validity.map_or(job.left_ms, |v| v.of_ms(job.left_ms));
                Some(now.plus_ms(left_ms).to_rfc3339_seconds())
            }
            Slot::Now => Some(now.to_rfc3339_seconds()),
            Slot::Nonce => Some(uuid_of(job.reference)),
            Slot::Encoding => self
                .encoding
                .as_ref()
                .map(|(gsm7, ucs2)| if job.ucs2 { ucs2 } else { gsm7 }.clone()),
            Slot::Language(form) => Some(self.language(job.language, *form)),
            Slot::Parameter(name) => job.parameters.get(name.as_str()).map(|v| v.to_string()),
            Slot::Credential(name) => credentials(name),
            // What is signed, and what only the simulator says.
            Slot::Method
            | Slot::Host
            | Slot::Path
            | Slot::ContentType
            | Slot::Body
            | Slot::Header(_)
            | Slot::Signature
            | Slot::Id
            | Slot::Error
            | Slot::Status
            | Slot::Token => None,
        }
    }

    /// The vendor's own name of a language: that of the whole tag, of as much of it as is listed, else that of
    /// what the vendor does not speak, else the tag in the form that the vendor wants.
    fn language(&self, tag: &str, form: Form) -> String {
        let listed = |part: &str| {
            let mut languages = self.languages.iter();
            languages.find(|(known, _)| known.eq_ignore_ascii_case(part))
        };
        let speaks = self.speaks.as_ref();
        let is_foreign = speaks.is_some_and(|speaks| !speaks.has(tag));
        let mut part = tag;
        loop {
            if let Some((_, own)) = listed(part) {
                return own.clone();
            }
            match (part.rfind('-'), form) {
                (Some(at), _) => part = &part[..at],
                (None, _) if is_foreign && listed(OTHERS).is_some() => part = OTHERS,
                (None, Form::Primary) => return part.to_owned(),
                (None, Form::Tag) => return tag.to_owned(),
            }
        }
    }
}

impl Validity {
    /// Whole units of what is left, rounded down, within the vendor's range.
    fn of(self, left_ms: i64) -> i64 {
        (left_ms / self.unit_ms).clamp(self.least, self.most)
    }

    /// The same in milliseconds.
    fn of_ms(self, left_ms: i64) -> i64 {
        self.of(left_ms).saturating_mul(self.unit_ms)
    }
}

/// What stands in a path, escaped.
fn in_path(value: String) -> String {
    let bytes = form_urlencoded::byte_serialize(value.as_bytes());
    bytes.collect::<String>().replace('+', "%20")
}

fn secret_header(value: &str) -> Result<HeaderValue, Unfit> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Unfit::Credential)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `name=value` pairs; a list gives its name once for each element.
pub(crate) fn pairs(fields: &[(String, Tree)], fill: &Fill<'_>) -> Result<String, Unfilled> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, tree) in fields {
        let Some(value) = tree.fill(fill)? else {
            continue;
        };
        let values = match value {
            Json::Array(values) => values,
            single => vec![single],
        };
        for value in values {
            match value {
                Json::String(text) => form.append_pair(name, &text),
                other => form.append_pair(name, &other.to_string()),
            };
        }
    }
    Ok(form.finish())
}
