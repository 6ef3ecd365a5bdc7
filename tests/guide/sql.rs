//! The example of the chapter about policies in SQL, word for word as it is there, and the indexes that it prints. Its
//! statements are those of `statements`.

use auth_core::{Indexes, Policy, Scoped as _};
use diesel::{dsl::sql, prelude::*, sql_types::Text};

use super::{Account, Sensor};

/// Each column of each index, in its order. An expression has no name, and an index of a part of the rows finds no others.
const INDEXED_COLUMNS: &str = "
    SELECT tables.name, indexes.name, coalesce(columns.name, '')
    FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS indexes, pragma_index_info(indexes.name) AS columns
    WHERE tables.type = 'table' AND NOT indexes.partial
    ORDER BY tables.name, indexes.name, columns.seqno";

fn missing_indexes(connection: &mut SqliteConnection) -> QueryResult<Indexes> {
    let policies = [Account::POLICY, Sensor::POLICY];
    let wanted: Indexes = policies.into_iter().flat_map(Policy::indexes).collect();
    let columns: Vec<(String, String, String)> =
        sql::<(Text, Text, Text)>(INDEXED_COLUMNS).load(connection)?;
    Ok(wanted.missing(columns))
}

mod tests {
    use diesel::connection::SimpleConnection as _;

    use super::super::tests::world;
    use super::*;

    const CHAPTER: &str = include_str!("../../docs/sql.md");

    #[test]
    fn its_indexes_are_printed_and_found() {
        let connection = &mut world();
        let indexes = Sensor::POLICY.indexes().to_string();
        assert!(CHAPTER.contains(&format!("```text\n{indexes}```")), "{indexes}");
        assert_eq!(missing_indexes(connection).unwrap().to_string(), indexes);
        connection
            .batch_execute(
                "CREATE INDEX of_owners ON sensors (owner_id, id);
                 CREATE INDEX of_nobody ON sensors (account_id) WHERE owner_id IS NULL;
                 CREATE INDEX of_a_part ON sensors (account_id + 1, account_id);
                 CREATE INDEX of_others ON accounts (id, consultancy_id);",
            )
            .unwrap();
        let missing = missing_indexes(connection).unwrap();
        let columns: Vec<_> = missing.iter().map(|index| (index.table(), index.columns().concat())).collect();
        assert_eq!(columns, [("accounts", "consultancy_id".into()), ("sensors", "account_id".into())]);
        connection.batch_execute(&missing.to_string()).unwrap();
        assert!(missing_indexes(connection).unwrap().is_empty());
    }
}
