//! The processes under test: started, found, measured and ended.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use uuid::Uuid;

/// Clock ticks a second in `/proc/PID/stat`, the same on every Linux that Rust knows.
const TICKS_PER_SECOND: f64 = 100.0;

/// One process under test.
pub(crate) struct Process {
    child: Child,
    /// Where it listens: `host:port`.
    pub(crate) address: String,
    /// Whether it answers as Okta expects.
    pub(crate) is_router: bool,
    directory: Option<PathBuf>,
}

impl Process {
    /// User and system time so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("a running process");
        let (_, fields) = stat.rsplit_once(')').expect("the name in parentheses");
        let ticks = |n: usize| {
            let field = fields.split_whitespace().nth(n).expect("a field");
            field.parse::<f64>().expect("a number")
        };
        // utime and stime are fields 14 and 15; the first one after the name is field 3.
        (ticks(11) + ticks(12)) / TICKS_PER_SECOND
    }

    /// Resident memory.
    pub(crate) fn resident_mb(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("a running process");
        let line = status.lines().find(|l| l.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|l| l.split_whitespace().nth(1));
        kilobytes
            .and_then(|k| k.parse::<u64>().ok())
            .expect("a number")
            / 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(directory) = &self.directory {
            drop(std::fs::remove_dir_all(directory));
        }
    }
}

/// A vendor that accepts everything after a while.
pub(crate) fn start_vendor(delay: Duration) -> Process {
    let delay = delay.as_millis().to_string();
    start_self(&["--vendor", &delay])
}

/// A forwarder without any logic.
pub(crate) fn start_forwarder(vendor: &str) -> Process {
    start_self(&["--forwarder", vendor])
}

fn start_self(args: &[&str]) -> Process {
    let own = std::env::current_exe().expect("this program");
    let mut child = Command::new(own)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let stdout = child.stdout.take().expect("standard output");
    let mut address = String::new();
    BufReader::new(stdout)
        .read_line(&mut address)
        .expect("its address");
    Process {
        child,
        address: address.trim().to_owned(),
        is_router: false,
        directory: None,
    }
}

const CONFIG: &str = r#"
[hook]
listen = "127.0.0.1:0"
max_waiting = 10000
[admin]
listen = "127.0.0.1:0"
[[org]]
name = "acme"
host = ["acme.okta.com"]
auth = [{ header = "Authorization", value = "env:HOOK_SECRET" }]
[vendors.twilio]
base_url = "http://VENDOR"
from = "+15005550006"
credentials = { account_sid = "env:VENDOR_USER", auth_token = "env:VENDOR_SECRET" }
"#;

const RULES: &str = r#"
[chains.one]
vendors = ["twilio"]
[[rule]]
name = "no premium numbers"
when = { number_type = ["premium_rate", "shared_cost"] }
deny = "number type"
[[rule]]
name = "singapore"
when = { country = ["SG"], channel = "sms" }
chain = "one"
[guard]
per_number = "1000/1m"
"#;

/// The real router with everything on: credential, rules, journal, seal, metrics, a log line for each delivery.
pub(crate) fn start_router(vendor: &str) -> Process {
    let directory = std::env::temp_dir().join(format!("trunkline-bench-{}", Uuid::now_v7()));
    std::fs::create_dir_all(directory.join("routing-rules")).expect("a directory");
    let definitions = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vendors");
    let rules = format!(
        "[rules]\nvendor_definitions = \"{}\"\n",
        definitions.display()
    );
    let config = CONFIG.replace("VENDOR\"", &format!("{vendor}\"")) + &rules;
    std::fs::write(directory.join("trunkline.toml"), config).expect("a file");
    std::fs::write(directory.join("routing-rules/all.toml"), RULES).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_trunkline"))
        .arg("serve")
        .current_dir(&directory)
        .env("HOOK_SECRET", "Basic YmVuY2g6YmVuY2g=")
        .env("VENDOR_USER", "AC00000000000000000000000000000000")
        .env("VENDOR_SECRET", "secret")
        .stderr(Stdio::piped())
        .spawn()
        .expect("the router");
    let stderr = child.stderr.take().expect("standard error");
    let mut lines = BufReader::new(stderr).lines();
    let address = loop {
        let line = lines.next().expect("the router serves").expect("a line");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(hook) = json["hook"].as_str() {
            let rest = hook.trim_start_matches("http://");
            break rest.trim_end_matches("/okta/telephony").to_owned();
        }
    };
    // Whoever logs must be heard.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Process {
        child,
        address,
        is_router: true,
        directory: Some(directory),
    }
}
