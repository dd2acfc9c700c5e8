//! How long everybody may take. The limits under test are short, all others so long that nothing else can end
//! the test in time.

use std::net::SocketAddr;

use tokio::sync::{mpsc, watch};

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

/// An upstream that reads a head and then does nothing until the connection ends, which it tells.
async fn silent(answer: &'static str) -> (Upstream, mpsc::Receiver<()>) {
    let (tell, ended) = mpsc::channel(8);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let tell = tell.clone();
        async move {
            wire.head().await;
            let _ = wire.try_send(answer).await;
            while wire.fill().await {}
            let _ = tell.send(()).await;
        }
    });
    (upstream.await, ended)
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    async fn check(start: &str) {
        let rig = Rig::new(&format!(
            "[limits]\nheader_time = '200ms'\nidle = '1h'\nstall = '1h'\n{}",
            crate::rig::API
        ));
        let mut client = rig.client().await;
        client.send(start).await;
        client.ends().await;
        rig.settled().await;
    }
    check("").await;
    check("G").await;
    check("GET / HTTP/1.1\r\n").await;
    check("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n").await;
}

#[tokio::test]
async fn a_head_that_drips_is_cut_in_time() {
    let rig = Rig::new(&format!("[limits]\nheader_time = '100ms'\nidle = '1h'\n{}", crate::rig::API));
    let mut client = rig.client().await;
    // Every byte comes in time; the head as a whole does not.
    let started = tokio::time::Instant::now();
    while client.try_send("x").await.is_ok() {
        assert!(started.elapsed() < crate::wire::PATIENCE, "it drips for ever");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_second_head_has_as_long_as_the_first() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "[limits]\nheader_time = '200ms'\nidle = '1h'");
    let mut client = rig.client().await;
    client.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.send("GET / HT").await;
    client.ends().await;
    rig.settled().await;
}

#[tokio::test]
async fn a_head_begun_behind_another_request_is_cut_when_a_rest_would_be() {
    // Not earlier: what is read with the request before it waits inside hyper, where it cannot be seen.
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "[limits]\nheader_time = '1h'\nidle = '200ms'");
    for path in ["/", "*"] {
        let mut client = rig.client().await;
        client.send(format!("OPTIONS {path} HTTP/1.1\r\nhost: a\r\n\r\nGET / HT")).await;
        client.reply().await;
        client.ends().await;
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_connection_that_rests_too_long_is_closed() {
    async fn check(request: &str, answer: &str) {
        let upstream = Upstream::answering(answer).await;
        let rig = Rig::before(&upstream, "[limits]\nheader_time = '1h'\nidle = '200ms'");
        let mut client = rig.client().await;
        client.ask(&format!("{request} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        client.ends().await;
        rig.settled().await;
    }
    check("GET /", OK).await;
    check("HEAD /", OK).await;
    check("GET /", "HTTP/1.1 204 No Content\r\n\r\n").await;
    check("GET /", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    check("GET /", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").await;
    check("OPTIONS *", OK).await;
}

#[tokio::test]
async fn a_connection_rests_after_a_long_request_as_after_a_short_one() {
    for answer in [OK, "HTTP/1.1 204 No Content\r\n\r\n"] {
        let (now, answers) = watch::channel(false);
        let upstream = Upstream::scripted(move |mut wire, _| {
            let mut answers = answers.clone();
            async move {
                wire.request().await;
                answers.wait_for(|now| *now).await.expect("the test runs");
                wire.send(answer).await;
                wire.rest().await;
            }
        })
        .await;
        let rig = Rig::before(&upstream, "[limits]\nheader_time = '200ms'\nidle = '200ms'");
        let mut client = rig.client().await;
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        upstream.has_accepted(1).await;
        header_time_passes(rig.public).await;
        now.send_replace(true);
        assert!(client.reply().await.is_complete);
        client.ends().await;
        rig.settled().await;
    }
}

/// Comes back when the gateway's `header_time` has passed.
async fn header_time_passes(public: SocketAddr) {
    let mut other = Wire::connect(public).await;
    other.send("GET").await;
    other.ends().await;
}

#[tokio::test]
async fn a_connection_may_rest_longer_than_a_head_may_take() {
    let upstream = Upstream::answering(OK).await;
    let manifest = format!("[limits]\nheader_time = '200ms'\nidle = '1h'\n{}", crate::rig::API);
    let rig = Rig::new(&manifest.replace("'/*'", "'/api'"));
    rig.announce("api", &[(upstream.address, 8)]);
    // `/none` is answered without waiting for anything, which takes another way through the timers.
    for path in ["/none", "/api"] {
        let mut client = rig.client().await;
        for _ in 0..3 {
            client.ask(&format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
            header_time_passes(rig.public).await;
        }
        client.ask(&format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    }
    // Nor does it count from anything but the last request, however requests come.
    let mut client = rig.client().await;
    for _ in 0..3 {
        client.send("GET /none HTTP/1.1\r\nhost: a\r\n\r\n".repeat(2)).await;
        client.reply().await;
        client.reply().await;
        header_time_passes(rig.public).await;
    }
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_request_being_served_is_not_bound_by_the_times_for_heads_and_rests() {
    let (upstream, _ended) = silent("").await;
    let rig = Rig::before(&upstream, "[limits]\nheader_time = '200ms'\nidle = '200ms'");
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    rig.observed("api", |seen| seen.in_flight == 1).await;
    header_time_passes(rig.public).await;
    rig.observed("api", |seen| seen.in_flight == 1).await;
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn an_upload_that_stalls_is_refused_and_the_upstream_let_go() {
    async fn check(body: &str) {
        let (upstream, mut ended) = silent("").await;
        let rig = Rig::before(&upstream, "[limits]\nstall = '200ms'");
        let mut client = rig.client().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{body}")).await;
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code().as_str()), (408, "client-stalled"));
        client.ends().await;
        ended.recv().await.expect("the upstream sees the end");
        rig.settled().await;
    }
    check("content-length: 10\r\n\r\nabc").await;
    check("content-length: 10\r\n\r\n").await;
    check("transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_and_its_slot_freed() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.head().await;
        let piece = vec![b'x'; 1 << 20];
        let _ = wire.try_send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1_usize << 40)).await;
        while wire.try_send(&piece).await.is_ok() {}
    })
    .await;
    let rig = Rig::before(&upstream, "[limits]\nstall = '100ms'");
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.head().await.expect("a head");
    rig.settled().await;
    drop(client);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_given_up() {
    let (upstream, mut ended) = silent("").await;
    let manifest = crate::rig::API.replace("run = 'api'", "run = 'api'\ntimeout = '200ms'");
    let rig = Rig::new(&manifest);
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ] {
        let reply = client.ask(request).await;
        assert_eq!((reply.status(), reply.code().as_str()), (504, "upstream-timeout"));
        ended.recv().await.expect("the upstream sees the end");
    }
    assert_eq!(upstream.accepted(), 2, "a timeout is not tried again");
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_cut() {
    let (upstream, mut ended) =
        silent("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    let manifest = crate::rig::API.replace("run = 'api'", "run = 'api'\ntimeout = '400ms'");
    let rig = Rig::new(&manifest);
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    let reply = client.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((reply.text().as_str(), reply.is_complete), ("abc", false));
    ended.recv().await.expect("the upstream sees the end");
    rig.settled().await;
}

#[tokio::test]
async fn an_answer_that_never_pauses_is_cut_too() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\n\r\n").await;
        let much = vec![b'x'; 65536];
        while wire.try_send(&much).await.is_ok() {}
    })
    .await;
    let manifest = crate::rig::API.replace("run = 'api'", "run = 'api'\ntimeout = '200ms'");
    let rig = Rig::new(&manifest);
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let ends = async {
        // Slower than the upstream, so that the gateway always has something to pass on.
        while client.skip(4096).await == 4096 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::wire::PATIENCE, ends).await.expect("it is cut");
    rig.settled().await;
}

#[tokio::test]
async fn framing_without_end_is_cut_too() {
    // Zeros in front of a chunk's size, which never comes.
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let much = vec![b'0'; 1 << 20];
        while wire.try_send(&much).await.is_ok() {}
    })
    .await;
    let manifest = crate::rig::API.replace("run = 'api'", "run = 'api'\ntimeout = '200ms'");
    let rig = Rig::new(&manifest);
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    let reply = client.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(!reply.is_complete);
    rig.settled().await;
}

#[tokio::test]
async fn an_upload_that_the_upstream_does_not_take_is_given_up() {
    async fn check(framing: &str, piece: &[u8]) {
        let (tell, mut heads) = mpsc::channel(1);
        let upstream = Upstream::scripted(move |mut wire, _| {
            let tell = tell.clone();
            async move {
                wire.head().await;
                drop(tell.send(wire).await);
            }
        })
        .await;
        let manifest = crate::rig::API.replace("run = 'api'", "run = 'api'\ntimeout = '300ms'");
        let rig = Rig::new(&manifest);
        rig.announce("api", &[(upstream.address, 8)]);
        let mut client = rig.client().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n")).await;
        let _reads_nothing = heads.recv().await.expect("a connection");
        // The gateway reads on when it has answered, so all of it goes.
        for _ in 0..64 {
            client.send(piece).await;
        }
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code().as_str()), (504, "upstream-timeout"));
        drop(client);
        rig.settled().await;
    }
    let piece = vec![b'x'; 1 << 20];
    check(&format!("content-length: {}", 100 << 20), &piece).await;
    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
    check("transfer-encoding: chunked", &chunk).await;
}

#[tokio::test]
async fn a_connection_that_is_not_accepted_is_waited_for_no_longer_than_an_answer() {
    // A listener whose queue is full: the kernel drops what knocks.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(0).expect("listens");
    let address = listener.local_addr().expect("an address");
    let _first = Wire::connect(address).await;
    let rig = Rig::new(&crate::rig::API.replace("run = 'api'", "run = 'api'\ntimeout = '200ms'"));
    rig.announce("api", &[(address, 8)]);
    let mut client = rig.client().await;
    let started = tokio::time::Instant::now();
    for request in [
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ] {
        let reply = client.ask(request).await;
        assert_eq!((reply.status(), reply.code().as_str()), (504, "upstream-timeout"));
    }
    // One attempt to connect alone may take 5 s.
    assert!(started.elapsed() < std::time::Duration::from_secs(4));
    drop(client);
    rig.settled().await;
}
