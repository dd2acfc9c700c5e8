//! /api/budgets

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Id, IfMatch, tagged};
use super::idempotency::{Claim, Post, replay};
use super::listing::{Paging, Params};
use super::{Answer, App};
use crate::actions::{self, Change};
use crate::domain::budget::{Budget, Draft};
use crate::domain::member::Caller;
use crate::domain::page::{LIMIT_MAX, Page};
use crate::queries;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, change, delete))
}

/// Lists budgets, oldest first.
#[utoipa::path(
    get, path = "/api/budgets", tag = "budgets", operation_id = "list_budgets",
    params(Paging, ("month" = Option<String>, Query, description = "YYYY-MM")),
    responses((status = 200, body = Page<Budget>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, mut filters) = params.slice(LIMIT_MAX)?;
    let month = filters.optional_choice("month", "um mês no formato AAAA-MM");
    let month = filters.finish(month)?;
    Ok(axum::Json(queries::budgets(&app.db, by.tenant, month, slice).await?).into_response())
}

/// Sets a budget.
#[utoipa::path(
    post, path = "/api/budgets", tag = "budgets", operation_id = "create_budget",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 201, body = Budget)),
)]
async fn create(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let draft = Draft::read(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let budget = actions::budgets::create(&mut tx, &by, draft).await?;
            claimed.created(tx, &budget).await
        }
    }
}

/// Reads a budget; `ETag` begins with its version.
#[utoipa::path(
    get, path = "/api/budgets/{id}", tag = "budgets", operation_id = "read_budget",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Budget)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let budget = queries::budget(&app.db, by.tenant, id).await?;
    Ok(tagged(budget.version, budget))
}

/// Writes all fields of a budget.
#[utoipa::path(
    put, path = "/api/budgets/{id}", tag = "budgets", operation_id = "replace_budget",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 200, body = Budget)),
)]
async fn replace(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

/// Writes some fields of a budget.
#[utoipa::path(
    patch, path = "/api/budgets/{id}", tag = "budgets", operation_id = "change_budget",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = Draft, description = "Any of the fields."),
    responses((status = 200, body = Budget)),
)]
async fn change(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

async fn update(State(app): State<App>, by: Caller, Id(id): Id, wanted: Change) -> Answer {
    let mut tx = app.db.write().await?;
    let budget = actions::budgets::update(&mut tx, &by, id, wanted).await?;
    tx.commit().await?;
    Ok(tagged(budget.version, budget))
}

/// Deletes a budget.
#[utoipa::path(
    delete, path = "/api/budgets/{id}", tag = "budgets", operation_id = "delete_budget",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204)),
)]
async fn delete(State(app): State<App>, by: Caller, Id(id): Id, IfMatch(version): IfMatch) -> Answer {
    let mut tx = app.db.write().await?;
    actions::budgets::delete(&mut tx, &by, id, version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
