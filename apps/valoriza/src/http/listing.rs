//! The query string of lists: limit, cursor, filters.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde_json::{Map, Value};
use utoipa::IntoParams;

use super::App;
use super::problem::Problem;
use crate::domain::form::Form;
use crate::domain::page::{Cursor, LIMIT_MAX, Slice};
use crate::domain::violation::Violation;

/// How lists are read page by page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Paging {
    /// Items in a page; 50 for transactions, 200 for the rest.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: u32,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    cursor: String,
}

/// The parameters of a query string, each at most once.
pub(super) struct Params(Map<String, Value>);

impl FromRequestParts<App> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        let Query(pairs) = pairs.map_err(|_rejection| {
            Problem::invalid(vec![Violation::new("", "bad_query", "os parâmetros não podem ser lidos")])
        })?;
        let mut params = Map::new();
        let mut repeated = Vec::new();
        // `?q=` is a filter left empty in a form, not a search for nothing.
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if params.insert(name.clone(), value.into()).is_some() {
                repeated.push(Violation::new(name, "repeated", "só pode aparecer uma vez"));
            }
        }
        if repeated.is_empty() { Ok(Self(params)) } else { Err(Problem::invalid(repeated)) }
    }
}

impl Params {
    /// Reads the page wanted, and leaves the filters as a form.
    pub(super) fn slice<C: Cursor>(mut self, limit_default: usize) -> Result<(Slice<C>, Form), Problem> {
        let limit = self.0.remove("limit");
        let cursor = self.0.remove("cursor");
        let after = match cursor.as_ref().and_then(Value::as_str) {
            None => None,
            Some(cursor) => Some(C::decode(cursor).ok_or_else(Problem::bad_cursor)?),
        };
        let mut filters = self.form();
        let limit = match limit.as_ref().and_then(Value::as_str) {
            None => Some(limit_default),
            Some(limit) => limit.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)),
        };
        if limit.is_none() {
            filters.reject("limit", "out_of_range", format!("deve ser um número de 1 a {LIMIT_MAX}"));
        }
        Ok((Slice { limit: limit.unwrap_or(limit_default), after }, filters))
    }

    pub(super) fn form(self) -> Form {
        Form::new(Value::Object(self.0))
    }
}
