//! Runs a scenario's traffic through the real rules and the real delivery machine, in virtual time.
//!
//! What is written in a scenario file happens to simulated vendors; what is done about it is decided by the
//! same rooms as in the running router: `rules`, `fitness`, `health` and `delivery`. Chance is seeded, and what
//! happens to a delivery is a function of its number, so that two rule sets meet the very same world.

mod chart;
mod compare;
mod conduct;
mod dice;
mod queue;
mod read;
mod run;
mod scenario;
mod spread;
mod stream;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod world;

pub use chart::chart;
pub use compare::{
    Column, Comparison, Contender, Measures, Options, Point, Slice, VendorMeasures, compare,
};
pub use scenario::Scenario;
pub use table::{details, summary};

/// A code that takes longer than this is asked for again, or given up: people do not wait longer.
pub const PATIENT_MS: i64 = 30_000;
