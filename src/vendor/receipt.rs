//! Reads delivery reports: first who sent them is proven, then codes come out, never texts.

mod lacking;
pub(crate) mod simulated;
pub(crate) mod written;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value as Json;

use crate::flow::{Channel, Progress, Reason, Receipt};
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::certificate::Certificate;
use crate::vendor::definition::Coded;
use crate::vendor::handshake::Handshake;
use crate::vendor::pick::{Pick, all_at, code_word, text_of};
use crate::vendor::proving::Proving;
use crate::vendor::receipt::simulated::{SignedIn, SimulatedReceipt, forge};
use crate::vendor::receipt::written::Written;
use crate::vendor::signature::Proof;
use crate::vendor::template::Slot;

pub use simulated::Told;

/// Receipts in one request, at most; the rest are not read.
pub const RECEIPTS_PER_REQUEST_MAX: usize = 1_000;

/// A request that came to the address we gave a vendor.
#[derive(Clone, Copy)]
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

impl<'a> Callback<'a> {
    /// What a simulator sent to `url`, as it is received.
    pub fn of(request: &'a Request<Bytes>, url: &'a str, reference_proven: bool) -> Callback<'a> {
        Callback {
            method: request.method(),
            url,
            headers: request.headers(),
            body: request.body(),
            reference_proven,
            certificate: None,
        }
    }
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

/// What receipts need to be proven by more than the secret address that was given with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// Where they come to, behind our public address, if that is one address for the account.
    pub path: Option<String>,
    /// The names of the credentials that are not there.
    pub with: Vec<String>,
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
    /// Where the status is; of several, the first one whose word is listed counts.
    pub(crate) status: Vec<Pick>,
    pub(crate) progress: Vec<(String, Progress)>,
    pub(crate) coded: Coded,
    pub(crate) proof: Proof,
    pub(crate) handshake: Option<Handshake>,
    pub(crate) simulation: SimulatedReceipt,
}

impl Account {
    /// Whether this channel's receipts can come: the definition knows them, and where the address is the account's
    /// own rather than each message's, the account can tell them from forged ones.
    pub fn reports(&self, channel: Channel) -> bool {
        let Some(operation) = self.definition().operation(channel) else {
            return false;
        };
        let credentials = |slot: &Slot| self.credential_in(slot);
        let receipts = operation.receipts.as_ref();
        receipts.is_some_and(|r| operation.is_called_back() || r.proof.suffices(&credentials))
    }

    /// Whether this channel's receipts come to one address for the whole account.
    pub fn reports_to_one_address(&self, channel: Channel) -> bool {
        let operation = self.definition().operation(channel);
        operation.is_some_and(|o| o.receipts.is_some() && !o.is_called_back())
    }

    /// What it lacks for proving a channel's receipts as well as the vendor allows.
    pub fn unsecured(&self, channel: Channel) -> Option<Secured> {
        let operation = self.definition().operation(channel)?;
        let proof = &operation.receipts.as_ref()?.proof;
        let slots = proof.templates().into_iter().flat_map(|t| t.slots());
        let with = slots.filter_map(|slot| match slot {
            Slot::Credential(name) if self.credential(name).is_none() => Some(name.clone()),
            _ => None,
        });
        let with: Vec<String> = with.collect();
        let secret = match proof {
            Proof::Query { name, .. } => format!("?{name}=SECRET"),
            _ => String::new(),
        };
        let own = format!("/receipts/{}{secret}", self.name());
        let path = (!operation.is_called_back()).then_some(own);
        (!with.is_empty()).then_some(Secured { path, with })
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
        self.proven_receipts(callback, &mut Proving::new(self, callback, now))
    }

    pub(crate) fn proven_receipts<'a>(
        &'a self,
        callback: &Callback<'_>,
        proving: &mut Proving<'a>,
    ) -> Result<Vec<(Channel, News)>, Refusal> {
        let mut refusal = None;
        let mut operations: Vec<_> = self.definition().operations.iter().collect();
        let told_apart = |r: &Receipts| r.only_with.is_some();
        operations.sort_by_key(|(_, o)| !o.receipts.as_ref().is_some_and(told_apart));
        for (channel, _) in operations {
            match self.proven_receipts_of(*channel, callback, proving) {
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
        self.proven_receipts_of(channel, callback, &mut Proving::new(self, callback, now))
    }

    fn proven_receipts_of<'a>(
        &'a self,
        channel: Channel,
        callback: &Callback<'_>,
        proving: &mut Proving<'a>,
    ) -> Result<Option<Vec<News>>, Refusal> {
        let operation = self.definition().operation(channel);
        let Some(receipts) = operation.and_then(|o| o.receipts.as_ref()) else {
            return Ok(None);
        };
        proving.check(&receipts.proof)?;
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
        let mut request = receipts.simulation.request(told, now)?;
        let signed_in = self.sign_receipt(channel, &mut request, now);
        if told.forged {
            forge(&mut request, &signed_in?)?;
        }
        Some(request)
    }

    /// Signs as the vendor would; tells where.
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
            None => match root {
                Json::Array(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            },
        };
        let items = items.iter().take(RECEIPTS_PER_REQUEST_MAX);
        let news: Vec<News> = items.filter_map(|item| self.news_of(item)).collect();
        (!news.is_empty()).then_some(news)
    }

    fn news_of(&self, item: &Json) -> Option<News> {
        if let Some(pointer) = &self.only_with {
            item.pointer(pointer)?;
        }
        let at = |pointer: &Option<String>| {
            let found = all_at(item, pointer.as_deref()?).into_iter();
            found.filter_map(text_of).find(|text| !text.is_empty())
        };
        let picked = |picks: &[Pick]| -> Vec<String> {
            picks.iter().flat_map(|pick| pick.texts(item)).collect()
        };
        let (message_id, reference) = (at(&self.message_id), at(&self.reference));
        if message_id.is_none() && reference.is_none() {
            return None;
        }
        let words = picked(&self.status);
        let listed = words.iter().find_map(|word| self.progress_of(word));
        let (status, progress) = listed.or_else(|| Some((words.first()?, Progress::Unknown)))?;
        let receipt = match progress {
            Progress::Failed => {
                let codes = picked(&self.coded.code);
                self.failure(&codes, &words, status)
            }
            Progress::Delivered | Progress::Intermediate | Progress::Unknown => Receipt {
                progress,
                reason: None,
                code: match listed {
                    Some(_) => Some(status.clone()),
                    None => code_word(status),
                },
                capped: false,
                // A status that nobody listed says nothing.
                unlisted: listed.is_none(),
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
    fn failure(&self, codes: &[String], words: &[String], status: &str) -> Receipt {
        let all = || codes.iter().chain(words);
        let capped = all().any(|c| self.coded.is_cap(c));
        let listed = all().find_map(|c| Some((c, self.coded.reason_of(c)?)));
        let (code, reason) = match listed {
            Some((code, reason)) => (code.as_str(), reason),
            None => (
                codes.first().map_or(status, String::as_str),
                Reason::Unknown,
            ),
        };
        Receipt {
            progress: Progress::Failed,
            reason: Some(reason),
            code: match listed {
                Some(_) => Some(code.to_owned()),
                None => code_word(code),
            },
            capped,
            unlisted: listed.is_none() && !codes.is_empty(),
        }
    }
}

/// A key under which the ids of one message are equal although answer and receipt write them differently:
/// in another case, with more or fewer leading zeros, or with spaces around.
pub fn same_id(id: &str) -> String {
    let id = id.trim().to_ascii_lowercase();
    id.trim_start_matches('0').to_owned()
}
