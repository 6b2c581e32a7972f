//! Sends a simulated vendor's receipts to where its client wants them, over real sockets.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};

use crate::flow::{Channel, Progress};
use crate::sandbox::behaviour::Reports;
use crate::sandbox::pickup::is_picked_up;
use crate::time::Clock;
use crate::vendor::{Account, Told};

/// Messages of one vendor with receipts still to come, at most; no more are reported until some are done.
const PENDING_MAX: usize = 10_000;
/// Receipts of one vendor under way at once.
const IN_FLIGHT_MAX: usize = 64;
/// A client that has not answered by then has not heard it.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// After the acceptance.
const ON_ITS_WAY_AFTER: Duration = Duration::from_millis(50);
/// After the acceptance.
const FINAL_AFTER: Duration = Duration::from_millis(200);

pub(super) struct Reporter {
    pub(super) client: reqwest::Client,
    pub(super) clock: Clock,
    pending: Arc<Semaphore>,
    pub(super) in_flight: Semaphore,
    reported: AtomicU64,
}

/// A message that was accepted.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) account: Arc<Account>,
    pub(super) channel: Channel,
    /// Where its receipts go.
    pub(super) callback: Option<String>,
    /// Where what it says is fetched.
    pub(super) script: Option<String>,
    pub(super) id: String,
    pub(super) reference: Option<String>,
    pub(super) to: String,
}

/// One receipt to send, and how long after the one before.
struct Step {
    after: Duration,
    progress: Progress,
    forged: bool,
}

impl Reporter {
    /// Makes the client.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(super) fn new(clock: Clock) -> io::Result<Reporter> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(ANSWER_MAX)
            // It reports to its own process, whose certificate may be made out to any name.
            .tls_danger_accept_invalid_certs(true)
            .build()
            .map_err(io::Error::other)?;
        Ok(Reporter {
            client,
            clock,
            pending: Arc::new(Semaphore::new(PENDING_MAX)),
            in_flight: Semaphore::new(IN_FLIGHT_MAX),
            reported: AtomicU64::new(0),
        })
    }

    /// Receipts that were sent and answered.
    pub(super) fn reported(&self) -> u64 {
        self.reported.load(Ordering::Relaxed)
    }

    /// Sends what is to be told before the message is even accepted.
    pub(super) async fn tell_early(&self, message: &Message, reports: &Reports) {
        if *reports == Reports::Early {
            let progress = match self.says_something(message).await {
                true => Progress::Delivered,
                false => Progress::Failed,
            };
            let step = step(Duration::ZERO, progress);
            self.send(message, &step, None).await;
        }
    }

    /// Sends the rest, in a task of its own; a call that has to fetch what it says does so first.
    pub(super) fn tell(self: &Arc<Reporter>, message: Message, reports: &Reports) {
        let mut steps = steps(reports);
        let speaks = message.script.is_some() && is_picked_up(reports);
        if steps.is_empty() && !speaks {
            return;
        }
        let place = match Arc::clone(&self.pending).try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                tracing::warn!("a simulated vendor has too many receipts to send; one is left out");
                return;
            }
        };
        let code = match reports {
            Reports::Undelivered(code) => code.clone(),
            Reports::Delivered
            | Reports::Nothing
            | Reports::Late(_)
            | Reports::Early
            | Reports::Doubled
            | Reports::Forged => None,
        };
        let reporter = Arc::clone(self);
        tokio::spawn(async move {
            if speaks && !reporter.says_something(&message).await && !steps.is_empty() {
                steps = vec![step(FINAL_AFTER, Progress::Failed)];
            }
            for step in steps {
                tokio::time::sleep(step.after).await;
                reporter.send(&message, &step, code.as_deref()).await;
            }
            drop(place);
        });
    }

    async fn send(&self, message: &Message, step: &Step, code: Option<&str>) {
        let Some(url) = &message.callback else {
            return;
        };
        let told = Told {
            url,
            message_id: &message.id,
            reference: message.reference.as_deref(),
            to: &message.to,
            progress: step.progress,
            code,
            forged: step.forged,
        };
        let now = self.clock.now();
        let request = message
            .account
            .receipt_request(message.channel, &told, now)
            .and_then(|request| reqwest::Request::try_from(request).ok());
        let (Some(request), Ok(_place)) = (request, self.in_flight.acquire().await) else {
            tracing::warn!("a simulated vendor cannot write a receipt for this address");
            return;
        };
        match self.client.execute(request).await {
            Ok(_) => {
                self.reported.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let error = error.without_url();
                tracing::debug!(%error, "a simulated vendor's receipt did not arrive");
            }
        }
    }
}

/// What is told after the acceptance, in order.
fn steps(reports: &Reports) -> Vec<Step> {
    let delivered = |after| step(after, Progress::Delivered);
    let on_its_way = |after| step(after, Progress::Intermediate);
    match reports {
        Reports::Delivered => vec![
            on_its_way(ON_ITS_WAY_AFTER),
            delivered(FINAL_AFTER - ON_ITS_WAY_AFTER),
        ],
        Reports::Undelivered(_) => vec![step(FINAL_AFTER, Progress::Failed)],
        Reports::Nothing | Reports::Early => Vec::new(),
        Reports::Late(time) => vec![delivered(*time)],
        Reports::Doubled => vec![
            delivered(FINAL_AFTER),
            delivered(Duration::ZERO),
            on_its_way(Duration::ZERO),
            on_its_way(Duration::ZERO),
        ],
        Reports::Forged => vec![Step {
            forged: true,
            ..delivered(FINAL_AFTER)
        }],
    }
}

fn step(after: Duration, progress: Progress) -> Step {
    Step {
        after,
        progress,
        forged: false,
    }
}
