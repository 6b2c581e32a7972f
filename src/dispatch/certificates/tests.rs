//! What is fetched and kept, and that forged receipts cause little.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use super::*;

const NOW: Moment = Moment(1_767_225_600_000);
const HOUR_MS: i64 = 3_600_000;

/// The certificate of the invented vendor of the tests.
fn pem() -> Vec<u8> {
    let text = include_str!("../../../tests/data/enveloped.toml");
    let definition: toml::Table = toml::from_str(text).unwrap();
    let pem = &definition["credentials"]["certificate"]["example"];
    pem.as_str().unwrap().into()
}

fn certificates() -> Certificates {
    // Another test may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    Certificates::speaking(false).unwrap()
}

/// Fetches that are counted, of which the ones of an address that begins with `good` go well.
struct Counted {
    certificates: Certificates,
    fetches: AtomicUsize,
}

impl Counted {
    fn new() -> Counted {
        Counted {
            certificates: certificates(),
            fetches: AtomicUsize::new(0),
        }
    }

    /// Whether there is a certificate, and how many were fetched until then.
    async fn get(&self, address: &str, ms: i64) -> (bool, usize) {
        let fetch = async {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            address.starts_with("good").then(pem)
        };
        let now = NOW.plus_ms(ms);
        let got = self.certificates.get_by(address, now, fetch).await;
        (got.is_some(), self.fetches.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn a_certificate_is_fetched_once_a_day() {
    let counted = Counted::new();
    for (ms, fetches) in [
        (0, 1),
        (HOUR_MS, 1),
        (24 * HOUR_MS - 1, 1),
        (24 * HOUR_MS, 2),
    ] {
        assert_eq!(counted.get("good", ms).await, (true, fetches));
    }
}

#[tokio::test]
async fn after_a_failure_an_address_is_left_alone_and_others_are_not() {
    let counted = Counted::new();
    assert_eq!(counted.get("bad", 0).await, (false, 1));
    assert_eq!(counted.get("bad", PAUSE_MS - 1).await, (false, 1));
    assert_eq!(counted.get("good", 0).await, (true, 2));
    assert_eq!(counted.get("bad", PAUSE_MS).await, (false, 3));
}

#[tokio::test]
async fn after_many_failures_all_wait_that_are_not_known() {
    let counted = Counted::new();
    assert_eq!(counted.get("good-1", -24 * HOUR_MS).await, (true, 1));
    for n in 0..PAUSES_MAX {
        assert_eq!(counted.get(&format!("bad-{n}"), 0).await, (false, n + 2));
    }
    let fetches = PAUSES_MAX + 1;
    for address in ["bad", "good-2"] {
        assert_eq!(counted.get(address, PAUSE_MS - 1).await, (false, fetches));
    }
    // What was fetched before is fetched again whatever others name.
    assert_eq!(counted.get("good-1", 0).await, (true, fetches + 1));
    assert_eq!(counted.get("good-2", PAUSE_MS).await, (true, fetches + 2));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_fetched_again_is_used_for_a_week() {
    let counted = Counted::new();
    assert_eq!(counted.get("good", 0).await, (true, 1));
    let certificates = &counted.certificates;
    for (ms, used) in [
        (24 * HOUR_MS, true),
        (7 * 24 * HOUR_MS - 1, true),
        (8 * 24 * HOUR_MS, false),
    ] {
        let now = NOW.plus_ms(ms);
        let failed = certificates.get_by("good", now, async { None }).await;
        assert_eq!(failed.is_some(), used);
        // Until the pause is over nothing is fetched.
        assert_eq!(counted.get("good", ms).await, (used, 1));
    }
    let later = 8 * 24 * HOUR_MS + PAUSE_MS;
    assert_eq!(counted.get("good", later).await, (true, 2));
}

#[tokio::test]
async fn a_certificate_that_proved_nothing_makes_room_before_one_that_did() {
    let counted = Counted::new();
    let ours = counted
        .certificates
        .get_by("ours", NOW, async { Some(pem()) });
    counted.certificates.has_proven(&ours.await.unwrap());
    for n in 0..2 * KEPT_MAX {
        assert_eq!(counted.get(&format!("good-{n}"), 0).await, (true, n + 1));
    }
    assert_eq!(counted.get("ours", 0).await, (true, 2 * KEPT_MAX));
    // Fetched again, it has proven what it proved.
    let day = NOW.plus_ms(24 * HOUR_MS);
    let again = counted
        .certificates
        .get_by("ours", day, async { Some(pem()) });
    assert!(again.await.is_some());
    assert!(counted.certificates.kept().iter().any(|k| k.has_proven));
}

#[tokio::test]
async fn the_certificate_that_was_not_used_for_longest_makes_room() {
    let counted = Counted::new();
    for n in 0..KEPT_MAX {
        counted.get(&format!("good-{n}"), 0).await;
    }
    assert_eq!(counted.get("good-0", 0).await, (true, KEPT_MAX));
    assert_eq!(counted.get("good-more", 0).await, (true, KEPT_MAX + 1));
    assert_eq!(counted.get("good-0", 0).await, (true, KEPT_MAX + 1));
    assert_eq!(counted.get("good-1", 0).await, (true, KEPT_MAX + 2));
}

#[tokio::test]
async fn what_is_no_certificate_is_not_kept() {
    let certificates = certificates();
    for text in [
        "",
        "x",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let now = NOW.plus_ms(i64::try_from(text.len()).unwrap() * HOUR_MS);
        let got = certificates.get_by("a", now, async { Some(text.into()) });
        assert!(got.await.is_none());
    }
    assert!(certificates.kept().is_empty());
}

#[tokio::test]
async fn few_are_fetched_at_once_and_the_others_wait() {
    let certificates = certificates();
    let together = Barrier::new(FETCHES_AT_ONCE_MAX);
    let (begun, under_way) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let all = (0..5 * FETCHES_AT_ONCE_MAX).map(|n| {
        let fetch = async {
            begun.fetch_add(1, Ordering::Relaxed);
            let others = under_way.fetch_add(1, Ordering::Relaxed);
            assert!(others < FETCHES_AT_ONCE_MAX);
            together.wait().await;
            under_way.fetch_sub(1, Ordering::Relaxed);
            None
        };
        let address = format!("bad-{n}");
        let certificates = &certificates;
        async move { certificates.get_by(&address, NOW, fetch).await }
    });
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(Option::is_none));
    assert_eq!(begun.into_inner(), 5 * FETCHES_AT_ONCE_MAX);
}

/// A server that answers every request with these bytes, and counts them.
async fn answering(answer: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let read = stream.read(&mut [0; 4_096]).await.unwrap();
            assert!(read > 0);
            // The client may go before all of it is written.
            drop(stream.write_all(&answer).await);
        }
    });
    (address, asked)
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn what_is_fetched_is_small_and_where_it_was_said_to_be() {
    let certificates = certificates();
    let (address, _) = answering(http("200 OK", "", &pem())).await;
    assert_eq!(certificates.fetch(&address).await, Some(pem()));
    let other_spelling = address.replace("http://", "HTTP://");
    assert_eq!(certificates.fetch(&other_spelling).await, None);
    let (elsewhere, asked) = answering(http("200 OK", "", &pem())).await;
    for (status, headers) in [
        ("302 Found", format!("location: {elsewhere}\r\n")),
        ("404 Not Found", String::new()),
        ("206 Partial Content", String::new()),
    ] {
        let (address, _) = answering(http(status, &headers, &pem())).await;
        assert_eq!(certificates.fetch(&address).await, None, "{status}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    for (bytes, whole) in [(FETCHED_BYTES_MAX, true), (FETCHED_BYTES_MAX + 1, false)] {
        let (address, _) = answering(http("200 OK", "", &vec![b'x'; bytes])).await;
        assert_eq!(certificates.fetch(&address).await.is_some(), whole);
    }
    let plain = Certificates::new().unwrap();
    assert_eq!(plain.fetch(&address).await, None, "this is not https");
}

#[tokio::test]
async fn an_address_is_visited_once_and_not_followed_further() {
    let certificates = certificates();
    for (status, well) in [
        ("200 OK", true),
        ("302 Found", false),
        ("404 Not Found", false),
        ("500 Oh", false),
    ] {
        let (elsewhere, followed) = answering(http("200 OK", "", b"")).await;
        let location = format!("location: {elsewhere}\r\n");
        let (address, asked) = answering(http(status, &location, b"x")).await;
        assert_eq!(certificates.visit(&address).await, well, "{status}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(followed.load(Ordering::Relaxed), 0);
    }
    assert!(!certificates.visit("https://").await);
}
