//! Who messages come from: kinds, registers, dates, pools, quotas.

use super::*;

const CHAIN: &str = "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nchain = \"c\"\n";

fn with(more: &str) -> String {
    format!("{CHAIN}{more}")
}

/// Vendors and senders, in order: `one:ACME two:+two`; then those left out: `-two: why`.
#[track_caller]
fn laid(text: &str, change: impl FnOnce(&mut Message)) -> String {
    let rules = rules(text);
    let mut message = message(SINGAPORE);
    change(&mut message);
    let found = rules.explain(&message);
    let mut words: Vec<String> = match &found.decision {
        Decision::Plan(plan) => plan
            .steps
            .iter()
            .map(|s| format!("{}:{}", s.vendor, s.from.as_deref().unwrap_or("?")))
            .collect(),
        _ => Vec::new(),
    };
    for (vendor, why) in &found.left_out {
        words.push(format!("-{vendor}: {why}"));
    }
    words.join(" ")
}

fn on(day: &str) -> impl FnOnce(&mut Message) {
    let at = Moment::from_rfc3339(&format!("{day}T12:00:00Z")).expect("a day");
    move |message| message.received_at = at
}

#[test]
fn a_name_is_no_sender_in_the_united_states() {
    let text = with("[[sender]]\nvendor = \"one\"\nfrom = \"ACME\"\n");
    assert_eq!(laid(&text, |_| {}), "one:ACME two:+two");
    // The account has a number of its own to fall back to.
    assert_eq!(laid(&text, to(UNITED_STATES)), "one:+one two:+two");
}

#[test]
fn a_sender_is_for_its_channel_and_org() {
    let text = with(
        "[[sender]]\nfrom = \"+6531110000\"\nchannel = \"voice\"\n[[sender]]\nfrom = \"ACME\"\norg = \"acme\"\n",
    );
    assert_eq!(laid(&text, |_| {}), "one:ACME two:ACME");
    assert_eq!(laid(&text, |m| m.org = "other".into()), "one:+one two:+two");
    let call = laid(&text, |m| m.channel = Channel::Voice);
    assert_eq!(call, "one:+6531110000 two:+6531110000");
}

#[test]
fn without_a_registered_sender_a_vendor_leaves_the_chain_where_there_is_a_register() {
    let register = "[[registration]]\ncountry = [\"SG\"]\nrequired = true\n";
    let sender =
        "[[sender]]\nvendor = \"one\"\ncountry = \"SG\"\nfrom = \"ACME\"\nregistered = true\n";
    let text = with(&[register, sender].concat());
    let why = "it has no sender that is registered there";
    assert_eq!(laid(&text, |_| {}), format!("one:ACME -two: {why}"));
    assert_eq!(laid(&text, to(FRANCE)), "one:+one two:+two");
    assert_eq!(
        laid(&text, |m| m.channel = Channel::Voice),
        "one:+one two:+two",
        "a register is about texts"
    );
}

#[test]
fn a_register_may_be_about_names_only() {
    let text = with(
        "[[registration]]\ncountry = [\"SG\"]\nkind = \"alpha\"\n[[sender]]\nvendor = \"two\"\nfrom = \"ACME\"\n",
    );
    // The unregistered name is passed over; the account's own number is not in the register's way.
    assert_eq!(laid(&text, |_| {}), "one:+one two:+two");
}

#[test]
fn a_sender_named_by_the_chain_is_registered_only_in_its_own_countries() {
    let text = "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [{ vendor = \"one\", sender = \"sg\" }, \"two\"]\n[[rule]]\nname = \"a\"\nchain = \"c\"\n\
        [[registration]]\ncountry = [\"SG\", \"MY\"]\n[[sender]]\nname = \"sg\"\nfrom = \"ACME\"\nregistered = true\ncountry = \"SG\"\n\
        [[sender]]\nname = \"my\"\nvendor = \"two\"\nfrom = \"ACME2\"\nregistered = true\ncountry = \"MY\"\n";
    let why = "it has no sender that is registered there";
    assert_eq!(laid(text, |_| {}), "one:ACME two:ACME");
    let malaysia = laid(text, to("+60123456789"));
    assert_eq!(malaysia, format!("two:ACME2 -one: {why}"));
    assert_eq!(laid(text, to(FRANCE)), "one:ACME two:+two");
}

#[test]
fn an_empty_chain_is_a_mistake_and_one_that_is_empty_only_now_is_a_warning() {
    let register = "[[registration]]\ncountry = [\"SG\"]\n";
    let (_, told) = compile(&[("r", &with(register))]);
    let error = "r:7:9: error: chain `c` has no vendor with a registered sender in SG\n  \
        hint: a `[[sender]]` of one of its vendors with `registered = true`";
    assert_eq!(told, [error]);
    let later = "[[sender]]\nfrom = \"ACME\"\nregistered = true\nvalid_from = \"1970-02-01\"\n";
    let (_, told) = compile(&[("r", &with(&[register, later].concat()))]);
    let warning = "r:7:9: warning: chain `c` has no vendor whose registered sender is valid now in SG\n  \
        hint: a `[[sender]]` of one of its vendors with `registered = true`";
    assert_eq!(told, [warning]);
}

#[test]
fn senders_switch_on_a_date() {
    let text = with(
        "[[sender]]\nfrom = \"OLDNAME\"\nvalid_to = \"2026-06-30\"\n[[sender]]\nfrom = \"NEWNAME\"\nvalid_from = 2026-07-01\n",
    );
    assert_eq!(laid(&text, on("2026-06-30")), "one:OLDNAME two:OLDNAME");
    assert_eq!(laid(&text, on("2026-07-01")), "one:NEWNAME two:NEWNAME");
}

#[test]
fn rules_and_registers_switch_on_a_date_too() {
    let text = "[chains.c]\nvendors = [\"one\"]\n[chains.d]\nvendors = [\"two\"]\n\
        [[rule]]\nname = \"later\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"d\"\nvalid_from = \"2026-07-01\"\n\
        [[rule]]\nname = \"now\"\nwhen = { country = \"SG\", channel = \"sms\" }\nchain = \"c\"\n\
        [[registration]]\ncountry = \"SG\"\nvalid_from = \"2026-07-02T00:00:00+08:00\"\n\
        [[sender]]\nvendor = \"two\"\nfrom = \"ACME\"\nregistered = true\nvalid_from = \"2026-07-02\"\n";
    assert_eq!(laid(text, on("2026-06-30")), "one:+one");
    assert_eq!(laid(text, on("2026-07-01")), "two:+two");
    assert_eq!(laid(text, on("2026-07-02")), "two:ACME");
    let rules = rules(text);
    let missed = rules.explain(&message(SINGAPORE)).missed;
    assert_eq!(missed[0].condition, "valid_from");
    assert_eq!(missed[0].why, "it holds from 2026-07-01T00:00:00.000Z");
}

#[test]
fn a_pool_gives_each_recipient_the_same_sender_always() {
    let pool: Vec<String> = (0..10).map(|n| format!("\"+1555000{n:04}\"")).collect();
    let text = with(&format!(
        "[[sender]]\nkind = \"pool\"\nfrom = [{}]\n",
        pool.join(", ")
    ));
    let rules = rules(&text);
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..200 {
        let mut message = message(&format!("+6581{number:06}"));
        let canonical = plan(rules.explain(&message).decision);
        message.id = DeliveryId::from_bytes([9; 16]);
        let decided = plan(rules.decide(&message, 77));
        assert_eq!(canonical.steps[0].from, decided.steps[0].from);
        seen.insert(decided.steps[0].from.clone());
    }
    assert_eq!(seen.len(), 10, "all of the pool are used");
}

#[test]
fn a_quota_comes_with_its_sender_or_its_vendor() {
    let text = with(
        "[quota.q]\nlimit = \"5/day\"\n[[sender]]\nvendor = \"one\"\nfrom = \"ACME\"\nquota = \"q\"\n",
    );
    let plan = plan(rules(&text).decide(&message(SINGAPORE), 0));
    let quotas: Vec<Option<&str>> = plan.steps.iter().map(|s| s.quota.as_deref()).collect();
    assert_eq!(quotas, [Some("q"), None]);
}

#[test]
fn mistakes_in_senders_are_told() {
    let of = |from: &str, kind: &str| {
        let text = format!("{CHAIN}[[sender]]\nfrom = {from}\n{kind}");
        compile(&[("r", &text)]).1.join("\n")
    };
    let name = "r:9:8: error: a name cannot have `é`\n  hint: letters, digits, space and `& - _ . +` without accents";
    assert_eq!(of("\"ACMé\"", ""), name);
    assert!(of("\"TWELVELETTER\"", "").contains("has 12 characters"));
    assert!(of("\"123\"", "kind = \"alpha\"").contains("has no letter"));
    assert!(of("\"ACME \"", "").contains("does not begin or end with a space"));
    assert!(of("\"+6512\"", "kind = \"long_code\"").contains("is no telephone number"));
    assert!(of("\"+12345\"", "kind = \"short_code\"").contains("is no short code"));
    assert!(of("[\"ACME\"]", "kind = \"alpha\"").contains("only a `pool` has several"));
    assert_eq!(of("\"MG0123456789\"", "kind = \"pool\""), "");
}

/// The usual fleet, in which vendor `two` must be told a sender and has none of its own.
fn needy() -> Fleet {
    let mut fleet = fleet();
    let two = fleet.vendors.iter_mut().find(|v| &*v.name == "two");
    let two = two.expect("a vendor");
    two.from = None;
    two.needs_sender = Channel::ALL.to_vec();
    fleet
}

fn compile_needy(text: &str) -> (Rules, Vec<String>) {
    let problems = RefCell::new(Problems::default());
    let rules = Rules::compile(
        &[Source::new("r", text)],
        &needy(),
        "here",
        Moment(0),
        &problems,
    );
    let told = problems.borrow();
    let told = told.sorted().into_iter().map(|p| p.to_string());
    let told = told.filter(|text| !text.ends_with("is in no chain"));
    (rules, told.collect())
}

#[test]
fn a_vendor_that_must_be_told_a_sender_and_has_none_for_this_leaves_the_chain() {
    let text = with("[[sender]]\nvendor = \"two\"\ncountry = \"SG\"\nfrom = \"ACME\"\n");
    let (rules, told) = compile_needy(&text);
    assert_eq!(told, Vec::<String>::new());
    let plan = plan(rules.decide(&message(SINGAPORE), 0));
    assert_eq!(plan.steps[1].from.as_deref(), Some("ACME"));
    let france = rules.explain(&message(FRANCE));
    let (vendor, why) = &france.left_out[0];
    assert_eq!(
        (&**vendor, why.to_string()),
        ("two", "it has no sender for this".to_owned())
    );
}

#[test]
fn a_chain_without_any_sender_is_told() {
    let text = "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [\"two\"]\n[[rule]]\nname = \"a\"\nchain = \"c\"\n";
    let (_, told) = compile_needy(text);
    let warning = "r:3:9: warning: chain `c` sends nothing: no vendor has a sender\n  hint: `from` in the vendor's account, or a `[[sender]]`";
    assert_eq!(told.last().map(String::as_str), Some(warning), "{told:?}");
}

/// What is told of rules on a day.
fn told_on(text: &str, day: &str) -> Vec<String> {
    let now = Moment::from_rfc3339(&format!("{day}T12:00:00Z")).expect("a day");
    let problems = RefCell::new(Problems::default());
    Rules::compile(&[Source::new("r", text)], &fleet(), "here", now, &problems);
    let told = problems.borrow();
    let told = told.sorted().into_iter().map(|p| p.to_string());
    told.filter(|text| !text.ends_with("is in no chain"))
        .collect()
}

#[test]
fn an_example_that_time_has_broken_is_a_warning_and_one_that_never_held_is_a_mistake() {
    let sender = "[[sender]]\nfrom = \"ACME\"\nvalid_to = \"2026-11-24\"\n";
    let text = with(&format!(
        "{sender}[[expect]]\nto = \"{SINGAPORE}\"\nsender = \"ACME\"\n"
    ));
    assert_eq!(told_on(&text, "2026-11-24"), Vec::<String>::new());
    let warning =
        "r:13:10: warning: expected sender `ACME`, got `+one`\n  hint: it held before 2026-11-25";
    assert_eq!(told_on(&text, "2026-11-26"), [warning]);
    let early = text.replace("valid_to", "valid_from");
    assert!(told_on(&early, "2026-11-20")[0].contains(": error: "));
    let at = early + "at = \"2026-12-01\"\n";
    assert_eq!(told_on(&at, "2026-11-20"), Vec::<String>::new());
}

#[test]
fn a_register_that_has_begun_keeps_no_router_from_starting() {
    let text = with("[[registration]]\ncountry = \"SG\"\nvalid_from = \"2026-11-25\"\n");
    assert_eq!(told_on(&text, "2026-11-24"), Vec::<String>::new());
    let told = told_on(&text, "2026-11-25");
    assert!(
        told[0].contains("warning: chain `c` has no vendor whose registered sender"),
        "{told:?}"
    );
}

#[test]
fn the_last_day_of_all_is_for_ever() {
    let text = with("[[sender]]\nfrom = \"ACME\"\nvalid_to = \"9999-12-31\"\n");
    assert_eq!(laid(&text, on("2026-07-01")), "one:ACME two:ACME");
    let (_, told) = compile(&[(
        "r",
        &with("[[sender]]\nfrom = \"ACME\"\nvalid_to = \"20261231\"\n"),
    )]);
    assert!(told[0].contains("`20261231` is not a date"), "{told:?}");
}
