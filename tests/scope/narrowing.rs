//! An addition to a scoped query or change narrows it down, also raw SQL, and nodes of the application's own.

use std::collections::BTreeSet;

use actix_web::{FromRequest as _, test::TestRequest};
use auth_core::{
    Accessible, Auth, Permission, Scoped as _, User,
    permission::{Read, Update},
    test::AlwaysAs,
};
use diesel::{
    connection::SimpleConnection as _,
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};
use energy_service::test::TestDatabase;

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

/// Each is true of a sensor of account 9, and joined by `AND` to the text before it, it would be an alternative to that.
const ALTERNATIVES: [&str; 5] = [
    "sensors.id = 1 OR sensors.id = 3",
    "1 = 0 OR 1 = 1",
    "NOT sensors.id = 1 OR sensors.id = 1",
    "sensors.id = 1 OR sensors.id = 2 AND 1 = 1 OR sensors.id = 3",
    "(sensors.id = 1) OR (sensors.id = 3)",
];

// An operator of the application's own, which diesel writes without parentheses.
diesel::infix_operator!(Either, " OR ");

/// May read and change the rows of account 1.
fn operator() -> User {
    User::new(7).with_account(1).with_roles(["operator"])
}

fn service() -> Option<(Connection, TestDatabase)> {
    let (mut connection, place) = database::open::<Connection>(SERVER)?;
    connection.batch_execute(&created(DIALECT)).unwrap();
    connection.batch_execute(SERVICE).unwrap();
    Some((connection, place))
}

#[test]
fn an_alternative_in_a_filter_of_a_list_is_none_to_its_policy() {
    let Some((mut connection, _place)) = service() else { return };
    let connection = &mut connection;
    let list = || Sensor::accessible_by(&operator(), Permission::READ);
    let ids = |found: QueryResult<Vec<Sensor>>| -> BTreeSet<i64> {
        found.unwrap().into_iter().map(|sensor| sensor.id).collect()
    };
    for raw in ALTERNATIVES {
        let found = ids(list().filter(sql::<Bool>(raw)).load(connection));
        assert!(!found.is_empty() && found.is_subset(&BTreeSet::from([1, 2])), "{raw}: {found:?}");
        let count = list().filter(sql::<Bool>(raw)).count().get_result(connection);
        assert_eq!(count, Ok(i64::try_from(found.len()).unwrap()), "{raw}");
        // Between others, on a page, and of other columns.
        let page = list()
            .filter(sensors::id.gt(0))
            .filter(sql::<Bool>(raw))
            .filter(sensors::id.lt(9))
            .order(sensors::id)
            .limit(9)
            .offset(0);
        assert_eq!(ids(page.load(connection)), found, "{raw}");
        let selected = list().filter(sql::<Bool>(raw)).select(sensors::id).load::<i64>(connection).unwrap();
        assert_eq!(BTreeSet::from_iter(selected), found, "{raw}");
        // Two of them are both to be true.
        let both = list().filter(sql::<Bool>(raw)).filter(sql::<Bool>("sensors.id = 1 OR sensors.id = 3"));
        assert_eq!(ids(both.load(connection)), &found & &BTreeSet::from([1, 3]), "{raw}");
    }
    for raw in ALTERNATIVES {
        // As a subselect.
        let filtered = list().filter(sql::<Bool>(raw)).select(sensors::id);
        let among = sensors::table.filter(sensors::id.eq_any(filtered)).select(Sensor::as_select());
        assert!(ids(among.load(connection)).is_subset(&BTreeSet::from([1, 2])), "{raw}");
        let cellar = || list().filter(sensors::id.eq(3));
        let exists = diesel::select((cellar().exists_where(sql::<Bool>(raw)), cellar().exists()));
        assert_eq!(exists.get_result(connection), Ok((false, false)), "{raw}");
    }
    let key = sql::<BigInt>("1 OR 1 = 1");
    assert!(ids(list().find(key).load(connection)).is_subset(&BTreeSet::from([1, 2])));
    let bound = sql::<Bool>("sensors.id = ").bind::<BigInt, _>(1).sql(" OR sensors.asset_id = ");
    let bound = bound.bind::<Text, _>("cellar");
    assert_eq!(ids(list().filter(bound).load(connection)), BTreeSet::from([1]));
    let either = Either::new(sensors::id.eq(2), sensors::asset_id.eq("cellar"));
    assert_eq!(ids(list().filter(either).load(connection)), BTreeSet::from([2]));
}

#[actix_web::test]
async fn nor_is_it_in_what_an_extractor_hands_to_a_handler() {
    let Some((mut connection, _place)) = service() else { return };
    let auth = Auth::builder().mechanism(AlwaysAs(operator())).build().unwrap();
    let request = TestRequest::default().app_data(auth).to_http_request();
    let listed = Accessible::<Sensor, Read>::extract(&request).await.unwrap();
    for raw in ALTERNATIVES {
        let found: Vec<Sensor> = listed.query().filter(sql::<Bool>(raw)).load(&mut connection).unwrap();
        assert!(!found.is_empty() && found.iter().all(|sensor| sensor.id < 3), "{raw}: {found:?}");
    }
}

#[test]
fn nor_is_it_in_a_change() {
    let Some((mut connection, _place)) = service() else { return };
    let connection = &mut connection;
    let ids = |connection: &mut Connection, asset: &str| -> Vec<i64> {
        let found = sensors::table.filter(sensors::asset_id.eq(asset.to_owned()));
        found.select(sensors::id).order(sensors::id).load(connection).unwrap()
    };
    for raw in ALTERNATIVES {
        let rows = |permission| Sensor::changeable_by(&operator(), permission).filter(sql::<Bool>(raw));
        let changed =
            diesel::update(rows(Permission::UPDATE)).set(sensors::asset_id.eq("roof")).execute(connection);
        assert!(matches!(changed, Ok(1 | 2)), "{raw}: {changed:?}");
        assert_eq!(ids(connection, "cellar"), [3], "{raw}");
        let one = diesel::update(rows(Permission::UPDATE).find(3)).set(sensors::asset_id.eq("roof"));
        assert_eq!(one.execute(connection), Ok(0), "{raw}");
        let rest = diesel::delete(rows(Permission::DELETE).filter(sensors::id.ne(1)));
        assert!(matches!(rest.execute(connection), Ok(0 | 1)), "{raw}");
        assert_eq!(ids(connection, "cellar"), [3], "{raw}");
        connection.batch_execute("DELETE FROM sensors WHERE id = 2").unwrap();
        connection.batch_execute("INSERT INTO sensors VALUES (2, 'roof')").unwrap();
    }
    // Values and filters that are borrowed, bound, or nodes of the application's own.
    let name = String::from("cellar");
    let bound = sql::<Bool>("sensors.id = ").bind::<BigInt, _>(1).sql(" OR sensors.asset_id = ");
    let bound = bound.bind::<Text, _>(name.as_str());
    let change = Sensor::changeable_by(&operator(), Permission::UPDATE).filter(bound);
    assert_eq!(diesel::update(change).set(sensors::asset_id.eq("roof")).execute(connection), Ok(1));
    let either = Either::new(sensors::id.eq(2), sensors::asset_id.eq(name.as_str()));
    let change = Sensor::changeable_by(&operator(), Permission::UPDATE).filter(either);
    assert_eq!(diesel::update(change).set(sensors::asset_id.eq("roof")).execute(connection), Ok(1));
    assert_eq!(ids(connection, "cellar"), [3]);
}

#[test]
fn a_comment_in_a_value_does_not_reach_the_condition_of_a_change() {
    let Some((mut connection, _place)) = service() else { return };
    let attic = || sensors::asset_id.eq(sql::<Text>("'attic' -- for now"));
    for subject in [User::new(8), operator()] {
        let change = Sensor::changeable_by(&subject, Permission::UPDATE).find(3);
        assert_eq!(diesel::update(change).set(attic()).execute(&mut connection), Ok(0));
    }
    let change = Sensor::changeable_by(&operator(), Permission::UPDATE);
    assert_eq!(diesel::update(change).set(attic()).execute(&mut connection), Ok(2));
}

/// Without binds, this would be a whole statement for `SQLite`, without the condition, which the comment hides.
#[test]
fn nor_does_a_comment_that_a_value_leaves_open() {
    let Some((mut connection, _place)) = service() else { return };
    let attic = sensors::asset_id.eq(sql::<Text>("'attic' /* for now"));
    let change = Sensor::changeable_by(&User::new(8), Permission::new("nobody-has-it"));
    let changed = diesel::update(change).set(attic).execute(&mut connection);
    assert!(!changed.as_ref().is_ok_and(|rows| *rows > 0), "{changed:?}");
}

#[actix_web::test]
async fn an_extractor_hands_over_what_its_caller_may_change() {
    let Some((mut connection, _place)) = service() else { return };
    let auth = Auth::builder().mechanism(AlwaysAs(operator())).build().unwrap();
    let request = TestRequest::default().app_data(auth).to_http_request();
    let rows = Accessible::<Sensor, Update>::extract(&request).await.unwrap();
    let change = |id| diesel::update(rows.target().find(id)).set(sensors::asset_id.eq("roof"));
    assert_eq!(change(1).execute(&mut connection), Ok(1));
    assert_eq!(change(3).execute(&mut connection), Ok(0));
}
