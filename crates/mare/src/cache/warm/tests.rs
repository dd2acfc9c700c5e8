use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[test]
fn a_file_has_an_address_on_each_line() {
    let target = |host: Option<&'static str>, path: &'static str| Target {
        host: host.map(HeaderValue::from_static),
        path: Uri::from_static(path),
    };
    let text = "# what many ask for\n/a?b=c\n\n  https://shop.example:8443/d \nhttp://shop.example\n";
    let expected = vec![
        target(None, "/a?b=c"),
        target(Some("shop.example:8443"), "/d"),
        target(Some("shop.example"), "/"),
    ];
    assert_eq!(parse(text), (expected, vec![]));
    assert_eq!(parse("a/b\n/ok\nftp://a/b\n*\n/a b\n").1, [1, 3, 4, 5]);
}

#[test]
fn headers_are_written_as_on_the_wire() {
    let check = |line: &str, expected: Option<&str>| {
        let headers = headers(&[line.to_owned()]).ok();
        let value = headers.as_ref().and_then(|headers| headers.get("authorization"));
        assert_eq!(value.and_then(|value| value.to_str().ok()), expected, "{line}");
    };
    check("Authorization: Bearer x", Some("Bearer x"));
    check("authorization:x", Some("x"));
    check("authorization", None);
    check("a b: c", None);
}

/// Answers one request after the other, until it is asked for `/gone`; says what it was asked.
async fn serve(listener: TcpListener, asked: tokio::sync::mpsc::Sender<String>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let asked = asked.clone();
        tokio::spawn(async move {
            let mut read = Vec::new();
            while stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {
                if !read.ends_with(b"\r\n\r\n") {
                    continue;
                }
                let head = String::from_utf8(std::mem::take(&mut read)).expect("text");
                let status = match head.split(' ').nth(1) {
                    Some("/hit") => "200 OK\r\nCache-Status: mare; hit",
                    Some("/new") => "200 OK\r\nCache-Status: mare; fwd=uri-miss; fwd-status=200; stored",
                    Some("/gone") => return,
                    _ => "404 Not Found",
                };
                asked.send(head).await.expect("the test listens");
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok");
                stream.write_all(answer.as_bytes()).await.expect("a client");
            }
        });
    }
}

#[tokio::test]
async fn every_address_is_asked_for_and_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (sender, mut asked) = tokio::sync::mpsc::channel(16);
    let server = tokio::spawn(serve(listener, sender));
    let (targets, mistakes) = parse("/hit\nhttp://shop.example/new\n/gone\n/new\n/else\n/hit\n");
    assert_eq!((targets.len(), mistakes), (6, vec![]));
    let work = Work {
        address: address.clone(),
        headers: headers(&["Accept-Language: pt".to_owned()]).expect("a header"),
        targets: Mutex::new(targets.into_iter()),
        done: AtomicUsize::new(0),
    };
    let tally = warm(Arc::new(work), 6, 2).await.expect("no worker panics");
    server.abort();
    let text = tally.text(Duration::ZERO);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines[..4],
        [
            "6 asked for in 0.0 s",
            "2 stored",
            "2 were there already",
            "1 not stored: the route has no cache (1)",
        ]
    );
    assert!(lines[4].starts_with("1 got no answer: "), "{text}");
    assert_eq!(lines[5], "1 answered with an error: 404 (1)");
    let mut hosts = Vec::new();
    while let Ok(head) = asked.try_recv() {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("accept-language: pt"), "{head}");
        hosts.extend(head.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned));
    }
    hosts.sort();
    let mut expected =
        vec![address.clone(), address.clone(), address.clone(), address, "shop.example".into()];
    expected.sort();
    assert_eq!(hosts, expected);
}
