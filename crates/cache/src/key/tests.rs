use http::uri::Scheme;
use http::{HeaderValue, Method};
use proptest::prelude::*;

use super::*;
use crate::policy::Time;
use crate::service::Subject;

fn key(scheme: &Scheme, authority: &str, target: &str, query: &Query, subject: Option<u8>) -> Key {
    let subject = subject.map(|byte| Subject([byte; 32]));
    let asked = Asked {
        method: &Method::GET,
        scheme,
        authority,
        forwarded_host: None,
        target,
        headers: &HeaderMap::new(),
        subject: subject.as_ref(),
        now: Time(0),
    };
    KeyBuffer::of(&asked, query, true).to_key()
}

fn of(target: &str, query: &Query) -> Key {
    key(&Scheme::HTTP, "a", target, query, None)
}

#[test]
fn a_key_tells_apart_what_a_service_tells_apart() {
    let check = |one: (&str, &str), other: (&str, &str), same: bool| {
        let [one, other] =
            [one, other].map(|(authority, target)| key(&Scheme::HTTP, authority, target, &Query::All, None));
        assert_eq!(one == other, same, "{one:?} {other:?}");
    };
    check(("shop.example", "/a"), ("SHOP.example:80", "/a"), true);
    check(("shop.example", "/a"), ("shop.example:", "/a"), true);
    check(("shop.example", "/a"), ("shop.example:8080", "/a"), false);
    check(("shop.example", "/a"), ("shop.example:443", "/a"), false);
    check(("shop.example", "/a"), ("shop.example", "/A"), false);
    check(("shop.example", "/a"), ("shop.example", "/a/"), false);
    check(("shop.example", "/a"), ("shop.example", "/a?"), true);
    check(("ab", "/c"), ("a", "b/c"), false);
    check(("a", "/b?c"), ("a", "/b"), false);
    assert_ne!(
        key(&Scheme::HTTP, "a", "/", &Query::All, None),
        key(&Scheme::HTTPS, "a", "/", &Query::All, None)
    );
    assert_eq!(
        key(&Scheme::HTTPS, "a:443", "/", &Query::All, None),
        key(&Scheme::HTTPS, "a", "/", &Query::All, None)
    );
}

#[test]
fn what_a_trusted_proxy_was_asked_for_is_part_of_the_key() {
    let of = |forwarded_host| {
        let asked = Asked {
            method: &Method::GET,
            scheme: &Scheme::HTTP,
            authority: "a",
            forwarded_host,
            target: "/",
            headers: &HeaderMap::new(),
            subject: None,
            now: Time(0),
        };
        KeyBuffer::of(&asked, &Query::All, false).to_key()
    };
    assert_ne!(of(Some("evil.example")), of(None));
    assert_ne!(of(Some("evil.example")), of(Some("shop.example")));
}

#[test]
fn users_have_keys_of_their_own() {
    let of = |subject| key(&Scheme::HTTP, "a", "/", &Query::All, subject);
    assert_ne!(of(Some(1)), of(Some(2)));
    assert_ne!(of(Some(1)), of(None));
    assert_eq!(of(Some(1)), of(Some(1)));
}

#[test]
fn a_query_is_read_as_its_route_says() {
    let only = Query::Only(vec!["id".into(), "lang".into()]);
    let ignore = Query::Ignore(vec!["utm_*".into(), "fbclid".into()]);
    let check = |rule: &Query, one: &str, other: &str, same: bool| {
        assert_eq!(of(one, rule) == of(other, rule), same, "{one} {other}");
    };
    // Of different names, the order does not count; of one name, it does.
    check(&Query::All, "/?a=1&b=2", "/?b=2&a=1", true);
    check(&Query::All, "/?a=1&a=2", "/?a=2&a=1", false);
    check(&Query::All, "/?a=1&b=2&a=3", "/?b=2&a=1&a=3", true);
    check(&Query::All, "/?a=1", "/?a=2", false);
    check(&Query::All, "/?a", "/?a=", false);
    check(&Query::All, "/?a=1&&b=2&", "/?a=1&b=2", true);
    check(&only, "/?id=1&x=2", "/?id=1", true);
    check(&only, "/?lang=pt&id=1", "/?id=1&lang=pt", true);
    check(&only, "/?id=1", "/?id=2", false);
    check(&ignore, "/?utm_source=x&id=1&fbclid=y", "/?id=1", true);
    check(&ignore, "/?fbclidx=y", "/", false);
}

/// Whoever makes a key forget what the service reads can plant an answer under a key others ask for.
#[test]
fn a_parameter_cannot_be_hidden_from_its_key() {
    let only = Query::Only(vec!["id".into(), "user_id".into()]);
    let ignore = Query::Ignore(vec!["utm_*".into()]);
    let differ = |rule: &Query, one: &str, other: &str| {
        assert_ne!(of(one, rule), of(other, rule), "{one} {other}");
    };
    differ(&only, "/?%69d=2", "/");
    differ(&only, "/?ID=2", "/");
    differ(&only, "/?id[]=2", "/");
    differ(&only, "/?id%5B%5D=2", "/");
    differ(&only, "/?x;id=2", "/");
    differ(&only, "/?+id=2", "/");
    differ(&only, "/?id%00x=2", "/");
    differ(&only, "/?user.id=2", "/");
    differ(&ignore, "/?utm_x=1;id=2", "/?utm_x=1");
    // One service takes the first of these, another the last.
    differ(&Query::All, "/?id=1&%69d=2", "/?%69d=2&id=1");
    differ(&Query::All, "/?id=1&ID=2", "/?ID=2&id=1");
}

#[test]
fn variants_differ_by_the_fields_named() {
    let primary = KeyBuffer(SmallVec::from_slice(b"primary"));
    let vary = [http::header::ACCEPT_ENCODING, http::header::ACCEPT_LANGUAGE];
    let variant = |fields: &[(HeaderName, &'static str)]| {
        let fields = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        primary.variant(&vary, &fields.collect()).to_key()
    };
    let [coding, language] = vary.clone();
    assert_eq!(variant(&[(coding.clone(), "gzip")]), variant(&[(coding.clone(), " gzip ")]));
    assert_ne!(variant(&[(coding.clone(), "gzip")]), variant(&[(coding.clone(), "br")]));
    assert_ne!(variant(&[(coding.clone(), "")]), variant(&[]));
    assert_ne!(variant(&[(coding, "x")]), variant(&[(language, "x")]));
}

proptest! {
    /// Frames: wherever the borders are, other parts make another key.
    #[test]
    fn different_parts_never_make_the_same_key(
        one in ("[ab]{0,3}", "/[ab]{0,3}", "[ab]{0,3}", prop::option::of(0_u8..2)),
        other in ("[ab]{0,3}", "/[ab]{0,3}", "[ab]{0,3}", prop::option::of(0_u8..2)),
    ) {
        let of = |(authority, path, query, subject): &(String, String, String, Option<u8>)| {
            key(&Scheme::HTTP, authority, &format!("{path}?{query}"), &Query::All, *subject)
        };
        prop_assert_eq!(of(&one) == of(&other), one == other);
    }

    /// Sorting twice changes nothing, and nothing is lost.
    #[test]
    fn normalising_keeps_every_parameter(text in "[abAB%61=&+\\[\\]]{0,24}") {
        let normal = |text: &str| {
            let mut out = SmallVec::new();
            query::normalise(text, &Query::All, &mut out);
            String::from_utf8(out.to_vec()).expect("text stays text")
        };
        let once = normal(&text);
        prop_assert_eq!(normal(&once), once.clone());
        let sorted = |text: &str| {
            let mut pairs: Vec<String> =
                text.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
            pairs.sort();
            pairs
        };
        prop_assert_eq!(sorted(&once), sorted(&text));
    }
}
