//! Explanations, for people and as data.

use std::cell::RefCell;
use std::sync::Arc;

use super::*;
use crate::catalog::Texts;
use crate::config::Config;
use crate::problem::Source;
use crate::vendor::{Account, Definition};

const RULES: &str = r#"
[guard]
allow_countries = ["SG", "DE", "US"]
[chains.c]
vendors = [ [ { vendor = "twilio", weight = 70 }, { vendor = "vonage", weight = 30 } ], "telnyx" ]
[[rule]]
name = "no premium"
when = { number_type = "premium_rate" }
deny = "number type"
[[rule]]
name = "all"
chain = "c"
max_parts = 2
[[registration]]
country = "SG"
kind = "long_code"
[[sender]]
vendor = "twilio"
country = "SG"
from = "ACME"
[[sender]]
vendor = "vonage"
country = "SG"
from = "ACMEV"
[[template]]
vendor = "vonage"
text = "{code} für Sie"
[quota.q]
limit = "5/day"
[[sender]]
vendor = "telnyx"
country = "DE"
from = "+4915110000000"
quota = "q"
"#;

fn catalog(rules: &str) -> Catalog {
    let problems = RefCell::default();
    let definition = |name: &str, text: &str| Source::new(format!("{name}.toml"), text);
    let texts = Texts {
        rules: vec![Source::new("r.toml", rules)],
        definitions: vec![
            definition("telnyx", include_str!("../../vendors/telnyx.toml")),
            definition("twilio", include_str!("../../vendors/twilio.toml")),
            definition("vonage", include_str!("../../vendors/vonage.toml")),
        ],
    };
    let simulate = |name: &Arc<str>, definition: &Arc<Definition>, _: Option<Arc<str>>| {
        let from = Some("+15005550006".into());
        let (definition, name) = (Arc::clone(definition), Arc::clone(name));
        let nowhere = "http://vendor.invalid".to_owned();
        Some(Account::example(definition, name, nowhere, from))
    };
    let config = Config::built_in();
    let catalog = Catalog::compile(config, &texts, Some(&simulate), Moment(0), &problems);
    assert!(!problems.borrow().has_errors(), "{problems:?}");
    catalog
}

fn ask(to: &str, change: impl FnOnce(&mut Question)) -> Explained {
    let mut question = Question {
        to: to.to_owned(),
        ..Question::default()
    };
    change(&mut question);
    explain(&catalog(RULES), &question, Moment(0))
}

#[test]
fn a_page_has_the_vendors_their_senders_and_every_text_once() {
    let page = ask("+6591234567", |_| {}).page(false).to_string();
    let expected = "\
+6591234567  SG by sms, mobile
  not `no premium` (r.toml:6): number_type is mobile, not premium_rate
rule   `all` (r.toml:10), rules VERSION
chain  `c`
      vendor  weight  sender  parts  now
  1.  twilio  70      ACME    1
  2.  vonage  30      ACMEV   1
  -  telnyx, left out: it has no sender that is registered there
text   GSM-7, 32 units, 1 part
       Your verification code is 123456
text   GSM-7, 14 units, 1 part, template `r.toml:25`, with vonage
       123456 für Sie
if vendors stay silent
        0 ms  ask twilio
      600 ms  ask vonage too, if nobody has answered; at once after a refusal
     1400 ms  answer Okta at the latest; what is open goes on
   120000 ms  no new attempt from here on";
    let version = catalog(RULES).rules.version().to_string();
    assert_eq!(page.replace(&version, "VERSION"), expected);
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let explained = ask("+6591234567", |_| {});
    assert!(!explained.page(false).to_string().contains('\u{1b}'));
    let coloured = explained.page(true).to_string();
    assert!(coloured.contains('\u{1b}'));
    let plain = without_colour(&coloured);
    assert_eq!(plain, explained.page(false).to_string());
}

/// The text without its escape sequences.
fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[test]
fn what_is_refused_says_why() {
    let refused = |to: &str| ask(to, |_| {}).refused.unwrap_or_default();
    assert_eq!(
        refused("+33612345678"),
        "`allow_countries` does not name FR"
    );
    assert_eq!(refused("hello"), "this is not a number");
    let long = ask("+6591234567", |q| q.text = Some("x".repeat(400)));
    assert_eq!(long.refused, None, "one vendor has a short text of its own");
    assert_eq!(long.vendors, ["vonage"]);
    assert_eq!(long.left_out[0].why, "the text takes 3 parts, 2 at most");
}

#[test]
fn the_quota_and_the_vendor_s_text_are_data() {
    let german = ask("+4915123456789", |q| q.locale = Some("de_DE".to_owned()));
    let json = serde_json::to_value(&german).expect("JSON");
    assert_eq!(json["steps"][2]["quota"], "q");
    assert_eq!(json["steps"][2]["sender"], "+4915110000000");
    assert_eq!(json["text"]["encoding"], "GSM-7");
    assert_eq!(json["text"]["units"], 32);
    assert_eq!(json["text"]["parts"], 1);
    assert_eq!(json["steps"][1]["text"]["said"], "123456 für Sie");
}

#[test]
fn a_call_shows_what_is_spoken_and_in_which_language() {
    let call = ask("+4915123456789", |q| {
        q.channel = Some(Channel::Voice);
        q.locale = Some("de".to_owned());
    });
    assert_eq!(call.text.language.as_deref(), Some("de-DE"));
    assert!(
        call.text.said.contains("1, 2, 3, 4, 5, 6"),
        "{}",
        call.text.said
    );
    let page = call.page(false).to_string();
    assert!(page.contains("text   spoken, de-DE\n"), "{page}");
}

#[test]
fn who_has_no_voice_for_a_call_comes_last_unless_nobody_has() {
    let call = |locale: &str| {
        let question = |q: &mut Question| {
            q.channel = Some(Channel::Voice);
            q.locale = Some(locale.to_owned());
        };
        ask("+4915123456789", question)
    };
    let finnish = call("fi");
    assert_eq!(finnish.vendors, ["twilio", "vonage", "telnyx"]);
    let page = finnish.page(false).to_string();
    let told = page.matches("no voice for fi-FI: it comes last");
    assert_eq!(told.count(), 1, "{page}");
    let json = serde_json::to_value(&finnish).expect("JSON");
    assert_eq!(json["left_out"], serde_json::json!([]));
    assert_eq!(json["steps"][0]["foreign"], serde_json::Value::Null);
    assert_eq!(json["steps"][2]["foreign"], "fi-FI");
    assert_eq!(json["steps"][2].get("yields"), None);
    // The first one speaks whatever it is told.
    let chain = "vendors = [ \"vonage\", \"telnyx\" ]";
    let from = RULES.find("vendors = ").expect("a chain");
    let line = RULES[from..].lines().next().expect("a line");
    let question = Question {
        to: "+4915123456789".to_owned(),
        channel: Some(Channel::Voice),
        locale: Some("et".to_owned()),
        ..Question::default()
    };
    let estonian = explain(&catalog(&RULES.replace(line, chain)), &question, Moment(0));
    assert_eq!(estonian.vendors, ["vonage", "telnyx"]);
    assert_eq!(estonian.steps[1].foreign.as_deref(), Some("et-EE"));
    let page = estonian.page(false).to_string();
    let told = page.matches("no voice for et-EE, nor has anybody else");
    assert_eq!(told.count(), 2, "{page}");
}

#[test]
fn of_many_rules_the_nearest_are_shown() {
    let mut rules = String::new();
    for n in 0..40 {
        rules += &format!(
            "[[rule]]\nname = \"r{n}\"\nwhen = {{ prefix = \"+44{n:02}\" }}\ndeny = \"x\"\n"
        );
    }
    let catalog = catalog(&(rules + RULES));
    let question = Question {
        to: "+6591234567".to_owned(),
        ..Question::default()
    };
    let explained = explain(&catalog, &question, Moment(0));
    assert_eq!(explained.passed.len(), 41, "all of them are data");
    let page = explained.page(false).to_string();
    assert!(page.contains("  not 29 rules before these\n"), "{page}");
    assert!(!page.contains("`r28`") && page.contains("`r29`"), "{page}");
}

#[test]
fn another_day_has_other_rules() {
    let text = RULES.replace(
        "name = \"all\"",
        "name = \"until July\"\nvalid_to = \"2026-06-30\"\ndeny = \"closed\"\n[[rule]]\nname = \"all\"",
    );
    let catalog = catalog(&text);
    let rule_on = |day: &str| {
        let question = Question {
            to: "+4915123456789".to_owned(),
            at: Moment::from_rfc3339(&format!("{day}T00:00:00Z")),
            ..Question::default()
        };
        explain(&catalog, &question, Moment(0)).rule
    };
    assert_eq!(rule_on("2026-06-30").as_deref(), Some("until July"));
    assert_eq!(rule_on("2026-07-01").as_deref(), Some("all"));
}

#[test]
fn what_is_off_or_used_up_is_not_asked() {
    let mut explained = ask("+4915123456789", |_| {});
    explained.note_quotas(|name| (name == "q").then(|| "tomorrow".to_owned()));
    assert_eq!(
        explained.steps[2].used_up_until.as_deref(),
        Some("tomorrow")
    );
    assert!(
        explained
            .timetable
            .iter()
            .all(|planned| !planned.what.contains("telnyx"))
    );
    assert!(explained.is_sent());
    let page = explained.page(false).to_string();
    assert!(page.contains("quota q USED UP until tomorrow"), "{page}");
    explained.note_vendors(|_| {
        Some(VendorNow {
            off: Some("INC-1".to_owned()),
            ..VendorNow::default()
        })
    });
    assert!(!explained.is_sent());
    let page = explained.page(false).to_string();
    assert!(
        page.contains("nothing would be sent now: every vendor is off or used up"),
        "{page}"
    );
}
