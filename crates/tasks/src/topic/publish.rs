//! `POST /v1/projects/P/topics/T:publish`, as Pub/Sub's REST API has it.
//!
//! Body `{"messages": [{"data": base64, "attributes": {…}}]}`, answer `{"messageIds": […]}` when all of them are
//! on disk. <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish>

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Message, Topics};
use crate::store::Error;

/// The limits of Pub/Sub: bytes of a request, messages in one.
const BODY_MAX: usize = 10 * 1000 * 1000;
const MESSAGES_MAX: usize = 1000;

/// From the first byte of the body to the messages being on disk.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Publish {
    messages: Vec<Given>,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    data: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Why nothing was published.
struct Refusal {
    code: StatusCode,
    status: &'static str,
    message: String,
}

impl Topics {
    /// Answers whatever comes below `/v1`.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer = timeout(PATIENCE, self.take(request)).await.unwrap_or_else(|_elapsed| {
            Err(refuse(StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED", "the request took too long"))
        });
        let (code, body) = match answer {
            Ok(ids) => (StatusCode::OK, serde_json::json!({ "messageIds": ids })),
            Err(Refusal { code, status, message }) => {
                let error =
                    serde_json::json!({ "code": code.as_u16(), "message": message, "status": status });
                (code, serde_json::json!({ "error": error }))
            }
        };
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = code;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }

    async fn take<B>(&self, request: Request<B>) -> Result<Vec<String>, Refusal>
    where
        B: http_body::Body<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let topic = topic_of(request.uri().path())
            .ok_or_else(|| {
                refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "publish to /v1/projects/P/topics/T:publish")
            })?
            .to_owned();
        if *request.method() != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "INVALID_ARGUMENT", "publishing is a POST"));
        }
        if !self.has(&topic) {
            let text = format!("Topic not found: declare [topics.{topic}] in mare.toml");
            return Err(refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &text));
        }
        let body = Limited::new(request.into_body(), BODY_MAX).collect().await.map_err(|error| {
            refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", &format!("the body cannot be read: {error}"))
        })?;
        let messages = read(&body.to_bytes())
            .map_err(|wrong| refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", &wrong))?;
        self.publish(&topic, &messages, Timestamp::now()).await.map_err(|error| match error {
            Error::NoQueue
            | Error::QueueExists
            | Error::QueueExistedRecently
            | Error::QueueIsDeclared
            | Error::NoTask
            | Error::TaskEnded
            | Error::TaskExists
            | Error::Busy
            | Error::Database(_) => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", &error.to_string())
            }
        })?;
        Ok(messages.into_iter().map(|message| message.id).collect())
    }
}

/// `/v1/projects/P/topics/T:publish`
fn topic_of(path: &str) -> Option<&str> {
    let mut parts = path.strip_prefix("/v1/projects/")?.split('/');
    let (_project, "topics", last, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    last.strip_suffix(":publish")
}

fn read(body: &[u8]) -> Result<Vec<Message>, String> {
    let publish: Publish = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if !(1..=MESSAGES_MAX).contains(&publish.messages.len()) {
        return Err(format!("messages must be 1 to {MESSAGES_MAX}"));
    }
    let message = |(index, Given { data, attributes }): (usize, Given)| {
        if data.is_empty() && attributes.is_empty() {
            return Err(format!("messages[{index}] has neither data nor attributes"));
        }
        let data = STANDARD.decode(data).map_err(|error| format!("messages[{index}].data: {error}"))?;
        Ok(Message { id: Uuid::now_v7().to_string(), data: Bytes::from(data), attributes })
    };
    publish.messages.into_iter().enumerate().map(message).collect()
}

fn refuse(code: StatusCode, status: &'static str, message: &str) -> Refusal {
    Refusal { code, status, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_is_in_the_path() {
        let check = |path, expected| assert_eq!(topic_of(path), expected, "{path}");
        check("/v1/projects/shop/topics/events:publish", Some("events"));
        check("/v1/projects/shop/topics/events", None);
        check("/v1/projects/shop/topics/a/b:publish", None);
        check("/v1/topics/events:publish", None);
    }

    #[test]
    fn messages_that_cannot_be_published_are_named() {
        let check = |body: &str, expected: &str| {
            let wrong = read(body.as_bytes()).expect_err("refused");
            assert!(wrong.contains(expected), "{body}: {wrong}");
        };
        check("{}", "missing field `messages`");
        check(r#"{"messages":[]}"#, "1 to 1000");
        check(r#"{"messages":[{"data":"e30="},{}]}"#, "messages[1] has neither");
        check(r#"{"messages":[{"data":"%"}]}"#, "messages[0].data");
        let read = read(br#"{"messages":[{"data":"e30=","attributes":{"a":"b"}}]}"#).expect("a message");
        assert_eq!((&read[0].data[..], read[0].attributes["a"].as_str()), (&b"{}"[..], "b"));
    }
}
