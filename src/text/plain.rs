//! Writes a text with plainer characters, so that it takes fewer parts.

use std::borrow::Cow;

use icu_normalizer::properties::{
    CanonicalCompositionBorrowed, CanonicalDecompositionBorrowed, Decomposed,
};

use crate::text::measure::{measure, septets};

/// The marks that stand above, below or through a letter.
const MARKS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

const COMPOSITION: CanonicalCompositionBorrowed<'static> = CanonicalCompositionBorrowed::new();
const DECOMPOSITION: CanonicalDecompositionBorrowed<'static> =
    CanonicalDecompositionBorrowed::new();

/// The text in plain characters where that takes fewer parts, else as it is. `keep` is not touched.
pub fn shortest<'a>(text: &'a str, keep: &str) -> Cow<'a, str> {
    let parts = measure(text).parts;
    if parts == 1 {
        return Cow::Borrowed(text);
    }
    let plain = transliterate(text, keep);
    if measure(&plain).parts < parts {
        plain
    } else {
        Cow::Borrowed(text)
    }
}

/// The text with plain characters for typographic ones, and letters without their accents where GSM-7
/// does not have them. Other scripts stay as they are, and so does `keep` wherever it stands.
pub fn transliterate<'a>(text: &'a str, keep: &str) -> Cow<'a, str> {
    if text.chars().all(|c| septets(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(keep).filter(|_| !keep.is_empty()) {
        push_plain(before, &mut plain);
        plain.push_str(keep);
        rest = after;
    }
    push_plain(rest, &mut plain);
    Cow::Owned(plain)
}

fn push_plain(text: &str, plain: &mut String) {
    // The last character and the marks after it, as one character.
    let mut held: Option<char> = None;
    for c in text.chars() {
        if let Some(before) = held {
            // Nothing comes between a letter and its mark.
            if typed(c) == Some("") {
                continue;
            }
            if let Some(whole) = COMPOSITION.compose(before, c) {
                held = Some(whole);
                continue;
            }
            let is_plain = typed(before).is_some() || plainer(before).is_some();
            if MARKS.contains(&c) && is_plain {
                continue;
            }
        }
        push_one(held.replace(c), plain);
    }
    push_one(held, plain);
}

fn push_one(c: Option<char>, plain: &mut String) {
    let Some(c) = c else {
        return;
    };
    if septets(c).is_some() {
        plain.push(c);
    } else if let Some(typed) = typed(c) {
        plain.push_str(typed);
    } else {
        plain.push(plainer(c).unwrap_or(c));
    }
}

/// The letter that is left of this one when as few of its marks as need be are taken away; `None` where
/// GSM-7 does not have it either.
fn plainer(c: char) -> Option<char> {
    let mut c = c;
    while septets(c).is_none() {
        c = match DECOMPOSITION.decompose(c) {
            Decomposed::Singleton(same) => same,
            Decomposed::Expansion(letter, mark) if MARKS.contains(&mark) => letter,
            Decomposed::Expansion(..) | Decomposed::Default => return None,
        };
    }
    Some(c)
}

/// What a typewriter would write for it.
fn typed(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | '‵' | '´' | '`' | 'ʻ' | 'ʼ' => {
            "'"
        }
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '‶' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '•' | '‣' | '⁃' | '◦' | '▪' | '●' => {
            "-"
        }
        '·' | '∙' | '․' => ".",
        '…' => "...",
        '‥' => "..",
        '⁄' | '∕' => "/",
        '×' => "x",
        '→' => "->",
        '←' => "<-",
        '™' => "TM",
        '©' => "(C)",
        '®' => "(R)",
        '№' => "No",
        '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{2028}' | '\u{2029}' => "\n",
        // A soft hyphen, and spaces without width; joiners stay, for other scripts need them.
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => "",
        other => return letter(other),
    })
}

/// Letters that are not another letter with a mark.
fn letter(c: char) -> Option<&'static str> {
    Some(match c {
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' | 'ɗ' => "d",
        'Đ' | 'Ð' | 'Ɗ' => "D",
        'þ' => "th",
        'Þ' => "Th",
        'œ' => "oe",
        'Œ' => "OE",
        'ı' => "i",
        'ĳ' => "ij",
        'Ĳ' => "IJ",
        'ħ' => "h",
        'Ħ' => "H",
        'ŧ' => "t",
        'Ŧ' => "T",
        'ŋ' => "n",
        'Ŋ' => "N",
        'ĸ' | 'ƙ' => "k",
        'Ƙ' => "K",
        'ŀ' => "l",
        'Ŀ' => "L",
        'ŉ' => "'n",
        'ſ' => "s",
        'ẞ' => "SS",
        'ƒ' => "f",
        'ɓ' => "b",
        'Ɓ' => "B",
        'ə' => "e",
        'Ə' => "E",
        'ª' => "a",
        'º' => "o",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(transliterate(text, ""), expected, "{text}");
    }

    #[test]
    fn typographic_characters_become_plain_ones() {
        check(
            "“ACME”’s code – don’t share…",
            "\"ACME\"'s code - don't share...",
        );
        check("«Код»", "\"Код\"");
        check("a\u{a0}b\u{202f}c\td", "a b c d");
        check("soft\u{ad}hyphen\u{200b}!", "softhyphen!");
        check("• one • two", "- one - two");
    }

    #[test]
    fn letters_lose_only_the_accents_that_gsm7_does_not_have() {
        check("Váš ověřovací kód", "Vas overovaci kod");
        check(
            "Twój kod weryfikacyjny, łódź",
            "Twoj kod weryfikacyjny, lodz",
        );
        check("Seu código de verificação é", "Seu codigo de verificacao é");
        check(
            "Doğrulama kodunuz: İSTANBUL ışık",
            "Dogrulama kodunuz: ISTANBUL isik",
        );
        check("Mã xác minh của bạn là", "Ma xac minh cua ban là");
        check("ellenőrző", "ellenorzo");
        check("œuvre, þing, Đà", "oeuvre, thing, Dà");
        check("größe ñandú øre Ångström", "größe ñandu øre Ångström");
        // One mark of two is enough.
        check("ǜ ṏ", "ü o");
    }

    #[test]
    fn marks_that_stand_alone_are_joined_to_their_letter_first() {
        check("ve\u{301}rification", "vérification");
        check("ko\u{301}d c\u{30c}", "kod c");
        // No letter is composed of these two.
        check("x\u{302}y", "xy");
        check("\u{152}\u{323}uvre \u{2026}\u{301}", "OEuvre ...");
        check("e\u{200b}\u{301} \u{141}\u{301}", "é L");
    }

    #[test]
    fn other_scripts_and_emoji_stay_as_they_are() {
        for text in [
            "Ваш код й ё: 123456",
            "確認コードが",
            "인증 코드",
            "आपका कोड",
            "ο κωδικός σας",
            "✅👨\u{200d}👩\u{200d}👧",
            "می\u{200c}خواهم",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn the_code_is_never_touched() {
        let text = "č1–2 is your code: č1–2. Don’t tell č";
        let expected = "č1–2 is your code: č1–2. Don't tell c";
        assert_eq!(transliterate(text, "č1–2"), expected);
    }

    #[test]
    fn a_text_changes_only_where_that_saves_a_part() {
        let short = "Váš kód je 123456";
        assert_eq!(shortest(short, "123456"), short);
        let long = format!("{short}. {}", "č".repeat(60));
        let plain = format!("Vas kod je 123456. {}", "c".repeat(60));
        assert_eq!(shortest(&long, "123456"), plain);
        // Every part would still be UCS-2.
        let mixed = format!("{long} 中");
        assert_eq!(shortest(&mixed, "123456"), mixed);
        let gsm7 = "é".repeat(200);
        assert_eq!(shortest(&gsm7, "123456"), gsm7);
    }
}
