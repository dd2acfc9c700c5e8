//! Who may use a listener that is not for the public.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderValue};

use crate::problem::{Code, Refusal};

/// Guards the admin listener and the services' own ones.
#[derive(Clone)]
pub enum Access {
    /// Bound to loopback: no token, but a page in a browser must not get in by DNS rebinding (so `Host` must be
    /// loopback) or by a cross-site request (so `Origin`, if any, must be too).
    Loopback,
    /// Reachable from elsewhere: a bearer token, except for the paths listed.
    Token { token: String, open: Vec<String>, limited: Option<Limited> },
}

/// A second token, good for some of the mounts only.
#[derive(Clone)]
pub struct Limited {
    pub token: String,
    /// As of mounts: each and all below it.
    pub prefixes: Vec<String>,
}

impl Limited {
    fn opens(&self, path: &str, given: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| is_below(prefix, path)) && is_equal(given, self.token.as_bytes())
    }
}

/// Whether a path is the prefix, which has no slash at its end, or below it.
pub(crate) fn is_below(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Access {
    pub(crate) fn check(&self, host: &str, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        match self {
            Access::Loopback => {
                let mut origins = headers.get_all(header::ORIGIN).iter();
                let is_near = |origin: &HeaderValue| is_loopback_origin(origin.to_str().unwrap_or_default());
                if is_loopback(host) && origins.all(is_near) {
                    Ok(())
                } else {
                    Err(Refusal::new(
                        Code::ForeignOrigin,
                        "Host and Origin must name this machine's loopback address",
                    ))
                }
            }
            Access::Token { open, .. } if open.iter().any(|allowed| allowed == path) => Ok(()),
            Access::Token { token, limited, .. } => {
                let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
                // The scheme's case does not matter (RFC 9110 11.1).
                let (scheme, given) = given.split_at_checked(b"Bearer ".len()).unwrap_or_default();
                let is_limited = || limited.as_ref().is_some_and(|limited| limited.opens(path, given));
                let is_good = is_equal(given, token.as_bytes()) || is_limited();
                if scheme.eq_ignore_ascii_case(b"Bearer ") && is_good {
                    Ok(())
                } else {
                    Err(Refusal::new(Code::Unauthorized, "send Authorization: Bearer with the admin token"))
                }
            }
        }
    }
}

/// Takes as long for a wrong token as for the right one.
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn is_loopback_origin(origin: &str) -> bool {
    origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
        .is_some_and(|rest| is_loopback(without_port(rest)))
}

/// Whether a host name, without port, can only mean this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// The host of an authority, `[::1]:80` included.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(header::HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn only_loopback_names_pass_on_loopback() {
        let check = |host, origin: Option<&str>, expected| {
            let lines: Vec<_> = origin.into_iter().map(|origin| (header::ORIGIN, origin)).collect();
            assert_eq!(
                Access::Loopback.check(host, "/", &headers(&lines)).is_ok(),
                expected,
                "{host} {origin:?}"
            );
        };
        check("localhost", None, true);
        check("127.0.0.1", Some("http://localhost:8080"), true);
        check("127.9.9.9", Some("http://127.0.0.1:1"), true);
        check("[::1]", Some("http://[::1]:80"), true);
        check("evil.example", None, false);
        check("localhost.evil.example", None, false);
        check("192.168.0.7", None, false);
        check("", None, false);
        check("localhost", Some("http://evil.example"), false);
        check("localhost", Some("null"), false);
        check("localhost", Some("http://localhost@evil.example"), false);
    }

    #[test]
    fn elsewhere_the_token_decides() {
        let limited = Limited { token: "scoped".to_owned(), prefixes: vec!["/v2".to_owned()] };
        let open = vec!["/healthz".to_owned()];
        let access = Access::Token { token: "secret".to_owned(), open, limited: Some(limited) };
        let check = |path, token: Option<&str>, expected| {
            let lines: Vec<_> = token.into_iter().map(|token| (header::AUTHORIZATION, token)).collect();
            assert_eq!(access.check("any", path, &headers(&lines)).is_ok(), expected, "{path} {token:?}");
        };
        check("/api/status", Some("Bearer secret"), true);
        check("/api/status", Some("Bearer secre"), false);
        check("/api/status", Some("secret"), false);
        check("/api/status", None, false);
        check("/healthz", None, true);
        check("/healthz/x", None, false);
        check("/v2/projects", Some("Bearer scoped"), true);
        check("/v2", Some("Bearer scoped"), true);
        check("/v2/projects", Some("Bearer secret"), true);
        check("/v2/projects", Some("Bearer scope"), false);
        check("/v2/projects", Some("Basic  scoped"), false);
        check("/v22", Some("Bearer scoped"), false);
        check("/api/status", Some("Bearer scoped"), false);
    }
}
