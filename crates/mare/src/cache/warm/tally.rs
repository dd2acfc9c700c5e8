//! What came of warming, counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Serialize;

/// Different reasons kept of what got no answer.
const REASONS_MAX: usize = 10;

/// One answer.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    cached: Cached,
    status: StatusCode,
}

/// What `Cache-Status` (RFC 9211) says of it.
#[derive(Debug, PartialEq)]
enum Cached {
    /// It was there, or another request brought it meanwhile.
    Hit,
    Stored,
    /// And why, if it says.
    NotStored(String),
}

/// What was seen so far. Every request is in one of the first four.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Tally {
    hits: u64,
    stored: u64,
    not_stored: BTreeMap<String, u64>,
    pub(super) unanswered: u64,
    /// Of the answers, those of 4xx and 5xx.
    errors: BTreeMap<u16, u64>,
    reasons: BTreeMap<String, u64>,
}

impl Seen {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let last = headers.get_all("cache-status").iter().next_back().and_then(|value| value.to_str().ok());
        let ours = last.and_then(|list| list.rsplit(',').next()).unwrap_or_default();
        let has = |wanted: &str| ours.split(';').any(|one| one.trim() == wanted);
        let cached = if has("hit") || has("collapsed") || has("fwd-status=304") {
            Cached::Hit
        } else if has("stored") {
            Cached::Stored
        } else {
            let detail = ours.split(';').find_map(|one| one.trim().strip_prefix("detail="));
            Cached::NotStored(detail.unwrap_or("the route has no cache").to_owned())
        };
        Self { cached, status }
    }
}

impl Tally {
    pub(super) fn saw(&mut self, seen: &Seen) {
        match &seen.cached {
            Cached::Hit => self.hits += 1,
            Cached::Stored => self.stored += 1,
            Cached::NotStored(why) => *self.not_stored.entry(why.clone()).or_default() += 1,
        }
        if seen.status.is_client_error() || seen.status.is_server_error() {
            *self.errors.entry(seen.status.as_u16()).or_default() += 1;
        }
    }

    pub(super) fn missed(&mut self, why: String) {
        self.unanswered += 1;
        if self.reasons.len() < REASONS_MAX || self.reasons.contains_key(&why) {
            *self.reasons.entry(why).or_default() += 1;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.stored += other.stored;
        self.unanswered += other.unanswered;
        merge(&mut self.not_stored, other.not_stored);
        merge(&mut self.errors, other.errors);
        merge(&mut self.reasons, other.reasons);
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("counts and text")
    }

    pub(super) fn text(&self, took: Duration) -> String {
        let not_stored: u64 = self.not_stored.values().sum();
        let all = self.hits + self.stored + not_stored + self.unanswered;
        let mut out = format!("{all} asked for in {:.1} s\n", took.as_secs_f64());
        let lines = [
            (self.stored, "stored", String::new()),
            (self.hits, "were there already", String::new()),
            (not_stored, "not stored", list(&self.not_stored)),
            (self.unanswered, "got no answer", list(&self.reasons)),
            (self.errors.values().sum(), "answered with an error", list(&self.errors)),
        ];
        for (count, what, why) in lines.into_iter().filter(|(count, ..)| *count > 0) {
            let _ = writeln!(out, "{count:>8} {what}{why}");
        }
        out
    }
}

fn merge<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

fn list<K: std::fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    let each: Vec<String> = counts.iter().map(|(key, count)| format!("{key} ({count})")).collect();
    if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_the_cache_did() {
        let check = |lines: &[&'static str], expected: Cached| {
            let lines =
                lines.iter().map(|line| (http::header::CACHE_STATUS, http::HeaderValue::from_static(line)));
            let headers: HeaderMap = lines.collect();
            assert_eq!(Seen::of(StatusCode::OK, &headers).cached, expected);
        };
        let not_stored = |why: &str| Cached::NotStored(why.to_owned());
        check(&["mare; hit"], Cached::Hit);
        check(&["mare; fwd=stale; fwd-status=304"], Cached::Hit);
        check(&["mare; fwd=uri-miss; collapsed"], Cached::Hit);
        check(&["mare; fwd=uri-miss; fwd-status=200; stored"], Cached::Stored);
        check(&["other; hit, mare; fwd=uri-miss; fwd-status=200; detail=private"], not_stored("private"));
        check(&["other; hit", "mare; fwd=bypass; detail=no-store"], not_stored("no-store"));
        check(&[], not_stored("the route has no cache"));
    }

    #[test]
    fn the_summary_says_what_is_worth_knowing() {
        let mut tally = Tally::default();
        let seen = |cached, status| Seen { cached, status };
        tally.saw(&seen(Cached::Stored, StatusCode::OK));
        tally.saw(&seen(Cached::Stored, StatusCode::NOT_FOUND));
        tally.saw(&seen(Cached::NotStored("private".into()), StatusCode::OK));
        let mut other = Tally::default();
        other.missed("refused".into());
        tally.add(other);
        let expected = "\
4 asked for in 1.5 s
       2 stored
       1 not stored: private (1)
       1 got no answer: refused (1)
       1 answered with an error: 404 (1)
";
        assert_eq!(tally.text(Duration::from_millis(1500)), expected);
    }
}
