//! What operators are told about files with mistakes in them, word for word.
//!
//! A case is a file in `tests/golden/{rules,config,vendors}`, or a directory of files that are read as one rule
//! set, or as a configuration and further definitions; beside it stands what `trunkline check` prints, and for some the same as JSON.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "one variable renews the goldens")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trunkline::catalog::{Catalog, Texts};
use trunkline::config::{Surroundings, read_config};
use trunkline::flow::Channel;
use trunkline::problem::{Problem, Problems, Source};
use trunkline::reload::{Place, Vendors, load};
use trunkline::rules::{Fleet, FleetVendor, Rules};
use trunkline::time::{Moment, Rate};
use trunkline::vendor::{Definition, check_examples};

/// Set to anything, it writes what is told now.
const RENEW: &str = "TRUNKLINE_RENEW_GOLDEN";
/// The day on which all this is read.
const NOW: &str = "2026-06-15T12:00:00Z";
/// Cases whose JSON is kept too.
const IN_JSON: [&str; 3] = [
    "rules/many-mistakes",
    "config/many-mistakes",
    "vendors/unknown-credential",
];

/// Three accounts of which one cannot call, and a definition without an account.
fn fleet() -> Fleet {
    let vendor = |name: &str, data_region: Option<&str>, channels: &[Channel]| FleetVendor {
        name: name.into(),
        from: Some("+15005550006".into()),
        data_region: data_region.map(Into::into),
        channels: channels.to_vec(),
        needs_sender: Vec::new(),
        speaks: None,
        rate: Rate::parse("100/s"),
        quota: None,
        stand_in: false,
    };
    Fleet {
        vendors: vec![
            vendor("twilio", Some("us"), &Channel::ALL),
            vendor("vonage", Some("eu"), &Channel::ALL),
            vendor("telnyx", None, &[Channel::Sms]),
        ],
        definitions: ["infobip", "telnyx", "twilio", "vonage"]
            .map(str::to_owned)
            .to_vec(),
        orgs: vec![
            ("acme".into(), "ACME".into()),
            ("globex".into(), "Globex".into()),
        ],
    }
}

fn now() -> Moment {
    Moment::from_rfc3339(NOW).expect("a time")
}

fn told_of_rules(files: &[Source]) -> Problems {
    let problems = RefCell::default();
    Rules::compile(files, &fleet(), "eu-west", now(), &problems);
    problems.into_inner()
}

/// The configuration with the shipped definitions and those that stand beside it, and rules that use all of them.
fn told_of_config(files: &[Source]) -> Problems {
    let problems = RefCell::default();
    let around = Surroundings {
        dir: Path::new("."),
        sandbox: false,
        stand_ins: false,
        env: &|name| (name != "OKTA_HOOK_SECRE").then(|| "secret".to_owned()),
        file: &|_| Err(io::ErrorKind::NotFound.into()),
    };
    let config = read_config(&files[0], &around, &problems);
    let mut definitions = sources(&root().join("vendors"));
    definitions.extend(files[1..].iter().cloned());
    let is_defined = |name: &str| {
        definitions
            .iter()
            .any(|d| *d.name == *format!("{name}.toml"))
    };
    let vendors = config.vendors.iter();
    let all: Vec<String> = vendors
        .filter(|v| is_defined(&v.definition.value))
        .map(|v| format!("\"{}\"", v.name.value))
        .collect();
    let chain = format!(
        "[chains.all]\nvendors = [{}]\n[[rule]]\nname = \"all\"\nwhen = {{ country = \"SG\", channel = \"sms\" }}\nchain = \"all\"\n",
        all.join(", ")
    );
    let rules = match all.is_empty() {
        true => "[[rule]]\nname = \"nobody\"\ndeny = \"nothing\"\n".to_owned(),
        false => chain,
    };
    let texts = Texts {
        rules: vec![Source::new("routing-rules/all.toml", rules)],
        definitions,
    };
    Catalog::compile(config, &texts, None, now(), &problems);
    problems.into_inner()
}

fn told_of_vendor(files: &[Source]) -> Problems {
    let problems = RefCell::default();
    let definition = Arc::new(Definition::read(&files[0], &problems));
    check_examples(&definition, &problems);
    problems.into_inner()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory of the project");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// The TOML files of a case, named as an operator would see them.
fn sources(case: &Path) -> Vec<Source> {
    let files = match case.is_dir() {
        true => entries(case),
        false => vec![case.to_owned()],
    };
    let files = files.iter().filter(|f| is_toml(f));
    files
        .map(|file| {
            let name = file.file_name().expect("a name").to_string_lossy();
            Source::new(&*name, fs::read_to_string(file).expect("a text"))
        })
        .collect()
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "toml")
}

/// Holds every case below a directory against its goldens; gives how many there are.
fn check(kind: &str, told: fn(&[Source]) -> Problems) -> usize {
    let dir = root().join("tests/golden").join(kind);
    let mut wanted = BTreeSet::new();
    let mut differing = Vec::new();
    let cases: Vec<PathBuf> = entries(&dir)
        .into_iter()
        .filter(|path| path.is_dir() || is_toml(path))
        .collect();
    for case in &cases {
        let stem = case.file_stem().expect("a stem").to_string_lossy();
        let problems = told(&sources(case));
        let mut goldens = vec![(format!("{stem}.txt"), problems.page(false))];
        if IN_JSON.contains(&&*format!("{kind}/{stem}")) {
            goldens.push((format!("{stem}.json"), json(&problems)));
        }
        for (name, text) in goldens {
            let path = dir.join(name);
            if std::env::var_os(RENEW).is_some() {
                fs::write(&path, &text).expect("a golden is written");
            }
            let golden = fs::read_to_string(&path).unwrap_or_default();
            if golden != text || text.is_empty() {
                differing.push(format!("{}\n{text}\ninstead of\n{golden}", path.display()));
            }
            wanted.insert(path);
        }
    }
    let files = entries(&dir).into_iter().filter(|p| !p.is_dir());
    let stray: Vec<PathBuf> = files
        .filter(|p| !is_toml(p) && !wanted.contains(p))
        .collect();
    assert_eq!(stray, Vec::<PathBuf>::new(), "no case has these goldens");
    assert!(
        differing.is_empty(),
        "{} goldens differ; {RENEW}=1 cargo test --test diagnostics writes them anew\n\n{}",
        differing.len(),
        differing.join("\n")
    );
    cases.len()
}

fn json(problems: &Problems) -> String {
    let told: Vec<_> = problems
        .sorted()
        .into_iter()
        .map(Problem::to_json)
        .collect();
    serde_json::to_string_pretty(&told).expect("JSON") + "\n"
}

#[test]
fn mistakes_in_rules_are_told_with_their_places_and_hints() {
    assert!(check("rules", told_of_rules) >= 75);
}

#[test]
fn mistakes_in_the_configuration_are_told_with_their_places_and_hints() {
    assert!(check("config", told_of_config) >= 12);
}

#[test]
fn mistakes_in_vendor_definitions_are_told_with_their_places_and_hints() {
    assert!(check("vendors", told_of_vendor) >= 12);
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_line() {
    let dir = std::env::temp_dir().join(format!("trunkline-encoding-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a directory");
    let vendors = root().join("vendors");
    let config = format!("[rules]\ndir = \".\"\nvendor_definitions = {vendors:?}\n");
    let place = Place {
        config: Some(dir.join("trunkline.toml")),
        sandbox: true,
        stand_ins: false,
    };
    fs::write(dir.join("trunkline.toml"), config).expect("a file");
    // `é` as Latin-1 has it.
    fs::write(dir.join("20-rules.toml"), b"# Rules\n# of Ren\xe9\n").expect("a file");
    let (loaded, problems) = load(&place, &Vendors::Examples, now());
    fs::remove_dir_all(&dir).expect("a directory that is there");
    assert!(loaded.is_none());
    let told = problems.page(false);
    assert!(
        told.contains("line 2 is not UTF-8; save the file"),
        "{told}"
    );
}
