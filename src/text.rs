//! Measures a text as a handset gets it, and writes the script of a call.

mod stub;
pub use stub::{Given, Mistake, SHOWN_CODE, SHOWN_TEXT, Script, Words, render, script};

use serde::Serialize;

/// The basic characters of the GSM 7-bit default alphabet (3GPP TS 23.038 6.2.1).
const GSM7_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The characters of its extension table, two septets each (3GPP TS 23.038 6.2.1.1).
const GSM7_EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// Septets in one part, alone and as one of several.
const GSM7_PART: (usize, usize) = (160, 153);
/// UTF-16 units in one part, alone and as one of several.
const UCS2_PART: (usize, usize) = (70, 67);

/// How a text travels over the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Encoding {
    #[serde(rename = "GSM-7")]
    Gsm7,
    #[serde(rename = "UCS-2")]
    Ucs2,
}

/// A text's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    pub encoding: Encoding,
    /// Septets, or UTF-16 units.
    pub units: usize,
    /// Messages it takes; a character is never split over two.
    pub parts: usize,
}

/// Measures a text.
pub fn measure(text: &str) -> Measure {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (encoding, sizes, part) = match septets {
        Some(sizes) => (Encoding::Gsm7, sizes, GSM7_PART),
        None => {
            let sizes = text.chars().map(char::len_utf16).collect();
            (Encoding::Ucs2, sizes, UCS2_PART)
        }
    };
    let units = sizes.iter().sum();
    Measure {
        encoding,
        units,
        parts: parts(&sizes, units, part),
    }
}

/// What is read out in a call: the passcode digit by digit, twice.
pub fn spoken(code: &str) -> String {
    let digits: Vec<String> = code.chars().map(String::from).collect();
    let digits = digits.join(", ");
    format!("Hello. Your verification code is {digits}. Once more, your code is {digits}. Goodbye.")
}

fn septets(c: char) -> Option<usize> {
    if GSM7_BASIC.contains(c) {
        Some(1)
    } else {
        GSM7_EXTENDED.contains(c).then_some(2)
    }
}

fn parts(sizes: &[usize], units: usize, (alone, of_several): (usize, usize)) -> usize {
    if units <= alone {
        return 1;
    }
    let mut parts = 1;
    let mut used = 0;
    for size in sizes {
        if used + size > of_several {
            parts += 1;
            used = 0;
        }
        used += size;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, encoding: Encoding, units: usize, parts: usize) {
        let expected = Measure {
            encoding,
            units,
            parts,
        };
        assert_eq!(measure(text), expected, "{text}");
    }

    #[test]
    fn plain_texts_are_gsm7() {
        check("", Encoding::Gsm7, 0, 1);
        check("Your verification code is 123456", Encoding::Gsm7, 32, 1);
        check(&"a".repeat(160), Encoding::Gsm7, 160, 1);
        check(&"a".repeat(161), Encoding::Gsm7, 161, 2);
        check(&"a".repeat(306), Encoding::Gsm7, 306, 2);
        check(&"a".repeat(307), Encoding::Gsm7, 307, 3);
    }

    #[test]
    fn extended_characters_take_two_septets_and_are_never_split() {
        check("€", Encoding::Gsm7, 2, 1);
        check(&"€".repeat(80), Encoding::Gsm7, 160, 1);
        // 153 is odd: each part holds 76 of them, not 76.5.
        check(&"€".repeat(153), Encoding::Gsm7, 306, 3);
    }

    #[test]
    fn one_other_character_makes_it_ucs2() {
        check("ç", Encoding::Ucs2, 1, 1);
        check(&"中".repeat(70), Encoding::Ucs2, 70, 1);
        check(&"中".repeat(71), Encoding::Ucs2, 71, 2);
        check("😀", Encoding::Ucs2, 2, 1);
        // 67 is odd: 33 pairs a part.
        check(&"😀".repeat(67), Encoding::Ucs2, 134, 3);
    }

    #[test]
    fn a_call_reads_every_digit_twice() {
        let script = spoken("012");
        assert_eq!(script.matches("0, 1, 2").count(), 2);
    }
}
