//! The items that the expansions of the attributes name. Not for use by hand: it changes without notice.

pub use actix_web::{Error, HttpRequest, dev::Payload};
#[cfg(feature = "diesel")]
pub use diesel;

#[cfg(feature = "diesel")]
pub use crate::policy::{
    Column, ColumnGrant, Declared, Grant, Relation, RelationKind, Rule, SqlKind, TableOfRows, UnknownSqlKind,
    assert_acyclic, assert_distinct, assert_grants, assert_one_tree, column, policy_of, relation,
    relation_of, relation_to_many,
    sql::{
        KeyedRow, LoadRows, NewValues, NoLock, Unmasked, VisibleColumns, are_checked, assert_row, blocking,
        unknown_relation, write_table,
    },
};
pub use crate::{
    acl::{Constant, Leaf, Literal, assert_literal, both, derived::*, either},
    context::{AccessQuery, AllLoaded, Context, Granted, Lender, Loaded},
    guard::{
        Admitted, Argument, CallerRequirement, Checked, ContextFrom, ContextRequirement, DeclarativeGuard,
        Described, Guard, IdPlace, Other, PlainArgument, Quantifier, Requirements, Route, SubjectAttribute,
        SubjectCheck, anonymous, assert_proof, authenticate, evaluate, extract, finish, finish_blocking,
        on_denied, permission, role,
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
pub use crate::policy::sql::{AsyncLoadRows, asynchronous};
