//! The real binary, over real sockets: what Okta, operators and vendors see of it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod commands;
mod crash;
mod failover;
mod hook;
mod journal;
mod reload;
mod router;
mod secrecy;
