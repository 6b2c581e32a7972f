//! Trunkline answers Okta's telephony inline hook and owns the passcode until it has arrived.
//!
//! Rooms are listed in reading order; `flow` names the nouns that pass between them.
//! What always holds:
//! - Exactly one answer per hook call, before its deadline.
//! - The journal keeps what was fed to `delivery`, with its moment; feeding it again yields the same actions.
//! - One `Arc<Catalog>` per message, loaded once at the door and carried to the end.
//! - No database connection or lock is held across a vendor call.
//! - Every loop, queue, body, retry and cache has a limit with a name.
//! - Chance enters only when a delivery id is minted; a weighted choice is a function of it.
//! - A passcode or a full phone number never reaches a log, metric, `Debug` print, error or page.

pub mod document;
pub mod flow;
pub mod number;
pub mod problem;
pub mod text;
pub mod time;

pub mod catalog;
pub mod delivery;
pub mod explain;
pub mod fitness;
pub mod guard;
pub mod health;
pub mod okta;
pub mod rules;
pub mod schema;
pub mod simulation;
pub mod vendor;

pub mod cli;
pub mod config;
pub mod dispatch;
pub mod journal;
pub mod reload;
pub mod sandbox;
pub mod server;
pub mod telemetry;
