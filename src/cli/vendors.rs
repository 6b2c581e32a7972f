//! `trunkline vendors`: which vendors can be spoken with, and one message through one of them.

mod consent;
mod desk;
mod dry_run;
mod errand;
mod list;
mod real;

use std::net::SocketAddr;
use std::time::Duration;

use crate::cli::{ChannelArg, ConfigArgs};
use crate::sandbox::Behaviour;

/// A receipt is waited for no longer than this.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// List the vendors that can be spoken with, or send one message through one of them.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Every vendor definition: its channels, its receipts, and what it needs
    List(list::Args),
    /// Send one message through one vendor, or show the request that would be sent
    Try(Box<TryArgs>),
}

/// Send one message through one vendor, or show the request that would be sent.
#[derive(clap::Args)]
struct TryArgs {
    /// The vendor account, as `[vendors.NAME]` names it
    #[arg(value_name = "VENDOR")]
    vendor: String,
    /// The number the message goes to, with `+`
    #[arg(value_name = "NUMBER")]
    number: String,
    #[arg(long, value_enum, default_value = "sms")]
    channel: ChannelArg,
    /// Show the request, without its secrets, and send nothing
    #[arg(long, conflicts_with_all = ["yes", "wait", "listen", "behaviour"])]
    dry_run: bool,
    /// The sender [default: the account's `from`]
    #[arg(long, value_name = "S")]
    from: Option<String>,
    /// The text, with {code} for the passcode [default: what Okta and the router say]
    #[arg(long, value_name = "T")]
    text: Option<String>,
    /// The language, such as de-DE
    #[arg(long, value_name = "L")]
    language: Option<String>,
    /// Answers a question with yes; there are two
    #[arg(long, action = clap::ArgAction::Count)]
    yes: u8,
    /// How long a receipt is waited for; 0: not at all
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = wait)]
    wait: Duration,
    /// Where receipts arrive [default: `listen` of `[hook]`; with --sandbox a free port]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// With --sandbox: how the simulated vendor behaves, such as reject:CODE or undelivered
    #[arg(long, value_name = "WORD", requires = "sandbox")]
    behaviour: Option<Behaviour>,
    #[command(flatten)]
    config: ConfigArgs,
}

fn wait(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wait = humantime::parse_duration(text).ok();
    wait.filter(|wait| *wait <= WAIT_MAX)
        .ok_or_else(|| "a time up to an hour, such as `60s`, or `0`".to_owned())
}

/// Why a message cannot be asked for, and what would help.
struct Mistake {
    exit: u8,
    message: String,
    hint: Option<String>,
}

impl Mistake {
    fn new(exit: u8, message: impl Into<String>, hint: impl Into<String>) -> Mistake {
        Mistake {
            exit,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// Says so; gives the exit status.
    fn tell(&self) -> u8 {
        eprintln!("error: {}", self.message);
        if let Some(hint) = &self.hint {
            eprintln!("  hint: {hint}");
        }
        self.exit
    }
}

pub(super) fn run(args: &Args) -> u8 {
    match &args.command {
        Command::List(args) => list::run(args),
        Command::Try(args) if args.dry_run => dry_run::run(args),
        Command::Try(args) => real::run(args),
    }
}
