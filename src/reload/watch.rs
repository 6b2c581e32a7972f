//! Notices that files have changed, waits until they have stopped changing, and has them applied.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use crate::reload::files::{Contents, Gathered, gather};
use crate::reload::{Place, Reload, Report};

/// Files are taken as they are when two readings this far apart find the same.
const QUIET: Duration = Duration::from_millis(100);
/// Under constant writes the time between two readings shrinks, but not below this.
const QUIET_LEAST: Duration = Duration::from_millis(15);
/// Files that go on changing are waited for no longer than this at a time.
const SETTLE_MAX: Duration = Duration::from_secs(2);
/// Where file events do not work, changes are noticed by reading.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// Reloads on every sign of change, until all triggers are gone.
pub(super) async fn run(reload: Arc<Reload>, mut asked: mpsc::Receiver<oneshot::Sender<Report>>) {
    let (mut seen, directories) = reload.first.clone();
    let (noticed, mut changed) = mpsc::channel(1);
    let mut eyes = Eyes::open(noticed, &seen);
    eyes.look_at(directories);
    let mut hangups = signal(SignalKind::hangup()).ok();
    let mut poll = tokio::time::interval(POLL_EVERY);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut report = None;
        let mut forced = false;
        tokio::select! {
            asked = asked.recv() => match asked {
                Some(asked) => report = Some(asked),
                None => return,
            },
            Some(()) = changed.recv() => {}
            _ = poll.tick() => {}
            () = hung_up(&mut hangups) => {
                tracing::info!("asked to reload by SIGHUP");
                forced = true;
            }
        }
        forced |= report.is_some();
        let Some(gathered) = read(&reload.place).await else {
            continue;
        };
        if gathered.contents == seen && !forced {
            continue;
        }
        let Some(gathered) = settle(&reload.place, gathered).await else {
            tracing::warn!("the files do not stop changing; the rules in force stay for now");
            continue;
        };
        seen = gathered.contents.clone();
        eyes.concerned_by(&seen);
        eyes.look_at(gathered.directories());
        let applying = Arc::clone(&reload);
        let applied = tokio::task::spawn_blocking(move || applying.apply(gathered)).await;
        if let (Some(report), Ok(applied)) = (report, applied) {
            drop(report.send(applied));
        }
    }
}

/// The files once they have not changed for `QUIET`; under constant writes a shorter pause must do.
async fn settle(place: &Place, first: Gathered) -> Option<Gathered> {
    let began = Instant::now();
    let mut last = first;
    let mut quiet = QUIET;
    while began.elapsed() < SETTLE_MAX {
        tokio::time::sleep(quiet).await;
        let next = read(place).await?;
        if next.contents == last.contents {
            return Some(next);
        }
        last = next;
        quiet = (quiet / 2).max(QUIET_LEAST);
    }
    None
}

/// One reading, off the threads that answer calls.
async fn read(place: &Place) -> Option<Gathered> {
    let place = place.clone();
    tokio::task::spawn_blocking(move || gather(&place))
        .await
        .ok()
}

async fn hung_up(hangups: &mut Option<Signal>) {
    match hangups {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Watches directories for any change, where the system can tell.
struct Eyes {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// What was read last; a log or a database beside it changes all the time and is nobody's business.
    seen: Arc<ArcSwap<Contents>>,
}

impl Eyes {
    fn open(noticed: mpsc::Sender<()>, seen: &Contents) -> Eyes {
        let seen = Arc::new(ArcSwap::from_pointee(seen.clone()));
        let known = Arc::clone(&seen);
        let concerns = move |event: &notify::Event| {
            let known = known.load();
            !event.kind.is_access() && event.paths.iter().any(|path| known.concerns(path))
        };
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.as_ref().is_ok_and(&concerns) {
                // One waiting sign of change is enough.
                noticed.try_send(()).ok();
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "file events do not work here; changes are noticed by polling");
        }
        Eyes {
            watcher: watcher.ok(),
            watched: BTreeSet::new(),
            seen,
        }
    }

    fn concerned_by(&self, seen: &Contents) {
        self.seen.store(Arc::new(seen.clone()));
    }

    fn look_at(&mut self, directories: Vec<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let wanted: BTreeSet<PathBuf> = directories
            .into_iter()
            .map(|d| {
                if d.as_os_str().is_empty() {
                    ".".into()
                } else {
                    d
                }
            })
            .collect();
        for gone in self.watched.difference(&wanted) {
            drop(watcher.unwatch(gone));
        }
        // A directory that was replaced is another one under the same name: watch it anew.
        for directory in &wanted {
            if let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, "a directory cannot be watched; it is polled");
            }
        }
        self.watched = wanted;
    }
}
