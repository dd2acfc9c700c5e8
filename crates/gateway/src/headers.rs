//! What a proxy must take out of a message, and what it puts in.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::guards::visitor::Visitor;
use crate::trace::{TRACEPARENT, X_REQUEST_ID};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// This proxy's name in `Via` (RFC 9110 7.6.3).
const VIA: HeaderValue = HeaderValue::from_static("1.1 mare");

/// On a refusal before delivery, on services' listeners only: the problem's code. Whoever dispatches tasks knows by it
/// that nothing was attempted.
pub(crate) const X_MARE_REFUSED: HeaderName = HeaderName::from_static("x-mare-refused");
/// A request with this header is an attempt of a task.
pub(crate) const X_CLOUDTASKS_TASKNAME: HeaderName = HeaderName::from_static("x-cloudtasks-taskname");

/// Headers that only the platform may set; a public request must not bring them.
const RESERVED: [&str; 2] = ["x-mare-", "x-cloudtasks-"];

/// Whose word counts only of a proxy that is trusted: `X-Forwarded-Prefix` and its like become links.
const FORWARDED: &str = "x-forwarded-";

/// Removes what belongs to one connection only: `Connection`, everything it lists, and the rest of
/// RFC 9110 7.6.1. Messages usually carry none of these, so one look decides.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    let listed: Vec<HeaderName> = listed(headers).collect();
    for name in listed {
        headers.remove(name);
    }
    let found: Vec<HeaderName> = headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in found {
        if name == header::TRANSFER_ENCODING {
            // A length beside it is not the body's (RFC 9112 6.3).
            headers.remove(header::CONTENT_LENGTH);
        }
        headers.remove(name);
    }
}

/// Whether `Connection` removes more of a message than what is hop by hop anyway.
pub(crate) fn connection_takes_away(headers: &HeaderMap) -> bool {
    listed(headers).any(|name| !is_hop_by_hop(&name) && headers.contains_key(&name))
}

/// What `Connection` lists. There may be several such lines, and all of them count.
fn listed(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        // Listing these must not make the message lose its meaning (request smuggling by Connection), or its name.
        .filter(|name| !is_end_to_end(name))
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        KEEP_ALIVE,
        PROXY_CONNECTION,
    ]
    .contains(name)
}

/// What a message never loses, whatever its `Connection` lists: also what the platform says of who asks.
fn is_end_to_end(name: &HeaderName) -> bool {
    [header::HOST, header::CONTENT_LENGTH, header::AUTHORIZATION, X_REQUEST_ID, TRACEPARENT].contains(name)
        || is_reserved(name.as_str(), true)
}

/// Whether a body comes in no other transfer coding than `chunked`, the only one a proxy can pass on: it takes
/// the header away, and what was coded otherwise would reach the upstream without a name.
pub(crate) fn is_plainly_coded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// Removes what a client may not claim: what only the platform says, and, unless it is a trusted proxy, for whom it asks.
pub(crate) fn strip_reserved(headers: &mut HeaderMap, is_trusted: bool) {
    let is_reserved = |name: &HeaderName| is_reserved(name.as_str(), is_trusted);
    if headers.keys().any(is_reserved) {
        let found: Vec<HeaderName> = headers.keys().filter(|name| is_reserved(name)).cloned().collect();
        for name in found {
            headers.remove(name);
        }
    }
}

/// `X_Mare_Subject` too: to a CGI, and to all that came after it (WSGI, Rack, PHP), both are `HTTP_X_MARE_SUBJECT`.
fn is_reserved(name: &str, is_trusted: bool) -> bool {
    let is_same = |(ours, given): (u8, u8)| ours == given || (ours == b'-' && given == b'_');
    let begins = |prefix: &str| prefix.len() <= name.len() && prefix.bytes().zip(name.bytes()).all(is_same);
    RESERVED.into_iter().any(begins) || (begins(FORWARDED) && (!is_trusted || name.contains('_')))
}

/// Says who asked, for what host and by which protocol.
///
/// A client's own `Forwarded` and `X-Forwarded-*` are replaced; what a trusted proxy said is in `visitor`. `peer` is who
/// is connected to us, `host` whom it asked for.
pub(crate) fn forward(
    headers: &mut HeaderMap,
    visitor: Visitor,
    peer: &HeaderValue,
    host: Option<HeaderValue>,
) {
    headers.remove(header::FORWARDED);
    let (client, host) = match visitor.proxied {
        Some(proxied) => (proxied.address, proxied.host.or(host)),
        None => (peer.clone(), host),
    };
    headers.insert(X_FORWARDED_FOR, client);
    let proto = if visitor.is_https { "https" } else { "http" };
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    match host {
        Some(host) => headers.insert(X_FORWARDED_HOST, host),
        None => headers.remove(X_FORWARDED_HOST),
    };
    headers.append(header::VIA, VIA);
    // We answer `Expect` ourselves, when the body is first read (RFC 9110 10.1.1).
    headers.remove(header::EXPECT);
}

/// Whether the request asks to change protocols (RFC 9110 7.8), to one that may be tunnelled: requests in a tunnel
/// of HTTP/2 would pass by every route and limit.
pub(crate) fn wants_upgrade(headers: &HeaderMap) -> bool {
    let is_http = |line: &HeaderValue| line.as_bytes().to_ascii_lowercase().windows(2).any(|it| it == b"h2");
    headers.contains_key(header::UPGRADE)
        && !headers.get_all(header::UPGRADE).iter().any(is_http)
        && headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        headers
    }

    fn check(before: &[(&str, &str)], after: &[(&str, &str)]) {
        let mut headers = map(before);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers, map(after));
    }

    #[test]
    fn what_belongs_to_one_connection_goes() {
        check(&[("accept", "*/*")], &[("accept", "*/*")]);
        check(
            &[("connection", "keep-alive"), ("keep-alive", "timeout=5"), ("accept", "*/*")],
            &[("accept", "*/*")],
        );
        check(
            &[
                ("connection", "X-One, close"),
                ("connection", "x-two"),
                ("x-one", "1"),
                ("x-two", "2"),
                ("x", "3"),
            ],
            &[("x", "3")],
        );
        check(
            &[("te", "trailers"), ("trailer", "x"), ("upgrade", "h2c"), ("proxy-connection", "close")],
            &[],
        );
    }

    #[test]
    fn what_connection_takes_away_is_seen() {
        let check =
            |lines: &[(&str, &str)], expected| assert_eq!(connection_takes_away(&map(lines)), expected);
        check(&[("accept-language", "pt")], false);
        check(&[("connection", "keep-alive, TE"), ("keep-alive", "timeout=5"), ("te", "trailers")], false);
        check(&[("connection", "close, x-one")], false);
        check(&[("connection", "close"), ("connection", "Accept-Language"), ("accept-language", "pt")], true);
    }

    #[test]
    fn a_length_beside_a_transfer_coding_goes_with_it() {
        check(&[("content-length", "3"), ("transfer-encoding", "chunked"), ("x", "1")], &[("x", "1")]);
    }

    #[test]
    fn connection_cannot_remove_what_gives_the_message_its_meaning() {
        let kept = [("host", "a"), ("content-length", "3"), ("authorization", "Bearer x")];
        let mut before = vec![("connection", "host, content-length, authorization")];
        before.extend(kept);
        check(&before, &kept);
    }

    #[test]
    fn reserved_names_are_taken_from_clients() {
        let check = |before: &[(&str, &str)], after: &[(&str, &str)]| {
            let mut headers = map(before);
            strip_reserved(&mut headers, false);
            assert_eq!(headers, map(after));
        };
        check(
            &[("x-mare-subject", "root"), ("x-mare-subject", "too"), ("x-other", "1")],
            &[("x-other", "1")],
        );
        check(&[("x-cloudtasks-queuename", "q")], &[]);
        // Header names are lower case here, whatever the client wrote.
        check(&[("X-MARE-Subject", "root")], &[]);
        check(&[("x_mare_subject", "root"), ("x_mare-roles", "root"), ("x-mare_scope", "root")], &[]);
        check(&[("x_cloudtasks_queuename", "q")], &[]);
        check(
            &[("x-mar", "1"), ("x-mare", "1"), ("xx-mare-a", "1")],
            &[("x-mar", "1"), ("x-mare", "1"), ("xx-mare-a", "1")],
        );
    }

    #[test]
    fn for_whom_a_client_asks_only_a_trusted_proxy_says() {
        let check = |is_trusted, after: &[(&str, &str)]| {
            let lines = [("x-forwarded-prefix", "/a"), ("x_forwarded_host", "b"), ("x-forwarded_port", "1")];
            let mut headers = map(&lines);
            strip_reserved(&mut headers, is_trusted);
            assert_eq!(headers, map(after), "{is_trusted}");
        };
        check(false, &[]);
        check(true, &[("x-forwarded-prefix", "/a")]);
    }

    #[test]
    fn connection_cannot_take_away_what_the_platform_says() {
        let said = [("x-mare-subject", "ana"), ("x-mare-api-key", "partner")];
        let mut before = vec![("connection", "x-mare-subject, X-Mare-Api-Key, close")];
        before.extend(said);
        check(&before, &said);
    }

    #[test]
    fn an_upgrade_needs_both_headers() {
        let check = |lines: &[(&str, &str)], expected| assert_eq!(wants_upgrade(&map(lines)), expected);
        check(&[("upgrade", "websocket"), ("connection", "keep-alive, Upgrade")], true);
        check(&[("upgrade", "websocket")], false);
        check(&[("upgrade", "H2c"), ("connection", "upgrade")], false);
        check(&[("upgrade", "websocket"), ("upgrade", "x, h2c"), ("connection", "upgrade")], false);
        check(&[("connection", "upgrade")], false);
    }

    proptest! {
        #[test]
        fn nothing_hop_by_hop_is_ever_left(
            lines in prop::collection::vec(("(connection|te|upgrade|x-[ab]|keep-alive)", "[a-b, x-]{0,12}"), 0..8),
        ) {
            let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (name.as_str(), value.trim())).collect();
            let mut headers = map(&lines);
            strip_hop_by_hop(&mut headers);
            prop_assert!(!headers.keys().any(is_hop_by_hop));
        }
    }
}
