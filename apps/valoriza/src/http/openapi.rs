//! The OpenAPI document, made of the handlers' own annotations.

use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder,
};

use super::problem::Problem;
use crate::domain::violation::Violation;

/// What the document says before any route is added: bearer tokens are demanded unless a route says not.
pub(super) fn base() -> OpenApi {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.bearer_format = Some("JWT".to_owned());
    let components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(http))
        .schema_from::<Problem>()
        .schema_from::<Violation>()
        .build();
    let info = InfoBuilder::new()
        .title("valoriza")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Personal and small-business finance for Brazil. Money is integer centavos."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new("bearer", Vec::<String>::new())]))
        .build()
}

/// Says of every operation what is the same for all: that any error is a problem document.
pub(super) fn with_problems(mut document: OpenApi) -> OpenApi {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new().content("application/problem+json", problem).build();
    for PathItem { get, put, post, patch, delete, .. } in document.paths.paths.values_mut() {
        for operation in [get, put, post, patch, delete].into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), problem.clone().into());
        }
    }
    document
}

/// The whole document, as served at /api/openapi.json and committed as openapi.json.
pub fn document() -> OpenApi {
    with_problems(super::routes().into_openapi())
}
