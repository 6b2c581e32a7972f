//! Turns files into a catalog and swaps it in; keeps the old one if there is any problem.

mod files;
mod tls;
mod watch;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{mpsc, oneshot};

use crate::catalog::{Catalog, Roster, Simulate};
use crate::config::{Config, Tls};
use crate::flow::VendorName;
use crate::problem::{Problems, Severity};
use crate::sandbox::Sandbox;
use crate::server::TlsSlot;
use crate::telemetry::Telemetry;
use crate::time::{Clock, Moment};
use crate::vendor::{Account, Definition};

use files::{Contents, Gathered};

/// Where everything is read from.
#[derive(Clone)]
pub struct Place {
    /// The configuration file; `None` for the built-in defaults.
    pub config: Option<PathBuf>,
    /// Whether literal secrets are let pass and vendors are simulated.
    pub sandbox: bool,
    /// Whether something stands in for secrets that cannot be read.
    pub stand_ins: bool,
}

/// Everything that was read, compiled.
pub struct Loaded {
    pub catalog: Catalog,
    /// The hook's certificate.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What was read.
    seen: Contents,
    directories: Vec<PathBuf>,
}

/// What came of a reload that somebody asked for.
pub type Report = Result<String, Problems>;

/// Which vendors the accounts stand for.
pub enum Vendors<'a> {
    /// The configured ones.
    Accounts,
    /// Simulated ones, with a listener each.
    Sandbox(&'a Sandbox),
    /// The definitions' examples, which nobody can call.
    Examples,
    /// The same at the vendors' own addresses: to be shown, never called.
    Documented,
}

/// Reads and compiles everything, as it is to hold `now`. `None` when a problem is an error; warnings come with
/// both.
pub fn load(place: &Place, vendors: &Vendors<'_>, now: Moment) -> (Option<Loaded>, Problems) {
    compile(files::gather(place), vendors, now)
}

/// The same with the rules of another directory.
pub fn load_rules(
    place: &Place,
    rules_dir: &Path,
    vendors: &Vendors<'_>,
    now: Moment,
) -> (Option<Loaded>, Problems) {
    compile(files::gather_rules(place, Some(rules_dir)), vendors, now)
}

/// As `load`; if there is no error, also looks for what works and should not stay so.
pub fn examine(place: &Place, vendors: &Vendors<'_>, now: Moment) -> (Option<Loaded>, Problems) {
    let gathered = files::gather(place);
    let texts = gathered.texts();
    let (loaded, problems) = compile(gathered, vendors, now);
    let problems = RefCell::new(problems);
    if let Some(loaded) = &loaded {
        loaded.catalog.analyse(&texts, now, &problems);
    }
    (loaded, problems.into_inner())
}

/// The configuration alone, as far as it can be read.
pub fn configuration(place: &Place) -> Config {
    files::gather(place).config
}

/// The vendors alone: configuration and definitions are read as ever, what the rules say is not looked at.
pub fn load_vendors(place: &Place, vendors: &Vendors<'_>) -> (Option<Roster>, Problems) {
    let gathered = files::gather(place);
    let problems = RefCell::new(gathered.problems);
    let simulate = |name: &VendorName, definition: &Arc<Definition>, from: Option<Arc<str>>| {
        vendors.stand_in(name, definition, from)
    };
    let simulate: Option<&Simulate<'_>> = vendors.are_simulated().then_some(&simulate);
    let roster = Roster::compile(gathered.config, &gathered.definitions, simulate, &problems);
    let problems = problems.into_inner();
    ((!problems.has_errors()).then_some(roster), problems)
}

/// The configuration of a listener that has this certificate.
///
/// # Errors
/// When the files cannot be used.
pub fn certificate(tls: &Tls) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    tls::server_config(tls)
}

impl Vendors<'_> {
    fn are_simulated(&self) -> bool {
        !matches!(self, Vendors::Accounts)
    }

    /// The account through which a simulated vendor is used; `None` where the configured ones are meant.
    fn stand_in(
        &self,
        name: &VendorName,
        definition: &Arc<Definition>,
        from: Option<Arc<str>>,
    ) -> Option<Account> {
        let from = Some(from.unwrap_or_else(|| Arc::from(SANDBOX_SENDER)));
        let (definition_too, name_too) = (Arc::clone(definition), Arc::clone(name));
        let nowhere = NOWHERE.to_owned();
        match self {
            Vendors::Accounts => None,
            Vendors::Sandbox(sandbox) => sandbox.account(name, definition, from).ok(),
            Vendors::Examples => Some(Account::example(definition_too, name_too, nowhere, from)),
            Vendors::Documented => {
                Some(Account::documented(definition_too, name_too, nowhere, from))
            }
        }
    }
}

fn compile(gathered: Gathered, vendors: &Vendors<'_>, now: Moment) -> (Option<Loaded>, Problems) {
    let directories = gathered.directories();
    let texts = gathered.texts();
    let seen = gathered.contents;
    let problems = RefCell::new(gathered.problems);
    let simulate = |name: &VendorName, definition: &Arc<Definition>, from: Option<Arc<str>>| {
        vendors.stand_in(name, definition, from)
    };
    let simulate: Option<&Simulate<'_>> = vendors.are_simulated().then_some(&simulate);
    let tls = gathered.config.hook.tls.as_ref();
    let tls = tls.and_then(|tls| match tls::server_config(tls) {
        Ok(config) => Some(config),
        Err(error) => {
            let message = format!("the certificate cannot be used: {error:#}");
            problems
                .borrow_mut()
                .general(Severity::Error, message, None);
            None
        }
    });
    let catalog = Catalog::compile(gathered.config, &texts, simulate, now, &problems);
    let problems = problems.into_inner();
    let loaded = (!problems.has_errors()).then_some(Loaded {
        catalog,
        tls,
        seen,
        directories,
    });
    (loaded, problems)
}

/// Where the examples of definitions are.
const NOWHERE: &str = "http://vendor.invalid";
/// The sender of simulated accounts that name none.
const SANDBOX_SENDER: &str = "+15005550006";

/// Watches the files and swaps the catalog.
pub struct Reload {
    place: Place,
    sandbox: Option<Arc<Sandbox>>,
    catalog: Arc<ArcSwap<Catalog>>,
    tls: TlsSlot,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    /// Told after each swap.
    swapped: Box<dyn Fn() + Send + Sync>,
    /// What was read at start.
    first: (Contents, Vec<PathBuf>),
}

/// Asks for a reload now, and hears what came of it.
#[derive(Clone)]
pub struct Trigger(mpsc::Sender<oneshot::Sender<Report>>);

/// Problems of one reload that are logged, at most.
const LOGGED_MAX: usize = 100;
/// Reloads asked for and not begun, at most.
const ASKED_MAX: usize = 16;

impl Trigger {
    /// Reloads now.
    ///
    /// # Errors
    /// With every problem that kept the old rules in force.
    pub async fn reload(&self) -> Report {
        let stopped = || {
            let mut problems = Problems::default();
            problems.general(Severity::Error, "the process is stopping", None);
            problems
        };
        let (report, heard) = oneshot::channel();
        self.0.send(report).await.map_err(|_| stopped())?;
        heard.await.map_err(|_| stopped())?
    }
}

impl Reload {
    /// Takes over the catalog that was loaded at start.
    pub fn new(
        place: Place,
        sandbox: Option<Arc<Sandbox>>,
        loaded: Loaded,
        telemetry: Arc<Telemetry>,
        clock: Clock,
    ) -> Reload {
        let catalog = Arc::new(ArcSwap::from_pointee(loaded.catalog));
        let reload = Reload {
            place,
            sandbox,
            catalog,
            tls: Arc::new(ArcSwapOption::from(loaded.tls)),
            telemetry,
            clock,
            swapped: Box::new(|| {}),
            first: (loaded.seen, loaded.directories),
        };
        reload.note_loaded();
        reload
    }

    /// What to do after each swap, such as warming connections to new vendors.
    pub fn after_each(mut self, swapped: impl Fn() + Send + Sync + 'static) -> Reload {
        self.swapped = Box::new(swapped);
        self
    }

    /// The catalog in force.
    pub fn catalog(&self) -> Arc<ArcSwap<Catalog>> {
        Arc::clone(&self.catalog)
    }

    /// The certificate in force.
    pub fn tls(&self) -> TlsSlot {
        Arc::clone(&self.tls)
    }

    /// Reloads whenever files change, on SIGHUP and when asked, until dropped.
    pub fn watch(self) -> (Trigger, impl Future<Output = ()> + Send) {
        let (trigger, asked) = mpsc::channel(ASKED_MAX);
        (Trigger(trigger), watch::run(Arc::new(self), asked))
    }

    /// Compiles what was gathered and swaps it in, or keeps what there is. Answers the rules' version.
    fn apply(&self, gathered: Gathered) -> Report {
        let vendors = match &self.sandbox {
            Some(sandbox) => Vendors::Sandbox(sandbox),
            None => Vendors::Accounts,
        };
        let (loaded, problems) = compile(gathered, &vendors, self.clock.now());
        let Some(loaded) = loaded else {
            self.note_refused(&problems);
            return Err(problems);
        };
        let before = self.catalog.load();
        needs_restart(&before.config, &loaded.catalog.config);
        let version = loaded.catalog.rules.version().to_string();
        // Tables are built before the first message that needs them.
        crate::number::warm(loaded.catalog.rules.countries());
        self.tls.store(loaded.tls);
        self.catalog.store(Arc::new(loaded.catalog));
        self.note_loaded();
        tracing::info!(rules = version, before = %before.rules.version(), "rules in force");
        (self.swapped)();
        Ok(version)
    }

    fn note_loaded(&self) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds fit for 285,000 years"
        )]
        let seconds = self.clock.now().0 as f64 / 1000.0;
        self.telemetry.rules_loaded.set(seconds);
        let reloads = &self.telemetry.rules_reloads;
        reloads.with_label_values(&["ok"]).inc();
    }

    fn note_refused(&self, problems: &Problems) {
        let reloads = &self.telemetry.rules_reloads;
        reloads.with_label_values(&["refused"]).inc();
        tracing::error!("the files have problems; the rules in force stay");
        let errors = problems.sorted().into_iter();
        let errors: Vec<_> = errors.filter(|p| p.severity == Severity::Error).collect();
        for problem in errors.iter().take(LOGGED_MAX) {
            tracing::error!(file = problem.file(), "{problem}");
        }
        if let Some(more) = errors
            .len()
            .checked_sub(LOGGED_MAX)
            .filter(|more| *more > 0)
        {
            tracing::error!(more, "`trunkline check` tells the others");
        }
    }
}

/// Listeners and the journal are opened once.
fn needs_restart(before: &Config, after: &Config) {
    let listeners = before.hook.listen != after.hook.listen
        || before.admin.listen != after.admin.listen
        || before.hook.tls.is_some() != after.hook.tls.is_some();
    if listeners || before.journal.path != after.journal.path {
        tracing::warn!("a listener or the journal has changed: that takes effect at a restart");
    }
}
