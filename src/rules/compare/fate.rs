//! What becomes of one probe under one rule set, as far as people notice.

use crate::flow::{Channel, Step};
use crate::rules::compare::Difference;
use crate::rules::plan::Chain;
use crate::rules::probe::Probe;
use crate::rules::{Act, Decision, Rules};
use crate::text::{Given, render};
use crate::time::Moment;

/// What is said of a sender that the vendor chooses.
const VENDORS_CHOICE: &str = "the vendor's";

pub(super) struct Fate<'r> {
    /// Why nothing is sent; absent when something is.
    refused: Option<String>,
    chain: Option<&'r Chain>,
    data_region: Option<String>,
    parts_max: Option<usize>,
    steps: Vec<StepFate>,
}

/// One vendor of the plan.
struct StepFate {
    vendor: String,
    /// The vendor with its weight and, where that is another, its channel.
    shown: String,
    sender: String,
    text: String,
    parameters: String,
    quota: String,
}

impl<'r> Fate<'r> {
    pub(super) fn of(rules: &'r Rules, probe: &Probe, now: Moment) -> Fate<'r> {
        let met = rules.meet(probe, now);
        let mut fate = Fate {
            refused: None,
            chain: None,
            data_region: None,
            parts_max: None,
            steps: Vec::new(),
        };
        if let Some(index) = met.rule
            && let Act::Send(send) = &rules.rules[index].act
        {
            fate.chain = Some(&send.chain);
            fate.data_region = send.data_region.as_ref().map(|r| r.to_string());
            fate.parts_max = send.parts_max;
        }
        fate.refused = match met.decision {
            Decision::Plan(plan) => {
                let chain = fate.chain;
                let steps = plan.steps.iter();
                fate.steps = steps.map(|step| StepFate::of(step, probe, chain)).collect();
                None
            }
            Decision::Denied { why, .. } => Some(format!("denied: {why}")),
            Decision::NoRule => Some("no rule matches".to_owned()),
            Decision::TooLong { .. } => Some("the text takes too many parts".to_owned()),
            Decision::NoChain { chain, .. } => {
                Some(format!("no vendor of chain {chain} can be used"))
            }
        };
        if !rules.guard.allows(probe.number.country()) {
            fate.refused = Some("`allow_countries` blocks it".to_owned());
        }
        fate
    }

    pub(super) fn is_sent(&self) -> bool {
        self.refused.is_none()
    }

    /// What is another in `after`.
    pub(super) fn differences(&self, after: &Fate<'_>) -> Vec<Difference> {
        if !self.is_sent() && !after.is_sent() {
            return Vec::new();
        }
        if !self.is_sent() || !after.is_sent() {
            return Difference::of("sent", self.in_words(), after.in_words())
                .into_iter()
                .collect();
        }
        let chain = |fate: &Fate<'_>| fate.chain.map(|c| c.name.to_string()).unwrap_or_default();
        let vendors = |fate: &Fate<'_>| {
            let shown: Vec<&str> = fate.steps.iter().map(|step| &*step.shown).collect();
            shown.join(", ")
        };
        let region = |fate: &Fate<'_>| fate.data_region.clone().unwrap_or("any".to_owned());
        let parts = |fate: &Fate<'_>| fate.parts_max.map_or("any".to_owned(), |n| n.to_string());
        let mut all: Vec<Difference> = [
            Difference::of("chain", chain(self), chain(after)),
            Difference::of("vendors", vendors(self), vendors(after)),
            Difference::of("data_region", region(self), region(after)),
            Difference::of("max_parts", parts(self), parts(after)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let (Some(a), Some(b)) = (self.chain, after.chain)
            && a.name != b.name
        {
            all.extend(a.pace_differences(b));
        }
        all.extend(self.said_otherwise(after));
        all
    }

    /// Senders, texts and quotas that are others; those of all vendors alike are told once.
    fn said_otherwise(&self, after: &Fate<'_>) -> Vec<Difference> {
        type Part = fn(&StepFate) -> &String;
        let parts: [(&str, Part); 4] = [
            ("sender", |step| &step.sender),
            ("text", |step| &step.text),
            ("parameters", |step| &step.parameters),
            ("quota", |step| &step.quota),
        ];
        let mut all = Vec::new();
        for (what, part) in parts {
            let pairs = self.steps.iter().filter_map(|before| {
                let mut steps = after.steps.iter();
                let step = steps.find(|step| step.vendor == before.vendor)?;
                Some((before, part(before), part(step)))
            });
            let pairs: Vec<_> = pairs.collect();
            let is_alike = pairs
                .windows(2)
                .all(|two| (two[0].1, two[0].2) == (two[1].1, two[1].2));
            let told = if is_alike { 1 } else { pairs.len() };
            for (step, before, after) in pairs.into_iter().take(told) {
                let what = if is_alike {
                    what.to_owned()
                } else {
                    format!("{what} of {}", step.vendor)
                };
                all.extend(Difference::of(&what, before.clone(), after.clone()));
            }
        }
        all
    }

    fn in_words(&self) -> String {
        let vendors: Vec<&str> = self.steps.iter().map(|step| &*step.shown).collect();
        match (&self.refused, self.chain) {
            (Some(why), _) => format!("nothing ({why})"),
            (None, Some(chain)) => format!("by chain {} ({})", chain.name, vendors.join(", ")),
            (None, None) => vendors.join(", "),
        }
    }
}

impl StepFate {
    fn of(step: &Step, probe: &Probe, chain: Option<&Chain>) -> StepFate {
        let entries = chain
            .iter()
            .flat_map(|c| &c.positions)
            .flat_map(|p| &p.entries);
        let mut entries = entries.filter(|entry| entry.vendor.name == step.vendor);
        let mut shown = step.vendor.to_string();
        if let Some(weight) = entries.find_map(|entry| entry.weight) {
            shown.push_str(&format!(" {weight}"));
        }
        if step.channel != probe.message.channel {
            shown.push_str(&format!(" by {}", step.channel));
        }
        let given = Given {
            channel: probe.message.channel,
            code: probe.message.code.as_ref(),
            text: probe.message.text.as_ref(),
        };
        let wording = step.wording.as_deref();
        let has_own_text = wording.is_some_and(|w| w.text.is_some());
        let text = match (has_own_text, step.channel) {
            (false, Channel::Sms) => "Okta's own".to_owned(),
            (true, _) | (false, Channel::Voice) => {
                let said = render(wording, step.channel, &given);
                format!("\"{}\"", said.expose().replace('\n', " / "))
            }
        };
        let parameters = wording.map(|w| {
            let pairs = w
                .parameters
                .iter()
                .map(|(name, value)| format!("{name} {value}"));
            pairs.collect::<Vec<String>>().join(", ")
        });
        let parameters = parameters.filter(|p| !p.is_empty());
        let name = |name: Option<&std::sync::Arc<str>>, none: &str| {
            name.map_or(none.to_owned(), |name| name.to_string())
        };
        StepFate {
            vendor: step.vendor.to_string(),
            shown,
            sender: name(step.from.as_ref(), VENDORS_CHOICE),
            text,
            parameters: parameters.unwrap_or("none".to_owned()),
            quota: name(step.quota.as_ref(), "none"),
        }
    }
}
