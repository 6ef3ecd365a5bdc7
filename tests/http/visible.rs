//! Rows as their callers see them: without masked columns, and with what the caller may do, in the guard's own statement.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, HttpResponse, Responder, get, post,
    test::{TestRequest, call_service, init_service, read_body},
    web::{self, Data, Json},
};
use auth_core::{
    Accessible, Auth, AuthModel, Authorized, LoadContext, LoadError, User, Visible, auth_required,
    permission::{Delete, Read, Update},
    permission_required_for_context,
    test::AlwaysAs,
};
use diesel::{
    connection::{Connection as _, InstrumentationEvent, SimpleConnection},
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Pool},
    sqlite::Sqlite,
};
use serde::Serialize;
use utoipa::{PartialSchema as _, ToSchema};

diesel::table! {
    consultancies (id) {
        id -> Integer,
        account_id -> Integer,
    }
}

diesel::table! {
    accounts (id) {
        id -> Integer,
        name -> Text,
        plan -> Text,
        contract_value -> Nullable<Integer>,
        consultancy_id -> Nullable<Integer>,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = consultancies, check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
struct Consultancy {
    id: i32,
    account_id: i32,
}

#[derive(Debug, Queryable, Selectable, Serialize, ToSchema, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[serde(rename_all = "camelCase")]
#[auth(belongs_to(consultancy: Consultancy, consultancy_id))]
#[acl(
    read = every_logged_in_user,
    read(contract_value) = account(id) & role("account-admin") | consultancy.read,
    read(plan) = account(id),
    update = account(id) & role("account-admin"),
    delete = nobody,
)]
struct Account {
    id: i32,
    name: String,
    #[serde(rename = "tariff")]
    plan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_value: Option<i32>,
    consultancy_id: Option<i32>,
}

/// Its policy needs its own fields alone, so it decides by itself where it is no `Visible`.
#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(read = account(id), update = account(id) & role("account-admin"), delete = role("account-admin"))]
struct Plain {
    id: i32,
    name: String,
}

/// Says nothing of the field that is masked.
#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(read = every_logged_in_user, read(plan) = nobody)]
struct Evasive {
    id: i32,
    plan: String,
}

impl Serialize for Evasive {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let mut fields = serializer.serialize_struct("Evasive", 1)?;
        fields.serialize_field("whole", &format!("{} {}", self.id, self.plan))?;
        fields.end()
    }
}

#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view(account: Visible<Account, (Update, Delete)>) -> impl Responder {
    Json(account)
}

#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/bare/{account_id}")]
async fn bare(account: Visible<Account>) -> impl Responder {
    assert!(account.shows(accounts::name));
    Json(account)
}

#[permission_required_for_context("read", ctx_arg = "accounts", id = query("account"))]
#[get("/several")]
async fn several(accounts: Authorized<Vec<Visible<Account, Update>>, Read>) -> impl Responder {
    Json(accounts.into_inner())
}

#[permission_required_for_context("read", ctx_arg = "plain")]
#[get("/plain/{plain_id}")]
async fn plain(plain: Visible<Plain, (Update, Delete)>) -> impl Responder {
    Json(plain)
}

#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/evasive/{account_id}")]
async fn evasive(account: Visible<Evasive>) -> impl Responder {
    match serde_json::to_string(&account) {
        Ok(shown) => HttpResponse::Ok().body(shown),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

fn by_hand(id: &Json<i32>, connection: &mut SqliteConnection) -> Result<Visible<Account, Update>, LoadError> {
    let account: Account = LoadContext::load(**id, connection)?;
    Ok(account.into())
}

#[permission_required_for_context("read", ctx_arg = "account", ctx_loader = by_hand(id, connection))]
#[post("/by-hand")]
async fn loaded_by_hand(id: Json<i32>, account: Visible<Account, Update>) -> impl Responder {
    let _ = id;
    Json(account)
}

#[auth_required]
#[get("/accounts")]
async fn list(accounts: Accessible<Account, Read>, pool: Data<SqlitePool>) -> impl Responder {
    let query = accounts.visible::<(Update, Delete)>().order(accounts::id).filter(accounts::name.ne("x"));
    let page = web::block(move || query.load::<Visible<Account, (Update, Delete)>>(&mut pool.get().unwrap()));
    Json(page.await.unwrap().unwrap())
}

const TABLES: &str = "CREATE TABLE consultancies (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
             CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL,
                 contract_value INTEGER, consultancy_id INTEGER);
             INSERT INTO consultancies VALUES (1, 9);
             INSERT INTO accounts VALUES (3, 'mill', 'small', 700, 1), (4, 'dairy', 'large', NULL, NULL);";

#[auth_required]
#[get("/mistaken")]
async fn mistaken(accounts: Accessible<Account, Read>, pool: Data<SqlitePool>) -> impl Responder {
    let connection = &mut pool.get().unwrap();
    let both = || accounts.visible::<(Update, Delete)>().order(accounts::id);
    Json([
        both().load::<Visible<Account, (Update, Delete)>>(connection).is_ok(),
        both().load::<Visible<Account>>(connection).is_ok(),
        both().load::<Visible<Account, (Delete, Update)>>(connection).is_ok(),
        both().load::<Visible<Account, Update>>(connection).is_ok(),
        accounts.visible::<()>().load::<Visible<Account, Update>>(connection).is_ok(),
    ])
}

type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

#[derive(Clone, Debug, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<E> CustomizeConnection<SqliteConnection, E> for Statements {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), E> {
        let statements = self.clone();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                statements.0.lock().unwrap().push(query.to_string());
            }
        });
        Ok(())
    }
}

/// The answer to this request, and the statements that were sent for it.
async fn answer(user: User, request: TestRequest) -> (u16, String, usize) {
    static DATABASES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("file:/visible-{}?vfs=memdb", DATABASES.fetch_add(1, Ordering::Relaxed));
    let statements = Statements::default();
    let pool = Pool::builder()
        .max_size(1)
        .test_on_check_out(false)
        .connection_customizer(Box::new(statements.clone()));
    let pool = pool.build(ConnectionManager::<SqliteConnection>::new(name)).unwrap();
    pool.get().unwrap().batch_execute(TABLES).unwrap();
    statements.0.lock().unwrap().clear();
    let auth = Auth::builder().mechanism(AlwaysAs(user)).connections(pool.clone()).build().unwrap();
    let app = App::new().app_data(auth).app_data(Data::new(pool));
    let app = app.service((view, bare, several, plain, evasive, loaded_by_hand, list, mistaken));
    let response = call_service(&init_service(app).await, request.to_request()).await;
    let status = response.status().as_u16();
    let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    let sent = statements.0.lock().unwrap().len();
    (status, body, sent)
}

async fn shown(user: User, path: &str) -> (u16, String, usize) {
    answer(user, TestRequest::get().uri(path)).await
}

fn member() -> User {
    User::new(2).with_account(3)
}

fn account_admin() -> User {
    member().with_roles(["account-admin"])
}

fn consultant() -> User {
    User::new(7).with_account(9)
}

fn admin() -> User {
    User::new(1).with_roles(["admin"]).with_admin_roles(auth_core::AdminRoles::flexmeasures())
}

#[actix_web::test]
async fn a_caller_sees_the_columns_that_the_policy_shows_and_what_it_allows() {
    let of = |fields: &str, can: &str| {
        format!(r#"{{"id":3,"name":"mill",{fields}"consultancyId":1,"_can":[{can}]}}"#)
    };
    let (plan, value) = (r#""tariff":"small","#, r#""contractValue":700,"#);
    for (user, expected) in [
        (User::new(8).with_account(8), of("", "")),
        (member(), of(plan, "")),
        (account_admin(), of(&format!("{plan}{value}"), r#""update""#)),
        (consultant(), of(value, "")),
        (admin(), of(&format!("{plan}{value}"), r#""update","delete""#)),
    ] {
        assert_eq!(shown(user.clone(), "/accounts/3").await, (200, expected, 1), "{user:?}");
    }
    // Without permissions of its own, and a value that is not there.
    let expected = r#"{"id":4,"name":"dairy","consultancyId":null}"#.to_owned();
    assert_eq!(shown(account_admin(), "/bare/4").await, (200, expected, 1));
    assert_eq!(shown(member(), "/accounts/5").await.0, 404);
}

#[actix_web::test]
async fn lists_show_each_row_as_its_caller_sees_it() {
    let rows = |mill: &str, dairy: &str| format!("[{mill},{dairy}]");
    let dairy = |can: &str| format!(r#"{{"id":4,"name":"dairy","consultancyId":null,"_can":[{can}]}}"#);
    let mill = |fields: &str, can: &str| {
        format!(r#"{{"id":3,"name":"mill",{fields}"consultancyId":1,"_can":[{can}]}}"#)
    };
    let expected = rows(&mill(r#""tariff":"small","contractValue":700,"#, r#""update""#), &dairy(""));
    assert_eq!(shown(account_admin(), "/accounts").await, (200, expected.clone(), 1));
    assert_eq!(shown(account_admin(), "/several?account=3&account=4").await, (200, expected, 1));
    let expected = rows(&mill(r#""contractValue":700,"#, ""), &dairy(""));
    assert_eq!(shown(consultant(), "/accounts").await, (200, expected, 1));
}

#[actix_web::test]
async fn a_row_that_decides_by_itself_is_asked_about_as_well() {
    let expected = |can: &str| (200, format!(r#"{{"id":3,"name":"mill","_can":[{can}]}}"#), 1);
    assert_eq!(shown(member(), "/plain/3").await, expected(""));
    assert_eq!(shown(account_admin(), "/plain/3").await, expected(r#""update","delete""#));
    assert_eq!(shown(member(), "/plain/4").await.0, 403);
}

#[actix_web::test]
async fn what_a_function_made_visible_is_decided_anew() {
    let request = || TestRequest::post().uri("/by-hand").set_json(3);
    let (status, body, _) = answer(member(), request()).await;
    let expected = r#"{"id":3,"name":"mill","tariff":"small","consultancyId":1,"_can":[]}"#;
    assert_eq!((status, body.as_str()), (200, expected));
    let (_, body, _) = answer(account_admin(), request()).await;
    assert!(body.contains(r#""contractValue":700"#) && body.contains(r#""_can":["update"]"#), "{body}");
}

#[actix_web::test]
async fn a_row_that_passes_a_masked_column_by_is_not_shown() {
    let (status, body, _) = shown(member(), "/evasive/3").await;
    assert_eq!(status, 500);
    assert!(body.contains("without a field `plan`") && !body.contains("small"), "{body}");
}

/// The bits of a list are of the permissions that it selects, and of no others.
#[actix_web::test]
async fn a_list_is_not_loaded_for_other_permissions() {
    let (status, body, _) = shown(account_admin(), "/mistaken").await;
    assert_eq!((status, body.as_str()), (200, "[true,false,false,false,false]"));
}

#[test]
fn openapi_takes_masked_columns_for_optional() {
    let schema = serde_json::to_value(Visible::<Account, (Update, Delete)>::schema()).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["id", "name", "_can"]));
    assert_eq!(schema["properties"]["_can"]["items"]["enum"], serde_json::json!(["update", "delete"]));
    let whole = serde_json::to_value(Account::schema()).unwrap();
    assert_eq!(whole["required"], serde_json::json!(["id", "name", "tariff"]));
    assert_eq!(Visible::<Account, (Update, Delete)>::name(), "VisibleAccount_update_delete");
    assert_eq!(Visible::<Account>::name(), "VisibleAccount");
}
