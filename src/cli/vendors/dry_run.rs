//! `trunkline vendors try --dry-run`: the request that would be sent, without its secrets.

use std::fmt::Write;

use crate::cli::vendors::TryArgs;
use crate::cli::vendors::errand::Errand;
use crate::cli::{CONFIG, FINE, tell};
use crate::reload::{Vendors, configuration, load_vendors};
use crate::server::receipts::RECEIPTS_PATH;
use crate::server::voice::VOICE_PATH;
use crate::time::Clock;
use crate::vendor::{Preview, Shown};

/// What a message's own secret part of the address for its receipts is shown as.
const REFERENCE: &str = "REFERENCE";
/// What stands for our address where a simulated account is asked and none is configured.
const PUBLIC_URL: &str = "https://PUBLIC_URL";

pub(super) fn run(args: &TryArgs) -> u8 {
    let place = args.config.place_to_read();
    let vendors = match args.config.vendors(&configuration(&place)) {
        Vendors::Accounts => Vendors::Accounts,
        Vendors::Examples | Vendors::Documented | Vendors::Sandbox(_) => Vendors::Documented,
    };
    let (roster, problems) = load_vendors(&place, &vendors);
    let Some(roster) = roster else {
        tell(&problems);
        return CONFIG;
    };
    let errand = match Errand::new(args, &roster) {
        Ok(errand) => errand,
        Err(mistake) => return mistake.tell(),
    };
    if errand.account.sends_nothing(errand.channel) {
        say!("nothing is sent: each message counts as accepted");
        return FINE;
    }
    let configured = roster.config.hook.public_url.as_deref();
    let url = configured.or(args.config.sandbox.then_some(PUBLIC_URL));
    let url = url.map(|url| url.trim_end_matches('/'));
    let vendor = errand.account.name();
    let callback = url.map(|url| format!("{url}{RECEIPTS_PATH}{vendor}/{REFERENCE}"));
    let script = url.map(|url| format!("{url}{VOICE_PATH}{REFERENCE}"));
    let job = errand.job(callback.as_deref(), script.as_deref());
    let now = Clock::start().now();
    match errand.account.preview(errand.channel, &job, now) {
        Ok(preview) => {
            say_whole!("{}", shown(&preview));
            if callback.is_none() && errand.account.reports(errand.channel) {
                eprintln!("note: without `public_url` in `[hook]` no receipt is asked for");
            }
            FINE
        }
        Err(unfit) => errand.unfit(&unfit).tell(),
    }
}

/// The request as text: its first line, its headers, an empty line, its body.
fn shown(preview: &Preview) -> String {
    let mut text = format!("{} {}\n", preview.method, preview.url);
    let mut line = |line: std::fmt::Arguments<'_>| {
        let written = writeln!(text, "{line}");
        debug_assert!(written.is_ok(), "a String takes everything");
    };
    for (name, value) in &preview.headers {
        line(format_args!("{name}: {value}"));
    }
    match &preview.body {
        Shown::Nothing => {}
        Shown::Fields(fields) => {
            line(format_args!(""));
            for (name, value) in fields {
                line(format_args!("{name} = {value}"));
            }
        }
        Shown::Text(body) => line(format_args!("\n{body}")),
    }
    text
}
