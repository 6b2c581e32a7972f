//! `trunkline vendors list`: every vendor definition, one line each.

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::{CONFIG, ConfigArgs, FINE, tell};
use crate::flow::Channel;
use crate::reload::{Place, Vendors, load_vendors};
use crate::vendor::{Needed, Offer, ReceiptsFor, Summary};

/// What stands where there is nothing to say.
const NOTHING: &str = "-";
const HEAD: [&str; 11] = [
    "definition",
    "vendor",
    "accounts",
    "channels",
    "languages",
    "receipts",
    "signed",
    "validity",
    "idempotency",
    "regions",
    "credentials",
];
/// The column that the page for everybody leaves out.
const ACCOUNTS: usize = 2;

/// Every vendor definition: its channels, its receipts, and what it needs.
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(long, value_enum, default_value = "human")]
    format: ListFormat,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum ListFormat {
    Human,
    Json,
    /// The table in the vendors' README
    Markdown,
}

/// One definition, and the accounts that name it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    summary: Summary,
    accounts: Vec<String>,
}

pub(super) fn run(args: &Args) -> u8 {
    // Whoever asks what is needed may not have it yet.
    let place = Place {
        stand_ins: true,
        ..args.config.place()
    };
    let (roster, problems) = load_vendors(&place, &Vendors::Examples);
    let Some(roster) = roster else {
        tell(&problems);
        return CONFIG;
    };
    let listed: Vec<Listed> = roster
        .definitions
        .iter()
        .map(|definition| {
            let configured = roster.config.vendors.iter();
            let its_own = configured.filter(|v| v.definition.value == definition.name);
            Listed {
                summary: definition.summary(),
                accounts: its_own.map(|v| v.name.value.to_string()).collect(),
            }
        })
        .collect();
    match args.format {
        ListFormat::Human => say_whole!("{}", for_people(&listed)),
        ListFormat::Markdown => say_whole!("{}", in_markdown(&listed)),
        ListFormat::Json => match serde_json::to_string_pretty(&listed) {
            Ok(json) => say!("{json}"),
            Err(error) => eprintln!("error: {error}"),
        },
    }
    FINE
}

/// Columns as wide as what is in them.
fn for_people(listed: &[Listed]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(listed.iter().map(Listed::cells));
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; HEAD.len()]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, w)| format!("{cell:<w$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn in_markdown(listed: &[Listed]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut head = HEAD.map(str::to_owned).to_vec();
    head.remove(ACCOUNTS);
    let under = head.iter().map(|_| "---".to_owned()).collect();
    let rows = listed.iter().map(|one| {
        let mut cells = one.cells().map(|cell| cell.replace('|', "\\|")).to_vec();
        if let Some(url) = &one.summary.documentation {
            cells[1] = format!("[{}]({url})", cells[1]);
        }
        cells.remove(ACCOUNTS);
        line(cells)
    });
    let rows: String = rows.collect();
    format!("{}{}{rows}", line(head), line(under))
}

impl Listed {
    fn cells(&self) -> [String; HEAD.len()] {
        let summary = &self.summary;
        let of = |what: &dyn Fn(&Offer) -> String| of_channels(&summary.channels, what);
        [
            summary.definition.clone(),
            summary.name.clone(),
            match self.accounts.as_slice() {
                [] => "none".to_owned(),
                names => names.join(", "),
            },
            summary
                .channels
                .iter()
                .map(|offer| offer.channel.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            spoken(&summary.channels),
            of(&receipts),
            of(&signed),
            of(&validity),
            of(&|offer| or_nothing(offer.idempotency.clone())),
            or_nothing(Some(summary.regions.join(", "))),
            credentials(&summary.credentials),
        ]
    }
}

/// How many of the languages that there are scripts in calls are read in.
fn spoken(offers: &[Offer]) -> String {
    let tongues = offers.iter().find_map(|offer| offer.languages.as_ref());
    or_nothing(tongues.map(|tongues| match &tongues.speaks {
        Some(_) if tongues.count < tongues.of => format!("{} of {}", tongues.count, tongues.of),
        Some(_) | None => tongues.of.to_string(),
    }))
}

/// What holds of all channels, or of each.
fn of_channels(offers: &[Offer], what: &dyn Fn(&Offer) -> String) -> String {
    let mut said: Vec<(Channel, String)> = offers.iter().map(|o| (o.channel, what(o))).collect();
    if said.iter().all(|(_, words)| *words == said[0].1) {
        return or_nothing(said.pop().map(|(_, words)| words));
    }
    let said = said
        .iter()
        .map(|(channel, words)| format!("{channel}: {words}"));
    said.collect::<Vec<_>>().join("; ")
}

fn receipts(offer: &Offer) -> String {
    match offer.receipts {
        ReceiptsFor::None if offer.sends_nothing => "sends nothing",
        ReceiptsFor::None => "none",
        ReceiptsFor::Message => "per message",
        ReceiptsFor::Account => "per account",
    }
    .to_owned()
}

fn signed(offer: &Offer) -> String {
    let Some(signed) = &offer.signed else {
        return NOTHING.to_owned();
    };
    match (signed.scheme, signed.with.as_slice()) {
        ("reference", _) => "address only".to_owned(),
        (scheme, []) => scheme.to_owned(),
        (scheme, with) => format!("{scheme}, with {}", with.join(" and ")),
    }
}

fn validity(offer: &Offer) -> String {
    let period = offer.validity.as_ref();
    let range = period.map(|p| format!("{}-{} {}", p.least, p.most, p.unit));
    or_nothing(range.or_else(|| offer.tells_end.then(|| "its end".to_owned())))
}

/// Optional ones stand in parentheses.
fn credentials(needed: &[Needed]) -> String {
    let names = needed.iter().map(|credential| match credential.optional {
        true => format!("({})", credential.name),
        false => credential.name.clone(),
    });
    or_nothing(Some(names.collect::<Vec<_>>().join(", ")))
}

fn or_nothing(words: Option<String>) -> String {
    let words = words.filter(|words| !words.is_empty());
    words.unwrap_or_else(|| NOTHING.to_owned())
}
