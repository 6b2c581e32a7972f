//! Reads a text as the program does, and as an editor with the schema does.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value as Json;
use trunkline::config::{Surroundings, read_config};
use trunkline::flow::Channel;
use trunkline::problem::{Problem, Problems, Severity, Source};
use trunkline::rules::{Fleet, FleetVendor, Rules};
use trunkline::schema::Language;
use trunkline::time::Moment;
use trunkline::vendor::{Definition, check_examples};

/// The accounts that examples in the reference use.
const ACCOUNTS: [&str; 3] = ["north", "south", "east"];

/// The middle of 2026.
const TODAY: Moment = Moment(1_780_000_000_000);

/// What the program says against a text. Warnings are not.
pub(crate) fn errors(language: Language, text: &str) -> Vec<Problem> {
    let source = Source::new("file.toml", text);
    let problems = RefCell::<Problems>::default();
    match language {
        Language::Rules => {
            Rules::compile(&[source], &fleet(), "here", TODAY, &problems);
        }
        Language::Config => {
            let around = Surroundings {
                dir: Path::new("/nowhere"),
                sandbox: false,
                stand_ins: false,
                env: &|_| Some("from-env".to_owned()),
                file: &|_| Ok("from-file".to_owned()),
            };
            read_config(&source, &around, &problems);
        }
        Language::Vendor => {
            Definition::read(&source, &problems);
        }
    }
    let problems = problems.into_inner();
    let errors = problems.sorted().into_iter().cloned();
    // What has no place, such as that there is no rule, is about no key.
    let errors = errors.filter(|p| p.severity == Severity::Error && p.place.is_some());
    errors.collect()
}

/// What does not hold of a definition's examples.
pub(crate) fn broken_examples(text: &str) -> Vec<Problem> {
    let source = Source::new("north.toml", text);
    let problems = RefCell::<Problems>::default();
    let definition = Definition::read(&source, &problems);
    check_examples(&Arc::new(definition), &problems);
    let problems = problems.into_inner();
    problems.sorted().into_iter().cloned().collect()
}

fn fleet() -> Fleet {
    let vendor = |name: &str| FleetVendor {
        name: name.into(),
        from: None,
        data_region: Some("eu".into()),
        channels: Channel::ALL.to_vec(),
        needs_sender: Vec::new(),
        speaks: None,
        rate: None,
        quota: None,
        stand_in: false,
    };
    Fleet {
        vendors: ACCOUNTS.map(vendor).to_vec(),
        definitions: Vec::new(),
        orgs: vec![("acme".into(), "ACME".into())],
    }
}

pub(crate) fn validator(language: Language) -> Validator {
    let schema = language.schema();
    assert!(jsonschema::draft7::meta::is_valid(&schema));
    jsonschema::draft7::new(&schema).expect("a schema")
}

/// What an editor would say against a text.
pub(crate) fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    let document = json(text);
    let told = validator.iter_errors(&document);
    told.map(|e| format!("{}: {e}", e.instance_path()))
        .collect()
}

pub(crate) fn json(text: &str) -> Json {
    let table: toml::Table = toml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    as_json(toml::Value::Table(table))
}

/// Dates become texts, as TOML editors have it.
fn as_json(value: toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::from(text),
        toml::Value::Integer(number) => Json::from(number),
        toml::Value::Float(number) => Json::from(number),
        toml::Value::Boolean(flag) => Json::from(flag),
        toml::Value::Datetime(date) => Json::from(date.to_string()),
        toml::Value::Array(values) => values.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            let fields = table.into_iter().map(|(key, value)| (key, as_json(value)));
            Json::Object(fields.collect())
        }
    }
}
