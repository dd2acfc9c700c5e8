use std::collections::VecDeque;
use std::time::Duration;

use crate::{Load, Time};

/// Slots kept free for chance, in standard deviations of the offered load (square-root staffing,
/// `c = R + b * sqrt(R)`). 1 keeps the probability of waiting near 1/4 for Poisson arrivals.
const HEADROOM: f64 = 1.0;

/// Time constant of the smoothed load that headroom is computed from: long enough to even out single
/// requests, short enough to follow a ramp.
const SMOOTHING: Duration = Duration::from_secs(2);

/// Keeps `ceil` from adding an instance for a rounding error.
const EPSILON: f64 = 1e-6;

/// What the manifest wants for one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub min: u32,
    pub max: u32,
    /// Slots per instance.
    pub concurrency: u32,
    /// Without activity for this long a service needs only `min`.
    pub idle: Duration,
    /// Going down follows the highest need of this window.
    pub hold: Duration,
    /// Instances that may be starting at once.
    pub starts: u32,
}

/// What the decision remembers of one service between two calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    smoothed: f64,
    /// When `smoothed` was brought up to date.
    at: Option<Time>,
    /// The needs of the hold window that may still become its maximum: times ascend, needs descend.
    needs: VecDeque<(Time, u32)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decision {
    /// Always within `min..=max`.
    pub desired: u32,
    pub reason: Reason,
}

/// Why that many.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reason {
    /// The requests in flight and waiting need them.
    Load,
    /// The mean load plus square-root headroom needs them.
    Headroom,
    /// They were needed within the hold window.
    Hold,
    /// The last request is younger than the idle timeout.
    Active,
    /// No activity for the idle timeout, or none ever.
    Idle,
    /// `min` asks for them.
    Minimum,
    /// More are needed, `max` forbids it.
    Maximum,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Load => "load",
            Reason::Headroom => "headroom",
            Reason::Hold => "hold",
            Reason::Active => "active",
            Reason::Idle => "idle",
            Reason::Minimum => "minimum",
            Reason::Maximum => "maximum",
        }
    }
}

/// Decides how many instances a service should have.
///
/// Up is instant: whatever is in flight or waiting gets slots, with no averaging window in between (see
/// DESIGN.md decision 4). Down waits for the hold window, and to zero for the idle timeout.
///
/// Deciding twice at the same `now` gives the same answer and leaves the same state. With the same state a
/// larger `load` never gives a smaller answer. Stable: the smoothed load is a convex combination of what was
/// observed, and the hold window keeps the answer from following it down before `hold` has passed.
pub fn decide(policy: &Policy, state: &mut State, load: &Load, now: Time) -> Decision {
    smooth(state, load.mean, now);
    let active = load.current > 0 || load.last_activity.is_some_and(|last| now.since(last) < policy.idle);
    if !active {
        // Old needs must not survive a pause, nor an old mean ask for headroom.
        state.needs.clear();
        state.smoothed = 0.0;
        let reason = if policy.min > 0 { Reason::Minimum } else { Reason::Idle };
        return Decision { desired: policy.min, reason };
    }
    let for_load = instances(f64::from(load.peak.max(load.current)), policy.concurrency);
    let for_headroom = instances(state.smoothed + HEADROOM * state.smoothed.sqrt(), policy.concurrency);
    let (need, reason) = [(for_headroom, Reason::Headroom), (1, Reason::Active)]
        .into_iter()
        .fold((for_load, Reason::Load), |best, other| if other.0 > best.0 { other } else { best });
    let held = remember(state, need, policy.hold, now);
    let (wanted, reason) = if held > need { (held, Reason::Hold) } else { (need, reason) };
    if wanted > policy.max {
        Decision { desired: policy.max, reason: Reason::Maximum }
    } else if wanted < policy.min {
        Decision { desired: policy.min, reason: Reason::Minimum }
    } else {
        Decision { desired: wanted, reason }
    }
}

fn smooth(state: &mut State, mean: f64, now: Time) {
    let weight = match state.at {
        None => 1.0,
        Some(at) => 1.0 - (-(now.since(at).as_secs_f64() / SMOOTHING.as_secs_f64())).exp(),
    };
    state.smoothed += (mean - state.smoothed) * weight;
    state.at = state.at.max(Some(now));
}

fn instances(slots: f64, concurrency: u32) -> u32 {
    let count = (slots / f64::from(concurrency.max(1)) - EPSILON).ceil().max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; checked not negative"
    )]
    {
        count as u32
    }
}

/// Adds the need of this moment and returns the highest of the window.
///
/// Bounded: needs strictly descend, and those above `max` still end within `u32`; a need equal to the last
/// one replaces it, so at most as many entries live as there were distinct levels on the way down.
fn remember(state: &mut State, need: u32, hold: Duration, now: Time) -> u32 {
    while state.needs.back().is_some_and(|(_, older)| *older <= need) {
        state.needs.pop_back();
    }
    state.needs.push_back((now, need));
    while state.needs.front().is_some_and(|(at, _)| now.since(*at) > hold) {
        state.needs.pop_front();
    }
    state.needs.front().map_or(need, |(_, highest)| *highest)
}

/// The instances a service has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Supply {
    pub ready: u32,
    /// Counted as supply, so that a slow start does not cause a flood of starts.
    pub starting: u32,
}

/// What to do to get from the supply to the desired number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Plan {
    Start(u32),
    Stop(u32),
    Keep,
}

impl Plan {
    /// At most `policy.starts` instances are starting after the plan was carried out.
    pub fn new(policy: &Policy, desired: u32, supply: Supply) -> Plan {
        let have = supply.ready + supply.starting;
        match desired {
            more if more > have => match (more - have).min(policy.starts.saturating_sub(supply.starting)) {
                0 => Plan::Keep,
                count => Plan::Start(count),
            },
            fewer if fewer < have => Plan::Stop(have - fewer),
            _ => Plan::Keep,
        }
    }
}

#[cfg(test)]
mod tests;
