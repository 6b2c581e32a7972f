//! `trunkline serve`: opens everything, serves until told to stop, and leaves nothing behind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwapOption;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{CONFIG, ConfigArgs, FINE, NO, tell};
use crate::config::Config;
use crate::dispatch::Dispatch;
use crate::journal::{Journal, Settings};
use crate::problem::{Problems, Severity};
use crate::reload::{Loaded, Place, Reload, Trigger, Vendors, configuration, load};
use crate::sandbox::{Behaviour, Sandbox};
use crate::server::admin::AdminHandler;
use crate::server::hook::HookHandler;
use crate::server::{TlsSlot, serve};
use crate::telemetry::{Telemetry, start_logging};
use crate::time::Clock;

/// The variable that says how much is logged, such as `debug` or `trunkline=debug,info`.
const LOG_VARIABLE: &str = "TRUNKLINE_LOG";
/// Connections to vendors that are not warm by then are opened by the first message.
const WARM_MAX: Duration = Duration::from_secs(3);

/// Run the router.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// With --sandbox: how a vendor behaves (accept, reject:CODE, 500, throttle:3s, silent, slow:2s, refuse,
    /// undelivered:CODE, unreported, late:10m, early, doubled, forged; with a share and a prefix: 500%30@+65)
    #[arg(long = "vendor", value_name = "V=BEHAVIOUR", value_parser = steering, requires = "sandbox")]
    steered: Vec<(String, Behaviour)>,
}

fn steering(text: &str) -> Result<(String, Behaviour), String> {
    let (vendor, word) = text.split_once('=').ok_or("written as VENDOR=BEHAVIOUR")?;
    let behaviour: Behaviour = word.parse().map_err(|error| format!("{error}"))?;
    Ok((vendor.to_owned(), behaviour))
}

pub(super) fn run(args: &Args) -> u8 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the process cannot start its threads: {error}");
            return NO;
        }
    };
    let place = args.config.place();
    if !place.sandbox && configuration(&place).vendors.is_empty() {
        let mut problems = Problems::default();
        let message = "no vendor account is configured, so nobody could send anything";
        let hint = "add `[vendors.NAME]` to trunkline.toml, or run `trunkline serve --sandbox` to try it without";
        problems.general(Severity::Error, message, Some(hint.to_owned()));
        tell(&problems);
        return CONFIG;
    }
    let _guard = runtime.enter();
    let sandbox = place.sandbox.then(|| Arc::new(Sandbox::default()));
    let vendors = match &sandbox {
        Some(sandbox) => Vendors::Sandbox(sandbox),
        None => Vendors::Accounts,
    };
    let clock = Clock::start();
    let (loaded, problems) = load(&place, &vendors, clock.now());
    tell(&problems);
    let Some(loaded) = loaded else {
        return CONFIG;
    };
    if let Some(sandbox) = &sandbox {
        for (vendor, behaviour) in &args.steered {
            if !sandbox.steer(vendor, behaviour.clone()) {
                eprintln!("error: there is no vendor `{vendor}` to steer");
                return CONFIG;
            }
        }
    }
    let telemetry = match Telemetry::new() {
        Ok(telemetry) => Arc::new(telemetry),
        Err(error) => {
            eprintln!("error: {error}");
            return NO;
        }
    };
    let journal = match open_journal(&loaded, clock, &telemetry) {
        Ok(journal) => Arc::new(journal),
        Err(error) => {
            eprintln!("error: {error}");
            return CONFIG;
        }
    };
    let _logs = start_logging(crate::config::environment(LOG_VARIABLE).as_deref());
    let router = Router {
        place,
        sandbox,
        clock,
        telemetry,
        journal,
    };
    match runtime.block_on(router.run(loaded)) {
        Ok(()) => FINE,
        Err(error) => {
            tracing::error!("{error:#}");
            eprintln!("error: {error:#}");
            NO
        }
    }
}

fn open_journal(
    loaded: &Loaded,
    clock: Clock,
    telemetry: &Arc<Telemetry>,
) -> Result<Journal, crate::journal::OpenError> {
    let place = &loaded.catalog.config.journal;
    let settings = Settings {
        path: place.path.clone(),
        key: place.key.clone(),
        keep_ms: place.keep_ms,
    };
    let commits = telemetry.journal_commit.clone();
    Journal::open(&settings, clock, move |took| {
        commits.observe(took.as_secs_f64());
    })
}

/// Everything that is open.
struct Router {
    place: Place,
    sandbox: Option<Arc<Sandbox>>,
    clock: Clock,
    telemetry: Arc<Telemetry>,
    journal: Arc<Journal>,
}

impl Router {
    async fn run(self, loaded: Loaded) -> anyhow::Result<()> {
        let config = loaded.catalog.config.clone();
        let countries = loaded.catalog.rules.countries().to_vec();
        tokio::task::spawn_blocking(move || crate::number::warm(&countries)).await?;
        let reload = Reload::new(
            self.place.clone(),
            self.sandbox.clone(),
            loaded,
            Arc::clone(&self.telemetry),
            self.clock,
        );
        let dispatch = Dispatch::new(
            reload.catalog(),
            Arc::clone(&self.journal),
            Arc::clone(&self.telemetry),
            self.clock,
            self.place.sandbox,
        )?;
        if tokio::time::timeout(WARM_MAX, dispatch.warm())
            .await
            .is_err()
        {
            tracing::warn!("not every vendor could be connected to yet");
        }
        let left_open = dispatch.left_open().await?;
        let hook = listen("hook", config.hook.listen).await?;
        let admin = listen("admin", config.admin.listen).await?;
        let tls = reload.tls();
        self.tell_own_address(&dispatch, &hook, tls.load().is_some(), &config);
        let (trigger, watching) = reload
            .after_each({
                let dispatch = Arc::clone(&dispatch);
                move || dispatch.rewarm()
            })
            .watch();
        let stop = CancellationToken::new();
        let background = [
            tokio::spawn(watching),
            tokio::spawn({
                let dispatch = Arc::clone(&dispatch);
                async move { dispatch.keep_warm().await }
            }),
            tokio::spawn({
                let dispatch = Arc::clone(&dispatch);
                async move { dispatch.prune().await }
            }),
        ];
        announce(&hook, &admin, tls.load().is_some(), self.place.sandbox);
        let serving = self.serve(hook, admin, tls, trigger, &dispatch, &stop);
        let stopped = tokio::spawn(serving);
        tokio::spawn(Arc::clone(&dispatch).resume(left_open));
        told_to_stop().await?;
        tracing::info!("stopping: no new calls, those that wait are answered");
        stop.cancel();
        stopped.await?;
        let grace = Duration::from_millis(config.hook.grace_ms.unsigned_abs());
        dispatch.shut_down(grace).await;
        for task in background {
            task.abort();
        }
        let journal = Arc::clone(&self.journal);
        tokio::task::spawn_blocking(move || journal.shutdown()).await?;
        tracing::info!("stopped");
        Ok(())
    }

    /// Simulated vendors report to our own listener; real ones need `public_url`.
    fn tell_own_address(
        &self,
        dispatch: &Dispatch,
        hook: &TcpListener,
        tls: bool,
        config: &Config,
    ) {
        if let Some(sandbox) = &self.sandbox {
            if let Some(url) = own_url(hook, tls) {
                sandbox.report_to(url.clone());
                dispatch.listens_at(url);
            }
        } else if config.hook.public_url.is_none() {
            tracing::warn!(
                "without `public_url` in `[hook]` no vendor can report what became of a message"
            );
        }
    }

    fn serve(
        &self,
        hook: TcpListener,
        admin: TcpListener,
        tls: TlsSlot,
        reload: Trigger,
        dispatch: &Arc<Dispatch>,
        stop: &CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let catalog = Arc::clone(&dispatch.catalog);
        let for_okta = Arc::new(HookHandler {
            dispatch: Arc::clone(dispatch),
            catalog: Arc::clone(&catalog),
            telemetry: Arc::clone(&self.telemetry),
            clock: self.clock,
        });
        let for_people = Arc::new(AdminHandler {
            dispatch: Arc::clone(dispatch),
            telemetry: Arc::clone(&self.telemetry),
            reload,
            sandbox: self.sandbox.clone(),
        });
        let plain: TlsSlot = Arc::new(ArcSwapOption::empty());
        let hook = serve(hook, tls, for_okta, stop.clone());
        let admin = serve(admin, plain, for_people, stop.clone());
        async move {
            tokio::join!(hook, admin);
        }
    }
}

async fn listen(name: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("the {name} listener cannot have {address}"))
}

/// The hook listener's address as a process on this machine reaches it.
pub(super) fn own_url(hook: &TcpListener, tls: bool) -> Option<String> {
    let mut address = hook.local_addr().ok()?;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let scheme = if tls { "https" } else { "http" };
    Some(format!("{scheme}://{address}"))
}

fn announce(hook: &TcpListener, admin: &TcpListener, tls: bool, sandbox: bool) {
    let address = |listener: &TcpListener| {
        let address = listener.local_addr();
        address.map_or_else(|_| "unknown".to_owned(), |a| a.to_string())
    };
    let scheme = if tls { "https" } else { "http" };
    let (hook, admin) = (address(hook), address(admin));
    tracing::info!(
        hook = format!("{scheme}://{hook}/okta/telephony"),
        admin = format!("http://{admin}"),
        sandbox,
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
}

pub(super) async fn told_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
