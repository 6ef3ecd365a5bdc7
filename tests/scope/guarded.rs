//! Tables whose values a field may not hold or a database compares in its own way, their models, and handlers that guard
//! these.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    App, Responder, get,
    test::{TestRequest, call_service, init_service, read_body},
};
use auth_core::{
    Acl, Auth, AuthModel, ConnectionSource, LoadContext, Permission, allow, permission_required_for_context,
    test::AlwaysAs, user as user_is,
};
use diesel::prelude::*;

use super::Connection;
use crate::held::{Subject, user};

diesel::table! {
    numbers (id) {
        id -> Integer,
        touched -> Integer,
        small -> Nullable<SmallInt>,
        owner -> Integer,
        account -> Nullable<BigInt>,
        open -> Bool,
        shared -> Nullable<Bool>,
    }
}

diesel::table! {
    texts (id) {
        id -> Text,
        touched -> Integer,
        owner -> Nullable<Text>,
    }
}

diesel::table! {
    notes (id) {
        id -> Integer,
        text_id -> Text,
    }
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = numbers)]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl(
    read = user(owner),
    update = account(small) | user(account),
    delete = open,
    create_children = shared & (user(owner) | account(account)),
)]
pub(super) struct Number {
    id: i32,
    small: Option<i16>,
    owner: i32,
    account: Option<i64>,
    open: bool,
    shared: Option<bool>,
}

/// The list by hand.
#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = numbers)]
#[auth(connection = Connection)]
pub(super) struct ByHand {
    id: i32,
    owner: i32,
    open: bool,
}

impl AuthModel for ByHand {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, self.open.then(|| user_is(self.owner)) | user_is(self.owner))
    }
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = texts)]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl(read = user(owner), update = account(id))]
pub(super) struct Text {
    id: String,
    owner: Option<String>,
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = notes)]
#[auth(connection = Connection, row_lock = Transaction, belongs_to(text: Text, text_id))]
#[acl(read = text.read | account(text_id) & role("never"))]
#[expect(dead_code, reason = "policies ask the database about it")]
pub(super) struct Note {
    id: i32,
    text_id: String,
}

macro_rules! guarded {
    ($($permission:literal $model:ident $one:ident $path:literal $several:ident $paths:literal;)*) => {$(
        #[permission_required_for_context($permission, ctx_arg = "row", id = "id")]
        #[get($path)]
        async fn $one(row: $model) -> impl Responder {
            row.id.to_string()
        }

        #[permission_required_for_context($permission, ctx_arg = "rows", id = query("id"))]
        #[get($paths)]
        async fn $several(rows: Vec<$model>) -> impl Responder {
            rows.len().to_string()
        }
    )*};
}

guarded! {
    "read" Number read_one "/0/{id}" read_all "/0";
    "update" Number update_one "/1/{id}" update_all "/1";
    "delete" Number delete_one "/2/{id}" delete_all "/2";
    "create-children" Number create_one "/3/{id}" create_all "/3";
    "read" ByHand read_by_hand "/by-hand/{id}" read_all_by_hand "/by-hand";
    "read" Text read_text "/texts/0/{id}" read_texts "/texts/0";
    "update" Text update_text "/texts/1/{id}" update_texts "/texts/1";
    "read" Note read_note "/notes/{id}" read_notes "/notes";
}

/// One connection for guards and for the decisions with which they are compared.
#[derive(Clone)]
pub(super) struct Lent(Arc<Mutex<Connection>>);

impl Lent {
    pub(super) fn of(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Connection) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ConnectionSource for Lent {
    type Connection = Connection;

    fn lend(&self, work: &mut dyn FnMut(&mut Connection)) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.with(work);
        Ok(())
    }
}

/// The status and the body of each request.
pub(super) async fn guard(connection: &Lent, subject: Subject, paths: &[String]) -> Vec<(u16, String)> {
    let auth =
        Auth::builder().mechanism(AlwaysAs(user(subject))).connections(connection.clone()).build().unwrap();
    let app = App::new().app_data(auth).service(read_one).service(read_all).service(update_one);
    let app = app.service(update_all).service(delete_one).service(delete_all).service(create_one);
    let app = app.service(create_all).service(read_by_hand).service(read_all_by_hand).service(read_text);
    let app = app.service(read_texts).service(update_text).service(update_texts).service(read_note);
    let app = init_service(app.service(read_notes)).await;
    let mut found = Vec::new();
    for path in paths {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        let status = response.status().as_u16();
        found.push((status, String::from_utf8(read_body(response).await.to_vec()).unwrap()));
    }
    found
}
