//! The `worker` role: does what happened in the background, told by events.
//!
//! ```text
//!   an action ──row──► outbox ──relay──► topic ──► one queue per subscription ──push──► POST /events/{subscription}
//!             (one transaction)   (the platform's)                                          │ one transaction:
//!                                                                                           └ claim the event, act
//! ```
//!
//! Events come at least once and in any order. A handler runs in one transaction that first claims the event
//! for its subscription, so its effects happen once; [`together`] lets events share one. What it must do outside the database it does so that doing
//! it twice changes nothing. An answer other than 2xx makes the event come again.

mod alerts;
mod categorise;
mod event;
mod imports;
mod knowledge;
mod poll;
mod reports;
mod together;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::actions::Error;
use crate::caching;
use crate::categorise::Engine;
use crate::clock;
use crate::db::{Db, Tx};
use crate::files::Files;
use crate::store::handled;

pub use event::{Event, Push};
pub use knowledge::{Knowledge, Loaded};
pub use poll::Pass;
use together::Together;

/// Files read at once.
const PARSES_MAX: usize = 2;

/// What every handler can reach; clones share it.
#[derive(Clone)]
pub struct Worker {
    pub db: Db,
    pub files: Files,
    parses: Arc<Semaphore>,
    pub knowledge: Arc<Knowledge>,
    /// Events about single transactions, to categorise and to look at budgets for.
    categorising: Arc<Together>,
    alerting: Arc<Together>,
}

/// Who listens to which events. The name is the last part of the path the platform pushes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscription {
    /// Statements that were uploaded, confirmed or taken back.
    Imports,
    /// Gives new transactions their category, tags, vector; automations' notifications.
    Categorise,
    /// Reports that were asked for.
    Reports,
    /// Budget alerts.
    Alerts,
}

impl Subscription {
    pub const ALL: [Self; 4] = [Self::Imports, Self::Categorise, Self::Reports, Self::Alerts];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imports => "imports",
            Self::Categorise => "categorise",
            Self::Reports => "reports",
            Self::Alerts => "alerts",
        }
    }
}

impl Subscription {
    /// The events it handles; others change nothing.
    pub fn topics(self) -> &'static [&'static str] {
        match self {
            Self::Imports => &["import.uploaded", "import.confirmed", "import.undone"],
            Self::Categorise => {
                &["transaction.created", "transaction.updated", "import.committed", "automation.applied"]
            }
            Self::Reports => &["report.requested"],
            Self::Alerts => &[
                "transaction.created",
                "transaction.updated",
                "transactions.categorised",
                "budget.created",
                "budget.updated",
                "import.reverted",
            ],
        }
    }
}

impl Worker {
    pub fn new(db: Db, files: Files, engine: Arc<Engine>) -> Self {
        Self {
            db,
            files,
            parses: Arc::new(Semaphore::new(PARSES_MAX)),
            knowledge: Arc::new(Knowledge::new(engine)),
            categorising: Arc::default(),
            alerting: Arc::default(),
        }
    }

    /// Handles one event for one subscription; an event that was handled before changes nothing.
    pub async fn handle(&self, subscription: Subscription, event: &Event) -> Result<(), Error> {
        if !subscription.topics().contains(&event.topic.as_str()) {
            return Ok(());
        }
        match subscription {
            Subscription::Imports => imports::handle(self, event).await,
            Subscription::Categorise if categorise::is_brief(event) => {
                let handle = |events: Vec<Event>| async move { categorise::handle(self, &events).await };
                self.categorising.handle(event.clone(), handle).await
            }
            Subscription::Categorise => categorise::handle(self, std::slice::from_ref(event)).await,
            Subscription::Reports => reports::handle(self, event).await,
            Subscription::Alerts => {
                let handle = |events: Vec<Event>| async move { alerts::handle(self, &events).await };
                self.alerting.handle(event.clone(), handle).await
            }
        }
    }

    /// Begins the transaction that handles an event; nothing if one did before.
    async fn once(&self, subscription: Subscription, event: &Event) -> Result<Option<Tx>, Error> {
        let mut tx = self.db.write().await?;
        Ok(if claim(&mut tx, subscription, event).await? { Some(tx) } else { None })
    }
}

/// Claims an event for a transaction, whose effects are then those of the event; no if another one did before.
async fn claim(tx: &mut Tx, subscription: Subscription, event: &Event) -> Result<bool, Error> {
    let is_new = handled::claim(tx, subscription.as_str(), &event.id, clock::now()).await?;
    if !is_new {
        tracing::debug!(event = event.id, subscription = subscription.as_str(), "handled before");
    }
    Ok(is_new)
}

/// The routes the platform pushes to. Not for the public: the service is `internal`.
pub fn router(worker: Worker) -> Router {
    Router::new()
        .route("/events/{subscription}", post(push))
        .route("/tasks/monthly-report", post(monthly_report))
        .route("/tasks/abandoned-imports", post(abandoned_imports))
        .route("/health", get(|| async { StatusCode::OK }))
        .with_state(worker)
}

async fn push(State(worker): State<Worker>, Path(name): Path<String>, Json(push): Json<Push>) -> Response {
    let Some(subscription) = Subscription::ALL.into_iter().find(|it| it.as_str() == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let event = match push.into_event() {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "a push is not an event");
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    let status = match worker.handle(subscription, &event).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::warn!(error, event = event.id, topic = event.topic, "an event was not handled");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    answer(status, &BTreeSet::from([event.tenant]))
}

/// What a schedule posts on the first of a month.
async fn monthly_report(State(worker): State<Worker>) -> Response {
    let mut changed = BTreeSet::new();
    let done = reports::monthly(&worker, clock::now(), &mut changed).await;
    answer_schedule("monthly-report", &changed, done)
}

/// What a schedule posts every day.
async fn abandoned_imports(State(worker): State<Worker>) -> Response {
    let mut changed = BTreeSet::new();
    let done = imports::forget_abandoned(&worker, clock::now(), &mut changed).await;
    answer_schedule("abandoned-imports", &changed, done)
}

/// Answers a schedule; if not all was done, it is to post again.
fn answer_schedule(task: &str, changed: &BTreeSet<Uuid>, done: Result<(), Error>) -> Response {
    let status = match done {
        Ok(()) => {
            tracing::info!(task, tenants = changed.len(), "scheduled task done");
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            tracing::warn!(task, error = %format!("{:#}", anyhow::Error::new(error)), "scheduled task failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    answer(status, changed)
}

/// Ends what is kept of tenants whose rows may have changed: also by what failed, for of several steps some may be
/// done, and by what was done before and came again.
fn answer(status: StatusCode, changed: &BTreeSet<Uuid>) -> Response {
    let mut response = status.into_response();
    caching::purge(response.headers_mut(), changed);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_brings_each_subscription_its_topics() {
        let manifest = include_str!("../mare.toml");
        for subscription in Subscription::ALL {
            let name = subscription.as_str();
            let section = manifest.split(&format!("[subscriptions.{name}]\n")).nth(1).expect("it is there");
            let section = section.split("\n[").next().unwrap_or(section);
            let only = section.lines().find(|line| line.starts_with("only = ")).expect("it has topics");
            let topics: Vec<&str> = only.split('"').skip(1).step_by(2).collect();
            assert_eq!(topics, subscription.topics(), "{name}");
            assert!(section.contains(&format!("/events/{name}\"")), "{name}");
        }
    }
}
