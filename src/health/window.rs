//! Counts good and bad things over the last while, in ten buckets.

use crate::time::Moment;

const BUCKETS: usize = 10;

/// Counts of good and bad things; those older than ten buckets are not counted any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    bucket_ms: i64,
    buckets: [Bucket; BUCKETS],
}

/// What fell into one stretch of time; `number` tells which.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    number: i64,
    counts: Counts,
}

/// How many were good and how many bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: u32,
    pub(super) bad: u32,
}

impl Counts {
    pub(super) fn total(self) -> u32 {
        self.good.saturating_add(self.bad)
    }

    /// Whether at least `percent` of them are bad.
    pub(super) fn is_bad(self, percent: u32) -> bool {
        let bad = u64::from(self.bad) * 100;
        bad > 0 && bad >= u64::from(self.total()) * u64::from(percent)
    }
}

impl Window {
    /// A window of about `length_ms` milliseconds.
    pub(super) fn new(length_ms: i64) -> Window {
        Window {
            bucket_ms: (length_ms / BUCKETS as i64).max(1),
            buckets: [Bucket::default(); BUCKETS],
        }
    }

    pub(super) fn add(&mut self, good: bool, now: Moment) {
        let number = self.number(now);
        let bucket = &mut self.buckets[number.rem_euclid(BUCKETS as i64) as usize];
        if bucket.number != number {
            *bucket = Bucket {
                number,
                counts: Counts::default(),
            };
        }
        let count = if good {
            &mut bucket.counts.good
        } else {
            &mut bucket.counts.bad
        };
        *count = count.saturating_add(1);
    }

    pub(super) fn counts(&self, now: Moment) -> Counts {
        let newest = self.number(now);
        let oldest = newest - BUCKETS as i64 + 1;
        self.buckets
            .iter()
            .filter(|bucket| (oldest..=newest).contains(&bucket.number))
            .fold(Counts::default(), |sum, bucket| Counts {
                good: sum.good.saturating_add(bucket.counts.good),
                bad: sum.bad.saturating_add(bucket.counts.bad),
            })
    }

    fn number(&self, now: Moment) -> i64 {
        now.0.div_euclid(self.bucket_ms)
    }
}
