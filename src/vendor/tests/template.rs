//! Slots are filled, left out and found again.

use crate::vendor::template::{Place, Slot, Template, Tree, Unfilled};

fn fill(text: &str) -> Result<Option<String>, Unfilled> {
    Template::parse(text, Place::Request)
        .unwrap()
        .fill(&|slot| match slot {
            Slot::To => Some("+6591234567".to_owned()),
            Slot::Text => Some("a<b & \"c\" 'd' \u{1}".to_owned()),
            _ => None,
        })
}

#[test]
fn slots_are_filled_through_their_filters() {
    assert_eq!(fill("x{to}y"), Ok(Some("x+6591234567y".to_owned())));
    assert_eq!(fill("{to|digits}"), Ok(Some("6591234567".to_owned())));
    let unmarked = " a b & \"c\" 'd' \u{1}".to_owned();
    assert_eq!(fill(" {text|unmarked}"), Ok(Some(unmarked)));
    let escaped = "<Say>a&lt;b &amp; &quot;c&quot; &apos;d&apos;  </Say>".to_owned();
    assert_eq!(fill("<Say>{text|xml}</Say>"), Ok(Some(escaped)));
}

#[test]
fn an_optional_slot_leaves_the_whole_text_out_and_another_is_an_error() {
    assert_eq!(fill("a{from?}"), Ok(None));
    assert_eq!(fill("a{from}"), Err(Unfilled(Slot::From)));
    assert_eq!(fill("{parameter.entity_id?}"), Ok(None));
    let needed = Slot::Parameter("entity_id".to_owned());
    assert_eq!(fill("{parameter.entity_id}"), Err(Unfilled(needed)));
}

#[test]
fn a_table_or_list_without_any_of_its_slots_is_left_out_with_its_constants() {
    let text = |t| Tree::Text(Template::parse(t, Place::Request).unwrap());
    let table = |fields: Vec<(&str, Tree)>| {
        let fields = fields.into_iter().map(|(name, t)| (name.to_owned(), t));
        Tree::Table(fields.collect())
    };
    let delivery = || {
        table(vec![
            ("url", text("{callback?}")),
            ("all", Tree::Flag(true)),
        ])
    };
    let hooks = || table(vec![("delivery", delivery()), ("format", text("json"))]);
    let tree = table(vec![
        ("to", text("{to}")),
        ("hooks", hooks()),
        ("urls", Tree::List(vec![text("{callback?}")])),
        ("options", table(vec![("flash", Tree::Flag(false))])),
    ]);
    let fill = |callback: Option<&'static str>| {
        let filled = tree.fill(&|slot| match slot {
            Slot::To => Some("+65".to_owned()),
            Slot::Callback => callback.map(str::to_owned),
            _ => None,
        });
        filled.unwrap().unwrap()
    };
    let without = serde_json::json!({ "to": "+65", "options": { "flash": false } });
    assert_eq!(fill(None), without);
    let with = fill(Some("u"));
    assert_eq!(
        with["hooks"],
        serde_json::json!({ "delivery": { "url": "u", "all": true }, "format": "json" })
    );
    assert_eq!(with["urls"], serde_json::json!(["u"]));
    assert_eq!(tree.taken_from(&Slot::Callback, &with).unwrap(), "u");
    assert_eq!(tree.taken_from(&Slot::Callback, &without), None);
    assert!(hooks().is_optional());
    assert!(!tree.is_optional());
}

#[test]
fn what_a_slot_was_filled_with_can_be_told_from_the_text() {
    let template = Template::parse("a-{to}-b", Place::Request).unwrap();
    let taken = |slot, text| template.taken_from(slot, text);
    assert_eq!(taken(&Slot::To, "a-+65-b").as_deref(), Some("+65"));
    assert_eq!(taken(&Slot::To, "+65-b"), None);
    assert_eq!(taken(&Slot::From, "a-+65-b"), None);
}

#[test]
fn mistakes_are_told_with_the_nearest_name() {
    let check = |text: &str, expected: &str| {
        let (message, hint) = Template::parse(text, Place::Request).unwrap_err();
        assert_eq!(format!("{message}; {}", hint.unwrap_or_default()), expected);
    };
    check(
        "{tex}",
        "there is no slot `{tex}` here; did you mean `text`?",
    );
    check(
        "{to|digit}",
        "there is no filter `digit`; did you mean `digits`?",
    );
    check(
        "{to|primary}",
        "there is no filter `primary` for this slot; `primary` is for `{language}`",
    );
    check("{to", "a `{` without its `}`; ");
    check(
        "{id}",
        "there is no slot `{id}` here; there are `{to}`, `{from}`, `{text}`, `{code}`, `{reference}`, `{callback}`, `{script}`, `{validity}`, `{expires}`, `{now}`, `{encoding}`, `{language}`, `{credential.NAME}`, `{parameter.NAME}`",
    );
}

#[test]
fn a_text_is_known_by_its_words_and_by_what_is_known_of_its_slots() {
    let check = |template: &str, text: &str, expected: bool| {
        let template = Template::parse(template, Place::Request).unwrap();
        let fill = |slot: &Slot| match slot {
            Slot::Credential(_) => Some("a b".to_owned()),
            _ => None,
        };
        let written = |value: String| value.replace(' ', "%20");
        assert_eq!(template.may_give(text, &fill, &written), expected, "{text}");
    };
    check("/v1/{credential.id}/send", "/v1/a%20b/send", true);
    check("/v1/{credential.id}/send", "/v1/c/send", false);
    check("/v1/{credential.id}/send", "/v1/a%20b/send/x", false);
    check("/v1/{to}/send", "/v1/6591234567/send", true);
    check("/v1/{to}", "/v1/6591234567", true);
    check("/v1/{to}", "/v1/", false);
    check("/v1/{to}/send", "/v1//send", false);
    check("", "", true);
    check("", "/", false);
}
