//! How a receipt's fields are written: a form, JSON or a query.

use serde_json::{Map, Value as Json};

use crate::vendor::receipt::Callback;

/// How a receipt's fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Form,
    Json,
    Query,
}

impl Written {
    /// The fields as JSON; those of a form or a query are a flat object of texts.
    pub(super) fn fields(self, callback: &Callback<'_>) -> Option<Json> {
        let flat = |pairs: &[u8]| {
            let pairs = form_urlencoded::parse(pairs);
            let fields: Map<String, Json> = pairs
                .map(|(name, value)| (name.into_owned(), Json::from(value)))
                .collect();
            Json::Object(fields)
        };
        match self {
            Written::Form => Some(flat(callback.body)),
            Written::Json => serde_json::from_slice(callback.body).ok(),
            Written::Query => {
                let (_, query) = callback.url.split_once('?')?;
                Some(flat(query.as_bytes()))
            }
        }
    }
}
