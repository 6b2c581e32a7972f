//! What an answer comes to whose status says yes: only a known no is one, all else may have been sent.

use http::StatusCode;

use super::read;
use crate::flow::Channel;
use crate::problem::Source;
use crate::vendor::Account;

fn vendor(accepted: &str, refused: &str) -> Account {
    let text = format!(
        r#"
[sms]
path = "/send"
auth = {{ scheme = "in_request" }}
json = {{ to = "{{to}}", text = "{{text}}" }}
accepted = {accepted}
sandbox = {{ default_error = 1 }}
[sms.refused]
{refused}
"#
    );
    let (definition, told) = read(&Source::new("v.toml", text));
    assert!(told.iter().all(|t| t.contains("no example")), "{told:?}");
    Account::example(definition, "v".into(), "http://v".into(), None)
}

fn check(account: &Account, status: u16, body: &str, expected: &str) {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = StatusCode::from_u16(status).unwrap();
    let verdict = account.verdict(Channel::Sms, &head, body.as_bytes());
    let reason = verdict.reason.map_or("", |r| r.as_str());
    let code = verdict.code.as_deref().unwrap_or("-");
    let unlisted = if verdict.unlisted { " unlisted" } else { "" };
    let said = format!("{} {reason} {code}{unlisted}", verdict.kind.as_str());
    assert_eq!(said, expected, "{status} {body}");
}

const REFUSED: &str = "code = \"/error/code\"\npresent = \"/error\"\nreasons = { invalid_number = [\"E1\"] }\n\
                       statuses = { sender = [209] }";

#[test]
fn a_word_that_nobody_listed_is_no_refusal() {
    let account = vendor(
        r#"{ status = [200], when = { "/status" = ["queued"] }, message_id = "/id" }"#,
        REFUSED,
    );
    check(
        &account,
        200,
        r#"{"status":"queued","id":"m"}"#,
        "accepted  -",
    );
    check(
        &account,
        200,
        r#"{"status":"scheduled","id":"m"}"#,
        "ambiguous unknown -",
    );
    check(&account, 200, r#"{"id":"m"}"#, "ambiguous unknown -");
    check(
        &account,
        201,
        r#"{"status":"queued"}"#,
        "ambiguous unknown -",
    );
    check(&account, 200, "", "ambiguous unknown -");
    check(&account, 209, "{}", "rejected sender 209");
    check(&account, 404, "{}", "rejected unknown 404");
}

#[test]
fn what_only_a_refusal_has_is_no_yes_whatever_else_is_said() {
    let account = vendor(
        r#"{ status = [200], when = { "/status" = ["queued"] }, message_id = "/id" }"#,
        REFUSED,
    );
    let both = r#"{"status":"queued","id":"m","error":{"code":"E1"}}"#;
    check(&account, 200, both, "rejected invalid_number E1");
    let other = r#"{"status":"queued","id":"m","error":{"code":"E9"}}"#;
    check(&account, 200, other, "rejected unknown E9 unlisted");
    for nothing in ["null", "{}", "[]", "\"\"", "false"] {
        let body = format!(r#"{{"status":"queued","id":"m","error":{nothing}}}"#);
        check(&account, 200, &body, "accepted  -");
    }
}

#[test]
fn where_nothing_else_says_yes_the_id_does() {
    let account = vendor(r#"{ status = [200], message_id = "/id" }"#, REFUSED);
    check(&account, 200, r#"{"id":"m"}"#, "accepted  -");
    check(&account, 200, "{}", "ambiguous unknown -");
    let bare = vendor("{ status = [200] }", REFUSED);
    check(&bare, 200, "", "accepted  -");
    check(&bare, 200, "{}", "accepted  -");
}

#[test]
fn a_code_that_looks_like_a_number_is_hidden_and_counted() {
    let account = vendor(r#"{ status = [200], message_id = "/id" }"#, REFUSED);
    for code in [
        "415-555-0100",
        "6591-234567",
        "+6591234567",
        "no such number",
    ] {
        let body = format!(r#"{{"error":{{"code":"{code}"}}}}"#);
        check(&account, 400, &body, "rejected unknown - unlisted");
    }
    check(
        &account,
        400,
        r#"{"error":{"code":"E404"}}"#,
        "rejected unknown E404 unlisted",
    );
}
