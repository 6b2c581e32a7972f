//! Reads delivery reports: first who sent them is proven, then codes come out, never texts.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde_json::{Map, Value as Json};

use crate::flow::{Channel, Progress, Reason, Receipt};
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::certificate::Certificate;
use crate::vendor::definition::{Coded, Fields};
use crate::vendor::handshake::Handshake;
use crate::vendor::request::pairs;
use crate::vendor::signature::{Proof, SignedIn, envelope};
use crate::vendor::template::{Fill, Slot, Tree};
use crate::vendor::verdict::{all_at, text_of};

/// Receipts in one request, at most; the rest are not read.
pub const RECEIPTS_PER_REQUEST_MAX: usize = 1_000;
/// A code is at most this long; what is longer is a text.
const CODE_CHARS_MAX: usize = 64;
/// As many digits in a row may be a phone number, which is not kept.
const CODE_DIGITS_MAX: usize = 6;

/// A request that came to the address we gave a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    pub method: &'a Method,
    /// The full address as the vendor was told, with its query.
    pub url: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    /// The reference in the path was ours and its seal was right.
    pub reference_proven: bool,
    /// The certificate that it is said to be signed with, where one was asked for.
    pub certificate: Option<&'a Certificate>,
}

/// One receipt, and which message it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub message_id: Option<String>,
    /// Our own name for the attempt, where the vendor tells it.
    pub reference: Option<String>,
    pub receipt: Receipt,
}

/// Why a request to a receipts' address is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be shown to be the vendor's own.
    Forged,
    /// It was the vendor's own once: its time is too long ago or ahead of ours.
    Stale,
    /// It is the vendor's own and no receipt that the definition knows.
    Unreadable,
}

impl Refusal {
    /// The name used in metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Forged => "forged",
            Refusal::Stale => "stale",
            Refusal::Unreadable => "unreadable",
        }
    }
}

/// A receipt that the simulator is to send.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Where the client wants it.
    pub url: &'a str,
    pub message_id: &'a str,
    /// The client's own name for the message.
    pub reference: Option<&'a str>,
    /// The number as E.164.
    pub to: &'a str,
    pub progress: Progress,
    /// Why it failed; the definition's default otherwise.
    pub code: Option<&'a str>,
    /// To be signed wrongly, on purpose.
    pub forged: bool,
}

/// How a channel's receipts look and how they are authenticated.
#[derive(Clone, Debug)]
pub(crate) struct Receipts {
    /// Where the fields are; tried in this order.
    pub(crate) written: Vec<Written>,
    /// The text in a JSON body that is itself JSON, and the receipt.
    pub(crate) envelope: Option<String>,
    /// The array of receipts, where one request holds several.
    pub(crate) each: Option<String>,
    /// What only this channel's receipts have, where another's are otherwise alike.
    pub(crate) only_with: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) reference: Option<String>,
    /// Pointers to the status; of several, the first one whose word is listed counts.
    pub(crate) status: Vec<String>,
    pub(crate) progress: Vec<(String, Progress)>,
    pub(crate) coded: Coded,
    pub(crate) proof: Proof,
    pub(crate) handshake: Option<Handshake>,
    pub(crate) simulation: SimulatedReceipt,
}

/// How a receipt's fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Form,
    Json,
    Query,
}

/// What the simulator sends.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedReceipt {
    pub(crate) written: Written,
    pub(crate) fields: Fields,
    pub(crate) intermediate: String,
    pub(crate) delivered: String,
    pub(crate) failed: String,
    pub(crate) default_error: String,
}

impl Account {
    /// Whether the definition knows this channel's receipts.
    pub fn reports(&self, channel: Channel) -> bool {
        let operation = self.definition().operation(channel);
        operation.is_some_and(|o| o.receipts.is_some())
    }

    /// The news in a request. Where two channels' receipts look alike, the first one that understands it names
    /// the channel; those that say how to tell theirs are asked first.
    ///
    /// # Errors
    /// When it cannot be shown to be the vendor's own, or no channel's receipts look like it.
    pub fn receipts(
        &self,
        callback: &Callback<'_>,
        now: Moment,
    ) -> Result<Vec<(Channel, News)>, Refusal> {
        let mut refusal = None;
        let mut operations: Vec<_> = self.definition().operations.iter().collect();
        let told_apart = |r: &Receipts| r.only_with.is_some();
        operations.sort_by_key(|(_, o)| !o.receipts.as_ref().is_some_and(told_apart));
        for (channel, _) in operations {
            match self.receipts_of(*channel, callback, now) {
                Ok(Some(news)) => return Ok(news.into_iter().map(|n| (*channel, n)).collect()),
                Ok(None) => {}
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        Err(refusal.unwrap_or(Refusal::Unreadable))
    }

    /// The same for one channel; `None` when its receipts do not look like this.
    pub(crate) fn receipts_of(
        &self,
        channel: Channel,
        callback: &Callback<'_>,
        now: Moment,
    ) -> Result<Option<Vec<News>>, Refusal> {
        let operation = self.definition().operation(channel);
        let Some(receipts) = operation.and_then(|o| o.receipts.as_ref()) else {
            return Ok(None);
        };
        let credentials = |slot: &Slot| self.credential_in(slot);
        receipts.proof.check(callback, &credentials, now)?;
        Ok(receipts.news(callback))
    }

    /// What the vendor wants to hear when its receipt has arrived.
    pub fn receipt_reply(&self) -> StatusCode {
        self.definition().receipt_reply
    }

    /// The receipt that the simulator sends, signed as the vendor signs. `None` where the vendor has none, or
    /// no word for this progress.
    pub fn receipt_request(
        &self,
        channel: Channel,
        told: &Told<'_>,
        now: Moment,
    ) -> Option<Request<Bytes>> {
        let receipts = self.definition().operation(channel)?.receipts.as_ref()?;
        let mut request = receipts.simulation.request(told)?;
        let signed_in = self.sign_receipt(channel, &mut request, now);
        if told.forged {
            forge(&mut request, signed_in)?;
        }
        Some(request)
    }

    /// Signs as the vendor would; gives where the signature is.
    pub(crate) fn sign_receipt(
        &self,
        channel: Channel,
        request: &mut Request<Bytes>,
        now: Moment,
    ) -> Option<SignedIn> {
        let receipts = self.definition().operation(channel)?.receipts.as_ref()?;
        let credentials = |slot: &Slot| self.credential_in(slot);
        receipts.proof.sign(request, &credentials, now)
    }

    pub(crate) fn credential_in(&self, slot: &Slot) -> Option<String> {
        let Slot::Credential(name) = slot else {
            return None;
        };
        self.credential(name)
    }
}

impl Receipts {
    /// The news in a request that is the vendor's own; `None` when it is not understood.
    fn news(&self, callback: &Callback<'_>) -> Option<Vec<News>> {
        let roots = self.written.iter().filter_map(|w| w.fields(callback));
        let mut opened = roots.filter_map(|root| self.opened(root));
        opened.find_map(|root| self.news_in(&root))
    }

    /// What is in the envelope, or the whole.
    fn opened(&self, root: Json) -> Option<Json> {
        let root = self.proof.vouched(root);
        let Some(envelope) = &self.envelope else {
            return Some(root);
        };
        let inside = root.pointer(envelope)?.as_str()?;
        serde_json::from_str(inside).ok()
    }

    fn news_in(&self, root: &Json) -> Option<Vec<News>> {
        let items = match &self.each {
            Some(each) => match root.pointer(each)? {
                Json::Array(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            },
            None => std::slice::from_ref(root),
        };
        let items = items.iter().take(RECEIPTS_PER_REQUEST_MAX);
        let news: Vec<News> = items.filter_map(|item| self.news_of(item)).collect();
        (!news.is_empty()).then_some(news)
    }

    fn news_of(&self, item: &Json) -> Option<News> {
        if let Some(pointer) = &self.only_with {
            item.pointer(pointer)?;
        }
        let texts = |pointers: &[String]| -> Vec<String> {
            let found = pointers.iter().flat_map(|p| all_at(item, p));
            found
                .filter_map(text_of)
                .filter(|t| !t.is_empty())
                .collect()
        };
        let at = |pointer: &Option<String>| texts(pointer.as_slice()).into_iter().next();
        let (message_id, reference) = (at(&self.message_id), at(&self.reference));
        if message_id.is_none() && reference.is_none() {
            return None;
        }
        let words = texts(&self.status);
        let listed = words.iter().find_map(|word| self.progress_of(word));
        let (status, progress) = listed.or_else(|| Some((words.first()?, Progress::Unknown)))?;
        let receipt = match progress {
            Progress::Failed => {
                let codes = texts(&self.coded.code);
                self.failure(codes.iter().chain(&words), status)
            }
            Progress::Delivered | Progress::Intermediate | Progress::Unknown => Receipt {
                progress,
                reason: None,
                code: code_word(status),
                capped: false,
            },
        };
        Some(News {
            message_id,
            reference,
            receipt,
        })
    }

    fn progress_of<'a>(&self, word: &'a String) -> Option<(&'a String, Progress)> {
        let found = self.progress.iter().find(|(known, _)| known == word);
        found.map(|(_, progress)| (word, *progress))
    }

    /// The first code or status that has a reason; else the first code, and nobody knows why.
    fn failure<'a>(
        &self,
        mut codes: impl Iterator<Item = &'a String> + Clone,
        status: &str,
    ) -> Receipt {
        let first = codes.clone().next();
        let capped = codes.clone().any(|c| self.coded.is_cap(c));
        let listed = codes.find_map(|c| Some((c, self.coded.reason_of(c)?)));
        let (code, reason) = match listed {
            Some((code, reason)) => (code.as_str(), reason),
            None => (first.map_or(status, String::as_str), Reason::Unknown),
        };
        Receipt {
            progress: Progress::Failed,
            reason: Some(reason),
            code: code_word(code),
            capped,
        }
    }
}

impl Written {
    /// The fields as JSON; those of a form or a query are a flat object of texts.
    fn fields(self, callback: &Callback<'_>) -> Option<Json> {
        let flat = |pairs: &[u8]| {
            let pairs = form_urlencoded::parse(pairs);
            let fields: Map<String, Json> = pairs
                .map(|(name, value)| (name.into_owned(), Json::from(value)))
                .collect();
            Json::Object(fields)
        };
        match self {
            Written::Form => Some(flat(callback.body)),
            Written::Json => serde_json::from_slice(callback.body).ok(),
            Written::Query => {
                let (_, query) = callback.url.split_once('?')?;
                Some(flat(query.as_bytes()))
            }
        }
    }
}

impl SimulatedReceipt {
    fn request(&self, told: &Told<'_>) -> Option<Request<Bytes>> {
        let (status, error) = match told.progress {
            Progress::Intermediate => (&self.intermediate, None),
            Progress::Delivered => (&self.delivered, None),
            Progress::Failed => (&self.failed, Some(told.code.unwrap_or(&self.default_error))),
            Progress::Unknown => return None,
        };
        let fill = |slot: &Slot| match slot {
            Slot::Id => Some(told.message_id.to_owned()),
            Slot::Status => Some(status.clone()),
            Slot::Error => error.map(str::to_owned),
            Slot::To => Some(told.to.to_owned()),
            Slot::Reference => told.reference.map(str::to_owned),
            Slot::From
            | Slot::Text
            | Slot::Code
            | Slot::Callback
            | Slot::Validity
            | Slot::Encoding
            | Slot::Language(_)
            | Slot::Parameter(_)
            | Slot::Credential(_)
            | Slot::Token => None,
        };
        let (method, url, content_type, body) = self.parts(told.url, &fill)?;
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .body(Bytes::from(body))
            .ok()?;
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        Some(request)
    }

    fn parts(
        &self,
        url: &str,
        fill: &Fill<'_>,
    ) -> Option<(Method, String, Option<&'static str>, String)> {
        Some(match self.written {
            Written::Form => {
                let body = pairs(&self.fields, fill).ok()?;
                let form = "application/x-www-form-urlencoded";
                (Method::POST, url.to_owned(), Some(form), body)
            }
            Written::Json => {
                let tree = Tree::Table(self.fields.clone());
                let body = tree.fill(fill).ok()??.to_string();
                (Method::POST, url.to_owned(), Some("application/json"), body)
            }
            Written::Query => {
                let joint = if url.contains('?') { '&' } else { '?' };
                let url = format!("{url}{joint}{}", pairs(&self.fields, fill).ok()?);
                (Method::GET, url, None, String::new())
            }
        })
    }
}

/// Changes one character of the signature, or of the reference in the address where nothing is signed.
fn forge(request: &mut Request<Bytes>, signed_in: Option<SignedIn>) -> Option<()> {
    match signed_in {
        None => {
            let path = request.uri().path().to_owned();
            let url = request.uri().to_string();
            *request.uri_mut() = url.replacen(&path, &changed(&path), 1).parse().ok()?;
        }
        Some(SignedIn::Header(name)) => {
            let value = changed(request.headers().get(&name)?.to_str().ok()?);
            request.headers_mut().insert(name, value.parse().ok()?);
        }
        Some(SignedIn::Envelope) => {
            *request.body_mut() = envelope::with_signature(request.body(), changed)?;
        }
    }
    Some(())
}

/// Another character near the end; the last ones may be padding, which some readers skip.
fn changed(text: &str) -> String {
    let at = text.chars().count().saturating_sub(5);
    let change = |(i, c)| match c {
        '1' if i == at => '2',
        _ if i == at => '1',
        c => c,
    };
    text.chars().enumerate().map(change).collect()
}

/// A code as it is kept; not what may be a text or a phone number.
fn code_word(text: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len);
    let plain = text.len() <= CODE_CHARS_MAX
        && text.chars().all(word)
        && digits.max().unwrap_or(0) <= CODE_DIGITS_MAX;
    plain.then(|| text.to_owned())
}

/// A key under which the ids of one message are equal although answer and receipt write them differently:
/// in another case, with more or fewer leading zeros, or with spaces around.
pub fn same_id(id: &str) -> String {
    let id = id.trim().to_ascii_lowercase();
    id.trim_start_matches('0').to_owned()
}
