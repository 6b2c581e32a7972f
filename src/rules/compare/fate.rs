//! What becomes of one probe under one rule set, as far as people notice.

use std::ptr;

use crate::flow::{Channel, Step, Waits};
use crate::rules::compare::Difference;
use crate::rules::compare::settings::NONE;
use crate::rules::plan::{Chain, Entry};
use crate::rules::probe::{Effort, Probe};
use crate::rules::sender::Sender;
use crate::rules::{Act, Decision, Rules};
use crate::text::{Given, language, render};
use crate::time::Moment;

/// What is said of a sender that the vendor chooses.
const VENDORS_CHOICE: &str = "the vendor's";

pub(super) struct Fate<'r> {
    rules: &'r Rules,
    /// The rule that decides, by its index.
    pub(super) rule: Option<usize>,
    /// Why nothing is sent; absent when something is.
    refused: Option<String>,
    /// The guard refuses it, whatever the rules say.
    is_blocked: bool,
    pub(super) chain: Option<&'r Chain>,
    data_region: Option<String>,
    parts_max: Option<usize>,
    transliterates: bool,
    senders: Vec<&'r Sender>,
    steps: Vec<StepFate>,
}

/// One vendor of the plan.
struct StepFate {
    vendor: String,
    channel: Channel,
    /// The vendor with its weight and, where that is another, its channel.
    shown: String,
    template: Option<String>,
    waits: String,
    sender: String,
    text: String,
    language: String,
    parameters: String,
    quota: String,
    cost: String,
}

impl<'r> Fate<'r> {
    pub(super) fn of(rules: &'r Rules, probe: &Probe, now: Moment, effort: &Effort) -> Fate<'r> {
        let met = rules.meet(probe, now, effort);
        let mut fate = Fate {
            rules,
            rule: met.rule,
            refused: None,
            is_blocked: !rules.guard.allows(probe.number.country()),
            chain: None,
            data_region: None,
            parts_max: None,
            transliterates: false,
            senders: met
                .senders
                .into_iter()
                .map(|(_, _, sender)| sender)
                .collect(),
            steps: Vec::new(),
        };
        if let Some(index) = met.rule
            && let Act::Send(send) = &rules.rules[index].act
        {
            fate.chain = Some(&send.chain);
            fate.data_region = send.data_region.as_ref().map(|r| r.to_string());
            fate.parts_max = send.parts_max;
            fate.transliterates = send.transliterate;
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
        if fate.is_blocked {
            fate.refused = Some("`allow_countries` blocks it".to_owned());
        }
        fate
    }

    /// Whether a sender of the rules, by its index, is used.
    pub(super) fn has_sender(&self, index: usize) -> bool {
        let sender = self.rules.senders.get(index);
        sender.is_some_and(|s| {
            self.senders
                .iter()
                .any(|used| ptr::eq(*used, &raw const **s))
        })
    }

    /// Whether a template of the rules, by its index, is used.
    pub(super) fn has_template(&self, index: usize) -> bool {
        let template = self.rules.around.wordings.templates().get(index);
        template.is_some_and(|template| {
            let mut steps = self.steps.iter();
            steps.any(|step| step.template.as_deref() == Some(&*template.name))
        })
    }

    pub(super) fn is_sent(&self) -> bool {
        self.refused.is_none()
    }

    /// What is another in `after`.
    pub(super) fn differences(&self, after: &Fate<'_>) -> Vec<Difference> {
        // Who is let in is told by itself.
        if !self.is_sent() && !after.is_sent() && (self.is_blocked || after.is_blocked) {
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
        let plain = |fate: &Fate<'_>| fate.transliterates.to_string();
        let mut all: Vec<Difference> = [
            Difference::of("chain", chain(self), chain(after)),
            Difference::of("vendors", vendors(self), vendors(after)),
            Difference::of("data_region", region(self), region(after)),
            Difference::of("max_parts", parts(self), parts(after)),
            Difference::of("transliterate", plain(self), plain(after)),
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

    /// What is another for vendors that stay; where it is alike for all of them, it is told once.
    fn said_otherwise(&self, after: &Fate<'_>) -> Vec<Difference> {
        type Part = fn(&StepFate) -> &String;
        let parts: [(&str, Part); 7] = [
            ("waits", |step| &step.waits),
            ("sender", |step| &step.sender),
            ("text", |step| &step.text),
            ("language", |step| &step.language),
            ("parameters", |step| &step.parameters),
            ("quota", |step| &step.quota),
            ("cost", |step| &step.cost),
        ];
        // A chain has a vendor once for each channel.
        let steps = self.steps.iter().filter_map(|before| {
            let mut steps = after.steps.iter();
            let step = steps.find(|step| step.is_of(before))?;
            Some((before, step))
        });
        let steps: Vec<(&StepFate, &StepFate)> = steps.collect();
        let mut all = Vec::new();
        for (what, part) in parts {
            let pairs = steps
                .iter()
                .map(|(before, step)| (part(before), part(step)));
            let pairs: Vec<(&String, &String)> = pairs.collect();
            let is_alike = pairs.windows(2).all(|two| two[0] == two[1]);
            let told = if is_alike { 1 } else { pairs.len() };
            let told = pairs.into_iter().zip(&steps).take(told);
            for ((before, after), (step, _)) in told {
                let what = match is_alike {
                    true => what.to_owned(),
                    false => format!("{what} of {}", self.name_of(step)),
                };
                all.extend(Difference::of(&what, before.clone(), after.clone()));
            }
        }
        all
    }

    /// A vendor, with its channel where it is there for both.
    fn name_of(&self, step: &StepFate) -> String {
        let of_vendor = self.steps.iter().filter(|s| s.vendor == step.vendor);
        match of_vendor.count() {
            1 => step.vendor.clone(),
            _ => format!("{} by {}", step.vendor, step.channel),
        }
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
        let entries = chain.iter().flat_map(|c| &c.positions);
        let mut entries = entries.flat_map(|p| &p.entries);
        let is_it = |entry: &&Entry| {
            let channel = entry.channel.unwrap_or(step.channel);
            entry.vendor.name == step.vendor && channel == step.channel && entry.waits == step.waits
        };
        let mut shown = step.vendor.to_string();
        if let Some(weight) = entries.find(is_it).and_then(|entry| entry.weight) {
            shown.push_str(&format!(" {weight}"));
        }
        if step.channel != probe.message.channel {
            shown.push_str(&format!(" by {}", step.channel));
        }
        let wording = step.wording.as_deref();
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
            channel: step.channel,
            shown,
            template: wording
                .and_then(|w| w.template.as_ref())
                .map(|t| t.to_string()),
            waits: step.waits.as_ref().map_or("no".to_owned(), waits_in_words),
            sender: name(step.from.as_ref(), VENDORS_CHOICE),
            text: text_of(step, probe),
            language: match step.channel {
                Channel::Voice => language(wording).into_owned(),
                Channel::Sms => NONE.to_owned(),
            },
            parameters: parameters.unwrap_or(NONE.to_owned()),
            quota: name(step.quota.as_ref(), NONE),
            cost: step.cost.map_or(NONE.to_owned(), |cost| cost.to_string()),
        }
    }

    fn is_of(&self, other: &StepFate) -> bool {
        (&self.vendor, self.channel) == (&other.vendor, other.channel)
    }
}

/// What people get to read or hear.
fn text_of(step: &Step, probe: &Probe) -> String {
    let given = Given {
        channel: probe.message.channel,
        code: probe.message.code.as_ref(),
        text: probe.message.text.as_ref(),
    };
    let wording = step.wording.as_deref();
    let has_own_text = wording.is_some_and(|w| w.text.is_some());
    let is_oktas = step.channel == Channel::Sms && given.channel == Channel::Sms;
    if is_oktas && !has_own_text {
        return "Okta's own".to_owned();
    }
    let said = render(wording, step.channel, &given);
    format!("\"{}\"", said.expose().replace('\n', " / "))
}

/// `after 35000 ms, on silence, unreachable`.
pub(super) fn waits_in_words(waits: &Waits) -> String {
    let silence = waits.on_silence.then_some("silence");
    let reasons = waits.on.iter().map(|reason| reason.as_str());
    let on: std::collections::BTreeSet<&str> = silence.into_iter().chain(reasons).collect();
    let on: Vec<&str> = on.into_iter().collect();
    format!("after {} ms, on {}", waits.after_ms, on.join(", "))
}
