//! Reads a hook call, tolerant of everything that Okta has been seen to send.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::flow::{Channel, DeliveryId, Message, Secret};
use crate::number::{Country, PhoneNumber};
use crate::time::Moment;

/// Whole numbers up to this are exact in a float (2 to the power of 53).
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// The life of a passcode whose times are missing or unreadable, in milliseconds.
const LIFE_MS_DEFAULT: i64 = 5 * 60_000;
/// No passcode lives longer than this, in milliseconds, whatever the call says.
const LIFE_MS_MAX: i64 = 15 * 60_000;
/// Okta's ids and names are short; longer ones are cut before they are kept.
const NAME_CHARS_MAX: usize = 200;

/// Why a body is no hook call: what, and where it was noticed. It never quotes the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// A hook call, read; what it still lacks is the org it belongs to.
pub struct Request<'a> {
    envelope: Envelope<'a>,
    number: Cow<'a, str>,
}

/// A string, a number written as JSON number, or nothing of use.
#[derive(Default)]
struct Text<'a>(Option<Cow<'a, str>>);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Envelope<'a> {
    #[serde(borrow)]
    event_id: Text<'a>,
    #[serde(borrow)]
    event_time: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    request_type: Text<'a>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Data<'a> {
    #[serde(borrow)]
    context: Option<Context<'a>>,
    #[serde(borrow)]
    user_profile: Option<UserProfile<'a>>,
    #[serde(borrow)]
    message_profile: Option<MessageProfile<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context<'a> {
    #[serde(borrow)]
    request: Option<Cause<'a>>,
}

/// The request that a person made to Okta and that led to this call.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Cause<'a> {
    #[serde(borrow)]
    url: Option<Url<'a>>,
    #[serde(borrow)]
    ip_address: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Url<'a> {
    #[serde(borrow)]
    value: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UserProfile<'a> {
    #[serde(borrow)]
    login: Text<'a>,
    #[serde(borrow)]
    user_id: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MessageProfile<'a> {
    #[serde(borrow)]
    msg_template: Text<'a>,
    #[serde(borrow)]
    phone_number: Text<'a>,
    #[serde(borrow)]
    otp_expires: Text<'a>,
    #[serde(borrow)]
    delivery_channel: Text<'a>,
    #[serde(borrow)]
    otp_code: Text<'a>,
    #[serde(borrow)]
    locale: Text<'a>,
}

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON, names no number, or has neither a passcode nor a text.
    pub fn read(body: &'a [u8]) -> Result<Request<'a>, Fault> {
        let mut envelope: Envelope<'a> = serde_json::from_slice(body).map_err(|error| Fault {
            message: if error.is_data() {
                "a field has another type than a telephony hook call has there"
            } else {
                "the body is not JSON"
            },
            field: None,
            line: Some(error.line()),
            column: Some(error.column()),
        })?;
        let lacks = |message, field| Fault {
            message,
            field: Some(field),
            line: None,
            column: None,
        };
        let profile = envelope
            .data
            .as_mut()
            .and_then(|d| d.message_profile.as_mut());
        let Some(profile) = profile else {
            return Err(lacks(
                "this is no telephony hook call",
                "data.messageProfile",
            ));
        };
        let Some(number) = profile.phone_number.0.take().filter(|n| !n.is_empty()) else {
            return Err(lacks(
                "there is no phone number",
                "data.messageProfile.phoneNumber",
            ));
        };
        if profile.otp_code.is_empty() && profile.msg_template.is_empty() {
            return Err(lacks(
                "there is neither a passcode nor a text",
                "data.messageProfile.otpCode",
            ));
        }
        Ok(Request { envelope, number })
    }

    /// The host in `source`, lower case, without port; `None` when there is no `source`.
    pub fn source_host(&self) -> Option<String> {
        let source = self.envelope.source.get()?;
        let rest = source.split_once("://").map_or(source, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
        let host = host.split_once(':').map_or(host, |(h, _)| h);
        Some(host.to_lowercase())
    }

    /// Okta's `eventTime`.
    pub fn event_time(&self) -> Option<Moment> {
        Moment::from_rfc3339(self.envelope.event_time.get()?)
    }

    /// The message it asks for.
    pub fn into_message(
        self,
        id: DeliveryId,
        org: Arc<str>,
        default_country: Option<Country>,
        received_at: Moment,
    ) -> Message {
        let life_ms = self.life_ms();
        let to = PhoneNumber::parse(&self.number, default_country);
        let Envelope {
            event_id,
            request_type,
            data,
            ..
        } = self.envelope;
        let data = data.unwrap_or_default();
        let profile = data.message_profile.unwrap_or_default();
        let user = data.user_profile.unwrap_or_default();
        let cause = data.context.and_then(|c| c.request).unwrap_or_default();
        let address = cause.url.unwrap_or_default().value;
        let address = address.get().unwrap_or_default();
        let address = address.split(['?', '#']).next().unwrap_or_default();
        let channel = channel(
            profile.delivery_channel.get(),
            profile.msg_template.is_empty(),
        );
        let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_lowercase();
        Message {
            id,
            org,
            event: event_id.name(),
            to,
            channel,
            code: profile.otp_code.secret(),
            text: profile.msg_template.secret(),
            locale: profile
                .locale
                .name()
                .unwrap_or_default()
                .to_lowercase()
                .replace('_', "-"),
            request_type: request_type.name().map(|t| last(&t)).unwrap_or_default(),
            user: user.user_id.name(),
            login: user.login.name(),
            ip: cause.ip_address.name(),
            preview: address.ends_with("/generatePreview"),
            resend: address.ends_with("/resend"),
            received_at,
            life_ms,
        }
    }

    /// `otpExpires` less `eventTime`: both by Okta's clock, so that ours need not agree with it.
    fn life_ms(&self) -> i64 {
        let profile = self
            .envelope
            .data
            .as_ref()
            .and_then(|d| d.message_profile.as_ref());
        let expires = profile
            .and_then(|p| p.otp_expires.get())
            .and_then(Moment::from_rfc3339);
        match (expires, self.event_time()) {
            (Some(expires), Some(event)) => expires.ms_since(event).clamp(0, LIFE_MS_MAX),
            _ => LIFE_MS_DEFAULT,
        }
    }
}

/// `SMS`, `CALL`, `Voice`, `voice call`, in any case; a call without a text when nothing is said.
fn channel(written: Option<&str>, no_text: bool) -> Channel {
    let Some(written) = written else {
        return if no_text {
            Channel::Voice
        } else {
            Channel::Sms
        };
    };
    let written = written.to_lowercase();
    if written.contains("call") || written.contains("voice") {
        Channel::Voice
    } else {
        Channel::Sms
    }
}

impl Text<'_> {
    fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    fn is_empty(&self) -> bool {
        self.get().is_none_or(str::is_empty)
    }

    fn secret(&self) -> Option<Secret> {
        self.get().filter(|t| !t.is_empty()).map(Secret::new)
    }

    fn name(&self) -> Option<String> {
        let text = self.get().filter(|t| !t.is_empty())?;
        Some(text.chars().take(NAME_CHARS_MAX).collect())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text.trim()))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(text.trim().to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    /// `9.87654321e9` is still the number it says. What a float cannot hold exactly is none: another passcode than
    /// Okta's locks somebody out.
    fn visit_f64<E>(self, number: f64) -> Result<Text<'de>, E> {
        let is_exact = number.fract() == 0.0 && number.abs() <= WHOLE_MAX;
        let text = is_exact.then(|| Cow::Owned(format!("{number:.0}")));
        Ok(Text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}
