//! `trunkline check`: every problem in configuration, rules and vendor definitions, at once.

use serde_json::json;

use crate::cli::{CONFIG, ConfigArgs, FINE, Format, tell};
use crate::problem::Problem;
use crate::reload::{configuration, load};
use crate::time::Clock;

/// Read configuration, rules and vendor definitions, run their examples, print every problem.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args) -> u8 {
    let place = args.config.place();
    let vendors = args.config.vendors(&configuration(&place));
    let (loaded, problems) = load(&place, &vendors, Clock::start().now());
    match args.format {
        Format::Human => tell(&problems),
        Format::Json => {
            let told: Vec<_> = problems
                .sorted()
                .into_iter()
                .map(Problem::to_json)
                .collect();
            println!("{}", json!({ "ok": loaded.is_some(), "problems": told }));
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
    }
    FINE
}
