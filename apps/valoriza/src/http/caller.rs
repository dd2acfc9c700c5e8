//! Who asks: the bearer token of a request.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::App;
use super::problem::Problem;
use super::trace::TraceId;
use crate::actions::{Error, Unauthenticated};
use crate::clock;
use crate::domain::member::Caller;

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|it| it.to_str().ok())
            .and_then(|it| it.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Error::Unauthenticated(Unauthenticated::BadToken))?;
        let claims = app.keys.verify(token)?;
        let TraceId(trace_id) = TraceId::of(&parts.extensions);
        Ok(Self { user: claims.sub, tenant: claims.tenant, role: claims.role, now: clock::now(), trace_id })
    }
}
