//! The rules that come with the program.

use super::*;

fn shipped() -> (Rules, Vec<String>) {
    let files = [
        Source::new(
            "10-chains.toml",
            include_str!("../../../routing-rules/10-chains.toml"),
        ),
        Source::new(
            "20-rules.toml",
            include_str!("../../../routing-rules/20-rules.toml"),
        ),
        Source::new(
            "30-guard.toml",
            include_str!("../../../routing-rules/30-guard.toml"),
        ),
        Source::new(
            "40-switches.toml",
            include_str!("../../../routing-rules/40-switches.toml"),
        ),
    ];
    let vendor = |name: &str| FleetVendor {
        name: name.into(),
        from: None,
        data_region: None,
        channels: Channel::ALL.to_vec(),
        rate: None,
        quota: None,
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
