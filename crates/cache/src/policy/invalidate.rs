//! What an unsafe request makes out of date (RFC 9111 4.4).

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
pub fn invalidated(_change: &Change<'_>) -> Vec<String> {
    Vec::new()
}
