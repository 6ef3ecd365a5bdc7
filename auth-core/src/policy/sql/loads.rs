//! How rows are loaded, and what decides about them: written once for connections that block, and for those that are
//! awaited.

use diesel::result::{OptionalExtension as _, QueryResult};

use super::{
    GrantedColumn, Misfit,
    anew::{distinct, in_order, rounds},
    authorized::{OUTSIDE_OF_A_TRANSACTION, authorized, check_of},
    explained::Explained,
    key::{HasKey, KeyColumns as _},
    misfit::fitting,
    rows::{LoadRows, Number},
    stored::Stored,
};
use crate::{
    acl::Explanation,
    context::{AccessError, AccessQuery, AllLoaded, Granted, Lender, LoadError, Loaded},
    event::{Check, check::clock_of},
    policy::Policy,
    vocabulary::{Decision, Permission, Subject, decide},
};

/// The functions for the traits `$Stored` and `$LoadRows`: `async` and `.await` stand where they are given.
macro_rules! loads {
    ($Stored:ident $LoadRows:ident [$($async:tt)?] [$($await:tt)*] $($sync:ident)?) => {
        /// A row for code that decides about it by what it holds.
        pub $($async)? fn load<M: $LoadRows<C>, C>(key: M::Key, connection: &mut C) -> Result<M, LoadError> {
            fitting(row(key, Misfit::new(), connection)$($await)*?)
        }

        /// Several such rows, with their keys. Leaves out those that do not exist.
        pub $($async)? fn load_all<M: $LoadRows<C, Key: Clone $(+ $sync)?>, C>(
            keys: &[M::Key],
            connection: &mut C,
        ) -> Result<Vec<(M::Key, M)>, LoadError> {
            let found = rows(keys, Misfit::new(), connection)$($await)*?;
            found.into_iter().map(|found| fitting(found).map(|row: M| (M::key_of(&row), row))).collect()
        }

        /// A row, and what the database grants on it.
        pub $($async)? fn load_with_access<M: $Stored>(
            id: M::Id,
            query: &AccessQuery,
            connection: &mut M::Connection,
        ) -> Result<Loaded<M>, LoadError> {
            let (row, bits) = row(id, GrantedColumn::for_query(query), connection)$($await)*?;
            Ok((row, Some(Granted(bits))))
        }

        /// Several such rows.
        pub $($async)? fn load_all_with_access<M: $Stored>(
            ids: &[M::Id],
            query: &AccessQuery,
            connection: &mut M::Connection,
        ) -> Result<AllLoaded<M::Id, M>, LoadError> {
            let found = granted_rows(ids, query, connection)$($await)*?;
            Ok(found.into_iter().map(|(row, granted)| (M::key_of(&row), (row, Some(granted)))).collect())
        }

        /// A row whose policy needs its own columns alone: it decides by what it holds, and where that is not what is
        /// stored, the database decides.
        pub $($async)? fn load_with_fallback<M: $Stored>(
            id: M::Id,
            query: &AccessQuery,
            connection: &mut M::Connection,
        ) -> Result<Loaded<M>, LoadError> {
            if M::HELD_EXACTLY
                && !query.masks
                && let (row, 0) = row(id.clone(), Misfit::new(), connection)$($await)*?
            {
                return Ok((row, None));
            }
            load_with_access(id, query, connection)$($await)*
        }

        /// Several such rows.
        pub $($async)? fn load_all_with_fallback<M: $Stored>(
            ids: &[M::Id],
            query: &AccessQuery,
            connection: &mut M::Connection,
        ) -> Result<AllLoaded<M::Id, M>, LoadError> {
            if M::HELD_EXACTLY && !query.masks {
                let found: Vec<(M, i32)> = rows(ids, Misfit::new(), connection)$($await)*?;
                if found.iter().all(|(_, misfit)| *misfit == 0) {
                    return Ok(found.into_iter().map(|(row, _)| (M::key_of(&row), (row, None))).collect());
                }
            }
            load_all_with_access(ids, query, connection)$($await)*
        }

        pub(in super::super) $($async)? fn check_access<M: $Stored>(
            connection: &mut M::Connection,
            subject: &dyn Subject,
            id: M::Id,
            permission: Permission,
        ) -> Result<Decision, LoadError> {
            let column = GrantedColumn::<M>::of(subject, &[permission]);
            let (_, bits) = row(id, column, connection)$($await)*?;
            Ok(decide(subject, permission, || Granted(bits).holds(0)))
        }

        pub(in super::super) $($async)? fn authorize_for_update<M: $Stored>(
            connection: &mut M::Connection,
            subject: &dyn Subject,
            id: M::Id,
            permission: Permission,
        ) -> Result<M, AccessError> {
            let (text, started) = (format!("{id:?}"), clock_of(subject));
            let loaded = if M::is_in_transaction(connection) {
                let lock = M::row_lock(connection);
                let column = GrantedColumn::of(subject, &[permission]).locked(lock, permission);
                row(id, column, connection)$($await)*.map_err(LoadError::from)
            } else {
                Err(LoadError::unavailable(OUTSIDE_OF_A_TRANSACTION))
            };
            let loaded = loaded.map(|(row, bits)| (row, Granted(bits)));
            authorized(loaded, subject, permission, &check_of::<M>(started, subject, permission, &text))
        }

        pub(in super::super) $($async)? fn check_all<M: $Stored>(
            connection: &mut M::Connection,
            subject: &dyn Subject,
            ids: &[M::Id],
            permissions: &[Permission],
        ) -> Result<Vec<(M::Id, Granted)>, LoadError> {
            if permissions.len() > Granted::MOST {
                return Err(LoadError::unavailable("a query is of 31 permissions at most"));
            }
            let column = GrantedColumn::<M>::of(subject, permissions);
            let found = rows(&distinct(ids), column, connection)$($await)*?;
            Ok(found.into_iter().map(|(row, bits)| (M::key_of(&row), Granted(bits))).collect())
        }

        pub(in super::super) $($async)? fn changed<M: $Stored>(
            hit: usize,
            connection: &mut M::Connection,
            subject: &dyn Subject,
            id: M::Id,
            permission: Permission,
        ) -> Result<(), AccessError> {
            if hit > 0 {
                return Ok(());
            }
            let (text, started) = (format!("{id:?}"), clock_of(subject));
            let column = GrantedColumn::of(subject, &[permission]);
            let loaded = row(id, column, connection)$($await)*.map_err(LoadError::from);
            let loaded: Result<(M, _), _> = loaded.map(|(row, bits)| (row, Granted(bits)));
            let check = Check { guard: "changed", ..check_of::<M>(started, subject, permission, &text) };
            authorized(loaded, subject, permission, &check).map(|_| ())
        }

        pub(in super::super) $($async)? fn explain_by<M: $Stored>(
            policy: &'static Policy,
            connection: &mut M::Connection,
            subject: &dyn Subject,
            id: M::Id,
            permission: Permission,
        ) -> Result<Explanation, LoadError> {
            let mut explained = Explained::<M>::of(policy, subject, permission);
            while let Some(column) = explained.next() {
                let (_, bits) = row(id.clone(), column, connection)$($await)*?;
                explained.take(Granted(bits));
            }
            Ok(explained.explanation(subject))
        }

        /// The rows, and what the database grants on each.
        $($async)? fn granted_rows<M: $Stored>(
            ids: &[M::Id],
            query: &AccessQuery,
            connection: &mut M::Connection,
        ) -> Result<Vec<(M, Granted)>, LoadError> {
            let found = rows(ids, GrantedColumn::for_query(query), connection)$($await)*?;
            Ok(found.into_iter().map(|(row, bits)| (row, Granted(bits))).collect())
        }

        /// Rows for contexts that were loaded before: each as it is now, in the order of the contexts.
        $($async)? fn rows_anew<M: $Stored>(
            ids: &[M::Id],
            query: &AccessQuery,
            connection: &mut M::Connection,
        ) -> Result<Vec<(M, Granted)>, LoadError> {
            let mut found = Vec::with_capacity(ids.len());
            for distinct in rounds(ids) {
                found.extend(granted_rows(&distinct, query, connection)$($await)*?);
            }
            in_order(ids, found, M::key_of)
        }

        $($async)? fn row<M: $LoadRows<C>, C>(
            key: M::Key,
            number: impl Number<M>,
            connection: &mut C,
        ) -> QueryResult<(M, i32)> {
            M::load_row(HasKey::new(key)?, number, connection)$($await)*
        }

        /// The rows that exist: in one statement, or one after the other where the key has several columns.
        $($async)? fn rows<M: $LoadRows<C, Key: Clone $(+ $sync)?>, C>(
            keys: &[M::Key],
            number: impl Number<M> + Clone $(+ $sync)?,
            connection: &mut C,
        ) -> QueryResult<Vec<(M, i32)>> {
            if let Some(any_of) = M::Columns::any_of(keys) {
                return M::load_rows(any_of, number, connection)$($await)*;
            }
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                found.extend(row(key.clone(), number.clone(), connection)$($await)*.optional()?);
            }
            Ok(found)
        }
    };
}

/// Through a diesel connection.
#[expect(clippy::missing_errors_doc, reason = "derives call them")]
pub mod blocking {
    use super::*;

    loads!(Stored LoadRows [] []);

    /// Reads contexts that a function of the application has loaded anew, in the statement that decides about them. A row
    /// that has gone since is missing.
    pub async fn reload<M: Stored, L: Lender>(
        contexts: &[&M],
        query: &AccessQuery,
        lender: &L,
    ) -> Result<Vec<(M, Granted)>, L::Error> {
        let query = query.clone();
        let ids: Vec<M::Id> = contexts.iter().map(|context| M::key_of(context)).collect();
        lender.blocking(move |connection: &mut M::Connection| rows_anew(&ids, &query, connection)).await
    }
}

/// Through a connection of `diesel-async`.
#[expect(clippy::missing_errors_doc, reason = "derives call them")]
#[cfg(feature = "diesel-async")]
pub mod asynchronous {
    use super::*;
    use crate::policy::sql::{AsyncStored, rows::AsyncLoadRows};

    loads!(AsyncStored AsyncLoadRows [async] [.await] Sync);

    /// Reads contexts that a function of the application has loaded anew, in the statement that decides about them. A row
    /// that has gone since is missing.
    pub async fn reload<M: AsyncStored, L: Lender>(
        contexts: &[&M],
        query: &AccessQuery,
        lender: &L,
    ) -> Result<Vec<(M, Granted)>, L::Error> {
        let ids: Vec<M::Id> = contexts.iter().map(|context| M::key_of(context)).collect();
        let mut connection = lender.acquire::<M::Connection>().await?;
        let found = rows_anew(&ids, query, &mut *connection).await;
        connection.done();
        Ok(found?)
    }
}
