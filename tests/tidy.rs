//! The house rules that no compiler knows: first lines, file sizes, names, and rooms that must not know things.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

/// Files are read in one sitting.
const LINES_MAX: usize = 500;
/// Rooms that decide: no async, no I/O, no clock, no log.
const PURE: [&str; 15] = [
    "flow",
    "number",
    "problem",
    "okta",
    "vendor",
    "rules",
    "guard",
    "health",
    "delivery",
    "catalog",
    "text",
    "explain",
    "fitness",
    "simulation",
    "schema",
];
/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] = [
    "utils", "helpers", "common", "manager", "service", "types", "models",
];

fn rust_files(dir: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).expect("a directory of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no Rust files below {dir}");
    found
}

fn all_files() -> Vec<(PathBuf, String)> {
    [rust_files("src"), rust_files("tests")].concat()
}

/// The room a file of `src/` belongs to.
fn room(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let below = path.strip_prefix(src).expect("below src");
    let first = below.components().next().expect("a name");
    let name = first.as_os_str().to_string_lossy();
    name.trim_end_matches(".rs").to_owned()
}

#[test]
fn every_file_begins_with_one_sentence_about_itself() {
    for (path, text) in all_files() {
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    for (path, text) in all_files() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines", path.display());
    }
}

#[test]
fn no_file_has_an_empty_name() {
    for (path, _) in all_files() {
        let stem = path.file_stem().expect("a stem").to_string_lossy();
        assert!(!EMPTY_NAMES.contains(&&*stem), "{}", path.display());
    }
}

#[test]
fn rooms_that_decide_do_nothing_else() {
    let forbidden = [
        "async fn",
        "tokio::",
        "reqwest",
        "std::fs",
        "std::net",
        "tracing::",
        "Clock::start",
        "Instant",
    ];
    for (path, text) in rust_files("src") {
        let is_test = path.iter().any(|p| p == "tests" || p == "tests.rs");
        if is_test || !PURE.contains(&&*room(&path)) {
            continue;
        }
        for word in forbidden {
            assert!(!text.contains(word), "{} has `{word}`", path.display());
        }
    }
}

#[test]
fn no_vendor_is_known_by_name() {
    let vendors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vendors");
    let names: Vec<String> = fs::read_dir(vendors)
        .map(|entries| {
            entries
                .map(|e| e.expect("an entry").path())
                .filter(|p| p.extension().is_some_and(|e| e == "toml"))
                .map(|p| {
                    p.file_stem()
                        .expect("a stem")
                        .to_string_lossy()
                        .into_owned()
                })
                .filter(|name| !["sink", "okta-hook", "generic"].contains(&&**name))
                .collect()
        })
        .unwrap_or_default();
    for (path, text) in rust_files("src") {
        if path.iter().any(|p| p == "tests" || p == "tests.rs") {
            continue;
        }
        for name in &names {
            let text = text.to_lowercase();
            assert!(!text.contains(&**name), "{} knows `{name}`", path.display());
        }
    }
}
