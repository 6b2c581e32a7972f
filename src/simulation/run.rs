//! One run: deliveries begin, vendors answer and report, and the machine is fed, in virtual time.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::delivery::{Action, Delivery, Event, Skip, Terms};
use crate::explain::AIM_EARLY_MS;
use crate::fitness::{is_silence_excused, late_sign, moved_from, sign, skip, slow_sign, suit};
use crate::flow::{
    DeliveryId, Learning, Plan, Progress, Reason, Receipt, Step, Verdict, VerdictKind,
};
use crate::rules::Decision;
use crate::simulation::conduct::Fate;
use crate::simulation::dice::Dice;
use crate::simulation::queue::{Queue, Queued, What};
use crate::simulation::scenario::Scenario;
use crate::simulation::stream::Stream;
use crate::simulation::tally::{Fared, Tally, VendorTally};
use crate::simulation::world::World;
use crate::time::Moment;

/// The stretches of time that are counted apart.
pub(super) const STRETCHES: usize = 60;

/// What a run came to.
pub(super) struct Ran {
    pub(super) by_country: Vec<Tally>,
    pub(super) by_vendor: Vec<VendorTally>,
    pub(super) by_time: Vec<Tally>,
}

/// A run under way.
pub(super) struct Run<'a> {
    scenario: &'a Scenario,
    catalog: &'a Catalog,
    /// Each plan is cut to its first vendor and one call.
    one_vendor: bool,
    seed: u64,
    epoch: Moment,
    deadline_ms: i64,
    world: World<'a>,
    streams: Vec<Stream>,
    flights: Vec<Flight>,
    free: Vec<usize>,
    queue: Queue,
    ran: Ran,
}

/// A delivery, until nothing of it is queued any more.
struct Flight {
    delivery: Delivery,
    stream: usize,
    seed: u64,
    fared: Fared,
    /// When it will be woken next.
    wakes_at: Option<Moment>,
    queued: u32,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        catalog: &'a Catalog,
        one_vendor: bool,
        seed: u64,
        epoch: Moment,
    ) -> Run<'a> {
        let world = World::new(scenario, catalog);
        let streams = scenario.traffic.iter().enumerate();
        let streams = streams.map(|(index, traffic)| {
            let country = world.countries.binary_search(&traffic.to.country());
            let dice = Dice::of(seed, index as u64);
            Stream::new(traffic, country.unwrap_or_default(), scenario.life_ms, dice)
        });
        let within_ms = catalog.config.hook.answer_within_ms;
        Run {
            one_vendor,
            seed,
            epoch,
            deadline_ms: scenario.deadline_ms.unwrap_or(within_ms),
            streams: streams.collect(),
            flights: Vec::new(),
            free: Vec::new(),
            queue: Queue::default(),
            ran: Ran {
                by_country: vec![Tally::default(); world.countries.len()],
                by_vendor: vec![VendorTally::default(); world.vendors.len()],
                by_time: vec![Tally::default(); STRETCHES],
            },
            world,
            scenario,
            catalog,
        }
    }

    /// Runs to the end, and until nothing is on its way any more.
    pub(super) fn run(mut self) -> (World<'a>, Ran) {
        let mut events = VecDeque::new();
        for stream in 0..self.streams.len() {
            self.queue_next(stream);
        }
        while let Some(Queued {
            at, whose, what, ..
        }) = self.queue.pop()
        {
            let event = match what {
                What::Begins => {
                    self.begin(whose, at, &mut events);
                    self.queue_next(whose);
                    continue;
                }
                What::Wakes => self.woken(whose, at),
                What::Answers {
                    attempt,
                    answer,
                    reason,
                } => {
                    let verdict = answer.verdict(reason);
                    Some(self.answered(whose, attempt, verdict, at))
                }
                What::Reports { attempt, failed } => self.reported(whose, attempt, failed, at),
            };
            if let Some(event) = event {
                events.push_back(event);
                self.feed(whose, &mut events, at);
            }
            self.release(whose);
        }
        (self.world, self.ran)
    }

    /// Queues the stream's next person.
    fn queue_next(&mut self, stream: usize) {
        if let Some(ms) = self.streams[stream].next_ms(&self.scenario.traffic[stream]) {
            self.queue
                .push(self.epoch.plus_ms(ms), stream, What::Begins);
        }
    }

    fn push_of(&mut self, at: Moment, flight: usize, what: What) {
        self.flights[flight].queued += 1;
        self.queue.push(at, flight, what);
    }

    /// Somebody asks for a passcode.
    fn begin(&mut self, stream: usize, now: Moment, events: &mut VecDeque<Event>) {
        let known = &mut self.streams[stream];
        let seed = Dice::of(self.seed ^ stream as u64, known.count.rotate_left(32)).next();
        known.count += 1;
        let mut dice = Dice::new(seed);
        let id = (u128::from(dice.next()) << 64) | u128::from(dice.next());
        known.message.id = DeliveryId::from_bytes(id.to_be_bytes());
        known.message.received_at = now;
        let country = known.country;
        let Some(plan) = self.plan(stream, dice.next(), now) else {
            self.ran.by_country[country].refused += 1;
            return;
        };
        let message = &self.streams[stream].message;
        let terms = Terms {
            id: message.id,
            received_at: now,
            answer_by: now.plus_ms(self.deadline_ms - AIM_EARLY_MS),
            expires_at: now.plus_ms(message.life_ms),
            answer_at_once: self.catalog.config.hook.answer_when_journaled,
        };
        let flight = self.take_off(Flight {
            delivery: Delivery::new(terms, Arc::new(plan)),
            stream,
            seed,
            fared: Fared::default(),
            wakes_at: None,
            queued: 0,
        });
        // The disk takes no time.
        events.extend([Event::Woke, Event::Journaled { durable: true }]);
        self.feed(flight, events, now);
        self.release(flight);
    }

    fn take_off(&mut self, flight: Flight) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.flights[place] = flight;
                place
            }
            None => {
                self.flights.push(flight);
                self.flights.len() - 1
            }
        }
    }

    /// What the guard, the rules and what was learned make of a message.
    fn plan(&self, stream: usize, recipient: u64, now: Moment) -> Option<Plan> {
        let Stream {
            message, country, ..
        } = &self.streams[stream];
        let country = self.world.countries[*country];
        let rules = &self.catalog.rules;
        if !rules.guard().allows(country) {
            return None;
        }
        let Decision::Plan(mut plan) = rules.decide(message, recipient) else {
            return None;
        };
        if self.one_vendor {
            cut(&mut plan);
        }
        let reports = |step: &Step| self.world.reports(step);
        suit(
            &mut plan,
            message.id,
            country,
            &self.world.health,
            reports,
            now,
        );
        Some(plan)
    }

    /// Feeds events and does what the delivery says, as the driver in `dispatch` does.
    fn feed(&mut self, flight: usize, events: &mut VecDeque<Event>, now: Moment) {
        let country = self.world.countries[self.country_of(flight)];
        while let Some(event) = events.pop_front() {
            let delivery = &mut self.flights[flight].delivery;
            if let Some((attempt, sign)) = sign(delivery, &event, now) {
                let vendor = &delivery.plan().steps[delivery.attempts()[attempt].step].vendor;
                self.world.health.saw(vendor, country, sign, now);
            }
            for action in delivery.on(event, now) {
                match action {
                    Action::Send { attempt, .. } => {
                        if let Some(why) = self.send(flight, attempt, now) {
                            events.push_back(Event::Skipped { attempt, why });
                        }
                    }
                    Action::AskSilence { attempt } => {
                        let delivery = &self.flights[flight].delivery;
                        let excused = is_silence_excused(delivery, attempt, &self.world.health);
                        events.push_back(Event::Silent { attempt, excused });
                    }
                    Action::Answer(_) | Action::Close(_) => {}
                }
            }
        }
        self.queue_wake(flight);
    }

    /// Calls the vendor, or says why not.
    fn send(&mut self, flight: usize, attempt: usize, now: Moment) -> Option<Skip> {
        let country = self.world.countries[self.country_of(flight)];
        let delivery = &self.flights[flight].delivery;
        if let Some((before, sign)) = slow_sign(delivery, attempt, now) {
            let vendor = &delivery.plan().steps[delivery.attempts()[before].step].vendor;
            self.world.health.saw(vendor, country, sign, now);
        }
        let why = skip(delivery, country, attempt, &mut self.world, now);
        if why.is_some() {
            return why;
        }
        if let Some(full) = self.world.take_quota(delivery, attempt, now) {
            return Some(full);
        }
        if let Some(before) = moved_from(delivery, attempt, now) {
            if let Some(vendor) = self.vendor_of(flight, before) {
                self.ran.by_vendor[vendor].left += 1;
            }
            self.flights[flight].fared.failovers += 1;
        }
        self.call(flight, attempt, now)
    }

    fn call(&mut self, flight: usize, attempt: usize, now: Moment) -> Option<Skip> {
        let Some(vendor) = self.vendor_of(flight, attempt) else {
            return Some(Skip::Gone);
        };
        let country = self.country_of(flight);
        let known = &self.flights[flight];
        let step = &known.delivery.plan().steps[known.delivery.attempts()[attempt].step];
        let reports = step.receipts.is_some();
        let at = now.ms_since(self.epoch);
        let conduct = self.world.vendors[vendor].conduct(country, step.channel, at);
        let Some(conduct) = conduct else {
            return Some(Skip::Gone);
        };
        let mut dice = Dice::of(known.seed, self.nth_call(flight, attempt, vendor));
        let fate = conduct.call(&mut dice);
        let reason = conduct.reason();
        self.fare(flight, vendor, &fate, now);
        let attempt = u16::try_from(attempt).unwrap_or(u16::MAX);
        let answers = What::Answers {
            attempt,
            answer: fate.answer,
            reason,
        };
        self.push_of(now.plus_ms(fate.answers_ms), flight, answers);
        if let Some(ms) = fate.reports_ms.filter(|_| reports) {
            let failed = fate.arrives_ms.is_none().then_some(reason);
            self.push_of(now.plus_ms(ms), flight, What::Reports { attempt, failed });
        }
        None
    }

    /// Notes what a call costs and when its message arrives.
    fn fare(&mut self, flight: usize, vendor: usize, fate: &Fate, now: Moment) {
        let country = self.country_of(flight);
        let tally = &mut self.ran.by_vendor[vendor];
        let known = &mut self.flights[flight];
        let fared = &mut known.fared;
        tally.calls += 1;
        fared.calls += 1;
        if fate.is_sent {
            let price = self.world.vendors[vendor].prices[country];
            fared.cost += price;
            tally.cost += price;
        }
        let begun_ms = now.ms_since(known.delivery.terms().received_at);
        let arrives_ms = fate.arrives_ms.map(|ms| begun_ms + ms);
        if let Some(ms) = arrives_ms.filter(|ms| *ms < self.scenario.life_ms) {
            tally.arrived += 1;
            fared.arrivals += 1;
            fared.arrived_ms = Some(fared.arrived_ms.map_or(ms, |known| known.min(ms)));
        }
    }

    /// Names a call of a delivery, the same one in every run of the scenario.
    fn nth_call(&self, flight: usize, attempt: usize, vendor: usize) -> u64 {
        let delivery = &self.flights[flight].delivery;
        let made = &delivery.attempts()[..attempt];
        let step = delivery.attempts()[attempt].step;
        let again = made.iter().filter(|a| a.step == step).count();
        ((vendor as u64) << 32) | again as u64
    }

    fn woken(&mut self, flight: usize, now: Moment) -> Option<Event> {
        let known = &mut self.flights[flight];
        known.queued -= 1;
        if known.wakes_at == Some(now) {
            known.wakes_at = None;
        }
        let wake_at = known.delivery.wake_at()?;
        if wake_at <= now {
            return Some(Event::Woke);
        }
        self.queue_wake(flight);
        None
    }

    /// Whatever else is queued for it, a delivery is woken when it wants to be.
    fn queue_wake(&mut self, flight: usize) {
        let known = &mut self.flights[flight];
        let Some(wake_at) = known.delivery.wake_at() else {
            return;
        };
        if known.wakes_at.is_none_or(|known| wake_at < known) {
            known.wakes_at = Some(wake_at);
            self.push_of(wake_at, flight, What::Wakes);
        }
    }

    fn answered(&mut self, flight: usize, attempt: u16, verdict: Verdict, now: Moment) -> Event {
        let attempt = usize::from(attempt);
        let vendor = self.vendor_of(flight, attempt);
        let known = &mut self.flights[flight];
        known.queued -= 1;
        if !verdict.may_have_been_sent() {
            self.world.return_quota(&known.delivery, attempt);
        }
        if verdict.kind == VerdictKind::Accepted {
            let ms = now.ms_since(known.delivery.terms().received_at);
            known.fared.accepted_ms.get_or_insert(ms);
            if let Some(vendor) = vendor {
                self.ran.by_vendor[vendor].accepted += 1;
            }
        }
        Event::Settled { attempt, verdict }
    }

    /// The receipt; after the delivery is over it only tells of the vendor's health.
    fn reported(
        &mut self,
        flight: usize,
        attempt: u16,
        failed: Option<Reason>,
        now: Moment,
    ) -> Option<Event> {
        let attempt = usize::from(attempt);
        let receipt = Receipt {
            progress: match failed {
                Some(_) => Progress::Failed,
                None => Progress::Delivered,
            },
            reason: failed,
            code: None,
            capped: false,
            unlisted: false,
        };
        let country = self.world.countries[self.country_of(flight)];
        let known = &mut self.flights[flight];
        known.queued -= 1;
        if known.delivery.outcome().is_none() {
            return Some(Event::Reported { attempt, receipt });
        }
        let made = &known.delivery.attempts()[attempt];
        let step = &known.delivery.plan().steps[made.step];
        let accepted_at = made.accepted_at().unwrap_or(made.at);
        if let Some(sign) = late_sign(&receipt, accepted_at, step.sender_type()) {
            self.world.health.saw(&step.vendor, country, sign, now);
        }
        None
    }

    fn vendor_of(&self, flight: usize, attempt: usize) -> Option<usize> {
        let delivery = &self.flights[flight].delivery;
        let step = delivery.attempts()[attempt].step;
        self.world.vendor(&delivery.plan().steps[step].vendor)
    }

    fn country_of(&self, flight: usize) -> usize {
        self.streams[self.flights[flight].stream].country
    }

    /// Counts a delivery that is over, once nothing of it is queued any more.
    fn release(&mut self, flight: usize) {
        let known = &self.flights[flight];
        if known.queued > 0 || known.delivery.outcome().is_none() {
            return;
        }
        let begun_ms = known.delivery.terms().received_at.ms_since(self.epoch);
        let stretch = begun_ms * STRETCHES as i64 / self.scenario.lasts_ms.max(1);
        let stretch = usize::try_from(stretch).unwrap_or(0).min(STRETCHES - 1);
        let country = self.country_of(flight);
        self.ran.by_country[country].add(&known.fared, self.deadline_ms);
        self.ran.by_time[stretch].add(&known.fared, self.deadline_ms);
        self.free.push(flight);
    }
}

/// Leaves one vendor and one call: what Okta's published sample does.
fn cut(plan: &mut Plan) {
    plan.steps.retain(|step| step.waits.is_none());
    plan.steps.truncate(1);
    plan.pace.width = 1;
    // The first call is made at once, and none later.
    plan.pace.give_up_after_ms = 1;
    plan.learning = Learning::default();
}
