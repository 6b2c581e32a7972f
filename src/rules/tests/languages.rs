//! Calls go to the vendors that have a voice for their language.

use super::*;
use crate::text::Languages;

/// The usual fleet, in which `one` speaks English alone, `two` Portuguese too, `three` German too, and `four` says nothing.
fn polyglot() -> Fleet {
    let mut fleet = fleet();
    let spoken = [&["en"][..], &["en", "PT"], &["de-DE", "en"]];
    for (vendor, tags) in fleet.vendors.iter_mut().zip(spoken) {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        vendor.speaks = Some(Languages::new(tags));
    }
    fleet
}

fn compiled(chain: &str) -> Rules {
    let text = format!(
        "[chains.c]\n{chain}\n[[rule]]\nname = \"a\"\nwhen = {{ country = \"SG\" }}\nchain = \"c\"\n"
    );
    let problems = RefCell::new(Problems::default());
    let files = [Source::new("r", text)];
    let rules = Rules::compile(&files, &polyglot(), "here", Moment(0), &problems);
    assert!(!problems.borrow().has_errors(), "{problems:?}");
    rules
}

fn called(locale: &str) -> Message {
    Message {
        channel: Channel::Voice,
        text: None,
        locale: locale.to_owned(),
        ..message(SINGAPORE)
    }
}

/// The vendors of the plan, with what they have no voice for, and then those that are left out.
fn laid(rules: &Rules, message: &Message) -> String {
    let found = rules.explain(message);
    let steps = plan(found.decision).steps;
    assert_eq!(steps.len(), found.foreign.len());
    let steps = steps.iter().zip(&found.foreign);
    let steps = steps.map(|(step, foreign)| match foreign {
        Some(language) => format!("{} ({language})", step.vendor),
        None => step.vendor.to_string(),
    });
    let out = found.left_out.iter();
    let out = out.map(|(vendor, why)| format!("; {vendor}: {why}"));
    steps.collect::<Vec<_>>().join(" ") + &out.collect::<String>()
}

#[track_caller]
fn check(chain: &str, locale: &str, expected: &str) {
    assert_eq!(laid(&compiled(chain), &called(locale)), expected);
}

#[test]
fn a_call_goes_to_those_who_speak_its_language() {
    let all = "vendors = [\"one\", \"two\", \"three\"]";
    check(all, "", "one two three");
    check(all, "en-gb", "one two three");
    let portuguese = "two; one: it does not speak pt-BR; three: it does not speak pt-BR";
    check(all, "pt-br", portuguese);
    check(
        all,
        "de-at",
        "three; one: it does not speak de-DE; two: it does not speak de-DE",
    );
}

#[test]
fn who_says_nothing_speaks_everything() {
    let said = "two four; one: it does not speak pt-PT";
    check("vendors = [\"one\", \"two\", \"four\"]", "pt", said);
}

#[test]
fn where_nobody_speaks_it_all_stay() {
    let all = "vendors = [\"one\", \"two\", \"three\"]";
    check(all, "th", "one (th-TH) two (th-TH) three (th-TH)");
}

#[test]
fn texts_are_written_in_every_language() {
    let rules = compiled("vendors = [\"one\", \"two\"]");
    let text = Message {
        locale: "pt-br".to_owned(),
        ..message(SINGAPORE)
    };
    assert_eq!(laid(&rules, &text), "one two");
}

#[test]
fn a_template_s_language_counts_for_its_vendor() {
    let chain = "vendors = [\"one\", \"two\"]\n[[template]]\nchannel = \"voice\"\nvendor = \"one\"\nlanguage = \"en-IE\"\ntext = \"{code}\"";
    check(chain, "pt-br", "one two");
    let chain = chain.replace("en-IE", "ga-IE");
    check(&chain, "pt-br", "two; one: it does not speak ga-IE");
}

#[test]
fn a_weight_is_shared_by_those_who_speak() {
    let chain = "vendors = [ [ { vendor = \"one\", weight = 90 }, { vendor = \"two\", weight = 10 } ], \"four\" ]";
    let rules = compiled(chain);
    for id in 0..50 {
        let call = Message {
            id: DeliveryId::from_bytes([id; 16]),
            ..called("pt")
        };
        let plan = plan(rules.decide(&call, 0));
        let vendors: Vec<&str> = plan.steps.iter().map(|step| &*step.vendor).collect();
        assert_eq!(vendors, ["two", "four"]);
    }
}

#[test]
fn the_way_a_chain_is_walked_stays() {
    for how in [
        "order = \"adaptive\"",
        "strategy = \"hedge\"",
        "strategy = \"race\"",
    ] {
        let rules = compiled(&format!("vendors = [\"one\", \"two\", \"four\"]\n{how}"));
        let (foreign, own) = (called("pt"), called("en"));
        let [foreign, own] = [foreign, own].map(|call| plan(rules.decide(&call, 0)));
        assert_eq!((foreign.pace, foreign.learning), (own.pace, own.learning));
        assert_eq!(foreign.steps.len(), 2);
    }
}

#[test]
fn who_waits_for_a_reason_does_not_take_the_place_of_who_does_not() {
    let waiting =
        |vendor: &str| format!("{{ vendor = \"{vendor}\", after = \"30s\", on = [\"silence\"] }}");
    // Nothing would ever be sent without the first one.
    let chain = format!("vendors = [\"one\", {}]", waiting("two"));
    check(&chain, "pt", "one (pt-PT) two");
    let chain = format!("vendors = [\"two\", {}]", waiting("one"));
    check(&chain, "pt", "two; one: it does not speak pt-PT");
}

#[test]
fn the_call_after_a_text_is_made_by_who_speaks() {
    let call = |vendor: &str| {
        format!(
            "{{ vendor = \"{vendor}\", channel = \"voice\", after = \"30s\", on = [\"silence\"] }}"
        )
    };
    let text = Message {
        locale: "pt-br".to_owned(),
        ..message(SINGAPORE)
    };
    let chain = format!("vendors = [\"text\", {}, {}]", call("one"), call("two"));
    let expected = "text two; one: it does not speak pt-BR";
    assert_eq!(laid(&compiled(&chain), &text), expected);
    let chain = format!("vendors = [\"text\", {}]", call("one"));
    assert_eq!(laid(&compiled(&chain), &text), "text one (pt-BR)");
}

/// What `check` warns of, without hints.
fn warned(text: &str) -> Vec<String> {
    let files = [Source::new("r", text)];
    let problems = RefCell::<Problems>::default();
    let mut fleet = polyglot();
    fleet.vendors.truncate(2);
    let rules = Rules::compile(&files, &fleet, "here", Moment(0), &problems);
    rules.analyse(&files, &fleet, &[], Moment(0), &problems);
    let problems = problems.take();
    let told = problems.sorted().into_iter().map(|p| p.message.clone());
    told.collect()
}

#[test]
fn a_language_that_nobody_in_a_chain_speaks_is_told() {
    let with = |locale: &str| {
        format!(
            "[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nwhen = {{ country = [\"BR\", \"SG\"] }}\nchain = \"c\"\n\
             [[template]]\nchannel = \"voice\"\nlocale = \"{locale}\"\ncountry = \"SG\"\nlanguage = \"{locale}\"\ntext = \"{{code}}\"\n"
        )
    };
    let told = warned(&with("th"));
    let expected = "no vendor of chain `c` speaks th-TH, for calls to SG";
    assert_eq!(told, [expected]);
    assert_eq!(warned(&with("pt")), Vec::<String>::new());
}
