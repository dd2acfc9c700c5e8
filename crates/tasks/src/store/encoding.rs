//! What stores write of tasks and queues that no query looks into: a version, then a protobuf message.
//!
//! Fields are only ever added; what cannot be said so gets the next version, and this reads all there ever were.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;

use crate::model::{
    Answer, Attempt, BadName, HttpRequest, Outcome, Progress, QueueName, QueueSettings, RateLimits, Retry,
    Spec, Target, Token,
};

/// The only one so far.
const VERSION: u8 = 1;

/// Bytes that were not written by this, or by a later Maré.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("there are no bytes")]
    Empty,
    #[error("version {0} is not known")]
    Version(u8),
    #[error("the message is broken")]
    Message(#[from] prost::DecodeError),
    #[error("the name of the queue is not one")]
    Name(#[from] BadName),
    #[error("the method is not one")]
    Method(#[from] http::method::InvalidMethod),
    #[error("{0} is missing or out of range")]
    Field(&'static str),
}

pub(crate) fn write_spec(spec: &Spec) -> Vec<u8> {
    let request = &spec.request;
    let headers =
        request.headers.iter().map(|(name, value)| HeaderV1 { name: name.clone(), value: value.clone() });
    write(&SpecV1 {
        method: request.method.as_str().to_owned(),
        url: request.url.clone(),
        headers: headers.collect(),
        body: request.body.clone(),
        token: request.token.as_ref().map(token_out),
        dispatch_deadline: Some(span_out(spec.dispatch_deadline)),
        retry: spec.retry.as_ref().map(retry_out),
        priority: spec.priority.into(),
        fairness_key: spec.fairness_key.clone(),
    })
}

pub(crate) fn read_spec(bytes: &[u8]) -> Result<Spec, Unreadable> {
    let read: SpecV1 = message(bytes)?;
    let request = HttpRequest {
        method: http::Method::from_bytes(read.method.as_bytes())?,
        url: read.url,
        headers: read.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        body: read.body,
        token: read.token.map(token_in),
    };
    Ok(Spec {
        request,
        dispatch_deadline: span_in(read.dispatch_deadline, "dispatch_deadline")?,
        retry: read.retry.map(|retry| retry_in(&retry)).transpose()?,
        priority: read.priority.try_into().map_err(|_range| Unreadable::Field("priority"))?,
        fairness_key: read.fairness_key,
    })
}

pub(crate) fn write_progress(progress: &Progress) -> Vec<u8> {
    let attempt = progress.last_attempt.as_ref().map(|attempt| AttemptV1 {
        scheduled: attempt.scheduled.as_microsecond(),
        dispatched: attempt.dispatched.as_microsecond(),
        outcome: attempt.outcome.as_ref().map(outcome_out),
    });
    write(&ProgressV1 {
        dispatched: progress.dispatched,
        answered: progress.answered,
        executed: progress.executed,
        first_attempt: progress.first_attempt.map(Timestamp::as_microsecond),
        last_attempt: attempt,
    })
}

pub(crate) fn read_progress(bytes: &[u8]) -> Result<Progress, Unreadable> {
    let read: ProgressV1 = message(bytes)?;
    let attempt = |attempt: AttemptV1| -> Result<Attempt, Unreadable> {
        Ok(Attempt {
            scheduled: time_in(attempt.scheduled)?,
            dispatched: time_in(attempt.dispatched)?,
            outcome: attempt.outcome.map(outcome_in).transpose()?,
        })
    };
    Ok(Progress {
        dispatched: read.dispatched,
        answered: read.answered,
        executed: read.executed,
        first_attempt: read.first_attempt.map(time_in).transpose()?,
        last_attempt: read.last_attempt.map(attempt).transpose()?,
    })
}

/// Of a task's own rule, which its spec has, too: for who wants nothing else of it.
pub(crate) fn write_retry(retry: &Retry) -> Vec<u8> {
    write(&retry_out(retry))
}

pub(crate) fn read_retry(bytes: &[u8]) -> Result<Retry, Unreadable> {
    retry_in(&message(bytes)?)
}

pub(crate) fn write_outcome(outcome: &Outcome) -> Vec<u8> {
    write(&outcome_out(outcome))
}

pub(crate) fn read_outcome(bytes: &[u8]) -> Result<Outcome, Unreadable> {
    outcome_in(message(bytes)?)
}

pub(crate) fn write_settings(settings: &QueueSettings) -> Vec<u8> {
    let RateLimits { per_second, burst, concurrent } = settings.limits;
    let (service, path, target_override) = match &settings.target {
        None => (None, None, None),
        Some(Target::Service { service, path }) => (Some(service.clone()), Some(path.clone()), None),
        Some(Target::Override(bytes)) => (None, None, Some(bytes.clone())),
    };
    write(&SettingsV1 {
        name: settings.name.to_string(),
        per_second,
        burst,
        concurrent,
        retry: Some(retry_out(&settings.retry)),
        service,
        path,
        target_override,
        declared: settings.declared,
    })
}

pub(crate) fn read_settings(bytes: &[u8]) -> Result<QueueSettings, Unreadable> {
    let read: SettingsV1 = message(bytes)?;
    let target = match (read.service, read.target_override) {
        (Some(service), _) => Some(Target::Service { service, path: read.path.unwrap_or_default() }),
        (None, Some(bytes)) => Some(Target::Override(bytes)),
        (None, None) => None,
    };
    Ok(QueueSettings {
        name: QueueName::parse(&read.name)?,
        limits: RateLimits { per_second: read.per_second, burst: read.burst, concurrent: read.concurrent },
        retry: retry_in(&read.retry.ok_or(Unreadable::Field("retry"))?)?,
        target,
        declared: read.declared,
    })
}

fn write(message: &impl Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + message.encoded_len());
    bytes.push(VERSION);
    message.encode(&mut bytes).expect("a vector grows");
    bytes
}

fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, Unreadable> {
    match bytes.split_first() {
        None => Err(Unreadable::Empty),
        Some((&VERSION, message)) => Ok(M::decode(message)?),
        Some((&other, _)) => Err(Unreadable::Version(other)),
    }
}

fn span_out(span: Duration) -> SpanV1 {
    SpanV1 { seconds: span.as_secs(), nanos: span.subsec_nanos() }
}

fn span_in(span: Option<SpanV1>, field: &'static str) -> Result<Duration, Unreadable> {
    let SpanV1 { seconds, nanos } = span.ok_or(Unreadable::Field(field))?;
    // More than a second of them could overflow.
    if nanos < 1_000_000_000 { Ok(Duration::new(seconds, nanos)) } else { Err(Unreadable::Field(field)) }
}

fn time_in(micros: i64) -> Result<Timestamp, Unreadable> {
    Timestamp::from_microsecond(micros).map_err(|_range| Unreadable::Field("a time"))
}

fn token_out(token: &Token) -> TokenV1 {
    match token.clone() {
        Token::Oidc { email, audience } => TokenV1 { oauth: false, email, of: audience },
        Token::OAuth { email, scope } => TokenV1 { oauth: true, email, of: scope },
    }
}

fn token_in(token: TokenV1) -> Token {
    let TokenV1 { oauth, email, of } = token;
    if oauth { Token::OAuth { email, scope: of } } else { Token::Oidc { email, audience: of } }
}

fn retry_out(retry: &Retry) -> RetryV1 {
    RetryV1 {
        attempts: retry.attempts,
        duration: retry.duration.map(span_out),
        min: Some(span_out(retry.min)),
        max: Some(span_out(retry.max)),
        doublings: retry.doublings,
    }
}

fn retry_in(retry: &RetryV1) -> Result<Retry, Unreadable> {
    Ok(Retry {
        attempts: retry.attempts,
        duration: retry.duration.map(|span| span_in(Some(span), "retry.duration")).transpose()?,
        min: span_in(retry.min, "retry.min")?,
        max: span_in(retry.max, "retry.max")?,
        doublings: retry.doublings,
    })
}

fn outcome_out(outcome: &Outcome) -> OutcomeV1 {
    let at = outcome.at.as_microsecond();
    match &outcome.answer {
        Answer::Status { status, retry_after } => OutcomeV1 {
            at,
            status: Some((*status).into()),
            retry_after: retry_after.map(span_out),
            broken: None,
        },
        Answer::Deadline => OutcomeV1 { at, status: None, retry_after: None, broken: None },
        Answer::Broken(why) => OutcomeV1 { at, status: None, retry_after: None, broken: Some(why.clone()) },
    }
}

fn outcome_in(outcome: OutcomeV1) -> Result<Outcome, Unreadable> {
    let answer = match (outcome.status, outcome.broken) {
        (Some(status), _) => Answer::Status {
            status: status.try_into().map_err(|_range| Unreadable::Field("status"))?,
            retry_after: outcome.retry_after.map(|span| span_in(Some(span), "retry_after")).transpose()?,
        },
        (None, Some(why)) => Answer::Broken(why),
        (None, None) => Answer::Deadline,
    };
    Ok(Outcome { at: time_in(outcome.at)?, answer })
}

#[derive(Clone, PartialEq, Message)]
struct SpecV1 {
    #[prost(string, tag = "1")]
    method: String,
    #[prost(string, tag = "2")]
    url: String,
    #[prost(message, repeated, tag = "3")]
    headers: Vec<HeaderV1>,
    #[prost(bytes = "bytes", tag = "4")]
    body: Bytes,
    #[prost(message, optional, tag = "5")]
    token: Option<TokenV1>,
    #[prost(message, optional, tag = "6")]
    dispatch_deadline: Option<SpanV1>,
    #[prost(message, optional, tag = "7")]
    retry: Option<RetryV1>,
    #[prost(sint32, tag = "8")]
    priority: i32,
    #[prost(string, tag = "9")]
    fairness_key: String,
}

#[derive(Clone, PartialEq, Message)]
struct HeaderV1 {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct TokenV1 {
    #[prost(bool, tag = "1")]
    oauth: bool,
    #[prost(string, tag = "2")]
    email: String,
    /// The audience, or the scope.
    #[prost(string, optional, tag = "3")]
    of: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct SpanV1 {
    #[prost(uint64, tag = "1")]
    seconds: u64,
    #[prost(uint32, tag = "2")]
    nanos: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct RetryV1 {
    #[prost(uint32, optional, tag = "1")]
    attempts: Option<u32>,
    #[prost(message, optional, tag = "2")]
    duration: Option<SpanV1>,
    #[prost(message, optional, tag = "3")]
    min: Option<SpanV1>,
    #[prost(message, optional, tag = "4")]
    max: Option<SpanV1>,
    #[prost(uint32, tag = "5")]
    doublings: u32,
}

/// Times are microseconds since 1970.
#[derive(Clone, PartialEq, Message)]
struct ProgressV1 {
    #[prost(uint32, tag = "1")]
    dispatched: u32,
    #[prost(uint32, tag = "2")]
    answered: u32,
    #[prost(uint32, tag = "3")]
    executed: u32,
    #[prost(sint64, optional, tag = "4")]
    first_attempt: Option<i64>,
    #[prost(message, optional, tag = "5")]
    last_attempt: Option<AttemptV1>,
}

#[derive(Clone, PartialEq, Message)]
struct AttemptV1 {
    #[prost(sint64, tag = "1")]
    scheduled: i64,
    #[prost(sint64, tag = "2")]
    dispatched: i64,
    #[prost(message, optional, tag = "3")]
    outcome: Option<OutcomeV1>,
}

/// With neither status nor break, the deadline passed.
#[derive(Clone, PartialEq, Message)]
struct OutcomeV1 {
    #[prost(sint64, tag = "1")]
    at: i64,
    #[prost(uint32, optional, tag = "2")]
    status: Option<u32>,
    #[prost(message, optional, tag = "3")]
    retry_after: Option<SpanV1>,
    #[prost(string, optional, tag = "4")]
    broken: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct SettingsV1 {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(double, tag = "2")]
    per_second: f64,
    #[prost(uint32, tag = "3")]
    burst: u32,
    #[prost(uint32, tag = "4")]
    concurrent: u32,
    #[prost(message, optional, tag = "5")]
    retry: Option<RetryV1>,
    #[prost(string, optional, tag = "6")]
    service: Option<String>,
    #[prost(string, optional, tag = "7")]
    path: Option<String>,
    #[prost(bytes = "bytes", optional, tag = "8")]
    target_override: Option<Bytes>,
    #[prost(bool, tag = "9")]
    declared: bool,
}

#[cfg(test)]
mod tests;
