//! Issuers that rotate, fail, sleep, and are asked as rarely as can be.

use std::net::SocketAddr;
use std::time::Duration;

use mare_fleet::pool::Link;
use mare_fleet::{Clock, Waiting};
use mare_scaling::{Availability, Endpoint, Endpoints, InstanceId};
use tokio::sync::{mpsc, watch};
use tokio::time::{advance, pause, resume};
use tokio_util::task::AbortOnDropHandle;

use super::*;

const AWAY: &str = "the token's key cannot be fetched at the moment";
const UNKNOWN: &str = "the token's key is not known";

/// Time passes, and nothing that waits for a socket notices.
async fn pass(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

/// Until what was started in the background has come to rest.
async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}

fn token(signer: &Signer) -> HeaderMap {
    bearer(&signer.token(&claims("ana")))
}

#[tokio::test]
async fn a_restart_verifies_without_the_issuer() {
    let (known, new) = (Signer::ed("known", 1), Signer::ed("new", 2));
    let fake = Fake::start(&set(&[&known])).await;
    let url = fake.url();
    let rig = Rig::of_url(&url);
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
    drop(fake);
    let rig = rig.again_of_url(&url);
    assert!(rig.is_judged_at_once(&known.token(&claims("ana"))));
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
    expect(rig.settle(&token(&new), &jwt()).await, Code::KeysUnavailable, AWAY);
    // Keys of one issuer are not those of another.
    let elsewhere = Fake::start(&set(&[&new])).await;
    let rig = rig.again_of_url(&elsewhere.url());
    expect(rig.settle(&token(&known), &jwt()).await, Code::TokenInvalid, UNKNOWN);
}

#[tokio::test]
async fn those_who_wait_for_a_key_wait_for_one_fetch() {
    let (old, new) = (Signer::ed("old", 1), Signer::ed("new", 2));
    let fake = Fake::start(&set(&[&old])).await;
    let rig = Rig::of_url(&fake.url());
    assert!(rig.settle(&token(&old), &jwt()).await.is_ok());
    fake.publish(&set(&[&old, &new]));
    pass(Duration::from_secs(30)).await;
    fake.hold();
    let (good, bad) = (token(&new), token(&Signer::ed("bad", 3)));
    let pending = |headers| match rig.authority.check(0, headers, &jwt()) {
        Checked::Unsure(pending) => pending,
        _ => panic!("the key is not known yet"),
    };
    let all: Vec<_> = (0..50).map(|index| pending(if index % 2 == 0 { &good } else { &bad })).collect();
    assert!(rig.settle(&token(&old), &jwt()).await.is_ok(), "who is known need not wait");
    fake.let_go();
    for (index, pending) in all.into_iter().enumerate() {
        assert_eq!(pending.settle().await.is_ok(), index % 2 == 0);
    }
    assert_eq!(fake.asked(), 2);
}

#[tokio::test]
async fn names_nobody_knows_make_no_more_than_a_fetch_in_30_s() {
    let known = Signer::ed("known", 1);
    let fake = Fake::start(&set(&[&known])).await;
    let rig = Rig::of_url(&fake.url());
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
    for asked in 1..4 {
        for index in 0..100 {
            let stranger = Signer::ed(&format!("{asked}-{index}"), 2);
            assert!(rig.is_judged_at_once(&stranger.token(&claims("ana"))));
            expect(rig.settle(&token(&stranger), &jwt()).await, Code::TokenInvalid, UNKNOWN);
        }
        assert_eq!(fake.asked(), asked);
        pass(Duration::from_secs(31)).await;
        expect(rig.settle(&token(&Signer::ed("again", 2)), &jwt()).await, Code::TokenInvalid, UNKNOWN);
    }
}

#[tokio::test]
async fn a_key_that_is_taken_back_is_believed_until_the_next_refresh() {
    let (old, new) = (Signer::ed("old", 1), Signer::ed("new", 2));
    let fake = Fake::start(&set(&[&old])).await;
    let rig = Rig::of_url(&fake.url());
    assert!(rig.settle(&token(&old), &jwt()).await.is_ok());
    fake.publish(&set(&[&new]));
    pass(Duration::from_mins(4)).await;
    assert!(rig.settle(&token(&old), &jwt()).await.is_ok());
    assert_eq!(fake.asked(), 1);
    // The first to use a key that is due is served by what is known, and has it refreshed.
    pass(Duration::from_mins(1)).await;
    until(|| fake.asked() == 2).await;
    let remembered = bearer(&old.token(&claims("ana")));
    until(|| !matches!(rig.authority.check(0, &remembered, &jwt()), Checked::Known(_))).await;
    expect(rig.settle(&token(&old), &jwt()).await, Code::TokenInvalid, UNKNOWN);
    assert!(rig.settle(&token(&new), &jwt()).await.is_ok());
}

#[tokio::test]
async fn keys_that_nobody_uses_are_not_refreshed() {
    let known = Signer::ed("known", 1);
    let fake = Fake::start(&set(&[&known])).await;
    let rig = Rig::of_url(&fake.url());
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
    // What asked for the fetch was checked again after it.
    pass(Duration::from_mins(5)).await;
    rig.fetched(2).await;
    for _ in 0..10 {
        pass(Duration::from_mins(5)).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.asked(), 2);
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok(), "and they are still good");
    rig.fetched(3).await;
}

#[tokio::test]
async fn an_issuer_that_fails_takes_no_keys_away() {
    let (known, new) = (Signer::ed("known", 1), Signer::ed("new", 2));
    let fake = Fake::start(&set(&[&known])).await;
    let rig = Rig::of_url(&fake.url());
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
    let of_length = |text: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    let failures = [
        "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_owned(),
        "no HTTP".to_owned(),
        String::new(),
        of_length("<html>"),
        of_length(r#"{"keys":[]}"#),
        of_length(r#"{"keys":[{"kty":"oct","kid":"new","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}"#),
        of_length(&" ".repeat(200_000)),
    ];
    for failure in failures {
        fake.answer(&failure);
        pass(Duration::from_secs(31)).await;
        expect(rig.settle(&token(&new), &jwt()).await, Code::KeysUnavailable, AWAY);
        assert!(rig.settle(&token(&known), &jwt()).await.is_ok(), "{failure}");
    }
    fake.publish(&set(&[&new]));
    pass(Duration::from_secs(31)).await;
    assert!(rig.settle(&token(&new), &jwt()).await.is_ok());
}

#[tokio::test]
async fn only_so_many_wait() {
    let fake = Fake::start(&set(&[&Signer::ed("known", 1)])).await;
    fake.hold();
    let rig = Rig::of_url(&fake.url());
    let headers = token(&Signer::ed("new", 2));
    let check = || rig.authority.check(0, &headers, &jwt());
    let waiting: Vec<_> = (0..1000).map(|_| check()).collect();
    assert!(waiting.iter().all(|checked| matches!(checked, Checked::Unsure(_))));
    let Checked::Refused(refusal) = check() else { panic!("one too many") };
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::KeysUnavailable, Some(1)));
    drop(waiting);
    assert!(matches!(check(), Checked::Unsure(_)));
}

/// A service whose instances come and go as the test says.
struct Service {
    pool: Pool<Idles>,
    endpoints: watch::Sender<Arc<Endpoints>>,
    reports: mpsc::Receiver<mare_fleet::pool::Report>,
    _running: AbortOnDropHandle<()>,
}

impl Service {
    fn start() -> Self {
        let waiting = Waiting { capacity: 10, deadline: Duration::from_secs(10) };
        let pool = Pool::new("api".into(), waiting, Clock::start());
        let (endpoints, seen) = watch::channel(Arc::new(Endpoints::default()));
        let (observations, reports) = mpsc::channel(1000);
        let link = Link { service: "api".into(), gateway: 0, observations, endpoints: seen };
        let running = AbortOnDropHandle::new(tokio::spawn(pool.clone().run(link)));
        Self { pool, endpoints, reports, _running: running }
    }

    async fn scale(&mut self, generation: u64, instance: Option<&Fake>) {
        let of = |fake: &Fake| Endpoint {
            id: InstanceId(1),
            address: SocketAddr::from(([127, 0, 0, 1], fake.port())),
            availability: Availability::Ready,
            share: 1,
        };
        let instances = instance.map(of).into_iter().collect();
        self.endpoints.send_replace(Arc::new(Endpoints { generation, instances, failing: None }));
        while self.reports.recv().await.expect("runs").observation.generation != generation {}
    }

    /// Whether the controller was told of anything to start or keep instances for.
    fn was_active(&mut self) -> bool {
        let mut active = false;
        while let Ok(report) = self.reports.try_recv() {
            let seen = report.observation;
            active |= seen.arrivals > 0 || seen.in_flight_max > 0 || seen.waiting > 0;
            active |= seen.last_activity.is_some();
        }
        active
    }
}

#[tokio::test]
async fn a_service_is_started_for_its_keys_when_there_are_none() {
    let known = Signer::ed("known", 1);
    let fake = Fake::start(&set(&[&known])).await;
    let mut service = Service::start();
    let rig = Rig::of_service(&service.pool);
    let headers = token(&known);
    let Checked::Unsure(pending) = rig.authority.check(0, &headers, &jwt()) else { panic!("no keys") };
    let report = service.reports.recv().await.expect("a report");
    assert_eq!(report.observation.waiting, 1, "the controller starts one for it");
    service.scale(1, Some(&fake)).await;
    assert!(pending.settle().await.is_ok());
}

#[tokio::test]
async fn a_service_that_sleeps_is_left_asleep_when_keys_are_known() {
    let (known, new) = (Signer::ed("known", 1), Signer::ed("new", 2));
    let fake = Fake::start(&set(&[&known])).await;
    let rig = {
        let mut service = Service::start();
        service.scale(1, Some(&fake)).await;
        let rig = Rig::of_service(&service.pool);
        assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
        rig
    };
    let mut service = Service::start();
    service.scale(1, None).await;
    let rig = rig.again_of_service(&service.pool);
    assert!(rig.settle(&token(&known), &jwt()).await.is_ok());
    expect(rig.settle(&token(&new), &jwt()).await, Code::TokenInvalid, UNKNOWN);
    pass(Duration::from_mins(5)).await;
    rig.fetched(2).await;
    assert!(!service.was_active());
    assert_eq!(fake.asked(), 1);

    // Awake, it is asked, and the asking keeps it awake no longer.
    fake.publish(&set(&[&known, &new]));
    service.scale(2, Some(&fake)).await;
    pass(Duration::from_secs(2)).await;
    assert!(rig.settle(&token(&new), &jwt()).await.is_ok());
    pass(Duration::from_mins(5)).await;
    rig.fetched(4).await;
    assert_eq!(fake.asked(), 3);
    assert!(!service.was_active());
}
