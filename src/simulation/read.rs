//! Reads a scenario file: every mistake in it is told, with its place.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{At, Table, Value, read_document};
use crate::flow::{Channel, Reason};
use crate::number::{Country, PhoneNumber, example_mobile, is_known_country};
use crate::problem::{Problems, Source, did_you_mean};
use crate::simulation::conduct::{Failure, Receipts, Said};
use crate::simulation::scenario::{Change, Price, Scenario, Traffic};
use crate::simulation::spread::Spread;
use crate::time::Rate;

/// The vendor that all others are like, where nothing else is said of them.
pub(super) const EVERYONE: &str = "*";
/// What prices are called that hold in all other countries.
const ELSEWHERE: &str = "*";

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A scenario lasts no longer than this, in milliseconds.
const LASTS_MS_MAX: i64 = 7 * DAY_MS;
/// How long a passcode lives where nothing is said.
const LIFE_MS: i64 = 5 * MINUTE_MS;
/// The longest life of a passcode.
const LIFE_MS_MAX: i64 = 15 * MINUTE_MS;
/// Okta waits no longer than this.
const DEADLINE_MS_MAX: i64 = 3_000;
/// The dearest message.
const PRICE_MAX: f64 = 1_000_000.0;
/// More messages than this in one file are a slip of the pen.
const MESSAGES_MAX: f64 = 50_000_000.0;

const CHANNELS: [(&str, Channel); 2] = [("sms", Channel::Sms), ("voice", Channel::Voice)];

pub(super) fn read(source: &Source, accounts: &[&str], problems: &RefCell<Problems>) -> Scenario {
    read_document(source, problems, |root| scenario(root, accounts))
}

fn scenario(root: &Table<'_>, accounts: &[&str]) -> Scenario {
    let text = |key| root.read(key, Value::string).map(|at| at.value);
    let lasts_ms = root.require("lasts", |v| v.duration_ms(1_000, LASTS_MS_MAX));
    let lasts_ms = lasts_ms.unwrap_or(LASTS_MS_MAX);
    let name = root.require("name", Value::string);
    let mut scenario = Scenario {
        name: name.map(|at| at.value).unwrap_or_default(),
        about: text("about"),
        source: text("source"),
        starts: text("starts"),
        lasts_ms,
        seed: root.read("seed", seed).unwrap_or(1),
        deadline_ms: root.read("deadline", |v| v.duration_ms(100, DEADLINE_MS_MAX)),
        life_ms: root
            .read("life", |v| v.duration_ms(MINUTE_MS, LIFE_MS_MAX))
            .unwrap_or(LIFE_MS),
        traffic: Vec::new(),
        everyone: Said::default(),
        vendors: BTreeMap::new(),
        prices: BTreeMap::new(),
        changes: Vec::new(),
    };
    for table in root.tables("traffic") {
        scenario.traffic.extend(traffic(&table, lasts_ms));
    }
    if let Some(vendors) = root.read("vendors", Value::table) {
        read_vendors(&vendors, accounts, &mut scenario);
    }
    for table in root.tables("change") {
        scenario.changes.push(change(&table, accounts, lasts_ms));
    }
    root.finish();
    check_traffic(root, &scenario);
    scenario
}

/// The traffic is there, and not too much of it.
#[expect(clippy::cast_precision_loss, reason = "a scenario lasts some days")]
fn check_traffic(root: &Table<'_>, scenario: &Scenario) {
    if root.get("traffic").is_none() {
        let hint = "[[traffic]]\ncountry = \"US\"\nrate = \"10/s\"".to_owned();
        root.error(root.span.clone(), "nobody is written to", Some(hint));
    }
    let of = |t: &Traffic| (t.to_ms - t.from_ms) as f64 / t.every_ms;
    let messages: f64 = scenario.traffic.iter().map(of).sum();
    if messages > MESSAGES_MAX {
        let message = format!("{messages:.0} messages are more than {MESSAGES_MAX:.0}");
        root.error(root.span.clone(), message, None);
    }
}

fn seed(value: Value<'_>) -> Option<u64> {
    value.whole(0, i64::MAX).map(i64::unsigned_abs)
}

/// One stream of messages for each of its countries.
fn traffic(table: &Table<'_>, lasts_ms: i64) -> Vec<Traffic> {
    let text = |key| table.read(key, Value::string).map(|at| at.value);
    let written = table.get("number");
    let to = written.and_then(number);
    let countries = match (written, table.get("country")) {
        (None, None) => table.require("country", countries),
        (_, country) => country.and_then(countries),
    };
    let channel = table.read("channel", |v| v.one_of(&CHANNELS));
    let every_ms = table.require("rate", rate);
    let (from_ms, to_ms) = stretch(table, lasts_ms);
    let (org, locale, request_type) = (text("org"), text("locale"), text("request_type"));
    table.finish();
    let numbers = match to {
        Some(to) => vec![to],
        None => examples(table, countries.unwrap_or_default()),
    };
    let Some(every_ms) = every_ms else {
        return Vec::new();
    };
    let org: Arc<str> = org.unwrap_or_default().into();
    let to_one = |to| Traffic {
        to,
        channel: channel.unwrap_or_default(),
        every_ms,
        from_ms,
        to_ms,
        org: Arc::clone(&org),
        locale: locale.clone().unwrap_or_default(),
        request_type: request_type.clone().unwrap_or_default(),
    };
    numbers.into_iter().map(to_one).collect()
}

/// One mobile number in each country.
fn examples(table: &Table<'_>, countries: Vec<At<Country>>) -> Vec<PhoneNumber> {
    let example = |country: At<Country>| {
        let example = example_mobile(country.value);
        if example.is_none() {
            let message = format!("no mobile number of {} is known", country.value);
            let hint = "`number = \"+..\"` says which number is written to".to_owned();
            table.error(country.span, message, Some(hint));
        }
        example
    };
    countries.into_iter().filter_map(example).collect()
}

fn number(value: Value<'_>) -> Option<PhoneNumber> {
    let text = value.string()?.value;
    match PhoneNumber::parse(&text, None) {
        Ok(number) => Some(number),
        Err(_) => value.wrong(
            "this is no phone number",
            Some("`+`, the country's calling code and the number".to_owned()),
        ),
    }
}

fn countries(value: Value<'_>) -> Option<Vec<At<Country>>> {
    let country = |at: At<String>| {
        let known = Country::parse(&at.value).filter(|c| is_known_country(*c));
        if known.is_none() {
            let hint = "two letters, such as `SG`".to_owned();
            let message = format!("`{}` is no country", at.value);
            return value.wrong(message, Some(hint));
        }
        known.map(|value| At {
            value,
            span: at.span,
        })
    };
    Some(value.strings()?.into_iter().filter_map(country).collect())
}

/// Between one message and the next, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a scenario lasts some days")]
fn rate(value: Value<'_>) -> Option<f64> {
    let text = value.string()?.value;
    match Rate::parse(&text) {
        Some(Rate { count, per_ms }) => Some(per_ms as f64 / f64::from(count)),
        None => value.wrong(
            format!("`{text}` is not a rate"),
            Some("a count and a time: `20/s`, `5/m`, `1/10s`".to_owned()),
        ),
    }
}

/// From when to when, in milliseconds from the scenario's start.
fn stretch(table: &Table<'_>, lasts_ms: i64) -> (i64, i64) {
    let at = |key| table.read(key, |v: Value<'_>| v.duration_ms(0, lasts_ms));
    let (from_ms, to_ms) = (at("from").unwrap_or(0), at("to").unwrap_or(lasts_ms));
    if from_ms >= to_ms {
        let hint = Some("both are counted from the scenario's start".to_owned());
        table.error(table.span.clone(), "it ends before it begins", hint);
        return (0, lasts_ms);
    }
    (from_ms, to_ms)
}

fn read_vendors(table: &Table<'_>, accounts: &[&str], scenario: &mut Scenario) {
    for (name, value) in table.entries() {
        let Some(vendor) = value.table() else {
            continue;
        };
        check_account(table, &name, accounts);
        let said = said(&vendor);
        if let Some(price) = vendor.read("price", price) {
            scenario.prices.insert(name.value.clone(), price);
        }
        vendor.finish();
        if name.value == EVERYONE {
            scenario.everyone = said;
        } else {
            scenario.vendors.insert(name.value, said);
        }
    }
}

fn check_account(table: &Table<'_>, name: &At<String>, accounts: &[&str]) {
    if name.value == EVERYONE || accounts.contains(&&*name.value) {
        return;
    }
    let hint = did_you_mean(&name.value, accounts.iter().copied())
        .unwrap_or_else(|| format!("there are: {}", accounts.join(", ")));
    let message = format!("there is no vendor account `{}`", name.value);
    table.warning(name.span.clone(), message, Some(hint));
}

fn price(value: Value<'_>) -> Option<Price> {
    if !value.raw().is_table() {
        return Some(Price {
            elsewhere: Some(value.number(0.0, PRICE_MAX)?),
            countries: Vec::new(),
        });
    }
    let table = value.table()?;
    let mut price = Price::default();
    for (name, value) in table.entries() {
        let Some(one) = value.number(0.0, PRICE_MAX) else {
            continue;
        };
        match Country::parse(&name.value).filter(|c| is_known_country(*c)) {
            Some(country) => price.countries.push((country, one)),
            None if name.value == ELSEWHERE => price.elsewhere = Some(one),
            None => {
                let message = format!("`{}` is no country", name.value);
                let hint = format!("two letters, such as `SG`, or `{ELSEWHERE}` for all others");
                table.error(name.span, message, Some(hint));
            }
        }
    }
    Some(price)
}

fn change(table: &Table<'_>, accounts: &[&str], lasts_ms: i64) -> Change {
    let vendors = table.require("vendor", Value::strings).unwrap_or_default();
    for vendor in &vendors {
        check_account(table, vendor, accounts);
    }
    let everyone = vendors.iter().any(|v| v.value == EVERYONE);
    let names = vendors.into_iter().map(|v| v.value).collect();
    let countries = table.read("country", countries);
    let channel = table.read("channel", |v| v.one_of(&CHANNELS));
    let (from_ms, to_ms) = stretch(table, lasts_ms);
    let said = said(table);
    table.finish();
    Change {
        vendors: (!everyone).then_some(names),
        countries: countries.map(|c| c.into_iter().map(|at| at.value).collect()),
        channel,
        from_ms,
        to_ms,
        said,
    }
}

/// The keys that say how a vendor behaves.
fn said(table: &Table<'_>) -> Said {
    Said {
        latency: table.read("latency", spread),
        errors: table.read("errors", share),
        failures: table.read("as", failures),
        sent: table.read("sent", share),
        lost: table.read("lost", share),
        failed: table.read("failed", share),
        reason: table.read("reason", reason),
        arrives: table.read("arrives", spread),
        receipts: table.read("receipts", receipts),
    }
}

/// `"2.5%"`, as a number from 0 to 1.
fn share(value: Value<'_>) -> Option<f64> {
    let text = value.string()?.value;
    let percent = text.strip_suffix('%').and_then(|p| p.trim().parse().ok());
    match percent {
        Some(percent) if (0.0..=100.0).contains(&percent) => Some(percent / 100.0),
        Some(_) | None => value.wrong(
            format!("`{text}` is not a share"),
            Some("from `0%` to `100%`, such as `2.5%`".to_owned()),
        ),
    }
}

/// A fixed time, or `{ p50 = .., p99 = .. }`.
fn spread(value: Value<'_>) -> Option<Spread> {
    let time = |value: Value<'_>| value.duration_ms(0, DAY_MS);
    if !value.raw().is_table() {
        return time(value).map(Spread::fixed);
    }
    let table = value.table()?;
    let spread = quantiles(&table);
    table.finish();
    spread
}

fn quantiles(table: &Table<'_>) -> Option<Spread> {
    let time = |value: Value<'_>| value.duration_ms(0, DAY_MS);
    let p50_ms = table.require("p50", time);
    let p99_ms = table.require("p99", time);
    let (p50_ms, p99_ms) = (p50_ms?, p99_ms?);
    if p50_ms > p99_ms {
        let message = "half of them take longer than 99 of 100";
        table.error(table.span.clone(), message, None);
        return None;
    }
    Some(Spread::between(p50_ms, p99_ms))
}

/// `"none"`, a spread, or a spread with the share that is reported.
fn receipts(value: Value<'_>) -> Option<Receipts> {
    let all = |delay| Receipts { share: 1.0, delay };
    if value.raw().as_str() == Some("none") {
        let delay = Spread::fixed(0);
        return Some(Receipts { share: 0.0, delay });
    }
    if !value.raw().is_table() {
        return spread(value).map(all);
    }
    let table = value.table()?;
    let reported = table.read("share", share);
    let delay = quantiles(&table);
    table.finish();
    delay.map(|delay| Receipts {
        share: reported.unwrap_or(1.0),
        delay,
    })
}

/// How calls fail: one word, or several that are equally frequent.
fn failures(value: Value<'_>) -> Option<Arc<[Failure]>> {
    if !value.raw().is_array() {
        return value.one_of(&Failure::WORDS).map(|one| Arc::from([one]));
    }
    let words = value.list()?;
    let failures: Arc<[Failure]> = words
        .into_iter()
        .filter_map(|word| word.one_of(&Failure::WORDS))
        .collect();
    if failures.is_empty() {
        return value.wrong("the list is empty", None);
    }
    Some(failures)
}

fn reason(value: Value<'_>) -> Option<Reason> {
    value.one_of(&Reason::ALL.map(|reason| (reason.as_str(), reason)))
}
