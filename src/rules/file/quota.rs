//! Reads `[quota.NAME]`: one counter for all who name it.

use crate::document::{At, Table, Value};
use crate::guard::quota::{Quota, Text, Unit};
use crate::rules::file::{self, key_name};

pub(super) fn quota(
    quotas: &Table<'_>,
    name: At<String>,
    value: Value<'_>,
) -> Option<file::NamedQuota> {
    let table = value.table()?;
    let limit = table.require("limit", |v| v.string_such_as(|n| format!("`\"{n}/day\"`")));
    let resets = table.read("resets", Value::string);
    let unit = table.read("unit", |v| v.one_of(&Unit::NAMES));
    table.finish();
    let quota = limit.and_then(|limit| {
        let reset = resets.as_ref().map(|at| at.value.as_str());
        let read = Quota::read(&limit.value, reset, unit.unwrap_or_default());
        read.map_err(|mistakes| {
            for mistake in mistakes {
                let span = match (mistake.text, &resets) {
                    (Text::Resets, Some(resets)) => resets.span.clone(),
                    (Text::Limit | Text::Resets, _) => limit.span.clone(),
                };
                table.error(span, mistake.message, Some(mistake.hint));
            }
        })
        .ok()
    });
    let name = key_name(quotas, name);
    Some(file::NamedQuota { name, quota })
}
