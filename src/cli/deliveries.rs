//! `trunkline deliveries`: the support desk's question, what happened to this code?

use std::fmt::Write;

use serde_json::Value as Json;

use crate::cli::http::{Admin, Unanswered};
use crate::cli::{ConfigArgs, FINE, Format, NO, block_on};
use crate::reload::configuration;

/// What happened to this code? Ask the running router.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    by: By,
    /// The admin listener [default: the configuration's]
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct By {
    /// A phone number, with `+`
    #[arg(long, value_name = "N")]
    phone: Option<String>,
    /// Okta's user id
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// Okta's event id
    #[arg(long, value_name = "E")]
    event: Option<String>,
    /// The delivery's id
    #[arg(long, value_name = "D")]
    id: Option<String>,
}

impl By {
    fn path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = [
            ("phone", &self.phone),
            ("user", &self.user),
            ("event", &self.event),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        match &self.id {
            Some(id) => format!("/api/v1/deliveries/{id}"),
            None => format!("/api/v1/deliveries?{}", query.finish()),
        }
    }
}

pub(super) fn run(args: &Args) -> u8 {
    let config = configuration(&args.config.place());
    let admin = match &args.admin {
        Some(base) => Admin::at(base, &config),
        None => Admin::of(&config),
    };
    let found = match block_on(async { admin.get(&args.by.path()).await }) {
        Ok(Ok(found)) => found,
        Ok(Err(Unanswered::Nobody(message))) => {
            eprintln!(
                "error: {message}\n  hint: is `trunkline serve` running? `--admin URL` names another"
            );
            return NO;
        }
        Ok(Err(Unanswered::Refused(status, message))) => {
            eprintln!("error: {message} ({status})");
            return NO;
        }
        Err(code) => return code,
    };
    if args.format == Format::Json {
        say!("{found:#}");
        return FINE;
    }
    let deliveries = match found {
        Json::Array(deliveries) => deliveries,
        one => vec![one],
    };
    if deliveries.is_empty() {
        eprintln!(
            "the journal has no such delivery; it keeps closed ones for `journal.keep`, 30 days by default"
        );
        return NO;
    }
    for delivery in &deliveries {
        say!("{}", shown(delivery));
    }
    FINE
}

/// One delivery, for people.
fn shown(delivery: &Json) -> String {
    let text = |key: &str| delivery[key].as_str().unwrap_or("none").to_owned();
    let mut shown = format!(
        "{}  {} by {} to {}: {}\n  rule `{}`, chain `{}`\n",
        text("id"),
        text("country"),
        text("channel"),
        text("number"),
        delivery["outcome"].as_str().unwrap_or("open"),
        text("rule"),
        text("chain"),
    );
    if let Some(reason) = delivery["reason"].as_str() {
        shown.push_str(&format!("  refused: {reason}\n"));
    }
    for moved in delivery["timeline"].as_array().into_iter().flatten() {
        let (at, what) = (moved["at"].as_str(), moved["what"].as_str());
        let written = writeln!(
            shown,
            "  {}  {}",
            at.unwrap_or_default(),
            what.unwrap_or_default()
        );
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    shown
}
