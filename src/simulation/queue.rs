//! What will happen, in order: by moment, and at the same moment as it was queued.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::flow::Reason;
use crate::simulation::conduct::Answer;
use crate::time::Moment;

/// All that will happen.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Queued>>,
    count: u64,
}

/// Something that will happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) at: Moment,
    /// What was queued first happens first.
    number: u64,
    /// A delivery, or for `Begins` a stream.
    pub(super) whose: usize,
    pub(super) what: What,
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Begins,
    Wakes,
    Answers {
        attempt: u16,
        answer: Answer,
        reason: Reason,
    },
    /// It arrived, or failed and why.
    Reports {
        attempt: u16,
        failed: Option<Reason>,
    },
}

impl Queue {
    pub(super) fn push(&mut self, at: Moment, whose: usize, what: What) {
        let number = self.count;
        self.count += 1;
        self.heap.push(Reverse(Queued {
            at,
            number,
            whose,
            what,
        }));
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        self.heap.pop().map(|Reverse(next)| next)
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Queued) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Queued) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Queued) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}
