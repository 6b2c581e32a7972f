//! Counts what a text takes over the air: septets or UTF-16 units, and parts.

use serde::Serialize;

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
    let mut gsm7 = Count::new(160, 153);
    for c in text.chars() {
        let Some(septets) = septets(c) else {
            return measure_ucs2(text);
        };
        gsm7.add(septets);
    }
    gsm7.measure(Encoding::Gsm7)
}

fn measure_ucs2(text: &str) -> Measure {
    let mut ucs2 = Count::new(70, 67);
    for c in text.chars() {
        ucs2.add(c.len_utf16());
    }
    ucs2.measure(Encoding::Ucs2)
}

/// What a character takes in the GSM 7-bit default alphabet and its extension table (3GPP TS 23.038
/// 6.2.1 and 6.2.1.1); `None` for one that neither has.
pub(super) fn septets(c: char) -> Option<usize> {
    match c {
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => Some(1),
        '£' | '¥' | '¤' | '§' | '¡' | '¿' => Some(1),
        'à' | 'ä' | 'å' | 'æ' | 'è' | 'é' | 'ì' | 'ñ' | 'ò' | 'ö' | 'ø' | 'ù' | 'ü' | 'ß' => {
            Some(1)
        }
        'Ä' | 'Å' | 'Æ' | 'Ç' | 'É' | 'Ñ' | 'Ö' | 'Ø' | 'Ü' => Some(1),
        'Γ' | 'Δ' | 'Θ' | 'Λ' | 'Ξ' | 'Π' | 'Σ' | 'Φ' | 'Ψ' | 'Ω' => Some(1),
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        _ => None,
    }
}

/// Fills one part after the other.
struct Count {
    /// What one part holds, alone and as one of several.
    alone: usize,
    of_several: usize,
    units: usize,
    parts: usize,
    /// Units in the last part.
    used: usize,
}

impl Count {
    fn new(alone: usize, of_several: usize) -> Count {
        Count {
            alone,
            of_several,
            units: 0,
            parts: 1,
            used: 0,
        }
    }

    /// Adds a character, whole.
    fn add(&mut self, units: usize) {
        self.units += units;
        self.used += units;
        if self.used > self.of_several {
            self.parts += 1;
            self.used = units;
        }
    }

    fn measure(&self, encoding: Encoding) -> Measure {
        let fits_alone = self.units <= self.alone;
        Measure {
            encoding,
            units: self.units,
            parts: if fits_alone { 1 } else { self.parts },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default alphabet in the order of its codes, and the extension table.
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENDED: &str = "^{}\\[~]|€\u{c}";

    fn check(text: &str, encoding: Encoding, units: usize, parts: usize) {
        let expected = Measure {
            encoding,
            units,
            parts,
        };
        assert_eq!(measure(text), expected, "{text}");
    }

    #[test]
    fn the_alphabet_has_just_the_characters_of_the_standard() {
        assert_eq!(BASIC.chars().count(), 127);
        for c in '\0'..=char::MAX {
            let expected = match c {
                c if BASIC.contains(c) => Some(1),
                c if EXTENDED.contains(c) => Some(2),
                _ => None,
            };
            assert_eq!(septets(c), expected, "{c:?}");
        }
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
}
