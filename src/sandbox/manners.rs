//! How one simulated vendor behaves towards which numbers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sandbox::behaviour::{Act, Behaviour, Reports};

/// Prefixes with a behaviour of their own, at most; beyond, the one that was set first is forgotten.
const PREFIXES_MAX: usize = 100;

/// A general behaviour, and others for numbers that begin in a certain way.
#[derive(Debug)]
pub(super) struct Manners {
    general: Manner,
    /// In the order in which they were set.
    prefixed: Vec<(String, Manner)>,
}

/// A behaviour and the requests it has met: a share of them is counted, not drawn.
#[derive(Debug)]
struct Manner {
    behaviour: Behaviour,
    met: AtomicU64,
}

impl Manners {
    /// Accepts everything.
    pub(super) fn new() -> Manners {
        Manners {
            general: Manner::new(Behaviour::ACCEPT),
            prefixed: Vec::new(),
        }
    }

    /// Behaves so from now on: towards the behaviour's prefix, or in general, which ends all prefixes.
    pub(super) fn steer(&mut self, behaviour: Behaviour) {
        let Some(prefix) = behaviour.prefix.clone() else {
            self.general = Manner::new(behaviour);
            self.prefixed.clear();
            return;
        };
        self.prefixed.retain(|(known, _)| *known != prefix);
        if self.prefixed.len() == PREFIXES_MAX {
            self.prefixed.remove(0);
        }
        self.prefixed.push((prefix, Manner::new(behaviour)));
    }

    /// What to do with a request for this number, written as E.164. The longest prefix counts.
    pub(super) fn act_towards(&self, to: &str) -> Act {
        let fits = self.prefixed.iter().filter(|(p, _)| to.starts_with(p));
        let longest = fits.max_by_key(|(p, _)| p.len());
        longest.map_or(&self.general, |(_, manner)| manner).next()
    }

    pub(super) fn refuses_connections(&self) -> bool {
        self.general.behaviour.act == Act::Refuse
    }
}

impl Manner {
    fn new(behaviour: Behaviour) -> Manner {
        Manner {
            behaviour,
            met: AtomicU64::new(0),
        }
    }

    /// The behaviour, or acceptance for the requests outside its share, spread evenly.
    fn next(&self) -> Act {
        let Some(share) = self.behaviour.share else {
            return self.behaviour.act.clone();
        };
        let met = self.met.fetch_add(1, Ordering::Relaxed);
        let due = |requests: u64| requests.saturating_mul(share.into()) / 100;
        if due(met + 1) > due(met) {
            self.behaviour.act.clone()
        } else {
            Act::Accept(Reports::Delivered)
        }
    }
}

impl fmt::Display for Manners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.general.behaviour)?;
        for (_, manner) in &self.prefixed {
            write!(f, ", {}", manner.behaviour)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manners(words: &[&str]) -> Manners {
        let mut manners = Manners::new();
        for word in words {
            manners.steer(word.parse().unwrap());
        }
        manners
    }

    fn act(word: &str) -> Act {
        word.parse::<Behaviour>().unwrap().act
    }

    #[test]
    fn the_longest_prefix_counts_and_the_rest_follow_the_general_behaviour() {
        let manners = manners(&["500", "undelivered@+65", "reject@+659"]);
        assert_eq!(manners.act_towards("+6591234567"), act("reject"));
        assert_eq!(manners.act_towards("+6581234567"), act("undelivered"));
        assert_eq!(manners.act_towards("+12025550123"), act("500"));
        assert_eq!(manners.to_string(), "500, undelivered@+65, reject@+659");
    }

    #[test]
    fn a_prefix_is_restored_without_touching_the_others() {
        let manners = manners(&["500@+65", "500@+1", "accept@+65"]);
        assert_eq!(manners.act_towards("+6591234567"), act("accept"));
        assert_eq!(manners.act_towards("+12025550123"), act("500"));
    }

    #[test]
    fn a_general_word_ends_all_prefixes() {
        let manners = manners(&["500@+65", "accept"]);
        assert_eq!(manners.to_string(), "accept");
    }

    #[test]
    fn a_share_is_exact_and_spread() {
        let manners = manners(&["500%30"]);
        let failed = |n: usize| {
            let acts = (0..n).map(|_| manners.act_towards("+65"));
            acts.filter(|a| *a == act("500")).count()
        };
        assert_eq!([failed(10), failed(10), failed(80)], [3, 3, 24]);
    }

    #[test]
    fn prefixes_have_a_limit() {
        let mut manners = Manners::new();
        for n in 0..=PREFIXES_MAX {
            manners.steer(format!("500@+1{n}").parse().unwrap());
        }
        assert_eq!(manners.prefixed.len(), PREFIXES_MAX);
        assert_eq!(manners.prefixed[0].0, "+11");
    }
}
