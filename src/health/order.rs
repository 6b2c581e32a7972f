//! Orders vendors by Thompson sampling: each draws from what is known of it, and the best draw goes first.
//!
//! A draw is how likely a first attempt is accepted, times how likely an accepted one then arrives,
//! by the best signal there is: a used passcode, else a receipt. The less is known, the wider the
//! draws, so that vendors are tried for as long as they may still be the best.

use super::Health;
use super::tally::{Lessons, Tally};
use crate::flow::VendorName;
use crate::number::Country;
use crate::time::Moment;

/// The share of deliveries for which each vendor goes first whatever is known of it.
const FLOOR_SHARE: f64 = 0.05;
/// No more than this share of deliveries goes to the floor, however many vendors there are.
const FLOOR_SHARE_MAX: f64 = 0.5;
/// What is known of the vendor alone weighs as much as this many samples of the country.
const PRIOR_WEIGHT: f64 = 10.0;
/// A signal counts for nothing with fewer samples.
const SIGNAL_MIN: f64 = 20.0;
/// Twice the price is worth it for 7 % more arrivals (2 to the power of 0.1).
const COST_POWER: f64 = 0.1;
/// Numbers that tell the draws of one seed apart.
const ACCEPTED_DRAW: u64 = 1;
const ARRIVED_DRAW: u64 = 2;
const FLOOR_DRAW: u64 = 3;
/// A gamma draw nearly always takes one throw or two; after so many it is the middle.
const THROWS_MAX: usize = 100;

/// What tells that an accepted message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    /// Its passcode was used.
    Converted,
    /// Its receipt said so.
    Delivered,
    /// Nothing tells.
    None,
}

/// A beta distribution of a share.
#[derive(Clone, Copy, Debug)]
struct Belief {
    good: f64,
    bad: f64,
}

/// What is known of one candidate in the country and alone.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    here: Lessons,
    alone: Lessons,
}

pub(super) fn order(
    health: &Health,
    candidates: &[(VendorName, Option<f64>)],
    country: Country,
    seed: &[u8; 16],
    now: Moment,
) -> Vec<usize> {
    let known: Vec<Known> = candidates
        .iter()
        .map(|(vendor, _)| known(health, vendor, country, now))
        .collect();
    let signal = best_signal(&known);
    let scores: Vec<f64> = candidates
        .iter()
        .zip(&known)
        .map(|((vendor, _), known)| draw(known, signal, vendor, seed))
        .zip(cost_weights(candidates))
        .map(|(draw, weight)| draw * weight)
        .collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    if let Some(first) = floor(candidates.len(), seed) {
        order.retain(|&i| i != first);
        order.insert(0, first);
    }
    order
}

/// Who goes first whatever is known: each candidate has its share of all seeds, and the rest have none.
fn floor(count: usize, seed: &[u8; 16]) -> Option<usize> {
    let share = FLOOR_SHARE.min(FLOOR_SHARE_MAX / count.max(1) as f64);
    let chosen = Throws::new(seed, "", FLOOR_DRAW).even() / share;
    (chosen < count as f64).then_some(chosen as usize)
}

fn known(health: &Health, vendor: &VendorName, country: Country, now: Moment) -> Known {
    let Some(vendor) = health.vendors.get(vendor) else {
        return Known::default();
    };
    let here = vendor.countries.get(&country);
    Known {
        here: here.map_or_else(Lessons::default, |here| faded(&here.lessons, now)),
        alone: faded(&vendor.alone.lessons, now),
    }
}

fn faded(lessons: &Lessons, now: Moment) -> Lessons {
    Lessons {
        accepted: lessons.accepted.faded(now),
        delivered: lessons.delivered.faded(now),
        converted: lessons.converted.faded(now),
    }
}

/// Used passcodes are told by Okta for all vendors alike. Receipts are compared only where each
/// vendor that took enough messages has some: one that never reports cannot be measured by them.
fn best_signal(known: &[Known]) -> Signal {
    let converts = |k: &Known| k.alone.converted.good() >= SIGNAL_MIN;
    let reports = |k: &Known| k.alone.delivered.weight() >= SIGNAL_MIN;
    let is_tried = |k: &Known| k.alone.accepted.good() >= 2.0 * SIGNAL_MIN;
    if known.iter().any(converts) {
        return Signal::Converted;
    }
    if known.iter().any(reports) && known.iter().all(|k| reports(k) || !is_tried(k)) {
        return Signal::Delivered;
    }
    Signal::None
}

fn draw(known: &Known, signal: Signal, vendor: &str, seed: &[u8; 16]) -> f64 {
    let accepted = Belief::of(known.here.accepted, known.alone.accepted).draw(&mut Throws::new(
        seed,
        vendor,
        ACCEPTED_DRAW,
    ));
    let arrived = match signal {
        Signal::None => return accepted,
        Signal::Delivered => Belief::of(known.here.delivered, known.alone.delivered),
        Signal::Converted => Belief::of_part(known.here.converted, known.alone.converted),
    };
    accepted * arrived.draw(&mut Throws::new(seed, vendor, ARRIVED_DRAW))
}

/// Costs count where every candidate has one: the cheapest weighs 1, others less.
fn cost_weights(candidates: &[(VendorName, Option<f64>)]) -> Vec<f64> {
    let costs: Option<Vec<f64>> = candidates
        .iter()
        .map(|(_, cost)| cost.filter(|cost| cost.is_finite() && *cost > 0.0))
        .collect();
    let Some(costs) = costs else {
        return vec![1.0; candidates.len()];
    };
    let cheapest = costs.iter().copied().fold(f64::INFINITY, f64::min);
    costs
        .iter()
        .map(|cost| (cheapest / cost).powf(COST_POWER))
        .collect()
}

impl Belief {
    /// From what is known here, and a little of what is known of the vendor alone.
    fn of(here: Tally, alone: Tally) -> Belief {
        Belief::mixed((here.good(), here.bad()), (alone.good(), alone.bad()))
    }

    /// The same where the bad ones are all there were, the good ones among them.
    fn of_part(here: Tally, alone: Tally) -> Belief {
        let rest = |tally: Tally| (tally.good(), (tally.bad() - tally.good()).max(0.0));
        Belief::mixed(rest(here), rest(alone))
    }

    fn mixed(here: (f64, f64), alone: (f64, f64)) -> Belief {
        let weight = alone.0 + alone.1;
        let part = if weight > PRIOR_WEIGHT {
            PRIOR_WEIGHT / weight
        } else {
            1.0
        };
        Belief {
            good: 1.0 + here.0 + alone.0 * part,
            bad: 1.0 + here.1 + alone.1 * part,
        }
    }

    fn draw(self, throws: &mut Throws) -> f64 {
        let good = throws.gamma(self.good);
        let bad = throws.gamma(self.bad);
        good / (good + bad)
    }
}

/// Numbers that are a function of a seed (splitmix64).
struct Throws(u64);

impl Throws {
    /// The vendor is part of it, so that its draw does not depend on who else is there.
    fn new(seed: &[u8; 16], vendor: &str, draw: u64) -> Throws {
        let mut throws = Throws(draw);
        for byte in seed.iter().copied().chain(vendor.bytes()) {
            // FNV-1a, so that each byte moves all that follow.
            throws.0 = (throws.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        throws
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from 0 to 1, both excluded.
    fn even(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// From the normal distribution (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.even().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.even()).cos()
    }

    /// From the gamma distribution of a shape of at least 1 (Marsaglia and Tsang).
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        for _ in 0..THROWS_MAX {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.even().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
        d
    }
}
