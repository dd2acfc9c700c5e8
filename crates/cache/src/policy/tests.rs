//! The policy against the RFCs. Each table's rows cite their section.
//!
//! A message is written `200 | cache-control: max-age=60 | etag: "a"`, a request `GET | range: bytes=0-1`.

mod answers;
mod laws;
mod oracle;
mod refreshing;
mod reuse;
mod storing;

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mare_manifest::model::guard::{Caching, Query};

use super::{Asker, Bypass, Exchange, Refusal, Stored, Time, Wishes};

/// `Sun, 06 Nov 1994 08:49:37 GMT`: when responses come.
const NOW: Time = Time(784_111_777_000);

/// A second after [`NOW`].
fn at(seconds: u64) -> Time {
    Time(NOW.0 + seconds * 1000)
}

fn message(text: &str) -> (&str, HeaderMap) {
    let mut parts = text.split(" | ");
    let first = parts.next().unwrap();
    let mut headers = HeaderMap::new();
    for part in parts {
        let (name, value) = part.split_once(':').unwrap();
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value.trim().as_bytes()).unwrap(),
        );
    }
    (first, headers)
}

fn route() -> Caching {
    Caching { ttl: None, per_user: false, query: Query::All, size: 1 << 20, heuristic: false }
}

fn with_ttl(seconds: u64) -> Caching {
    Caching { ttl: Some(Duration::from_secs(seconds)), ..route() }
}

fn wishes(request: &str, asker: Asker) -> Result<(Wishes, HeaderMap), Bypass> {
    let (method, headers) = message(request);
    Ok((Wishes::read(&method.parse::<Method>().unwrap(), &headers, asker)?, headers))
}

/// Somebody unknown's.
fn ask(request: &str) -> (Wishes, HeaderMap) {
    wishes(request, Asker::Unknown).unwrap()
}

/// What comes of a response, sent and received [`NOW`].
fn store(request: &str, asker: Asker, response: &str, route: &Caching) -> Result<Stored, Refusal> {
    let (wishes, request) = wishes(request, asker).unwrap();
    let (status, response) = message(response);
    let status = status.parse::<StatusCode>().unwrap();
    let exchange = Exchange {
        wishes: &wishes,
        request: &request,
        status,
        response: &response,
        sent: NOW,
        received: NOW,
    };
    Stored::read(&exchange, route)
}

/// The response to `GET`, stored.
fn stored(response: &str) -> Stored {
    store("GET", Asker::Unknown, response, &route()).unwrap()
}
