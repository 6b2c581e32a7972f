//! Compares what is not of one message: how chains are walked, quotas, switches, and who is let in.

use std::collections::{BTreeMap, BTreeSet};

use crate::guard::quota::{Period, Quota};
use crate::guard::{Allow, Settings};
use crate::number::Country;
use crate::rules::compare::Difference;
use crate::rules::plan::Chain;
use crate::rules::{Rules, Switch};

/// What is said of what is not there.
pub(super) const NONE: &str = "none";

impl Chain {
    /// How otherwise another chain is walked.
    pub(super) fn pace_differences(&self, other: &Chain) -> Vec<Difference> {
        let (before, after) = (self.pace_in_words(), other.pace_in_words());
        let all = before.into_iter().zip(after);
        all.filter_map(|((what, before), (_, after))| Difference::of(what, before, after))
            .collect()
    }

    /// How it is walked.
    pub(super) fn pace_in_words(&self) -> [(&'static str, String); 9] {
        let ms = |ms: i64| format!("{ms} ms");
        let action = |moves: bool| if moves { "failover" } else { "stop" }.to_owned();
        let pace = &self.pace;
        let patience = match self.learning.patience {
            true => format!("learned, at first {}", ms(pace.patience_ms)),
            false => ms(pace.patience_ms),
        };
        let order = if self.learning.order {
            "adaptive"
        } else {
            "fixed"
        };
        let sticky = if self.by_recipient {
            "recipient"
        } else {
            "delivery"
        };
        [
            ("patience", patience),
            ("started at once", pace.width.to_string()),
            ("max_sends", pace.max_sends.to_string()),
            ("give_up_after", ms(pace.give_up_after_ms)),
            ("on_failed_receipt", action(!pace.stops_on_failed_receipt)),
            ("on_silence", action(pace.moves_on_silence)),
            ("silence_after", ms(self.silence_after_ms)),
            ("order", order.to_owned()),
            ("sticky", sticky.to_owned()),
        ]
    }
}

pub(super) fn guard_changes(before: &Settings, after: &Settings) -> Vec<Difference> {
    let rate = |settings: &Settings| {
        let limit = settings.per_number;
        format!("{} in {} ms", limit.count, limit.per_ms).replace("000 ms", " s")
    };
    let per_number = Difference::of("per_number", rate(before), rate(after));
    let countries = match (&before.allow, &after.allow) {
        (Allow::Some(a), Allow::Some(b)) => {
            let only = |one: &BTreeSet<Country>, other: &BTreeSet<Country>| {
                let only: Vec<&str> = one.difference(other).map(Country::as_str).collect();
                match only.is_empty() {
                    true => "-".to_owned(),
                    false => only.join(", "),
                }
            };
            Difference::of("allow_countries", only(a, b), only(b, a))
        }
        (a, b) => Difference::of("allow_countries", allowed(a), allowed(b)),
    };
    countries.into_iter().chain(per_number).collect()
}

fn allowed(allow: &Allow) -> String {
    match allow {
        Allow::Every => "every country".to_owned(),
        Allow::Some(countries) => format!("{} countries", countries.len()),
    }
}

/// Quotas that are counted otherwise, each by its name.
pub(super) fn quota_changes(live: &Rules, draft: &Rules) -> Vec<Difference> {
    let names: BTreeSet<&str> = live
        .quotas
        .keys()
        .chain(draft.quotas.keys())
        .map(|n| &**n)
        .collect();
    let words = |rules: &Rules, name: &str| {
        let quota = rules.quota(name);
        quota.map_or(NONE.to_owned(), Quota::in_words)
    };
    let all = names.into_iter();
    all.filter_map(|name| Difference::of(name, words(live, name), words(draft, name)))
        .collect()
}

impl Quota {
    fn in_words(&self) -> String {
        let per = match &self.per {
            Period::Day(reset) => format!("day from {reset}"),
            Period::Every { ms } => format!("{ms} ms"),
        };
        format!("{} {} in each {per}", self.limit, self.unit.as_str())
    }
}

/// Vendors that are switched off otherwise.
pub(super) fn switch_changes(live: &Rules, draft: &Rules) -> Vec<Difference> {
    let (before, after) = (switches(&live.switches), switches(&draft.switches));
    let vendors: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let words = |all: &BTreeMap<&str, Vec<String>>, vendor: &str| {
        let words = all.get(vendor);
        words.map_or("on".to_owned(), |words| {
            format!("off {}", words.join(" and "))
        })
    };
    let all = vendors.into_iter();
    all.filter_map(|vendor| Difference::of(vendor, words(&before, vendor), words(&after, vendor)))
        .collect()
}

/// Where each vendor is off, until when and why, in the order in which reasons are looked for.
fn switches(switches: &[Switch]) -> BTreeMap<&str, Vec<String>> {
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for switch in switches {
        let countries = switch.countries.as_ref().map(|countries| {
            let codes: Vec<&str> = countries.iter().map(Country::as_str).collect();
            format!("in {}", codes.join(", "))
        });
        let until = switch
            .until
            .map(|until| format!(" until {}", until.to_rfc3339()));
        let place = countries.unwrap_or("everywhere".to_owned());
        let words = format!("{place}{} ({})", until.unwrap_or_default(), switch.reason);
        all.entry(&switch.vendor).or_default().push(words);
    }
    all
}
