//! /health and the JWKS.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, App};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(jwks))
}

/// Says whether this instance and its database are there.
#[utoipa::path(
    get, path = "/health", tag = "system", operation_id = "health", security(()),
    responses((status = 200, body = serde_json::Value)),
)]
async fn health(State(app): State<App>) -> Answer {
    app.db.ping().await?;
    Ok(Json(json!({ "status": "ok" })).into_response())
}

/// The keys that verify access tokens (RFC 7517).
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "system", operation_id = "jwks", security(()),
    responses((status = 200, body = serde_json::Value)),
)]
async fn jwks(State(app): State<App>) -> Answer {
    let mut response = Json(app.keys.jwks()).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}
