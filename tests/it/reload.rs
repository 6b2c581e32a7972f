//! Rules that change while the router runs.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::router::{HEAVY, NUMBER, Place, Router, hook_call, number, provider, reason, status};

/// A whole rule set whose rule, chain and vendor all carry one name, so that a mixture would show.
fn rule_set(vendor: &str) -> (String, String) {
    let chains = format!("[chains.{vendor}]\nvendors = [\"{vendor}\"]\n");
    let rules = format!(
        "[[rule]]\nname = \"{vendor}\"\nchain = \"{vendor}\"\n[guard]\nallow_countries = [\"*\"]\n"
    );
    (chains, rules)
}

/// A place with two rule files only, which belong together.
fn two_files() -> Place {
    let place = Place::new("");
    for file in ["10-chains", "20-rules", "30-guard", "40-switches"] {
        std::fs::remove_file(place.0.join(format!("routing-rules/{file}.toml"))).unwrap();
    }
    write_set(&place, "twilio");
    place
}

fn write_set(place: &Place, vendor: &str) {
    let (chains, rules) = rule_set(vendor);
    place.replace("routing-rules/chains.toml", &chains);
    place.replace("routing-rules/rules.toml", &rules);
}

/// The name of the last rule.
async fn rules_in_force(router: &Router) -> String {
    let rules = router.admin_get("/api/v1/rules").await;
    let rules = rules["rules"].as_array().expect("a list");
    let last = rules.last().and_then(|rule| rule.as_str());
    last.unwrap_or_default().to_owned()
}

/// Rewrites the rules ten times a second, three times in five so that they are broken; gives how often.
async fn rewrite(router: Arc<Router>, done: Arc<AtomicBool>) -> usize {
    let vendors = ["twilio", "vonage", "telnyx", "infobip"];
    let broken = [
        "[[rule]\nname =",
        "[[rule]]\nname = \"half\"\n",
        "[[rule]]\nname = \"x\"\nchain = \"nowhere\"\n",
    ];
    let mut written = 0;
    while !done.load(Ordering::Relaxed) {
        match broken.get(written % 5) {
            Some(text) => router.place.write("routing-rules/rules.toml", text),
            None => write_set(&router.place, vendors[written / 5 % vendors.len()]),
        }
        written += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_while_the_rules_are_rewritten_ten_times_a_second() {
    under_fire(two_files(), 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_while_ten_thousand_rules_are_rewritten() {
    let place = two_files();
    let ballast: String = (0..10_000)
        .map(|n| format!("[[rule]]\nname = \"r{n}\"\nwhen = {{ prefix = \"+44{n:05}\" }}\ndeny = \"ballast\"\n"))
        .collect();
    // Read before the rule that takes the rest.
    place.write("routing-rules/00-ballast.toml", &ballast);
    under_fire(place, 2_000).await;
}

/// Calls a router whose rules are rewritten all the time: every answer is in time, and of one rule set.
async fn under_fire(place: Place, calls: usize) {
    let _heavy = HEAVY.lock().await;
    let router = Arc::new(Router::start_in(Arc::new(place), &["--sandbox"]));
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(rewrite(Arc::clone(&router), Arc::clone(&done)));
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (router, next) = (Arc::clone(&router), Arc::clone(&next));
        callers.spawn(async move {
            let mut slowest = Duration::ZERO;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= calls {
                    return slowest;
                }
                let began = Instant::now();
                let answer = router.call(&hook_call(&number(n))).await;
                slowest = slowest.max(began.elapsed());
                assert_eq!(status(&answer), "SUCCESSFUL");
                let rule = answer["debugContext"]["rule"].as_str().unwrap();
                if reason(&answer) == "accepted" {
                    assert_eq!(provider(&answer), rule, "{answer:#}");
                } else {
                    // More wait than may: answered as soon as it was journaled.
                    assert_eq!(reason(&answer), "pending", "{answer:#}");
                }
            }
        });
    }
    let slowest = callers.join_all().await.into_iter().max().unwrap();
    assert!(slowest < Duration::from_millis(1_500), "{slowest:?}");
    done.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();
    assert!(written > 10, "{written}");
    let delivered = async || {
        let metrics = router.metrics().await;
        let counts = metrics
            .lines()
            .filter(|l| l.contains("outcome=\"delivered\""));
        let counts = counts.filter_map(|l| l.rsplit(' ').next()?.parse::<usize>().ok());
        counts.sum::<usize>() == calls
    };
    router.wait_for("every delivery", delivered).await;
    write_set(&router.place, "vonage");
    router
        .wait_for("the last set", async || {
            rules_in_force(&router).await == "vonage"
        })
        .await;
}

#[tokio::test]
async fn a_bad_reload_changes_nothing_and_is_told() {
    let router = Router::start_in(Arc::new(two_files()), &["--sandbox"]);
    router.place.write(
        "routing-rules/rules.toml",
        "[[rule]]\nname = \"x\"\nchain = \"twilo\"\n",
    );
    let refused = r#"trunkline_rules_reloads_total{result="refused"} 1"#;
    router
        .wait_for("the refusal", async || {
            router.metrics().await.contains(refused)
        })
        .await;
    assert_eq!(rules_in_force(&router).await, "twilio");
    let told = |line: &String| {
        line.contains("rules.toml:3:9: error: unknown chain `twilo`")
            && line.contains("did you mean `twilio`?")
    };
    // Lines are written beside the work.
    router
        .wait_for("the log tells it", async || router.log().iter().any(told))
        .await;
    let url = format!("{}/api/v1/rules/reload", router.admin);
    let response = router.client.post(&url).send().await.unwrap();
    assert_eq!(response.status(), 422);
    let told: serde_json::Value = response.json().await.unwrap();
    assert_eq!(told["problems"][0]["line"], 3);
    assert_eq!(told["problems"][0]["column"], 9);
    // Without its rules the directory is no rule set either.
    std::fs::remove_file(router.place.0.join("routing-rules/rules.toml")).unwrap();
    let response = router.client.post(&url).send().await.unwrap();
    assert_eq!(response.status(), 422);
    assert_eq!(provider(&router.call(&hook_call(NUMBER)).await), "twilio");
}

#[tokio::test]
async fn a_config_map_swap_is_noticed() {
    let place = two_files();
    let dir = place.0.join("routing-rules");
    let version = |n: &str, vendor: &str| {
        let version = dir.join(format!("..{n}"));
        std::fs::create_dir(&version).unwrap();
        let (chains, rules) = rule_set(vendor);
        std::fs::write(version.join("chains.toml"), chains).unwrap();
        std::fs::write(version.join("rules.toml"), rules).unwrap();
        symlink(format!("..{n}"), dir.join("..data_tmp")).unwrap();
        std::fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    };
    version("2026_1", "telnyx");
    for file in ["chains.toml", "rules.toml"] {
        std::fs::remove_file(dir.join(file)).unwrap();
        symlink(format!("..data/{file}"), dir.join(file)).unwrap();
    }
    let router = Router::start_in(Arc::new(place), &["--sandbox"]);
    assert_eq!(rules_in_force(&router).await, "telnyx");
    let dir = router.place.0.join("routing-rules");
    let version = |n: &str, vendor: &str| {
        let version = dir.join(format!("..{n}"));
        std::fs::create_dir(&version).unwrap();
        let (chains, rules) = rule_set(vendor);
        std::fs::write(version.join("chains.toml"), chains).unwrap();
        std::fs::write(version.join("rules.toml"), rules).unwrap();
        symlink(format!("..{n}"), dir.join("..data_tmp")).unwrap();
        std::fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    };
    version("2026_2", "infobip");
    router
        .wait_for("the swap", async || {
            rules_in_force(&router).await == "infobip"
        })
        .await;
}

#[tokio::test]
async fn a_signal_reloads_and_secrets_in_files_are_part_of_it() {
    let place = Place::new(
        "[[org]]\nname = \"acme\"\nauth = [{ header = \"x-key\", value = \"file:secret\" }]\n",
    );
    place.write("secret", "first\n");
    let router = Router::start_in(Arc::new(place), &["--sandbox"]);
    let try_key = async |key: &str| {
        let post = router
            .client
            .post(&router.hook)
            .header("x-key", key.to_owned());
        post.json(&hook_call(NUMBER))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(
        (try_key("first").await, try_key("second").await),
        (200, 401)
    );
    router.place.replace("secret", "second\n");
    router
        .wait_for("the new secret", async || try_key("second").await == 200)
        .await;
    assert_eq!(try_key("first").await, 401);
    let reloads = async || {
        let metrics = router.metrics().await;
        let line = metrics
            .lines()
            .find(|l| l.contains("reloads_total{result=\"ok\"}"));
        line.and_then(|l| l.rsplit(' ').next()?.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let before = reloads().await;
    router.signal("HUP");
    router
        .wait_for("the reload", async || reloads().await > before)
        .await;
}
