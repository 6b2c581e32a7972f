//! Makes what a vendor is given to send or to say.

use std::borrow::Cow;

use crate::flow::{Channel, Secret, Wording};
use crate::text::plain::shortest;
use crate::text::script::{script, tag};
use crate::text::words::fill;

/// The language of a text that nobody named one for.
const DEFAULT_LANGUAGE: &str = "en-US";

/// What Okta gave.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The channel it asked for.
    pub channel: Channel,
    pub code: Option<&'a Secret>,
    /// Its own text, with the passcode in it.
    pub text: Option<&'a Secret>,
}

/// The text that is sent or read out by `channel`; empty where there is nothing to say. Okta's own text is
/// for the channel that it was written for, and for the rest only where there is no passcode apart from it.
pub fn render(wording: Option<&Wording>, channel: Channel, given: &Given<'_>) -> Secret {
    let Some(code) = given.code.map(Secret::expose) else {
        return given.text.cloned().unwrap_or_else(|| Secret::new(""));
    };
    let text = match (wording.and_then(|w| w.text.as_deref()), channel) {
        (Some(words), Channel::Sms) => Secret::new(fill(words, code)),
        (Some(words), Channel::Voice) => Secret::new(fill(words, one_by_one(code).expose())),
        (None, Channel::Voice) => {
            let words = script(language_of(wording)).spoken;
            Secret::new(fill(words, one_by_one(code).expose()))
        }
        (None, Channel::Sms) => match given.text.filter(|_| given.channel == Channel::Sms) {
            Some(own) => own.clone(),
            None => Secret::new(fill(script(language_of(wording)).written, code)),
        },
    };
    let may_change = channel == Channel::Sms && wording.is_some_and(|w| w.transliterate);
    if !may_change {
        return text;
    }
    match shortest(text.expose(), code) {
        Cow::Owned(plain) => Secret::new(plain),
        Cow::Borrowed(_) => text,
    }
}

/// The language in which a vendor is to read what `render` made of this wording, as a BCP 47 tag.
pub fn language(wording: Option<&Wording>) -> Cow<'_, str> {
    let written = wording.is_some_and(|w| w.text.is_some());
    match wording.and_then(|w| w.language.as_deref()) {
        Some(language) if written => tag(language),
        // The script may be in another language, where there is none in this one.
        Some(language) => Cow::Borrowed(script(language).language),
        None => Cow::Borrowed(DEFAULT_LANGUAGE),
    }
}

fn language_of(wording: Option<&Wording>) -> &str {
    let language = wording.and_then(|w| w.language.as_deref());
    language.unwrap_or(DEFAULT_LANGUAGE)
}

/// Digits and letters apart, so that no engine reads a number or a word.
fn one_by_one(code: &str) -> Secret {
    let mut apart = String::with_capacity(code.len() * 3);
    for c in code.chars() {
        if !apart.is_empty() {
            apart.push_str(", ");
        }
        apart.push(c);
    }
    Secret::new(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read out in a call in English.
    fn spoken(code: &str) -> String {
        fill(script(DEFAULT_LANGUAGE).spoken, one_by_one(code).expose())
    }

    const OWN: &str = "Okta says 123456";

    /// What is made of Okta's text and of the code 123456.
    fn made(wording: Option<&Wording>, channel: Channel, asked: Channel) -> String {
        let (code, text) = (Secret::new("123456"), Secret::new(OWN));
        let given = Given {
            channel: asked,
            code: Some(&code),
            text: Some(&text).filter(|_| asked == Channel::Sms),
        };
        render(wording, channel, &given).expose().to_owned()
    }

    fn wording(text: &str) -> Wording {
        Wording {
            text: Some(text.into()),
            ..Wording::default()
        }
    }

    fn in_language(language: &str) -> Wording {
        Wording {
            language: Some(language.into()),
            ..Wording::default()
        }
    }

    #[test]
    fn without_a_wording_okta_is_quoted_and_the_rest_is_english() {
        assert_eq!(made(None, Channel::Sms, Channel::Sms), OWN);
        let written = "Your verification code is 123456.";
        assert_eq!(made(None, Channel::Sms, Channel::Voice), written);
        let called = spoken("123456");
        assert_eq!(called.matches("1, 2, 3, 4, 5, 6").count(), 2);
        assert!(called.starts_with("Hello. Your verification code is 1, "));
        assert_eq!(made(None, Channel::Voice, Channel::Voice), called);
        assert_eq!(made(None, Channel::Voice, Channel::Sms), called);
    }

    #[test]
    fn a_code_that_came_without_a_text_gets_one() {
        let code = Secret::new("42");
        let given = Given {
            channel: Channel::Sms,
            code: Some(&code),
            text: None,
        };
        let german = in_language("de");
        let text = render(Some(&german), Channel::Sms, &given);
        assert_eq!(text.expose(), "Ihr Bestätigungscode lautet 42.");
        let text = render(None, Channel::Sms, &given);
        assert_eq!(text.expose(), "Your verification code is 42.");
    }

    #[test]
    fn a_template_is_filled_on_both_channels() {
        let wording = wording("{code} is your ACME code.\n@acme.com #{code}");
        let written = "123456 is your ACME code.\n@acme.com #123456";
        assert_eq!(made(Some(&wording), Channel::Sms, Channel::Sms), written);
        let said = made(Some(&wording), Channel::Voice, Channel::Sms);
        assert!(said.starts_with("1, 2, 3, 4, 5, 6 is your ACME code."));
    }

    #[test]
    fn a_language_alone_changes_scripts_and_not_oktas_text() {
        let german = in_language("de-DE");
        assert_eq!(made(Some(&german), Channel::Sms, Channel::Sms), OWN);
        let said = made(Some(&german), Channel::Voice, Channel::Voice);
        assert!(said.contains("Bestätigungscode lautet 1, 2, 3"), "{said}");
    }

    #[test]
    fn without_a_code_oktas_text_is_all_there_is() {
        let text = Secret::new(OWN);
        for given in [None, Some(&text)] {
            let given = Given {
                channel: Channel::Sms,
                code: None,
                text: given,
            };
            let expected = given.text.map_or("", Secret::expose);
            let words = wording("{code} is your code.");
            for channel in Channel::ALL {
                assert_eq!(render(Some(&words), channel, &given).expose(), expected);
                assert_eq!(render(None, channel, &given).expose(), expected);
            }
        }
    }

    #[test]
    fn letters_are_said_one_by_one_too() {
        assert!(spoken("a7B").contains("a, 7, B"));
        assert_eq!(one_by_one("").expose(), "");
    }

    #[test]
    fn plain_characters_are_for_messages_that_get_shorter_by_it() {
        let long = format!("“{{code}}” {}", "č".repeat(70));
        let mut wording = wording(&long);
        let typographic = long.replace("{code}", "123456");
        assert_eq!(
            made(Some(&wording), Channel::Sms, Channel::Sms),
            typographic
        );
        wording.transliterate = true;
        let plain = format!("\"123456\" {}", "c".repeat(70));
        assert_eq!(made(Some(&wording), Channel::Sms, Channel::Sms), plain);
        let said = made(Some(&wording), Channel::Voice, Channel::Sms);
        assert!(said.starts_with('“'), "{said}");
        // Okta's own text too.
        let own = Wording {
            transliterate: true,
            ..Wording::default()
        };
        let (code, text) = (Secret::new("123456"), Secret::new(&*typographic));
        let given = Given {
            channel: Channel::Sms,
            code: Some(&code),
            text: Some(&text),
        };
        assert_eq!(render(Some(&own), Channel::Sms, &given).expose(), plain);
    }

    #[test]
    fn a_call_is_read_in_the_language_of_its_text() {
        assert_eq!(language(None), "en-US");
        assert_eq!(language(Some(&Wording::default())), "en-US");
        assert_eq!(language(Some(&in_language("de"))), "de-DE");
        // There is no script in it, so that English is read.
        assert_eq!(language(Some(&in_language("sw-KE"))), "en-US");
        let swahili = Wording {
            language: Some("sw-KE".into()),
            ..wording("Nambari yako ni {code}.")
        };
        assert_eq!(language(Some(&swahili)), "sw-KE");
    }
}
