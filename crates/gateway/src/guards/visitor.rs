//! Who a request comes from, with proxies in front of the gateway.
//!
//! A proxy adds to `X-Forwarded-For` the address it got the request from. So the list is read from its end, where the
//! proxies that are trusted wrote; the first address that is none of theirs is the client's, and whatever stands
//! before that is only what the client says.

use std::net::{IpAddr, SocketAddr};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use mare_manifest::model::guard::Network;

use super::networks::contain;
use crate::headers::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};

pub(crate) struct Visitor {
    /// Canonical: IPv4 is never written in IPv6.
    pub(crate) address: IpAddr,
    /// The client spoke HTTPS to a trusted proxy.
    pub(crate) is_https: bool,
    /// What a trusted proxy says; boxed, because most requests come without one.
    pub(crate) proxied: Option<Box<Proxied>>,
}

/// What trusted proxies say of a client, for the service.
pub(crate) struct Proxied {
    /// The client's address.
    pub(crate) address: HeaderValue,
    /// The host it asked them for.
    pub(crate) host: Option<HeaderValue>,
}

impl Visitor {
    /// One who is connected to us.
    pub(crate) fn near(address: IpAddr) -> Self {
        Self { address, is_https: false, proxied: None }
    }

    /// One who is connected to a proxy of `trusted`, which is connected to us from `peer`.
    pub(crate) fn behind(peer: IpAddr, trusted: &[Network], headers: &HeaderMap) -> Self {
        let address = furthest(peer, trusted, headers);
        let text = |name: HeaderName| headers.get_all(name).iter().next_back();
        // Of several proxies the nearest has the last word.
        let proto =
            text(X_FORWARDED_PROTO).and_then(|line| line.as_bytes().rsplit(|byte| *byte == b',').next());
        let host = text(X_FORWARDED_HOST).filter(|host| is_host(host.as_bytes())).cloned();
        let value = HeaderValue::from_str(&address.to_string()).expect("an address is ascii");
        Self {
            address,
            is_https: proto.is_some_and(|proto| proto.trim_ascii().eq_ignore_ascii_case(b"https")),
            proxied: Some(Box::new(Proxied { address: value, host })),
        }
    }
}

impl Visitor {
    /// The host that a trusted proxy was asked for, if it says so.
    pub(crate) fn forwarded_host(&self) -> Option<&str> {
        self.proxied.as_ref()?.host.as_ref()?.to_str().ok()
    }
}

/// Goes back along the list while it leads through trusted proxies.
fn furthest(peer: IpAddr, trusted: &[Network], headers: &HeaderMap) -> IpAddr {
    let mut address = peer;
    for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        // By bytes: what a client wrote at the front must not make unreadable what a proxy added to the same line.
        for text in line.as_bytes().rsplit(|byte| *byte == b',') {
            if !contain(trusted, address) {
                return address;
            }
            // What nobody can read leads no further; the proxy that wrote it down is to blame for the request.
            let Some(before) = str::from_utf8(text.trim_ascii()).ok().and_then(parse) else { return address };
            address = before;
        }
    }
    address
}

/// Some proxies write the port, too.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.map(|address| address.to_canonical())
}

/// One host with or without port, nothing that could mean more to whoever builds a link of it.
fn is_host(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> Vec<Network> {
        [("10.0.0.0", 8), ("2001:db8::", 32)]
            .map(|(address, bits)| Network { address: address.parse().expect("an address"), bits })
            .to_vec()
    }

    fn with(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).expect("a value");
        lines.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    fn check(lines: &[&str], expected: &str) {
        let lines: Vec<_> = lines.iter().map(|&line| (X_FORWARDED_FOR, line)).collect();
        let visitor = Visitor::behind("10.0.0.1".parse().expect("an address"), &trusted(), &with(&lines));
        assert_eq!(visitor.address.to_string(), expected, "{lines:?}");
        assert_eq!(visitor.proxied.expect("it is").address, expected);
    }

    #[test]
    fn the_last_address_that_is_no_trusted_proxy_is_the_clients() {
        check(&[], "10.0.0.1");
        check(&["192.0.2.7"], "192.0.2.7");
        check(&["6.6.6.6, 192.0.2.7"], "192.0.2.7");
        check(&["6.6.6.6, 192.0.2.7, 10.0.0.2"], "192.0.2.7");
        check(&["6.6.6.6", "192.0.2.7", "10.0.0.2, 10.0.0.3"], "192.0.2.7");
        check(&["10.0.0.9, 6.6.6.6"], "6.6.6.6");
        check(&["10.0.0.9"], "10.0.0.9");
    }

    #[test]
    fn addresses_are_read_however_proxies_write_them() {
        check(&["192.0.2.7:4711"], "192.0.2.7");
        check(&["2001:db9::1"], "2001:db9::1");
        check(&["[2001:db9::1]"], "2001:db9::1");
        check(&["[2001:db9::1]:4711"], "2001:db9::1");
        check(&["::ffff:192.0.2.7"], "192.0.2.7");
        check(&["6.6.6.6,::ffff:10.0.0.2"], "6.6.6.6");
        check(&["  192.0.2.7\t"], "192.0.2.7");
    }

    #[test]
    fn what_cannot_be_read_leads_no_further() {
        check(&["192.0.2.7, unknown"], "10.0.0.1");
        check(&["192.0.2.7, _hidden, 10.0.0.2"], "10.0.0.2");
        check(&["192.0.2.7,"], "10.0.0.1");
        check(&[""], "10.0.0.1");
        check(&["192.0.2.7", "\u{e9}"], "10.0.0.1");
        check(&["192.0.2.999"], "10.0.0.1");
        check(&["\u{e9}, 192.0.2.7"], "192.0.2.7");
        check(&["\u{e9}, 192.0.2.7, 10.0.0.2"], "192.0.2.7");
    }

    #[test]
    fn protocol_and_host_are_the_nearest_proxys_to_say() {
        let check = |lines: &[(HeaderName, &str)], is_https, host: Option<&str>| {
            let visitor = Visitor::behind("10.0.0.1".parse().expect("an address"), &trusted(), &with(lines));
            assert_eq!(visitor.is_https, is_https, "{lines:?}");
            assert_eq!(
                visitor.proxied.expect("it is").host.as_ref().map(HeaderValue::as_bytes),
                host.map(str::as_bytes)
            );
        };
        check(&[], false, None);
        check(&[(X_FORWARDED_PROTO, "https")], true, None);
        check(&[(X_FORWARDED_PROTO, "HTTPS")], true, None);
        check(&[(X_FORWARDED_PROTO, "https, http")], false, None);
        check(&[(X_FORWARDED_PROTO, "http"), (X_FORWARDED_PROTO, "https")], true, None);
        check(&[(X_FORWARDED_PROTO, "httpsx")], false, None);
        check(&[(X_FORWARDED_HOST, "shop.example:8443")], false, Some("shop.example:8443"));
        check(&[(X_FORWARDED_HOST, "evil.example, shop.example")], false, None);
        check(&[(X_FORWARDED_HOST, "shop.example/<x>")], false, None);
    }

    proptest! {
        #[test]
        fn what_a_client_writes_changes_nothing(forged in "[0-9a-f:., ]{0,30}") {
            let honest = with(&[(X_FORWARDED_FOR, "192.0.2.7, 10.0.0.2")]);
            let text = format!("{forged}, 192.0.2.7, 10.0.0.2");
            let forged = with(&[(X_FORWARDED_FOR, text.as_str())]);
            let peer: IpAddr = "10.0.0.1".parse().expect("an address");
            prop_assert_eq!(
                Visitor::behind(peer, &trusted(), &honest).address,
                Visitor::behind(peer, &trusted(), &forged).address
            );
        }
    }
}
