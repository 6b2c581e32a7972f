//! Turns text into a phone number we understand.

mod parse;
mod plans;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use plans::{
    all_countries, calling_code, example, example_mobile, is_known_country, types_in, warm,
};

/// ISO 3166-1 alpha-2 code of a country (with `XK`, `AC`, `TA`), or `ZZ` for none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

impl Country {
    /// No country: an unreadable number, or a calling code that belongs to none (+800, +870, ...).
    pub const NONE: Country = Country(*b"ZZ");

    /// Reads two letters, in either case; whether such a country exists is not asked.
    pub fn parse(text: &str) -> Option<Country> {
        let bytes: [u8; 2] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Country(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The two letters, upper case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Country> for String {
    fn from(country: Country) -> String {
        country.as_str().to_owned()
    }
}

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(text: String) -> Result<Country, String> {
        Country::parse(&text).ok_or_else(|| format!("`{text}` is not a country code"))
    }
}

/// libphonenumber's number types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NumberType {
    FixedLine,
    Mobile,
    FixedLineOrMobile,
    TollFree,
    PremiumRate,
    SharedCost,
    Voip,
    PersonalNumber,
    Pager,
    Uan,
    Voicemail,
    Unknown,
}

impl NumberType {
    /// Every type.
    pub const ALL: [NumberType; 12] = [
        NumberType::FixedLine,
        NumberType::Mobile,
        NumberType::FixedLineOrMobile,
        NumberType::TollFree,
        NumberType::PremiumRate,
        NumberType::SharedCost,
        NumberType::Voip,
        NumberType::PersonalNumber,
        NumberType::Pager,
        NumberType::Uan,
        NumberType::Voicemail,
        NumberType::Unknown,
    ];

    /// libphonenumber's name in lower snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            NumberType::FixedLine => "fixed_line",
            NumberType::Mobile => "mobile",
            NumberType::FixedLineOrMobile => "fixed_line_or_mobile",
            NumberType::TollFree => "toll_free",
            NumberType::PremiumRate => "premium_rate",
            NumberType::SharedCost => "shared_cost",
            NumberType::Voip => "voip",
            NumberType::PersonalNumber => "personal_number",
            NumberType::Pager => "pager",
            NumberType::Uan => "uan",
            NumberType::Voicemail => "voicemail",
            NumberType::Unknown => "unknown",
        }
    }
}

/// A possible phone number: the digits as Okta gave them, and where they lead.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    e164: String,
    country: Country,
    number_type: NumberType,
}

impl PhoneNumber {
    /// `+` and the digits. This is what is dialled; it must not be logged.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The digits without `+`.
    pub fn digits(&self) -> &str {
        &self.e164[1..]
    }

    /// The country the number itself belongs to, not merely its calling code.
    pub fn country(&self) -> Country {
        self.country
    }

    /// The kind of line, as far as the numbering plan tells.
    pub fn number_type(&self) -> NumberType {
        self.number_type
    }
}

/// Why a text is no number that could be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberProblem {
    /// There are no digits in it, or things that no number has.
    NotANumber,
    /// No plan has numbers of that length.
    ImpossibleLength,
    /// No country has that calling code.
    NoCountry,
    /// It has no `+`, and the org has no default country.
    NoDefaultCountry,
}

/// Only the masked form, as support sees it: `+1415•••••12`.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl PhoneNumber {
    /// The first four digits, a dot for each hidden one, the last two.
    pub fn masked(&self) -> String {
        let digits = self.digits();
        let hidden = digits.len().saturating_sub(6);
        format!(
            "+{}{}{}",
            &digits[..digits.len().min(4)],
            "•".repeat(hidden),
            &digits[digits.len().min(4 + hidden)..]
        )
    }
}
