//! The same rules by guards, lists and changes of handlers.

use actix_web::{
    App, HttpResponse, Responder, get,
    http::Method,
    patch,
    test::{TestRequest, call_service, init_service, read_body_json},
    web::{Data, Json},
};
use auth_core::{
    Accessible, AdminRoles, Auth, LoadError, Permission, Scoped as _, User, auth_required, permission::Read,
    permission_required_for_context, test::AlwaysAs,
};
use diesel::{
    connection::SimpleConnection as _,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
};

use crate::{
    database::{AnyConnection, SCHEMA},
    models::{Folder, Project, Task, projects},
    rules::{ROWS, after, before},
};

type Connections = Pool<ConnectionManager<AnyConnection>>;

#[permission_required_for_context("read", ctx_arg = "project")]
#[get("/projects/{project_id}")]
async fn view_project(project: Project) -> impl Responder {
    Json(project)
}

#[permission_required_for_context("read", ctx_arg = "folder")]
#[get("/folders/{folder_id}")]
async fn view_folder(folder: Folder) -> impl Responder {
    Json(folder)
}

#[permission_required_for_context("update", ctx_arg = "tasks", id = query("id"))]
#[get("/tasks")]
async fn view_tasks(tasks: Vec<Task>) -> impl Responder {
    Json(tasks)
}

/// Finds deleted projects, too.
fn any_project(connection: &mut AnyConnection) -> Result<Project, LoadError> {
    let deleted = projects::table.find(4).select(Project::as_select()).first(connection);
    deleted.map_err(LoadError::from)
}

#[permission_required_for_context("read", ctx_arg = "project", ctx_loader = any_project(connection))]
#[get("/deleted")]
async fn view_deleted(project: Project) -> impl Responder {
    Json(project)
}

#[auth_required]
#[get("/projects")]
async fn list(projects: Accessible<Project, Read>, connections: Data<Connections>) -> impl Responder {
    let page = projects.query().order(projects::id);
    Json(page.load::<Project>(&mut connections.get().unwrap()).unwrap())
}

#[auth_required]
#[patch("/projects")]
async fn lock_all(user: auth_core::CurrentUser<User>, connections: Data<Connections>) -> impl Responder {
    let rows = Project::changeable_by(&*user, Permission::UPDATE);
    let changed = diesel::update(rows).set(projects::is_locked.eq(true));
    HttpResponse::Ok().json(changed.execute(&mut connections.get().unwrap()).unwrap())
}

/// The answer for a user, from a database of their own.
async fn answer(user: User, method: Method, path: &str) -> (u16, serde_json::Value) {
    let connections =
        Pool::builder().max_size(1).build(ConnectionManager::<AnyConnection>::new(":memory:")).unwrap();
    let mut connection = connections.get().unwrap();
    connection.batch_execute(SCHEMA).unwrap();
    connection.batch_execute(ROWS).unwrap();
    drop(connection);
    let auth = Auth::builder().mechanism(AlwaysAs(user)).connections(connections.clone()).build().unwrap();
    let app = App::new().app_data(auth).app_data(Data::new(connections));
    let app = app.service(view_project).service(view_folder).service(view_tasks).service(view_deleted);
    let app = init_service(app.service(list).service(lock_all)).await;
    let request = TestRequest::with_uri(path).method(method).to_request();
    let response = call_service(&app, request).await;
    (response.status().as_u16(), read_body_json(response).await)
}

async fn status(user: &User, path: &str) -> u16 {
    answer(user.clone(), Method::GET, path).await.0
}

#[actix_web::test]
async fn a_guard_lets_in_by_memberships_shares_states_and_trees() {
    let (member, outsider) = (User::new(7), User::new(8));
    for (user, path, status_before, status_after) in [
        (&member, "/projects/2", 200, 403),
        (&outsider, "/projects/1", 200, 403),
        (&outsider, "/projects/2", 403, 403),
        (&outsider, "/projects/3", 200, 200),
        (&outsider, "/projects/6", 403, 200),
        (&outsider, "/projects/4", 404, 404),
        (&outsider, "/folders/3", 200, 403),
        (&outsider, "/folders/4", 403, 403),
        (&outsider, "/tasks?id=1&id=2", 200, 403),
        (&outsider, "/tasks?id=1&id=3", 403, 403),
    ] {
        assert_eq!(status(&user.clone().at(before()), path).await, status_before, "{path} by {user:?}");
        assert_eq!(status(&user.clone().at(after()), path).await, status_after, "later, {path} by {user:?}");
    }
}

#[actix_web::test]
async fn what_is_deleted_is_found_by_no_guard() {
    let admin = User::new(1).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures());
    assert_eq!(status(&admin, "/projects/1").await, 200);
    for path in ["/projects/4", "/deleted"] {
        assert_eq!(status(&admin, path).await, 404, "{path} by an admin");
        assert_eq!(status(&User::new(7), path).await, 404, "{path} by a member");
    }
}

#[actix_web::test]
async fn a_list_and_a_change_have_the_rows_that_a_guard_lets_in_to() {
    let (status, listed) = answer(User::new(8).at(before()), Method::GET, "/projects").await;
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|project| project["id"].as_i64()).collect();
    assert_eq!((status, ids), (200, vec![Some(1), Some(3), Some(5)]));
    let changed = answer(User::new(7).at(before()), Method::PATCH, "/projects").await;
    assert_eq!(changed, (200, 2.into()));
    assert_eq!(answer(User::new(7).at(after()), Method::PATCH, "/projects").await, (200, 0.into()));
}
