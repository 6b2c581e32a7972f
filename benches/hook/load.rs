//! Plays Okta: calls as fast as they go or at a steady rate, checks every answer, takes the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::process::Process;

/// An answer's head and body are smaller than this.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// What one round came to.
pub(crate) struct Measured {
    pub(crate) calls_per_second: f64,
    /// User and system time of the process under test for one call.
    pub(crate) cpu_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// Calls with numbers of their own.
pub(crate) struct Load {
    next_number: usize,
}

impl Load {
    pub(crate) fn new() -> Load {
        Load { next_number: 0 }
    }

    /// Makes `count` calls, `rate` of them a second if given.
    pub(crate) async fn run(
        &mut self,
        process: &Process,
        count: usize,
        connections: usize,
        rate: Option<usize>,
    ) -> Measured {
        let first = self.next_number;
        self.next_number += count;
        let next = Arc::new(AtomicUsize::new(0));
        let (began, cpu) = (Instant::now(), process.cpu_seconds());
        let mut callers = JoinSet::new();
        for _ in 0..connections {
            let (next, address) = (Arc::clone(&next), process.address.clone());
            let is_router = process.is_router;
            callers.spawn(async move {
                let stream = TcpStream::connect(&address).await.expect("a connection");
                stream.set_nodelay(true).expect("no delay");
                let mut caller = Caller { stream, is_router };
                let mut times = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return times;
                    }
                    let due = rate.map(|rate| {
                        began
                            + Duration::from_secs(1) * u32::try_from(n).expect("few")
                                / u32::try_from(rate).expect("few")
                    });
                    if let Some(due) = due {
                        tokio::time::sleep_until(due.into()).await;
                    }
                    // Waiting for a free connection counts, as it would for Okta.
                    let asked = due.unwrap_or_else(Instant::now).max(began);
                    caller.call(first + n).await;
                    times.push(asked.elapsed());
                }
            });
        }
        let mut times = callers.join_all().await.concat();
        let took = began.elapsed().as_secs_f64();
        let cpu = process.cpu_seconds() - cpu;
        times.sort();
        let calls = times.len();
        let at = |share: usize| times[(calls * share / 100).min(calls - 1)].as_secs_f64() * 1e6;
        #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
        let count = calls as f64;
        Measured {
            calls_per_second: count / took,
            cpu_us: cpu * 1e6 / count,
            p50_us: at(50),
            p99_us: at(99),
        }
    }
}

struct Caller {
    stream: TcpStream,
    is_router: bool,
}

impl Caller {
    async fn call(&mut self, n: usize) {
        let request = request(n);
        self.stream.write_all(&request).await.expect("a request");
        let answer = self.answer().await;
        if self.is_router {
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(
                answer.contains(r#""status":"SUCCESSFUL","provider":"twilio""#),
                "{answer}"
            );
        }
    }

    async fn answer(&mut self) -> String {
        let mut read = Vec::with_capacity(1024);
        loop {
            assert!(read.len() < ANSWER_BYTES_MAX, "an answer without end");
            let got = self.stream.read_buf(&mut read).await.expect("an answer");
            assert!(got > 0, "the connection broke");
            let text = String::from_utf8_lossy(&read);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    let is_length = name.eq_ignore_ascii_case("content-length");
                    is_length.then(|| value.trim().parse::<usize>().ok())?
                });
                if body.len() >= length.expect("a length") {
                    return text.into_owned();
                }
            }
        }
    }
}

fn request(n: usize) -> Vec<u8> {
    let (event, number) = (Uuid::now_v7().simple(), 1_000_000 + n % 8_999_999);
    let body = format!(
        r#"{{"eventId":"{event}","eventTime":"2026-11-24T09:00:00.000Z","eventType":"com.okta.telephony.provider","source":"https://acme.okta.com/api/v1/inlineHooks/cal1","requestType":"com.okta.user.telephony.mfa-verification","data":{{"context":{{"request":{{"id":"req1","method":"POST","url":{{"value":"/api/v1/authn"}},"ipAddress":"10.1.2.3"}}}},"userProfile":{{"firstName":"Ann","lastName":"Other","login":"ann@acme.com","userId":"00u1"}},"messageProfile":{{"msgTemplate":"Your code is 482913.","phoneNumber":"+659{number}","otpExpires":"2026-11-24T09:05:00.000Z","deliveryChannel":"SMS","otpCode":"482913","locale":"EN-US"}}}}}}"#
    );
    let head = format!(
        "POST /okta/telephony HTTP/1.1\r\nhost: hook\r\ncontent-type: application/json\r\nauthorization: Basic YmVuY2g6YmVuY2g=\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}
