//! Reads every file that the catalog is made of, and tells whether two readings are the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::Texts;
use crate::config::{Config, Surroundings, read_config};
use crate::problem::{Problems, Severity, Source};
use crate::reload::Place;

/// One file, at most; rules are written by people.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Files in one directory, at most.
const FILES_MAX: usize = 1_000;

/// Everything that was read at one time.
pub(super) struct Gathered {
    pub(super) config: Config,
    pub(super) rules: Vec<Source>,
    pub(super) definitions: Vec<Source>,
    pub(super) problems: Problems,
    pub(super) contents: Contents,
}

/// Every file's text, or why it could not be read. Two equal ones mean that nothing has changed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents(BTreeMap<PathBuf, Result<String, io::ErrorKind>>);

impl Contents {
    /// Whether a change of this file, or of this directory's entry, can change what is read.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let read = self
            .0
            .keys()
            .any(|known| known.file_name() == path.file_name());
        read || name.ends_with(".toml") || name.starts_with("..")
    }
}

impl Gathered {
    /// What a catalog is compiled from.
    pub(super) fn texts(&self) -> Texts {
        Texts {
            rules: self.rules.clone(),
            definitions: self.definitions.clone(),
        }
    }

    /// The directories in which something that was read lives.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<PathBuf> = self
            .contents
            .0
            .keys()
            .filter_map(|file| file.parent().map(Path::to_owned))
            .chain([
                self.config.rules_dir.clone(),
                self.config.definitions_dir.clone(),
            ])
            .collect();
        directories.sort();
        directories.dedup();
        directories
    }
}

/// Reads everything once.
pub(super) fn gather(place: &Place) -> Gathered {
    gather_rules(place, None)
}

/// The same, with the rules from another directory, where one is given.
pub(super) fn gather_rules(place: &Place, rules_dir: Option<&Path>) -> Gathered {
    let contents = RefCell::new(BTreeMap::new());
    let read = |path: &Path| {
        let text = read_file(path);
        let kept = match &text {
            Ok(text) => Ok(text.clone()),
            Err(error) => Err(error.kind()),
        };
        contents.borrow_mut().insert(path.to_owned(), kept);
        text
    };
    let problems = RefCell::<Problems>::default();
    let mut config = configuration(place, &read, &problems);
    if let Some(dir) = rules_dir {
        config.rules_dir = dir.to_owned();
    }
    let texts = |dir: &Path| match toml_files(dir) {
        Ok(files) => read_all(&files, &read, &problems),
        Err(error) => {
            let message = format!("cannot read the directory `{}`: {error}", dir.display());
            let mut problems = problems.borrow_mut();
            problems.general(Severity::Error, message, None);
            Vec::new()
        }
    };
    let (rules, definitions) = (texts(&config.rules_dir), texts(&config.definitions_dir));
    if let Some(tls) = &config.hook.tls {
        for file in [&tls.cert, &tls.key] {
            drop(read(file));
        }
    }
    Gathered {
        rules,
        definitions,
        config,
        problems: problems.into_inner(),
        contents: Contents(contents.into_inner()),
    }
}

/// The configuration; the built-in defaults, and a problem, when its file cannot be read.
fn configuration(
    place: &Place,
    read: &dyn Fn(&Path) -> io::Result<String>,
    problems: &RefCell<Problems>,
) -> Config {
    let Some(path) = &place.config else {
        return Config::built_in();
    };
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            let mut problems = problems.borrow_mut();
            problems.general(Severity::Error, message, None);
            return Config::built_in();
        }
    };
    let around = Surroundings {
        dir: path.parent().unwrap_or(Path::new("")),
        sandbox: place.sandbox,
        stand_ins: place.stand_ins,
        env: &crate::config::environment,
        file: read,
    };
    let source = Source::new(path.display().to_string(), text);
    read_config(&source, &around, problems)
}

fn read_all(
    files: &[PathBuf],
    read: &dyn Fn(&Path) -> io::Result<String>,
    problems: &RefCell<Problems>,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let name = name.strip_prefix("./").unwrap_or(&name);
        match read(file) {
            Ok(text) => sources.push(Source::new(name, text)),
            Err(error) => {
                let message = format!("cannot read `{name}`: {error}");
                let mut problems = problems.borrow_mut();
                problems.general(Severity::Error, message, None);
            }
        }
    }
    sources
}

/// The directory's `.toml` files by name; hidden ones, `..data` and editors' backups are not among them.
fn toml_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let wanted = name.ends_with(".toml") && !name.starts_with(['.', '#']);
        if wanted && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.len() > FILES_MAX {
        return Err(io::Error::other(format!("more than {FILES_MAX} files")));
    }
    Ok(files)
}

fn read_file(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "larger than {FILE_BYTES_MAX} bytes"
        )));
    }
    String::from_utf8(std::fs::read(path)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("line {line} is not UTF-8; save the file in that encoding");
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}
