//! The examples of the chapter about policies, word for word as they are there, and the code that they need around them.

// The chapter about policies in SQL is about the same policies.
#[path = "sql.rs"]
mod sql;

use actix_web::{
    Responder, get,
    web::{Data, Json},
};
use auth_core::{
    AccessError, Accessible, AuthModel, LoadContext, LoadError, Permission, Scoped, Stored, User,
    auth_required, permission::Read, permission_required_for_context,
};
use diesel::{dsl::count, prelude::*, sqlite::Sqlite};
use serde::Serialize;

diesel::table! {
    accounts (id) {
        id -> Integer,
        consultancy_id -> Nullable<Integer>,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        account_id -> Integer,
        owner_id -> Nullable<Integer>,
        is_public -> Bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(accounts, sensors);

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(
    read = account(id) | account(consultancy_id) & role("consultant"),
    update = account(id) & role("account-admin"),
)]
struct Account {
    id: i32,
    consultancy_id: Option<i32>,
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(account: Account, account_id))]
#[acl(
    read = account.read | is_public,
    update = account.update | user(owner_id),
)]
struct Sensor {
    id: i32,
    account_id: i32,
    owner_id: Option<i32>,
    is_public: bool,
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    Json(sensor)
}

/// A connection for all, in turn.
struct Database(std::sync::Mutex<SqliteConnection>);

impl Database {
    async fn run<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> actix_web::Result<T> {
        let result = work(&mut self.0.lock().unwrap());
        std::future::ready(result).await.map_err(actix_web::error::ErrorServiceUnavailable)
    }
}

#[auth_required]
#[get("/sensors")]
async fn list(
    sensors: Accessible<Sensor, Read>,
    database: Data<Database>,
) -> actix_web::Result<impl Responder> {
    let page = sensors.query().order(sensors::id).limit(20);
    Ok(Json(database.run(move |connection| page.load::<Sensor>(connection)).await?))
}

fn consultancies(subject: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<(i32, Option<i32>)>> {
    sensors::table
        .inner_join(accounts::table.on(accounts::id.eq(sensors::account_id)))
        .filter(Sensor::scope(subject, Permission::READ).of_many())
        .order(sensors::id)
        .select((sensors::id, accounts::consultancy_id))
        .load(connection)
}

fn numbers_of_sensors(subject: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<(i32, i64)>> {
    let sensor = Sensor::scope(subject, Permission::READ).of_many();
    accounts::table
        .left_join(sensors::table.on(sensors::account_id.eq(accounts::id).and(sensor)))
        .filter(Account::scope(subject, Permission::READ).of_many())
        .group_by(accounts::id)
        .order(accounts::id)
        .select((accounts::id, count(sensors::id.nullable())))
        .load(connection)
}

fn accounts_with_sensors(subject: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<i32>> {
    let readable = Sensor::accessible_by(subject, Permission::READ);
    accounts::table
        .filter(accounts::id.eq_any(readable.select(sensors::account_id)))
        .order(accounts::id)
        .select(accounts::id)
        .load(connection)
}

fn unpublish_all(subject: &User, connection: &mut SqliteConnection) -> QueryResult<usize> {
    let published = Sensor::changeable_by(subject, Permission::UPDATE).filter(sensors::is_public);
    diesel::update(published).set(sensors::is_public.eq(false)).execute(connection)
}

fn hand_over(id: i32, to: i32, subject: &User, connection: &mut SqliteConnection) -> Result<(), AccessError> {
    let hit = diesel::update(Sensor::changeable_by(subject, Permission::UPDATE).find(id))
        .set(sensors::owner_id.eq(to))
        .execute(connection)?;
    Sensor::changed(hit, connection, subject, id, Permission::UPDATE)
}

fn publish(id: i32, subject: &User, connection: &mut SqliteConnection) -> Result<Sensor, AccessError> {
    connection.immediate_transaction(|connection| {
        let sensor = Sensor::authorize_for_update(connection, subject, id, Permission::UPDATE)?;
        diesel::update(sensors::table.find(sensor.id))
            .set(sensors::is_public.eq(true))
            .execute(connection)?;
        Ok(sensor)
    })
}

/// Finds the users who exist; others have left.
fn find_user(id: i32, _: &mut SqliteConnection) -> Result<User, LoadError> {
    match id {
        2 => Ok(User::new(2).with_account(3).with_roles(["consultant"])),
        7 => Ok(User::new(7).with_account(3)),
        _ => Err(LoadError::NotFound),
    }
}

fn may_be_sent(user_id: i32, sensor_id: i32, connection: &mut SqliteConnection) -> Result<bool, LoadError> {
    // Roles come and go while a socket is open, and users are deactivated.
    let subject = find_user(user_id, connection)?;
    Ok(Sensor::check_access(connection, &subject, sensor_id, Permission::READ)?.is_allowed())
}

mod tests {
    use std::sync::Mutex;

    use actix_web::{
        App,
        test::{TestRequest, call_and_read_body, call_service, init_service},
        web::Data,
    };
    use auth_core::{Auth, test::AlwaysAs};
    use diesel::{
        connection::SimpleConnection,
        r2d2::{ConnectionManager, Pool},
    };

    use super::{
        AccessError, Database, LoadError, Permission, Sensor, Stored, User, accounts_with_sensors,
        consultancies, hand_over, list, may_be_sent, numbers_of_sensors, publish, sensors, unpublish_all,
        view,
    };
    use auth_core::Scoped as _;
    use diesel::prelude::*;

    const CHAPTER: &str = include_str!("../../docs/policies.md");

    const WORLD: &str = "
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER);
        CREATE TABLE sensors (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, owner_id INTEGER, is_public BOOLEAN NOT NULL);
        INSERT INTO accounts (id, consultancy_id) VALUES (3, NULL), (4, 3), (5, NULL);
        INSERT INTO sensors (id, account_id, owner_id, is_public) VALUES (1, 4, 7, 0), (2, 5, NULL, 1), (7, 3, NULL, 0), (8, 5, 2, 0);
    ";

    pub(super) fn world() -> SqliteConnection {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute(WORLD).unwrap();
        connection
    }

    /// User 2 of account 3.
    fn consultant() -> User {
        User::new(2).with_account(3).with_roles(["consultant"])
    }

    #[test]
    fn its_terms_are_those_of_the_documentation() {
        let documentation = include_str!("../../auth-core/src/derives.rs");
        let rows: Vec<_> = documentation.lines().filter_map(|line| line.strip_prefix("/// |")).collect();
        assert!(rows.len() > 15, "{} rows", rows.len());
        for row in rows {
            assert!(CHAPTER.contains(&format!("\n|{row}\n")), "docs/policies.md lacks:\n|{row}");
        }
    }

    #[actix_web::test]
    async fn its_handlers_answer() {
        let pool = Pool::builder()
            .max_size(1)
            .build(ConnectionManager::<SqliteConnection>::new(":memory:"))
            .unwrap();
        pool.get().unwrap().batch_execute(WORLD).unwrap();
        let auth = Auth::builder().mechanism(AlwaysAs(consultant())).connections(pool).build().unwrap();
        let app = App::new().app_data(auth).app_data(Data::new(Database(Mutex::new(world()))));
        let app = init_service(app.service(list).service(view)).await;
        for (path, status) in
            [("/sensors/1", 200), ("/sensors/2", 200), ("/sensors/8", 403), ("/sensors/9", 404)]
        {
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(response.status(), status, "{path}");
        }
        let body = call_and_read_body(&app, TestRequest::get().uri("/sensors").to_request()).await;
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
        assert_eq!(listed.iter().map(|sensor| sensor["id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2, 7]);
    }

    #[test]
    fn its_join_has_the_rows_of_its_list() {
        let found = consultancies(&consultant(), &mut world());
        assert_eq!(found, Ok(vec![(1, Some(3)), (2, None), (7, None)]));
    }

    #[test]
    fn a_list_that_refuses_nothing_has_no_condition() {
        let admin =
            User::new(1).with_roles(["admin"]).with_admin_roles(auth_core::AdminRoles::flexmeasures());
        let all = Sensor::accessible_by(&admin, Permission::READ).count();
        assert_eq!(
            diesel::debug_query::<diesel::sqlite::Sqlite, _>(&all).to_string(),
            "SELECT COUNT(*) FROM `sensors` -- binds: []"
        );
        assert_eq!(all.get_result(&mut world()), Ok(4));
    }

    #[test]
    fn its_groups_and_subselects_have_no_others() {
        // Sensor 8 of account 5 is of another person, and account 5 is not for the consultant.
        assert_eq!(numbers_of_sensors(&consultant(), &mut world()), Ok(vec![(3, 1), (4, 1)]));
        let none = User::new(9).with_account(5);
        assert_eq!(numbers_of_sensors(&none, &mut world()), Ok(vec![(5, 2)]));
        assert_eq!(accounts_with_sensors(&consultant(), &mut world()), Ok(vec![3, 4, 5]));
        assert_eq!(accounts_with_sensors(&User::new(9), &mut world()), Ok(vec![5]));
    }

    #[test]
    fn its_changes_are_refused_to_who_may_not() {
        let connection = &mut world();
        let owner = User::new(7).with_account(9);
        hand_over(1, 2, &owner, connection).unwrap();
        // It is not theirs any more.
        assert!(matches!(hand_over(1, 7, &owner, connection), Err(AccessError::Denied(_))));
        assert!(matches!(hand_over(9, 7, &owner, connection), Err(AccessError::NotFound)));
        assert!(matches!(publish(1, &owner, connection), Err(AccessError::Denied(_))));
        assert!(!publish(1, &consultant(), connection).unwrap().is_public);
        assert_eq!(sensors::table.find(1).select(sensors::is_public).first(connection), Ok(true));
        // Sensor 1 is not theirs, and sensor 2, which anybody may read, has no owner.
        assert_eq!(unpublish_all(&owner, connection), Ok(0));
        assert_eq!(unpublish_all(&consultant(), connection), Ok(1));
    }

    #[test]
    fn its_messages_are_for_who_may_read() {
        let connection = &mut world();
        let mut sent = |user, sensor| may_be_sent(user, sensor, connection);
        assert!(matches!((sent(2, 1), sent(7, 1), sent(7, 2)), (Ok(true), Ok(false), Ok(true))));
        assert!(matches!(sent(9, 2), Err(LoadError::NotFound)));
    }

    #[test]
    fn its_explanation_is_printed() {
        let explanation =
            Sensor::explain(&mut world(), &consultant(), 7, Permission::UPDATE).unwrap().to_string();
        assert!(CHAPTER.contains(&format!("```text\n{explanation}```")), "{explanation}");
    }
}
