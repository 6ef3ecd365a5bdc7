//! The extractor that gives a handler the rows that its caller may have.

use std::{marker::PhantomData, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use diesel::{
    Expression, Selectable, SelectableHelper as _,
    dsl::{AsSelect, Select},
    query_dsl::methods::SelectDsl,
};

use super::{Extraction, extract};
use crate::{
    http::denial::Denial,
    policy::{
        PermissionList,
        sql::{Scope, Scoped, ScopedTarget, VisibleBits},
    },
    vocabulary::{Permission, PermissionMarker, Subject},
};

/// The rows of `T` on which the caller has the permission `P`: the query of a list.
///
/// The handler adds filters, an order and a page of its own. In a handler without a guard it authenticates the request
/// itself and answers 401 to anonymous callers.
///
/// ```
/// # mod service {
/// use actix_web::{Responder, get, web};
/// use auth_core::{Accessible, AuthModel, auth_required, permission::Read};
/// use diesel::{prelude::*, r2d2::{ConnectionManager, Pool}, sqlite::Sqlite};
/// use serde::Serialize;
///
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
/// #[derive(Queryable, Selectable, Serialize, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(Sqlite))]
/// #[acl(read = account(account_id))]
/// struct Note {
///     id: i32,
///     account_id: i32,
///     text: String,
/// }
///
/// #[auth_required]
/// #[get("/notes")]
/// async fn list(
///     notes: Accessible<Note, Read>,
///     pool: web::Data<Pool<ConnectionManager<SqliteConnection>>>,
/// ) -> actix_web::Result<impl Responder> {
///     let page = notes.query().order(notes::id).limit(20);
///     let page = web::block(move || page.load::<Note>(&mut pool.get().unwrap())).await?;
///     Ok(web::Json(page.map_err(actix_web::error::ErrorServiceUnavailable)?))
/// }
/// # }
/// ```
pub struct Accessible<T, P> {
    subject: Arc<dyn Subject>,
    types: PhantomData<fn() -> (T, P)>,
}

impl<T: Scoped, P: PermissionMarker> Accessible<T, P> {
    /// The rows, as a [`ScopedQuery`](crate::ScopedQuery). Each call begins another one, so a total can be counted beside a
    /// page.
    #[must_use]
    pub fn query(&self) -> T::Query {
        T::accessible_by(&*self.subject, P::PERMISSION)
    }

    /// These rows, for a page of a caller who has a good part of them: [`Scope::row_by_row`].
    #[must_use]
    pub fn query_row_by_row(&self) -> T::Query {
        T::accessible_row_by_row(&*self.subject, P::PERMISSION)
    }

    /// The rows as the caller may see them, each with what the caller may do with it: a query that loads
    /// [`Visible<T, Can>`](crate::Visible), in one statement.
    ///
    /// ```
    /// # use auth_core::{Accessible, AuthModel, Visible, permission::{Delete, Read, Update}};
    /// # use diesel::prelude::*;
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(read = account(account_id), update = account(account_id) & role("editor"))]
    /// # struct Note { id: i32, account_id: i32, text: String }
    /// type VisibleNote = Visible<Note, (Update, Delete)>;
    ///
    /// fn page(notes: &Accessible<Note, Read>, connection: &mut SqliteConnection) -> QueryResult<Vec<VisibleNote>> {
    ///     notes.visible::<(Update, Delete)>().order(notes::id).limit(20).load(connection)
    /// }
    /// ```
    #[must_use]
    pub fn visible<Can: PermissionList>(&self) -> Select<T::Query, RowWithBits<T>>
    where
        T: Selectable<T::Backend>,
        RowWithBits<T>: Expression,
        T::Query: SelectDsl<RowWithBits<T>>,
    {
        self.select_visible::<Can>(self.query())
    }

    /// A query of this list, with the rows as the caller may see them: [`visible`](Self::visible), for filters, an order and a
    /// page that are there already.
    #[must_use]
    pub fn select_visible<Can: PermissionList>(&self, query: T::Query) -> Select<T::Query, RowWithBits<T>>
    where
        T: Selectable<T::Backend>,
        RowWithBits<T>: Expression,
        T::Query: SelectDsl<RowWithBits<T>>,
    {
        let bits = VisibleBits::of(&*self.subject, Can::PERMISSIONS);
        SelectDsl::select(query, (T::as_select(), bits))
    }

    /// The rows that the caller may change by the permission `P`, for `diesel::update` and `diesel::delete`: of
    /// `Accessible<Note, Update>`, or `Accessible<Note, Delete>`.
    ///
    /// ```
    /// # use auth_core::{Accessible, AuthModel, permission::Delete};
    /// # use diesel::prelude::*;
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(delete = account(account_id))]
    /// # struct Note { id: i32, account_id: i32 }
    /// fn remove_empty(notes: &Accessible<Note, Delete>, connection: &mut SqliteConnection) -> QueryResult<usize> {
    ///     diesel::delete(notes.target().filter(notes::text.eq(""))).execute(connection)
    /// }
    /// ```
    ///
    /// It does not compile with `Read`, because a caller who may see a row may still not change it.
    ///
    /// ```compile_fail,E0080
    /// # use auth_core::{Accessible, AuthModel, permission::Read};
    /// # use diesel::prelude::*;
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(read = account(account_id))]
    /// # struct Note { id: i32, account_id: i32 }
    /// let remove: fn(&Accessible<Note, Read>) = |notes| drop(diesel::delete(notes.target()));
    /// ```
    pub fn target<'a>(&self) -> ScopedTarget<'a, T> {
        const {
            assert!(
                !P::PERMISSION.is(Permission::READ),
                "who may see a row may not change it for that: take the rows by another permission, such as `Update`"
            );
        }
        T::changeable_by(&*self.subject, P::PERMISSION)
    }

    /// The rows as a condition, for a statement of the handler's own about many rows. [`Scoped::scope`] says how such a
    /// statement could widen it.
    #[must_use]
    pub fn scope(&self) -> Scope<T> {
        T::scope(&*self.subject, P::PERMISSION).of_many()
    }
}

/// The columns of a row, and what its caller may do with it.
type RowWithBits<T> = (AsSelect<T, <T as Scoped>::Backend>, VisibleBits<T>);

impl<T, P> Clone for Accessible<T, P> {
    fn clone(&self) -> Self {
        Self { subject: Arc::clone(&self.subject), types: PhantomData }
    }
}

impl<T: Scoped, P: PermissionMarker> FromRequest for Accessible<T, P> {
    type Error = Denial;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |auth, request| {
            let subject = auth.current_or_refused(request).await?.subject();
            Ok(Self { subject, types: PhantomData })
        })
    }
}
