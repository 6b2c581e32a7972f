//! Numbers against the published numbering plans, and against the parser that we do not use.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use phonenumber::Mode;
use phonenumber::metadata::DATABASE;
use trunkline::number::PhoneNumber;

/// One example of each type in each country, as `number,country,type`.
const EXAMPLES: &str = include_str!("data/phone-examples.csv");
/// Every area code below +1, as `area_code,country`.
const AREA_CODES: &str = include_str!("data/nanp-area-codes.csv");

/// A row of `EXAMPLES`.
struct Example {
    number: &'static str,
    country: &'static str,
    number_type: &'static str,
}

fn examples() -> Vec<Example> {
    rows(EXAMPLES)
        .map(|[number, country, number_type]| Example {
            number,
            country,
            number_type,
        })
        .collect()
}

fn rows<const N: usize>(csv: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    csv.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        cells.try_into().expect("as many cells as in the head")
    })
}

fn parse(number: &str) -> PhoneNumber {
    PhoneNumber::parse(number, None).unwrap_or_else(|problem| panic!("{number}: {problem:?}"))
}

#[test]
fn every_example_is_dialled_digit_by_digit() {
    for Example { number, .. } in examples() {
        assert_eq!(parse(number).e164(), number);
    }
}

#[test]
fn every_example_has_the_published_country_and_type() {
    let examples = examples();
    assert!(examples.len() > 1000);
    for example in examples {
        let number = parse(example.number);
        let found = (number.country(), number.number_type());
        assert_eq!(
            (found.0.as_str(), found.1.as_str()),
            (example.country, example.number_type),
            "{}",
            example.number
        );
    }
}

/// In the countries listed the calling code begins some national numbers too, so that the digits
/// alone are rightly read as a longer national number. Everywhere else nothing may differ.
#[test]
fn an_example_without_its_plus_is_the_same_in_its_own_country() {
    let mut differing = BTreeSet::new();
    for example in examples().iter().filter(|e| e.country != "ZZ") {
        let number = parse(example.number);
        let bare = PhoneNumber::parse(number.digits(), Some(number.country()));
        if bare.as_ref() != Ok(&number) {
            differing.insert(example.country);
        }
    }
    let known = BTreeSet::from(["BR", "DE", "ID", "NL", "SE", "VN", "XK"]);
    assert_eq!(differing, known);
}

#[test]
fn every_area_code_below_plus_one_has_its_country() {
    let mut countries = BTreeSet::new();
    for [area_code, country] in rows(AREA_CODES) {
        let number = parse(&format!("+1{area_code}2345678"));
        assert_eq!(number.country().as_str(), country, "{area_code}");
        assert_eq!(&number.digits()[1..4], area_code);
        countries.insert(country);
    }
    assert_eq!(countries.len(), 25);
}

/// Why `phonenumber` stands among the development dependencies only: what it would dial for these
/// countries is another person's number, and it cannot say what these numbers are.
#[test]
fn the_other_parser_loses_digits_and_types() {
    let mut digits_lost = BTreeSet::new();
    let mut types_lost = BTreeSet::new();
    for example in examples() {
        let Ok(other) = phonenumber::parse(None, example.number) else {
            continue;
        };
        if other.format().mode(Mode::E164).to_string() != example.number {
            digits_lost.insert(example.country);
        }
        if other.number_type(&DATABASE) == phonenumber::Type::Unknown {
            types_lost.insert(example.country);
        }
    }
    for country in ["BY", "LT", "RU"] {
        assert!(digits_lost.contains(country), "digits: {digits_lost:?}");
    }
    for country in ["BJ", "CI", "IT", "SM"] {
        assert!(types_lost.contains(country), "types: {types_lost:?}");
    }
}
