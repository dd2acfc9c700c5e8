//! The OpenAPI document, made of the handlers' own annotations.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

/// What the document says before any route is added: bearer tokens are demanded unless a route says not.
pub(super) fn base() -> OpenApi {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.bearer_format = Some("JWT".to_owned());
    let components = ComponentsBuilder::new().security_scheme("bearer", SecurityScheme::Http(http)).build();
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

/// The whole document, as served at /api/openapi.json and committed as openapi.json.
pub fn document() -> OpenApi {
    super::routes().into_openapi()
}
