//! Reads what a definition says of receipts in an envelope and of handshakes.

use crate::document::{Table, Value};
use crate::vendor::address::Allowed;
use crate::vendor::definition::read::Reader;
use crate::vendor::definition::read_answer::pointer;
use crate::vendor::handshake::{Answer, Handshake};
use crate::vendor::receipt::written::Written;
use crate::vendor::signature::Proof;
use crate::vendor::signature::envelope::Envelope;
use crate::vendor::template::{Place, Tree, read_fields};

impl Reader<'_> {
    pub(super) fn rsa_envelope(&self, table: &Table<'_>) -> Option<Proof> {
        let topic = table.require("topic", |v| self.secret(v));
        let certificate = table.read("certificate", |v| self.secret(v));
        let hosts = table.require("hosts", |v| allowed(v, Allowed::hosts));
        let key = table.read("sandbox_key", Value::string);
        let address = table.read("sandbox_address", Value::string);
        let envelope = Envelope {
            topic: topic?,
            certificate,
            hosts: hosts?,
            sandbox_key: key.map(|k| k.value),
            sandbox_address: address.as_ref().map(|a| a.value.clone()),
        };
        if let Some(at) = address.filter(|at| !envelope.may_fetch(&at.value)) {
            let message = format!("no certificate would be fetched from `{}`", at.value);
            let hint = "https, a host that is one of `hosts`, a path that ends in `.pem`";
            table.error(at.span, message, Some(hint.to_owned()));
        }
        Some(Proof::Envelope(envelope))
    }
}

/// Where the receipt is in a body that is an envelope.
pub(super) fn envelope(table: &Table<'_>, written: Option<&Vec<Written>>) -> Option<String> {
    table.read("envelope", |v| {
        if written.is_some_and(|w| !w.contains(&Written::Json)) {
            let message = "an `envelope` is JSON; `body` says otherwise";
            v.wrong::<()>(message, None);
        }
        pointer(v)
    })
}

pub(super) fn handshake(table: &Table<'_>, proof: Option<&Proof>) -> Option<Handshake> {
    if matches!(proof, Some(Proof::Reference)) {
        let message = "a handshake needs an `auth` that proves something";
        let hint = "nobody knows a message's reference before there is a message".to_owned();
        table.error(table.span.clone(), message, Some(hint));
    }
    let token = table.require("token", pointer);
    let reply = table.read("reply", |v| read_fields(v, Place::Reply));
    let visit = table.read("visit", |v| allowed(v, Allowed::beginnings));
    if table.get("reply").is_some() == table.get("visit").is_some() {
        let message = "a handshake has `reply` or `visit`";
        table.error(table.span.clone(), message, None);
    }
    table.finish();
    let answer = match reply {
        Some(fields) => Answer::Reply(Tree::Table(fields)),
        None => Answer::Visit(visit?),
    };
    Some(Handshake {
        token: token?,
        answer,
    })
}

type Read = fn(&str) -> Result<Allowed, (String, Option<String>)>;

fn allowed(value: Value<'_>, read: Read) -> Option<Allowed> {
    match read(&value.string()?.value) {
        Ok(allowed) => Some(allowed),
        Err((message, hint)) => value.wrong(message, hint),
    }
}
