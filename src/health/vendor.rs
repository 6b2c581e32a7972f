//! All that is known of one vendor: alone, in each country, and of its receipts as a whole.

use std::collections::HashMap;

use super::blame::{Blame, Finding, blame_of_receipt, finding};
use super::receipts::ReceiptChannel;
use super::record::{Course, Record};
use super::{Fitness, PATIENCE_MAX_MS, Reported, State, Why};
use crate::flow::{SenderType, Verdict, VerdictKind};
use crate::number::Country;
use crate::time::Moment;

/// Countries that must fail before the vendor as a whole does, besides being most of those heard of.
const FAILING_COUNTRIES_MIN: usize = 2;
/// Failures that must have come from other countries than the worst.
const FAILURES_ELSEWHERE_MIN: u32 = 3;
/// A receipt is due after this many times what 99 of 100 take.
const DUE_FACTOR: i64 = 3;
/// A receipt is due no earlier than this.
const DUE_MIN_MS: i64 = 5_000;
/// A probe's receipt is waited for this long where nothing was learned,
const PROOF_MS: i64 = 30_000;
/// and no longer than this.
const PROOF_MAX_MS: i64 = 60_000;

/// All that is known of one vendor.
#[derive(Clone, Debug)]
pub(super) struct VendorRecord {
    /// Counts what happens in all countries.
    pub(super) alone: Record,
    pub(super) countries: HashMap<Country, Record>,
    pub(super) channel: ReceiptChannel,
    /// It asked to be left alone until then.
    rests_until: Option<Moment>,
}

impl VendorRecord {
    pub(super) fn new(now: Moment) -> VendorRecord {
        VendorRecord {
            alone: Record::new(now),
            countries: HashMap::new(),
            channel: ReceiptChannel::default(),
            rests_until: None,
        }
    }

    pub(super) fn fitness(&self, country: Country, now: Moment) -> Fitness {
        if let Some(until) = self.resting(now) {
            let why = Why::Throttled;
            return Fitness::Unwell { why, until };
        }
        let here = self.countries.get(&country);
        let here_is = here.map_or(Fitness::Well, |here| here.breaker.fitness(now));
        if !self.is_bound_to_whole(country, now) {
            return here_is;
        }
        stricter(self.alone.breaker.fitness(now), here_is)
    }

    pub(super) fn state(&self, country: Country, now: Moment) -> State {
        if self.resting(now).is_some() {
            return State::Open;
        }
        let here = self.countries.get(&country);
        let here_is = here.map_or(State::Closed, |here| here.breaker.state(now));
        if !self.is_bound_to_whole(country, now) {
            return here_is;
        }
        self.alone.breaker.state(now).min(here_is)
    }

    /// Why it is not well in the country; None where it is.
    pub(super) fn why(&self, country: Country, now: Moment) -> Option<Why> {
        if self.resting(now).is_some() {
            return Some(Why::Throttled);
        }
        let here = self.countries.get(&country).and_then(|h| h.breaker.why());
        let whole = self.alone.breaker.why();
        here.or(whole.filter(|_| self.is_bound_to_whole(country, now)))
    }

    /// The vendor alone, whatever the country.
    pub(super) fn state_alone(&self, now: Moment) -> (State, Option<Why>) {
        if self.resting(now).is_some() {
            return (State::Open, Some(Why::Throttled));
        }
        (self.alone.breaker.state(now), self.alone.breaker.why())
    }

    /// Notes that somebody wanted to know of the vendor in the country.
    pub(super) fn touch(&mut self, country: Country, now: Moment) {
        self.alone.used_at = now;
        if let Some(here) = self.countries.get_mut(&country) {
            here.used_at = now;
        }
    }

    /// The next call is the probe of every breaker that is in its way.
    pub(super) fn take_probe(&mut self, country: Country, now: Moment) {
        if self.is_bound_to_whole(country, now) {
            self.alone.breaker.take_probe(now);
        }
        if let Some(here) = self.countries.get_mut(&country) {
            here.breaker.take_probe(now);
        }
    }

    pub(super) fn answered(
        &mut self,
        country: Country,
        verdict: &Verdict,
        ms: i64,
        first: bool,
        now: Moment,
    ) {
        let begun = now.plus_ms(-ms);
        let found = finding(verdict);
        self.each(country, now, |record, _| {
            learn_latency(record, verdict.kind, ms);
            count_pace(record, verdict.kind, ms, begun, now)
        });
        let proof_ms = self.proof_ms(country);
        match found {
            Finding::Good => self.each(country, now, |record, _| {
                learn_call(record, true, first, now);
                count_call(record, true, ms, proof_ms, now)
            }),
            Finding::Failed(Blame::Nobody) => self.each(country, now, |record, _| {
                record.breaker.told_nothing(begun, now);
                None
            }),
            Finding::Failed(Blame::Country) => self.each(country, now, |record, is_here| {
                if !is_here {
                    record.breaker.told_nothing(begun, now);
                    return None;
                }
                learn_call(record, false, first, now);
                count_call(record, false, ms, proof_ms, now)
            }),
            Finding::Failed(Blame::Vendor) => self.each(country, now, |record, _| {
                learn_call(record, false, first, now);
                count_call(record, false, ms, proof_ms, now)
            }),
            Finding::Failed(Blame::Account) => {
                self.each(country, now, |record, is_here| {
                    learn_call(record, false, first, now);
                    if is_here {
                        record.breaker.told_nothing(begun, now);
                    }
                    None
                });
                self.refuse_account(begun, proof_ms, now);
            }
            Finding::Full => self.each(country, now, |record, _| {
                learn_call(record, false, first, now);
                record.breaker.answered(false, begun, proof_ms, now);
                let over = record.count_in_share(Course::Calls, now);
                over.then_some(Why::Throttled)
            }),
            Finding::Rest(rest_ms) => self.rest(country, begun, rest_ms, now),
        }
    }

    /// A call has not been answered for `ms` milliseconds.
    pub(super) fn slow(&mut self, country: Country, ms: i64, now: Moment) {
        let begun = now.plus_ms(-ms);
        self.each(country, now, |record, _| {
            record.slow_ms = Some(ms);
            if record.breaker.why() == Some(Why::Slow) {
                record.breaker.answered(false, begun, 0, now);
            }
            let is_news = record.breaker.is_news(begun);
            let over = is_news && record.count(Course::Pace, false, now);
            over.then_some(Why::Slow)
        });
    }

    pub(super) fn reported(&mut self, country: Country, report: &Reported, now: Moment) {
        self.channel.reported(report.accepted_at);
        let blame = blame_of_receipt(report.reason);
        let delay_ms = now.ms_since(report.accepted_at);
        self.each(country, now, |record, is_here| {
            record.receipt_delay.add(report.sender, delay_ms);
            if !report.delivered && blame == Blame::Country && !is_here {
                record.breaker.told_nothing(report.accepted_at, now);
                return None;
            }
            let course = if blame == Blame::Nobody {
                Course::Reach
            } else {
                Course::Receipts
            };
            count_receipt(record, course, report, now)
        });
        if !report.delivered && blame == Blame::Account {
            self.refuse_account(report.accepted_at, PROOF_MS, now);
        }
    }

    /// A receipt was due and did not come.
    pub(super) fn silent(&mut self, country: Country, first: bool, now: Moment) {
        let due_ms = self.proof_ms(country);
        self.each(country, now, |record, _| {
            if first {
                record.lessons.delivered.add(false, now);
            }
            // It may be about a message accepted before the breaker opened, which is known by now.
            if record.breaker.opened_within(due_ms, now) {
                return None;
            }
            let over = record.count(Course::Receipts, false, now);
            over.then_some(Why::Silent)
        });
    }

    /// A receipt was due and none comes at all. Nobody is sent a second message because of that, but after
    /// many of them others take the new ones: a vendor that swallows everything looks just so. One that never
    /// reported has nothing to be quiet about.
    pub(super) fn quiet(&mut self, country: Country, now: Moment) {
        if !self.channel.has_spoken() {
            return;
        }
        let due_ms = self.proof_ms(country);
        self.each(country, now, |record, _| {
            if record.breaker.opened_within(due_ms, now) {
                return None;
            }
            let over = record.count(Course::Quiet, false, now);
            over.then_some(Why::Silent)
        });
    }

    pub(super) fn converted(&mut self, country: Country, now: Moment) {
        self.each(country, now, |record, _| {
            record.lessons.converted.add(true, now);
            None
        });
    }

    /// How long after its acceptance a message's final receipt is due, in milliseconds; from any sender, when
    /// none is given.
    pub(super) fn due_ms(&self, country: Country, sender: Option<SenderType>) -> Option<i64> {
        let here = self.countries.get(&country);
        here.and_then(|here| here.receipt_delay.p99(sender))
            .or_else(|| self.alone.receipt_delay.p99(sender))
            .map(|p99| p99.saturating_mul(DUE_FACTOR).max(DUE_MIN_MS))
    }

    fn resting(&self, now: Moment) -> Option<Moment> {
        self.rests_until.filter(|&until| now < until)
    }

    /// Whether the vendor's own breaker counts in the country: always when the account is refused,
    /// else only where too little is known of the country itself.
    fn is_bound_to_whole(&self, country: Country, now: Moment) -> bool {
        let Some(why) = self.alone.breaker.why() else {
            return false;
        };
        let here = self.countries.get(&country);
        let holds = here.is_some_and(|here| here.holds_its_own(Course::of(why), now));
        why == Why::Account || !holds
    }

    /// Tells the country's record and the vendor's own; each may find that there are now enough
    /// bad things to open. The vendor as a whole opens only where it fails in most countries.
    fn each(
        &mut self,
        country: Country,
        now: Moment,
        mut tell: impl FnMut(&mut Record, bool) -> Option<Why>,
    ) {
        if let Some(here) = self.countries.get_mut(&country)
            && let Some(why) = tell(here, true)
        {
            here.breaker.open(why, now);
        }
        if let Some(why) = tell(&mut self.alone, false)
            && self.alone.breaker.why().is_none()
            && self.fails_everywhere(Course::of(why), now)
        {
            self.alone.breaker.open(why, now);
        }
    }

    /// Whether most of the countries heard of fail, and not almost all of it is one country's.
    fn fails_everywhere(&self, course: Course, now: Moment) -> bool {
        let (mut voters, mut failing) = (0, 0);
        let (mut failures, mut worst) = (0_u32, 0_u32);
        for vote in self.countries.values().filter_map(|r| r.vote(course, now)) {
            voters += 1;
            if vote.fails {
                failing += 1;
                failures = failures.saturating_add(vote.failures);
                worst = worst.max(vote.failures);
            }
        }
        failing >= FAILING_COUNTRIES_MIN
            && failing * 2 > voters
            && failures - worst >= FAILURES_ELSEWHERE_MIN
    }

    /// The account is refused by a call or message of `begun`: nobody can be reached through it.
    fn refuse_account(&mut self, begun: Moment, proof_ms: i64, now: Moment) {
        let breaker = &mut self.alone.breaker;
        if breaker.why() == Some(Why::Account) {
            breaker.answered(false, begun, proof_ms, now);
        } else if breaker.is_news(begun) {
            breaker.open(Why::Account, now);
        }
    }

    fn rest(&mut self, country: Country, begun: Moment, rest_ms: i64, now: Moment) {
        let until = now.plus_ms(rest_ms);
        self.rests_until = self.rests_until.max(Some(until));
        self.each(country, now, |record, _| {
            record.breaker.told_nothing(begun, now);
            None
        });
    }

    /// How long a receipt that must prove something is waited for, in milliseconds.
    fn proof_ms(&self, country: Country) -> i64 {
        self.due_ms(country, None)
            .unwrap_or(PROOF_MS)
            .min(PROOF_MAX_MS)
    }
}

/// Who may not be asked for longer wins; a probe wins over being well.
fn stricter(one: Fitness, other: Fitness) -> Fitness {
    let rank = |fitness: &Fitness| match fitness {
        Fitness::Well => (0, None),
        Fitness::Probe => (1, None),
        Fitness::Unwell { until, .. } => (2, Some(*until)),
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

fn learn_latency(record: &mut Record, kind: VerdictKind, ms: i64) {
    if is_definite(kind) {
        record.latency.add(ms);
    }
}

/// Accepted or refused: how long that took is how quick the vendor is.
fn is_definite(kind: VerdictKind) -> bool {
    match kind {
        VerdictKind::Accepted | VerdictKind::Rejected => true,
        VerdictKind::Throttled | VerdictKind::Unavailable | VerdictKind::Ambiguous => false,
    }
}

fn learn_call(record: &mut Record, good: bool, first: bool, now: Moment) {
    record.calls.add(good, now);
    if first {
        record.lessons.accepted.add(good, now);
        if good {
            record.lessons.converted.add(false, now);
        }
    }
}

/// Counts an answer as quick or slow, unless it was called slow while it was waited for.
fn count_pace(
    record: &mut Record,
    kind: VerdictKind,
    ms: i64,
    begun: Moment,
    now: Moment,
) -> Option<Why> {
    let quick = record.is_quick(ms)?;
    let is_told = is_definite(kind) || ms >= PATIENCE_MAX_MS;
    if !is_told || !record.breaker.is_news(begun) {
        return None;
    }
    let over = record.count(Course::Pace, quick, now);
    over.then_some(Why::Slow)
}

fn count_call(record: &mut Record, good: bool, ms: i64, proof_ms: i64, now: Moment) -> Option<Why> {
    let begun = now.plus_ms(-ms);
    let was_slow = record.is_quick(ms) != Some(true);
    let proves = good && !(was_slow && record.breaker.why() == Some(Why::Slow));
    if record.breaker.answered(proves, begun, proof_ms, now) {
        record.forget_tracks();
        return None;
    }
    if !record.breaker.is_news(begun) {
        return None;
    }
    let over = record.count(Course::Calls, good, now);
    over.then_some(Why::Errors)
}

/// Counts what a receipt says; a failed one in its course, a delivered one in both.
fn count_receipt(
    record: &mut Record,
    course: Course,
    report: &Reported,
    now: Moment,
) -> Option<Why> {
    let Reported { delivered, .. } = *report;
    if report.first {
        record.lessons.delivered.add(delivered, now);
    }
    let closed = record.breaker.reported(delivered, report.accepted_at, now);
    if closed {
        record.forget_tracks();
        return None;
    }
    if !record.breaker.is_news(report.accepted_at) {
        return None;
    }
    record.count(Course::Quiet, true, now);
    if delivered {
        record.count(Course::Receipts, true, now);
        record.count(Course::Reach, true, now);
        return None;
    }
    let over = record.count(course, false, now);
    over.then_some(Why::Undelivered)
}
