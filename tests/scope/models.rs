//! Models whose relations are those of [`TABLES`](crate::world::TABLES), for policies that are made at run time.

use std::collections::BTreeSet;

use auth_core::{__private::NewValues, ChangeError, Granted, LoadError, Permission, Policy, Subject};
use diesel::{QueryResult, backend::Backend};

use crate::added::Added;

/// A policy, for a subject and a permission.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) table: usize,
    pub(crate) policy: &'static Policy,
    pub(crate) subject: &'a dyn Subject,
    pub(crate) permission: Permission,
}

/// A connection to the database of the models. A row is called by its number.
pub(crate) trait Ask {
    type Backend: Backend;

    /// The rows of a list.
    fn listed(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>>;

    /// The same, row by row.
    fn walked(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>>;

    /// The rows for which the condition of a single row is true.
    fn selected(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>>;

    /// The rows for which it is true as a column.
    fn answered(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>>;

    /// What is granted on each row of these permissions, as one column.
    fn granted(
        &mut self,
        question: Question<'_>,
        permissions: &[Permission],
    ) -> QueryResult<Vec<(i32, Granted)>>;

    /// Whether a statement about one row finds it under the condition.
    fn found(&mut self, question: Question<'_>, row: i32) -> QueryResult<bool>;

    /// Whether an explanation allows it.
    fn explained(&mut self, question: Question<'_>, row: i32) -> Result<bool, LoadError>;

    fn updated(&mut self, question: Question<'_>, row: i32) -> QueryResult<usize>;

    fn all_updated(&mut self, question: Question<'_>) -> QueryResult<usize>;

    fn deleted(&mut self, question: Question<'_>, row: i32) -> QueryResult<usize>;

    /// Changes a row of the table by these values.
    fn changed(
        &mut self,
        question: Question<'_>,
        row: i32,
        values: NewValues<'_, Self::Backend>,
    ) -> Result<(), ChangeError>;

    /// Creates a row of these values: its number.
    fn created(
        &mut self,
        question: Question<'_>,
        values: NewValues<'_, Self::Backend>,
    ) -> Result<i32, ChangeError>;

    /// The rows of a list to which a filter is added.
    fn listed_with(&mut self, question: Question<'_>, added: &Added) -> QueryResult<BTreeSet<i32>>;

    /// The rows that an `UPDATE` changes, of all or of one, to which a filter is added.
    fn updated_with(
        &mut self,
        question: Question<'_>,
        row: Option<i32>,
        added: &Added,
    ) -> QueryResult<BTreeSet<i32>>;

    /// The rows that are left by a `DELETE` to which a filter is added.
    fn left_with(&mut self, question: Question<'_>, added: &Added) -> QueryResult<BTreeSet<i32>>;
}

macro_rules! models {
    ($connection:ident) => {
        // The columns of relations are numbers of rows only for the derive: the policy at run time determines the decision.
        models! {
            $connection:
            0 readings Reading: belongs_to(asset: Asset), belongs_to(site: Site), belongs_to(device: Device);
            1 assets Asset: belongs_to(site: Site), belongs_to(parent: Asset), belongs_to(above: Asset),
                has_many(readings: Reading), has_many(parts: Asset), has_many(sites: Site);
            2 sites Site: belongs_to(device: Device), belongs_to(asset: Asset), belongs_to(around: Site),
                has_many(assets: Asset), has_many(readings: Reading), has_many(inner: Site);
            3 devices Device: belongs_to(whole: Device), belongs_to(above: Device), has_many(readings: Reading),
                has_many(sites: Site), has_many(parts: Device);
        }
    };
    (
        $connection:ident:
        $($index:literal $table:ident $model:ident: $($kind:ident($relation:ident: $related:ident)),*;)*
    ) => {
        mod models {
            use std::collections::BTreeSet;

            use auth_core::{
                AuthModel, ChangeError, Granted, GrantedBits, LoadError, Permission, Scope, ScopedQuery, ScopedTarget, Stored, __private::NewValues,
            };
            use diesel::{Connection, dsl::exists, prelude::*};

            use crate::{
                added::Added,
                models::{Ask, Question},
            };

            $(
                diesel::table! {
                    $table (n) {
                        n -> Integer,
                        touched -> Integer,
                    }
                }

                #[derive(Queryable, Selectable, AuthModel)]
                #[diesel(table_name = $table, primary_key(n))]
                #[auth(connection = $connection $(, $kind($relation: $related, n))*)]
                #[acl(read = nobody)]
                struct $model {
                    n: i32,
                }

                impl $model {
                    fn scope(Question { policy, subject, permission, .. }: Question<'_>) -> Scope<Self> {
                        Scope::by(policy, subject, permission)
                    }
                }
            )*

            impl Ask for $connection {
                type Backend = <$connection as Connection>::Backend;

                fn listed(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>> {
                    let rows: Vec<i32> = match question.table {
                        $($index => $table::table
                            .filter($model::scope(question).of_many())
                            .select($table::n)
                            .load(self)?,)*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().collect())
                }

                fn walked(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>> {
                    let rows: Vec<i32> = match question.table {
                        $($index => $table::table
                            .filter($model::scope(question).row_by_row())
                            .select($table::n)
                            .load(self)?,)*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().collect())
                }

                fn selected(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>> {
                    let rows: Vec<i32> = match question.table {
                        $($index => {
                            $table::table.filter($model::scope(question)).select($table::n).load(self)?
                        })*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().collect())
                }

                fn answered(&mut self, question: Question<'_>) -> QueryResult<BTreeSet<i32>> {
                    let rows: Vec<(i32, bool)> = match question.table {
                        $($index => $table::table
                            .select(($table::n, $model::scope(question).is_true()))
                            .load(self)?,)*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().filter(|(_, holds)| *holds).map(|(row, _)| row).collect())
                }

                fn granted(
                    &mut self,
                    Question { table, policy, subject, .. }: Question<'_>,
                    permissions: &[Permission],
                ) -> QueryResult<Vec<(i32, Granted)>> {
                    match table {
                        $($index => $table::table
                            .select(($table::n, GrantedBits::<$model>::by(policy, subject, permissions)))
                            .load(self),)*
                        _ => unreachable!(),
                    }
                }

                fn found(&mut self, question: Question<'_>, row: i32) -> QueryResult<bool> {
                    match question.table {
                        $($index => {
                            let found = $table::table.find(row).filter($model::scope(question));
                            diesel::select(exists(found)).get_result(self)
                        })*
                        _ => unreachable!(),
                    }
                }

                fn explained(&mut self, question: Question<'_>, row: i32) -> Result<bool, LoadError> {
                    let Question { policy, subject, permission, .. } = question;
                    let explanation = match question.table {
                        $($index => $model::explain_by(policy, self, subject, row, permission)?,)*
                        _ => unreachable!(),
                    };
                    Ok(explanation.decision().is_allowed())
                }

                fn updated(&mut self, question: Question<'_>, row: i32) -> QueryResult<usize> {
                    match question.table {
                        $($index => diesel::update($table::table.find(row))
                            .filter($model::scope(question))
                            .set($table::touched.eq($table::touched + 1))
                            .execute(self),)*
                        _ => unreachable!(),
                    }
                }

                fn all_updated(&mut self, question: Question<'_>) -> QueryResult<usize> {
                    match question.table {
                        $($index => diesel::update($table::table)
                            .filter($model::scope(question).of_many())
                            .set($table::touched.eq($table::touched + 1))
                            .execute(self),)*
                        _ => unreachable!(),
                    }
                }

                fn deleted(&mut self, question: Question<'_>, row: i32) -> QueryResult<usize> {
                    match question.table {
                        $($index => {
                            diesel::delete($table::table.find(row)).filter($model::scope(question)).execute(self)
                        })*
                        _ => unreachable!(),
                    }
                }

                fn changed(
                    &mut self,
                    Question { table, policy, subject, .. }: Question<'_>,
                    row: i32,
                    values: NewValues<'_, Self::Backend>,
                ) -> Result<(), ChangeError> {
                    match table {
                        $($index => $model::change_by(policy, self, subject, row, values),)*
                        _ => unreachable!(),
                    }
                }

                fn created(
                    &mut self,
                    Question { table, policy, subject, .. }: Question<'_>,
                    values: NewValues<'_, Self::Backend>,
                ) -> Result<i32, ChangeError> {
                    match table {
                        $($index => Ok($model::create_by(policy, self, subject, values)?.n),)*
                        _ => unreachable!(),
                    }
                }

                fn listed_with(
                    &mut self,
                    question: Question<'_>,
                    added: &Added,
                ) -> QueryResult<BTreeSet<i32>> {
                    type Backend = <$connection as Connection>::Backend;

                    let rows: Vec<i32> = match question.table {
                        $($index => {
                            let rows = $table::table.filter($model::scope(question).of_many());
                            ScopedQuery::<_>::new(rows.select($table::n).into_boxed::<Backend>())
                                .filter(added.predicate())
                                .load(self)?
                        })*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().collect())
                }

                fn updated_with(
                    &mut self,
                    question: Question<'_>,
                    row: Option<i32>,
                    added: &Added,
                ) -> QueryResult<BTreeSet<i32>> {
                    let rows: Vec<i32> = match question.table {
                        $($index => {
                            let rows = ScopedTarget::new($model::scope(question));
                            let rows = match row {
                                Some(row) => rows.find(row),
                                None => rows,
                            };
                            diesel::update(rows.filter(added.predicate()))
                                .set($table::touched.eq(7))
                                .execute(self)?;
                            $table::table.filter($table::touched.eq(7)).select($table::n).load(self)?
                        })*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().collect())
                }

                fn left_with(&mut self, question: Question<'_>, added: &Added) -> QueryResult<BTreeSet<i32>> {
                    let rows: Vec<i32> = match question.table {
                        $($index => {
                            let rows = ScopedTarget::new($model::scope(question)).filter(added.predicate());
                            diesel::delete(rows).execute(self)?;
                            $table::table.select($table::n).load(self)?
                        })*
                        _ => unreachable!(),
                    };
                    Ok(rows.into_iter().collect())
                }
            }
        }
    };
}
