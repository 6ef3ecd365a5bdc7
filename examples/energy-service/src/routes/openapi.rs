//! The document of the endpoints, by `OpenAPI`: the descriptions of the handlers, and the requirements of their guards.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, http::header::ContentType, web::Data};
use auth_core::{Problem, ProtectedConfig, mechanism::session::PublicOrigin, public};
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{self, Content, Ref, RefOr, Response, ResponseBuilder, Server},
};

use super::{
    BASE, accounts, asset_types, assets, audit_log, auth_tokens, consultants, flex_model, flexmeasures, live,
    log_in, measurements, permissions, portfolio, roles, sensor_data, sensors, shares, user_roles, users,
};
use crate::{Service, error::ServiceError};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view);
}

/// The descriptions of the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Energy service",
        description = "Accounts, users, assets, sensors and measurements of energy.\n\n\
                       Every operation says by which mechanisms a caller is known, and what it requires of the caller.",
    ),
    paths(view),
    nest(
        (path = "/api", api = log_in::Api, tags = ["log-in"]),
        (path = "/api", api = flexmeasures::VersionsApi, tags = ["flexmeasures"]),
        (path = BASE, api = flexmeasures::Api, tags = ["flexmeasures"]),
        (path = BASE, api = auth_tokens::Api, tags = ["log-in"]),
        (path = BASE, api = accounts::Api, tags = ["accounts"]),
        (path = BASE, api = consultants::Api, tags = ["accounts"]),
        (path = BASE, api = users::Api, tags = ["users"]),
        (path = BASE, api = user_roles::Api, tags = ["users"]),
        (path = BASE, api = roles::Api, tags = ["users"]),
        (path = BASE, api = asset_types::Api, tags = ["assets"]),
        (path = BASE, api = assets::Api, tags = ["assets"]),
        (path = BASE, api = flex_model::Api, tags = ["assets"]),
        (path = BASE, api = shares::Api, tags = ["assets"]),
        (path = BASE, api = portfolio::Api, tags = ["assets"]),
        (path = BASE, api = sensors::Api, tags = ["sensors"]),
        (path = BASE, api = measurements::Api, tags = ["sensors"]),
        (path = BASE, api = sensor_data::Api, tags = ["sensors"]),
        (path = BASE, api = live::Api, tags = ["sensors"]),
        (path = BASE, api = audit_log::Api, tags = ["audit-log"]),
    ),
)]
struct Api;

/// The descriptions of the handlers, without the requirements of their guards. Without a URL, the endpoints are where the
/// document is.
pub(crate) fn document(public_url: Option<&PublicOrigin>) -> openapi::OpenApi {
    let mut document = Api::openapi().nest(BASE, permissions::openapi());
    document.servers = public_url.map(|url| vec![Server::new(url.to_string())]);
    document
}

/// This document.
#[utoipa::path(
    context_path = BASE,
    tag = "openapi",
    responses((status = 200, description = "The document.", body = Object)),
)]
#[public(reason = "it names no role and no rule, and programs read it before they log in")]
#[get("/openapi.json")]
async fn view(service: Data<Service>) -> Result<HttpResponse, ServiceError> {
    let document = service.openapi().await.map_err(ServiceError::internal)?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(document))
}

/// 400: the query is not one of the endpoint.
pub(super) struct InvalidQuery;

/// 400, 408 and 413: the body is not one of the endpoint, not there in time, or too large.
pub(super) struct InvalidBody;

/// 409: the request contradicts the stored data.
pub(super) struct Conflict;

/// 403 and 404: an object of the body is not for the caller, or not there.
pub(super) struct Refused;

/// 501: the service does not have this endpoint of `FlexMeasures`.
pub(super) struct NotImplemented;

/// 429: the caller has as many sockets as one may have.
pub(super) struct TooManySockets;

/// The answers to a log-in.
pub(super) struct LogInRefused;

impl IntoResponses for InvalidQuery {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[("400", "The query is wrong.")])
    }
}

impl IntoResponses for InvalidBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("400", "The body is wrong."),
            ("408", "The body did not come in time."),
            ("413", "The body is too large."),
        ])
    }
}

impl IntoResponses for Conflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[("409", "The request contradicts what is stored.")])
    }
}

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("403", "The caller may not do this with what the body refers to."),
            ("404", "What the body refers to is not there."),
        ])
    }
}

impl IntoResponses for NotImplemented {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[("501", "The service does not do this.")])
    }
}

impl IntoResponses for TooManySockets {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[("429", "The caller has too many sockets.")])
    }
}

impl IntoResponses for LogInRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("401", "The email address or the password is wrong."),
            ("429", "There were too many attempts."),
            ("503", "The service cannot answer at the moment."),
        ])
    }
}

fn problems(answers: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let response = |description: &str| {
        let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
        ResponseBuilder::new().description(description).content("application/problem+json", problem).build()
    };
    answers.iter().map(|(status, description)| ((*status).to_owned(), response(description).into())).collect()
}
