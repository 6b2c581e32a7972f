//! The hook end to end beside a bare hyper forwarder, in front of the same vendor, in one run.
//!
//! Vendor, forwarder and router are processes of their own; what counts is the ratio of their CPU time, read from
//! `/proc` (Linux only). Nothing fails on a figure; a wrong answer fails loudly.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and prints"
)]

mod far_end;
mod load;
mod process;

use std::time::Duration;

use load::{Load, Measured};
use process::{Process, start_forwarder, start_router, start_vendor};

/// Calls in one round at full speed.
const CALLS: usize = 20_000;
/// Rounds of each; the median counts.
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 32;
/// Calls a second in the steady run, and its length.
const STEADY_RATE: usize = 1_000;
const STEADY_CALLS: usize = 8_000;
/// How long the vendor takes in the steady run.
const VENDOR_DELAY: Duration = Duration::from_millis(5);

fn main() {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("--vendor") => far_end::vendor(args.next().as_deref()),
        Some("--forwarder") => far_end::forwarder(&args.next().expect("the vendor's address")),
        // `cargo bench` says `--bench`.
        Some(_) | None => compare(),
    }
}

fn compare() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("hook call -> vendor -> answer, {CONNECTIONS} connections, as fast as they go");
    let (plain, full) = runtime.block_on(full_speed());
    println!(
        "{:>12} {:>9} {:>9} {:>9} {:>9}",
        "", "calls/s", "cpu us", "p50 us", "p99 us"
    );
    row("forwarder", &plain);
    row("trunkline", &full);
    let ratio = full.cpu_us / plain.cpu_us;
    println!("cpu of one call, trunkline / forwarder: {ratio:.2} (target: at most 2.0)");
    println!();
    println!("{STEADY_RATE} calls a second, a vendor that takes {VENDOR_DELAY:?}");
    let (plain, full) = runtime.block_on(steady());
    row("forwarder", &plain);
    row("trunkline", &full);
    let added = |a: f64, b: f64| (b - a) / 1_000.0;
    println!(
        "added: p50 {:.2} ms (target: 0.1), p99 {:.2} ms (target: 1)",
        added(plain.p50_us, full.p50_us),
        added(plain.p99_us, full.p99_us)
    );
}

fn row(name: &str, m: &Measured) {
    println!(
        "{name:>12} {:>9.0} {:>9.1} {:>9.0} {:>9.0}",
        m.calls_per_second, m.cpu_us, m.p50_us, m.p99_us
    );
}

async fn full_speed() -> (Measured, Measured) {
    let vendor = start_vendor(Duration::ZERO);
    let forwarder = start_forwarder(&vendor.address);
    let router = start_router(&vendor.address);
    let mut load = Load::new();
    load.run(&forwarder, CALLS / 4, CONNECTIONS, None).await;
    load.run(&router, CALLS / 4, CONNECTIONS, None).await;
    let (mut plain, mut full) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        plain.push(load.run(&forwarder, CALLS, CONNECTIONS, None).await);
        full.push(load.run(&router, CALLS, CONNECTIONS, None).await);
    }
    println!(
        "resident after {} calls: {} MB",
        CALLS * ROUNDS,
        router.resident_mb()
    );
    (median(plain), median(full))
}

async fn steady() -> (Measured, Measured) {
    let vendor = start_vendor(VENDOR_DELAY);
    let forwarder = start_forwarder(&vendor.address);
    let router = start_router(&vendor.address);
    let mut load = Load::new();
    let rate = Some(STEADY_RATE);
    let mut both = Vec::new();
    for process in [&forwarder, &router] as [&Process; 2] {
        load.run(process, STEADY_CALLS / 4, CONNECTIONS, rate).await;
        both.push(load.run(process, STEADY_CALLS, CONNECTIONS, rate).await);
    }
    let full = both.pop().expect("the router's");
    (both.pop().expect("the forwarder's"), full)
}

/// The round with the median CPU time.
fn median(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|a, b| a.cpu_us.total_cmp(&b.cpu_us));
    rounds.swap_remove(rounds.len() / 2)
}
