//! The creations that most clients make, read and answered without descriptors, at a third of the cost.
//!
//! What is not exactly of these shapes, or not right, is left to the way that knows all of proto3 JSON: it says what
//! is wrong with it. A test compares the answers of both.

use std::collections::BTreeMap;
use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::route::Found;
use crate::api::Shared;
use crate::api::fault::Fault;
use crate::proto::longrunning::{Operation, operation};
use crate::proto::v2;
use crate::proto::v2::batch_create_tasks_metadata::State;
use crate::proto::v2::task::{MessageType, View};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Creation {
    #[serde(default)]
    parent: String,
    task: Task,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Creations {
    requests: Vec<Creation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Task {
    #[serde(default)]
    name: String,
    http_request: HttpRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HttpRequest {
    url: String,
    #[serde(default)]
    http_method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "base64")]
    body: Bytes,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    #[serde(skip)]
    Unspecified,
    Post,
    Get,
    Head,
    Put,
    Delete,
    Patch,
    Options,
}

fn base64<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
    struct Base64;
    impl de::Visitor<'_> for Base64 {
        type Value = Bytes;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("base64")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
            STANDARD.decode(text).map(Bytes::from).map_err(E::custom)
        }
    }
    from.deserialize_str(Base64)
}

impl From<Creation> for v2::CreateTaskRequest {
    fn from(Creation { parent, task: Task { name, http_request } }: Creation) -> Self {
        use v2::HttpMethod as M;
        let HttpRequest { url, http_method, headers, body } = http_request;
        let http_method = match http_method {
            Method::Unspecified => M::Unspecified,
            Method::Post => M::Post,
            Method::Get => M::Get,
            Method::Head => M::Head,
            Method::Put => M::Put,
            Method::Delete => M::Delete,
            Method::Patch => M::Patch,
            Method::Options => M::Options,
        };
        let request = v2::HttpRequest {
            url,
            http_method: http_method.into(),
            headers,
            body,
            authorization_header: None,
        };
        let message_type = Some(MessageType::HttpRequest(request));
        let task = v2::Task { name, message_type, ..Default::default() };
        Self { parent, task: Some(task), response_view: View::Unspecified.into() }
    }
}

/// Answers a creation; `None`, with nothing done, if it is not a plain one.
pub(super) async fn respond(shared: &Shared, found: &Found, body: &[u8]) -> Option<Result<Vec<u8>, Fault>> {
    let parent = found.resource.clone();
    match found.route.rpc {
        "CreateTask" => {
            let creation: Creation = serde_json::from_slice(body).ok()?;
            let request = v2::CreateTaskRequest { parent, ..creation.into() };
            Some(shared.make_task(request).await.map(|task| match Shown::of(&task) {
                Some(shown) => write(&shown),
                None => super::write_known("google.cloud.tasks.v2.Task", &task),
            }))
        }
        "BatchCreateTasks" => {
            let creations: Creations = serde_json::from_slice(body).ok()?;
            let requests = creations.requests.into_iter().map(Into::into).collect();
            let request = v2::BatchCreateTasksRequest { parent, requests, ..Default::default() };
            Some(shared.make_tasks(request).await.map(|operation| {
                write_operation(&operation)
                    .unwrap_or_else(|| super::write_known("google.longrunning.Operation", &operation))
            }))
        }
        _ => None,
    }
}

/// A task that was just created.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    http_request: ShownRequest<'a>,
    #[serde(serialize_with = "text")]
    schedule_time: prost_types::Timestamp,
    #[serde(serialize_with = "text")]
    create_time: prost_types::Timestamp,
    #[serde(serialize_with = "text")]
    dispatch_deadline: prost_types::Duration,
    view: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownRequest<'a> {
    url: &'a str,
    http_method: &'static str,
    headers: &'a BTreeMap<String, String>,
}

impl<'a> Shown<'a> {
    /// `None` if there is more to show.
    fn of(task: &'a v2::Task) -> Option<Self> {
        let v2::Task { name, schedule_time, create_time, dispatch_deadline, .. } = task;
        let Some(MessageType::HttpRequest(request)) = &task.message_type else { return None };
        let is_plain = task.view() == View::Basic
            && (task.dispatch_count, task.response_count) == (0, 0)
            && task.first_attempt.is_none()
            && task.last_attempt.is_none()
            && task.retry_config.is_none()
            && request.authorization_header.is_none()
            && request.body.is_empty();
        let v2::HttpRequest { url, headers, .. } = request;
        let http_method = request.http_method().as_str_name();
        is_plain.then_some(Self {
            name,
            http_request: ShownRequest { url, http_method, headers },
            schedule_time: (*schedule_time)?,
            create_time: (*create_time)?,
            dispatch_deadline: (*dispatch_deadline)?,
            view: View::Basic.as_str_name(),
        })
    }
}

#[derive(Serialize)]
struct ShownOperation<'a> {
    name: &'a str,
    metadata: ShownMetadata<'a>,
    done: bool,
    response: ShownResponse<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMetadata<'a> {
    #[serde(rename = "@type")]
    kind: &'a str,
    #[serde(serialize_with = "text")]
    start_time: prost_types::Timestamp,
    #[serde(serialize_with = "text")]
    end_time: prost_types::Timestamp,
    state: &'static str,
}

#[derive(Serialize)]
struct ShownResponse<'a> {
    #[serde(rename = "@type")]
    kind: &'a str,
    tasks: Vec<Shown<'a>>,
}

/// A batch of which all was created; `None`: not all was, or there is more to show.
fn write_operation(operation: &Operation) -> Option<Vec<u8>> {
    let (Some(metadata), Some(operation::Result::Response(response))) =
        (&operation.metadata, &operation.result)
    else {
        return None;
    };
    let said = v2::BatchCreateTasksMetadata::decode(&metadata.value[..]).ok()?;
    let created = v2::BatchCreateTasksResponse::decode(&response.value[..]).ok()?;
    let shown = ShownOperation {
        name: &operation.name,
        metadata: ShownMetadata {
            kind: &metadata.type_url,
            start_time: said.start_time?,
            end_time: said.end_time?,
            state: said.state().as_str_name(),
        },
        done: operation.done,
        response: ShownResponse {
            kind: &response.type_url,
            tasks: created.tasks.iter().map(Shown::of).collect::<Option<_>>()?,
        },
    };
    (said.state() == State::Succeeded).then(|| write(&shown))
}

fn write(shown: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shown).expect("names are strings")
}

fn text<S: Serializer>(what: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_clients_send_is_plain() {
        let check = |request: &str, expected: bool| {
            let body = format!(r#"{{"task":{{"httpRequest":{request}}}}}"#);
            assert_eq!(serde_json::from_str::<Creation>(&body).is_ok(), expected, "{body}");
        };
        check(r#"{"url":"http://a/","httpMethod":"POST","headers":{"A":"b"},"body":"aGk="}"#, true);
        check(r#"{"url":"http:\/\/a/"}"#, true);
        check(r#"{"url":"http://a/","http_method":"POST"}"#, false);
        check(r#"{"url":"http://a/","httpMethod":1}"#, false);
        check(r#"{"url":"http://a/","httpMethod":"Unspecified"}"#, false);
        check(r#"{"url":"http://a/","body":"aGk"}"#, false);
        check(r#"{"url":"http://a/","oidcToken":{}}"#, false);
        check(r#"{"url":null}"#, false);
        check("{}", false);
    }
}
