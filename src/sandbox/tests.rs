//! Simulated vendors send receipts that their own definition understands, to whoever asked for them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::flow::{Channel, Progress, Reason, Secret};
use crate::number::PhoneNumber;
use crate::problem::{Problems, Source};
use crate::sandbox::Sandbox;
use crate::time::Clock;
use crate::vendor::{Account, Callback, Definition, Job, News, Refusal};

/// Longer than any receipt of these tests takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a client's addresses end with.
const REFERENCE: &str = "dlv_1-1.0123456789abcdef";

/// Where there is something for a call to say.
const SCRIPT: &str = "/voice/1";
const FETCHING: &str = r#"
[voice]
path = "/calls"
auth = { scheme = "in_request" }
form = { to = "{to}", url = "{script}", hook = "{callback?}" }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1, accept = { status = 200, json = { id = "{id}" } } }
[voice.script]
body = "{text|xml}"
[voice.receipts]
body = "form"
message_id = "/id"
status = "/status"
code = "/why"
intermediate = ["ringing"]
delivered = ["answered"]
failed = ["failed"]
reasons = { unreachable = ["empty"] }
auth = { scheme = "reference" }
[voice.receipts.sandbox]
form = { id = "{id}", status = "{status}", why = "{error?}" }
intermediate = "ringing"
delivered = "answered"
failed = "failed"
default_error = "empty"
"#;

/// A client of simulated vendors: sends, and listens for receipts.
struct Client {
    sandbox: Sandbox,
    account: Account,
    callback: String,
    /// Where the vendor fetches what calls say.
    script: Option<String>,
    heard: mpsc::UnboundedReceiver<Heard>,
}

#[derive(Debug)]
struct Heard {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    at: Instant,
}

impl Client {
    /// A client of one of the shipped definitions.
    async fn of(vendor: &str) -> Client {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("vendors")
            .join(format!("{vendor}.toml"));
        Client::speaking(vendor, std::fs::read_to_string(file).unwrap()).await
    }

    async fn speaking(vendor: &str, definition: String) -> Client {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let provider = rustls::crypto::ring::default_provider();
            provider.install_default().unwrap_or_default();
        });
        let source = Source::new(format!("{vendor}.toml"), definition);
        let definition = Arc::new(Definition::read(&source, &RefCell::<Problems>::default()));
        let sandbox = Sandbox::default();
        let account = sandbox.account(&vendor.into(), &definition, None).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, heard) = mpsc::unbounded_channel();
        tokio::spawn(listen(listener, tell));
        Client {
            sandbox,
            account,
            callback: format!("http://{address}/receipts/{REFERENCE}"),
            script: None,
            heard,
        }
    }

    fn steer(&self, word: &str) {
        assert!(
            self.sandbox
                .steer(self.account.name(), word.parse().unwrap())
        );
    }

    /// Sends a message; gives its id, and when the answer was there.
    async fn send(&self, channel: Channel, to: &str, callback: Option<&str>) -> (String, Instant) {
        let (text, code) = (Secret::new("123456 is your code."), Secret::new("123456"));
        let job = Job {
            to: &PhoneNumber::parse(to, None).unwrap(),
            from: Some("+15005550006"),
            text: &text,
            code: Some(&code),
            reference: "dlv_1-1",
            callback,
            script: self.script.as_deref(),
            left_ms: 300_000,
            ucs2: false,
            language: "en-US",
            parameters: &BTreeMap::new(),
        };
        let request = self.account.request(channel, &job, Clock::start().now());
        let request = reqwest::Request::try_from(request.unwrap()).unwrap();
        let mut response = reqwest::Client::new().execute(request).await.unwrap();
        let at = Instant::now();
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = response.status();
        head.headers = std::mem::take(response.headers_mut());
        let body = response.bytes().await.unwrap();
        let verdict = self.account.verdict(channel, &head, &body);
        (verdict.message_id.unwrap_or_default(), at)
    }

    async fn send_sms(&self) -> (String, Instant) {
        self.send(Channel::Sms, "+6591234567", Some(&self.callback))
            .await
    }

    /// The next receipt.
    async fn hear(&mut self) -> Heard {
        let heard = tokio::time::timeout(PATIENCE, self.heard.recv());
        heard.await.unwrap().unwrap()
    }

    /// What the account makes of a receipt.
    fn read(&self, heard: &Heard) -> Result<Vec<(Channel, News)>, Refusal> {
        let origin = self.callback.split("/receipts/").next().unwrap();
        let url = format!("{origin}{}", heard.url);
        let callback = Callback {
            method: &heard.method,
            url: &url,
            headers: &heard.headers,
            body: &heard.body,
            reference_proven: url.starts_with(&self.callback),
            certificate: None,
        };
        self.account.receipts(&callback, Clock::start().now())
    }

    /// The next receipt, read: its message's id, and how far the message has come.
    async fn news(&mut self) -> (String, Progress) {
        let heard = self.hear().await;
        let news = self.read(&heard).unwrap().remove(0).1;
        (news.message_id.unwrap(), news.receipt.progress)
    }

    fn reported(&self) -> u64 {
        self.sandbox.state()[0].reported
    }
}

async fn listen(listener: TcpListener, tell: mpsc::UnboundedSender<Heard>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let tell = tell.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let tell = tell.clone();
            async move {
                let (head, body) = request.into_parts();
                let heard = Heard {
                    method: head.method,
                    url: head.uri.to_string(),
                    headers: head.headers,
                    body: body.collect().await.unwrap().to_bytes(),
                    at: Instant::now(),
                };
                let said = heard.url == SCRIPT;
                tell.send(heard).unwrap_or_default();
                let body = if said { "<Say>1, 2</Say>" } else { "" };
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(body))))
            }
        });
        let server = hyper::server::conn::http1::Builder::new();
        let connection = server.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { connection.await.unwrap_or_default() });
    }
}

const VENDORS: [&str; 4] = ["infobip", "telnyx", "twilio", "vonage"];

#[tokio::test]
async fn an_accepted_message_is_on_its_way_and_then_delivered() {
    for vendor in VENDORS {
        let mut client = Client::of(vendor).await;
        for channel in [Channel::Sms, Channel::Voice] {
            let callback = client.callback.clone();
            let (id, _) = client.send(channel, "+6591234567", Some(&callback)).await;
            let expected = (id.clone(), Progress::Intermediate);
            assert_eq!(client.news().await, expected, "{vendor} {channel}");
            let expected = (id, Progress::Delivered);
            assert_eq!(client.news().await, expected, "{vendor} {channel}");
        }
    }
}

#[tokio::test]
async fn a_failed_receipt_has_the_code_that_was_asked_for() {
    let mut client = Client::of("twilio").await;
    client.steer("undelivered:30006");
    client.send_sms().await;
    let heard = client.hear().await;
    let receipt = client.read(&heard).unwrap().remove(0).1.receipt;
    assert_eq!(receipt.progress, Progress::Failed);
    assert_eq!(receipt.reason, Some(Reason::NotMobile));
    assert_eq!(receipt.code.as_deref(), Some("30006"));
}

#[tokio::test]
async fn an_early_receipt_comes_before_the_answer() {
    let mut client = Client::of("infobip").await;
    client.steer("early");
    let (id, answered) = client.send_sms().await;
    let heard = client.hear().await;
    assert!(heard.at < answered);
    let news = client.read(&heard).unwrap().remove(0).1;
    assert_eq!(news.message_id, Some(id));
    assert_eq!(client.reported(), 1);
}

#[tokio::test]
async fn doubled_receipts_come_twice_and_in_the_wrong_order() {
    let mut client = Client::of("telnyx").await;
    client.steer("doubled");
    let (id, _) = client.send_sms().await;
    for progress in [
        Progress::Delivered,
        Progress::Delivered,
        Progress::Intermediate,
        Progress::Intermediate,
    ] {
        assert_eq!(client.news().await, (id.clone(), progress));
    }
}

#[tokio::test]
async fn forged_receipts_are_not_believed() {
    for vendor in VENDORS {
        let mut client = Client::of(vendor).await;
        client.steer("forged");
        client.send_sms().await;
        let heard = client.hear().await;
        assert_eq!(client.read(&heard), Err(Refusal::Forged), "{vendor}");
    }
}

#[tokio::test]
async fn a_late_receipt_comes_when_it_was_told_to() {
    let mut client = Client::of("vonage").await;
    client.steer("late:300ms");
    let (id, answered) = client.send_sms().await;
    let heard = client.hear().await;
    assert!(heard.at - answered >= Duration::from_millis(290));
    let (_, news) = client.read(&heard).unwrap().remove(0);
    assert_eq!(news.message_id, Some(id));
    assert_eq!(news.reference.as_deref(), Some("dlv_1-1"));
}

#[tokio::test]
async fn a_prefix_is_treated_in_its_own_way_and_the_unreported_stay_so() {
    let mut client = Client::of("vonage").await;
    client.steer("unreported");
    client.steer("undelivered@+65");
    let callback = client.callback.clone();
    client
        .send(Channel::Sms, "+12025550123", Some(&callback))
        .await;
    client.send(Channel::Sms, "+6591234567", None).await;
    let (id, _) = client.send_sms().await;
    assert_eq!(client.news().await, (id, Progress::Failed));
    assert!(client.heard.try_recv().is_err());
    let state = client.sandbox.state().remove(0);
    assert_eq!(state.behaviour, "unreported, undelivered@+65");
    assert_eq!(state.accepted, 3);
}

#[tokio::test]
async fn a_share_of_the_requests_fails() {
    let client = Client::of("infobip").await;
    client.steer("500%50@+65");
    for _ in 0..4 {
        client.send(Channel::Sms, "+6591234567", None).await;
    }
    let state = client.sandbox.state().remove(0);
    assert_eq!((state.received, state.accepted, state.reported), (4, 2, 0));
}

/// What a client hears of a call whose script is at this path, after the vendor was told to behave so.
async fn call(script: &str, word: &str) -> Client {
    let mut client = Client::speaking("caller", FETCHING.to_owned()).await;
    client.steer(word);
    let origin = client.callback.split("/receipts/").next().unwrap();
    client.script = Some(format!("{origin}{script}"));
    let callback = client.callback.clone();
    let (id, _) = client
        .send(Channel::Voice, "+6591234567", Some(&callback))
        .await;
    assert_ne!(id, "");
    client
}

#[tokio::test]
async fn a_call_says_what_was_fetched_before_it_is_reported() {
    for (word, reports) in [("accept", 2), ("early", 1)] {
        let mut client = call(SCRIPT, word).await;
        let fetched = client.hear().await;
        assert_eq!((fetched.method.as_str(), &*fetched.url), ("POST", SCRIPT));
        let mut last = None;
        for _ in 0..reports {
            last = Some(client.news().await.1);
        }
        assert_eq!(last, Some(Progress::Delivered), "{word}");
    }
}

#[tokio::test]
async fn a_call_with_nothing_to_say_fails() {
    for word in ["accept", "early", "late:10ms"] {
        let mut client = call("/voice/nothing", word).await;
        assert_eq!(client.hear().await.url, "/voice/nothing");
        let heard = client.hear().await;
        let receipt = client.read(&heard).unwrap().remove(0).1.receipt;
        assert_eq!(receipt.progress, Progress::Failed, "{word}");
        assert_eq!(receipt.code.as_deref(), Some("empty"), "{word}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_picks_up_fetches_nothing() {
    let mut client = call(SCRIPT, "undelivered").await;
    assert_eq!(client.news().await.1, Progress::Failed);
}
