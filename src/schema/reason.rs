//! The reasons why a message did not arrive, in words.

use crate::flow::Reason;
use crate::schema::Word;

pub(super) fn words() -> Vec<Word> {
    let word = |reason: Reason| Word {
        word: reason.as_str(),
        about: about(reason),
    };
    Reason::ALL.map(word).to_vec()
}

/// What a reason means, and what becomes of the message.
pub(super) fn about(reason: Reason) -> &'static str {
    match reason {
        Reason::InvalidNumber => "No such number. Ends the delivery.",
        Reason::OptedOut => "The person has told this sender to stop. Ends the delivery.",
        Reason::Unreachable => "Switched off, out of range, unknown to the operator.",
        Reason::Content => "The text is refused.",
        Reason::Sender => "The sender is refused.",
        Reason::Account => "Credentials, money or permissions of the account.",
        Reason::Rate => "Too much at once: throttled, nothing was sent.",
        Reason::FraudBlock => "The vendor suspects fraud. Ends the delivery.",
        Reason::NotMobile => "The line takes no texts.",
        Reason::WrongChannel => "The number cannot be reached on this channel.",
        Reason::Timeout => "No answer came: it may have been sent.",
        Reason::Connect => "The vendor could not be reached: nothing was sent.",
        Reason::Server => "The vendor failed: nothing was sent.",
        Reason::Expired => "It was not delivered in time.",
        Reason::Unknown => "Anything else.",
    }
}
