//! `trunkline check`: every problem in configuration, rules and vendor definitions, at once; and what a draft changes.

mod blast;

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::cli::{CONFIG, ConfigArgs, FINE, Format, NO, tell};
use crate::problem::{Problem, Problems};
use crate::reload::{Loaded, Place, Vendors, configuration, examine, load_rules};
use crate::rules::Comparison;
use crate::time::{Clock, Moment};

/// Read configuration, rules and vendor definitions, run their examples, print every problem.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Say what the rules would change, were those in this directory in force
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args) -> u8 {
    let place = args.config.place_to_read();
    let vendors = args.config.vendors(&configuration(&place));
    let now = Clock::start().now();
    let (loaded, problems) = examine(&place, &vendors, now);
    let loaded = loaded.filter(|_| !problems.has_errors());
    let against = |loaded: &Loaded| {
        let dir = args.against.as_ref()?;
        Some(against(dir, &place, &vendors, loaded, now))
    };
    let mut is_compared = true;
    match args.format {
        Format::Human => tell(&problems),
        Format::Json => {
            let against = loaded.as_ref().and_then(against);
            is_compared = against
                .as_ref()
                .is_none_or(|(compared, _)| compared.is_some());
            let against = against.map(|(compared, problems)| {
                json!({ "ok": compared.is_some(), "problems": told(&problems), "comparison": compared })
            });
            say!(
                "{}",
                json!({ "ok": loaded.is_some(), "problems": told(&problems), "against": against })
            );
        }
    }
    let Some(loaded) = loaded else {
        return CONFIG;
    };
    if args.format == Format::Human {
        let rules = loaded.catalog.rules.rule_names().count();
        let vendors = loaded.catalog.accounts().count();
        let warnings = problems.sorted().len();
        say!("fine: {rules} rules, {vendors} vendors, {warnings} warnings");
        if let Some((compared, problems)) = against(&loaded) {
            is_compared = compared.is_some();
            print_comparison(compared.as_ref(), &problems);
        }
    }
    // Whoever asked for a comparison and got none must not take it for "nothing changes".
    if is_compared { FINE } else { NO }
}

/// What the rules change against those of another directory, which may be broken.
fn against(
    dir: &Path,
    place: &Place,
    vendors: &Vendors<'_>,
    loaded: &Loaded,
    now: Moment,
) -> (Option<Comparison>, Problems) {
    let (live, problems) = load_rules(place, dir, vendors, now);
    let compared = live.map(|live| loaded.catalog.compare(&live.catalog, now));
    (compared, problems)
}

fn told(problems: &Problems) -> Vec<Json> {
    problems
        .sorted()
        .into_iter()
        .map(Problem::to_json)
        .collect()
}

fn print_comparison(compared: Option<&Comparison>, problems: &Problems) {
    match compared {
        Some(compared) => say_whole!("{}", blast::in_words(compared)),
        None => {
            eprintln!(
                "note: nothing is compared, since the other rules have problems of their own:\n"
            );
            tell(problems);
        }
    }
}
