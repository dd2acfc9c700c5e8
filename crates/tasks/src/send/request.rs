//! The head of an attempt's request. Pure.
//!
//! The header names and values are those of Cloud Tasks, from recordings of it: the first attempt has the number 0,
//! answers of 5xx are not counted as executions, a deadline reads as 504.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use crate::model::{Answer, HttpRequest, Target};
use crate::store::Leased;
use crate::targets::http_target;

const QUEUE_NAME: HeaderName = HeaderName::from_static("x-cloudtasks-queuename");
const TASK_NAME: HeaderName = HeaderName::from_static("x-cloudtasks-taskname");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-cloudtasks-taskretrycount");
const EXECUTION_COUNT: HeaderName = HeaderName::from_static("x-cloudtasks-taskexecutioncount");
const ETA: HeaderName = HeaderName::from_static("x-cloudtasks-tasketa");
const PREVIOUS_RESPONSE: HeaderName = HeaderName::from_static("x-cloudtasks-taskpreviousresponse");
const RETRY_REASON: HeaderName = HeaderName::from_static("x-cloudtasks-taskretryreason");
const USER_AGENT: HeaderValue = HeaderValue::from_static("Google-Cloud-Tasks");

/// Ours, and what Cloud Tasks keeps to itself.
const RESERVED: [&str; 4] = ["x-cloudtasks-", "x-mare-", "x-google-", "x-appengine-"];

/// Written by whoever sends, or about one connection only (RFC 9110 7.6.1).
const DROPPED: [HeaderName; 11] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::USER_AGENT,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Headers of ours, `Host`, `Content-Length` and `Authorization` included.
const ADDED: usize = 12;

/// A task's request after its queue had its say.
#[derive(Debug)]
pub(super) struct Route<'a> {
    pub(super) url: Cow<'a, str>,
    /// All but the URL.
    pub(super) request: Cow<'a, HttpRequest>,
}

impl<'a> Route<'a> {
    /// `target` is the queue's. What is wrong is for people.
    pub(super) fn of(request: &'a HttpRequest, target: Option<&Target>) -> Result<Self, String> {
        match target {
            None => Ok(Self { url: Cow::Borrowed(&request.url), request: Cow::Borrowed(request) }),
            Some(Target::Service { service, path }) => {
                let url = format!("http://{service}.mare.internal{}", below(&request.url, path));
                Ok(Self { url: Cow::Owned(url), request: Cow::Borrowed(request) })
            }
            Some(Target::Override(message)) => {
                let request = http_target::apply(message, request.clone())
                    .map_err(|error| format!("the queue's httpTarget cannot be read: {error}"))?;
                Ok(Self { url: Cow::Owned(request.url.clone()), request: Cow::Owned(request) })
            }
        }
    }
}

/// The path and query of a task whose queue says where it goes. Without a path of the queue's it keeps its own; the
/// query is always its own.
fn below(url: &str, path: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let own = rest.find(['/', '?']).map_or("", |start| &rest[start..]);
    if path.is_empty() {
        let slash = if own.starts_with('/') { "" } else { "/" };
        return format!("{slash}{own}");
    }
    match own.split_once('?') {
        Some((_, query)) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// `Host` is left to whoever sends it. `None` where HTTP has no way to say it.
pub(super) fn build(
    leased: &Leased,
    of_task: &HttpRequest,
    path_and_query: &str,
    authorization: Option<HeaderValue>,
) -> Option<Request<Bytes>> {
    let has_body = matches!(of_task.method, Method::POST | Method::PUT | Method::PATCH);
    let body = if has_body { of_task.body.clone() } else { Bytes::new() };
    let mut headers = HeaderMap::with_capacity(of_task.headers.len() + ADDED);
    for (name, value) in &of_task.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        let is_ours =
            DROPPED.contains(&name) || RESERVED.iter().any(|prefix| name.as_str().starts_with(prefix));
        let replaced = name == header::AUTHORIZATION && of_task.token.is_some();
        if let Ok(value) = HeaderValue::from_str(value)
            && !is_ours
            && !replaced
        {
            headers.append(name, value);
        }
    }
    headers.insert(header::USER_AGENT, USER_AGENT);
    if has_body {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    describe(leased, &mut headers)?;
    let mut request = Request::new(body);
    *request.method_mut() = of_task.method.clone();
    *request.uri_mut() = path_and_query.parse::<Uri>().ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// Which task this is, and which attempt of it.
fn describe(leased: &Leased, headers: &mut HeaderMap) -> Option<()> {
    let Leased { task, previous, .. } = leased;
    let progress = &task.progress;
    let retries = progress.dispatched.saturating_sub(1);
    let due = progress.last_attempt.as_ref().map_or(task.schedule_time, |attempt| attempt.scheduled);
    let micros = due.as_microsecond();
    let eta = format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    headers.insert(QUEUE_NAME, HeaderValue::from_str(task.name.queue.id()).ok()?);
    headers.insert(TASK_NAME, HeaderValue::from_str(&task.name.id).ok()?);
    headers.insert(RETRY_COUNT, HeaderValue::from(retries));
    headers.insert(EXECUTION_COUNT, HeaderValue::from(progress.executed));
    headers.insert(ETA, HeaderValue::from_str(&eta).ok()?);
    if retries > 0 {
        headers.insert(RETRY_REASON, HeaderValue::from_static(""));
    }
    if let Some(outcome) = previous {
        let status = match &outcome.answer {
            Answer::Status { status, .. } => *status,
            Answer::Deadline => 504,
            // Nobody recorded what Cloud Tasks says here; this is what a proxy would.
            Answer::Broken(_) => 503,
        };
        headers.insert(PREVIOUS_RESPONSE, HeaderValue::from(status));
    }
    Some(())
}

#[cfg(test)]
mod tests;
