//! /api/transactions

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::civil::Date;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::body::{Id, IfMatch, tagged};
use super::idempotency::{Claim, Post, replay};
use super::listing::{Paging, Params};
use super::{Answer, App};
use crate::actions::{self, Change};
use crate::domain::form::Form;
use crate::domain::member::Caller;
use crate::domain::page::Page;
use crate::domain::text;
use crate::domain::transaction::{Draft, Filter, Transaction, TransactionBody};
use crate::domain::violation::Violation;
use crate::queries;

/// A screenful.
const LIMIT_DEFAULT: usize = 50;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, change, delete))
}

/// Which transactions to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its schema is used")]
struct Filters {
    account_id: Option<Uuid>,
    /// This category and those below it, in splits too.
    category_id: Option<Uuid>,
    /// First day.
    from: Option<Date>,
    /// Last day.
    to: Option<Date>,
    /// Text in the description or the notes, whatever its case and accents.
    q: Option<String>,
    /// Only those without a category.
    uncategorised: Option<bool>,
}

fn read_filter(mut form: Form) -> Result<Filter, Vec<Violation>> {
    let filter = Filter {
        account_id: form.optional_id("account_id"),
        category_id: form.optional_id("category_id"),
        from: form.optional_date("from"),
        to: form.optional_date("to"),
        q: form.optional_text("q", text::DESCRIPTION).map(|q| text::fold(&q)),
        uncategorised: form.optional_choice("uncategorised", "true ou false").unwrap_or(false),
    };
    form.finish(filter)
}

/// Lists transactions, newest first.
#[utoipa::path(
    get, path = "/api/transactions", tag = "transactions", operation_id = "list_transactions",
    params(Paging, Filters),
    responses((status = 200, body = Page<Transaction>)),
)]
async fn list(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let (slice, filters) = params.slice(LIMIT_DEFAULT)?;
    let filter = read_filter(filters)?;
    Ok(axum::Json(queries::transactions(&app.db, by.tenant, &filter, slice).await?).into_response())
}

/// Records a transaction or, with `kind: transfer`, both sides of a transfer.
#[utoipa::path(
    post, path = "/api/transactions", tag = "transactions", operation_id = "create_transaction",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = TransactionBody,
    responses((status = 201, body = Transaction)),
)]
async fn create(State(app): State<App>, by: Caller, post: Post) -> Answer {
    let draft = Draft::read(post.form)?;
    let mut tx = app.db.write().await?;
    match post.key.claim(&mut tx, &by).await? {
        Claim::Done(kept) => Ok(replay(kept)),
        Claim::New(claimed) => {
            let transaction = actions::transactions::create(&mut tx, &by, draft).await?;
            claimed.created(tx, &transaction).await
        }
    }
}

/// Reads a transaction; `ETag` begins with its version.
#[utoipa::path(
    get, path = "/api/transactions/{id}", tag = "transactions", operation_id = "read_transaction",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Transaction)),
)]
async fn read(State(app): State<App>, by: Caller, Id(id): Id) -> Answer {
    let transaction = queries::transaction(&app.db, by.tenant, id).await?;
    Ok(tagged(transaction.version, transaction))
}

/// Writes all fields of a transaction. No category leaves one that was found out by itself: PATCH takes it away.
#[utoipa::path(
    put, path = "/api/transactions/{id}", tag = "transactions", operation_id = "replace_transaction",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = TransactionBody,
    responses((status = 200, body = Transaction)),
)]
async fn replace(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

/// Writes some fields of a transaction.
#[utoipa::path(
    patch, path = "/api/transactions/{id}", tag = "transactions", operation_id = "change_transaction",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body(content = TransactionBody, description = "Any of the fields."),
    responses((status = 200, body = Transaction)),
)]
async fn change(app: State<App>, by: Caller, id: Id, wanted: Change) -> Answer {
    update(app, by, id, wanted).await
}

async fn update(State(app): State<App>, by: Caller, Id(id): Id, wanted: Change) -> Answer {
    let mut tx = app.db.write().await?;
    let transaction = actions::transactions::update(&mut tx, &by, id, wanted).await?;
    tx.commit().await?;
    Ok(tagged(transaction.version, transaction))
}

/// Deletes a transaction; of a transfer, both sides.
#[utoipa::path(
    delete, path = "/api/transactions/{id}", tag = "transactions", operation_id = "delete_transaction",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204)),
)]
async fn delete(State(app): State<App>, by: Caller, Id(id): Id, IfMatch(version): IfMatch) -> Answer {
    let mut tx = app.db.write().await?;
    actions::transactions::delete(&mut tx, &by, id, version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
