//! One simulated vendor: a listener, the definition read from the vendor's side, and a behaviour.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::sandbox::behaviour::{Act, Reports};
use crate::sandbox::manners::Manners;
use crate::sandbox::reporter::{Message, Reporter};
use crate::sandbox::{Behaviour, Simulated};
use crate::time::Clock;
use crate::vendor::{Account, Asked, Objection, Said, Simulated as Reply};

/// A request's body, at most.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// After a failed bind or accept, before the next one.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

pub(super) struct Simulator {
    address: SocketAddr,
    account: ArcSwap<Account>,
    manners: watch::Sender<Manners>,
    /// Where the client takes receipts, once that is known.
    client_url: Arc<OnceLock<String>>,
    clock: Clock,
    reporter: Arc<Reporter>,
    received: AtomicU64,
    accepted: AtomicU64,
}

impl Simulator {
    /// Opens a listener and serves it in a task of its own.
    pub(super) fn start(
        account: impl Fn(String) -> Account,
        client_url: Arc<OnceLock<String>>,
    ) -> io::Result<Arc<Simulator>> {
        let clock = Clock::start();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let simulator = Arc::new(Simulator {
            address,
            account: ArcSwap::from_pointee(account(format!("http://{address}"))),
            manners: watch::Sender::new(Manners::new()),
            client_url,
            clock,
            reporter: Arc::new(Reporter::new(clock)?),
            received: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
        });
        tokio::spawn(Arc::clone(&simulator).run(listener));
        Ok(simulator)
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn account(&self) -> Account {
        Account::clone(&self.account.load())
    }

    pub(super) fn speak_as(&self, account: Account) {
        self.account.store(Arc::new(account));
    }

    pub(super) fn steer(&self, behaviour: Behaviour) -> bool {
        self.manners.send_modify(|m| m.steer(behaviour));
        true
    }

    pub(super) fn shown(&self, name: &str) -> Simulated {
        Simulated {
            vendor: name.to_owned(),
            behaviour: self.manners.borrow().to_string(),
            received: self.received.load(Ordering::Relaxed),
            accepted: self.accepted.load(Ordering::Relaxed),
            reported: self.reporter.reported(),
        }
    }

    /// Listens, except while connections are to be refused: then the port is closed.
    async fn run(self: Arc<Simulator>, listener: TcpListener) {
        let mut steered = self.manners.subscribe();
        let mut open = Some(listener);
        loop {
            let Some(listener) = open.take() else {
                let wait = steered.wait_for(|m| !m.refuses_connections());
                if wait.await.is_err() {
                    return;
                }
                open = self.listen_again().await;
                continue;
            };
            let mut connections = JoinSet::new();
            let mut refusing = self.manners.subscribe();
            let refused = refusing.wait_for(Manners::refuses_connections);
            tokio::pin!(refused);
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = &mut refused => break,
                };
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(Arc::clone(&self).serve(stream));
                    }
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
                while connections.try_join_next().is_some() {}
            }
        }
    }

    async fn listen_again(&self) -> Option<TcpListener> {
        match TcpListener::bind(self.address).await {
            Ok(listener) => Some(listener),
            Err(error) => {
                tracing::warn!(%error, "a simulated vendor cannot have its port back yet");
                tokio::time::sleep(PAUSE).await;
                None
            }
        }
    }

    async fn serve(self: Arc<Simulator>, stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let service = service_fn(move |request| {
            let simulator = Arc::clone(&self);
            async move { Ok::<_, Infallible>(simulator.answer(request).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::trace!(%error, "a connection to a simulated vendor ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return respond(
                StatusCode::PAYLOAD_TOO_LARGE,
                HeaderMap::new(),
                Bytes::new(),
            );
        };
        // Connections are warmed with HEAD; that is no message.
        if head.method == http::Method::HEAD {
            return respond(StatusCode::OK, HeaderMap::new(), Bytes::new());
        }
        let request = Request::from_parts(head, body.to_bytes());
        self.received.fetch_add(1, Ordering::Relaxed);
        let account = self.account.load_full();
        match account.recognise(&request, self.clock.now()) {
            Ok(asked) => self.act(&account, asked).await,
            Err(objection) => self.object(&account, &objection),
        }
    }

    /// Wrong credentials are refused in the vendor's own words; other mistakes are told to whoever made them.
    fn object(&self, account: &Account, objection: &Objection) -> Response<Full<Bytes>> {
        let operation = objection
            .channel
            .and_then(|c| account.definition().operation(c));
        if let Some(operation) = operation
            && objection.status == StatusCode::UNAUTHORIZED
        {
            let said = Said {
                id: "",
                error: "",
                asked: None,
                now: self.clock.now(),
            };
            let (head, body) = operation.simulation.unauthorized.answer(&said);
            return respond(head.status, head.headers, body);
        }
        let told = serde_json::json!({ "sandbox": objection.message }).to_string();
        respond(objection.status, HeaderMap::new(), Bytes::from(told))
    }

    /// Treats a request as the vendor was told to treat this number.
    async fn act(&self, account: &Arc<Account>, asked: Asked) -> Response<Full<Bytes>> {
        let Some(operation) = account.definition().operation(asked.channel) else {
            return respond(StatusCode::NOT_FOUND, HeaderMap::new(), Bytes::new());
        };
        let simulation = &operation.simulation;
        let id = Uuid::now_v7().simple().to_string();
        let reply = |simulated: &Reply, code: Option<&str>| {
            simulated.answer(&Said {
                id: &id,
                error: code.unwrap_or(&simulation.default_error),
                asked: Some(&asked),
                now: self.clock.now(),
            })
        };
        let refusal = |simulated: &Reply, code: Option<&str>| {
            let (head, body) = reply(simulated, code);
            respond(head.status, head.headers, body)
        };
        // Some vendors are given the number without its plus.
        let to = asked.to.as_deref().unwrap_or_default();
        let to = format!("+{}", to.trim_start_matches('+'));
        let act = self.manners.borrow().act_towards(&to);
        let reports = match act {
            Act::Accept(reports) => reports,
            Act::Slow(time) => {
                tokio::time::sleep(time).await;
                Reports::Delivered
            }
            // The port is being closed; whoever came before is still served.
            Act::Refuse => Reports::Delivered,
            Act::Silent => std::future::pending().await,
            Act::Throttle(wait) => {
                let mut response = refusal(&simulation.throttle, None);
                if let Some(wait) = wait {
                    let seconds = HeaderValue::from(wait.as_secs());
                    response.headers_mut().insert(RETRY_AFTER, seconds);
                }
                return response;
            }
            Act::Reject(code) => return refusal(&simulation.reject, code.as_deref()),
            Act::Error(status) => {
                if status != simulation.error.status {
                    // Something in front of the vendor says so.
                    let status = StatusCode::from_u16(status).unwrap_or_default();
                    return respond(status, HeaderMap::new(), Bytes::new());
                }
                return refusal(&simulation.error, None);
            }
        };
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let (head, body) = reply(&simulation.accept, None);
        // The client knows the message by the id that it reads in the answer, or by its own name for it.
        let id = account.verdict(asked.channel, &head, &body).message_id;
        let id = id.or_else(|| asked.reference.clone());
        let message = Message {
            account: Arc::clone(account),
            channel: asked.channel,
            callback: self.callback(account, &asked).filter(|_| id.is_some()),
            script: asked.script,
            id: id.unwrap_or_default(),
            reference: asked.reference,
            to,
        };
        if message.callback.is_some() || message.script.is_some() {
            self.reporter.tell_early(&message, &reports).await;
            self.reporter.tell(message, &reports);
        }
        respond(head.status, head.headers, body)
    }
}

impl Simulator {
    /// Where receipts of a message go: where it asks for them, or to the one address of its account.
    fn callback(&self, account: &Account, asked: &Asked) -> Option<String> {
        if account.reports_to_one_address(asked.channel) {
            let client = self.client_url.get()?;
            return Some(format!("{client}/receipts/{}", account.name()));
        }
        asked.callback.clone()
    }
}

fn respond(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
