//! Stored values that a field cannot hold: a guard, a list, a condition, a decision, an explanation and a change agree
//! about them.

use std::{cell::RefCell, collections::BTreeSet};

use actix_web::rt::System;
use auth_core::{AccessError, LoadContext, LoadError, Permission, Scoped as _, Stored as _};
use diesel::{connection::SimpleConnection as _, prelude::*};
use proptest::{
    prelude::{TestCaseError, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{
    Connection, DIALECT, SERVER,
    guarded::{ByHand, Lent, Number, guard, numbers},
    in_transaction,
};
use crate::{
    database,
    held::{
        Affinity, Literal, Numbers, SUBJECTS, Subject, grants, loads, numbers as any_numbers,
        numbers_created, numbers_inserted, user,
    },
};

const PERMISSIONS: [Permission; 4] =
    [Permission::READ, Permission::UPDATE, Permission::DELETE, Permission::CREATE_CHILDREN];

#[test]
fn a_value_that_a_field_cannot_hold_is_decided_alike_everywhere() {
    let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let connection = Lent::of(connection);
    let counts = RefCell::new((0, 0));
    let config = Config { failure_persistence: None, ..Config::default() };
    let config = Config { cases: config.cases.div_ceil(4), ..config };
    let subjects = proptest::sample::subsequence(&SUBJECTS[..], 2);
    let result =
        TestRunner::new(config).run(&(any_numbers(DIALECT), subjects), |((affinity, rows), subjects)| {
            let created = numbers_created(DIALECT, affinity) + &numbers_inserted(DIALECT, &rows);
            connection.with(|connection| connection.batch_execute(&created)).map_err(failed)?;
            for subject in subjects {
                compare(&connection, affinity, &rows, subject, &mut counts.borrow_mut())?;
            }
            Ok(())
        });
    let (allowed, denied) = counts.into_inner();
    println!("{DIALECT:?}, values: {allowed} allowed, {denied} denied");
    result.unwrap();
    assert!(allowed > 0 && denied > 0, "{allowed} allowed, {denied} denied");
}

fn compare(
    connection: &Lent,
    affinity: Affinity,
    rows: &[Numbers],
    subject: Subject,
    counts: &mut (usize, usize),
) -> Result<(), TestCaseError> {
    let user = user(subject);
    for (number, permission) in PERMISSIONS.into_iter().enumerate() {
        let about = || format!("{permission} for {subject:?} with {affinity:?}");
        let granted = |row: &Numbers| grants(affinity, row, subject, number);
        let expected: BTreeSet<i32> =
            (1..).zip(rows).filter(|(_, row)| granted(row)).map(|(id, _)| id).collect();
        counts.0 += expected.len();
        counts.1 += rows.len() - expected.len();
        let (listed, selected, updated) = connection.with(|connection| {
            let listed = Number::accessible_by(&user, permission).select(numbers::id).load(connection);
            let selected = numbers::table.filter(Number::scope(&user, permission));
            let selected = selected.select(numbers::id).load(connection);
            let updated = diesel::update(numbers::table)
                .filter(Number::scope(&user, permission))
                .set(numbers::touched.eq(numbers::touched + 1))
                .execute(connection);
            (listed, selected, updated)
        });
        let ids = |found: QueryResult<Vec<i32>>| -> Result<BTreeSet<i32>, TestCaseError> {
            Ok(found.map_err(failed)?.into_iter().collect())
        };
        prop_assert_eq!(&ids(listed)?, &expected, "list, {}", about());
        prop_assert_eq!(&ids(selected)?, &expected, "condition, {}", about());
        prop_assert_eq!(updated.map_err(failed)?, expected.len(), "change, {}", about());

        let one = |(id, _): (i32, &Numbers)| format!("/{number}/{id}");
        let mut paths: Vec<String> = (1..).zip(rows).map(one).collect();
        paths.extend((1..=rows.len()).map(|id| format!("/{number}?id={id}")));
        let all: Vec<String> = (1..=rows.len()).map(|id| format!("id={id}")).collect();
        paths.push(format!("/{number}?{}", all.join("&")));
        let answers = System::new().block_on(guard(connection, subject, &paths));
        for (index, (id, row)) in (1..).zip(rows).enumerate() {
            let granted = expected.contains(&id);
            // As a field that is not null, a null cannot be loaded.
            let status = match (loads(row), granted) {
                (false, _) => 503,
                (true, true) => 200,
                (true, false) => 403,
            };
            prop_assert_eq!(answers[index].0, status, "guard of {:?}, {}", row, about());
            prop_assert_eq!(answers[index + rows.len()].0, status, "guard of a list, {:?}, {}", row, about());
            let (decided, explained, authorized) = connection.with(|connection| {
                let decided = Number::check_access(connection, &user, id, permission);
                let explained = Number::explain(connection, &user, id, permission);
                let mut authorized = None;
                in_transaction(connection, |connection| {
                    authorized = Some(Number::authorize_for_update(connection, &user, id, permission));
                });
                (decided, explained, authorized.unwrap())
            });
            if !loads(row) {
                prop_assert_eq!(decided.is_err() && explained.is_err() && authorized.is_err(), true);
                continue;
            }
            prop_assert_eq!(
                decided.map_err(failed)?.is_allowed(),
                granted,
                "decision, {:?}, {}",
                row,
                about()
            );
            let explained = explained.map_err(failed)?;
            prop_assert_eq!(explained.decision().is_allowed(), granted, "{}, {:?}", explained, row);
            match authorized {
                Ok(_) => prop_assert_eq!(true, granted, "for a change, {:?}, {}", row, about()),
                Err(AccessError::Denied(_)) => prop_assert_eq!(false, granted, "{:?}, {}", row, about()),
                Err(error) => return Err(failed(error)),
            }
            // Code that has the row alone never decides about a value that is not there.
            if let Ok(row) = connection.with(|connection| <Number as LoadContext>::load(id, connection)) {
                let decision = auth_core::check_access(&user, &row, permission);
                prop_assert_eq!(decision.is_allowed(), granted, "in memory, {}", about());
            }
        }
        let all = if !rows.iter().all(loads) {
            503
        } else if expected.len() == rows.len() {
            200
        } else {
            403
        };
        prop_assert_eq!(answers[2 * rows.len()].0, all, "guard of all, {}", about());
    }
    Ok(())
}

/// Here code of the application decides, which sees no more than the row.
#[test]
fn a_row_for_a_list_by_hand_is_refused_where_it_is_not_what_is_stored() {
    let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let connection = Lent::of(connection);
    let plain = Literal::Integer(2);
    let closed =
        if DIALECT == database::Dialect::Sqlite { Literal::Integer(0) } else { Literal::Bool(false) };
    let mut rows = vec![([plain, plain, plain, closed, closed], 200)];
    // A column holds a number below zero like any other: these rows are loaded, and belong to another user.
    for value in [-1, -2, i64::from(i32::MIN)] {
        rows.push(([plain, Literal::Integer(value), plain, closed, closed], 403));
    }
    if DIALECT == database::Dialect::Sqlite {
        for value in [
            Literal::Integer(4_294_967_298),
            Literal::Integer(-4_294_967_294),
            Literal::Text("-2abc"),
            Literal::Real(-2.9),
            Literal::Text("2abc"),
            Literal::Real(2.9),
            Literal::Blob("2"),
            Literal::Null,
        ] {
            rows.push(([plain, value, plain, closed, closed], 503));
        }
        for value in [Literal::Integer(4_294_967_297), Literal::Real(1.5), Literal::Text("1abc")] {
            rows.push(([plain, plain, plain, value, closed], 503));
        }
        // Of another column than those of the row.
        rows.push(([Literal::Text("2abc"), plain, plain, closed, closed], 200));
    }
    let stored: Vec<Numbers> = rows.iter().map(|(row, _)| *row).collect();
    let created = numbers_created(DIALECT, Affinity::Number) + &numbers_inserted(DIALECT, &stored);
    connection.with(|connection| connection.batch_execute(&created)).unwrap();
    let ids = 1..=rows.len();
    let paths: Vec<String> = ids
        .clone()
        .map(|id| format!("/by-hand/{id}"))
        .chain(ids.map(|id| format!("/by-hand?id={id}")))
        .collect();
    let answers = System::new().block_on(guard(&connection, "2", &paths));
    for (index, (row, status)) in rows.iter().enumerate() {
        assert_eq!(answers[index].0, *status, "{row:?}");
        assert_eq!(answers[index + rows.len()].0, *status, "in a list, {row:?}");
    }
    if DIALECT == database::Dialect::Sqlite {
        let refused = connection.with(|connection| ByHand::load(5, connection));
        let Err(LoadError::Unavailable(error)) = refused else { panic!("it is loaded") };
        assert!(error.to_string().contains("the column `owner` of a row of "), "{error}");
    }
}

fn failed(error: impl std::fmt::Debug) -> TestCaseError {
    TestCaseError::fail(format!("{error:?}"))
}
