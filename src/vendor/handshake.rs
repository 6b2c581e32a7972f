//! What is told once when an address for receipts is set up, and what the vendor wants to see us do then.

use std::fmt;

use serde_json::Value as Json;

use crate::flow::Channel;
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::address::{Address, Allowed};
use crate::vendor::pick::all_at;
use crate::vendor::proving::Proving;
use crate::vendor::receipt::{Callback, News, Receipts, Refusal};
use crate::vendor::signature::Proof;
use crate::vendor::template::{Slot, Tree};

/// A token that we send back is at most this long.
const TOKEN_CHARS_MAX: usize = 2_048;

/// How a vendor asks whether an address is ours.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    /// Where the token is; a request that has one is a handshake.
    pub(crate) token: String,
    pub(crate) answer: Answer,
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// JSON with the token in it.
    Reply(Tree),
    /// The token is an address that is to be visited, if it begins so.
    Visit(Allowed),
}

/// What a proven request says.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    News(Vec<(Channel, News)>),
    Greeting(Greeting),
}

/// What is to be done about a handshake.
#[derive(Clone, PartialEq, Eq)]
pub enum Greeting {
    /// Answer with this.
    Reply(Json),
    /// Go to this address once.
    Visit(String),
    /// Nothing: it is the other way round, the vendor will tell no more.
    Farewell,
}

/// Without the token.
impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Greeting::Reply(_) => "Reply",
            Greeting::Visit(_) => "Visit",
            Greeting::Farewell => "Farewell",
        })
    }
}

impl Account {
    /// What a request to a receipts' address says: a handshake, or news.
    ///
    /// # Errors
    /// When it cannot be shown to be the vendor's own, or nothing that the definition knows looks like it.
    pub fn hear(&self, callback: &Callback<'_>, now: Moment) -> Result<Heard, Refusal> {
        let mut proving = Proving::new(self, callback, now);
        if let Some(greeting) = self.greeting(callback, &mut proving)? {
            return Ok(Heard::Greeting(greeting));
        }
        self.proven_receipts(callback, &mut proving)
            .map(Heard::News)
    }

    /// The address of the certificate without which a request cannot be proven.
    pub fn certificate_address(&self, callback: &Callback<'_>, now: Moment) -> Option<String> {
        let fill = |slot: &Slot| self.credential_in(slot);
        let mut proofs: Vec<&Proof> = self.all_receipts().map(|r| &r.proof).collect();
        // There are two channels: equal proofs stand beside each other.
        proofs.dedup();
        let mut proofs = proofs.into_iter();
        proofs.find_map(|proof| proof.certificate_address(callback, &fill, now))
    }

    /// The body is not even read before its proof.
    fn greeting<'a>(
        &'a self,
        callback: &Callback<'_>,
        proving: &mut Proving<'a>,
    ) -> Result<Option<Greeting>, Refusal> {
        let greeted = self.all_receipts().filter(|r| r.handshake.is_some());
        for receipts in greeted {
            // What is not proven may still be another channel's, or be refused as a receipt.
            if proving.check(&receipts.proof).is_ok()
                && let Some(greeting) = receipts.greeting(callback.body)
            {
                return greeting.map(Some);
            }
        }
        Ok(None)
    }

    pub(super) fn all_receipts(&self) -> impl Iterator<Item = &Receipts> {
        let operations = self.definition().operations.iter();
        operations.filter_map(|(_, operation)| operation.receipts.as_ref())
    }
}

impl Receipts {
    /// The handshake in a body, whoever it is from; `None` when it is none.
    fn greeting(&self, body: &[u8]) -> Option<Result<Greeting, Refusal>> {
        let handshake = self.handshake.as_ref()?;
        let root = self.proof.vouched(serde_json::from_slice(body).ok()?);
        if self.proof.is_farewell(&root) {
            return Some(Ok(Greeting::Farewell));
        }
        let found = all_at(&root, &handshake.token);
        let token = found.into_iter().find_map(Json::as_str)?;
        Some(handshake.answer(token).ok_or(Refusal::Unreadable))
    }
}

impl Handshake {
    fn answer(&self, token: &str) -> Option<Greeting> {
        match &self.answer {
            Answer::Reply(tree) => {
                let fill = |slot: &Slot| (*slot == Slot::Token).then(|| token.to_owned());
                let fits = token.chars().count() <= TOKEN_CHARS_MAX;
                let reply = tree.fill(&fill).ok().flatten();
                reply.filter(|_| fits).map(Greeting::Reply)
            }
            Answer::Visit(allowed) => {
                let address = Address::read(token)?;
                let may = allowed.has_beginning(&address);
                may.then(|| Greeting::Visit(token.to_owned()))
            }
        }
    }
}
