//! One context, a list of them, or labelled groups: what a guard loads in one go and checks one by one.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap, HashSet},
    fmt::{self, Write as _},
    future::Future,
};

use super::{AccessQuery, AsyncLoadContext, AsyncLoadContexts, Context, Granted, Lender, LoadError};

/// One or more contexts, each of which a guard checks.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access-control list",
    label = "who may do what with it?",
    note = "for a row of a table, derive `auth_core::AuthModel` with a policy: `#[acl(read = account(account_id))]`; else \
            implement it for the context: `fn acl(&self) -> impl Acl`",
    note = "a guard checks one context, a `Vec` of them, or a `BTreeMap` of labelled groups"
)]
pub trait Contexts {
    type Context: Context;

    /// Each context, with the label of its group where there are groups.
    fn each(&self) -> impl Iterator<Item = (Option<&str>, &Self::Context)>;

    /// The places of the contexts, in the order of [`each`](Self::each).
    fn places(&mut self) -> impl Iterator<Item = &mut Self::Context>;

    /// Where there is nothing to check.
    fn empty(&self) -> Empty<'_>;
}

/// Where there is nothing to check.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty<'a> {
    Nowhere,
    /// There is no context, or no group.
    Everywhere,
    /// In the group of this label.
    Group(&'a str),
}

impl<T: Context> Contexts for T {
    type Context = T;

    fn each(&self) -> impl Iterator<Item = (Option<&str>, &T)> {
        std::iter::once((None, self))
    }

    fn places(&mut self) -> impl Iterator<Item = &mut T> {
        std::iter::once(self)
    }

    fn empty(&self) -> Empty<'_> {
        Empty::Nowhere
    }
}

#[diagnostic::do_not_recommend]
impl<T: Context> Contexts for Vec<T> {
    type Context = T;

    fn each(&self) -> impl Iterator<Item = (Option<&str>, &T)> {
        self.iter().map(|context| (None, context))
    }

    fn places(&mut self) -> impl Iterator<Item = &mut T> {
        self.iter_mut()
    }

    fn empty(&self) -> Empty<'_> {
        if self.is_empty() { Empty::Everywhere } else { Empty::Nowhere }
    }
}

#[diagnostic::do_not_recommend]
impl<L: AsRef<str>, T: Context> Contexts for BTreeMap<L, Vec<T>> {
    type Context = T;

    fn each(&self) -> impl Iterator<Item = (Option<&str>, &T)> {
        self.iter()
            .flat_map(|(label, group)| group.iter().map(move |context| (Some(label.as_ref()), context)))
    }

    fn places(&mut self) -> impl Iterator<Item = &mut T> {
        self.values_mut().flatten()
    }

    fn empty(&self) -> Empty<'_> {
        if self.is_empty() {
            return Empty::Everywhere;
        }
        let empty = self.iter().find(|(_, group)| group.is_empty());
        empty.map_or(Empty::Nowhere, |(label, _)| Empty::Group(label.as_ref()))
    }
}

/// Contexts that a guard can load by a key: a context by its id, a list by the ids.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded by an id",
    note = "a context implements `auth_core::LoadContext`, a list of contexts needs `auth_core::LoadContexts`; \
            `#[derive(auth_core::LoadContext)]` writes both"
)]
pub trait Loadable: Sized + 'static {
    type Key: fmt::Debug + 'static;

    /// The key with each id once.
    fn distinct(key: Self::Key) -> Self::Key;

    /// The empty result for an empty list of ids.
    fn of_nothing(key: &Self::Key) -> Option<Self>;

    /// How many contexts the key names.
    fn count(key: &Self::Key) -> usize;

    /// The key, for the log: all of it, or its beginning.
    fn shown(key: &Self::Key) -> String;

    /// The id of each context that will be loaded, for the log.
    fn ids(key: &Self::Key) -> Vec<String>;

    /// Loads the contexts, and the database's decision about each if the database decides.
    fn load<L: Lender>(
        key: Self::Key,
        query: &AccessQuery,
        lender: &L,
    ) -> impl Future<Output = Result<(Self, Vec<Granted>), L::Error>>;
}

impl<T: AsyncLoadContext> Loadable for T {
    type Key = T::Id;

    fn distinct(id: T::Id) -> T::Id {
        id
    }

    fn of_nothing(_: &T::Id) -> Option<Self> {
        None
    }

    fn count(_: &T::Id) -> usize {
        1
    }

    fn shown(id: &T::Id) -> String {
        // The only context of its type has no id to show.
        if TypeId::of::<T::Id>() == TypeId::of::<()>() { String::new() } else { format!("{id:?}") }
    }

    fn ids(_: &T::Id) -> Vec<String> {
        Vec::new()
    }

    async fn load<L: Lender>(
        id: T::Id,
        query: &AccessQuery,
        lender: &L,
    ) -> Result<(Self, Vec<Granted>), L::Error> {
        let (context, granted) = T::load_lent(id, query, lender).await?;
        Ok((context, granted.into_iter().collect()))
    }
}

/// The log cuts what is longer than a quarter of this in any case: of a long list, no more is written down.
const MAX_SHOWN: usize = 1024;

/// In the order of the ids, each context once. If one id has no context, the whole list is not found.
#[diagnostic::do_not_recommend]
impl<T: AsyncLoadContexts> Loadable for Vec<T> {
    type Key = Vec<T::Id>;

    fn distinct(mut ids: Vec<T::Id>) -> Vec<T::Id> {
        let mut seen = HashSet::with_capacity(ids.len());
        ids.retain(|id| seen.insert(id.clone()));
        ids
    }

    fn of_nothing(ids: &Vec<T::Id>) -> Option<Self> {
        ids.is_empty().then(Self::new)
    }

    fn count(ids: &Vec<T::Id>) -> usize {
        ids.len()
    }

    fn shown(ids: &Vec<T::Id>) -> String {
        let mut shown = String::new();
        for id in ids {
            if shown.len() > MAX_SHOWN {
                break;
            }
            if !shown.is_empty() {
                shown.push_str(", ");
            }
            // A `String` takes all that is written to it.
            let _ = write!(shown, "{id:?}");
        }
        shown
    }

    fn ids(ids: &Vec<T::Id>) -> Vec<String> {
        ids.iter().map(|id| format!("{id:?}")).collect()
    }

    async fn load<L: Lender>(
        ids: Vec<T::Id>,
        query: &AccessQuery,
        lender: &L,
    ) -> Result<(Self, Vec<Granted>), L::Error> {
        let loaded = T::load_all_lent(ids.clone(), query, lender).await?;
        let mut loaded: HashMap<_, _> = loaded.into_iter().collect();
        let mut contexts = Self::with_capacity(ids.len());
        let mut all_granted = Vec::with_capacity(ids.len());
        for id in &ids {
            let (context, granted) = loaded.remove(id).ok_or(LoadError::NotFound)?;
            contexts.push(context);
            all_granted.extend(granted);
        }
        Ok((contexts, all_granted))
    }
}
