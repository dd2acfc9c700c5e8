//! `/api/tasks`: queues in numbers, dead letters, and what an operator does by hand. What `mare tasks` asks.
//!
//! ```text
//!   GET  /api/tasks                          every queue, see [`QueueDocument`]
//!   GET  /api/tasks/QUEUE                    its next tasks, see [`TasksDocument`]; ?after=ID for the next page
//!   GET  /api/tasks/QUEUE/dead               its dead letters
//!   POST /api/tasks/QUEUE/pause | resume | purge
//!   POST /api/tasks/QUEUE/run                {"ids": [...]}: attempts these now, whatever the limits say
//!   POST /api/tasks/QUEUE/retry | forget     {"ids": [...]}: dead letters, all of them without ids
//! ```
//!
//! QUEUE is the last part of a queue's name; `?parent=projects/P/locations/L` names those that are not of the
//! manifest's own project and location.

mod documents;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::model::{QueueName, State};
use crate::store::{Error, Leased, Slice, Store};
pub use documents::{DeadDocument, Done, QueueDocument, TaskDocument, TasksDocument};

/// Ids in one request take less.
const BODY_MAX: usize = 1024 * 1024;

/// Tasks on one page.
const PAGE: usize = 100;

/// Everything an operator asks is done, or given up, within this.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Admin {
    store: Arc<dyn Store>,
    forced: mpsc::Sender<Leased>,
    /// `projects/P/locations/L` of the manifest.
    parent: String,
}

struct Refusal(StatusCode, String);

/// What is asked beside the path.
#[derive(Default)]
struct Query {
    parent: Option<String>,
    after: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ids {
    ids: Option<Vec<String>>,
}

impl Admin {
    pub fn new(store: Arc<dyn Store>, forced: mpsc::Sender<Leased>, parent: String) -> Self {
        Self { store, forced, parent }
    }

    /// Answers whatever comes below `/api/tasks`.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer = timeout(PATIENCE, self.answer(request)).await.unwrap_or_else(|_elapsed| {
            Err(Refusal(StatusCode::GATEWAY_TIMEOUT, format!("this took longer than {PATIENCE:?}")))
        });
        let (status, kind, body) = match answer {
            Ok(body) => (StatusCode::OK, "application/json", body),
            Err(Refusal(status, detail)) => {
                let title = status.canonical_reason().unwrap_or_default();
                let problem =
                    serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
                (status, "application/problem+json", problem)
            }
        };
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
        response
    }

    async fn answer<B>(&self, request: Request<B>) -> Result<serde_json::Value, Refusal>
    where
        B: http_body::Body<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().strip_prefix("/api/tasks").unwrap_or_default().to_owned();
        let query = Query::read(parts.uri.query().unwrap_or_default());
        let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
        match (&parts.method, words.as_slice()) {
            (&Method::GET | &Method::HEAD, []) => self.queues().await,
            (&Method::GET | &Method::HEAD, [queue]) => self.tasks(&self.name(queue, &query)?, query).await,
            (&Method::GET | &Method::HEAD, [queue, "dead"]) => {
                self.dead(&self.name(queue, &query)?, query).await
            }
            (&Method::POST, [queue, verb]) => {
                let ids = read_ids(body).await?;
                self.act(&self.name(queue, &query)?, verb, ids).await
            }
            (_, [] | [_] | [_, _]) => {
                Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "GET looks, POST acts".to_owned()))
            }
            _ => Err(Refusal(
                StatusCode::NOT_FOUND,
                "there is /api/tasks/QUEUE and /api/tasks/QUEUE/dead".into(),
            )),
        }
    }

    fn name(&self, queue: &str, query: &Query) -> Result<QueueName, Refusal> {
        QueueName::below(query.parent.as_deref().unwrap_or(&self.parent), queue)
            .map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))
    }

    async fn queues(&self) -> Result<serde_json::Value, Refusal> {
        let now = Timestamp::now();
        let stats = self.store.stats().await?;
        let queues: Vec<QueueDocument> =
            stats.iter().map(|stats| QueueDocument::of(stats, &self.parent, now)).collect();
        Ok(serde_json::json!({ "queues": queues }))
    }

    async fn tasks(&self, queue: &QueueName, query: Query) -> Result<serde_json::Value, Refusal> {
        let page = self.store.tasks(queue, Slice { after: query.after, size: PAGE }).await?;
        let tasks = page.items.iter().map(TaskDocument::of).collect();
        Ok(json(&TasksDocument { tasks, next: page.next }))
    }

    async fn dead(&self, queue: &QueueName, query: Query) -> Result<serde_json::Value, Refusal> {
        let page = self.store.dead_letters(queue, Slice { after: query.after, size: PAGE }).await?;
        let dead = page.items.iter().map(|one| TaskDocument::of_dead(&one.task, one.died_at)).collect();
        Ok(json(&DeadDocument { dead, next: page.next }))
    }

    async fn act(
        &self,
        queue: &QueueName,
        verb: &str,
        ids: Option<Vec<String>>,
    ) -> Result<serde_json::Value, Refusal> {
        let count = match verb {
            "pause" => self.store.set_state(queue, State::Paused).await.map(|_queue| 1)?,
            "resume" => self.store.set_state(queue, State::Running).await.map(|_queue| 1)?,
            "purge" => self.store.purge(queue).await.map(|_queue| 1)?,
            "retry" => self.store.redrive(queue, ids).await?,
            "forget" => self.store.forget_dead(queue, ids).await?,
            "run" => self.run(queue, ids.unwrap_or_default()).await?,
            _ => {
                let known = "pause, resume, purge, run, retry, forget";
                return Err(Refusal(StatusCode::NOT_FOUND, format!("there is no {verb}; there are {known}")));
            }
        };
        Ok(json(&Done { count }))
    }

    async fn run(&self, queue: &QueueName, ids: Vec<String>) -> Result<u64, Refusal> {
        let mut count = 0;
        for id in ids {
            let name =
                queue.task(&id).map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))?;
            let leased = self.store.run(&name).await?;
            let gone = |_gone| Refusal(StatusCode::SERVICE_UNAVAILABLE, "mare is stopping".to_owned());
            self.forced.send(leased).await.map_err(gone)?;
            count += 1;
        }
        Ok(count)
    }
}

async fn read_ids<B>(body: B) -> Result<Option<Vec<String>>, Refusal>
where
    B: http_body::Body<Data: Send> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let bad = |error: &dyn std::fmt::Display| Refusal(StatusCode::BAD_REQUEST, format!("the body: {error}"));
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(|error| bad(&error))?.to_bytes();
    if body.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&body).map(|Ids { ids }| ids).map_err(|error| bad(&error))
}

impl Query {
    fn read(text: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "parent" => query.parent = Some(value),
                "after" => query.after = Some(value),
                _ => {}
            }
        }
        query
    }
}

fn json(document: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(document).expect("documents are made of text and numbers")
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::NoQueue | Error::NoTask | Error::TaskEnded => StatusCode::NOT_FOUND,
            Error::QueueExists | Error::QueueExistedRecently | Error::QueueIsDeclared | Error::TaskExists => {
                StatusCode::CONFLICT
            }
            Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}
