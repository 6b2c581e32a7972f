//! Knows who waits for which passcode, so that a newer one supersedes an older one.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dispatch::inbox::Report;
use crate::flow::{Channel, DeliveryId, Progress, Receipt, SenderType, Step, VendorName};
use crate::number::Country;
use crate::time::Moment;

/// Passcodes known at a time; beyond it the oldest are forgotten early.
const CLAIMS_MAX: usize = 200_000;
/// Passcodes of one person known at a time.
const CLAIMS_PER_PERSON_MAX: usize = 32;

/// One passcode that a person waits for.
pub(super) struct Claim {
    pub(super) id: DeliveryId,
    /// A keyed hash of org, user and number.
    pub(super) person: u64,
    /// A keyed hash of the address that the person asked from.
    pub(super) address: Option<u64>,
    pub(super) channel: Channel,
    pub(super) country: Country,
    pub(super) expires_at: Moment,
    superseded: AtomicBool,
    reach: Mutex<Reach>,
}

/// How far a passcode has come.
#[derive(Default)]
struct Reach {
    /// The attempts that a vendor was called for.
    called: Vec<Called>,
    /// The attempts by which it was sent, or may have been.
    sent: Vec<Sent>,
    delivered: bool,
}

/// An attempt whose vendor was called.
struct Called {
    attempt: usize,
    vendor: VendorName,
    channel: Channel,
}

/// What a receipt comes to that is late.
pub(super) enum Late {
    /// Nobody knows the delivery any more.
    Forgotten,
    /// There is no such message of this vendor.
    NotTheirs,
    /// The attempt, if that is news.
    Theirs(Option<Sent>),
}

/// An attempt whose vendor took the message, or may have.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) attempt: usize,
    pub(super) vendor: VendorName,
    pub(super) channel: Channel,
    pub(super) from: Option<Arc<str>>,
    pub(super) quota: Option<Arc<str>>,
    pub(super) sender: SenderType,
    pub(super) country: Country,
    pub(super) at: Moment,
    /// What became of it is known.
    settled: bool,
}

impl Claim {
    pub(super) fn new(
        id: DeliveryId,
        person: u64,
        address: Option<u64>,
        channel: Channel,
        country: Country,
        expires_at: Moment,
    ) -> Claim {
        Claim {
            id,
            person,
            address,
            channel,
            country,
            expires_at,
            superseded: AtomicBool::new(false),
            reach: Mutex::default(),
        }
    }

    /// A newer passcode has taken its place.
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// A vendor is called: from now on it may report.
    pub(super) fn called(&self, attempt: usize, step: &Step) {
        self.reach().called.push(Called {
            attempt,
            vendor: Arc::clone(&step.vendor),
            channel: step.channel,
        });
    }

    fn is_of(&self, report: &Report) -> bool {
        self.reach().called.iter().any(|called| {
            called.attempt == report.attempt
                && called.vendor == report.vendor
                && called.channel == report.channel
        })
    }

    /// A vendor has it, or may have.
    pub(super) fn sent(&self, attempt: usize, step: &Step, at: Moment) {
        let sent = Sent {
            attempt,
            vendor: Arc::clone(&step.vendor),
            channel: step.channel,
            from: step.from.clone(),
            quota: step.quota.clone(),
            sender: step.sender_type(),
            country: self.country,
            at,
            settled: false,
        };
        let mut reach = self.reach();
        reach.sent.retain(|known| known.attempt != attempt);
        reach.sent.push(sent);
    }

    /// A receipt says what became of it for good; gives the attempt when that is news.
    pub(super) fn reported(&self, attempt: usize, receipt: &Receipt) -> Option<Sent> {
        let delivered = match receipt.progress {
            Progress::Delivered => true,
            Progress::Failed => false,
            Progress::Intermediate | Progress::Unknown => return None,
        };
        let mut reach = self.reach();
        reach.delivered |= delivered;
        let sent = reach.sent.iter_mut().find(|sent| sent.attempt == attempt)?;
        let news = !std::mem::replace(&mut sent.settled, true);
        news.then(|| sent.clone())
    }

    /// The vendors that had it although it never arrived, as far as is known.
    pub(super) fn failed_by(&self) -> Vec<(VendorName, Channel)> {
        let reach = self.reach();
        if reach.delivered {
            return Vec::new();
        }
        let sent = reach.sent.iter();
        sent.map(|s| (Arc::clone(&s.vendor), s.channel)).collect()
    }

    /// Whether a newer call of the same person means that this passcode is of no use any more.
    fn gives_way_to(&self, newer: &Claim, resend: bool) -> bool {
        let same_address = self.address.is_some() && self.address == newer.address;
        same_address || resend || self.channel != newer.channel
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everybody who waits for a passcode.
#[derive(Default)]
pub(super) struct People(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_person: HashMap<u64, Vec<Arc<Claim>>>,
    by_id: HashMap<DeliveryId, Arc<Claim>>,
    by_age: VecDeque<Arc<Claim>>,
}

impl People {
    /// Takes a new passcode in; returns the older ones that it supersedes, oldest first.
    pub(super) fn claim(&self, newer: &Arc<Claim>, resend: bool, now: Moment) -> Vec<Arc<Claim>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget_old(now);
        let older = known.by_person.get(&newer.person);
        let older = older.into_iter().flatten();
        let superseded: Vec<Arc<Claim>> = older
            .filter(|older| older.gives_way_to(newer, resend))
            .cloned()
            .collect();
        for older in &superseded {
            older.superseded.store(true, Ordering::Release);
        }
        known.put(newer);
        superseded
    }

    /// Puts in a passcode from before a restart.
    pub(super) fn remember(&self, claim: &Arc<Claim>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.put(claim);
    }

    /// Notes from before a restart that a passcode was superseded.
    pub(super) fn superseded(&self, id: DeliveryId) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(claim) = known.by_id.get(&id) {
            claim.superseded.store(true, Ordering::Release);
        }
    }

    /// A receipt came for a delivery that was closed before.
    pub(super) fn reported_late(&self, id: DeliveryId, report: &Report) -> Late {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.by_id.get(&id) {
            None => Late::Forgotten,
            Some(claim) if !claim.is_of(report) => Late::NotTheirs,
            Some(claim) => Late::Theirs(claim.reported(report.attempt, &report.receipt)),
        }
    }
}

impl Known {
    fn put(&mut self, claim: &Arc<Claim>) {
        let of_person = self.by_person.entry(claim.person).or_default();
        of_person.push(Arc::clone(claim));
        if of_person.len() > CLAIMS_PER_PERSON_MAX {
            of_person.remove(0);
        }
        self.by_id.insert(claim.id, Arc::clone(claim));
        self.by_age.push_back(Arc::clone(claim));
    }

    /// Passcodes live about equally long, so the oldest in line expires first, nearly.
    fn forget_old(&mut self, now: Moment) {
        while let Some(oldest) = self.by_age.front() {
            if now < oldest.expires_at && self.by_age.len() < CLAIMS_MAX {
                return;
            }
            if let Some(oldest) = self.by_age.pop_front() {
                self.forget(&oldest);
            }
        }
    }

    fn forget(&mut self, claim: &Claim) {
        self.by_id.remove(&claim.id);
        if let Some(of_person) = self.by_person.get_mut(&claim.person) {
            of_person.retain(|c| c.id != claim.id);
            if of_person.is_empty() {
                self.by_person.remove(&claim.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(n: u8, person: u64, address: Option<u64>, channel: Channel) -> Arc<Claim> {
        let id = DeliveryId::from_bytes([n; 16]);
        Arc::new(Claim::new(
            id,
            person,
            address,
            channel,
            Country::NONE,
            Moment(1_000),
        ))
    }

    /// The numbers of the deliveries that a new one supersedes, such as `1 2`.
    fn superseded(people: &People, newer: &Arc<Claim>, resend: bool) -> String {
        let older = people.claim(newer, resend, Moment(0));
        let older = older.iter().map(|c| c.id.as_bytes()[0].to_string());
        older.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_same_person_at_the_same_address_supersedes() {
        let people = People::default();
        let first = claim(1, 7, Some(1), Channel::Sms);
        assert_eq!(superseded(&people, &first, false), "");
        let other_device = claim(2, 7, Some(2), Channel::Sms);
        assert_eq!(superseded(&people, &other_device, false), "");
        let other_person = claim(3, 8, Some(1), Channel::Sms);
        assert_eq!(superseded(&people, &other_person, false), "");
        let again = claim(4, 7, Some(1), Channel::Sms);
        assert_eq!(superseded(&people, &again, false), "1");
        assert!(first.is_superseded() && !other_device.is_superseded());
    }

    #[test]
    fn a_resend_and_the_other_channel_supersede_from_any_address() {
        let people = People::default();
        superseded(&people, &claim(1, 7, None, Channel::Sms), false);
        let call_me = claim(2, 7, None, Channel::Voice);
        assert_eq!(superseded(&people, &call_me, false), "1");
        let resend = claim(3, 7, Some(9), Channel::Voice);
        assert_eq!(superseded(&people, &resend, true), "1 2");
    }

    fn delivered(attempt: usize, vendor: &str, channel: Channel) -> Report {
        Report {
            attempt,
            vendor: vendor.into(),
            channel,
            receipt: Receipt {
                progress: Progress::Delivered,
                reason: None,
                code: None,
                capped: false,
                unlisted: false,
            },
        }
    }

    #[test]
    fn a_vendor_is_to_blame_unless_a_receipt_says_that_it_arrived() {
        let people = People::default();
        let first = claim(1, 7, Some(1), Channel::Sms);
        superseded(&people, &first, false);
        let step = Step {
            vendor: "a".into(),
            ..Step::default()
        };
        first.called(0, &step);
        first.sent(0, &step, Moment(5));
        assert_eq!(first.failed_by(), [("a".into(), Channel::Sms)]);
        for (attempt, vendor, channel) in [
            (0, "b", Channel::Sms),
            (0, "a", Channel::Voice),
            (1, "a", Channel::Sms),
        ] {
            let report = delivered(attempt, vendor, channel);
            let late = people.reported_late(first.id, &report);
            assert!(matches!(late, Late::NotTheirs));
            assert_eq!(first.failed_by(), [("a".into(), Channel::Sms)]);
        }
        let report = delivered(0, "a", Channel::Sms);
        let unknown = DeliveryId::from_bytes([9; 16]);
        let late = people.reported_late(unknown, &report);
        assert!(matches!(late, Late::Forgotten));
        let late = people.reported_late(first.id, &report);
        assert!(matches!(late, Late::Theirs(Some(sent)) if sent.at == Moment(5)));
        let again = people.reported_late(first.id, &report);
        assert!(matches!(again, Late::Theirs(None)));
        assert_eq!(first.failed_by(), []);
    }

    #[test]
    fn expired_passcodes_are_forgotten() {
        let people = People::default();
        superseded(&people, &claim(1, 7, Some(1), Channel::Sms), false);
        let later = claim(2, 7, Some(1), Channel::Sms);
        assert!(people.claim(&later, false, Moment(1_000)).is_empty());
        let known = people.0.lock().unwrap();
        assert_eq!((known.by_id.len(), known.by_age.len()), (1, 1));
    }
}
