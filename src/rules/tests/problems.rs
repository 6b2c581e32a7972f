//! What is told when rules are wrong, can never match, or ask for what is not built yet.

use super::compile;

/// Every expected text is among what is told, and nothing else is an error.
fn check_problems(text: &str, expected: &[&str]) {
    let (_, told) = compile(text);
    let told = told.join("\n");
    for expected in expected {
        assert!(told.contains(expected), "{expected}\nnot in\n{told}");
    }
    let errors = told.matches("error: ").count();
    let expected = expected.iter().filter(|e| e.contains("error: ")).count();
    assert_eq!(errors, expected, "{told}");
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let text = r#"
[groups]
nordics = ["SE", "XX"]
EU = ["DE"]
[chains.x]
vendors = ["a", "bb", "a", "d", [{ vendor = "c" }]]
patience = "soon"
[chains.left]
vendors = ["d"]
[[rule]]
name = "r"
when = { country = ["nordic"], chanel = "sms" }
chain = "y"
[[rule]]
name = "both"
chain = "x"
deny = "no"
[[rule]]
name = "r"
when = { country = ["uk", "UK"] }
deny = "no"
[guard]
per_number = "many"
"#;
    check_problems(
        text,
        &[
            "r.toml:3:18: error: there is no country or group `XX`",
            "r.toml:4:1: error: the group `EU` is built in",
            "r.toml:6:17: error: there is no vendor `bb`",
            "r.toml:6:23: error: `a` is in this chain already",
            "r.toml:6:28: warning: `d` has no account and is left out\n  hint: add `[vendors.d]`",
            "r.toml:6:34: error: `weight` is missing here",
            "r.toml:7:12: error: `soon` is not a duration",
            "r.toml:8:9: error: the chain `left` has no vendor left",
            "r.toml:12:21: error: there is no country or group `nordic`\n  hint: did you mean `nordics`?",
            "r.toml:12:32: error: unknown key `chanel`\n  hint: did you mean `channel`?",
            "r.toml:13:9: error: there is no chain `y`",
            "r.toml:14:1: error: a rule has either a `chain` or a `deny`",
            "r.toml:11:8: error: another rule is named `r`, at r.toml:19",
            "r.toml:19:8: error: another rule is named `r`, at r.toml:11",
            "r.toml:20:21: error: there is no country or group `uk`",
            "r.toml:20:27: error: there is no country or group `UK`\n  hint: did you mean `GB`?",
            "r.toml:23:14: error: `many` is not a limit",
        ],
    );
}

#[test]
fn what_is_not_built_yet_is_told() {
    let text = r#"
[chains.x]
vendors = ["a", { vendor = "b", channel = "voice", after = "35s", on = ["silence"] }]
strategy = "hedge"
patience = "p95"
order = "adaptive"
on_silence = "stop"
[[rule]]
name = "r"
chain = "x"
[[template]]
text = "{code}"
"#;
    check_problems(
        text,
        &[
            "r.toml:3:43: warning: `a chain entry on another channel`: not yet in effect",
            "`strategy = \"hedge\"`: not yet in effect",
            "`patience = \"p95\"`: not yet in effect",
            "`order = \"adaptive\"`: not yet in effect",
            "`on_silence`: not yet in effect",
            "`template`: not yet in effect",
        ],
    );
}

#[test]
fn what_can_never_happen_is_told() {
    let text = r#"
[chains.x]
vendors = ["a"]
[chains.spare]
vendors = ["b"]
[[rule]]
name = "phones"
when = { country = ["US"], number_type = ["mobile"] }
chain = "x"
[[rule]]
name = "all"
when = { channel = ["sms", "voice"] }
chain = "x"
[[rule]]
name = "late"
when = { country = ["SG"], channel = "sms" }
chain = "x"
"#;
    check_problems(
        text,
        &[
            "r.toml:8:42: warning: `mobile` never matches a number of +1",
            "r.toml:4:9: warning: no rule uses the chain `spare`",
            "r.toml:15:8: warning: the rule `late` can never match\n  hint: `all` at r.toml:10",
            "warning: no chain uses the vendor `c`",
        ],
    );
}

#[test]
fn no_rule_at_all_is_an_error() {
    check_problems("", &["error: there is no rule at all"]);
}

#[test]
fn an_example_that_does_not_hold_says_what_came_out() {
    let text = r#"
chains = { x = { vendors = ["a", "b"] } }
[[rule]]
name = "r"
when = { country = ["SG"] }
chain = "x"
[[expect]]
to = "+6591234567"
rule = "q"
vendors = ["b"]
[[expect]]
to = "hello"
[[expect]]
to = "+14155552671"
deny = "number type"
[[expect]]
to = "+6591234567"
vendors = ["a"]
sender = "from-a"
"#;
    check_problems(
        text,
        &[
            "r.toml:9:8: error: expected the rule `q`, found `r`",
            "r.toml:10:11: error: expected the vendors b, found a, b",
            "r.toml:12:6: error: `hello` is not a number with `+`",
            "r.toml:15:8: error: expected the refusal `number type`, found `none`",
        ],
    );
}

#[test]
fn a_group_that_contains_itself_is_told() {
    let text = "[groups]\na = [\"b\"]\nb = [\"a\"]\n";
    let (_, told) = compile(text);
    assert!(told.join("\n").contains("contains itself"), "{told:?}");
}
