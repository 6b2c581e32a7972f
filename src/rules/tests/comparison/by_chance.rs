//! Holds what is told of rules made by chance against what becomes of messages made by chance.

use super::*;

const PAIRS: u64 = 200;
const MESSAGES: usize = 300;
const NUMBERS: [&str; 7] = [
    SINGAPORE,
    "+6591234567",
    "+6561234567",
    FRANCE,
    UNITED_STATES,
    "+5511961234567",
    "+81312345678",
];

/// Chance that is the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % most
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// Some of the keys, each with one of its values.
    fn some(&mut self, keys: &[(&str, &[&str])]) -> Vec<String> {
        let mut some = Vec::new();
        for (key, values) in keys {
            if self.below(3) == 0 {
                some.push(format!("{key} = {}", self.one(values)));
            }
        }
        some
    }

    fn rule(&mut self, index: usize) -> String {
        let when = self.some(&[
            ("country", &["\"SG\"", "[\"SG\", \"FR\"]", "\"US\""]),
            ("channel", &["\"sms\"", "\"voice\""]),
            ("org", &["\"acme\"", "[\"acme\", \"other\"]"]),
            ("locale", &["\"fr\"", "\"fr-ca\"", "[\"en\", \"fr\"]"]),
            ("request_type", &["\"mfa-verification\"", "\"x\""]),
            ("user", &["\"00u1\"", "\"00u2\""]),
            (
                "login",
                &["\"*@example.com\"", "\"ann@example.com\"", "\"*.com\""],
            ),
            ("prefix", &["\"+65\"", "\"+6581\"", "[\"+6591\", \"+33\"]"]),
            (
                "number_type",
                &["\"mobile\"", "[\"fixed_line\", \"mobile\"]"],
            ),
            ("preview", &["true", "false"]),
        ]);
        let acts = [
            "chain = \"c\"",
            "chain = \"d\"",
            "deny = \"no\"",
            "chain = \"c\"\nmax_parts = 1",
        ];
        let act = self.one(&acts);
        format!(
            "[[rule]]\nname = \"r{index}\"\nwhen = {{ {} }}\n{act}\n",
            when.join(", ")
        )
    }

    fn template(&mut self) -> String {
        let keys = self.some(&[
            ("country", &["\"SG\"", "[\"FR\", \"US\"]"]),
            ("locale", &["\"fr\"", "\"en\""]),
            ("org", &["\"acme\"", "\"other\""]),
            ("request_type", &["\"x\""]),
            ("vendor", &["\"one\"", "[\"two\", \"one\"]"]),
            ("channel", &["\"voice\""]),
        ]);
        let text = self.one(&["A {code}", "B {code} {org}", "C {code} {minutes}"]);
        format!("[[template]]\n{}\ntext = \"{text}\"\n", keys.join("\n"))
    }

    fn sender(&mut self) -> String {
        let keys = self.some(&[
            ("country", &["\"SG\"", "[\"FR\", \"US\"]"]),
            ("org", &["\"acme\"", "\"other\""]),
            ("vendor", &["\"one\"", "\"two\""]),
            ("registered", &["true"]),
        ]);
        let from = self.one(&["ACME", "+6512345678", "+12025550123"]);
        format!("[[sender]]\n{}\nfrom = \"{from}\"\n", keys.join("\n"))
    }

    /// Declarations, in order.
    fn rule_set(&mut self) -> Vec<String> {
        let rules = (0..3).map(|index| self.rule(index)).collect::<Vec<_>>();
        let templates = (0..2).map(|_| self.template()).collect::<Vec<_>>();
        let senders = (0..2).map(|_| self.sender()).collect::<Vec<_>>();
        let rest = "[[rule]]\nname = \"rest\"\nchain = \"d\"\n".to_owned();
        let register = (self.below(3) == 0)
            .then(|| "[[registration]]\ncountry = \"FR\"\nkind = \"alpha\"\n".to_owned());
        let all = rules.into_iter().chain([rest]).chain(templates);
        all.chain(senders).chain(register).collect()
    }

    /// One declaration is made anew, or two change places.
    fn change(&mut self, set: &mut [String]) {
        let index = self.below(7);
        match (index, self.below(2)) {
            (0..3, 0) => set[index] = self.rule(index),
            (0..3, _) => set.swap(index, (index + 1) % 3),
            (3 | 4, 0) => set[4] = self.template(),
            (3 | 4, _) => set.swap(4, 5),
            (_, 0) => set[6] = self.sender(),
            (_, _) => set.swap(6, 7),
        }
    }

    fn message(&mut self, orgs: &[Arc<str>]) -> Message {
        let mut message = message(self.one(&NUMBERS));
        message.channel = Channel::ALL[self.below(2)];
        if message.channel == Channel::Voice {
            message.text = None;
        }
        message.org = orgs[self.below(orgs.len())].clone();
        message.locale = self
            .one(&["fr", "fr-ca", "fr-be", "en", "en-gb", "ja"])
            .to_owned();
        message.request_type = self.one(&["mfa-verification", "x", "y"]).to_owned();
        let users = [None, Some("00u1"), Some("00u2")];
        message.user = users[self.below(3)].map(str::to_owned);
        let logins = [
            None,
            Some("ann@example.com"),
            Some("bob@example.com"),
            Some("x@y.com"),
        ];
        message.login = logins[self.below(4)].map(str::to_owned);
        message.preview = self.below(4) == 0;
        message
    }
}

/// What people notice of a decision.
fn noticed(rules: &Rules, message: &Message) -> String {
    match rules.explain(message).decision {
        Decision::Plan(plan) => {
            let steps = plan.steps.iter().map(|step| {
                let text = step.wording.as_ref().and_then(|w| w.text.clone());
                format!("{} {} {:?} {text:?}", step.vendor, step.channel, step.from)
            });
            let steps: Vec<String> = steps.collect();
            format!("{} {}", plan.chain, steps.join(", "))
        }
        Decision::Denied { why, .. } => why.to_string(),
        Decision::NoRule => "no rule".to_owned(),
        Decision::TooLong { .. } => "too long".to_owned(),
        Decision::NoChain { .. } => "no chain".to_owned(),
    }
}

fn compiled(set: &[String]) -> Option<Rules> {
    let chains = "[guard]\nallow_countries = \"*\"\n[chains.c]\nvendors = [\"one\", \"two\"]\n[chains.d]\nvendors = [\"two\"]\n";
    let files = [Source::new("r", chains.to_owned() + &set.concat())];
    let problems = RefCell::<Problems>::default();
    let rules = Rules::compile(&files, &fleet(), "here", Moment(0), &problems);
    (!problems.take().has_errors()).then_some(rules)
}

#[test]
fn nothing_changes_only_where_no_message_fares_otherwise() {
    let orgs = ["acme", "other", "third"].map(Arc::from);
    let (mut told, mut silent) = (0, 0);
    for seed in 0..PAIRS {
        let mut chance = Chance(seed);
        let mut set = chance.rule_set();
        let live = compiled(&set);
        chance.change(&mut set);
        let (Some(live), Some(draft)) = (live, compiled(&set)) else {
            continue;
        };
        let orgs = &orgs[..2 + chance.below(2)];
        let compared = draft.compare(&live, orgs, Moment(0));
        let mut messages = (0..MESSAGES).map(|_| chance.message(orgs));
        let another = messages.find(|m| noticed(&live, m) != noticed(&draft, m));
        match another {
            Some(message) => {
                told += 1;
                let is_said = !compared.changes.is_empty();
                assert!(is_said, "seed {seed}: {message:?}\n{}", set.concat());
            }
            None => silent += 1,
        }
    }
    assert!(told > 20 && silent > 20, "{told} told, {silent} not");
}
