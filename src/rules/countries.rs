//! The groups of countries that every rule set knows.

use crate::number::Country;

const EU: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
/// The EU, and Iceland, Liechtenstein and Norway.
const EEA_ONLY: &str = "IS LI NO";
/// Calling code +1.
const NANP: &str = "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI";

/// The names of the built-in groups.
pub(super) const BUILT_IN: [&str; 3] = ["EU", "EEA", "NANP"];

/// The members of a built-in group.
pub(super) fn built_in(name: &str) -> Option<Vec<Country>> {
    let codes = match name {
        "EU" => EU.to_owned(),
        "EEA" => format!("{EU} {EEA_ONLY}"),
        "NANP" => NANP.to_owned(),
        _ => return None,
    };
    Some(codes.split(' ').filter_map(Country::parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::is_known_country;

    #[test]
    fn every_member_is_a_country() {
        for (name, count) in [("EU", 27), ("EEA", 30), ("NANP", 25)] {
            let members = built_in(name).unwrap();
            assert_eq!(members.len(), count, "{name}");
            assert!(members.into_iter().all(is_known_country), "{name}");
        }
    }
}
