//! Small worlds whose outcome is known, the language's mistakes, and the scenarios that come with the program.

mod language;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::catalog::{Catalog, Texts};
use crate::config::Config;
use crate::flow::VendorName;
use crate::problem::{Problems, Source};
use crate::time::Moment;
use crate::vendor::{Account, Definition};

/// The accounts of the definitions that come with the program.
const ACCOUNTS: [&str; 4] = ["infobip", "telnyx", "twilio", "vonage"];
/// Midnight of some day.
const MIDNIGHT: Moment = Moment(20_000 * 24 * 3_600_000);
const TWO_IN_A_ROW: &str = r#"
[guard]
allow_countries = ["*"]
[chains.all]
vendors = ["twilio", "vonage"]
[[rule]]
name = "all"
chain = "all"
"#;
/// A world without chance in how long things take.
const EVEN: &str = r#"
name = "even"
lasts = "20m"
[vendors."*"]
latency = "100ms"
arrives = "3s"
receipts = "1s"
price = 2
"#;

fn texts(dir: &str) -> Vec<Source> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        Source::new(path.display().to_string(), text)
    };
    files.into_iter().map(read).collect()
}

fn catalog(rules: Vec<Source>) -> Catalog {
    let texts = Texts {
        rules,
        definitions: texts("vendors"),
    };
    let account = |name: &VendorName, definition: &Arc<Definition>, _: Option<Arc<str>>| {
        let nowhere = "http://vendor.invalid".to_owned();
        let (definition, from) = (Arc::clone(definition), Some(Arc::from("+15005550006")));
        Some(Account::example(
            definition,
            Arc::clone(name),
            nowhere,
            from,
        ))
    };
    let problems = RefCell::default();
    let catalog = Catalog::compile(
        Config::built_in(),
        &texts,
        Some(&account),
        MIDNIGHT,
        &problems,
    );
    assert!(!problems.borrow().has_errors(), "{problems:?}");
    catalog
}

fn two_in_a_row() -> Catalog {
    catalog(vec![Source::new("rules.toml", TWO_IN_A_ROW)])
}

fn read(source: &Source) -> Scenario {
    let problems = RefCell::default();
    let scenario = Scenario::read(source, &ACCOUNTS, &problems);
    assert_eq!(*problems.borrow(), Problems::default());
    scenario
}

fn scenario(text: &str) -> Scenario {
    read(&Source::new("scenario.toml", format!("{EVEN}{text}")))
}

/// What became of one vendor, and of the rules.
fn beside(scenario: &Scenario, catalog: &Catalog) -> Comparison {
    let contender = |name, one_vendor| Contender {
        name,
        catalog,
        one_vendor,
    };
    let contenders = [contender("one vendor", true), contender("rules", false)];
    let options = Options {
        seed: None,
        begins_at: MIDNIGHT,
    };
    compare(scenario, &contenders, options)
}

fn totals(text: &str) -> [Measures; 2] {
    let compared = beside(&scenario(text), &two_in_a_row());
    [0, 1].map(|column: usize| compared.contenders[column].total.clone())
}

const SINGAPORE: &str = "
[[traffic]]
country = \"SG\"
rate = \"2/s\"
";

#[test]
fn where_all_is_well_nothing_differs() {
    let [one, rules] = totals(SINGAPORE);
    assert_eq!(one, rules);
    assert_eq!(one.within_30s, 1.0);
    assert_eq!(one.p50_ms.map(|ms| ms / 100), Some(30));
    assert_eq!((one.duplicates, one.failovers), (0, 0));
    assert_eq!(one.cost, 2.0 * one.deliveries as f64);
    assert!((2_200..2_600).contains(&one.deliveries), "{one:?}");
}

#[test]
fn an_outage_of_the_first_vendor_costs_one_vendor_its_share_and_the_rules_next_to_nothing() {
    let outage = "
[[change]]
vendor = \"twilio\"
from = \"5m\"
to = \"15m\"
errors = \"100%\"
";
    for failure in ["503", "504", "timeout", "refuse", "throttle", "reject"] {
        let text = format!("{SINGAPORE}{outage}as = \"{failure}\"");
        let [one, rules] = totals(&text);
        assert!((0.45..0.55).contains(&one.within_30s), "{failure}: {one:?}");
        assert_eq!(one.calls, one.deliveries, "{failure}");
        assert!(rules.within_30s > 0.999, "{failure}: {rules:?}");
        assert!(rules.in_time > 0.999, "{failure}: {rules:?}");
        assert_eq!(rules.duplicates, 0, "{failure}");
    }
}

#[test]
fn calls_without_an_answer_whose_message_was_sent_are_duplicates_once_another_vendor_took_it() {
    let outage = "
[[change]]
vendor = \"twilio\"
errors = \"100%\"
as = \"timeout\"
sent = \"100%\"
";
    let [one, rules] = totals(&format!("{SINGAPORE}{outage}"));
    assert_eq!(one.within_30s, 1.0);
    assert_eq!(one.in_time, 0.0);
    assert_eq!(rules.within_30s, 1.0);
    assert!(rules.duplicates > 0);
    assert!(rules.duplicates < rules.deliveries / 10, "{rules:?}");
}

#[test]
fn late_receipts_are_no_reason_to_send_anything_twice() {
    let late = "
[[change]]
vendor = \"*\"
from = \"5m\"
to = \"15m\"
receipts = \"10m\"
";
    let [one, rules] = totals(&format!("{SINGAPORE}{late}"));
    assert_eq!(rules.duplicates, 0);
    assert_eq!(rules.calls, one.calls);
    assert_eq!(rules.within_30s, 1.0);
}

#[test]
fn where_all_are_slow_hedging_stays_within_its_budget() {
    let slow = "
[[traffic]]
country = \"SG\"
rate = \"10/s\"
[[change]]
vendor = \"*\"
latency = \"2s\"
";
    let [one, rules] = totals(slow);
    assert_eq!((one.within_30s, rules.within_30s), (1.0, 1.0));
    let extra = rules.calls - rules.deliveries;
    // One for five first calls, and ten more in ten seconds.
    assert!(extra <= rules.deliveries * 31 / 100, "{rules:?}");
    assert!(extra >= rules.deliveries / 10, "{rules:?}");
}

#[test]
fn a_country_that_goes_dark_is_learned_of_from_the_receipts_that_do_not_come() {
    let dark = "
[[traffic]]
country = [\"SG\", \"DE\"]
rate = \"2/s\"
[[change]]
vendor = \"twilio\"
country = \"SG\"
lost = \"100%\"
";
    let compared = beside(&scenario(dark), &two_in_a_row());
    let of = |column: usize, country: &str| {
        let mut slices = compared.contenders[column].countries.iter();
        let slice = slices.find(|s| s.country.as_str() == country);
        slice.unwrap().measures.within_30s
    };
    assert_eq!((of(0, "SG"), of(0, "DE")), (0.0, 1.0));
    assert!(of(1, "SG") > 0.8, "{}", of(1, "SG"));
    assert_eq!(of(1, "DE"), 1.0);
}

#[test]
fn prices_are_those_of_the_vendor_and_the_country() {
    let text = "
[[traffic]]
country = [\"SG\", \"DE\"]
rate = \"1/s\"
[vendors.twilio]
price = { SG = 5, \"*\" = 3 }
";
    let compared = beside(&scenario(text), &two_in_a_row());
    for slice in &compared.contenders[1].countries {
        let price = if slice.country.as_str() == "SG" {
            5.0
        } else {
            3.0
        };
        assert_eq!(slice.measures.cost_per_delivered, Some(price));
    }
}

#[test]
fn what_the_rules_refuse_is_counted_apart() {
    let deny = "[[rule]]\nname = \"none\"\ndeny = \"closed\"\n";
    let catalog = catalog(vec![Source::new("rules.toml", deny)]);
    let compared = beside(&scenario(SINGAPORE), &catalog);
    let total = &compared.contenders[1].total;
    assert_eq!(total.deliveries, 0);
    assert!(total.refused > 2_000);
}

#[test]
fn the_same_seed_comes_to_the_same_and_another_one_to_something_else() {
    let text = "
[[traffic]]
country = [\"SG\", \"GB\", \"US\"]
rate = \"1/s\"
[[change]]
vendor = [\"twilio\", \"infobip\"]
errors = \"40%\"
as = [\"timeout\", \"503\"]
latency = { p50 = \"500ms\", p99 = \"3s\" }
";
    let (scenario, catalog) = (scenario(text), catalog(texts("routing-rules")));
    let of = |seed| {
        let contender = Contender {
            name: "rules",
            catalog: &catalog,
            one_vendor: false,
        };
        let options = Options {
            seed,
            begins_at: MIDNIGHT,
        };
        serde_json::to_string(&compare(&scenario, &[contender], options).contenders).unwrap()
    };
    assert_eq!(of(None), of(Some(1)));
    assert_ne!(of(Some(1)), of(Some(2)));
}

#[test]
fn the_shipped_scenarios_show_that_failing_over_beats_one_vendor() {
    let catalog = catalog(texts("routing-rules"));
    let scenarios = texts("deploy/scenarios");
    assert_eq!(scenarios.len(), 5);
    let compared: Vec<Comparison> = scenarios
        .iter()
        .map(|source| beside(&read(source).scaled(0.01), &catalog))
        .collect();
    for comparison in &compared {
        let [one, rules] = [0, 1].map(|c: usize| &comparison.contenders[c].total);
        let name = &comparison.scenario;
        assert!(
            rules.within_30s > one.within_30s,
            "{name}: {one:?} {rules:?}"
        );
        assert!(rules.in_time >= one.in_time, "{name}: {one:?} {rules:?}");
        assert!(
            rules.undelivered < one.undelivered,
            "{name}: {one:?} {rules:?}"
        );
    }
    let table = summary(&compared);
    assert_eq!(table.lines().count(), 2 + compared.len(), "{table}");
    for comparison in &compared {
        assert!(table.contains(&comparison.scenario), "{table}");
    }
}
