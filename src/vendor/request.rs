//! Renders the request that asks a vendor for one message.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value as Json, json};

use crate::number::PhoneNumber;
use crate::time::Moment;
use crate::vendor::definition::{Auth, Body, Operation, Validity};
use crate::vendor::template::{Fill, Form, Slot, Template, Tree, Unfilled};

/// One message for one vendor.
#[derive(Clone, Debug)]
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
    /// What is left of the passcode's life, in milliseconds.
    pub left_ms: i64,
    /// Whether the text needs UCS-2.
    pub ucs2: bool,
    /// The language that the text is read in, as a BCP 47 tag.
    pub language: &'a str,
    /// What the text's template says beside it.
    pub parameters: &'a BTreeMap<Arc<str>, Arc<str>>,
}

/// Why a definition cannot ask for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It has no such channel.
    NoChannel,
    /// Neither it nor the account says where the vendor is.
    NoAddress,
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
        let fill = |slot: &Slot| self.value(slot, credentials, job);
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
        let headers = request.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, template) in &self.headers {
            if let Some(value) = template.fill(&fill)? {
                headers.insert(name.clone(), secret_header(&value)?);
            }
        }
        if let Some((name, value)) = self.auth.header(&fill, job.reference, now)? {
            headers.insert(name, secret_header(&value)?);
        }
        Ok(request)
    }

    /// The path; what fills its slots is escaped.
    pub(crate) fn path_of(&self, fill: &Fill<'_>) -> Result<String, Unfilled> {
        let escaped = |slot: &Slot| {
            let value = fill(slot)?;
            let bytes = form_urlencoded::byte_serialize(value.as_bytes());
            Some(bytes.collect::<String>().replace('+', "%20"))
        };
        let path = self.path.fill(&escaped)?;
        path.ok_or(Unfilled(Slot::Reference))
    }

    /// Every slot of the request.
    pub(crate) fn slots(&self) -> Vec<&Slot> {
        let templates = self.templates().into_iter();
        templates.flat_map(Template::slots).collect()
    }

    /// Whether it cannot be made without a sender.
    pub(crate) fn needs_sender(&self) -> bool {
        let mut templates = self.templates().into_iter();
        templates.any(|template| template.needs(&Slot::From))
    }

    fn templates(&self) -> Vec<&Template> {
        let mut templates: Vec<&Template> = vec![&self.path];
        templates.extend(self.query.iter().flat_map(|(_, t)| t.templates()));
        templates.extend(self.headers.iter().map(|(_, t)| t));
        match &self.auth {
            Auth::InRequest => {}
            Auth::Basic { user, password } => templates.extend([user, password]),
            Auth::Header { value, .. } => templates.push(value),
            Auth::Jwt { key, claims, .. } => {
                templates.push(key);
                templates.extend(claims.iter().flat_map(|(_, t)| t.templates()));
            }
        }
        match &self.body {
            Body::Nothing => {}
            Body::Form(fields) => templates.extend(fields.iter().flat_map(|(_, t)| t.templates())),
            Body::Json(tree) => templates.extend(tree.templates()),
        }
        templates
    }

    fn value(&self, slot: &Slot, credentials: &Credentials<'_>, job: &Job<'_>) -> Option<String> {
        match slot {
            Slot::To => Some(job.to.e164().to_owned()),
            Slot::From => job.from.map(str::to_owned),
            Slot::Text => Some(job.text.expose().to_owned()),
            Slot::Code => job.code.map(|c| c.expose().to_owned()),
            Slot::Reference => Some(job.reference.to_owned()),
            Slot::Callback => job.callback.map(str::to_owned),
            Slot::Validity => self.validity.map(|v| v.of(job.left_ms).to_string()),
            Slot::Encoding => self
                .encoding
                .as_ref()
                .map(|(gsm7, ucs2)| if job.ucs2 { ucs2 } else { gsm7 }.clone()),
            Slot::Language(form) => Some(self.language(job.language, *form)),
            Slot::Parameter(name) => job.parameters.get(name.as_str()).map(|v| v.to_string()),
            Slot::Credential(name) => credentials(name),
            Slot::Id | Slot::Error | Slot::Status | Slot::Token => None,
        }
    }

    /// The vendor's own name of a language: that of the whole tag, of as much of it as is listed, else the
    /// tag in the form that the vendor wants.
    fn language(&self, tag: &str, form: Form) -> String {
        let listed = |part: &str| {
            let mut languages = self.languages.iter();
            languages.find(|(known, _)| known.eq_ignore_ascii_case(part))
        };
        let mut part = tag;
        loop {
            if let Some((_, own)) = listed(part) {
                return own.clone();
            }
            match (part.rfind('-'), form) {
                (Some(at), _) => part = &part[..at],
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
}

impl Auth {
    /// The header that authenticates a request; none where the request itself does.
    pub(crate) fn header(
        &self,
        fill: &Fill<'_>,
        reference: &str,
        now: Moment,
    ) -> Result<Option<(HeaderName, String)>, Unfit> {
        let required = |template: &Template| match template.fill(fill) {
            Ok(value) => Ok(value.unwrap_or_default()),
            Err(unfilled) => Err(Unfit::from(unfilled)),
        };
        Ok(match self {
            Auth::InRequest => None,
            Auth::Basic { user, password } => {
                let pair = format!("{}:{}", required(user)?, required(password)?);
                Some((AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair))))
            }
            Auth::Header { name, value } => Some((name.clone(), required(value)?)),
            Auth::Jwt {
                key,
                claims,
                life_s,
            } => {
                let issued_at = now.0 / 1000;
                let mut all = json!({
                    "iat": issued_at,
                    "exp": issued_at + life_s,
                    "jti": reference,
                });
                for (name, tree) in claims {
                    if let Some(value) = tree.fill(fill)? {
                        all[name] = value;
                    }
                }
                let key = EncodingKey::from_rsa_pem(required(key)?.as_bytes())
                    .map_err(|_| Unfit::Credential)?;
                let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &all, &key)
                    .map_err(|_| Unfit::Credential)?;
                Some((AUTHORIZATION, format!("Bearer {token}")))
            }
        })
    }
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
