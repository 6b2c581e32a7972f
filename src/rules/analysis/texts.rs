//! Finds texts that a country's networks drop, cut into pieces, or want registered.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Channel, SenderType, Step};
use crate::number::Country;
use crate::rules::analysis::reach::template_name;
use crate::rules::analysis::{Analysis, quoted, shown};
use crate::rules::countries::{Regime, Support, TextRule, regime};
use crate::rules::file::Template;
use crate::rules::probe::Probe;
use crate::text::{Encoding, Given, SHOWN_CODE, measure, render};

/// So many digits in a row, spaces and hyphens aside, are taken for a telephone number.
const DIGITS_OF_NUMBER: usize = 7;
/// What is sent with a text where it is registered by ids.
const DLT_PARAMETERS: [&str; 2] = ["entity_id", "template_id"];
/// What `{org}` is where no org is configured.
const NOBODY: &str = "Okta";

/// What is wrong with a text in a country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Flaw {
    NoBrand,
    NoSignature,
    Url,
    UnlistedUrl,
    Number,
    TooManyParts,
    InPieces,
    NotGsm7,
}

impl Flaw {
    fn in_words(self, countries: &str) -> String {
        match self {
            Flaw::NoBrand => format!("has no brand in it, as texts must in {countries}"),
            Flaw::NoSignature => format!("has no 【signature】, as texts must in {countries}"),
            Flaw::Url => format!("has a link or host in it, which is blocked in {countries}"),
            Flaw::UnlistedUrl => {
                format!("has a link or host in it, which must be registered in {countries}")
            }
            Flaw::Number => {
                format!("has a telephone number in it, which is blocked in {countries}")
            }
            Flaw::TooManyParts => format!("takes more parts than get through in {countries}"),
            Flaw::InPieces => format!("takes several parts, which come one by one in {countries}"),
            Flaw::NotGsm7 => {
                format!("has characters that not all networks show in {countries}")
            }
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Flaw::NoBrand => "`{org}`, or the sender's name, in the text",
            Flaw::NoSignature => "begin the text with the registered signature in 【】",
            Flaw::Url | Flaw::Number => {
                "another `[[template]]` for these countries; `webotp` counts as a link"
            }
            Flaw::UnlistedUrl => "have it registered; `webotp` counts as a link",
            Flaw::TooManyParts | Flaw::InPieces => "a shorter `[[template]]` for these countries",
            Flaw::NotGsm7 => "a `[[template]]` of plain characters, or `transliterate = true`",
        }
    }
}

impl Analysis<'_> {
    pub(super) fn texts_by_country(&self) {
        let mut flaws: BTreeMap<(&str, Flaw), BTreeSet<Country>> = BTreeMap::new();
        let mut okta_s_own: BTreeSet<Country> = BTreeSet::new();
        let mut without_ids: BTreeMap<Country, BTreeSet<&str>> = BTreeMap::new();
        for (country, probe, _, plan) in self.named_texts() {
            let Some(regime) = regime(country) else {
                continue;
            };
            for step in plan
                .steps
                .iter()
                .filter(|step| step.channel == Channel::Sms)
            {
                let wording = step.wording.as_deref();
                let has = |id: &str| wording.is_some_and(|w| w.parameters.contains_key(id));
                if regime.dlt && !DLT_PARAMETERS.iter().all(|id| has(id)) {
                    without_ids.entry(country).or_default().insert(&step.vendor);
                }
                match wording.and_then(|wording| wording.template.as_deref()) {
                    Some(template) => {
                        for flaw in self.flaws(regime, probe, step) {
                            flaws.entry((template, flaw)).or_default().insert(country);
                        }
                    }
                    None if regime.wants_own_text() && probe.message.channel == Channel::Sms => {
                        okta_s_own.insert(country);
                    }
                    None => {}
                }
            }
        }
        for ((name, flaw), countries) in flaws {
            let written = self
                .written
                .templates
                .iter()
                .find(|t| template_name(t) == name);
            if let Some(Template { text, .. }) = written {
                let message = format!("template `{name}` {}", flaw.in_words(&shown(&countries)));
                text.warning(self.problems, message, Some(flaw.hint().to_owned()));
            }
        }
        for (country, vendors) in without_ids {
            let message = format!(
                "texts to {country} by {} carry no `entity_id` and `template_id`",
                quoted(vendors)
            );
            let hint = "`parameters = { entity_id = \"..\", template_id = \"..\" }` in a `[[template]]`; without them only international routes are left";
            self.general(message, Some(hint.to_owned()));
        }
        if !okta_s_own.is_empty() {
            let message = format!(
                "Okta's own text is sent to {}, where texts must be registered or name the brand",
                shown(&okta_s_own)
            );
            let hint = "a `[[template]]` with `country`, as it is registered there";
            self.general(message, Some(hint.to_owned()));
        }
    }

    fn flaws(&self, regime: &Regime, probe: &Probe, step: &Step) -> Vec<Flaw> {
        let given = Given {
            channel: probe.message.channel,
            code: probe.message.code.as_ref(),
            text: probe.message.text.as_ref(),
        };
        let said = render(step.wording.as_deref(), step.channel, &given);
        let said = said.expose();
        let size = measure(said);
        let is_gsm7 = size.encoding == Encoding::Gsm7;
        let fits_one = regime
            .part_units
            .is_none_or(|units| !is_gsm7 || size.units <= units);
        let parts = if fits_one {
            size.parts
        } else {
            size.parts.max(2)
        };
        let in_pieces = regime.concat == Support::No && parts > 1;
        let found = [
            (
                Flaw::NoBrand,
                regime.asks(TextRule::Brand) && !self.names_brand(said, step),
            ),
            (
                Flaw::NoSignature,
                regime.asks(TextRule::Signature) && !is_signed(said),
            ),
            (Flaw::Url, regime.asks(TextRule::NoUrls) && has_url(said)),
            (
                Flaw::UnlistedUrl,
                regime.asks(TextRule::ListedUrls) && has_url(said),
            ),
            (
                Flaw::Number,
                regime.asks(TextRule::NoNumbers) && has_number(said),
            ),
            (
                Flaw::TooManyParts,
                !in_pieces && regime.parts_max.is_some_and(|max| parts > max),
            ),
            (Flaw::InPieces, in_pieces),
            (
                Flaw::NotGsm7,
                !is_gsm7 && matches!(regime.unicode, Support::No | Support::Limited),
            ),
        ];
        found
            .into_iter()
            .filter(|(_, is_so)| *is_so)
            .map(|(flaw, _)| flaw)
            .collect()
    }

    /// Whether what people call an org, or the sender's name, stands in it.
    fn names_brand(&self, said: &str, step: &Step) -> bool {
        let orgs = self.fleet.orgs.iter().map(|(_, display)| &**display);
        let nobody = self.fleet.orgs.is_empty().then_some(NOBODY);
        let sender = step
            .from
            .as_deref()
            .filter(|_| step.sender_type() == SenderType::Alpha);
        let said = said.to_lowercase();
        let mut brands = orgs.chain(nobody).chain(sender);
        brands.any(|brand| said.contains(&brand.to_lowercase()))
    }
}

impl Regime {
    /// Whether Okta's own text cannot be what goes through.
    fn wants_own_text(&self) -> bool {
        let wants = [TextRule::Brand, TextRule::Signature, TextRule::Template];
        wants.into_iter().any(|rule| self.asks(rule))
    }
}

fn is_signed(said: &str) -> bool {
    let signature = said
        .split_once('【')
        .and_then(|(_, rest)| rest.split_once('】'));
    signature.is_some_and(|(name, _)| !name.trim().is_empty())
}

/// Whether a word is an address, or a host as the last line of an origin-bound code has it.
fn has_url(said: &str) -> bool {
    said.split_whitespace().any(|word| {
        let word = word
            .trim_start_matches(['@', '(', '<'])
            .trim_end_matches(['.', ',', ')', '>']);
        let host = word.split(['/', ':', '?']).next().unwrap_or_default();
        let is_host = host.rsplit_once('.').is_some_and(|(name, end)| {
            let is_end = end.len() >= 2 && end.chars().all(|c| c.is_ascii_alphabetic());
            is_end && name.chars().last().is_some_and(char::is_alphanumeric)
        });
        word.contains("://") || is_host
    })
}

/// Whether there is a telephone number beside the passcode.
fn has_number(said: &str) -> bool {
    let rest = said.replace(SHOWN_CODE, "x");
    let mut digits = 0;
    for c in rest.chars() {
        digits = match c {
            '0'..='9' => digits + 1,
            ' ' | '-' | '(' | ')' | '.' | '+' => digits,
            _ => 0,
        };
        if digits >= DIGITS_OF_NUMBER {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_hosts_and_numbers_are_seen() {
        for text in [
            "see https://acme.com/x",
            "at acme.com.",
            "1 is it\n@login.acme.com #1",
        ] {
            assert!(has_url(text), "{text}");
        }
        for text in ["Your code is 123456. Bye", "e.g. this", "3.14", "Mr.X", ""] {
            assert!(!has_url(text), "{text}");
        }
        assert!(has_number("call +65 6123 4567"));
        assert!(!has_number("123456 for 5 minutes, 2026"));
        assert!(is_signed("【ACME】123456") && !is_signed("【】123456") && !is_signed("ACME"));
    }
}
