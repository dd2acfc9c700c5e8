//! /api/summary

use axum::extract::State;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listing::Params;
use super::{Answer, App};
use crate::domain::calendar::{Month, today};
use crate::domain::member::Caller;
use crate::domain::summary::Summary;
use crate::queries;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Sums up a month in BRL; the present one in São Paulo if none is named.
#[utoipa::path(
    get, path = "/api/summary", tag = "summary", operation_id = "read_summary",
    params(("month" = Option<String>, Query, description = "YYYY-MM")),
    responses((status = 200, body = Summary)),
)]
async fn read(State(app): State<App>, by: Caller, params: Params) -> Answer {
    let mut form = params.form();
    let month = form.optional_choice("month", "um mês no formato AAAA-MM");
    let month = form.finish(month)?.unwrap_or_else(|| Month::of(today(by.now)));
    Ok(axum::Json(queries::summary(&app.db, by.tenant, month).await?).into_response())
}
