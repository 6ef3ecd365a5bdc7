//! The endpoints, one file for each kind of object. Every handler has a guard, or says that it is public: the
//! protected scopes of [`configure`] take no other.
//!
//! A guard decides before the body is read, which a client may hold back for as long as it likes. So every change is
//! decided once more, in its transaction: a change of a row is an `UPDATE` or `DELETE` under the condition of the policy,
//! and a handler that creates below a row locks that row by `authorize_for_update`.
//!
//! | endpoint | who |
//! |---|---|
//! | `GET /api/` | everyone |
//! | `POST /api/requestAuthToken` | everyone |
//! | `DELETE /api/v3_0/auth-tokens/current` | `auth_token_required` |
//! | `POST /api/v3_0/accounts` | the platform's list: `create-children` |
//! | `GET`, `PATCH`, `DELETE /api/v3_0/accounts/{account_id}` | the account's list: `read`, `update`, `delete` |
//! | `GET /api/v3_0/accounts/{account_id}/audit-log` | the list of the account's log: `read` |
//! | `POST /api/v3_0/accounts/{account_id}/users` | the account's list: `create-children` |
//! | `GET`, `PUT /api/v3_0/accounts/{account_id}/consultants` | the account's list: `assign-consultants` |
//! | `PUT /api/v3_0/accounts/{account_id}/consultants/{user_id}` | the account's list: `assign-consultants` |
//! | `GET /api/v3_0/accounts`, `/users`, `/assets`, `/sensors` | `auth_required`: those rows whose list allows `read` |
//! | `GET /api/v3_0/clients` | `account_roles_required`: consultancies; then those rows whose list allows `read` |
//! | `GET /api/v3_0/portfolio` | `account_roles_accepted`: prosumers and suppliers; then those rows whose list allows `read` |
//! | `GET /api/v3_0/roles` | `roles_accepted`: account-admins and consultants |
//! | `GET /api/v3_0/users/me` | `auth_required` |
//! | `GET`, `PATCH`, `DELETE /api/v3_0/users/{user_id}` | the user's list: `read`, `update`, `delete` |
//! | `GET /api/v3_0/users/{user_id}/audit-log` | the list of the user's log: `read` |
//! | `GET`, `PATCH /api/v3_0/users/{user_id}/roles` | the user's list: `read`, `update`; then each role's rules |
//! | `GET /api/v3_0/assets/types` | `auth_required` |
//! | `POST /api/v3_0/assets` | the list of each sensor in the documents of the body: `read`; then the lists of the account and the parent asset in it: `create-children` |
//! | `GET`, `PATCH`, `DELETE /api/v3_0/assets/{asset_id}` | the asset's list: `read`, `update`, `delete`; the list of each sensor in the documents of a change: `read` |
//! | `GET /api/v3_0/accounts/{account_id}/assets/{asset_id}` | the asset's list: `read` |
//! | `GET /api/v3_0/assets/{asset_id}/flex-model` | the asset's list: `read` |
//! | `PUT /api/v3_0/assets/{asset_id}/flex-model` | the asset's list: `update`; the list of each sensor in it: `read` |
//! | `GET /api/v3_0/assets/{asset_id}/shares` | the asset's list: `read`; then those rows whose list allows `read` |
//! | `PUT`, `DELETE /api/v3_0/assets/{asset_id}/shares/users/{user_id}`, `…/shares/accounts/{account_id}` | the asset's list: `share` |
//! | `DELETE /api/v3_0/asset-shares/{asset_share_id}` | the share's list: `delete` |
//! | `PUT /api/v3_0/assets/{asset_id}/inherits-access` | the asset's list: `share` |
//! | `POST /api/v3_0/assets/{asset_id}/sensors` | the asset's list: `create-children` |
//! | `POST /api/v3_0/sensors` | `auth_required`, then the list of the asset in the body: `create-children` |
//! | `GET`, `PATCH`, `DELETE /api/v3_0/sensors/{sensor_id}` | the sensor's list: `read`, `update`, `delete` |
//! | `GET /api/v3_0/sensors/{sensor_id}/measurements` | the sensor's list: `read` |
//! | `POST /api/v3_0/sensors/{sensor_id}/measurements` | the sensor's list: `create-children` |
//! | `GET`, `POST`, `DELETE /api/v3_0/sensors/{sensor_id}/data` | the sensor's list: `read`, `create-children`, `delete` |
//! | `GET /api/v3_0/sensors/{sensor_id}/measurements/live`, a WebSocket | the sensor's list: `read`, checked again for each message; `create-children` for each that it sends |
//! | `…/schedules/…`, `…/forecasts/…`, `…/reports/trigger`, `…/data/upload`, `GET /api/v3_0/jobs/{job_id}` | as their objects; then 501 |
//! | `GET /api/v3_0/audit-log/{audit_log_id}` | the entry's list: `read` |
//! | `GET /api/v3_0/asset-audit-log/{asset_audit_log_id}` | the entry's list: `read` |
//! | `GET /api/v3_0/…/permissions/{permission}`, behind any of these objects | its list: that permission |
//! | `GET /api/v3_0/openapi.json`, `/docs/` | everyone |
//!
//! And pages for people:
//!
//! | page | who |
//! |---|---|
//! | `GET /`, `GET /style.css`, `GET /icon.svg`, `GET /live.js` | everyone |
//! | `GET /log-in` | `anonymous_user_required` |
//! | `POST /log-in` | everyone: the new log-in counts |
//! | `POST /demo/log-in` | everyone, in the demo alone |
//! | `GET`, `POST /log-out` | `auth_required`: by a session |
//! | `GET /assets`, `GET /accounts` | `auth_required`: those rows whose list allows `read` |
//! | `GET`, `POST /assets/new` | `auth_required`, then the list of the account in the form: `create-children` |
//! | `GET /assets/{asset_id}` | the asset's list: `read` |
//! | `GET /assets/{asset_id}/decisions` | the asset's list: `read`; the list of the user in question: `read` |
//! | `GET`, `POST /assets/{asset_id}/edit`, `…/delete` | the asset's list: `update`, `delete` |
//! | `GET`, `POST /assets/{asset_id}/sensors/new` | the asset's list: `create-children` |
//! | `GET /sensors/{sensor_id}` | the sensor's list: `read` |
//! | `GET /sensors/{sensor_id}/decisions` | the sensor's list: `read`; the list of the user in question: `read` |
//! | `GET`, `POST /sensors/{sensor_id}/edit`, `…/delete` | the sensor's list: `update`, `delete` |
//! | `GET`, `POST /sensors/{sensor_id}/measurements/new` | the sensor's list: `create-children` |
//! | `GET`, `POST /assets/{asset_id}/shares` | the asset's list: `read`, `share` |
//! | `POST /asset-shares/{asset_share_id}/delete` | the share's list: `delete` |
//! | `GET`, `POST /accounts/{account_id}/edit` | the account's list: `update` |
//! | `GET /users/{user_id}` | the user's list: `read` |
//! | `GET`, `POST /users/{user_id}/edit` | the user's list: `update` |
//! | `POST /users/{user_id}/roles` | the user's list: `update`; then the role's rules |
//! | `GET /accounts/{account_id}` | the account's list: `read` |
//! | `GET /accounts/{account_id}/audit-log` | the list of the account's log: `read` |
//! | `GET /users/{user_id}/audit-log` | the list of the user's log: `read` |
//! | `GET /guards`, `GET /access-matrix` | `roles_accepted`: admin-readers |

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType},
    middleware::DefaultHeaders,
    web::{JsonConfig, PathConfig, QueryConfig},
};
use auth_core::{AuthError, Denial, ProtectedConfig, ProtectedScope};
use serde::Serialize;

pub(crate) use self::input::valid_password;
use crate::error;

mod accounts;
mod asset_bodies;
mod asset_types;
mod assets;
mod audit_log;
mod auth_tokens;
mod bounds;
mod consultants;
#[cfg(feature = "swagger-ui")]
mod docs;
mod flex_model;
mod flexmeasures;
mod input;
mod live;
mod log_in;
mod measurements;
mod narrowing;
pub(crate) mod openapi;
mod page;
pub(crate) mod pages;
mod permissions;
mod portfolio;
mod roles;
mod sensor_data;
mod sensors;
mod shares;
mod user_roles;
mod users;

/// Where the versioned endpoints are. The handlers' own patterns begin below it.
const BASE: &str = "/api/v3_0";

/// The largest body that is read, in bytes: room for as many measurements as [one request may have](bounds::EVENTS).
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Registers all endpoints. They need the data that [`Service::configure`](crate::Service::configure) registers with
/// them.
pub fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .app_data(JsonConfig::default().limit(MAX_BODY).error_handler(error::json_error))
        .app_data(QueryConfig::default().error_handler(error::query_error))
        .app_data(PathConfig::default().error_handler(error::path_error))
        .service(
            // The first route that fits serves a request, so the inner scope comes before the outer one's
            // other routes.
            ProtectedScope::new("/api")
                .service(
                    ProtectedScope::new("/v3_0")
                        .configure(accounts::configure)
                        .configure(consultants::configure)
                        .configure(users::configure)
                        .configure(user_roles::configure)
                        // First: the pattern of an asset fits `types`, too.
                        .configure(asset_types::configure)
                        .configure(assets::configure)
                        .configure(flex_model::configure)
                        .configure(shares::configure)
                        .configure(sensors::configure)
                        .configure(measurements::configure)
                        .configure(sensor_data::configure)
                        .configure(live::configure)
                        .configure(flexmeasures::configure)
                        .configure(roles::configure)
                        .configure(portfolio::configure)
                        .configure(audit_log::configure)
                        .configure(permissions::configure)
                        .configure(auth_tokens::configure)
                        .configure(openapi::configure),
                )
                .configure(log_in::configure)
                .configure(flexmeasures::configure_versions)
                .wrap(DefaultHeaders::new().add((flexmeasures::VERSION_HEADER, flexmeasures::VERSION))),
        )
        .configure(pages::configure);
    #[cfg(feature = "swagger-ui")]
    config.configure(docs::configure);
}

/// Answers a path without a route. A known path with another method is a 405, which the protected scopes answer.
pub(crate) async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Denial> {
    Err(Denial::new(&request, AuthError::NotFound))
}

/// 201, with the new object and the place where it can be found from now on: a path below [`BASE`].
fn created(path: &str, object: impl Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((header::LOCATION, format!("{BASE}{path}"))).json(object)
}

/// 204. With the type of a content that is not there: the client of FlexMeasures takes no other.
fn no_content() -> HttpResponse {
    HttpResponse::NoContent().insert_header(ContentType::json()).finish()
}
