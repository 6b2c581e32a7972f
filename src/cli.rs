//! One function for each subcommand; wires the rooms together.
#![expect(
    clippy::print_stderr,
    reason = "what a command has to say beside its answer goes to the terminal"
)]

/// Prints a line of the answer.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::to_stdout(format_args!("{}\n", format_args!($($words)*))) };
}
/// Prints an answer that ends its lines itself.
macro_rules! say_whole {
    ($($words:tt)*) => { $crate::cli::to_stdout(format_args!($($words)*)) };
}

mod check;
mod deliveries;
mod explain;
mod http;
mod schema;
mod send;
mod serve;
mod simulate;
mod vendors;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::flow::Channel;
use crate::problem::Problems;
use crate::reload::{Place, Vendors};

/// Everything is fine.
pub(crate) const FINE: u8 = 0;
/// The command ran, and the answer is no.
pub(crate) const NO: u8 = 1;
/// The command was asked wrongly.
pub(crate) const USAGE: u8 = 2;
/// Problems in configuration, rules or definitions (`EX_CONFIG` of sysexits.h).
pub(crate) const CONFIG: u8 = 78;

/// The configuration that is read when none is named.
const CONFIG_FILE: &str = "trunkline.toml";

/// Answers Okta's telephony hook and owns the passcode until it has arrived.
#[derive(Parser)]
#[command(version, about, long_about = None, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the router
    Serve(serve::Args),
    /// Read configuration, rules and vendor definitions, run their examples, print every problem
    Check(check::Args),
    /// Say what would be done with a number, and why
    Explain(explain::Args),
    /// Run scenarios of traffic and outages through the rules, beside a single vendor
    Simulate(simulate::Args),
    /// Play Okta: post a hook call, and say what Okta would make of the answer
    Send(send::Args),
    /// What happened to this code? Ask the running router
    Deliveries(deliveries::Args),
    /// List the vendors that can be spoken with, or send one message through one of them
    Vendors(vendors::Args),
    /// Print what a file may say, for editors or for people
    Schema(schema::Args),
}

/// Where the configuration is.
#[derive(clap::Args)]
struct ConfigArgs {
    /// The configuration file [default: ./trunkline.toml if there is one, else built-in defaults]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Simulate every vendor inside the process; literal secrets are let pass
    #[arg(long)]
    sandbox: bool,
}

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// A channel, on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum ChannelArg {
    Sms,
    Voice,
}

impl From<ChannelArg> for Channel {
    fn from(channel: ChannelArg) -> Channel {
        match channel {
            ChannelArg::Sms => Channel::Sms,
            ChannelArg::Voice => Channel::Voice,
        }
    }
}

impl ConfigArgs {
    fn place(&self) -> Place {
        let default = PathBuf::from(CONFIG_FILE);
        let config = self.config.clone();
        Place {
            config: config.or_else(|| default.exists().then_some(default)),
            sandbox: self.sandbox,
            stand_ins: false,
        }
    }

    /// The same for a command that calls nobody: with the sandbox, secrets that are not here are not missed.
    fn place_to_read(&self) -> Place {
        Place {
            stand_ins: self.sandbox,
            ..self.place()
        }
    }

    /// Whose vendors a command without sockets looks at: with the sandbox, or where no account is configured
    /// at all, the example accounts of the definitions; otherwise the configured ones.
    fn vendors(&self, config: &Config) -> Vendors<'static> {
        if self.sandbox {
            return Vendors::Examples;
        }
        if config.vendors.is_empty() {
            eprintln!("note: no vendor account is configured; the definitions' examples stand in");
            return Vendors::Examples;
        }
        Vendors::Accounts
    }
}

/// Runs the command line.
pub fn run(cli: Cli) -> ExitCode {
    // Of the process's two possible TLS back ends, one is chosen here, before any client is made.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("note: a TLS provider was installed already");
    }
    let code = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Deliveries(args) => deliveries::run(&args),
        Command::Vendors(args) => vendors::run(&args),
        Command::Schema(args) => schema::run(&args),
    };
    ExitCode::from(code)
}

/// Prints problems to standard error, each with its place in the text.
fn tell(problems: &Problems) {
    eprint!("{}", problems.page(std::io::stderr().is_terminal()));
}

/// Prints to standard output. A reader that goes away early, as `head` does, has had enough: no mistake.
fn to_stdout(words: std::fmt::Arguments<'_>) {
    use std::io::Write;
    if let Err(error) = std::io::stdout().lock().write_fmt(words)
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("error: {error}");
    }
}

/// A runtime for commands that ask a question or two.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => {
            eprintln!("error: {error}");
            Err(NO)
        }
    }
}
