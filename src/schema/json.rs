//! Makes a JSON Schema of a description (draft 07, which TOML editors read; `x-taplo` explains single words to them).

use serde_json::{Map, Value as Json, json};

use crate::schema::kind::{duration_pattern, duration_text};
use crate::schema::{Absence, Form, Key, Kind, Language, Needs, Table, Word};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Tables by id; a table that is used twice is in it once.
type Definitions = Map<String, Json>;

pub(super) fn schema(language: Language) -> Json {
    let mut definitions = Definitions::new();
    let mut schema = table(&language.root(), &mut definitions);
    schema.insert("$schema".to_owned(), json!(DRAFT));
    schema.insert("title".to_owned(), json!(language.title()));
    schema.insert("definitions".to_owned(), Json::Object(definitions));
    Json::Object(schema)
}

fn table(table: &Table, definitions: &mut Definitions) -> Map<String, Json> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("description".to_owned(), json!(table.about));
    let properties: Map<String, Json> = table
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key, definitions)))
        .collect();
    schema.insert("properties".to_owned(), Json::Object(properties));
    let required = table.keys.iter().filter(|k| k.absence == Absence::Wrong);
    let required: Vec<&str> = required.map(|k| k.name).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    let others = match &table.others {
        Some((_, kind)) => value(kind, definitions),
        None => json!(false),
    };
    schema.insert("additionalProperties".to_owned(), others);
    let needs: Vec<Json> = table.needs.iter().map(need).collect();
    if !needs.is_empty() {
        schema.insert("allOf".to_owned(), json!(needs));
    }
    schema
}

fn need(need: &Needs) -> Json {
    let one = |key: &&str| json!({ "required": [key] });
    match need {
        Needs::OneOf(keys) => json!({ "oneOf": keys.iter().map(one).collect::<Vec<_>>() }),
        Needs::AnyOf(keys) => json!({ "anyOf": keys.iter().map(one).collect::<Vec<_>>() }),
        Needs::Both(a, b) => json!({ "dependencies": { *a: [b], *b: [a] } }),
    }
}

fn property(key: &Key, definitions: &mut Definitions) -> Json {
    let schema = value(&key.kind, definitions);
    let Json::Object(mut schema) = schema else {
        return schema;
    };
    // Draft 07 does not look at what stands beside a reference; its table describes itself.
    if schema.contains_key("$ref") {
        return Json::Object(schema);
    }
    let mut about = key.about.to_owned();
    if let Some(range) = range(&key.kind) {
        about.push_str(&format!(" ({range})"));
    }
    match key.absence {
        Absence::Same(default) => {
            about.push_str(&format!(" Default: `{default}`."));
            if let Some(default) = toml_value(default) {
                schema.insert("default".to_owned(), default);
            }
        }
        Absence::Means(words) => about.push_str(&format!(" Default: {words}.")),
        Absence::Wrong | Absence::Told => {}
    }
    schema.insert("description".to_owned(), json!(about));
    Json::Object(schema)
}

/// A range that the schema itself cannot state.
fn range(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Duration { least, most } => {
            let (least, most) = (duration_text(*least), duration_text(*most));
            Some(format!("{least} to {most}"))
        }
        Kind::Any(kinds) => kinds.iter().find_map(range),
        _ => None,
    }
}

fn toml_value(text: &str) -> Option<Json> {
    let document: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    serde_json::to_value(document.get("value")?).ok()
}

fn value(kind: &Kind, definitions: &mut Definitions) -> Json {
    match kind {
        Kind::Text { offers, blank, .. } => text(offers, *blank),
        Kind::Form(form) => formed(form),
        Kind::Words(words) => one_of(words),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Plain => json!({ "type": ["string", "integer", "boolean"] }),
        Kind::Whole { least, most } => whole(*least, *most),
        Kind::Number { least, most } => {
            json!({ "type": "number", "minimum": least, "maximum": most })
        }
        Kind::Duration { .. } => json!({ "type": "string", "pattern": duration_pattern() }),
        Kind::Some { of, least } => {
            let one = value(of, definitions);
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": least }] })
        }
        Kind::List { of, least } => {
            json!({ "type": "array", "items": value(of, definitions), "minItems": least })
        }
        Kind::Any(kinds) => {
            let all: Vec<Json> = kinds.iter().map(|k| value(k, definitions)).collect();
            json!({ "anyOf": all })
        }
        Kind::Table(table) => reference(table, definitions),
        Kind::Tables(table) => json!({ "type": "array", "items": reference(table, definitions) }),
        Kind::Named(_, of) => {
            json!({ "type": "object", "additionalProperties": value(of, definitions) })
        }
        Kind::Tree { id, text } => tree(id, text, definitions),
    }
}

fn text(offers: &[&str], blank: bool) -> Json {
    let any = match blank {
        true => json!({ "type": "string" }),
        false => json!({ "type": "string", "pattern": "\\S" }),
    };
    match offers {
        [] => any,
        offers => json!({ "anyOf": [{ "enum": offers }, any] }),
    }
}

fn formed(form: &Form) -> Json {
    json!({ "type": "string", "pattern": form.pattern, "examples": form.examples })
}

fn one_of(words: &[Word]) -> Json {
    let names: Vec<&str> = words.iter().map(|w| w.word).collect();
    let mut schema = json!({ "type": "string", "enum": names });
    if words.iter().any(|w| !w.about.is_empty()) {
        let told: Vec<&str> = words.iter().map(|w| w.about).collect();
        schema["x-taplo"] = json!({ "docs": { "enumValues": told } });
    }
    schema
}

fn whole(least: i64, most: i64) -> Json {
    let mut schema = json!({ "type": "integer" });
    if least > i64::MIN {
        schema["minimum"] = json!(least);
    }
    if most < i64::MAX {
        schema["maximum"] = json!(most);
    }
    schema
}

fn reference(of: &Table, definitions: &mut Definitions) -> Json {
    if !definitions.contains_key(of.id) {
        let made = table(of, definitions);
        definitions.insert(of.id.to_owned(), Json::Object(made));
    }
    json!({ "$ref": format!("#/definitions/{}", of.id) })
}

fn tree(id: &str, form: &Form, definitions: &mut Definitions) -> Json {
    let itself = json!({ "$ref": format!("#/definitions/{id}") });
    let any = json!({ "anyOf": [
        formed(form),
        { "type": ["integer", "boolean"] },
        { "type": "array", "items": itself },
        { "type": "object", "additionalProperties": itself },
    ] });
    definitions.insert(id.to_owned(), any);
    itself
}
