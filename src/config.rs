//! Turns flags, the configuration file and the environment into a checked `Config`.

mod accounts;
mod read;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::At;
use crate::flow::{Secret, VendorName};
use crate::number::Country;
use crate::problem::Source;
use crate::time::Rate;

pub use read::{Surroundings, is_stand_in, read_config};

/// What calls' org is named when none is configured.
pub const NO_ORG: &str = "none";

/// Everything the process needs to start, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The label of this instance; rules can match it.
    pub region: Arc<str>,
    /// The listener that Okta calls.
    pub hook: Hook,
    /// The listener for people and Prometheus.
    pub admin: Admin,
    /// The Okta orgs that may call; none: only loopback callers are answered.
    pub orgs: Vec<Arc<Org>>,
    /// Where deliveries are kept.
    pub journal: JournalPlace,
    /// The routing rules' directory.
    pub rules_dir: PathBuf,
    /// The vendor definitions' directory.
    pub definitions_dir: PathBuf,
    /// The vendor accounts, by name.
    pub vendors: Vec<VendorAccount>,
    /// Every `file:` secret and certificate that was read; a change of one is a reload.
    pub files: Vec<PathBuf>,
    /// The file as it was read; `None` for the built-in defaults.
    pub source: Option<Source>,
}

/// `[hook]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    pub listen: SocketAddr,
    /// From the request's first byte to our last, in milliseconds.
    pub answer_within_ms: i64,
    /// Calls waiting for a vendor per org; one more is answered as soon as it is journaled.
    pub max_waiting: usize,
    /// Answer as soon as the admission is on disk.
    pub answer_when_journaled: bool,
    /// What Okta hears while no vendor has accepted: `PENDING` instead of `SUCCESSFUL`.
    pub pending_as_pending: bool,
    pub public_url: Option<String>,
    pub tls: Option<Tls>,
    /// How long attempts in flight may still take at shutdown, in milliseconds.
    pub grace_ms: i64,
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    pub listen: SocketAddr,
    pub token: Option<Secret>,
}

/// `[[org]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Org {
    pub name: Arc<str>,
    /// What people are told that it is called.
    pub display_name: Arc<str>,
    /// Hosts that the request's `source` may name, lower case.
    pub hosts: Vec<String>,
    /// Okta support has switched Okta's own failover off for this org.
    pub okta_failover_disabled: bool,
    pub default_country: Option<Country>,
    /// Any one suffices.
    pub headers: Vec<HeaderAuth>,
}

/// A static header that authenticates an org.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderAuth {
    pub header: http::HeaderName,
    pub value: Secret,
}

/// `[journal]`.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalPlace {
    pub path: PathBuf,
    pub key: Option<Secret>,
    /// How long closed deliveries are kept, in milliseconds.
    pub keep_ms: i64,
}

/// `[vendors.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct VendorAccount {
    pub name: At<VendorName>,
    pub definition: At<String>,
    pub base_url: Option<String>,
    pub credentials: Vec<(At<String>, Secret)>,
    pub from: Option<Arc<str>>,
    /// Calls a second, at most.
    pub rate: Option<Rate>,
    /// The counter of the rules that its messages use up whose sender names none.
    pub quota: Option<Arc<str>>,
    pub data_region: Option<Arc<str>>,
    /// Which of the definition's regional addresses it uses.
    pub region: Option<At<Arc<str>>>,
}

/// Looks a variable of the process's environment up.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the room that reads the environment"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Config {
    /// What holds where no file says otherwise.
    pub fn built_in() -> Config {
        let nothing = Surroundings {
            dir: Path::new("."),
            sandbox: true,
            stand_ins: false,
            env: &|_| None,
            file: &|_| Err(std::io::ErrorKind::NotFound.into()),
        };
        let problems = std::cell::RefCell::default();
        let mut config = read_config(&Source::new("built-in", ""), &nothing, &problems);
        config.source = None;
        config
    }
}

#[cfg(test)]
mod tests;
