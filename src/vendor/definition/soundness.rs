//! Holds a definition's tables to each other: what can never work is told before anybody tries it.

use crate::document::{Table, Value};
use crate::flow::{Channel, Progress};
use crate::vendor::definition::Operation;
use crate::vendor::pick::Pick;
use crate::vendor::receipt::simulated::SimulatedReceipt;
use crate::vendor::signature::Proof;
use crate::vendor::template::{Slot, Template};

/// Slots that mean what another key says.
const DEFINED: [(Slot, &str); 2] = [(Slot::Validity, "validity"), (Slot::Encoding, "encoding")];

/// Tells of slots that nothing says the meaning of.
pub(super) fn check_defined(table: &Table<'_>, operation: &Operation) {
    let slots = operation.slots();
    for (slot, key) in DEFINED {
        if slots.contains(&&slot) && table.get(key).is_none() {
            let message = format!("nothing says what `{slot}` is");
            let hint = format!("take the field out, or say `{key} = {{ .. }}`");
            table.error(table.span.clone(), message, Some(hint));
        }
    }
}

/// Tells of a request that says too little, and of receipts that nobody could believe.
pub(super) fn check_sent(channel: Channel, table: &Table<'_>, operation: &Operation) {
    let error = |message: &str, hint: &str| {
        table.error(table.span.clone(), message, Some(hint.to_owned()));
    };
    let sent = operation.sent_slots();
    if !sent.contains(&&Slot::To) {
        error(
            "no field of the request has `{to}`",
            "the vendor must be told whose number it is",
        );
    }
    let says = [Slot::Text, Slot::Code, Slot::Script];
    if !says.iter().any(|slot| sent.contains(&slot)) {
        match channel {
            Channel::Sms => error(
                "no field of the request has `{text}` or `{code}`",
                "the vendor must be told what the message says",
            ),
            // That nobody is told of a script is told elsewhere.
            Channel::Voice if table.get("script").is_some() => {}
            Channel::Voice => error(
                "no field of the request has `{text}`, `{code}` or `{script}`",
                "the vendor must be told what the call says",
            ),
        }
    }
    let proof = operation.receipts.as_ref().map(|r| &r.proof);
    if matches!(proof, Some(Proof::Reference)) && !operation.is_called_back() {
        let place = table
            .get("receipts")
            .map_or(table.span.clone(), |v| v.span());
        let message = "nobody could believe these receipts: the request has no `{callback}`";
        let hint = "tell the vendor `{callback}`, or say by `auth` what else proves them";
        table.error(place, message, Some(hint.to_owned()));
    }
}

/// A path of which nothing is left out.
pub(super) fn whole_path(value: Value<'_>, path: Template) -> Option<Template> {
    if path.is_optional() {
        let hint = "without `?`, `|only` and `|except`, a message that lacks the value goes to another vendor";
        return value.wrong("a path has every part", Some(hint.to_owned()));
    }
    Some(path)
}

/// The statuses that the simulator reports are among those of their kind. What a pattern makes of one is not
/// known here.
pub(super) fn check_reported(
    table: &Table<'_>,
    status: &[Pick],
    progress: &[(String, Progress)],
    reported: &SimulatedReceipt,
) {
    let is_plain = |pick: &Pick| pick.pattern.is_none() && pick.at.len() == 1;
    if !status.iter().all(is_plain) {
        return;
    }
    let Some(sandbox) = table.get("sandbox").and_then(Value::table) else {
        return;
    };
    let kinds = [
        (
            "intermediate",
            reported.intermediate.as_ref(),
            Progress::Intermediate,
        ),
        ("delivered", Some(&reported.delivered), Progress::Delivered),
        ("failed", Some(&reported.failed), Progress::Failed),
    ];
    for (key, word, kind) in kinds {
        let (Some(word), Some(value)) = (word, sandbox.get(key)) else {
            continue;
        };
        if progress
            .iter()
            .any(|(known, of)| known == word && *of == kind)
        {
            continue;
        }
        let of_kind = progress.iter().filter(|(_, of)| *of == kind);
        let known: Vec<String> = of_kind.map(|(known, _)| format!("`{known}`")).collect();
        let hint = match known.as_slice() {
            [] => format!("the receipts list none: `{key} = [\"{word}\"]`"),
            known => format!("the receipts list {}", known.join(", ")),
        };
        let message = format!("the receipts do not list this status as `{key}`");
        value.wrong::<()>(message, Some(hint));
    }
}

/// A signature is over what it is to prove, and over the time that it is to be of.
pub(super) fn check_signed(table: &Table<'_>, proof: &Proof, proven: &Slot) {
    let Proof::Keyed(receipt) = proof else {
        return;
    };
    let slots: Vec<&Slot> = receipt.keyed.signed.slots().collect();
    let place = |key| {
        let value = table.get(key);
        value.map_or(table.span.clone(), |v| v.span())
    };
    if !slots.contains(&proven) {
        let message = format!("the signature proves nothing: `{proven}` is not signed");
        let hint = format!("put `{proven}` into `signed`");
        table.error(place("signed"), message, Some(hint));
    }
    if let Some(time) = &receipt.timestamp {
        let stamp = Slot::Header(time.as_str().to_owned());
        if !slots.contains(&&stamp) {
            let message = "anybody could write this time: it is not signed";
            let hint = format!("put `{stamp}` into `signed`");
            table.error(place("timestamp"), message, Some(hint));
        }
    }
}
