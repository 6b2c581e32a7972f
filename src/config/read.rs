//! Reads `trunkline.toml`, resolves its secrets, and tells every problem at once.

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Admin, Config, HeaderAuth, Hook, JournalPlace, Org, Tls};
use crate::document::{Table, Value, read_document};
use crate::flow::Secret;
use crate::number::{Country, is_known_country};
use crate::problem::{Problems, Source};
use crate::time::Rate;

/// Stands in for a secret that is not here, where nobody is called with it.
const STAND_IN: &str = "stands in for a secret";
/// Behind it come `/receipts/`, the account's name and a reference of 36 characters; some vendors take 100 in all.
const PUBLIC_URL_CHARS_MAX: usize = 44;
const HOUR_MS: i64 = 3_600_000;
/// Okta gives up at 3 s and needs up to a second for the network; more could not be in time.
const ANSWER_WITHIN_MS_MAX: i64 = 2_900;
const ANSWER_WITHIN_MS_MIN: i64 = 200;

/// What the configuration is read in: where relative paths start, and how secrets are looked up.
pub struct Surroundings<'a> {
    /// The configuration file's directory.
    pub dir: &'a Path,
    /// Whether literal secrets are let pass.
    pub sandbox: bool,
    /// Whether something stands in for secrets that cannot be read.
    pub stand_ins: bool,
    /// Looks an environment variable up.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file that a `file:` secret names.
    pub file: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// Whether nobody has read the secret that this is for.
pub fn is_stand_in(secret: &Secret) -> bool {
    secret.expose() == STAND_IN
}

pub(super) struct Reader<'a> {
    pub(super) around: &'a Surroundings<'a>,
    files: RefCell<Vec<PathBuf>>,
    /// Where secrets are written out.
    bare: RefCell<Vec<Range<usize>>>,
}

/// Reads the configuration; what is wrong is told and replaced by its default.
pub fn read_config(
    source: &Source,
    around: &Surroundings<'_>,
    problems: &RefCell<Problems>,
) -> Config {
    let reader = Reader {
        around,
        files: RefCell::default(),
        bare: RefCell::default(),
    };
    let mut config = read_document(source, problems, |root| reader.config(root));
    let shown = source.masked(&reader.bare.take());
    problems.borrow_mut().show_as(&shown);
    config.source = Some(shown);
    config
}

impl Reader<'_> {
    fn config(&self, root: &Table<'_>) -> Config {
        let hook = self.hook(root);
        let admin = self.admin(root);
        let orgs = self.orgs(root);
        let journal = self.journal(root);
        let (rules_dir, definitions_dir) = self.rules(root);
        let vendors = self.vendors(root);
        let region = root.read("region", Value::string);
        let is_open = root.get("org").is_none() && hook.public_url.is_some() && !vendors.is_empty();
        if is_open && !self.around.sandbox {
            let message = "without `[[org]]` every caller on this machine is heard, and a proxy in front of the hook \
                           makes everybody such a caller";
            let hint = "add `[[org]]` with the `auth` by which Okta proves itself".to_owned();
            root.warning(0..0, message, Some(hint));
        }
        root.finish();
        Config {
            region: region.map_or("local".into(), |r| r.value.into()),
            hook,
            admin,
            orgs,
            journal,
            rules_dir,
            definitions_dir,
            vendors,
            files: self.files.take(),
            source: None,
        }
    }

    fn hook(&self, root: &Table<'_>) -> Hook {
        let mut hook = Hook {
            listen: loopback(8080),
            answer_within_ms: 1_500,
            max_waiting: 50,
            answer_when_journaled: false,
            pending_as_pending: false,
            public_url: None,
            tls: None,
            grace_ms: 20_000,
        };
        let Some(table) = root.read("hook", Value::table) else {
            return hook;
        };
        set(&mut hook.listen, table.read("listen", address));
        set(
            &mut hook.answer_within_ms,
            table.read("answer_within", |v| {
                v.duration_ms(ANSWER_WITHIN_MS_MIN, ANSWER_WITHIN_MS_MAX)
            }),
        );
        let waiting = table.read("max_waiting", |v| v.whole(0, 100_000));
        set(
            &mut hook.max_waiting,
            waiting.and_then(|n| usize::try_from(n).ok()),
        );
        let when = [("accepted", false), ("journaled", true)];
        set(
            &mut hook.answer_when_journaled,
            table.read("answer_when", |v| v.one_of(&when)),
        );
        let pending = [("SUCCESSFUL", false), ("PENDING", true)];
        set(
            &mut hook.pending_as_pending,
            table.read("pending_as", |v| v.one_of(&pending)),
        );
        hook.public_url = table.read("public_url", |v| public_url(&table, v));
        hook.tls = table.read("tls", Value::table).and_then(|t| self.tls(&t));
        set(
            &mut hook.grace_ms,
            table.read("grace", |v| v.duration_ms(0, HOUR_MS)),
        );
        table.finish();
        hook
    }

    fn tls(&self, table: &Table<'_>) -> Option<Tls> {
        let cert = table.require("cert", Value::string);
        let key = table.require("key", Value::string);
        table.finish();
        let (cert, key) = (self.beside(&cert?.value), self.beside(&key?.value));
        self.files.borrow_mut().extend([cert.clone(), key.clone()]);
        Some(Tls { cert, key })
    }

    fn admin(&self, root: &Table<'_>) -> Admin {
        let mut admin = Admin {
            listen: loopback(9090),
            token: None,
        };
        let Some(table) = root.read("admin", Value::table) else {
            return admin;
        };
        set(&mut admin.listen, table.read("listen", address));
        admin.token = table.read("token", |v| self.secret(v));
        if !admin.listen.ip().is_loopback() && table.get("token").is_none() {
            table.error(
                table.span.clone(),
                "`admin.listen` is not loopback and there is no `token`",
                Some("add `token = \"env:TRUNKLINE_ADMIN_TOKEN\"`".to_owned()),
            );
        }
        table.finish();
        admin
    }

    fn orgs(&self, root: &Table<'_>) -> Vec<Arc<Org>> {
        let mut orgs: Vec<Arc<Org>> = Vec::new();
        for table in root.tables("org") {
            let Some(org) = self.org(&table) else {
                continue;
            };
            if orgs.iter().any(|o| o.name == org.name) {
                let message = format!("another org is named `{}`", org.name);
                table.error(
                    table.span.clone(),
                    message,
                    Some("each org has a name of its own".to_owned()),
                );
            }
            orgs.push(Arc::new(org));
        }
        orgs
    }

    fn org(&self, table: &Table<'_>) -> Option<Org> {
        let name = table.require("name", Value::string);
        let display_name = table.read("display_name", Value::string);
        let hosts = table.read("host", Value::strings).unwrap_or_default();
        let words = [("enabled", false), ("disabled", true)];
        let failover = table.read("okta_failover", |v| v.one_of(&words));
        let default_country = table.read("default_country", country);
        let auth = table.read("auth", Value::list).unwrap_or_default();
        if table.get("auth").is_none() {
            let hint =
                "`auth = [{ header = \"Authorization\", value = \"env:OKTA_HOOK_SECRET\" }]`";
            table.tell_missing("auth", Some(hint.to_owned()));
        }
        let headers: Vec<HeaderAuth> = auth
            .into_iter()
            .filter_map(Value::table)
            .filter_map(|t| self.auth(&t))
            .collect();
        table.finish();
        let name = name?;
        Some(Org {
            display_name: display_name.unwrap_or_else(|| name.clone()).value.into(),
            name: name.value.into(),
            hosts: hosts.into_iter().map(|h| h.value.to_lowercase()).collect(),
            okta_failover_disabled: failover.unwrap_or(false),
            default_country,
            headers,
        })
    }

    fn auth(&self, table: &Table<'_>) -> Option<HeaderAuth> {
        if table.get("issuer").is_some() {
            for key in ["issuer", "audience", "jwks_url"] {
                table.require(key, Value::string);
            }
            table.finish();
            let hint = "use a static header until then".to_owned();
            table.warning(
                table.span.clone(),
                "signed tokens: not yet in effect",
                Some(hint),
            );
            return None;
        }
        let header = table.require("header", Value::string);
        let value = table.require("value", |v| self.secret(v));
        table.finish();
        let header = header?;
        match header.value.parse() {
            Ok(name) => Some(HeaderAuth {
                header: name,
                value: value?,
            }),
            Err(_) => {
                let message = format!("`{}` is not a header's name", header.value);
                table.error(header.span, message, None);
                None
            }
        }
    }

    fn journal(&self, root: &Table<'_>) -> JournalPlace {
        let mut place = JournalPlace {
            path: PathBuf::from("data/trunkline.db"),
            key: None,
            keep_ms: 30 * 24 * HOUR_MS,
        };
        let Some(table) = root.read("journal", Value::table) else {
            return place;
        };
        set(&mut place.path, table.read("url", |v| self.journal_path(v)));
        place.key = table.read("key", |v| self.secret(v));
        set(
            &mut place.keep_ms,
            table.read("keep", |v| v.duration_ms(HOUR_MS, 3_650 * 24 * HOUR_MS)),
        );
        table.finish();
        place
    }

    fn journal_path(&self, value: Value<'_>) -> Option<PathBuf> {
        let url = value.string()?.value;
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Some(self.beside(path)),
            Some(_) | None if url.starts_with("postgres") => value.wrong(
                "a PostgreSQL journal: not yet in effect",
                Some("use `sqlite:data/trunkline.db`".to_owned()),
            ),
            Some(_) | None => value.wrong(
                "not a journal's address",
                Some("`sqlite:` and a path, such as `sqlite:data/trunkline.db`".to_owned()),
            ),
        }
    }

    fn rules(&self, root: &Table<'_>) -> (PathBuf, PathBuf) {
        let table = root.read("rules", Value::table);
        let path = |key, default: &str| {
            let written = table.as_ref().and_then(|t| t.read(key, Value::string));
            let beside = self.beside(written.as_ref().map_or(default, |w| &w.value));
            if written.is_none() && !beside.exists() {
                return PathBuf::from(default);
            }
            beside
        };
        let paths = (
            path("dir", "routing-rules"),
            path("vendor_definitions", "vendors"),
        );
        if let Some(table) = table {
            table.finish();
        }
        paths
    }

    /// `env:NAME`, `file:PATH`, or with the sandbox the secret itself. The text is never shown.
    fn secret(&self, value: Value<'_>) -> Option<Secret> {
        self.secret_or(value, false)
    }

    /// The same; something may stand in for one that cannot be read.
    pub(super) fn secret_or(&self, value: Value<'_>, stand_in: bool) -> Option<Secret> {
        let stand_in = stand_in || self.around.stand_ins;
        let text = value.string()?.value;
        if let Some(name) = text.strip_prefix("env:") {
            return match (self.around.env)(name).filter(|v| !v.is_empty()) {
                Some(secret) => Some(Secret::new(secret)),
                None if stand_in => Some(Secret::new(STAND_IN)),
                None => value.wrong(
                    format!("the environment has no `{name}`"),
                    Some(format!("set it where trunkline is started: `{name}=...`")),
                ),
            };
        }
        if let Some(path) = text.strip_prefix("file:") {
            let path = self.beside(path);
            self.files.borrow_mut().push(path.clone());
            return match (self.around.file)(&path) {
                Err(_) if stand_in => Some(Secret::new(STAND_IN)),
                // Nothing would be as good as an empty one.
                Ok(secret) if secret.trim().is_empty() => {
                    value.wrong(format!("`{}` is empty", path.display()), None)
                }
                Ok(secret) => Some(Secret::new(secret.trim_end_matches(['\r', '\n']))),
                Err(error) => {
                    value.wrong(format!("cannot read `{}`: {error}", path.display()), None)
                }
            };
        }
        self.bare.borrow_mut().push(value.part(0..text.len()));
        if self.around.sandbox && !text.is_empty() {
            return Some(Secret::new(text));
        }
        value.wrong(
            "a secret may not be written into the file",
            Some("`env:NAME` or `file:PATH`".to_owned()),
        )
    }

    fn beside(&self, path: &str) -> PathBuf {
        self.around.dir.join(path)
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn address(value: Value<'_>) -> Option<SocketAddr> {
    let text = value
        .string_such_as(|n| format!("`\"127.0.0.1:{n}\"`"))?
        .value;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => value.wrong(
            format!("`{text}` is not an address and port"),
            Some("such as `127.0.0.1:8080` or `[::]:8080`".to_owned()),
        ),
    }
}

fn country(value: Value<'_>) -> Option<Country> {
    let text = value.string()?.value;
    match Country::parse(&text).filter(|c| is_known_country(*c)) {
        Some(country) => Some(country),
        None => value.wrong(
            format!("`{text}` is not a country code"),
            Some("two letters, such as `US`".to_owned()),
        ),
    }
}

pub(super) fn rate(value: Value<'_>) -> Option<Rate> {
    let text = value.string_such_as(|n| format!("`\"{n}/s\"`"))?.value;
    match Rate::parse(&text) {
        Some(rate) => Some(rate),
        None => value.wrong(
            format!("`{text}` is not a rate"),
            Some("a count and a time, such as `100/s` or `10/10m`".to_owned()),
        ),
    }
}

/// Where vendors reach the hook listener: a scheme, a host, perhaps a path.
fn public_url(table: &Table<'_>, value: Value<'_>) -> Option<String> {
    let url = value.string()?;
    if !is_plain_address(&url.value) {
        return value.wrong(
            "`public_url` is the address of the hook listener, without a query",
            Some("such as `https://otp.example`".to_owned()),
        );
    }
    if url.value.len() > PUBLIC_URL_CHARS_MAX {
        let message = format!("`public_url` is longer than {PUBLIC_URL_CHARS_MAX} characters");
        let hint = "with what is put behind it, some vendors refuse it: they take 100 characters";
        table.warning(url.span, message, Some(hint.to_owned()));
    }
    Some(url.value)
}

/// A scheme, a host, perhaps a path, and nothing else.
pub(super) fn is_plain_address(text: &str) -> bool {
    let read: Option<http::Uri> = text.parse().ok();
    let scheme = read.as_ref().and_then(http::Uri::scheme_str);
    matches!(scheme, Some("https" | "http"))
        && read
            .as_ref()
            .is_some_and(|u| u.query().is_none() && u.host().is_some_and(|h| !h.is_empty()))
        && !text.contains(['@', '#'])
}
