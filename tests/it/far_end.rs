//! A vendor account whose far end is this test: it sees what is asked, and signs receipts as the vendor does.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use ring::hmac;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::router::{Place, Router};

const TOKEN: &str = "a-token-of-the-test";
/// Where the router is told that vendors reach it.
pub(crate) const PUBLIC_URL: &str = "https://otp.example";

/// Twilio, as far as the router can tell.
pub(crate) struct FarEnd {
    address: SocketAddr,
    /// The fields of every message it was asked for.
    asked: Arc<Mutex<Vec<HashMap<String, String>>>>,
    /// Messages are answered while this is true.
    answering: watch::Sender<bool>,
}

impl FarEnd {
    pub(crate) async fn start() -> FarEnd {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answering, answers) = watch::channel(true);
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, answers) = (Arc::clone(&kept), answers.clone());
                let service = service_fn(move |request| {
                    let (kept, answers) = (Arc::clone(&kept), answers.clone());
                    async move { Ok::<_, Infallible>(answer(request, &kept, answers).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        FarEnd {
            address,
            asked,
            answering,
        }
    }

    /// A router that has this account and no other, and these rules beside the shipped ones.
    pub(crate) fn place(&self) -> Arc<Place> {
        let config = format!(
            r#"
[hook]
public_url = "{PUBLIC_URL}"
[vendors.twilio]
base_url = "http://{}"
from = "+15005550006"
credentials = {{ account_sid = "file:sid", auth_token = "file:token" }}
[vendors.infobip]
base_url = "http://127.0.0.1:9"
credentials = {{ api_key = "file:token" }}
"#,
            self.address
        );
        let place = Place::new(&config);
        place.write("sid", "AC0");
        place.write("token", TOKEN);
        Arc::new(place)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets messages wait for their answer, or answers them.
    pub(crate) fn answer(&self, yes: bool) {
        self.answering.send_replace(yes);
    }

    pub(crate) fn asked(&self) -> Vec<HashMap<String, String>> {
        self.asked.lock().unwrap().clone()
    }

    /// The path of the address to which the router wants reports on its latest message.
    pub(crate) fn report_path(&self) -> String {
        let asked = self.asked();
        let url = &asked.last().expect("a message")["StatusCallback"];
        url.strip_prefix(PUBLIC_URL)
            .expect("our address")
            .to_owned()
    }
}

/// The message id of the `n`th message, counted from 1.
pub(crate) fn sid(n: usize) -> String {
    format!("SM{n:032x}")
}

async fn answer(
    request: Request<Incoming>,
    kept: &Mutex<Vec<HashMap<String, String>>>,
    mut answers: watch::Receiver<bool>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.method() != http::Method::POST {
        return response;
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let fields = form_urlencoded::parse(&body).into_owned().collect();
    let count = {
        let mut kept = kept.lock().unwrap();
        kept.push(fields);
        kept.len()
    };
    answers.wait_for(|answers| *answers).await.unwrap();
    *response.status_mut() = StatusCode::CREATED;
    let json = format!(r#"{{"sid":"{}","num_segments":"1"}}"#, sid(count));
    *response.body_mut() = Full::from(json);
    response
}

/// Reports on a message, signed as Twilio signs; gives the status that the router answers.
pub(crate) async fn report(router: &Router, path: &str, sid: &str, status: &str) -> u16 {
    let fields = [("MessageSid", sid), ("MessageStatus", status)];
    report_fields(router, path, &fields).await
}

/// The same with these fields, which are sorted by name.
pub(crate) async fn report_fields(router: &Router, path: &str, fields: &[(&str, &str)]) -> u16 {
    let base = router.hook.strip_suffix("/okta/telephony").unwrap();
    report_at(&router.client, base, path, fields).await
}

/// The same to whoever listens there for what comes to our address.
pub(crate) async fn report_at(
    client: &Client,
    base: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> u16 {
    let pairs: String = fields
        .iter()
        .map(|(name, value)| format!("{name}{value}"))
        .collect();
    let signed = format!("{PUBLIC_URL}{path}{pairs}");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let post = client
        .post(format!("{base}{path}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(body);
    post.send().await.unwrap().status().as_u16()
}
