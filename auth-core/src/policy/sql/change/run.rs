//! How rows are changed and created: written once for connections that block, and for those that are awaited.

use std::{any::type_name, time::Instant};

use super::{
    Becomes, ChangeError, ChangePlan, Forget, Insert, Inserted, NewValues, Update, look, reason, reasons,
    told,
};
use crate::{
    context::Granted,
    event::{Check, check::clock_of},
    policy::{
        Kind, Policy,
        sql::{GrantedColumn, RowLock, Scope, Scoped, key::HasKey, stored::Stored},
    },
    vocabulary::{Permission, Subject, decide},
};

const CHANGE: &str = "change";

/// The check of a change or a creation, for its event. A row that does not exist yet has no permissions.
fn check_of<'a, M>(
    guard: &'static str,
    started: Option<Instant>,
    subject: &'a dyn Subject,
    id: &'a str,
) -> Check<'a> {
    let check = Check {
        permission: (guard == CHANGE).then_some(Permission::UPDATE),
        context: Some((type_name::<M>(), "")),
        ..Check::by(started, guard, subject)
    };
    check.of(id)
}

/// The functions for the trait `$Stored`: `async` and `.await` stand where they are given.
macro_rules! changes {
    ($Stored:ident [$($async:tt)?] [$($await:tt)*]) => {
        /// Changes a row by another policy, whose relations are those of the model.
        pub(in super::super::super) $($async)? fn change_by<M: $Stored>(
            policy: &'static Policy,
            connection: &mut M::Connection,
            subject: &dyn Subject,
            id: M::Id,
            values: NewValues<'_, <M as Scoped>::Backend>,
        ) -> Result<(), ChangeError> {
            // A key stays as it is, as in diesel's own changes.
            let values = values.without(key_of::<M>());
            let (id_text, started) = (format!("{id:?}"), clock_of(subject));
            let result = changed::<M>(policy, connection, subject, id, &values)$($await)*;
            let check = check_of::<M>(CHANGE, started, subject, &id_text);
            told(result, &check, decide(subject, Permission::UPDATE, || true))
        }

        $($async)? fn changed<M: $Stored>(
            policy: &'static Policy,
            connection: &mut M::Connection,
            subject: &dyn Subject,
            id: M::Id,
            values: &NewValues<'_, <M as Scoped>::Backend>,
        ) -> Result<(), ChangeError> {
            let hit = if values.is_empty() {
                // Nothing is written, and the answer is that of a change.
                0
            } else {
                let plan = ChangePlan::<M>::of(policy, subject, values);
                let update = Update {
                    values,
                    key: HasKey::new(id.clone())?,
                    allowed: &plan.allowed,
                    becomes: plan.becomes.in_statement(),
                };
                if let Becomes::Afterwards(becomes) = &plan.becomes {
                    M::begin(connection)$($await)*?;
                    let hit = match M::execute(update, connection)$($await)* {
                        Ok(0) => Ok(0),
                        Ok(hit) => is_as_it_may_be::<M>(id.clone(), becomes, connection)$($await)*.map(|()| hit),
                        Err(error) => Err(error.into()),
                    };
                    ended::<M, _>(hit, connection)$($await)*?
                } else {
                    M::execute(update, connection)$($await)*?
                }
            };
            if hit > 0 {
                return Ok(());
            }
            let (_, bits) = row::<M>(id, reasons(policy, subject, values), connection)$($await)*?;
            match reason(policy, values, Granted(bits)) {
                ChangeError::DeniedResult if values.is_empty() => Ok(()),
                error => Err(error),
            }
        }

        /// Creates a row by another policy, whose relations are those of the model.
        pub(in super::super::super) $($async)? fn create_by<M: $Stored>(
            policy: &'static Policy,
            connection: &mut M::Connection,
            subject: &dyn Subject,
            values: NewValues<'_, <M as Scoped>::Backend>,
        ) -> Result<M, ChangeError> {
            let started = clock_of(subject);
            let result = created::<M>(policy, connection, subject, &values)$($await)*;
            let id_text = result.as_ref().map_or_else(|_| String::new(), |row| format!("{:?}", M::key_of(row)));
            let check = check_of::<M>("create", started, subject, &id_text);
            told(result, &check, decide(subject, Permission::UPDATE, || true))
        }

        $($async)? fn created<M: $Stored>(
            policy: &'static Policy,
            connection: &mut M::Connection,
            subject: &dyn Subject,
            values: &NewValues<'_, <M as Scoped>::Backend>,
        ) -> Result<M, ChangeError> {
            if values.is_empty() {
                let error = diesel::result::Error::QueryBuilderError(NOTHING.into());
                return Err(ChangeError::Failed(error));
            }
            let becomes = Becomes::<M>::of_new(policy, subject, values);
            let has_returning = M::row_lock(connection) != RowLock::Mysql;
            if has_returning && !matches!(becomes, Becomes::Afterwards(_)) {
                return inserted(values, &becomes, connection)$($await)*;
            }
            M::begin(connection)$($await)*?;
            let created = match inserted::<M>(values, &becomes, connection)$($await)* {
                Ok(row) => match &becomes {
                    Becomes::Afterwards(becomes) => {
                        is_as_it_may_be::<M>(M::key_of(&row), becomes, connection)$($await)*.map(|()| row)
                    }
                    Becomes::Anything | Becomes::InStatement(_) => Ok(row),
                },
                Err(error) => Err(error),
            };
            ended::<M, _>(created, connection)$($await)*
        }

        /// Inserts the row, unless the statement refuses it.
        $($async)? fn inserted<M: $Stored>(
            values: &NewValues<'_, <M as Scoped>::Backend>,
            becomes: &Becomes<M>,
            connection: &mut M::Connection,
        ) -> Result<M, ChangeError> {
            let insert = Insert { values, becomes: becomes.in_statement() };
            if M::row_lock(connection) != RowLock::Mysql {
                return match M::insert_returning(insert, connection)$($await)* {
                    Err(diesel::result::Error::NotFound) => Err(ChangeError::DeniedResult),
                    row => Ok(row?),
                };
            }
            let key = key_of::<M>();
            if !is_found_again::<M>(key, values) {
                return Err(unfound());
            }
            M::execute(Forget, connection)$($await)*?;
            if M::execute(insert, connection)$($await)*? == 0 {
                return Err(ChangeError::DeniedResult);
            }
            match M::load_by(Inserted::<M> { values, key }, connection)$($await)* {
                Err(diesel::result::Error::NotFound) => Err(unfound()),
                row => Ok(row?),
            }
        }

        /// Looks at a row that was written.
        $($async)? fn is_as_it_may_be<M: $Stored>(
            id: M::Id,
            becomes: &Scope<M>,
            connection: &mut M::Connection,
        ) -> Result<(), ChangeError> {
            let lock = M::row_lock(connection);
            let (_, bits) = row::<M>(id, look(becomes, lock), connection)$($await)*?;
            if Granted(bits).holds(0) { Ok(()) } else { Err(ChangeError::DeniedResult) }
        }

        $($async)? fn row<M: $Stored>(
            id: M::Id,
            column: GrantedColumn<M>,
            connection: &mut M::Connection,
        ) -> diesel::QueryResult<(M, i32)> {
            M::load_row(HasKey::new(id)?, column, connection)$($await)*
        }

        /// Ends the transaction: what failed has not happened.
        $($async)? fn ended<M: $Stored, T>(
            result: Result<T, ChangeError>,
            connection: &mut M::Connection,
        ) -> Result<T, ChangeError> {
            match result {
                Ok(value) => {
                    M::commit(connection)$($await)*?;
                    Ok(value)
                }
                Err(error) => match M::rollback(connection)$($await)* {
                    Ok(()) | Err(diesel::result::Error::BrokenTransactionManager) => Err(error),
                    Err(failed) => Err(failed.into()),
                },
            }
        }
    };
}

/// Whether a new row is found without a `RETURNING`: its key is given, or one number that the database gives.
fn is_found_again<M: Scoped>(key: &[&str], values: &NewValues<'_, M::Backend>) -> bool {
    let is_number =
        M::KEY.is_some_and(|column| matches!(column.kind, Kind::SmallInt | Kind::Integer | Kind::BigInt));
    !key.is_empty() && (is_number || key.iter().all(|column| values.sets(column)))
}

fn unfound() -> ChangeError {
    let problem = "on MySQL and MariaDB, a new row is found by its key: give all of it, or have the database count it \
                   (`AUTO_INCREMENT`)";
    ChangeError::Failed(diesel::result::Error::QueryBuilderError(problem.into()))
}

const NOTHING: &str = "a new row is created of at least one value";

/// The columns of the key.
fn key_of<M: Scoped>() -> &'static [&'static str] {
    M::POLICY.table.map_or(&[], |table| table.key)
}

/// Through a diesel connection.
pub(in super::super) mod blocking {
    use super::{
        Becomes, CHANGE, ChangeError, ChangePlan, Forget, Granted, GrantedColumn, HasKey, Insert, Inserted,
        NOTHING, NewValues, Permission, Policy, RowLock, Scope, Scoped, Stored, Subject, Update, check_of,
        clock_of, decide, is_found_again, key_of, look, reason, reasons, told, unfound,
    };

    changes!(Stored [] []);
}

/// Through a connection of `diesel-async`.
#[cfg(feature = "diesel-async")]
pub(in super::super) mod asynchronous {
    use super::{
        Becomes, CHANGE, ChangeError, ChangePlan, Forget, Granted, GrantedColumn, HasKey, Insert, Inserted,
        NOTHING, NewValues, Permission, Policy, RowLock, Scope, Scoped, Subject, Update, check_of, clock_of,
        decide, is_found_again, key_of, look, reason, reasons, told, unfound,
    };
    use crate::policy::sql::AsyncStored;

    changes!(AsyncStored [async] [.await]);
}
