//! Vendors that people switched off through the API; the journal keeps it over restarts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::journal::{Ack, Journal};
use crate::number::Country;
use crate::time::Moment;

/// The journal's settings that are switches begin with this.
const SETTING: &str = "off/";

/// One vendor switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The countries it is off for; none means everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub country: Vec<Country>,
    /// Until when; none means until it is switched on again.
    #[serde(default, with = "until", skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Why, for whoever wonders.
    #[serde(default)]
    pub reason: String,
}

/// All of them.
pub struct Switches(Mutex<BTreeMap<String, Switch>>);

impl Switches {
    pub(super) fn read(journal: &Journal) -> anyhow::Result<Switches> {
        let settings = journal.settings()?;
        let switches = settings.into_iter().filter_map(|(name, value)| {
            let vendor = name.strip_prefix(SETTING)?;
            Some((vendor.to_owned(), serde_json::from_str(&value).ok()?))
        });
        Ok(Switches(Mutex::new(switches.collect())))
    }

    /// Switches a vendor off, or on again with `None`. The ack says whether that outlasts a restart.
    pub fn set(&self, journal: &Arc<Journal>, vendor: &str, switch: Option<Switch>) -> Ack {
        let kept = switch.as_ref().and_then(|s| serde_json::to_string(s).ok());
        let mut switches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match switch {
            Some(switch) => switches.insert(vendor.to_owned(), switch),
            None => switches.remove(vendor),
        };
        journal.put_setting(format!("{SETTING}{vendor}"), kept)
    }

    /// The switch of a vendor, if it is set.
    pub fn get(&self, vendor: &str) -> Option<Switch> {
        let switches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        switches.get(vendor).cloned()
    }

    pub(super) fn off(&self, vendor: &str, country: Country, now: Moment) -> Option<String> {
        self.get(vendor)?.reason_for(country, now)
    }
}

impl Switch {
    /// Why the vendor is off for a country at a moment; `None` when it is not.
    pub fn reason_for(&self, country: Country, now: Moment) -> Option<String> {
        let here = self.country.is_empty() || self.country.contains(&country);
        let still = self.until.is_none_or(|until| now < until);
        (here && still).then(|| self.reason.clone())
    }
}

/// A moment as RFC 3339, as in the rules.
mod until {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::time::Moment;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(
        until: &Option<Moment>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match until {
            Some(until) => serializer.serialize_str(&until.to_rfc3339()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Moment>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| {
            Moment::from_rfc3339(&text).ok_or_else(|| {
                D::Error::custom("`until` is not a time such as 2026-11-24T09:00:00Z")
            })
        })
        .transpose()
    }
}
