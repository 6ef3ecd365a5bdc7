//! The rows that a statement may change. An application can narrow them down, and nothing widens them.

use std::fmt;

use diesel::{
    associations::HasTable,
    expression::AppearsOnTable,
    expression_methods::EqAll,
    query_builder::{AstPass, IntoUpdateTarget, QueryFragment, QueryId, UpdateTarget},
    query_source::Table,
    result::QueryResult,
    sql_types::BoolOrNullableBool,
};

use super::{Scope, Scoped, value::BindIds};

/// The rows that a subject may change, for [`diesel::update`] and [`diesel::delete`]:
/// [`Scoped::changeable_by`](crate::Scoped::changeable_by).
///
/// Each filter stands in parentheses of its own, so it narrows the rows down even if it is raw SQL with an `OR` in it. What
/// diesel makes of it is a complete statement but for `set` and `returning`: it takes no further filter and no
/// `or_filter`, which would be an alternative to the policy.
///
/// ```
/// # mod service {
/// use auth_core::{AuthModel, Permission, Scoped, User};
/// use diesel::{dsl::sql, prelude::*, sql_types::Bool};
/// # use diesel::{connection::SimpleConnection, sqlite::Sqlite};
///
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(Sqlite))]
/// #[acl(update = account(account_id), delete = account(account_id) & role("editor"))]
/// struct Note {
///     id: i32,
///     account_id: i32,
///     text: String,
/// }
///
/// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let connection = &mut SqliteConnection::establish(":memory:")?;
/// # connection.batch_execute(
/// #     "CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, text TEXT NOT NULL);
/// #      INSERT INTO notes (account_id, text) VALUES (3, 'one'), (3, 'two'), (4, 'one')",
/// # )?;
/// let mia = User::new(2).with_account(3);
///
/// let one = Note::changeable_by(&mia, Permission::UPDATE).find(3);
/// assert_eq!(diesel::update(one).set(notes::text.eq("hers?")).execute(connection)?, 0);
///
/// let many = Note::changeable_by(&mia, Permission::UPDATE).filter(sql::<Bool>("text = 'one' OR text = 'two'"));
/// assert_eq!(diesel::update(many).set(notes::text.eq("three")).execute(connection)?, 2);
///
/// let gone = diesel::delete(Note::changeable_by(&mia, Permission::DELETE)).execute(connection)?;
/// assert_eq!(gone, 0);
/// # Ok(())
/// # }
/// # }
/// # service::main().unwrap();
/// ```
///
/// ```compile_fail,E0599
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(delete = account(account_id))]
/// # struct Note { id: i32, account_id: i32 }
/// let rows = Note::changeable_by(&User::new(1), Permission::DELETE);
/// let everybodys = diesel::delete(rows).or_filter(notes::id.gt(0));
/// ```
///
/// ```compile_fail,E0599
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::{dsl::sql, prelude::*, sql_types::Bool};
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(update = account(account_id))]
/// # struct Note { id: i32, account_id: i32 }
/// let rows = Note::changeable_by(&User::new(1), Permission::UPDATE);
/// let everybodys = diesel::update(rows).filter(sql::<Bool>("id = 1 OR id > 0"));
/// ```
#[must_use = "rows stay as they are until a statement changes them"]
pub struct ScopedTarget<'a, M: Scoped> {
    scope: Scope<M>,
    filters: Vec<Box<dyn QueryFragment<M::Backend> + Send + 'a>>,
    /// The filter by the key.
    key: Option<usize>,
}

impl<'a, M: Scoped> ScopedTarget<'a, M> {
    #[doc(hidden)]
    pub fn new(scope: Scope<M>) -> Self {
        Self { scope: scope.of_many(), filters: Vec::new(), key: None }
    }

    /// Of these rows the one with this primary key.
    pub fn find<Id>(self, id: Id) -> Self
    where
        <M::Table as Table>::PrimaryKey:
            EqAll<Id, Output: AppearsOnTable<M::Table> + QueryFragment<M::Backend> + Send + 'a>,
    {
        let key = <M::Table as HasTable>::table().primary_key();
        let position = self.filters.len();
        let this = self.filter(key.eq_all(id));
        Self { scope: this.scope.of_one(), key: Some(position), ..this }
    }

    /// Of these rows those that the predicate is true of.
    pub fn filter<P>(mut self, predicate: P) -> Self
    where
        P: AppearsOnTable<M::Table, SqlType: BoolOrNullableBool> + QueryFragment<M::Backend> + Send + 'a,
    {
        self.filters.push(Box::new(predicate));
        self
    }
}

impl<M: Scoped> fmt::Debug for ScopedTarget<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedTarget")
            .field("scope", &self.scope)
            .field("filters", &self.filters.len())
            .finish()
    }
}

impl<M: Scoped> HasTable for ScopedTarget<'_, M> {
    type Table = M::Table;

    fn table() -> M::Table {
        <M::Table as HasTable>::table()
    }
}

// It is its own condition, which diesel cannot add to.
impl<M: Scoped> IntoUpdateTarget for ScopedTarget<'_, M> {
    type WhereClause = Self;

    fn into_update_target(self) -> UpdateTarget<M::Table, Self> {
        UpdateTarget { table: Self::table(), where_clause: self }
    }
}

impl<M: Scoped> QueryId for ScopedTarget<'_, M> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<M: Scoped<Backend: BindIds>> QueryFragment<M::Backend> for ScopedTarget<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
        // On a line of its own, behind the end of a comment: a raw value before it, which ends with a comment or begins one,
        // would comment the condition out. So would a filter that does, if the scope did not stand before it, and in
        // parentheses that are closed behind it.
        out.push_sql("\n/**/ WHERE (");
        let key = self.key.and_then(|key| self.filters.get(key));
        let key = key.map(|key| &**key as &'b dyn QueryFragment<M::Backend>);
        self.scope.write(key, &mut out)?;
        for filter in &self.filters {
            out.push_sql(" AND (");
            filter.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }
}
