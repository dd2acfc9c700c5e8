//! The heads of HTTP/1.1 messages: the one that is sent, and the one that comes back (RFC 9112).

use std::mem::{MaybeUninit, take};

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, Uri, Version, response};
use hyper::ext::ReasonPhrase;

use super::chunks::{Chunks, NotAChunk};

/// Bytes of one head, and of all interim ones before it. nginx takes 4 to 8 kB from an upstream, Node.js 16 kB.
pub(super) const HEAD_MAX: usize = 64 * 1024;

const HEADERS_MAX: usize = 100;

/// Most requests fit without growing.
const REQUEST_HEAD: usize = 1024;

/// How a request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Length {
    None,
    Exactly(u64),
    Chunked,
}

/// What of an answer's body is still to come.
#[derive(Debug)]
pub(crate) enum Remaining {
    Sized(u64),
    Chunked(Chunks),
    /// Ends with the connection.
    UntilClose,
}

pub(crate) struct Head {
    pub(crate) parts: response::Parts,
    pub(crate) remaining: Remaining,
    /// Whether the connection may carry another request.
    pub(crate) keeps_open: bool,
}

impl Remaining {
    pub(crate) fn is_ended(&self) -> bool {
        match self {
            Self::Sized(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_ended(),
            Self::UntilClose => false,
        }
    }

    /// Takes the next piece of the body off `read`, if there is one.
    pub(crate) fn next(&mut self, read: &mut Bytes) -> Result<Option<Bytes>, NotAChunk> {
        Ok(match self {
            Self::Chunked(chunks) => return chunks.next(read),
            Self::Sized(left) => {
                let data = read.split_to(read.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                *left -= data.len() as u64;
                Some(data)
            }
            Self::UntilClose => Some(take(read)),
        }
        .filter(|data| !data.is_empty()))
    }

    /// How many bytes are to come, if that was said.
    pub(crate) fn known(&self) -> Option<usize> {
        match self {
            Self::Sized(left) => Some(usize::try_from(*left).unwrap_or(usize::MAX)),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum BadHead {
    #[error("not the head of an HTTP/1 answer")]
    Syntax(#[from] httparse::Error),
    #[error("the head is larger than {HEAD_MAX} bytes")]
    TooLarge,
    #[error("a status, a header or the framing that makes no sense")]
    Nonsense,
}

/// The head as it is sent. The framing is `length`'s alone, whatever the headers say of it.
pub(crate) fn encode(method: &Method, uri: &Uri, headers: &HeaderMap, length: Length) -> BytesMut {
    let mut head = BytesMut::with_capacity(REQUEST_HEAD);
    head.put_slice(method.as_str().as_bytes());
    head.put_u8(b' ');
    head.put_slice(uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        if *name == header::CONTENT_LENGTH || *name == header::TRANSFER_ENCODING {
            continue;
        }
        line(&mut head, name.as_str(), value.as_bytes());
    }
    match length {
        // A client that said so may need the upstream to know.
        Length::None if headers.contains_key(header::CONTENT_LENGTH) => {
            line(&mut head, "content-length", b"0");
        }
        Length::None => {}
        Length::Exactly(bytes) => {
            head.put_slice(b"content-length: ");
            head.put_slice(bytes.to_string().as_bytes());
            head.put_slice(b"\r\n");
        }
        Length::Chunked => line(&mut head, "transfer-encoding", b"chunked"),
    }
    head.put_slice(b"\r\n");
    head
}

fn line(head: &mut BytesMut, name: &str, value: &[u8]) {
    head.put_slice(name.as_bytes());
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

/// Takes the head of the answer to a `method` request off `read`, past any interim one (RFC 9110 15.2), except
/// 101, which is for the caller to judge. `None`: more is needed.
pub(crate) fn decode(read: &mut Bytes, method: &Method) -> Result<Option<Head>, BadHead> {
    loop {
        let mut fields = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        let parsed = parser.parse_response_with_uninit_headers(&mut response, read, &mut fields)?;
        let httparse::Status::Complete(length) = parsed else {
            return if read.len() < HEAD_MAX { Ok(None) } else { Err(BadHead::TooLarge) };
        };
        if length > HEAD_MAX {
            return Err(BadHead::TooLarge);
        }
        let mut parts = parts(&response, read)?;
        let rest = read.slice(length..);
        *read = rest;
        if parts.status.is_informational() && parts.status != StatusCode::SWITCHING_PROTOCOLS {
            continue;
        }
        let remaining = remaining(&mut parts, method)?;
        let keeps_open = keeps_open(&parts) && !matches!(remaining, Remaining::UntilClose);
        return Ok(Some(Head { parts, remaining, keeps_open }));
    }
}

/// The headers share `read`'s memory.
fn parts(response: &httparse::Response<'_, '_>, read: &Bytes) -> Result<response::Parts, BadHead> {
    let mut parts = Response::new(()).into_parts().0;
    let code = response.code.ok_or(BadHead::Nonsense)?;
    parts.status = StatusCode::from_u16(code).map_err(|_invalid| BadHead::Nonsense)?;
    parts.version = if response.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    if let Some(reason) = response.reason.filter(|reason| parts.status.canonical_reason() != Some(*reason))
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        parts.extensions.insert(reason);
    }
    parts.headers.reserve(response.headers.len() + HEADERS_ADDED);
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_invalid| BadHead::Nonsense)?;
        let value = HeaderValue::from_maybe_shared(read.slice_ref(field.value))
            .map_err(|_invalid| BadHead::Nonsense)?;
        parts.headers.append(name, value);
    }
    Ok(parts)
}

/// What the gateway adds to an answer: the request's id, and a date if there is none.
const HEADERS_ADDED: usize = 2;

/// RFC 9112 6.3, but stricter: what could be read in two ways is refused.
fn remaining(parts: &mut response::Parts, method: &Method) -> Result<Remaining, BadHead> {
    let coded = parts.headers.contains_key(header::TRANSFER_ENCODING);
    let length = content_length(&mut parts.headers)?;
    let status = parts.status;
    let bodiless = *method == Method::HEAD
        || matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS
        );
    if bodiless {
        return Ok(Remaining::Sized(0));
    }
    match (coded, length) {
        (true, _) if parts.version == Version::HTTP_10 => Err(BadHead::Nonsense),
        (true, _) if !crate::headers::is_plainly_coded(&parts.headers) => Err(BadHead::Nonsense),
        (true, _) => Ok(Remaining::Chunked(Chunks::default())),
        (false, Some(length)) => Ok(Remaining::Sized(length)),
        (false, None) => Ok(Remaining::UntilClose),
    }
}

/// All lines and list members must agree; what was said several times is passed on as said once (RFC 9110 8.6).
fn content_length(headers: &mut HeaderMap) -> Result<Option<u64>, BadHead> {
    let (mut found, mut is_repeated) = (None, false);
    for value in headers.get_all(header::CONTENT_LENGTH) {
        let text = value.to_str().map_err(|_invalid| BadHead::Nonsense)?;
        for part in text.split(',').map(str::trim) {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let length = part.parse().ok().filter(|_| is_number).ok_or(BadHead::Nonsense)?;
            if found.is_some_and(|found: u64| found != length) {
                return Err(BadHead::Nonsense);
            }
            is_repeated = found.is_some();
            found = Some(length);
        }
    }
    if let Some(length) = found.filter(|_| is_repeated) {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Ok(found)
}

fn keeps_open(parts: &response::Parts) -> bool {
    let says = |wanted: &str| {
        let lines = parts.headers.get_all(header::CONNECTION).iter();
        let mut tokens = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        tokens.any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    // Two framings may be the sign of an answer that was tampered with (RFC 9112 6.3): nothing may follow it.
    let is_framed_twice = parts.headers.contains_key(header::TRANSFER_ENCODING)
        && parts.headers.contains_key(header::CONTENT_LENGTH);
    !is_framed_twice && !says("close") && (parts.version == Version::HTTP_11 || says("keep-alive"))
}

#[cfg(test)]
mod tests;
