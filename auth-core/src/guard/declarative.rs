//! Guards that load what the request names, and nothing else: most guards. They are types and data. All share the code of
//! their checks, which the compiler does not check again for each handler.

use std::{marker::PhantomData, pin::pin};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use super::{Caller, Described, Entry, Guard, extract, first::First, id_place::ReadFrom, progress};
use crate::{
    context::{ContextArgument, OnThread},
    error::AuthError,
};

/// The guard of a handler whose contexts the request names. An attribute writes it.
///
/// `T` is that of [`Guard`].
#[doc(hidden)]
pub trait DeclarativeGuard<T: 'static = ()>: Described {
    /// The handler's arguments, as a tuple.
    type Arguments: 'static;

    /// The contexts, each a [`ContextFrom`], in a nested list that ends with `()`. The handler's data has their order.
    type Contexts: ContextTypes;

    /// The other arguments, as a tuple.
    type Others: FromRequest + 'static;

    /// Puts the arguments in their order.
    fn arguments(contexts: <Self::Contexts as ContextList>::Loaded, others: Self::Others) -> Self::Arguments;
}

/// It authenticates its callers.
impl<G: DeclarativeGuard<T>, T: 'static> Guard<T> for G {
    type Arguments = G::Arguments;

    async fn admit(request: &HttpRequest, payload: &mut Payload) -> Result<Self::Arguments, Error> {
        let entry = Entry::of(request, &G::handler().requirements)?;
        let first = G::Contexts::first(&entry);
        let (caller, first) = pin!(entry.authenticate(first)).await?;
        progress::passes(request);
        let contexts = pin!(G::Contexts::load(&caller, 0, first)).await?;
        let others = extract(request, payload).await?;
        Ok(G::arguments(contexts, others))
    }
}

/// A context for an argument of type `A`, named in the place `S`.
#[doc(hidden)]
pub struct ContextFrom<A, S>(PhantomData<(A, S)>);

/// A list of types. It requires nothing of them, so that the compiler reports a missing trait for [`ContextTypes`] alone.
#[doc(hidden)]
pub trait ContextList: 'static {
    type Loaded: 'static;
}

impl ContextList for () {
    type Loaded = ();
}

impl<A: 'static, S: 'static, Rest: ContextList> ContextList for (ContextFrom<A, S>, Rest) {
    type Loaded = (A, Rest::Loaded);
}

/// Contexts that the request names, each of which can be loaded.
#[doc(hidden)]
pub trait ContextTypes: ContextList {
    /// The type that the first context is loaded as.
    type First: 'static;

    /// The work for these on the thread that finds the subject.
    fn first(entry: &Entry<'_, 'static>) -> Option<First<Self::First>>;

    /// Loads and checks those that the guard requires at `index` and behind it.
    fn load(
        caller: &Caller<'_>,
        index: usize,
        first: Option<Box<dyn OnThread<Self::First>>>,
    ) -> impl Future<Output = Result<Self::Loaded, AuthError>>;
}

#[diagnostic::do_not_recommend]
impl ContextTypes for () {
    type First = ();

    fn first(_: &Entry<'_, 'static>) -> Option<First<()>> {
        None
    }

    async fn load(
        caller: &Caller<'_>,
        index: usize,
        _: Option<Box<dyn OnThread<()>>>,
    ) -> Result<(), AuthError> {
        caller.has_loaded_all(index)
    }
}

impl<A, S, Rest> ContextTypes for (ContextFrom<A, S>, Rest)
where
    A: ContextArgument<Loaded: ReadFrom<S>> + 'static,
    S: 'static,
    Rest: ContextTypes,
{
    type First = A::Loaded;

    fn first(entry: &Entry<'_, 'static>) -> Option<First<A::Loaded>> {
        entry.first()
    }

    async fn load(
        caller: &Caller<'_>,
        index: usize,
        first: Option<Box<dyn OnThread<A::Loaded>>>,
    ) -> Result<(A, Rest::Loaded), AuthError> {
        let context = pin!(caller.context_on_thread::<A, S>(index, first)).await?;
        Ok((context, Rest::load(caller, index + 1, None).await?))
    }
}
