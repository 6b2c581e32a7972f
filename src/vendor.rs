//! Turns a vendor's definition and an attempt into an HTTP request, its answer into a verdict, its receipts into news.
//!
//! A definition is a file in `vendors/`; `vendors/README.md` teaches its language. This room knows the
//! language and no vendor.

mod account;
mod address;
mod authorization;
mod certificate;
mod definition;
mod example;
mod handshake;
mod keyed;
mod pick;
mod preview;
mod proving;
mod receipt;
mod request;
mod script;
mod signature;
mod simulation;
mod summary;
mod template;
mod trial;
mod verdict;

pub use account::{Account, Grant};
pub use certificate::Certificate;
pub use definition::{Definition, Operation, Simulated, Simulation};
pub use example::{Documented, check_examples};
pub use handshake::{Greeting, Heard};
pub use preview::{Preview, Shown};
pub use receipt::{Callback, News, RECEIPTS_PER_REQUEST_MAX, Refusal, Secured, Told, same_id};
pub use request::{Job, Unfit};
pub use script::Spoken;
pub use simulation::{Asked, Objection, Said};
pub use summary::{Needed, Offer, Period, ReceiptsFor, Signed, Summary, Tongues};
pub use template::Slot;

#[cfg(test)]
mod tests;
