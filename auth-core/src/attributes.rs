//! The attributes and derives of `auth-macros`, with their documentation. Their checks are in `guard`.

/// Lets in callers that are authenticated; anyone else gets 401.
///
/// With names it accepts only these mechanisms: `#[auth_required("token", "session")]`. Without names it accepts
/// every mechanism that the application accepts by default.
///
/// With `within = "15 min"` the log-in must not be older than that; for a token, its time of issue counts. With
/// `grace = "1 h"` as well, a caller that passes the guard may exceed `within` for that time, and each pass starts
/// the time anew. A guard without `grace` ignores a grace period, and so does a guard with a shorter `within` than
/// the guard that started the period. The session keeps one grace period, that of the last guard that the caller
/// passed; other mechanisms keep none.
///
/// With `on_denied = path` this function renders the denials of the handler, instead of the application's
/// [renderer](crate::AuthBuilder::on_denied). It renders the denials of all guards on the handler and of the extractors
/// of the caller, but no errors of the handler's other arguments. Every attribute but `public` takes this key; one
/// attribute on a handler has it.
///
/// `crate = path` gives the path of this crate, if that is not `auth_core`: `#[auth_required(crate = authz)]`. Every
/// attribute takes it, and one on a handler is enough; the derives take `#[auth(crate = authz)]`.
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
///     "the caller has logged in just now"
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

/// Lets in callers that are authenticated by a username and a password in the request: `#[auth_required("basic")]`.
///
/// The application adds the mechanism `basic` (`mechanism::BasicAuth`, behind the feature `basic`) to its
/// [`Auth`](crate::Auth); without it, the handler answers 500 and the log says why. Guards that do not name
/// the mechanism do not accept it.
///
/// With `realm = "…"` the challenge of a 401 names this realm. Without it, the challenge names the realm of the
/// mechanism.
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

/// Lets in callers that are not logged in. A logged-in caller gets 403, and wrong credentials get 401. The guard tries
/// the mechanisms that the application accepts by default, so not Basic.
///
/// With `on_denied = path`, as in [`auth_required`], a function can redirect a logged-in caller.
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
/// These permissions concern no context.
/// [`Subject::has_permission`](crate::Subject::has_permission) says which of them a user's roles carry.
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

/// Lets in callers if the ACL of the named context allows them the permission; waived for admins, and for admin-readers if
/// the permission is `read`.
///
/// The first argument is the permission, one of `"create-children"`, `"read"`, `"update"`, `"delete"`, or a path to a
/// `const Permission`. The keys are:
///
/// * `ctx_arg = "sensor"`: the handler's argument that receives the loaded context. Its type is the context's, `Vec`
///   of it (every one is checked), or `Authorized` of either, the proof of the check;
/// * `ctx = Account`: instead of `ctx_arg`, a context that is loaded and checked but not handed over;
/// * `id = "sensor_id"`: the path parameter with the context's id. Without it, the first of these that the route has: the
///   argument's name with `_id`, the type's name in snake case with `_id`, and `id`;
/// * `id = scope("account_id")`: a path parameter of an enclosing scope, which the route's own
///   pattern does not show;
/// * `id = query("sensor")`, `id = header("x-account")`: another place in the request. It has exactly one id, or several for
///   a `Vec`;
/// * `id = ("account_id", "asset_id")`: a key of several parts, each from one of these places; the context's
///   [`Id`](trait@crate::LoadContext) is a tuple then. `id = ()`: a context that exists only once, such as the platform as
///   a whole;
/// * `id = body.account_id`: an expression over the handler's other arguments. The guard extracts the arguments that the
///   expression names, then loads and checks the context, then extracts the others. If the expression does not name the
///   body, the decision is made before the body is read;
/// * `ctx_loader = load_sensors(body, connection)`: instead of `id`, a function that makes the context. It gets arguments
///   of the handler by reference, which the guard extracts first, and a database connection for the name `connection`;
/// * `allow_empty = true`: a list or group without a context passes; without this key, it is a denial;
/// * `on_denied = path`: the function that renders denials, as in [`auth_required`].
///
/// For a `Vec`, the guard loads the contexts at once ([`LoadContexts`](crate::LoadContexts)) and hands over each once, in
/// the order of the request. A path parameter or a header separates ids by commas, a query repeats the parameter. The
/// answer is 404 if one of the contexts does not exist, if there are more than 10,000 ids, or if a query spells the name
/// differently, as `sensor[]` or `Sensor`. In a header, empty elements are skipped.
///
/// A loader returns `Result<_, LoadError>`, and may be asynchronous. It makes one context, a `Vec`, or a `BTreeMap` from a
/// label to a `Vec`. The guard checks every context in it, and a denial names the label to the client. With a connection the
/// loader runs on a thread for blocking work, so its arguments are `Send`; if it is asynchronous, it must not wait for other
/// blocking work, and ends in 503 after 30 s. Without a connection it must not block. A loader that does not find every
/// context returns [`LoadError::NotFound`](crate::LoadError), since the guard cannot check a context that the loader leaves
/// out. If a policy refers to a parent, the database decides: the deciding statement reads each row anew, and the handler
/// gets these rows, since rows may have changed after the loader read them.
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

/// Declares that a handler is open to all callers on purpose.
///
/// It does not change the handler, but a [`protected`](crate::protected) scope accepts it. It stands alone: next to any
/// other of these attributes it is a compile error. The reason is optional; reviewers read it in the guard
/// [`report`](crate::report()).
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
