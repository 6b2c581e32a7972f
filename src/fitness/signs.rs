//! What the events of a delivery tell of a vendor's health.

use crate::delivery::{Delivery, Event, State};
use crate::fitness::step;
use crate::flow::{Progress, Receipt, SenderType};
use crate::health::{Health, Sign};
use crate::time::Moment;

/// What an event that the delivery is about to be fed tells, and of which attempt's vendor.
pub fn sign<'a>(delivery: &Delivery, event: &'a Event, now: Moment) -> Option<(usize, Sign<'a>)> {
    match event {
        Event::Settled { attempt, verdict } => {
            let sign = Sign::Verdict {
                verdict,
                ms: waited_ms(delivery, *attempt, now),
                first: is_alone(delivery, *attempt),
            };
            Some((*attempt, sign))
        }
        Event::Reported { attempt, receipt } => {
            Some((*attempt, receipt_sign(delivery, *attempt, receipt)?))
        }
        Event::Silent { attempt, excused } => {
            let again = delivery.attempts()[*attempt].excuses() > 0;
            let sign = match (excused, again) {
                (false, _) => Sign::Silent {
                    first: is_alone(delivery, *attempt),
                },
                (true, false) => Sign::Quiet,
                // Each message is one sign.
                (true, true) => return None,
            };
            Some((*attempt, sign))
        }
        Event::Woke
        | Event::Skipped { .. }
        | Event::Journaled { .. }
        | Event::Restarted
        | Event::Superseded
        | Event::Converted => None,
    }
}

/// What a final receipt says that is further than what was known.
fn receipt_sign(delivery: &Delivery, attempt: usize, receipt: &Receipt) -> Option<Sign<'static>> {
    let made = delivery.attempts().get(attempt)?;
    if made
        .progress()
        .is_some_and(|known| known >= receipt.progress)
    {
        return None;
    }
    Some(Sign::Reported {
        delivered: is_delivered(receipt)?,
        reason: receipt.reason,
        accepted_at: made.accepted_at().unwrap_or(made.at),
        sender: step(delivery, attempt).sender_type(),
        first: is_alone(delivery, attempt),
    })
}

/// What a final receipt says that comes after its delivery is over; the message was accepted at `accepted_at`.
pub fn late_sign(
    receipt: &Receipt,
    accepted_at: Moment,
    sender: SenderType,
) -> Option<Sign<'static>> {
    Some(Sign::Reported {
        delivered: is_delivered(receipt)?,
        reason: receipt.reason,
        accepted_at,
        sender,
        first: false,
    })
}

fn is_delivered(receipt: &Receipt) -> Option<bool> {
    match receipt.progress {
        Progress::Delivered => Some(true),
        // What is used up is one sender's; the vendor is as well as it was.
        Progress::Failed if receipt.capped => None,
        Progress::Failed => Some(false),
        Progress::Intermediate | Progress::Unknown => None,
    }
}

/// The vendor whose patience has just run out, if that is why this attempt begins: its attempt, and the sign.
pub fn slow_sign(
    delivery: &Delivery,
    attempt: usize,
    now: Moment,
) -> Option<(usize, Sign<'static>)> {
    let before = turned_from(delivery, attempt)?;
    let waits = delivery.attempts()[before].state == State::InFlight;
    let ms = now.ms_since(delivery.attempts()[before].at);
    (waits && delivery.is_out_of_patience(before, now)).then_some((before, Sign::Slow { ms }))
}

/// The attempt whose vendor is left for another one by this attempt. What a race starts together is no move.
pub fn moved_from(delivery: &Delivery, attempt: usize, now: Moment) -> Option<usize> {
    let before = turned_from(delivery, attempt)?;
    let (from, to) = (step(delivery, before), step(delivery, attempt));
    let in_flight = delivery.attempts()[before].state == State::InFlight;
    let raced = in_flight && !delivery.is_out_of_patience(before, now);
    let same = from.vendor == to.vendor && from.channel == to.channel;
    (!raced && !same).then_some(before)
}

/// Whether nothing comes from the attempt's vendor at all, so that a missing receipt says nothing of its message.
pub fn is_silence_excused(delivery: &Delivery, attempt: usize, health: &Health) -> bool {
    let made = &delivery.attempts()[attempt];
    let vendor = &step(delivery, attempt).vendor;
    health.receipts_quiet(vendor, made.accepted_at().unwrap_or(made.at))
}

/// The vendor that was called before this attempt, else the one that was passed over.
fn turned_from(delivery: &Delivery, attempt: usize) -> Option<usize> {
    let before = &delivery.attempts()[..attempt];
    let called = before
        .iter()
        .rposition(|a| !matches!(a.state, State::Skipped(_)));
    called.or(attempt.checked_sub(1))
}

/// Whether no other vendor was called for this delivery: only then its fate says all about the vendor.
fn is_alone(delivery: &Delivery, attempt: usize) -> bool {
    let attempts = delivery.attempts().iter().enumerate();
    let mut others = attempts.filter(|(index, _)| *index != attempt);
    others.all(|(_, other)| matches!(other.state, State::Skipped(_)))
}

fn waited_ms(delivery: &Delivery, attempt: usize, now: Moment) -> i64 {
    now.ms_since(delivery.attempts()[attempt].at).max(0)
}
