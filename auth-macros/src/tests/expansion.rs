//! Snapshots of what is emitted.

use insta::assert_snapshot;

use super::{CONTEXT, ROLES_ACCEPTED, ROLES_REQUIRED, derived, expanded, expanded_whole, policy};
use crate::model::Kind;

#[test]
fn above_a_route_attribute() {
    assert_snapshot!(expanded_whole(
        r#"
        /// One sensor.
        #[roles_accepted("a", ROLE)]
        #[permission_required_for_context("read", ctx_arg = "sensor")]
        #[get("/sensors/{sensor_id}")]
        pub async fn view(mut sensor: Sensor, web::Query(range): web::Query<Range>) -> impl Responder {
            web::Json(sensor.between(range))
        }
        "#
    ));
}

#[test]
fn contexts_that_the_query_and_a_header_name() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("read", ctx_arg = "sensor", id = query("sensor"))]
        #[permission_required_for_context("read", ctx = Account, id = header("x-account"))]
        #[get("/")]
        async fn view(sensor: Sensor) -> impl Responder {}
        "#
    ));
}

#[test]
fn contexts_with_a_key_of_several_parts_and_of_none() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("read", ctx_arg = "asset", id = ("account_id", query("asset")))]
        #[permission_required_for_context("create-children", ctx = Platform, id = ())]
        #[get("/accounts/{account_id}/asset")]
        async fn view(asset: Asset) -> impl Responder {}
        "#
    ));
}

#[test]
fn contexts_that_functions_make() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("read", ctx_loader = sensors::of(body, connection, scale))]
        #[permission_required_for_context("update", ctx_arg = "all", ctx_loader = all(), allow_empty = true)]
        #[permission_required_for_context("read", ctx_loader = account_of(all_accounts))]
        #[permission_required_for_context("read", ctx_arg = "all_accounts", id = query("account"))]
        #[post("/plans")]
        async fn plan(
            web::Json(mut body): web::Json<Plan>,
            all: Vec<Sensor>,
            scale: Query<Scale>,
            all_accounts: Vec<Account>,
        ) -> impl Responder {}
        "#
    ));
}

#[test]
fn a_context_that_the_body_names() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("read", ctx_arg = "sensor")]
        #[permission_required_for_context("create-children", ctx_arg = "account", id = body.account_id)]
        #[permission_required_for_context("read", ctx = Asset, id = sensor.asset_id)]
        #[post("/sensors/{sensor_id}")]
        async fn create(account: Account, sensor: Sensor, web::Json(mut body): web::Json<New>) -> impl Responder {}
        "#
    ));
}

#[test]
fn authentication_alone() {
    assert_snapshot!(expanded(
        Kind::AuthRequired,
        "",
        r#"#[get("/")] async fn index() -> impl Responder { "" }"#
    ));
}

#[test]
fn accepted_mechanisms() {
    assert_snapshot!(expanded(
        Kind::AuthRequired,
        r#""token", mechanisms::SESSION, within = "15 min", grace = "1h""#,
        r#"#[get("/")] async fn index() -> impl Responder { "" }"#
    ));
}

#[test]
fn http_authentication() {
    assert_snapshot!(expanded(
        Kind::HttpAuthRequired,
        r#"realm = "Plant""#,
        "async fn index(query: web::Query<Q>) -> String { String::new() }"
    ));
}

#[test]
fn anonymous_user() {
    assert_snapshot!(expanded(
        Kind::AnonymousUserRequired,
        "",
        r#"#[post("/log-in")] async fn log_in(form: web::Form<Password>) -> impl Responder { "" }"#
    ));
}

#[test]
fn every_attribute_about_authentication_holds() {
    // Also: an attribute without a grace period grants none.
    assert_snapshot!(expanded_whole(
        r#"
        #[auth_required(C, "basic", "token", within = "1 h", grace = "2 h")]
        #[permissions_accepted("invoices")]
        #[auth_required]
        #[auth_required("session", "token", "basic", C, within = "15 min")]
        #[http_auth_required(realm = "Plant")]
        #[get("/")]
        async fn view() -> impl Responder {}
        "#
    ));
}

#[test]
fn the_smallest_grace_period_holds() {
    assert_snapshot!(expanded_whole(
        r#"
        #[auth_required(within = "1 h", grace = "30 s")]
        #[auth_required("a", "b", A::B)]
        #[auth_required(within = "2 d", grace = "15 s")]
        #[auth_required(A::B, "b")]
        async fn view<T>() -> impl Responder {}
        "#
    ));
}

#[test]
fn permissions() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permissions_required("invoices", REFUND)]
        #[auth_token_required]
        #[permissions_accepted(permissions::READ, "b",)]
        async fn refund() -> impl Responder {}
        "#
    ));
}

#[test]
fn below_a_route_attribute() {
    // A route attribute above has expanded already: what is left is the function.
    assert_snapshot!(expanded(
        CONTEXT,
        r#""update", ctx_arg = "api_key""#,
        "pub async fn renew(api_key: Authorized<model::APIKey, Update>) -> HttpResponse { renewed(api_key) }"
    ));
}

#[test]
fn generic_handler() {
    assert_snapshot!(expanded(
        ROLES_REQUIRED,
        r#""a""#,
        "async fn list<'a, T: Load<'a> + 'static, const N: usize>(rows: Rows<'a, T, N>) -> String
         where T: Display { String::new() }"
    ));
}

#[test]
fn generic_public_handler() {
    assert_snapshot!(expanded(
        CONTEXT,
        r#""read", ctx_arg = "context""#,
        "pub(crate) async fn show<T>(context: T) -> String where T: LoadContext + AuthModel {
             String::new()
         }"
    ));
}

#[test]
fn attributes_of_every_kind_are_merged() {
    assert_snapshot!(expanded_whole(
        r#"
        #[auth_core::auth_required]
        #[roles_required("a", "b",)]
        #[account_roles_required(roles::PROSUMER)]
        #[doc = "kept"]
        #[account_roles_accepted("d", "e")]
        #[post("/sensors/{id}")]
        #[roles_accepted("f")]
        async fn change() -> impl Responder {}
        "#
    ));
}

#[test]
fn merged_attributes_stay_and_are_marked() {
    assert_snapshot!(expanded(
        Kind::AuthRequired,
        "",
        r#"
        #[other::roles_required("a")]
        #[auth_required]
        #[roles_accepted("b",)]
        async fn view() -> impl Responder {}
        "#
    ));
}

#[test]
fn one_context_is_loaded_once() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("read", ctx_arg = "sensor", id = "sensor_id")]
        #[permission_required_for_context(permissions::CALIBRATE, ctx_arg = "sensor")]
        #[permission_required_for_context("update", ctx = Sensor, id = "sensor_id")]
        #[permission_required_for_context("create-children", ctx = Account, id = scope("account_id"))]
        async fn calibrate(body: Json<Curve>, sensor: Authorized<Sensor, Read>) -> impl Responder {}
        "#
    ));
}

#[test]
fn a_context_that_is_only_checked_is_handed_over_when_another_attribute_wants_it() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("update", ctx = Sensor)]
        #[permission_required_for_context("read", ctx_arg = "sensor")]
        #[put("/sensors/{sensor_id}")]
        async fn change(sensor: Sensor) -> impl Responder {}
        "#
    ));
}

#[test]
fn several_routes() {
    assert_snapshot!(expanded_whole(
        r#"
        #[permission_required_for_context("delete", ctx_arg = "row")]
        #[routes]
        #[get("/a/{row_id}/{id}")]
        #[delete("/b/{id:\\d{1,3}}")]
        async fn remove(Wrapped(row): Wrapped<Row>) -> impl Responder {}
        "#
    ));
}

#[test]
fn conditions_are_copied() {
    assert_snapshot!(expanded(
        Kind::AuthRequired,
        "",
        r#"
        #[cfg(feature = "x")]
        #[cfg_attr(feature = "y", inline)]
        #[get("/")]
        async fn r#type() -> impl Responder {}
        "#
    ));
}

#[test]
fn patterns_stay_as_they_are() {
    assert_snapshot!(expanded(
        ROLES_REQUIRED,
        "ROLE",
        "async fn f((a, b): Pair, Foo { c, .. }: Foo, d @ Bar(_): Bar, _: web::Bytes, mut e: String) {}"
    ));
}

#[test]
fn under_another_name_it_wraps_once_more() {
    // `#[rr]` is ours under another name: it finds what the first has left behind.
    let first = expanded(
        ROLES_REQUIRED,
        r#""a""#,
        r#"#[rr("b")] #[get("/{id}")] pub async fn view(id: web::Path<i32>) -> String { id.to_string() }"#,
    );
    let function = first.split("#[doc(hidden)]").next().unwrap();
    let function = function.replace("#[rr(\"b\")]\n", "");
    assert_snapshot!(expanded(ROLES_ACCEPTED, r#""b""#, &function));
}

#[test]
fn a_renderer_of_its_own() {
    assert_snapshot!(expanded_whole(
        r#"
        #[roles_required("a")]
        #[auth_required(on_denied = pages::denied::<T>)]
        async fn view<T>() -> impl Responder {}
        "#
    ));
}

#[test]
fn under_another_name_it_takes_no_second_renderer() {
    assert_snapshot!(expanded(
        Kind::AuthRequired,
        "on_denied = page",
        "async fn view(Admitted { 0: (), .. }: Admitted<__view_guard>) -> String { String::new() }"
    ));
}

#[test]
fn public_route() {
    assert_snapshot!(expanded(
        Kind::Public,
        "",
        r#"#[get("/")] pub async fn index(query: web::Query<Q>) -> impl Responder {}"#
    ));
}

#[test]
fn public_function() {
    assert_snapshot!(expanded(
        Kind::Public,
        "",
        "pub async fn index(query: web::Query<Q>) -> impl Responder {}"
    ));
}

#[test]
fn refused() {
    assert_snapshot!(expanded(
        CONTEXT,
        r#""raed", ctx_arg = "senser""#,
        r#"#[roles_required("a")] #[get("/{id}")] fn view(sensor: Sensor) -> String { sensor.name }"#
    ));
}

#[test]
fn refused_without_a_guard() {
    assert_snapshot!(expanded(
        CONTEXT,
        r#""read", ctx_arg = "sensor""#,
        r#"#[roles_required("a")] #[inline] async fn view(&self, sensor: Sensor) -> String { sensor.name }"#
    ));
}

#[test]
fn load_context() {
    assert_snapshot!(derived(
        "#[derive(Queryable)]
         #[diesel(table_name = crate::schema::sensors, check_for_backend(diesel::sqlite::Sqlite))]
         pub struct Sensor { id: i32, name: String }"
    ));
}

#[test]
fn load_context_by_a_key_of_two_columns() {
    assert_snapshot!(derived(
        "#[diesel(table_name = shares, primary_key(account_id, asset_id))]
         #[auth(connection = crate::Connection)]
         struct Share { account_id: i32, asset_id: i32 }"
    ));
}

#[test]
fn load_context_with_its_own_names() {
    assert_snapshot!(derived(
        r#"
        #[diesel(primary_key(uuid), treat_none_as_null = true)]
        #[auth(connection = crate::AnyConnection)]
        struct APIKey {
            id: String,
            #[diesel(column_name = "uuid", skip_insertion)]
            r#type: Uuid,
        }
        "#
    ));
}

#[test]
fn load_context_that_the_database_decides_about() {
    assert_snapshot!(derived(
        "#[auth(async_connection = AsyncPgConnection, belongs_to(asset: Asset, asset_id))]
         #[acl(read = asset.read)]
         struct Sensor { id: i32, asset_id: i32 }"
    ));
}

#[test]
fn a_policy_that_the_context_decides_by() {
    assert_snapshot!(policy(
        r#"
        #[diesel(table_name = crate::schema::shares, primary_key(account_id, asset_id), check_for_backend(Pg))]
        #[acl(read = user(owner) | account(account_id) & (role("editor") | role(names::CHEF)) | is_null(owner) & is_public)]
        struct Share { account_id: i32, asset_id: i32, owner: Option<Uuid>, is_public: bool }
        "#
    ));
}

#[test]
fn a_policy_that_the_database_decides_by() {
    assert_snapshot!(policy(
        r#"
        #[auth(connection = crate::AnyConnection, belongs_to(asset: models::Asset, asset_id))]
        #[acl(
            create_children = asset.create_children,
            read = asset.read | asset.is_public & every_logged_in_user,
            PUBLISH = user(asset.owner_id) | asset.PUBLISH & account_role("Press") | nobody,
        )]
        struct Sensor { id: i32, asset_id: i32 }
        "#
    ));
}
