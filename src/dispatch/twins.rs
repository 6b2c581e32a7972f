//! Remembers hook calls by their event, so that a repeated one hears the first one's answer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::dispatch::record::Told;
use crate::time::Moment;

/// Events are remembered for this long, in milliseconds: longer than any passcode lives.
pub(super) const REMEMBERED_MS: i64 = 30 * 60_000;
/// Events remembered at a time; beyond it the oldest are forgotten early.
const EVENTS_MAX: usize = 500_000;

/// What an answer is waited for with.
pub(super) type Hearing = watch::Receiver<Option<Told>>;

type Key = (Arc<str>, Arc<str>);

/// The events of the last half hour.
#[derive(Default)]
pub(super) struct Twins(Mutex<Known>);

#[derive(Default)]
struct Known {
    hearings: HashMap<Key, Hearing>,
    by_age: VecDeque<(Moment, Key)>,
}

/// Whether an event is new.
pub(super) enum Joined {
    First(watch::Sender<Option<Told>>, Hearing),
    Twin(Hearing),
}

impl Twins {
    /// Joins the call that came with this event before, or becomes the first one.
    pub(super) fn join(&self, org: &Arc<str>, event: Option<&str>, now: Moment) -> Joined {
        let (sender, hearing) = watch::channel(None);
        let Some(event) = event else {
            return Joined::First(sender, hearing);
        };
        let key = (Arc::clone(org), Arc::from(event));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hearing) = known.hearings.get(&key) {
            return Joined::Twin(hearing.clone());
        }
        known.insert(key, hearing.clone(), now);
        Joined::First(sender, hearing)
    }

    /// Puts in an event from before a restart.
    pub(super) fn remember(&self, org: Arc<str>, event: &str, told: Told, at: Moment) {
        let (_, hearing) = watch::channel(Some(told));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((org, Arc::from(event)), hearing, at);
    }
}

impl Known {
    fn insert(&mut self, key: Key, hearing: Hearing, now: Moment) {
        while let Some((at, _)) = self.by_age.front() {
            let old = now.ms_since(*at) > REMEMBERED_MS || self.by_age.len() >= EVENTS_MAX;
            if !old {
                break;
            }
            if let Some((_, key)) = self.by_age.pop_front() {
                self.hearings.remove(&key);
            }
        }
        self.by_age.push_back((now, key.clone()));
        self.hearings.insert(key, hearing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_first(twins: &Twins, org: &str, event: Option<&str>, at: i64) -> bool {
        matches!(
            twins.join(&Arc::from(org), event, Moment(at)),
            Joined::First(..)
        )
    }

    #[test]
    fn an_event_belongs_to_its_org_and_is_known_for_half_an_hour() {
        let twins = Twins::default();
        assert!(is_first(&twins, "a", Some("e"), 0));
        assert!(!is_first(&twins, "a", Some("e"), 1));
        assert!(is_first(&twins, "b", Some("e"), 1));
        assert!(is_first(&twins, "a", Some("f"), REMEMBERED_MS + 1));
        assert!(is_first(&twins, "a", Some("e"), REMEMBERED_MS + 1));
    }

    #[test]
    fn calls_without_an_event_have_no_twins() {
        let twins = Twins::default();
        assert!(is_first(&twins, "a", None, 0));
        assert!(is_first(&twins, "a", None, 0));
    }
}
