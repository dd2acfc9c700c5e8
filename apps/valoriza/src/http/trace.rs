//! The span every request runs in, with the trace id its caller sent or a new one.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

/// 32 hexadecimal digits (W3C Trace Context).
#[derive(Debug, Clone)]
pub(super) struct TraceId(pub String);

impl TraceId {
    /// The trace id of the request these belong to.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().expect("every request passes within_span")
    }

    /// The second part of `00-<trace>-<span>-<flags>`; a new one if there is none.
    fn read(headers: &HeaderMap) -> Self {
        let sent = headers.get("traceparent").and_then(|it| it.to_str().ok()).and_then(trace_of);
        Self(sent.map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned))
    }
}

fn trace_of(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (_version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, digits| {
        let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        text.len() == digits && lower && text.bytes().any(|b| b != b'0')
    };
    (hex(trace, 32) && hex(span, 16)).then_some(trace)
}

pub(super) async fn within_span(mut request: Request, next: Next) -> Response {
    let trace = TraceId::read(request.headers());
    // The pattern, not the path: no ids in the logs' names, and never the query.
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", trace_id = trace.0, method = %request.method(), path);
    request.extensions_mut().insert(trace);
    let run = async {
        let started = Instant::now();
        let response = next.run(request).await;
        let latency_ms = started.elapsed().as_secs_f64() * 1_000.0;
        tracing::debug!(status = response.status().as_u16(), latency_ms, "request answered");
        response
    };
    run.instrument(span).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_id_is_the_second_part_of_a_valid_traceparent() {
        let check = |text, expected| assert_eq!(trace_of(text), expected, "{text}");
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Some(trace));
        check("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-01", None);
        check("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None);
        check("garbage", None);
    }
}
