//! Against `http-cache-semantics`, an implementation of RFC 7234: where one serves without asking and the other does
//! not, the difference is listed with its reason, and each reason listed still makes a difference.

use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use http_cache_semantics::{CacheOptions, CachePolicy};
use mare_manifest::model::guard::Caching;

use super::super::{Asker, Time, Verdict};
use super::{NOW, at, message, route, store, wishes};

const CONTROLS: &[&str] = &[
    "",
    "max-age=60",
    "max-age=60, max-age=60",
    "max-age=60, max-age=90",
    "MAX-AGE=60",
    "max-age=x",
    "max-age=\"60\"",
    "max-age=60, no-cache",
    "max-age=60, no-cache=\"x-a\"",
    "max-age=60, no-store",
    "max-age=60, private",
    "max-age=60, private=\"x-a\"",
    "max-age=60, public",
    "max-age=60, must-revalidate",
    "max-age=60, proxy-revalidate",
    "max-age=60, x=\"a, no-store, b\"",
    "max-age=60; public",
    "public",
    "immutable",
    "s-maxage=30",
    "s-maxage=30, max-age=60",
    "s-maxage=x, max-age=60",
];
const FIELDS: &[&str] = &[
    "",
    " | expires: Sun, 06 Nov 1994 08:50:07 GMT",
    " | expires: 0",
    " | age: 20",
    " | last-modified: Sun, 06 Nov 1994 08:39:37 GMT",
    " | vary: accept",
    " | vary: *",
    " | set-cookie: a=b",
    " | pragma: no-cache",
];
const REQUESTS: &[&str] = &[
    "GET",
    "HEAD",
    "GET | accept: a",
    "GET | authorization: a",
    "GET | pragma: no-cache",
    "GET | pragma: no-cache | cache-control: max-age=90",
    "GET | cache-control: no-cache",
    "GET | cache-control: no-store",
    "GET | cache-control: max-age=10",
    "GET | cache-control: max-age=x",
    "GET | cache-control: min-fresh=20",
    "GET | cache-control: max-stale=10",
    "GET | cache-control: max-stale",
];

/// Does it apply to what was stored (its request, its response) and the request now?
type Applies = fn(first: &str, response: &str, request: &str) -> bool;

const WE_SERVE: &[(&str, Applies)] = &[
    ("9111 5.2.2.4: the field form is about the fields", |_, response, _| response.contains("=\"x-a\"")),
    ("9111 5.2.2.8: proxy-revalidate says nothing of fresh ones", |_, response, _| {
        response.contains("proxy-re")
    }),
    ("9111 5.2: names are without case", |_, response, _| response.contains("MAX-AGE")),
    ("9111 5.2: a quoted-string may contain commas", |_, response, _| response.contains("x=\"a,")),
    ("9110 9.3.2: HEAD is answered from GET's answer", |_, _, request| request == "HEAD"),
    ("9111 5.4: Pragma does not count beside Cache-Control", |_, _, request| {
        request.contains("pragma: no-cache | c")
    }),
    ("9111 4.2.1: two values are stale, which a client may accept", |_, response, request| {
        response.contains("max-age=60, max-age=90") && request.contains("max-stale")
    }),
    ("9111 5.2.1.2: stale by no more than, so by as much too", |_, _, request| {
        request.ends_with("max-stale=10")
    }),
];
const THE_ORACLE_SERVES: &[(&str, Applies)] = &[
    ("not stored: what is malformed", |_, response, _| response.contains(';')),
    ("9111 4.2.1: two values are stale", |_, response, _| response.contains("max-age=60, max-age=90")),
    ("not stored: Set-Cookie, even if public", |_, response, _| response.contains("set-cookie")),
    ("not shared: authorised answers that are not public", |first, _, _| first.contains("authorization")),
    ("not used: what was assumed, for the authorised", |_, _, request| request.contains("authorization")),
    ("9111 5.2.2.8, 5.2.2.10: neither is to be stale for a shared cache", |_, response, request| {
        (response.contains("s-maxage") || response.contains("proxy-re")) && request.contains("max-stale")
    }),
    ("9111 5.2.1.5: no-store passes the cache by", |_, _, request| request.contains("no-store")),
    ("a request's max-age without a number is none at all", |_, _, request| request.contains("max-age=x")),
    ("8246 2: immutable is no lifetime", |_, response, _| response.contains("immutable")),
    ("errors and redirects last as long as the service says", |_, response, _| !response.starts_with("200")),
    ("what nobody gave a lifetime is not stored", |_, response, request| {
        !response.contains("max-age=") && request.contains("max-stale")
    }),
    ("what is stale on arrival and cannot be confirmed is not stored", |_, response, request| {
        ["max-age=x", "s-maxage=x", "expires: 0"].iter().any(|cause| response.contains(cause))
            && request.contains("max-stale")
    }),
    ("9111 5.2.1.2: no-cache is not for max-stale to lift", |_, response, request| {
        response.contains("no-cache") && request.contains("max-stale")
    }),
];

#[test]
fn differences_from_the_oracle_have_a_reason() {
    let mut used = vec![0_usize; WE_SERVE.len() + THE_ORACLE_SERVES.len()];
    let mut unexplained = Vec::new();
    for (first, response, request, seconds) in cases() {
        let ours = ours(first, &response, request, at(seconds));
        let (reasons, offset) = match (ours, oracle(first, &response, request, at(seconds))) {
            (true, false) => (WE_SERVE, 0),
            (false, true) => (THE_ORACLE_SERVES, WE_SERVE.len()),
            (true, true) | (false, false) => continue,
        };
        let applying: Vec<_> =
            (0..reasons.len()).filter(|at| reasons[*at].1(first, &response, request)).collect();
        // A reason counts where it is the only one.
        if let [only] = applying[..] {
            used[offset + only] += 1;
        }
        if applying.is_empty() {
            unexplained
                .push(format!("{first} -> {response}, {seconds} s later {request}: served by us: {ours}"));
        }
    }
    assert!(
        unexplained.is_empty(),
        "{} such as {:#?}",
        unexplained.len(),
        &unexplained[..unexplained.len().min(20)]
    );
    let reasons = WE_SERVE.iter().chain(THE_ORACLE_SERVES).zip(used);
    let unused: Vec<_> = reasons.filter(|(_, used)| *used == 0).map(|((why, _), _)| why).collect();
    assert!(unused.is_empty(), "reasons without a difference: {unused:?}");
}

/// The request that stored, its response, another request, and how many seconds later.
fn cases() -> impl Iterator<Item = (&'static str, String, &'static str, u64)> {
    let responses = ["200", "302", "404"].into_iter().flat_map(|status| {
        CONTROLS.iter().flat_map(move |control| {
            let control =
                if control.is_empty() { String::new() } else { format!(" | cache-control: {control}") };
            let start = format!("{status} | date: Sun, 06 Nov 1994 08:49:37 GMT{control}");
            FIELDS.iter().map(move |field| format!("{start}{field}"))
        })
    });
    responses.flat_map(|response| {
        ["GET", "GET | authorization: a"].into_iter().flat_map(move |first| {
            let response = response.clone();
            REQUESTS.iter().flat_map(move |request| {
                let response = response.clone();
                [15, 40, 70].map(|seconds| (first, response.clone(), *request, seconds))
            })
        })
    })
}

fn ours(first: &str, response: &str, request: &str, now: Time) -> bool {
    let Ok(stored) = store(first, Asker::Unknown, response, &Caching { heuristic: true, ..route() }) else {
        return false;
    };
    let Ok((wishes, headers)) = wishes(request, Asker::Unknown) else { return false };
    matches!(stored.judge(&wishes, &headers, now), Verdict::Fresh | Verdict::Stale)
}

fn oracle(first: &str, response: &str, request: &str, now: Time) -> bool {
    let (status, headers) = message(response);
    let mut answer = Response::new(());
    *answer.status_mut() = status.parse::<StatusCode>().unwrap();
    *answer.headers_mut() = headers;
    let policy = CachePolicy::new_options(&asked(first), &answer, system(NOW), CacheOptions::default());
    policy.is_storable()
        && policy.before_request(&asked(request), system(now)).satisfies_without_revalidation()
}

fn asked(text: &str) -> Request<()> {
    let (method, headers) = message(text);
    let mut request = Request::builder().method(method).uri("http://example.com/").body(()).unwrap();
    *request.headers_mut() = headers;
    request
}

fn system(time: Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(time.0)
}
