//! Reads `[quota.NAME]`: one counter for all who name it.

use crate::document::{At, Table, Value};
use crate::rules::file::{Quota, key_name, name};

pub(super) fn quota(quotas: &Table<'_>, key: At<String>, value: Value<'_>) -> Option<Quota> {
    let table = value.table()?;
    let limit = table.require("limit", name);
    let resets = table.read("resets", name);
    let units = [("parts", false), ("messages", true)];
    let messages = table.read("unit", |v| v.one_of(&units));
    table.finish();
    Some(Quota {
        name: key_name(quotas, key),
        limit,
        resets,
        messages: messages.unwrap_or(false),
    })
}
