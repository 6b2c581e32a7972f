//! Keeps extra calls to a small share of the first ones, so that slowness does not double the load.

use super::window::Window;
use crate::time::Moment;

/// First calls and extra calls are counted over this time.
const BUDGET_MS: i64 = 10_000;
/// One extra call for this many first calls.
const FIRST_PER_EXTRA: u32 = 5;
/// Extra calls allowed in the window whatever the traffic, so that a quiet place may hedge too.
const RESERVE: u32 = 5;

/// How many hedges are still allowed: a fifth of the first calls of the last ten seconds, and a few more.
#[derive(Clone, Debug)]
pub struct Budget {
    /// First calls are its good things, hedges its bad ones.
    calls: Window,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            calls: Window::new(BUDGET_MS),
        }
    }
}

impl Budget {
    /// A delivery made its first call.
    pub fn deposit(&mut self, now: Moment) {
        self.calls.add(true, now);
    }

    /// Takes one extra call out of the budget; false when there is none left, and then none may be made.
    pub fn withdraw(&mut self, now: Moment) -> bool {
        let calls = self.calls.counts(now);
        let allowed = calls.good / FIRST_PER_EXTRA + RESERVE;
        if calls.bad >= allowed {
            return false;
        }
        self.calls.add(false, now);
        true
    }
}
