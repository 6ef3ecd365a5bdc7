//! Random changes, and new rows: each takes place exactly if the row as it was, each column that is set, and the row as it
//! becomes allow it; and then nothing else has changed.

use std::{cell::RefCell, collections::BTreeMap, fmt::Write as _};

use auth_core::{__private::NewValues, ChangeError, Permission, User};
use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _,
    connection::{CacheSize, SimpleConnection as _},
    result::Error,
    sql_types::{BigInt, Integer, Nullable},
};
use proptest::{
    collection::vec,
    prelude::{TestCaseError, any, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{Connection, DIALECT, SERVER};
use crate::{
    bound::{Binds, Bound},
    database::{self, Dialect},
    drafts::policies_of_changes,
    evaluate::{self, Outcome},
    models::{Ask, Question},
    moments::{NOWS, Time},
    person::{Person, person},
    policies::{Policies, Rule},
    tables::{TABLES, created},
    world::{Value, World, cell, literal, world},
};

type Backend = <Connection as Ask>::Backend;

/// A change, or a new row: the table, the row, and a pick for each column that is set.
#[derive(Clone, Debug)]
struct Drawn {
    table: u8,
    row: u8,
    columns: u16,
    picks: Vec<u8>,
}

#[test]
fn a_change_takes_place_exactly_if_each_rule_allows_it() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    let (connection, counts) = (RefCell::new(connection), RefCell::new(BTreeMap::new()));
    let config = Config { failure_persistence: None, max_shrink_iters: 1000, ..Config::default() };
    let drawn = (any::<(u8, u8, u16)>(), vec(any::<u8>(), 11));
    let drawn = proptest::strategy::Strategy::prop_map(drawn, |((table, row, columns), picks)| Drawn {
        table,
        row,
        columns,
        picks,
    });
    let cases = (world(DIALECT), vec(person(), 2), policies_of_changes(), vec(drawn, 6));
    let result = TestRunner::new(config).run(&cases, |(world, people, policies, drawn)| {
        let (mut connection, mut counts) = (connection.borrow_mut(), counts.borrow_mut());
        let mut result = Ok(());
        let rolled_back = connection.transaction(|connection| {
            result = run(connection, &world, &people, &policies, &drawn, &mut counts);
            Err::<(), _>(Error::RollbackTransaction)
        });
        result?;
        prop_assert_eq!(rolled_back, Err(Error::RollbackTransaction));
        Ok(())
    });
    let counts = counts.into_inner();
    println!("{DIALECT:?}, changes and new rows: {counts:?}");
    result.unwrap();
    for outcome in
        [Outcome::Done, Outcome::Missing, Outcome::Denied, Outcome::DeniedColumn, Outcome::DeniedResult]
    {
        assert!(counts.contains_key(&("change", outcome)), "{outcome:?}");
    }
    assert!(counts.contains_key(&("create", Outcome::Done)), "{counts:?}");
    assert!(counts.contains_key(&("create", Outcome::DeniedResult)), "{counts:?}");
}

type Counts = BTreeMap<(&'static str, Outcome), usize>;

fn run(
    connection: &mut Connection,
    world: &World,
    people: &[Person],
    policies: &Policies,
    drawn: &[Drawn],
    counts: &mut Counts,
) -> Result<(), TestCaseError> {
    connection.batch_execute(&world.inserted(DIALECT)).map_err(fail)?;
    let library = policies.leaked(DIALECT);
    for person in people {
        let subject = person.user();
        for Drawn { table, row, columns, picks } in drawn {
            let table = usize::from(*table) % TABLES.len();
            let question =
                Question { table, policy: library[table], subject: &subject, permission: Permission::UPDATE };
            let mut case = Case { connection, world, policies, person, question, counts };
            let columns: Vec<usize> =
                (1..TABLES[table].columns.len()).filter(|index| (columns >> index) & 1 == 1).collect();
            case.change(usize::from(row % 6), &columns, picks)?;
            case.create(&columns, picks)?;
        }
    }
    Ok(())
}

struct Case<'a> {
    connection: &'a mut Connection,
    world: &'a World,
    policies: &'a Policies,
    person: &'a Person,
    question: Question<'a>,
    counts: &'a mut Counts,
}

impl Case<'_> {
    fn change(&mut self, row: usize, columns: &[usize], picks: &[u8]) -> Result<(), TestCaseError> {
        let table = self.question.table;
        let mut after = self.world.clone();
        let mut bound = Vec::new();
        for column in columns {
            let value = cell(DIALECT, &TABLES[table], row, *column, picks[*column]);
            bound.push((*column, Backend::bound(TABLES[table].columns[*column].kind, &value)));
            if let Some(row) = after.tables[table].get_mut(row) {
                row[*column] = value;
            }
        }
        let expected =
            evaluate::changed(self.policies, (self.world, &after), table, row, self.person, columns);
        let after = if expected == Outcome::Done { &after } else { self.world };
        self.check("change", expected, after, |connection, question| {
            connection.changed(question, i32::try_from(row).unwrap(), values(table, &bound))
        })
    }

    /// Columns that have no default are given in any case.
    fn create(&mut self, columns: &[usize], picks: &[u8]) -> Result<(), TestCaseError> {
        let table = self.question.table;
        let mut after = self.world.clone();
        let number = after.tables[table].len();
        let mut bound = Vec::new();
        let mut row = Vec::new();
        for (index, column) in TABLES[table].columns.iter().enumerate() {
            let is_given = !column.nullable || columns.contains(&index);
            let value = if is_given {
                cell(DIALECT, &TABLES[table], number, index, picks[index])
            } else {
                Value::Null
            };
            if is_given {
                bound.push((index, Backend::bound(column.kind, &value)));
            }
            row.push(value);
        }
        after.tables[table].push(row);
        let expected = evaluate::created(self.policies, &after, table, number, self.person);
        let after = if expected == Outcome::Done { &after } else { self.world };
        let n = i32::try_from(number).unwrap();
        self.check("create", expected, after, |connection, question| {
            let mut values = values(table, &bound);
            values.set::<Integer, _>("n", &n);
            let created = connection.created(question, values)?;
            assert_eq!(created, n);
            Ok(())
        })
    }

    /// Runs it, and looks at all rows of the table.
    fn check(
        &mut self,
        what: &'static str,
        expected: Outcome,
        after: &World,
        run: impl FnOnce(&mut Connection, Question<'_>) -> Result<(), ChangeError>,
    ) -> Result<(), TestCaseError> {
        let Self { connection, question, .. } = self;
        let mut found = None;
        let rolled_back = connection.transaction::<(), Error, _>(|connection| {
            let result = run(connection, *question);
            let rows: Vec<Count> = diesel::sql_query(as_expected(after, question.table)).load(connection)?;
            found = Some((result, rows[0].rows, rows[0].right));
            Err(Error::RollbackTransaction)
        });
        let Some((result, rows, right)) = found else {
            return Err(fail(format!("{what}, {:?}: {rolled_back:?}", self.person)));
        };
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(ChangeError::NotFound) => Outcome::Missing,
            Err(ChangeError::Denied) => Outcome::Denied,
            Err(ChangeError::DeniedColumn { .. }) => Outcome::DeniedColumn,
            Err(ChangeError::DeniedResult) => Outcome::DeniedResult,
            Err(error) => return Err(fail(format!("{what}: {error:?}"))),
        };
        prop_assert_eq!(outcome, expected, "{} of {:?}", what, self.person);
        let all = i64::try_from(after.tables[self.question.table].len()).unwrap();
        prop_assert_eq!((rows, right), (all, Some(all).filter(|all| *all > 0)), "rows after a {}", what);
        *self.counts.entry((what, outcome)).or_default() += 1;
        Ok(())
    }
}

fn values(table: usize, bound: &[(usize, Bound)]) -> NewValues<'_, Backend> {
    let mut values = NewValues::none();
    for (column, value) in bound {
        Backend::set(&mut values, TABLES[table].columns[*column].name, value);
    }
    values
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt, column_name = rows_)]
    rows: i64,
    /// Null of no rows.
    #[diesel(sql_type = Nullable<BigInt>, column_name = right_)]
    right: Option<i64>,
}

/// How many rows there are, and how many are those of the world.
fn as_expected(world: &World, table: usize) -> String {
    let is = match DIALECT {
        Dialect::Sqlite => "IS",
        #[cfg(feature = "postgres")]
        Dialect::Postgres => "IS NOT DISTINCT FROM",
        #[cfg(feature = "mysql")]
        Dialect::Mysql => "<=>",
    };
    let mut cases = String::new();
    for (number, row) in world.tables[table].iter().enumerate() {
        write!(cases, " WHEN n = {number} AND touched = 0").unwrap();
        for (value, column) in row.iter().zip(TABLES[table].columns) {
            let name = DIALECT.quoted(column.name);
            write!(cases, " AND {name} {is} {}", literal(DIALECT, column.kind, value)).unwrap();
        }
        cases.push_str(" THEN 1");
    }
    let right = if cases.is_empty() { "0".to_owned() } else { format!("CASE{cases} ELSE 0 END") };

    let sum = match DIALECT {
        #[cfg(feature = "mysql")]
        Dialect::Mysql => format!("CAST(SUM({right}) AS SIGNED)"),
        _ => format!("SUM({right})"),
    };
    format!("SELECT COUNT(*) AS rows_, {sum} AS right_ FROM {}", TABLES[table].name)
}

fn fail(error: impl std::fmt::Debug) -> TestCaseError {
    TestCaseError::fail(format!("{error:?}"))
}

/// A right that comes down a tree to the parent of a new row, in a circle of rows.
#[test]
fn a_new_row_is_judged_by_a_walk_that_begins_behind_its_parent() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    let (devices, publish_all) = (3, 5);
    let id = |number| cell(DIALECT, &TABLES[devices], number, 0, 0);
    let row = |id, part_of, ends| vec![id, part_of, Value::Null, Value::Null, Value::Null, ends];
    let reached = Value::Time(Time::of(DIALECT, 0));
    let rows =
        vec![row(id(0), id(3), reached), row(id(1), id(0), Value::Null), row(id(2), id(0), Value::Null)];
    let world = World { tables: [Vec::new(), Vec::new(), Vec::new(), rows] };
    connection.batch_execute(&world.inserted(DIALECT)).unwrap();
    let on_parent = || Rule::Related(1, Box::new(Rule::Granted(publish_all)));
    let mut policies = Policies::none();
    policies.granting[devices][publish_all] =
        vec![Rule::Any(vec![Rule::Since(5), Rule::All(vec![on_parent(), Rule::Until(5)])])];
    policies.becoming[devices] = Some(Rule::All(vec![on_parent(), Rule::IsNull(4)]));
    let subject = User::new(1).at(NOWS[0].time());
    let question = Question {
        table: devices,
        policy: policies.leaked(DIALECT)[devices],
        subject: &subject,
        permission: Permission::UPDATE,
    };
    let bound =
        [0, 1].map(|index| (index, Backend::bound(TABLES[devices].columns[index].kind, &id(3 - index))));
    let mut values = values(devices, &bound);
    values.set::<Integer, _>("n", &3);
    assert_eq!(connection.created(question, values).unwrap(), 3);
}

/// Of a key that the values leave out, and that is none of one number, `MariaDB` could only guess the new row.
#[cfg(feature = "mysql")]
#[test]
fn a_new_row_is_found_by_its_own_key_alone() {
    if DIALECT != Dialect::Mysql {
        return;
    }
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let made = "
        CREATE TABLE counted (id INTEGER PRIMARY KEY AUTO_INCREMENT);
        INSERT INTO counted VALUES (2);
        CREATE TABLE devices (n INTEGER PRIMARY KEY DEFAULT 9, owner VARBINARY(16));
        INSERT INTO devices VALUES (2, x'61');";
    connection.batch_execute(made).unwrap();
    // The number that this connection remembers.
    connection.batch_execute("INSERT INTO counted VALUES (NULL), (NULL); DELETE FROM counted").unwrap();
    connection
        .batch_execute("ALTER TABLE counted AUTO_INCREMENT = 2; INSERT INTO counted VALUES (NULL)")
        .unwrap();
    let subject = User::new(1);
    let question = Question {
        table: 3,
        policy: Policies::none().leaked(DIALECT)[3],
        subject: &subject,
        permission: Permission::UPDATE,
    };
    let owner = Backend::bound(TABLES[3].columns[2].kind, &Value::Bytes(b"b".to_vec()));
    let created = connection.created(question, values(3, &[(2, owner)]));
    assert!(matches!(created, Err(ChangeError::Failed(_))), "{created:?}");
    let rows: Vec<Count> = diesel::sql_query("SELECT COUNT(*) AS rows_, NULL AS right_ FROM devices")
        .load(&mut connection)
        .unwrap();
    assert_eq!(rows[0].rows, 1, "nothing stays");
}
