//! Turns the chain that a rule names into the steps for one message.

use std::fmt;
use std::sync::Arc;

use ring::digest;

use crate::flow::{Channel, Due, Learning, Pace, Step, VendorName, Waits};
use crate::number::Country;
use crate::rules::countries::receipts_prove_nothing;
use crate::rules::languages::{foreign, take_foreign};
use crate::rules::sender::{Misfit, Register, Sender, must_register};
use crate::rules::wording::Wordings;
use crate::text::{Given, Languages, measure, render};
use crate::time::Moment;

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
    pub(super) data_region: Option<Arc<str>>,
    pub(super) channels: Vec<Channel>,
    /// On these it must be told who a message comes from.
    pub(super) needs_sender: Vec<Channel>,
    /// The languages that it reads calls in; absent: every one.
    pub(super) speaks: Option<Languages>,
    /// The counter that its messages use up whose sender names none.
    pub(super) quota: Option<Arc<str>>,
    /// Those that may be its, the most specific first; its own one last.
    pub(super) senders: Vec<Arc<Sender>>,
}

/// What the steps are wanted for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) country: Country,
    pub(super) channel: Channel,
    pub(super) org: &'a str,
    pub(super) data_region: Option<&'a str>,
    /// The most parts that the text may take.
    pub(super) parts_max: Option<usize>,
    pub(super) transliterate: bool,
    pub(super) now: Moment,
    /// Dates do not matter.
    pub(super) any_time: bool,
    /// The digits, which a pool's choice is a function of.
    pub(super) recipient: &'a str,
    /// What weighted choices are a function of; without it, the heaviest is chosen.
    pub(super) seed: Option<&'a [u8]>,
    /// What is said; absent where only vendors are asked about.
    pub(super) said: Option<Said<'a>>,
}

/// What is known of a message's text.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) given: Given<'a>,
    pub(super) locale: &'a str,
    pub(super) request_type: &'a str,
    pub(super) life_ms: i64,
}

/// What chains are used with.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) registers: Vec<Register>,
    pub(super) wordings: Wordings,
}

/// A step that a vendor could take.
pub(super) struct Offer {
    pub(super) step: Step,
    /// Absent where there is nothing to choose from.
    pub(super) weight: Option<u32>,
}

/// The steps of a chain for a message.
pub(super) struct Laid {
    /// In the order in which they are tried.
    pub(super) offers: Vec<Offer>,
    /// The chain's, but that a race starts with nobody who comes last because of a call's language.
    pub(super) pace: Pace,
    /// The vendors that are of no use, and why.
    pub(super) left_out: Vec<(VendorName, Unused)>,
}

/// Why a vendor of a chain is of no use for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unused {
    /// It waits for messages on the other channel.
    Waits,
    /// The chain names it for the other channel.
    OtherChannel,
    /// Its account cannot do the channel.
    NoChannel,
    /// Its data is in another region.
    Region,
    /// Names are no senders there, and it has no other one.
    Name,
    /// None of its senders is registered there.
    Unregistered,
    /// Its sender is not valid at this time.
    Date,
    /// It must be told a sender, and none is for this.
    NoSender,
    /// The text takes too many parts.
    TooLong {
        /// How many it takes.
        parts: usize,
        /// How many it may.
        most: usize,
    },
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unused::Waits => "it waits for messages on the other channel",
            Unused::OtherChannel => "the chain names it for the other channel",
            Unused::NoChannel => "its account cannot do this channel",
            Unused::Region => "its data is in another region",
            Unused::Name => "its sender is a name, and this country takes numbers only",
            Unused::Unregistered => "it has no sender that is registered there",
            Unused::Date => "its sender is not valid at this time",
            Unused::NoSender => "it has no sender for this",
            Unused::TooLong { parts, most } => {
                return write!(f, "the text takes {parts} parts, {most} at most");
            }
        })
    }
}

impl Chain {
    /// Whether any vendor in it, that does not wait for a reason, can do what is wanted.
    pub(super) fn has_vendor(&self, wanted: &Wanted<'_>) -> bool {
        let entries = self.positions.iter().flat_map(|p| &p.entries);
        let mut plain = entries.filter(|entry| entry.waits.is_none());
        plain.any(|entry| entry.channel_for(wanted).is_ok())
    }

    /// The steps for a message.
    pub(super) fn lay(&self, around: &Around, wanted: Wanted<'_>) -> Laid {
        let mut left_out = Vec::new();
        let mut positions: Vec<Vec<Offer>> = Vec::with_capacity(self.positions.len());
        for position in &self.positions {
            let mut offers = Vec::with_capacity(position.entries.len());
            for entry in &position.entries {
                match entry.step(self, around, wanted) {
                    Ok(step) => offers.push(Offer {
                        step,
                        weight: entry.weight,
                    }),
                    Err(unused) => left_out.push((entry.vendor.name.clone(), unused)),
                }
            }
            positions.push(offers);
        }
        let mut last = take_foreign(&mut positions);
        self.put_chosen_first(&mut positions, wanted.seed);
        self.put_chosen_first(&mut last, wanted.seed);
        positions.retain(|offers| !offers.is_empty());
        let mut pace = self.pace;
        if !last.is_empty() {
            let all = positions.iter().flatten();
            let in_turn = all.filter(|offer| offer.step.waits.is_none()).count();
            pace.width = pace.width.min(u32::try_from(in_turn).unwrap_or(u32::MAX));
        }
        // A race starts with positions: those behind the chosen ones come after all starters.
        let heads = match pace.width {
            1 => 0,
            width => positions.len().min(width as usize),
        };
        let starters: Vec<_> = positions
            .iter_mut()
            .take(heads)
            .map(|p| p.remove(0))
            .collect();
        Laid {
            offers: starters
                .into_iter()
                .chain(positions.into_iter().flatten())
                .chain(last.into_iter().flatten())
                .collect(),
            pace,
            left_out,
        }
    }

    /// In each position, the one that the seed chooses comes before the others.
    fn put_chosen_first(&self, positions: &mut [Vec<Offer>], seed: Option<&[u8]>) {
        for (index, offers) in positions.iter_mut().enumerate() {
            if let (Some(seed), 2..) = (seed, offers.len()) {
                let chosen = self.choose(index, offers, seed);
                let chosen = offers.remove(chosen);
                offers.insert(0, chosen);
            }
        }
    }

    /// Picks an index with a probability in proportion to its weight.
    fn choose(&self, index: usize, offers: &[Offer], seed: &[u8]) -> usize {
        let weights = offers
            .iter()
            .map(|offer| u64::from(offer.weight.unwrap_or(1)));
        let total: u64 = weights.clone().sum();
        let mut left = self.draw(index, seed) % total.max(1);
        for (at, weight) in weights.enumerate() {
            if left < weight {
                return at;
            }
            left -= weight;
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
    /// Whether there is any sender that could be its, or none is needed.
    pub(super) fn has_sender(&self) -> bool {
        let vendor = &self.vendor;
        vendor.needs_sender.is_empty() || !vendor.senders.is_empty() || self.sender.is_some()
    }

    /// The channel that it uses for a message.
    pub(super) fn channel_for(&self, wanted: &Wanted<'_>) -> Result<Channel, Unused> {
        let is_own = self.channel.is_none_or(|c| c == wanted.channel);
        if is_own && self.waits.is_some() && self.channel.is_some() {
            return Err(Unused::Waits);
        }
        if !is_own && self.waits.is_none() {
            return Err(Unused::OtherChannel);
        }
        let channel = self.channel.unwrap_or(wanted.channel);
        if !self.vendor.channels.contains(&channel) {
            return Err(Unused::NoChannel);
        }
        let region = self.vendor.data_region.as_deref();
        if wanted.data_region.is_some_and(|r| region != Some(r)) {
            return Err(Unused::Region);
        }
        Ok(channel)
    }

    fn step(&self, chain: &Chain, around: &Around, wanted: Wanted<'_>) -> Result<Step, Unused> {
        let channel = self.channel_for(&wanted)?;
        let wanted = Wanted { channel, ..wanted };
        let sender = self.sender(around, &wanted)?;
        let vendor = &self.vendor;
        let wording = wanted
            .said
            .and_then(|said| around.wordings.of(&vendor.name, &wanted, &said));
        if let (Some(most), Some(said), Channel::Sms) = (wanted.parts_max, wanted.said, channel) {
            let text = render(wording.as_deref(), channel, &said.given);
            let parts = measure(text.expose()).parts;
            if parts > most {
                return Err(Unused::TooLong { parts, most });
            }
        }
        let proves = channel == Channel::Voice || !receipts_prove_nothing(wanted.country);
        let quota = sender.and_then(|s| s.quota.as_ref());
        Ok(Step {
            vendor: vendor.name.clone(),
            channel,
            from: sender.and_then(|s| s.from(wanted.recipient)).cloned(),
            foreign: foreign(vendor.speaks.as_ref(), channel, wording.as_deref()),
            wording,
            quota: quota.or(vendor.quota.as_ref()).cloned(),
            cost: self.cost,
            patience_ms: None,
            receipts: Some(Due {
                after_ms: proves.then_some(chain.silence_after_ms),
            }),
            waits: self.waits.clone(),
        })
    }

    /// Who its messages come from; `None` where the vendor chooses.
    pub(super) fn sender(
        &self,
        around: &Around,
        wanted: &Wanted<'_>,
    ) -> Result<Option<&Sender>, Unused> {
        let mut why = None;
        let named = self.sender.iter().map(|sender| (sender, true));
        let others = self.vendor.senders.iter().map(|sender| (sender, false));
        for (sender, is_named) in named.chain(others) {
            match sender.misfit(is_named, wanted, &around.registers) {
                None => return Ok(Some(sender)),
                Some(Misfit::Other) => {}
                Some(misfit) => why = why.or(Some(misfit)),
            }
        }
        let chooses =
            wanted.channel == Channel::Voice || !must_register(&around.registers, None, wanted);
        let needs = self.vendor.needs_sender.contains(&wanted.channel);
        match why {
            None if chooses && needs => Err(Unused::NoSender),
            None if chooses => Ok(None),
            None | Some(Misfit::Unregistered | Misfit::Other) => Err(Unused::Unregistered),
            Some(Misfit::Name) => Err(Unused::Name),
            Some(Misfit::Date) => Err(Unused::Date),
        }
    }
}
