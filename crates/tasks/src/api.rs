//! The Cloud Tasks v2 API.
//!
//! ```text
//!   REST  /v2/…                                 ─ rest (JSON <-> messages) ─┐
//!   gRPC  /google.cloud.tasks.v2.CloudTasks/… ─────────────────────────────┴─► grpc ─► queues, tasks, batch ─► Store
//! ```
//!
//! One implementation, two skins: REST turns JSON into the same messages and makes the same call. Opens no socket
//! and checks no token; whoever mounts it does. Start reading at `grpc.rs`.

mod batch;
mod convert;
mod fault;
mod grpc;
mod locations;
mod mask;
mod page;
mod queues;
mod rest;
mod tasks;
mod time;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use crate::store::{Leased, Store};
use crate::targets::Targets;
use batch::Operations;
use fault::Fault;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where the API is to be mounted; the first is REST, the others are gRPC.
pub const PREFIXES: [&str; 4] = [
    "/v2",
    "/google.cloud.tasks.v2.CloudTasks",
    "/google.longrunning.Operations",
    "/google.cloud.location.Locations",
];

/// The largest request, as gRPC servers take by default. A task may have 1 MiB, a batch a hundred of them.
const REQUEST_MAX: usize = 4 * 1024 * 1024;

/// Until a request must be answered, its body included. gRPC clients may ask for less.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the API must know of the rest of the platform.
#[derive(Clone, Debug)]
pub struct Config {
    pub targets: Targets,
    /// The one this platform has, for `ListLocations`; queues may be made in any.
    pub location: String,
}

/// The API; clones are the same.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    /// Takes tasks that are to run now, whatever the state of their queue.
    forced: mpsc::Sender<Leased>,
    config: Config,
    /// Held from reading a queue to writing what was changed of it.
    updates: Mutex<()>,
    operations: parking_lot::Mutex<Operations>,
}

impl Api {
    pub fn new(store: Arc<dyn Store>, forced: mpsc::Sender<Leased>, config: Config) -> Self {
        let (updates, operations) = (Mutex::default(), parking_lot::Mutex::default());
        Self(Arc::new(Shared { store, forced, config, updates, operations }))
    }

    /// Answers one request below [`PREFIXES`].
    pub async fn respond<B>(&self, request: Request<B>) -> Response<UnsyncBoxBody<Bytes, BoxError>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let is_grpc = !head.uri.path().starts_with(PREFIXES[0]);
        let deadline = grpc::timeout_of(&head.headers).map_or(DEADLINE, |wanted| wanted.min(DEADLINE));
        let answer = async {
            let body = match Limited::new(body, REQUEST_MAX).collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) if error.is::<LengthLimitError>() => {
                    return Err(Fault::invalid("The request is larger than 4 MiB."));
                }
                Err(error) => return Err(Fault::invalid(format!("The request broke off: {error}"))),
            };
            if !is_grpc {
                return Ok(rest::respond(&self.0, &head, &body).await);
            }
            // Its status comes after the body, and such trailers are rarely passed on in HTTP/1.1.
            if head.version < Version::HTTP_2 {
                return Err(Fault::invalid("gRPC needs HTTP/2."));
            }
            Ok(grpc::respond(&self.0, Request::from_parts(head.clone(), body)).await)
        };
        let refusal = match timeout(deadline, answer).await {
            Ok(Ok(response)) => return response,
            Ok(Err(fault)) => fault,
            Err(_elapsed) => Fault::TooLate,
        };
        if is_grpc { grpc::refuse(refusal) } else { rest::refuse(&refusal.into()) }
    }
}

impl Shared {
    /// This process's clock: only for what is said of times (limits, tokens). Which task is due the store says.
    #[expect(clippy::unused_self, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn json_response(status: http::StatusCode, body: Vec<u8>) -> Response<UnsyncBoxBody<Bytes, BoxError>> {
    let full = http_body_util::Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut response = Response::new(full.boxed_unsync());
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
