//! The vendor's side of a definition: knows its own requests, objects to wrong ones, and writes answers.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, Request, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ring::signature::{KeyPair, RsaKeyPair};
use serde_json::Value as Json;

use crate::flow::Channel;
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::authorization::Auth;
use crate::vendor::definition::{Body, Operation, Simulated, SimulatedBody};
use crate::vendor::template::{Fill, Slot, Tree};

/// Why a vendor would not even look at a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What it would have been, where the path tells.
    pub channel: Option<Channel>,
    pub status: StatusCode,
    /// What is wrong, without quoting the request.
    pub message: String,
}

impl Objection {
    fn new(status: StatusCode, message: impl Into<String>) -> Objection {
        Objection {
            channel: None,
            status,
            message: message.into(),
        }
    }
}

/// What a request asks a vendor for, read back from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    pub channel: Channel,
    /// The number as the vendor was given it, with or without its `+`.
    pub to: Option<String>,
    /// The client's own name for the message.
    pub reference: Option<String>,
    /// Where the client wants its receipts.
    pub callback: Option<String>,
    /// Where the client has written what the call is to say.
    pub script: Option<String>,
}

/// Without number and addresses.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// What a request to this vendor asks for.
    ///
    /// # Errors
    /// When the path is unknown, the credentials are not this account's, or a required field is missing.
    pub fn recognise(&self, request: &Request<Bytes>, now: Moment) -> Result<Asked, Objection> {
        let fill = |slot: &Slot| match slot {
            Slot::Credential(name) => self.credential(name),
            _ => None,
        };
        let path = request.uri().path();
        let asked = |(_, operation): &&(Channel, Operation)| operation.may_have_path(path, &fill);
        // Two channels may have one path: then the request itself tells which it is of.
        let mut objection = Objection::new(StatusCode::NOT_FOUND, "no such path");
        for (channel, operation) in self.definition().operations.iter().filter(asked) {
            match operation.object_to(request, &fill, now) {
                Ok(()) => return Ok(operation.asked(*channel, request)),
                Err(objected) if objection.channel.is_none() => {
                    objection = Objection {
                        channel: Some(*channel),
                        ..objected
                    };
                }
                Err(_) => {}
            }
        }
        Err(objection)
    }
}

/// What the simulator's answer says of a message.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub id: &'a str,
    pub error: &'a str,
    pub asked: Option<&'a Asked>,
    pub now: Moment,
}

impl Operation {
    fn object_to(
        &self,
        request: &Request<Bytes>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<(), Objection> {
        if self.method != *request.method() {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Objection::new(status, "another method is needed"));
        }
        self.authenticate(request, fill, now)?;
        let bad = |message: String| Objection::new(StatusCode::BAD_REQUEST, message);
        self.check_headers(request, fill).map_err(bad)?;
        self.check_fields(request, fill).map_err(bad)
    }

    fn asked(&self, channel: Channel, request: &Request<Bytes>) -> Asked {
        Asked {
            channel,
            to: self.taken_from(&Slot::To, request),
            reference: self.taken_from(&Slot::Reference, request),
            callback: self.taken_from(&Slot::Callback, request),
            script: self.taken_from(&Slot::Script, request),
        }
    }

    /// What a slot of the query or the body was filled with.
    fn taken_from(&self, slot: &Slot, request: &Request<Bytes>) -> Option<String> {
        let query = request.uri().query().unwrap_or_default();
        let in_path = || {
            let taken = self.path.taken_from(slot, request.uri().path())?;
            let pair = format!("x={}", taken.replace('+', "%2B"));
            form_urlencoded::parse(pair.as_bytes())
                .next()
                .map(|(_, v)| v.into_owned())
        };
        let in_query = taken_from_pairs(&self.query, query.as_bytes(), slot);
        in_query.or_else(in_path).or_else(|| match &self.body {
            Body::Nothing => None,
            Body::Form(fields) => taken_from_pairs(fields, request.body(), slot),
            Body::Json(tree) => {
                let json: Json = serde_json::from_slice(request.body()).ok()?;
                tree.taken_from(slot, &json)
            }
        })
    }

    fn authenticate(
        &self,
        request: &Request<Bytes>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<(), Objection> {
        let refused = || Objection::new(StatusCode::UNAUTHORIZED, "the credentials are wrong");
        if let Auth::Jwt { key, claims, .. } = &self.auth {
            let key = key.fill(fill).ok().flatten().ok_or_else(refused)?;
            return verify_token(request, &key, claims, fill, now).ok_or_else(refused);
        }
        let made_at = self.auth.made_at(request);
        let expected = self.auth.headers(request, fill, made_at);
        let expected = expected.map_err(|_| refused())?;
        let given = |(name, value): &(HeaderName, String)| {
            let given = request.headers().get(name);
            given.is_some_and(|g| g.as_bytes() == value.as_bytes())
        };
        expected.iter().all(given).then_some(()).ok_or_else(refused)
    }

    /// Every header is there; what can be told without a message is right.
    fn check_headers(&self, request: &Request<Bytes>, fill: &Fill<'_>) -> Result<(), String> {
        let fill = |slot: &Slot| match slot {
            Slot::Body => std::str::from_utf8(request.body()).ok().map(str::to_owned),
            other => fill(other),
        };
        for (name, template) in &self.headers {
            let Some(given) = request.headers().get(name) else {
                if template.is_optional() {
                    continue;
                }
                return Err(format!("the header `{name}` is missing"));
            };
            let constant = template.fill(&fill).ok().flatten();
            if constant.is_some_and(|c| c.as_bytes() != given.as_bytes()) {
                return Err(format!("the header `{name}` is wrong"));
            }
        }
        Ok(())
    }

    fn check_fields(&self, request: &Request<Bytes>, fill: &Fill<'_>) -> Result<(), String> {
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        // Another type is among the headers, and checked there.
        let is_usual = self.headers.iter().all(|(name, _)| *name != CONTENT_TYPE);
        let is_of = |usual: &str| !is_usual || content_type.starts_with(usual);
        let query = request.uri().query().unwrap_or_default();
        require_pairs(&self.query, query.as_bytes(), fill)?;
        match &self.body {
            Body::Nothing => Ok(()),
            Body::Form(_) if !is_of("application/x-www-form-urlencoded") => {
                Err("the body must be a form".to_owned())
            }
            Body::Form(fields) => require_pairs(fields, request.body(), fill),
            Body::Json(_) if !is_of("application/json") => Err("the body must be JSON".to_owned()),
            Body::Json(tree) => {
                let json: Option<Json> = serde_json::from_slice(request.body()).ok();
                let json = json.ok_or("the body is not JSON")?;
                require_tree(tree, &json, "", fill)
            }
        }
    }
}

fn taken_from_pairs(fields: &[(String, Tree)], body: &[u8], slot: &Slot) -> Option<String> {
    form_urlencoded::parse(body).find_map(|(name, value)| {
        let (_, tree) = fields.iter().find(|(known, _)| *known == name)?;
        tree.taken_from(slot, &Json::from(value))
    })
}

/// Every field that may not be left out is there, and credentials among them are right.
fn require_pairs(fields: &[(String, Tree)], body: &[u8], fill: &Fill<'_>) -> Result<(), String> {
    let given: BTreeMap<_, _> = form_urlencoded::parse(body).collect();
    for (name, tree) in fields {
        let value = given.get(name.as_str()).filter(|v| !v.is_empty());
        let Some(value) = value else {
            if tree.is_optional() {
                continue;
            }
            return Err(format!("`{name}` is missing"));
        };
        // What can be filled without a job is a constant or a credential.
        let constant = tree.fill(fill).ok().flatten();
        if constant.is_some_and(|c| c.as_str().is_some_and(|c| c != &**value)) {
            return Err(format!("`{name}` is wrong"));
        }
    }
    Ok(())
}

fn require_tree(tree: &Tree, json: &Json, at: &str, fill: &Fill<'_>) -> Result<(), String> {
    let wrong = || format!("`{at}` is missing or of another type");
    match (tree, json) {
        (Tree::Table(fields), Json::Object(object)) => {
            for (name, tree) in fields {
                let at = format!("{at}/{name}");
                match object.get(name) {
                    Some(value) => require_tree(tree, value, &at, fill)?,
                    None if tree.is_optional() => {}
                    None => return Err(format!("`{at}` is missing")),
                }
            }
            Ok(())
        }
        (Tree::List(trees), Json::Array(values)) if trees.len() == values.len() => trees
            .iter()
            .zip(values)
            .enumerate()
            .try_for_each(|(i, (tree, value))| {
                require_tree(tree, value, &format!("{at}/{i}"), fill)
            }),
        (Tree::Text(_), Json::String(text)) if text.is_empty() => Err(wrong()),
        (Tree::Text(_), Json::String(_) | Json::Number(_))
        | (Tree::Whole(_), Json::Number(_))
        | (Tree::Flag(_), Json::Bool(_)) => {
            let constant = tree.fill(fill).ok().flatten();
            match constant.is_none_or(|constant| constant == *json) {
                true => Ok(()),
                false => Err(format!("`{at}` is wrong")),
            }
        }
        _ => Err(wrong()),
    }
}

/// Checks an RS256 bearer token with the public half of the account's own key.
fn verify_token(
    request: &Request<Bytes>,
    pem: &str,
    claims: &[(String, Tree)],
    fill: &Fill<'_>,
    now: Moment,
) -> Option<()> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let token = header.strip_prefix("Bearer ")?;
    let body: String = pem.lines().filter(|l| !l.starts_with("-----")).collect();
    let der = STANDARD.decode(body).ok()?;
    let pair = RsaKeyPair::from_pkcs8(&der).ok()?;
    let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let key = DecodingKey::from_rsa_raw_components(&public.n, &public.e);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_aud = false;
    // Its times are judged by the clock that this room is told.
    validation.validate_exp = false;
    let given = jsonwebtoken::decode::<Json>(token, &key, &validation)
        .ok()?
        .claims;
    let same = |(name, tree): &(String, Tree)| {
        let expected = tree.fill(fill).ok().flatten();
        expected.as_ref() == given.get(name)
    };
    let lives = now.0 / 1000 < given["exp"].as_i64()?;
    let is_named = given["jti"].as_str().is_some_and(|id| !id.is_empty());
    (lives && is_named && claims.iter().all(same)).then_some(())
}

impl Simulated {
    /// The answer, with what is said of the message filled in.
    pub fn answer(&self, said: &Said<'_>) -> (http::response::Parts, Bytes) {
        let fill = |slot: &Slot| match slot {
            Slot::Id => Some(said.id.to_owned()),
            Slot::Error => Some(said.error.to_owned()),
            Slot::To => said.asked?.to.clone(),
            Slot::Reference => said.asked?.reference.clone(),
            Slot::Now => Some(said.now.to_rfc3339_seconds()),
            _ => None,
        };
        let (content_type, body) = match &self.body {
            SimulatedBody::Nothing => (None, None),
            SimulatedBody::Json(tree) => {
                let json = tree.fill(&fill).ok().flatten();
                (Some("application/json"), json.map(|j| j.to_string()))
            }
            SimulatedBody::Text(text) => (Some("text/plain"), text.fill(&fill).ok().flatten()),
        };
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        if let Some(content_type) = content_type {
            let value = http::HeaderValue::from_static(content_type);
            head.headers.insert(CONTENT_TYPE, value);
        }
        for (name, value) in &self.headers {
            if let Ok(value) = value.parse() {
                head.headers.insert(name.clone(), value);
            }
        }
        (head, Bytes::from(body.unwrap_or_default()))
    }
}
