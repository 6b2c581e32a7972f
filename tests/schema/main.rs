//! What editors and operators are told about the files fits what the program reads.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod agreement;
mod reading;
mod shipped;

/// Where description and readers differ, because the readers are not there yet. What is gone must go from here.
const NOT_READ_YET: [&str; 36] = [
    "rules: `rule.max_parts` is not read",
    "rules: `rule.transliterate` is not read",
    "rules: `rule.valid_from` is not read",
    "rules: `rule.valid_to` is not read",
    "rules: `sender.channel` is not read",
    "rules: `sender.org` is not read",
    "rules: `sender.from = ['x']` is refused: expected a string, found array",
    "rules: `registration.required` may be left out",
    "rules: `registration.kind` is not read",
    "rules: `registration.valid_from` is not read",
    "rules: `registration.valid_to` is not read",
    "rules: `quota.resets` may be \"? ?\" or \"{\" or \"{zzz}\" or \"1\" or \"/\" or \"7/m\"",
    "rules: `quota.unit` is not read",
    "rules: `template.name` is not read",
    "rules: `template.org` is not read",
    "rules: `template.request_type` is not read",
    "rules: `template.vendor` is not read",
    "rules: `template.channel` is not read",
    "rules: `template.valid_from` is not read",
    "rules: `template.valid_to` is not read",
    "rules: `template.text` may be \"? ?\" or \"{\" or \"{zzz}\" or \"1\" or \"/\" or \"7/m\"",
    "rules: `template.language` is not read",
    "rules: `template.webotp` is not read",
    "rules: `rules.capacity` is not read",
    "rules: `expect.at` is not read",
    "rules: `expect.sender` is not read",
    "rules: `expect.template` is not read",
    "rules: `expect.text` is not read",
    "rules: `expect.parts` is not read",
    "config: `org.display_name` is not read",
    "config: `token_auth.issuer` may be anything",
    "vendor: `operation.query = { x = '{language}' }` is refused: there is no slot `{language}` here",
    "vendor: `operation.query = { x = '{parameter.NAME?}' }` is refused: there is no slot `{parameter.NAME}` here",
    "vendor: `operation.languages` is not read",
    "vendor: `refused.daily_cap` is not read",
    "vendor: `receipts.daily_cap` is not read",
];
