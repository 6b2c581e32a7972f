//! A vendor that goes bad in one country stops being first there, and comes back by itself.

use std::time::{Duration, Instant};

use crate::router::{Router, hook_call, number, only_rules, provider};

/// Numbers of the United Kingdom, all different.
fn elsewhere(n: usize) -> String {
    format!("+4479111{:05}", 10_000 + n)
}

/// Calls ten times a second until the first vendor asked is `wanted`.
async fn until_first(router: &Router, wanted: &str, numbers: &mut impl Iterator<Item = usize>) {
    let began = Instant::now();
    let mut every = tokio::time::interval(Duration::from_millis(100));
    let mut in_a_row = 0;
    while in_a_row < 5 {
        every.tick().await;
        let answer = router
            .call(&hook_call(&number(numbers.next().unwrap())))
            .await;
        let delivery = router.delivery(&answer, |d| d["answer"].is_object()).await;
        let attempts = delivery["attempts"].as_array().unwrap();
        let asked = attempts.iter().find(|a| a["verdict"] != "skipped");
        let is_first = asked.is_some_and(|a| a["vendor"] == wanted);
        in_a_row = if is_first { in_a_row + 1 } else { 0 };
        let log = router.admin_get("/api/v1/vendors").await;
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{wanted} is not first: {log:#}"
        );
    }
}

#[tokio::test]
async fn a_vendor_that_fails_in_one_country_is_passed_over_there_and_comes_back() {
    let router = Router::start("");
    let mut numbers = 0..;
    router.steer("twilio", "500@+65").await;
    until_first(&router, "vonage", &mut numbers).await;
    let explained = router.admin_get("/api/v1/explain?to=%2B6591234567").await;
    assert_eq!(
        explained["steps"][0]["health"], "unwell: errors",
        "{explained:#}"
    );
    let metrics = router.metrics().await;
    let open = r#"trunkline_vendor_state{country="SG",vendor="twilio"} 0"#;
    let probing = r#"trunkline_vendor_state{country="SG",vendor="twilio"} 1"#;
    assert!(
        metrics.contains(open) || metrics.contains(probing),
        "{metrics}"
    );
    // Elsewhere it is as good as ever.
    router.steer("infobip", "refuse").await;
    router.steer("vonage", "accept").await;
    let explained = router.admin_get("/api/v1/explain?to=%2B447911123456").await;
    for step in explained["steps"].as_array().unwrap() {
        assert_eq!(step["health"], "well", "{explained:#}");
    }
    router.steer("twilio", "accept@+65").await;
    until_first(&router, "twilio", &mut numbers).await;
    let answer = router.call(&hook_call(&elsewhere(1))).await;
    assert_ne!(provider(&answer), "infobip");
}

#[tokio::test]
async fn a_vendor_that_accepts_and_never_delivers_is_passed_over() {
    let router = Router::start("");
    let mut numbers = 0..;
    router.steer("twilio", "undelivered:30007@+65").await;
    until_first(&router, "vonage", &mut numbers).await;
    router.steer("twilio", "accept@+65").await;
    until_first(&router, "twilio", &mut numbers).await;
}

#[tokio::test]
async fn a_learned_order_turns_to_who_delivers_and_shows_why() {
    let router = Router::start("");
    let chain = "[chains.sg]\nvendors = [\"twilio\", \"vonage\"]\norder = \"adaptive\"\n";
    let rule = "[[rule]]\nname = \"sg\"\nwhen = { country = [\"SG\"] }\nchain = \"sg\"\n";
    only_rules(&router, &format!("{chain}{rule}")).await;
    // Rare enough for no breaker to open.
    router.steer("twilio", "undelivered:30007%25").await;
    let mut orders = Vec::new();
    for round in 0..4 {
        let bodies = (0..50).map(|n| hook_call(&number(round * 50 + n)));
        let bodies: Vec<_> = bodies.collect();
        let calls = bodies.iter().map(|body| router.call(body));
        orders.clear();
        for answer in futures_util::future::join_all(calls).await {
            let delivery = router
                .delivery(&answer, |d| d["outcome"] == "delivered")
                .await;
            let order = delivery["learned_order"].as_str().unwrap().to_owned();
            let timeline = delivery["timeline"].to_string();
            assert!(timeline.contains(&order), "{delivery:#}");
            orders.push(order);
        }
    }
    let better = orders.iter().filter(|o| *o == "vonage, twilio").count();
    assert!(better > 30, "{better} of {}: {orders:?}", orders.len());
    let explained = router.admin_get("/api/v1/explain?to=%2B6591234567").await;
    assert_eq!(explained["adaptive"], true);
    let shares: Vec<u64> = explained["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["first"].as_u64().unwrap())
        .collect();
    assert_eq!(shares.iter().sum::<u64>(), 100);
    assert!(shares[0] < shares[1], "{shares:?}");
}

#[tokio::test]
async fn a_race_makes_nobody_slow() {
    let router = Router::start("");
    let chain =
        "[chains.sg]\nvendors = [\"twilio\", \"vonage\"]\nstrategy = \"race\"\nrace_width = 2\n";
    let rule = "[[rule]]\nname = \"sg\"\nwhen = { country = [\"SG\"] }\nchain = \"sg\"\n";
    only_rules(&router, &format!("{chain}{rule}")).await;
    let bodies: Vec<_> = (0..40).map(|n| hook_call(&number(n))).collect();
    let calls = bodies.iter().map(|body| router.call(body));
    futures_util::future::join_all(calls).await;
    let explained = router.admin_get("/api/v1/explain?to=%2B6591234567").await;
    for step in explained["steps"].as_array().unwrap() {
        assert_eq!(step["health"], "well", "{explained:#}");
    }
    let metrics = router.metrics().await;
    assert!(!metrics.contains("trunkline_failovers_total{"), "{metrics}");
}
