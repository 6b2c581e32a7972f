//! Times whole simulated deliveries on one core, beside the rules' part of them.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly and prints its result"
)]

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Instant;

use trunkline::catalog::Catalog;
use trunkline::flow::{Channel, DeliveryId, Message, Secret};
use trunkline::number::{Country, example_mobile};
use trunkline::problem::Source;
use trunkline::reload::{Place, Vendors, load};
use trunkline::simulation::{Contender, Options, Scenario, compare};
use trunkline::time::{Clock, Moment};

/// Every vendor is well.
const HEALTHY: &str = r#"
name = "all is well"
lasts = "10m"

[[traffic]]
country = ["US", "SG", "GB", "BR", "IN", "DE"]
rate = "100/s"
"#;
/// The median of so many rounds.
const ROUNDS: usize = 5;
const DECISIONS: u64 = 300_000;

fn main() {
    let place = Place {
        config: None,
        sandbox: true,
        stand_ins: false,
    };
    let (loaded, _) = load(&place, &Vendors::Examples, Clock::start().now());
    let catalog = loaded.expect("the shipped rules").catalog;
    let whole = median(|| deliveries_per_s(&catalog, HEALTHY));
    let rules = median(|| decisions_per_s(&catalog));
    println!("deliveries {whole:>12.0} a second, simulated from begin to end");
    println!("decisions  {rules:>12.0} a second, rules alone");
    println!("ratio      {:>12.2}", rules / whole);
}

fn median(mut measure: impl FnMut() -> f64) -> f64 {
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| measure()).collect();
    rates.sort_by(f64::total_cmp);
    rates[ROUNDS / 2]
}

fn deliveries_per_s(catalog: &Catalog, text: &str) -> f64 {
    let problems = RefCell::default();
    let scenario = Scenario::read(&Source::new("bench", text), &[], &problems);
    assert!(!problems.borrow().has_errors(), "{problems:?}");
    let contender = Contender {
        name: "rules",
        catalog,
        one_vendor: false,
    };
    let options = Options {
        seed: None,
        begins_at: Moment(0),
    };
    let started = Instant::now();
    let compared = compare(&scenario, &[contender], options);
    let took = started.elapsed().as_secs_f64();
    let total = &compared.contenders[0].total;
    assert!(total.within_30s > 0.9, "{total:?}");
    total.deliveries as f64 / took
}

fn decisions_per_s(catalog: &Catalog) -> f64 {
    let to = Country::parse("DE").and_then(example_mobile);
    let mut message = Message {
        id: DeliveryId::from_bytes([0; 16]),
        org: "".into(),
        event: None,
        to: Ok(to.expect("a number")),
        channel: Channel::Sms,
        code: Some(Secret::new("123456")),
        text: Some(Secret::new("Your verification code is 123456.")),
        locale: String::new(),
        request_type: String::new(),
        user: None,
        login: None,
        ip: None,
        preview: false,
        resend: false,
        received_at: Moment(0),
        life_ms: 300_000,
    };
    let started = Instant::now();
    for number in 0..DECISIONS {
        message.id = DeliveryId::from_bytes(u128::from(number).to_be_bytes());
        black_box(catalog.rules.decide(black_box(&message), number));
    }
    DECISIONS as f64 / started.elapsed().as_secs_f64()
}
