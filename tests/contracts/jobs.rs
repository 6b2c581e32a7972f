//! Jobs of every kind, drawn with a seed: whom, from whom, what, in which language, with what beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use trunkline::flow::Secret;
use trunkline::number::PhoneNumber;
use trunkline::text::{Encoding, measure, script};
use trunkline::time::Moment;
use trunkline::vendor::Job;

/// 2026-11-25.
pub(crate) const NOW: Moment = Moment(1_795_600_000_000);
/// One example of each type in each country, as `number,country,type`.
const EXAMPLES: &str = include_str!("../data/phone-examples.csv");
const COUNTRIES: [&str; 40] = [
    "AE", "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CI", "CL", "CN", "CO", "DE", "DK", "EG", "ES",
    "FI", "FR", "GB", "HK", "ID", "IL", "IN", "IT", "JP", "KR", "MX", "MY", "NG", "NL", "NO", "NZ",
    "PH", "PL", "SE", "SG", "SH", "TR", "US", "ZA",
];
/// One for each language that is spoken, and for each accent.
const LOCALES: [&str; 48] = [
    "en", "ar", "bg", "ca", "cs", "da", "de", "el", "es", "et", "fi", "fil", "fr", "he", "hi",
    "hr", "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "pl", "pt", "pt-BR",
    "ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi", "zh", "zh-Hant", "en-AU", "en-GB",
    "en-IN", "es-MX", "es-US", "fr-CA", "nl-BE",
];
/// What each alphabet's texts are made of: words, and what forms, JSON, XML and speech markup are made of.
const GSM7: [&str; 12] = [
    "verification",
    "code",
    "ACME",
    "Überprüfung",
    "&",
    "<b>",
    "\"x\"",
    "'y'",
    "{z}",
    "100%+1=?",
    "\\n]]>",
    "</Say>",
];
const UCS2: [&str; 12] = [
    "您的验证码",
    "код",
    "ACME",
    "ñandú",
    "&amp;",
    "<break/>",
    "“x”",
    "’y’",
    "{\"z\"}",
    "🔑",
    "\u{200f}رمز",
    "%00;--",
];
/// Parts of a text, at most.
const PARTS_MAX: usize = 6;
const DIGITS: &[u8] = b"0123456789";
const ALPHANUMERICS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// xorshift64*, seeded.
pub(crate) struct Dice(u64);

/// A job that owns what it tells.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) to: PhoneNumber,
    pub(crate) from: Option<String>,
    pub(crate) text: Secret,
    pub(crate) left_ms: i64,
    pub(crate) callback: Option<String>,
    script: String,
    reference: String,
    code: Secret,
    ucs2: bool,
    language: &'static str,
    parameters: BTreeMap<Arc<str>, Arc<str>>,
}

impl Dice {
    /// The same for the same seed.
    pub(crate) fn seeded(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below.
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }

    fn letters(&mut self, of: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(*self.pick(of))).collect()
    }
}

impl Drawn {
    /// Another one each time.
    pub(crate) fn by(dice: &mut Dice) -> Drawn {
        let code = dice.letters(DIGITS, 6);
        let ucs2 = dice.roll(2) == 0;
        let text = text(&code, if ucs2 { &UCS2 } else { &GSM7 }, dice);
        let id = dice.letters(b"0123456789abcdef", 32);
        let mut address = |what: &str| {
            format!(
                "https://otp.example/{what}/{}",
                dice.letters(ALPHANUMERICS, 36)
            )
        };
        let (callback, script_url) = (address("receipts/a-vendor"), address("voice"));
        Drawn {
            to: dice.pick(numbers()).clone(),
            from: sender(dice),
            left_ms: left_ms(dice),
            callback: (dice.roll(2) == 0).then_some(callback),
            script: script_url,
            reference: format!("dlv_{id}-{}", 1 + dice.roll(6)),
            ucs2: measure(&text).encoding == Encoding::Ucs2,
            text: Secret::new(text),
            code: Secret::new(code),
            language: script(dice.pick::<&str>(&LOCALES)).language,
            parameters: parameters(dice),
        }
    }

    /// The passcode that its text tells.
    pub(crate) fn code(&self) -> &str {
        self.code.expose()
    }

    pub(crate) fn job(&self) -> Job<'_> {
        Job {
            to: &self.to,
            from: self.from.as_deref(),
            text: &self.text,
            code: Some(&self.code),
            reference: &self.reference,
            callback: self.callback.as_deref(),
            script: Some(&self.script),
            left_ms: self.left_ms,
            ucs2: self.ucs2,
            language: self.language,
            parameters: &self.parameters,
        }
    }
}

/// Numbers that a text message may go to, of forty countries.
fn numbers() -> &'static [PhoneNumber] {
    static NUMBERS: OnceLock<Vec<PhoneNumber>> = OnceLock::new();
    NUMBERS.get_or_init(|| {
        let rows = EXAMPLES
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>());
        let meant = rows.filter(|row| COUNTRIES.contains(&row[1]) && row[2].contains("mobile"));
        let numbers: Vec<PhoneNumber> = meant
            .map(|row| PhoneNumber::parse(row[0], None).expect("a number"))
            .collect();
        let countries: BTreeSet<_> = numbers.iter().map(PhoneNumber::country).collect();
        assert_eq!(countries.len(), COUNTRIES.len());
        numbers
    })
}

/// `+number`, its digits, a short code, a name of 3 to 11 characters, or nobody.
fn sender(dice: &mut Dice) -> Option<String> {
    let number = format!("1500555{}", dice.letters(DIGITS, 4));
    match dice.roll(6) {
        0 => Some(format!("+{number}")),
        1 => Some(number),
        2 => Some(format!("6{}", dice.letters(DIGITS, 4))),
        3 => None,
        _ => {
            let more = 2 + dice.roll(9);
            Some(format!("A{}", dice.letters(ALPHANUMERICS, more)))
        }
    }
}

/// From a second to a quarter of an hour, and each of its ends often.
fn left_ms(dice: &mut Dice) -> i64 {
    match dice.roll(8) {
        0 => 1_000,
        1 => 900_000,
        _ => i64::try_from(1_000 + dice.roll(899_001)).expect("milliseconds"),
    }
}

/// A text with the passcode in it, of one part to six; the last one may be full to its last character.
fn text(code: &str, words: &[&str], dice: &mut Dice) -> String {
    let parts = 1 + dice.roll(PARTS_MAX);
    let mut text = format!("{code} is your {}", dice.pick(words));
    loop {
        let longer = match dice.roll(3) {
            0 => format!("{text} {}", dice.pick(words)),
            _ => format!("{text} {}", dice.pick(&words[..4])),
        };
        if measure(&longer).parts > parts {
            break;
        }
        text = longer;
    }
    while dice.roll(4) > 0 && measure(&format!("{text}.")).parts <= parts {
        text.push('.');
    }
    text
}

/// What India's registry needs: both, one of them, none.
fn parameters(dice: &mut Dice) -> BTreeMap<Arc<str>, Arc<str>> {
    let ids = [
        ("entity_id", "1101000000000000001"),
        ("template_id", "1107000000000000002"),
    ];
    let given = match dice.roll(4) {
        0 => &ids[..],
        1 => &ids[..1],
        _ => &[],
    };
    given
        .iter()
        .map(|&(name, value)| (name.into(), value.into()))
        .collect()
}

#[test]
fn every_language_that_is_spoken_is_among_the_jobs() {
    let spoken: BTreeSet<&str> = LOCALES.iter().map(|l| script(l).language).collect();
    assert_eq!(spoken.len(), LOCALES.len());
}

#[test]
fn texts_of_every_size_are_among_the_jobs() {
    let mut dice = Dice::seeded(1);
    let measures = (0..300).map(|_| measure(Drawn::by(&mut dice).text.expose()));
    let sizes: BTreeSet<_> = measures
        .map(|m| (m.encoding == Encoding::Ucs2, m.parts))
        .collect();
    assert_eq!(sizes.len(), 2 * PARTS_MAX, "{sizes:?}");
}
