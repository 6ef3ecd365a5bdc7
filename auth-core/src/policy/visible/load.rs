//! How guards load rows as their callers may see them: as the rows themselves, by a query of more bits.

use std::sync::Arc;

use super::{PermissionList, Visible};
use crate::{
    context::{
        AccessQuery, AllLoaded, AsyncLoadContext, AsyncLoadContexts, ConnectionSource, Context, Granted,
        Lender, LoadError, Loaded, LoadedOnThread, OnThread,
    },
    policy::sql::Scoped,
    vocabulary::{Decision, Permission, Subject},
};

impl<T, P: PermissionList> Visible<T, P> {
    fn query(query: &AccessQuery) -> AccessQuery {
        query.with_masks(P::PERMISSIONS)
    }

    /// The row, by the answers of [`query`](Self::query) for what `query` is about.
    fn of(row: T, granted: Granted, query: &AccessQuery) -> Self {
        Self::new(row, granted.behind(query.permissions.len()))
    }
}

/// A row that a loader by hand has loaded is read anew, with what is granted on it.
async fn with_bits<T: Context, P: PermissionList, L: Lender>(
    loaded: Vec<(T, Option<Granted>)>,
    query: &AccessQuery,
    lender: &L,
) -> Result<Vec<(Visible<T, P>, Granted)>, L::Error> {
    let known: Option<Vec<Granted>> = loaded.iter().map(|(_, granted)| *granted).collect();
    let rows: Vec<(T, Granted)> = if let Some(known) = known {
        loaded.into_iter().zip(known).map(|((row, _), granted)| (row, granted)).collect()
    } else {
        let contexts: Vec<&T> = loaded.iter().map(|(row, _)| row).collect();
        let rows = T::reload(&contexts, &Visible::<T, P>::query(query), lender).await?;
        if rows.len() != contexts.len() {
            return Err(LoadError::unavailable(NOT_QUERIED).into());
        }
        rows
    };
    Ok(rows.into_iter().map(|(row, granted)| (Visible::of(row, granted, query), granted)).collect())
}

const NOT_QUERIED: &str = "a `Visible` row decides by what it holds, and its loader by hand does not query which columns are visible: \
     derive `LoadContext`";

impl<T: AsyncLoadContext + Context + Scoped, P: PermissionList> AsyncLoadContext for Visible<T, P> {
    type Id = T::Id;
    type Connection = T::Connection;

    /// Without a caller, nothing is granted.
    async fn load(id: T::Id, connection: &mut T::Connection) -> Result<Self, LoadError> {
        Ok(T::load(id, connection).await?.into())
    }

    async fn load_lent<L: Lender>(
        id: T::Id,
        query: &AccessQuery,
        lender: &L,
    ) -> Result<Loaded<Self>, L::Error> {
        let loaded = T::load_lent(id, &Self::query(query), lender).await?;
        let mut rows = with_bits(vec![loaded], query, lender).await?;
        let (row, granted) = rows.pop().ok_or(LoadError::NotFound)?;
        Ok((row, Some(granted)))
    }

    fn on_thread(
        pool: &Arc<dyn ConnectionSource<Connection = T::Connection>>,
        id: impl Fn() -> Option<T::Id> + Send + 'static,
    ) -> Option<impl OnThread<Self> + 'static> {
        Some(VisibleOnThread(T::on_thread(pool, id)?))
    }
}

/// The load of the row, by a query of more bits.
struct VisibleOnThread<W>(W);

impl<W: OnThread<T>, T: Scoped, P: PermissionList> OnThread<Visible<T, P>> for VisibleOnThread<W> {
    fn load(&mut self, query: AccessQuery, is_timed: bool) {
        self.0.load(Visible::<T, P>::query(&query), is_timed);
    }

    /// A row without bits is loaded once more, by the guard.
    fn loaded(&mut self) -> Option<LoadedOnThread<Visible<T, P>>> {
        let LoadedOnThread { loaded, query, id, took } = self.0.loaded()?;
        let asked = query.permissions.len().saturating_sub(P::PERMISSIONS.len());
        let permissions = query.permissions.get(..asked)?.to_vec().into();
        let query = AccessQuery::new(query.subject, permissions);
        let loaded = match loaded {
            Ok((row, Some(granted))) => Ok((Visible::of(row, granted, &query), Some(granted))),
            Ok((_, None)) => return None,
            Err(error) => Err(error),
        };
        Some(LoadedOnThread { loaded, query, id, took })
    }
}

impl<T: AsyncLoadContexts + Context + Scoped, P: PermissionList> AsyncLoadContexts for Visible<T, P> {
    async fn load_all(
        ids: &[T::Id],
        connection: &mut T::Connection,
    ) -> Result<Vec<(T::Id, Self)>, LoadError> {
        let loaded = T::load_all(ids, connection).await?;
        Ok(loaded.into_iter().map(|(id, row)| (id, row.into())).collect())
    }

    async fn load_all_lent<L: Lender>(
        ids: Vec<T::Id>,
        query: &AccessQuery,
        lender: &L,
    ) -> Result<AllLoaded<T::Id, Self>, L::Error> {
        let loaded = T::load_all_lent(ids, &Self::query(query), lender).await?;
        let (ids, loaded): (Vec<_>, Vec<_>) = loaded.into_iter().unzip();
        let rows = with_bits(loaded, query, lender).await?;
        Ok(ids.into_iter().zip(rows).map(|(id, (row, granted))| (id, (row, Some(granted)))).collect())
    }
}

impl<T: Context, P: PermissionList> Context for Visible<T, P> {
    const IN_DATABASE: bool = true;

    /// That of the row.
    fn type_name() -> &'static str {
        T::type_name()
    }

    /// It knows what is granted by the database alone.
    fn decide(&self, _: &dyn Subject, _: Permission) -> Option<Decision> {
        None
    }

    async fn reload<L: Lender>(
        contexts: &[&Self],
        query: &AccessQuery,
        lender: &L,
    ) -> Result<Vec<(Self, Granted)>, L::Error> {
        let rows: Vec<&T> = contexts.iter().map(|visible| &visible.row).collect();
        let reloaded = T::reload(&rows, &Self::query(query), lender).await?;
        Ok(reloaded.into_iter().map(|(row, granted)| (Self::of(row, granted, query), granted)).collect())
    }
}
