//! The examples that a definition carries: a job, the request it must give, an answer, the verdict it must give.

mod differences;
mod documented;
pub(crate) mod receipts;

pub use documented::Documented;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value as Json};

use crate::document::{Table, Value};
use crate::flow::{Channel, Reason, Secret, Verdict, VerdictKind};
use crate::number::PhoneNumber;
use crate::problem::{Problem, Problems, Severity};
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::definition::Definition;
use crate::vendor::example::differences::Differences;
use crate::vendor::request::{Job, Unfit};
use crate::vendor::template::{Place, Tree};

/// The moment at which examples are run.
pub(crate) const EXAMPLE_NOW: Moment = Moment(1_767_225_600_000);
/// Where an example's vendor is, when its definition leaves that to the account.
const EXAMPLE_BASE_URL: &str = "https://vendor.example";
/// Where an example's vendor fetches what a call is to say.
const EXAMPLE_SCRIPT: &str = "https://otp.example/voice/1";
const EXAMPLE_REFERENCE: &str = "dlv_01890000000070008000000000000000-1";

/// One example.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    name: String,
    span: Range<usize>,
    channel: Channel,
    to: String,
    from: String,
    text: String,
    code: String,
    callback: Option<String>,
    script: String,
    says: Option<String>,
    ucs2: bool,
    left_ms: i64,
    language: String,
    parameters: BTreeMap<Arc<str>, Arc<str>>,
    request: Option<Expected>,
    response: Option<Answer>,
    verdict: Option<Verdict>,
}

/// A vendor's answer.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// What of a request is compared; parts that are not given are not.
#[derive(Clone, Debug)]
struct Expected {
    url: Option<String>,
    headers: Vec<(String, String)>,
    /// The user and password of an `Authorization: Basic` header.
    basic: Option<String>,
    form: Option<Json>,
    json: Option<Json>,
}

impl Example {
    /// Reads one `[[example]]`.
    pub(crate) fn read(table: &Table<'_>) -> Option<Example> {
        let name = table.require("name", Value::string);
        let channels = [("sms", Channel::Sms), ("voice", Channel::Voice)];
        let channel = table.read("channel", |v| v.one_of(&channels));
        let text = |key, default: &str| {
            let written = table.read(key, Value::string);
            written.map_or(default.to_owned(), |t| t.value)
        };
        let request = table.read("request", Value::table);
        let response = table.read("response", Value::table);
        let verdict = table.read("verdict", Value::table);
        if response.is_some() != verdict.is_some() {
            let message = "an example has a `response` and a `verdict`, or neither";
            table.error(table.span.clone(), message, None);
        }
        let left = table.read("left", |v| v.duration_ms(0, 900_000));
        let parameters = table.read("parameters", Value::table);
        let parameters = parameters.map(|t| texts(&t)).unwrap_or_default();
        let parameters = parameters.into_iter();
        let parameters = parameters.map(|(n, v)| (n.into(), v.into())).collect();
        let example = Example {
            name: name?.value,
            span: table.span.clone(),
            channel: channel.unwrap_or(Channel::Sms),
            to: text("to", "+6591234567"),
            from: text("from", "+15005550006"),
            text: text("text", "123456 is your code."),
            code: text("code", "123456"),
            callback: table.read("callback", Value::string).map(|t| t.value),
            script: text("script", EXAMPLE_SCRIPT),
            says: table.read("says", Value::string).map(|t| t.value),
            ucs2: table.read("ucs2", Value::boolean).unwrap_or(false),
            left_ms: left.unwrap_or(300_000),
            language: text("language", "en-US"),
            parameters,
            request: request.map(|t| expected(&t)),
            response: response.and_then(|t| response_of(&t)),
            verdict: verdict.and_then(|t| verdict_of(&t)),
        };
        table.finish();
        Some(example)
    }

    /// What does not hold of it.
    fn failures(&self, account: &Account) -> Vec<String> {
        let mut failures = Differences::default();
        let Ok(to) = PhoneNumber::parse(&self.to, None) else {
            return vec!["`to` is not a number".to_owned()];
        };
        let (text, code) = (Secret::new(&*self.text), Secret::new(&*self.code));
        let job = Job {
            to: &to,
            from: Some(&self.from).filter(|f| !f.is_empty()).map(|f| &**f),
            text: &text,
            code: Some(&code),
            reference: EXAMPLE_REFERENCE,
            callback: self.callback.as_deref(),
            script: Some(&self.script),
            left_ms: self.left_ms,
            ucs2: self.ucs2,
            language: &self.language,
            parameters: &self.parameters,
        };
        if let Some(expected) = &self.request {
            match account.request(self.channel, &job, EXAMPLE_NOW) {
                Ok(request) => expected.compare(&request, &mut failures),
                Err(unfit) => {
                    failures.tell(format!("no request could be made: {}", reason(&unfit)));
                }
            }
        }
        if let Some(expected) = &self.says {
            match account.spoken(self.channel, &job, EXAMPLE_NOW) {
                Ok(spoken) => {
                    failures.text("the script", Some(expected), Some(spoken.body.expose()));
                }
                Err(unfit) => failures.tell(format!("it says nothing: {}", reason(&unfit))),
            }
        }
        if let (Some(response), Some(expected)) = (&self.response, &self.verdict) {
            match verdict_on(account, self.channel, response) {
                Some(verdict) => compare_verdicts(expected, &verdict, &mut failures),
                None => failures.tell("the response is not one"),
            }
        }
        failures.told()
    }
}

/// Runs every example of a definition; one that does not hold is a problem at its place. Where the definition
/// itself is wrong, nothing is said of its examples.
pub fn check_examples(definition: &Arc<Definition>, problems: &RefCell<Problems>) {
    let is_wrong =
        |p: &&Problem| p.severity == Severity::Error && p.file() == Some(&*definition.source.name);
    if problems.borrow().sorted().iter().any(is_wrong) {
        return;
    }
    let account = example_account(definition);
    for example in &definition.examples {
        for failure in example.failures(&account) {
            let message = format!("the example `{}` does not hold: {failure}", example.name);
            problems
                .borrow_mut()
                .error(&definition.source, example.span.clone(), message);
        }
    }
    receipts::check(definition, &account, problems);
    let sending = definition.operations.iter();
    for (channel, _) in sending.filter(|(_, operation)| !operation.sends_nothing) {
        let shows = |e: &Example| {
            e.channel == *channel
                && e.verdict
                    .as_ref()
                    .is_some_and(|v| v.kind == VerdictKind::Accepted)
        };
        if !definition.examples.iter().any(shows) {
            let message = format!("no example shows an accepted message by {channel}");
            let hint = "add an `[[example]]` from the vendor's documentation".to_owned();
            problems
                .borrow_mut()
                .warning(&definition.source, 0..0, message, Some(hint));
        }
    }
}

/// The account that examples are run with.
fn example_account(definition: &Arc<Definition>) -> Account {
    let (definition, elsewhere) = (Arc::clone(definition), EXAMPLE_BASE_URL.to_owned());
    Account::documented(definition, "example".into(), elsewhere, None)
}

fn compare_verdicts(expected: &Verdict, found: &Verdict, failures: &mut Differences) {
    for ((name, expected), (_, found)) in in_words(expected).into_iter().zip(in_words(found)) {
        let what = format!("the verdict's {name}");
        failures.text(&what, expected.as_deref(), found.as_deref());
    }
}

/// The fields of a verdict as definitions write them.
fn in_words(verdict: &Verdict) -> [(&'static str, Option<String>); 8] {
    let ms = verdict.retry_after_ms.map(|ms| format!("{ms}ms"));
    let flag = |set: bool| set.then(|| "true".to_owned());
    [
        ("kind", Some(verdict.kind.as_str().to_owned())),
        ("reason", verdict.reason.map(|r| r.as_str().to_owned())),
        ("message_id", verdict.message_id.clone()),
        ("parts", verdict.parts.map(|parts| parts.to_string())),
        ("code", verdict.code.clone()),
        ("retry_after", ms),
        ("capped", flag(verdict.capped)),
        ("unlisted", flag(verdict.unlisted)),
    ]
}

fn reason(unfit: &Unfit) -> String {
    match unfit {
        Unfit::NoChannel => "there is no such channel".to_owned(),
        Unfit::NoAddress => "there is no `base_url`".to_owned(),
        Unfit::NoScriptAddress => "there is no address for its script".to_owned(),
        Unfit::Lacks(slot) => format!("the slot `{slot}` has no value"),
        Unfit::Credential => "a credential cannot be used as it is".to_owned(),
    }
}

fn verdict_on(account: &Account, channel: Channel, answer: &Answer) -> Option<Verdict> {
    let (head, body) = answer.to_http()?.into_parts();
    Some(account.verdict(channel, &head, &body))
}

impl Answer {
    fn to_http(&self) -> Option<Response<Bytes>> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(Bytes::from(self.body.clone())).ok()
    }
}

impl Expected {
    fn compare(&self, request: &Request<Bytes>, failures: &mut Differences) {
        if let Some(expected) = &self.url {
            let url = request.uri().to_string();
            failures.text("the address", Some(expected), Some(&url));
        }
        let value = |name: &str| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        for (name, expected) in &self.headers {
            let what = format!("the header `{name}`");
            match value(name) {
                Some(found) => failures.text(&what, Some(expected), Some(&found)),
                None => failures.tell(format!("{what} is missing")),
            }
        }
        if let Some(basic) = &self.basic {
            let found = value(http::header::AUTHORIZATION.as_str());
            let found = found.and_then(|v| STANDARD.decode(v.strip_prefix("Basic ")?).ok());
            let found = found.and_then(|v| String::from_utf8(v).ok());
            let what = "what `Authorization: Basic` says";
            failures.text(what, Some(basic), found.as_deref());
        }
        if let Some(expected) = &self.form {
            let fields = form_urlencoded::parse(request.body());
            let fields: Map<String, Json> = fields
                .map(|(name, value)| (name.into_owned(), Json::from(value)))
                .collect();
            failures.form(expected, &fields);
        }
        if let Some(expected) = &self.json {
            match serde_json::from_slice(request.body()) {
                Ok(body) => failures.json(expected, &body),
                Err(_) => failures.tell("the body is no JSON"),
            }
        }
    }
}

fn expected(table: &Table<'_>) -> Expected {
    let string = |key| table.read(key, Value::string).map(|t| t.value);
    let headers = table.read("headers", Value::table);
    let expected = Expected {
        url: string("url"),
        headers: headers.map(|t| texts(&t)).unwrap_or_default(),
        basic: string("basic"),
        form: table.read("form", json),
        json: table.read("json", json),
    };
    table.finish();
    expected
}

fn response_of(table: &Table<'_>) -> Option<Answer> {
    let status = table.require("status", |v| v.whole(100, 599));
    let headers = table.read("headers", Value::table);
    let headers = headers.map(|t| texts(&t)).unwrap_or_default();
    let body = table.read("body", Value::string).map(|t| t.value);
    let json = table.read("json", json).map(|j| j.to_string());
    table.finish();
    Some(Answer {
        status: u16::try_from(status?).ok()?,
        headers,
        body: body.or(json).unwrap_or_default(),
    })
}

fn verdict_of(table: &Table<'_>) -> Option<Verdict> {
    let kinds = [
        VerdictKind::Accepted,
        VerdictKind::Rejected,
        VerdictKind::Throttled,
        VerdictKind::Unavailable,
        VerdictKind::Ambiguous,
    ];
    let kinds = kinds.map(|k| (k.as_str(), k));
    let reasons = Reason::ALL.map(|r| (r.as_str(), r));
    let kind = table.require("kind", |v| v.one_of(&kinds));
    let string = |key| table.read(key, Value::string).map(|t| t.value);
    let parts = table.read("parts", |v| v.whole(1, 1_000));
    let verdict = Verdict {
        kind: kind?,
        reason: table.read("reason", |v| v.one_of(&reasons)),
        message_id: string("message_id"),
        parts: parts.and_then(|n| u32::try_from(n).ok()),
        code: string("code"),
        retry_after_ms: table.read("retry_after", |v| v.duration_ms(0, 86_400_000)),
        capped: table.read("capped", Value::boolean).unwrap_or(false),
        unlisted: table.read("unlisted", Value::boolean).unwrap_or(false),
    };
    table.finish();
    Some(verdict)
}

fn texts(table: &Table<'_>) -> Vec<(String, String)> {
    let entries = table.entries().into_iter();
    entries
        .filter_map(|(name, v)| Some((name.value, v.string()?.value)))
        .collect()
}

/// TOML as JSON. `null` is the one thing TOML cannot say; leave such fields out.
pub(crate) fn json(value: Value<'_>) -> Option<Json> {
    let tree = Tree::read(value, Place::Answer)?;
    tree.fill(&|_| None).ok().flatten()
}
