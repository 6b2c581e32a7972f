//! The `trunkline` binary: parse the command line, run it, give its exit code.

fn main() {}
