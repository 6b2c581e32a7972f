//! The table of vendors in the definitions' README is what the program prints.

#![expect(clippy::disallowed_methods, reason = "one variable renews the table")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Set to anything, it writes what is printed now.
const RENEW: &str = "TRUNKLINE_RENEW_GOLDEN";
/// So many vendors are shipped, at least.
const SHIPPED_MIN: usize = 21;
const BEGINS: &str = "<!-- trunkline vendors list --format markdown -->\n";
const ENDS: &str = "<!-- end of the table -->\n";

#[test]
fn the_table_of_vendors_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_trunkline"))
        .args(["vendors", "list", "--format", "markdown"])
        .current_dir(root)
        .output()
        .expect("the binary starts");
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).expect("text");
    let file = root.join("vendors/README.md");
    let readme = fs::read_to_string(&file).expect("the README");
    let (before, rest) = readme.split_once(BEGINS).expect("where the table begins");
    let (table, after) = rest.split_once(ENDS).expect("where the table ends");
    if std::env::var(RENEW).is_ok() {
        let renewed = format!("{before}{BEGINS}{printed}{ENDS}{after}");
        fs::write(&file, renewed).expect("the README renewed");
        return;
    }
    // A definition of one's own need not stand in it.
    let missing: Vec<&str> = table.lines().filter(|row| !printed.contains(row)).collect();
    assert!(
        missing.is_empty() && table.lines().count() > SHIPPED_MIN,
        "`{RENEW}=1 cargo test --test schema table` makes it anew; these rows are others now: {missing:#?}"
    );
}
