//! Each rule in each of its uses: the decisions that are expected, for one row and for all, as a list, as a change, and with
//! their explanation.

use std::time::{Duration, SystemTime};

use auth_core::{AccessError, LoadError, Permission, Scoped, Stored, User};
use diesel::{connection::SimpleConnection as _, prelude::*};
use energy_service::test::Server;

use crate::{
    database::{AnyConnection, open},
    models::{
        Folder, LIST, MEMBER, Membership, Notice, Organisation, Project, Share, Task, Team, TeamMember,
        folders, memberships, notices, organisations, projects, shares, tasks, teams,
    },
};

pub(crate) const SERVERS: &[Server] = &[
    Server::Sqlite,
    #[cfg(feature = "postgres")]
    Server::Postgres,
    #[cfg(feature = "mysql")]
    Server::Mysql,
];

pub(crate) const ROWS: &str = "
    INSERT INTO organisations VALUES (1, 'one'), (2, 'two');
    INSERT INTO memberships VALUES
        (1, 1, 7, 'view', NULL), (2, 2, 7, 'edit', '2030-01-01 00:00:00'), (3, 1, 8, 'own', '2020-01-01 00:00:00');
    INSERT INTO projects VALUES
        (1, 1, 'draft of one', 'draft', FALSE, NULL, NULL),
        (2, 2, 'draft of two', 'draft', FALSE, NULL, NULL),
        (3, 2, 'published', 'published', FALSE, '2020-01-01 00:00:00', NULL),
        (4, 1, 'deleted', 'published', FALSE, '2020-01-01 00:00:00', '2021-01-01 00:00:00'),
        (5, 2, 'locked', 'archived', TRUE, NULL, NULL),
        (6, 1, 'published soon', 'published', FALSE, '2030-01-01 00:00:00', NULL);
    INSERT INTO shares VALUES
        (1, 1, 8, NULL, 'edit', '2030-01-01 00:00:00'), (2, 2, NULL, 5, 'edit', NULL),
        (3, 5, 8, NULL, 'view', NULL), (4, 5, 9, NULL, 'edit', '2020-01-01 00:00:00');
    INSERT INTO teams VALUES (5, 'five');
    INSERT INTO team_members VALUES (5, 9);
    INSERT INTO folders VALUES
        (1, NULL, 1, NULL, 'of the draft', FALSE), (2, 1, NULL, NULL, 'below it', TRUE),
        (3, 2, NULL, 4, 'of user 4', TRUE), (4, 3, NULL, NULL, 'that inherits nothing', FALSE),
        (5, 6, NULL, NULL, 'in a circle', TRUE), (6, 5, NULL, 4, 'the other one', TRUE),
        (7, 99, NULL, NULL, 'whose parent is gone', TRUE), (8, NULL, 4, NULL, 'of what is deleted', TRUE),
        (9, 4, NULL, NULL, 'further down', FALSE);
    INSERT INTO tasks VALUES
        (1, 3, 10, 'in a folder', 1, FALSE), (2, 3, 10, 'less urgent', 5, FALSE), (3, 4, NULL, 'done', 3, TRUE),
        (4, NULL, NULL, 'nowhere', 1, FALSE);
    INSERT INTO notices VALUES (1, NULL, '2030-01-01 00:00:00'), (2, '2030-01-01 00:00:00', NULL);
";

/// The time at which nothing has ended that ends in 2030.
pub(crate) fn before() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(crate) fn after() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)
}

/// Calls `test` with a filled database on each server.
fn on_each_server(test: impl Fn(&mut AnyConnection)) {
    for server in SERVERS {
        if let Some((mut connection, _database)) = open(*server, ROWS) {
            test(&mut connection);
        }
    }
}

/// Asserts which rows of `$model` a subject has a permission on, in every use of its policy.
macro_rules! assert_rows {
    ($connection:expr, $model:ident, $table:ident, $user:expr, $permission:expr, $expected:expr) => {{
        let (connection, user, permission): (&mut AnyConnection, &User, Permission) =
            ($connection, &$user, $permission);
        let expected: Vec<i32> = $expected.to_vec();
        let what = format!("{permission} of {} by {user:?}", stringify!($model));

        let listed: Vec<i32> = $model::accessible_by(user, permission)
            .select($table::id)
            .order($table::id)
            .load(connection)
            .unwrap();
        assert_eq!(listed, expected, "a list: {what}");

        let all: Vec<i32> = $table::table.select($table::id).order($table::id).load(connection).unwrap();
        let one_by_one = |connection: &mut AnyConnection| -> Vec<i32> {
            let is_allowed = |id: &i32| match $model::check_access(connection, user, *id, permission) {
                Ok(decision) => decision.is_allowed(),
                Err(LoadError::NotFound) => false,
                Err(error) => panic!("{error}"),
            };
            all.iter().copied().filter(is_allowed).collect()
        };
        assert_eq!(one_by_one(connection), expected, "one by one: {what}");

        let as_column: Vec<i32> = $table::table
            .select(($table::id, $model::scope(user, permission).is_true()))
            .order($table::id)
            .load::<(i32, bool)>(connection)
            .unwrap()
            .into_iter()
            .filter_map(|(id, granted)| granted.then_some(id))
            .collect();
        assert_eq!(as_column, expected, "as a column: {what}");

        for id in &all {
            let explained = match $model::explain(connection, user, *id, permission) {
                Ok(explanation) => {
                    let matched = explanation.alternatives().iter().any(|alternative| alternative.matched());
                    assert_eq!(matched, explanation.decision().is_allowed(), "{explanation}");
                    matched
                }
                Err(LoadError::NotFound) => false,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(explained, expected.contains(id), "an explanation: {what}, row {id}");
        }

        let undone: Result<(), diesel::result::Error> = connection.transaction(|connection| {
            let mut changed = Vec::new();
            for id in &all {
                let one = $model::changeable_by(user, permission).find(*id);
                let count = diesel::update(one).set($table::id.eq($table::id + 1000)).execute(connection)?;
                if count > 0 {
                    changed.push(*id);
                }
                diesel::update($table::table.find(*id + 1000)).set($table::id.eq(*id)).execute(connection)?;
            }
            assert_eq!(changed, expected, "a change of one: {what}");
            let many = $model::changeable_by(user, permission);
            let count = diesel::update(many).set($table::id.eq($table::id + 1000)).execute(connection)?;
            assert_eq!(count, expected.len(), "a change of all: {what}");
            Err(diesel::result::Error::RollbackTransaction)
        });
        assert_eq!(undone, Err(diesel::result::Error::RollbackTransaction));
        for id in &all {
            let locked = connection.transaction(|connection| {
                $model::authorize_for_update(connection, user, *id, permission).map(|_| ())
            });
            match locked {
                Ok(()) => assert!(expected.contains(id), "locked: {what}, row {id}"),
                Err(AccessError::Denied(_) | AccessError::NotFound) => {
                    assert!(!expected.contains(id), "not locked: {what}, row {id}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }};
}

#[test]
fn members_have_what_their_organisations_have_until_they_leave() {
    on_each_server(|connection| {
        let member = User::new(7);
        assert_rows!(connection, Organisation, organisations, member.clone().at(before()), MEMBER, [1, 2]);
        assert_rows!(connection, Organisation, organisations, member.clone().at(after()), MEMBER, [1]);
        assert_rows!(
            connection,
            Organisation,
            organisations,
            User::new(8).at(before()),
            Permission::READ,
            []
        );
        let read = Permission::READ;
        assert_rows!(connection, Project, projects, member.clone().at(before()), read, [1, 2, 3, 5, 6]);
        assert_rows!(connection, Project, projects, member.clone().at(after()), read, [1, 3, 6]);
        // An editor of the one and a viewer of the other changes the one, but for what is locked.
        assert_rows!(connection, Project, projects, member.clone().at(before()), Permission::UPDATE, [2, 3]);
        assert_rows!(connection, Project, projects, member.at(after()), Permission::UPDATE, []);
        assert_rows!(connection, Membership, memberships, User::new(7).at(before()), read, [1, 2]);
    });
}

#[test]
fn outsiders_have_what_is_shared_with_them_or_their_team_until_it_ends() {
    on_each_server(|connection| {
        let (outsider, teammate) = (User::new(8), User::new(9));
        assert_rows!(
            connection,
            Project,
            projects,
            outsider.clone().at(before()),
            Permission::READ,
            [1, 3, 5]
        );
        assert_rows!(
            connection,
            Project,
            projects,
            outsider.clone().at(after()),
            Permission::READ,
            [3, 5, 6]
        );
        assert_rows!(connection, Project, projects, outsider.clone().at(before()), Permission::UPDATE, [1]);
        assert_rows!(connection, Project, projects, outsider.at(after()), Permission::UPDATE, []);
        // Shared with the team to be read: a team has no share of its own to change it.
        assert_rows!(connection, Project, projects, teammate.clone().at(before()), Permission::READ, [2, 3]);
        assert_rows!(connection, Project, projects, teammate.clone().at(before()), Permission::UPDATE, []);
        assert_rows!(connection, Team, teams, teammate.at(before()), MEMBER, [5]);
        assert_rows!(connection, Share, shares, User::new(8).at(before()), Permission::READ, [1, 3]);
    });
}

#[test]
fn everyone_has_what_is_published_and_nobody_what_is_deleted() {
    on_each_server(|connection| {
        let anybody = User::new(1);
        assert_rows!(connection, Project, projects, anybody.clone().at(before()), Permission::READ, [3]);
        assert_rows!(connection, Project, projects, anybody.at(after()), Permission::READ, [3, 6]);
        let admin =
            User::new(1).with_roles(["admin"]).with_admin_roles(auth_core::AdminRoles::flexmeasures());
        let listed: Vec<i32> = Project::accessible_by(&admin, Permission::READ)
            .select(projects::id)
            .order(projects::id)
            .load(connection)
            .unwrap();
        assert_eq!(listed, [1, 2, 3, 5, 6], "what is deleted is not there for admins, too");
        let decision = Project::check_access(connection, &admin, 4, Permission::READ);
        assert!(matches!(decision, Err(LoadError::NotFound)));
        let all = Project::changeable_by(&admin, Permission::DELETE);
        assert_eq!(diesel::delete(all).execute(connection).unwrap(), 5);
        assert_eq!(projects::table.count().get_result(connection), Ok(1));
    });
}

#[test]
fn which_rows_are_there_is_a_matter_of_the_same_time_as_the_rest() {
    on_each_server(|connection| {
        let [early, late] = [before(), after()].map(|time| User::new(1).at(time));
        assert_rows!(connection, Notice, notices, early, Permission::READ, [1]);
        assert_rows!(connection, Notice, notices, late, Permission::READ, [2]);
    });
}

#[test]
fn what_a_role_carries_suffices() {
    on_each_server(|connection| {
        let cleaner = User::new(1).with_permissions(["projects-delete"]).at(before());
        assert_rows!(connection, Project, projects, cleaner, Permission::DELETE, [1, 2, 3, 5, 6]);
        assert_rows!(connection, Project, projects, User::new(7).at(before()), Permission::DELETE, [2, 5]);
    });
}

#[test]
fn rights_go_down_the_folders_that_inherit_them() {
    on_each_server(|connection| {
        let (owner, sharer) = (User::new(4).at(before()), User::new(8).at(before()));
        // A circle ends, and a folder that inherits nothing ends it as well.
        assert_rows!(connection, Folder, folders, owner, Permission::READ, [3, 5, 6]);
        assert_rows!(connection, Folder, folders, sharer, Permission::READ, [1, 2, 3]);
        assert_rows!(connection, Folder, folders, User::new(8).at(after()), Permission::READ, []);
        // At each step up the tree, another way up begins.
        assert_rows!(connection, Folder, folders, sharer, LIST, [2, 3, 4, 9]);
        assert_rows!(connection, Folder, folders, owner, LIST, [5, 6]);
        assert_rows!(connection, Folder, folders, User::new(99).at(before()), Permission::READ, []);
        assert_rows!(connection, Task, tasks, owner, Permission::READ, [1, 2]);
        assert_rows!(connection, Task, tasks, sharer, Permission::UPDATE, [1, 2]);
        assert_rows!(connection, Task, tasks, User::new(10).at(before()), Permission::READ, [1, 2]);
        assert_rows!(connection, Task, tasks, User::new(10).at(before()), Permission::UPDATE, [1]);
    });
}

#[test]
fn times_are_read_as_databases_store_them() {
    on_each_server(|connection| {
        let mut ends = vec![
            ("2030-06-01 12:00:00.500", 0),
            ("2030-06-01 12:00:00.499", -1),
            ("2030-06-01 12:00:00.501", 1),
        ];
        // SQLite stores any text, number or bytes.
        let is_sqlite = matches!(connection, AnyConnection::Sqlite(_));
        if is_sqlite {
            ends.extend([
                ("2030-06-01T12:00:00.501", 1),
                ("2030-06-01T12:00:00.499Z", -1),
                ("2030-06-01T14:00:00.501+02:00", 1),
                ("2030-06-01T14:00:00.499+02:00", -1),
                ("never", -1),
                ("", -1),
            ]);
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_906_545_600_500);
        let user = User::new(8).at(now);
        for (end, order) in ends {
            connection
                .batch_execute(&format!("UPDATE shares SET expires_at = '{end}' WHERE id = 1"))
                .unwrap();
            let decision = Project::check_access(connection, &user, 1, Permission::UPDATE).unwrap();
            assert_eq!(decision.is_allowed(), order > 0, "until {end:?}");
            if is_sqlite && end.is_empty() {
                continue;
            }
            connection
                .batch_execute(&format!("UPDATE projects SET opens_at = '{end}' WHERE id = 3"))
                .unwrap();
            let decision = Project::check_access(connection, &user, 3, Permission::READ).unwrap();
            let is_time = end.starts_with("2030");
            assert_eq!(decision.is_allowed(), is_time && order <= 0, "since {end:?}");
        }
        if is_sqlite {
            for end in ["x'ff'", "1", "9.5", "1906545600", "9e99"] {
                connection
                    .batch_execute(&format!("UPDATE shares SET expires_at = {end} WHERE id = 1"))
                    .unwrap();
                let decision = Project::check_access(connection, &user, 1, Permission::UPDATE).unwrap();
                assert!(!decision.is_allowed(), "until {end}");
            }
        }
    });
}

#[test]
fn a_term_about_many_rows_is_explained_as_one() {
    on_each_server(|connection| {
        let explanation =
            Project::explain(connection, &User::new(8).at(after()), 1, Permission::UPDATE).unwrap();
        assert_eq!(
            explanation.to_string(),
            "deny (no-match): update\n\
             - (any(memberships: user(user_id) & is(level, \"edit\", \"own\") & until(ends_at)) of organisation | \
             any(shares: user(user_id) & is(level, \"edit\") & until(expires_at))) & is(is_locked, false): no, for \
             any(memberships: user(user_id) & is(level, \"edit\", \"own\") & until(ends_at)) of organisation and \
             any(shares: user(user_id) & is(level, \"edit\") & until(expires_at)) fail\n"
        );
        let explanation =
            Folder::explain(connection, &User::new(4), 4, Permission::READ).unwrap().to_string();
        assert!(explanation.contains("- parent.read & inherits: no, for inherits fails"), "{explanation}");
    });
}

#[test]
fn a_policy_is_shown_as_it_is_declared() {
    assert_eq!(
        Project::POLICY.to_string(),
        "Project\n  \
         read = organisation.member | any(shares: (user(user_id) | team.member) & until(expires_at)) | \
         is(state, \"published\") & since(opens_at) & everyone\n  \
         update = (organisation.editor | any(shares: user(user_id) & is(level, \"edit\") & until(expires_at))) & \
         is(is_locked, false)\n  \
         delete = permission(\"projects-delete\") | organisation.editor & is(state, \"draft\", \"archived\")\n  \
         rows = is_null(deleted_at)\n"
    );
    let policy = serde_json::to_value(Project::POLICY).unwrap();
    assert_eq!(
        policy["has_many"],
        serde_json::json!([{ "relation": "shares", "context": "Share", "foreign_key": "project_id" }])
    );
    assert_eq!(policy["rows"], serde_json::json!({ "is_null": "deleted_at" }));
    let related = serde_json::json!({ "related": { "relation": "shares", "rule": { "all": [
        { "user": "user_id" },
        { "is": { "column": "level", "values": ["edit"] } },
        { "until": "expires_at" },
    ] } } });
    assert_eq!(policy["permissions"][1]["rule"]["all"][0]["any"][1], related);
    let folder = serde_json::to_value(Folder::POLICY).unwrap();
    assert_eq!(folder["belongs_to"][0]["recursive"], true);
    assert_eq!(TeamMember::POLICY.permissions().count(), 0);
}
