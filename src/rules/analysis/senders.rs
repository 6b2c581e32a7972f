//! Finds senders that a country's networks block, replace or want to know more about.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::flow::Channel;
use crate::number::{Country, NumberType, PhoneNumber};
use crate::problem::{Problems, Source};
use crate::rules::analysis::reach::label;
use crate::rules::analysis::{Analysis, shown};
use crate::rules::countries::{Names, Regime, Support, is_nanp, regime};
use crate::rules::sender::{Kind, Sender};

/// Countries with the United States' rules for numbers.
const WITH_10DLC: [&str; 2] = ["PR", "US"];

/// A sender that somebody wrote, and where its text messages go.
struct Used<'a> {
    sender: &'a Sender,
    name: String,
    place: (Source, Range<usize>),
    countries: BTreeSet<Country>,
}

impl Analysis<'_> {
    pub(super) fn senders_by_country(&self) {
        for used in self.used_senders() {
            match used.sender.kind {
                Kind::Alpha => {
                    used.unregistered(self);
                    used.replaced_name(self.problems);
                }
                Kind::LongCode => {
                    used.plain_number(self.problems);
                    used.replaced_number(self.problems);
                }
                Kind::ShortCode | Kind::TollFree | Kind::TenDlc | Kind::Pool => {}
            }
        }
    }

    /// Written senders that text messages to countries named by rules come from.
    fn used_senders(&self) -> Vec<Used<'_>> {
        let mut all: BTreeMap<(String, usize), Used<'_>> = BTreeMap::new();
        for (country, _, met, _) in self.named_texts() {
            let texts = met.senders.iter();
            let texts = texts.filter(|(_, channel, _)| *channel == Channel::Sms);
            for (vendor, _, sender) in texts {
                let Some((name, place)) = self.written_as(vendor, sender) else {
                    continue;
                };
                let key = (place.0.name.to_string(), place.1.start);
                let used = all.entry(key).or_insert_with(|| Used {
                    sender,
                    name,
                    place,
                    countries: BTreeSet::new(),
                });
                used.countries.insert(country);
            }
        }
        all.into_values().collect()
    }

    /// What a sender is called, and where it stands; `None` where nobody wrote it.
    fn written_as(
        &self,
        vendor: &str,
        sender: &Sender,
    ) -> Option<(String, (Source, Range<usize>))> {
        let Some((source, start)) = &sender.place else {
            let own = self.own.iter().find(|own| *own.vendor == *vendor)?;
            let from = sender.from.first()?;
            return Some((format!("`{from}` of account `{vendor}`"), own.place.clone()));
        };
        let mut written = self.written.senders.iter();
        let written =
            written.find(|w| w.place.span.start == *start && w.place.source.name == source.name)?;
        let place = written
            .from
            .first()
            .map_or(&written.place, |from| &from.place);
        let place = (place.source.clone(), place.span.clone());
        Some((format!("`{}`", label(written)), place))
    }
}

impl Used<'_> {
    fn those(&self, such: impl Fn(&Regime) -> bool) -> BTreeSet<Country> {
        let countries = self.countries.iter().copied();
        countries
            .filter(|c| regime(*c).is_some_and(&such))
            .collect()
    }

    fn tell(&self, problems: &RefCell<Problems>, message: String, hint: &str) {
        let (source, span) = &self.place;
        let hint = Some(hint.to_owned());
        let mut problems = problems.borrow_mut();
        problems.warning(source, span.clone(), message, hint);
    }

    /// A name that is not registered where names must be.
    fn unregistered(&self, analysis: &Analysis<'_>) {
        if self.sender.registered {
            return;
        }
        let must = self.those(|regime| regime.names == Names::Registered);
        let dated = |wanted: bool| {
            let regimes = must.iter().filter_map(|country| regime(*country));
            let regimes = regimes.filter(|r| r.blocks(analysis.now) == Some(wanted));
            let dates: Vec<String> = regimes
                .map(|r| format!("{} ({})", r.country, r.blocks_from.unwrap_or_default()))
                .collect();
            (!dates.is_empty()).then(|| dates.join(", "))
        };
        let hint = "register it there, then say `registered = true`; a `[[registration]]` keeps what is not registered out";
        if let Some(dates) = dated(true) {
            let message = format!(
                "name {} is not registered, and such names are blocked in {dates}",
                self.name
            );
            self.tell(analysis.problems, message, hint);
        }
        if let Some(dates) = dated(false) {
            let message = format!(
                "name {} is not registered, and such names will be blocked in {dates}",
                self.name
            );
            self.tell(analysis.problems, message, hint);
        }
        let dateless = must.iter().copied();
        let dateless: BTreeSet<Country> = dateless
            .filter(|c| regime(*c).is_some_and(|r| r.blocks_from.is_none()))
            .collect();
        if !dateless.is_empty() {
            let message = format!(
                "name {} is not registered, as names must be in {}",
                self.name,
                shown(&dateless)
            );
            self.tell(analysis.problems, message, hint);
        }
    }

    fn replaced_name(&self, problems: &RefCell<Problems>) {
        let replaced = self.those(|regime| regime.names == Names::Overwritten);
        if !replaced.is_empty() {
            let message = format!(
                "name {} is replaced by a number, or refused, in {}",
                self.name,
                shown(&replaced)
            );
            self.tell(
                problems,
                message,
                "a number of one's own, or none, for these countries",
            );
        }
    }

    /// A number in the United States that says nothing of its registration.
    fn plain_number(&self, problems: &RefCell<Problems>) {
        let countries: BTreeSet<Country> = self.countries.iter().copied().collect();
        let there = countries
            .iter()
            .filter(|c| WITH_10DLC.contains(&c.as_str()));
        let there: BTreeSet<Country> = there.copied().collect();
        let own = self.sender.from.first();
        let number = own.and_then(|from| PhoneNumber::parse(from, None).ok());
        let is_nanp = number
            .as_ref()
            .is_none_or(|number| is_nanp(number.country()));
        if there.is_empty() || !is_nanp {
            return;
        }
        let message = format!(
            "{} is a plain number in {}, where operators block numbers that are not registered",
            self.name,
            shown(&there)
        );
        let is_toll_free = number.is_some_and(|n| n.number_type() == NumberType::TollFree);
        let kind = if is_toll_free {
            "`kind = \"toll_free\"`"
        } else {
            "`kind = \"10dlc\"` or `\"toll_free\"`"
        };
        let hint = format!("say in a `[[sender]]` what it is: {kind}");
        self.tell(problems, message, &hint);
    }

    fn replaced_number(&self, problems: &RefCell<Problems>) {
        let replaced = self.those(|r| matches!(r.long_code, Support::No | Support::Overwritten));
        if !replaced.is_empty() {
            let mut notes = replaced.iter().filter_map(|c| regime(*c));
            let note = notes.find(|regime| !regime.note.is_empty());
            let note = note.map(|r| format!("; {}: {}", r.country, r.note));
            let message = format!(
                "number {} is replaced or refused in {}",
                self.name,
                shown(&replaced)
            );
            let hint = "a `[[sender]]` of another kind for these countries".to_owned();
            self.tell(problems, message, &(hint + &note.unwrap_or_default()));
        }
    }
}
