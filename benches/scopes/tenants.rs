//! Lists through memberships, and in a tree of folders, on one database: that of the module around.

use std::hint::black_box;

use auth_benches::Error;
use auth_core::{AuthModel, LoadContext, Permission, Scoped, Stored, User};
use diesel::{connection::SimpleConnection, dsl, prelude::*, sql_types::Integer};
use time::PrimitiveDateTime;

use super::{
    Connection, Database,
    measured::{in_turn, numbers, plan, row},
};

diesel::table! {
    organisations (id) {
        id -> Integer,
    }
}

diesel::table! {
    memberships (id) {
        id -> Integer,
        organisation_id -> Integer,
        user_id -> Integer,
        ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    projects (id) {
        id -> Integer,
        organisation_id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    folders (id) {
        id -> Integer,
        parent_id -> Nullable<Integer>,
        name -> Text,
    }
}

diesel::table! {
    shares (id) {
        id -> Integer,
        folder_id -> Integer,
        user_id -> Integer,
        expires_at -> Nullable<Timestamp>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(organisations, memberships, projects);
diesel::allow_tables_to_appear_in_same_query!(folders, shares);

const MEMBER: Permission = Permission::new("member");

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = memberships, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl()]
struct Membership {
    id: i32,
    organisation_id: i32,
    user_id: i32,
    ends_at: Option<PrimitiveDateTime>,
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = organisations, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[auth(has_many(memberships: Membership, organisation_id))]
#[acl(MEMBER = any(memberships: user(user_id) & until(ends_at)))]
struct Organisation {
    id: i32,
}

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = projects, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[auth(belongs_to(organisation: Organisation, organisation_id))]
#[acl(read = organisation.MEMBER)]
struct Project {
    id: i32,
    organisation_id: i32,
    name: String,
}

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shares, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl()]
struct Share {
    id: i32,
    folder_id: i32,
    user_id: i32,
    expires_at: Option<PrimitiveDateTime>,
}

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, QueryableByName, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = folders, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[auth(belongs_to(parent: Self, parent_id, recursive), has_many(shares: Share, folder_id))]
#[acl(read = any(shares: user(user_id) & until(expires_at)) | parent.read)]
struct Folder {
    id: i32,
    parent_id: Option<i32>,
    name: String,
}

const PAGE: i64 = 20;
const PROJECTS: usize = 1_000_000;
const ORGANISATIONS: usize = 100_000;
const MEMBERSHIPS: usize = 5_000_000;
const FOLDERS: usize = 840_000;

/// Users with a number above 2 have some fifty memberships, a third of which have ended, and ten shares. Folders are in
/// tens, up to six deep.
fn world() -> String {
    format!(
        "
        DROP TABLE IF EXISTS organisations; DROP TABLE IF EXISTS memberships; DROP TABLE IF EXISTS projects;
        DROP TABLE IF EXISTS folders; DROP TABLE IF EXISTS shares;
        CREATE TABLE organisations (id INTEGER PRIMARY KEY);
        CREATE TABLE memberships (id INTEGER PRIMARY KEY, organisation_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
            ends_at TIMESTAMP);
        CREATE TABLE projects (id INTEGER PRIMARY KEY, organisation_id INTEGER NOT NULL, name TEXT NOT NULL);
        CREATE TABLE folders (id INTEGER PRIMARY KEY, parent_id INTEGER, name TEXT NOT NULL);
        CREATE TABLE shares (id INTEGER PRIMARY KEY, folder_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
            expires_at TIMESTAMP);
        INSERT INTO organisations {organisations} SELECT i FROM n;
        INSERT INTO memberships {memberships} SELECT i, 1 + CAST(i AS BIGINT) * 104729 % {ORGANISATIONS},
            3 + i % 100000, CASE i % 3 WHEN 0 THEN CAST('2099-01-01 00:00:00' AS {TIME})
            WHEN 1 THEN CAST('2020-01-01 00:00:00' AS {TIME}) END FROM n;
        INSERT INTO memberships {few} SELECT 6000000 + i, i * 17000, {MEMBER_ID}, NULL FROM n;
        INSERT INTO memberships {many} SELECT 7000000 + i, i * 50, {CONSULTANT_ID}, NULL FROM n;
        INSERT INTO projects {projects} SELECT i, 1 + CAST(i AS BIGINT) * 7919 % {ORGANISATIONS}, 'project' FROM n;
        INSERT INTO folders {folders} SELECT i, CASE WHEN i > 10 THEN i / 10 END, 'folder' FROM n;
        INSERT INTO shares {shares} SELECT i, 1 + CAST(i AS BIGINT) * 104729 % {FOLDERS}, 3 + i % 100000, NULL FROM n;
        INSERT INTO shares VALUES (2000001, 84, {MEMBER_ID}, NULL), (2000002, 7, {CONSULTANT_ID}, NULL);
        CREATE INDEX memberships_of_user ON memberships (user_id, organisation_id, ends_at);
        CREATE INDEX memberships_of_organisation ON memberships (organisation_id, user_id, ends_at);
        CREATE INDEX projects_of_organisation ON projects (organisation_id);
        CREATE INDEX folders_of_folder ON folders (parent_id);
        CREATE INDEX shares_of_user ON shares (user_id, folder_id, expires_at);
        CREATE INDEX shares_of_folder ON shares (folder_id, user_id, expires_at);
        ANALYZE organisations; ANALYZE memberships; ANALYZE projects; ANALYZE folders; ANALYZE shares;
        ",
        organisations = numbers(ORGANISATIONS),
        memberships = numbers(MEMBERSHIPS),
        few = numbers(5),
        many = numbers(2_000),
        projects = numbers(PROJECTS),
        folders = numbers(FOLDERS),
        shares = numbers(1_000_000),
        TIME = super::TIME,
    )
}

/// In five organisations, which have 50 projects; one folder with all below it, a few thousand, is shared.
const MEMBER_ID: i32 = 1;
/// In 2,000 organisations, which have 20,000 projects.
const CONSULTANT_ID: i32 = 2;
/// One of all others.
const OTHER_ID: i32 = 77;

/// Prints a row for each kind of subject, and fails where ours and by hand differ.
pub(crate) fn measure(database: &str, connection: &mut Connection) -> Result<(), Error> {
    connection.batch_execute(&world())?;
    for (who, id) in [("member", MEMBER_ID), ("consultant", CONSULTANT_ID), ("other", OTHER_ID)] {
        let subject = User::new(id);
        projects_of(who, &subject, id, database, connection)?;
        folders_of(who, &subject, id, database, connection)?;
    }
    Ok(())
}

fn projects_of(
    who: &str,
    subject: &User,
    id: i32,
    database: &str,
    connection: &mut Connection,
) -> Result<(), Error> {
    let row = |what, ours, theirs| {
        row(
            &format!("{database} | {PROJECTS} projects, {MEMBERSHIPS} memberships | {what} | {who}"),
            ours,
            theirs,
        );
    };
    let list = || {
        let list = match id {
            CONSULTANT_ID => Project::accessible_row_by_row(subject, Permission::READ),
            _ => Project::accessible_by(subject, Permission::READ),
        };
        list.order(projects::id).limit(PAGE)
    };
    let lasts = || memberships::ends_at.is_null().or(memberships::ends_at.gt(dsl::now.nullable()));
    let is_member = || memberships::user_id.eq(id).and(lasts());
    let found = list().load::<Project>(connection)?;
    let found: Vec<i32> = found.into_iter().map(|project| project.id).collect();
    let plain = || projects::table.select(Project::as_select()).order(projects::id).limit(PAGE);
    let by_hand = |connection: &mut Connection| {
        let memberships = memberships::table.filter(is_member());
        // As an engineer would write it who knows of which there are many.
        if id == CONSULTANT_ID {
            let memberships = memberships.filter(memberships::organisation_id.eq(projects::organisation_id));
            plain().filter(dsl::exists(memberships)).load::<Project>(connection)
        } else {
            let organisations = memberships.select(memberships::organisation_id);
            plain().filter(projects::organisation_id.eq_any(organisations)).load(connection)
        }
    };
    let expected: Vec<i32> = by_hand(connection)?.into_iter().map(|project| project.id).collect();
    assert_eq!(found, expected, "a page of a {who}");
    let all = i32::try_from(PROJECTS)?;
    let [ours, theirs] = in_turn(
        connection,
        all,
        |connection, _| drop(black_box(list().load::<Project>(connection))),
        |connection, _| drop(black_box(by_hand(connection))),
    );
    row("a page of a list", ours, theirs);

    let count = || Project::accessible_by(subject, Permission::READ).count();
    let count_by_hand = || {
        let organisations = memberships::table.filter(is_member()).select(memberships::organisation_id);
        projects::table.filter(projects::organisation_id.eq_any(organisations)).count()
    };
    assert_eq!(count().get_result::<i64>(connection)?, count_by_hand().get_result::<i64>(connection)?);
    let [ours, theirs] = in_turn(
        connection,
        all,
        |connection, _| drop(black_box(count().get_result::<i64>(connection))),
        |connection, _| drop(black_box(count_by_hand().get_result::<i64>(connection))),
    );
    row("the count of a list", ours, theirs);

    let allowed_by_hand = |project: i32| {
        let is_member = dsl::exists(
            memberships::table
                .filter(is_member())
                .filter(memberships::organisation_id.eq(projects::organisation_id)),
        );
        projects::table.find(project).select((Project::as_select(), is_member))
    };
    for project in (1..all).step_by(PROJECTS / 50) {
        let ours = Project::check_access(connection, subject, project, Permission::READ)?.is_allowed();
        let theirs = allowed_by_hand(project).get_result::<(Project, bool)>(connection)?.1;
        assert_eq!(ours, theirs, "{project} for a {who}");
    }
    let [ours, theirs] = in_turn(
        connection,
        all,
        |connection, id| drop(black_box(Project::check_access(connection, subject, id, Permission::READ))),
        |connection, id| drop(black_box(allowed_by_hand(id).get_result::<(Project, bool)>(connection))),
    );
    row("the decision about a row, by hand in SQL", ours, theirs);
    Ok(())
}

fn folders_of(
    who: &str,
    subject: &User,
    id: i32,
    database: &str,
    connection: &mut Connection,
) -> Result<(), Error> {
    let row = |what, ours, theirs| {
        row(&format!("{database} | {FOLDERS} folders in a tree | {what} | {who}"), ours, theirs);
    };
    let list = || Folder::accessible_by(subject, Permission::READ);
    let page = || list().order(folders::id).limit(PAGE);
    let tree = "WITH RECURSIVE readable (id, parent_id, name) AS (SELECT f.id, f.parent_id, f.name FROM folders f \
                INNER JOIN shares s ON s.folder_id = f.id WHERE s.user_id = ";
    let tree = format!(
        "{tree}{} AND (s.expires_at IS NULL OR s.expires_at > CURRENT_TIMESTAMP) UNION SELECT f.id, f.parent_id, \
         f.name FROM folders f INNER JOIN readable r ON f.parent_id = r.id)",
        super::PLACEHOLDER
    );
    let by_hand = |connection: &mut Connection| {
        diesel::sql_query(format!("{tree} SELECT id, parent_id, name FROM readable ORDER BY id LIMIT {PAGE}"))
            .bind::<Integer, _>(id)
            .load::<Folder>(connection)
    };
    let ids = |folders: Vec<Folder>| folders.into_iter().map(|folder| folder.id).collect::<Vec<_>>();
    assert_eq!(ids(page().load(connection)?), ids(by_hand(connection)?), "a page of a {who}");
    let all = i32::try_from(FOLDERS)?;
    let [ours, theirs] = in_turn(
        connection,
        all,
        |connection, _| drop(black_box(page().load::<Folder>(connection))),
        |connection, _| drop(black_box(by_hand(connection))),
    );
    row("a page of a list", ours, theirs);
    let count_by_hand = |connection: &mut Connection| {
        let counted =
            diesel::sql_query(format!("{tree} SELECT CAST(COUNT(*) AS INTEGER) AS counted FROM readable"));
        counted.bind::<Integer, _>(id).get_result::<Counted>(connection).map(|row| i64::from(row.counted))
    };
    assert_eq!(list().count().get_result::<i64>(connection)?, count_by_hand(connection)?);
    let [ours, theirs] = in_turn(
        connection,
        all,
        |connection, _| drop(black_box(list().count().get_result::<i64>(connection))),
        |connection, _| drop(black_box(count_by_hand(connection))),
    );
    row("the count of a list", ours, theirs);
    Ok(())
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Integer)]
    counted: i32,
}

/// Prints the plans of ours.
pub(crate) fn explain(database: &str, connection: &mut Connection) -> Result<(), Error> {
    let subject = User::new(OTHER_ID);
    let print =
        |what: &str, plan: Vec<String>| println!("\n{database}, {what}:\n    {}", plan.join("\n    "));
    let list = Project::accessible_by(&subject, Permission::READ).order(projects::id).limit(PAGE);
    print("a page through memberships", plan(list, connection)?);
    let list = Folder::accessible_by(&subject, Permission::READ).order(folders::id).limit(PAGE);
    print("a page of a tree", plan(list, connection)?);
    Ok(())
}
