//! Prints comparisons for people.

use crate::simulation::compare::{Column, Comparison, Measures};

/// One row: what is measured, and how it reads.
type Row = (&'static str, fn(&Measures) -> String);

const ROWS: [Row; 12] = [
    ("deliveries", |m| m.deliveries.to_string()),
    ("code within 30 s", |m| percent(m.within_30s)),
    ("accepted before the deadline", |m| percent(m.in_time)),
    ("never delivered", |m| m.undelivered.to_string()),
    ("half have it after", |m| time(m.p50_ms)),
    ("95 of 100 after", |m| time(m.p95_ms)),
    ("99 of 100 after", |m| time(m.p99_ms)),
    ("duplicates", |m| m.duplicates.to_string()),
    ("failovers", |m| m.failovers.to_string()),
    ("vendor calls", |m| m.calls.to_string()),
    ("cost", |m| format!("{:.2}", m.cost)),
    ("cost per delivered code", |m| cost(m.cost_per_delivered)),
];

/// All that was measured in one scenario.
pub fn details(comparison: &Comparison) -> String {
    let mut text = comparison.scenario.clone();
    text.push('\n');
    if let Some(about) = &comparison.about {
        push_line(&mut text, about);
    }
    text.push('\n');
    let columns = &comparison.contenders;
    let mut rows = vec![heading("", columns)];
    for (name, read) in ROWS {
        rows.push(line(name, columns.iter().map(|c| read(&c.total))));
    }
    let refused = columns.iter().map(|c| c.total.refused);
    if refused.clone().any(|refused| refused > 0) {
        rows.push(line(
            "refused by guard or rules",
            refused.map(|r| r.to_string()),
        ));
    }
    text.push_str(&aligned(&rows));
    text.push('\n');
    text.push_str(&aligned(&by_country(columns)));
    text.push('\n');
    text.push_str(&aligned(&by_vendor(columns)));
    text
}

/// One line for each scenario: how many had their code within 30 s, and what that took.
pub fn summary(comparisons: &[Comparison]) -> String {
    let Some(first) = comparisons.first() else {
        return String::new();
    };
    let names = || first.contenders.iter().map(|c| c.name.clone());
    let mut top = vec![String::new(), String::new()];
    let mut head = vec!["scenario".to_owned(), "deliveries".to_owned()];
    let blocks: [Row; 5] = [
        ("code within 30 s", |m| percent(m.within_30s)),
        ("accepted in time", |m| percent(m.in_time)),
        ("never delivered", |m| m.undelivered.to_string()),
        ("duplicates", |m| m.duplicates.to_string()),
        ("cost per code", |m| cost(m.cost_per_delivered)),
    ];
    for (index, (block, _)) in blocks.iter().enumerate() {
        top.push((*block).to_owned());
        top.extend(names().skip(1).map(|_| String::new()));
        head.extend(names());
        if index == 0 {
            top.extend(names().skip(1).map(|_| String::new()));
            head.extend(gains(first.contenders.len()));
        }
    }
    let mut rows = vec![top, head];
    for comparison in comparisons {
        rows.push(summary_line(comparison, &blocks));
    }
    aligned(&rows)
}

fn summary_line(comparison: &Comparison, blocks: &[Row; 5]) -> Vec<String> {
    let columns = &comparison.contenders;
    let baseline = columns.first().map(|c| &c.total);
    let deliveries = baseline.map_or(0, |m| m.deliveries);
    let mut row = vec![comparison.scenario.clone(), deliveries.to_string()];
    for (index, (_, read)) in blocks.iter().enumerate() {
        row.extend(columns.iter().map(|c| read(&c.total)));
        if index == 0 {
            let before = baseline.map_or(0.0, |m| m.within_30s);
            let gain = |c: &Column| points(c.total.within_30s - before);
            row.extend(columns.iter().skip(1).map(gain));
        }
    }
    row
}

/// The headings of the differences to the first column.
fn gains(columns: usize) -> Vec<String> {
    match columns {
        0 | 1 => Vec::new(),
        2 => vec!["gain".to_owned()],
        _ => (1..columns).map(|n| format!("gain {n}")).collect(),
    }
}

fn by_country(columns: &[Column]) -> Vec<Vec<String>> {
    let mut rows = vec![heading("code within 30 s", columns)];
    let Some(first) = columns.first() else {
        return rows;
    };
    for (index, slice) in first.countries.iter().enumerate() {
        let of = |c: &Column| {
            let slice = c.countries.get(index);
            slice.map_or(String::new(), |s| percent(s.measures.within_30s))
        };
        rows.push(line(slice.country.as_str(), columns.iter().map(of)));
    }
    rows
}

fn by_vendor(columns: &[Column]) -> Vec<Vec<String>> {
    let mut rows = vec![heading("calls > accepted > arrived, left", columns)];
    let mut names: Vec<&String> = columns
        .iter()
        .flat_map(|c| c.vendors.iter().map(|v| &v.vendor))
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        let of = |c: &Column| {
            let vendor = c.vendors.iter().find(|v| v.vendor == *name);
            vendor.map_or_else(
                || "-".to_owned(),
                |v| format!("{} > {} > {}, {}", v.calls, v.accepted, v.arrived, v.left),
            )
        };
        rows.push(line(name, columns.iter().map(of)));
    }
    rows
}

fn heading(what: &str, columns: &[Column]) -> Vec<String> {
    line(what, columns.iter().map(|c| c.name.clone()))
}

fn line(name: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(cells).collect()
}

/// The first column to the left, all others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<String> = cells
            .map(|(index, (cell, width))| match index {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        push_line(&mut text, cells.join("  ").trim_end());
    }
    text
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// `99.93%`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

fn points(difference: f64) -> String {
    format!("{:+.2}", difference * 100.0)
}

/// `4.2 s`, or `never`.
pub(super) fn time(ms: Option<i64>) -> String {
    ms.map_or_else(
        || "never".to_owned(),
        |ms| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    )
}

pub(super) fn cost(cost: Option<f64>) -> String {
    cost.map_or_else(|| "-".to_owned(), |cost| format!("{cost:.4}"))
}
