//! What health does, rule by rule.

mod blame;
mod learning;

use super::*;
use crate::flow::VerdictKind;

/// Far from the epoch, as in life.
pub(super) const START: Moment = Moment(1_800_000_000_000);
/// Ten messages a second.
pub(super) const STEP_MS: i64 = 100;

/// A health whose time goes on by itself.
struct Scene {
    health: Health,
    vendor: VendorName,
    now: Moment,
}

pub(super) fn country(text: &str) -> Country {
    Country::parse(text).expect("a country")
}

pub(super) fn rejected(reason: Reason) -> Verdict {
    Verdict::failed(VerdictKind::Rejected, reason)
}

fn throttled(retry_after_ms: Option<i64>) -> Verdict {
    Verdict {
        retry_after_ms,
        ..Verdict::failed(VerdictKind::Throttled, Reason::Rate)
    }
}

impl Scene {
    fn new() -> Scene {
        Scene {
            health: Health::default(),
            vendor: "a".into(),
            now: START,
        }
    }

    /// `count` verdicts, one each tenth of a second.
    fn verdicts(&mut self, place: &str, verdict: &Verdict, count: usize) {
        for _ in 0..count {
            self.verdict(place, verdict, 50);
        }
    }

    fn verdict(&mut self, place: &str, verdict: &Verdict, ms: i64) {
        let first = true;
        self.saw(place, Sign::Verdict { verdict, ms, first });
    }

    fn good(&mut self, place: &str, count: usize) {
        self.verdicts(place, &Verdict::accepted(None), count);
    }

    fn bad(&mut self, place: &str, count: usize) {
        self.verdicts(place, &rejected(Reason::Server), count);
    }

    /// `count` receipts for messages accepted two seconds before.
    fn receipts(&mut self, place: &str, delivered: bool, reason: Option<Reason>, count: usize) {
        for _ in 0..count {
            let accepted_at = self.now.plus_ms(STEP_MS - 2_000);
            self.receipt(place, delivered, reason, accepted_at);
        }
    }

    fn receipt(
        &mut self,
        place: &str,
        delivered: bool,
        reason: Option<Reason>,
        accepted_at: Moment,
    ) {
        let sign = Sign::Reported {
            delivered,
            reason,
            accepted_at,
            sender: SenderType::Number,
            first: true,
        };
        self.saw(place, sign);
    }

    fn saw(&mut self, place: &str, sign: Sign<'_>) {
        self.pass(STEP_MS);
        self.health
            .saw(&self.vendor, country(place), sign, self.now);
    }

    fn pass(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    fn ask(&mut self, place: &str) -> Fitness {
        self.health.ask(&self.vendor, country(place), self.now)
    }

    fn state(&self, place: &str) -> State {
        self.health.state(&self.vendor, country(place), self.now)
    }

    /// Why it opened, even where a probe may already go.
    fn why(&self, place: &str) -> Option<Why> {
        let known = self.health.vendors.get(&self.vendor);
        known.and_then(|known| known.why(country(place), self.now))
    }

    /// Why it is unwell, and for how many milliseconds.
    fn unwell(&self, place: &str) -> Option<(Why, i64)> {
        match self.health.look(&self.vendor, country(place), self.now) {
            Fitness::Well | Fitness::Probe => None,
            Fitness::Unwell { why, until } => Some((why, until.ms_since(self.now))),
        }
    }
}

#[test]
fn a_vendor_nobody_knows_is_well() {
    let mut scene = Scene::new();
    assert_eq!(scene.ask("DE"), Fitness::Well);
    assert_eq!(scene.state("DE"), State::Closed);
}

#[test]
fn a_blip_does_not_move_a_country() {
    let mut scene = Scene::new();
    for _ in 0..20 {
        scene.good("DE", 30);
        scene.bad("DE", 3);
        assert_eq!(scene.ask("DE"), Fitness::Well);
    }
}

#[test]
fn five_failures_in_a_row_open_it() {
    let mut scene = Scene::new();
    scene.good("DE", 100);
    scene.bad("DE", 4);
    assert_eq!(scene.unwell("DE"), None);
    scene.bad("DE", 1);
    assert_eq!(scene.unwell("DE"), Some((Why::Errors, 1_000)));
    assert_eq!(scene.state("DE"), State::Open);
}

#[test]
fn a_third_of_calls_failing_opens_it() {
    let mut scene = Scene::new();
    for _ in 0..6 {
        scene.good("DE", 2);
        scene.bad("DE", 1);
        assert_eq!(scene.unwell("DE"), None, "too few are known");
    }
    scene.good("DE", 2);
    scene.bad("DE", 1);
    assert_eq!(scene.unwell("DE"), Some((Why::Errors, 1_000)));
}

#[test]
fn a_refused_account_opens_it_everywhere_at_once() {
    let mut scene = Scene::new();
    scene.good("FR", 100);
    scene.verdict("DE", &rejected(Reason::Account), 50);
    assert_eq!(scene.unwell("DE"), Some((Why::Account, 5_000)));
    assert_eq!(scene.unwell("FR"), Some((Why::Account, 5_000)));
    assert_eq!(scene.unwell("IT"), Some((Why::Account, 5_000)));
    scene.pass(5_000);
    assert_eq!(scene.ask("FR"), Fitness::Probe);
    scene.verdict("FR", &rejected(Reason::Account), 50);
    assert_eq!(scene.unwell("DE"), Some((Why::Account, 10_000)));
}

#[test]
fn a_refused_sender_is_the_country_s_trouble() {
    let mut scene = Scene::new();
    scene.verdicts("DE", &rejected(Reason::Sender), 20);
    scene.verdicts("AT", &rejected(Reason::Sender), 20);
    assert_eq!(scene.why("DE"), Some(Why::Errors));
    assert_eq!(scene.state("CH"), State::Closed);
}

#[test]
fn a_vendor_that_asks_for_rest_gets_it_everywhere() {
    let mut scene = Scene::new();
    scene.good("FR", 10);
    scene.verdict("DE", &throttled(Some(7_000)), 50);
    assert_eq!(scene.unwell("FR"), Some((Why::Throttled, 7_000)));
    assert_eq!(scene.state("DE"), State::Open);
    scene.pass(7_000);
    assert_eq!(scene.ask("DE"), Fitness::Well);
}

#[test]
fn a_rest_is_not_endless() {
    let mut scene = Scene::new();
    scene.verdict("DE", &throttled(Some(i64::MAX)), 50);
    assert_eq!(scene.unwell("DE"), Some((Why::Throttled, 300_000)));
}

#[test]
fn throttling_without_a_time_counts_for_the_share_only() {
    let mut scene = Scene::new();
    scene.good("DE", 40);
    scene.verdicts("DE", &throttled(None), 9);
    assert_eq!(scene.unwell("DE"), None);
    scene.verdicts("DE", &throttled(None), 10);
    assert!(matches!(scene.unwell("DE"), Some((Why::Throttled, _))));
}

#[test]
fn one_country_s_failures_leave_the_others_alone() {
    let mut scene = Scene::new();
    for _ in 0..30 {
        scene.bad("DE", 10);
        scene.good("FR", 1);
        assert_eq!(scene.ask("FR"), Fitness::Well);
        assert_eq!(scene.ask("IT"), Fitness::Well);
    }
    assert_ne!(scene.state("DE"), State::Closed);
}

#[test]
fn failures_in_many_countries_open_it_everywhere() {
    let mut scene = Scene::new();
    for place in ["DE", "FR", "IT", "ES", "PT"] {
        scene.bad(place, 1);
    }
    assert_eq!(scene.unwell("CH"), Some((Why::Errors, 1_000)));
}

#[test]
fn a_country_whose_own_traffic_goes_well_keeps_a_vendor_that_fails_elsewhere() {
    let mut scene = Scene::new();
    scene.good("PL", 10);
    for _ in 0..2 {
        for place in ["DE", "FR", "IT"] {
            scene.bad(place, 1);
        }
    }
    assert_eq!(scene.state("CH"), State::Open);
    assert_eq!(scene.ask("PL"), Fitness::Well);
}

#[test]
fn one_probe_at_a_time_and_three_close_it() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    scene.pass(999);
    assert!(matches!(scene.ask("DE"), Fitness::Unwell { .. }));
    scene.pass(1);
    assert_eq!(scene.state("DE"), State::Probing);
    for _ in 0..3 {
        assert_eq!(scene.state("DE"), State::Probing);
        assert_eq!(scene.ask("DE"), Fitness::Probe);
        assert!(matches!(scene.ask("DE"), Fitness::Unwell { .. }));
        scene.good("DE", 1);
    }
    assert_eq!(scene.ask("DE"), Fitness::Well);
    scene.bad("DE", 4);
    assert_eq!(scene.ask("DE"), Fitness::Well, "it began anew");
}

#[test]
fn looking_takes_no_place() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    scene.pass(1_000);
    for _ in 0..2 {
        let look = scene.health.look(&scene.vendor, country("DE"), scene.now);
        assert_eq!(look, Fitness::Probe);
    }
}

#[test]
fn a_probe_never_answered_frees_its_place() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    scene.pass(1_000);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
    scene.pass(breaker::PROBE_MAX_MS - 1);
    assert_eq!(scene.unwell("DE"), Some((Why::Errors, 1)));
    scene.pass(1);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
}

#[test]
fn a_probe_that_told_nothing_frees_its_place() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    scene.pass(1_000);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
    scene.verdict("DE", &rejected(Reason::InvalidNumber), 50);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
}

#[test]
fn what_began_before_the_probe_does_not_answer_it() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    scene.pass(1_000);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
    for _ in 0..5 {
        scene.verdict("DE", &Verdict::accepted(None), 1_900);
    }
    scene.verdict("DE", &rejected(Reason::Server), 1_900);
    assert!(matches!(scene.unwell("DE"), Some((Why::Errors, ms)) if ms > 8_000));
}

#[test]
fn each_failed_probe_doubles_the_pause_up_to_a_minute() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(scene.unwell("DE"), Some((Why::Errors, seconds * 1_000)));
        scene.pass(seconds * 1_000);
        assert_eq!(scene.ask("DE"), Fitness::Probe);
        scene.bad("DE", 1);
    }
}

/// Probes until it is closed, and tells how many it took.
fn recover(scene: &mut Scene) -> usize {
    let mut probes = 0;
    while scene.state("DE") != State::Closed {
        if scene.ask("DE") == Fitness::Probe {
            probes += 1;
            scene.good("DE", 1);
        }
        scene.pass(STEP_MS);
    }
    probes
}

#[test]
fn the_pause_begins_anew_only_after_it_has_been_well_for_a_while() {
    let mut scene = Scene::new();
    scene.bad("DE", 5);
    assert_eq!(recover(&mut scene), 3);
    scene.bad("DE", 5);
    assert_eq!(scene.unwell("DE"), Some((Why::Errors, 2_000)));
    assert_eq!(recover(&mut scene), 6, "a relapse must prove more");
    scene.good("DE", 600);
    scene.bad("DE", 5);
    assert_eq!(scene.unwell("DE"), Some((Why::Errors, 1_000)));
    assert_eq!(recover(&mut scene), 3);
}

#[test]
fn a_fifth_of_calls_slow_opens_it_and_quick_probes_close_it() {
    let mut scene = Scene::new();
    for _ in 0..10 {
        scene.good("DE", 9);
        scene.saw("DE", Sign::Slow { ms: 800 });
    }
    assert_eq!(scene.unwell("DE"), None, "one in ten is as usual");
    for _ in 0..60 {
        scene.good("DE", 3);
        scene.saw("DE", Sign::Slow { ms: 800 });
    }
    assert_eq!(scene.why("DE"), Some(Why::Slow));
    scene.pass(10_000);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
    scene.pass(800);
    scene.saw("DE", Sign::Slow { ms: 800 });
    assert!(matches!(scene.unwell("DE"), Some((Why::Slow, 2_000))));
    recover(&mut scene);
}

#[test]
fn answers_that_drift_beyond_three_seconds_are_slow_though_nobody_says_so() {
    let mut scene = Scene::new();
    let accepted = Verdict::accepted(None);
    for ms in (200..5_000).step_by(10) {
        scene.verdict("DE", &accepted, ms);
    }
    assert_eq!(scene.why("DE"), Some(Why::Slow));
}

#[test]
fn failed_receipts_open_it_and_an_accepted_probe_does_not_close_it() {
    let mut scene = Scene::new();
    scene.receipts("DE", true, None, 100);
    scene.receipts("DE", false, None, 8);
    assert_eq!(scene.unwell("DE"), Some((Why::Undelivered, 1_000)));
    scene.pass(1_000);
    for _ in 0..2 {
        assert_eq!(scene.state("DE"), State::Probing);
        assert_eq!(scene.ask("DE"), Fitness::Probe);
        scene.good("DE", 1);
        let accepted_at = scene.now;
        assert!(scene.unwell("DE").is_some(), "its receipt is waited for");
        scene.receipt("DE", true, None, START);
        assert!(scene.unwell("DE").is_some(), "an earlier message's");
        scene.receipt("DE", true, None, accepted_at);
    }
    assert_eq!(scene.ask("DE"), Fitness::Well);
}

#[test]
fn a_probe_without_a_receipt_makes_the_next_one_wait() {
    let mut scene = Scene::new();
    scene.receipts("DE", true, None, 100);
    for _ in 0..8 {
        scene.saw("DE", Sign::Silent { first: true });
    }
    assert_eq!(scene.unwell("DE"), Some((Why::Silent, 1_000)));
    scene.pass(1_000);
    assert_eq!(scene.ask("DE"), Fitness::Probe);
    scene.good("DE", 1);
    assert_eq!(
        scene.unwell("DE"),
        Some((Why::Silent, 6_000)),
        "3 times 2 s"
    );
    scene.pass(6_000);
    assert_eq!(scene.unwell("DE"), Some((Why::Silent, 2_000)));
    assert_eq!(scene.state("DE"), State::Open);
}

#[test]
fn the_silence_of_messages_from_before_the_opening_does_not_open_it_again() {
    let mut scene = Scene::new();
    scene.receipts("DE", true, None, 100);
    scene.receipts("DE", false, None, 8);
    scene.pass(1_000);
    for _ in 0..2 {
        assert_eq!(scene.ask("DE"), Fitness::Probe);
        scene.good("DE", 1);
        let accepted_at = scene.now;
        scene.receipt("DE", true, None, accepted_at);
    }
    for _ in 0..20 {
        scene.saw("DE", Sign::Silent { first: true });
    }
    assert_eq!(scene.unwell("DE"), None);
}

#[test]
fn cells_are_bounded_and_the_least_used_go_first() {
    let mut health = Health::holding(100);
    let vendor: VendorName = "a".into();
    let verdict = Verdict::accepted(None);
    let sign = Sign::Verdict {
        verdict: &verdict,
        ms: 5,
        first: true,
    };
    let letters = || b'A'..=b'Z';
    let places = letters().flat_map(|a| letters().map(move |b| [a, b]));
    let mut now = START;
    for place in places {
        now = now.plus_ms(1);
        let text = String::from_utf8(place.to_vec()).expect("letters");
        health.saw(&vendor, country(&text), sign, now);
        health.saw(&vendor, country("DE"), sign, now);
        assert!(health.cells <= 100);
    }
    let cells = health.cells(now);
    assert!(cells.iter().any(|cell| cell.country == country("DE")));
    assert!(!cells.iter().any(|cell| cell.country == country("AA")));
}

#[test]
fn vendors_are_bounded() {
    let mut health = Health::holding(5_000);
    for n in 0..1_500_i64 {
        let vendor: VendorName = format!("v{n}").into();
        let sign = Sign::Silent { first: true };
        health.saw(&vendor, country("DE"), sign, START.plus_ms(n));
    }
    assert_eq!((health.vendors.len(), health.cells), (1_000, 1_000));
}
