//! Rate limits. The rates are so low that time does not matter.

use tokio::task::JoinSet;

use super::{KEYS, ask, guarded, outcome};
use crate::rig::Rig;
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

const TRUSTED: &str = "[limits]\ntrusted = ['127.0.0.1']";

/// Asks in this order, and says which passed.
async fn passed(rig: &Rig, requests: &[&str]) -> Vec<bool> {
    let mut passed = Vec::new();
    for lines in requests {
        let reply = ask(rig, "GET /", lines).await;
        assert!(["200", "rate-limited"].contains(&outcome(&reply).as_str()), "{lines}");
        passed.push(reply.status() == 200);
    }
    passed
}

#[tokio::test]
async fn of_many_clients_at_once_exactly_the_burst_passes() {
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, "", "limit = { rate = '1/h', burst = 40, per = 'route' }");
    let mut clients = JoinSet::new();
    for _ in 0..20 {
        let public = rig.public;
        clients.spawn(async move {
            let mut client = Wire::connect(public).await;
            let mut passed = 0;
            for _ in 0..5 {
                let reply = client.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
                passed += usize::from(outcome(&reply) == "200");
            }
            passed
        });
    }
    assert_eq!(clients.join_all().await.into_iter().sum::<usize>(), 40);
    assert_eq!(upstream.requests().len(), 40);
    assert!((rig.metric("mare_refusals_total{code=\"rate-limited\"}") - 60.0).abs() < 0.1);
    rig.settled().await;
}

#[tokio::test]
async fn answers_say_what_is_left_and_refusals_when_to_come_again() {
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, "", "limit = { rate = '6/m', burst = 2 }");
    for left in [1, 0, 0] {
        let reply = ask(&rig, "GET /", "").await;
        let quota = reply.head.get("ratelimit").expect("a quota");
        assert!(quota.starts_with(&format!("\"ip\";r={left};t=")), "{quota}");
        assert_eq!(reply.head.get("ratelimit-policy"), Some("\"ip\";q=2;w=20"));
        let (status, again) = if upstream.requests().len() < 2 || left == 1 {
            (200, None)
        } else {
            (reply.status(), reply.head.get("retry-after"))
        };
        assert_eq!(reply.status(), status);
        // Ten seconds for one request, and rounded up: never 9, however long the test has run.
        assert!(reply.status() == 200 || again == Some("10"), "{again:?}");
    }
    assert_eq!(upstream.requests().len(), 2);
    rig.settled().await;
}

#[tokio::test]
async fn who_shares_a_limit_is_what_the_route_says() {
    let check = async |per: &str, requests: &[&str], expected: &[bool]| {
        let upstream = Upstream::answering(OK).await;
        let rig =
            guarded(&upstream, TRUSTED, &format!("limit = {{ rate = '1/h', burst = 1, per = '{per}' }}"));
        assert_eq!(passed(&rig, requests).await, expected, "{per} {requests:?}");
        rig.settled().await;
    };
    let (one, other) = ("x-forwarded-for: 192.0.2.1\r\n", "x-forwarded-for: 192.0.2.2\r\n");
    check("ip", &[one, other, one, "x-forwarded-for: 6.6.6.6, 192.0.2.1\r\n"], &[true, true, false, false])
        .await;
    let v6 = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1", "::ffff:192.0.2.1"]
        .map(|address| format!("x-forwarded-for: {address}\r\n"));
    check("ip", &[&v6[0], &v6[1], &v6[2], &v6[3], one], &[true, false, true, true, false]).await;
    check("route", &[one, other], &[true, false]).await;
    let tenants =
        ["x-tenant: a\r\n", "x-tenant: b\r\n", "x-tenant: a\r\nx-tenant: c\r\n", "", "", "x-tenant: \r\n"];
    check("header:x-tenant", &tenants, &[true, true, false, true, false, true]).await;
}

#[tokio::test]
async fn forged_forwarding_gives_nobody_a_bucket_of_his_own() {
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, "", "limit = { rate = '1/h', burst = 1 }");
    let requests =
        ["", "x-forwarded-for: 192.0.2.1\r\n", "forwarded: for=192.0.2.1\r\n", "x-real-ip: 192.0.2.1\r\n"];
    assert_eq!(passed(&rig, &requests).await, [true, false, false, false]);
    rig.settled().await;
}

#[tokio::test]
async fn users_have_limits_of_their_own_and_what_is_not_proved_uses_up_nothing() {
    for per in ["user", "key"] {
        let upstream = Upstream::answering(OK).await;
        let guards = format!("auth = 'key'\nlimit = {{ rate = '1/h', burst = 1, per = '{per}' }}");
        let rig = guarded(&upstream, KEYS, &guards);
        let forged = ask(&rig, "GET /", "x-api-key: three\r\nx-mare-api-key: one\r\n").await;
        assert_eq!((forged.status(), forged.head.get("ratelimit")), (401, None));
        let one = "x-api-key: one\r\n";
        assert_eq!(passed(&rig, &[one, "x-api-key: two\r\n", one]).await, [true, true, false], "{per}");
        rig.settled().await;
    }
    // By address the limit comes first: who guesses keys is stopped before they are looked at.
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, KEYS, "auth = 'key'\nlimit = { rate = '1/h', burst = 2 }");
    let codes = [ask(&rig, "GET /", "x-api-key: a\r\n").await, ask(&rig, "GET /", "x-api-key: b\r\n").await];
    assert!(codes.iter().all(|reply| reply.status() == 401));
    assert_eq!(ask(&rig, "GET /", "x-api-key: one\r\n").await.code(), "rate-limited");
    rig.settled().await;
}
