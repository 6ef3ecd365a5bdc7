//! Times in columns of the types that one kind of database has.

macro_rules! times {
    ($connection:ident, $type:ty, $sql:literal) => {
        mod times {
            use std::time::{Duration, SystemTime};

            use auth_core::{AuthModel, Permission, Scoped as _, User};
            use diesel::{connection::SimpleConnection as _, prelude::*, $connection};

            diesel::table! {
                events (id) {
                    id -> Integer,
                    at -> Nullable<$type>,
                }
            }

            #[derive(Queryable, Selectable, AuthModel)]
            #[diesel(table_name = events)]
            #[auth(connection = $connection)]
            #[acl(read = until(at), update = since(at))]
            struct Event {
                id: i32,
            }

            #[test]
            fn times_of_this_type_are_compared() {
                let Some((mut connection, _database)) = crate::database::open::<$connection>(super::SERVER)
                else {
                    return;
                };
                let rows = concat!(
                    "CREATE TABLE events (id INTEGER PRIMARY KEY, at ",
                    $sql,
                    " NULL); INSERT INTO events VALUES (1, NULL), (2, '2027-01-15 07:59:59.999'), \
                     (3, '2027-01-15 08:00:00'), (4, '2027-01-15 08:00:00.001')",
                );
                connection.batch_execute(rows).unwrap();
                let user = User::new(1).at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
                let mut found = |permission| -> Vec<i32> {
                    let rows = Event::accessible_by(&user, permission);
                    rows.select(events::id).order(events::id).load(&mut connection).unwrap()
                };
                assert_eq!(found(Permission::READ), [1, 4]);
                assert_eq!(found(Permission::UPDATE), [2, 3]);
            }
        }
    };
}
