//! Which host names a route serves.
//!
//! Others get 421 Misdirected Request (RFC 9110 15.5.20), not 400: the request is well formed, it came to the wrong
//! server, and a client that took a shared connection for another name may try again on one of its own.

use crate::problem::{Code, Refusal};

pub(crate) struct Hosts(Vec<Pattern>);

enum Pattern {
    Exact(String),
    /// `.example.com`: one more label before it.
    Below(String),
}

impl Hosts {
    /// Lower case; none: all are served.
    pub(crate) fn new(hosts: &[String]) -> Self {
        let pattern = |host: &String| match host.strip_prefix('*') {
            Some(rest) => Pattern::Below(rest.to_owned()),
            None => Pattern::Exact(host.clone()),
        };
        Self(hosts.iter().map(pattern).collect())
    }

    /// `host` has neither port nor a dot at its end; its case does not matter.
    pub(crate) fn check(&self, host: &str) -> Result<(), Refusal> {
        if self.0.is_empty() || self.0.iter().any(|pattern| pattern.takes(host)) {
            return Ok(());
        }
        Err(Refusal::new(Code::HostNotServed, "this route does not serve the host that was asked for"))
    }
}

impl Pattern {
    fn takes(&self, host: &str) -> bool {
        match self {
            Pattern::Exact(name) => name.eq_ignore_ascii_case(host),
            Pattern::Below(suffix) => {
                host.find('.').is_some_and(|dot| dot > 0 && host[dot..].eq_ignore_ascii_case(suffix))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_served() {
        let check = |hosts: &[&str], host, expected| {
            let hosts = Hosts::new(&hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>());
            assert_eq!(hosts.check(host).is_ok(), expected, "{host:?}");
        };
        check(&[], "anything", true);
        check(&["shop.example"], "shop.example", true);
        check(&["shop.example"], "SHOP.Example", true);
        check(&["shop.example"], "evil.example", false);
        check(&["shop.example"], "shop.example.evil.example", false);
        check(&["shop.example"], "", false);
        check(&["*.example.com"], "a.example.com", true);
        check(&["*.example.com"], "A.EXAMPLE.com", true);
        check(&["*.example.com"], "a.b.example.com", false);
        check(&["*.example.com"], "example.com", false);
        check(&["*.example.com"], ".example.com", false);
        check(&["*.example.com"], "aexample.com", false);
        check(&["a.example", "[::1]"], "[::1]", true);
    }
}
