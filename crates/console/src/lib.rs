//! The admin API: is the platform there, is it ready, and what is it doing.
//!
//! Paths: `GET /healthz`, `GET /readyz`, `GET /api/status`, and an index at `/`. What they say comes in as
//! functions, so this crate depends on no other; `mare` mounts it on the admin listener.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

const INDEX: &str = "\
Mare admin. Read-only here:
  GET /healthz              the process is alive
  GET /readyz               it can serve
  GET /metrics              Prometheus
  GET /api/status           services and instances, JSON
  GET /api/slo              objectives, budgets and alerts, JSON
  GET /api/logs/SERVICE     last lines; ?lines=N&follow=1
";

/// What the admin API asks the platform.
#[derive(Clone)]
pub struct Console {
    /// The JSON of `/api/status`.
    pub status: Arc<dyn Fn() -> String + Send + Sync>,
    /// Why the platform cannot serve, if it cannot.
    pub unready: Arc<dyn Fn() -> Option<String> + Send + Sync>,
}

impl Console {
    /// Answers GET; the caller refuses other methods, and sends no body in answer to HEAD.
    pub fn respond(&self, path: &str) -> Response<Body> {
        match path {
            "/" => plain(StatusCode::OK, INDEX.to_owned()),
            "/healthz" => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => match (self.unready)() {
                None => plain(StatusCode::OK, "ready\n".to_owned()),
                Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, why + "\n"),
            },
            "/api/status" => answer(StatusCode::OK, "application/json", (self.status)()),
            _ => plain(StatusCode::NOT_FOUND, format!("there is no {path}; see /\n")),
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text)
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unready: Option<&'static str>, path: &str, expected: u16) {
        let console = Console {
            status: Arc::new(|| "{}".to_owned()),
            unready: Arc::new(move || unready.map(str::to_owned)),
        };
        assert_eq!(console.respond(path).status(), expected, "{path}");
    }

    #[test]
    fn every_path_answers_for_itself() {
        check(None, "/healthz", 200);
        check(Some("api has no instance"), "/healthz", 200);
        check(None, "/readyz", 200);
        check(Some("api has no instance"), "/readyz", 503);
        check(None, "/api/status", 200);
        check(None, "/api/nothing", 404);
    }
}
