//! Turns a vendor's definition and an attempt into an HTTP request, its answer into a verdict, its receipts into news.
//!
//! A definition is a file in `vendors/`; `vendors/README.md` teaches its language. This room knows the
//! language and no vendor.

mod account;
mod definition;
mod example;
mod preview;
mod receipt;
mod request;
mod signature;
mod simulation;
mod summary;
mod template;
mod verdict;

pub use account::{Account, Grant};
pub use definition::{Definition, Operation, Simulated, Simulation};
pub use example::check_examples;
pub use preview::{Preview, Shown};
pub use receipt::{Callback, News, RECEIPTS_PER_REQUEST_MAX, Refusal, Told, same_id};
pub use request::{Job, Unfit};
pub use simulation::{Asked, Objection};
pub use summary::{Needed, Offer, Period, ReceiptsFor, Signed, Summary};
pub use template::Slot;

#[cfg(test)]
mod tests;
