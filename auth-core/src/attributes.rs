//! The attributes and the derive of `auth-macros`, with their documentation. What they check is in `guard`.

/// Lets in callers that are authenticated; anyone else gets 401.
///
/// With names it takes only these mechanisms: `#[auth_required("token", "session")]`. Without names, every
/// configured mechanism is taken that is taken by default.
///
/// With `within = "15 min"` the caller must have proved who it is within that time: when it logged in, when
/// its token was issued. With `grace = "1 h"` as well, a caller who passed such a guard goes on passing for
/// that time, and each time anew, although `within` is exceeded by then. A guard without `grace` does not
/// care for it, and one that asks for a more recent log-in than the guard that began it does not either. The
/// session keeps one grace period, of the guard that was passed last; whoever comes by another mechanism has
/// none.
///
/// With `on_denied = path` this function renders the denials of the handler, instead of what the
/// application has [for all](crate::AuthBuilder::on_denied). It renders what any guard on the handler
/// denies, and what the extractors of the caller do, but not what is wrong with the handler's other
/// arguments. Every attribute takes this key but `public`; one of those on a handler has it.
///
/// `crate = path` says where this crate is, if it is no `auth_core`: `#[auth_required(crate = authz)]`. Every attribute
/// takes it, and one of those on a handler is enough; the derives take `#[auth(crate = authz)]`.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth_core::{CurrentUser, Subject, auth_required, denial, roles_required};
///
/// #[auth_required]
/// #[get("/whoami")]
/// async fn whoami(user: CurrentUser) -> impl Responder {
///     user.id().to_string()
/// }
///
/// #[roles_required("account-admin", on_denied = denial::page_or_problem)]
/// #[get("/settings")]
/// async fn settings() -> impl Responder {
///     "a browser that is denied sees a page"
/// }
///
/// #[auth_required("session", within = "15 min", grace = "1 h")]
/// #[get("/api-keys")]
/// async fn api_keys() -> impl Responder {
///     "who asks has logged in just now"
/// }
/// ```
///
/// After `auth_required` of Flask-Security.
pub use auth_macros::auth_required;

/// Lets in callers that are authenticated by a token: `#[auth_required("token")]`.
///
/// ```
/// use actix_web::{HttpResponse, Responder, post};
/// use auth_core::auth_token_required;
///
/// #[auth_token_required]
/// #[post("/measurements")]
/// async fn record() -> impl Responder {
///     HttpResponse::Created()
/// }
/// ```
///
/// After `auth_token_required` of Flask-Security.
pub use auth_macros::auth_token_required;

/// Lets in callers with a username and a password in the request: `#[auth_required("basic")]`.
///
/// The application adds the mechanism `basic` (`mechanism::BasicAuth`, behind the feature `basic`) to its
/// [`Auth`](crate::Auth); without it, the handler answers 500 and the log says why. Guards that do not name
/// the mechanism do not take it.
///
/// With `realm = "…"` the challenge of a 401 names what the password is for. Left out, it names what the
/// mechanism was given.
///
/// ```
/// use actix_web::{HttpResponse, Responder, get};
/// use auth_core::http_auth_required;
///
/// #[http_auth_required(realm = "Metrics")]
/// #[get("/metrics")]
/// async fn metrics() -> impl Responder {
///     HttpResponse::Ok()
/// }
/// ```
///
/// After `http_auth_required` of Flask-Security.
pub use auth_macros::http_auth_required;

/// Lets in those who are not logged in: whoever is gets 403, and wrong credentials get 401. It looks at the
/// mechanisms that are taken by default, so not at Basic.
///
/// With `on_denied = path`, as in [`auth_required`], who is logged in may be led elsewhere.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header};
/// use auth_core::{AuthError, anonymous_user_required, denial};
///
/// fn home(request: &HttpRequest, error: &AuthError) -> HttpResponse {
///     match error {
///         AuthError::Forbidden => HttpResponse::SeeOther().insert_header((header::LOCATION, "/")).finish(),
///         _ => denial::problem(request, error),
///     }
/// }
///
/// #[anonymous_user_required(on_denied = home)]
/// #[get("/sign-up")]
/// async fn sign_up() -> impl Responder {
///     HttpResponse::Ok()
/// }
/// ```
///
/// After `anonymous_user_required` of Flask-Security.
pub use auth_macros::anonymous_user_required;

/// Lets in users whose roles carry all of these permissions. Not waived for admins.
///
/// These are permissions by themselves, not those on a context.
/// [`Subject::has_permission`](crate::Subject::has_permission) says which ones a user's roles carry.
///
/// ```
/// use actix_web::{HttpResponse, Responder, post};
/// use auth_core::permissions_required;
///
/// #[permissions_required("invoices-write", "refunds-write")]
/// #[post("/refunds")]
/// async fn refund() -> impl Responder {
///     HttpResponse::Created()
/// }
/// ```
///
/// After `permissions_required` of Flask-Security.
pub use auth_macros::permissions_required;

/// Lets in users whose roles carry at least one of these permissions. Not waived for admins.
///
/// ```
/// use actix_web::{HttpResponse, Responder, get};
/// use auth_core::permissions_accepted;
///
/// #[permissions_accepted("invoices-read", "invoices-write")]
/// #[get("/invoices")]
/// async fn invoices() -> impl Responder {
///     HttpResponse::Ok()
/// }
/// ```
///
/// After `permissions_accepted` of Flask-Security.
pub use auth_macros::permissions_accepted;

/// Lets in users who have all of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[roles_required("operator", roles::AUDITOR)]`.
///
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

/// Lets in users who have at least one of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[roles_accepted("operator", roles::AUDITOR)]`.
///
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

/// Lets in users whose account has all of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[account_roles_required("prosumer", roles::AGGREGATOR)]`.
///
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

/// Lets in users whose account has at least one of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[account_roles_accepted("prosumer", roles::AGGREGATOR)]`.
///
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

/// Lets in callers to whom the ACL of the named context allows the permission; waived for admins,
/// and for admin-readers where the permission is `read`.
///
/// First comes the permission, one of `"create-children"`, `"read"`, `"update"`, `"delete"`, or a
/// path to a `const Permission`. Then, by key:
///
/// * `ctx_arg = "sensor"`: the handler's argument that receives the loaded context. Its type is the context's, `Vec`
///   of it (every one is checked), or `Authorized` of either, the proof of the check;
/// * `ctx = Account`: instead of `ctx_arg`, a context that is loaded and checked but not handed over;
/// * `id = "sensor_id"`: the path parameter that names the context. Left out, it is the first that
///   the route has of the argument's name with `_id`, the type's name in snake case with `_id`,
///   and `id`;
/// * `id = scope("account_id")`: a path parameter of an enclosing scope, which the route's own
///   pattern does not show;
/// * `id = query("sensor")`, `id = header("x-account")`: another place in the request, which has to name exactly one, but
///   for a `Vec`;
/// * `id = ("account_id", "asset_id")`: a key of several parts, each from one of these places; the context's
///   [`Id`](trait@crate::LoadContext) is a tuple then. `id = ()`: the context of which there is only one, such as the
///   platform as a whole;
/// * `id = body.account_id`: an expression over the handler's other arguments. Those that it names are extracted first, then
///   this context is loaded and checked, and then the others are extracted, before the handler runs: an expression that
///   does not name the body is decided about before the body is read;
/// * `ctx_loader = load_sensors(body, connection)`: instead of `id`, a function that makes the context of arguments of
///   the handler, which it gets by reference and which are extracted first, and of a `connection`, if it asks for one;
/// * `allow_empty = true`: a list or group without a context is let through; left out, it is a denial;
/// * `on_denied = path`: what renders denials, as in [`auth_required`].
///
/// For a `Vec`, the contexts are loaded in one go ([`LoadContexts`](crate::LoadContexts)) and handed over in the order in
/// which they are named, each once. A path parameter or header names several separated by commas, a query by as
/// many parameters of the same name. One that does not exist, or more than 10,000, and nothing is found; so it is where a
/// query writes the name in another way, as `sensor[]` or `Sensor`. In a header, empty elements are skipped.
///
/// A loader returns `Result<_, LoadError>`, and may be asynchronous. What it makes is one context, a `Vec`, or a
/// `BTreeMap` from a label to a `Vec`; every context in it is checked, and a denial names the label to the client. With
/// a connection it runs on a thread for blocking work, so the arguments that it takes are `Send`; if it is asynchronous,
/// it must not wait for other blocking work, and ends in 503 after 30 s. Without a connection it must not block.
/// A loader that finds less than it was asked for answers [`LoadError::NotFound`](crate::LoadError): what it leaves out is
/// not checked. Where the database decides, because a policy asks a parent, the statement that decides reads each row
/// anew, and the handler gets these rows: what the loader has read may have changed since.
///
/// ```
/// use actix_web::{HttpResponse, Responder, delete, get, post, web};
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
///
/// #[derive(serde::Deserialize)]
/// struct Schedule {
///     sensors: Vec<i32>,
/// }
///
/// fn sensors_of(schedule: &Schedule, connection: &mut NoConnection) -> Result<Vec<Sensor>, LoadError> {
///     schedule.sensors.iter().map(|id| Sensor::load(*id, connection)).collect()
/// }
///
/// /// Every sensor that the body refers to.
/// #[permission_required_for_context("read", ctx_loader = sensors_of(schedule, connection))]
/// #[post("/schedules")]
/// async fn start(schedule: web::Json<Schedule>) -> impl Responder {
///     schedule.sensors.len().to_string()
/// }
/// ```
///
/// After `permission_required_for_context` of FlexMeasures.
pub use auth_macros::permission_required_for_context;

/// Says on purpose that a handler is open to everybody.
///
/// It changes nothing about the handler, but lets it be registered where only guarded handlers are
/// taken ([`protected`](crate::protected)). It stands alone: next to any other of these attributes it is a compile error.
/// The reason is for who reviews the guard [`report`](crate::report()), and may be left out.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth_core::public;
///
/// #[public(reason = "anyone may know that the service runs")]
/// #[get("/health")]
/// async fn health() -> impl Responder {
///     "ok"
/// }
/// ```
pub use auth_macros::public;

/// Implements `LoadContext` for a row of a diesel table: found by its primary key; and `LoadContexts`: several rows
/// in one statement.
///
/// Reads what diesel's derives read: `#[diesel(table_name = …)]` (left out: the struct's name in
/// snake case with an `s`), `#[diesel(primary_key(…))]` (left out: `id`; several columns make a tuple) and
/// `#[diesel(column_name = …)]`; a field with `#[diesel(embed)]` is no column. The connection follows from
/// `#[diesel(check_for_backend(…))]`, or is named: `#[auth(connection = diesel::PgConnection)]`.
/// The struct derives `Selectable` and `Queryable` as well.
///
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

/// Declares who may do what with a row of a diesel table: one policy for single rows, for lists and for changes.
///
/// ```
/// use auth_core::{AuthModel, LoadContext, Permission};
/// use diesel::prelude::*;
///
/// const PUBLISH: Permission = Permission::new("publish");
///
/// diesel::table! {
///     accounts (id) {
///         id -> Integer,
///         consultancy_id -> Nullable<Integer>,
///     }
/// }
///
/// diesel::table! {
///     sensors (id) {
///         id -> Integer,
///         account_id -> Nullable<Integer>,
///         is_public -> Bool,
///     }
/// }
///
/// #[derive(Queryable, Selectable, LoadContext, AuthModel)]
/// #[diesel(table_name = accounts, check_for_backend(diesel::sqlite::Sqlite))]
/// #[acl(
///     read = account(id) | account(consultancy_id) & role("consultant"),
///     update = account(id) & role("account-admin"),
/// )]
/// struct Account {
///     id: i32,
///     consultancy_id: Option<i32>,
/// }
///
/// #[derive(Queryable, Selectable, LoadContext, AuthModel)]
/// #[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
/// #[auth(belongs_to(account: Account, account_id))]
/// #[acl(
///     read = account.read | is_public,
///     update = account.update | (role("operator") | account_role("Operator")) & is_null(account_id),
///     PUBLISH = account.update,
/// )]
/// struct Sensor {
///     id: i32,
///     account_id: Option<i32>,
///     is_public: bool,
/// }
/// ```
///
/// A permission is `create_children`, `read`, `update`, `delete`, or a constant of your own. Its rule is made of these
/// terms, joined by `&`, which binds more tightly, and `|`, with parentheses:
///
/// | term | matches |
/// |---|---|
/// | `every_logged_in_user` | whoever is logged in |
/// | `user(owner_id)` | the user whose id is in this column |
/// | `account(account_id)` | every user of the account whose id is in this column |
/// | `role("name")`, `account_role("name")` | every user who has, or whose account has, this role: a literal, or a path to a constant |
/// | `is_null(account_id)` | everybody, where the column is null |
/// | `is_public` | everybody, where this boolean column is true |
/// | `account.read` | whoever has this permission on the parent, by the parent's own policy |
/// | `user(asset.owner_id)` | the same terms about a column of the parent |
/// | `nobody` | nobody but admins |
///
/// There is no negation: a list only grants. A null matches nobody but `is_null`. A parent is declared with
/// `#[auth(belongs_to(name: Context, foreign_key))]`, and its own policy may ask its own parent: at any depth, as long
/// as no permission asks for itself in the end.
///
/// The columns, their types and the parents' permissions are checked when the code is compiled. The table, the key and
/// the connection are told as to [`derive(LoadContext)`](derive@crate::LoadContext). How a database locks rows is known
/// by the name of a connection of diesel's; for another one, or an alias, write `#[auth(row_lock = Postgres)]`, `Mysql` or
/// `Transaction`, or implement [`LockRows`](crate::LockRows).
///
/// What is implemented: [`Scoped`](crate::Scoped), lists and conditions of changes; [`Stored`](crate::Stored), the
/// decision about a row in the database; and the trait [`AuthModel`](trait@crate::AuthModel), for a context whose
/// fields are all that its policy asks about. For the others a guard has the database load the row and decide about it
/// in one statement.
#[cfg(feature = "diesel")]
pub use auth_macros::AuthModel;
