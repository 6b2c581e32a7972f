//! The vendor's side of a definition: knows its own requests, objects to wrong ones, and writes answers.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ring::signature::{KeyPair, RsaKeyPair};
use serde_json::Value as Json;

use crate::flow::Channel;
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::definition::{Auth, Body, Operation, Simulated};
use crate::vendor::template::{Fill, Slot, Tree};

/// Why a vendor would not even look at a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    pub status: StatusCode,
    /// What is wrong, without quoting the request.
    pub message: String,
}

impl Objection {
    fn new(status: StatusCode, message: impl Into<String>) -> Objection {
        Objection {
            status,
            message: message.into(),
        }
    }
}

/// What a request asks a vendor for, read back from it.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Account {
    /// What a request to this vendor asks for.
    ///
    /// # Errors
    /// When the path is unknown, the credentials are not this account's, or a required field is missing.
    pub fn recognise(&self, request: &Request<Bytes>) -> Result<Asked, Objection> {
        let fill = |slot: &Slot| match slot {
            Slot::Credential(name) => self.credential(name),
            _ => None,
        };
        let asked = |operation: &Operation| {
            let path = operation.path_of(&fill).ok();
            path.as_deref() == Some(request.uri().path())
        };
        let operations = &self.definition().operations;
        let Some((channel, operation)) = operations.iter().find(|(_, o)| asked(o)) else {
            return Err(Objection::new(StatusCode::NOT_FOUND, "no such path"));
        };
        if operation.method != *request.method() {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Objection::new(status, "another method is needed"));
        }
        operation.authenticate(request, &fill)?;
        operation.check_fields(request, &fill)?;
        Ok(Asked {
            channel: *channel,
            to: operation.taken_from(&Slot::To, request),
            reference: operation.taken_from(&Slot::Reference, request),
            callback: operation.taken_from(&Slot::Callback, request),
            script: operation.taken_from(&Slot::Script, request),
        })
    }
}

impl Operation {
    /// What a slot of the query or the body was filled with.
    fn taken_from(&self, slot: &Slot, request: &Request<Bytes>) -> Option<String> {
        let query = request.uri().query().unwrap_or_default();
        taken_from_pairs(&self.query, query.as_bytes(), slot).or_else(|| match &self.body {
            Body::Nothing => None,
            Body::Form(fields) => taken_from_pairs(fields, request.body(), slot),
            Body::Json(tree) => {
                let json: Json = serde_json::from_slice(request.body()).ok()?;
                tree.taken_from(slot, &json)
            }
        })
    }

    fn authenticate(&self, request: &Request<Bytes>, fill: &Fill<'_>) -> Result<(), Objection> {
        let refused = || Objection::new(StatusCode::UNAUTHORIZED, "the credentials are wrong");
        if let Auth::Jwt { key, claims, .. } = &self.auth {
            let key = key.fill(fill).ok().flatten().ok_or_else(refused)?;
            return verify_token(request, &key, claims, fill).ok_or_else(refused);
        }
        let expected = self
            .auth
            .header(fill, "", Moment(0))
            .map_err(|_| refused())?;
        let Some((name, value)) = expected else {
            return Ok(());
        };
        let given = request.headers().get(name);
        if given.is_some_and(|g| g.as_bytes() == value.as_bytes()) {
            return Ok(());
        }
        Err(refused())
    }

    fn check_fields(&self, request: &Request<Bytes>, fill: &Fill<'_>) -> Result<(), Objection> {
        let bad = |message: String| Objection::new(StatusCode::BAD_REQUEST, message);
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let query = request.uri().query().unwrap_or_default();
        require_pairs(&self.query, query.as_bytes(), fill).map_err(bad)?;
        match &self.body {
            Body::Nothing => Ok(()),
            Body::Form(fields) => {
                if !content_type.starts_with("application/x-www-form-urlencoded") {
                    return Err(bad("the body must be a form".to_owned()));
                }
                require_pairs(fields, request.body(), fill).map_err(bad)
            }
            Body::Json(tree) => {
                if !content_type.starts_with("application/json") {
                    return Err(bad("the body must be JSON".to_owned()));
                }
                let json: Option<Json> = serde_json::from_slice(request.body()).ok();
                let json = json.ok_or_else(|| bad("the body is not JSON".to_owned()))?;
                require_tree(tree, &json, "").map_err(bad)
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

fn require_tree(tree: &Tree, json: &Json, at: &str) -> Result<(), String> {
    let wrong = || format!("`{at}` is missing or of another type");
    match (tree, json) {
        (Tree::Table(fields), Json::Object(object)) => {
            for (name, tree) in fields {
                let at = format!("{at}/{name}");
                match object.get(name) {
                    Some(value) => require_tree(tree, value, &at)?,
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
            .try_for_each(|(i, (tree, value))| require_tree(tree, value, &format!("{at}/{i}"))),
        (Tree::Text(_), Json::String(text)) if !text.is_empty() => Ok(()),
        (Tree::Text(_) | Tree::Whole(_), Json::Number(_)) | (Tree::Flag(_), Json::Bool(_)) => {
            Ok(())
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
    let given = jsonwebtoken::decode::<Json>(token, &key, &validation)
        .ok()?
        .claims;
    let same = |(name, tree): &(String, Tree)| {
        let expected = tree.fill(fill).ok().flatten();
        expected.as_ref() == given.get(name)
    };
    claims.iter().all(same).then_some(())
}

impl Simulated {
    /// The answer, with a message id and an error code filled in.
    pub fn answer(&self, id: &str, error: &str) -> (http::response::Parts, Bytes) {
        let fill = |slot: &Slot| match slot {
            Slot::Id => Some(id.to_owned()),
            Slot::Error => Some(error.to_owned()),
            _ => None,
        };
        let json = self.json.as_ref();
        let json = json.and_then(|tree| tree.fill(&fill).ok().flatten());
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        for (name, value) in &self.headers {
            if let Ok(value) = value.parse() {
                head.headers.insert(name.clone(), value);
            }
        }
        if json.is_some() {
            let value = http::HeaderValue::from_static("application/json");
            head.headers.insert(CONTENT_TYPE, value);
        }
        let body = json.map(|j| j.to_string()).unwrap_or_default();
        (head, Bytes::from(body))
    }
}
