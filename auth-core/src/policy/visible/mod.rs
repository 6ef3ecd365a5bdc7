//! Rows as a subject may see them.

mod load;
mod serialize;

use std::{marker::PhantomData, ops::Deref};

use diesel::{
    Column,
    backend::Backend,
    deserialize::{self, FromStaticSqlRow, Queryable},
    sql_types::BigInt,
};

use crate::{
    context::Granted,
    policy::sql::{Scoped, visible_bits},
    vocabulary::{Permission, PermissionMarker},
};

/// A row of which a caller sees no more than the policy's rules for columns, `read(column) = RULE`, allow; and what the caller
/// may do with it.
///
/// It serializes as the row does, without the columns that the caller may not read; and where it names permissions,
/// `Visible<Note, (Update, Delete)>`, with those that the caller has: `"_can": ["update"]`. The statement that loads the row
/// answers for both. A guard hands it over in the place of the row, alone, in a `Vec` or in an
/// [`Authorized`](crate::Authorized); a list loads it by [`Accessible::visible`](crate::Accessible::visible).
///
/// Code sees the whole row through it. A masked column that serde has another name for is known by that name; where a
/// `Serialize` by hand leaves none for it, nothing is serialized, and the answer is a failure.
///
/// ```
/// # mod service {
/// use actix_web::{Responder, get, web};
/// use auth_core::{AuthModel, LoadContext, Visible, permission::{Delete, Update}, permission_required_for_context};
/// use diesel::{prelude::*, sqlite::Sqlite};
/// use serde::Serialize;
///
/// # diesel::table! { accounts (id) { id -> Integer, name -> Text, contract_value -> Integer } }
/// #[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
/// #[diesel(table_name = accounts, check_for_backend(Sqlite))]
/// #[acl(
///     read = account(id) | role("support"),
///     read(contract_value) = account(id) & role("account-admin"),
///     update = account(id) & role("account-admin"),
/// )]
/// struct Account {
///     id: i32,
///     name: String,
///     contract_value: i32,
/// }
///
/// // For the support: `{"id":3,"name":"mill","_can":[]}`
/// #[permission_required_for_context("read", ctx_arg = "account")]
/// #[get("/accounts/{account_id}")]
/// async fn view(account: Visible<Account, (Update, Delete)>) -> impl Responder {
///     web::Json(account)
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Visible<T, P = ()> {
    row: T,
    /// First the permissions of `P`, then the rules for columns.
    granted: Granted,
    permissions: PhantomData<fn() -> P>,
}

impl<T, P> Visible<T, P> {
    pub(super) const fn new(row: T, granted: Granted) -> Self {
        Self { row, granted, permissions: PhantomData }
    }

    /// The whole row: nothing is masked any more.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.row
    }
}

impl<T, P: PermissionList> Visible<T, P> {
    /// Of the permissions that the type names, those that the caller has.
    pub fn can(&self) -> impl Iterator<Item = Permission> {
        self.granted.of(P::PERMISSIONS)
    }
}

impl<T: Scoped, P: PermissionList> Visible<T, P> {
    /// Whether the caller may read a column, for pages that show values one by one.
    pub fn shows<C: Column<Table = T::Table>>(&self, _: C) -> bool {
        let mut masks = (P::PERMISSIONS.len()..).zip(T::POLICY.column_grants(Permission::READ));
        masks.all(|(place, mask)| {
            self.granted.holds(place) || mask.columns.iter().all(|column| column.name != C::NAME)
        })
    }
}

/// Of a row that nobody has decided about: every masked column is hidden, and nothing may be done. A function that a guard has
/// load contexts, `ctx_loader`, makes it so; the guard then decides, and shows what the caller may see.
impl<T, P> From<T> for Visible<T, P> {
    fn from(row: T) -> Self {
        Self::new(row, Granted(0))
    }
}

impl<T, P> Deref for Visible<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.row
    }
}

/// A row and the bits, as a list selects them.
impl<T, P, ST, DB> Queryable<(ST, BigInt), DB> for Visible<T, P>
where
    DB: Backend,
    T: Scoped,
    P: PermissionList,
    (T, i64): FromStaticSqlRow<(ST, BigInt), DB>,
{
    type Row = (T, i64);

    fn build((row, number): (T, i64)) -> deserialize::Result<Self> {
        let granted = visible_bits(number, T::POLICY.context(), P::PERMISSIONS).ok_or(OTHERS)?;
        Ok(Self::new(row, granted))
    }
}

const OTHERS: &str = "a list that selects visible rows for some permissions is loaded for others: name the permissions of \
                      `visible::<…>()` in the type of its rows, in their order";

/// Permissions that a type names: a marker as [`Update`](crate::permission::Update), a tuple of up to four, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no permissions",
    note = "write `Visible<T, Update>`, `Visible<T, (Update, Delete)>`, or `Visible<T>` for none; a permission of your own is a type \
            that implements `auth_core::permission::PermissionMarker`"
)]
pub trait PermissionList: 'static {
    /// In the order in which they are written.
    const PERMISSIONS: &'static [Permission];
}

impl PermissionList for () {
    const PERMISSIONS: &'static [Permission] = &[];
}

#[diagnostic::do_not_recommend]
impl<P: PermissionMarker> PermissionList for P {
    const PERMISSIONS: &'static [Permission] = &[P::PERMISSION];
}

macro_rules! permission_lists {
    ($($($marker:ident)+;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($marker: PermissionMarker),+> PermissionList for ($($marker,)+) {
            const PERMISSIONS: &'static [Permission] = &[$($marker::PERMISSION),+];
        }
    )*};
}

permission_lists! {
    A;
    A B;
    A B C;
    A B C D;
}
