use proptest::prelude::*;

use super::*;
use mare_scaling::InstanceObservation;

fn spec() -> Spec {
    Spec {
        scaling: Policy {
            min: 0,
            max: 5,
            concurrency: 10,
            idle: Duration::from_secs(60),
            hold: Duration::ZERO,
            starts: 4,
        },
        drain: Duration::from_secs(300),
    }
}

/// One service with one gateway, driven by hand.
struct World {
    spec: Spec,
    state: State,
    now: Time,
}

impl World {
    fn new() -> Self {
        let mut state = State::default();
        state.gateways.insert(0, Observation::default());
        Self { spec: spec(), state, now: Time(0) }
    }

    /// The gateway has applied what was published and sees `in_flight` at every listed instance.
    fn sees(&mut self, in_flight: &[(u64, u32)]) {
        // Past the hold window, which is empty here.
        self.pass(Duration::from_millis(1));
        let total = in_flight.iter().map(|(_, count)| count).sum();
        let instances = in_flight
            .iter()
            .map(|(id, count)| InstanceObservation { id: InstanceId(*id), in_flight: *count, failures: 0 })
            .collect();
        let observation = Observation {
            generation: self.state.endpoints.generation,
            in_flight: total,
            in_flight_max: total,
            last_activity: Some(self.now),
            instances,
            ..Observation::default()
        };
        self.state.gateways.insert(0, observation);
    }

    fn wants(&mut self, waiting: u32) {
        let seen = self.state.gateways.entry(0).or_default();
        seen.waiting = waiting;
        seen.last_activity = Some(self.now);
    }

    fn step(&mut self) -> Vec<Action> {
        let actions = reconcile(&self.spec, &mut self.state, self.now);
        let again = reconcile(&self.spec, &mut self.state, self.now);
        assert_eq!(again, vec![], "reconciling twice does nothing more");
        actions
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
    }

    fn ready(&mut self, id: u64) {
        self.state.instance_is_ready(InstanceId(id), SocketAddr::from(([127, 0, 0, 1], 1000)));
    }
}

const ONE: InstanceId = InstanceId(1);
const TWO: InstanceId = InstanceId(2);

#[test]
fn a_waiting_request_starts_an_instance_and_readiness_is_published() {
    let mut world = World::new();
    world.wants(1);
    assert_eq!(world.step(), [Action::Start(ONE)]);
    world.ready(1);
    assert_eq!(world.step(), [Action::Publish]);
    assert_eq!(world.state.endpoints.instances[0].availability, Availability::Ready);
}

#[test]
fn a_drained_instance_stops_only_after_every_gateway_confirmed() {
    let mut world = World::new();
    world.wants(20);
    world.step();
    world.ready(1);
    world.ready(2);
    world.step();
    world.sees(&[(1, 1), (2, 3)]);
    let before = world.state.gateways[&0].clone();
    assert_eq!(world.step(), [Action::Publish], "instance 1 drains, having the least in flight");
    // The gateway's count says zero, but it may have sent a request before it applied the change.
    world.state.gateways.insert(
        0,
        Observation { instances: vec![InstanceObservation { id: TWO, in_flight: 3, failures: 0 }], ..before },
    );
    assert_eq!(world.step(), []);
    world.sees(&[(1, 0), (2, 3)]);
    assert_eq!(world.step(), [Action::Stop(ONE)]);
}

#[test]
fn a_stuck_request_cannot_hold_a_draining_instance_for_ever() {
    let mut world = World::new();
    world.wants(20);
    world.step();
    world.ready(1);
    world.ready(2);
    world.step();
    world.sees(&[(1, 1), (2, 1)]);
    world.step();
    world.pass(Duration::from_secs(300));
    world.sees(&[(1, 1), (2, 1)]);
    assert_eq!(world.step(), [Action::Stop(TWO)]);
}

#[test]
fn a_draining_instance_is_called_back_before_a_new_one_starts() {
    let mut world = World::new();
    world.wants(20);
    world.step();
    world.ready(1);
    world.ready(2);
    world.step();
    world.sees(&[(1, 1), (2, 1)]);
    world.step();
    world.wants(15);
    assert_eq!(world.step(), [Action::Publish]);
    assert!(world.state.endpoints.instances.iter().all(|one| one.availability == Availability::Ready));
}

#[test]
fn one_crash_restarts_at_once_and_a_crash_loop_backs_off_and_is_announced() {
    let mut world = World::new();
    world.wants(1);
    assert_eq!(world.step(), [Action::Start(ONE)]);
    assert!(world.state.instance_is_gone(ONE, Duration::ZERO, world.now));
    assert_eq!(world.step(), [Action::Start(TWO)]);
    assert!(world.state.instance_is_gone(TWO, Duration::ZERO, world.now));
    assert_eq!(world.step(), []);
    world.pass(Duration::from_millis(250));
    world.wants(1);
    assert_eq!(world.step(), [Action::Start(InstanceId(3))]);
    world.state.instance_is_gone(InstanceId(3), Duration::ZERO, world.now);
    assert_eq!(world.step(), [Action::Publish]);
    assert!(world.state.endpoints.failing.is_some());
    world.pass(Duration::from_secs(30));
    world.wants(1);
    assert_eq!(world.step(), [Action::Start(InstanceId(4))]);
    world.ready(4);
    world.step();
    assert_eq!(world.state.endpoints.failing, None);
}

#[test]
fn a_sick_instance_gets_nothing_new_and_is_replaced() {
    let mut world = World::new();
    world.wants(1);
    world.step();
    world.ready(1);
    world.step();
    world.sees(&[(1, 1)]);
    assert!(world.state.instance_is_sick(ONE));
    assert_eq!(world.step(), [Action::Start(TWO), Action::Publish]);
    assert_eq!(world.state.endpoints.instances[0].availability, Availability::Unhealthy);
}

proptest! {
    #[test]
    fn any_history_keeps_the_laws(events in prop::collection::vec((0..8u8, 0..12u64, 0..60u32), 1..120)) {
        let mut world = World::new();
        let mut told_to_stop = std::collections::BTreeSet::new();
        for (event, id, count) in events {
            match event {
                0 | 1 => world.wants(count),
                2 => world.ready(id),
                3 => { world.state.instance_is_gone(InstanceId(id), Duration::from_secs(u64::from(count)), world.now); }
                4 => { world.state.instance_is_sick(InstanceId(id)); }
                5 | 6 => world.pass(Duration::from_secs(u64::from(count))),
                _ => world.sees(&[(id, count % 10)]),
            }
            let generation = world.state.endpoints.generation;
            for action in world.step() {
                match action {
                    Action::Start(id) => prop_assert_eq!(world.state.instances.get(&id), Some(&Phase::Starting)),
                    Action::Stop(id) => prop_assert!(told_to_stop.insert(id), "nobody is stopped twice"),
                    Action::Publish => prop_assert_eq!(world.state.endpoints.generation, generation + 1),
                }
            }
            let supply = world.state.supply();
            prop_assert!(supply.ready + supply.starting <= world.spec.scaling.max);
            prop_assert!(supply.starting <= world.spec.scaling.starts);
        }
        world.pass(Duration::from_secs(3600));
        world.state.gateways.insert(0, Observation { generation: u64::MAX, ..Observation::default() });
        for _ in 0..3 {
            world.step();
        }
        prop_assert_eq!(world.state.supply(), Supply::default(), "idle and min = 0: everything stops");
    }
}

#[test]
fn a_start_that_takes_long_and_fails_is_a_failure_all_the_same() {
    let mut world = World::new();
    for id in 1..=3 {
        world.wants(1);
        world.step();
        // As long as the manifest allows by default.
        world.pass(Duration::from_secs(60));
        let now = world.now;
        assert!(world.state.instance_is_gone(InstanceId(id), Duration::from_secs(60), now));
        world.pass(Duration::from_secs(1));
    }
    world.wants(1);
    world.step();
    assert!(world.state.endpoints.failing.is_some(), "{:?}", world.state);
}

#[test]
fn each_failure_announces_when_the_next_start_is_due() {
    let mut world = World::new();
    let mut announced = Vec::new();
    for id in 1..=8 {
        world.wants(1);
        world.step();
        let now = world.now;
        world.state.instance_is_gone(InstanceId(id), Duration::from_secs(1), now);
        world.step();
        announced.extend(world.state.endpoints.failing.map(|failing| failing.retry_after.as_secs()));
        world.pass(Duration::from_secs(40));
    }
    assert_eq!(announced, [1, 1, 2, 4, 8, 16]);
}

#[test]
fn instances_that_fail_together_are_one_failure() {
    let mut world = World::new();
    world.wants(40);
    world.step();
    (1..=4).for_each(|id| world.ready(id));
    world.sees(&[(1, 10), (2, 10), (3, 10), (4, 10)]);
    world.pass(Duration::from_secs(5));
    for id in 1..=4 {
        world.pass(Duration::from_millis(1));
        let now = world.now;
        assert!(world.state.instance_is_gone(InstanceId(id), Duration::from_secs(5), now));
    }
    world.wants(40);
    assert_eq!(world.step().iter().filter(|action| matches!(action, Action::Start(_))).count(), 4);
    assert_eq!(world.state.endpoints.failing, None);
}

#[test]
fn instances_that_serve_and_crash_are_held_back_but_nobody_is_refused() {
    let mut world = World::new();
    for id in 1..=8 {
        world.pass(Duration::from_secs(40));
        world.wants(1);
        world.step();
        assert_eq!(world.state.instances[&InstanceId(id)], Phase::Starting);
        world.ready(id);
        world.step();
        world.pass(Duration::from_secs(5));
        let now = world.now;
        assert!(world.state.instance_is_gone(InstanceId(id), Duration::from_secs(5), now));
        world.step();
        assert_eq!(world.state.endpoints.failing, None, "after crash {id}");
    }
    world.pass(Duration::from_secs(15));
    world.wants(1);
    assert_eq!(world.step(), [], "the eighth crash in a row waits 16 s");
}

#[test]
fn one_good_start_makes_failed_starts_count_anew() {
    let mut world = World::new();
    let mut refused = Vec::new();
    for id in 1..=7 {
        world.pass(Duration::from_secs(40));
        world.wants(1);
        world.step();
        if id == 3 {
            world.ready(id);
            world.step();
        }
        let now = world.now;
        world.state.instance_is_gone(InstanceId(id), Duration::ZERO, now);
        world.step();
        refused.push(world.state.endpoints.failing.is_some());
    }
    assert_eq!(refused, [false, false, false, false, false, true, true]);
}
