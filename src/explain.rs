//! Says what would be done with a number, and why.

mod table;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::catalog::Catalog;
use crate::config::NO_ORG;
use crate::delivery::LEAST_LIFE_MS;
use crate::flow::{Channel, DeliveryId, Message, Pace, Secret, Step, VendorName, Waits};
use crate::number::{Country, NumberProblem, PhoneNumber};
use crate::problem::did_you_mean;
use crate::rules::{Decision, Explanation, Missed, Unused};
use crate::text::{Given, Measure, SHOWN_CODE, SHOWN_TEXT, measure, render};
use crate::time::Moment;

/// Answers are aimed this much earlier than `answer_within`, in milliseconds.
pub const AIM_EARLY_MS: i64 = 100;
/// The life that Okta gives a passcode, in milliseconds.
const SHOWN_LIFE_MS: i64 = 300_000;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub to: String,
    pub channel: Option<Channel>,
    pub org: Option<String>,
    pub request_type: Option<String>,
    pub locale: Option<String>,
    pub user: Option<String>,
    pub login: Option<String>,
    /// What Okta's own text is; its default where this is absent.
    pub text: Option<String>,
    /// The moment it is asked for, where that is not now.
    pub at: Option<Moment>,
}

impl Question {
    /// What is wrong with it: an org that nobody has configured.
    pub fn mistake(&self, catalog: &Catalog) -> Option<String> {
        let asked = self.org.as_deref()?;
        let orgs = catalog.config.orgs.iter().map(|org| &*org.name);
        if catalog.config.orgs.is_empty() || orgs.clone().any(|org| org == asked) {
            return None;
        }
        let names: Vec<String> = orgs.clone().map(|org| format!("`{org}`")).collect();
        let hint = did_you_mean(asked, orgs);
        let hint = hint.unwrap_or_else(|| format!("there is {}", names.join(", ")));
        Some(format!("there is no org `{asked}`: {hint}"))
    }
}

/// What is answered.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    pub to: String,
    pub channel: Channel,
    pub country: Country,
    pub number_type: &'static str,
    /// The rule that decides; absent when none matches.
    pub rule: Option<String>,
    /// `file:line` of that rule.
    pub rule_place: Option<String>,
    pub rules: String,
    pub chain: Option<String>,
    /// The steps' order is learned, and another one for each delivery.
    pub adaptive: bool,
    /// Names in canonical order.
    pub vendors: Vec<String>,
    /// Who the first vendor's message comes from; absent where the vendor chooses.
    pub sender: Option<String>,
    /// What the first vendor is given.
    pub text: Text,
    /// Why nothing would be sent; absent when something would.
    pub refused: Option<String>,
    /// The vendors with all that is known of them.
    pub steps: Vec<StepExplained>,
    /// Vendors of the chain that were left out.
    pub left_out: Vec<LeftOut>,
    /// The rules before, and why they did not match.
    pub passed: Vec<Missed>,
    pub timetable: Vec<Planned>,
    /// How the chain is walked; absent when nothing would be sent.
    #[serde(skip)]
    pace: Option<Pace>,
    /// When Okta is answered at the latest, in milliseconds.
    #[serde(skip)]
    answer_ms: i64,
}

/// What somebody is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    #[serde(flatten)]
    pub measure: Measure,
    /// The text itself, with an example's passcode.
    pub said: String,
    /// The template it comes from; absent where it is Okta's own or built in.
    pub template: Option<String>,
    /// The language it is spoken in, where that is known.
    pub language: Option<String>,
}

/// One vendor of the chain.
#[derive(Clone, Debug, Serialize)]
pub struct StepExplained {
    pub vendor: String,
    /// Its weight among those of its position; absent where it is alone.
    pub weight: Option<u32>,
    pub sender: Option<String>,
    /// `sms` or `voice`.
    pub channel: Channel,
    /// What it is given.
    pub text: Text,
    /// The language that it has no voice for; it is asked all the same, after all who have one.
    pub foreign: Option<String>,
    /// Others have a voice for it.
    #[serde(skip)]
    pub yields: bool,
    /// The counter that its messages use up.
    pub quota: Option<String>,
    /// Until when that is used up, as a running router knows.
    pub used_up_until: Option<String>,
    /// What it waits for; absent where it is tried in its turn.
    pub waits: Option<String>,
    /// What a message costs, in the chain's own unit.
    pub cost: Option<f64>,
    /// Of 100 deliveries, so many would turn to it first, as a running router has learned.
    pub first: Option<usize>,
    /// Why it is switched off now.
    pub off: Option<String>,
    /// What a running router last saw of it.
    pub last: Option<String>,
    /// What a running router thinks of it: `well`, `probing`, `unwell: errors`.
    pub health: Option<String>,
}

/// What a running router knows of a vendor beyond the files.
#[derive(Clone, Debug, Default)]
pub struct VendorNow {
    /// Why it is switched off.
    pub off: Option<String>,
    /// What its last answers were.
    pub last: Option<String>,
    pub health: Option<String>,
}

/// A vendor that the chain names and that cannot be used.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    pub vendor: String,
    pub why: String,
}

/// What happens when, if vendors stay silent.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Milliseconds after the hook call.
    pub at_ms: i64,
    pub what: String,
}

/// Explains what would be done with a number at a moment.
pub fn explain(catalog: &Catalog, question: &Question, now: Moment) -> Explained {
    let now = question.at.unwrap_or(now);
    let channel = question.channel.unwrap_or(Channel::Sms);
    let message = message(catalog, question, channel, now);
    let found = catalog.rules.explain(&message);
    explained(catalog, &message, &question.to, found)
}

/// What was found for a message, in words.
fn explained(catalog: &Catalog, message: &Message, asked: &str, found: Explanation) -> Explained {
    let to = message.to.as_ref().ok();
    let country = to.map_or(Country::NONE, PhoneNumber::country);
    let mut explained = Explained {
        to: to.map_or(asked, PhoneNumber::e164).to_owned(),
        channel: message.channel,
        country,
        number_type: to.map_or("unknown", |n| n.number_type().as_str()),
        rule: None,
        rule_place: found.place.map(|p| p.to_string()),
        rules: catalog.rules.version().to_string(),
        chain: None,
        adaptive: false,
        vendors: Vec::new(),
        sender: None,
        text: text(message, &Step::default()),
        refused: message.to.as_ref().err().map(|p| refusal(*p).to_owned()),
        steps: Vec::new(),
        left_out: left_out(found.left_out),
        passed: found.missed,
        timetable: Vec::new(),
        pace: None,
        answer_ms: catalog.config.hook.answer_within_ms - AIM_EARLY_MS,
    };
    match found.decision {
        Decision::Plan(plan) => {
            explained.rule = Some(plan.rule.to_string());
            explained.chain = Some(plan.chain.to_string());
            explained.adaptive = plan.learning.order;
            for (step, weight) in plan.steps.iter().zip(found.weights) {
                let off = catalog
                    .rules
                    .off(&step.vendor, country, message.received_at);
                let step = StepExplained {
                    yields: plan.steps.iter().any(|other| step.yields_to(other)),
                    ..step_explained(message, step, weight, off)
                };
                explained.vendors.push(step.vendor.clone());
                explained.steps.push(step);
            }
            explained.sender = explained.steps[0].sender.clone();
            explained.text = explained.steps[0].text.clone();
            explained.pace = Some(plan.pace);
            explained.timetable = explained.times();
        }
        Decision::Denied { rule, why } => {
            explained.rule = Some(rule.to_string());
            explained.refused = Some(why.to_string());
        }
        Decision::NoChain { rule, chain } => {
            explained.rule = Some(rule.to_string());
            explained.chain = Some(chain.to_string());
            explained.refused = Some("no vendor of its chain can be used".to_owned());
        }
        Decision::TooLong { rule, chain } => {
            explained.rule = Some(rule.to_string());
            explained.chain = Some(chain.to_string());
            explained.refused = Some("the text takes too many parts".to_owned());
        }
        Decision::NoRule if to.is_some() => {
            explained.refused = Some("no rule matches".to_owned());
        }
        Decision::NoRule => {}
    }
    if explained.refused.is_none() && !catalog.rules.guard().allows(country) {
        explained.refused = Some(format!("`allow_countries` does not name {country}"));
    }
    explained
}

fn left_out(unused: Vec<(VendorName, Unused)>) -> Vec<LeftOut> {
    let left_out = unused.into_iter().map(|(vendor, why)| LeftOut {
        vendor: vendor.to_string(),
        why: why.to_string(),
    });
    left_out.collect()
}

/// What a step's vendor is given for a message.
fn text(message: &Message, step: &Step) -> Text {
    let given = Given {
        channel: message.channel,
        code: message.code.as_ref(),
        text: message.text.as_ref(),
    };
    let wording = step.wording.as_deref();
    let said = render(wording, step.channel, &given);
    let name = |name: Option<&std::sync::Arc<str>>| name.map(|n| n.to_string());
    Text {
        measure: measure(said.expose()),
        said: said.expose().to_owned(),
        template: name(wording.and_then(|w| w.template.as_ref())),
        language: name(wording.and_then(|w| w.language.as_ref())),
    }
}

impl Explained {
    /// Whether something would be sent.
    pub fn is_sent(&self) -> bool {
        self.refused.is_none() && self.steps.iter().any(StepExplained::is_asked)
    }

    /// Notes until when quotas are used up.
    pub fn note_quotas(&mut self, used_up_until: impl Fn(&str) -> Option<String>) {
        for step in &mut self.steps {
            step.used_up_until = step.quota.as_deref().and_then(&used_up_until);
        }
        self.timetable = self.times();
    }

    /// Notes what a running router knows of each vendor beyond the files.
    pub fn note_vendors(&mut self, known: impl Fn(&str) -> Option<VendorNow>) {
        for step in &mut self.steps {
            if let Some(now) = known(&step.vendor) {
                step.off = step.off.take().or(now.off);
                step.last = now.last;
                step.health = now.health;
            }
        }
        self.timetable = self.times();
    }

    /// What happens when, if vendors stay silent: those that are off are left out, unwell ones come last.
    fn times(&self) -> Vec<Planned> {
        let Some(pace) = self.pace else {
            return Vec::new();
        };
        let in_turn = self.steps.iter();
        let mut in_turn: Vec<&StepExplained> = in_turn.filter(|step| step.is_asked()).collect();
        let unwell = |step: &StepExplained| {
            let health = step.health.as_deref();
            health.is_some_and(|health| health.starts_with("unwell"))
        };
        in_turn.sort_by_key(|step| unwell(step));
        let vendors: Vec<&str> = in_turn.iter().map(|step| &*step.vendor).collect();
        timetable(&vendors, pace, self.answer_ms)
    }
}

impl StepExplained {
    /// Whether it is asked in its turn, as far as is known.
    fn is_asked(&self) -> bool {
        self.waits.is_none() && self.off.is_none() && self.used_up_until.is_none()
    }
}

fn step_explained(
    message: &Message,
    step: &Step,
    weight: Option<u32>,
    off: Option<&str>,
) -> StepExplained {
    StepExplained {
        vendor: step.vendor.to_string(),
        weight,
        sender: step.from.as_ref().map(|f| f.to_string()),
        channel: step.channel,
        text: text(message, step),
        foreign: step.foreign.as_ref().map(|l| l.to_string()),
        yields: false,
        quota: step.quota.as_ref().map(|q| q.to_string()),
        used_up_until: None,
        waits: step.waits.as_ref().map(waits_for),
        cost: step.cost,
        first: None,
        off: off.map(str::to_owned),
        last: None,
        health: None,
    }
}

/// What a step waits for, in words.
fn waits_for(waits: &Waits) -> String {
    let mut reasons: Vec<&str> = waits.on.iter().map(|r| r.as_str()).collect();
    if waits.on_silence {
        reasons.push("silence");
    }
    format!("{} s, on {}", waits.after_ms / 1000, reasons.join(", "))
}

/// The message that the hook would make of the same.
fn message(catalog: &Catalog, question: &Question, channel: Channel, now: Moment) -> Message {
    let orgs = &catalog.config.orgs;
    let org = match &question.org {
        Some(name) => orgs.iter().find(|o| *o.name == **name),
        // Without a name it is clear only where there is one.
        None => orgs.first().filter(|_| orgs.len() == 1),
    };
    let text = match (&question.text, channel) {
        (Some(text), _) => Some(text.clone()),
        (None, Channel::Sms) => Some(SHOWN_TEXT.to_owned()),
        (None, Channel::Voice) => None,
    };
    let name = question.org.as_deref().or(org.map(|o| &*o.name));
    let locale = question.locale.as_deref().unwrap_or_default();
    let request_type = question.request_type.as_deref().unwrap_or_default();
    let request_type = request_type.rsplit('.').next().unwrap_or_default();
    Message {
        id: DeliveryId::from_bytes([0; 16]),
        org: name.unwrap_or(NO_ORG).into(),
        event: None,
        to: PhoneNumber::parse(&question.to, org.and_then(|o| o.default_country)),
        channel,
        code: Some(Secret::new(SHOWN_CODE)),
        text: text.map(Secret::new),
        locale: locale.to_lowercase().replace('_', "-"),
        request_type: request_type.to_lowercase(),
        user: question.user.clone(),
        login: question.login.clone(),
        ip: None,
        preview: false,
        resend: false,
        received_at: now,
        life_ms: SHOWN_LIFE_MS,
    }
}

fn refusal(problem: NumberProblem) -> &'static str {
    match problem {
        NumberProblem::NotANumber => "this is not a number",
        NumberProblem::ImpossibleLength => "no number has this length",
        NumberProblem::NoCountry => "no country has this calling code",
        NumberProblem::NoDefaultCountry => "it has no `+`, and the org has no default country",
    }
}

fn timetable(vendors: &[&str], pace: Pace, answer_ms: i64) -> Vec<Planned> {
    let width = pace.width.max(1) as usize;
    let starts = vendors.iter().take(pace.max_sends as usize).enumerate();
    let mut planned: Vec<Planned> = starts
        .map(|(index, vendor)| Planned {
            at_ms: pace.patience_ms * i64::try_from((index + 1).saturating_sub(width)).unwrap_or(0),
            what: match index {
                0 => format!("ask {vendor}"),
                _ if index < width => format!("ask {vendor} too"),
                _ => format!("ask {vendor} too, if nobody has answered; at once after a refusal"),
            },
        })
        .collect();
    planned.push(Planned {
        at_ms: answer_ms,
        what: "answer Okta at the latest; what is open goes on".to_owned(),
    });
    planned.push(Planned {
        at_ms: pace.give_up_after_ms.min(SHOWN_LIFE_MS - LEAST_LIFE_MS),
        what: "no new attempt from here on".to_owned(),
    });
    planned.sort_by_key(|p| p.at_ms);
    planned
}
