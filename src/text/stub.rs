//! Stub.
use crate::flow::{Channel, Secret, Wording};
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub channel: Channel,
    pub code: Option<&'a Secret>,
    pub text: Option<&'a Secret>,
}
pub fn render(wording: Option<&Wording>, channel: Channel, given: &Given<'_>) -> Secret {
    match (wording.and_then(|w| w.text.as_ref()), given.code) {
        (Some(text), Some(code)) => Secret::new(text.replace("{code}", code.expose())),
        _ => {
            let _ = channel;
            given
                .text
                .cloned()
                .or_else(|| given.code.map(|c| Secret::new(super::spoken(c.expose()))))
                .unwrap_or_else(|| Secret::new(""))
        }
    }
}
#[derive(Clone, Debug, PartialEq)]
pub struct Words(String);
pub struct Mistake {
    pub message: String,
    pub hint: Option<String>,
    pub span: std::ops::Range<usize>,
}
impl Words {
    pub fn parse(text: &str) -> Result<Words, Mistake> {
        if text.contains("{code}") {
            Ok(Words(text.to_owned()))
        } else {
            Err(Mistake {
                message: "`{code}` is missing".into(),
                hint: None,
                span: 0..0,
            })
        }
    }
    pub fn settle(&self, org: &str, minutes: i64, webotp: Option<&str>) -> String {
        let mut t = self
            .0
            .replace("{org}", org)
            .replace("{minutes}", &minutes.max(1).to_string());
        if let Some(h) = webotp {
            t.push_str(&format!("\n@{h} #{{code}}"));
        }
        t
    }
}
pub struct Script {
    pub language: &'static str,
    pub spoken: &'static str,
    pub written: &'static str,
}
pub fn script(_locale: &str) -> Script {
    Script {
        language: "en-US",
        spoken: "",
        written: "",
    }
}

/// The passcode that examples and explanations show.
pub const SHOWN_CODE: &str = "123456";
/// Okta's default text with it (Okta's developer documentation, custom SMS messaging).
pub const SHOWN_TEXT: &str = "Your verification code is 123456";
