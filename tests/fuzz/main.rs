//! Throws broken and odd texts at everything that reads what others write.
//!
//! Every run throws the same ones. `TRUNKLINE_FUZZ_SEED` is another start and `TRUNKLINE_FUZZ_ROUNDS` so many times
//! as many, for a long run: `TRUNKLINE_FUZZ_SEED=7 TRUNKLINE_FUZZ_ROUNDS=50 cargo test --release --test fuzz`.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

mod calls;
mod chance;
mod configs;
mod rules;
mod soup;
mod strings;
mod vendors;

use std::panic::{AssertUnwindSafe, catch_unwind};

use trunkline::problem::Problems;

use chance::Chance;

/// Attempts at finding a smaller text that fails too.
const SMALLER_MAX: usize = 300;

/// Holds a property against texts that are made by chance, and prints the first one, made smaller, against which
/// it fails.
fn throw(what: &str, rounds: u64, make: impl Fn(&mut Chance) -> String, property: impl Fn(&str)) {
    let number = |name: &str| variable(name)?.parse().ok();
    let seed: u64 = number("TRUNKLINE_FUZZ_SEED").unwrap_or(1);
    let longer: u64 = number("TRUNKLINE_FUZZ_ROUNDS").unwrap_or(1);
    let faster = if cfg!(debug_assertions) { 1 } else { 10 };
    for round in 0..rounds * longer * faster {
        let text = make(&mut Chance::new(what, seed, round));
        let fails = |text: &str| catch_unwind(AssertUnwindSafe(|| property(text))).is_err();
        if fails(&text) {
            let smaller = smaller(text, fails);
            panic!("{what}: seed {seed}, round {round} fails with\n{smaller}\n{smaller:?}");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a long run is asked for by variables"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The text without as many of its lines as can be missed.
fn smaller(mut text: String, fails: impl Fn(&str) -> bool) -> String {
    let mut tried = 0;
    let mut size = text.lines().count() / 2;
    while size > 0 && tried < SMALLER_MAX {
        let mut at = 0;
        while at < text.lines().count() && tried < SMALLER_MAX {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let end = (at + size).min(lines.len());
            let less = [&lines[..at], &lines[end..]].concat().concat();
            tried += 1;
            match fails(&less) {
                true => text = less,
                false => at += size,
            }
        }
        size /= 2;
    }
    text
}

/// Problems stand inside their files, between characters, and can be shown.
fn are_shown(problems: &Problems) {
    for problem in problems.sorted() {
        if let Some((source, span)) = &problem.place {
            assert!(span.start <= span.end, "{problem}: {span:?}");
            assert!(
                source.text.get(span.clone()).is_some(),
                "{problem}: {span:?}"
            );
        }
        assert!(!problem.message.is_empty());
        assert!(problem.to_json().is_object());
        assert!(!problem.to_string().is_empty());
    }
    let (plain, coloured) = (problems.page(false), problems.page(true));
    assert_eq!(plain.is_empty(), coloured.is_empty());
}
