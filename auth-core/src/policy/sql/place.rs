//! Where a scope may stand: in each statement that has its table once, as a column of the table may.

use diesel::{
    Expression, Table,
    expression::{AppearsOnTable, SelectableExpression, ValidGrouping},
    query_builder::QueryId,
    query_source::{Alias, AliasSource, AppearsInFromClause, Once, QuerySource},
    sql_types::{BigInt, Bool, Integer, Nullable},
};

use super::{GrantedBits, IsTrue, Scope, Scoped, VisibleBits};

/// The place of the columns that a scope writes: the table itself, or an alias of it.
///
/// A table that is not in the statement, or twice, is none:
///
/// ```compile_fail,E0271
/// # mod service {
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { folders (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { notes (id) { id -> Integer, folder_id -> Integer } }
/// # diesel::allow_tables_to_appear_in_same_query!(notes, folders);
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = folders, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Folder { id: i32, account_id: i32 }
/// fn ids(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<i32>> {
///     let scope = Folder::scope(user, Permission::READ);
///     notes::table.filter(scope).select(notes::id).load(connection)
/// }
/// # }
/// ```
///
/// ```compile_fail,E0271
/// # mod service {
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { folders (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { notes (id) { id -> Integer, folder_id -> Integer } }
/// # diesel::allow_tables_to_appear_in_same_query!(notes, folders);
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = folders, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Folder { id: i32, account_id: i32 }
/// fn ids(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<i32>> {
///     let scope = Folder::scope(user, Permission::READ);
///     let others = diesel::alias!(folders as others);
///     others.filter(scope).select(others.field(folders::id)).load(connection)
/// }
/// # }
/// ```
///
/// With its own place, the last one compiles:
///
/// ```
/// # mod service {
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { folders (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { notes (id) { id -> Integer, folder_id -> Integer } }
/// # diesel::allow_tables_to_appear_in_same_query!(notes, folders);
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = folders, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Folder { id: i32, account_id: i32 }
/// fn ids(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<i32>> {
///     let scope = Folder::scope(user, Permission::READ);
///     let others = diesel::alias!(folders as others);
///     others.filter(scope.of_alias(others)).select(others.field(folders::id)).load(connection)
/// }
/// # }
/// ```
///
/// From where a left join may find no row, it is selected as `nullable()`, and not without:
///
/// ```
/// # mod service {
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { folders (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { notes (id) { id -> Integer, folder_id -> Integer } }
/// # diesel::allow_tables_to_appear_in_same_query!(notes, folders);
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = folders, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Folder { id: i32, account_id: i32 }
/// fn ids(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Option<bool>>> {
///     let scope = Folder::scope(user, Permission::READ);
///     let joined = notes::table.left_join(folders::table.on(folders::id.eq(notes::folder_id)));
///     joined.select(scope.is_true().nullable()).load(connection)
/// }
/// # }
/// ```
///
/// ```compile_fail,E0277
/// # mod service {
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { folders (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { notes (id) { id -> Integer, folder_id -> Integer } }
/// # diesel::allow_tables_to_appear_in_same_query!(notes, folders);
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = folders, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Folder { id: i32, account_id: i32 }
/// fn ids(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<bool>> {
///     let scope = Folder::scope(user, Permission::READ);
///     let joined = notes::table.left_join(folders::table.on(folders::id.eq(notes::folder_id)));
///     joined.select(scope.is_true()).load(connection)
/// }
/// # }
/// ```
#[doc(hidden)]
pub trait Place<M> {
    /// The table that has to be in the `FROM` clause, once.
    type Source;

    /// Columns of it. A scope can be selected, and be grouped, where they can.
    type Columns;
}

/// The table itself.
#[doc(hidden)]
#[derive(Debug)]
pub struct OwnTable;

impl<M: Scoped> Place<M> for OwnTable {
    type Source = M::Table;
    // All other columns depend on it.
    type Columns = <M::Table as Table>::PrimaryKey;
}

impl<M: Scoped, S: AliasSource<Target = M::Table>> Place<M> for Alias<S>
where
    Self: QuerySource,
{
    type Source = Self;
    type Columns = <Self as QuerySource>::DefaultSelection;
}

/// Implements the traits of an expression over the table of `M`.
macro_rules! expression {
    ($expression:ident: $sql_type:ty) => {
        impl<M, P> Expression for $expression<M, P> {
            type SqlType = $sql_type;
        }

        impl<M, P: Place<M>, QS> AppearsOnTable<QS> for $expression<M, P> where
            QS: AppearsInFromClause<P::Source, Count = Once>
        {
        }

        impl<M, P, QS> SelectableExpression<QS> for $expression<M, P>
        where
            P: Place<M, Columns: SelectableExpression<QS>>,
            Self: AppearsOnTable<QS>,
        {
        }

        impl<M, P, C, GB> ValidGrouping<GB> for $expression<M, P>
        where
            P: Place<M, Columns = C>,
            C: ValidGrouping<GB>,
        {
            type IsAggregate = C::IsAggregate;
        }

        // The text depends on the answers of the policy for the subject.
        impl<M, P> QueryId for $expression<M, P> {
            type QueryId = ();

            const HAS_STATIC_QUERY_ID: bool = false;
        }
    };
}

expression!(Scope: Nullable<Bool>);
expression!(IsTrue: Bool);
expression!(GrantedBits: Integer);
expression!(VisibleBits: BigInt);
