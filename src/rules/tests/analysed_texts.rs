//! What `check` warns of in texts, and that its findings stay few on what is shipped.

use super::*;

/// Checks the warnings of two vendors' texts to a country, as `line:column: message`, without hints.
#[track_caller]
fn warns(country: &str, template: &str, expected: &[&str]) {
    let text = format!(
        "[chains.c]\nvendors = [\"one\", \"two\"]\n[[rule]]\nname = \"a\"\nwhen = {{ country = \"{country}\", channel = \"sms\" }}\nchain = \"c\"\n{template}"
    );
    let mut fleet = fleet();
    fleet.vendors.truncate(2);
    for vendor in &mut fleet.vendors {
        vendor.from = None;
    }
    fleet.orgs = vec![("acme".into(), "ACME Corp".into())];
    let files = [Source::new("r", text)];
    let problems = RefCell::<Problems>::default();
    let rules = Rules::compile(&files, &fleet, "here", Moment(0), &problems);
    rules.analyse(&files, &fleet, &[], Moment(0), &problems);
    let problems = problems.take();
    let told: Vec<String> = problems
        .sorted()
        .iter()
        .map(|p| p.to_string())
        .map(|t| t.strip_prefix("r:").unwrap_or(&t).replace("warning: ", ""))
        .map(|t| t.split("\n  hint: ").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(told, expected, "{country}: {template}");
}

/// A template with this text, on line 9.
fn saying(text: &str) -> String {
    format!("[[template]]\nname = \"t\"\ntext = \"{text}\"\n")
}

#[test]
fn oktas_own_text_is_told_where_texts_are_registered() {
    let own = |country| {
        format!(
            "Okta's own text is sent to {country}, where texts must be registered or name the brand"
        )
    };
    warns("VN", "", &[&own("VN")]);
    warns("SG", "", &[]);
    let ids = "texts to IN by `one` and `two` carry no `entity_id` and `template_id`";
    warns("IN", "", &[ids, &own("IN")]);
    warns("IN", &saying("{code} for {org}"), &[ids]);
    let all = "parameters = { entity_id = \"1\", template_id = \"2\" }\n";
    warns("IN", &(saying("{code} for {org}") + all), &[]);
}

#[test]
fn a_text_names_the_brand_where_it_must() {
    let expected = "9:8: template `t` has no brand in it, as texts must in VN";
    warns("VN", &saying("{code} it is"), &[expected]);
    warns("VN", &saying("{code} for acme corp"), &[]);
    let sender = "[[sender]]\nfrom = \"Acme\"\nregistered = true\n";
    warns("VN", &(saying("{code} for ACME") + sender), &[]);
}

#[test]
fn a_text_is_signed_where_it_must_be() {
    let expected = "9:8: template `t` has no 【signature】, as texts must in CN";
    warns("CN", &saying("{code} for {org}"), &[expected]);
    warns("CN", &saying("【ACME】{code}"), &[]);
}

#[test]
fn links_and_telephone_numbers_are_told_where_they_are_blocked() {
    let link = "9:8: template `t` has a link or host in it, which is blocked in PH";
    warns("PH", &saying("{code} at https://acme.com"), &[link]);
    warns(
        "PH",
        &(saying("{code}") + "webotp = \"login.acme.com\"\n"),
        &[link],
    );
    let number = "9:8: template `t` has a telephone number in it, which is blocked in PH";
    warns("PH", &saying("{code}, or call 6123 4567"), &[number]);
    let listed = "9:8: template `t` has a link or host in it, which must be registered in TH";
    warns("TH", &saying("{code} at acme.com"), &[listed]);
    warns("SG", &saying("{code} at acme.com, or call 6123 4567"), &[]);
}

#[test]
fn texts_that_are_too_long_or_not_plain_are_told() {
    let long = |count| format!("{{code}} {}", "a".repeat(count));
    let pieces = "9:8: template `t` takes several parts, which come one by one in KR";
    warns("KR", &saying(&long(140)), &[pieces]);
    warns("KR", &saying(&long(133)), &[]);
    let parts = "9:8: template `t` takes more parts than get through in PH";
    warns("PH", &saying(&long(459)), &[parts]);
    warns("PH", &saying(&long(452)), &[]);
    let plain = "9:8: template `t` has characters that not all networks show in GR";
    warns("GR", &saying("Ο κωδικός είναι {code}"), &[plain]);
    warns("GR", &saying("KODIKOS {code}"), &[]);
}
