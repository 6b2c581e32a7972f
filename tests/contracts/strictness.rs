//! What vendors describe is strict: a request of which anything needed is missing or changed is refused.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use trunkline::flow::Channel;

use crate::contract::{Schema, Vendor, documented, nothing_wrong, vendors};
use crate::document::of_request;
use crate::jobs::{Dice, Drawn, NOW};

/// Requests that are changed, of each vendor and channel.
const REQUESTS: usize = 12;
/// What no vendor knows.
const UNKNOWN: &str = "x-unknown-field";
/// Where the fields of a request are.
const BODIES: [&str; 2] = ["json", "form"];

/// What an `about` says to be open: Okta calls a hook wherever that is.
const OPEN: [(&str, &str); 2] = [("okta-hook", "another host"), ("okta-hook", "another path")];

/// A request, changed, and how.
struct Changed {
    how: String,
    document: Json,
    /// Whether the vendor may take it all the same: a field that can be left out.
    may_hold: bool,
}

/// One request that is as described, whole.
fn whole(vendor: &Vendor, channel: Channel, dice: &mut Dice) -> (Drawn, Json) {
    let mut drawn = Drawn::by(dice);
    drawn.from.get_or_insert_with(|| "+15005550006".to_owned());
    let account = documented(&vendor.definition);
    let request = account
        .request(channel, &drawn.job(), NOW)
        .expect("a request");
    (drawn, of_request(&request))
}

/// The request with each part changed that no vendor takes otherwise, and without each of its fields.
fn changes(whole: &Json, needed: &BTreeSet<String>) -> Vec<Changed> {
    let mut changes = Vec::new();
    let mut change = |how: String, may_hold: bool, by: &dyn Fn(&mut Json)| {
        let mut document = whole.clone();
        by(&mut document);
        changes.push(Changed {
            how,
            document,
            may_hold,
        });
    };
    for (part, other) in [
        ("method", "DELETE"),
        ("scheme", "http"),
        ("host", "api.vendor.invalid"),
        ("path", "/nowhere"),
    ] {
        change(format!("another {part}"), false, &|d| {
            d[part] = other.into()
        });
    }
    change("a field of the query".to_owned(), false, &|d| {
        d["query"][UNKNOWN] = "1".into()
    });
    for body in BODIES.into_iter().filter(|body| whole.get(body).is_some()) {
        change("an unknown field".to_owned(), false, &|d| {
            d[body][UNKNOWN] = "1".into()
        });
        change("no body".to_owned(), false, &|d| {
            d.as_object_mut().expect("a document").remove(body);
            d["body"] = Json::Null;
        });
        change("a list for a body".to_owned(), false, &|d| {
            d[body] = json!([d[body].take()])
        });
    }
    for name in whole["headers"].as_object().expect("headers").keys() {
        let pointer = format!("/headers/{name}");
        let may_hold = !needed.contains(&pointer);
        change(format!("without {pointer}"), may_hold, &|d| {
            remove(d, &pointer)
        });
    }
    for pointer in places(whole, "") {
        let may_hold = !needed.contains(&pointer);
        change(format!("without {pointer}"), may_hold, &|d| {
            remove(d, &pointer)
        });
        // A form has texts only.
        let other = match whole.pointer(&pointer) {
            Some(Json::Number(number)) => json!(number.to_string()),
            _ => json!({ UNKNOWN: true }),
        };
        change(format!("another type of {pointer}"), false, &|d| {
            *d.pointer_mut(&pointer).expect("a place") = other.clone();
        });
    }
    changes
}

/// Where a document's fields are, in its body and its query.
fn places(document: &Json, at: &str) -> Vec<String> {
    let below = |name: &str, value: &Json| {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let mut places = places(value, &at);
        places.push(at);
        places
    };
    match document {
        Json::Object(fields) if at.is_empty() => {
            let parts = fields
                .iter()
                .filter(|(name, _)| ["json", "form", "query"].contains(&&***name));
            parts
                .flat_map(|(name, value)| places(value, &format!("/{name}")))
                .collect()
        }
        Json::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| below(name, value))
            .collect(),
        Json::Array(items) => {
            let items = items.iter().enumerate();
            items
                .flat_map(|(i, item)| below(&i.to_string(), item))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn remove(document: &mut Json, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).expect("a parent") {
        Json::Object(fields) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Json::Array(items) => drop(items.remove(name.parse().expect("an index"))),
        _ => panic!("{pointer} is below no field"),
    }
}

/// Where the recipient and the text are: nothing can be sent without these, nor without what its schema requires.
fn needed(schema: &Json, whole: &Json, drawn: &Drawn) -> BTreeSet<String> {
    let mut needed = required(schema, whole, "");
    let told = format!("{} is your", drawn.code());
    for pointer in places(whole, "") {
        let text = whole
            .pointer(&pointer)
            .and_then(Json::as_str)
            .unwrap_or_default();
        let is_told = text.contains(drawn.to.digits()) || text.contains(&told);
        needed.extend(is_told.then_some(pointer));
    }
    needed
}

/// The places that a schema requires, through its properties and items.
fn required(schema: &Json, document: &Json, at: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let names = schema["required"].as_array().into_iter().flatten();
    let names = names
        .filter_map(Json::as_str)
        .filter(|name| document.get(name).is_some());
    found.extend(
        names
            .filter(|_| !at.is_empty())
            .map(|name| format!("{at}/{name}")),
    );
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (name, schema) in properties {
        if let Some(value) = document.get(name) {
            found.extend(required(schema, value, &format!("{at}/{name}")));
        }
    }
    for (i, value) in document.as_array().into_iter().flatten().enumerate() {
        found.extend(required(&schema["items"], value, &format!("{at}/{i}")));
    }
    found
}

/// How many changed requests are refused; those that are not and should be.
fn refused(vendor: &Vendor, channel: Channel, schema: &Schema) -> (usize, Vec<String>) {
    let (mut refused, mut held) = (0, Vec::new());
    let mut dice = Dice::seeded(3);
    for _ in 0..REQUESTS {
        let (drawn, whole) = whole(vendor, channel, &mut dice);
        assert_eq!(schema.wrongs(&whole), None, "{} {channel}", vendor.name);
        let needed = needed(vendor.request(channel), &whole, &drawn);
        for changed in changes(&whole, &needed) {
            match schema.holds(&changed.document) {
                false => refused += 1,
                true if changed.may_hold || OPEN.contains(&(&*vendor.name, &*changed.how)) => {}
                true => held.push(format!("{} {channel}: {}", vendor.name, changed.how)),
            }
        }
    }
    (refused, held)
}

#[test]
fn a_request_that_is_not_as_described_is_refused() {
    let mut held = BTreeSet::new();
    for vendor in vendors() {
        for channel in vendor.channels() {
            let schema = vendor
                .schema(channel, "request")
                .expect("what requests look like");
            let (refused, wrongly_held) = refused(&vendor, channel, &schema);
            held.extend(wrongly_held);
            let least = 10 * REQUESTS;
            assert!(
                refused >= least,
                "{} {channel}: only {refused}",
                vendor.name
            );
        }
    }
    nothing_wrong(held.into_iter().collect());
}
