//! What is used of each quota, in the window that is under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::guard::quota::{Quota, Window};
use crate::time::Moment;

/// Counters at a time; above it, the one whose window ends first is forgotten.
const NAMES_MAX: usize = 10_000;

/// All counters, by name.
#[derive(Debug)]
pub struct Counters {
    counts: BTreeMap<Arc<str>, Used>,
    names_max: usize,
}

/// What is used of one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The window that it is counted in.
    pub window: Window,
    pub units: u64,
    /// A vendor said that its own cap is reached: nothing is left, whatever was counted.
    pub capped: bool,
}

/// Nothing is left of a quota, or too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// When counting begins anew.
    pub until: Moment,
}

impl Default for Counters {
    fn default() -> Counters {
        Counters::holding(NAMES_MAX)
    }
}

impl Counters {
    pub(super) fn holding(names_max: usize) -> Counters {
        Counters {
            counts: BTreeMap::new(),
            names_max,
        }
    }

    /// Takes units out of a quota, if it has as many left.
    ///
    /// # Errors
    /// When it has not; then nothing is taken.
    pub fn reserve(
        &mut self,
        name: &Arc<str>,
        quota: &Quota,
        units: u64,
        now: Moment,
    ) -> Result<Window, Full> {
        let count = self.count(name, quota, now);
        let after = count.units.saturating_add(units);
        if count.capped || after > quota.limit {
            let until = count.window.until;
            return Err(Full { until });
        }
        count.units = after;
        Ok(count.window)
    }

    /// Puts units back that were taken in a window, unless that one is over.
    pub fn give_back(&mut self, name: &str, units: u64, window: Window) {
        if let Some(count) = self.counts.get_mut(name)
            && count.window == window
        {
            count.units = count.units.saturating_sub(units);
        }
    }

    /// Notes that a message sent at `sent_at` met a vendor's own cap: nothing is left until the reset. Tells when
    /// that is, where it is news; what a window that is over had come to is none.
    pub fn fill(
        &mut self,
        name: &Arc<str>,
        quota: &Quota,
        sent_at: Moment,
        now: Moment,
    ) -> Option<Full> {
        let count = self.count(name, quota, now);
        let news = !count.capped && count.window.from <= sent_at;
        count.capped |= news;
        let until = count.window.until;
        news.then_some(Full { until })
    }

    /// What is used of a quota now.
    pub fn used(&self, name: &str, quota: &Quota, now: Moment) -> Used {
        let window = quota.window(now);
        let known = self.counts.get(name).copied();
        known.unwrap_or(Used::nothing(window)).carried_into(window)
    }

    /// What is known of a counter, as of its last change.
    pub fn get(&self, name: &str) -> Option<&Used> {
        self.counts.get(name)
    }

    /// Counters by name, as of their last change.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Used)> {
        self.counts.iter()
    }

    /// Takes in what an earlier process had counted, while there is room.
    pub fn remember(&mut self, name: Arc<str>, used: Used) {
        if self.counts.len() < self.names_max {
            self.counts.insert(name, used);
        }
    }

    fn count(&mut self, name: &Arc<str>, quota: &Quota, now: Moment) -> &mut Used {
        self.make_room(name, now);
        let window = quota.window(now);
        let count = self
            .counts
            .entry(Arc::clone(name))
            .or_insert(Used::nothing(window));
        *count = count.carried_into(window);
        count
    }

    fn make_room(&mut self, name: &str, now: Moment) {
        if self.counts.len() < self.names_max || self.counts.contains_key(name) {
            return;
        }
        self.counts.retain(|_, used| now < used.window.until);
        while self.counts.len() >= self.names_max {
            let first = self.counts.iter().min_by_key(|(_, u)| u.window.until);
            let Some(first) = first.map(|(name, _)| Arc::clone(name)) else {
                return;
            };
            self.counts.remove(&first);
        }
    }
}

/// Whether two windows are about as long: days have 23 to 25 hours. One that rules have made shorter or longer
/// begins anew.
fn is_alike(a: Window, b: Window) -> bool {
    let length = |window: Window| window.until.ms_since(window.from);
    let (a, b) = (length(a), length(b));
    (a - b).abs() * 10 <= a.max(b)
}

impl Used {
    /// Whether nothing more may be sent.
    pub fn is_full(&self, quota: &Quota) -> bool {
        !self.has_room(quota, 1)
    }

    /// Whether so many units more may be sent.
    pub fn has_room(&self, quota: &Quota, units: u64) -> bool {
        !self.capped && self.units.saturating_add(units) <= quota.limit
    }

    fn nothing(window: Window) -> Used {
        Used {
            window,
            units: 0,
            capped: false,
        }
    }

    /// The same in a window that is under way now. Where rules move the reset, the old window may reach into the
    /// new one; what was counted in it then counts on: rather too much than too little.
    fn carried_into(self, window: Window) -> Used {
        let over = self.window.until <= window.from;
        if over || !is_alike(self.window, window) {
            return Used::nothing(window);
        }
        Used { window, ..self }
    }
}
