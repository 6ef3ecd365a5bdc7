//! Random worlds, subjects and policies: the database finds the rows that the documentation says, in each form.

use std::{cell::RefCell, collections::BTreeSet};

use diesel::{Connection as _, connection::SimpleConnection as _, result::Error};
use proptest::{
    collection::vec,
    prelude::{TestCaseError, any, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{Connection, DIALECT, SERVER};
use crate::{
    database,
    evaluate::{Person, is_allowed, person},
    models::{Ask as _, Question},
    policies::{PERMISSIONS, Policies, policies},
    world::{TABLES, World, created, world},
};

#[test]
fn every_form_of_a_policy_finds_the_same_rows() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    let (connection, counts) = (RefCell::new(connection), RefCell::new(Counts::default()));
    // How many cases there are, `PROPTEST_CASES` says.
    let config = Config { failure_persistence: None, max_shrink_iters: 4096, ..Config::default() };
    let cases = (world(), vec(person(), 2), policies(), vec(any::<(u8, u8, u8)>(), 5));
    let result = TestRunner::new(config).run(&cases, |(world, people, policies, asked)| {
        let (mut connection, mut counts) = (connection.borrow_mut(), counts.borrow_mut());
        let mut result = Ok(());
        // What a case writes is never committed, which takes a disk its time.
        let rolled_back = connection.transaction(|connection| {
            result = Case { world: &world, people: &people, policies: &policies, connection, counts: &mut counts }.run(&asked);
            Err::<(), _>(Error::RollbackTransaction)
        });
        result.and(if rolled_back == Err(Error::RollbackTransaction) {
            Ok(())
        } else {
            Err(TestCaseError::fail(format!("{rolled_back:?}")))
        })
    });
    let counts = counts.into_inner();
    println!("{DIALECT:?}: {counts:?}");
    result.unwrap();
    assert!(counts.allowed > 0 && counts.denied > 0, "{counts:?}");
}

/// What was compared. Each row is asked about in five ways.
#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    rows: usize,
    allowed: usize,
    denied: usize,
}

struct Case<'a> {
    world: &'a World,
    people: &'a [Person],
    policies: &'a Policies,
    connection: &'a mut Connection,
    counts: &'a mut Counts,
}

impl Case<'_> {
    fn run(self, asked: &[(u8, u8, u8)]) -> Result<(), TestCaseError> {
        self.counts.cases += 1;
        self.connection.batch_execute(&self.world.inserted(DIALECT)).map_err(failed)?;
        let library = self.policies.leaked(DIALECT);
        for (index, (table, permission, row)) in asked.iter().enumerate() {
            let table = usize::from(*table) % TABLES.len();
            let permission = usize::from(*permission) % PERMISSIONS.len();
            let rows = &self.world.tables[table];
            for person in self.people {
                let expected: BTreeSet<i32> = (0..)
                    .zip(rows)
                    .filter(|(_, row)| is_allowed(self.policies, self.world, (table, row), person, permission))
                    .map(|(number, _)| number)
                    .collect();
                self.counts.rows += rows.len();
                self.counts.allowed += expected.len();
                self.counts.denied += rows.len() - expected.len();
                let subject = person.user();
                let question = Question {
                    table,
                    policy: library[table],
                    subject: &subject,
                    permission: PERMISSIONS[permission],
                };
                let context = || format!("{} of {}: {person:?}", PERMISSIONS[permission], TABLES[table].name);
                let connection = &mut *self.connection;
                prop_assert_eq!(&connection.listed(question).map_err(failed)?, &expected, "list, {}", context());
                prop_assert_eq!(&connection.selected(question).map_err(failed)?, &expected, "rows, {}", context());
                let updated = connection.all_updated(question).map_err(failed)?;
                prop_assert_eq!(updated, expected.len(), "UPDATE of all, {}", context());
                let Some(sample) = usize::from(*row).checked_rem(rows.len()) else { continue };
                let sample = i32::try_from(sample).unwrap();
                let found = connection.found(question, sample).map_err(failed)?;
                prop_assert_eq!(found, expected.contains(&sample), "row {}, {}", sample, context());
                let updated = connection.updated(question, sample).map_err(failed)?;
                prop_assert_eq!(updated, usize::from(found), "UPDATE of row {}, {}", sample, context());
                // What it deletes, nobody asks about any more.
                if index + 1 == asked.len() {
                    let deleted = connection.deleted(question, sample).map_err(failed)?;
                    prop_assert_eq!(deleted, usize::from(found), "DELETE of row {}, {}", sample, context());
                    break;
                }
            }
        }
        Ok(())
    }
}

fn failed(error: Error) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}
