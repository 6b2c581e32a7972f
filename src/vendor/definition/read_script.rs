//! Reads `[voice.script]`, and holds it to the request that tells the vendor where it is.

use http::HeaderValue;

use crate::document::{At, Table, Value};
use crate::flow::Channel;
use crate::vendor::definition::Operation;
use crate::vendor::definition::read::Reader;
use crate::vendor::script::Script;
use crate::vendor::signature::Proof;
use crate::vendor::template::{Slot, Template};

const DEFAULT_CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/xml");

impl Reader<'_> {
    /// The script of a call; a text message has none.
    pub(super) fn script(&self, channel: Channel, table: &Table<'_>) -> Option<Script> {
        if channel != Channel::Voice {
            let hint = |_: &str| "only a call says something that is fetched".to_owned();
            table.misplaced(&["script"], hint);
            return None;
        }
        let table = table.read("script", Value::table)?;
        let content_type = table.read("content_type", content_type);
        let body = table.require("body", |v| self.script_body(v));
        let proof = match table.get("auth") {
            Some(auth) => auth.table().and_then(|t| self.proof(&t, &Slot::Path)),
            None => Some(Proof::Reference),
        };
        table.finish();
        Some(Script {
            content_type: content_type.unwrap_or(DEFAULT_CONTENT_TYPE),
            body: body?,
            proof: proof?,
        })
    }

    fn script_body(&self, value: Value<'_>) -> Option<Template> {
        let template = self.template(value)?;
        if template.is_optional() {
            let hint = "without the `?`, a call that lacks the value goes to another vendor";
            return value.wrong("no slot of a script has a `?`", Some(hint.to_owned()));
        }
        let told = template.slots().find_map(|slot| match slot {
            Slot::Credential(_) => Some("credentials have no place in what a vendor fetches"),
            Slot::Script => Some("a script cannot hold its own address"),
            _ => None,
        });
        match told {
            Some(message) => value.wrong(message, None),
            None => Some(template),
        }
    }
}

/// Tells of a script that nobody is told of, of an address with nothing at it, and of a script that would be gone
/// before it is fetched: a delivery without receipts is over as soon as the vendor has accepted.
pub(super) fn check_script(channel: Channel, table: &Table<'_>, operation: &Operation) {
    let told = operation.slots().contains(&&Slot::Script);
    let written = table.get("script").is_some();
    let error = |message: &str, hint: &str| {
        table.error(table.span.clone(), message, Some(hint.to_owned()));
    };
    match (channel, told) {
        (Channel::Sms, true) => error(
            "a text message has no `{script}`",
            "only a call says something that is fetched",
        ),
        (Channel::Voice, true) if !written => error(
            "`{script}` is the address of nothing",
            "write `[voice.script]`, with the `body` that the vendor fetches",
        ),
        (Channel::Voice, false) if written => error(
            "no field of the request has `{script}`",
            "the vendor must be told where its script is",
        ),
        (Channel::Sms | Channel::Voice, _) => {}
    }
    if channel == Channel::Voice && written && table.get("receipts").is_none() {
        error(
            "calls with a script need `receipts`",
            "without them a delivery is over, and its script gone, as soon as the vendor accepts",
        );
    }
}

/// `text/xml`, perhaps with parameters behind a semicolon.
fn content_type(value: Value<'_>) -> Option<HeaderValue> {
    let At { value: text, .. } = value.string()?;
    let (essence, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let (kind, form) = essence.split_once('/').unwrap_or_default();
    let is_kind = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphabetic());
    let is_form = |b: u8| b.is_ascii_alphanumeric() || b".+-".contains(&b);
    let fits = is_kind
        && !form.is_empty()
        && form.bytes().all(is_form)
        && parameters.bytes().all(|b| (b' '..=b'~').contains(&b));
    match HeaderValue::from_str(&text) {
        Ok(header) if fits => Some(header),
        Ok(_) | Err(_) => {
            let hint = Some("such as `text/xml`".to_owned());
            value.wrong(format!("`{text}` is no content type"), hint)
        }
    }
}
