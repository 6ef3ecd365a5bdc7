//! May I? For user interfaces, which show a button to those for whom it works. Each object has an endpoint for
//! each permission: 204 to a caller who has it, and to others the answer of any handler's guard.
//!
//! The guards are attributes like those of other handlers, and check the same lists; the other handlers may require more.
//! A caller who may change a user may not change each of the user's roles, nor deactivate an admin or themselves; one who
//! may create an object below an asset has to name an account in which they may, too; and one who may change an asset
//! stores a flex-model only if they may read every sensor in it.

use auth_core::{ProtectedConfig, ProtectedScope};
use utoipa::{OpenApi as _, openapi::OpenApi};

/// A module with the four handlers for one kind of context; their scope names which.
macro_rules! permissions {
    ($kind:ident: $context:ident, id = $($id:tt)+) => {
        mod $kind {
            use actix_web::{HttpResponse, get, web::Query};
            use auth_core::{ProtectedConfig, permission_required_for_context};
            use utoipa::OpenApi;

            use crate::{
                models::$context,
                routes::{input::NoParameters, openapi::InvalidQuery},
            };

            pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
                config
                    .service(create_children)
                    .service(read)
                    .service(update)
                    .service(delete);
            }

            #[derive(OpenApi)]
            #[openapi(paths(create_children, read, update, delete))]
            pub(super) struct Api;

            /// Whether the caller may create something below it.
            #[utoipa::path(
                tag = "permissions",
                responses((status = 204, description = "Yes."), InvalidQuery),
            )]
            #[permission_required_for_context("create-children", ctx = $context, id = $($id)+)]
            #[get("/create-children")]
            async fn create_children(_: Query<NoParameters>) -> HttpResponse {
                HttpResponse::NoContent().finish()
            }

            /// Whether the caller may read it.
            #[utoipa::path(
                tag = "permissions",
                responses((status = 204, description = "Yes."), InvalidQuery),
            )]
            #[permission_required_for_context("read", ctx = $context, id = $($id)+)]
            #[get("/read")]
            async fn read(_: Query<NoParameters>) -> HttpResponse {
                HttpResponse::NoContent().finish()
            }

            /// Whether the caller may change it.
            #[utoipa::path(
                tag = "permissions",
                responses((status = 204, description = "Yes."), InvalidQuery),
            )]
            #[permission_required_for_context("update", ctx = $context, id = $($id)+)]
            #[get("/update")]
            async fn update(_: Query<NoParameters>) -> HttpResponse {
                HttpResponse::NoContent().finish()
            }

            /// Whether the caller may delete it.
            #[utoipa::path(
                tag = "permissions",
                responses((status = 204, description = "Yes."), InvalidQuery),
            )]
            #[permission_required_for_context("delete", ctx = $context, id = $($id)+)]
            #[get("/delete")]
            async fn delete(_: Query<NoParameters>) -> HttpResponse {
                HttpResponse::NoContent().finish()
            }
        }
    };
}

permissions!(platform: Platform, id = ());
permissions!(account: Account, id = scope("account_id"));
permissions!(account_audit_log: AccountAuditLog, id = scope("account_id"));
permissions!(user: User, id = scope("user_id"));
permissions!(user_audit_log: UserAuditLog, id = scope("user_id"));
permissions!(asset: Asset, id = scope("asset_id"));
permissions!(sensor: Sensor, id = scope("sensor_id"));
permissions!(audit_log: AuditLog, id = scope("audit_log_id"));
permissions!(asset_audit_log: AssetAuditLog, id = scope("asset_audit_log_id"));

/// The path of the objects of a kind, the function that registers its endpoints, and their descriptions.
type Kind = (&'static str, fn(&mut ProtectedConfig<'_>), fn() -> OpenApi);

const KINDS: [Kind; 9] = [
    ("/platform", platform::configure, platform::Api::openapi),
    ("/accounts/{account_id}", account::configure, account::Api::openapi),
    ("/accounts/{account_id}/audit-log", account_audit_log::configure, account_audit_log::Api::openapi),
    ("/users/{user_id}", user::configure, user::Api::openapi),
    ("/users/{user_id}/audit-log", user_audit_log::configure, user_audit_log::Api::openapi),
    ("/assets/{asset_id}", asset::configure, asset::Api::openapi),
    ("/sensors/{sensor_id}", sensor::configure, sensor::Api::openapi),
    ("/audit-log/{audit_log_id}", audit_log::configure, audit_log::Api::openapi),
    ("/asset-audit-log/{asset_audit_log_id}", asset_audit_log::configure, asset_audit_log::Api::openapi),
];

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    for (path, kind, _) in KINDS {
        config.service(ProtectedScope::new(&format!("{path}/permissions")).configure(kind));
    }
}

/// The endpoints of all kinds.
pub(super) fn openapi() -> OpenApi {
    KINDS
        .into_iter()
        .fold(OpenApi::default(), |all, (path, _, kind)| all.nest(format!("{path}/permissions"), kind()))
}
