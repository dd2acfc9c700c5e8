//! No client reads what is older than the last write it could know of: clients and writers at two gateways, and a Redis
//! that is killed, stopped, started and made to forget meanwhile.
//!
//! What happens when is up to the machine; the law holds of every order. That of a write is acknowledged whose purge is
//! everywhere: the other one is the documented exception, see `away`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mare_cache::policy::Bypass;
use mare_cache::{Answered, Fill, Settled};
use servers::Redis;
use tokio::task::yield_now;

use crate::gateway::{Gateway, Request, app, give, head, text};

const PATHS: usize = 3;

/// Looks of each reader.
const READS: usize = 400;

#[derive(Default)]
struct Origin {
    written: [AtomicU64; PATHS],
    acknowledged: [AtomicU64; PATHS],
    hits: AtomicU64,
}

/// What befalls Redis.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Nothing,
    Killed,
    Stopped,
    Forgetful,
}

async fn read(gateway: &Gateway, origin: &Origin, path: usize, random: &mut fastrand::Rng) {
    let floor = origin.acknowledged[path].load(Ordering::SeqCst);
    let request = Request::get(&format!("/{path}"));
    let body = match gateway.settle(&request).await {
        Settled::Answer(answer) => {
            origin.hits.fetch_add(1, Ordering::Relaxed);
            text(&answer)
        }
        Settled::Stale(answer, refresh) => {
            if let Settled::Fill(fill) = refresh.settle().await {
                fetch(fill, origin, path, random).await;
            }
            text(&answer)
        }
        Settled::Fill(fill) => match fetch(fill, origin, path, random).await {
            Some(body) => body,
            None => return,
        },
        Settled::Pass(Bypass::OnlyIfCached) => return,
        Settled::Pass(bypass) => panic!("{bypass:?}"),
    };
    let version: u64 = body.parse().expect("a version");
    assert!(version >= floor, "read {version} after {floor} was acknowledged");
}

/// The service answers. `None`: the client left.
async fn fetch(fill: Fill, origin: &Origin, path: usize, random: &mut fastrand::Rng) -> Option<String> {
    let mut sent = http::HeaderMap::new();
    fill.prepare(&mut sent);
    pass(random).await;
    let version = origin.written[path].load(Ordering::SeqCst).to_string();
    pass(random).await;
    if random.u8(..) < 20 {
        return None;
    }
    let (etag, tag) = (format!("\"{version}\""), format!("tag-{path}"));
    let control = ["max-age=60", "max-age=0, stale-while-revalidate=60", "no-cache"][random.usize(..3)];
    let headers = [("etag", &*etag), ("cache-control", control), ("cache-tag", &tag)];
    if sent.get("if-none-match").is_some_and(|known| known == &*etag) {
        return match fill.answered(head(304, &headers)) {
            Answered::Answer(answer) => Some(text(&answer)),
            Answered::Pass(_) | Answered::Record(..) | Answered::Again(_) => None,
        };
    }
    match fill.answered(head(200, &headers)) {
        Answered::Record(_, mut recorder) => {
            recorder.push(&bytes::Bytes::copy_from_slice(version.as_bytes()));
            pass(random).await;
            recorder.finish();
        }
        // Redis is away.
        Answered::Pass(_) => {}
        Answered::Answer(answer) => return Some(text(&answer)),
        Answered::Again(_) => return None,
    }
    Some(version)
}

async fn write(gateway: &Gateway, origin: &Origin, path: usize, random: &mut fastrand::Rng) {
    let version = origin.written[path].fetch_add(1, Ordering::SeqCst) + 1;
    pass(random).await;
    if gateway.purge(&format!("tag-{path}")).await.is_everywhere {
        origin.acknowledged[path].fetch_max(version, Ordering::SeqCst);
    }
}

/// Lets others go first for a while.
async fn pass(random: &mut fastrand::Rng) {
    for _ in 0..random.u8(..30) {
        yield_now().await;
    }
}

async fn trouble(server: &Redis, gateways: &[Gateway; 2], trouble: Trouble, random: &mut fastrand::Rng) {
    for _ in 0..3 {
        for _ in 0..20 {
            pass(random).await;
        }
        match trouble {
            Trouble::Nothing => continue,
            Trouble::Killed => {
                server.stop();
                gateways[0].redis.wait_until_away().await;
                server.start_again();
            }
            Trouble::Stopped => {
                server.pause();
                gateways[random.usize(..2)].redis.wait_until_away().await;
                server.resume();
            }
            Trouble::Forgetful => drop(server.run(&["flushall"])),
        }
        for gateway in gateways {
            gateway.redis.wait_until_up().await;
        }
    }
}

async fn run(troubled: Trouble) {
    let seed = fastrand::u64(..);
    println!("seed {seed}, {troubled:?}");
    let server = Redis::start();
    let (url, app, hasty) = (server.url(), app(), Duration::from_millis(50));
    let gateways = [Gateway::start(&url, &app, hasty).await, Gateway::start(&url, &app, hasty).await];
    let origin = Origin::default();
    let actor = |number: u64| {
        let mut random = fastrand::Rng::with_seed(seed ^ number);
        let (gateways, origin) = (&gateways, &origin);
        async move {
            for _ in 0..READS {
                let (gateway, path) = (&gateways[random.usize(..2)], random.usize(..PATHS));
                if random.u8(..) < 16 {
                    write(gateway, origin, path, &mut random).await;
                } else {
                    read(gateway, origin, path, &mut random).await;
                }
                pass(&mut random).await;
            }
        }
    };
    let mut random = fastrand::Rng::with_seed(seed);
    let actors = futures_util::future::join_all((1..9).map(actor));
    tokio::join!(actors, trouble(&server, &gateways, troubled, &mut random));
    // The law would hold of a cache that never hits, too.
    let hits = origin.hits.load(Ordering::Relaxed);
    println!("{hits} hits");
    assert!(hits > 0);
    let request = Request::get("/after");
    give(gateways[0].fill(&request).await, &[("cache-control", "max-age=60"), ("cache-tag", "a")], "0");
    gateways[0].stored(&request, "0").await;
}

#[tokio::test]
async fn no_read_is_older_than_an_acknowledged_write() {
    run(Trouble::Nothing).await;
}

#[tokio::test]
async fn nor_while_redis_is_killed_and_started() {
    run(Trouble::Killed).await;
}

#[tokio::test]
async fn nor_while_redis_stands_still() {
    run(Trouble::Stopped).await;
}

#[tokio::test]
async fn nor_while_redis_forgets() {
    run(Trouble::Forgetful).await;
}
