//! The envelope of a notification service: RSA over some of its fields, with the key in a certificate.
//!
//! Whatever is not signed is not read: not here, not as a receipt and not as a handshake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value as Json};

use crate::time::Moment;
use crate::vendor::address::{Address, Allowed};
use crate::vendor::certificate::{Certificate, Hash};
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::signature::{fresh, genuine, same};
use crate::vendor::template::{Fill, Template};

/// An envelope is believed this long after its time: it is sent again for a while where we were not there.
const AGE_MAX_S: i64 = 3_600;
/// It may be this far ahead of our clock.
const AHEAD_MAX_S: i64 = 300;
/// What a certificate's path ends in.
const CERTIFICATE_END: &str = ".pem";
/// The version that the simulator signs with: SHA-256.
const SANDBOX_VERSION: &str = "2";

const MESSAGE: &str = "Message";
const MESSAGE_ID: &str = "MessageId";
/// Only there when it is set.
const SUBJECT: &str = "Subject";
const TIMESTAMP: &str = "Timestamp";
const TOPIC: &str = "TopicArn";
const TYPE: &str = "Type";
const SIGNATURE: &str = "Signature";
const SIGNATURE_VERSION: &str = "SignatureVersion";
const CERTIFICATE: &str = "SigningCertURL";

/// What is signed of each kind of message, in this order.
const NOTIFICATION: [&str; 6] = [MESSAGE, MESSAGE_ID, SUBJECT, TIMESTAMP, TOPIC, TYPE];
const CONFIRMATION: [&str; 7] = [
    MESSAGE,
    MESSAGE_ID,
    "SubscribeURL",
    TIMESTAMP,
    "Token",
    TOPIC,
    TYPE,
];

/// The settings of the scheme.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Envelope {
    /// The only topic that is listened to: anybody can have others signed by the same key.
    pub(crate) topic: Template,
    /// The certificate in PEM; else it is fetched.
    pub(crate) certificate: Option<Template>,
    /// The hosts that certificates are fetched from.
    pub(crate) hosts: Allowed,
    /// The key of the example certificate, for the simulator.
    pub(crate) sandbox_key: Option<String>,
    /// Where the simulator says that its certificate is.
    pub(crate) sandbox_address: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Notification,
    Subscription,
    /// Somebody ended the subscription.
    Unsubscription,
}

impl Kind {
    pub(crate) fn of(root: &Json) -> Option<Kind> {
        match root.get(TYPE)?.as_str()? {
            "Notification" => Some(Kind::Notification),
            "SubscriptionConfirmation" => Some(Kind::Subscription),
            "UnsubscribeConfirmation" => Some(Kind::Unsubscription),
            _ => None,
        }
    }

    fn signed(self) -> &'static [&'static str] {
        match self {
            Kind::Notification => &NOTIFICATION,
            Kind::Subscription | Kind::Unsubscription => &CONFIRMATION,
        }
    }
}

impl Envelope {
    pub(crate) fn check(
        &self,
        callback: &Callback<'_>,
        topic: &str,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Result<(), Refusal> {
        let root = read(callback.body).ok_or(Refusal::Forged)?;
        let claim = Claim::of(&root).ok_or(Refusal::Forged)?;
        let own = self.own_certificate(fill);
        let certificate = match &own {
            Some(pem) => Certificate::from_pem(pem.as_bytes()),
            None => self.fetched(&root, callback),
        };
        let certificate = certificate.ok_or(Refusal::Forged)?;
        genuine(same(claim.topic.as_bytes(), topic.as_bytes()))?;
        genuine(certificate.signed(claim.message.as_bytes(), &claim.signature, claim.hash))?;
        claim.fresh(now)
    }

    /// The certificate that was fetched, if this is one of the places where it may be from: the account's other
    /// channel may fetch elsewhere.
    fn fetched(&self, root: &Json, callback: &Callback<'_>) -> Option<Certificate> {
        let address = root.get(CERTIFICATE)?.as_str()?;
        let certificate = callback.certificate.filter(|_| self.may_fetch(address))?;
        Some(certificate.clone())
    }

    /// The address of the certificate that an envelope is said to be signed with. `None` where none is needed, or
    /// where all else that can be checked without it is wrong already.
    pub(crate) fn certificate_address(
        &self,
        callback: &Callback<'_>,
        topic: &str,
        fill: &Fill<'_>,
        now: Moment,
    ) -> Option<String> {
        let root = read(callback.body)?;
        let claim = Claim::of(&root)?;
        let meant = self.own_certificate(fill).is_none()
            && same(claim.topic.as_bytes(), topic.as_bytes())
            && claim.fresh(now).is_ok();
        let address = root.get(CERTIFICATE)?.as_str()?;
        (meant && self.may_fetch(address)).then(|| address.to_owned())
    }

    /// Whether a certificate may be fetched from this address.
    pub(crate) fn may_fetch(&self, address: &str) -> bool {
        Address::read(address).is_some_and(|address| {
            self.hosts.has_host(&address)
                && address.path.ends_with(CERTIFICATE_END)
                && address.query.is_none()
        })
    }

    /// Puts a message into an envelope and signs it.
    pub(crate) fn wrapped(&self, message: &[u8], topic: &str, now: Moment) -> Option<Bytes> {
        let message = std::str::from_utf8(message).ok()?;
        let id = ring::digest::digest(&ring::digest::SHA256, message.as_bytes());
        let id = id.as_ref().first_chunk()?;
        let id = uuid::Builder::from_custom_bytes(*id).into_uuid();
        let fields = [
            (TYPE, "Notification"),
            (MESSAGE_ID, &id.to_string()),
            (TOPIC, topic),
            (MESSAGE, message),
            (TIMESTAMP, &now.to_rfc3339()),
            (SIGNATURE_VERSION, SANDBOX_VERSION),
        ];
        let fields = fields.map(|(name, text)| (name.to_owned(), Json::from(text)));
        let mut root = Map::from_iter(fields);
        let address = self.sandbox_address.as_deref();
        root.extend(address.map(|a| (CERTIFICATE.to_owned(), Json::from(a))));
        let mut root = Json::Object(root);
        let signed = self.signature(canonical(&root)?.as_bytes())?;
        root[SIGNATURE] = Json::from(STANDARD.encode(signed));
        Some(Bytes::from(root.to_string()))
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        let key = self.sandbox_key.as_deref()?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).ok()?;
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
        let mut signature = vec![0; key.public().modulus_len()];
        let random = SystemRandom::new();
        key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .ok()?;
        Some(signature)
    }

    fn own_certificate(&self, fill: &Fill<'_>) -> Option<String> {
        self.certificate.as_ref()?.fill(fill).ok().flatten()
    }
}

/// What an envelope says of itself.
struct Claim<'a> {
    topic: &'a str,
    at: Moment,
    /// What is signed.
    message: String,
    signature: Vec<u8>,
    hash: Hash,
}

impl<'a> Claim<'a> {
    fn of(root: &'a Json) -> Option<Claim<'a>> {
        let text = |name: &str| root.get(name)?.as_str();
        Some(Claim {
            topic: text(TOPIC)?,
            at: Moment::from_rfc3339(text(TIMESTAMP)?)?,
            message: canonical(root)?,
            signature: STANDARD.decode(text(SIGNATURE)?).ok()?,
            hash: match text(SIGNATURE_VERSION)? {
                "1" => Hash::Sha1,
                "2" => Hash::Sha256,
                _ => return None,
            },
        })
    }

    fn fresh(&self, now: Moment) -> Result<(), Refusal> {
        fresh(self.at.0.div_euclid(1000), now, AGE_MAX_S, AHEAD_MAX_S)
    }
}

fn read(body: &[u8]) -> Option<Json> {
    serde_json::from_slice(body).ok()
}

/// The text that is signed: names and values, each on a line of its own.
fn canonical(root: &Json) -> Option<String> {
    let mut signed = String::new();
    for name in Kind::of(root)?.signed() {
        let Some(value) = root.get(name).and_then(Json::as_str) else {
            match *name {
                SUBJECT => continue,
                _ => return None,
            }
        };
        // Only the message may have lines of its own: with others, what is signed could be split in two ways.
        if *name != MESSAGE && value.contains(['\n', '\r']) {
            return None;
        }
        signed.extend([name, "\n", value, "\n"]);
    }
    Some(signed)
}

/// Only what is signed.
pub(crate) fn signed_fields(root: Json) -> Json {
    let kind = Kind::of(&root);
    let (Json::Object(mut fields), Some(kind)) = (root, kind) else {
        return Json::Null;
    };
    fields.retain(|name, _| kind.signed().contains(&name.as_str()));
    Json::Object(fields)
}

/// The same envelope with this done to its signature.
pub(crate) fn with_signature(body: &[u8], change: impl FnOnce(&str) -> String) -> Option<Bytes> {
    let mut root = read(body)?;
    let changed = change(root.get(SIGNATURE)?.as_str()?);
    root[SIGNATURE] = Json::from(changed);
    Some(Bytes::from(root.to_string()))
}
