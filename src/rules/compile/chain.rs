//! Makes chains as meant: vendors with accounts, senders that exist, a pace.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::flow::{Channel, Learning, Pace};
use crate::number::Country;
use crate::problem::Problems;
use crate::rules::compile::{Accounts, Chains, Compiler, Found, Named};
use crate::rules::condition::Condition;
use crate::rules::file::{self, Name, Patience, Strategy};
use crate::rules::plan::{Account, Chain, Entry, Position, Wanted};
use crate::rules::{Act, Rules};
use crate::time::Moment;

const PATIENCE_MS: i64 = 600;
const RACE_WIDTH: i64 = 2;
const SENDS_MAX: i64 = 3;
const GIVE_UP_AFTER_MS: i64 = 120_000;
const SILENCE_AFTER_MS: i64 = 20_000;

impl Compiler<'_> {
    pub(super) fn chains(
        &self,
        written: &[file::Chain],
        accounts: &Accounts,
        senders: &Named,
    ) -> Chains {
        let chains = written.iter().map(|chain| {
            let compiled = self.chain(chain, accounts, senders);
            (chain.name.text.clone(), Arc::new(compiled))
        });
        chains.collect()
    }

    fn chain(&self, written: &file::Chain, accounts: &Accounts, senders: &Named) -> Chain {
        let mut seen: BTreeSet<(&str, Option<Channel>)> = BTreeSet::new();
        let mut any_unknown = false;
        let mut positions = Vec::new();
        for position in &written.positions {
            let mut entries = Vec::new();
            for entry in position {
                if !seen.insert((&entry.vendor.text, entry.channel)) {
                    let message = format!("vendor `{}` is in this chain twice", entry.vendor.text);
                    let hint = "once for each channel: a second entry names its `channel`";
                    let place = &entry.vendor.place;
                    place.error(self.problems, message, Some(hint.to_owned()));
                }
                match self.vendor(&entry.vendor) {
                    Found::Account(vendor) => {
                        let account = accounts.get(&vendor).cloned();
                        entries.extend(account.map(|a| self.entry(entry, a, senders)));
                    }
                    Found::NoAccount => {}
                    Found::Unknown => any_unknown = true,
                }
            }
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.weight));
            positions.push(Position { entries });
        }
        if !any_unknown && written.is_whole && positions.iter().all(|p| p.entries.is_empty()) {
            let message = format!("chain `{}` has no vendor left", written.name.text);
            let hint = match written.positions.is_empty() {
                true => "name one in `vendors`",
                false => "it needs one that has an account in the configuration",
            };
            let place = &written.name.place;
            place.error(self.problems, message, Some(hint.to_owned()));
        }
        let plain = || {
            let entries = positions.iter().flat_map(|p: &Position| &p.entries);
            entries.filter(|entry| entry.waits.is_none())
        };
        if positions.iter().any(|p| !p.entries.is_empty()) && plain().next().is_none() {
            let message = format!(
                "every vendor of chain `{}` waits for a reason",
                written.name.text
            );
            let hint = "the first one must not have `after` or `on`: nothing would ever be sent";
            let hint = Some(hint.to_owned());
            written.name.place.error(self.problems, message, hint);
        }
        let all = || positions.iter().flat_map(|p: &Position| &p.entries);
        if all().next().is_some() && !all().any(Entry::has_sender) {
            let message = format!(
                "chain `{}` sends nothing: no vendor has a sender",
                written.name.text
            );
            let hint = "`from` in the vendor's account, or a `[[sender]]`".to_owned();
            written
                .name
                .place
                .warning(self.problems, message, Some(hint));
        }
        Chain {
            name: (*written.name.text).into(),
            positions,
            by_recipient: written.by_recipient,
            pace: pace(written),
            silence_after_ms: written.silence_after_ms.unwrap_or(SILENCE_AFTER_MS),
            learning: Learning {
                order: written.adaptive,
                patience: written.patience == Some(Patience::Learned)
                    || written.strategy == Some(Strategy::Hedge),
            },
        }
    }

    fn entry(&self, written: &file::Entry, vendor: Arc<Account>, senders: &Named) -> Entry {
        let mut sender = None;
        if let Some(name) = &written.sender {
            match senders.get(&*name.text) {
                Some(found) => sender = found.clone(),
                None => self.unknown("sender", name, senders.keys().map(|k| &**k)),
            }
            let owner = sender.as_ref().and_then(|s| s.vendor.as_ref());
            if let Some(owner) = owner.filter(|owner| **owner != vendor.name) {
                let message = format!("sender `{}` is `{owner}`'s", name.text);
                let hint = self.sender_of(&vendor, senders);
                name.place.error(self.problems, message, Some(hint));
            }
        }
        Entry {
            vendor,
            weight: written.weight.and_then(|w| u32::try_from(w).ok()),
            cost: written.cost,
            sender,
            channel: written.channel,
            waits: written.waits.clone(),
        }
    }
}

impl Compiler<'_> {
    /// The hint which senders a vendor has.
    fn sender_of(&self, vendor: &Account, senders: &Named) -> String {
        let own = senders.iter().filter(|(_, sender)| {
            let owner = sender.as_ref().and_then(|s| s.vendor.as_ref());
            owner.is_some_and(|owner| *owner == vendor.name)
        });
        let own: Vec<String> = own.map(|(name, _)| format!("`{name}`")).collect();
        match own.is_empty() {
            true => format!("a `[[sender]]` with `vendor = \"{}\"`", vendor.name),
            false => format!("`{}` has {}", vendor.name, own.join(", ")),
        }
    }
}

/// The hint where a chain's vendors process data.
fn regions(chain: &Chain) -> String {
    let entries = chain.positions.iter().flat_map(|p| &p.entries);
    let told: BTreeSet<String> = entries
        .map(|entry| match &entry.vendor.data_region {
            Some(region) => format!("`{}` has `{region}`", entry.vendor.name),
            None => format!("`{}` has none", entry.vendor.name),
        })
        .collect();
    Vec::from_iter(told).join(", ")
}

impl Rules {
    /// Tells rules whose chain has vendors, but none for what the rule lets through.
    pub(in crate::rules) fn tell_out_of_reach(
        &self,
        written: &[file::Rule],
        problems: &RefCell<Problems>,
    ) {
        for (index, (rule, written)) in self.rules.iter().zip(written).enumerate() {
            if let (Act::Send(send), Some(name)) = (&rule.act, &written.chain) {
                let reached = self.tell_channels(index, &send.chain, name, problems);
                let Some(region) = &written.data_region else {
                    continue;
                };
                let has_region =
                    |channel: &Channel| has_vendor(&send.chain, *channel, Some(&region.text));
                if !reached.is_empty() && !reached.iter().any(has_region) {
                    let message = format!(
                        "chain `{}` has no vendor with `data_region = \"{}\"`",
                        name.text, region.text
                    );
                    region
                        .place
                        .error(problems, message, Some(regions(&send.chain)));
                }
            }
        }
    }

    /// The channels that a rule's chain has vendors for; the others are told.
    fn tell_channels(
        &self,
        index: usize,
        chain: &Chain,
        name: &Name,
        problems: &RefCell<Problems>,
    ) -> Vec<Channel> {
        let conditions = &self.rules[index].conditions;
        let told = conditions.iter().find_map(Condition::channels);
        let channels = told.unwrap_or(&Channel::ALL);
        let (reached, missed): (Vec<Channel>, Vec<Channel>) = channels
            .iter()
            .partition(|channel| has_vendor(chain, **channel, None));
        for channel in missed {
            let message = format!("chain `{}` has no vendor for {channel}", name.text);
            let such = [conditions, &[Condition::Channel(vec![channel])][..]].concat();
            if told.is_some() {
                // A warning: the shipped rules must serve who has no credentials for calls.
                let hint = format!(
                    "messages by {channel} are refused; an account that can do it is needed"
                );
                name.place.warning(problems, message, Some(hint));
            } else if !self.is_covered(index, &such) {
                let hint = format!("this rule also matches {channel}: add `channel` to `when`");
                name.place.warning(problems, message, Some(hint));
            }
        }
        reached
    }
}

fn has_vendor(chain: &Chain, channel: Channel, data_region: Option<&str>) -> bool {
    chain.has_vendor(&Wanted {
        data_region,
        ..vendors_alone(channel)
    })
}

/// A question about vendors, whatever the message.
pub(in crate::rules) fn vendors_alone<'a>(channel: Channel) -> Wanted<'a> {
    Wanted {
        country: Country::NONE,
        channel,
        org: "",
        data_region: None,
        parts_max: None,
        transliterate: false,
        now: Moment(0),
        any_time: true,
        recipient: "",
        seed: None,
        said: None,
    }
}

fn pace(written: &file::Chain) -> Pace {
    let number = |written: Option<i64>, default: i64| {
        u32::try_from(written.unwrap_or(default)).unwrap_or(u32::MAX)
    };
    Pace {
        // What is learned begins with this.
        patience_ms: match written.patience {
            Some(Patience::Ms(ms)) => ms,
            Some(Patience::Learned) | None => PATIENCE_MS,
        },
        width: if written.strategy == Some(Strategy::Race) {
            number(written.race_width, RACE_WIDTH)
        } else {
            1
        },
        max_sends: number(written.max_sends, SENDS_MAX),
        give_up_after_ms: written.give_up_after_ms.unwrap_or(GIVE_UP_AFTER_MS),
        stops_on_failed_receipt: written.stops_on_failed_receipt,
        moves_on_silence: written.moves_on_silence,
    }
}
