//! Every vendor on every channel, over sockets: accepted, refused for each reason, throttled, silent; its receipts,
//! delivered, failed for each reason, forged.

use std::cell::RefCell;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use http::Request;
use serde_json::{Value as Json, json};
use trunkline::flow::{Channel, Progress};
use trunkline::problem::{Problems, Source};
use trunkline::time::Moment;
use trunkline::vendor::{Account, Asked, Callback, Definition, Said, Told};

use crate::router::{HEAVY, Place, Router, hook_call, number, only_rules};

/// One thing that a vendor does with a message of its own, and what must come of it.
struct Cell {
    vendor: String,
    channel: Channel,
    behaviour: String,
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    /// A receipt says so; or there are none, and the acceptance is all.
    Delivered,
    Accepted,
    /// The verdict's kind, reason and code.
    Refused(&'static str, String, Option<String>),
    /// A receipt's reason and code.
    Failed(String, String),
    /// No receipt is believed.
    Forged,
}

/// A shipped definition: as it is read, and as TOML.
struct Shipped {
    account: Account,
    written: toml::Table,
}

fn shipped() -> Vec<Shipped> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vendors");
    let files = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let mut all: Vec<Shipped> = files
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let written = text.parse().unwrap();
            let problems = RefCell::<Problems>::default();
            let definition = Arc::new(Definition::read(&Source::new(name, text), &problems));
            let name = definition.name.as_str().into();
            let account = Account::example(definition, name, "http://x".into(), None);
            Shipped { account, written }
        })
        .collect();
    all.sort_by(|a, b| a.account.name().cmp(b.account.name()));
    all
}

impl Shipped {
    fn name(&self) -> String {
        self.account.name().to_string()
    }

    /// The reasons that a table lists, and their codes; of a range the first.
    fn reasons(&self, channel: Channel, table: &str) -> Vec<(String, Vec<String>)> {
        let operation = self.written[channel.as_str()].as_table().unwrap();
        let table = operation.get(table).and_then(|t| t.get("reasons"));
        let reasons = table.and_then(|t| t.as_table()).into_iter().flatten();
        let code = |code: &toml::Value| match code {
            toml::Value::String(text) => {
                let range = text.split_once('-').filter(|(a, b)| {
                    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
                    digits(a) && digits(b)
                });
                range.map_or(text.clone(), |(first, _)| first.to_owned())
            }
            other => other.to_string(),
        };
        reasons
            .map(|(reason, codes)| {
                let codes = codes.as_array().unwrap().iter().map(code);
                (reason.clone(), codes.collect())
            })
            .filter(|(_, codes): &(String, Vec<String>)| !codes.is_empty())
            .collect()
    }

    /// A code of a reason that the simulator can answer with, and the verdict's code.
    fn refusal(&self, channel: Channel, reason: &str, codes: &[String]) -> Option<String> {
        let asked = Asked {
            channel,
            to: Some("+6591000000".to_owned()),
            reference: Some("dlv_1-1".to_owned()),
            callback: None,
            script: None,
        };
        let definition = self.account.definition();
        let reject = &definition.operation(channel).unwrap().simulation.reject;
        let is_told = |code: &&String| {
            let (head, body) = reject.answer(&Said {
                id: "1",
                error: code,
                asked: Some(&asked),
                now: Moment(0),
            });
            let verdict = self.account.verdict(channel, &head, &body);
            let told = verdict.reason.map(|r| r.as_str()) == Some(reason);
            // What caps a day closes the sender for the other cells.
            told && !verdict.capped && verdict.code.as_ref() == Some(*code)
        };
        codes.iter().find(is_told).cloned()
    }

    /// A code of a reason that the simulator can report.
    fn failure(&self, channel: Channel, reason: &str, codes: &[String]) -> Option<String> {
        let is_told = |code: &&String| {
            let told = Told {
                url: "https://otp.example/receipts/x/ref",
                message_id: "1",
                reference: Some("dlv_1-1"),
                to: "+6591000000",
                progress: Progress::Failed,
                code: Some(code),
                forged: false,
            };
            let request = self.account.receipt_request(channel, &told, Moment(0));
            let news = self.news(&request.unwrap());
            let [(of, receipt)] = news.as_slice() else {
                return false;
            };
            let told = receipt.reason.map(|r| r.as_str()) == Some(reason);
            *of == channel && told && !receipt.capped && receipt.code.as_ref() == Some(*code)
        };
        codes.iter().find(is_told).cloned()
    }

    fn news(&self, request: &Request<bytes::Bytes>) -> Vec<(Channel, trunkline::flow::Receipt)> {
        let url = request.uri().to_string();
        let callback = Callback::of(request, &url, true);
        let news = self
            .account
            .receipts(&callback, Moment(0))
            .unwrap_or_default();
        news.into_iter().map(|(c, n)| (c, n.receipt)).collect()
    }

    fn cells(&self, channel: Channel) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut add = |behaviour: &str, expected| {
            cells.push(Cell {
                vendor: self.name(),
                channel,
                behaviour: behaviour.to_owned(),
                expected,
            });
        };
        if self.account.sends_nothing(channel) {
            add("accept", Expected::Accepted);
            return cells;
        }
        let told = format!("{} {channel}", self.name());
        let timeout = Expected::Refused("ambiguous", "timeout".to_owned(), None);
        add("silent", timeout);
        let failure = Expected::Refused("unavailable", "server".to_owned(), None);
        add("503", failure);
        for (reason, codes) in self.reasons(channel, "refused") {
            let code = self.refusal(channel, &reason, &codes);
            let code = code.unwrap_or_else(|| panic!("{told}: nobody can be refused by {reason}"));
            let kind = kind_of(&reason);
            let behaviour = format!("reject:{code}");
            add(&behaviour, Expected::Refused(kind, reason, Some(code)));
        }
        if !self.account.reports(channel) {
            add("accept", Expected::Accepted);
            return cells;
        }
        add("accept", Expected::Delivered);
        add("forged", Expected::Forged);
        let mut failures = 0;
        for (reason, codes) in self.reasons(channel, "receipts") {
            // Some reasons are told by a status that the simulator does not say.
            if let Some(code) = self.failure(channel, &reason, &codes) {
                failures += 1;
                let behaviour = format!("undelivered:{code}");
                add(&behaviour, Expected::Failed(reason, code));
            }
        }
        assert!(failures > 0, "{told}: no receipt says why it failed");
        cells
    }
}

/// What a reason means for the next step, as the README says.
fn kind_of(reason: &str) -> &'static str {
    match reason {
        "rate" => "throttled",
        "server" | "connect" => "unavailable",
        "timeout" => "ambiguous",
        _ => "rejected",
    }
}

/// A router with an account of each vendor, which those reach whose login is at that vendor.
async fn router(all: &[Shipped]) -> Router {
    let mut config = "[hook]\nanswer_when = \"journaled\"\nmax_waiting = 100000\n".to_owned();
    let mut rules = String::new();
    for vendor in all.iter().map(Shipped::name) {
        writeln!(config, "[vendors.{vendor}]\nfrom = \"+6580000001\"").unwrap();
        let chain = "on_failed_receipt = \"stop\"\ngive_up_after = \"2s\"";
        writeln!(
            rules,
            "[chains.{vendor}]\nvendors = [\"{vendor}\"]\n{chain}"
        )
        .unwrap();
        writeln!(
            rules,
            "[[rule]]\nname = \"{vendor}\"\nwhen = {{ country = \"SG\", login = \"*@{vendor}.test\" }}\nchain = \"{vendor}\""
        )
        .unwrap();
    }
    let router = Router::start_in(Arc::new(Place::new(&config)), &["--sandbox"]);
    only_rules(&router, &rules).await;
    router
}

/// A call of somebody who is nobody else.
fn call(cell: &Cell, n: usize) -> Json {
    let mut call = hook_call(&number(n));
    let profile = &mut call["data"]["messageProfile"];
    profile["deliveryChannel"] = match cell.channel {
        Channel::Sms => json!("SMS"),
        Channel::Voice => json!("CALL"),
    };
    let user =
        json!({ "login": format!("u{n}@{}.test", cell.vendor), "userId": format!("00u{n}") });
    call["data"]["userProfile"] = user;
    call
}

/// Sends one message and holds what came of it to what was expected.
async fn check(router: &Router, cell: &Cell, n: usize) -> Result<(), String> {
    let answer = router.call(&call(cell, n)).await;
    let is_over = |d: &Json| {
        let attempt = &d["attempts"][0];
        match &cell.expected {
            Expected::Delivered | Expected::Accepted => d["state"] == "closed",
            Expected::Refused(..) => !["in_flight", "null"].contains(&word(&attempt["verdict"])),
            Expected::Failed(..) => d["receipts"][0]["status"] == "failed",
            Expected::Forged => attempt["verdict"] == "accepted",
        }
    };
    let delivery = router.delivery(&answer, is_over).await;
    let (attempt, receipts) = (&delivery["attempts"][0], &delivery["receipts"]);
    let right = match &cell.expected {
        Expected::Delivered => {
            delivery["outcome"] == "delivered" && attempt["verdict"] == "accepted"
        }
        Expected::Accepted => delivery["outcome"] == "accepted",
        Expected::Refused(kind, reason, code) => {
            let same_code = code.as_ref().is_none_or(|code| attempt["code"] == **code);
            attempt["verdict"] == *kind && attempt["reason"] == **reason && same_code
        }
        Expected::Failed(reason, code) => {
            receipts[0]["reason"] == **reason && receipts[0]["code"] == **code
        }
        Expected::Forged => *receipts == json!([]),
    };
    let (vendor, channel) = (&cell.vendor, cell.channel);
    let (behaviour, expected) = (&cell.behaviour, &cell.expected);
    right
        .then_some(())
        .ok_or_else(|| format!("{vendor} {channel} {behaviour}: {expected:?} and not {delivery:#}"))
}

fn word(json: &Json) -> &str {
    json.as_str().unwrap_or("null")
}

#[tokio::test]
async fn every_vendor_says_yes_no_and_why_by_every_channel_it_has() {
    let _heavy = HEAVY.lock().await;
    let all = shipped();
    let router = router(&all).await;
    let cells: Vec<Cell> = all
        .iter()
        .flat_map(|one| {
            let channels = one.account.channels().into_iter();
            channels
                .flat_map(|channel| one.cells(channel))
                .collect::<Vec<_>>()
        })
        .collect();
    for (n, cell) in cells.iter().enumerate() {
        router
            .steer(&cell.vendor, &format!("{}@{}", cell.behaviour, number(n)))
            .await;
    }
    let checks = cells
        .iter()
        .enumerate()
        .map(|(n, cell)| check(&router, cell, n));
    let failures: Vec<String> = join_all(checks)
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {}: {}",
        failures.len(),
        cells.len(),
        failures.join("\n")
    );
    // Each forged receipt was seen, and refused.
    let is_forged = |cell: &&Cell| cell.expected == Expected::Forged;
    for vendor in all.iter().map(Shipped::name) {
        let forged = cells
            .iter()
            .filter(is_forged)
            .filter(|c| c.vendor == vendor)
            .count();
        let counted =
            format!("trunkline_receipts_total{{status=\"forged\",vendor=\"{vendor}\"}} {forged}\n");
        if forged > 0 {
            router
                .wait_for(&counted, async || router.metrics().await.contains(&counted))
                .await;
        }
    }
    let unlisted: Vec<String> = router
        .metrics()
        .await
        .lines()
        .filter(|line| line.starts_with("trunkline_unlisted_codes_total"))
        .map(str::to_owned)
        .collect();
    assert!(unlisted.is_empty(), "{unlisted:#?}");
}

#[tokio::test]
async fn every_vendor_that_asks_for_time_is_left_alone_by_every_channel() {
    let _heavy = HEAVY.lock().await;
    let all = shipped();
    for channel in Channel::ALL {
        let router = router(&all).await;
        router.steer_all("throttle:60s").await;
        let able = all.iter().filter(|one| {
            one.account.channels().contains(&channel) && !one.account.sends_nothing(channel)
        });
        let checks = able.enumerate().map(|(n, one)| {
            let cell = Cell {
                vendor: one.name(),
                channel,
                behaviour: "throttle:60s".to_owned(),
                expected: Expected::Refused("throttled", "rate".to_owned(), None),
            };
            let router = &router;
            async move {
                check(router, &cell, 2 * n).await?;
                // Whoever is next does not ask that vendor at all.
                let answer = router.call(&call(&cell, 2 * n + 1)).await;
                let is_skipped = |d: &Json| d["attempts"][0]["verdict"] == "skipped";
                router.delivery(&answer, is_skipped).await;
                Ok(())
            }
        });
        let failures: Vec<String> = join_all(checks)
            .await
            .into_iter()
            .filter_map(Result::err)
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        let received = router.sandbox().await;
        let asked = received
            .iter()
            .filter(|v| v["received"].as_u64() > Some(1))
            .count();
        assert_eq!(asked, 0, "{received:?}");
    }
}
