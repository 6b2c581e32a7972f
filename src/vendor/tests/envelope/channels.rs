//! Envelopes of a vendor that has two channels.

use super::{DEFINITION, MADE, PEM, TOPIC, envelopes, grant, with_callback};
use crate::flow::Channel;
use crate::problem::Source;
use crate::vendor::proving::Proving;
use crate::vendor::tests::read;
use crate::vendor::{Account, Refusal};

/// An account whose calls report as its text messages do, but for this.
fn account(changed: impl Fn(&str) -> String) -> Account {
    let (_, sms) = DEFINITION.split_once("[sms]").unwrap();
    let voice = format!("[voice]{sms}").replace("[sms.", "[voice.");
    let text = format!("{DEFINITION}{}", changed(&voice));
    let (definition, _) = read(&Source::new("envelope.toml", &*text));
    Account::new(definition, grant(TOPIC, None))
}

#[test]
fn a_proof_that_two_channels_have_is_checked_once() {
    for (name, proofs) in [("{credential.topic}", 1), ("{credential.topic}-2", 2)] {
        let account = account(|voice| voice.replace("{credential.topic}", name));
        with_callback(&envelopes()[0], Some(PEM), |callback| {
            let mut proving = Proving::new(&account, callback, MADE);
            let receipts = account.all_receipts();
            let results: Vec<_> = receipts.map(|r| proving.check(&r.proof)).collect();
            assert_eq!((results.len(), results[0]), (2, Ok(())));
            assert_eq!(proving.checked.len(), proofs);
        });
    }
}

#[test]
fn a_certificate_from_where_only_the_other_channel_fetches_proves_nothing() {
    let account = account(|voice| voice.replace("hosts = '^sns", "hosts = '^calls"));
    with_callback(&envelopes()[0], Some(PEM), |callback| {
        let of = |channel| account.receipts_of(channel, callback, MADE);
        assert!(of(Channel::Sms).is_ok());
        assert_eq!(of(Channel::Voice), Err(Refusal::Forged));
    });
}
