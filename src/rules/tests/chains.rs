//! What steps a chain comes to: weights, senders, channels, regions, pace.

use super::*;
use crate::flow::{Due, Learning, Reason};

/// Rules of one chain for Singapore and France, and whatever else is written.
fn chain(chain: &str, more: &str) -> String {
    format!(
        "[chains.c]\n{chain}\n[[rule]]\nname = \"a\"\nwhen = {{ country = [\"SG\", \"FR\"] }}\nchain = \"c\"\n{more}"
    )
}

fn with_id(number: u64) -> Message {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Message {
        id: DeliveryId::from_bytes(bytes),
        ..message(SINGAPORE)
    }
}

fn order(rules: &Rules, message: &Message, recipient: u64) -> String {
    let plan = plan(rules.decide(message, recipient));
    let names: Vec<&str> = plan.steps.iter().map(|s| &*s.vendor).collect();
    names.join(" ")
}

const WEIGHTED: &str = "vendors = [ [ { vendor = \"one\", weight = 10 }, { vendor = \"two\", weight = 60 }, { vendor = \"three\", weight = 30 } ], \"four\" ]";

#[test]
fn a_plan_is_the_chain_with_its_defaults() {
    let rules = rules(&chain("vendors = [\"two\", \"one\"]", ""));
    let plan = plan(rules.decide(&message(SINGAPORE), 0));
    let step = |vendor: &str| Step {
        vendor: vendor.into(),
        channel: Channel::Sms,
        from: Some(format!("+{vendor}").into()),
        receipts: Some(Due {
            after_ms: Some(20_000),
        }),
        ..Step::default()
    };
    assert_eq!(plan.steps, [step("two"), step("one")]);
    assert_eq!((&*plan.rule, &*plan.chain), ("a", "c"));
    assert_eq!(&plan.rules, rules.version());
    let pace = plan.pace;
    assert_eq!((pace.patience_ms, pace.width), (600, 1));
    assert_eq!((pace.max_sends, pace.give_up_after_ms), (3, 120_000));
    assert_eq!(
        (pace.stops_on_failed_receipt, pace.moves_on_silence),
        (false, false)
    );
    assert_eq!(plan.learning, Learning::default());
}

#[test]
fn the_pace_is_as_written() {
    let text = "vendors = [\"two\"]\nstrategy = \"race\"\nrace_width = 3\npatience = \"1s\"\nmax_sends = 1\ngive_up_after = \"60s\"";
    let rules = rules(&chain(text, ""));
    let pace = plan(rules.decide(&message(SINGAPORE), 0)).pace;
    assert_eq!((pace.patience_ms, pace.width), (1_000, 3));
    assert_eq!((pace.max_sends, pace.give_up_after_ms), (1, 60_000));
}

#[test]
fn what_is_learned_and_what_receipts_mean_is_as_written() {
    let text = "vendors = [\"two\"]\nstrategy = \"hedge\"\norder = \"adaptive\"\non_failed_receipt = \"stop\"\non_silence = \"failover\"\nsilence_after = \"45s\"";
    let rules = rules(&chain(text, ""));
    let plan = plan(rules.decide(&message(SINGAPORE), 0));
    assert_eq!((plan.learning.order, plan.learning.patience), (true, true));
    let pace = plan.pace;
    assert_eq!((pace.patience_ms, pace.width), (600, 1));
    assert!(pace.stops_on_failed_receipt && pace.moves_on_silence);
    assert_eq!(plan.steps[0].receipts.unwrap().after_ms, Some(45_000));
}

#[test]
fn where_receipts_prove_nothing_their_absence_is_no_reason() {
    let rules = rules(
        "[chains.c]\nvendors = [\"one\"]\n[[rule]]\nname = \"a\"\nwhen = { country = \"US\" }\nchain = \"c\"",
    );
    let due = |channel| {
        let mut message = message(UNITED_STATES);
        message.channel = channel;
        let plan = plan(rules.decide(&message, 0));
        plan.steps[0].receipts.unwrap().after_ms
    };
    assert_eq!(
        (due(Channel::Sms), due(Channel::Voice)),
        (None, Some(20_000))
    );
}

#[test]
fn an_entry_that_waits_uses_the_other_channel() {
    let text = "vendors = [ \"text\", { vendor = \"one\", channel = \"voice\", after = \"35s\", on = [\"silence\", \"not_mobile\"], cost = 0.5 } ]";
    let rules = rules(&format!(
        "[chains.c]\n{text}\n[[rule]]\nname = \"a\"\nwhen = {{ country = \"SG\", channel = \"sms\" }}\nchain = \"c\""
    ));
    let steps = plan(rules.decide(&message(SINGAPORE), 0)).steps;
    assert_eq!(steps.len(), 2);
    let waits = steps[1].waits.as_ref().unwrap();
    assert_eq!(
        (steps[1].channel, steps[1].cost),
        (Channel::Voice, Some(0.5))
    );
    assert_eq!((waits.after_ms, waits.on_silence), (35_000, true));
    assert_eq!(waits.on, [Reason::NotMobile]);
}

#[test]
fn the_canonical_order_is_by_weight() {
    let rules = rules(&chain(WEIGHTED, ""));
    assert_eq!(vendors(&rules, &message(SINGAPORE)), "two three one four");
    let weights = rules.explain(&message(SINGAPORE)).weights;
    assert_eq!(weights, [Some(60), Some(30), Some(10), None]);
}

#[test]
fn equal_weights_stay_as_written() {
    let text =
        "vendors = [ [ { vendor = \"two\", weight = 5 }, { vendor = \"one\", weight = 5 } ] ]";
    let rules = rules(&chain(text, ""));
    assert_eq!(vendors(&rules, &message(SINGAPORE)), "two one");
}

#[test]
fn the_chosen_member_is_followed_by_the_others_by_weight() {
    let rules = rules(&chain(WEIGHTED, ""));
    let mut met: Vec<String> = (0..200).map(|n| order(&rules, &with_id(n), 0)).collect();
    met.sort();
    met.dedup();
    let expected = [
        "one two three four",
        "three two one four",
        "two three one four",
    ];
    assert_eq!(met, expected);
}

#[test]
fn a_choice_is_a_function_of_the_delivery() {
    let rules = rules(&chain(WEIGHTED, ""));
    for n in 0..100 {
        let first = order(&rules, &with_id(n), 1);
        assert_eq!(first, order(&rules, &with_id(n), 2), "another recipient");
    }
}

#[test]
fn ten_thousand_choices_come_within_two_percent_of_the_weights() {
    let rules = rules(&chain(WEIGHTED, ""));
    for (vendor, share) in [("one", 0.1), ("two", 0.6), ("three", 0.3)] {
        let chosen = (0..10_000_u32)
            .filter(|n| order(&rules, &with_id(u64::from(*n)), 0).starts_with(vendor))
            .count();
        let measured = f64::from(u32::try_from(chosen).unwrap()) / 10_000.0;
        assert!((measured - share).abs() < 0.02, "{vendor}: {measured}");
    }
}

#[test]
fn a_sticky_choice_is_a_function_of_the_recipient() {
    let rules = rules(&chain(&format!("{WEIGHTED}\nsticky = \"recipient\""), ""));
    let mut met = Vec::new();
    for recipient in 0..100 {
        let first = order(&rules, &with_id(0), recipient);
        assert_eq!(
            first,
            order(&rules, &with_id(1), recipient),
            "another delivery"
        );
        met.push(first);
    }
    met.sort();
    met.dedup();
    assert_eq!(met.len(), 3);
}

#[test]
fn two_positions_of_a_chain_choose_apart() {
    let pair = |a, b| {
        format!("[ {{ vendor = \"{a}\", weight = 1 }}, {{ vendor = \"{b}\", weight = 1 }} ]")
    };
    let text = format!(
        "vendors = [ {}, {} ]",
        pair("one", "two"),
        pair("three", "four")
    );
    let rules = rules(&chain(&text, ""));
    let mut met: Vec<String> = (0..100).map(|n| order(&rules, &with_id(n), 0)).collect();
    met.sort();
    met.dedup();
    assert_eq!(met.len(), 4, "{met:?}");
}

#[test]
fn a_race_starts_with_positions() {
    let text = format!("{WEIGHTED}\nstrategy = \"race\"");
    let rules = rules(&chain(&text, ""));
    assert_eq!(vendors(&rules, &message(SINGAPORE)), "two four three one");
}

#[test]
fn vendors_without_the_channel_leave_the_chain() {
    let rules = rules(&chain("vendors = [\"text\", \"one\"]", ""));
    let mut call = message(SINGAPORE);
    call.channel = Channel::Voice;
    assert_eq!(vendors(&rules, &call), "one");
    assert_eq!(vendors(&rules, &message(SINGAPORE)), "text one");
}

#[test]
fn an_entry_may_be_for_one_channel() {
    let text = "vendors = [ { vendor = \"one\", channel = \"voice\" }, \"two\" ]";
    let rules = rules(&chain(text, ""));
    let mut call = message(SINGAPORE);
    call.channel = Channel::Voice;
    assert_eq!(vendors(&rules, &call), "one two");
    assert_eq!(vendors(&rules, &message(SINGAPORE)), "two");
}

#[test]
fn a_required_region_filters_vendors() {
    let text = "[chains.c]\nvendors = [\"two\", \"four\", \"three\", \"one\"]\n\
        [[rule]]\nname = \"a\"\nwhen = { country = \"SG\" }\nchain = \"c\"\nrequire = { data_region = \"eu\" }";
    assert_eq!(vendors(&rules(text), &message(SINGAPORE)), "three one");
}

#[test]
fn a_chain_that_cannot_carry_a_message_is_no_chain() {
    let text = chain("vendors = [\"text\"]", "");
    let (rules, told) = compile(&[("r.toml", &text)]);
    let warning = "r.toml:6:9: warning: chain `c` has no vendor for voice\n  \
        hint: this rule also matches voice: add `channel` to `when`";
    assert_eq!(told, [warning]);
    let mut call = message(SINGAPORE);
    call.channel = Channel::Voice;
    let expected = Decision::NoChain {
        rule: "a".into(),
        chain: "c".into(),
    };
    assert_eq!(rules.decide(&call, 0), expected);
}

/// Who the first step's message comes from.
#[track_caller]
fn from(senders: &str, message: &Message) -> String {
    let entry = "vendors = [ { vendor = \"one\", sender = \"named\" }, \"two\" ]";
    let text = if senders.contains("named") {
        chain(entry, senders)
    } else {
        chain("vendors = [\"one\", \"two\"]", senders)
    };
    let plan = plan(rules(&text).decide(message, 0));
    plan.steps[0].from.as_deref().unwrap_or_default().to_owned()
}

#[test]
fn the_most_specific_sender_wins() {
    let any = "[[sender]]\nfrom = \"ANY\"\n";
    let country = "[[sender]]\nfrom = \"COUNTRY\"\ncountry = [\"SG\"]\n";
    let vendor = "[[sender]]\nfrom = \"VENDOR\"\nvendor = \"one\"\n";
    let both = "[[sender]]\nfrom = \"BOTH\"\nvendor = \"one\"\ncountry = \"SG\"\n";
    let named =
        "[[sender]]\nfrom = \"NAMED\"\nname = \"named\"\nvendor = \"one\"\ncountry = \"FR\"\n";
    let here = message(SINGAPORE);
    assert_eq!(from("", &here), "+one");
    assert_eq!(from(any, &here), "ANY");
    assert_eq!(from(&[any, country].concat(), &here), "COUNTRY");
    assert_eq!(from(&[country, vendor, any].concat(), &here), "VENDOR");
    assert_eq!(from(&[both, vendor, country, any].concat(), &here), "BOTH");
    let all = [any, named, both, vendor].concat();
    assert_eq!(from(&all, &here), "NAMED");
    assert_eq!(from(&[both, vendor].concat(), &message(FRANCE)), "VENDOR");
}

#[test]
fn a_step_uses_up_the_quota_of_its_sender() {
    let text = "[[sender]]\nfrom = \"ACME\"\nvendor = \"two\"\nquota = \"acme\"\n\
                [quota.acme]\nlimit = \"5/day\"\nresets = \"00:00 America/Los_Angeles\"\nunit = \"messages\"";
    let rules = rules(&chain("vendors = [\"one\", \"two\"]", text));
    let steps = plan(rules.decide(&message(SINGAPORE), 0)).steps;
    let quotas: Vec<_> = steps.iter().map(|s| s.quota.as_deref()).collect();
    assert_eq!(quotas, [None, Some("acme")]);
    let quota = rules.quota("acme").unwrap();
    assert_eq!((quota.limit, quota.unit.as_str()), (5, "messages"));
    assert!(rules.quota("acne").is_none());
}

#[test]
fn among_equal_senders_the_first_one_wins() {
    let text = "[[sender]]\nfrom = \"AAA\"\nvendor = \"one\"\n[[sender]]\nfrom = \"BBB\"\nvendor = \"one\"\n";
    assert_eq!(from(text, &message(SINGAPORE)), "AAA");
}

#[test]
fn another_vendors_sender_is_not_used() {
    let text = "[[sender]]\nfrom = \"TWO\"\nvendor = \"two\"\ncountry = \"SG\"\n";
    assert_eq!(from(text, &message(SINGAPORE)), "+one");
}

#[test]
fn a_name_cannot_place_a_call() {
    let mut call = message(SINGAPORE);
    call.channel = Channel::Voice;
    let name = "[[sender]]\nfrom = \"ACME\"\nname = \"named\"\nvendor = \"one\"\n";
    let short = "[[sender]]\nfrom = \"12345\"\nkind = \"short_code\"\nvendor = \"one\"\n";
    let number = "[[sender]]\nfrom = \"+6531234567\"\nkind = \"long_code\"\n";
    assert_eq!(from(name, &call), "+one");
    assert_eq!(from(&[name, short, number].concat(), &call), "+6531234567");
    assert_eq!(
        from(&[short, number].concat(), &message(SINGAPORE)),
        "12345"
    );
}

#[test]
fn a_channel_that_an_earlier_rule_takes_is_not_missed() {
    let text = "[chains.c]\nvendors = [\"text\"]\n[chains.v]\nvendors = [\"one\"]\n\
        [[rule]]\nname = \"calls\"\nwhen = { channel = \"voice\" }\nchain = \"v\"\n\
        [[rule]]\nname = \"a\"\nwhen = { country = \"SG\" }\nchain = \"c\"";
    assert_eq!(vendors(&rules(text), &message(SINGAPORE)), "text");
}
