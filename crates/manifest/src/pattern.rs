//! The `match` and `host` of a route.
//!
//! Errors are constants: the value may have come from the environment and must not be repeated.

use crate::address;
use crate::model::PathPattern;

/// RFC 9110 and RFC 5789, without CONNECT and TRACE, which no gateway should pass on.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Reads `[METHOD ]/path`.
pub(crate) fn pattern(text: &str) -> Result<(Option<&'static str>, PathPattern), &'static str> {
    if text.starts_with('/') {
        return Ok((None, path(text)?));
    }
    let Some((method, rest)) = text.split_once(' ') else {
        return Err("its path does not begin with `/`");
    };
    if !rest.starts_with('/') {
        return Err("it is not one method, one space and a path that begins with `/`");
    }
    let Some(method) = METHODS.iter().find(|known| **known == method) else {
        return Err("its method is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    };
    Ok((Some(method), path(rest)?))
}

impl PathPattern {
    /// Whether it takes this path, as it was sent and without its query.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Self::Below(above) => {
                path.strip_prefix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }

    /// Whether there is a path that fits both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(path), pattern) | (pattern, Self::Exact(path)) => pattern.matches(path),
            (Self::Below(one), Self::Below(two)) => self.matches(two) || other.matches(one),
            (Self::Prefix(one), Self::Prefix(two)) => {
                one.starts_with(two.as_str()) || two.starts_with(one.as_str())
            }
            (Self::Prefix(prefix), Self::Below(above)) | (Self::Below(above), Self::Prefix(prefix)) => {
                let folder = format!("{above}/");
                folder.starts_with(prefix.as_str()) || prefix.starts_with(&folder)
            }
        }
    }

    /// Of two that take a path, the greater one is meant: an exact path before a longer beginning before a shorter.
    pub fn specificity(&self) -> impl Ord + use<> {
        match self {
            Self::Exact(_) => (2, 0),
            // `/img/*` says one character more than `/img*`.
            Self::Below(path) => (1, path.len() + 1),
            Self::Prefix(prefix) => (1, prefix.len()),
        }
    }
}

fn path(text: &str) -> Result<PathPattern, &'static str> {
    let (plain, star) = text.strip_suffix('*').map_or((text, false), |plain| (plain, true));
    if plain.contains('*') {
        return Err("a `*` may only be its last character");
    }
    if plain.contains(['?', '#']) {
        return Err("the query is not part of it");
    }
    if !address::is_path(plain) {
        return Err("a character in it never stands in a request's path; encode it as %XX");
    }
    if plain.contains("//") || plain.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("`//`, `/./` and `/../` in it never match");
    }
    Ok(match (star, plain.strip_suffix('/')) {
        (false, _) => PathPattern::Exact(plain.to_owned()),
        (true, Some(folder)) => PathPattern::Below(folder.to_owned()),
        (true, None) => PathPattern::Prefix(plain.to_owned()),
    })
}

/// Reads a host name or `*.` and one, in lower case.
pub(crate) fn host(text: &str) -> Result<String, &'static str> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if name.contains('*') {
        return Err("a `*` may only stand for the first label: `*.example.com`");
    }
    if name.contains(':') {
        return Err("it has no scheme and no port");
    }
    if !address::is_host(name) {
        return Err("not a host name");
    }
    Ok(text.to_ascii_lowercase())
}

/// The name of a header, a method or a cookie: RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let is_sign = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_path_perhaps_with_a_method_and_a_star() {
        use PathPattern::{Below, Exact, Prefix};
        let check = |text: &str, method: Option<&str>, path: PathPattern| {
            assert_eq!(pattern(text), Ok((method, path)), "{text}");
        };
        check("/health", None, Exact("/health".into()));
        check("/", None, Exact("/".into()));
        check("/api/", None, Exact("/api/".into()));
        check("/api/*", None, Below("/api".into()));
        check("/*", None, Below(String::new()));
        check("/img*", None, Prefix("/img".into()));
        check("GET /api/*", Some("GET"), Below("/api".into()));
        check("DELETE /a%20b", Some("DELETE"), Exact("/a%20b".into()));
    }

    #[test]
    fn everything_else_is_refused_for_its_own_reason() {
        let check = |text: &str, expected: &str| {
            assert!(pattern(text).expect_err(text).contains(expected), "{text}: {:?}", pattern(text));
        };
        check("", "begin with");
        check("api/*", "begin with");
        check("*", "begin with");
        check("GET  /x", "one space");
        check("GET,POST /x", "method");
        check("get /x", "method");
        check("/a/*/b", "last character");
        check("/a/**", "last character");
        check("/a?b=1", "query");
        check("/é", "%XX");
        check("/a b", "%XX");
        check("/a//b", "never match");
        check("/a/../b", "never match");
        check("//*", "never match");
    }

    #[test]
    fn patterns_overlap_when_one_path_fits_both() {
        let check = |one: &str, other: &str, expected: bool| {
            let [(_, one), (_, other)] = [one, other].map(|text| pattern(text).expect(text));
            assert_eq!(
                (one.overlaps(&other), other.overlaps(&one)),
                (expected, expected),
                "{one:?} {other:?}"
            );
        };
        check("/a", "/a", true);
        check("/a", "/a/*", true);
        check("/a", "/b*", false);
        check("/a/*", "/a/b/*", true);
        check("/a/*", "/ab/*", false);
        check("/*", "/a*", true);
        check("/a/*", "/a/b*", true);
        check("/a/*", "/a*", true);
        check("/a/*", "/ab*", false);
        check("/ab*", "/a*", true);
        check("/a*", "/b*", false);
    }

    #[test]
    fn a_host_is_a_name_in_lower_case() {
        let check = |text: &str, expected: Result<&str, &str>| {
            assert_eq!(host(text), expected.map(str::to_owned), "{text}");
        };
        check("Shop.Example.com", Ok("shop.example.com"));
        check("*.example.com", Ok("*.example.com"));
        check("example.com:80", Err("it has no scheme and no port"));
        check("http://example.com", Err("it has no scheme and no port"));
        check("a.*.com", Err("a `*` may only stand for the first label: `*.example.com`"));
        check("*", Err("a `*` may only stand for the first label: `*.example.com`"));
        check("a b", Err("not a host name"));
    }
}
