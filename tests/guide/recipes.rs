//! The recipes for policies, word for word as they are there, and the code that they need around them.
#![allow(dead_code, reason = "most fields are there for policies")]

use auth_core::{AuthModel, LoadContext, Permission, Scoped, User};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Serialize;
use time::PrimitiveDateTime;

diesel::table! {
    organisations (id) { id -> Integer }
}

diesel::table! {
    memberships (id) {
        id -> Integer,
        organisation_id -> Integer,
        user_id -> Integer,
        level -> Text,
        ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    projects (id) {
        id -> Integer,
        organisation_id -> Integer,
        state -> Text,
        deleted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    shares (id) {
        id -> Integer,
        project_id -> Integer,
        user_id -> Integer,
        may_edit -> Bool,
        expires_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    folders (id) {
        id -> Integer,
        parent_id -> Nullable<Integer>,
        owner_id -> Nullable<Integer>,
        inherits -> Bool,
    }
}

const MEMBER: Permission = Permission::new("member");
const EDITOR: Permission = Permission::new("editor");

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = memberships, check_for_backend(Sqlite))]
#[acl()]
struct Membership {
    id: i32,
    organisation_id: i32,
    user_id: i32,
    level: String,
    ends_at: Option<PrimitiveDateTime>,
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = organisations, check_for_backend(Sqlite))]
#[auth(has_many(memberships: Membership, organisation_id))]
#[acl(
    MEMBER = any(memberships: user(user_id) & until(ends_at)),
    EDITOR = any(memberships: user(user_id) & until(ends_at) & is(level, "editor", "owner")),
)]
struct Organisation {
    id: i32,
}

#[derive(Debug, Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = projects, check_for_backend(Sqlite))]
#[auth(
    belongs_to(organisation: Organisation, organisation_id),
    has_many(shares: Share, project_id),
    rows = is_null(deleted_at),
)]
#[acl(
    read = organisation.MEMBER
        | any(shares: user(user_id) & until(expires_at))
        | is(state, "published") & everyone,
    update = (organisation.EDITOR | any(shares: user(user_id) & is(may_edit, true) & until(expires_at)))
        & is(state, "draft", "published"),
    delete = organisation.EDITOR | permission("projects-delete"),
)]
struct Project {
    id: i32,
    organisation_id: i32,
    state: String,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shares, check_for_backend(Sqlite))]
#[auth(belongs_to(project: Project, project_id))]
#[acl(read = user(user_id) | project.update, delete = project.update)]
struct Share {
    id: i32,
    project_id: i32,
    user_id: i32,
    may_edit: bool,
    expires_at: Option<PrimitiveDateTime>,
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = folders, check_for_backend(Sqlite))]
#[auth(belongs_to(parent: Self, parent_id, recursive))]
#[acl(
    read = user(owner_id) | parent.read & inherits,
    update = user(owner_id),
)]
struct Folder {
    id: i32,
    parent_id: Option<i32>,
    owner_id: Option<i32>,
    inherits: bool,
}

fn page(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<(i32, bool)>> {
    let may_update = Project::scope(user, Permission::UPDATE).is_true();
    Project::accessible_by(user, Permission::READ)
        .select((projects::id, may_update))
        .order(projects::id)
        .limit(20)
        .load(connection)
}

mod tests {
    use auth_core::{LoadError, Stored};
    use diesel::{connection::SimpleConnection as _, debug_query, query_builder::QueryFragment};
    use std::time::{Duration, SystemTime};

    use super::*;

    const CHAPTER: &str = include_str!("../../docs/recipes.md");

    const WORLD: &str = "
        CREATE TABLE organisations (id INTEGER PRIMARY KEY);
        CREATE TABLE memberships (id INTEGER PRIMARY KEY, organisation_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
            level TEXT NOT NULL, ends_at TIMESTAMP);
        CREATE TABLE projects (id INTEGER PRIMARY KEY, organisation_id INTEGER NOT NULL, state TEXT NOT NULL,
            deleted_at TIMESTAMP);
        CREATE TABLE shares (id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
            may_edit BOOLEAN NOT NULL, expires_at TIMESTAMP);
        CREATE TABLE folders (id INTEGER PRIMARY KEY, parent_id INTEGER, owner_id INTEGER, inherits BOOLEAN NOT NULL);
        INSERT INTO organisations VALUES (1), (2);
        INSERT INTO memberships VALUES (1, 1, 7, 'viewer', NULL), (2, 2, 7, 'owner', '2030-01-01 00:00:00');
        INSERT INTO projects VALUES (1, 1, 'draft', NULL), (2, 2, 'draft', NULL), (3, 2, 'archived', NULL),
            (4, 2, 'published', NULL), (5, 2, 'published', '2020-01-01 00:00:00');
        INSERT INTO shares VALUES (1, 1, 8, TRUE, '2030-01-01 00:00:00'), (2, 1, 9, FALSE, NULL);
        INSERT INTO folders VALUES (1, NULL, 7, FALSE), (2, 1, NULL, TRUE), (3, 2, NULL, FALSE), (4, 5, NULL, TRUE),
            (5, 4, NULL, TRUE);
    ";

    fn world() -> SqliteConnection {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute(WORLD).unwrap();
        let indexes =
            CHAPTER.split("```sql\nCREATE").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let indexes = format!("CREATE{indexes}");
        connection.batch_execute(&indexes).unwrap();
        connection
    }

    /// The user in 2027, and in 2031.
    fn before_and_after(id: i32) -> [User; 2] {
        let at = |seconds| User::new(id).at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        [at(1_800_000_000), at(1_930_000_000)]
    }

    fn projects_of(user: &User, permission: Permission) -> Vec<i32> {
        let rows = Project::accessible_by(user, permission).select(projects::id).order(projects::id);
        rows.load(&mut world()).unwrap()
    }

    /// A statement without the parts that only other databases read, on one line.
    fn read_by_sqlite(query: &impl QueryFragment<Sqlite>) -> String {
        let debug = debug_query::<Sqlite, _>(query).to_string();
        let mut rest = debug.split(" -- binds: ").next().unwrap();
        let mut read = String::new();
        while let Some(start) = rest.find("/*").into_iter().chain(rest.find("-- ")).min() {
            let end = if rest[start..].starts_with("/*") { "*/" } else { "\n" };
            read.push_str(&rest[..start]);
            rest = rest[start..].split_once(end).unwrap().1;
        }
        read.push_str(rest);
        on_one_line(&read)
    }

    fn on_one_line(sql: &str) -> String {
        let words: Vec<_> = sql.split_whitespace().collect();
        words.join(" ").replace("( ", "(").replace(" )", ")")
    }

    #[test]
    fn each_recipe_has_its_sql() {
        let user = User::new(7);
        let written: Vec<_> = CHAPTER
            .split("```sql\n")
            .skip(1)
            .map(|rest| on_one_line(rest.split("```").next().unwrap()))
            .filter(|sql| sql.starts_with("SELECT"))
            .collect();
        let cleaner = user.clone().with_permissions(["projects-delete"]);
        let projects_of =
            |user, permission| read_by_sqlite(&Project::accessible_by(user, permission).select(projects::id));
        let members = Organisation::accessible_by(&user, MEMBER).select(organisations::id);
        let readable = Folder::accessible_by(&user, Permission::READ).select(folders::id);
        let may_update = Project::scope(&user, Permission::UPDATE).is_true();
        let expected = [
            read_by_sqlite(&members),
            projects_of(&user, Permission::READ),
            projects_of(&user, Permission::UPDATE),
            projects_of(&cleaner, Permission::DELETE),
            read_by_sqlite(&readable),
            read_by_sqlite(&projects::table.select((projects::id, may_update))),
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn members_have_a_level_in_each_organisation() {
        let [before, after] = before_and_after(7);
        assert_eq!(projects_of(&before, Permission::READ), [1, 2, 3, 4]);
        assert_eq!(projects_of(&before, Permission::UPDATE), [2, 4]);
        assert_eq!(projects_of(&before, Permission::DELETE), [2, 3, 4]);
        assert_eq!(projects_of(&after, Permission::READ), [1, 4]);
        assert_eq!(projects_of(&after, Permission::UPDATE), [0; 0]);
    }

    #[test]
    fn shares_end_and_are_of_one_user_each() {
        let [before, after] = before_and_after(8);
        assert_eq!(projects_of(&before, Permission::UPDATE), [1]);
        assert_eq!(projects_of(&after, Permission::UPDATE), [0; 0]);
        let [reader, _] = before_and_after(9);
        assert_eq!(projects_of(&reader, Permission::READ), [1, 4]);
        assert_eq!(projects_of(&reader, Permission::UPDATE), [0; 0]);
    }

    #[test]
    fn what_is_deleted_is_not_there() {
        let [cleaner, _] = before_and_after(1).map(|user| user.with_permissions(["projects-delete"]));
        assert_eq!(projects_of(&cleaner, Permission::DELETE), [1, 2, 3, 4]);
        let decision = Project::check_access(&mut world(), &cleaner, 5, Permission::DELETE);
        assert!(matches!(decision, Err(LoadError::NotFound)));
    }

    #[test]
    fn rights_go_down_a_tree() {
        let rows =
            Folder::accessible_by(&User::new(7), Permission::READ).select(folders::id).order(folders::id);
        assert_eq!(rows.load::<i32>(&mut world()), Ok(vec![1, 2]));
    }

    #[test]
    fn a_page_says_what_its_caller_may_do() {
        let [before, _] = before_and_after(7);
        assert_eq!(page(&before, &mut world()), Ok(vec![(1, false), (2, true), (3, false), (4, true)]));
    }
}
