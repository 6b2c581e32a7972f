//! All that is known of one vendor in one country, or of the vendor alone.

use super::breaker::Breaker;
use super::samples::{Delays, Samples};
use super::tally::{Lessons, Tally};
use super::window::{Counts, Window};
use super::{PATIENCE_MAX_MS, Why};
use crate::time::Moment;

/// A share is not judged with fewer samples,
const SHARE_MIN: u32 = 20;
/// but half of so many is enough in a quiet country.
const HALF_MIN: u32 = 8;
/// The window needs this many for a country to be judged by itself alone.
const OWN_MIN: u32 = 5;
/// Two failures in a row are more than chance where the vendor fails elsewhere too.
const RUN_LEANING: u32 = 2;
/// Who was last heard of earlier than this has no vote on the vendor as a whole.
const VOTE_MS: i64 = 120_000;

/// The ways to fail, each counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Calls that are accepted or fail.
    Calls,
    /// Answers that are quick or slow.
    Pace,
    /// Receipts that say delivered, say failed, or do not come.
    Receipts,
    /// Receipts that say delivered, or that the person could not be reached.
    Reach,
    /// Receipts that come, or do not while none comes at all.
    Quiet,
}

/// How one of them goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Track {
    window: Window,
    /// Bad ones in a row.
    run: u32,
    last_at: Option<Moment>,
}

/// A country's word on whether the vendor fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vote {
    pub(super) fails: bool,
    pub(super) failures: u32,
}

/// All that is known of one vendor in one country, or of the vendor alone.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) breaker: Breaker,
    pub(super) latency: Samples,
    pub(super) receipt_delay: Delays,
    pub(super) lessons: Lessons,
    /// All calls, not only first attempts.
    pub(super) calls: Tally,
    /// The patience after which a call was last called slow, in milliseconds.
    pub(super) slow_ms: Option<i64>,
    pub(super) used_at: Moment,
    tracks: [Track; Course::ALL.len()],
}

impl Course {
    const ALL: [Course; 5] = [
        Course::Calls,
        Course::Pace,
        Course::Receipts,
        Course::Reach,
        Course::Quiet,
    ];

    /// Which one a breaker opened for.
    pub(super) fn of(why: Why) -> Course {
        match why {
            Why::Account | Why::Throttled | Why::Errors => Course::Calls,
            Why::Slow => Course::Pace,
            Why::Undelivered | Why::Silent => Course::Receipts,
        }
    }

    /// So many bad ones in a row open a breaker. Some receipts fail wherever people switch their
    /// phones off, and one stall makes every call in flight slow: there chance makes longer runs.
    fn run_max(self) -> u32 {
        match self {
            Course::Calls => 5,
            Course::Pace => 20,
            Course::Receipts => 8,
            Course::Reach | Course::Quiet => 20,
        }
    }

    /// What counts as the present, in milliseconds. Receipts come later and less evenly than answers.
    fn window_ms(self) -> i64 {
        match self {
            Course::Calls | Course::Pace => 10_000,
            Course::Receipts | Course::Reach | Course::Quiet => 20_000,
        }
    }

    /// This share of bad ones, in percent, opens a breaker. A vendor that fails one call in five is worse than
    /// none; one call in twenty is slow by definition where patience is the 95th percentile. Telephones are switched off everywhere, but not
    /// most of them: then the vendor's way there is broken, whatever it says.
    fn percent_max(self) -> u32 {
        match self {
            Course::Calls => 20,
            Course::Pace => 15,
            Course::Receipts => 30,
            Course::Reach => 60,
            Course::Quiet => 100,
        }
    }
}

impl Track {
    fn new(course: Course) -> Track {
        Track {
            window: Window::new(course.window_ms()),
            run: 0,
            last_at: None,
        }
    }

    fn add(&mut self, good: bool, now: Moment) {
        self.add_to_share(good, now);
        self.run = if good { 0 } else { self.run.saturating_add(1) };
    }

    fn add_to_share(&mut self, good: bool, now: Moment) {
        self.window.add(good, now);
        self.last_at = Some(now);
    }
}

impl Record {
    pub(super) fn new(now: Moment) -> Record {
        Record {
            breaker: Breaker::default(),
            latency: Samples::default(),
            receipt_delay: Delays::default(),
            lessons: Lessons::default(),
            calls: Tally::default(),
            slow_ms: None,
            used_at: now,
            tracks: Course::ALL.map(Track::new),
        }
    }

    /// Counts one of a course. True when it is bad and there are now enough bad ones to open.
    pub(super) fn count(&mut self, course: Course, good: bool, now: Moment) -> bool {
        self.track_mut(course).add(good, now);
        !good && self.is_over(course, now)
    }

    /// Counts a bad one that says nothing by coming in a row.
    pub(super) fn count_in_share(&mut self, course: Course, now: Moment) -> bool {
        self.track_mut(course).add_to_share(false, now);
        self.is_over(course, now)
    }

    /// Begins anew: what made the breaker open is over.
    pub(super) fn forget_tracks(&mut self) {
        self.slow_ms = None;
        self.tracks = Course::ALL.map(Track::new);
    }

    /// Whether an answer after `ms` milliseconds is quick; None where it was already called slow.
    pub(super) fn is_quick(&self, ms: i64) -> Option<bool> {
        if self.slow_ms.is_some_and(|slow| ms >= slow) {
            return None;
        }
        Some(ms < PATIENCE_MAX_MS)
    }

    /// Whether this country's own traffic is enough to say that it goes well here, whatever
    /// happens elsewhere.
    pub(super) fn holds_its_own(&self, course: Course, now: Moment) -> bool {
        let counts = self.counts(course, now);
        self.breaker.why().is_none() && counts.total() >= OWN_MIN && !self.leans_bad(course, now)
    }

    /// Its word on the vendor as a whole; None where nothing was heard of late.
    pub(super) fn vote(&self, course: Course, now: Moment) -> Option<Vote> {
        let track = self.track(course);
        let last_at = track.last_at?;
        if now.ms_since(last_at) > VOTE_MS {
            return None;
        }
        Some(Vote {
            fails: self.breaker.why().is_some() || self.leans_bad(course, now),
            failures: self.counts(course, now).bad.max(track.run),
        })
    }

    /// Whether the little that is known speaks against it.
    fn leans_bad(&self, course: Course, now: Moment) -> bool {
        let counts = self.counts(course, now);
        let run = self.track(course).run;
        let only_bad = counts.total() == 0 && run > 0;
        counts.is_bad(course.percent_max()) || run >= RUN_LEANING || only_bad
    }

    fn is_over(&self, course: Course, now: Moment) -> bool {
        let counts = self.counts(course, now);
        let percent = course.percent_max();
        let share = counts.total() >= SHARE_MIN && counts.is_bad(percent);
        let half = counts.total() >= HALF_MIN && counts.is_bad(percent.max(50));
        let quickly = !matches!(course, Course::Reach | Course::Quiet);
        share || (half && quickly) || self.track(course).run >= course.run_max()
    }

    fn counts(&self, course: Course, now: Moment) -> Counts {
        self.track(course).window.counts(now)
    }

    fn track(&self, course: Course) -> &Track {
        &self.tracks[course as usize]
    }

    fn track_mut(&mut self, course: Course) -> &mut Track {
        &mut self.tracks[course as usize]
    }
}
