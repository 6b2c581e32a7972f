//! Remembers hook calls by their event, so that a repeated one hears the first one's answer.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::dispatch::record::Told;
use crate::flow::DeliveryId;
use crate::time::Moment;

/// Events are remembered for this long, in milliseconds: longer than any passcode lives.
pub(super) const REMEMBERED_MS: i64 = 30 * 60_000;
/// Events remembered at a time; beyond it the oldest are forgotten early.
const PAST_MAX: usize = 500_000;
/// Answers are kept at hand for this long, in milliseconds; later they are read from the journal.
const AT_HAND_MS: i64 = 20_000;
/// Answers at hand at a time.
const AT_HAND_MAX: usize = 20_000;

/// What an answer is waited for with.
pub(super) type Hearing = watch::Receiver<Option<Told>>;

type Key = (Arc<str>, Arc<str>);

/// The events of the last half hour.
#[derive(Default)]
pub(super) struct Twins(Mutex<Known>);

#[derive(Default)]
struct Known {
    at_hand: HashMap<Key, (DeliveryId, Hearing)>,
    at_hand_by_age: VecDeque<(Moment, Key)>,
    /// By a hash of the event; whoever finds one must look whether it is the same event.
    past: HashMap<u64, DeliveryId>,
    past_by_age: VecDeque<(Moment, u64)>,
    hasher: RandomState,
}

/// Whether an event is new.
pub(super) enum Joined {
    First(watch::Sender<Option<Told>>, Hearing),
    Twin(Hearing),
    /// Probably known: this delivery is in the journal.
    Past(DeliveryId),
}

impl Twins {
    /// Joins the call that came with this event before, or becomes the first one. `not` is a delivery that
    /// was found not to be of this event.
    pub(super) fn join(
        &self,
        org: &Arc<str>,
        event: Option<&str>,
        id: DeliveryId,
        not: Option<DeliveryId>,
        now: Moment,
    ) -> Joined {
        let (sender, hearing) = watch::channel(None);
        let Some(event) = event else {
            return Joined::First(sender, hearing);
        };
        let key = (Arc::clone(org), Arc::from(event));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.age(now);
        if let Some((_, hearing)) = known.at_hand.get(&key) {
            return Joined::Twin(hearing.clone());
        }
        let past = known.past.get(&known.hasher.hash_one(&key)).copied();
        if let Some(past) = past.filter(|past| Some(*past) != not) {
            return Joined::Past(past);
        }
        known.at_hand_by_age.push_back((now, key.clone()));
        known.at_hand.insert(key, (id, hearing.clone()));
        Joined::First(sender, hearing)
    }

    /// Puts in an event from before a restart.
    pub(super) fn remember(&self, org: Arc<str>, event: &str, id: DeliveryId, at: Moment) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.put_past(&(org, Arc::from(event)), id, at);
    }
}

impl Known {
    /// Moves old answers from hand to the past, and forgets an older past.
    fn age(&mut self, now: Moment) {
        while let Some((at, _)) = self.at_hand_by_age.front() {
            let at = *at;
            if now.ms_since(at) <= AT_HAND_MS && self.at_hand_by_age.len() < AT_HAND_MAX {
                break;
            }
            if let Some((_, key)) = self.at_hand_by_age.pop_front()
                && let Some((id, _)) = self.at_hand.remove(&key)
            {
                self.put_past(&key, id, at);
            }
        }
        while let Some((at, hash)) = self.past_by_age.front() {
            let recent = now.ms_since(*at) <= REMEMBERED_MS;
            if recent && self.past_by_age.len() < PAST_MAX {
                break;
            }
            self.past.remove(hash);
            self.past_by_age.pop_front();
        }
    }

    fn put_past(&mut self, key: &Key, id: DeliveryId, at: Moment) {
        let hash = self.hasher.hash_one(key);
        self.past.insert(hash, id);
        self.past_by_age.push_back((at, hash));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> DeliveryId {
        DeliveryId::from_bytes([n; 16])
    }

    /// `first`, `twin`, or the delivery of the past.
    fn joined(twins: &Twins, org: &str, event: Option<&str>, n: u8, at: i64) -> String {
        match twins.join(&Arc::from(org), event, id(n), None, Moment(at)) {
            Joined::First(..) => "first".to_owned(),
            Joined::Twin(_) => "twin".to_owned(),
            Joined::Past(past) => past.as_bytes()[0].to_string(),
        }
    }

    #[test]
    fn an_event_belongs_to_its_org_and_is_known_for_half_an_hour() {
        let twins = Twins::default();
        assert_eq!(joined(&twins, "a", Some("e"), 1, 0), "first");
        assert_eq!(joined(&twins, "a", Some("e"), 2, 1), "twin");
        assert_eq!(joined(&twins, "b", Some("e"), 3, 1), "first");
        assert_eq!(joined(&twins, "a", Some("e"), 4, AT_HAND_MS + 1), "1");
        assert_eq!(
            joined(&twins, "a", Some("e"), 5, REMEMBERED_MS + 1),
            "first"
        );
    }

    #[test]
    fn what_was_found_to_be_another_event_is_first() {
        let twins = Twins::default();
        twins.remember("a".into(), "e", id(1), Moment(0));
        assert_eq!(joined(&twins, "a", Some("e"), 2, 1), "1");
        let again = twins.join(&"a".into(), Some("e"), id(2), Some(id(1)), Moment(1));
        assert!(matches!(again, Joined::First(..)));
    }

    #[test]
    fn calls_without_an_event_have_no_twins() {
        let twins = Twins::default();
        assert_eq!(joined(&twins, "a", None, 1, 0), "first");
        assert_eq!(joined(&twins, "a", None, 2, 0), "first");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let twins = Twins::default();
        for n in 0..PAST_MAX + AT_HAND_MAX + 10 {
            joined(&twins, "a", Some(&n.to_string()), 1, 0);
        }
        let known = twins.0.lock().unwrap();
        assert!(known.at_hand.len() <= AT_HAND_MAX && known.past.len() <= PAST_MAX);
        assert!(known.past_by_age.len() <= PAST_MAX + AT_HAND_MAX);
    }
}
