//! The index finds the rule that asking all of them would find.

use super::*;

/// xorshift64*, seeded.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    fn some(&mut self, of: &[&str]) -> String {
        let count = 1 + self.roll(3);
        let picked: Vec<String> = (0..count)
            .map(|_| format!("\"{}\"", of[self.roll(of.len())]))
            .collect();
        picked.join(", ")
    }
}

const COUNTRIES: [&str; 6] = ["SG", "FR", "US", "CA", "DE", "NANP"];
const PREFIXES: [&str; 6] = ["+65", "+6581", "+336", "+1201", "+12015550123", "+4"];
const ORGS: [&str; 3] = ["acme", "other", "third"];
const USERS: [&str; 3] = ["00u1", "00u2", "00u3"];
const LOGINS: [&str; 4] = ["ann@example.com", "*@example.com", "bob@b.test", "*"];

fn condition(dice: &mut Dice) -> String {
    match dice.roll(6) {
        0 => format!("country = [{}]", dice.some(&COUNTRIES)),
        1 => format!("prefix = [{}]", dice.some(&PREFIXES)),
        2 => format!("org = [{}]", dice.some(&ORGS)),
        3 => format!("user = [{}]", dice.some(&USERS)),
        4 => format!("login = [{}]", dice.some(&LOGINS)),
        _ => format!("channel = [{}]", dice.some(&["sms", "voice"])),
    }
}

fn some_rules(dice: &mut Dice) -> String {
    let mut text = "[guard]\nallow_countries = \"*\"\n".to_owned();
    for index in 0..1 + dice.roll(12) {
        let mut conditions: Vec<String> = (0..dice.roll(3)).map(|_| condition(dice)).collect();
        conditions.sort();
        conditions.dedup_by_key(|c| c.split(' ').next().map(str::to_owned));
        let when = conditions.join(", ");
        text += &format!("[[rule]]\nname = \"r{index}\"\nwhen = {{ {when} }}\ndeny = \"no\"\n");
    }
    text
}

#[test]
fn the_index_finds_what_asking_every_rule_would_find() {
    let mut dice = Dice(7);
    let mut matched = 0;
    for _ in 0..500 {
        let (rules, _) = compile(&[("r", &some_rules(&mut dice))]);
        for number in [
            SINGAPORE,
            FRANCE,
            UNITED_STATES,
            "+4915123456789",
            "+80012345678",
        ] {
            let mut message = message(number);
            message.org = ORGS[dice.roll(3)].into();
            message.user = Some(USERS[dice.roll(3)].to_owned());
            message.login = [Some("ANN@example.com".to_owned()), None][dice.roll(2)].clone();
            message.channel = Channel::ALL[dice.roll(2)];
            let Some(facts) = facts(&message, &rules.region) else {
                continue;
            };
            let asked = rules.rules.iter().position(|r| r.matches(&facts));
            let found = rules.matching(&message);
            let found = found.map(|(_, rule)| rule.name.clone());
            assert_eq!(found, asked.map(|i| rules.rules[i].name.clone()));
            matched += usize::from(found.is_some());
        }
    }
    assert!(matched > 500, "{matched}");
}
