//! /api/accounts

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
use crate::domain::account::{Account, Draft, Edit};
use crate::domain::member::Caller;
use crate::domain::page::{LIMIT_MAX, Page};
use crate::queries;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, change, delete))
}

/// Lists accounts, oldest first.
#[utoipa::path(
    get, path = "/api/accounts", tag = "accounts", operation_id = "list_accounts",
    params(Paging),
    responses((status = 200, body = Page<Account>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_MAX)?;
    filters.finish(())?;
    Ok(axum::Json(queries::accounts(&app.db, by.tenant, slice).await?).into_response())
}

/// Opens an account.
#[utoipa::path(
    post, path = "/api/accounts", tag = "accounts", operation_id = "create_account",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 201, body = Account)),
)]
async fn create(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let draft = Draft::read(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let account = actions::accounts::create(&mut tx, &by, draft).await?;
            claimed.created(tx, &account).await
        }
    }
}

/// Reads an account; `ETag` begins with its version.
#[utoipa::path(
    get, path = "/api/accounts/{id}", tag = "accounts", operation_id = "read_account",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Account)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let account = queries::account(&app.db, by.tenant, id).await?;
    Ok(tagged(account.version, account))
}

/// Writes all fields of an account.
#[utoipa::path(
    put, path = "/api/accounts/{id}", tag = "accounts", operation_id = "replace_account",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = Edit,
    responses((status = 200, body = Account)),
)]
async fn replace(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

/// Writes some fields of an account.
#[utoipa::path(
    patch, path = "/api/accounts/{id}", tag = "accounts", operation_id = "change_account",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = Edit, description = "Any of the fields."),
    responses((status = 200, body = Account)),
)]
async fn change(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

async fn update(State(app): State<App>, by: Caller, Id(id): Id, wanted: Change) -> Answer {
    let mut tx = app.db.write().await?;
    let account = actions::accounts::update(&mut tx, &by, id, wanted).await?;
    tx.commit().await?;
    Ok(tagged(account.version, account))
}

/// Deletes an account without transactions; owners only.
#[utoipa::path(
    delete, path = "/api/accounts/{id}", tag = "accounts", operation_id = "delete_account",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204)),
)]
async fn delete(State(app): State<App>, by: Caller, Id(id): Id, IfMatch(version): IfMatch) -> Answer {
    let mut tx = app.db.write().await?;
    actions::accounts::delete(&mut tx, &by, id, version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
