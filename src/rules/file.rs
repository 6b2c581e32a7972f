//! A rule file as it is written; every mistake of form is told with its place.

use std::cell::RefCell;
use std::ops::Range;

use crate::document::{At, Table, Value, read_document};
use crate::flow::Channel;
use crate::number::NumberType;
use crate::problem::{Problems, Source};
use crate::time::Moment;

const HOUR_MS: i64 = 3_600_000;

/// One file.
#[derive(Default)]
pub(super) struct RuleFile {
    pub(super) groups: Vec<(At<String>, Vec<At<String>>)>,
    pub(super) chains: Vec<ChainText>,
    pub(super) rules: Vec<RuleText>,
    pub(super) senders: Vec<SenderText>,
    pub(super) switches: Vec<OffText>,
    pub(super) guard: Option<GuardText>,
    pub(super) expects: Vec<ExpectText>,
}

pub(super) struct ChainText {
    pub(super) name: At<String>,
    pub(super) positions: Vec<Vec<EntryText>>,
    pub(super) race: bool,
    pub(super) race_width: u32,
    pub(super) patience_ms: i64,
    pub(super) max_sends: u32,
    pub(super) give_up_after_ms: i64,
    pub(super) by_recipient: bool,
}

pub(super) struct EntryText {
    pub(super) vendor: At<String>,
    pub(super) weight: u32,
    pub(super) sender: Option<At<String>>,
    /// On another channel, for the reasons it names.
    pub(super) elsewhere: bool,
}

pub(super) struct RuleText {
    pub(super) name: At<String>,
    pub(super) when: WhenText,
    pub(super) chain: Option<At<String>>,
    pub(super) deny: Option<At<String>>,
    pub(super) data_region: Option<String>,
    pub(super) span: Range<usize>,
}

#[derive(Default)]
pub(super) struct WhenText {
    pub(super) country: Option<Vec<At<String>>>,
    pub(super) prefix: Option<Vec<String>>,
    pub(super) number_type: Option<At<Vec<NumberType>>>,
    pub(super) channel: Option<Vec<Channel>>,
    pub(super) request_type: Option<Vec<String>>,
    pub(super) org: Option<Vec<String>>,
    pub(super) locale: Option<Vec<String>>,
    pub(super) region: Option<Vec<String>>,
    pub(super) user: Option<Vec<String>>,
    pub(super) login: Option<Vec<String>>,
    pub(super) preview: Option<bool>,
}

pub(super) struct SenderText {
    pub(super) name: At<String>,
    pub(super) vendor: Option<At<String>>,
    pub(super) country: Option<Vec<At<String>>>,
    pub(super) from: String,
}

pub(super) struct OffText {
    pub(super) vendor: At<String>,
    pub(super) country: Option<Vec<At<String>>>,
    pub(super) until: Option<Moment>,
    pub(super) reason: String,
}

pub(super) struct GuardText {
    pub(super) span: Range<usize>,
    pub(super) allow_countries: Option<Vec<At<String>>>,
    /// A count and milliseconds.
    pub(super) per_number: Option<(u32, i64)>,
}

pub(super) struct ExpectText {
    pub(super) span: Range<usize>,
    pub(super) to: At<String>,
    pub(super) channel: Channel,
    pub(super) org: Option<String>,
    pub(super) request_type: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) user: Option<String>,
    pub(super) login: Option<String>,
    pub(super) preview: bool,
    pub(super) rule: Option<At<String>>,
    pub(super) chain: Option<At<String>>,
    pub(super) vendors: Option<At<Vec<String>>>,
    pub(super) sender: Option<At<String>>,
    pub(super) deny: Option<At<String>>,
}

impl RuleFile {
    /// Reads a file.
    pub(super) fn read(source: &Source, problems: &RefCell<Problems>) -> RuleFile {
        read_document(source, problems, |root| {
            let groups = root.read("groups", Value::table);
            let chains = root.read("chains", Value::table);
            let file = RuleFile {
                groups: groups.map(|t| groups_of(&t)).unwrap_or_default(),
                chains: chains.map(|t| chains_of(&t)).unwrap_or_default(),
                rules: root.tables("rule").iter().filter_map(rule).collect(),
                senders: root.tables("sender").iter().filter_map(sender).collect(),
                switches: switches(root),
                guard: root.read("guard", Value::table).map(|t| guard(&t)),
                expects: root.tables("expect").iter().filter_map(expect).collect(),
            };
            for later in ["registration", "quota", "template"] {
                if let Some(value) = root.get(later) {
                    not_yet(root, value, later);
                }
            }
            root.finish();
            file
        })
    }
}

/// Accepted, so that one set of files serves two versions, and told, so that nobody relies on it.
fn not_yet(table: &Table<'_>, value: Value<'_>, what: &str) {
    table.warning(value.span(), format!("`{what}`: not yet in effect"), None);
}

fn texts(value: Value<'_>) -> Option<Vec<String>> {
    Some(value.strings()?.into_iter().map(|t| t.value).collect())
}

fn groups_of(table: &Table<'_>) -> Vec<(At<String>, Vec<At<String>>)> {
    let entries = table.entries().into_iter();
    entries
        .filter_map(|(name, value)| Some((name, value.strings()?)))
        .collect()
}

fn chains_of(table: &Table<'_>) -> Vec<ChainText> {
    let entries = table.entries().into_iter();
    entries
        .filter_map(|(name, value)| chain(name, &value.table()?))
        .collect()
}

fn chain(name: At<String>, table: &Table<'_>) -> Option<ChainText> {
    let vendors = table.require("vendors", Value::list);
    let strategies = [("cascade", 0), ("hedge", 1), ("race", 2)];
    let strategy = table.read("strategy", |v| {
        let strategy = v.one_of(&strategies);
        if strategy == Some(1) {
            let message = "`strategy = \"hedge\"`: not yet in effect, it works as `cascade`";
            table.warning(v.span(), message, None);
        }
        strategy
    });
    let patience = table.read("patience", |v| {
        if v.raw().as_str() == Some("p95") {
            let message = "`patience = \"p95\"`: not yet in effect, it is 600ms";
            table.warning(v.span(), message, None);
            return None;
        }
        v.duration_ms(10, 10_000)
    });
    let width = table.read("race_width", |v| v.whole(1, 10));
    let order = table.get("order");
    if let Some(order) = order
        && order.one_of(&[("fixed", false), ("adaptive", true)]) == Some(true)
    {
        not_yet(table, order, "order = \"adaptive\"");
    }
    let sticky = [("delivery", false), ("recipient", true)];
    let sticky = table.read("sticky", |v| v.one_of(&sticky));
    let max_sends = table.read("max_sends", |v| v.whole(1, 10));
    let give_up = table.read("give_up_after", |v| v.duration_ms(1_000, HOUR_MS));
    for later in ["on_failed_receipt", "on_silence", "silence_after"] {
        if let Some(value) = table.get(later) {
            not_yet(table, value, later);
        }
    }
    table.finish();
    Some(ChainText {
        name,
        positions: vendors?.into_iter().filter_map(position).collect(),
        race: strategy == Some(2),
        race_width: width.and_then(|n| u32::try_from(n).ok()).unwrap_or(2),
        patience_ms: patience.unwrap_or(600),
        max_sends: max_sends.and_then(|n| u32::try_from(n).ok()).unwrap_or(3),
        give_up_after_ms: give_up.unwrap_or(120_000),
        by_recipient: sticky.unwrap_or(false),
    })
}

/// A vendor's name, a table that names it, or a list of weighted tables.
fn position(value: Value<'_>) -> Option<Vec<EntryText>> {
    if !value.raw().is_array() {
        return Some(vec![entry(value, false)?]);
    }
    let members: Vec<EntryText> = value
        .list()?
        .into_iter()
        .filter_map(|v| entry(v, true))
        .collect();
    if members.is_empty() {
        return value.wrong("a position without vendors", None);
    }
    Some(members)
}

fn entry(value: Value<'_>, weighted: bool) -> Option<EntryText> {
    if value.raw().is_str() && !weighted {
        return Some(EntryText {
            vendor: value.string()?,
            weight: 1,
            sender: None,
            elsewhere: false,
        });
    }
    if !value.raw().is_table() {
        let hint = "`\"vendor\"`, or `{ vendor = \"..\", weight = 70 }` inside a list";
        return value.wrong("this is no vendor of a chain", Some(hint.to_owned()));
    }
    let table = value.table()?;
    let vendor = table.require("vendor", Value::string);
    let weight = |v: Value<'_>| v.whole(1, 1_000);
    let weight = if weighted {
        table.require("weight", weight)
    } else {
        table.read("weight", weight)
    };
    let sender = table.read("sender", Value::string);
    let channel = table.get("channel");
    if let Some(channel) = channel {
        channel.one_of(&[("sms", ()), ("voice", ())]);
        table.read("after", |v| v.duration_ms(0, HOUR_MS));
        table.read("on", Value::strings);
        not_yet(&table, channel, "a chain entry on another channel");
    }
    table.finish();
    Some(EntryText {
        vendor: vendor?,
        weight: weight.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
        sender,
        elsewhere: channel.is_some(),
    })
}

fn rule(table: &Table<'_>) -> Option<RuleText> {
    let name = table.require("name", Value::string);
    let when = table.read("when", Value::table);
    let chain = table.read("chain", Value::string);
    let deny = table.read("deny", Value::string);
    let require = table.read("require", Value::table);
    let data_region = require.and_then(|t| {
        let region = t.require("data_region", Value::string);
        t.finish();
        Some(region?.value)
    });
    table.finish();
    if chain.is_some() == deny.is_some() {
        let message = "a rule has either a `chain` or a `deny`";
        table.error(table.span.clone(), message, None);
    }
    Some(RuleText {
        name: name?,
        when: when.map(|t| conditions(&t)).unwrap_or_default(),
        chain,
        deny,
        data_region,
        span: table.span.clone(),
    })
}

fn conditions(table: &Table<'_>) -> WhenText {
    let types = NumberType::ALL.map(|t| (t.as_str(), t));
    let channels = [("sms", Channel::Sms), ("voice", Channel::Voice)];
    let lower = |v: Value<'_>| {
        let texts = texts(v)?.into_iter();
        Some(texts.map(|t| t.to_lowercase().replace('_', "-")).collect())
    };
    let mut country = table.read("country", Value::strings);
    if let Some(group) = table.read("group", Value::strings) {
        country.get_or_insert_default().extend(group);
    }
    let when = WhenText {
        country,
        prefix: table.read("prefix", prefixes),
        number_type: table.read("number_type", |v| {
            Some(At {
                value: words(v, &types)?,
                span: v.span(),
            })
        }),
        channel: table.read("channel", |v| words(v, &channels)),
        request_type: table.read("request_type", texts),
        org: table.read("org", texts),
        locale: table.read("locale", lower),
        region: table.read("region", texts),
        user: table.read("user", texts),
        login: table.read("login", texts),
        preview: table.read("preview", Value::boolean),
    };
    table.finish();
    when
}

/// One of the words, or a list of them.
fn words<T: Copy>(value: Value<'_>, known: &[(&str, T)]) -> Option<Vec<T>> {
    if value.raw().is_array() {
        let list = value.list()?.into_iter();
        return Some(list.filter_map(|v| v.one_of(known)).collect());
    }
    Some(vec![value.one_of(known)?])
}

fn prefixes(value: Value<'_>) -> Option<Vec<String>> {
    let prefixes = value.strings()?;
    for prefix in &prefixes {
        let digits = prefix.value.strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("`{}` is not a prefix", prefix.value);
            value.wrong::<()>(message, Some("`+` and digits, such as `+1415`".to_owned()));
        }
    }
    Some(prefixes.into_iter().map(|p| p.value).collect())
}

fn sender(table: &Table<'_>) -> Option<SenderText> {
    let kinds = [
        "alpha",
        "long_code",
        "short_code",
        "toll_free",
        "10dlc",
        "pool",
    ];
    let name = table.require("name", Value::string);
    let from = table.require("from", Value::string);
    let vendor = table.read("vendor", Value::string);
    let country = table.read("country", Value::strings);
    table.read("kind", |v| v.one_of(&kinds.map(|k| (k, ()))));
    table.read("registered", Value::boolean);
    for later in ["valid_from", "valid_to", "quota"] {
        if let Some(value) = table.get(later) {
            not_yet(table, value, later);
        }
    }
    table.finish();
    Some(SenderText {
        name: name?,
        vendor,
        country,
        from: from?.value,
    })
}

fn switches(root: &Table<'_>) -> Vec<OffText> {
    let Some(table) = root.read("switches", Value::table) else {
        return Vec::new();
    };
    let off = table.tables("off");
    table.finish();
    off.iter().filter_map(switch).collect()
}

fn switch(table: &Table<'_>) -> Option<OffText> {
    let vendor = table.require("vendor", Value::string);
    let country = table.read("country", Value::strings);
    let until = table.read("until", |v| {
        let text = v.string()?.value;
        let hint = || Some("such as `2026-11-24T09:00:00Z`".to_owned());
        Moment::from_rfc3339(&text)
            .or_else(|| v.wrong(format!("`{text}` is not a point in time"), hint()))
    });
    let reason = table.read("reason", Value::string);
    table.finish();
    Some(OffText {
        vendor: vendor?,
        country,
        until,
        reason: reason.map(|r| r.value).unwrap_or_default(),
    })
}

fn guard(table: &Table<'_>) -> GuardText {
    let allow_countries = table.read("allow_countries", Value::strings);
    let per_number = table.read("per_number", |v| {
        let text = v.string()?.value;
        let limit = crate::time::per(&text);
        let hint = "a count and a time, such as `10/10m`".to_owned();
        limit.or_else(|| v.wrong(format!("`{text}` is not a limit"), Some(hint)))
    });
    table.finish();
    GuardText {
        span: table.span.clone(),
        allow_countries,
        per_number,
    }
}

fn expect(table: &Table<'_>) -> Option<ExpectText> {
    let text = |key| table.read(key, Value::string).map(|t| t.value);
    let place = |key| table.read(key, Value::string);
    let channels = [("sms", Channel::Sms), ("voice", Channel::Voice)];
    let to = table.require("to", Value::string);
    let channel = table.read("channel", |v| v.one_of(&channels));
    let locale = text("locale").map(|l| l.to_lowercase().replace('_', "-"));
    let vendors = table.read("vendors", |v| {
        Some(At {
            value: texts(v)?,
            span: v.span(),
        })
    });
    let expect = Some(ExpectText {
        span: table.span.clone(),
        channel: channel.unwrap_or(Channel::Sms),
        org: text("org"),
        request_type: text("request_type"),
        locale,
        user: text("user"),
        login: text("login"),
        preview: table.read("preview", Value::boolean).unwrap_or(false),
        rule: place("rule"),
        chain: place("chain"),
        vendors,
        sender: place("sender"),
        deny: place("deny"),
        to: to?,
    });
    table.finish();
    expect
}
