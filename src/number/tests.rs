//! What texts are which numbers.

use crate::number::{
    Country, NumberProblem, NumberType, PhoneNumber, all_countries, calling_code, example,
    example_mobile, is_known_country, types_in, warm,
};

const NO_NUMBER: &str = "not a number";
const NO_LENGTH: &str = "impossible length";
const NO_COUNTRY: &str = "no country";
const NO_DEFAULT: &str = "no default country";

fn country(code: &str) -> Country {
    Country::parse(code).expect("two letters")
}

/// `expected` is `+digits COUNTRY type`, or a problem; `default` is a country, or empty for none.
#[track_caller]
fn check(text: &str, default: &str, expected: &str) {
    let default = (!default.is_empty()).then(|| country(default));
    let found = match PhoneNumber::parse(text, default) {
        Ok(n) => format!("{} {} {}", n.e164(), n.country(), n.number_type().as_str()),
        Err(NumberProblem::NotANumber) => NO_NUMBER.to_owned(),
        Err(NumberProblem::ImpossibleLength) => NO_LENGTH.to_owned(),
        Err(NumberProblem::NoCountry) => NO_COUNTRY.to_owned(),
        Err(NumberProblem::NoDefaultCountry) => NO_DEFAULT.to_owned(),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn a_number_with_a_plus_needs_no_default() {
    check("+14155552671", "", "+14155552671 US fixed_line_or_mobile");
    check("+447400123456", "", "+447400123456 GB mobile");
    check("+6591234567", "US", "+6591234567 SG mobile");
}

#[test]
fn spacing_is_no_part_of_a_number() {
    check("  +44 7400 123456\n", "", "+447400123456 GB mobile");
    check("(+44) 7400-123.456", "", "+447400123456 GB mobile");
    check("+44\u{a0}7400\u{2011}123456", "", "+447400123456 GB mobile");
    check(
        "\u{202a}+447400123456\u{202c}",
        "",
        "+447400123456 GB mobile",
    );
    check(
        "\u{ff0b}４４７４００１２３４５６",
        "",
        "+447400123456 GB mobile",
    );
    check("+٤٤٧٤٠٠١٢٣٤٥٦", "", "+447400123456 GB mobile");
    check("+۴۴۷۴۰۰۱۲۳۴۵۶", "", "+447400123456 GB mobile");
}

#[test]
fn a_number_without_a_plus_is_one_of_the_default_country() {
    check("9876543210", "US", "+19876543210 US unknown");
    check("9876543210", "IN", "+919876543210 IN mobile");
    check("9876543210", "", NO_DEFAULT);
    check("14155552671", "US", "+14155552671 US fixed_line_or_mobile");
    check("14155552671", "", NO_DEFAULT);
    check(
        "(415) 555-2671",
        "US",
        "+14155552671 US fixed_line_or_mobile",
    );
}

#[test]
fn trunk_and_exit_prefixes_are_not_dialled() {
    check("07400 123456", "GB", "+447400123456 GB mobile");
    check("447400123456", "GB", "+447400123456 GB mobile");
    check("00 44 7400 123456", "DE", "+447400123456 GB mobile");
    check("011 44 7400 123456", "US", "+447400123456 GB mobile");
    check("011 15-2345-6789", "AR", "+5491123456789 AR mobile");
    check("8 (912) 345-67-89", "RU", "+79123456789 RU mobile");
    check("464 1234", "AG", "+12684641234 AG mobile");
}

#[test]
fn a_default_without_a_plan_is_none() {
    check("9876543210", "ZZ", NO_DEFAULT);
    check("9876543210", "QQ", NO_DEFAULT);
}

#[test]
fn digits_after_a_plus_are_kept_even_where_the_plan_would_drop_them() {
    check("+390236618300", "", "+390236618300 IT fixed_line");
    check("+5491123456789", "", "+5491123456789 AR mobile");
    check("+541123456789", "", "+541123456789 AR fixed_line");
    check("+4407400123456", "", "+4407400123456 GB mobile");
    check("+78081235432", "", "+78081235432 RU personal_number");
    check("+2250123456789", "", "+2250123456789 CI mobile");
}

#[test]
fn a_number_that_its_plan_does_not_know_is_still_dialled() {
    check("+12025550123", "", "+12025550123 US fixed_line_or_mobile");
    check("+19995550123", "", "+19995550123 US unknown");
    check("+441234000000", "", "+441234000000 GB fixed_line");
    check("+70000000000", "", "+70000000000 RU unknown");
    check("+491000000", "", "+491000000 DE unknown");
}

#[test]
fn shared_calling_codes_are_told_apart_by_number() {
    check("+16045551234", "", "+16045551234 CA fixed_line_or_mobile");
    check("+18765230123", "", "+18765230123 JM fixed_line_or_mobile");
    check("+77710009998", "", "+77710009998 KZ mobile");
    check("+390669812345", "", "+390669812345 VA fixed_line");
    check("+447797712345", "", "+447797712345 JE mobile");
    check("+447624312345", "", "+447624312345 IM mobile");
    check("+447781123456", "", "+447781123456 GG mobile");
    check("+4779123456", "", "+4779123456 SJ fixed_line");
    check("+61891641234", "", "+61891641234 CX fixed_line");
    check("+262639012345", "", "+262639012345 YT mobile");
    check("+2908999", "", "+2908999 TA fixed_line");
    check("+358181234567", "", "+358181234567 AX fixed_line");
    check("+590590271234", "", "+590590271234 BL fixed_line");
    check("+5997151234", "", "+5997151234 BQ fixed_line");
}

#[test]
fn where_two_countries_share_a_pattern_the_main_one_has_it() {
    check("+212528812345", "", "+212528812345 MA fixed_line");
    check("+447924123456", "", "+447924123456 GB mobile");
    check("+61412345678", "", "+61412345678 AU mobile");
}

#[test]
fn places_that_iso_does_not_list_are_countries_too() {
    check("+38343201234", "", "+38343201234 XK mobile");
    check("+24740123", "", "+24740123 AC mobile");
}

#[test]
fn a_calling_code_of_the_whole_world_belongs_to_no_country() {
    check("+80012345678", "", "+80012345678 ZZ toll_free");
    check("+80812345678", "", "+80812345678 ZZ shared_cost");
    check("+870301234567", "", "+870301234567 ZZ mobile");
    check("+878101234567890", "", "+878101234567890 ZZ voip");
    check("+881612345678", "", "+881612345678 ZZ mobile");
    check("+8823421234", "", "+8823421234 ZZ mobile");
    check("+883510012345", "", "+883510012345 ZZ voip");
    check("+88812345678901", "", "+88812345678901 ZZ uan");
    check("+979123456789", "", "+979123456789 ZZ premium_rate");
}

#[test]
fn lengths_that_no_plan_has_are_refused() {
    check("+1415555267", "", NO_LENGTH);
    check("+141555526711", "", NO_LENGTH);
    check("+1", "", NO_LENGTH);
    check("+4", "", NO_LENGTH);
    check("5", "US", NO_LENGTH);
    check("911", "US", NO_LENGTH);
    check("919876543210", "US", NO_LENGTH);
    check(&format!("+49{}", "1".repeat(14)), "", NO_LENGTH);
    check(&"1".repeat(60), "US", NO_LENGTH);
}

#[test]
fn a_number_that_lacks_its_area_code_cannot_be_dialled_from_abroad() {
    check("+15552671", "", NO_LENGTH);
    check("+13101234", "", "+13101234 CA uan");
    check("555-2671", "US", NO_LENGTH);
}

#[test]
fn e164_ends_at_fifteen_digits() {
    check("+4915112345678901", "", NO_LENGTH);
    check("+491511234567890", "", "+491511234567890 DE unknown");
}

#[test]
fn calling_codes_that_nobody_has_are_refused() {
    check("+9991234567", "", NO_COUNTRY);
    check("+2101234567", "", NO_COUNTRY);
    check("+0123456789", "US", NO_COUNTRY);
    check("00 999 1234567", "DE", NO_COUNTRY);
}

#[test]
fn other_things_are_not_numbers() {
    for text in [
        "",
        "   ",
        "+",
        "()",
        "hello",
        "+1 800 FLOWERS",
        "+1415555CALL",
        "+14155552671 ext. 5",
        "+14155552671x5",
        "+14155552671;ext=5",
        "+14155552671,5",
        "tel:+14155552671",
        "++14155552671",
        "1+4155552671",
        "+1415+5552671",
        "*31#+14155552671",
        "+14155552671\0",
    ] {
        check(text, "US", NO_NUMBER);
    }
}

#[test]
fn a_text_has_a_longest_length() {
    let spaced = |chars: usize| format!("+{}14155552671", " ".repeat(chars - 12));
    check(&spaced(64), "", "+14155552671 US fixed_line_or_mobile");
    check(&spaced(65), "", NO_NUMBER);
}

#[test]
fn support_sees_only_both_ends_of_a_number() {
    let number = PhoneNumber::parse("+14155552671", None).expect("a number");
    assert_eq!(number.masked(), "+1415•••••71");
    assert_eq!(format!("{number:?}"), "+1415•••••71");
    assert_eq!(number.digits(), "14155552671");
}

#[test]
fn every_country_has_a_plan_and_no_other_place_has_one() {
    let all = all_countries();
    assert!(all.len() >= 245, "{}", all.len());
    assert!(all.is_sorted());
    assert!(all.iter().all(|&c| is_known_country(c)));
    for code in ["US", "XK", "AC", "TA"] {
        assert!(all.contains(&country(code)), "{code}");
    }
    for code in ["ZZ", "QQ", "AQ"] {
        assert!(!is_known_country(country(code)), "{code}");
    }
}

#[test]
fn warming_changes_no_answer() {
    warm(&[country("US"), country("KZ"), Country::NONE, country("QQ")]);
    check("+14155552671", "", "+14155552671 US fixed_line_or_mobile");
    check("+77710009998", "", "+77710009998 KZ mobile");
}

#[test]
fn the_names_of_types_differ() {
    let mut names = NumberType::ALL.map(NumberType::as_str);
    names.sort_unstable();
    assert!(names.windows(2).all(|two| two[0] != two[1]));
}

#[test]
fn examples_are_numbers_of_their_country_and_type() {
    for code in ["SG", "US", "DE", "KZ", "GG"] {
        let wanted = country(code);
        for number_type in types_in(wanted) {
            if let Some(example) = example(wanted, number_type) {
                assert_eq!(example.country(), wanted, "{code} {number_type:?}");
            }
        }
    }
    let mobile = example(country("SG"), NumberType::Mobile).unwrap();
    assert_eq!(mobile.number_type(), NumberType::Mobile);
    assert_eq!(example(Country::NONE, NumberType::Mobile), None);
    assert_eq!(calling_code(country("JM")).as_deref(), Some("1"));
}

#[test]
fn an_example_mobile_is_a_number_of_its_own_country() {
    let known: Vec<PhoneNumber> = all_countries()
        .into_iter()
        .filter_map(example_mobile)
        .collect();
    assert!(known.len() > 220, "{}", known.len());
    for country in ["US", "SG", "GB", "BR", "KZ"] {
        let country = Country::parse(country).unwrap();
        assert_eq!(example_mobile(country).unwrap().country(), country);
    }
    assert_eq!(example_mobile(Country::NONE), None);
}
