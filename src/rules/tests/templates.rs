//! What is said: which template wins, what it comes to, and how long it may be.

use super::*;
use crate::text::{Given, render};

fn with(more: &str) -> String {
    format!(
        "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nchain = \"c\"\n{more}"
    )
}

/// What the first vendor is given.
#[track_caller]
fn said(text: &str, change: impl FnOnce(&mut Message)) -> String {
    let mut message = message(SINGAPORE);
    change(&mut message);
    let plan = plan(rules(text).decide(&message, 0));
    let given = Given {
        channel: message.channel,
        code: message.code.as_ref(),
        text: message.text.as_ref(),
    };
    let step = &plan.steps[0];
    let text = render(step.wording.as_deref(), step.channel, &given);
    text.expose().to_owned()
}

#[test]
fn okta_s_own_text_is_sent_unless_a_template_fits() {
    assert_eq!(said(&with(""), |_| {}), "Your code is 123456");
    let france = "[[template]]\ncountry = \"FR\"\ntext = \"{code} pour {org}, {minutes} min\"\n";
    assert_eq!(said(&with(france), |_| {}), "Your code is 123456");
    assert_eq!(said(&with(france), to(FRANCE)), "123456 pour Acme, 5 min");
}

#[test]
fn the_template_with_most_conditions_wins_and_then_the_closer_locale() {
    let text = with(
        "[[template]]\ntext = \"any {code}\"\n\
         [[template]]\nlocale = \"en\"\ntext = \"en {code}\"\n\
         [[template]]\nlocale = \"en-US\"\ntext = \"en-us {code}\"\n\
         [[template]]\nlocale = \"de\"\ncountry = \"SG\"\ntext = \"de sg {code}\"\n\
         [[template]]\nvendor = \"two\"\nlocale = \"en\"\ntext = \"two {code}\"\n\
         [[template]]\nrequest_type = \"account-unlock\"\nlocale = \"fr\"\ntext = \"unlock {code}\"\n",
    );
    let locale = |l: &'static str| move |m: &mut Message| m.locale = l.to_owned();
    assert_eq!(said(&text, |_| {}), "en-us 123456");
    assert_eq!(said(&text, locale("en-gb")), "en 123456");
    assert_eq!(said(&text, locale("de-de")), "de sg 123456");
    assert_eq!(said(&text, locale("ja")), "any 123456");
    let unlock = |m: &mut Message| {
        m.locale = "fr".to_owned();
        m.request_type = "account-unlock".to_owned();
    };
    assert_eq!(said(&text, unlock), "unlock 123456");
}

#[test]
fn vendors_of_one_chain_may_say_different_things() {
    let text = with(
        "[[template]]\nvendor = \"two\"\ntext = \"two {code}\"\nparameters = { entity_id = \"110\" }\n",
    );
    let plan = plan(rules(&text).decide(&message(SINGAPORE), 0));
    assert_eq!(plan.steps[0].wording, None);
    let wording = plan.steps[1].wording.as_deref().expect("a wording");
    assert_eq!(wording.text.as_deref(), Some("two {code}"));
    assert_eq!(wording.template.as_deref(), Some("r.toml:8"));
    assert_eq!(wording.parameters["entity_id"], "110".into());
}

#[test]
fn a_template_needs_the_passcode_apart_from_the_text() {
    let text = with("[[template]]\ntext = \"new {code}\"\n");
    assert_eq!(said(&text, |m| m.code = None), "Your code is 123456");
}

#[test]
fn a_code_can_be_bound_to_a_host() {
    let text = with("[[template]]\ntext = \"{code} it is\"\nwebotp = \"login.acme.com\"\n");
    assert_eq!(said(&text, |_| {}), "123456 it is\n@login.acme.com #123456");
}

#[test]
fn a_call_is_spoken_in_the_person_s_language() {
    let call = |locale: &'static str| {
        move |m: &mut Message| {
            m.channel = Channel::Voice;
            m.text = None;
            m.locale = locale.to_owned();
        }
    };
    let german = said(&with(""), call("de-at"));
    assert!(german.contains("1, 2, 3, 4, 5, 6"), "{german}");
    assert_ne!(german, said(&with(""), call("en")));
    assert_eq!(said(&with(""), call("")), said(&with(""), call("en")));
    let own =
        with("[[template]]\nchannel = \"voice\"\ntext = \"Code {code}\"\nlanguage = \"en-GB\"\n");
    assert_eq!(said(&own, call("de")), "Code 1, 2, 3, 4, 5, 6");
}

#[test]
fn a_template_holds_between_its_dates() {
    let text = with("[[template]]\ntext = \"new {code}\"\nvalid_from = \"1970-01-02\"\n");
    assert_eq!(said(&text, |_| {}), "Your code is 123456");
    let later = |m: &mut Message| m.received_at = Moment(24 * 3_600_000);
    assert_eq!(said(&text, later), "new 123456");
}

fn limited(keys: &str, more: &str) -> String {
    format!(
        "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nchain = \"c\"\n{keys}\n{more}"
    )
}

#[test]
fn a_text_that_is_too_long_for_every_vendor_is_denied() {
    let rules = rules(&limited("max_parts = 1", ""));
    let mut long = message(SINGAPORE);
    assert!(matches!(rules.decide(&long, 0), Decision::Plan(_)));
    long.text = Some(Secret::new("x".repeat(161)));
    let expected = Decision::TooLong {
        rule: "a".into(),
        chain: "c".into(),
    };
    assert_eq!(rules.decide(&long, 0), expected);
    let left_out = rules.explain(&long).left_out;
    assert_eq!(
        left_out[0].1.to_string(),
        "the text takes 2 parts, 1 at most"
    );
    // A call has no parts.
    long.channel = Channel::Voice;
    assert!(matches!(rules.decide(&long, 0), Decision::Plan(_)));
}

#[test]
fn a_vendor_whose_text_is_short_enough_is_left() {
    let short = "[[template]]\nvendor = \"two\"\ntext = \"{code}\"\n";
    let rules = rules(&limited("max_parts = 1", short));
    let mut long = message(SINGAPORE);
    long.text = Some(Secret::new("x".repeat(161)));
    assert_eq!(vendors(&rules, &long), "two");
}

#[test]
fn plain_characters_save_parts_where_a_rule_wants_it() {
    let fancy = |m: &mut Message| {
        m.text = Some(Secret::new(format!("{} ‘123456’", "x".repeat(70))));
    };
    let plain = said(&limited("transliterate = true\nmax_parts = 1", ""), fancy);
    assert!(plain.ends_with(" '123456'"), "{plain}");
    let text = limited("max_parts = 1", "");
    let rules = rules(&text);
    let mut message = message(SINGAPORE);
    fancy(&mut message);
    assert!(matches!(
        rules.decide(&message, 0),
        Decision::TooLong { .. }
    ));
}

#[test]
fn mistakes_in_templates_are_told_at_their_text() {
    let told = |keys: &str| {
        let text = with(&format!("[[template]]\n{keys}"));
        compile(&[("r", &text)]).1.join("\n")
    };
    let slot = told("text = \"{cod} is it\"");
    assert!(slot.starts_with("r:9:9: error: "), "{slot}");
    assert!(slot.contains("did you mean `{code}`?"), "{slot}");
    assert!(told("text = \"hello\"").contains("the text has no `{code}`"));
    assert!(told("text = \"{code}\"\nwebotp = \"https://a.b\"").contains("is not a host"));
    assert!(told("text = \"{code}\"\nlanguage = \"de\"").contains("no effect on sms"));
    assert!(
        told("text = \"{code}\"\norg = \"nobody\"")
            .contains("no org of this instance is named `nobody`")
    );
}
