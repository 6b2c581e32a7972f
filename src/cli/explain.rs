//! `trunkline explain`: what would be done with a number, and why.

use std::io::IsTerminal;

use crate::cli::http::Admin;
use crate::cli::{CONFIG, ChannelArg, ConfigArgs, FINE, Format, NO, USAGE, block_on, tell};
use crate::explain::{Question, VendorNow, explain};
use crate::reload::{configuration, load};
use crate::time::{Clock, Moment};

/// Whoever sets this wants no colour anywhere (no-color.org).
const NO_COLOUR: &str = "NO_COLOR";

/// Say what would be done with a number, and why.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The number, with `+`
    #[arg(value_name = "NUMBER")]
    number: String,
    #[arg(long, value_enum, default_value = "sms")]
    channel: ChannelArg,
    /// The Okta org, by its configured name
    #[arg(long)]
    org: Option<String>,
    /// Such as mfa-verification
    #[arg(long, value_name = "T")]
    request_type: Option<String>,
    #[arg(long, value_name = "L")]
    locale: Option<String>,
    /// Okta's user id
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// The person's login
    #[arg(long, value_name = "L")]
    login: Option<String>,
    /// What Okta's own text is [default: Okta's default]
    #[arg(long)]
    text: Option<String>,
    /// The day or moment to ask for, such as 2027-01-01 [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Moment>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &Args) -> u8 {
    let place = args.config.place_to_read();
    let config = configuration(&place);
    let vendors = args.config.vendors(&config);
    let now = Clock::start().now();
    let (loaded, problems) = load(&place, &vendors, now);
    let Some(loaded) = loaded else {
        tell(&problems);
        return CONFIG;
    };
    let question = Question {
        to: args.number.clone(),
        channel: Some(args.channel.into()),
        org: args.org.clone(),
        request_type: args.request_type.clone(),
        locale: args.locale.clone(),
        user: args.user.clone(),
        login: args.login.clone(),
        text: args.text.clone(),
        at: args.at,
    };
    if let Some(mistake) = question.mistake(&loaded.catalog) {
        eprintln!("error: {mistake}");
        return USAGE;
    }
    let orgs = &loaded.catalog.config.orgs;
    if args.org.is_none() && orgs.len() > 1 {
        let names: Vec<&str> = orgs.iter().map(|org| &*org.name).collect();
        eprintln!(
            "note: this is for no org; `--org` with {}",
            names.join(", ")
        );
    }
    let mut explained = explain(&loaded.catalog, &question, now);
    // Whether a vendor is well only a running router knows; without one the files must do.
    let admin = Admin::of(&config);
    let live = match args.at {
        None => block_on(async { admin.vendors().await.zip(admin.quotas().await) }),
        Some(_) => Ok(None),
    };
    if let Ok(Some((vendors, quotas))) = live {
        explained.note_quotas(|name| {
            let quota = quotas.iter().find(|quota| quota["name"] == name)?;
            let is_full = quota["full"].as_bool()?;
            let until = quota["resets_at"].as_str()?;
            is_full.then(|| until.to_owned())
        });
        let country = explained.country.to_string();
        explained.note_vendors(|vendor| {
            let known = vendors.iter().find(|v| v["name"] == vendor)?;
            let last = known["last"].as_str().map(str::to_owned);
            let off = known["off"]["reason"].as_str().map(str::to_owned);
            // What is known of this country, else of the vendor as a whole.
            let cells = known["health"].as_array()?;
            let of = |country: &str| cells.iter().find(|c| c["country"] == country);
            let cell = of(&country).or_else(|| of("ZZ"));
            let health = cell.and_then(|c| c["health"].as_str()).map(str::to_owned);
            Some(VendorNow { off, last, health })
        });
    }
    match args.format {
        Format::Human => {
            let colour =
                std::io::stdout().is_terminal() && crate::config::environment(NO_COLOUR).is_none();
            say!("{}", explained.page(colour));
        }
        Format::Json => match serde_json::to_string_pretty(&explained) {
            Ok(json) => say!("{json}"),
            Err(error) => eprintln!("error: {error}"),
        },
    }
    if explained.is_sent() { FINE } else { NO }
}

/// A day in UTC, or a moment.
fn time(text: &str) -> Result<Moment, String> {
    Moment::from_day_or_rfc3339(text)
        .ok_or_else(|| "such as `2027-01-01` or `2027-01-01T09:00:00+01:00`".to_owned())
}
