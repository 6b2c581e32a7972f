//! The `trunkline` binary: parse the command line, run it, give its exit code.

use std::process::ExitCode;

use clap::Parser;
use trunkline::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
