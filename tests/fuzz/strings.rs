//! Small languages: times, limits, quotas, numbers, templates.

use trunkline::flow::{Channel, Secret, Wording};
use trunkline::guard::Limit;
use trunkline::guard::quota::{Quota, Unit};
use trunkline::number::{Country, PhoneNumber};
use trunkline::text::{Given, Words, measure, render, script, shortest, tag, transliterate};
use trunkline::time::{Moment, Rate};

use crate::chance::Chance;
use crate::{soup, throw};

const NUMBERS: [&str; 12] = [
    "+6581234567",
    "+1 (201) 555-0123",
    "tel:+44-7400-123456;ext=5",
    "0044 7400 123456",
    "+39 06 698",
    "2015550123",
    "+٦٥٨١٢٣٤٥٦٧",
    "+800 1234 5678",
    "+882161234567",
    "00",
    "++1",
    "+1201555012x",
];
const TIMES: [&str; 12] = [
    "40000/day",
    "10/10m",
    "3/h",
    "1/7d",
    "600ms",
    "00:00 America/Los_Angeles",
    "02:30 Europe/Berlin",
    "2026-01-31",
    "2026-11-24T09:00:00Z",
    "9999-12-31T23:59:59Z",
    "1/1s",
    "00:00 Pacific/Apia",
];
const TEXTS: [&str; 8] = [
    "{code} is your {org} code. It is good for {minutes} minutes.",
    "Ihr Code lautet {code}.",
    "{{{code}}}",
    "您的验证码是 {code}",
    "Votre code “{code}” – c’est tout…",
    "{code}\n@login.acme.example #{code}",
    "€{code}€[^~]",
    "ราหัส {code} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
];
/// A moment from anywhere that clocks and journals may be.
fn moment(chance: &mut Chance) -> Moment {
    let near = i64::try_from(chance.next() % 4_000_000_000_000).expect("a small number");
    Moment(match chance.below(8) {
        0 => i64::MAX,
        1 => i64::MIN,
        2 => -near,
        _ => near,
    })
}

fn of(all: &'static [&'static str]) -> impl Fn(&mut Chance) -> String {
    move |chance| {
        let (text, other) = (chance.of(all), chance.of(all));
        // One character more or less, which pieces of TOML do not give.
        let mut text = soup::any(chance, text, other);
        if chance.one_in(2) && !text.is_empty() {
            let at = chance.below(text.chars().count());
            text = text
                .chars()
                .enumerate()
                .filter(|(i, _)| *i != at)
                .map(|(_, c)| c)
                .collect();
        }
        text
    }
}

#[test]
fn numbers_are_read_whatever_they_say() {
    throw("numbers", 4_000, of(&NUMBERS), |text| {
        for default in [
            None,
            Country::parse("US"),
            Country::parse("SG"),
            Country::parse("IT"),
        ] {
            let Ok(number) = PhoneNumber::parse(text, default) else {
                continue;
            };
            assert!(number.e164().starts_with('+'));
            assert!(number.digits().bytes().all(|b| b.is_ascii_digit()));
            let again = PhoneNumber::parse(number.e164(), None).expect("its own form");
            assert_eq!(
                (again.e164(), again.country()),
                (number.e164(), number.country())
            );
            assert_ne!(format!("{number:?}"), number.e164());
        }
    });
}

#[test]
fn times_limits_and_quotas_are_read_whatever_they_say() {
    throw("times", 3_000, of(&TIMES), |text| {
        let mut chance = Chance::new(text, 1, 1);
        if let Some(rate) = Rate::parse(text) {
            assert!(rate.count > 0 && rate.per_ms > 0);
        }
        if let Some(limit) = Limit::parse(text) {
            assert!(limit.count > 0 && limit.per_ms >= 1_000);
        }
        if let Some(moment) = Moment::from_rfc3339(text) {
            assert_eq!(Moment::from_rfc3339(&moment.to_rfc3339()), Some(moment));
        }
        for (limit, resets) in [
            (text, None),
            ("40000/day", Some(text)),
            (text, Some("00:00")),
        ] {
            let quota = Quota::read(limit, resets, Unit::Parts);
            let Ok(quota) = quota else { continue };
            for _ in 0..4 {
                let now = moment(&mut chance);
                let window = quota.window(now);
                let is_in = window.from <= now && now < window.until;
                assert!(is_in || now.0 == i64::MAX, "{window:?} at {now:?}");
            }
        }
    });
}

#[test]
fn texts_are_read_and_said_whatever_they_say() {
    throw("texts", 3_000, of(&TEXTS), |text| {
        let plain = transliterate(text, "123456");
        assert_eq!(transliterate(&plain, "123456"), plain, "twice is once");
        assert!(measure(&shortest(text, "123456")).parts <= measure(text).parts);
        let words = match Words::parse(text) {
            Ok(words) => words,
            Err(mistake) => {
                assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?}");
                return;
            }
        };
        for (org, minutes, webotp) in [("ACME", 5, None), (text, -1, Some(text))] {
            let wording = Wording {
                text: Some(words.settle(org, minutes, webotp).into()),
                language: Some(text.into()),
                transliterate: minutes < 0,
                ..Wording::default()
            };
            for channel in Channel::ALL {
                said(&wording, channel);
            }
        }
        assert!(!tag(text).is_empty() || text.is_empty());
        assert!(!script(text).language.is_empty());
    });
}

fn said(wording: &Wording, channel: Channel) {
    let (code, okta) = (Secret::new("918273"), Secret::new("Your code is 918273"));
    let given = Given {
        channel,
        code: Some(&code),
        text: Some(&okta),
    };
    let text = render(Some(wording), channel, &given);
    if channel == Channel::Sms {
        assert!(text.expose().contains("918273"), "the code is left out");
    }
    let apart = |digit: char| text.expose().contains(digit);
    assert!("918273".chars().all(apart), "a digit is left out");
}
