//! What was looked for in a receipt that is not understood, and is not there.

use serde_json::Value as Json;

use crate::vendor::pick::{Pick, all_at, text_of};
use crate::vendor::receipt::{Callback, Receipts};

impl Receipts {
    /// What a receipt that is the vendor's own lacks; of several ways in which it may be written, by the first
    /// that it is written in.
    pub(crate) fn lacking(&self, callback: &Callback<'_>) -> Vec<String> {
        let mut roots = self.written.iter().filter_map(|w| w.fields(callback));
        let Some(root) = roots.next() else {
            return vec!["it is not written as `body` says".to_owned()];
        };
        let opened = self.opened(root);
        let Some(root) = opened else {
            let envelope = self.envelope.as_deref().unwrap_or_default();
            return vec![format!("no JSON in a text at `{envelope}`")];
        };
        let (inside, at) = match &self.each {
            Some(each) => (root.pointer(each), format!("at `{each}`")),
            None => (Some(&root), "in it".to_owned()),
        };
        let item = match inside {
            Some(Json::Array(items)) => match items.first() {
                Some(first) => first,
                None => return vec![format!("an empty array {at}")],
            },
            Some(single) => single,
            None => return vec![format!("nothing {at}")],
        };
        self.lacking_in(item)
    }

    fn lacking_in(&self, item: &Json) -> Vec<String> {
        let nothing = |pointer: &String| format!("nothing at `{pointer}`");
        let only = self.only_with.iter();
        let only: Vec<String> = only
            .filter(|pointer| item.pointer(pointer).is_none())
            .map(|pointer| format!("nothing at `{pointer}`, which `only_with` names"))
            .collect();
        if !only.is_empty() {
            return only;
        }
        let mut lacking = Vec::new();
        let names = || self.message_id.iter().chain(&self.reference);
        let is_there = |pointer: &String| {
            let mut texts = all_at(item, pointer).into_iter().filter_map(text_of);
            texts.any(|text| !text.is_empty())
        };
        if !names().any(is_there) {
            lacking.extend(names().map(nothing));
        }
        if self.status.iter().all(|pick| pick.texts(item).is_empty()) {
            for Pick { at, pattern } in &self.status {
                let before = lacking.len();
                lacking.extend(at.iter().filter(|at| !is_there(at)).map(nothing));
                if lacking.len() == before && pattern.is_some() {
                    let at = at.join(":");
                    lacking.push(format!("the pattern finds nothing in what is at `{at}`"));
                }
            }
        }
        lacking
    }
}
