//! What editors and operators are told about the files fits what the program reads.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

mod agreement;
mod reading;
mod shipped;

/// Where description and readers differ, because the readers are not there yet. What is gone must go from here.
const NOT_READ_YET: [&str; 1] = ["config: `token_auth.issuer` may be anything"];
