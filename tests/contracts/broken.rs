//! A definition that says anything but what the vendor describes is caught.

use std::path::Path;

use trunkline::flow::Channel;

use crate::contract::Vendor;
use crate::requests;

/// What is wrong with the requests of a shipped definition of which a piece is replaced.
fn wrongs(name: &str, channel: Channel, piece: &str, by: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vendors/{name}.toml"));
    let text = std::fs::read_to_string(file).expect("a definition");
    assert!(text.contains(piece), "{name} has no `{piece}`");
    let broken = Vendor::written(name, &text.replacen(piece, by, 1));
    requests::wrongs(&broken, channel, requests::jobs())
}

/// The definition is caught at this place.
fn check(name: &str, channel: Channel, (piece, by): (&str, &str), place: &str) {
    let wrongs = wrongs(name, channel, piece, by);
    assert!(
        wrongs.iter().any(|w| w.contains(place)),
        "{name}, `{by}`: {wrongs:#?}"
    );
}

#[test]
fn what_is_not_broken_is_not_caught() {
    let wrongs = wrongs("twilio", Channel::Sms, "To = ", "To = ");
    assert!(wrongs.is_empty(), "{wrongs:#?}");
}

#[test]
fn a_field_of_another_name_is_caught() {
    let renamed = ("To = \"{to}\"", "Recipient = \"{to}\"");
    check(
        "twilio",
        Channel::Sms,
        renamed,
        "'Recipient' was unexpected",
    );
    check(
        "twilio",
        Channel::Sms,
        renamed,
        "\"To\" is a required property",
    );
    let renamed = ("validityPeriod = { amount", "validity = { amount");
    check(
        "infobip",
        Channel::Sms,
        renamed,
        "'validity' was unexpected",
    );
}

#[test]
fn a_number_without_its_plus_or_with_one_is_caught() {
    check(
        "twilio",
        Channel::Sms,
        ("To = \"{to}\"", "To = \"{to|digits}\""),
        "/form/To: ",
    );
    let with_plus = ("to = \"{to|digits}\"", "to = \"{to}\"");
    check("vonage", Channel::Sms, with_plus, "/form/to: ");
}

#[test]
fn a_value_of_another_type_is_caught() {
    let text = ("amount = \"{validity|number}\"", "amount = \"{validity}\"");
    check("infobip", Channel::Sms, text, "is not of type \"integer\"");
}

#[test]
fn a_validity_beyond_the_vendors_range_is_caught() {
    let beyond = ("least = 20000", "least = 1000");
    check("vonage", Channel::Sms, beyond, "/form/ttl: ");
}

#[test]
fn another_address_or_method_is_caught() {
    let address = (
        "base_url = \"https://api.twilio.com\"",
        "base_url = \"http://api.twilio.example\"",
    );
    check("twilio", Channel::Sms, address, "/host: ");
    check("twilio", Channel::Sms, address, "/scheme: ");
    check(
        "twilio",
        Channel::Voice,
        ("/Calls.json", "/Call.json"),
        "/path: ",
    );
    check(
        "telnyx",
        Channel::Sms,
        ("[sms]", "[sms]\nmethod = \"PUT\""),
        "/method: ",
    );
}

#[test]
fn markup_in_a_text_that_is_not_escaped_is_caught() {
    let bare = ("{text|xml}</Say>", "{text}</Say>");
    check("twilio", Channel::Voice, bare, "/form/Twiml: ");
    check(
        "plivo",
        Channel::Voice,
        ("{text|xml}", "{text}"),
        "the script is",
    );
}

#[test]
fn a_language_that_the_vendor_calls_otherwise_is_caught() {
    let own = ("locale=\"{language|xml}\"", "locale=\"xx-{language|xml}\"");
    check("bandwidth", Channel::Voice, own, "the script is");
}

#[test]
fn credentials_at_another_place_are_caught() {
    let header = (
        "auth = { scheme = \"basic\",",
        "auth = { scheme = \"in_request\" } # ",
    );
    check(
        "twilio",
        Channel::Sms,
        header,
        "\"authorization\" is a required property",
    );
}
