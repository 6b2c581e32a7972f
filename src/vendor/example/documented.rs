//! What a definition's examples document of its vendor, as HTTP: its answers and its receipts.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use crate::flow::Channel;
use crate::vendor::definition::Definition;
use crate::vendor::example::example_account;

/// Something that the vendor says in an example.
#[derive(Clone, Debug)]
pub struct Documented<T> {
    /// The example's name.
    pub name: String,
    pub channel: Channel,
    pub said: T,
}

impl Definition {
    /// The answers in its examples.
    pub fn documented_answers(&self) -> Vec<Documented<Response<Bytes>>> {
        let shown = self.examples.iter().filter_map(|example| {
            let answer = example.response.as_ref()?;
            Some(Documented {
                name: example.name.clone(),
                channel: example.channel,
                said: answer.to_http()?,
            })
        });
        shown.collect()
    }

    /// The receipts in its examples, signed with the example credentials.
    pub fn documented_receipts(self: &Arc<Definition>) -> Vec<Documented<Request<Bytes>>> {
        let account = example_account(self);
        let shown = self.receipt_examples.iter().filter_map(|example| {
            Some(Documented {
                name: example.name.clone(),
                channel: example.channel,
                said: example.request(&account)?,
            })
        });
        shown.collect()
    }
}
