//! What valid guards, credentials and caches become.

use std::time::Duration;

use super::read;
use crate::model::guard::{
    Algorithm, ApiKey, Caching, Cors, Credentials, Guards, Jwks, Limit, Networks, Origins, Per, Query,
    Require, Security, Sticky,
};
use crate::model::{Manifest, Route, Text};
use crate::network::network;

const WHOLE: &str = include_str!("whole.toml");

/// Somebody to ask, and what is tried.
fn with(rest: &str) -> Manifest {
    let source = format!(
        "[services.api]\nrun = \"api\"\n[auth]\njwks = {{ service = \"api\" }}\n\
         [api_keys.partner]\nhash = \"sha256:{}\"\n{rest}",
        "0a".repeat(32)
    );
    read(&source).expect(&source)
}

/// The only route, with these keys.
fn route(defaults: &str, keys: &str) -> Route {
    let route = format!("[defaults]\n{defaults}\n[[routes]]\nmatch = \"/x\"\nservice = \"api\"\n{keys}");
    with(&route).routes.remove(0)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_route_that_says_nothing_is_open() {
    let route = route("", "");
    assert_eq!((route.guards, route.cache), (Guards::default(), None));
}

#[test]
fn every_guard_is_read() {
    let manifest = read(WHOLE).expect("valid");
    let route = &manifest.routes[0];
    let nets = |texts: &[&str]| texts.iter().map(|text| network(text).expect("a network")).collect();
    let expected = Guards {
        auth: Credentials::Any,
        require: Require {
            scopes: words(&["orders:read"]),
            roles: words(&["staff", "admin"]),
            claims: [("tenant".to_owned(), "x".to_owned())].into(),
        },
        limit: Some(Limit { rate: 10.0 / 60.0, burst: 5, per: Per::Header("x-tenant".to_owned()) }),
        cors: Some(Cors {
            origins: Origins::Listed(words(&["https://app.example.com", "https://*.example.com"])),
            methods: words(&["GET"]),
            headers: words(&["content-type"]),
            expose: words(&["etag"]),
            credentials: true,
            max_age: Duration::from_mins(10),
        }),
        hosts: words(&["shop.example.com", "*.shop.example.com"]),
        networks: Networks { allow: nets(&["10.0.0.0/8", "::1"]), deny: nets(&["10.1.2.3"]) },
        security: Some(Security {
            hsts: Some(Duration::from_hours(365 * 24)),
            frame: Some("SAMEORIGIN".to_owned()),
            referrer: None,
            content: Some("default-src 'self'".to_owned()),
            permissions: Some("camera=()".to_owned()),
        }),
        sticky: Some(Sticky { cookie: "mare_instance".to_owned(), ttl: Some(Duration::from_hours(1)) }),
    };
    assert_eq!(route.guards, expected);
    let expected = Caching {
        ttl: Some(Duration::from_mins(1)),
        per_user: true,
        query: Query::Ignore(words(&["utm_*"])),
        size: 1 << 20,
        heuristic: true,
    };
    assert_eq!(route.cache, Some(expected));
    assert_eq!(manifest.limits.trusted.len(), 2);
}

#[test]
fn tables_without_keys_have_their_defaults() {
    let route = route("", "security = {}\nsticky = {}\ncache = {}\nrequire = {}\nnetworks = {}");
    let security = route.guards.security.expect("it is there");
    assert_eq!(security.frame.as_deref(), Some("DENY"));
    assert_eq!(security.referrer.as_deref(), Some("strict-origin-when-cross-origin"));
    assert_eq!((security.hsts, security.content, security.permissions), (None, None, None));
    assert_eq!(route.guards.sticky, Some(Sticky { cookie: "mare_instance".to_owned(), ttl: None }));
    let expected = Caching { ttl: None, per_user: false, query: Query::All, size: 1 << 20, heuristic: false };
    assert_eq!(route.cache, Some(expected));
    assert_eq!((route.guards.require, route.guards.networks), (Require::default(), Networks::default()));
}

#[test]
fn a_limit_is_what_one_second_brings_for_each_address() {
    let check = |limit: &str, expected: (f64, u32, Per)| {
        let Limit { rate, burst, per } = route("", &format!("limit = {limit}")).guards.limit.expect(limit);
        assert_eq!((rate, burst, per), expected, "{limit}");
    };
    check("{ rate = \"100/s\" }", (100.0, 100, Per::Ip));
    check("{ rate = \"30/m\" }", (0.5, 1, Per::Ip));
    check("{ rate = \"1.5/s\", per = \"route\" }", (1.5, 2, Per::Route));
    check("{ rate = \"5000000/h\", burst = 7, per = \"ip\" }", (5_000_000.0 / 3600.0, 7, Per::Ip));
}

#[test]
fn what_a_route_says_replaces_the_defaults() {
    let defaults = "auth = \"jwt\"\nrequire = { roles = [\"staff\"] }\nlimit = { rate = \"5/s\", per = \"user\" }\n\
        hosts = [\"A.example.com\"]\nnetworks = { deny = [\"10.0.0.1\"] }\nsecurity = {}\n\
        cors = { origins = [\"*\"] }";
    let inherited = route(defaults, "").guards;
    assert_eq!(inherited.auth, Credentials::Jwt);
    assert_eq!(inherited.require.roles, ["staff"]);
    assert_eq!(inherited.limit, Some(Limit { rate: 5.0, burst: 5, per: Per::User }));
    assert_eq!(inherited.hosts, ["a.example.com"]);
    assert_eq!(inherited.networks.deny.len(), 1);
    assert_eq!(inherited.cors.as_ref().map(|cors| &cors.origins), Some(&Origins::Any));

    let own = "auth = \"key\"\nrequire = { scopes = [\"read\"] }\nlimit = { rate = \"unlimited\" }\nhosts = []\n\
        networks = {}\nsecurity = { frame = \"\", referrer = \"\" }";
    let own = route(defaults, own).guards;
    assert_eq!(own.auth, Credentials::ApiKey);
    let read = Require { scopes: words(&["read"]), ..Require::default() };
    assert_eq!((own.require, own.limit), (read, None));
    assert_eq!((own.hosts, own.networks), (Vec::new(), Networks::default()));
    let nothing = Security { hsts: None, frame: None, referrer: None, content: None, permissions: None };
    assert_eq!(own.security, Some(nothing));
}

#[test]
fn an_open_route_requires_nothing_and_counts_addresses() {
    let defaults =
        "auth = \"jwt\"\nrequire = { roles = [\"staff\"] }\nlimit = { rate = \"5/s\", per = \"user\" }";
    let open = route(defaults, "auth = \"none\"").guards;
    assert_eq!((open.auth, open.require), (Credentials::None, Require::default()));
    // The model says of it: the address where there is no user.
    assert_eq!(open.limit.map(|limit| limit.per), Some(Per::User));
}

#[test]
fn tokens_and_keys_are_known() {
    let auth = with("").auth.expect("it is there");
    let jwks = Jwks::Service { service: "api".to_owned(), path: "/.well-known/jwks.json".to_owned() };
    assert_eq!(auth.jwks, Some(jwks));
    assert_eq!(auth.algorithms, [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256]);
    assert_eq!((auth.issuer, auth.audience, auth.leeway), (None, vec![], Duration::from_mins(1)));

    let manifest = read(WHOLE).expect("valid");
    let auth = manifest.auth.expect("it is there");
    assert_eq!(auth.issuer, Some(Text::plain("https://id.example.com")));
    assert_eq!(auth.audience, ["shop", "shop.example.com"]);
    let keys: Vec<_> = auth.keys.iter().map(|key| (key.id.as_deref(), key.algorithm)).collect();
    assert_eq!(keys, [(Some("2026-01"), Algorithm::Hs256), (None, Algorithm::EdDsa)]);
    let partner = ApiKey { hash: [0x0a; 32], scopes: vec![], roles: vec![] };
    assert_eq!(with("").api_keys, [("partner".to_owned(), partner)].into());
}
