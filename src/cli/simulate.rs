//! `trunkline simulate`: what the rules would do in an outage, beside a single vendor and beside other rules.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::catalog::Catalog;
use crate::cli::{CONFIG, ConfigArgs, FINE, Format, NO, tell};
use crate::problem::{Problems, Severity, Source};
use crate::reload::{Loaded, configuration, load, load_rules};
use crate::simulation::{
    Comparison, Contender, Options, Scenario, chart, compare, details, summary,
};
use crate::time::{Clock, Moment};

/// The baseline's column.
const ONE_VENDOR: &str = "one vendor";
const RULES: &str = "rules";
/// A scenario begins at midnight, so that it comes to the same all day.
const DAY_MS: i64 = 24 * 3_600_000;

/// Run scenarios of traffic and outages through the rules, beside a single vendor
#[derive(clap::Args)]
pub(super) struct Args {
    /// Scenario files, such as those in deploy/scenarios
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<PathBuf>,
    /// Another directory of rules, to run side by side
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// So many times the traffic
    #[arg(long, value_name = "X", default_value = "1", value_parser = scale)]
    rate_scale: f64,
    /// Other chance than the scenario's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write all that was measured as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &Args) -> u8 {
    let place = args.config.place_to_read();
    let vendors = args.config.vendors(&configuration(&place));
    let now = Clock::start().now();
    let (ours, problems) = load(&place, &vendors, now);
    let theirs = args.against.as_deref().map(|dir| {
        let (loaded, problems) = load_rules(&place, dir, &vendors, now);
        told_or(loaded, &problems)
    });
    let ours = told_or(ours, &problems);
    let (Some(ours), None | Some(Some(_))) = (&ours, &theirs) else {
        return CONFIG;
    };
    let theirs = theirs.as_ref().and_then(Option::as_ref);
    let Some(scenarios) = read_all(args, &ours.catalog) else {
        return CONFIG;
    };
    let compared = compare_all(args, &scenarios, &ours.catalog, theirs);
    print(args.format, &compared);
    if write_all(args, &compared) { FINE } else { NO }
}

/// What was loaded; without it, its problems are told.
fn told_or(loaded: Option<Loaded>, problems: &Problems) -> Option<Loaded> {
    if loaded.is_none() {
        tell(problems);
    }
    loaded
}

/// Every scenario, or none and all problems told.
fn read_all(args: &Args, catalog: &Catalog) -> Option<Vec<Scenario>> {
    let problems = RefCell::<Problems>::default();
    let accounts: Vec<&str> = catalog.accounts().map(|a| &**a.name()).collect();
    let read = |path: &PathBuf| match std::fs::read_to_string(path) {
        Ok(text) => {
            let source = Source::new(path.display().to_string(), text);
            Some(Scenario::read(&source, &accounts, &problems).scaled(args.rate_scale))
        }
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            let mut problems = problems.borrow_mut();
            problems.general(Severity::Error, message, None);
            None
        }
    };
    let scenarios: Vec<Scenario> = args.scenarios.iter().filter_map(read).collect();
    let problems = problems.into_inner();
    tell(&problems);
    (!problems.has_errors()).then_some(scenarios)
}

fn compare_all(
    args: &Args,
    scenarios: &[Scenario],
    ours: &Catalog,
    theirs: Option<&Loaded>,
) -> Vec<Comparison> {
    let clock = Clock::start();
    let now = clock.now();
    let options = Options {
        seed: args.seed,
        begins_at: Moment(now.0 - now.0.rem_euclid(DAY_MS)),
    };
    let against = args.against.as_deref().map(name_of).unwrap_or_default();
    let contender = |name, catalog, one_vendor| Contender {
        name,
        catalog,
        one_vendor,
    };
    let mut contenders = vec![
        contender(ONE_VENDOR, ours, true),
        contender(RULES, ours, false),
    ];
    contenders.extend(theirs.map(|loaded| contender(&against, &loaded.catalog, false)));
    let compared: Vec<Comparison> = scenarios
        .iter()
        .map(|scenario| compare(scenario, &contenders, options))
        .collect();
    let columns = compared.iter().flat_map(|c| &c.contenders);
    let deliveries: u64 = columns.map(|c| c.total.deliveries).sum();
    let took_ms = clock.now().ms_since(now).max(1).unsigned_abs();
    let rate = deliveries * 1_000 / took_ms;
    eprintln!("note: {deliveries} deliveries in {took_ms} ms, {rate} a second");
    compared
}

/// The directory's own name.
fn name_of(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or(dir.as_os_str());
    name.to_string_lossy().into_owned()
}

fn print(format: Format, compared: &[Comparison]) {
    match (format, compared) {
        (Format::Human, [one]) => say_whole!("{}", details(one)),
        (Format::Human, all) => say_whole!("{}", summary(all)),
        (Format::Json, all) => say!("{}", to_json(all)),
    }
}

fn to_json(compared: &[Comparison]) -> String {
    format!("{:#}", json!({ "scenarios": compared }))
}

/// Whether all files that were asked for are written.
fn write_all(args: &Args, compared: &[Comparison]) -> bool {
    let written = |file: &Option<PathBuf>, text: &dyn Fn() -> String| {
        let Some(file) = file else {
            return true;
        };
        let written = std::fs::write(file, text());
        if let Err(error) = &written {
            eprintln!("error: cannot write `{}`: {error}", file.display());
        }
        written.is_ok()
    };
    let json = written(&args.json, &|| to_json(compared) + "\n");
    let svg = written(&args.svg, &|| chart(compared));
    json && svg
}

fn scale(text: &str) -> Result<f64, String> {
    let times: Option<f64> = text.parse().ok();
    let times = times.filter(|times| (0.0001..=100.0).contains(times));
    times.ok_or_else(|| "a number from 0.0001 to 100".to_owned())
}
