//! What vendors are given: templates, senders, languages, and how long a text may be.

use std::sync::Arc;

use serde_json::json;

use crate::far_end::FarEnd;
use crate::router::{NUMBER, Place, Router, hook_call, provider, reason, status};

const GERMAN: &str = "+4915123456789";
const WORDS: &str = r#"
[[template]]
name = "german"
country = ["DE"]
locale = ["de"]
vendor = "twilio"
text = "{code} ist Ihr Code für {org}, {minutes} Minuten gültig."
webotp = "login.acme.com"

[[sender]]
vendor = "twilio"
country = "DE"
from = "ACME DE"
"#;

/// Only the far end, and these rules in place of the shipped ones that say who carries what.
fn place(far_end: &FarEnd, rule: &str) -> Arc<Place> {
    let place = far_end.place();
    place.write(
        "routing-rules/20-rules.toml",
        &format!("[[rule]]\nname = \"all\"\nchain = \"mine\"\n{rule}\n[chains.mine]\nvendors = [\"twilio\"]\n{WORDS}"),
    );
    place
}

#[tokio::test]
async fn a_template_and_its_sender_reach_the_vendor_as_explain_says() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(place(&far_end, ""), &[]);
    let mut call = hook_call(GERMAN);
    call["data"]["messageProfile"]["locale"] = json!("de_DE");
    let answer = router.call(&call).await;
    assert_eq!(provider(&answer), "twilio");
    let asked = far_end.asked();
    let body = "482913 ist Ihr Code für Okta, 5 Minuten gültig.\n@login.acme.com #482913";
    assert_eq!(asked[0]["Body"], body);
    assert_eq!(asked[0]["From"], "ACME DE");
    let path = format!("/api/v1/explain?to=%2B{}&locale=de-DE", &GERMAN[1..]);
    let explained = router.admin_get(&path).await;
    let said = explained["text"]["said"].as_str().unwrap();
    assert_eq!(said, body.replace("482913", "123456"));
    assert_eq!(explained["sender"], "ACME DE");
    assert_eq!(explained["text"]["template"], "german");
    // Nobody else's number: Okta's own text, from the account's own sender.
    router.call(&hook_call(NUMBER)).await;
    let asked = far_end.asked();
    assert_eq!(asked[1]["Body"], "Your code is 482913.");
    assert_eq!(asked[1]["From"], "+15005550006");
}

#[tokio::test]
async fn what_was_decided_is_said_after_a_restart_with_other_rules() {
    let far_end = FarEnd::start().await;
    far_end.answer(false);
    let router = Arc::new(Router::start_in(place(&far_end, ""), &[]));
    let mut call = hook_call(GERMAN);
    call["data"]["messageProfile"]["locale"] = json!("de");
    let answer = router.call(&call).await;
    assert_eq!(reason(&answer), "pending");
    let Ok(router) = Arc::try_unwrap(router).map(Router::kill) else {
        panic!("nobody else has it")
    };
    router.write(
        "routing-rules/20-rules.toml",
        "[[rule]]\nname = \"all\"\nchain = \"mine\"\n[chains.mine]\nvendors = [\"twilio\"]\n",
    );
    far_end.answer(true);
    let again = Router::start_in(router, &[]);
    again
        .wait_for("the vendor is asked again", async || {
            far_end.asked().len() > 1
        })
        .await;
    let asked = far_end.asked();
    let body = asked[1]["Body"].as_str();
    assert!(body.starts_with("482913 ist Ihr Code für Okta"), "{body}");
    assert_eq!(asked[1]["From"], "ACME DE");
}

#[tokio::test]
async fn a_text_of_too_many_parts_is_denied_and_says_so() {
    let far_end = FarEnd::start().await;
    let router = Router::start_in(place(&far_end, "max_parts = 1\ntransliterate = true"), &[]);
    let mut call = hook_call(NUMBER);
    let long = format!("{} 482913", "x".repeat(160));
    call["data"]["messageProfile"]["msgTemplate"] = json!(long);
    let answer = router.call(&call).await;
    assert_eq!(
        (status(&answer), provider(&answer)),
        ("SUCCESSFUL", "trunkline")
    );
    assert_eq!(reason(&answer), "too_many_parts");
    let delivery = router.delivery(&answer, |d| d["outcome"] == "denied").await;
    assert_eq!(delivery["reason"], "too_many_parts");
    assert_eq!(far_end.asked().len(), 0);
    // Typographic quotes would make two parts of it; plain ones do not.
    let fancy = format!("{} ‘482913’", "x".repeat(80));
    let mut call = hook_call(NUMBER);
    call["data"]["messageProfile"]["msgTemplate"] = json!(fancy);
    router.call(&call).await;
    assert!(far_end.asked()[0]["Body"].ends_with(" '482913'"));
}

#[tokio::test]
async fn a_call_goes_first_to_the_vendor_that_speaks_its_language() {
    let place = Place::new("");
    let rules = "[[rule]]\nname = \"all\"\nchain = \"mine\"\n[chains.mine]\nvendors = [\"bandwidth\", \"telesign\"]\n";
    place.write("routing-rules/20-rules.toml", rules);
    let router = Router::start_in(Arc::new(place), &["--sandbox"]);
    let mut call = hook_call(NUMBER);
    call["data"]["messageProfile"]["deliveryChannel"] = json!("voice call");
    // Nobody has a voice for the last one: it is read with a foreign accent.
    let spoken = [
        ("en", "bandwidth"),
        ("pt_BR", "telesign"),
        ("et", "bandwidth"),
    ];
    for (event, (locale, vendor)) in spoken.into_iter().enumerate() {
        call["eventId"] = json!(format!("e{event}"));
        call["data"]["messageProfile"]["locale"] = json!(locale);
        let answer = router.call(&call).await;
        assert_eq!(provider(&answer), vendor, "{locale}");
    }
    let path = format!(
        "/api/v1/explain?to=%2B{}&channel=voice&locale=",
        &NUMBER[1..]
    );
    let explained = router.admin_get(&format!("{path}pt-BR")).await;
    assert_eq!(explained["vendors"], json!(["telesign", "bandwidth"]));
    assert_eq!(explained["left_out"], json!([]));
    assert_eq!(explained["steps"][0]["foreign"], json!(null));
    assert_eq!(explained["steps"][1]["foreign"], "pt-BR");
    let explained = router.admin_get(&format!("{path}et")).await;
    assert_eq!(explained["vendors"], json!(["bandwidth", "telesign"]));
    assert_eq!(explained["steps"][0]["foreign"], "et-EE");
}
