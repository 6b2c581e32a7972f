//! What vendors answer, in the definitions' examples and by the simulator, is what they describe.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use trunkline::flow::{Channel, Verdict, VerdictKind};
use trunkline::time::Moment;
use trunkline::vendor::{Account, Asked, Said, Simulated, Simulation};

use crate::contract::{Schema, Vendor, nothing_wrong, vendors};
use crate::document::of_answer;
use crate::jobs::{Dice, Drawn};

/// 2099-12-31.
pub(crate) const NOW: Moment = Moment(4_102_358_400_000);
/// Messages that the simulator accepts, of each vendor and channel.
const MESSAGES: usize = 40;
/// Where a simulator listens.
const SIMULATOR: &str = "http://127.0.0.1:9";

/// A simulated vendor, asked for a message.
pub(crate) struct Simulator<'a> {
    pub(crate) vendor: &'a Vendor,
    pub(crate) account: Account,
    pub(crate) channel: Channel,
}

impl Simulator<'_> {
    pub(crate) fn of(vendor: &Vendor, channel: Channel) -> Simulator<'_> {
        let definition = Arc::clone(&vendor.definition);
        Simulator {
            vendor,
            account: Account::example(definition, "a-vendor".into(), SIMULATOR.to_owned(), None),
            channel,
        }
    }

    /// A job, and what the simulator reads from its request.
    pub(crate) fn asked(&self, dice: &mut Dice) -> (Drawn, Asked) {
        let mut drawn = Drawn::by(dice);
        drawn.from.get_or_insert_with(|| "+15005550006".to_owned());
        drawn
            .callback
            .get_or_insert_with(|| "https://otp.example/receipts/a-vendor/1".to_owned());
        let request = self
            .account
            .request(self.channel, &drawn.job(), NOW)
            .expect("a request");
        let asked = self.account.recognise(&request, NOW);
        let asked = asked.unwrap_or_else(|objection| panic!("{}: {objection:?}", self.vendor.name));
        (drawn, asked)
    }

    /// An answer of the simulator.
    pub(crate) fn answer(
        &self,
        asked: Option<&Asked>,
        error: &str,
        of: impl Fn(&Self) -> &Simulated,
    ) -> Response<Bytes> {
        let said = Said {
            id: "0199f0a1b2c37d4e8f60718293a4b5c6",
            error,
            asked,
            now: NOW,
        };
        let (head, body) = of(self).answer(&said);
        Response::from_parts(head, body)
    }

    pub(crate) fn simulation(&self) -> &Simulation {
        let operation = self.vendor.definition.operation(self.channel);
        &operation.expect("an operation").simulation
    }

    /// What the account makes of an answer.
    pub(crate) fn verdict(&self, answer: &Response<Bytes>) -> Verdict {
        let (head, body) = answer.clone().into_parts();
        self.account.verdict(self.channel, &head, &body)
    }

    /// What is wrong with its answers.
    fn wrongs(&self, schema: &Schema) -> Vec<String> {
        let mut wrongs = Vec::new();
        let mut check = |what: &str, answer: &Response<Bytes>| {
            let wrong = schema.wrongs(&of_answer(answer));
            wrongs
                .extend(wrong.map(|wrong| {
                    format!("{} {}, {what}: {wrong}", self.vendor.name, self.channel)
                }));
        };
        let mut dice = Dice::seeded(7);
        for _ in 0..MESSAGES {
            let (_, asked) = self.asked(&mut dice);
            let answer = self.answer(Some(&asked), "", |s| &s.simulation().accept);
            check("accept", &answer);
            let kind = self.verdict(&answer).kind;
            assert_eq!(
                kind,
                VerdictKind::Accepted,
                "{} {}",
                self.vendor.name,
                self.channel
            );
        }
        let (_, asked) = self.asked(&mut dice);
        let default = self.simulation().default_error.as_str();
        let listed = self.vendor.codes(self.channel, "refused");
        let codes = listed.iter().map(String::as_str).chain([default]);
        for code in codes.filter(|code| kind_of(code) == kind_of(default)) {
            let answer = self.answer(Some(&asked), code, |s| &s.simulation().reject);
            // Others stand at another place, in an answer of another shape.
            if code == default || self.verdict(&answer).code.as_deref() == Some(code) {
                check(&format!("reject:{code}"), &answer);
            }
        }
        check(
            "throttle",
            &self.answer(Some(&asked), default, |s| &s.simulation().throttle),
        );
        check(
            "error",
            &self.answer(Some(&asked), default, |s| &s.simulation().error),
        );
        check(
            "unauthorized",
            &self.answer(None, "", |s| &s.simulation().unauthorized),
        );
        wrongs
    }
}

/// How a code is made: of digits, of a word, of several. Codes of another kind than the usual ones come in answers and
/// receipts of another shape, or are statuses.
pub(crate) fn kind_of(code: &str) -> String {
    let code = code.strip_prefix('-').unwrap_or(code);
    let kinds = code.chars().map(|c| match c {
        '0'..='9' => '0',
        ':' => ':',
        _ => 'a',
    });
    let mut kinds: Vec<char> = kinds.collect();
    kinds.dedup();
    kinds.into_iter().collect()
}

#[test]
fn the_answers_of_examples_are_as_vendors_describe_them() {
    let mut wrongs = Vec::new();
    for vendor in vendors() {
        let shown = vendor.definition.documented_answers();
        assert!(!shown.is_empty(), "{}", vendor.name);
        for answer in shown {
            let schema = vendor
                .schema(answer.channel, "answer")
                .expect("what answers look like");
            let wrong = schema.wrongs(&of_answer(&answer.said));
            wrongs.extend(wrong.map(|w| format!("{} `{}`: {w}", vendor.name, answer.name)));
        }
    }
    nothing_wrong(wrongs);
}

#[test]
fn the_answers_of_the_simulator_are_as_vendors_describe_them() {
    let mut wrongs = Vec::new();
    for vendor in vendors() {
        for channel in vendor.channels() {
            let schema = vendor
                .schema(channel, "answer")
                .expect("what answers look like");
            wrongs.extend(Simulator::of(&vendor, channel).wrongs(&schema));
        }
    }
    nothing_wrong(wrongs);
}
