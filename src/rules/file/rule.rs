//! Reads `[[rule]]` and its conditions.

use crate::document::{Table, Value};
use crate::rules::condition;
use crate::rules::file::{Place, Rule, Validity, Wanted, name, names};

/// No vendor takes a text of more parts.
const PARTS_MAX: i64 = 10;

pub(super) fn rule(table: &Table<'_>) -> Option<Rule> {
    let rule_name = table.require("name", name);
    let when = table.read("when", Value::table);
    let when = when.map_or_else(Vec::new, |when| conditions(&when));
    let chain = table.read("chain", name);
    let deny = table.read("deny", name);
    let data_region = table.read("require", Value::table).and_then(|require| {
        let region = require.require("data_region", name);
        require.finish();
        region
    });
    let validity = Validity::read(table);
    let parts_max = table.read("max_parts", |v| v.whole(1, PARTS_MAX));
    let transliterate = table.read("transliterate", Value::boolean);
    let wrong = match (table.get("chain").is_some(), table.get("deny").is_some()) {
        (true, true) => Some("a rule has `chain` or `deny`, not both"),
        (false, false) => Some("a rule needs `chain` or `deny`"),
        (true, false) | (false, true) => None,
    };
    if let Some(wrong) = wrong {
        table.error(table.span.clone(), wrong, None);
    }
    table.finish();
    Some(Rule {
        name: rule_name?,
        place: Place::of_table(table),
        when,
        chain,
        deny,
        data_region,
        validity,
        parts_max: parts_max.and_then(|n| usize::try_from(n).ok()),
        transliterate: transliterate.unwrap_or(false),
    })
}

fn conditions(table: &Table<'_>) -> Vec<(Wanted, Place)> {
    let mut wanted = Vec::new();
    for key in ["country", "group"] {
        if let Some(value) = table.get(key) {
            let countries = names(value).map(Wanted::Countries);
            wanted.extend(countries.map(|c| (c, Place::of(&value))));
        }
    }
    for (key, read) in condition::READERS {
        if let Some(value) = table.get(key) {
            let ready = read(value).map(Wanted::Ready);
            wanted.extend(ready.map(|c| (c, Place::of(&value))));
        }
    }
    table.finish();
    wanted
}
