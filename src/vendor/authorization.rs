//! How a request proves whose it is: each scheme is made here, and checked by the simulator with the same words.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderName, Request};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::time::Moment;
use crate::vendor::definition::Fields;
use crate::vendor::keyed::{Keyed, Parts};
use crate::vendor::request::Unfit;
use crate::vendor::template::{Fill, Slot, Template};

/// How a request is authenticated.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Credentials are in the body, the query or a header of the request.
    InRequest,
    Basic {
        user: Template,
        password: Template,
    },
    Header {
        name: Template,
        value: Template,
    },
    /// A bearer token signed with the account's RSA key (RS256), with `iat`, `exp` and `jti`.
    Jwt {
        key: Template,
        claims: Fields,
        life_s: i64,
    },
    /// HMAC-SHA256 over parts of the request.
    Hmac(Box<Keyed>),
    /// AWS Signature Version 4.
    SigV4(Box<SigV4>),
}

/// The scope and the key of AWS Signature Version 4.
#[derive(Clone, Debug)]
pub(crate) struct SigV4 {
    pub(crate) service: String,
    pub(crate) region: Template,
    pub(crate) access_key: Template,
    pub(crate) secret_key: Template,
}

/// Headers of a request, as they are sent.
pub(crate) type Headers = Vec<(HeaderName, String)>;

impl Auth {
    /// The headers that authenticate a request which is otherwise complete; none where the request itself does.
    pub(crate) fn headers(
        &self,
        request: &Request<Bytes>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<Headers, Unfit> {
        Ok(match self {
            Auth::InRequest => Vec::new(),
            Auth::Basic { user, password } => {
                let pair = format!("{}:{}", filled(user, fill)?, filled(password, fill)?);
                vec![(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))]
            }
            Auth::Header { name, value } => {
                let name = filled(name, fill)?.parse().map_err(|_| Unfit::Credential)?;
                vec![(name, filled(value, fill)?)]
            }
            Auth::Jwt {
                key,
                claims,
                life_s,
            } => {
                let token = token(&filled(key, fill)?, claims, *life_s, fill, now)?;
                vec![(AUTHORIZATION, format!("Bearer {token}"))]
            }
            Auth::Hmac(keyed) => {
                let value = parts(request, |parts| keyed.value(parts, fill));
                vec![(keyed.header.clone(), value.ok_or(Unfit::Credential)?)]
            }
            Auth::SigV4(sigv4) => sigv4.headers(request, fill, now)?,
        })
    }

    /// When a request was signed, where the request tells.
    pub(crate) fn made_at(&self, request: &Request<Bytes>) -> Moment {
        let date = request.headers().get("x-amz-date");
        let date = date.and_then(|date| date.to_str().ok());
        let at = date.and_then(|d| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", d).ok());
        let at = at.and_then(|d| jiff::tz::Offset::UTC.to_timestamp(d).ok());
        Moment(at.map_or(0, |at| at.as_millisecond()))
    }

    /// Every template.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Auth::InRequest => Vec::new(),
            Auth::Basic { user, password } => vec![user, password],
            Auth::Header { name, value } => vec![name, value],
            Auth::Jwt { key, claims, .. } => {
                let claims = claims.iter().flat_map(|(_, tree)| tree.templates());
                [key].into_iter().chain(claims).collect()
            }
            Auth::Hmac(keyed) => vec![&keyed.key, &keyed.signed, &keyed.value],
            Auth::SigV4(sigv4) => vec![&sigv4.region, &sigv4.access_key, &sigv4.secret_key],
        }
    }
}

fn filled(template: &Template, fill: &Fill<'_>) -> Result<String, Unfit> {
    Ok(template.fill(fill)?.unwrap_or_default())
}

fn token(
    key: &str,
    claims: &Fields,
    life_s: i64,
    fill: &Fill<'_>,
    now: Moment,
) -> Result<String, Unfit> {
    let issued_at = now.0 / 1000;
    let mut all = json!({ "iat": issued_at, "exp": issued_at + life_s, "jti": fill(&Slot::Nonce) });
    for (name, tree) in claims {
        if let Some(value) = tree.fill(fill)? {
            all[name] = value;
        }
    }
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).map_err(|_| Unfit::Credential)?;
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &all, &key).map_err(|_| Unfit::Credential)
}

impl SigV4 {
    /// `x-amz-date` and `authorization`. The host, the type of the body and all `x-amz-` headers are signed.
    fn headers(
        &self,
        request: &Request<Bytes>,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<Headers, Unfit> {
        let access_key = filled(&self.access_key, fill)?;
        let secret_key = filled(&self.secret_key, fill)?;
        let identity = Credentials::new(access_key, secret_key, None, None, "account").into();
        let region = filled(&self.region, fill)?;
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        let time = UNIX_EPOCH + Duration::from_millis(now.0.unsigned_abs());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(&self.service)
            .time(time)
            .settings(settings)
            .build()
            .map_err(|_| Unfit::Credential)?;
        let host = parts(request, |parts| parts.host()).ok_or(Unfit::NoAddress)?;
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let signed = request.headers().iter().filter_map(|(name, value)| {
            let name = name.as_str();
            let is_signed =
                name == "content-type" || (name.starts_with("x-amz-") && name != "x-amz-date");
            Some((name, value.to_str().ok()?)).filter(|_| is_signed)
        });
        let headers = [(HOST.as_str(), host.as_str())].into_iter().chain(signed);
        let signable = SignableRequest::new(
            request.method().as_str(),
            format!("https://{host}{path}"),
            headers,
            SignableBody::Bytes(request.body()),
        );
        let signable = signable.map_err(|_| Unfit::Credential)?;
        let made = sign(signable, &params.into()).map_err(|_| Unfit::Credential)?;
        let (instructions, _) = made.into_parts();
        let headers = instructions.headers();
        let headers =
            headers.filter_map(|(name, value)| Some((name.parse().ok()?, value.to_owned())));
        Ok(headers.collect())
    }
}

/// The parts of a request from which signatures are made.
fn parts<T>(request: &Request<Bytes>, with: impl FnOnce(&Parts<'_>) -> T) -> T {
    let url = request.uri().to_string();
    with(&Parts {
        method: request.method(),
        url: &url,
        headers: request.headers(),
        body: request.body(),
    })
}
