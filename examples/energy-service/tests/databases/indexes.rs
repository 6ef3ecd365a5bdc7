//! The tables have the indexes that the policies want.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use auth_core::{Indexes, Policy, Scoped};
use diesel::{RunQueryDsl as _, connection::SimpleConnection as _, dsl::sql, sql_types::Text};
use energy_service::{
    database::{Connection, Database},
    models::{
        Account, AccountAuditLog, Asset, AssetAuditLog, AssetOfAccount, AssetShare, AssignedConsultant,
        AuditLog, Sensor, User, UserAuditLog,
    },
    test::Server,
};

use super::SERVER;

/// Each policy of the models.
fn policies() -> Vec<&'static Policy> {
    vec![
        Account::POLICY,
        AccountAuditLog::POLICY,
        Asset::POLICY,
        AssetAuditLog::POLICY,
        AssetOfAccount::POLICY,
        AssetShare::POLICY,
        AssignedConsultant::POLICY,
        AuditLog::POLICY,
        Sensor::POLICY,
        User::POLICY,
        UserAuditLog::POLICY,
    ]
}

fn wanted() -> Indexes {
    policies().into_iter().flat_map(Policy::indexes).collect()
}

/// Selects each column of each index, with its table and its index, in order. An expression has no name, and an index of a
/// part of the rows finds no others.
fn indexed_columns(connection: &Connection) -> &'static str {
    match connection {
        Connection::Sqlite(_) => {
            "SELECT tables.name, indexes.name, coalesce(columns.name, '')
             FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS indexes,
                 pragma_index_info(indexes.name) AS columns
             WHERE tables.type = 'table' AND NOT indexes.partial
             ORDER BY tables.name, indexes.name, columns.seqno"
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            "SELECT tables.relname::text, indexes.relname::text, coalesce(columns.attname::text, '')
             FROM pg_index
             INNER JOIN pg_class AS tables ON tables.oid = pg_index.indrelid
             INNER JOIN pg_class AS indexes ON indexes.oid = pg_index.indexrelid
             CROSS JOIN LATERAL unnest(pg_index.indkey) WITH ORDINALITY AS keys (attnum, place)
             LEFT JOIN pg_attribute AS columns
                 ON columns.attrelid = tables.oid AND columns.attnum = keys.attnum
             WHERE tables.relnamespace = current_schema()::regnamespace
                 AND pg_index.indisvalid AND pg_index.indpred IS NULL
             ORDER BY tables.relname, indexes.relname, keys.place"
        }
        #[cfg(feature = "mysql")]
        Connection::Mysql(_) => {
            "SELECT table_name, index_name, coalesce(column_name, '')
             FROM information_schema.statistics
             WHERE table_schema = DATABASE()
             ORDER BY table_name, index_name, seq_in_index"
        }
    }
}

fn missing(connection: &mut Connection) -> Indexes {
    let query = indexed_columns(connection);
    let columns: Vec<(String, String, String)> = sql::<(Text, Text, Text)>(query).load(connection).unwrap();
    wanted().missing(columns)
}

#[test]
fn the_tables_have_the_indexes_that_the_policies_want() {
    let place = SERVER.database();
    let database = Database::open(place.location(), 2, Duration::from_secs(5)).unwrap();
    let connection = &mut *database.connection().unwrap();
    let none = missing(connection);
    assert!(none.is_empty(), "add a migration:\n{none}");

    // What is not there is missed. MariaDB keeps an index for each foreign key.
    if !matches!(SERVER, Server::Mysql) {
        connection.batch_execute("DROP INDEX assets_account_id").unwrap();
        assert_eq!(
            missing(connection).to_string(),
            "CREATE INDEX assets_account_id ON assets (account_id);\n"
        );
    }
}

/// So that a new model does not go unnoticed.
#[test]
fn each_policy_of_the_models_is_looked_at() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models");
    let mut declared = BTreeSet::new();
    for file in fs::read_dir(models).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        let behind = source.split("\n#[acl(").skip(1);
        let name =
            |rest: &str| rest.split("\npub struct ").nth(1)?.split([' ', ';', '(']).next().map(str::to_owned);
        declared.extend(behind.filter_map(name));
    }
    let looked_at: BTreeSet<String> = policies().iter().map(|policy| policy.context().to_owned()).collect();
    assert_eq!(looked_at, declared);
}
