//! The files that come with the program, and the examples of the reference pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trunkline::problem::Problem;
use trunkline::schema::{Kind, Language, Table};

use crate::reading::{broken_examples, complaints, errors, validator};

/// Where each language's schema and reference are, and the files that are written in it.
fn places(language: Language) -> (&'static str, &'static str, Vec<String>) {
    match language {
        Language::Rules => (
            "routing-rules/rules.schema.json",
            "routing-rules/README.md",
            toml_files("routing-rules"),
        ),
        Language::Config => (
            "deploy/trunkline.schema.json",
            "deploy/CONFIGURATION.md",
            vec!["deploy/trunkline.toml".to_owned()],
        ),
        Language::Vendor => (
            "vendors/vendor.schema.json",
            "vendors/REFERENCE.md",
            toml_files("vendors"),
        ),
    }
}

fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(project(file)).unwrap_or_default()
}

fn toml_files(dir: &str) -> Vec<String> {
    let entries = fs::read_dir(project(dir)).expect("a directory of the project");
    let names = entries.map(|e| {
        e.expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    let files: Vec<String> = names
        .filter(|n| n.ends_with(".toml"))
        .map(|n| format!("{dir}/{n}"))
        .collect();
    assert!(!files.is_empty(), "no files in {dir}");
    files
}

/// The TOML in a Markdown text.
fn blocks(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("```toml\n").skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}

fn all_tables(table: &Table, found: &mut Vec<Table>) {
    if found.iter().any(|known| known.id == table.id) {
        return;
    }
    found.push(table.clone());
    let kinds = table.keys.iter().map(|key| &key.kind);
    let others = table.others.iter().map(|(_, kind)| &**kind);
    for inner in kinds.chain(others).flat_map(Kind::tables) {
        all_tables(inner, found);
    }
}

fn tables(language: Language) -> Vec<Table> {
    let mut found = Vec::new();
    all_tables(&language.root(), &mut found);
    found
}

/// All pieces of the reference as one file.
fn example(language: Language) -> String {
    tables(language).iter().map(|table| table.example).collect()
}

#[test]
fn the_shipped_schemas_and_references_are_up_to_date() {
    for language in Language::ALL {
        let (schema, reference, _) = places(language);
        let command = format!("cargo run -- schema {}", language.as_str());
        let made = format!("{:#}\n", language.schema());
        assert!(read(schema) == made, "`{command} > {schema}` makes it anew");
        let made = language.reference();
        assert!(
            read(reference) == made,
            "`{command} --format markdown > {reference}` makes it anew"
        );
    }
}

#[test]
fn the_command_prints_both() {
    for (format, beginning) in [("json", "{\n"), ("markdown", "# Routing rules\n")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        let output = command
            .args(["schema", "rules", "--format", format])
            .output()
            .expect("the binary starts");
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(beginning));
    }
}

#[test]
fn every_shipped_file_fits_the_schema_that_its_first_line_names() {
    for language in Language::ALL {
        let validator = validator(language);
        let (schema, _, files) = places(language);
        let schema = schema.rsplit('/').next().expect("a name");
        for file in files {
            let text = read(&file);
            let first = text.lines().next();
            assert_eq!(first, Some(&*format!("#:schema ./{schema}")), "{file}");
            assert_eq!(
                complaints(&validator, &text),
                Vec::<String>::new(),
                "{file}"
            );
        }
    }
}

#[test]
fn the_configuration_in_the_readme_fits_the_schema() {
    let readme = read("README.md");
    let blocks = blocks(&readme);
    assert!(!blocks.is_empty());
    for block in blocks {
        assert_eq!(
            complaints(&validator(Language::Config), block),
            Vec::<String>::new(),
            "{block}"
        );
    }
}

#[test]
fn the_definition_that_the_vendors_readme_teaches_fits_the_schema() {
    let readme = read("vendors/README.md");
    let taught = blocks(&readme).concat();
    assert_eq!(
        complaints(&validator(Language::Vendor), &taught),
        Vec::<String>::new()
    );
}

#[test]
fn the_examples_of_each_reference_are_one_file_that_is_right() {
    for language in Language::ALL {
        let example = example(language);
        let complaints = complaints(&validator(language), &example);
        assert_eq!(complaints, Vec::<String>::new(), "{example}");
        let told: Vec<String> = errors(language, &example)
            .iter()
            .map(Problem::to_string)
            .collect();
        assert_eq!(told, Vec::<String>::new(), "{example}");
    }
    let told = broken_examples(&example(Language::Vendor));
    let told: Vec<String> = told.iter().map(Problem::to_string).collect();
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn every_link_of_a_reference_leads_to_one_of_its_sections() {
    for language in Language::ALL {
        let page = language.reference();
        let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        let anchors: Vec<String> = headings.map(anchor).collect();
        for anchor in &anchors {
            assert_eq!(
                anchors.iter().filter(|a| *a == anchor).count(),
                1,
                "two sections `{anchor}`"
            );
        }
        for link in page.split("](#").skip(1) {
            let link = link.split(')').next().expect("its end");
            assert!(anchors.iter().any(|a| a == link), "no section `{link}`");
        }
    }
}

/// As Markdown readers name a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn tables_of_one_name_are_the_same_table() {
    for language in Language::ALL {
        let mut all = vec![language.root()];
        let mut at = 0;
        while let Some(table) = all.get(at).cloned() {
            let kinds = table.keys.iter().map(|key| &key.kind);
            let others = table.others.iter().map(|(_, kind)| &**kind);
            let inner: Vec<Table> = kinds
                .chain(others)
                .flat_map(Kind::tables)
                .cloned()
                .collect();
            all.extend(inner);
            at += 1;
        }
        for table in &all {
            assert!(
                all.iter().all(|t| t.id != table.id || t == table),
                "{}",
                table.id
            );
        }
    }
}
