//! Derived models decide alike in a list, about a row in the database, about a loaded row and in an explanation.

use std::{cell::RefCell, collections::BTreeSet};

use auth_core::{AllowReason, Decision, DenyReason, LoadError, Permission};
use diesel::{Connection as _, connection::SimpleConnection as _, result::Error};
use proptest::{
    collection::vec,
    prelude::{TestCaseError, prop_assert, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{
    Connection, DIALECT, SERVER,
    service::{Account, Asset, Sensor},
};
use crate::{
    database,
    person::{Person, person},
    services::{Model, PERMISSIONS, Service, created, service},
};

#[test]
fn every_way_to_ask_a_derived_model_decides_alike() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    let (connection, counts) = (RefCell::new(connection), RefCell::new((0, 0)));
    let config = Config { failure_persistence: None, ..Config::default() };
    // A quarter, because each runs every kind of decision.
    let config = Config { cases: config.cases.div_ceil(4), ..config };
    let result = TestRunner::new(config).run(&(service(), vec(person(), 2)), |(service, people)| {
        let mut connection = connection.borrow_mut();
        let mut result = Ok(());
        let rolled_back = connection.transaction(|connection| {
            result = compare(connection, &service, &people, &mut counts.borrow_mut());
            Err::<(), _>(Error::RollbackTransaction)
        });
        result?;
        prop_assert_eq!(rolled_back, Err(Error::RollbackTransaction));
        Ok(())
    });
    let (allowed, denied) = counts.into_inner();
    println!("{DIALECT:?}, derived: {allowed} allowed, {denied} denied");
    result.unwrap();
    assert!(allowed > 0 && denied > 0, "{allowed} allowed, {denied} denied");
}

fn compare(
    connection: &mut Connection,
    service: &Service,
    people: &[Person],
    counts: &mut (usize, usize),
) -> Result<(), TestCaseError> {
    connection.batch_execute(&service.inserted()).map_err(failed)?;
    for person in people {
        for permission in PERMISSIONS {
            let mut asked = Asked { connection, person, permission, counts };
            let accounts = service.accounts.iter();
            asked.compare::<Account>(
                accounts.map(|row| (row.id, Service::grants_account(row, person, permission))),
                &-1,
            )?;
            let assets = service.assets.iter();
            asked.compare::<Asset>(
                assets.map(|row| (row.id.to_owned(), service.grants_asset(row, person, permission))),
                &"nowhere".to_owned(),
            )?;
            let sensors = service.sensors.iter();
            asked.compare::<Sensor>(
                sensors.map(|row| (row.id, service.grants_sensor(row, person, permission))),
                &-1,
            )?;
        }
    }
    Ok(())
}

struct Asked<'a> {
    connection: &'a mut Connection,
    person: &'a Person,
    permission: Permission,
    counts: &'a mut (usize, usize),
}

impl Asked<'_> {
    /// The rows, and whether their policy grants the permission.
    fn compare<M: Model<Connection>>(
        &mut self,
        rows: impl Iterator<Item = (M::Id, bool)>,
        missing: &M::Id,
    ) -> Result<(), TestCaseError> {
        let Self { connection, person, permission, counts } = self;
        let (subject, permission) = (person.user(), *permission);
        let mut expected = BTreeSet::new();
        for (id, granted) in rows {
            let decision = match person.stands_above(permission) {
                Some(reason) => Decision::Allow(reason),
                None if granted => Decision::Allow(AllowReason::Match),
                None => Decision::Deny(DenyReason::NoMatch),
            };
            let about = || format!("{permission} of {id:?} for {person:?}");
            let checked = M::checked(connection, &subject, &id, permission).map_err(failed)?;
            prop_assert_eq!(checked, decision, "check_access, {}", about());
            let explained = M::explained(connection, &subject, &id, permission).map_err(failed)?;
            prop_assert_eq!(explained.decision(), decision, "explain, {}", about());
            let matched = explained.alternatives().iter().any(auth_core::Alternative::matched);
            prop_assert_eq!(matched, granted, "{} for {}", explained, about());
            for alternative in explained.alternatives() {
                prop_assert_eq!(alternative.failed().is_empty(), alternative.matched(), "{}", explained);
            }
            if let Some((by_itself, explained_by_itself)) =
                M::decided(connection, &subject, &id, permission).map_err(failed)?
            {
                prop_assert_eq!(by_itself, decision, "by itself, {}", about());
                prop_assert_eq!(explained_by_itself, explained, "explained by itself, {}", about());
            }
            if decision.is_allowed() {
                counts.0 += 1;
                expected.insert(id);
            } else {
                counts.1 += 1;
            }
        }
        let listed = M::listed(connection, &subject, permission).map_err(failed)?;
        prop_assert_eq!(listed, expected, "list, {} for {:?}", permission, person);
        let is_missing = |found: Option<LoadError>| matches!(found, Some(LoadError::NotFound));
        prop_assert!(is_missing(M::checked(connection, &subject, missing, permission).err()));
        prop_assert!(is_missing(M::explained(connection, &subject, missing, permission).err()));
        prop_assert!(is_missing(M::decided(connection, &subject, missing, permission).err()));
        Ok(())
    }
}

fn failed(error: impl std::fmt::Debug) -> TestCaseError {
    TestCaseError::fail(format!("{error:?}"))
}
