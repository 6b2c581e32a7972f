//! Turns the chain that a rule names into the steps for one message.

use std::sync::Arc;

use ring::digest;

use crate::flow::{Channel, Due, Learning, Pace, Step, VendorName, Waits};
use crate::number::Country;
use crate::rules::countries::receipts_prove_nothing;

/// A chain as meant: every vendor in it has an account.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) name: Arc<str>,
    pub(super) positions: Vec<Position>,
    /// A weighted choice is a function of the recipient, not of the delivery.
    pub(super) by_recipient: bool,
    pub(super) pace: Pace,
    /// A receipt is missed after this long, in milliseconds, unless it is learned that they come sooner.
    pub(super) silence_after_ms: i64,
    pub(super) learning: Learning,
}

/// One place in the order of preference; the entries heaviest first, then as written.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) vendor: Arc<Account>,
    /// Absent where there is nothing to choose from.
    pub(super) weight: Option<u32>,
    pub(super) cost: Option<f64>,
    /// The sender it names.
    pub(super) sender: Option<Arc<Sender>>,
    /// The one channel it is for; where it waits, the one it uses for messages of the other.
    pub(super) channel: Option<Channel>,
    pub(super) waits: Option<Waits>,
}

/// A vendor account, as far as rules are concerned.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: VendorName,
    pub(super) from: Option<Arc<str>>,
    pub(super) data_region: Option<Arc<str>>,
    pub(super) channels: Vec<Channel>,
}

/// A sender as meant; absent conditions always hold.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) vendor: Option<VendorName>,
    pub(super) countries: Option<Vec<Country>>,
    pub(super) from: Arc<str>,
    pub(super) can_call: bool,
    /// The counter that its messages use up.
    pub(super) quota: Option<Arc<str>>,
}

/// What the steps are wanted for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) country: Country,
    pub(super) channel: Channel,
    pub(super) data_region: Option<&'a str>,
    /// What weighted choices are a function of; without it, the heaviest is chosen.
    pub(super) seed: Option<&'a [u8]>,
}

impl Chain {
    /// The steps in the order in which they are tried, each with its weight.
    pub(super) fn steps(
        &self,
        senders: &[Arc<Sender>],
        wanted: Wanted<'_>,
    ) -> Vec<(Step, Option<u32>)> {
        let positions: Vec<Vec<&Entry>> = self
            .positions
            .iter()
            .enumerate()
            .map(|(index, position)| self.arrange(index, position, wanted))
            .filter(|entries| !entries.is_empty())
            .collect();
        // A race starts with positions: those behind the chosen ones come after all starters.
        let heads = match self.pace.width {
            1 => 0,
            width => positions.len().min(width as usize),
        };
        let starters = positions.iter().take(heads).map(|entries| entries[0]);
        let others = positions
            .iter()
            .enumerate()
            .flat_map(|(index, entries)| entries.iter().skip(usize::from(index < heads)).copied());
        starters
            .chain(others)
            .map(|entry| {
                let step = entry.step(senders, wanted, self.silence_after_ms);
                (step, entry.weight)
            })
            .collect()
    }

    /// The vendors that are of no use for a message, and why.
    pub(super) fn left_out(
        &self,
        channel: Channel,
        data_region: Option<&str>,
    ) -> Vec<(VendorName, &'static str)> {
        let entries = self.positions.iter().flat_map(|p| &p.entries);
        entries
            .filter_map(|entry| {
                let why = entry.is_of_no_use(channel, data_region)?;
                Some((entry.vendor.name.clone(), why))
            })
            .collect()
    }

    /// The position's entries that are of use, the chosen one first.
    fn arrange<'a>(
        &self,
        index: usize,
        position: &'a Position,
        wanted: Wanted<'_>,
    ) -> Vec<&'a Entry> {
        let mut entries: Vec<&Entry> = position
            .entries
            .iter()
            .filter(|entry| entry.is_of_use(wanted))
            .collect();
        if let (Some(seed), 2..) = (wanted.seed, entries.len()) {
            let chosen = self.choose(index, &entries, seed);
            let chosen = entries.remove(chosen);
            entries.insert(0, chosen);
        }
        entries
    }

    /// Picks an index with a probability in proportion to its weight.
    fn choose(&self, index: usize, entries: &[&Entry], seed: &[u8]) -> usize {
        let weight = |entry: &Entry| u64::from(entry.weight.unwrap_or(1));
        let total: u64 = entries.iter().map(|e| weight(e)).sum();
        let mut left = self.draw(index, seed) % total.max(1);
        for (at, entry) in entries.iter().enumerate() {
            if left < weight(entry) {
                return at;
            }
            left -= weight(entry);
        }
        0
    }

    /// An even draw: the seed itself is not (a delivery id begins with the time), and two positions
    /// of one chain must not choose alike.
    fn draw(&self, index: usize, seed: &[u8]) -> u64 {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(seed);
        context.update(&(index as u64).to_be_bytes());
        context.update(self.name.as_bytes());
        let hash = context.finish();
        let head = hash.as_ref().iter().take(8);
        head.fold(0, |all, &byte| (all << 8) | u64::from(byte))
    }
}

impl Entry {
    fn is_of_use(&self, wanted: Wanted<'_>) -> bool {
        self.is_of_no_use(wanted.channel, wanted.data_region)
            .is_none()
    }

    fn is_of_no_use(&self, channel: Channel, data_region: Option<&str>) -> Option<&'static str> {
        let is_own = self.channel.is_none_or(|c| c == channel);
        if is_own && self.waits.is_some() && self.channel.is_some() {
            return Some("it waits for messages on the other channel");
        }
        if !is_own && self.waits.is_none() {
            return Some("the chain names it for the other channel");
        }
        if !self
            .vendor
            .channels
            .contains(&self.channel.unwrap_or(channel))
        {
            return Some("its account cannot do this channel");
        }
        let elsewhere = data_region.is_some_and(|r| self.vendor.data_region.as_deref() != Some(r));
        elsewhere.then_some("its data is in another region")
    }

    fn step(&self, senders: &[Arc<Sender>], wanted: Wanted<'_>, silence_after_ms: i64) -> Step {
        let channel = self.channel.unwrap_or(wanted.channel);
        let wanted = Wanted { channel, ..wanted };
        let proves = channel == Channel::Voice || !receipts_prove_nothing(wanted.country);
        let named = self.sender.as_ref().filter(|s| s.carries(wanted.channel));
        let fitting = senders
            .iter()
            .filter(|sender| sender.fits(&self.vendor.name, wanted))
            .reduce(|best, next| {
                if next.rank() > best.rank() {
                    next
                } else {
                    best
                }
            });
        let sender = named.or(fitting);
        let from = sender.map(|sender| &sender.from);
        Step {
            vendor: self.vendor.name.clone(),
            channel,
            from: from.or(self.vendor.from.as_ref()).cloned(),
            wording: None,
            quota: sender.and_then(|sender| sender.quota.clone()),
            cost: self.cost,
            patience_ms: None,
            receipts: Some(Due {
                after_ms: proves.then_some(silence_after_ms),
            }),
            waits: self.waits.clone(),
        }
    }
}

impl Sender {
    fn fits(&self, vendor: &str, wanted: Wanted<'_>) -> bool {
        let countries = self.countries.as_ref();
        self.carries(wanted.channel)
            && self.vendor.as_deref().is_none_or(|v| v == vendor)
            && countries.is_none_or(|c| c.contains(&wanted.country))
    }

    /// A name or a short code cannot place a call.
    fn carries(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => true,
            Channel::Voice => self.can_call,
        }
    }

    /// Most conditions first, then the vendor's own; among equals the one written first is kept.
    fn rank(&self) -> (u32, bool) {
        let vendor = self.vendor.is_some();
        (
            u32::from(vendor) + u32::from(self.countries.is_some()),
            vendor,
        )
    }
}
