//! Makes chains as meant: vendors with accounts, senders that exist, a pace.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::flow::{Channel, Learning, Pace};
use crate::number::Country;
use crate::rules::Rule;
use crate::rules::compile::{Chains, Compiler, Found, Named};
use crate::rules::condition::Condition;
use crate::rules::file::{self, Patience, Strategy};
use crate::rules::plan::{Account, Chain, Entry, Position, Wanted};

const PATIENCE_MS: i64 = 600;
const RACE_WIDTH: i64 = 2;
const SENDS_MAX: i64 = 3;
const GIVE_UP_AFTER_MS: i64 = 120_000;
const SILENCE_AFTER_MS: i64 = 20_000;

impl Compiler<'_> {
    pub(super) fn chains(&self, written: &[file::Chain], senders: &Named) -> Chains {
        let chains = written.iter().map(|chain| {
            let compiled = self.chain(chain, senders);
            (chain.name.text.clone(), Arc::new(compiled))
        });
        chains.collect()
    }

    fn chain(&self, written: &file::Chain, senders: &Named) -> Chain {
        let mut seen: BTreeSet<(&str, Option<Channel>)> = BTreeSet::new();
        let mut any_unknown = false;
        let mut positions = Vec::new();
        for position in &written.positions {
            let mut entries = Vec::new();
            for entry in position {
                if !seen.insert((&entry.vendor.text, entry.channel)) {
                    let message = format!("vendor `{}` is in this chain twice", entry.vendor.text);
                    entry.vendor.place.error(self.problems, message, None);
                }
                match self.vendor(&entry.vendor) {
                    Found::Account(account) => {
                        entries.push(self.entry(entry, account, senders));
                    }
                    Found::NoAccount => {}
                    Found::Unknown => any_unknown = true,
                }
            }
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.weight));
            positions.push(Position { entries });
        }
        if !any_unknown && positions.iter().all(|p| p.entries.is_empty()) {
            let message = format!("chain `{}` has no vendor left", written.name.text);
            written.name.place.error(self.problems, message, None);
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
                name.place.error(self.problems, message, None);
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

    /// Tells a rule whose chain has vendors, but none for what the rule lets through.
    pub(super) fn reach(
        &self,
        rule: &file::Rule,
        chain: &Chain,
        conditions: &[Condition],
        earlier: &[Rule],
    ) {
        let Some(name) = &rule.chain else { return };
        if chain.positions.iter().all(|p| p.entries.is_empty()) {
            return; // told at the chain
        }
        let told = conditions.iter().find_map(Condition::channels);
        let channels = told.unwrap_or(&Channel::ALL);
        let (reached, missed): (Vec<Channel>, Vec<Channel>) = channels
            .iter()
            .partition(|channel| has_vendor(chain, **channel, None));
        for channel in missed {
            let message = format!("chain `{}` has no vendor for {channel}", name.text);
            let such = [conditions, &[Condition::Channel(vec![channel])]].concat();
            if told.is_some() {
                // A warning: the shipped rules must serve who has no credentials for calls.
                let hint = format!(
                    "messages by {channel} are refused; an account that can do it is needed"
                );
                name.place.warning(self.problems, message, Some(hint));
            } else if !earlier.iter().any(|earlier| earlier.covers(&such)) {
                let hint = format!("this rule also matches {channel}: add `channel` to `when`");
                name.place.warning(self.problems, message, Some(hint));
            }
        }
        let Some(region) = &rule.data_region else {
            return;
        };
        let has_region = |channel: &Channel| has_vendor(chain, *channel, Some(&region.text));
        if !reached.is_empty() && !reached.iter().any(has_region) {
            let message = format!(
                "chain `{}` has no vendor with `data_region = \"{}\"`",
                name.text, region.text
            );
            region.place.error(self.problems, message, None);
        }
    }
}

fn has_vendor(chain: &Chain, channel: Channel, data_region: Option<&str>) -> bool {
    let wanted = Wanted {
        country: Country::NONE,
        channel,
        data_region,
        seed: None,
    };
    let steps = chain.steps(&[], wanted);
    steps.iter().any(|(step, _)| step.waits.is_none())
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
