use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn policy() -> Policy {
    Policy {
        min: 0,
        max: 10,
        concurrency: 10,
        idle: Duration::from_secs(60),
        hold: Duration::from_secs(30),
        starts: 4,
    }
}

fn load(in_flight: u32, now: Time) -> Load {
    Load { mean: f64::from(in_flight), peak: in_flight, current: in_flight, last_activity: Some(now) }
}

fn policies() -> impl Strategy<Value = Policy> {
    (0..5u32, 1..20u32, 1..100u32, 1..100u64, 0..100u64, 1..8u32).prop_map(
        |(min, more, concurrency, idle, hold, starts)| Policy {
            min,
            max: min + more,
            concurrency,
            idle: Duration::from_secs(idle),
            hold: Duration::from_secs(hold),
            starts,
        },
    )
}

/// Loads as they are: nobody is in flight without having been active.
fn loads() -> impl Strategy<Value = Vec<(u64, u32, u32)>> {
    prop::collection::vec((0..20_000u64, 0..3000u32, 0..500u32), 1..60)
}

/// Runs a history given as (milliseconds later, in flight, extra peak) and returns state, time and load.
fn replay(policy: &Policy, history: &[(u64, u32, u32)]) -> (State, Time, Load, Vec<Decision>) {
    let (mut state, mut now, mut last, mut seen) = (State::default(), Time(0), None, Load::default());
    let mut decisions = Vec::new();
    for (later, in_flight, extra) in history {
        now = now + Duration::from_millis(*later);
        if *in_flight > 0 || *extra > 0 {
            last = Some(now);
        }
        seen = Load { peak: in_flight + extra, last_activity: last, ..load(*in_flight, now) };
        decisions.push(decide(policy, &mut state, &seen, now));
    }
    (state, now, seen, decisions)
}

#[test]
fn a_step_is_answered_at_once_and_in_full() {
    let (policy, mut state) = (policy(), State::default());
    decide(&policy, &mut state, &load(10, Time(0)), Time(0));
    let now = Time(SECOND / 10);
    let stepped = Load { mean: 10.0, ..load(50, now) };
    assert_eq!(decide(&policy, &mut state, &stepped, now), Decision { desired: 5, reason: Reason::Load });
}

#[test]
fn a_steady_load_gets_square_root_headroom() {
    let (policy, mut state) = (policy(), State::default());
    // 36 + sqrt(36) = 42 slots.
    let decision = decide(&policy, &mut state, &load(36, Time(0)), Time(0));
    assert_eq!(decision, Decision { desired: 5, reason: Reason::Headroom });
}

#[test]
fn scale_down_waits_for_the_window() {
    let (policy, mut state) = (policy(), State::default());
    decide(&policy, &mut state, &load(95, Time(0)), Time(0));
    let mut first_drop = None;
    for second in 1..100 {
        let now = Time(second * SECOND);
        let decision = decide(&policy, &mut state, &load(1, now), now);
        if decision.desired < 10 && first_drop.is_none() {
            first_drop = Some(second);
        }
    }
    // The smoothed load keeps asking for all ten for a moment after the drop.
    assert!(first_drop.is_some_and(|second| (30..=36).contains(&second)), "{first_drop:?}");
}

#[test]
fn what_max_forbids_is_named() {
    let decision = decide(&policy(), &mut State::default(), &load(1000, Time(0)), Time(0));
    assert_eq!(decision, Decision { desired: 10, reason: Reason::Maximum });
}

#[test]
fn short_requests_never_let_a_busy_service_look_idle() {
    // Every report finds nothing in flight: each request came and went between two of them.
    let (policy, mut state) = (policy(), State::default());
    for second in 0..600 {
        let now = Time(second * SECOND);
        let seen = Load { mean: 0.001, peak: 1, current: 0, last_activity: Some(now) };
        assert!(decide(&policy, &mut state, &seen, now).desired >= 1);
    }
}

#[test]
fn nobody_is_started_for_a_service_never_used() {
    let decision = decide(&policy(), &mut State::default(), &Load::default(), Time(SECOND));
    assert_eq!(decision, Decision { desired: 0, reason: Reason::Idle });
}

proptest! {
    #[test]
    fn desired_stays_within_min_and_max(policy in policies(), history in loads()) {
        let (.., decisions) = replay(&policy, &history);
        for decision in decisions {
            prop_assert!((policy.min..=policy.max).contains(&decision.desired));
        }
    }

    #[test]
    fn deciding_twice_changes_nothing(policy in policies(), history in loads()) {
        let (mut state, now, seen, decisions) = replay(&policy, &history);
        let before = state.clone();
        let again = decide(&policy, &mut state, &seen, now);
        prop_assert_eq!(Some(&again), decisions.last());
        prop_assert_eq!(state, before);
    }

    #[test]
    fn more_load_never_lowers_desired(
        policy in policies(), history in loads(), later in 0..20_000u64,
        low in (0..3000u32, 0..500u32), extra in (0..3000u32, 0..500u32),
    ) {
        let (state, now, ..) = replay(&policy, &history);
        let now = now + Duration::from_millis(later);
        let of = |(in_flight, extra): (u32, u32)| {
            let seen = Load { peak: in_flight + extra, ..load(in_flight, now) };
            decide(&policy, &mut state.clone(), &seen, now).desired
        };
        prop_assert!(of(low) <= of((low.0 + extra.0, low.1 + extra.1)));
    }

    #[test]
    fn reaches_the_minimum_when_idle(policy in policies(), history in loads()) {
        let (mut state, now, seen, _) = replay(&policy, &history);
        let quiet = Load { last_activity: seen.last_activity, ..Load::default() };
        let later = now + policy.idle;
        prop_assert_eq!(decide(&policy, &mut state, &quiet, later).desired, policy.min);
    }

    #[test]
    fn capacity_always_covers_the_demand_that_max_allows(policy in policies(), history in loads()) {
        let (_, _, seen, decisions) = replay(&policy, &history);
        let slots = decisions.last().map_or(0, |d| d.desired) * policy.concurrency;
        prop_assert!(slots >= seen.peak.min(policy.max * policy.concurrency));
    }

    #[test]
    fn the_window_stays_small(policy in policies(), history in loads()) {
        let (state, ..) = replay(&policy, &history);
        prop_assert!(state.needs.len() <= history.len());
        prop_assert!(state.needs.iter().zip(state.needs.iter().skip(1)).all(|(a, b)| a.1 > b.1));
    }

    #[test]
    fn a_plan_leads_to_desired_and_bounds_the_starts(
        policy in policies(), desired in 0..30u32, ready in 0..30u32, starting in 0..12u32,
    ) {
        match Plan::new(&policy, desired, Supply { ready, starting }) {
            Plan::Start(count) => {
                prop_assert!(ready + starting + count <= desired);
                prop_assert!(starting + count <= policy.starts);
            }
            Plan::Stop(count) => prop_assert_eq!(ready + starting - count, desired),
            Plan::Keep => prop_assert!(ready + starting == desired || starting >= policy.starts),
        }
    }
}
