//! /api/categories

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
use crate::domain::category::{Category, Draft};
use crate::domain::member::Caller;
use crate::domain::page::{LIMIT_MAX, Page};
use crate::queries;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, change, delete))
}

/// Lists categories, oldest first.
#[utoipa::path(
    get, path = "/api/categories", tag = "categories", operation_id = "list_categories",
    params(Paging),
    responses((status = 200, body = Page<Category>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_MAX)?;
    filters.finish(())?;
    Ok(axum::Json(queries::categories(&app.db, by.tenant, slice).await?).into_response())
}

/// Creates a category.
#[utoipa::path(
    post, path = "/api/categories", tag = "categories", operation_id = "create_category",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 201, body = Category)),
)]
async fn create(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let draft = Draft::read(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let category = actions::categories::create(&mut tx, &by, draft).await?;
            claimed.created(tx, &category).await
        }
    }
}

/// Reads a category; `ETag` begins with its version.
#[utoipa::path(
    get, path = "/api/categories/{id}", tag = "categories", operation_id = "read_category",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Category)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let category = queries::category(&app.db, by.tenant, id).await?;
    Ok(tagged(category.version, category))
}

/// Writes all fields of a category.
#[utoipa::path(
    put, path = "/api/categories/{id}", tag = "categories", operation_id = "replace_category",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 200, body = Category)),
)]
async fn replace(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

/// Writes some fields of a category.
#[utoipa::path(
    patch, path = "/api/categories/{id}", tag = "categories", operation_id = "change_category",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = Draft, description = "Any of the fields."),
    responses((status = 200, body = Category)),
)]
async fn change(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

async fn update(State(app): State<App>, by: Caller, Id(id): Id, wanted: Change) -> Answer {
    let mut tx = app.db.write().await?;
    let category = actions::categories::update(&mut tx, &by, id, wanted).await?;
    tx.commit().await?;
    Ok(tagged(category.version, category))
}

/// Deletes a category that nothing uses; owners only.
#[utoipa::path(
    delete, path = "/api/categories/{id}", tag = "categories", operation_id = "delete_category",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204)),
)]
async fn delete(State(app): State<App>, by: Caller, Id(id): Id, IfMatch(version): IfMatch) -> Answer {
    let mut tx = app.db.write().await?;
    actions::categories::delete(&mut tx, &by, id, version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
