//! Describes `[voice]` of a definition: a request like that of `[sms]`, and what the call says, where that is fetched.

use crate::schema::vendor::operation::keys;
use crate::schema::vendor::receipts::proofs;
use crate::schema::vendor::template;
use crate::schema::{Key, Kind, Table};

pub(super) fn call() -> Table {
    let about = "As `[sms]`, with one slot and two keys more: `{script}` is the address of `[voice.script]`. Who has one has the other, \
                 and `receipts`.";
    let example = r#"
[voice]
path = "/v1/calls"
auth = { scheme = "header", value = "Bearer {credential.api_key}" }
json = { to = "{to}", from = "{from?}", answer = "{script}", hook = "{callback?}" }
accepted = { status = [200], message_id = "/id" }
sandbox = { default_error = 1001, accept = { status = 200, json = { id = "{id}" } } }

[voice.receipts]
body = "json"
message_id = "/id"
status = "/call"
intermediate = ["ringing"]
delivered = ["answered"]
failed = ["busy"]
reasons = { unreachable = ["busy"] }
auth = { scheme = "hmac_sha256", header = "x-north-signature", key = "{credential.api_key}" }

[voice.receipts.sandbox]
json = { id = "{id}", call = "{status}", error = "{error?}" }
intermediate = "ringing"
delivered = "answered"
failed = "busy"
default_error = "busy"

[[receipt_example]]
name = "a call that was answered"
channel = "voice"
json = { id = "c1", call = "answered" }
news = [{ message_id = "c1", progress = "delivered", code = "answered" }]
"#;
    let said = "What the call says, where the vendor fetches that.";
    let speaks = "The languages that it has a voice for, by their tags or the beginnings of these. Calls in other ones go \
                  to it last, after all vendors of the chain that speak them.";
    let tags = Kind::language(&["en", "pt-BR"]).list_of_some();
    Table::new("call", "[voice]", about)
        .keys(keys())
        .keys([
            Key::new("speaks", tags, speaks).or_else("every language"),
            Key::new("script", Kind::Table(script()), said),
        ])
        .example(example)
}

fn script() -> Table {
    let about = "What the vendor fetches at `{script}` when somebody has picked up, by `GET` or `POST`, at most three times while the \
                 passcode lives. Texts are escaped by `|xml`; a slot without a value makes the vendor unfit for the call.";
    let example = r#"
[voice.script]
body = '<Response><Say language="{language}">{text|xml}</Say></Response>'

[[example]]
name = "a call that says something fetched"
channel = "voice"
text = "1 & 2"
request = { json = { to = "+6591234567", from = "+15005550006", answer = "https://otp.example/voice/1" } }
says = '<Response><Say language="en-US">1 &amp; 2</Say></Response>'
response = { status = 200, json = { id = "c1" } }
verdict = { kind = "accepted", message_id = "c1" }
"#;
    let kind = Kind::form(
        "content type",
        "^[A-Za-z]+/[A-Za-z0-9.+-]+(;[ -~]*)?$",
        &["text/xml", "text/xml; charset=utf-8"],
    );
    let body =
        "The text, with the slots of a request but `{credential.NAME}`, none of them with `?`.";
    let auth = "How the vendor proves that it is the vendor who comes, beside knowing the address.";
    Table::new("script", "[voice.script]", about)
        .keys([
            Key::new("content_type", kind, "The type of what is fetched.")
                .or("\"application/xml\""),
            Key::new("body", template("<Say>{text|xml}</Say>"), body).required(),
            Key::new("auth", Kind::Any(proofs()), auth).or("{ scheme = \"reference\" }"),
        ])
        .example(example)
}
