//! `trunkline check`: every problem in configuration, rules and vendor definitions, at once; and what a draft changes.

mod blast;

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::cli::{CONFIG, ConfigArgs, FINE, Format, tell};
use crate::problem::{Problem, Problems};
use crate::reload::{Loaded, compare, configuration, examine};
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
    let place = args.config.place();
    let vendors = args.config.vendors(&configuration(&place));
    let now = Clock::start().now();
    let (loaded, problems) = examine(&place, &vendors, now);
    match args.format {
        Format::Human => tell(&problems),
        Format::Json => {
            let against = loaded
                .as_ref()
                .and_then(|loaded| against(args, loaded, now));
            let against = against.map(|(compared, problems)| {
                json!({ "ok": compared.is_some(), "problems": told(&problems), "comparison": compared })
            });
            println!(
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
        println!("fine: {rules} rules, {vendors} vendors, {warnings} warnings");
        if let Some((compared, problems)) = against(args, &loaded, now) {
            print_comparison(compared.as_ref(), &problems);
        }
    }
    FINE
}

/// What the rules change against those of the directory that is named, if one is.
fn against(args: &Args, loaded: &Loaded, now: Moment) -> Option<(Option<Comparison>, Problems)> {
    let dir = args.against.as_ref()?;
    Some(compare(&loaded.catalog, dir, now))
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
        Some(compared) => print!("{}", blast::in_words(compared)),
        None => {
            eprintln!(
                "note: nothing is compared, since the other rules have problems of their own:\n"
            );
            tell(problems);
        }
    }
}
