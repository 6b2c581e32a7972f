//! The real binary, over real sockets: what Okta, operators and vendors see of it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod check;
mod commands;
mod crash;
mod envelope;
mod failover;
mod far_end;
mod health;
mod hook;
mod invented;
mod journal;
mod matrix;
mod outcome;
mod quota;
mod reload;
mod reports;
mod router;
mod secrecy;
mod simulate;
mod supersession;
mod vendors;
mod voice;
mod words;
