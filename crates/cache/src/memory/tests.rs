use bytes::Bytes;
use http::header::{CACHE_CONTROL, VARY};
use http::uri::Scheme;
use http::{HeaderValue, Method, StatusCode};
use mare_manifest::model::guard::{Caching, Query};

use super::*;
use crate::policy::{Asker, Exchange, Stored, Wishes};
use crate::service::Asked;
use crate::tags::Number;

fn key(target: &str) -> KeyBuffer {
    let (method, headers) = (&Method::GET, &HeaderMap::new());
    let asked = Asked {
        method,
        scheme: &Scheme::HTTP,
        authority: "a",
        forwarded_host: None,
        target,
        headers,
        subject: None,
        now: Time(0),
    };
    KeyBuffer::of(&asked, &Query::All, false)
}

/// An answer of so many bytes that varies by these fields.
fn entry(bytes: usize, vary: Option<&'static str>) -> Arc<Entry> {
    let mut response = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("max-age=60"))]);
    response.extend(vary.map(|vary| (VARY, HeaderValue::from_static(vary))));
    let request = HeaderMap::new();
    let exchange = Exchange {
        wishes: &Wishes::read(&Method::GET, &request, Asker::Unknown).expect("a plain request"),
        request: &request,
        status: StatusCode::OK,
        response: &response,
        sent: Time(0),
        received: Time(0),
    };
    let caching = Caching { ttl: None, per_user: false, query: Query::All, size: u64::MAX, heuristic: false };
    let stored = Stored::read(&exchange, &caching).expect("an answer to keep");
    let number = Number { epoch: 0, sequence: 0 };
    Arc::new(Entry::new(stored, Bytes::from(vec![b'x'; bytes]), number, Box::default(), true))
}

impl Memory {
    fn holds(&self, target: &str) -> bool {
        matches!(self.find(&key(target), &HeaderMap::new()).slot, Some(Slot::Entry(_)))
    }

    fn keep(&self, target: &str, bytes: usize) {
        self.put(&key(target), &HeaderMap::new(), &entry(bytes, None));
    }
}

#[test]
fn memory_is_bounded_by_bytes() {
    let memory = Memory::new(1 << 20);
    for number in 0..1000 {
        memory.keep(&format!("/{number}"), 10_000);
        assert!(memory.bytes() <= memory.capacity(), "{} bytes after {number}", memory.bytes());
    }
    assert!(memory.bytes() > memory.capacity() / 2, "and used: {}", memory.bytes());
    assert!(memory.evictions().get() > 800);
}

/// A crawler that asks for everything once does not push out what many ask for.
#[test]
fn one_pass_over_many_answers_leaves_those_often_asked_for() {
    let memory = Memory::new(1 << 20);
    let hot: Vec<String> = (0..20).map(|number| format!("/hot/{number}")).collect();
    for target in &hot {
        memory.keep(target, 10_000);
    }
    for number in 0..2000 {
        memory.keep(&format!("/once/{number}"), 10_000);
        // Asked for as often as some 20 of 100 requests would.
        let often = &hot[number % hot.len()];
        memory.holds(often);
    }
    let left = hot.iter().filter(|target| memory.holds(target)).count();
    assert!(left >= 15, "{left} of {} are left", hot.len());
}

#[test]
fn an_answer_larger_than_its_room_displaces_nothing() {
    let memory = Memory::new(1 << 20);
    memory.keep("/small", 1000);
    memory.keep("/large", usize::try_from(memory.largest()).expect("small"));
    assert!(memory.holds("/small") && !memory.holds("/large"));
}

#[test]
fn what_is_weighed_is_what_is_kept() {
    let check = |bytes: usize, vary| {
        let (memory, entry) = (Memory::new(1 << 20), entry(bytes, vary));
        memory.put(&key("/a"), &HeaderMap::new(), &entry);
        let weight = usize::try_from(memory.bytes()).expect("small");
        assert!((bytes + 300..bytes + 2500).contains(&weight), "{bytes} weigh {weight}");
    };
    check(0, None);
    check(100_000, None);
    check(100_000, Some("accept, accept-encoding"));
}

#[test]
fn the_latest_answer_says_what_variants_differ_by() {
    let memory = Memory::new(1 << 20);
    let of =
        |coding| HeaderMap::from_iter([(http::header::ACCEPT_ENCODING, HeaderValue::from_static(coding))]);
    let find = |coding: &'static str| {
        let found = memory.find(&key("/a"), &of(coding));
        (found.variant.is_some(), matches!(found.slot, Some(Slot::Entry(_))))
    };
    memory.put(&key("/a"), &of("gzip"), &entry(1, Some("accept-encoding")));
    assert_eq!((find("gzip"), find("br")), ((true, true), (true, false)));
    memory.put(&key("/a"), &of("br"), &entry(1, None));
    assert_eq!((find("gzip"), find("br")), ((false, true), (false, true)));
    memory.put(&key("/a"), &of("br"), &entry(1, Some("accept-encoding")));
    assert_eq!((find("gzip"), find("br")), ((true, true), (true, true)));
}

#[test]
fn only_what_is_dead_is_removed() {
    let memory = Memory::new(1 << 20);
    let (dead, new) = (entry(1, None), entry(2, None));
    memory.put(&key("/a"), &HeaderMap::new(), &new);
    memory.remove(key("/a").as_bytes(), &dead);
    assert!(memory.holds("/a"));
    memory.unshare(&key("/a").to_key(), Time(1));
    assert!(memory.holds("/a"), "what others share stays");
    memory.remove(key("/a").as_bytes(), &new);
    assert!(!memory.holds("/a"));
}

#[test]
fn copies_under_way_are_bounded_together() {
    let memory = Arc::new(Memory::new(1000));
    let bound = memory.capacity() / 2;
    let (mut one, mut other) = (Room::new(&memory), Room::new(&memory));
    assert!(one.take(bound - 1));
    assert!(other.take(1));
    assert!(!other.take(1));
    drop(one);
    assert!(other.take(1));
}
