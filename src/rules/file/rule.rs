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
    match (table.get("chain"), table.get("deny")) {
        (Some(_), Some(deny)) => {
            let hint = "it sends by its `chain`, or refuses for the reason of `deny`".to_owned();
            deny.wrong_at(
                deny.span(),
                "a rule has `chain` or `deny`, not both",
                Some(hint),
            );
        }
        (None, None) => {
            let hint = "or `deny = \"reason\"` in a rule that refuses".to_owned();
            table.tell_missing("chain", Some(hint));
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    let conditions = condition::READERS.map(|(key, _)| key);
    for keys in [&["country", "group"][..], &conditions] {
        table.misplaced(keys, |key| {
            format!("conditions stand together: `when = {{ {key} = .. }}`")
        });
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
