//! The languages that somebody has a voice for.

use crate::text::script::languages;

/// BCP 47 tags, or their beginnings: `en` stands for `en-US` too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages(Vec<String>);

impl Languages {
    pub fn new(tags: Vec<String>) -> Languages {
        Languages(tags)
    }

    /// Whether a language is among them.
    pub fn has(&self, language: &str) -> bool {
        self.0.iter().any(|known| begins_with(language, known))
    }

    /// Whether they have all of what begins so, or some.
    pub fn has_any(&self, beginning: &str) -> bool {
        self.has(beginning) || self.0.iter().any(|known| begins_with(known, beginning))
    }

    /// In how many of the languages that there are scripts in one could be called.
    pub fn scripts(&self) -> usize {
        languages().filter(|language| self.has(language)).count()
    }

    /// As they are written.
    pub fn tags(&self) -> &[String] {
        &self.0
    }
}

/// Whether a text is a BCP 47 tag, as far as its form tells.
pub fn is_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let primary = subtags.next().unwrap_or_default();
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags
            .all(|s| (2..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn begins_with(tag: &str, beginning: &str) -> bool {
    let rest = tag.get(beginning.len()..);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        && tag.as_bytes()[..beginning.len()].eq_ignore_ascii_case(beginning.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tags: &[&str]) -> Languages {
        Languages::new(tags.iter().map(|&tag| tag.to_owned()).collect())
    }

    #[test]
    fn a_tag_stands_for_what_begins_with_it() {
        let all = of(&["en", "de-DE", "PT-br"]);
        for language in ["en", "en-US", "EN-gb-wls", "de-de", "pt-BR"] {
            assert!(all.has(language), "{language}");
        }
        for language in ["", "e", "eng", "de", "de-AT", "pt", "pt-PT"] {
            assert!(!all.has(language), "{language}");
        }
        assert!(all.has_any("pt") && all.has_any("en-GB") && !all.has_any("pt-PT"));
    }

    #[test]
    fn those_with_a_script_are_counted() {
        assert_eq!(of(&["en"]).scripts(), 1);
        assert_eq!(of(&["cmn", "pt", "cy"]).scripts(), 4);
        let all: Vec<&str> = languages().collect();
        assert_eq!(of(&all).scripts(), all.len());
    }

    #[test]
    fn a_tag_has_its_form() {
        for tag in ["en", "fil", "pt-BR", "zh-Hant-TW", "es-419"] {
            assert!(is_tag(tag), "{tag}");
        }
        for text in ["", "e", "english", "en_US", "en-", "en-é", "*"] {
            assert!(!is_tag(text), "{text}");
        }
    }
}
