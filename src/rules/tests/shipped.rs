//! The rules that come with the program.

use super::*;

const FILES: [(&str, &str); 6] = [
    (
        "10-chains.toml",
        include_str!("../../../routing-rules/10-chains.toml"),
    ),
    ("15-senders.toml", SENDERS),
    (
        "20-rules.toml",
        include_str!("../../../routing-rules/20-rules.toml"),
    ),
    ("25-templates.toml", TEMPLATES),
    (
        "30-guard.toml",
        include_str!("../../../routing-rules/30-guard.toml"),
    ),
    (
        "40-switches.toml",
        include_str!("../../../routing-rules/40-switches.toml"),
    ),
];
const SENDERS: &str = include_str!("../../../routing-rules/15-senders.toml");
const TEMPLATES: &str = include_str!("../../../routing-rules/25-templates.toml");

fn shipped() -> (Rules, Vec<String>) {
    shipped_with("")
}

/// The shipped rules and one file more.
fn shipped_with(more: &str) -> (Rules, Vec<String>) {
    let more = [("99.toml", more)];
    let files = FILES.iter().chain(&more);
    let files: Vec<Source> = files
        .map(|(name, text)| Source::new(*name, *text))
        .collect();
    let vendor = |name: &str| FleetVendor {
        name: name.into(),
        from: None,
        data_region: None,
        channels: Channel::ALL.to_vec(),
        needs_sender: Vec::new(),
        speaks: None,
        rate: None,
        quota: None,
        stand_in: false,
    };
    let fleet = Fleet {
        vendors: SHIPPED_FOR.map(vendor).to_vec(),
        definitions: Vec::new(),
        orgs: Vec::new(),
    };
    let problems = RefCell::new(Problems::default());
    let rules = Rules::compile(&files, &fleet, "local", Moment(0), &problems);
    let told = problems.borrow();
    let told = told.sorted().into_iter().map(|p| p.to_string()).collect();
    (rules, told)
}

/// What stands in a file's comments as an example.
fn commented(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# "));
    let examples = lines.filter(|line| {
        let key = line.split(' ').next().unwrap_or_default();
        let is_key = key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        line.starts_with('[') || (is_key && line.contains(" = "))
    });
    examples.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_commented_senders_and_templates_are_good_ones() {
    let senders = commented(SENDERS);
    let indian = "\n[[sender]]\ncountry = \"IN\"\nfrom = \"ACMEIN\"\nregistered = true\n";
    let (rules, told) = shipped_with(&[&senders, indian, &commented(TEMPLATES)].concat());
    // An example that the register undoes is told, and nothing else.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("expected vendors") && told[0].contains("by rule `singapore`"));
    let singapore = plan(rules.decide(&message(SINGAPORE), 0));
    let (vendor, from) = (&singapore.steps[0].vendor, &singapore.steps[0].from);
    assert_eq!((&**vendor, from.as_deref()), (SHIPPED_FOR[0], Some("ACME")));
    assert_eq!(singapore.steps.len(), 1, "the others are not registered");
    let mut german = message("+4915123456789");
    german.locale = "de".to_owned();
    let wording = plan(rules.decide(&german, 0)).steps[0].wording.clone();
    let wording = wording.expect("a template");
    assert!(
        wording
            .text
            .as_deref()
            .is_some_and(|t| t.contains("@login.acme.com #{code}"))
    );
}

#[test]
fn the_shipped_rules_have_neither_errors_nor_warnings() {
    let (rules, told) = shipped();
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(rules.vendors_used().len(), SHIPPED_FOR.len());
    assert_eq!(rules.guard().allow, crate::guard::Allow::Every);
}

#[test]
fn the_shipped_rules_have_an_answer_for_every_country() {
    let (rules, _) = shipped();
    let examples = include_str!("../../../tests/data/phone-examples.csv");
    let mut met = 0;
    for line in examples.lines().skip(1) {
        let number = line.split(',').next().unwrap();
        let mut message = message(number);
        if message.to.is_err() {
            continue;
        }
        for channel in Channel::ALL {
            message.channel = channel;
            let decision = rules.decide(&message, 0);
            let answered = matches!(decision, Decision::Plan(_) | Decision::Denied { .. });
            assert!(answered, "{number} {channel}: {decision:?}");
        }
        met += 1;
    }
    assert!(met > 900, "{met} examples");
}

#[test]
fn the_commented_switches_are_good_ones() {
    let text = include_str!("../../../routing-rules/40-switches.toml");
    let example = text.split_once("# [switches]").unwrap().1;
    let example = example.replace("\n#", "\n");
    let text = format!(
        "[switches]{example}[chains.c]\nvendors = [\"one\"]\n\
         [[rule]]\nname = \"a\"\nwhen = {{ country = \"SG\" }}\nchain = \"c\""
    )
    .replace(SHIPPED_FOR[2], "one")
    .replace(SHIPPED_FOR[1], "two");
    let rules = rules(&text);
    let country = Country::parse("BR").unwrap();
    assert_eq!(rules.off("one", country, Moment(0)), Some("INC-4411"));
    assert_eq!(rules.off("two", country, Moment(0)), Some("INC-4412"));
}
