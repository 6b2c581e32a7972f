//! Reads Okta's telephony hook call and writes its answer; the one room that knows Okta's spelling.

mod answer;
mod request;

pub use answer::{Answer, Status};
pub use request::{Fault, Request};

#[cfg(test)]
mod tests;
