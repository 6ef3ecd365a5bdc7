//! The lists and the decisions that are measured, on one database: that of the module around.

use std::hint::black_box;

use auth_benches::Error;
use auth_core::{AdminRoles, AuthModel, LoadContext, Permission, Scoped, Stored, User};
use diesel::{connection::SimpleConnection, prelude::*};

use super::{
    Asked, Connection, Database,
    measured::{in_turn, numbers, plan, row},
    reads_all,
};

diesel::table! {
    accounts (id) {
        id -> Integer,
        consultancy_account_id -> Nullable<Integer>,
    }
}

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        asset_id -> Integer,
        name -> Text,
    }
}

diesel::joinable!(assets -> accounts (account_id));
diesel::joinable!(sensors -> assets (asset_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, assets, sensors);

const CONSULT: Permission = Permission::new("consult");

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl(CONSULT = account(consultancy_account_id) & role("consultant"))]
struct Account {
    id: i32,
    consultancy_account_id: Option<i32>,
}

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[auth(belongs_to(account: Account, account_id))]
#[acl(read = account(account_id) | is_null(account_id) | account.CONSULT)]
struct Asset {
    id: i32,
    account_id: Option<i32>,
}

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.read)]
struct Sensor {
    id: i32,
    asset_id: i32,
    name: String,
}

const PAGE: i64 = 20;

/// As many sensors, a tenth as many assets of which each hundredth is public, and accounts in groups of ten around a
/// consultancy, with the usual indexes.
pub(crate) fn world(sensors: usize) -> String {
    let assets = sensors / 10;
    let accounts = (sensors / 1_000).max(100);
    format!(
        "
        DROP TABLE IF EXISTS sensors; DROP TABLE IF EXISTS assets; DROP TABLE IF EXISTS accounts;
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_account_id INTEGER);
        CREATE TABLE assets (id INTEGER PRIMARY KEY, account_id INTEGER);
        CREATE TABLE sensors (id INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL, name TEXT NOT NULL);
        INSERT INTO accounts {} SELECT i, CASE WHEN i % 10 <> 0 THEN i / 10 * 10 + 10 END FROM n;
        INSERT INTO assets {} SELECT i, CASE WHEN i % 100 <> 0 THEN 1 + i * 7919 % {accounts} END FROM n;
        INSERT INTO sensors {} SELECT i, 1 + CAST(i AS BIGINT) * 104729 % {assets}, 'sensor ' || i FROM n;
        CREATE INDEX clients ON accounts (consultancy_account_id);
        CREATE INDEX assets_of_account ON assets (account_id);
        CREATE INDEX sensors_of_asset ON sensors (asset_id);
        ANALYZE accounts; ANALYZE assets; ANALYZE sensors;
        ",
        numbers(accounts),
        numbers(assets),
        numbers(sensors)
    )
}

fn subjects() -> [(&'static str, User); 3] {
    [
        ("member", User::new(1).with_account(17)),
        ("consultant", User::new(1).with_account(20).with_roles(["consultant"])),
        (
            "admin",
            User::new(1).with_account(17).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures()),
        ),
    ]
}

/// Prints a row for each kind of subject, and fails where ours and by hand differ.
pub(crate) fn measure(database: &str, size: usize, connection: &mut Connection) -> Result<(), Error> {
    connection.batch_execute(&world(size))?;
    let all = i32::try_from(size)?;
    let row = |what, who, ours, theirs| row(&format!("{database} | {size} | {what} | {who}"), ours, theirs);
    for (who, subject) in &subjects() {
        let list = || Sensor::accessible_by(subject, Permission::READ).order(sensors::id).limit(PAGE);
        assert_eq!(
            ids(list().load(connection)?),
            ids(list_by_hand(subject, connection)?),
            "a page of a {who}"
        );
        let [ours, theirs] = in_turn(
            connection,
            all,
            |connection, _| drop(black_box(list().load::<Sensor>(connection))),
            |connection, _| drop(black_box(list_by_hand(subject, connection))),
        );
        row("a page of a list", who, ours, theirs);
        let walk = || Sensor::accessible_row_by_row(subject, Permission::READ).order(sensors::id).limit(PAGE);
        assert_eq!(
            ids(walk().load(connection)?),
            ids(list().load(connection)?),
            "row by row, a page of a {who}"
        );
        let [ours, theirs] = in_turn(
            connection,
            all,
            |connection, _| drop(black_box(walk().load::<Sensor>(connection))),
            |connection, _| drop(black_box(list_by_hand(subject, connection))),
        );
        row("a page of a list, row by row", who, ours, theirs);
        let count = || Sensor::accessible_by(subject, Permission::READ).count();
        assert_eq!(
            count().get_result::<i64>(connection)?,
            count_by_hand(subject, connection)?,
            "count of a {who}"
        );
        let [ours, theirs] = in_turn(
            connection,
            all,
            |connection, _| drop(black_box(count().get_result::<i64>(connection))),
            |connection, _| drop(black_box(count_by_hand(subject, connection))),
        );
        row("the count of a list", who, ours, theirs);

        for id in (1..all).step_by(size / 50) {
            let allowed = Sensor::check_access(connection, subject, id, Permission::READ)?.is_allowed();
            assert_eq!(allowed, allowed_by_hand(subject, id, connection)?, "{id} for a {who}");
            assert_eq!(allowed, allowed_by_hand_here(subject, id, connection)?, "{id} for a {who}");
        }
        let [ours, theirs] = in_turn(
            connection,
            all,
            |connection, id| drop(black_box(Sensor::check_access(connection, subject, id, Permission::READ))),
            |connection, id| drop(black_box(allowed_by_hand(subject, id, connection))),
        );
        row("the decision about a row, by hand in SQL", who, ours, theirs);
        let [ours, theirs] = in_turn(
            connection,
            all,
            |connection, id| drop(black_box(Sensor::check_access(connection, subject, id, Permission::READ))),
            |connection, id| drop(black_box(allowed_by_hand_here(subject, id, connection))),
        );
        row("the same, by hand after the query", who, ours, theirs);
    }
    Ok(())
}

/// Prints the plans of ours; fails where one reads all sensors.
pub(crate) fn explain(database: &str, connection: &mut Connection) -> Result<(), Error> {
    for (who, subject) in subjects() {
        let list = Sensor::accessible_by(&subject, Permission::READ).order(sensors::id).limit(PAGE);
        let what = format!("{database}, a page of a list, {who}");
        check(&what, &plan(list, connection)?, Asked::Page)?;
        let point = sensors::table.find(471).filter(Sensor::scope(&subject, Permission::READ));
        let what = format!("{database}, one row, {who}");
        check(&what, &plan(point.select(Sensor::as_select()), connection)?, Asked::Row)?;
    }
    Ok(())
}

fn check(what: &str, plan: &[String], asked: Asked) -> Result<(), Error> {
    println!("\n{what}:\n    {}", plan.join("\n    "));
    if reads_all(plan, asked) { Err(format!("{what}: all sensors are read").into()) } else { Ok(()) }
}

fn ids(sensors: Vec<Sensor>) -> Vec<i32> {
    sensors.into_iter().map(|sensor| sensor.id).collect()
}

fn is(subject: &User, role: &str) -> bool {
    auth_core::Subject::has_role(subject, role)
}

fn account(subject: &User) -> i32 {
    let account = auth_core::Subject::account_id(subject).map(|id| id.to_string());
    account.and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// The rule written by hand, in a query for each kind of subject: no query joins a table that this subject does not need.
fn list_by_hand(subject: &User, connection: &mut Connection) -> QueryResult<Vec<Sensor>> {
    let id = account(subject);
    let of_asset = || assets::account_id.eq(id).or(assets::account_id.is_null());
    let sensors = sensors::table.select(Sensor::as_select()).order(sensors::id).limit(PAGE);
    if is(subject, "admin") {
        sensors.load(connection)
    } else if is(subject, "consultant") {
        let of_client = accounts::consultancy_account_id.eq(id);
        let joined = sensors.inner_join(assets::table.left_join(accounts::table));
        joined.filter(of_asset().or(of_client)).load(connection)
    } else {
        sensors.inner_join(assets::table).filter(of_asset()).load(connection)
    }
}

/// The number of all that the subject may see, by that rule.
fn count_by_hand(subject: &User, connection: &mut Connection) -> QueryResult<i64> {
    let id = account(subject);
    let of_asset = || assets::account_id.eq(id).or(assets::account_id.is_null());
    let sensors = sensors::table.count();
    if is(subject, "admin") {
        sensors.get_result(connection)
    } else if is(subject, "consultant") {
        let of_client = accounts::consultancy_account_id.eq(id);
        let joined = sensors.inner_join(assets::table.left_join(accounts::table));
        joined.filter(of_asset().or(of_client)).get_result(connection)
    } else {
        sensors.inner_join(assets::table).filter(of_asset()).get_result(connection)
    }
}

/// The row, and the decision of the rule about it; a query for each kind of subject as well.
fn allowed_by_hand(subject: &User, id: i32, connection: &mut Connection) -> QueryResult<bool> {
    let own = account(subject);
    let of_asset = || assets::account_id.eq(own).or(assets::account_id.is_null());
    let sensor = sensors::table.find(id);
    let allowed = if is(subject, "admin") {
        sensor.select(Sensor::as_select()).get_result::<Sensor>(connection)?;
        Some(true)
    } else if is(subject, "consultant") {
        let allowed = of_asset().or(accounts::consultancy_account_id.nullable().eq(own));
        let joined = sensor.inner_join(assets::table.left_join(accounts::table));
        joined.select((Sensor::as_select(), allowed)).get_result::<(Sensor, Option<bool>)>(connection)?.1
    } else {
        let joined = sensor.inner_join(assets::table);
        joined.select((Sensor::as_select(), of_asset())).get_result::<(Sensor, Option<bool>)>(connection)?.1
    };
    Ok(allowed == Some(true))
}

/// The row with the columns that the rule needs; the decision is then made here.
fn allowed_by_hand_here(subject: &User, id: i32, connection: &mut Connection) -> QueryResult<bool> {
    let (_, account_id, consultancy) = sensors::table
        .inner_join(assets::table.left_join(accounts::table))
        .filter(sensors::id.eq(id))
        .select((Sensor::as_select(), assets::account_id, accounts::consultancy_account_id.nullable()))
        .get_result::<(Sensor, Option<i32>, Option<i32>)>(connection)?;
    let own = Some(account(subject));
    Ok(is(subject, "admin")
        || account_id.is_none()
        || account_id == own
        || is(subject, "consultant") && consultancy == own)
}
