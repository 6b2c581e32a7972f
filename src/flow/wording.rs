//! What one step of a plan says, without the passcode in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How a step's text is made. It holds no passcode, so that it may be kept in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// The text, with `{code}` where the passcode stands; absent for Okta's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Arc<str>>,
    /// The `[[template]]` that it comes from, as people call it; absent for what is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Arc<str>>,
    /// The language it is in, as a BCP 47 tag such as `de-DE`; absent where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Arc<str>>,
    /// What the vendor is told beside it, such as the ids under which the text is registered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<Arc<str>, Arc<str>>,
    /// Characters that make the text longer are replaced by plain ones, where that saves a part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transliterate: bool,
}
