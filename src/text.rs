//! Makes the text of a message or a call, and measures it as a handset gets it.

mod languages;
mod measure;
mod plain;
mod render;
mod script;
mod words;

pub use languages::{Languages, is_tag};
pub use measure::{Encoding, Measure, measure};
pub use plain::{shortest, transliterate};
pub use render::{Given, language, render};
pub use script::{Script, languages, script, tag};
pub use words::{Mistake, Words};

/// The passcode that examples and explanations show.
pub const SHOWN_CODE: &str = "123456";
/// Okta's own default text with that passcode in it (Okta's guide to custom SMS messaging).
pub const SHOWN_TEXT: &str = "Your verification code is 123456";
