//! Rate limits of several gateways.

use mare_cache::redis::{Bucket, Level};
use servers::Redis;

use crate::gateway::{Gateway, HASTY, PATIENT, app};

/// Ticks of an hour: no time passes for such a bucket in a test.
const HOUR: u64 = 3600 * 4_000_000;

const SLOW: Bucket = Bucket { limit: [1; 16], who: 7, interval: HOUR, burst: 3 };

#[tokio::test]
async fn two_gateways_take_out_of_one_bucket() {
    let (url, app) = (Redis::shared().url(), app());
    let gateways = [Gateway::start(&url, &app, PATIENT).await, Gateway::start(&url, &app, PATIENT).await];
    let mut passed = 0;
    for turn in 0..6 {
        let level = gateways[turn % 2].redis.take(&SLOW).await.expect("Redis is there");
        match level.wait {
            None => {
                passed += 1;
                assert_eq!(level.remaining, 3 - passed);
            }
            Some(wait) => {
                assert_eq!(level.remaining, 0);
                assert!(wait <= HOUR && wait > HOUR / 2, "{wait}");
            }
        }
        assert!(level.full_in <= passed * HOUR && level.full_in > passed * HOUR - HOUR / 2, "{level:?}");
    }
    assert_eq!(passed, 3);
    let whose = async |bucket: Bucket| gateways[0].redis.take(&bucket).await.expect("Redis is there").wait;
    assert_eq!(whose(Bucket { who: 8, ..SLOW }).await, None);
    assert_eq!(whose(Bucket { limit: [2; 16], ..SLOW }).await, None);
}

#[tokio::test]
async fn taken_at_the_same_time_they_are_as_many() {
    let (url, app) = (Redis::shared().url(), app());
    let gateways = [Gateway::start(&url, &app, PATIENT).await, Gateway::start(&url, &app, PATIENT).await];
    let bucket = Bucket { burst: 50, ..SLOW };
    let takers: Vec<_> = (0..200)
        .map(|turn| {
            let redis = gateways[turn % 2].redis.clone();
            tokio::spawn(async move { redis.take(&bucket).await.expect("Redis is there").wait.is_none() })
        })
        .collect();
    let mut passed = 0;
    for taker in takers {
        passed += u32::from(taker.await.expect("it does not panic"));
    }
    assert_eq!(passed, 50);
}

#[tokio::test]
async fn a_bucket_fills_again_and_extremes_are_bounded() {
    let gateway = Gateway::start(&Redis::shared().url(), &app(), PATIENT).await;
    let fast = Bucket { interval: 1, burst: 1, ..SLOW };
    for _ in 0..20 {
        assert_eq!(
            gateway.redis.take(&fast).await.expect("Redis is there").wait,
            None,
            "a tick is over at once"
        );
    }
    let slowest = Bucket { interval: u64::MAX, burst: u64::MAX, who: 9, ..SLOW };
    let level = gateway.redis.take(&slowest).await.expect("Redis is there");
    assert_eq!((level.remaining, level.wait), (0, None));
    assert!(gateway.redis.take(&slowest).await.expect("Redis is there").wait.is_some());
}

#[tokio::test]
async fn a_clock_set_back_shuts_nobody_out_for_longer_than_the_limit_does() {
    let gateway = Gateway::start(&Redis::shared().url(), &app(), PATIENT).await;
    let bucket = Bucket { burst: 1, interval: 4_000_000, who: 10, ..SLOW };
    gateway.redis.take(&bucket).await.expect("Redis is there");
    // As it would be if it was written an hour from now.
    let app_keys = Redis::shared().run(&["eval", FUTURE, "0"]);
    assert_eq!(app_keys, "1");
    let Level { wait, full_in, .. } = gateway.redis.take(&bucket).await.expect("Redis is there");
    assert!(wait.is_some_and(|wait| wait <= 4_000_000), "{wait:?}");
    assert!(full_in <= 4_000_000);
}

const FUTURE: &str = "local found = 0
    for _, key in ipairs(redis.call('keys', '*l' .. string.rep('\\1', 16) .. string.rep('\\0', 15) .. '\\10')) do
        redis.call('set', key, redis.call('get', key) + 3600 * 4000000, 'px', 3600000)
        found = found + 1
    end
    return found";

#[tokio::test]
async fn without_redis_nobody_knows() {
    let server = Redis::start();
    let gateway = Gateway::start(&server.url(), &app(), HASTY).await;
    server.pause();
    assert_eq!(gateway.redis.take(&SLOW).await, None);
    server.stop();
    assert_eq!(gateway.redis.take(&SLOW).await, None);
}
