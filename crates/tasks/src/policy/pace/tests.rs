use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn limits(per_second: f64, burst: u32) -> RateLimits {
    RateLimits { per_second, burst, concurrent: 1000 }
}

fn at(seconds: f64) -> Timestamp {
    later(START, Duration::from_secs_f64(seconds))
}

fn status(status: u16) -> Answer {
    Answer::Status { status, retry_after: None }
}

/// Takes whatever there is, as soon as it is there, until `seconds` have passed.
fn drain(pace: &mut Pace, limits: &RateLimits, from: f64, to: f64) -> u32 {
    let (mut now, mut taken) = (at(from), 0);
    while now < at(to) {
        let count = pace.available(limits, now);
        pace.take(limits, now, count);
        taken += count;
        now = pace.next_at(limits, now);
    }
    taken
}

#[test]
fn a_queue_begins_with_its_burst_and_goes_on_at_its_rate() {
    let limits = limits(10.0, 5);
    let mut pace = Pace::new(&limits, START);
    assert_eq!(drain(&mut pace, &limits, 0.0, 2.05), 5 + 20);
    assert_eq!(pace.available(&limits, at(60.0)), 5, "no more than the burst is saved up");
}

#[test]
fn a_resumed_queue_reaches_its_rate_in_ten_seconds() {
    let limits = limits(100.0, 50);
    let mut pace = Pace::new(&limits, START);
    pace.resume(&limits, START);
    assert_eq!(pace.available(&limits, START), 5, "a tenth of the burst");
    // From 10/s to 19/s in the first second, 550 in the whole ramp.
    let first = drain(&mut pace, &limits, 0.0, 1.0) - 5;
    assert!((14..=15).contains(&first), "{first}");
    let ramp = first + drain(&mut pace, &limits, 1.0, 10.0);
    assert!((548..=550).contains(&ramp), "{ramp}");
    let after = drain(&mut pace, &limits, 10.0, 12.0);
    assert!((199..=201).contains(&after), "{after}");
}

#[test]
fn targets_that_say_no_slow_the_queue_and_success_restores_it() {
    let limits = limits(64.0, 1);
    let mut pace = Pace::new(&limits, START);
    let mut check = |answer: Answer, second: f64, expected: f64| {
        pace.observe(&limits, &answer, at(second));
        assert!((pace.throttle - expected).abs() < 1e-9, "{answer:?} at {second}: {}", pace.throttle);
    };
    check(status(503), 0.0, 0.5);
    check(status(429), 0.5, 0.5);
    check(status(429), 1.0, 0.25);
    check(status(500), 3.0, 0.25);
    check(Answer::Deadline, 3.0, 0.25);
    check(status(204), 3.0, 0.265_625);
    for second in 4..20 {
        pace.observe(&limits, &status(503), at(f64::from(second)));
    }
    assert!((pace.throttle - 1.0 / 64.0).abs() < 1e-9);
    assert_eq!(drain(&mut pace, &limits, 20.0, 30.5), 11, "one per second is left");
    for _ in 0..100 {
        pace.observe(&limits, &status(200), at(31.0));
    }
    assert!((pace.throttle - 1.0).abs() < 1e-9);
}

#[test]
fn a_rate_without_limit_is_none() {
    let limits = limits(f64::INFINITY, 1);
    let mut pace = Pace::new(&limits, START);
    pace.resume(&limits, START);
    pace.observe(&limits, &status(503), START);
    pace.take(&limits, START, 1_000_000);
    assert_eq!(pace.available(&limits, START), u32::MAX);
    assert_eq!(pace.next_at(&limits, at(1.0)), at(1.0));
    let slow = self::limits(1.0, 3);
    pace.change(&limits, &slow, at(1.0));
    assert_eq!(pace.available(&slow, at(1.0)), 1);
}

proptest! {
    #[test]
    fn never_more_begin_than_burst_and_rate_allow(
        per_second in 0.1..1000.0f64, burst in 1..200u32, resumed in any::<bool>(),
        steps in prop::collection::vec((0.0..3.0f64, 0..300u32, 0..4u8), 1..60),
    ) {
        let limits = limits(per_second, burst);
        let mut pace = Pace::new(&limits, START);
        if resumed {
            pace.resume(&limits, START);
        }
        let (mut second, mut taken) = (0.0, 0);
        for (wait, wanted, answer) in steps {
            second += wait;
            let now = at(second);
            let count = wanted.min(pace.available(&limits, now));
            pace.take(&limits, now, count);
            taken += count;
            match answer {
                0 => pace.observe(&limits, &status(503), now),
                1 => pace.observe(&limits, &status(200), now),
                _ => {}
            }
            prop_assert!(f64::from(taken) <= f64::from(burst) + per_second * second + 1e-3);
            let next = pace.next_at(&limits, now);
            prop_assert!(pace.available(&limits, next) >= 1, "{:?}", pace);
            prop_assert!(next == now || pace.available(&limits, later(next, Duration::ZERO)) >= 1);
        }
    }

    #[test]
    fn how_often_it_is_asked_changes_nothing(seconds in prop::collection::vec(0.0..4.0f64, 1..10)) {
        let limits = limits(20.0, 1000);
        let mut asked = Pace::new(&limits, START);
        asked.take(&limits, START, 1000);
        asked.resume(&limits, START);
        let once = asked;
        let mut second = 0.0;
        for wait in seconds {
            second += wait;
            asked = asked.filled(&limits, at(second));
        }
        prop_assert!((asked.bucket.level() - once.filled(&limits, at(second)).bucket.level()).abs() < 1e-6);
    }
}
