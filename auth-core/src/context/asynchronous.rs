//! Contexts that are loaded without blocking. Every [`LoadContext`] is one as well: it runs on a thread.

use std::{fmt, future::Future, hash::Hash, sync::Arc};

use super::{
    AccessQuery, AllLoaded, ConnectionSource, Lender, LoadContext, LoadContexts, LoadError, Loaded,
    NotOnThread, OnThread, blocking,
};

/// How a context is found by its id, through a connection that is awaited and not blocked on, such as one of
/// `diesel-async`. A guard requires this trait; every type with [`LoadContext`] has it.
///
/// `#[derive(LoadContext)]` writes it for a diesel table, with the type of the connection:
/// `#[auth(async_connection = diesel_async::AsyncPgConnection)]`. By hand:
///
/// ```
/// # use auth_core::{AsyncLoadContext, LoadError};
/// # struct Observatory;
/// # impl Observatory { async fn look(&mut self, _: u8) -> std::io::Result<bool> { Ok(true) } }
/// struct Planet {
///     number: u8,
/// }
///
/// impl AsyncLoadContext for Planet {
///     type Id = u8;
///     type Connection = Observatory;
///
///     async fn load(number: u8, observatory: &mut Observatory) -> Result<Self, LoadError> {
///         let is_there = observatory.look(number).await.map_err(LoadError::unavailable)?;
///         if is_there { Ok(Self { number }) } else { Err(LoadError::NotFound) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded as a context",
    label = "how is it found by its id?",
    note = "add `#[derive(auth_core::LoadContext)]` to `{Self}`, or implement `auth_core::LoadContext` by hand"
)]
pub trait AsyncLoadContext: Sized + 'static {
    /// The key of a context, as [`LoadContext::Id`].
    type Id: fmt::Debug + 'static;

    /// The connection that an [`AsyncConnectionSource`](crate::AsyncConnectionSource) lends.
    type Connection: 'static;

    /// Finds the context. Must not block: a guard awaits it where all other requests are served as well.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if there is no such context, [`LoadError::Unavailable`] if the store failed.
    fn load(id: Self::Id, connection: &mut Self::Connection)
    -> impl Future<Output = Result<Self, LoadError>>;

    /// Loads the context and the database's decision about it, in one statement.
    #[doc(hidden)]
    fn load_with_access(
        id: Self::Id,
        query: &AccessQuery,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Loaded<Self>, LoadError>> {
        let _ = query;
        async { Ok((Self::load(id, connection).await?, None)) }
    }

    /// Loads both through a connection of this lender.
    #[doc(hidden)]
    fn load_lent<L: Lender>(
        id: Self::Id,
        query: &AccessQuery,
        lender: &L,
    ) -> impl Future<Output = Result<Loaded<Self>, L::Error>> {
        async {
            let mut connection = lender.acquire::<Self::Connection>().await?;
            let loaded = Self::load_with_access(id, query, &mut connection).await;
            connection.done();
            Ok(loaded?)
        }
    }

    /// The load of the context with this id, for a thread that blocks anyway. `None` if the context is awaited.
    #[doc(hidden)]
    fn on_thread(
        pool: &Arc<dyn ConnectionSource<Connection = Self::Connection>>,
        id: impl Fn() -> Option<Self::Id> + Send + 'static,
    ) -> Option<impl OnThread<Self> + 'static> {
        let _ = (pool, id);
        None::<NotOnThread>
    }
}

impl<T: LoadContext> AsyncLoadContext for T {
    type Id = T::Id;
    type Connection = T::Connection;

    async fn load(id: T::Id, connection: &mut T::Connection) -> Result<Self, LoadError> {
        LoadContext::load(id, connection)
    }

    fn load_lent<L: Lender>(
        id: T::Id,
        query: &AccessQuery,
        lender: &L,
    ) -> impl Future<Output = Result<Loaded<Self>, L::Error>> {
        let query = query.clone();
        lender.blocking(move |connection| <T as LoadContext>::load_with_access(id, &query, connection))
    }

    fn on_thread(
        pool: &Arc<dyn ConnectionSource<Connection = T::Connection>>,
        id: impl Fn() -> Option<T::Id> + Send + 'static,
    ) -> Option<impl OnThread<T> + 'static> {
        Some(blocking::load_on_thread(Arc::clone(pool), id))
    }
}

/// How several contexts are found by their ids without blocking, in one go. Every type with [`LoadContexts`] has it.
#[diagnostic::on_unimplemented(
    message = "several `{Self}` cannot be loaded at once",
    label = "how are they found by their ids?",
    note = "add `#[derive(auth_core::LoadContext)]` to `{Self}`, or implement `auth_core::LoadContexts` by hand"
)]
pub trait AsyncLoadContexts: AsyncLoadContext<Id: Clone + Eq + Hash> {
    /// Finds the contexts, as [`LoadContexts::load_all`].
    ///
    /// # Errors
    ///
    /// [`LoadError::Unavailable`] if the store failed.
    fn load_all(
        ids: &[Self::Id],
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Vec<(Self::Id, Self)>, LoadError>>;

    /// Loads the contexts and the database's decision about each, in one statement.
    #[doc(hidden)]
    fn load_all_with_access(
        ids: &[Self::Id],
        query: &AccessQuery,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<AllLoaded<Self::Id, Self>, LoadError>> {
        let _ = query;
        async {
            let contexts = Self::load_all(ids, connection).await?;
            Ok(contexts.into_iter().map(|(id, context)| (id, (context, None))).collect())
        }
    }

    /// Loads both through a connection of this lender.
    #[doc(hidden)]
    fn load_all_lent<L: Lender>(
        ids: Vec<Self::Id>,
        query: &AccessQuery,
        lender: &L,
    ) -> impl Future<Output = Result<AllLoaded<Self::Id, Self>, L::Error>> {
        async move {
            let mut connection = lender.acquire::<Self::Connection>().await?;
            let loaded = Self::load_all_with_access(&ids, query, &mut connection).await;
            connection.done();
            Ok(loaded?)
        }
    }
}

impl<T: LoadContexts> AsyncLoadContexts for T {
    async fn load_all(
        ids: &[T::Id],
        connection: &mut T::Connection,
    ) -> Result<Vec<(T::Id, Self)>, LoadError> {
        LoadContexts::load_all(ids, connection)
    }

    fn load_all_lent<L: Lender>(
        ids: Vec<T::Id>,
        query: &AccessQuery,
        lender: &L,
    ) -> impl Future<Output = Result<AllLoaded<T::Id, Self>, L::Error>> {
        let query = query.clone();
        lender.blocking(move |connection| <T as LoadContexts>::load_all_with_access(&ids, &query, connection))
    }
}
