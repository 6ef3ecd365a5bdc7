//! Swagger UI, which shows the [document](super::openapi) and tries its operations. Its files are in the program.

use actix_web::{http::header, middleware::DefaultHeaders, web};
use auth_core::ProtectedConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::BASE;

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    let headers = DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, POLICY))
        .add((header::REFERRER_POLICY, "same-origin"))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    let document = format!("{BASE}/openapi.json");
    // It would send the document to a validator elsewhere.
    let settings = Config::from(document).use_base_layout().validator_url("none");
    // Its links are below the path, so they need the slash.
    let ui = web::scope("")
        .wrap(headers)
        .service(web::redirect("", "/docs/"))
        .service(SwaggerUi::new("/{file:.*}").config(settings));
    config.public_service("/docs", "it shows what everybody may read, the document", ui);
}

/// Its own files and this service, and nothing else: no other host, no script or style in a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
