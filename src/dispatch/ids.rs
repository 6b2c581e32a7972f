//! Knows which attempt a vendor's message id is of, and keeps what is told of ids not known yet.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use crate::flow::{DeliveryId, Receipt};
use crate::time::Moment;
use crate::vendor::same_id;

/// Message ids known at a time; beyond it the oldest are forgotten.
const IDS_MAX: usize = 200_000;
/// Receipts kept before their message id is known.
const EARLY_MAX: usize = 10_000;
/// They are kept for this long, in milliseconds.
const EARLY_MS: i64 = 600_000;

/// An attempt of a delivery.
pub(super) type Target = (DeliveryId, usize);

/// The message ids of all vendors.
#[derive(Default)]
pub(super) struct MessageIds(Mutex<Known>);

/// By hashes: millions of ids a day go by, and 64 bits tell them apart.
#[derive(Default)]
struct Known {
    ids: HashMap<u64, Target>,
    by_age: VecDeque<u64>,
    early: HashMap<u64, Vec<Receipt>>,
    early_by_age: VecDeque<(Moment, u64)>,
    hasher: RandomState,
}

impl MessageIds {
    /// A vendor gave a message this id; returns what it has told of it already.
    pub(super) fn learn(&self, vendor: &str, message_id: &str, target: Target) -> Vec<Receipt> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = known.key(vendor, message_id);
        if known.ids.insert(key, target).is_none() {
            known.by_age.push_back(key);
        }
        if known.by_age.len() > IDS_MAX
            && let Some(oldest) = known.by_age.pop_front()
        {
            known.ids.remove(&oldest);
        }
        known.early.remove(&key).unwrap_or_default()
    }

    /// Whose message id this is. While nobody's, the receipt is kept for whoever learns it.
    pub(super) fn find_or_keep(
        &self,
        vendor: &str,
        message_id: &str,
        receipt: &Receipt,
        now: Moment,
    ) -> Option<Target> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = known.key(vendor, message_id);
        if let Some(target) = known.ids.get(&key) {
            return Some(*target);
        }
        known.early_by_age.push_back((now, key));
        known.early.entry(key).or_default().push(receipt.clone());
        None
    }

    /// Whose message id this is.
    pub(super) fn find(&self, vendor: &str, message_id: &str) -> Option<Target> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.ids.get(&known.key(vendor, message_id)).copied()
    }

    /// Forgets what was kept for too long, or is too much; returns how many receipts nobody has claimed.
    pub(super) fn forget_old(&self, now: Moment) -> usize {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unclaimed = 0;
        while let Some((at, key)) = known.early_by_age.front().copied() {
            if now.ms_since(at) < EARLY_MS && known.early_by_age.len() <= EARLY_MAX {
                break;
            }
            known.early_by_age.pop_front();
            if let Some(receipts) = known.early.get_mut(&key) {
                receipts.remove(0);
                unclaimed += 1;
                if receipts.is_empty() {
                    known.early.remove(&key);
                }
            }
        }
        unclaimed
    }
}

impl Known {
    fn key(&self, vendor: &str, message_id: &str) -> u64 {
        self.hasher.hash_one((vendor, same_id(message_id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Progress;

    fn target(n: u8) -> Target {
        (DeliveryId::from_bytes([n; 16]), 0)
    }

    fn receipt(code: &str) -> Receipt {
        Receipt {
            progress: Progress::Delivered,
            reason: None,
            code: Some(code.to_owned()),
            capped: false,
            unlisted: false,
        }
    }

    #[test]
    fn an_id_is_found_in_another_spelling_and_only_at_its_vendor() {
        let ids = MessageIds::default();
        ids.learn("a", "00AB-c", target(1));
        assert_eq!(ids.find("a", "ab-C"), Some(target(1)));
        assert_eq!(ids.find("b", "00AB-c"), None);
    }

    #[test]
    fn what_comes_before_the_id_is_known_waits_for_it() {
        let ids = MessageIds::default();
        let now = Moment(0);
        assert_eq!(ids.find_or_keep("a", "x", &receipt("1"), now), None);
        assert_eq!(ids.find_or_keep("a", "x", &receipt("2"), now), None);
        let early = ids.learn("a", "X", target(1));
        assert_eq!(early, [receipt("1"), receipt("2")]);
        assert_eq!(
            ids.find_or_keep("a", "x", &receipt("3"), now),
            Some(target(1))
        );
        assert_eq!(ids.learn("a", "x", target(1)), []);
    }

    #[test]
    fn what_nobody_claims_is_forgotten_after_ten_minutes() {
        let ids = MessageIds::default();
        ids.find_or_keep("a", "x", &receipt("1"), Moment(0));
        assert_eq!(ids.forget_old(Moment(EARLY_MS - 1)), 0);
        assert_eq!(ids.forget_old(Moment(EARLY_MS)), 1);
        assert_eq!(ids.learn("a", "x", target(1)), []);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let ids = MessageIds::default();
        for n in 0..IDS_MAX + 10 {
            ids.learn("a", &format!("m{n}"), target(1));
        }
        for n in 0..EARLY_MAX + 10 {
            ids.find_or_keep("b", &n.to_string(), &receipt("1"), Moment(0));
        }
        assert_eq!(ids.forget_old(Moment(1)), 10);
        let known = ids.0.lock().unwrap();
        assert_eq!(known.ids.len(), IDS_MAX);
        assert_eq!(known.early.len(), EARLY_MAX);
    }
}
