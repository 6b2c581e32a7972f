//! Listens for the receipts of one message, proves them, and passes them on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::NO;
use crate::cli::serve::own_url;
use crate::cli::vendors::errand::Errand;
use crate::cli::vendors::{Mistake, TryArgs};
use crate::config::Config;
use crate::dispatch::{
    Certificates, ReceiptRequest, ScriptRequest, Scripted, Taken, TakesReceipts, TellsScripts,
};
use crate::flow::{Receipt, Verdict};
use crate::reload::certificate;
use crate::server::receipts::{RECEIPTS_PATH, receipts};
use crate::server::reply::{Response, refusal};
use crate::server::voice::{VOICE_PATH, voice};
use crate::server::{Handler, serve};
use crate::time::{Clock, Moment};
use crate::vendor::{Callback, News, Refusal, same_id};

/// Random bytes in the address; as many characters as the router's own references have.
const REFERENCE_BYTES: usize = 27;
/// Receipts that were not printed yet, at most; vendors come again with more.
const HEARD_MAX: usize = 64;
/// A receipt that names no message of ours may be of the one whose id the vendor is about to tell.
const VERDICT_WAIT_MAX: Duration = Duration::from_secs(1);
/// Requests under way when all is over may still be answered for so long.
const CLOSING_MAX: Duration = Duration::from_secs(1);

/// What came to the address.
pub(super) enum Heard {
    Receipt(Moment, Receipt),
    Refused(Moment, Refusal),
    /// Receipts of other messages, which the vendor was told to bring again.
    Foreign(Moment),
}

/// An open listener, and what it hears.
pub(super) struct Open {
    /// Where the vendor reports; whoever has not been given it cannot make it up.
    pub(super) callback: String,
    /// Our address as the vendor knows it.
    pub(super) url: String,
    /// Where the vendor fetches what the call is to say, where it does.
    pub(super) script: Option<String>,
    /// Where we listen for what comes there.
    pub(super) address: SocketAddr,
    pub(super) heard: mpsc::Receiver<Heard>,
    verdict: watch::Sender<Option<Verdict>>,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

/// Who takes the receipts in.
struct Desk {
    errand: Arc<Errand>,
    reference: String,
    /// Our address as the vendor knows it.
    url: String,
    clock: Clock,
    certificates: Certificates,
    heard: mpsc::Sender<Heard>,
    verdict: watch::Receiver<Option<Verdict>>,
}

impl Open {
    /// Listens for what the vendor will report; the reason where nothing can come.
    pub(super) async fn new(
        args: &TryArgs,
        config: &Config,
        errand: &Arc<Errand>,
        clock: Clock,
    ) -> Result<Result<Open, &'static str>, Mistake> {
        let public_url = config.hook.public_url.as_ref();
        if args.wait.is_zero() {
            return Ok(Err("not waited for"));
        }
        if !errand.account.reports(errand.channel) {
            return Ok(Err(match errand.account.unsecured(errand.channel) {
                Some(_) => "none could be proven: `trunkline check` says what is missing",
                None => "this vendor reports nothing by this channel",
            }));
        }
        if public_url.is_none() && !args.config.sandbox {
            return Ok(Err("none can come: `[hook]` has no `public_url`"));
        }
        let tls = config.hook.tls.as_ref().map(certificate).transpose();
        let tls = tls.map_err(|error| {
            let message = format!("the certificate cannot be used: {error:#}");
            Mistake::new(NO, message, "`trunkline check` reads it too")
        })?;
        let at = address(args, config);
        let listener = TcpListener::bind(at).await.map_err(unheard(at))?;
        let bound = listener.local_addr().map_err(unheard(at))?;
        let own = own_url(&listener, tls.is_some()).filter(|_| args.config.sandbox);
        let url = own.as_ref().or(public_url).cloned().unwrap_or_default();
        let (url, vendor) = (url.trim_end_matches('/').to_owned(), errand.account.name());
        let reference = random_reference()?;
        let (tell, heard) = mpsc::channel(HEARD_MAX);
        let (verdict, known) = watch::channel(None);
        let stop = CancellationToken::new();
        let desk = Arc::new(Desk {
            errand: Arc::clone(errand),
            certificates: Certificates::new().map_err(|error| Mistake {
                exit: NO,
                message: format!("no certificate could be fetched: {error}"),
                hint: None,
            })?,
            reference: reference.clone(),
            url: url.clone(),
            clock,
            heard: tell,
            verdict: known,
        });
        let tls = Arc::new(ArcSwapOption::from(tls));
        let fetched = errand.account.fetches_script(errand.channel);
        Ok(Ok(Open {
            script: fetched.then(|| format!("{url}{VOICE_PATH}{reference}")),
            callback: format!("{url}{RECEIPTS_PATH}{vendor}/{reference}"),
            url,
            address: bound,
            heard,
            verdict,
            serving: tokio::spawn(serve(listener, tls, desk, stop.clone())),
            stop,
        }))
    }

    /// Tells what the vendor answered, with its name for the message.
    pub(super) fn knows(&self, verdict: &Verdict) {
        self.verdict.send_replace(Some(verdict.clone()));
    }

    /// Ends, once what is under way is answered.
    pub(super) async fn close(self) {
        self.stop.cancel();
        // Whoever is slower than this has been heard all the same.
        drop(tokio::time::timeout(CLOSING_MAX, self.serving).await);
    }
}

fn address(args: &TryArgs, config: &Config) -> SocketAddr {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let usual = if args.config.sandbox {
        any
    } else {
        config.hook.listen
    };
    args.listen.unwrap_or(usual)
}

/// Why nothing can be heard at an address.
fn unheard(address: SocketAddr) -> impl Fn(io::Error) -> Mistake {
    move |error| {
        let (message, hint) = match error.kind() {
            io::ErrorKind::AddrInUse => (
                format!("{address} is in use, so that no receipt could be heard; nothing was sent"),
                "if a router runs there: `--listen` with another port behind the same `public_url`, or `--wait 0`",
            ),
            _ => (
                format!("no receipt could be heard at {address}: {error}; nothing was sent"),
                "`--listen` names another address, `--wait 0` waits for none",
            ),
        };
        Mistake::new(NO, message, hint)
    }
}

fn random_reference() -> Result<String, Mistake> {
    let mut bytes = [0; REFERENCE_BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Mistake {
        exit: NO,
        message: "the system has no random numbers".to_owned(),
        hint: None,
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Handler for Desk {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _peer: SocketAddr) -> Response {
        match request.uri().path() {
            path if path.starts_with(VOICE_PATH) => voice(&*self, request).await,
            path if path.starts_with(RECEIPTS_PATH) => receipts(&*self, request).await,
            _ => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

impl TakesReceipts for Desk {
    fn is_reporting(&self, vendor: &str) -> bool {
        **self.errand.account.name() == *vendor
    }

    async fn take_receipts(&self, request: &ReceiptRequest<'_>) -> Taken {
        let now = self.clock.now();
        let account = &self.errand.account;
        let reference_proven = request.reference.is_some_and(|given| self.is_ours(given));
        let mut callback = Callback {
            method: request.method,
            url: &format!("{}{}", self.url, request.path),
            headers: request.headers,
            body: request.body,
            reference_proven,
            certificate: None,
        };
        let certificate = match account.certificate_address(&callback, now) {
            Some(address) => self.certificates.get(&address, now).await,
            None => None,
        };
        callback.certificate = certificate.as_deref();
        let mut news = match account.receipts(&callback, now) {
            Ok(news) => news,
            Err(refusal) => {
                // Anybody can send them; those for which there is no room are refused unseen.
                drop(self.heard.try_send(Heard::Refused(now, refusal)));
                return refusal.into();
            }
        };
        if !reference_proven {
            let id = self.message_id().await;
            news.retain(|(_, news)| self.is_named(news, id.as_deref()));
        }
        if news.is_empty() {
            // They are for whoever usually listens here.
            drop(self.heard.try_send(Heard::Foreign(now)));
            return Taken::NotKept;
        }
        for (_, news) in news {
            if self
                .heard
                .try_send(Heard::Receipt(now, news.receipt))
                .is_err()
            {
                return Taken::NotKept;
            }
        }
        Taken::Kept(account.receipt_reply())
    }
}

impl TellsScripts for Desk {
    fn is_script(&self, reference: &str) -> bool {
        self.errand.account.fetches_script(self.errand.channel) && self.is_ours(reference)
    }

    async fn tell_script(&self, request: ScriptRequest) -> Scripted {
        let (account, channel) = (&self.errand.account, self.errand.channel);
        let now = self.clock.now();
        let callback = Callback {
            method: &request.method,
            url: &format!("{}{}", self.url, request.path),
            headers: &request.headers,
            body: &request.body,
            reference_proven: self.is_ours(&request.reference),
            certificate: None,
        };
        if account.proves_script(channel, &callback, now).is_err() {
            return Scripted::Unproven;
        }
        let spoken = account.spoken(channel, &self.errand.job(None, None), now);
        spoken.map_or(Scripted::Gone, Scripted::Told)
    }
}

impl Desk {
    /// Whether it is the reference in the addresses that the vendor was given.
    fn is_ours(&self, reference: &str) -> bool {
        reference.as_bytes().ct_eq(self.reference.as_bytes()).into()
    }

    /// The vendor's name for our message, once it has answered.
    async fn message_id(&self) -> Option<String> {
        let mut verdict = self.verdict.clone();
        let known = verdict.wait_for(Option::is_some);
        let known = tokio::time::timeout(VERDICT_WAIT_MAX, known).await;
        known.ok()?.ok()?.as_ref()?.message_id.clone()
    }

    /// Whether it is of our message, by the vendor's name for it or by ours.
    fn is_named(&self, news: &News, id: Option<&str>) -> bool {
        let named = news.reference.as_deref() == Some(&*self.errand.name);
        let ids = news.message_id.as_deref().zip(id);
        named || ids.is_some_and(|(told, known)| same_id(told) == same_id(known))
    }
}
