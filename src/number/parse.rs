//! Reads a text as Okta or an operator wrote it, and asks the numbering plans where it leads.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber as Parsed, PhoneNumberFormat,
    PhoneNumberType, Region,
};

use crate::number::plans::{country_of, known_region};
use crate::number::{Country, NumberProblem, NumberType, PhoneNumber};

/// A longer text is no phone number, however it is spaced.
const TEXT_CHARS_MAX: usize = 64;
/// ITU-T E.164: calling code and national number together.
const E164_DIGITS_MAX: usize = 15;

impl PhoneNumber {
    /// Reads a number. With `+` what is dialled are the text's own digits, all of them and no
    /// others; without, it is a national number of the default country. A number that its plan
    /// does not know yet is still a number, as long as its length is possible.
    pub fn parse(text: &str, default: Option<Country>) -> Result<PhoneNumber, NumberProblem> {
        let written = Written::read(text)?;
        let (parsed, e164) = if written.plus {
            // Parsing may drop a trunk prefix that was written behind the calling code, so its
            // result tells the country and the type, but not what is dialled.
            let e164 = format!("+{}", written.digits);
            (parse_digits(&e164, None)?, e164)
        } else {
            let region = default
                .and_then(known_region)
                .ok_or(NumberProblem::NoDefaultCountry)?;
            let parsed = parse_digits(&written.digits, Some(region))?;
            let e164 = PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164);
            let e164 = e164.into_owned();
            (parsed, e164)
        };
        if e164.len() > "+".len() + E164_DIGITS_MAX {
            return Err(NumberProblem::ImpossibleLength);
        }
        // Lengths are kept for a calling code as a whole, after its main country; where the number
        // fits a pattern of its own country, that says more.
        let number_type = number_type(PHONE_NUMBER_UTIL.get_number_type(&parsed));
        if number_type == NumberType::Unknown && !has_possible_length(&parsed) {
            return Err(NumberProblem::ImpossibleLength);
        }
        Ok(PhoneNumber {
            e164,
            country: country(&parsed)?,
            number_type,
        })
    }
}

/// A text without its spacing and punctuation.
struct Written {
    plus: bool,
    digits: String,
}

impl Written {
    fn read(text: &str) -> Result<Written, NumberProblem> {
        let text = text.trim();
        if text.chars().nth(TEXT_CHARS_MAX).is_some() {
            return Err(NumberProblem::NotANumber);
        }
        let mut plus = false;
        let mut digits = String::with_capacity(text.len());
        for c in text.chars() {
            if let Some(digit) = ascii_digit(c) {
                digits.push(digit);
            } else if matches!(c, '+' | '\u{ff0b}') && !plus && digits.is_empty() {
                plus = true;
            } else if !is_spacing(c) {
                return Err(NumberProblem::NotANumber);
            }
        }
        if digits.is_empty() {
            return Err(NumberProblem::NotANumber);
        }
        Ok(Written { plus, digits })
    }
}

/// Full-width and Arabic digits are the same digits, typed on another keyboard.
fn ascii_digit(c: char) -> Option<char> {
    let zero = match c {
        '0'..='9' => return Some(c),
        '\u{ff10}'..='\u{ff19}' => 0xff10,
        '\u{0660}'..='\u{0669}' => 0x0660,
        '\u{06f0}'..='\u{06f9}' => 0x06f0,
        _ => return None,
    };
    char::from_digit(u32::from(c) - zero, 10)
}

/// What people put between digits: spaces, dots, parentheses, the dashes, and the invisible
/// marks that come along when a number is copied out of an address book.
fn is_spacing(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' | '\u{ad}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// Finds the calling code and the number behind it.
fn parse_digits(digits: &str, default: Option<Region>) -> Result<Parsed, NumberProblem> {
    PHONE_NUMBER_UTIL
        .parse(digits, default)
        .map_err(|problem| match problem {
            ParseError::InvalidCountryCode => NumberProblem::NoCountry,
            // Only digits come here: what is "not a number" among them is too short for one.
            ParseError::NotANumber(_)
            | ParseError::TooShortAfterIdd
            | ParseError::TooShortNsn
            | ParseError::TooLongNsn => NumberProblem::ImpossibleLength,
        })
}

/// Whether the calling code has numbers of that length. A number without its area code reaches
/// nobody from abroad, so its length does not count.
fn has_possible_length(parsed: &Parsed) -> bool {
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(parsed) {
        Ok(NumberLengthType::IsPossible) => true,
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(_) => false,
    }
}

/// The country whose patterns the number fits, else the main one of its calling code.
fn country(parsed: &Parsed) -> Result<Country, NumberProblem> {
    PHONE_NUMBER_UTIL
        .get_region_for_number(parsed)
        .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(parsed.country_code))
        .map(country_of)
        .ok_or(NumberProblem::NoCountry)
}

pub(super) fn number_type(found: PhoneNumberType) -> NumberType {
    match found {
        PhoneNumberType::FixedLine => NumberType::FixedLine,
        PhoneNumberType::Mobile => NumberType::Mobile,
        PhoneNumberType::FixedLineOrMobile => NumberType::FixedLineOrMobile,
        PhoneNumberType::TollFree => NumberType::TollFree,
        PhoneNumberType::PremiumRate => NumberType::PremiumRate,
        PhoneNumberType::SharedCost => NumberType::SharedCost,
        PhoneNumberType::VoIP => NumberType::Voip,
        PhoneNumberType::PersonalNumber => NumberType::PersonalNumber,
        PhoneNumberType::Pager => NumberType::Pager,
        PhoneNumberType::UAN => NumberType::Uan,
        PhoneNumberType::VoiceMail => NumberType::Voicemail,
        PhoneNumberType::Unknown => NumberType::Unknown,
    }
}
