//! The contract over HTTP: routes, extractors, problem documents.
//!
//! A handler reads its input whole, begins a transaction, runs one action and commits; or runs one query.
//! Start at [`router`].

mod accounts;
mod automations;
mod body;
mod budgets;
mod caller;
mod categories;
mod idempotency;
mod imports;
mod listing;
mod notifications;
mod openapi;
mod problem;
mod reports;
mod review;
mod session;
mod summary;
mod system;
mod trace;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

use crate::actions::Error;
use crate::auth::{Keys, Passwords};
use crate::caching::Purger;
use crate::db::Db;
use crate::files::Files;

pub use openapi::document;
use problem::Problem;

/// The largest body: a transaction with 50 splits needs a tenth.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What every handler can reach; clones share it.
#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub files: Files,
    /// Places for files being taken in.
    pub uploads: Arc<Semaphore>,
    pub keys: Keys,
    pub passwords: Passwords,
    /// Writes under way, which go on when their client leaves.
    pub writes: TaskTracker,
    /// For what is changed without anybody asking.
    pub purger: Purger,
}

/// What a handler answers.
type Answer = Result<Response, Problem>;

/// All routes. The returned service is ready to be served.
pub fn router(app: App) -> Router {
    let document = Arc::new(openapi::document());
    let router: Router<App> = routes().into();
    router
        .route(
            "/api/openapi.json",
            axum::routing::get(move || {
                let document = document.clone();
                async move { Json(document).into_response() }
            }),
        )
        .fallback(|| async { Problem::from(Error::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // Inside the trace, so that what a write logs carries its trace id.
        .layer(middleware::from_fn_with_state(app.clone(), finish_writes))
        // Outside of it, for a write that failed unexpectedly is one that may have been done.
        .layer(middleware::from_fn_with_state(app.clone(), caller::known_to_the_cache))
        // Outermost: everything else happens in the request's span.
        .layer(middleware::from_fn(trace::within_span))
        .with_state(app)
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(system::routes())
        .merge(session::routes())
        .merge(accounts::routes())
        .merge(categories::routes())
        .merge(transactions::routes())
        .merge(budgets::routes())
        .merge(summary::routes())
        .merge(review::routes())
        .merge(automations::routes())
        .merge(notifications::routes())
        .merge(reports::routes())
        .merge(imports::routes())
}

/// Drives a write to its end even if the client leaves, so that no connection goes back to its pool in the
/// middle of a transaction and a repeated request finds the outcome of the first.
async fn finish_writes(State(app): State<App>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let span = tracing::Span::current();
    let write = app.writes.spawn(tracing::Instrument::instrument(next.run(request), span));
    write.await.unwrap_or_else(|error| Problem::from(Error::Internal(error.into())).into_response())
}
