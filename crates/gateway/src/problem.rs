//! Answers the gateway gives itself: RFC 9457 problem documents, or a plain page for a browser.
//!
//! Every [`Code`] has a page in docs/errors; a test fails when one lacks it.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

/// The stable names of what can go wrong. `as_str` is part of the public interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    BadRequest,
    Unauthorized,
    ForeignOrigin,
    NoRoute,
    NotFound,
    MethodNotAllowed,
    ClientStalled,
    BodyTooLarge,
    Overloaded,
    NoInstance,
    ServiceFailing,
    ShuttingDown,
    UpstreamUnreachable,
    UpstreamFailed,
    UpstreamTimeout,
    FileUnreadable,
    Unauthenticated,
    TokenInvalid,
    Forbidden,
    KeysUnavailable,
    NetworkRefused,
    HostNotServed,
    RateLimited,
    NotCached,
}

/// Whose fault it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    Client,
    Upstream,
    Platform,
}

impl Code {
    pub const ALL: [Code; 24] = [
        Code::BadRequest,
        Code::Unauthorized,
        Code::ForeignOrigin,
        Code::NoRoute,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::ClientStalled,
        Code::BodyTooLarge,
        Code::Overloaded,
        Code::NoInstance,
        Code::ServiceFailing,
        Code::ShuttingDown,
        Code::UpstreamUnreachable,
        Code::UpstreamFailed,
        Code::UpstreamTimeout,
        Code::FileUnreadable,
        Code::Unauthenticated,
        Code::TokenInvalid,
        Code::Forbidden,
        Code::KeysUnavailable,
        Code::NetworkRefused,
        Code::HostNotServed,
        Code::RateLimited,
        Code::NotCached,
    ];

    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// Whether it says that the request itself did not come to its end, so that nothing can be said of its answer.
    pub(crate) fn is_of_client(self) -> bool {
        matches!(self, Self::BadRequest | Self::ClientStalled | Self::BodyTooLarge | Self::NotCached)
    }

    /// Whether a task's request that was answered so never reached its service, and can at another time.
    pub(crate) fn is_before_delivery(self) -> bool {
        use Code::{NoInstance, Overloaded, ServiceFailing, ShuttingDown, UpstreamUnreachable};
        matches!(self, NoInstance | Overloaded | ServiceFailing | ShuttingDown | UpstreamUnreachable)
    }

    pub fn status(self) -> StatusCode {
        self.facts().1
    }

    /// Name, status, whose fault, whether the same request may be sent again, title.
    fn facts(self) -> (&'static str, StatusCode, Origin, bool, &'static str) {
        use Origin::{Client, Platform, Upstream};
        use StatusCode as S;
        match self {
            Code::BadRequest => ("bad-request", S::BAD_REQUEST, Client, false, "The request is malformed"),
            Code::Unauthorized => {
                ("unauthorized", S::UNAUTHORIZED, Client, false, "A bearer token is needed")
            }
            Code::ForeignOrigin => {
                ("foreign-origin", S::FORBIDDEN, Client, false, "Only this machine may ask")
            }
            Code::NoRoute => ("no-route", S::NOT_FOUND, Client, false, "No route leads here"),
            Code::NotFound => ("not-found", S::NOT_FOUND, Client, false, "There is no such file"),
            Code::MethodNotAllowed => {
                ("method-not-allowed", S::METHOD_NOT_ALLOWED, Client, false, "This method is not served here")
            }
            Code::ClientStalled => {
                ("client-stalled", S::REQUEST_TIMEOUT, Client, true, "The request body stalled")
            }
            Code::BodyTooLarge => {
                ("body-too-large", S::PAYLOAD_TOO_LARGE, Client, false, "The request body is too large")
            }
            Code::Overloaded => {
                ("overloaded", S::SERVICE_UNAVAILABLE, Platform, true, "Too many requests are waiting")
            }
            Code::NoInstance => {
                ("no-instance", S::SERVICE_UNAVAILABLE, Platform, true, "No instance became free in time")
            }
            Code::ServiceFailing => {
                ("service-failing", S::SERVICE_UNAVAILABLE, Upstream, true, "The service fails to start")
            }
            Code::ShuttingDown => {
                ("shutting-down", S::SERVICE_UNAVAILABLE, Platform, true, "The platform is shutting down")
            }
            Code::UpstreamUnreachable => {
                ("upstream-unreachable", S::BAD_GATEWAY, Upstream, true, "The service cannot be reached")
            }
            Code::UpstreamFailed => {
                ("upstream-failed", S::BAD_GATEWAY, Upstream, false, "The service broke off")
            }
            Code::UpstreamTimeout => {
                ("upstream-timeout", S::GATEWAY_TIMEOUT, Upstream, false, "The service took too long")
            }
            Code::FileUnreadable => {
                ("file-unreadable", S::INTERNAL_SERVER_ERROR, Platform, true, "The file cannot be read")
            }
            Code::Unauthenticated => {
                ("unauthenticated", S::UNAUTHORIZED, Client, false, "Credentials are needed")
            }
            Code::TokenInvalid => {
                ("token-invalid", S::UNAUTHORIZED, Client, false, "The credentials are not valid")
            }
            Code::Forbidden => {
                ("forbidden", S::FORBIDDEN, Client, false, "The credentials do not allow this")
            }
            Code::KeysUnavailable => {
                ("keys-unavailable", S::SERVICE_UNAVAILABLE, Platform, true, "Tokens cannot be verified now")
            }
            Code::NetworkRefused => {
                ("network-refused", S::FORBIDDEN, Client, false, "Your network may not ask here")
            }
            Code::HostNotServed => {
                ("host-not-served", S::MISDIRECTED_REQUEST, Client, false, "This host is not served here")
            }
            Code::RateLimited => {
                ("rate-limited", S::TOO_MANY_REQUESTS, Client, true, "There were too many requests")
            }
            Code::NotCached => ("not-cached", S::GATEWAY_TIMEOUT, Client, true, "No copy of this is kept"),
        }
    }
}

/// How a refusal is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Problem,
    Page,
}

impl Form {
    /// A browser that navigates names `text/html` first; that is enough to know it by.
    pub(crate) fn wanted_by(request: &HeaderMap) -> Form {
        match request.get(header::ACCEPT) {
            Some(accept) if accept.as_bytes().starts_with(b"text/html") => Form::Page,
            _ => Form::Problem,
        }
    }
}

/// A request the gateway answers itself, and why.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: Code,
    pub detail: Cow<'static, str>,
    pub retry_after_seconds: Option<u64>,
    pub allow: Vec<Method>,
    /// Further headers of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after_seconds: None,
            allow: Vec::new(),
            headers: Vec::new(),
        }
    }

    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    #[must_use]
    pub fn allow(self, allow: Vec<Method>) -> Self {
        Self { allow, ..self }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn respond(&self, form: Form, request_id: &str) -> Response<Bytes> {
        let (code, status, origin, retry_safe, title) = self.code.facts();
        let (kind, text) = if form == Form::Page {
            ("text/html; charset=utf-8", self.page(status, title, request_id))
        } else {
            let origin = match origin {
                Origin::Client => "client",
                Origin::Upstream => "upstream",
                Origin::Platform => "platform",
            };
            let problem = serde_json::json!({
                "type": format!("urn:mare:error:{code}"), "title": title, "status": status.as_u16(),
                "detail": self.detail, "code": code, "origin": origin, "retry_safe": retry_safe,
                "request_id": request_id,
            });
            ("application/problem+json", problem.to_string())
        };
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.code == Code::BadRequest {
            // Where a malformed request ends is anybody's guess, so nothing may follow it (RFC 9112 6.1).
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.code == Code::MethodNotAllowed {
            let methods: Vec<_> = self.allow.iter().map(Method::as_str).collect();
            if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
                headers.insert(header::ALLOW, allow);
            }
        }
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        response
    }

    fn page(&self, status: StatusCode, title: &str, request_id: &str) -> String {
        let detail = escape(&self.detail);
        let number = status.as_u16();
        format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{number} {title}</title><h1>{title}</h1><p>{detail}</p>\
             <p><small>{number} {code}, request {request_id}</small></p></html>\n",
            code = self.code.as_str(),
            request_id = escape(request_id),
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_in_the_docs() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for code in Code::ALL {
            let text =
                std::fs::read_to_string(folder.join(format!("{}.md", code.as_str()))).unwrap_or_default();
            assert!(text.contains(code.status().as_str()), "docs/errors/{}.md is missing", code.as_str());
        }
    }

    #[test]
    fn a_browser_gets_a_page_and_everybody_else_a_problem_document() {
        let refusal = Refusal::new(Code::NoRoute, "nothing at <b>").retry_after(3);
        let mut browser = HeaderMap::new();
        browser.insert(header::ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"));
        let page = refusal.respond(Form::wanted_by(&browser), "abc");
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(std::str::from_utf8(page.body()).expect("utf-8").contains("nothing at &lt;b&gt;"));
        let problem = refusal.respond(Form::wanted_by(&HeaderMap::new()), "abc");
        let document: serde_json::Value = serde_json::from_slice(problem.body()).expect("json");
        assert_eq!(document["code"], "no-route");
        assert_eq!(document["status"], 404);
        assert_eq!(document["request_id"], "abc");
        assert_eq!(problem.headers()[header::RETRY_AFTER], "3");
    }
}
