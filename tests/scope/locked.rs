//! A list that locks the rows that it finds.

use auth_core::{Permission, Scoped as _, User};
use diesel::{Connection as _, connection::SimpleConnection as _, prelude::*, result::Error};

use super::{
    Connection, DIALECT, SERVER,
    service::{Sensor, sensors},
};
use crate::{database, services::created};

/// Account 1 has the sensors 1 and 2, account 9 the sensor 3.
const SERVICE: &str = "
    INSERT INTO accounts VALUES (1, NULL, FALSE, NULL, ''), (9, NULL, FALSE, NULL, '');
    INSERT INTO assets VALUES ('roof', 1, NULL, NULL), ('cellar', 9, NULL, NULL);
    INSERT INTO sensors VALUES (1, 'roof'), (2, 'roof'), (3, 'cellar');
";

#[test]
fn a_list_locks_its_rows_until_the_transaction_ends() {
    let Some((mut connection, place)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    connection.batch_execute(SERVICE).unwrap();
    let other = &mut database::connect::<Connection>(SERVER, &place).unwrap();
    let user = User::new(7).with_account(1);
    let list = || Sensor::accessible_by(&user, Permission::READ).order(sensors::id).select(sensors::id);
    let unlocked = |other: &mut Connection| list().for_update().skip_locked().load::<i64>(other);
    // Compared behind the transaction, which the database's end would wait for.
    let seen = connection.transaction(|connection| {
        let held = list().for_update().filter(sensors::id.ne(2)).load::<i64>(connection)?;
        let waiting = list().find(1).for_update().no_wait().first::<i64>(other);
        Ok::<_, Error>((held, waiting, unlocked(other)?, list().load::<i64>(other)?))
    });
    let (held, waiting, others, read) = seen.unwrap();
    assert_eq!(held, [1]);
    assert!(matches!(waiting, Err(Error::DatabaseError(..))), "{waiting:?}");
    assert!(!others.contains(&1), "{others:?}");
    // Without a clause, it does not wait.
    assert_eq!(read, [1, 2]);
    assert_eq!(unlocked(other), Ok(vec![1, 2]));
}
