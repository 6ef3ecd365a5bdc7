//! `#[utoipa::path]` above the guards sees the handler as it is written: with `actix_extras` it needs no path, no method
//! and no body.

use actix_web::{HttpResponse, Responder, post, web::Json};
use auth_core::{CurrentUser, auth_required, roles_accepted};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

#[derive(Deserialize, ToSchema)]
struct Invoice {
    amount: i64,
}

/// Sends an invoice.
#[utoipa::path(responses((status = 204)))]
#[auth_required]
#[roles_accepted("accountant", "chief")]
#[post("/invoices")]
async fn send(_: CurrentUser, Json(invoice): Json<Invoice>) -> impl Responder {
    let _ = invoice.amount;
    HttpResponse::NoContent()
}

#[derive(OpenApi)]
#[openapi(paths(send))]
struct Api;

pub fn run() {
    let document = serde_json::to_value(Api::openapi()).unwrap();
    let operation = &document["paths"]["/invoices"]["post"];
    assert_eq!(operation["summary"], "Sends an invoice.");
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/Invoice");
}
