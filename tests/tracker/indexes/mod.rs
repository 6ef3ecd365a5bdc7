//! The indexes that the policies want: what they print, and that statements use each of them, on each server.

mod plan;
mod rows;

use std::{
    mem,
    sync::{Arc, Mutex},
};

use auth_core::{Indexes, Permission, Scoped, Stored, User};
use diesel::{
    connection::{InstrumentationEvent, SimpleConnection as _},
    prelude::*,
};
use energy_service::test::Server;

use self::plan::{read_as_a_whole, update_statistics};
use crate::{
    database::{AnyConnection, open_empty},
    models::{
        EDITOR, Folder, LIST, MEMBER, Membership, Notice, Organisation, Project, Share, Task, Team, folders,
        indexes, memberships, organisations, projects, shares, tasks, teams,
    },
    rules::{SERVERS, before},
};

#[test]
fn policies_print_the_indexes_that_they_want() {
    assert_eq!(
        indexes().to_string(),
        "CREATE INDEX folders_owner_id ON folders (owner_id);\n\
         CREATE INDEX folders_parent_id_inherits ON folders (parent_id, inherits);\n\
         CREATE INDEX folders_project_id ON folders (project_id);\n\
         CREATE INDEX memberships_organisation_id ON memberships (organisation_id);\n\
         CREATE INDEX memberships_user_id_organisation_id_ends_at \
         ON memberships (user_id, organisation_id, ends_at);\n\
         CREATE INDEX projects_organisation_id ON projects (organisation_id);\n\
         CREATE INDEX shares_project_id_expires_at ON shares (project_id, expires_at);\n\
         CREATE INDEX shares_team_id_project_id_expires_at ON shares (team_id, project_id, expires_at);\n\
         CREATE INDEX shares_user_id_project_id_expires_at ON shares (user_id, project_id, expires_at);\n\
         CREATE INDEX tasks_assignee_id ON tasks (assignee_id);\n\
         CREATE INDEX tasks_folder_id ON tasks (folder_id);\n\
         CREATE INDEX team_members_user_id_team_id ON team_members (user_id, team_id);\n"
    );
}

#[test]
fn a_policy_prints_those_of_all_tables_that_it_reads_and_no_others() {
    let tables = |indexes: Indexes| {
        let mut tables: Vec<String> = indexes.iter().map(|index| index.table().to_owned()).collect();
        tables.dedup();
        tables
    };
    assert_eq!(tables(Team::POLICY.indexes()), ["team_members"]);
    assert_eq!(tables(Organisation::POLICY.indexes()), ["memberships"]);
    assert_eq!(
        tables(Task::POLICY.indexes()),
        ["folders", "memberships", "projects", "shares", "tasks", "team_members"]
    );
    assert!(Notice::POLICY.indexes().is_empty());
}

#[test]
fn an_index_that_others_serve_is_not_missing() {
    let mut columns = vec![
        ("team_members", "primary", "team_id"),
        ("team_members", "primary", "user_id"),
        ("team_members", "other", "user_id"),
        ("teams", "of_another_table", "user_id"),
        ("teams", "of_another_table", "team_id"),
    ];
    let missing = |columns: &[(&'static str, &'static str, &'static str)]| {
        Team::POLICY.indexes().missing(columns.iter().copied()).len()
    };
    assert_eq!(missing(&columns), 1, "one begins with one of the columns");
    columns.extend(["user_id", "team_id", "since"].map(|column| ("team_members", "longer", column)));
    assert_eq!(missing(&columns), 0);
}

/// A statement of a policy.
struct Statement {
    text: String,
    /// What it is, for messages.
    what: String,
    kind: Kind,
    /// The table of its rows.
    table: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// About one row: a decision, a change or a locked decision.
    One,
    /// A page of a list.
    List,
    /// A change of many rows.
    Changes,
}

/// The statements that this connection gets for these permissions.
macro_rules! statements {
    ($connection:expr; $($model:ident $table:ident: $($permission:expr),+;)+) => {{
        let connection: &mut AnyConnection = $connection;
        let (log, seen) = (Arc::new(Mutex::new(Vec::new())), &mut Vec::new());
        let recorded = Arc::clone(&log);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                if text.contains("__auth_") {
                    recorded.lock().unwrap().push(text);
                }
            }
        });
        let user = &User::new(8).at(before());
        $($({
            let permission: Permission = $permission;
            let mut record = |kind: Kind, use_of_it: &str| {
                let texts = mem::take(&mut *log.lock().unwrap());
                let what = format!("{use_of_it}: {permission} of {}", stringify!($model));
                let [text]: [String; 1] = texts.try_into().unwrap_or_else(|_| panic!("no single statement: {what}"));
                seen.push(Statement { text, what, kind, table: stringify!($table) });
            };
            $model::check_access(connection, user, 1, permission).unwrap_err();
            record(Kind::One, "decision");
            let change = diesel::update($model::changeable_by(user, permission).find(1)).set($table::id.eq(1));
            assert_eq!(change.execute(connection), Ok(0));
            record(Kind::One, "change");
            connection
                .transaction(|connection| {
                    $model::authorize_for_update(connection, user, 1, permission).map(|_| ())
                })
                .unwrap_err();
            record(Kind::One, "locked");
            let page = $model::accessible_by(user, permission).select($table::id).order($table::id).limit(20);
            assert_eq!(page.load::<i32>(connection), Ok(Vec::new()));
            record(Kind::List, "list");
            let changes = diesel::update($model::changeable_by(user, permission)).set($table::id.eq(1));
            assert_eq!(changes.execute(connection), Ok(0));
            record(Kind::Changes, "changes");
        })+)+
        mem::take(seen)
    }};
}

/// A database with some thousand rows in each table, and the statements of all policies for one user, who has a few of these.
fn filled(server: Server) -> Option<(AnyConnection, Vec<Statement>, impl Drop)> {
    let (mut connection, database) = open_empty(server)?;
    let statements = statements! {
        &mut connection;
        Organisation organisations: MEMBER, EDITOR;
        Membership memberships: Permission::READ;
        Project projects: Permission::READ, Permission::UPDATE, Permission::DELETE;
        Share shares: Permission::READ;
        Team teams: MEMBER;
        Folder folders: Permission::READ, Permission::UPDATE, LIST;
        Task tasks: Permission::READ, Permission::UPDATE;
    };
    connection.transaction(|connection| connection.batch_execute(&rows::all())).unwrap();
    update_statistics(&mut connection);
    Some((connection, statements, database))
}

#[test]
fn statements_find_rows_by_indexes() {
    for server in SERVERS {
        let Some((mut connection, statements, _database)) = filled(*server) else { continue };
        for Statement { text, what, kind, table } in statements {
            let is_found = match kind {
                // Where each step up a tree begins another way up, PostgreSQL expects more rows than there are.
                Kind::One => !(*server == Server::Postgres && what.ends_with("list of Folder")),
                Kind::List => {
                    let more: &[&str] = if *server == Server::Postgres { &LISTS_OF_POSTGRES } else { &[] };
                    LISTS.iter().chain(more).any(|list| *list == what)
                }
                Kind::Changes => false,
            };
            if !is_found {
                continue;
            }
            if *server == Server::Postgres && LISTS_OF_POSTGRES.contains(&&*what) {
                assert!(text.contains("= ANY (ARRAY"), "{what}: {text}");
            }
            let (mut read, plan) = read_as_a_whole(&mut connection, &text);
            // In the order of its page.
            read.retain(|read| *server == Server::Sqlite || kind == Kind::One || read != table);
            assert!(read.is_empty(), "{server:?}, {what}: reads all of {read:?}\n{plan}");
        }
    }
}

/// The lists that each server finds by indexes. Others have an alternative that is not about the user, or several alternatives,
/// for which MariaDB does not use several indexes: [`each_index_is_wanted_by_a_statement`] has all of them on SQLite.
const LISTS: [&str; 6] = [
    "list: member of Organisation",
    "list: editor of Organisation",
    "list: read of Membership",
    "list: update of Project",
    "list: delete of Project",
    "list: member of Team",
];

/// Those with several alternatives, or a tree.
const LISTS_OF_POSTGRES: [&str; 3] =
    ["list: read of Share", "list: update of Folder", "list: list of Folder"];

/// What all statements read as a whole, but for rows that everybody may see.
fn read_in_all(connection: &mut AnyConnection, statements: &[Statement]) -> Vec<String> {
    let mut all = Vec::new();
    for Statement { text, what, table, .. } in statements {
        let (mut read, _) = read_as_a_whole(connection, text);
        let is_public = what.contains("read of Project");
        read.retain(|read| !(is_public && read == table));
        all.extend(read.into_iter().map(|read| format!("{what}: {read}")));
    }
    all
}

/// Published projects are open to everybody, and there may be many: as an array, `PostgreSQL` would compare each row with each
/// of them.
#[test]
fn what_no_index_finds_a_few_of_is_no_array() {
    for server in SERVERS {
        let Some((_, statements, _database)) = filled(*server) else { continue };
        for Statement { text, what, .. } in statements {
            let arrays = text.split("= ANY (ARRAY").skip(1);
            for array in arrays.filter_map(|rest| rest.split("/* /* */-- */ )").next()) {
                assert!(!array.contains("state"), "{what}: {text}");
            }
        }
    }
}

#[test]
fn each_index_is_wanted_by_a_statement() {
    let Some((mut connection, mut statements, _database)) = filled(Server::Sqlite) else { return };
    // The projects that everybody may see are many, and so is what is in them.
    statements.retain(|Statement { kind, what, .. }| {
        *kind == Kind::One || !(what.contains("read of Folder") || what.contains("read of Task"))
    });
    assert_eq!(read_in_all(&mut connection, &statements), [""; 0]);
    for index in &indexes() {
        connection.batch_execute(&format!("DROP INDEX {}", index.name())).unwrap();
        assert_ne!(read_in_all(&mut connection, &statements), [""; 0], "nothing wants this: {index}");
        connection.batch_execute(&index.to_string()).unwrap();
        update_statistics(&mut connection);
    }
}
