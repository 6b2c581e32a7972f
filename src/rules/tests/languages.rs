//! Calls go first to the vendors that have a voice for their language.

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

/// The vendors of the plan, with what they have no voice for; nobody is left out.
fn laid(rules: &Rules, message: &Message) -> String {
    let found = rules.explain(message);
    assert_eq!(found.left_out, []);
    shown(&plan(found.decision))
}

fn shown(plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| match &step.foreign {
        Some(language) => format!("{} ({language})", step.vendor),
        None => step.vendor.to_string(),
    });
    steps.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(chain: &str, locale: &str, expected: &str) {
    assert_eq!(laid(&compiled(chain), &called(locale)), expected);
}

#[test]
fn a_call_goes_first_to_those_who_speak_its_language() {
    let all = "vendors = [\"one\", \"two\", \"three\"]";
    check(all, "", "one two three");
    check(all, "en-gb", "one two three");
    check(all, "pt-br", "two one (pt-BR) three (pt-BR)");
    check(all, "de-at", "three one (de-DE) two (de-DE)");
}

#[test]
fn who_says_nothing_speaks_everything() {
    let said = "two four one (pt-PT)";
    check("vendors = [\"one\", \"two\", \"four\"]", "pt", said);
}

#[test]
fn where_nobody_speaks_it_all_stay_as_they_are() {
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
    check(&chain, "pt-br", "two one (ga-IE)");
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
        assert_eq!(shown(&plan), "two four one (pt-PT)");
    }
}

#[test]
fn who_is_not_chosen_comes_before_who_does_not_speak_and_those_choose_too() {
    let member = |vendor: &str| format!("{{ vendor = \"{vendor}\", weight = 50 }}");
    let all = ["one", "two", "three", "four"].map(member).join(", ");
    let rules = compiled(&format!("vendors = [ [ {all} ] ]"));
    let met = (0..50).map(|id| {
        let call = Message {
            id: DeliveryId::from_bytes([id; 16]),
            ..called("pt")
        };
        shown(&plan(rules.decide(&call, 0)))
    });
    let met: std::collections::BTreeSet<String> = met.collect();
    // One draw for both.
    let expected = [
        "four two three (pt-PT) one (pt-PT)",
        "two four one (pt-PT) three (pt-PT)",
    ];
    let met: Vec<&str> = met.iter().map(String::as_str).collect();
    assert_eq!(met, expected);
}

#[test]
fn a_race_starts_with_who_speaks() {
    let chain = "vendors = [\"one\", \"two\", \"three\", \"four\"]\nstrategy = \"race\"\nrace_width = 3\nmax_sends = 3";
    let rules = compiled(chain);
    for (locale, steps, width) in [
        ("en", "one two three four", 3),
        ("pt", "two four one (pt-PT) three (pt-PT)", 2),
    ] {
        let plan = plan(rules.decide(&called(locale), 0));
        assert_eq!((shown(&plan).as_str(), plan.pace.width), (steps, width));
    }
    // Nobody speaks it: all that may start do.
    let rules = compiled(&chain.replace(", \"four\"", ""));
    let plan = plan(rules.decide(&called("th"), 0));
    assert_eq!(plan.pace.width, 3);
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
        assert_eq!(foreign.steps.len(), 3);
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
    check(&chain, "pt", "two one (pt-PT)");
    let chain = format!("vendors = [\"three\", {}, \"two\"]", waiting("one"));
    check(&chain, "pt", "two three (pt-PT) one (pt-PT)");
    let chain = format!("vendors = [{}, \"one\"]", waiting("three"));
    check(&chain, "pt", "three (pt-PT) one (pt-PT)");
}

#[test]
fn the_call_after_a_text_is_first_made_by_who_speaks() {
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
    let rules = compiled(&chain);
    assert_eq!(laid(&rules, &text), "text two one (pt-BR)");
    let steps = plan(rules.decide(&text, 0)).steps;
    let waits: Vec<bool> = steps.iter().map(|step| step.waits.is_some()).collect();
    assert_eq!(waits, [false, true, true]);
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
