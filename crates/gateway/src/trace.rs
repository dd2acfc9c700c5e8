//! The names a request carries: W3C trace context (<https://www.w3.org/TR/trace-context/>) and a request id.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// `00-` + trace id (32) + `-` + parent id (16) + `-` + flags (2).
const TRACEPARENT_LEN: usize = 55;

/// A longer request id than this is replaced; UUIDs and our own fit.
const REQUEST_ID_MAX: usize = 64;

/// What identifies one request in logs, in answers and at the service.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) request_id: HeaderValue,
    pub(crate) trace_id: HeaderValue,
    traceparent: HeaderValue,
    is_new: bool,
}

impl Names {
    /// Continues the client's trace or begins one.
    ///
    /// Without a request id of its own the request is named by its trace, so one search finds both. Costs one
    /// allocation: all values are parts of one buffer.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let parent = headers.get(TRACEPARENT).and_then(|value| parse(value.as_bytes()));
        let (trace, flags) = parent.unwrap_or_else(|| (fastrand::u128(1..), 1));
        let text = Bytes::from_owner(write(trace, fastrand::u64(1..), flags));
        let trace_id = value(text.slice(3..35));
        let given = headers.get(X_REQUEST_ID).filter(|given| is_request_id(given));
        let request_id = given.unwrap_or(&trace_id).clone();
        Self { request_id, trace_id, traceparent: value(text), is_new: parent.is_none() }
    }

    /// Puts `traceparent` and `x-request-id` into a request that is passed on.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        if self.is_new {
            headers.remove(TRACESTATE);
        }
        headers.insert(TRACEPARENT, self.traceparent.clone());
        headers.insert(X_REQUEST_ID, self.request_id.clone());
    }
}

/// A `traceparent` of version 00, without the machinery of `format!`: this runs for every request.
fn write(trace: u128, parent: u64, flags: u8) -> [u8; TRACEPARENT_LEN] {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&mut text[3..35], &trace.to_be_bytes());
    write_hex(&mut text[36..52], &parent.to_be_bytes());
    write_hex(&mut text[53..55], &[flags]);
    text
}

fn write_hex(out: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

fn value(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).expect("hexadecimal digits and dashes")
}

/// Trace id and flags of a valid `traceparent`. A version we do not know is read as version 00 (section 3.2.4).
fn parse(text: &[u8]) -> Option<(u128, u8)> {
    let known =
        text.len() == TRACEPARENT_LEN || (text.len() > TRACEPARENT_LEN && text[TRACEPARENT_LEN] == b'-');
    if !known || text[2] != b'-' || text[35] != b'-' || text[52] != b'-' {
        return None;
    }
    let hex = |part: &[u8]| {
        let lower = part.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let text = std::str::from_utf8(part).ok().filter(|_| lower)?;
        u128::from_str_radix(text, 16).ok()
    };
    let (version, trace, parent, flags) =
        (hex(&text[..2])?, hex(&text[3..35])?, hex(&text[36..52])?, hex(&text[53..55])?);
    if version == 0xff || (version == 0 && text.len() != TRACEPARENT_LEN) || trace == 0 || parent == 0 {
        return None;
    }
    Some((trace, u8::try_from(flags).ok()?))
}

fn is_request_id(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    (1..=REQUEST_ID_MAX).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn named(headers: &mut HeaderMap) -> Names {
        let names = Names::of(headers);
        names.tell(headers);
        names
    }

    fn with(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn a_valid_trace_goes_on_with_a_new_parent() {
        let mut headers = with(&[(TRACEPARENT, PARENT), (TRACESTATE, "a=1")]);
        let names = named(&mut headers);
        let sent = headers[TRACEPARENT].to_str().expect("ascii");
        assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && sent.ends_with("-01"), "{sent}");
        assert_ne!(sent, PARENT);
        assert_eq!(names.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(headers[TRACESTATE], "a=1");
    }

    #[test]
    fn an_invalid_trace_begins_anew_and_loses_its_state() {
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        for bad in
            ["", "00", zero, &PARENT.to_uppercase(), &PARENT.replace("00-4", "ff-4"), &format!("{PARENT}-x")]
        {
            let mut headers = with(&[(TRACEPARENT, bad), (TRACESTATE, "a=1")]);
            named(&mut headers);
            assert!(parse(headers[TRACEPARENT].as_bytes()).is_some());
            assert!(!headers[TRACEPARENT].to_str().expect("ascii").contains("4bf92f"), "{bad}");
            assert!(!headers.contains_key(TRACESTATE));
        }
    }

    #[test]
    fn a_decent_request_id_is_kept_and_another_replaced() {
        let check = |given: &str, kept| {
            let mut headers = with(&[(X_REQUEST_ID, given)]);
            let names = named(&mut headers);
            assert_eq!(names.request_id == given, kept, "{given}");
            assert_eq!(headers[X_REQUEST_ID], names.request_id);
        };
        check("0191b2c4-7e1a-7cc2", true);
        check("", false);
        check("a b", false);
        check("\"><script>", false);
        check(&"x".repeat(65), false);
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(trace in 1..u128::MAX, parent in 1..u64::MAX, flags: u8) {
            prop_assert_eq!(parse(&write(trace, parent, flags)), Some((trace, flags)));
            let expected = format!("00-{trace:032x}-{parent:016x}-{flags:02x}");
            prop_assert_eq!(&write(trace, parent, flags)[..], expected.as_bytes());
        }

        #[test]
        fn any_bytes_are_read_without_panic(text in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&text);
        }
    }
}
