use http::header::{CACHE_CONTROL, CACHE_STATUS};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use mare_manifest::model::guard::{Caching, Query};
use proptest::prelude::*;

use super::*;
use crate::policy::{Asker, Exchange, Time, Wishes};

const LOCAL: Number = Number { epoch: 0, sequence: 3 };
const RECORDED: Number = Number { epoch: u64::MAX, sequence: 7 };

fn entry(body: &[u8]) -> Entry {
    let mut response = HeaderMap::new();
    for (name, value) in [
        ("cache-control", "max-age=60, stale-while-revalidate=5, stale-if-error=7"),
        ("cdn-cache-control", "max-age=90"),
        ("cache-tag", "a,b"),
        ("etag", "\"x\""),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("date", "Sun, 06 Nov 1994 08:50:37 GMT"),
        ("vary", "accept, accept-language"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("cache-status", "origin; hit"),
    ] {
        response.append(name, HeaderValue::from_static(value));
    }
    let mut request = HeaderMap::new();
    request.insert("accept-language", HeaderValue::from_static("pt"));
    let caching = Caching { ttl: None, per_user: false, query: Query::All, size: 1 << 20, heuristic: false };
    let exchange = Exchange {
        wishes: &Wishes::read(&Method::GET, &request, Asker::Unknown).expect("it may be looked up"),
        request: &request,
        status: StatusCode::OK,
        response: &response,
        sent: Time(784_111_837_000),
        received: Time(784_111_838_000),
    };
    let stored = Stored::read(&exchange, &caching).expect("it may be kept");
    let tags = [Tag::named("a"), Tag::path("/a")].into();
    Entry::new(stored, Bytes::copy_from_slice(body), LOCAL, tags, true).recorded(Some(RECORDED), true)
}

fn thawed(bytes: &[u8]) -> Option<Arc<Entry>> {
    match thaw(bytes, LOCAL)? {
        Frozen::Answer(entry) => Some(entry),
        Frozen::Varies(_) => None,
    }
}

#[test]
fn an_entry_comes_back_as_it_was() {
    let before = entry(b"body");
    let after = thawed(&answer(&before).expect("it is small")).expect("it is whole");
    assert_eq!(format!("{:?}", after.stored), format!("{:?}", before.stored));
    assert_eq!((&*after.body, after.number(), after.recorded), (&b"body"[..], LOCAL, Some(RECORDED)));
    assert_eq!((after.tags(), after.is_shared, after.is_tagged), (before.tags(), true, true));
}

/// Raise [`VERSION`] when this changes; gateways that still run the old one must not misread the new.
#[test]
fn what_was_written_before_is_understood() {
    let after = thawed(include_bytes!("version1.bin")).expect("it is whole");
    assert_eq!(format!("{:?}", after.stored), format!("{:?}", entry(b"").stored));
    assert_eq!(after.body, "Version 1. Version 1. Version 1.");
    assert_eq!(
        answer(&entry(b"Version 1. Version 1. Version 1.")).as_deref(),
        Some(&include_bytes!("version1.bin")[..])
    );
}

#[test]
fn a_sign_comes_back_as_it_was() {
    let fields = [CACHE_CONTROL, CACHE_STATUS];
    match thaw(&sign(fields.iter()), LOCAL) {
        Some(Frozen::Varies(after)) => assert_eq!(after, fields),
        Some(Frozen::Answer(_)) | None => panic!("it is a sign"),
    }
}

#[test]
fn what_is_large_or_of_another_version_is_nothing() {
    assert!(answer(&entry(&vec![0; ANSWER_MAX + 1])).is_none());
    assert!(answer(&entry(&vec![0; ANSWER_MAX])).is_none(), "with its head it is too large");
    assert!(answer(&entry(b"").recorded(None, true)).is_none(), "without a number nobody could confirm it");
    let mut bytes = answer(&entry(b"body")).expect("it is small");
    bytes[0] += 1;
    assert!(thaw(&bytes, LOCAL).is_none());
    // A length that nobody has room for.
    let bomb = [&[VERSION, ANSWER][..], &u32::MAX.to_le_bytes(), &[0; 64]].concat();
    assert!(thaw(&bomb, LOCAL).is_none());
}

proptest! {
    #[test]
    fn spoilt_bytes_are_nothing_or_an_entry_but_no_panic(
        at in any::<prop::sample::Index>(), value in any::<u8>(), length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = answer(&entry(b"body body body body")).expect("it is small");
        prop_assert!(thaw(&bytes[..length.index(bytes.len())], LOCAL).is_none());
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = thaw(&bytes, LOCAL);
    }
}
