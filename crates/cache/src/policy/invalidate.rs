//! What an unsafe request makes out of date (RFC 9111 4.4).

use http::header::{CONTENT_LOCATION, HeaderName, LOCATION};
use http::{HeaderMap, Method, StatusCode};

/// An unsafe request and the head of its answer.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub method: &'a Method,
    pub authority: &'a str,
    /// Path and query.
    pub target: &'a str,
    pub status: StatusCode,
    pub response: &'a HeaderMap,
}

/// The targets (path and query, of the same authority) whose entries end: the request's own, `Location`,
/// `Content-Location`. None for safe methods and for errors.
pub fn invalidated(change: &Change<'_>) -> Vec<String> {
    let safe = matches!(*change.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if safe || !(change.status.is_success() || change.status.is_redirection()) {
        return Vec::new();
    }
    let mut targets = vec![change.target.to_owned()];
    for name in [LOCATION, CONTENT_LOCATION] {
        targets.extend(reference(change, &name).filter(|target| target != change.target));
    }
    targets.dedup();
    targets
}

/// Where a field points to, if it is on the same authority: nobody may end entries of others. The scheme is not
/// compared, as TLS may end before us; ending too much costs a miss.
fn reference(change: &Change<'_>, name: &HeaderName) -> Option<String> {
    let text = change.response.get(name)?.to_str().ok()?.trim();
    let text = text.split('#').next()?;
    let local = match text.split_once("//") {
        Some((scheme, rest)) if matches!(scheme.to_ascii_lowercase().as_str(), "" | "http:" | "https:") => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, local) = rest.split_at(end);
            if !is_same(authority, change.authority) {
                return None;
            }
            if local.starts_with('/') { local.to_owned() } else { format!("/{local}") }
        }
        _ => relative(change.target, text)?,
    };
    Some(without_dots(&local))
}

/// RFC 3986 5.2 for a reference without an authority.
fn relative(base: &str, reference: &str) -> Option<String> {
    let (path, _) = base.split_once('?').unwrap_or((base, ""));
    let first = reference.split(['/', '?']).next().unwrap_or_default();
    match reference.as_bytes().first()? {
        b'/' => Some(reference.to_owned()),
        b'?' => Some(format!("{path}{reference}")),
        // `mailto:` and the like.
        _ if first.contains(':') => None,
        _ => Some(format!("{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder))),
    }
}

/// RFC 3986 5.2.4, of the path.
fn without_dots(target: &str) -> String {
    let (path, query) = match target.find('?') {
        Some(at) => target.split_at(at),
        None => (target, ""),
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            ".." => _ = kept.pop(),
            "." => {}
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// Without regard to case, user information and the schemes' default ports.
fn is_same(a: &str, b: &str) -> bool {
    fn host(authority: &str) -> &str {
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        host.strip_suffix(":80").or(host.strip_suffix(":443")).unwrap_or(host)
    }
    host(a).eq_ignore_ascii_case(host(b))
}
