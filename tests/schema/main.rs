//! What editors and operators are told about the files fits what the program reads.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

mod agreement;
mod reading;
mod shipped;
mod table;
