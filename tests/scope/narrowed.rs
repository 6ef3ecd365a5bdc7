//! Random filters, added to the rows that random policies let random subjects have: a list finds, and a change hits,
//! exactly those of these rows for which the filter is true.

use std::{cell::RefCell, collections::BTreeSet};

use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, result::Error, sql_types::Integer};
use proptest::{
    collection::vec,
    prelude::{TestCaseError, any, prop_assert, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{Connection, DIALECT, SERVER};
use crate::{
    added::{Added, added},
    database,
    drafts::policies,
    evaluate::allowed,
    models::{Ask as _, Question},
    person::{Person, person},
    policies::{PERMISSIONS, Policies},
    tables::{TABLES, created},
    world::{World, world},
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    n: i32,
}

/// The comparisons.
#[derive(Debug, Default)]
struct Counts {
    found: usize,
    /// Filters that are true of rows which the subject may not have.
    wider: usize,
    refused: usize,
}

#[test]
fn no_filter_lets_a_row_in_that_the_policy_keeps_out() {
    use diesel::connection::SimpleConnection as _;

    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    let (connection, counts) = (RefCell::new(connection), RefCell::new(Counts::default()));
    let config = Config { failure_persistence: None, max_shrink_iters: 1000, ..Config::default() };
    let cases = (world(DIALECT), person(), policies(), vec((any::<(u8, u8, u8)>(), added()), 5));
    let result = TestRunner::new(config).run(&cases, |(world, person, policies, asked)| {
        let (mut connection, mut counts) = (connection.borrow_mut(), counts.borrow_mut());
        rolled_back(&mut connection, |connection| {
            connection.batch_execute(&world.inserted(DIALECT)).map_err(|error| fail(&error))?;
            for (question, added) in &asked {
                compare(connection, (&world, &person, &policies), *question, added, &mut counts)?;
            }
            Ok(())
        })
    });
    let counts = counts.into_inner();
    println!("{DIALECT:?}, filters: {counts:?}");
    result.unwrap();
    assert!(counts.found > 0 && counts.wider > 0 && counts.refused > 0, "{counts:?}");
}

fn compare(
    connection: &mut Connection,
    (world, person, policies): (&World, &Person, &Policies),
    (table, permission, row): (u8, u8, u8),
    added: &Added,
    counts: &mut Counts,
) -> Result<(), TestCaseError> {
    let (table, permission) =
        (usize::from(table) % TABLES.len(), usize::from(permission) % PERMISSIONS.len());
    let rows: BTreeSet<i32> = (0..).zip(&world.tables[table]).map(|(number, _)| number).collect();
    let policy = policies.leaked(DIALECT)[table];
    let subject = person.user();
    let question = Question { table, policy, subject: &subject, permission: PERMISSIONS[permission] };

    let may = allowed(policies, world, table, person, permission);
    let of_filter: Vec<Row> =
        diesel::sql_query(added.query(TABLES[table].name)).load(connection).map_err(|error| fail(&error))?;
    let of_filter: BTreeSet<i32> = of_filter.into_iter().map(|row| row.n).collect();
    counts.wider += usize::from(!of_filter.is_subset(&may));
    let right = &may & &of_filter;

    let mut same = |what: &str, found: Result<BTreeSet<i32>, Error>, right: &BTreeSet<i32>| {
        match found {
            Ok(found) => {
                counts.found += found.len();
                prop_assert_eq!(&found, right, "{}: {:?} for {:?}", what, added, person);
            }
            Err(error) => {
                counts.refused += 1;
                prop_assert!(!added.is_whole(), "{}: {:?}: {}", what, added, error);
            }
        }
        Ok(())
    };
    let listed = rolled_back(connection, |connection| connection.listed_with(question, added));
    same("list", listed, &right)?;
    let updated = rolled_back(connection, |connection| connection.updated_with(question, None, added));
    same("UPDATE", updated, &right)?;
    let one = i32::from(row % 6);
    let updated = rolled_back(connection, |connection| connection.updated_with(question, Some(one), added));
    same("UPDATE of a row", updated, &(&right & &BTreeSet::from([one])))?;
    let deleted = rolled_back(connection, |connection| connection.left_with(question, added));
    let deleted = deleted.map(|left| &rows - &left);
    // `MariaDB` decides about a row after it has deleted those before it. A rule only grants, so a row stays that is
    // granted by one of these, and no other row goes.
    #[cfg(feature = "mysql")]
    if DIALECT == database::Dialect::Mysql
        && let Ok(deleted) = &deleted
    {
        prop_assert!(deleted.is_subset(&right), "DELETE: {:?} for {:?}", added, person);
        return Ok(());
    }
    same("DELETE", deleted, &right)
}

/// Does `work` in a transaction that is rolled back, also after an error, after which `PostgreSQL` takes no statement.
fn rolled_back<T, E>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    let mut result = None;
    let rolled_back = connection.transaction::<(), Error, _>(|connection| {
        result = Some(work(connection));
        Err(Error::RollbackTransaction)
    });
    assert_eq!(rolled_back, Err(Error::RollbackTransaction));
    result.unwrap()
}

fn fail(error: &Error) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}
