//! Times ten thousand rules: what a reload takes beside a bare TOML reader, what finding one takes beside reading a number.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly and prints its result"
)]

use std::cell::RefCell;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use trunkline::flow::{Channel, DeliveryId, Message, Secret};
use trunkline::number::{self, PhoneNumber, all_countries};
use trunkline::problem::{Problems, Source};
use trunkline::rules::{Decision, Fleet, FleetVendor, Rules};
use trunkline::time::Moment;

/// One example of each type in each country, as `number,country,type`.
const EXAMPLES: &str = include_str!("../tests/data/phone-examples.csv");
const RULES: usize = 10_000;
/// Rules stand in so many files.
const FILES: usize = 10;
const COMPILES: u32 = 20;
const ROUNDS: u32 = 2_000;
const VENDORS: [&str; 4] = ["one", "two", "three", "four"];

fn main() {
    number::warm(&all_countries());
    for (title, condition) in [
        (
            "a country and a prefix each",
            by_prefix as fn(usize) -> String,
        ),
        ("a country and an org each", by_org),
        ("a person each", by_user),
    ] {
        measure(title, condition);
    }
}

fn measure(title: &str, condition: fn(usize) -> String) {
    let files = files(condition);
    let bytes: usize = files.iter().map(|f| f.text.len()).sum();
    let reload = ms(|| {
        black_box(compile(&files));
    });
    let bare = ms(|| {
        for file in &files {
            black_box(toml::de::DeTable::parse(&file.text).expect("it is TOML"));
        }
    });
    println!("{RULES} rules, {title}, {} kB", bytes / 1024);
    println!("  reload            {reload:>9.1} ms (target: 100)");
    println!(
        "  bare TOML reader  {bare:>9.1} ms, ratio {:.1}",
        reload / bare
    );
    lookups(&compile(&files));
}

fn lookups(rules: &Rules) {
    let numbers: Vec<&str> = EXAMPLES
        .lines()
        .filter(|line| line.ends_with("mobile"))
        .filter_map(|line| line.split(',').next())
        .collect();
    let messages: Vec<Message> = numbers.iter().map(|to| message(to)).collect();
    let found = ns(&messages, |message| {
        black_box(rules.rule_of(black_box(message)));
    });
    let decided = ns(&messages, |message| {
        black_box(rules.decide(black_box(message), 0));
    });
    let read = ns(&numbers, |to| {
        black_box(PhoneNumber::parse(black_box(to), None).expect("a number"));
    });
    let planned = messages
        .iter()
        .filter(|m| matches!(rules.decide(m, 0), Decision::Plan(_)));
    println!("  finding the rule  {found:>9.0} ns (target: 1000)");
    println!(
        "  the whole plan    {decided:>9.0} ns, for {} of {} numbers",
        planned.count(),
        numbers.len()
    );
    println!(
        "  reading a number  {read:>9.0} ns, ratio to finding {:.1}",
        read / found
    );
}

fn by_prefix(index: usize) -> String {
    format!(
        "country = \"{}\", prefix = \"+{}\"",
        country(index),
        100_000 + index * 83 % 900_000
    )
}

fn by_org(index: usize) -> String {
    format!(
        "country = \"{}\", org = \"org{}\"",
        country(index),
        index / 250
    )
}

fn by_user(index: usize) -> String {
    format!("user = \"00u{index}\"")
}

fn country(index: usize) -> String {
    let all = all_countries();
    all[index % all.len()].to_string()
}

fn files(condition: fn(usize) -> String) -> Vec<Source> {
    let mut texts = vec![String::new(); FILES];
    for index in 0..RULES {
        let text = &mut texts[index * FILES / RULES];
        let chain = index % 100;
        let when = condition(index);
        write!(
            text,
            "[[rule]]\nname = \"rule {index}\"\nwhen = {{ {when}, channel = \"sms\" }}\nchain = \"c{chain}\"\n\n"
        )
        .expect("there is room");
    }
    texts[FILES - 1] +=
        "[[rule]]\nname = \"rest\"\nchain = \"c0\"\n[guard]\nallow_countries = \"*\"\n";
    for chain in 0..100 {
        texts[0] +=
            &format!("[chains.c{chain}]\nvendors = [\"one\", \"two\", \"three\", \"four\"]\n");
    }
    let named = texts.into_iter().enumerate();
    named
        .map(|(index, text)| Source::new(format!("{index}.toml"), text))
        .collect()
}

fn compile(files: &[Source]) -> Rules {
    let vendor = |name: &str| FleetVendor {
        name: name.into(),
        from: Some("+15005550006".into()),
        data_region: None,
        channels: Channel::ALL.to_vec(),
        needs_sender: Vec::new(),
        speaks: None,
        rate: None,
        quota: None,
        stand_in: false,
    };
    let fleet = Fleet {
        vendors: VENDORS.map(vendor).to_vec(),
        ..Fleet::default()
    };
    let problems = RefCell::new(Problems::default());
    let rules = Rules::compile(files, &fleet, "bench", Moment(0), &problems);
    assert!(!problems.borrow().has_errors(), "{problems:?}");
    rules
}

fn message(to: &str) -> Message {
    Message {
        id: DeliveryId::from_bytes([7; 16]),
        org: "org7".into(),
        event: None,
        to: PhoneNumber::parse(to, None),
        channel: Channel::Sms,
        code: Some(Secret::new("123456")),
        text: Some(Secret::new("Your verification code is 123456")),
        locale: "en-us".to_owned(),
        request_type: "mfa-verification".to_owned(),
        user: Some("00u77".to_owned()),
        login: Some("ann@example.com".to_owned()),
        ip: None,
        preview: false,
        resend: false,
        received_at: Moment(0),
        life_ms: 300_000,
    }
}

/// The median of some runs.
fn ms(run: impl Fn()) -> f64 {
    let mut times: Vec<f64> = (0..COMPILES)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The mean over all, after one round that is not counted.
fn ns<T>(all: &[T], run: impl Fn(&T)) -> f64 {
    all.iter().for_each(&run);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        all.iter().for_each(&run);
    }
    let count = f64::from(ROUNDS) * all.len() as f64;
    started.elapsed().as_secs_f64() * 1e9 / count
}
