//! Holds the `[[expect]]` examples against the rules they stand beside.

use std::cell::RefCell;

use crate::flow::{Channel, DeliveryId, Message, Plan, Secret};
use crate::number::{NumberProblem, PhoneNumber};
use crate::problem::{Problems, did_you_mean};
use crate::rules::file::{Expect, Expected, Name, Place};
use crate::rules::{Decision, Explanation, Fleet, Rules, Unused, facts};
use crate::text::{Given, SHOWN_CODE, SHOWN_TEXT, measure, render};
use crate::time::Moment;

/// What is told of an example that time has broken, before the day.
const OUTDATED: &str = "it held before";
/// Past dates that are looked at for the one that broke an example, latest first.
const MOMENTS_MAX: usize = 100;

/// Tells every example that does not hold, and what came out instead.
pub(super) fn check_all(
    rules: &Rules,
    expects: &[Expect],
    fleet: &Fleet,
    now: Moment,
    problems: &RefCell<Problems>,
) {
    for expect in expects {
        let broken = RefCell::<Problems>::default();
        check(rules, expect, fleet, expect.at.unwrap_or(now), &broken);
        let broken = broken.into_inner();
        let until = match (broken.has_errors(), expect.at) {
            (true, None) => held_until(rules, expect, fleet, now),
            (false, _) | (true, Some(_)) => None,
        };
        match until {
            // The passing of time must not keep a router from starting, nor a switch from being thrown.
            Some(until) => broken.told_as_warnings(problems, &format!("{OUTDATED} {until}")),
            None => problems.borrow_mut().extend(broken),
        }
    }
}

/// The day on which a date that has passed broke an example; `None` where none did.
fn held_until(rules: &Rules, expect: &Expect, fleet: &Fleet, now: Moment) -> Option<String> {
    let mut passed = rules.moments();
    passed.retain(|moment| *moment <= now);
    let latest = passed.iter().rev().take(MOMENTS_MAX);
    let broke = latest.copied().find(|moment| {
        let broken = RefCell::<Problems>::default();
        check(rules, expect, fleet, moment.plus_ms(-1), &broken);
        !broken.borrow().has_errors()
    })?;
    let day = broke.to_rfc3339();
    day.split('T').next().map(str::to_owned)
}

/// Tells what of one example does not hold at a moment.
///
/// Vendors that are left out, since they have no account that carries the channel yet, are expected by nobody.
pub(super) fn check(
    rules: &Rules,
    expect: &Expect,
    fleet: &Fleet,
    at: Moment,
    problems: &RefCell<Problems>,
) {
    let message = message(expect, at);
    Check {
        rules,
        expect,
        fleet,
        problems,
        explanation: rules.canonical(&message).explanation,
        message,
    }
    .run();
}

fn message(expect: &Expect, now: Moment) -> Message {
    let request_type = expect.request_type.rsplit('.').next();
    let okta_text = (expect.channel == Channel::Sms).then_some(SHOWN_TEXT);
    Message {
        id: DeliveryId::from_bytes([0; 16]),
        org: (*expect.org).into(),
        event: None,
        to: PhoneNumber::parse(&expect.to.text, None),
        channel: expect.channel,
        code: Some(Secret::new(SHOWN_CODE)),
        text: okta_text.map(Secret::new),
        locale: expect.locale.to_lowercase().replace('_', "-"),
        request_type: request_type.unwrap_or_default().to_lowercase(),
        user: expect.user.clone(),
        login: expect.login.clone(),
        ip: None,
        preview: expect.preview,
        resend: false,
        received_at: now,
        life_ms: 300_000,
    }
}

struct Check<'a> {
    rules: &'a Rules,
    expect: &'a Expect,
    fleet: &'a Fleet,
    problems: &'a RefCell<Problems>,
    message: Message,
    explanation: Explanation,
}

impl Check<'_> {
    fn run(&self) {
        let expect = self.expect;
        if let Some((expected, place)) = &expect.outcome {
            self.outcome(*expected, place);
        }
        let is_another = expect.rule.as_ref().is_some_and(|rule| !self.rule(rule));
        if is_another {
            return;
        }
        if let Some((vendors, place)) = &expect.vendors {
            self.vendors(vendors, place);
        }
        if let Some(why) = &expect.deny {
            self.deny(why);
        }
        self.said();
        self.number();
    }

    /// A number that cannot be read meets no rule: fine only where a denial is what is expected.
    fn number(&self) {
        let expect = self.expect;
        let wants_rule = expect.rule.is_some() || expect.vendors.is_some() || expect.deny.is_some();
        match &self.message.to {
            Err(problem) if wants_rule => {
                let message = format!("this is no number: {}", in_words(*problem));
                expect.to.place.error(self.problems, message, None);
            }
            Ok(number) if expect.vendors.is_some() => {
                let country = number.country();
                if !self.rules.guard().allows(country) {
                    let message = format!("`allow_countries` of `[guard]` blocks {country}");
                    expect.place.warning(self.problems, message, None);
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// Whether the rule is the one that decides; what another one does is not compared then.
    fn rule(&self, wanted: &Name) -> bool {
        let came = self.rule_that_came();
        if self.message.to.is_err() || came == Some(&*wanted.text) {
            return true;
        }
        let message = match came {
            Some(rule) => format!("expected rule `{}`, got `{rule}`", wanted.text),
            None => format!("expected rule `{}`, and no rule matches", wanted.text),
        };
        let hint = self.why_not(&wanted.text, came.unwrap_or_default());
        wanted.place.error(self.problems, message, Some(hint));
        false
    }

    /// Why a rule is not the one that decides.
    fn why_not(&self, wanted: &str, came: &str) -> String {
        let mut rules = self.rules.rules.iter();
        let Some(rule) = rules.find(|rule| *rule.name == *wanted) else {
            return did_you_mean(wanted, self.rules.rule_names().map(|name| &**name))
                .unwrap_or_else(|| "there is no rule of that name".to_owned());
        };
        let facts = facts(&self.message, &self.rules.region);
        let missed = facts.and_then(|facts| rule.missed(&facts));
        match missed {
            Some(missed) => format!("it does not match: {}", missed.why),
            None => format!("`{came}` stands before it and matches"),
        }
    }

    fn vendors(&self, wanted: &[Name], place: &Place) {
        let wanted: Vec<&str> = wanted.iter().map(|name| &*name.text).collect();
        let there: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|w| !self.is_left_out(w))
            .collect();
        // With none of them left there is nothing to compare.
        let holds = self.vendors_that_came().starts_with(&there);
        if self.message.to.is_err() || holds {
            return;
        }
        let message = format!("expected vendors {}, {}", quoted(&wanted), self.came());
        place.error(self.problems, message, self.why_without(&there));
    }

    /// Why the first of the wanted vendors that is not among those that came is not.
    fn why_without(&self, wanted: &[&str]) -> Option<String> {
        let came = self.vendors_that_came();
        let lacking = wanted.iter().find(|wanted| !came.contains(wanted))?;
        let mut left_out = self.explanation.left_out.iter();
        if let Some((_, why)) = left_out.find(|(vendor, _)| **vendor == **lacking) {
            return Some(format!("`{lacking}` is left out: {why}"));
        }
        did_you_mean(lacking, came).or_else(|| {
            let chain = match &self.explanation.decision {
                Decision::Plan(plan) => &plan.chain,
                Decision::NoChain { chain, .. } | Decision::TooLong { chain, .. } => chain,
                Decision::Denied { .. } | Decision::NoRule => return None,
            };
            Some(format!("chain `{chain}` does not have `{lacking}`"))
        })
    }

    /// Whether a vendor has no account, none that carries the channel, or no sender: told elsewhere.
    fn is_left_out(&self, vendor: &str) -> bool {
        let mut left_out = self.explanation.left_out.iter();
        if left_out.any(|(name, why)| **name == *vendor && *why == Unused::NoSender) {
            return true;
        }
        let account = self.fleet.vendors.iter().find(|v| *v.name == *vendor);
        match account {
            Some(account) => !account.channels.contains(&self.expect.channel),
            None => self.fleet.definitions.iter().any(|d| d == vendor),
        }
    }

    fn deny(&self, wanted: &Name) {
        if let Decision::Denied { why, .. } = &self.explanation.decision
            && **why == *wanted.text
        {
            return;
        }
        if self.message.to.is_ok() {
            let message = format!("expected denial `{}`, {}", wanted.text, self.came());
            wanted.place.error(self.problems, message, None);
        }
    }

    /// Who it comes from and what it says, by the first vendor.
    fn said(&self) {
        let expect = self.expect;
        let Decision::Plan(Plan { steps, .. }) = &self.explanation.decision else {
            let says = [&expect.sender, &expect.template, &expect.text];
            let says = says.into_iter().flatten().map(|name| &name.place);
            let place = says
                .chain(expect.parts.as_ref().map(|(_, place)| place))
                .next();
            if let Some(place) = place.filter(|_| self.message.to.is_ok()) {
                let message = format!("expected a text, {}", self.came());
                place.error(self.problems, message, None);
            }
            return;
        };
        let step = &steps[0];
        let wording = step.wording.as_deref();
        let given = Given {
            channel: self.message.channel,
            code: self.message.code.as_ref(),
            text: self.message.text.as_ref(),
        };
        let text = render(wording, step.channel, &given);
        let template = wording.and_then(|w| w.template.as_deref());
        self.same("sender", expect.sender.as_ref(), step.from.as_deref());
        self.same("template", expect.template.as_ref(), template);
        self.same("text", expect.text.as_ref(), Some(text.expose()));
        let parts = measure(text.expose()).parts;
        if let Some((wanted, place)) = expect.parts.as_ref().filter(|(w, _)| *w != parts) {
            let message = format!("expected {wanted} parts, got {parts}");
            place.error(self.problems, message, None);
        }
    }

    fn same(&self, what: &str, wanted: Option<&Name>, came: Option<&str>) {
        if let Some(wanted) = wanted.filter(|wanted| came != Some(&*wanted.text)) {
            let came = came.map_or("none".to_owned(), |came| format!("`{came}`"));
            let message = format!("expected {what} `{}`, got {came}", wanted.text);
            wanted.place.error(self.problems, message, None);
        }
    }

    fn outcome(&self, wanted: Expected, place: &Place) {
        let to = self.message.to.as_ref();
        let blocked = to.is_ok_and(|number| !self.rules.guard().allows(number.country()));
        let denied = to.is_err() || matches!(self.explanation.decision, Decision::Denied { .. });
        let (word, holds) = match wanted {
            Expected::Blocked => ("blocked", blocked),
            Expected::Denied => ("denied", denied),
        };
        if !holds {
            let message = format!("expected outcome `{word}`, {}", self.came());
            place.error(self.problems, message, None);
        }
    }

    fn rule_that_came(&self) -> Option<&str> {
        match &self.explanation.decision {
            Decision::Plan(Plan { rule, .. })
            | Decision::Denied { rule, .. }
            | Decision::NoChain { rule, .. }
            | Decision::TooLong { rule, .. } => Some(rule),
            Decision::NoRule => None,
        }
    }

    fn vendors_that_came(&self) -> Vec<&str> {
        match &self.explanation.decision {
            Decision::Plan(plan) => plan.steps.iter().map(|step| &*step.vendor).collect(),
            Decision::Denied { .. }
            | Decision::NoChain { .. }
            | Decision::TooLong { .. }
            | Decision::NoRule => Vec::new(),
        }
    }

    /// What came out, in words.
    fn came(&self) -> String {
        match &self.explanation.decision {
            Decision::Plan(plan) => {
                let vendors = self.vendors_that_came();
                format!("got {} by rule `{}`", quoted(&vendors), plan.rule)
            }
            Decision::Denied { rule, why } => format!("and rule `{rule}` denies it: `{why}`"),
            Decision::NoChain { rule, .. } => {
                format!(
                    "and rule `{rule}` has no vendor for {}",
                    self.message.channel
                )
            }
            Decision::TooLong { rule, .. } => {
                format!("and the text takes too many parts for rule `{rule}`")
            }
            Decision::NoRule => "and no rule matches".to_owned(),
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn in_words(problem: NumberProblem) -> &'static str {
    match problem {
        NumberProblem::NotANumber => "it has other things than digits",
        NumberProblem::ImpossibleLength => "no plan has numbers of that length",
        NumberProblem::NoCountry => "no country has that calling code",
        NumberProblem::NoDefaultCountry => "it must begin with `+`",
    }
}
