//! Says which countries have a numbering plan, and gets their plans ready before they are needed.

use std::sync::LazyLock;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use crate::number::parse::number_type;
use crate::number::{Country, NumberType, PhoneNumber};

/// Every country that has a numbering plan, by code.
pub fn all_countries() -> Vec<Country> {
    let mut countries: Vec<Country> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .map(country_of)
        .collect();
    countries.sort_unstable();
    countries
}

/// Whether the country has a numbering plan. `ZZ` has none.
pub fn is_known_country(country: Country) -> bool {
    known_region(country).is_some()
}

/// The digits of the country's calling code.
pub fn calling_code(country: Country) -> Option<String> {
    let code = PHONE_NUMBER_UTIL.get_country_code_for_region(known_region(country)?)?;
    Some(code.to_string())
}

/// The types that the country's plan knows.
pub fn types_in(country: Country) -> Vec<NumberType> {
    let region = known_region(country);
    let types = region.and_then(|r| PHONE_NUMBER_UTIL.get_supported_types_for_region(r));
    let mut types: Vec<NumberType> = types.into_iter().flatten().map(number_type).collect();
    types.sort_unstable();
    types
}

/// A number of that type which nobody has, as its plan gives for an example.
pub fn example(country: Country, wanted: NumberType) -> Option<PhoneNumber> {
    let region = known_region(country)?;
    let types = PHONE_NUMBER_UTIL.get_supported_types_for_region(region)?;
    let found = types
        .into_iter()
        .filter(|t| number_type(*t) == wanted)
        .find_map(|t| {
            let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, t);
            let example = example.ok()?;
            let digits = PHONE_NUMBER_UTIL.format(&example, PhoneNumberFormat::E164);
            PhoneNumber::parse(&digits, None).ok()
        });
    found.filter(|number| number.country() == country)
}

/// A mobile number of the country's own plan that belongs to nobody, as far as one is known.
pub fn example_mobile(country: Country) -> Option<PhoneNumber> {
    example(country, NumberType::Mobile)
}

/// Makes the plans of these countries ready now. A plan's patterns are compiled when they are first
/// met, which takes milliseconds: no hook call should pay for that. Countries that share a
/// calling code are searched together, so all of them are made ready.
pub fn warm(countries: &[Country]) {
    LazyLock::force(&PHONE_NUMBER_UTIL);
    let mut codes: Vec<i32> = countries
        .iter()
        .filter_map(|&country| known_region(country))
        .filter_map(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        let regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(code);
        for region in regions.into_iter().flatten() {
            warm_region(code, region);
        }
    }
}

/// Two leading digits choose the pattern in almost every plan, so each type's example is tried
/// with all of them: that reaches the patterns which the example itself would never be held against.
fn warm_region(code: i32, region: Region) {
    let types = PHONE_NUMBER_UTIL.get_supported_types_for_region(region);
    for number_type in types.into_iter().flatten() {
        let Ok(example) =
            PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, number_type)
        else {
            continue;
        };
        let national = example.get_national_significant_number();
        let tail = national.get(2..).unwrap_or_default();
        for lead in 0..100 {
            let near = PHONE_NUMBER_UTIL.parse(format!("+{code}{lead:02}{tail}"), None);
            if let Ok(near) = near {
                PHONE_NUMBER_UTIL.get_number_type(&near);
                PHONE_NUMBER_UTIL.is_valid_number_for_region(&near, region);
            }
        }
    }
}

/// The plan of a country, unless it has none.
pub(super) fn known_region(country: Country) -> Option<Region> {
    let region = Region::from_code(country.as_str()).ok()?;
    PHONE_NUMBER_UTIL
        .get_country_code_for_region(region)
        .map(|_| region)
}

/// A calling code of the whole world belongs to no country.
pub(super) fn country_of(region: Region) -> Country {
    Country::parse(region.as_region_str().as_str()).unwrap_or(Country::NONE)
}
