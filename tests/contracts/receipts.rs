//! What vendors report, in the definitions' examples and by the simulator, is what they describe.

use bytes::Bytes;
use http::Request;
use serde_json::Value as Json;
use trunkline::flow::{Channel, Progress};
use trunkline::vendor::{Asked, Callback, News, Told};

use crate::answers::{NOW, Simulator, kind_of};
use crate::contract::{Schema, Vendor, nothing_wrong, plain, vendors};
use crate::document::of_receipt;
use crate::jobs::{Dice, Drawn};

/// Messages that the simulator reports on, of each vendor and channel.
const MESSAGES: usize = 20;

/// The schema of receipts, exactly where the definition reads some.
fn schema(vendor: &Vendor, channel: Channel) -> Option<Schema> {
    let schema = vendor.schema(channel, "receipt");
    let operation = vendor.written.get(channel.as_str());
    let reads = operation.is_some_and(|o| o.get("receipts").is_some());
    assert_eq!(
        schema.is_some(),
        reads,
        "{} {channel}: receipts",
        vendor.name
    );
    schema
}

/// What the account makes of a receipt.
fn news(simulator: &Simulator<'_>, request: &Request<Bytes>) -> News {
    let url = request.uri().to_string();
    let callback = Callback::of(request, &url, true);
    let news = simulator.account.receipts(&callback, NOW);
    let news = news.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", simulator.vendor.name));
    news.into_iter().next().expect("one receipt").1
}

/// What is wrong with a receipt, and with what its envelope holds, where it has one.
fn wrong(
    vendor: &Vendor,
    channel: Channel,
    schema: &Schema,
    receipt: &Request<Bytes>,
) -> Option<String> {
    let document = of_receipt(receipt);
    let written = &vendor.written[channel.as_str()]["receipts"];
    let held = written.get("envelope").map(|at| {
        let at = at.as_str().expect("a pointer");
        let held = document["json"].pointer(at).and_then(Json::as_str);
        let mut document = document.clone();
        document["json"] = serde_json::from_str(held.expect("a text")).expect("JSON");
        document
    });
    let wrong = schema.wrongs(&document);
    wrong.or_else(|| schema.wrongs(&held?))
}

/// The codes of failed ones that the simulator can tell: of those that are listed, the ones of the usual kind.
fn codes(simulator: &Simulator<'_>) -> Vec<String> {
    let (vendor, channel) = (simulator.vendor, simulator.channel);
    let written = &vendor.written[channel.as_str()]["receipts"]["sandbox"];
    let default = written.get("default_error").map(plain).unwrap_or_default();
    let listed = vendor.codes(channel, "receipts").into_iter();
    listed
        .filter(|code| kind_of(code) == kind_of(&default))
        .collect()
}

/// What is wrong with the receipts of a simulated vendor.
fn wrongs(simulator: &Simulator<'_>, schema: &Schema) -> Vec<String> {
    let place = format!("{} {}", simulator.vendor.name, simulator.channel);
    let mut wrongs = Vec::new();
    let mut dice = Dice::seeded(11);
    for _ in 0..MESSAGES {
        let message = Message::accepted(simulator, &mut dice);
        for progress in [
            Progress::Intermediate,
            Progress::Delivered,
            Progress::Failed,
        ] {
            let Some(receipt) = message.receipt(simulator, progress, None) else {
                assert_eq!(progress, Progress::Intermediate, "{place}");
                continue;
            };
            assert_eq!(
                news(simulator, &receipt).receipt.progress,
                progress,
                "{place}"
            );
            let wrong = wrong(simulator.vendor, simulator.channel, schema, &receipt);
            wrongs.extend(wrong.map(|w| format!("{place}, {progress:?}: {w}")));
        }
    }
    let message = Message::accepted(simulator, &mut dice);
    let codes = codes(simulator);
    let mut told = 0;
    for code in &codes {
        let receipt = message.receipt(simulator, Progress::Failed, Some(code));
        let receipt = receipt.expect("a receipt");
        // Others are statuses: what else a failed one says is never looked at.
        if news(simulator, &receipt).receipt.code.as_ref() == Some(code) {
            told += 1;
            let wrong = wrong(simulator.vendor, simulator.channel, schema, &receipt);
            wrongs.extend(wrong.map(|w| format!("{place}, {code}: {w}")));
        }
    }
    assert!(told > 0 || codes.is_empty(), "{place}: no code is told");
    wrongs
}

/// A message that the simulator has accepted.
struct Message {
    drawn: Drawn,
    asked: Asked,
    id: String,
}

impl Message {
    fn accepted(simulator: &Simulator<'_>, dice: &mut Dice) -> Message {
        let (drawn, asked) = simulator.asked(dice);
        let answer = simulator.answer(Some(&asked), "", |s| &s.simulation().accept);
        let id = simulator.verdict(&answer).message_id;
        let id = id.or_else(|| asked.reference.clone());
        Message {
            drawn,
            asked,
            id: id.expect("an id or a reference"),
        }
    }

    fn receipt(
        &self,
        simulator: &Simulator<'_>,
        progress: Progress,
        code: Option<&str>,
    ) -> Option<Request<Bytes>> {
        let url = match simulator.account.reports_to_one_address(simulator.channel) {
            true => "https://otp.example/receipts/a-vendor",
            false => self.asked.callback.as_deref().expect("a callback"),
        };
        let told = Told {
            url,
            message_id: &self.id,
            reference: self.asked.reference.as_deref(),
            to: self.drawn.to.e164(),
            progress,
            code,
            forged: false,
        };
        simulator
            .account
            .receipt_request(simulator.channel, &told, NOW)
    }
}

#[test]
fn the_receipts_of_examples_are_as_vendors_describe_them() {
    let mut wrongs = Vec::new();
    for vendor in vendors() {
        let shown = vendor.definition.documented_receipts();
        for channel in vendor.channels() {
            let Some(schema) = schema(&vendor, channel) else {
                continue;
            };
            let shown: Vec<_> = shown.iter().filter(|s| s.channel == channel).collect();
            assert!(
                !shown.is_empty(),
                "{} {channel}: no receipt is shown",
                vendor.name
            );
            for receipt in shown {
                let wrong = wrong(&vendor, channel, &schema, &receipt.said);
                wrongs.extend(
                    wrong.map(|w| format!("{} {channel} `{}`: {w}", vendor.name, receipt.name)),
                );
            }
        }
    }
    nothing_wrong(wrongs);
}

#[test]
fn the_receipts_of_the_simulator_are_as_vendors_describe_them() {
    let mut all = Vec::new();
    for vendor in vendors() {
        for channel in vendor.channels() {
            if let Some(schema) = schema(&vendor, channel) {
                all.extend(wrongs(&Simulator::of(&vendor, channel), &schema));
            }
        }
    }
    nothing_wrong(all);
}
