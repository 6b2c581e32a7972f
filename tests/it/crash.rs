//! `kill -9`, SIGTERM, and what is owned afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use crate::router::{HEAVY, NUMBER, Router, hook_call, number, provider, status};

/// Calls until the router is gone; gives the answers that arrived, by delivery.
async fn load(
    router: &Arc<Router>,
    callers: usize,
    count: usize,
    next: &Arc<AtomicUsize>,
) -> Vec<Json> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (router, next) = (Arc::clone(router), Arc::clone(next));
        tasks.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return answers;
                }
                let post = router
                    .client
                    .post(&router.hook)
                    .json(&hook_call(&number(n)));
                let Ok(response) = post.send().await else {
                    return answers;
                };
                let Ok(answer) = response.json().await else {
                    return answers;
                };
                answers.push(answer);
            }
        });
    }
    tasks.join_all().await.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_nothing_that_okta_was_told_is_lost() {
    let _heavy = HEAVY.lock().await;
    let router = Router::start("");
    // The first vendor fails, the second is slow: much is in flight at any moment.
    router.steer("twilio", "500").await;
    router.steer("vonage", "slow:700ms").await;
    let router = Arc::new(router);
    let next = Arc::new(AtomicUsize::new(0));
    let loading = tokio::spawn({
        let (router, next) = (Arc::clone(&router), Arc::clone(&next));
        async move { load(&router, 100, 100_000, &next).await }
    });
    // 300 answers at least, and 100 calls under way.
    let enough = async || next.load(Ordering::Relaxed) >= 400;
    router.wait_for("400 calls", enough).await;
    router.signal("KILL");
    let answers = loading.await.unwrap();
    assert!(answers.len() > 100, "{}", answers.len());
    let place = Arc::try_unwrap(router).ok().expect("the last one").kill();
    let again = Router::start_in(place, &["--sandbox"]);
    let told: BTreeSet<&str> = answers
        .iter()
        .filter(|a| status(a) == "SUCCESSFUL")
        .map(|a| a["debugContext"]["delivery"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), answers.len());
    for id in told {
        let path = format!("/api/v1/deliveries/{id}");
        again
            .wait_for(id, async || {
                let delivery = again.admin_get(&path).await;
                let attempts = delivery["attempts"].as_array();
                attempts.is_some_and(|a| a.iter().any(|a| a["verdict"] == "accepted"))
            })
            .await;
    }
}

#[tokio::test]
async fn a_repeated_event_is_known_after_a_restart() {
    let router = Router::start("");
    let body = hook_call(NUMBER);
    let first = router.call(&body).await;
    router
        .delivery(&first, |d| d["outcome"] == "delivered")
        .await;
    let again = Router::start_in(router.kill(), &["--sandbox"]);
    assert_eq!(again.call(&body).await, first);
    assert!(again.sandbox().await.iter().all(|v| v["received"] == 0));
}

#[tokio::test]
async fn at_a_shutdown_waiting_calls_are_answered_and_deliveries_end() {
    let router = Router::start("");
    router.steer("twilio", "slow:400ms").await;
    let router = Arc::new(router);
    let body = hook_call(NUMBER);
    let waiting = tokio::spawn({
        let router = Arc::clone(&router);
        async move { router.call(&body).await }
    });
    let received = async || {
        let state = router.sandbox().await;
        state.iter().any(|v| v["received"] == 1)
    };
    router.wait_for("the vendor's call", received).await;
    router.signal("TERM");
    let answer = waiting.await.unwrap();
    assert_eq!(
        (status(&answer), provider(&answer)),
        ("SUCCESSFUL", "twilio")
    );
    let mut router = Arc::try_unwrap(router).ok().expect("the last one");
    assert_eq!(router.stop(), Some(0));
    let told = || router.log().iter().any(|line| line.contains("\"stopped\""));
    router.wait_for("its last line", async || told()).await;
}

#[tokio::test]
async fn what_the_sandbox_left_is_not_sent_by_a_real_router() {
    let router = Router::start("[hook]\ngrace = \"0s\"\n");
    router.steer_all("500").await;
    let answer = router.call(&hook_call(NUMBER)).await;
    assert_eq!(status(&answer), "SUCCESSFUL");
    let place = router.kill();
    let config = r#"
[hook]
[vendors.twilio]
base_url = "http://127.0.0.1:9"
credentials = { account_sid = "env:PATH", auth_token = "env:PATH" }
"#;
    place.write("trunkline.toml", &crate::router::with_ports(config));
    let real = Router::start_in(place, &[]);
    let metrics = real.metrics().await;
    assert!(
        metrics.contains("trunkline_deliveries_in_flight 0"),
        "{metrics}"
    );
}
