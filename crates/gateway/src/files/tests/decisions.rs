//! The pure parts: names, weights, ranges.

use http::HeaderMap;
use proptest::prelude::*;

use super::super::coding::{Accepted, Coding};
use super::super::naming::{carries_hash, content_type};
use super::super::range::Part;
use super::fields;

#[test]
fn a_hash_is_told_from_a_word() {
    let hashed = "index-Bx3k9Q2z.js app.3f2a9c1d.css main.3f2a9c1d.chunk.js main-3f2a9c1d.js a/b/logo_3f2a9c1d.svg \
        app.3f2a9c1d.js.map style.min.e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.css \
        index-Bx3k9Q2z.js.map assets/index-DiwrgTda.js assets/index-B_3k-Q2z.css x/assets/vendor-C7aGq-Wb.mjs \
        webpack-8a1f03c9d27be456.js inter-latin-Dx4kXJAl.woff2";
    let named = "package-description.txt index.html app.js main-document.pdf report-20240115.pdf report.20240115.pdf \
        schedule-20240101a.pdf x-facade01.js deadbeef.js a-deadbeef.txt book-Chapter1.html icon-TopRight.svg \
        release-Version2.js report-v2-Final.pdf 3f2a9c1d.js d41d8cd98f00b204e9800998ecf8427e.png \
        avatar-550e8400-e29b-41d4-a716-4466554a0c1d.png 550e8400-e29b-41d4-a716-4466554a0c1d.png \
        app.3f2a9c1.css index-DiwrgTda.js assets/icon-TopRight.svg assets/lang-Japanese.js assets/package-lockfile.js \
        assets/jquery-validate.js assets/sub/index-DiwrgTda.js -Bx3k9Q2z.js Bx3k9Q2z.js x.Bx3k9Q2z index-Bx3k9Q2z \
        photo-12345678.jpg v1.2.3-4-g3f2a9c1d0.tar index-Bx3k9Q2zz.js .js - ";
    for name in hashed.split_whitespace() {
        assert!(carries_hash(name), "{name} changes its name with its content");
    }
    for name in named.split_whitespace().chain([""]) {
        assert!(!carries_hash(name), "{name} may get new content");
    }
}

#[test]
fn text_says_its_charset() {
    for (name, expected) in [
        ("a.html", "text/html; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "application/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("LICENSE", "application/octet-stream"),
    ] {
        assert_eq!(content_type(name), expected);
    }
}

#[test]
fn weights_decide_which_codings_are_welcome() {
    let of = |lines: &[&str]| {
        let list: Vec<_> = lines.iter().map(|line| ("accept-encoding", *line)).collect();
        Coding::ALL.map(|coding| Accepted::from_headers(&fields(&list)).weight(coding))
    };
    // br, zstd, gzip, identity
    assert_eq!(of(&[]), [None, None, None, Some(0)]);
    assert_eq!(of(&[""]), [None, None, None, Some(0)]);
    assert_eq!(of(&["br, gzip"]), [Some(1000), None, Some(1000), Some(0)]);
    assert_eq!(of(&["br", "GZIP;Q=0.25"]), [Some(1000), None, Some(250), Some(0)]);
    assert_eq!(of(&["x-gzip ; q=1.000"]), [None, None, Some(1000), Some(0)]);
    assert_eq!(of(&["*;q=0.1, br;q=0"]), [None, Some(100), Some(100), Some(100)]);
    assert_eq!(of(&["identity;q=0"]), [None; 4]);
    assert_eq!(of(&["*;q=0"]), [None; 4]);
    assert_eq!(of(&["br;q=2, gzip;q=0.1234, zstd;q=-1, identity;q=0.5"]), [None, None, None, Some(500)]);
    assert_eq!(of(&["brotli, gzipped, ;q=1, =, ;"]), [None, None, None, Some(0)]);
}

#[test]
fn odd_ranges_are_ignored_or_refused() {
    let whole = None;
    for (value, expected) in [
        ("bytes=0-0", Some(Part::Bytes(0..1))),
        ("Bytes = 0-99", Some(Part::Bytes(0..10))),
        ("bytes=9-", Some(Part::Bytes(9..10))),
        ("bytes=-99", Some(Part::Bytes(0..10))),
        ("bytes=0-99999999999999999999999", Some(Part::Bytes(0..10))),
        ("bytes=10-10", Some(Part::Unsatisfiable)),
        ("bytes=99999999999999999999999-", Some(Part::Unsatisfiable)),
        ("bytes=-0", Some(Part::Unsatisfiable)),
        ("bytes=5-4", whole.clone()),
        ("bytes=-", whole.clone()),
        ("bytes=", whole.clone()),
        ("bytes", whole.clone()),
        ("bytes=+1-2", whole.clone()),
        ("bytes=1- 2", whole.clone()),
        ("bytes=0-1,5-6", whole.clone()),
        ("items=0-1", whole),
    ] {
        assert_eq!(Part::parse(value, 10), expected, "{value}");
    }
    assert_eq!(Part::parse("bytes=-1", 0), Some(Part::Whole));
    assert_eq!(Part::requested(&HeaderMap::new(), 10), Part::Whole);
    let twice = fields(&[("range", "bytes=0-1"), ("range", "bytes=2-3")]);
    assert_eq!(Part::requested(&twice, 10), Part::Whole);
}

proptest! {
    #[test]
    fn a_part_is_exactly_what_was_asked_for(first in 0..300_u64, last in 0..300_u64, length in 0..200_u64) {
        let expected: Vec<u64> = (0..length).filter(|at| (first..=last).contains(at)).collect();
        match Part::parse(&format!("bytes={first}-{last}"), length) {
            None => prop_assert!(last < first),
            Some(Part::Unsatisfiable) => prop_assert!(first >= length),
            Some(Part::Bytes(part)) => prop_assert_eq!(part.collect::<Vec<_>>(), expected),
            Some(Part::Whole) => prop_assert!(false, "a well-formed range is not ignored"),
        }
    }

    #[test]
    fn a_suffix_is_the_end(suffix in 0..300_u64, length in 1..200_u64) {
        match Part::parse(&format!("bytes=-{suffix}"), length) {
            Some(Part::Bytes(part)) => {
                prop_assert_eq!(part.end, length);
                prop_assert_eq!(part.end - part.start, suffix.min(length));
            }
            other => prop_assert_eq!((other, suffix), (Some(Part::Unsatisfiable), 0)),
        }
    }

    #[test]
    fn no_range_text_leads_outside(value in "(bytes=)?[0-9 ,=-]{0,24}", length in 0..1000_u64) {
        if let Some(Part::Bytes(part)) = Part::parse(&value, length) {
            prop_assert!(part.start < part.end && part.end <= length);
        }
    }

    #[test]
    fn any_name_can_be_judged(name in "\\PC{0,40}") {
        let _ = carries_hash(&name);
        prop_assert!(http::HeaderValue::try_from(content_type(&name)).is_ok());
    }
}
