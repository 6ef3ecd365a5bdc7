//! Changes and creations of rows, each in one statement that has the policy as its condition.
//!
//! The row as it becomes is judged by the values that the statement writes. Where these do not say enough, the statement and
//! a look at what it made are one transaction: where the rule leads back to the table, of which the statement sees the former
//! rows, and where it names columns of a new row that the database fills.

mod error;
mod run;
mod statements;
mod values;

use crate::{
    context::Granted,
    event::Check,
    policy::{
        ColumnGrant, Evaluation as _, Policy,
        sql::{
            Form, GrantedColumn, RowLock, Scope, Scoped,
            tree::{Planter, Tree},
        },
        table::TableName,
    },
    vocabulary::{Decision, DenyReason, Permission, Subject, above_lists},
};

#[cfg(feature = "diesel-async")]
pub(super) use self::run::asynchronous;
pub(super) use self::run::blocking;
use self::statements::{Forget, Insert, Inserted, Update};
pub use self::{
    error::ChangeError,
    values::{AuthChangeset, NewValues},
};

/// The conditions of a change.
struct ChangePlan<M> {
    /// Of the row as it is.
    allowed: Scope<M>,
    becomes: Becomes<M>,
}

/// The condition of a row as it becomes.
enum Becomes<M> {
    Anything,
    /// The values of the statement decide it.
    InStatement(Scope<M>),
    /// The row decides it, once it is written.
    Afterwards(Scope<M>),
}

impl<M: Scoped> ChangePlan<M> {
    fn of(policy: &'static Policy, subject: &dyn Subject, values: &NewValues<'_, M::Backend>) -> Self {
        let mut planter = Planter::of(subject);
        let there = planter.rows_of(policy);
        let update = planter.allowed_to(policy, subject, Permission::UPDATE);
        let columns = changed(policy, values).map(|grant| planter.column_rule(policy, subject, grant));
        let columns: Vec<_> = columns.collect();
        let allowed = Planter::all([there, update].into_iter().chain(columns));
        let becomes = Becomes::of(policy, subject, &mut planter, |tree| !leads_back(tree, policy));
        Self { allowed: Scope::of_tree(allowed), becomes }
    }
}

impl<M> Becomes<M> {
    fn of(
        policy: &'static Policy,
        subject: &dyn Subject,
        planter: &mut Planter<'_>,
        is_known: impl Fn(&Tree) -> bool,
    ) -> Self {
        match planter.becomes(policy, subject) {
            Tree::Always => Self::Anything,
            tree if is_known(&tree) => Self::InStatement(Scope::of_tree(tree)),
            tree => Self::Afterwards(Scope::of_tree(tree)),
        }
    }

    /// Of a new row: all columns that the rule names have to be given.
    fn of_new<DB: diesel::backend::Backend>(
        policy: &'static Policy,
        subject: &dyn Subject,
        values: &NewValues<'_, DB>,
    ) -> Self {
        let is_known = |tree: &Tree| {
            let mut is_given = true;
            tree.own_columns(&mut |column| is_given &= values.sets(column));
            is_given && !leads_back(tree, policy)
        };
        Self::of(policy, subject, &mut Planter::of(subject), is_known)
    }

    const fn in_statement(&self) -> Option<&Scope<M>> {
        match self {
            Self::InStatement(scope) => Some(scope),
            Self::Anything | Self::Afterwards(_) => None,
        }
    }
}

/// The rules for the columns that are set.
fn changed<'a, DB: diesel::backend::Backend>(
    policy: &'static Policy,
    values: &'a NewValues<'_, DB>,
) -> impl Iterator<Item = &'static ColumnGrant> + use<'a, DB> {
    policy.column_grants(Permission::UPDATE).filter(|grant| set_column(grant, values).is_some())
}

/// The first column of the rule that is set.
fn set_column<DB: diesel::backend::Backend>(
    grant: &ColumnGrant,
    values: &NewValues<'_, DB>,
) -> Option<&'static str> {
    grant.columns.iter().map(|column| column.name).find(|column| values.sets(column))
}

/// Whether a rule reads rows of the policy's own table. An unknown table may be that one, and one without a schema is
/// that of any schema.
fn leads_back(tree: &Tree, policy: &Policy) -> bool {
    let Some(table) = policy.table else { return tree.leads_to(&mut |_| true) };
    let own: TableName = (table.name)();
    tree.leads_to(&mut |related| related.table.is_none_or(|table| (table.name)().may_be(&own)))
}

impl Planter<'_> {
    fn allowed_to(&mut self, policy: &'static Policy, subject: &dyn Subject, permission: Permission) -> Tree {
        match above_lists(subject, permission) {
            Some(_) => Tree::Always,
            None => self.allowed(policy, permission),
        }
    }

    /// The rows of which the subject may use these columns, if it has the permission at all.
    pub(super) fn column_rule(
        &mut self,
        policy: &'static Policy,
        subject: &dyn Subject,
        grant: &'static ColumnGrant,
    ) -> Tree {
        match above_lists(subject, grant.permission) {
            Some(_) => Tree::Always,
            None => self.own_rule(policy, &grant.rule),
        }
    }

    fn becomes(&mut self, policy: &'static Policy, subject: &dyn Subject) -> Tree {
        match (above_lists(subject, Permission::UPDATE), policy.becomes) {
            (Some(_), _) | (None, None) => Tree::Always,
            (None, Some(rule)) => self.own_rule(policy, rule),
        }
    }
}

/// The query for the reason why nothing was changed: the permission, then the rule of each column that is set.
fn reasons<M: Scoped>(
    policy: &'static Policy,
    subject: &dyn Subject,
    values: &NewValues<'_, M::Backend>,
) -> GrantedColumn<M> {
    let mut planter = Planter::of(subject);
    let mut scopes = vec![Scope::of_tree(planter.allowed_to(policy, subject, Permission::UPDATE))];
    for grant in changed(policy, values) {
        scopes.push(Scope::of_tree(planter.column_rule(policy, subject, grant)));
    }
    GrantedColumn { scopes, there: planter.rows_of(policy), lock: "" }
}

/// The reason, by its answer.
fn reason<DB: diesel::backend::Backend>(
    policy: &'static Policy,
    values: &NewValues<'_, DB>,
    granted: Granted,
) -> ChangeError {
    if !granted.holds(0) {
        return ChangeError::Denied;
    }
    let refused = changed(policy, values).zip(1..).find(|(_, place)| !granted.holds(*place));
    match refused.and_then(|(grant, _)| set_column(grant, values)) {
        Some(column) => ChangeError::DeniedColumn { column },
        None => ChangeError::DeniedResult,
    }
}

/// The look at a row that was written, which locks what its rule depends on: the transaction may have a former view of that.
fn look<M: Scoped>(becomes: &Scope<M>, lock: RowLock) -> GrantedColumn<M> {
    let mut scope = becomes.clone();
    scope.form = Form::Locked(lock.of_parents());
    GrantedColumn { scopes: vec![scope], there: Tree::Always, lock: lock.of_row(Permission::UPDATE) }
}

/// Emits what became of it, as the decision of a guard. A statement that the database refused is no decision.
fn told<T>(result: Result<T, ChangeError>, check: &Check<'_>, above: Decision) -> Result<T, ChangeError> {
    let column;
    match &result {
        Ok(_) => check.decided(above),
        Err(ChangeError::NotFound) => check.decided(Decision::Deny(DenyReason::NotFound)),
        Err(ChangeError::DeniedColumn { column: denied }) => {
            column = [*denied];
            Check { required: Some(&column), ..*check }.decided(Decision::Deny(DenyReason::NoMatch));
        }
        Err(ChangeError::Denied | ChangeError::DeniedResult) => {
            check.decided(Decision::Deny(DenyReason::NoMatch));
        }
        Err(ChangeError::Failed(diesel::result::Error::DatabaseError(..))) => {}
        Err(error @ (ChangeError::Failed(_) | ChangeError::Unavailable(_))) => check.failed(error),
    }
    result
}
