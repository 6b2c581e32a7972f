//! Owns the names of metrics and the form of logs.

use std::collections::{HashMap, HashSet};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Log lines waiting to be written; more are dropped rather than hold a passcode up.
const LOG_LINES_WAITING_MAX: usize = 64_000;

/// Unlisted codes of one vendor with a counter of their own, at most; the rest are counted together.
const UNLISTED_CODES_MAX: usize = 64;
/// Vendors whose unlisted codes have counters of their own.
const UNLISTED_VENDORS_MAX: usize = 64;

/// Seconds; from a loopback vendor to Okta's three seconds.
const HOOK_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5,
    3.0,
];
/// Seconds; a vendor is listened to for ten.
const ATTEMPT_BUCKETS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0,
];
/// Seconds; Okta's `eventTime` to arrival.
const AGE_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 60.0];
/// Seconds; a passcode lives five minutes, at most fifteen.
const DELIVERED_BUCKETS: &[f64] = &[
    0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0,
];
/// Seconds; one group commit.
const COMMIT_BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0,
];

/// Every metric, made once at start.
pub struct Telemetry {
    registry: Registry,
    pub hook_requests: IntCounterVec,
    pub hook_duration: HistogramVec,
    pub hook_waiting: IntGaugeVec,
    pub hook_age: HistogramVec,
    pub attempts: IntCounterVec,
    pub attempt_duration: HistogramVec,
    pub skips: IntCounterVec,
    unlisted_codes: Unlisted,
    pub account_refusals: IntCounterVec,
    pub daily_caps: IntCounterVec,
    pub failovers: IntCounterVec,
    pub deliveries: IntCounterVec,
    pub deliveries_in_flight: IntGauge,
    pub possible_duplicates: IntCounterVec,
    pub parts: IntCounterVec,
    pub receipts: IntCounterVec,
    pub scripts: IntCounterVec,
    pub time_to_delivered: HistogramVec,
    pub vendor_state: IntGaugeVec,
    pub quota_used: IntGaugeVec,
    pub quota_limit: IntGaugeVec,
    pub promised_unaccepted: IntGaugeVec,
    pub guard_blocks: IntCounterVec,
    pub rules_reloads: IntCounterVec,
    pub rules_loaded: Gauge,
    pub journal_commit: Histogram,
    pub journal_failures: IntCounterVec,
}

/// Codes that no definition lists, and which of them have a counter of their own.
struct Unlisted {
    counters: IntCounterVec,
    /// By vendor: channel and code.
    seen: Mutex<HashMap<String, HashSet<[String; 2]>>>,
}

impl Unlisted {
    fn count(&self, vendor: &str, channel: &str, code: &str) {
        let code = match self.has_room(vendor, channel, code) {
            true => code,
            false => "other",
        };
        let labels = [vendor, channel, code];
        self.counters.with_label_values(&labels).inc();
    }

    /// One vendor's codes take no room from another's: it may be that vendor who makes them up.
    fn has_room(&self, vendor: &str, channel: &str, code: &str) -> bool {
        let known = [channel, code].map(str::to_owned);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= UNLISTED_VENDORS_MAX && !seen.contains_key(vendor) {
            return false;
        }
        let codes = seen.entry(vendor.to_owned()).or_default();
        codes.contains(&known) || codes.len() < UNLISTED_CODES_MAX && codes.insert(known)
    }
}

impl Telemetry {
    /// Counts a code that the vendor gave and its definition does not list.
    pub fn count_unlisted(&self, vendor: &str, channel: &str, code: Option<&str>) {
        self.unlisted_codes
            .count(vendor, channel, code.unwrap_or("hidden"));
    }

    /// Makes and registers every metric.
    ///
    /// # Errors
    /// Only when two metrics had one name, which a test rules out.
    #[expect(clippy::too_many_lines, reason = "the one list of metrics")]
    pub fn new() -> prometheus::Result<Telemetry> {
        let registry = Registry::new();
        let make = Maker(&registry);
        let build = make.gauges(
            "trunkline_build_info",
            "The version that runs.",
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Telemetry {
            hook_requests: make.counters(
                "trunkline_hook_requests_total",
                "Hook calls answered, by what Okta was told.",
                &["org", "channel", "answer"],
            )?,
            hook_duration: make.histograms(
                "trunkline_hook_duration_seconds",
                "From a hook call's head to its answer.",
                HOOK_BUCKETS,
                &["channel"],
            )?,
            hook_waiting: make.gauges(
                "trunkline_hook_waiting",
                "Hook calls waiting for a vendor.",
                &["org"],
            )?,
            hook_age: make.histograms(
                "trunkline_hook_age_seconds",
                "From Okta's eventTime to arrival.",
                AGE_BUCKETS,
                &["org"],
            )?,
            attempts: make.counters(
                "trunkline_attempts_total",
                "Vendor calls, by verdict.",
                &["vendor", "country", "channel", "verdict"],
            )?,
            attempt_duration: make.histograms(
                "trunkline_attempt_duration_seconds",
                "From a vendor call's start to its verdict.",
                ATTEMPT_BUCKETS,
                &["vendor", "channel"],
            )?,
            skips: make.counters(
                "trunkline_skips_total",
                "Vendors passed over without a call.",
                &["vendor", "country", "why"],
            )?,
            unlisted_codes: Unlisted {
                counters: make.counters(
                    "trunkline_unlisted_codes_total",
                    "Refusals and receipts whose code the vendor's definition does not list.",
                    &["vendor", "channel", "code"],
                )?,
                seen: Mutex::default(),
            },
            account_refusals: make.counters(
                "trunkline_account_refusals_total",
                "Refusals of our account itself: credentials, credit, permissions.",
                &["vendor"],
            )?,
            daily_caps: make.counters(
                "trunkline_daily_caps_total",
                "Answers and receipts saying that a vendor's own daily cap is reached.",
                &["vendor"],
            )?,
            failovers: make.counters(
                "trunkline_failovers_total",
                "Moves from one vendor to the next, and why.",
                &["from", "to", "country", "reason"],
            )?,
            deliveries: make.counters(
                "trunkline_deliveries_total",
                "Deliveries closed, by outcome.",
                &["country", "channel", "outcome"],
            )?,
            deliveries_in_flight: make.gauge(
                "trunkline_deliveries_in_flight",
                "Deliveries not closed yet.",
            )?,
            possible_duplicates: make.counters(
                "trunkline_possible_duplicates_total",
                "Messages beyond the first that may have reached a handset.",
                &["country"],
            )?,
            parts: make.counters(
                "trunkline_parts_total",
                "Message parts that vendors counted.",
                &["vendor", "country"],
            )?,
            receipts: make.counters(
                "trunkline_receipts_total",
                "Receipts that came: what they say, or why they were refused.",
                &["vendor", "status"],
            )?,
            scripts: make.counters(
                "trunkline_scripts_total",
                "Requests of vendors for what a call is to say: `told`, or why not.",
                &["answer"],
            )?,
            time_to_delivered: make.histograms(
                "trunkline_time_to_delivered_seconds",
                "From the hook call to the receipt that says delivered.",
                DELIVERED_BUCKETS,
                &["vendor", "country"],
            )?,
            vendor_state: make.gauges(
                "trunkline_vendor_state",
                "A vendor's health in a country: 0 open, 1 probing, 2 closed (well).",
                &["vendor", "country"],
            )?,
            quota_used: make.gauges(
                "trunkline_quota_used",
                "Parts or messages used of a quota in the window that is under way.",
                &["quota"],
            )?,
            quota_limit: make.gauges(
                "trunkline_quota_limit",
                "Parts or messages that a quota has in each window.",
                &["quota"],
            )?,
            promised_unaccepted: make.gauges(
                "trunkline_promised_unaccepted",
                "Deliveries that Okta was told are fine and no vendor has accepted yet.",
                &["country"],
            )?,
            guard_blocks: make.counters(
                "trunkline_guard_blocks_total",
                "Deliveries that a guard refused.",
                &["reason", "country"],
            )?,
            rules_reloads: make.counters(
                "trunkline_rules_reloads_total",
                "Reloads of configuration, rules and definitions.",
                &["result"],
            )?,
            rules_loaded: make.float_gauge(
                "trunkline_rules_loaded_timestamp_seconds",
                "When the rules in force were loaded.",
            )?,
            journal_commit: make.histogram(
                "trunkline_journal_commit_seconds",
                "One group commit of the journal.",
                COMMIT_BUCKETS,
            )?,
            journal_failures: make.counters(
                "trunkline_journal_failures_total",
                "Admissions that could not be made durable.",
                &["reason"],
            )?,
            registry,
        })
    }

    /// Prometheus' text format.
    pub fn exposition(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be written");
        }
        text
    }
}

struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn register<M: prometheus::core::Collector + Clone + 'static>(
        &self,
        metric: prometheus::Result<M>,
    ) -> prometheus::Result<M> {
        let metric = metric?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.register(IntGauge::new(name, help))
    }

    fn float_gauge(&self, name: &str, help: &str) -> prometheus::Result<Gauge> {
        self.register(Gauge::new(name, help))
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
        labels: &[&str],
    ) -> prometheus::Result<HistogramVec> {
        let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.register(HistogramVec::new(opts, labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Histogram> {
        let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.register(Histogram::with_opts(opts))
    }
}

/// Milliseconds as the seconds that Prometheus counts in.
pub fn seconds(ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}

/// Starts logging to standard error: for people on a terminal, JSON otherwise; off the path of any call.
/// Lines are written until the guard is dropped.
pub fn start_logging(filter: Option<&str>) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LOG_LINES_WAITING_MAX)
        .lossy(true)
        .finish(std::io::stderr());
    let filter = EnvFilter::new(filter.unwrap_or("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    if std::io::stderr().is_terminal() {
        builder.with_target(false).init();
    } else {
        builder.json().flatten_event(true).with_ansi(false).init();
    }
    guard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_name_of_its_own_and_is_exposed() {
        let telemetry = Telemetry::new().unwrap();
        telemetry.rules_reloads.with_label_values(&["ok"]).inc();
        let text = String::from_utf8(telemetry.exposition()).unwrap();
        assert!(text.contains("trunkline_rules_reloads_total{result=\"ok\"} 1"));
        assert!(text.contains("trunkline_build_info{version=\"0.1.0\"} 1"));
    }

    #[test]
    fn the_unlisted_codes_of_one_vendor_take_no_room_from_anothers() {
        let telemetry = Telemetry::new().unwrap();
        for code in 0..=UNLISTED_CODES_MAX {
            telemetry.count_unlisted("a", "sms", Some(&code.to_string()));
        }
        for vendor in 0..UNLISTED_VENDORS_MAX {
            telemetry.count_unlisted(&format!("v{vendor}"), "sms", Some("7"));
        }
        let text = String::from_utf8(telemetry.exposition()).unwrap();
        let counted = |vendor: &str, code: &str| {
            let labels = format!("channel=\"sms\",code=\"{code}\",vendor=\"{vendor}\"");
            text.contains(&format!("trunkline_unlisted_codes_total{{{labels}}} 1"))
        };
        assert!(counted("a", "63") && !counted("a", "64") && counted("a", "other"));
        assert!(counted("v0", "7") && counted("v62", "7"));
        assert!(counted("v63", "other") && !counted("v63", "7"));
    }
}
