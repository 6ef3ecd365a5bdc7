//! What the attributes' expansions call. Not for use by hand: it changes without notice.

pub use actix_web::{Error, HttpRequest, dev::Payload};
#[cfg(feature = "diesel")]
pub use diesel;

#[cfg(feature = "diesel")]
pub use crate::policy::{
    Column, Declared, Grant, Relation, Rule, SqlKind, UnknownSqlKind, assert_acyclic, assert_distinct,
    assert_grants, column, relation,
    sql::{
        GrantedColumn, Misfit, Rows, all_held, answered, answered_all, answered_each, are_checked, ask,
        assert_row, held, is_in_transaction, load, load_all, load_all_decided, load_all_with_access,
        load_decided, load_with_access, stored_key, stored_keys, unknown_relation, write_table,
    },
};
pub use crate::{
    acl::{Leaf, account_of, both, either, flag, is_null, subject, user_of},
    context::{AccessQuery, AllLoaded, Context, Granted, Lender, Loaded},
    guard::{
        Admitted, Argument, CallerRequirement, ContextFrom, ContextRequirement, DeclarativeGuard, Described,
        Guard, IdPlace, PlainArgument, Route, SubjectCheck, anonymous, authenticate, evaluate, extract,
        finish, finish_blocking, on_denied, permission, role,
    },
    http::{auth::LogInRequirement, denial::OnDenied},
    report::HANDLERS,
};

/// The SQL type of an expression.
#[cfg(feature = "diesel")]
pub type SqlTypeOf<E> = <E as diesel::Expression>::SqlType;

#[cfg(feature = "diesel-async")]
pub use diesel_async;

#[cfg(feature = "diesel-async")]
pub use crate::policy::sql::{
    async_answered_each, async_ask, async_is_in_transaction, async_load, async_load_all,
    async_load_all_decided, async_load_all_with_access, async_load_decided, async_load_with_access,
};
