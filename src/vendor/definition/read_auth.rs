//! Reads how a definition's requests are authenticated.

use crate::document::{At, Table, Value};
use crate::vendor::authorization::{Auth, SigV4};
use crate::vendor::definition::read::{Reader, header_name};
use crate::vendor::keyed::Keyed;
use crate::vendor::template::{Place, Slot, Template};

/// A token lives so long, in milliseconds, unless the definition says otherwise.
const TOKEN_LIFE_MS: i64 = 900_000;

#[derive(Clone, Copy)]
enum Scheme {
    InRequest,
    Basic,
    Header,
    Jwt,
    Hmac,
    SigV4,
}

const SCHEMES: [(&str, Scheme); 6] = [
    ("in_request", Scheme::InRequest),
    ("basic", Scheme::Basic),
    ("header", Scheme::Header),
    ("jwt_rs256", Scheme::Jwt),
    ("hmac_sha256", Scheme::Hmac),
    ("sigv4", Scheme::SigV4),
];

impl Reader<'_> {
    pub(super) fn auth(&self, table: &Table<'_>) -> Option<Auth> {
        let text = |key| table.require(key, |v| self.template(v));
        let auth = match table.require("scheme", |v| v.one_of(&SCHEMES))? {
            Scheme::InRequest => Some(Auth::InRequest),
            Scheme::Basic => text("user")
                .zip(text("password"))
                .map(|(user, password)| Auth::Basic { user, password }),
            Scheme::Header => {
                let name = table.read("name", |v| self.header_of_account(v));
                let name = name.unwrap_or_else(|| Template::words("authorization"));
                text("value").map(|value| Auth::Header { name, value })
            }
            Scheme::Jwt => {
                let claims = table.read("claims", |v| self.fields(v));
                let life = table.read("life", |v| v.duration_ms(60_000, 86_400_000));
                text("key").map(|key| Auth::Jwt {
                    key,
                    claims: claims.unwrap_or_default(),
                    life_s: life.unwrap_or(TOKEN_LIFE_MS) / 1000,
                })
            }
            Scheme::Hmac => {
                let signed = table.require("signed", |v| self.template_in(v, Place::Signed));
                let header = header_or(table, "header", "authorization");
                let keyed = self.keyed(table, signed.unwrap_or(Template::words("")), header);
                keyed.map(|keyed| Auth::Hmac(Box::new(keyed)))
            }
            Scheme::SigV4 => self.sigv4(table).map(|sigv4| Auth::SigV4(Box::new(sigv4))),
        };
        table.finish();
        auth
    }

    /// What is signed with HMAC-SHA256, of our requests and of receipts.
    pub(super) fn keyed(
        &self,
        table: &Table<'_>,
        signed: Template,
        header: Option<http::HeaderName>,
    ) -> Option<Keyed> {
        let key = table.require("key", |v| self.secret(v));
        let key_base64 = table.read("key_base64", Value::boolean).unwrap_or(false);
        let value = table.read("value", |v| self.template_in(v, Place::Signature));
        let hex = table.read("encoding", |v| {
            v.one_of(&[("base64", false), ("hex", true)])
        });
        Some(Keyed {
            key: key?,
            key_base64,
            signed,
            header: header?,
            value: value.unwrap_or_else(|| Template::slot(Slot::Signature)),
            hex: hex.unwrap_or(false),
        })
    }

    fn sigv4(&self, table: &Table<'_>) -> Option<SigV4> {
        let text = |key| table.require(key, |v| self.secret(v));
        let service = table.require("service", Value::string);
        let (region, access_key, secret_key) =
            (text("region"), text("access_key"), text("secret_key"));
        Some(SigV4 {
            service: service?.value,
            region: region?,
            access_key: access_key?,
            secret_key: secret_key?,
        })
    }

    /// The name of a header, which may be one of the account's credentials.
    fn header_of_account(&self, value: Value<'_>) -> Option<Template> {
        let name = self.secret(value)?;
        if name.slots().next().is_none() {
            let text = name.fill(&|_| None).ok().flatten().unwrap_or_default();
            if text.parse::<http::HeaderName>().is_err() {
                return value.wrong(format!("`{text}` is not a header's name"), None);
            }
        }
        Some(name)
    }
}

/// A header that is named, or the usual one.
pub(super) fn header_or(
    table: &Table<'_>,
    key: &'static str,
    usual: &str,
) -> Option<http::HeaderName> {
    let written = table.read(key, Value::string);
    let usual = At {
        value: usual.to_owned(),
        span: table.span.clone(),
    };
    header_name(table, written.unwrap_or(usual))
}
