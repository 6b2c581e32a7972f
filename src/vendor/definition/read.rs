//! Reads a definition's tables, telling every mistake with its place.

use http::{HeaderName, Method, StatusCode};

use crate::document::{At, Table, Value};
use crate::flow::Channel;
use crate::problem::{Source, did_you_mean};
use crate::vendor::authorization::Auth;
use crate::vendor::definition::read_answer::{accepted_when, naming_pattern, refusals, simulate};
use crate::vendor::definition::read_languages::{names, speaks};
use crate::vendor::definition::read_script::check_script;
use crate::vendor::definition::soundness::{check_defined, check_sent, whole_path};
use crate::vendor::definition::{
    Accepted, Body, Credential, Definition, Fields, Operation, Refused, Regions, Simulation,
    Validity,
};
use crate::vendor::example::Example;
use crate::vendor::example::receipts::ReceiptExample;
use crate::vendor::template::{Place, Slot, Template, Tree, read_fields, read_template};

pub(super) fn definition(source: &Source, root: &Table<'_>) -> Definition {
    let file = source.name.rsplit('/').next().unwrap_or(&source.name);
    let name = file.trim_end_matches(".toml").to_owned();
    let title = root.read("name", Value::string).map(|t| t.value);
    let documentation = root.read("documentation", Value::string).map(|d| d.value);
    let credentials = root.read("credentials", Value::table);
    let credentials: Vec<Credential> = credentials
        .map(|t| t.entries().into_iter().filter_map(credential).collect())
        .unwrap_or_default();
    let reader = Reader {
        credentials: &credentials,
    };
    let base_url = root.read("base_url", |v| reader.secret(v));
    let regions = reader.regions(root);
    let mut operations = Vec::new();
    for (channel, key) in [(Channel::Sms, "sms"), (Channel::Voice, "voice")] {
        if let Some(table) = root.read(key, Value::table) {
            operations.extend(reader.operation(channel, &table).map(|o| (channel, o)));
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
        regions,
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
    fn operation(&self, channel: Channel, table: &Table<'_>) -> Option<Operation> {
        if table.get("sends").is_some() {
            table.read("sends", |v| v.one_of(&[("nothing", ())]));
            table.finish();
            return Some(sends_nothing());
        }
        let told = table.errors_told();
        let base_url = table.read("base_url", |v| self.secret(v));
        let regions = self.regions(table);
        let method = table.read("method", |v| {
            v.one_of(&[("POST", 0), ("GET", 1), ("PUT", 2)])
        });
        let path = table.require("path", |v| whole_path(v, self.template(v)?));
        let query = table.read("query", |v| self.fields(v)).unwrap_or_default();
        let headers = table.read("headers", Value::table);
        let headers = headers.map(|t| self.headers(&t)).unwrap_or_default();
        let auth = table.require("auth", Value::table);
        let auth = auth.and_then(|t| self.auth(&t));
        let body = self.body(table);
        let is_whole = table.errors_told() == told;
        let is_field = |name: &str| has_field(name, &query, &headers, &body);
        let idempotency = table.read("idempotency", |v| one_field(v, is_field));
        let validity = table.read("validity", Value::table);
        let encoding = table.read("encoding", Value::table);
        let speaks = speaks(channel, table);
        let languages = names(table, speaks.as_ref());
        let answer_pattern = table.read("answer_pattern", naming_pattern);
        let accepted = table.require("accepted", Value::table);
        let accepted = accepted.and_then(|t| accepted_when(&t));
        let refused = table.read("refused", Value::table);
        let receipts = table.read("receipts", Value::table);
        let script = self.script(channel, table);
        let simulation = table.require("sandbox", Value::table);
        let simulation = simulation.and_then(|t| simulate(&t));
        table.finish();
        let operation = Operation {
            sends_nothing: false,
            base_url,
            regions,
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
            idempotency,
            encoding: encoding.and_then(|t| words(&t)),
            speaks,
            languages,
            answer_pattern,
            accepted: accepted?,
            refused: refused.map(|t| refusals(&t)).unwrap_or_default(),
            receipts: receipts.and_then(|t| self.receipts(&t)),
            script,
            simulation: simulation?,
        };
        check_script(channel, table, &operation);
        check_defined(table, &operation);
        if is_whole {
            check_sent(channel, table, &operation);
        }
        Some(operation)
    }

    fn regions(&self, table: &Table<'_>) -> Regions {
        let regions = table.read("regions", Value::table);
        let regions = regions.map(|t| t.entries()).unwrap_or_default();
        let regions = regions.into_iter();
        regions
            .filter_map(|(name, v)| Some((name.value, self.secret(v)?)))
            .collect()
    }

    fn headers(&self, table: &Table<'_>) -> Vec<(HeaderName, Template)> {
        let entries = table.entries().into_iter();
        entries
            .filter_map(|(name, v)| {
                Some((
                    header_name(table, name)?,
                    self.template_in(v, Place::Header)?,
                ))
            })
            .collect()
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
        self.template_in(value, Place::Request)
    }

    pub(super) fn template_in(&self, value: Value<'_>, place: Place) -> Option<Template> {
        let template = read_template(value, place)?;
        self.check_slots(value, [&template]);
        Some(template)
    }

    /// A text of credentials alone: where it stands there is no message.
    pub(super) fn secret(&self, value: Value<'_>) -> Option<Template> {
        self.template_in(value, Place::Account)
    }

    pub(super) fn fields(&self, value: Value<'_>) -> Option<Vec<(String, Tree)>> {
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
    let units = [
        ("ms", ("ms", 1)),
        ("s", ("s", 1_000)),
        ("min", ("min", 60_000)),
    ];
    let unit = table.require("unit", |v| v.one_of(&units));
    let least = table.read("least", |v| v.whole(0, i64::MAX)).unwrap_or(1);
    let most = table.require("most", |v| v.whole(least, i64::MAX));
    table.finish();
    let (unit, unit_ms) = unit?;
    Some(Validity {
        unit,
        unit_ms,
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

/// An operation of which there is nothing to say.
fn sends_nothing() -> Operation {
    Operation {
        sends_nothing: true,
        base_url: None,
        regions: Regions::new(),
        method: Method::POST,
        path: Template::words(""),
        query: Fields::new(),
        headers: Vec::new(),
        auth: Auth::InRequest,
        body: Body::Nothing,
        validity: None,
        idempotency: None,
        encoding: None,
        speaks: None,
        languages: Vec::new(),
        answer_pattern: None,
        accepted: Accepted::default(),
        refused: Refused::default(),
        receipts: None,
        script: None,
        simulation: Simulation::default(),
    }
}

/// The name of a field that the request has.
fn one_field(value: Value<'_>, is_there: impl Fn(&str) -> bool) -> Option<String> {
    let field = value.string()?.value;
    if is_there(&field) {
        return Some(field);
    }
    let hint = "a field of the form or the query, a header, or a JSON pointer";
    let message = format!("the request has no field `{field}`");
    value.wrong(message, Some(hint.to_owned()))
}

/// Whether a request has a field of this name: in the query or the form, a header, or at a JSON pointer.
fn has_field(name: &str, query: &Fields, headers: &[(HeaderName, Template)], body: &Body) -> bool {
    let among = |fields: &Fields| fields.iter().any(|(known, _)| known == name);
    let in_body = match body {
        Body::Nothing => false,
        Body::Form(fields) => among(fields),
        Body::Json(tree) => name.starts_with('/') && tree.at(name).is_some(),
    };
    in_body || among(query) || headers.iter().any(|(known, _)| known.as_str() == name)
}
