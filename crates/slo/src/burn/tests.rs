use mare_manifest::model::objective::Percentile;
use proptest::prelude::*;

use super::*;
use crate::events::ceil;

const DAY: Duration = Duration::from_secs(86_400);
const ERRORS: Clause = Clause::Errors { max: 0.005 };

fn latency(percentile: Percentile) -> Clause {
    Clause::Latency { percentile, limit: Duration::from_millis(300) }
}

fn shown(clause: &Clause, window: Duration) -> Vec<String> {
    let text = |rule: Rule| {
        let (long, short) = (duration_text(rule.long), duration_text(rule.short));
        format!("{:?} {long}/{short} x{}", rule.severity, (rule.factor * 10.0).round() / 10.0)
    };
    rules(clause, window).into_iter().map(text).collect()
}

#[test]
fn thirty_days_give_the_workbooks_table_and_others_scale_it() {
    for (clause, days, expected) in [
        (ERRORS, 30.0, vec!["Page 1h/5m x14.4", "Page 6h/30m x6", "Ticket 1d/2h x3", "Ticket 3d/6h x1"]),
        (
            latency(Percentile::P95),
            30.0,
            vec!["Page 1h/5m x14.4", "Page 6h/30m x6", "Ticket 1d/2h x3", "Ticket 3d/6h x1"],
        ),
        (
            latency(Percentile::P75),
            30.0,
            vec!["Page 270m/1350s x3.2", "Page 675m/3375s x3.2", "Ticket 1d/2h x3", "Ticket 3d/6h x1"],
        ),
        (ERRORS, 90.0, vec!["Page 3h/15m x14.4", "Page 18h/90m x6", "Ticket 3d/6h x3", "Ticket 9d/18h x1"]),
        (
            ERRORS,
            7.0,
            vec!["Page 14m/70s x14.4", "Page 84m/7m x6", "Ticket 336m/28m x3", "Ticket 1008m/84m x1"],
        ),
        (ERRORS, 1.0, vec!["Page 12m/1m x6", "Ticket 48m/4m x3", "Ticket 144m/12m x1"]),
        (ERRORS, 1.0 / 24.0, vec!["Page 12m/1m x6", "Ticket 12m/1m x1"]),
    ] {
        assert_eq!(shown(&clause, DAY.mul_f64(days)), expected, "{clause} over {days} d");
    }
}

/// Ten requests per second, some share bad: `(seconds, share)` after one another, recorded every 10 s,
/// or every 5 min of long ones.
fn history(parts: &[(u64, f64)]) -> (History, u64) {
    let (mut history, mut now) = (History::new(0), 0);
    let (mut bad, mut total) = (0.0, 0);
    for &(seconds, share) in parts {
        let step = if seconds > 3600 { 300 } else { 10 };
        for _ in 0..seconds / step {
            now += step;
            total += step * 10;
            bad += (step * 10) as f64 * share;
            history.record(now, Events { good: total - ceil(bad), total });
        }
    }
    (history, now)
}

fn firing(parts: &[(u64, f64)]) -> Vec<String> {
    let (history, now) = history(parts);
    let burning = evaluate(&ERRORS, DAY * 30, &history, now, &[]);
    burning.iter().map(|burning| format!("{:?} x{}", burning.rule.severity, burning.rule.factor)).collect()
}

#[test]
fn a_rule_fires_when_both_of_its_windows_burn() {
    const HOUR: u64 = 3600;
    let quiet = (4 * 24 * HOUR, 0.0);
    // Steady burns below, between and above the factors.
    assert!(firing(&[(4 * 24 * HOUR, 0.0049)]).is_empty());
    assert_eq!(firing(&[(4 * 24 * HOUR, 0.006)]), ["Ticket x1"]);
    assert_eq!(firing(&[(4 * 24 * HOUR, 0.0151)]), ["Ticket x3", "Ticket x1"]);
    assert_eq!(firing(&[(4 * 24 * HOUR, 0.0301)]), ["Page x6", "Ticket x3", "Ticket x1"]);
    // An outage of everything: 7.2 % of an hour are 260 s.
    assert!(firing(&[quiet, (240, 1.0)]).is_empty());
    assert_eq!(firing(&[quiet, (280, 1.0)]), ["Page x14.4"]);
    // It is over: the short window has recovered, though the hour has not.
    assert!(firing(&[quiet, (280, 1.0), (400, 0.0)]).is_empty());
}

#[test]
fn a_few_failures_among_few_requests_alert_nobody() {
    let burning = |bad: u64| {
        let mut history = History::new(0);
        history.record(3600, Events { good: 20 - bad, total: 20 });
        evaluate(&ERRORS, DAY * 30, &history, 3600, &[])
    };
    assert!(burning(BAD_MIN - 1).is_empty());
    assert!(!burning(BAD_MIN).is_empty());
}

#[test]
fn what_burns_goes_on_until_clearly_below_its_factor() {
    let ticket = |share: f64, before: &[Burning]| {
        let (history, now) = history(&[(4 * 86_400, share)]);
        evaluate(&ERRORS, DAY * 30, &history, now, before)
    };
    let fired = ticket(0.0051, &[]);
    assert_eq!(fired.len(), 1);
    assert!(ticket(0.0048, &[]).is_empty());
    assert_eq!(ticket(0.0048, &fired).len(), 1);
    assert!(ticket(0.0044, &fired).is_empty());
}

#[test]
fn silence_is_no_recovery_and_no_alarm() {
    let (history, now) = history(&[(86_400, 0.0), (300, 1.0)]);
    let fired = evaluate(&ERRORS, DAY * 30, &history, now, &[]);
    let page = |burning: &[Burning]| burning.iter().filter(|b| b.rule.severity == Severity::Page).count();
    assert_eq!(page(&fired), 1);
    assert_eq!(page(&evaluate(&ERRORS, DAY * 30, &history, now + 900, &fired)), 1);
    assert_eq!(page(&evaluate(&ERRORS, DAY * 30, &history, now + 900, &[])), 0);
    assert_eq!(page(&evaluate(&ERRORS, DAY * 30, &history, now + 7200, &fired)), 0);
}

#[test]
fn the_reason_has_the_numbers() {
    let rule = rules(&ERRORS, DAY * 30)[0];
    let burning = |target, long, short| Burning {
        rule,
        target,
        long: Events { good: long, total: 1000 },
        short: Events { good: short, total: 100 },
    };
    for (burning, expected) in [
        (
            burning(0.995, 915, 69),
            "burns 17x: 8.5 % of requests in 1h and 31 % in 5m were bad, 7.2 % is the limit",
        ),
        (burning(1.0, 980, 99), "2 % of requests in 1h and 1 % in 5m were bad, 0 % is the limit"),
    ] {
        assert_eq!(burning.to_string(), expected);
    }
}

proptest! {
    #[test]
    fn every_rule_can_fire_within_the_objectives_window(
        target in 0.5..0.9999_f64,
        minutes in 12_u64..130_000,
    ) {
        let (clause, window) = (Clause::Availability { min: target }, Duration::from_secs(minutes * 60));
        let rules = rules(&clause, window);
        prop_assert!(rules.iter().any(|rule| rule.severity == Severity::Page));
        for rule in rules {
            prop_assert!(rule.factor >= 1.0 && rule.factor * (1.0 - target) < 1.0);
            prop_assert!(rule.long <= window && rule.short * 12 <= rule.long);
        }
    }
}
