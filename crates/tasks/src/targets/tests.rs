use proptest::prelude::*;

use super::*;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn targets() -> Targets {
    let services = vec![(Arc::from("worker"), address("127.0.0.1:4001"))];
    let external = [
        "127.0.0.1:9100",
        "api.example.com",
        "hooks.example.com:8443",
        "10.0.0.7",
        "[::1]:9000",
        "169.254.1.1",
    ];
    let external: Vec<String> = external.into_iter().map(str::to_owned).collect();
    Targets::new(services, &external, vec![address("127.0.0.1:8080"), address("0.0.0.0:8081")])
        .expect("a good list")
}

#[test]
fn a_url_leads_to_a_service_to_an_allowed_host_or_nowhere() {
    let worker = |path: &str| Place::Service { name: Arc::from("worker"), path_and_query: path.to_owned() };
    let external = |tls, host: &str, port, path: &str| {
        Place::External(External { tls, host: host.to_owned(), port, path_and_query: path.to_owned() })
    };
    let not_allowed = |host: &str| Place::Refused(Refusal::NotAllowed { host: host.to_owned() });
    let own = |address: &str| Place::Refused(Refusal::OwnListener(address.to_owned()));
    let check = |url: &str, expected: Place| assert_eq!(targets().classify(url), expected, "{url}");
    check("http://worker.mare.internal/tasks/a?b=c", worker("/tasks/a?b=c"));
    check("http://Worker.MARE.internal:99", worker("/"));
    check("http://worker.mare.internal.?x", worker("/?x"));
    check("http://127.0.0.1:4001/a#fragment", worker("/a"));
    check("http://localhost:4001/a", worker("/a"));
    check("http://nobody.mare.internal/", Place::Refused(Refusal::NoService("nobody".to_owned())));
    check("http://127.0.0.1:8080/", own("127.0.0.1:8080"));
    check("http://localhost:8081/", own("127.0.0.1:8081"));
    check("http://[::1]:8081/", own("[::1]:8081"));
    check("http://[::ffff:127.0.0.1]:8080/", own("127.0.0.1:8080"));
    check("http://127.0.0.1:9100/%zz", external(false, "127.0.0.1", 9100, "/%zz"));
    check("http://127.0.0.1:9101/", not_allowed("127.0.0.1:9101"));
    check("https://API.example.com/a", external(true, "api.example.com", 443, "/a"));
    check("http://api.example.com:81/a", external(false, "api.example.com", 81, "/a"));
    check("https://hooks.example.com:8443/a", external(true, "hooks.example.com", 8443, "/a"));
    check("https://hooks.example.com/a", not_allowed("hooks.example.com:443"));
    check("https://api.example.com.evil.example/", not_allowed("api.example.com.evil.example:443"));
    check("http://[0:0::1]:9000/", external(false, "0:0::1", 9000, "/"));
    check(
        "http://169.254.1.1/",
        Place::Refused(Refusal::Forbidden("169.254.1.1".parse().expect("an address"))),
    );
    for unclear in [
        "ftp://api.example.com/",
        "api.example.com",
        "http://",
        "http:///a",
        "http://user@api.example.com/",
        "http://api.example.com\\@evil.example/",
        "http://api.example.com:99999/",
        "http://api.example.com:+80/",
        "http://api%2eexample.com/",
        "http://api.example.com/a b",
        "http://[::1/",
        "http://[::1]x/",
    ] {
        check(unclear, Place::Refused(Refusal::NotAUrl));
    }
}

#[test]
fn a_url_of_a_service_gets_its_stable_form() {
    let check = |url: &str, expected: Option<&str>| assert_eq!(targets().stable(url).as_deref(), expected);
    check("http://127.0.0.1:4001/a?b", Some("http://worker.mare.internal/a?b"));
    check("http://worker.mare.internal/a", None);
    check("http://api.example.com/a", None);
}

#[test]
fn a_name_may_not_resolve_to_the_inside() {
    let check = |text: &str, expected: bool| {
        assert_eq!(targets().check_address(address(text)).is_ok(), expected, "{text}");
    };
    check("93.184.216.34:443", true);
    check("10.0.0.7:443", true);
    check("127.0.0.1:9100", true);
    check("10.0.0.8:443", false);
    check("127.0.0.1:4001", false);
    check("127.0.0.1:80", false);
    check("169.254.169.254:80", false);
    check("169.254.1.1:80", false);
    check("100.100.100.200:80", false);
    check("[fd00:ec2::254]:80", false);
    check("[fe80::1]:80", false);
    check("[::ffff:10.0.0.8]:80", false);
    check("[64:ff9b::a9fe:a9fe]:80", false);
    check("[2002:a00:8::1]:80", false);
    check("0.0.0.0:80", false);
    check("255.255.255.255:80", false);
    check("[2606:2800:220:1::1]:443", true);
}

#[test]
fn entries_are_hosts_or_hosts_with_ports() {
    let check = |entry: &str, expected: Option<(&str, Option<u16>)>| {
        let parsed = Allowed::parse(entry).ok().map(|allowed| (allowed.host, allowed.port));
        assert_eq!(parsed, expected.map(|(host, port)| (host.to_owned(), port)), "{entry}");
    };
    check("Example.com", Some(("example.com", None)));
    check("example.com:80", Some(("example.com", Some(80))));
    check("::1", Some(("::1", None)));
    check("[::1]", Some(("::1", None)));
    check("[::1]:80", Some(("::1", Some(80))));
    check("http://example.com", None);
    check("example.com/path", None);
    check("example.com/", None);
    check("user@example.com", None);
    check("*", None);
    check("", None);
}

proptest! {
    #[test]
    fn the_stable_form_means_the_same_and_is_stable(
        host in prop::sample::select(vec!["worker.mare.internal", "WORKER.mare.internal:7", "127.0.0.1:4001",
            "localhost:4001", "127.0.0.1:9100", "evil.example"]),
        rest in "[/?#a-z%@:]{0,12}",
    ) {
        let (targets, url) = (targets(), format!("http://{host}{rest}"));
        if let Some(stable) = targets.stable(&url) {
            prop_assert_eq!(targets.classify(&stable), targets.classify(&url));
            prop_assert_eq!(targets.stable(&stable), None);
        }
    }

    #[test]
    fn nothing_leads_out_but_to_what_is_listed(url in "(http|https|HTTP)://\\PC{0,24}") {
        if let Place::External(External { host, port, .. }) = targets().classify(&url) {
            let listed = targets().external.iter().any(|allowed| allowed.covers(&host, port));
            prop_assert!(listed, "{} leads to {}:{}", url, host, port);
        }
    }
}
