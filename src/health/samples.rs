//! Keeps the last few hundred times something took, and their quantiles.

use crate::flow::SenderType;

/// How many times are kept.
const SAMPLES_MAX: usize = 256;
/// Below this many nothing is said.
const SAMPLES_MIN: u64 = 20;
/// The quantiles are read anew after this many more.
const REFRESH_EVERY: u64 = 16;

/// The last times in milliseconds, oldest overwritten first.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    ring: Vec<u32>,
    seen: u64,
    quantiles: Option<Quantiles>,
}

/// How long receipts take, by what the message came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays(Vec<(SenderType, Samples)>);

impl Delays {
    pub(super) fn add(&mut self, sender: SenderType, ms: i64) {
        if !self.0.iter().any(|(known, _)| *known == sender) {
            self.0.push((sender, Samples::default()));
        }
        for (_, samples) in self.0.iter_mut().filter(|(known, _)| *known == sender) {
            samples.add(ms);
        }
    }

    /// What 99 of 100 from such a sender took at most; from any sender, when none is asked for.
    pub(super) fn p99(&self, sender: Option<SenderType>) -> Option<i64> {
        let meant = |known: SenderType| sender.is_none_or(|sender| sender == known);
        let known = self.0.iter().filter(|(known, _)| meant(*known));
        let known = known.filter_map(|(_, samples)| samples.quantiles());
        known.map(|delay| delay.p99).max()
    }
}

/// Half, 95 and 99 of 100 took at most this long, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantiles {
    pub(super) p50: i64,
    pub(super) p95: i64,
    pub(super) p99: i64,
}

impl Samples {
    pub(super) fn add(&mut self, ms: i64) {
        let ms = u32::try_from(ms.max(0)).unwrap_or(u32::MAX);
        if self.ring.len() < SAMPLES_MAX {
            self.ring.push(ms);
        } else {
            self.ring[(self.seen % SAMPLES_MAX as u64) as usize] = ms;
        }
        self.seen += 1;
        // Sorting each time would be most of the work of hearing a verdict.
        let beyond = self.seen.checked_sub(SAMPLES_MIN);
        if beyond.is_some_and(|n| n.is_multiple_of(REFRESH_EVERY)) {
            self.quantiles = Some(self.read());
        }
    }

    /// None while too few are known.
    pub(super) fn quantiles(&self) -> Option<Quantiles> {
        self.quantiles
    }

    fn read(&self) -> Quantiles {
        let mut sorted = self.ring.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            i64::from(sorted[rank.saturating_sub(1)])
        };
        Quantiles {
            p50: at(50),
            p95: at(95),
            p99: at(99),
        }
    }
}
