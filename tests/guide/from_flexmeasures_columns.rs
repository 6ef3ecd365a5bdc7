//! Columns and changes, for those who come from `FlexMeasures`: the examples, word for word, and what they let through.
#![expect(clippy::option_option, reason = "`Some(None)` sets null")]

use actix_web::{
    App, HttpResponse, Responder, get, post,
    test::{TestRequest, call_and_read_body, call_service, init_service},
    web::{self, Json},
};
use auth_core::{
    AdminRoles, Auth, AuthChangeset, AuthError, AuthModel, ChangeError, CurrentUser, LoadContext,
    Stored as _, Subject as _, User, Visible, auth_required,
    permission::{Delete, Update},
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

const CHAPTER: &str = include_str!("../../docs/from-flexmeasures.md");

diesel::table! {
    accounts (id) {
        id -> Integer,
        name -> Text,
        plan_id -> Integer,
        consultancy_account_id -> Nullable<Integer>,
    }
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(
    read = account(id) | account(consultancy_account_id) & role("consultant"),
    read(plan_id) = account(id) & role("account-admin"),
    update = account(id) & role("account-admin"),
    update(plan_id, consultancy_account_id) = nobody,
)]
struct Account {
    id: i32,
    name: String,
    plan_id: i32,
    consultancy_account_id: Option<i32>,
}

#[derive(Default, Deserialize, AuthChangeset)]
#[diesel(table_name = accounts)]
struct AccountChanges {
    name: Option<String>,
    plan_id: Option<i32>,
    consultancy_account_id: Option<Option<i32>>,
}

fn change_account(
    id: i32,
    changes: &AccountChanges,
    me: &User,
    connection: &mut SqliteConnection,
) -> Result<(), ChangeError> {
    Account::change(connection, me, id, changes)
}

#[auth_required]
#[post("/users/{user_id}/deactivation")]
async fn deactivate(user_id: web::Path<i32>, me: CurrentUser) -> Result<HttpResponse, AuthError> {
    if me.id() == (*user_id).into() {
        return Err(me.deny("no users deactivate themselves"));
    }
    Ok(HttpResponse::NoContent().finish())
}

// `{"id":3,"name":"mill","consultancy_account_id":9,"_can":[]}` to a consultant
#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view_account(account: Visible<Account, (Update, Delete)>) -> impl Responder {
    Json(account)
}

#[actix_web::test]
async fn columns_are_for_those_whom_the_policy_says() {
    let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
    let pool = Pool::builder().max_size(1).build(manager).unwrap();
    let world = "
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, plan_id INTEGER NOT NULL,
            consultancy_account_id INTEGER);
        INSERT INTO accounts VALUES (3, 'mill', 1, 9);";
    pool.get().unwrap().batch_execute(world).unwrap();
    let changed = |me: &User, changes| change_account(3, &changes, me, &mut pool.get().unwrap());
    let account_admin = User::new(2).with_account(3).with_roles(["account-admin"]);
    let admin = User::new(1).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures());
    let renamed = || AccountChanges { name: Some("mill".to_owned()), ..AccountChanges::default() };
    let planned = || AccountChanges { plan_id: Some(2), ..renamed() };
    assert!(changed(&account_admin, renamed()).is_ok());
    let denied = changed(&account_admin, planned()).unwrap_err();
    assert!(matches!(denied, ChangeError::DeniedColumn { column: "plan_id" }), "{denied}");
    assert!(changed(&admin, planned()).is_ok());

    let consultant = User::new(7).with_account(9).with_roles(["consultant"]);
    let auth = Auth::builder().mechanism(AlwaysAs(consultant)).connections(pool.clone()).build().unwrap();
    let app = init_service(App::new().app_data(auth).service((deactivate, view_account))).await;
    let shown = call_and_read_body(&app, TestRequest::get().uri("/accounts/3").to_request()).await;
    assert!(CHAPTER.contains(&format!("// `{}` to", str::from_utf8(&shown).unwrap())), "{shown:?}");
    for (path, status) in [("/users/7/deactivation", 403), ("/users/8/deactivation", 204)] {
        let response = call_service(&app, TestRequest::post().uri(path).to_request()).await;
        assert_eq!(response.status(), status, "{path}");
    }
}
