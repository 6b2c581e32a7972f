//! What an example gives beside what it should give, told difference by difference.

use serde_json::{Map, Value as Json};

/// So many differences of an example are told; of the rest, how many they are.
const TOLD_MAX: usize = 8;
/// So much of a value is shown.
const VALUE_CHARS_MAX: usize = 200;

/// What differs, in words.
#[derive(Default)]
pub(super) struct Differences(Vec<String>);

impl Differences {
    /// Something that a sentence tells.
    pub(super) fn tell(&mut self, told: impl Into<String>) {
        self.0.push(told.into());
    }

    /// A text that is another, or not there.
    pub(super) fn text(&mut self, what: &str, expected: Option<&str>, found: Option<&str>) {
        let word = |text: Option<&str>| match text {
            Some(text) => format!("`{}`", cut(text)),
            None => "none".to_owned(),
        };
        if expected != found {
            self.tell(format!("{what} is {}, not {}", word(found), word(expected)));
        }
    }

    /// The fields of a form.
    pub(super) fn form(&mut self, expected: &Json, found: &Map<String, Json>) {
        let Some(expected) = expected.as_object() else {
            return self.tell(format!("a form has fields; {} is none", shown(expected)));
        };
        for (name, value) in expected {
            match found.get(name) {
                Some(given) if given == value => {}
                Some(given) => self.tell(format!(
                    "the field `{name}` is {}, not {}",
                    shown(given),
                    shown(value)
                )),
                None => self.tell(format!("the field `{name}` is missing")),
            }
        }
        for name in found.keys().filter(|name| !expected.contains_key(*name)) {
            self.tell(format!("the field `{name}` is too much"));
        }
    }

    /// Everything in a JSON body.
    pub(super) fn json(&mut self, expected: &Json, found: &Json) {
        self.json_at("", expected, found);
    }

    fn json_at(&mut self, at: &str, expected: &Json, found: &Json) {
        match (expected, found) {
            (Json::Object(expected), Json::Object(found)) => {
                for (name, value) in expected {
                    let at = inside(at, name);
                    match found.get(name) {
                        Some(given) => self.json_at(&at, value, given),
                        None => self.tell(format!("`{at}` is missing")),
                    }
                }
                for name in found.keys().filter(|name| !expected.contains_key(*name)) {
                    self.tell(format!("`{}` is too much", inside(at, name)));
                }
            }
            (Json::Array(expected), Json::Array(found)) => {
                for (i, (value, given)) in expected.iter().zip(found).enumerate() {
                    self.json_at(&format!("{at}/{i}"), value, given);
                }
                for i in found.len()..expected.len() {
                    self.tell(format!("`{at}/{i}` is missing"));
                }
                for i in expected.len()..found.len() {
                    self.tell(format!("`{at}/{i}` is too much"));
                }
            }
            (expected, found) if expected == found => {}
            (expected, found) => {
                let place = match at {
                    "" => "the body".to_owned(),
                    at => format!("at `{at}`"),
                };
                let (found, expected) = (shown(found), shown(expected));
                self.tell(format!("{place} is {found}, not {expected}"));
            }
        }
    }

    /// All that is to be told.
    pub(super) fn told(self) -> Vec<String> {
        let mut told = self.0;
        let more = told.len().saturating_sub(TOLD_MAX);
        told.truncate(TOLD_MAX);
        told.extend((more > 0).then(|| format!("and {more} more")));
        told
    }
}

/// The JSON pointer of what has a name in a table.
fn inside(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn shown(value: &Json) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{} ..", &text[..end]),
        None => text.to_owned(),
    }
}
