//! The receipts that a definition carries as examples, and the news that each of them must give.

use std::cell::RefCell;
use std::ops::Range;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};

use crate::document::{Table, Value};
use crate::flow::{Channel, Progress, Reason, Receipt};
use crate::problem::Problems;
use crate::vendor::account::Account;
use crate::vendor::definition::Definition;
use crate::vendor::example::differences::Differences;
use crate::vendor::example::{EXAMPLE_NOW, json};
use crate::vendor::receipt::{Callback, News};

/// Where an example's vendor sends its receipts.
const EXAMPLE_URL: &str = "https://otp.example.com/receipts/example";

/// One example. It is signed with the example credentials before it is read.
#[derive(Clone, Debug)]
pub(crate) struct ReceiptExample {
    pub(super) name: String,
    span: Range<usize>,
    pub(super) channel: Channel,
    query: Option<String>,
    content_type: Option<&'static str>,
    body: String,
    news: Vec<News>,
}

impl ReceiptExample {
    /// Reads one `[[receipt_example]]`.
    pub(crate) fn read(table: &Table<'_>) -> Option<ReceiptExample> {
        let name = table.require("name", Value::string);
        let channels = [("sms", Channel::Sms), ("voice", Channel::Voice)];
        let channel = table.read("channel", |v| v.one_of(&channels));
        let form = table.read("form", pairs);
        let json = table.read("json", json).map(|j| j.to_string());
        let body = table.read("body", Value::string).map(|t| t.value);
        let query = table.read("query", pairs);
        let news = table.tables("news");
        if news.is_empty() {
            let message = "`news` is missing here: what the receipt says";
            table.error(table.span.clone(), message, None);
        }
        let example = ReceiptExample {
            name: name?.value,
            span: table.span.clone(),
            channel: channel.unwrap_or(Channel::Sms),
            query,
            content_type: match (&form, &json, &body) {
                (Some(_), ..) => Some("application/x-www-form-urlencoded"),
                // A raw text is there for JSON that TOML cannot say.
                (_, Some(_), _) | (.., Some(_)) => Some("application/json"),
                (None, None, None) => None,
            },
            body: form.or(json).or(body).unwrap_or_default(),
            news: news.iter().filter_map(news_of).collect(),
        };
        table.finish();
        Some(example)
    }

    /// As the vendor would send it.
    pub(super) fn request(&self, account: &Account) -> Option<Request<Bytes>> {
        let url = match &self.query {
            Some(query) => format!("{EXAMPLE_URL}?{query}"),
            None => EXAMPLE_URL.to_owned(),
        };
        let method = match &self.query {
            Some(_) => Method::GET,
            None => Method::POST,
        };
        let mut request = Request::new(Bytes::from(self.body.clone()));
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().ok()?;
        if let Some(content_type) = self.content_type {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        account.sign_receipt(self.channel, &mut request, EXAMPLE_NOW);
        Some(request)
    }

    fn failures(&self, account: &Account) -> Vec<String> {
        let mut failures = Differences::default();
        let Some(request) = self.request(account) else {
            return failures.told();
        };
        let url = request.uri().to_string();
        let callback = Callback::of(&request, &url, true);
        match account.receipts_of(self.channel, &callback, EXAMPLE_NOW) {
            Ok(Some(news)) => compare(&self.news, &news, &mut failures),
            Ok(None) => {
                let operation = account.definition().operation(self.channel);
                match operation.and_then(|o| o.receipts.as_ref()) {
                    Some(receipts) => {
                        for lacks in receipts.lacking(&callback) {
                            failures.tell(format!("it is not understood: {lacks}"));
                        }
                    }
                    None => {
                        let channel = self.channel;
                        failures.tell(format!("no receipts by {channel} are defined"));
                    }
                }
            }
            Err(refusal) => failures.tell(format!("it is {}", refusal.as_str())),
        }
        failures.told()
    }
}

/// Runs every example of a definition's receipts; one that does not hold is a problem at its place.
pub(super) fn check(definition: &Definition, account: &Account, problems: &RefCell<Problems>) {
    let mut problems = problems.borrow_mut();
    for example in &definition.receipt_examples {
        for failure in example.failures(account) {
            let message = format!(
                "the receipt example `{}` does not hold: {failure}",
                example.name
            );
            problems.error(&definition.source, example.span.clone(), message);
        }
    }
    for (channel, operation) in &definition.operations {
        let delivered = |e: &ReceiptExample| {
            let mut progress = e.news.iter().map(|n| n.receipt.progress);
            e.channel == *channel && progress.any(|p| p == Progress::Delivered)
        };
        if operation.receipts.is_some() && !definition.receipt_examples.iter().any(delivered) {
            let message = format!("no receipt example shows a message delivered by {channel}");
            let hint = "add a `[[receipt_example]]` from the vendor's documentation".to_owned();
            problems.warning(&definition.source, 0..0, message, Some(hint));
        }
    }
}

fn compare(expected: &[News], found: &[News], failures: &mut Differences) {
    if expected.len() != found.len() {
        let (found, expected) = (found.len(), expected.len());
        failures.tell(format!("it holds {found} receipts, not {expected}"));
    }
    for (i, (expected, given)) in expected.iter().zip(found).enumerate() {
        let pairs = in_words(expected).into_iter().zip(in_words(given));
        for ((name, expected), (_, given)) in pairs {
            let what = match found.len() {
                1 => format!("the news' {name}"),
                _ => format!("the {name} of news {}", i + 1),
            };
            failures.text(&what, expected, given);
        }
    }
}

/// The fields of news as definitions write them.
fn in_words(news: &News) -> [(&'static str, Option<&str>); 7] {
    let receipt = &news.receipt;
    [
        ("message_id", news.message_id.as_deref()),
        ("reference", news.reference.as_deref()),
        ("progress", Some(receipt.progress.as_str())),
        ("reason", receipt.reason.map(Reason::as_str)),
        ("code", receipt.code.as_deref()),
        ("capped", receipt.capped.then_some("true")),
        ("unlisted", receipt.unlisted.then_some("true")),
    ]
}

fn news_of(table: &Table<'_>) -> Option<News> {
    let all = [
        Progress::Unknown,
        Progress::Intermediate,
        Progress::Failed,
        Progress::Delivered,
    ];
    let all = all.map(|p| (p.as_str(), p));
    let reasons = Reason::ALL.map(|r| (r.as_str(), r));
    let string = |key| table.read(key, Value::string).map(|t| t.value);
    let progress = table.require("progress", |v| v.one_of(&all));
    let news = News {
        message_id: string("message_id"),
        reference: string("reference"),
        receipt: Receipt {
            progress: progress?,
            reason: table.read("reason", |v| v.one_of(&reasons)),
            code: string("code"),
            capped: table.read("capped", Value::boolean).unwrap_or(false),
            unlisted: table.read("unlisted", Value::boolean).unwrap_or(false),
        },
    };
    table.finish();
    Some(news)
}

fn pairs(value: Value<'_>) -> Option<String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in value.table()?.entries() {
        form.append_pair(&name.value, &value.string()?.value);
    }
    Some(form.finish())
}
