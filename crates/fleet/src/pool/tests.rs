use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mare_scaling::Endpoint;

use super::*;

fn pool(capacity: u32) -> Pool<()> {
    Pool::new("api".into(), Waiting { capacity, deadline: Duration::from_secs(10) }, Clock::start())
}

fn endpoints(generation: u64, shares: &[(u64, u32)]) -> Endpoints {
    let instances = shares
        .iter()
        .map(|(id, share)| Endpoint {
            id: InstanceId(*id),
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            availability: Availability::Ready,
            share: *share,
        })
        .collect();
    Endpoints { generation, instances, failing: None }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_freed_slot_goes_to_the_one_who_waits_longest() {
    let pool = pool(10);
    pool.0.apply(&endpoints(1, &[(1, 1)]));
    let held = pool.acquire().await.expect("free");
    let (mut first, mut second) = (Box::pin(pool.acquire()), Box::pin(pool.acquire()));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    drop(held);
    assert!(poll_once(second.as_mut()).is_pending());
    let Poll::Ready(Ok(lease)) = poll_once(first.as_mut()) else { panic!("the first is served") };
    drop(lease);
    assert!(poll_once(second.as_mut()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_new_instance_serves_everybody_it_has_room_for() {
    let pool = pool(10);
    let mut waiting: Vec<_> = (0..5).map(|_| Box::pin(pool.acquire())).collect();
    for request in &mut waiting {
        assert!(poll_once(request.as_mut()).is_pending());
    }
    pool.0.apply(&endpoints(1, &[(1, 3)]));
    let leases: Vec<_> = waiting.iter_mut().map(|request| poll_once(request.as_mut())).collect();
    assert_eq!(leases.iter().filter(|outcome| outcome.is_ready()).count(), 3);
    assert_eq!(pool.occupancy(), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn overflow_and_deadline_are_refused() {
    let pool = pool(1);
    let mut waits = Box::pin(pool.acquire());
    assert!(poll_once(waits.as_mut()).is_pending());
    assert_eq!(pool.acquire().await.err(), Some(Refused::Full));
    tokio::time::advance(Duration::from_secs(10)).await;
    pool.0.housekeep();
    let Poll::Ready(outcome) = poll_once(waits.as_mut()) else { panic!("the deadline has passed") };
    assert_eq!(outcome.err(), Some(Refused::Deadline));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_gives_up_its_place_or_its_slot() {
    let pool = pool(1);
    {
        let mut leaves = pin!(pool.acquire());
        assert!(poll_once(leaves.as_mut()).is_pending());
        assert_eq!(pool.occupancy(), (0, 1));
    }
    assert_eq!(pool.occupancy(), (0, 0));
    let mut granted = Box::pin(pool.acquire());
    assert!(poll_once(granted.as_mut()).is_pending());
    pool.0.apply(&endpoints(1, &[(1, 1)]));
    drop(granted);
    assert_eq!(pool.occupancy(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_removed_or_draining_instance_gets_nothing_new() {
    let pool = pool(10);
    pool.0.apply(&endpoints(1, &[(1, 5), (2, 5)]));
    let mut drained = endpoints(2, &[(1, 5), (2, 5)]);
    drained.instances[0].availability = Availability::Draining;
    pool.0.apply(&drained);
    for _ in 0..5 {
        let lease = pool.acquire().await.expect("the other has room");
        assert_eq!(lease.instance().id, InstanceId(2));
        std::mem::forget(lease);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ejected_instance_is_passed_over_for_a_while() {
    let pool = pool(10);
    pool.0.apply(&endpoints(1, &[(1, 5)]));
    pool.eject(InstanceId(1));
    let mut waits = Box::pin(pool.acquire());
    assert!(poll_once(waits.as_mut()).is_pending());
    tokio::time::advance(EJECTION).await;
    pool.0.housekeep();
    assert!(poll_once(waits.as_mut()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_to_start_refuses_at_once() {
    let pool = pool(10);
    let mut waits = Box::pin(pool.acquire());
    assert!(poll_once(waits.as_mut()).is_pending());
    let retry_after = Duration::from_secs(4);
    pool.0.apply(&Endpoints { failing: Some(Failing { retry_after }), ..endpoints(1, &[]) });
    let Poll::Ready(outcome) = poll_once(waits.as_mut()) else { panic!("refused") };
    assert_eq!(outcome.err(), Some(Refused::Failing { retry_after }));
    assert_eq!(pool.acquire().await.err(), Some(Refused::Failing { retry_after }));
}

#[tokio::test(start_paused = true)]
async fn the_integral_is_exact() {
    let pool = pool(10);
    pool.0.apply(&endpoints(3, &[(1, 5)]));
    pool.0.observe();
    let (one, two) = (pool.acquire().await, pool.acquire().await);
    tokio::time::advance(Duration::from_millis(30)).await;
    drop(one);
    tokio::time::advance(Duration::from_millis(10)).await;
    drop(two);
    tokio::time::advance(Duration::from_millis(60)).await;
    let seen = pool.0.observe();
    assert_eq!(seen.elapsed, Duration::from_millis(100));
    assert_eq!(seen.in_flight_integral, Duration::from_millis(2 * 30 + 10));
    assert_eq!((seen.arrivals, seen.in_flight_max, seen.in_flight, seen.generation), (2, 2, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_preferred_instance_is_taken_while_it_has_room() {
    let pool = pool(10);
    pool.0.apply(&endpoints(1, &[(1, 2), (2, 2), (3, 2)]));
    let preferring = async |id| {
        let lease = pool.acquire_preferring(Some(InstanceId(id))).await.expect("free");
        (lease.instance().id.0, lease)
    };
    let (first, second, third) = (preferring(2).await, preferring(2).await, preferring(2).await);
    assert_eq!((first.0, second.0), (2, 2), "though the others had fewer requests");
    assert_ne!(third.0, 2, "it is full");
    drop(first);
    pool.eject(InstanceId(2));
    assert_ne!(preferring(2).await.0, 2, "connections to it fail");
    let mut gone = endpoints(2, &[(1, 2), (2, 2)]);
    gone.instances[0].availability = Availability::Draining;
    pool.0.apply(&gone);
    tokio::time::advance(EJECTION).await;
    pool.0.housekeep();
    assert_eq!(preferring(1).await.0, 2, "it drains");
    assert_eq!(preferring(u64::MAX).await.0, 2, "there is none");
}

#[tokio::test(start_paused = true)]
async fn an_errand_of_the_platform_takes_a_free_slot_and_is_no_activity() {
    let pool = pool(10);
    assert!(pool.try_acquire_unnoticed().is_none(), "nothing is started for it");
    pool.0.apply(&endpoints(1, &[(1, 1)]));
    pool.0.observe();
    let errand = pool.try_acquire_unnoticed().expect("free");
    assert!(pool.try_acquire_unnoticed().is_none(), "a slot is a slot");
    tokio::time::advance(Duration::from_secs(1)).await;
    let seen = pool.0.observe();
    assert_eq!((seen.arrivals, seen.in_flight, seen.in_flight_max, seen.waiting), (0, 0, 0, 0));
    assert_eq!((seen.in_flight_integral, seen.last_activity), (Duration::ZERO, None));
    assert_eq!(seen.instances[0].in_flight, 1, "a draining instance waits for it");

    let mut waits = Box::pin(pool.acquire());
    assert!(poll_once(waits.as_mut()).is_pending());
    drop(errand);
    let Poll::Ready(Ok(lease)) = poll_once(waits.as_mut()) else { panic!("the slot is passed on") };
    assert!(pool.try_acquire_unnoticed().is_none());
    drop(lease);
    assert_eq!(pool.occupancy(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_must_wait_is_reported_at_once() {
    let (observations, mut reports) = mpsc::channel(8);
    let (announce, endpoints_seen) = watch::channel(Arc::new(Endpoints::default()));
    let pool = pool(10);
    let link = Link { service: "api".into(), gateway: 0, observations, endpoints: endpoints_seen };
    let running = tokio::spawn(pool.clone().run(link));
    let request = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire().await.map(|lease| lease.instance().id) }
    });
    let report = reports.recv().await.expect("a report");
    assert_eq!(report.observation.waiting, 1);
    announce.send_replace(Arc::new(endpoints(7, &[(1, 1)])));
    assert_eq!(request.await.expect("no panic"), Ok(InstanceId(1)));
    while reports.recv().await.is_some_and(|report| report.observation.generation != 7) {}
    drop(announce);
    drop(reports);
    running.await.expect("ends with the controller");
    assert_eq!(pool.acquire().await.err(), Some(Refused::Closed));
}
