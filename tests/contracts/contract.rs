//! Definitions and contracts as they are in the repository, read for a test.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use jsonschema::{Draft, Validator};
use regex::Regex;
use serde_json::Value as Json;
use trunkline::flow::Channel;
use trunkline::problem::{Problems, Source};
use trunkline::vendor::{Account, Definition};

/// Of what is wrong, so much is told.
const WRONGS_MAX: usize = 10;
/// Of what is wrong with one document, so much is told.
const TOLD_MAX: usize = 3;

/// Where a vendor is whose accounts must say that themselves.
pub(crate) const ELSEWHERE: &str = "https://vendor.example";

/// A definition, and the description of its vendor's API.
pub(crate) struct Vendor {
    pub(crate) name: String,
    pub(crate) definition: Arc<Definition>,
    /// The definition's file, for what the library does not tell.
    pub(crate) written: toml::Table,
    contract: Json,
}

/// A JSON Schema that one kind of document is held to.
pub(crate) struct Schema(Validator);

/// Every vendor that has both.
pub(crate) fn vendors() -> Vec<Vendor> {
    let contracts = names_of("tests/contracts", "json");
    let both = names_of("vendors", "toml")
        .intersection(&contracts)
        .cloned()
        .collect::<Vec<_>>();
    assert!(both.len() >= 10, "{both:?}");
    both.iter().map(|name| Vendor::of(name)).collect()
}

impl Vendor {
    /// The vendor of this name, as it is shipped.
    pub(crate) fn of(name: &str) -> Vendor {
        Vendor::written(name, &read(&format!("vendors/{name}.toml")))
    }

    /// The vendor of this name with another definition.
    pub(crate) fn written(name: &str, text: &str) -> Vendor {
        let contract = read(&format!("tests/contracts/{name}.json"));
        Vendor {
            name: name.to_owned(),
            definition: definition_of(name, text),
            written: text.parse().expect("a definition is TOML"),
            contract: serde_json::from_str(&contract).expect("a contract is JSON"),
        }
    }

    /// The channels on which it is asked for something. The contract must have the same.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let channels: Vec<Channel> = self.definition.operations.iter().map(|(c, _)| *c).collect();
        for channel in Channel::ALL {
            let described = self.contract.get(channel.as_str()).is_some();
            assert_eq!(
                described,
                channels.contains(&channel),
                "{}: {channel}",
                self.name
            );
        }
        channels
    }

    /// The schema of requests, as it is written.
    pub(crate) fn request(&self, channel: Channel) -> &Json {
        self.part(channel, "request")
            .expect("what requests look like")
    }

    /// The schema of `request`, `answer` or `receipt`.
    pub(crate) fn schema(&self, channel: Channel, part: &str) -> Option<Schema> {
        let options = jsonschema::options().with_draft(Draft::Draft202012);
        let validator = options
            .should_validate_formats(true)
            .build(self.part(channel, part)?);
        Some(Schema(validator.unwrap_or_else(|wrong| {
            panic!("{}: {channel} {part}: {wrong}", self.name)
        })))
    }

    /// What the vendor fetches for a call: its content type, and the pattern of the whole.
    pub(crate) fn script(&self, channel: Channel) -> Option<(&str, Regex)> {
        let script = self.part(channel, "script")?;
        let text = |key: &str| script.get(key).and_then(Json::as_str);
        let pattern = Regex::new(text("pattern")?).expect("a pattern");
        Some((text("content_type")?, pattern))
    }

    /// Every code that the definition lists under a heading such as `refused`.
    pub(crate) fn codes(&self, channel: Channel, heading: &str) -> BTreeSet<String> {
        let table =
            |table: &toml::Table, key: &str| table.get(key).and_then(|v| v.as_table()).cloned();
        let listed = table(&self.written, channel.as_str()).and_then(|t| table(&t, heading));
        let Some(listed) = listed else {
            return BTreeSet::new();
        };
        let reasons = table(&listed, "reasons").unwrap_or_default();
        let lists = reasons.values().chain(listed.get("daily_cap"));
        let codes = lists.filter_map(|list| list.as_array()).flatten();
        codes.flat_map(each_code).collect()
    }

    fn part(&self, channel: Channel, part: &str) -> Option<&Json> {
        self.contract.get(channel.as_str())?.get(part)
    }
}

impl Schema {
    /// Whether a document is as described.
    pub(crate) fn holds(&self, document: &Json) -> bool {
        self.0.is_valid(document)
    }

    /// What is wrong with a document; nothing when it is as described.
    pub(crate) fn wrongs(&self, document: &Json) -> Option<String> {
        if self.holds(document) {
            return None;
        }
        let wrongs = self.0.iter_errors(document).take(TOLD_MAX);
        let wrongs: Vec<String> = wrongs
            .map(|e| format!("  {}: {e}", e.instance_path()))
            .collect();
        Some(format!("{document}\n{}", wrongs.join("\n")))
    }
}

/// `21211`, `"low-balance"`, and each of `"4106-4158"`.
fn each_code(code: &toml::Value) -> Vec<String> {
    let text = plain(code);
    let ends = text
        .split_once('-')
        .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match ends {
        Some((from, to)) => (from..=to).map(|n: u32| n.to_string()).collect(),
        None => vec![text],
    }
}

/// A code as it is told.
pub(crate) fn plain(code: &toml::Value) -> String {
    match code {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Fails with what is wrong, if anything is; not with all of it.
pub(crate) fn nothing_wrong(wrongs: Vec<String>) {
    let first: Vec<&String> = wrongs.iter().take(WRONGS_MAX).collect();
    assert!(
        wrongs.is_empty(),
        "{} are wrong, such as {first:#?}",
        wrongs.len()
    );
}

/// The account that its examples are run with.
pub(crate) fn documented(definition: &Arc<Definition>) -> Account {
    let (definition, elsewhere) = (Arc::clone(definition), ELSEWHERE.to_owned());
    Account::documented(definition, "a-vendor".into(), elsewhere, None)
}

fn definition_of(name: &str, text: &str) -> Arc<Definition> {
    let problems = RefCell::<Problems>::default();
    let definition = Definition::read(&Source::new(format!("{name}.toml"), text), &problems);
    let told = problems.into_inner();
    assert!(!told.has_errors(), "{:?}", told.sorted());
    Arc::new(definition)
}

/// The files of a directory that end so, without that end.
pub(crate) fn names_of(dir: &str, ext: &str) -> BTreeSet<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let entries = fs::read_dir(dir).expect("a directory of the project");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let named = files.filter(|path| path.extension().is_some_and(|e| e == ext));
    named
        .map(|path| {
            path.file_stem()
                .expect("a stem")
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

fn read(file: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(file).expect("a file of the project")
}
