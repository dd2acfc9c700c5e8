//! Cross-origin requests of pages, as the Fetch standard has them (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! The gateway speaks for the service: what that says about origins itself is replaced. A request from an origin that
//! is not allowed is served like any other; the browser keeps its answer from the page.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use mare_manifest::model::guard as model;

const ANY: HeaderValue = HeaderValue::from_static("*");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// What an answer may say about origins; all of it is the gateway's to say.
const OF_ANSWERS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

pub(crate) struct Cors {
    origins: Origins,
    /// `None`: those of the request.
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
    expose: Option<HeaderValue>,
    /// Never together with [`Origins::Any`].
    credentials: bool,
    max_age: HeaderValue,
}

enum Origins {
    Any,
    Listed(Vec<Pattern>),
}

enum Pattern {
    Exact(String),
    /// `https://` and `.example.com`: one label between them.
    Below(String, String),
}

/// The method a page wants to use, if this is a preflight.
pub(crate) fn method_after_preflight(method: &Method, headers: &HeaderMap) -> Option<Method> {
    if *method != Method::OPTIONS || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    Method::from_bytes(headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes()).ok()
}

impl Cors {
    pub(crate) fn new(cors: &model::Cors) -> Self {
        let origins = match &cors.origins {
            model::Origins::Any => Origins::Any,
            model::Origins::Listed(list) => {
                Origins::Listed(list.iter().map(|text| Pattern::new(text)).collect())
            }
        };
        Self {
            credentials: cors.credentials && matches!(origins, Origins::Listed(_)),
            origins,
            methods: joined(&cors.methods),
            headers: joined(&cors.headers),
            expose: joined(&cors.expose),
            max_age: cors.max_age.as_secs().into(),
        }
    }

    /// What to allow of the origin a request is from.
    pub(crate) fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        match &self.origins {
            Origins::Any => Some(ANY),
            Origins::Listed(patterns) => {
                let origin = request.get(header::ORIGIN)?;
                // Origins are compared byte for byte, and browsers write them in lower case.
                let text = origin.to_str().ok()?;
                patterns.iter().any(|pattern| pattern.takes(text)).then(|| origin.clone())
            }
        }
    }

    /// The answer to a preflight but for the headers that [`Cors::dress`] adds to all.
    pub(crate) fn preflight(&self, request: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allowed(request).is_none() {
            return response;
        }
        let headers = response.headers_mut();
        if let Some(allowed) = self.methods.as_ref().or(request.get(header::ACCESS_CONTROL_REQUEST_METHOD)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allowed.clone());
        }
        let wanted = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(allowed) = self.headers.as_ref().or(wanted) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        response
    }

    /// Adds what all answers say; `allowed` is of [`Cors::allowed`].
    pub(crate) fn dress(&self, answer: &mut HeaderMap, allowed: Option<HeaderValue>) {
        if matches!(self.origins, Origins::Listed(_)) && !varies_by_origin(answer) {
            // Said to every origin, and to none: a cache must not give the answer for one to another.
            answer.append(header::VARY, ORIGIN);
        }
        let Some(allowed) = allowed else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.credentials {
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if let Some(expose) = &self.expose {
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, expose.clone());
        }
    }
}

/// Takes out what the service says.
pub(crate) fn strip(answer: &mut HeaderMap) {
    for name in &OF_ANSWERS {
        answer.remove(name);
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        match text.split_once('*') {
            Some((scheme, suffix)) => Pattern::Below(scheme.to_owned(), suffix.to_owned()),
            None => Pattern::Exact(text.to_owned()),
        }
    }

    fn takes(&self, origin: &str) -> bool {
        match self {
            Pattern::Exact(text) => text == origin,
            Pattern::Below(scheme, suffix) => origin
                .strip_prefix(scheme)
                .and_then(|rest| rest.strip_suffix(suffix))
                .is_some_and(|label| !label.is_empty() && label.bytes().all(is_of_label)),
        }
    }
}

fn is_of_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn joined(list: &[String]) -> Option<HeaderValue> {
    (!list.is_empty())
        .then(|| HeaderValue::from_str(&list.join(", ")).expect("validation let tokens pass only"))
}

fn varies_by_origin(answer: &HeaderMap) -> bool {
    answer
        .get_all(header::VARY)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin"))
}

#[cfg(test)]
mod tests;
