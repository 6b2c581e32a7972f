//! Starts the binary in a directory of its own, talks to it, and ends it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_trunkline");
pub(crate) const NUMBER: &str = "+6591234567";
/// Long enough for a loaded machine; nothing waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Held by tests that load the machine, so that they do not starve one another.
pub(crate) static HEAVY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A directory with the shipped rules and definitions, and a configuration on free ports.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new(config: &str) -> Place {
        let place = Place(std::env::temp_dir().join(format!("trunkline-it-{}", Uuid::now_v7())));
        for dir in ["routing-rules", "vendors"] {
            fs::create_dir_all(place.0.join(dir)).expect("a directory");
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
            for entry in fs::read_dir(shipped).expect("a shipped directory") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name");
                fs::copy(&path, place.0.join(dir).join(name)).expect("a copy");
            }
        }
        place.write("trunkline.toml", &with_ports(config));
        place
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).expect("a file");
    }

    /// Writes beside, then renames over: as careful editors do.
    pub(crate) fn replace(&self, file: &str, text: &str) {
        let beside = self.0.join(format!("{file}.new"));
        fs::write(&beside, text).expect("a file");
        fs::rename(beside, self.0.join(file)).expect("a rename");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Puts free ports into `[hook]` and `[admin]`.
pub(crate) fn with_ports(config: &str) -> String {
    let listen = "listen = \"127.0.0.1:0\"";
    let hook = if config.contains("[hook]") {
        config.replacen("[hook]", &format!("[hook]\n{listen}"), 1)
    } else {
        format!("{config}\n[hook]\n{listen}\n")
    };
    format!("{hook}\n[admin]\n{listen}\n")
}

/// A client of this machine's listeners.
pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let provider = rustls::crypto::ring::default_provider();
        provider.install_default().expect("the first provider");
    });
    Client::builder().no_proxy().build().expect("a client")
}

/// A running router.
pub(crate) struct Router {
    child: Child,
    pub(crate) place: Arc<Place>,
    pub(crate) hook: String,
    pub(crate) admin: String,
    pub(crate) client: Client,
    log: Arc<Mutex<Vec<String>>>,
}

impl Router {
    /// Starts `serve --sandbox` with this configuration.
    pub(crate) fn start(config: &str) -> Router {
        Router::start_in(Arc::new(Place::new(config)), &["--sandbox"])
    }

    pub(crate) fn start_in(place: Arc<Place>, args: &[&str]) -> Router {
        let mut child = Command::new(BINARY)
            .arg("serve")
            .args(args)
            .current_dir(&place.0)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = child.stderr.take().expect("standard error");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, heard) = channel();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                kept.lock().expect("the log").push(line.clone());
                drop(lines.send(line));
            }
        });
        let (hook, admin) = serving(&heard);
        Router {
            child,
            place,
            hook,
            admin,
            client: client(),
            log,
        }
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) -> Arc<Place> {
        self.child.kill().expect("a running router");
        self.child.wait().expect("its end");
        Arc::clone(&self.place)
    }

    /// SIGTERM; waits for the end and gives the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("its end").code()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("the command").success());
    }

    pub(crate) async fn post(&self, body: &Json) -> Response {
        let post = self.client.post(&self.hook);
        post.json(body).send().await.expect("an answer")
    }

    /// Posts a hook call; the answer must be an HTTP 200.
    pub(crate) async fn call(&self, body: &Json) -> Json {
        let response = self.post(body).await;
        assert_eq!(response.status(), 200);
        response.json().await.expect("JSON")
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Json {
        let url = format!("{}{path}", self.admin);
        let response = self.client.get(url).send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.admin);
        let response = self.client.get(url).send().await.expect("an answer");
        response.text().await.expect("text")
    }

    pub(crate) async fn steer(&self, vendor: &str, behaviour: &str) {
        let url = format!("{}/api/v1/sandbox/{vendor}", self.admin);
        let put = self.client.put(url).body(behaviour.to_owned());
        let response = put.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
    }

    pub(crate) async fn steer_all(&self, behaviour: &str) {
        for vendor in self.sandbox().await {
            self.steer(vendor["vendor"].as_str().expect("a name"), behaviour)
                .await;
        }
    }

    pub(crate) async fn sandbox(&self) -> Vec<Json> {
        let state = self.admin_get("/api/v1/sandbox").await;
        state.as_array().expect("a list").clone()
    }

    /// The delivery of an answer, once `ready` says that it has come so far.
    pub(crate) async fn delivery(&self, answer: &Json, ready: impl Fn(&Json) -> bool) -> Json {
        let id = answer["debugContext"]["delivery"].as_str().expect("an id");
        let path = format!("/api/v1/deliveries/{id}");
        let began = Instant::now();
        loop {
            let delivery = self.admin_get(&path).await;
            if ready(&delivery) {
                return delivery;
            }
            assert!(began.elapsed() < PATIENCE, "{delivery:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn wait_for(&self, what: &str, ready: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !ready().await {
            let log = self.log().join("\n");
            assert!(began.elapsed() < PATIENCE, "{what} did not happen\n{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for the line that names the addresses.
fn serving(lines: &Receiver<String>) -> (String, String) {
    let mut seen = Vec::new();
    while let Ok(line) = lines.recv_timeout(PATIENCE) {
        let json: Json = serde_json::from_str(&line).unwrap_or(Json::Null);
        if json["message"] == "serving" {
            let text = |key: &str| json[key].as_str().expect("an address").to_owned();
            return (text("hook"), text("admin"));
        }
        seen.push(line);
    }
    panic!("the router did not start:\n{}", seen.join("\n"));
}

/// A hook call as Okta writes it, for a number, with an event of its own.
pub(crate) fn hook_call(to: &str) -> Json {
    json!({
        "eventId": Uuid::now_v7().to_string(),
        "eventTime": "2026-11-24T09:00:00.000Z",
        "eventType": "com.okta.telephony.provider",
        "source": "https://acme.okta.com/api/v1/inlineHooks/cal1",
        "requestType": "com.okta.user.telephony.mfa-verification",
        "data": {
            "context": { "request": { "url": { "value": "/api/v1/authn" }, "ipAddress": "10.1.2.3" } },
            "userProfile": { "login": "ann@acme.com", "userId": "00u1" },
            "messageProfile": {
                "msgTemplate": "Your code is 482913.",
                "phoneNumber": to,
                "otpExpires": "2026-11-24T09:05:00.000Z",
                "deliveryChannel": "SMS",
                "otpCode": "482913",
                "locale": "EN-US",
            },
        },
    })
}

/// `status` of an answer.
pub(crate) fn status(answer: &Json) -> &str {
    answer["commands"][0]["value"][0]["status"]
        .as_str()
        .expect("a status")
}

/// `provider` of an answer.
pub(crate) fn provider(answer: &Json) -> &str {
    answer["commands"][0]["value"][0]["provider"]
        .as_str()
        .expect("a provider")
}

/// `debugContext.reason` of an answer.
pub(crate) fn reason(answer: &Json) -> &str {
    answer["debugContext"]["reason"].as_str().expect("a reason")
}

/// Numbers of Singapore, all different, so that no limit per number is reached.
pub(crate) fn number(n: usize) -> String {
    format!("+659{:07}", 1_000_000 + n)
}

/// Puts these rules in place of the shipped ones.
pub(crate) async fn only_rules(router: &Router, rules: &str) {
    for shipped in ["20-rules", "30-guard", "40-switches"] {
        let file = format!("routing-rules/{shipped}.toml");
        router.place.replace(&file, "");
    }
    router.place.replace("routing-rules/10-chains.toml", rules);
    let reload = format!("{}/api/v1/rules/reload", router.admin);
    let response = router.client.post(reload).send().await.expect("an answer");
    let status = response.status();
    let told = response.text().await.expect("text");
    assert_eq!(status, 200, "{told}");
}
