//! Reads a definition's tables, telling every mistake with its place.

use std::ops::Range;

use http::{HeaderName, Method, StatusCode};

use crate::document::{At, Table, Value};
use crate::flow::{Channel, Reason};
use crate::problem::{Source, did_you_mean};
use crate::vendor::definition::{
    Accepted, Auth, Body, Coded, Codes, Credential, Definition, Operation, Refused, Simulated,
    Simulation, Validity,
};
use crate::vendor::example::Example;
use crate::vendor::example::receipts::ReceiptExample;
use crate::vendor::template::{Place, Slot, Template, Tree, read_fields, read_template};

pub(super) fn definition(source: &Source, root: &Table<'_>) -> Definition {
    let file = source.name.rsplit('/').next().unwrap_or(&source.name);
    let name = file.trim_end_matches(".toml").to_owned();
    let title = root.read("name", Value::string).map(|t| t.value);
    let documentation = root.read("documentation", Value::string).map(|d| d.value);
    let base_url = root.read("base_url", Value::string).map(|u| u.value);
    let credentials = root.read("credentials", Value::table);
    let credentials: Vec<Credential> = credentials
        .map(|t| t.entries().into_iter().filter_map(credential).collect())
        .unwrap_or_default();
    let reader = Reader {
        credentials: &credentials,
    };
    let mut operations = Vec::new();
    for (channel, key) in [(Channel::Sms, "sms"), (Channel::Voice, "voice")] {
        if let Some(table) = root.read(key, Value::table) {
            operations.extend(reader.operation(&table).map(|o| (channel, o)));
        }
    }
    let has_any = ["sms", "voice"].iter().any(|key| root.get(key).is_some());
    if !has_any && root.is_whole() {
        let message = "a definition has `[sms]`, `[voice]`, or both";
        root.error(0..0, message, None);
    }
    let receipt_reply = root.read("receipt_reply", |v| v.whole(200, 299));
    let receipt_reply =
        receipt_reply.and_then(|n| StatusCode::from_u16(u16::try_from(n).ok()?).ok());
    let examples = root.tables("example");
    let examples = examples.iter().filter_map(Example::read).collect();
    let receipt_examples = root.tables("receipt_example");
    let receipt_examples = receipt_examples
        .iter()
        .filter_map(ReceiptExample::read)
        .collect();
    root.finish();
    Definition {
        title: title.unwrap_or_else(|| name.clone()),
        name,
        documentation,
        source: source.clone(),
        base_url,
        credentials,
        operations,
        receipt_reply: receipt_reply.unwrap_or(StatusCode::OK),
        examples,
        receipt_examples,
    }
}

fn credential((name, value): (At<String>, Value<'_>)) -> Option<Credential> {
    let table = value.table()?;
    let optional = table.read("optional", Value::boolean).unwrap_or(false);
    let example = table.require("example", Value::string);
    table.finish();
    Some(Credential {
        name: name.value,
        optional,
        example: example.map_or_else(String::new, |e| e.value),
    })
}

pub(super) struct Reader<'a> {
    credentials: &'a [Credential],
}

impl Reader<'_> {
    fn operation(&self, table: &Table<'_>) -> Option<Operation> {
        let base_url = table.read("base_url", Value::string).map(|u| u.value);
        let method = table.read("method", |v| {
            v.one_of(&[("POST", 0), ("GET", 1), ("PUT", 2)])
        });
        let path = table.require("path", |v| self.template(v));
        let query = table.read("query", |v| self.fields(v)).unwrap_or_default();
        let headers = table.read("headers", Value::table);
        let headers = headers.map(|t| self.headers(&t)).unwrap_or_default();
        let auth = table.require("auth", Value::table);
        let auth = auth.and_then(|t| self.auth(&t));
        let body = self.body(table);
        let validity = table.read("validity", Value::table);
        let encoding = table.read("encoding", Value::table);
        let languages = table.read("languages", Value::table);
        let accepted = table.require("accepted", Value::table);
        let accepted = accepted.and_then(|t| accepted_when(&t));
        let refused = table.read("refused", Value::table);
        let receipts = table.read("receipts", Value::table);
        let simulation = table.require("sandbox", Value::table);
        let simulation = simulation.and_then(|t| simulate(&t));
        table.finish();
        Some(Operation {
            base_url,
            method: match method {
                Some(1) => Method::GET,
                Some(2) => Method::PUT,
                Some(_) | None => Method::POST,
            },
            path: path?,
            query,
            headers,
            auth: auth?,
            body,
            validity: validity.and_then(|t| period(&t)),
            encoding: encoding.and_then(|t| words(&t)),
            languages: languages.map(|t| texts(&t)).unwrap_or_default(),
            accepted: accepted?,
            refused: refused.map(|t| refusals(&t)).unwrap_or_default(),
            receipts: receipts.and_then(|t| self.receipts(&t)),
            simulation: simulation?,
        })
    }

    fn headers(&self, table: &Table<'_>) -> Vec<(HeaderName, Template)> {
        let entries = table.entries().into_iter();
        entries
            .filter_map(|(name, v)| Some((header_name(table, name)?, self.template(v)?)))
            .collect()
    }

    fn auth(&self, table: &Table<'_>) -> Option<Auth> {
        let scheme = table.require("scheme", |v| {
            v.one_of(&[
                ("in_request", 0),
                ("basic", 1),
                ("header", 2),
                ("jwt_rs256", 3),
            ])
        });
        let auth = match scheme? {
            0 => Some(Auth::InRequest),
            1 => {
                let user = table.require("user", |v| self.template(v));
                let password = table.require("password", |v| self.template(v));
                user.zip(password)
                    .map(|(user, password)| Auth::Basic { user, password })
            }
            2 => {
                let name = table.read("name", Value::string);
                let name = name.and_then(|n| header_name(table, n));
                let value = table.require("value", |v| self.template(v));
                value.map(|value| Auth::Header {
                    name: name.unwrap_or(http::header::AUTHORIZATION),
                    value,
                })
            }
            _ => {
                let key = table.require("key", |v| self.template(v));
                let claims = table.read("claims", |v| self.fields(v));
                let life = table.read("life", |v| v.duration_ms(60_000, 86_400_000));
                key.map(|key| Auth::Jwt {
                    key,
                    claims: claims.unwrap_or_default(),
                    life_s: life.unwrap_or(900_000) / 1000,
                })
            }
        };
        table.finish();
        auth
    }

    fn body(&self, table: &Table<'_>) -> Body {
        let form = table.get("form");
        let json = table.get("json");
        if let (Some(_), Some(json)) = (form, json) {
            json.wrong::<()>("a request has `form` or `json`, not both", None);
        }
        if let Some(fields) = form.and_then(|v| self.fields(v)) {
            return Body::Form(fields);
        }
        let tree = json.and_then(|v| Some(Tree::Table(self.fields(v)?)));
        tree.map_or(Body::Nothing, Body::Json)
    }

    pub(super) fn template(&self, value: Value<'_>) -> Option<Template> {
        let template = read_template(value, Place::Request)?;
        self.check_slots(value, [&template]);
        Some(template)
    }

    fn fields(&self, value: Value<'_>) -> Option<Vec<(String, Tree)>> {
        let fields = read_fields(value, Place::Request)?;
        self.check_slots(value, fields.iter().flat_map(|(_, t)| t.templates()));
        Some(fields)
    }

    fn check_slots<'t>(&self, value: Value<'_>, templates: impl IntoIterator<Item = &'t Template>) {
        for slot in templates.into_iter().flat_map(Template::slots) {
            let Slot::Credential(name) = slot else {
                continue;
            };
            let mut known = self.credentials.iter().map(|c| c.name.as_str());
            if !known.any(|k| k == name) {
                let known = self.credentials.iter().map(|c| c.name.as_str());
                let hint = did_you_mean(name, known)
                    .unwrap_or_else(|| "list it below `[credentials]`".to_owned());
                value.wrong::<()>(format!("there is no credential `{name}`"), Some(hint));
            }
        }
    }
}

pub(super) fn header_name(table: &Table<'_>, name: At<String>) -> Option<HeaderName> {
    match name.value.parse() {
        Ok(header) => Some(header),
        Err(_) => {
            let message = format!("`{}` is not a header's name", name.value);
            table.error(name.span, message, None);
            None
        }
    }
}

fn period(table: &Table<'_>) -> Option<Validity> {
    let units = [("ms", 1), ("s", 1_000), ("min", 60_000)];
    let unit_ms = table.require("unit", |v| v.one_of(&units));
    let least = table.read("least", |v| v.whole(0, i64::MAX)).unwrap_or(1);
    let most = table.require("most", |v| v.whole(least, i64::MAX));
    table.finish();
    Some(Validity {
        unit_ms: unit_ms?,
        least,
        most: most?,
    })
}

fn words(table: &Table<'_>) -> Option<(String, String)> {
    let gsm7 = table.require("gsm7", Value::string);
    let ucs2 = table.require("ucs2", Value::string);
    table.finish();
    Some((gsm7?.value, ucs2?.value))
}

fn texts(table: &Table<'_>) -> Vec<(String, String)> {
    let entries = table.entries().into_iter();
    entries
        .filter_map(|(name, v)| Some((name.value, v.string()?.value)))
        .collect()
}

fn accepted_when(table: &Table<'_>) -> Option<Accepted> {
    let status = table.require("status", Value::list)?;
    let status = status
        .into_iter()
        .filter_map(|v| v.whole(100, 599))
        .filter_map(|n| u16::try_from(n).ok())
        .collect();
    let when = table.read("when", Value::table);
    let when = when.map(|t| {
        let entries = t.entries().into_iter();
        entries
            .filter_map(|(at, v)| Some((pointer(&t, at)?, plain_list(v)?)))
            .collect()
    });
    let message_id = table.read("message_id", Value::string);
    let parts = table.read("parts", Value::string);
    let accepted = Accepted {
        status,
        when: when.unwrap_or_default(),
        message_id: message_id.and_then(|at| pointer(table, at)),
        parts: parts.and_then(|at| pointer(table, at)),
    };
    table.finish();
    Some(accepted)
}

fn refusals(table: &Table<'_>) -> Refused {
    let coded = coded(table);
    let retry_after = table.read("retry_after", Value::strings);
    let retry_after = retry_after.unwrap_or_default().into_iter();
    let retry_after = retry_after
        .filter_map(|name| header_name(table, name))
        .collect();
    table.finish();
    Refused { coded, retry_after }
}

pub(super) fn coded(table: &Table<'_>) -> Coded {
    let reasons = table.read("reasons", Value::table);
    let daily_cap = table.read("daily_cap", plain_list).unwrap_or_default();
    Coded {
        code: pointers(table, table.read("code", Value::strings)),
        reasons: reasons.map(|t| reason_table(&t)).unwrap_or_default(),
        daily_cap: daily_cap.into_iter().map(codes).collect(),
    }
}

fn reason_table(table: &Table<'_>) -> Vec<(Codes, Reason)> {
    let mut reasons: Vec<(Codes, Reason)> = Vec::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    for (name, value) in table.entries() {
        let Some(reason) = Reason::parse(&name.value) else {
            let hint = did_you_mean(&name.value, Reason::ALL.iter().map(|r| r.as_str()));
            table.error(
                name.span,
                format!("there is no reason `{}`", name.value),
                hint,
            );
            continue;
        };
        for item in value.list().unwrap_or_default() {
            let Some(codes) = plain(item).map(codes) else {
                continue;
            };
            if let Some(at) = reasons.iter().position(|(known, _)| *known == codes) {
                let before = table.source().position(places[at].start).0;
                let message = format!("this code is also on line {before}");
                table.error(item.span(), message, None);
            }
            reasons.push((codes, reason));
            places.push(item.span());
        }
    }
    reasons
}

fn codes(text: String) -> Codes {
    let range = text
        .split_once('-')
        .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    range.map_or(Codes::One(text), |(a, b)| Codes::Range(a, b))
}

fn simulate(table: &Table<'_>) -> Option<Simulation> {
    let read = |key| table.read(key, |v| simulated(&v.table()?));
    let accept = read("accept");
    let reject = read("reject");
    let throttle = read("throttle");
    let error = read("error");
    let default_error = table.require("default_error", plain);
    table.finish();
    let bare = |status| Simulated {
        status,
        headers: Vec::new(),
        json: None,
    };
    Some(Simulation {
        accept: accept.unwrap_or_else(|| bare(200)),
        reject: reject.unwrap_or_else(|| bare(400)),
        throttle: throttle.unwrap_or_else(|| bare(429)),
        error: error.unwrap_or_else(|| bare(500)),
        default_error: default_error?,
    })
}

fn simulated(table: &Table<'_>) -> Option<Simulated> {
    let status = table.require("status", |v| v.whole(100, 599));
    let headers = table.read("headers", Value::table);
    let headers = headers.map(|t| {
        let entries = t.entries().into_iter();
        entries
            .filter_map(|(name, v)| Some((header_name(&t, name)?, v.string()?.value)))
            .collect()
    });
    let json = table.read("json", |v| Tree::read(v, Place::Answer));
    table.finish();
    let status = u16::try_from(status?).unwrap_or(StatusCode::OK.as_u16());
    Some(Simulated {
        status,
        headers: headers.unwrap_or_default(),
        json,
    })
}

pub(super) fn pointers(table: &Table<'_>, texts: Option<Vec<At<String>>>) -> Vec<String> {
    let texts = texts.unwrap_or_default().into_iter();
    texts.filter_map(|at| pointer(table, at)).collect()
}

pub(super) fn pointer(table: &Table<'_>, at: At<String>) -> Option<String> {
    if at.value.starts_with('/') {
        return Some(at.value);
    }
    let message = format!("`{}` is not a JSON pointer", at.value);
    let hint = Some("such as `/messages/0/status`, with `*` for every element".to_owned());
    table.error(at.span, message, hint);
    None
}

pub(super) fn plain_list(value: Value<'_>) -> Option<Vec<String>> {
    Some(value.list()?.into_iter().filter_map(plain).collect())
}

/// A string, number or truth value, as the text that an answer is compared with.
pub(super) fn plain(value: Value<'_>) -> Option<String> {
    if value.raw().is_integer() {
        return value.whole(i64::MIN, i64::MAX).map(|n| n.to_string());
    }
    if let Some(flag) = value.raw().as_bool() {
        return Some(flag.to_string());
    }
    value.string().map(|t| t.value)
}
