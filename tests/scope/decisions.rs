//! Random worlds, subjects and policies: in each form, the database finds the rows that follow from the documentation.

use std::{cell::RefCell, collections::BTreeSet, fmt::Display};

use diesel::{
    Connection as _,
    connection::{CacheSize, SimpleConnection as _},
    result::Error,
};
use proptest::{
    collection::vec,
    prelude::{TestCaseError, any, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{Connection, DIALECT, SERVER};
use crate::{
    database,
    drafts::policies,
    evaluate::{allowed, allowed_if_there},
    models::{Ask as _, Question},
    person::{Person, one_of_each_id, person},
    policies::{PERMISSIONS, Policies, Rule},
    tables::{Column, Kind, TABLES, Table, created},
    world::{Value, World, every_value, texts, world},
};

#[test]
fn every_form_of_a_policy_finds_the_same_rows() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    // No statement comes twice, and a server keeps so many.
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    let (connection, counts) = (RefCell::new(connection), RefCell::new(Counts::default()));
    // `PROPTEST_CASES` sets the number of cases.
    let config = Config { failure_persistence: None, max_shrink_iters: 1000, ..Config::default() };
    let cases = (world(DIALECT), vec(person(), 2), policies(), vec(any::<(u8, u8, u8)>(), 5));
    let result = TestRunner::new(config).run(&cases, |(world, people, policies, asked)| {
        let (mut connection, mut counts) = (connection.borrow_mut(), counts.borrow_mut());
        let mut result = Ok(());
        // The writes of a case are never committed, which would take a disk its time.
        let rolled_back = connection.transaction(|connection| {
            result =
                Case { world: &world, people: &people, policies: &policies, connection, counts: &mut counts }
                    .run(&asked);
            Err::<(), _>(Error::RollbackTransaction)
        });
        result?;
        prop_assert_eq!(rolled_back, Err(Error::RollbackTransaction));
        Ok(())
    });
    let counts = counts.into_inner();
    println!("{DIALECT:?}: {counts:?}");
    result.unwrap();
    assert!(counts.allowed > 0 && counts.denied > 0, "{counts:?}");
}

/// Where a database takes values for equal that are not, or an id does not fit a column.
#[test]
fn an_id_is_compared_to_the_letter() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let world = every_value(DIALECT);
    connection.batch_execute(&created(DIALECT)).unwrap();
    connection.batch_execute(&world.inserted(DIALECT)).unwrap();
    let mut matches = 0;
    for (table, Table { name, columns, .. }) in TABLES.iter().enumerate() {
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| column.kind.is_id()) {
            let policies = Policies::of(table, Rule::User(index), Rule::Account(index));
            let policy = policies.leaked(DIALECT)[table];
            for person in one_of_each_id() {
                for permission in [0, 1] {
                    let expected = allowed(&policies, &world, table, &person, permission);
                    let question = Question {
                        table,
                        policy,
                        subject: &person.user(),
                        permission: PERMISSIONS[permission],
                    };
                    let about = || format!("`{}` of {name}: {person:?}", column.written);
                    assert_eq!(connection.listed(question).unwrap(), expected, "list, {}", about());
                    assert_eq!(connection.selected(question).unwrap(), expected, "rows, {}", about());
                    matches += expected.len();
                }
            }
        }
    }
    assert!(matches > 0);
}

/// Where a condition beside the rule finds it, a row that the rule's own value only equals by collation stays closed:
/// `MariaDB` concludes from `x = 'Ä'` that `x = 'a'` is met, and forgets it.
#[test]
fn a_condition_beside_a_rule_opens_nothing() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let world = every_value(DIALECT);
    connection.batch_execute(&created(DIALECT)).unwrap();
    connection.batch_execute(&world.inserted(DIALECT)).unwrap();
    let mut matches = 0;
    for (table, Table { name, columns, .. }) in TABLES.iter().enumerate() {
        let nullable = columns.iter().rposition(|column| column.nullable).unwrap();
        let is_text = |column: &Column| matches!(column.kind, Kind::Text | Kind::NoCase);
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| is_text(column)) {
            for value in texts() {
                let alternative =
                    Rule::All(vec![Rule::Is(index, vec![Value::Text("")]), Rule::IsNull(nullable)]);
                let rule = Rule::Any(vec![alternative, Rule::User(index)]);
                let mut policies = Policies::of(table, rule.clone(), rule);
                policies.rows[table] = Some(Rule::Is(index, vec![value.clone()]));
                let policy = policies.leaked(DIALECT)[table];
                for person in one_of_each_id() {
                    let expected = allowed(&policies, &world, table, &person, 0);
                    let question =
                        Question { table, policy, subject: &person.user(), permission: PERMISSIONS[0] };
                    let about = || format!("`{}` of {name}, {value:?}: {person:?}", column.written);
                    assert_eq!(connection.listed(question).unwrap(), expected, "list, {}", about());
                    assert_eq!(connection.selected(question).unwrap(), expected, "rows, {}", about());
                    matches += expected.len();
                }
            }
        }
    }
    assert!(matches > 0);
}

/// The comparisons. Each row is decided about in four ways, and one of them in four more.
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
                let expected = allowed(self.policies, self.world, table, person, permission);
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
                prop_assert_eq!(
                    &connection.listed(question).map_err(failed)?,
                    &expected,
                    "list, {}",
                    context()
                );
                prop_assert_eq!(
                    &connection.walked(question).map_err(failed)?,
                    &expected,
                    "list row by row, {}",
                    context()
                );
                prop_assert_eq!(
                    &connection.selected(question).map_err(failed)?,
                    &expected,
                    "rows, {}",
                    context()
                );
                prop_assert_eq!(
                    &connection.answered(question).map_err(failed)?,
                    &expected,
                    "column, {}",
                    context()
                );
                // Several at once, as there may be alternatives that they have in common.
                let several =
                    [permission, permission + 1, permission + 3].map(|index| index % PERMISSIONS.len());
                let granted = connection.granted(question, &several.map(|index| PERMISSIONS[index]));
                let granted = granted.map_err(failed)?;
                for (place, permission) in several.into_iter().enumerate() {
                    let expected = allowed(self.policies, self.world, table, person, permission);
                    let found: BTreeSet<i32> =
                        granted.iter().filter(|(_, bits)| bits.holds(place)).map(|(row, _)| *row).collect();
                    prop_assert_eq!(found, expected, "bit {} of {:?}, {}", place, several, context());
                }
                let updated = connection.all_updated(question).map_err(failed)?;
                prop_assert_eq!(updated, expected.len(), "UPDATE of all, {}", context());
                let Some(sample) = usize::from(*row).checked_rem(rows.len()) else { continue };
                let sample = i32::try_from(sample).unwrap();
                let found = connection.found(question, sample).map_err(failed)?;
                prop_assert_eq!(found, expected.contains(&sample), "row {}, {}", sample, context());
                let explained = connection.explained(question, sample).map_err(failed)?;
                // Which rows are there is a matter of the model, which has no such rule here.
                let granted = allowed_if_there(self.policies, self.world, table, person, permission);
                prop_assert_eq!(
                    explained,
                    granted.contains(&sample),
                    "explanation of row {}, {}",
                    sample,
                    context()
                );
                let updated = connection.updated(question, sample).map_err(failed)?;
                prop_assert_eq!(updated, usize::from(found), "UPDATE of row {}, {}", sample, context());
                // No later comparison needs the deleted rows.
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

fn failed(error: impl Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}
