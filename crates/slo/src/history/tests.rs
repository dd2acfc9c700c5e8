use proptest::prelude::*;

use super::*;

const DAY: u64 = 86_400;

fn events(good: u64, total: u64) -> Events {
    Events { good, total }
}

/// One event per second, so that counts are lengths; recorded every `every` seconds until `end`.
fn steady(every: u64, end: u64) -> History {
    let mut history = History::new(0);
    for now in (every..=end).step_by(usize::try_from(every).unwrap()) {
        history.record(now, events(now, now));
    }
    history
}

#[test]
fn windows_are_at_most_two_percent_longer_and_samples_are_bounded() {
    let end = 100 * DAY;
    let history = steady(300, end);
    assert!(history.samples.len() < 1_600, "{} samples", history.samples.len());
    for window in [300, 1_800, 3_600, 7_200, 6 * 3_600, DAY, 3 * DAY, 30 * DAY, 90 * DAY] {
        let length = history.counts(Duration::from_secs(window), end).total;
        let longest = window as f64 + (window as f64 * History::ERROR).max(300.0);
        assert!(window <= length && length as f64 <= longest, "{window}: {length}");
    }
}

#[test]
fn samples_are_bounded_when_taken_every_second() {
    let history = steady(1, DAY / 4);
    // 2 · ln(6 h / 1 s) / ln(1.02)
    assert!(history.samples.len() < 1_010, "{} samples", history.samples.len());
}

proptest! {
    #[test]
    fn a_window_is_never_shorter_and_within_the_stated_error(
        steps in proptest::collection::vec(1_u64..5_000, 1..400),
        window in 1_u64..1_000_000,
    ) {
        let mut history = History::new(0);
        let (mut now, longest_step) = (0, *steps.iter().max().unwrap());
        for step in steps {
            now += step;
            history.record(now, events(now, now));
        }
        let length = history.counts(Duration::from_secs(window), now).total;
        prop_assert!(length >= window.min(now));
        let error = (window as f64 * History::ERROR).max(longest_step as f64);
        prop_assert!(length as f64 <= window as f64 + error, "{window}: {length}");
    }

    #[test]
    fn no_count_is_lost_whatever_the_clock_and_the_counter_do(
        records in proptest::collection::vec((0_u64..10_000, 0_u64..50, any::<bool>()), 1..60),
    ) {
        let mut history = History::new(5_000);
        let (mut counter, mut sum) = (0, 0);
        for (now, count, reread) in records {
            if reread {
                history = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap();
                counter = 0;
            }
            counter += count;
            sum += count;
            history.record(now, events(counter, counter));
            prop_assert_eq!(history.last().total, sum);
            prop_assert!(history.samples.windows(2).all(|pair| pair[0].at < pair[1].at));
        }
    }
}

#[test]
fn a_new_process_continues_where_the_old_one_ended() {
    let mut history = History::new(0);
    history.record(10, events(90, 100));
    let mut history: History = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap();
    history.record(30, events(5, 5));
    history.record(40, events(6, 7));
    assert_eq!(history.counts(Duration::from_secs(100), 40), events(96, 107));
    assert_eq!(history.counts(Duration::from_secs(30), 40), events(6, 7));
}

#[test]
fn a_counter_that_went_back_began_again() {
    let mut history = History::new(0);
    history.record(10, events(100, 100));
    history.record(20, events(3, 4));
    assert_eq!(history.counts(Duration::from_secs(60), 20), events(103, 104));
}

#[test]
fn a_window_ends_now_even_when_nothing_was_recorded_since() {
    let mut history = History::new(0);
    history.record(10, events(5, 10));
    assert_eq!(history.counts(Duration::from_secs(60), 50).total, 10);
    assert_eq!(history.counts(Duration::from_secs(60), 100).total, 0);
}

/// The form of version 1 stays readable.
#[test]
fn kept_bytes_are_read_and_broken_ones_refused() {
    let kept = r#"{"version":"1","samples":[{"at":5,"good":0,"total":0},{"at":9,"good":3,"total":4}]}"#;
    let history: History = serde_json::from_str(kept).unwrap();
    assert_eq!(history.counts(Duration::from_secs(60), 9), events(3, 4));
    assert_eq!(serde_json::to_string(&history).unwrap(), kept);
    for broken in [
        r#"{"version":"2","samples":[]}"#,
        r#"{"version":"1","samples":[]}"#,
        r#"{"version":"1","samples":[{"at":5,"good":3,"total":2}]}"#,
        r#"{"version":"1","samples":[{"at":5,"good":0,"total":0},{"at":5,"good":0,"total":0}]}"#,
    ] {
        assert!(serde_json::from_str::<History>(broken).is_err(), "{broken}");
    }
}
