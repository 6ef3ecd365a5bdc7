//! Contexts loaded through connections of `diesel-async`: PostgreSQL from a pool of `bb8`, MariaDB from one of
//! `deadpool`. They keep the promises of contexts through connections that block.
#![allow(clippy::duplicate_mod, reason = "the same tests on each database, of which there may be one")]

use std::io::Write as _;

#[cfg(any(feature = "async-postgres", feature = "async-mysql"))]
mod tables {
    diesel::table! {
        accounts (id) {
            id -> Integer,
            consultancy_id -> Nullable<Integer>,
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

    diesel::allow_tables_to_appear_in_same_query!(accounts, assets, sensors);

    diesel::table! {
        projects (id) {
            id -> Integer,
            deleted_at -> Nullable<Timestamp>,
        }
    }

    diesel::table! {
        memberships (id) {
            id -> Integer,
            project_id -> Integer,
            user_id -> Integer,
            level -> Text,
            ends_at -> Nullable<Timestamp>,
        }
    }

    diesel::table! {
        folders (id) {
            id -> Integer,
            parent_id -> Nullable<Integer>,
            project_id -> Nullable<Integer>,
            inherits -> Bool,
            name -> Text,
        }
    }
}

/// The contexts, with the connection by its own name: by that, a derive knows how it locks rows.
#[cfg(any(feature = "async-postgres", feature = "async-mysql"))]
macro_rules! contexts {
    ($connection:ident) => {
        /// Decides by itself.
        #[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
        #[diesel(table_name = accounts)]
        #[auth(async_connection = $connection)]
        #[acl(read = account(id) | account(consultancy_id) & role("consultant"))]
        struct Account {
            id: i32,
            consultancy_id: Option<i32>,
        }

        #[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
        #[diesel(table_name = assets)]
        #[auth(async_connection = $connection, belongs_to(account: Account, account_id))]
        #[acl(read = account.read | is_null(account_id), update = account(account_id))]
        struct Asset {
            id: i32,
            account_id: Option<i32>,
        }

        /// Decided by the database, two tables deep.
        #[derive(Clone, Queryable, Selectable, Serialize, LoadContext, AuthModel)]
        #[diesel(table_name = sensors)]
        #[auth(async_connection = $connection, belongs_to(asset: Asset, asset_id))]
        #[acl(read = asset.read, update = asset.update)]
        struct Sensor {
            id: i32,
            asset_id: i32,
            name: String,
        }

        #[expect(dead_code, reason = "only the database asks")]
        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = memberships)]
        #[auth(async_connection = $connection)]
        #[acl()]
        struct Membership {
            id: i32,
            project_id: i32,
            user_id: i32,
            level: String,
            ends_at: Option<PrimitiveDateTime>,
        }

        #[expect(dead_code, reason = "only the database asks")]
        #[derive(Queryable, Selectable, LoadContext, AuthModel)]
        #[diesel(table_name = projects)]
        #[auth(async_connection = $connection, has_many(memberships: Membership, project_id))]
        #[auth(rows = is_null(deleted_at))]
        #[acl(
                            read = any(memberships: user(user_id) & until(ends_at)),
                            update = any(memberships: user(user_id) & until(ends_at) & is(level, "editor")),
                        )]
        struct Project {
            id: i32,
            deleted_at: Option<PrimitiveDateTime>,
        }

        #[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
        #[diesel(table_name = folders)]
        #[auth(async_connection = $connection, belongs_to(project: Project, project_id))]
        #[auth(belongs_to(parent: Self, parent_id, recursive))]
        #[acl(
                            read = project.read | parent.read & is(inherits, true),
                            update = project.update | parent.update & is(inherits, true),
                            read(name) = update,
                            becomes = update,
                        )]
        struct Folder {
            id: i32,
            parent_id: Option<i32>,
            project_id: Option<i32>,
            inherits: bool,
            name: String,
        }
    };
}

#[cfg(feature = "async-mysql")]
#[path = "."]
mod mysql {
    use auth_core::{Auth, AuthModel, LoadContext};
    use diesel::prelude::*;
    use diesel_async::{
        AsyncMysqlConnection,
        pooled_connection::{AsyncDieselConnectionManager, deadpool},
    };
    use energy_service::{database::Location, test::Server};
    use serde::Serialize;
    use time::PrimitiveDateTime;

    use super::tables::{accounts, assets, folders, memberships, projects, sensors};

    type Connection = AsyncMysqlConnection;

    const SERVER: Server = Server::Mysql;

    /// Waits for locks no longer than it has to: a second.
    const IMPATIENT: &str = "SET innodb_lock_wait_timeout = 1";

    fn pool(location: &Location, size: usize) -> deadpool::Pool<Connection> {
        let Location::Mysql(url) = location else { panic!("{location} is another kind of database") };
        deadpool::Pool::builder(AsyncDieselConnectionManager::new(url.clone()))
            .max_size(size)
            .build()
            .unwrap()
    }

    async fn register(builder: auth_core::AuthBuilder, location: &Location) -> Auth {
        register_pool_of(2, builder, location).await
    }

    async fn register_pool_of(size: usize, builder: auth_core::AuthBuilder, location: &Location) -> Auth {
        builder.async_connections(pool(location, size)).build().unwrap()
    }

    async fn connection(location: &Location) -> deadpool::Object<Connection> {
        pool(location, 1).get().await.unwrap()
    }

    contexts!(AsyncMysqlConnection);

    mod given_up;
    mod promises;
    mod tenants;
}

#[cfg(feature = "async-postgres")]
#[path = "."]
mod postgres {
    use auth_core::{Auth, AuthModel, LoadContext};
    use diesel::prelude::*;
    use diesel_async::{
        AsyncPgConnection,
        pooled_connection::{AsyncDieselConnectionManager, bb8},
    };
    use energy_service::{database::Location, test::Server};
    use serde::Serialize;
    use time::PrimitiveDateTime;

    use super::tables::{accounts, assets, folders, memberships, projects, sensors};

    type Connection = AsyncPgConnection;

    const SERVER: Server = Server::Postgres;

    /// Waits for locks no longer than it has to.
    const IMPATIENT: &str = "SET lock_timeout = '100ms'";

    async fn pool(location: &Location, size: u32) -> bb8::Pool<Connection> {
        let Location::Postgres(url) = location else { panic!("{location} is another kind of database") };
        bb8::Pool::builder()
            .max_size(size)
            .build(AsyncDieselConnectionManager::new(url.clone()))
            .await
            .unwrap()
    }

    async fn register(builder: auth_core::AuthBuilder, location: &Location) -> Auth {
        register_pool_of(2, builder, location).await
    }

    async fn register_pool_of(size: u32, builder: auth_core::AuthBuilder, location: &Location) -> Auth {
        builder.async_connections(pool(location, size).await).build().unwrap()
    }

    async fn connection(location: &Location) -> bb8::PooledConnection<'static, Connection> {
        pool(location, 1).await.get_owned().await.unwrap()
    }

    contexts!(AsyncPgConnection);

    mod given_up;
    mod promises;
    mod tenants;
}

#[test]
fn what_is_left_out_is_said() {
    for (database, feature, built) in [
        ("PostgreSQL", "async-postgres", cfg!(feature = "async-postgres")),
        ("MariaDB", "async-mysql", cfg!(feature = "async-mysql")),
    ] {
        if !built {
            assert!(std::env::var_os("CI").is_none(), "built without `{feature}`");
            let line = format!("tests of diesel-async on {database} are left out: built without `{feature}`");
            // The harness captures `eprintln!`.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}
