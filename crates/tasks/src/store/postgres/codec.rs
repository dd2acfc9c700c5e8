//! What is kept as bytes: settings, specs and outcomes, as Protocol Buffers messages.
//!
//! Fields are added, never changed or numbered anew: what an older version wrote stays readable.

use std::time::Duration;

use jiff::Timestamp;
use prost::Message;

use crate::model::{
    Answer, HttpRequest, Outcome, QueueName, QueueSettings, RateLimits, Retry, Spec, Target, Token,
};
use crate::store::Error;

#[derive(Clone, PartialEq, Message)]
struct StoredSettings {
    #[prost(double, tag = "1")]
    per_second: f64,
    #[prost(uint32, tag = "2")]
    burst: u32,
    #[prost(uint32, tag = "3")]
    concurrent: u32,
    #[prost(message, required, tag = "4")]
    retry: StoredRetry,
    /// Of a target that is a service; the path is next to it.
    #[prost(string, optional, tag = "5")]
    target_service: Option<String>,
    #[prost(string, tag = "6")]
    target_path: String,
    #[prost(bytes = "bytes", optional, tag = "7")]
    target_override: Option<bytes::Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRetry {
    #[prost(uint32, optional, tag = "1")]
    attempts: Option<u32>,
    #[prost(uint64, optional, tag = "2")]
    duration_nanos: Option<u64>,
    #[prost(uint64, tag = "3")]
    min_nanos: u64,
    #[prost(uint64, tag = "4")]
    max_nanos: u64,
    #[prost(uint32, tag = "5")]
    doublings: u32,
}

#[derive(Clone, PartialEq, Message)]
struct StoredSpec {
    #[prost(string, tag = "1")]
    method: String,
    #[prost(string, tag = "2")]
    url: String,
    #[prost(message, repeated, tag = "3")]
    headers: Vec<StoredHeader>,
    #[prost(bytes = "bytes", tag = "4")]
    body: bytes::Bytes,
    #[prost(message, optional, tag = "5")]
    token: Option<StoredToken>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredHeader {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct StoredToken {
    #[prost(string, tag = "1")]
    email: String,
    #[prost(string, optional, tag = "2")]
    oidc_audience: Option<String>,
    /// Set for an access token, which may have a scope.
    #[prost(bool, tag = "3")]
    is_oauth: bool,
    #[prost(string, optional, tag = "4")]
    oauth_scope: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredOutcome {
    #[prost(int64, tag = "1")]
    at_micros: i64,
    /// An answer; else what broke; else the deadline.
    #[prost(uint32, optional, tag = "2")]
    status: Option<u32>,
    #[prost(uint64, optional, tag = "3")]
    retry_after_nanos: Option<u64>,
    #[prost(string, optional, tag = "4")]
    broken: Option<String>,
}

pub(super) fn settings_bytes(settings: &QueueSettings) -> Vec<u8> {
    let (service, path, over) = match settings.target.clone() {
        None => (None, String::new(), None),
        Some(Target::Service { service, path }) => (Some(service), path, None),
        Some(Target::Override(bytes)) => (None, String::new(), Some(bytes)),
    };
    let stored = StoredSettings {
        per_second: settings.limits.per_second,
        burst: settings.limits.burst,
        concurrent: settings.limits.concurrent,
        retry: store_retry(&settings.retry),
        target_service: service,
        target_path: path,
        target_override: over,
    };
    stored.encode_to_vec()
}

pub(super) fn settings(bytes: &[u8], name: QueueName, declared: bool) -> Result<QueueSettings, Error> {
    let StoredSettings { per_second, burst, concurrent, retry, target_service, target_path, target_override } =
        StoredSettings::decode(bytes).map_err(|error| unreadable("settings of a queue", &error))?;
    let target = match (target_service, target_override) {
        (Some(service), _) => Some(Target::Service { service, path: target_path }),
        (None, Some(bytes)) => Some(Target::Override(bytes)),
        (None, None) => None,
    };
    let limits = RateLimits { per_second, burst, concurrent };
    Ok(QueueSettings { name, limits, retry: load_retry(&retry), target, declared })
}

/// All of a spec but what has columns of its own.
pub(super) fn spec_bytes(spec: &Spec) -> Vec<u8> {
    let request = &spec.request;
    let header = |(name, value): &(String, String)| StoredHeader { name: name.clone(), value: value.clone() };
    let token = request.token.as_ref().map(|token| match token.clone() {
        Token::Oidc { email, audience } => {
            StoredToken { email, oidc_audience: audience, is_oauth: false, oauth_scope: None }
        }
        Token::OAuth { email, scope } => {
            StoredToken { email, oidc_audience: None, is_oauth: true, oauth_scope: scope }
        }
    });
    let stored = StoredSpec {
        method: request.method.to_string(),
        url: request.url.clone(),
        headers: request.headers.iter().map(header).collect(),
        body: request.body.clone(),
        token,
    };
    stored.encode_to_vec()
}

/// What of a spec has columns of its own.
pub(super) struct SpecColumns {
    pub(super) dispatch_deadline: Duration,
    pub(super) retry: Option<Retry>,
    pub(super) priority: i16,
    pub(super) fairness_key: String,
}

pub(super) fn spec(bytes: &[u8], columns: SpecColumns) -> Result<Spec, Error> {
    let stored = StoredSpec::decode(bytes).map_err(|error| unreadable("a task", &error))?;
    let method = http::Method::from_bytes(stored.method.as_bytes());
    let token = stored.token.map(|StoredToken { email, oidc_audience, is_oauth, oauth_scope }| {
        if is_oauth {
            Token::OAuth { email, scope: oauth_scope }
        } else {
            Token::Oidc { email, audience: oidc_audience }
        }
    });
    let request = HttpRequest {
        method: method.map_err(|error| unreadable("the method of a task", &error))?,
        url: stored.url,
        headers: stored.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        body: stored.body,
        token,
    };
    let SpecColumns { dispatch_deadline, retry, priority, fairness_key } = columns;
    Ok(Spec { request, dispatch_deadline, retry, priority, fairness_key })
}

pub(super) fn retry_bytes(retry: &Retry) -> Vec<u8> {
    store_retry(retry).encode_to_vec()
}

pub(super) fn retry(bytes: &[u8]) -> Result<Retry, Error> {
    StoredRetry::decode(bytes)
        .map(|stored| load_retry(&stored))
        .map_err(|error| unreadable("a retry rule", &error))
}

pub(super) fn outcome_bytes(outcome: &Outcome) -> Vec<u8> {
    let (status, retry_after, broken) = match &outcome.answer {
        Answer::Status { status, retry_after } => (Some(u32::from(*status)), *retry_after, None),
        Answer::Deadline => (None, None, None),
        Answer::Broken(what) => (None, None, Some(what.clone())),
    };
    let retry_after_nanos = retry_after.map(nanos);
    let at_micros = outcome.at.as_microsecond();
    StoredOutcome { at_micros, status, retry_after_nanos, broken }.encode_to_vec()
}

pub(super) fn outcome(bytes: &[u8]) -> Result<Outcome, Error> {
    let stored = StoredOutcome::decode(bytes).map_err(|error| unreadable("an outcome", &error))?;
    let answer = match (stored.status, stored.broken) {
        (Some(status), _) => Answer::Status {
            status: u16::try_from(status).map_err(|error| unreadable("a status", &error))?,
            retry_after: stored.retry_after_nanos.map(Duration::from_nanos),
        },
        (None, Some(what)) => Answer::Broken(what),
        (None, None) => Answer::Deadline,
    };
    let at = Timestamp::from_microsecond(stored.at_micros);
    Ok(Outcome { at: at.map_err(|error| unreadable("a time", &error))?, answer })
}

fn store_retry(retry: &Retry) -> StoredRetry {
    StoredRetry {
        attempts: retry.attempts,
        duration_nanos: retry.duration.map(nanos),
        min_nanos: nanos(retry.min),
        max_nanos: nanos(retry.max),
        doublings: retry.doublings,
    }
}

fn load_retry(stored: &StoredRetry) -> Retry {
    Retry {
        attempts: stored.attempts,
        duration: stored.duration_nanos.map(Duration::from_nanos),
        min: Duration::from_nanos(stored.min_nanos),
        max: Duration::from_nanos(stored.max_nanos),
        doublings: stored.doublings,
    }
}

/// 584 years are longer than any span here.
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn unreadable(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Database(format!("read {what}: {error}"))
}
