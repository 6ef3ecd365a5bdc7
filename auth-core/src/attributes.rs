//! The attributes and the derive of `auth-macros`, each with an example. What they mean is in `guard`.

/// ```
/// use actix_web::{Responder, get};
/// use auth_core::{CurrentUser, Subject, auth_required};
///
/// #[auth_required]
/// #[get("/whoami")]
/// async fn whoami(user: CurrentUser) -> impl Responder {
///     user.id().to_string()
/// }
/// ```
///
/// After `auth_required` of Flask-Security.
pub use auth_macros::auth_required;

/// ```
/// use actix_web::{HttpResponse, Responder, post};
/// use auth_core::roles_required;
///
/// const OPERATOR: &str = "operator";
///
/// #[roles_required(OPERATOR, "on-call")]
/// #[post("/plant/restart")]
/// async fn restart() -> impl Responder {
///     HttpResponse::Accepted()
/// }
/// ```
///
/// After `roles_required` of Flask-Security, with the waiver that FlexMeasures means to add.
pub use auth_macros::roles_required;

/// ```
/// use actix_web::{HttpResponse, Responder, get};
/// use auth_core::roles_accepted;
///
/// #[roles_accepted("account-admin", "consultant")]
/// #[get("/invitations")]
/// async fn invitations() -> impl Responder {
///     HttpResponse::Ok()
/// }
/// ```
///
/// After `roles_accepted` of FlexMeasures.
pub use auth_macros::roles_accepted;

/// ```
/// use actix_web::{HttpResponse, Responder, get};
/// use auth_core::account_roles_required;
///
/// #[account_roles_required("Consultancy", "Certified")]
/// #[get("/clients")]
/// async fn clients() -> impl Responder {
///     HttpResponse::Ok()
/// }
/// ```
///
/// After `account_roles_required` of FlexMeasures.
pub use auth_macros::account_roles_required;

/// ```
/// use actix_web::{HttpResponse, Responder, get};
/// use auth_core::account_roles_accepted;
///
/// #[account_roles_accepted("Prosumer", "Supplier")]
/// #[get("/portfolio")]
/// async fn portfolio() -> impl Responder {
///     HttpResponse::Ok()
/// }
/// ```
///
/// After `account_roles_accepted` of FlexMeasures.
pub use auth_macros::account_roles_accepted;

/// ```
/// use actix_web::{HttpResponse, Responder, delete, get};
/// use auth_core::{
///     Acl, AuthModel, Authorized, LoadContext, LoadError, NoConnection, Permission, account, allow,
///     permission::Delete, permission_required_for_context,
/// };
///
/// struct Sensor {
///     account_id: i32,
/// }
///
/// impl AuthModel for Sensor {
///     fn acl(&self) -> impl Acl {
///         allow(Permission::READ, account(self.account_id))
///     }
/// }
/// # impl LoadContext for Sensor {
/// #     type Id = i32;
/// #     type Connection = NoConnection;
/// #     fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> { Ok(Self { account_id: 1 }) }
/// # }
///
/// #[permission_required_for_context("read", ctx_arg = "sensor")]
/// #[get("/sensors/{sensor_id}")]
/// async fn view(sensor: Sensor) -> impl Responder {
///     sensor.account_id.to_string()
/// }
///
/// /// The argument is the proof that `delete` was checked.
/// #[permission_required_for_context("delete", ctx_arg = "sensor", id = "number")]
/// #[delete("/sensors/by-number/{number}")]
/// async fn remove(sensor: Authorized<Sensor, Delete>) -> impl Responder {
///     let _ = sensor.into_inner();
///     HttpResponse::NoContent()
/// }
/// ```
///
/// After `permission_required_for_context` of FlexMeasures.
pub use auth_macros::permission_required_for_context;

/// ```
/// use actix_web::{Responder, get};
/// use auth_core::public;
///
/// #[public]
/// #[get("/health")]
/// async fn health() -> impl Responder {
///     "ok"
/// }
/// ```
pub use auth_macros::public;

/// ```
/// use auth_core::LoadContext;
/// use diesel::prelude::*;
///
/// diesel::table! {
///     sensors (id) {
///         id -> Integer,
///         name -> Text,
///     }
/// }
///
/// #[derive(Queryable, Selectable, LoadContext)]
/// #[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
/// struct Sensor {
///     id: i32,
///     name: String,
/// }
/// ```
#[cfg(feature = "diesel")]
pub use auth_macros::LoadContext;
