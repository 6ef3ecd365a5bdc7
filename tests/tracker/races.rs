//! What others change at the very moment of a locked decision.

use std::{sync::mpsc, thread, time::Duration};

use auth_core::{AccessError, Permission, Stored, User};
use diesel::{connection::SimpleConnection as _, prelude::*};
use energy_service::test::Server;

use crate::{
    database::{AnyConnection, connect, open},
    models::{Folder, Project},
    rules::{ROWS, before},
};

const SERVERS: &[Server] = &[
    #[cfg(feature = "postgres")]
    Server::Postgres,
    #[cfg(feature = "mysql")]
    Server::Mysql,
];

/// A row, and the user who may change it until a right is revoked.
#[derive(Clone, Copy)]
struct Case {
    user: i32,
    id: i32,
    authorize: fn(&mut AnyConnection, &User, i32) -> Result<(), AccessError>,
    revoke: &'static str,
}

fn project(connection: &mut AnyConnection, user: &User, id: i32) -> Result<(), AccessError> {
    Project::authorize_for_update(connection, user, id, Permission::UPDATE).map(|_| ())
}

fn folder(connection: &mut AnyConnection, user: &User, id: i32) -> Result<(), AccessError> {
    Folder::authorize_for_update(connection, user, id, Permission::UPDATE).map(|_| ())
}

const CASES: &[Case] = &[
    // A membership, two tables away.
    Case { user: 7, id: 2, authorize: project, revoke: "DELETE FROM memberships WHERE id = 2" },
    Case { user: 7, id: 2, authorize: project, revoke: "UPDATE memberships SET level = 'view' WHERE id = 2" },
    Case { user: 7, id: 2, authorize: project, revoke: "UPDATE memberships SET user_id = 1 WHERE id = 2" },
    // A share.
    Case { user: 8, id: 1, authorize: project, revoke: "DELETE FROM shares WHERE id = 1" },
    Case {
        user: 8,
        id: 1,
        authorize: project,
        revoke: "UPDATE shares SET expires_at = '2020-01-01' WHERE id = 1",
    },
    // The place in the tree: of the row itself, on the way, and at the top.
    Case { user: 8, id: 3, authorize: folder, revoke: "UPDATE folders SET parent_id = NULL WHERE id = 3" },
    Case { user: 8, id: 3, authorize: folder, revoke: "UPDATE folders SET parent_id = 7 WHERE id = 2" },
    Case { user: 8, id: 3, authorize: folder, revoke: "UPDATE folders SET inherits = FALSE WHERE id = 2" },
    Case { user: 8, id: 3, authorize: folder, revoke: "DELETE FROM folders WHERE id = 2" },
    Case { user: 8, id: 3, authorize: folder, revoke: "UPDATE folders SET project_id = NULL WHERE id = 1" },
    Case { user: 8, id: 3, authorize: folder, revoke: "DELETE FROM shares WHERE id = 1" },
];

/// Runs the test for each case on each server, each time with rows of its own, with a connection for the decision and one for the
/// other party.
fn on_each(test: impl Fn(AnyConnection, AnyConnection, Case)) {
    for server in SERVERS {
        for case in CASES {
            let Some((connection, database)) = open(*server, ROWS) else { continue };
            let Some(other) = connect(*server, &database) else { continue };
            test(connection, other, *case);
        }
    }
}

#[test]
fn what_is_being_revoked_does_not_let_a_change_through() {
    on_each(|mut connection, mut other, Case { user, id, authorize, revoke }| {
        other.batch_execute("BEGIN").unwrap();
        other.batch_execute(revoke).unwrap();
        let (ended, end) = mpsc::channel();
        let deciding = thread::spawn(move || {
            let user = User::new(user).at(before());
            let result = connection.transaction(|connection| authorize(connection, &user, id));
            ended.send(()).unwrap();
            result
        });
        // It waits for what is going on.
        assert!(end.recv_timeout(Duration::from_millis(300)).is_err(), "{revoke}");
        other.batch_execute("COMMIT").unwrap();
        let result = deciding.join().unwrap();
        assert!(matches!(result, Err(AccessError::Denied(_))), "{revoke}: {result:?}");
    });
}

#[test]
fn what_a_change_was_allowed_by_is_not_revoked_before_it() {
    on_each(|mut connection, mut other, Case { user, id, authorize, revoke }| {
        let patience = match other {
            AnyConnection::Sqlite(_) => "",
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(_) => "SET lock_timeout = '300ms'",
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql(_) => "SET innodb_lock_wait_timeout = 1",
        };
        other.batch_execute(patience).unwrap();
        connection
            .transaction(|connection| {
                authorize(connection, &User::new(user).at(before()), id)?;
                assert!(other.batch_execute(revoke).is_err(), "{revoke}");
                Ok::<_, AccessError>(())
            })
            .unwrap();
        other.batch_execute(revoke).unwrap();
    });
}
