//! The chapter about columns and changes: its examples, word for word, and the requests that it is about.

use std::error::Error;

use actix_web::{
    App, HttpResponse, Responder, get,
    http::StatusCode,
    patch, post,
    test::{TestRequest, call_service, init_service, read_body},
    web::{Data, Json, Path},
};
use auth_core::{
    Accessible, Auth, AuthChangeset, AuthError, AuthModel, CurrentUser, LoadContext, Stored as _, User,
    Visible, auth_required,
    permission::{Delete, Read, Update},
    permission_required_for_context,
    test::AlwaysAs,
};
use diesel::{
    connection::SimpleConnection as _,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    sqlite::Sqlite,
};
use serde::{Deserialize, Serialize};

pub(crate) const CHAPTER: &str = include_str!("../../docs/changes.md");

diesel::table! {
    accounts (id) {
        id -> Integer,
        name -> Text,
        plan -> Text,
        contract_value -> Integer,
        consultancy_id -> Nullable<Integer>,
    }
}

diesel::table! {
    projects (id) {
        id -> Integer,
        account_id -> Integer,
        owner_id -> Integer,
        name -> Text,
    }
}

pub(crate) const WORLD: [&str; 4] = [
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, plan VARCHAR(80) NOT NULL, \
     contract_value INTEGER NOT NULL, consultancy_id INTEGER)",
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, owner_id INTEGER NOT NULL, \
     name VARCHAR(80) NOT NULL)",
    "INSERT INTO accounts VALUES (3, 'mill', 'small', 700, 9), (4, 'dairy', 'large', 900, NULL)",
    "INSERT INTO projects VALUES (7, 3, 2, 'wheel')",
];

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(
    read = account(id) | account(consultancy_id) & role("consultant"),
    update = account(id) & role("account-admin"),
    // On top of `read` and `update`. Admins stand above these, as above all rules.
    read(contract_value) = account(id) & role("account-admin"),
    update(plan, consultancy_id) = nobody,
)]
struct Account {
    id: i32,
    name: String,
    plan: String,
    contract_value: i32,
    consultancy_id: Option<i32>,
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = projects, check_for_backend(Sqlite))]
#[auth(belongs_to(account: Account, account_id))]
#[acl(
    read = account.read,
    update = account.update | user(owner_id),
    delete = account.update,
    // Of a project as it is after a change, and of a new one: nobody moves one to where they could not change it.
    becomes = account.update,
)]
struct Project {
    id: i32,
    account_id: i32,
    owner_id: i32,
    name: String,
}

#[derive(Default, Deserialize, AuthChangeset)]
#[diesel(table_name = projects)]
#[serde(deny_unknown_fields)]
struct ProjectChanges {
    name: Option<String>,
    account_id: Option<i32>,
}

#[permission_required_for_context("update", ctx = Project)]
#[patch("/projects/{project_id}")]
async fn change(
    id: Path<i32>,
    changes: Json<ProjectChanges>,
    me: CurrentUser<User>,
    database: Data<Database>,
) -> Result<HttpResponse, AuthError> {
    database.run(move |connection| Project::change(connection, &*me, *id, &*changes)).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, AuthChangeset)]
#[diesel(table_name = projects)]
#[serde(deny_unknown_fields)]
struct NewProject {
    account_id: i32,
    owner_id: i32,
    name: String,
}

#[auth_required]
#[post("/projects")]
async fn create(
    project: Json<NewProject>,
    me: CurrentUser<User>,
    database: Data<Database>,
) -> Result<HttpResponse, AuthError> {
    let project = database.run(move |connection| Project::create(connection, &*me, &*project)).await?;
    Ok(HttpResponse::Created().json(project))
}

type VisibleAccount = Visible<Account, (Update, Delete)>;

// To a consultant: `{"id":3,"name":"mill","plan":"small","consultancy_id":9,"_can":[]}`
#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view(account: VisibleAccount) -> impl Responder {
    Json(account)
}

#[auth_required]
#[get("/accounts")]
async fn list(
    accounts: Accessible<Account, Read>,
    database: Data<Database>,
) -> actix_web::Result<impl Responder> {
    let page = accounts.visible::<(Update, Delete)>().order(accounts::id).limit(20);
    Ok(Json(database.run(move |connection| page.load::<VisibleAccount>(connection)).await?))
}

/// A pool of `SQLite`.
#[derive(Clone)]
struct Database(Pool<ConnectionManager<SqliteConnection>>);

impl Database {
    async fn run<T: Send + 'static, E: Into<Refusal> + Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, AuthError> {
        let pool = self.0.clone();
        let result =
            actix_web::web::block(move || work(&mut pool.get().unwrap()).map_err(Into::into)).await.unwrap();
        result.map_err(|Refusal(error)| error)
    }
}

/// The answer to a client.
struct Refusal(AuthError);

impl From<auth_core::ChangeError> for Refusal {
    fn from(error: auth_core::ChangeError) -> Self {
        Self(error.into())
    }
}

impl From<diesel::result::Error> for Refusal {
    fn from(_: diesel::result::Error) -> Self {
        Self(AuthError::Unavailable)
    }
}

async fn answer(user: User, request: TestRequest) -> (StatusCode, String) {
    let pool =
        Pool::builder().max_size(1).build(ConnectionManager::<SqliteConnection>::new(":memory:")).unwrap();
    for statement in WORLD {
        pool.get().unwrap().batch_execute(statement).unwrap();
    }
    let auth = Auth::builder().mechanism(AlwaysAs(user)).connections(pool.clone()).build().unwrap();
    let app = App::new().app_data(auth).app_data(Data::new(Database(pool)));
    let app = init_service(app.service((change, create, view, list))).await;
    let response = call_service(&app, request.to_request()).await;
    (response.status(), String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

fn account_admin() -> User {
    User::new(2).with_account(3).with_roles(["account-admin"])
}

#[actix_web::test]
async fn the_handlers_of_the_chapter_answer_as_it_says() -> Result<(), Box<dyn Error>> {
    let patch = |body: &str| TestRequest::patch().uri("/projects/7").set_payload(body.to_owned());
    let patch = |body: &str| patch(body).insert_header(("content-type", "application/json"));
    for (body, status) in [
        (r#"{"name":"water wheel"}"#, StatusCode::NO_CONTENT),
        ("{}", StatusCode::NO_CONTENT),
        (r#"{"account_id":4}"#, StatusCode::FORBIDDEN),
        (r#"{"owner_id":4}"#, StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(answer(account_admin(), patch(body)).await.0, status, "{body}");
    }
    let post = |account: i32| {
        let project = serde_json::json!({ "account_id": account, "owner_id": 2, "name": "roof" });
        TestRequest::post().uri("/projects").set_json(project)
    };
    let created = r#"{"id":8,"account_id":3,"owner_id":2,"name":"roof"}"#;
    assert_eq!(answer(account_admin(), post(3)).await, (StatusCode::CREATED, created.to_owned()));
    let (status, body) = answer(account_admin(), post(4)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(!body.contains("account"), "{body}");

    let consultant = || User::new(5).with_account(9).with_roles(["consultant"]);
    let shown = r#"{"id":3,"name":"mill","plan":"small","consultancy_id":9,"_can":[]}"#;
    assert!(CHAPTER.contains(shown));
    let get = |path: &str| TestRequest::get().uri(path);
    assert_eq!(answer(consultant(), get("/accounts/3")).await, (StatusCode::OK, shown.to_owned()));
    assert_eq!(answer(consultant(), get("/accounts")).await, (StatusCode::OK, format!("[{shown}]")));
    Ok(())
}
