//! Times our reading of numbers beside the `phonenumber` crate's, over the same mixed countries.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly and prints its result"
)]

use std::hint::black_box;
use std::time::Instant;

use phonenumber::Mode;
use phonenumber::metadata::DATABASE;
use trunkline::number::{self, PhoneNumber};

/// One example of each type in each country, as `number,country,type`.
const EXAMPLES: &str = include_str!("../tests/data/phone-examples.csv");
/// How often all numbers are read by us; once would be over too soon to be timed.
const OUR_ROUNDS: usize = 100;
/// The other crate takes hundreds of times longer.
const OTHER_ROUNDS: usize = 2;

fn main() {
    let mobiles: Vec<&str> = EXAMPLES
        .lines()
        .filter(|line| line.ends_with("mobile"))
        .filter_map(|line| line.split(',').next())
        .collect();
    assert!(mobiles.len() > 200, "{} numbers", mobiles.len());

    number::warm(&number::all_countries());
    let ours = ns_per_number(&mobiles, OUR_ROUNDS, read_by_us);
    let other = ns_per_number(&mobiles, OTHER_ROUNDS, read_by_the_other);
    println!("{} mobile numbers, all countries mixed", mobiles.len());
    println!("trunkline   {ours:>12.0} ns per number");
    println!("phonenumber {other:>12.0} ns per number");
    println!("ratio       {:>12.1}", other / ours);
}

/// The mean after one round that is not counted.
fn ns_per_number(numbers: &[&str], rounds: usize, read: fn(&str)) -> f64 {
    for number in numbers {
        read(number);
    }
    let started = Instant::now();
    for _ in 0..rounds {
        for number in numbers {
            read(number);
        }
    }
    let reads = u32::try_from(rounds * numbers.len()).expect("a small number");
    started.elapsed().as_secs_f64() * 1e9 / f64::from(reads)
}

fn read_by_us(text: &str) {
    let number = PhoneNumber::parse(black_box(text), None).expect("an example is a number");
    black_box((number.e164(), number.country(), number.number_type()));
}

/// The same three answers. It cannot read a few of the numbers, which only makes it faster.
fn read_by_the_other(text: &str) {
    if let Ok(number) = phonenumber::parse(None, black_box(text)) {
        let e164 = number.format().mode(Mode::E164).to_string();
        black_box((e164, number.country().id(), number.number_type(&DATABASE)));
    }
}
