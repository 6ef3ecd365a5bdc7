//! Guards that load what the request names, and nothing else: most guards. They are types and data. All share the code of
//! their checks, which the compiler does not check again for each handler.

use std::{marker::PhantomData, pin::pin};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use super::{Caller, Described, Entry, Guard, extract, first::First, id_place::ReadFrom, progress};
use crate::{context::ContextArgument, error::AuthError};

/// The guard of a handler whose contexts the request names. An attribute writes it.
///
/// `T` and `C` are those of [`Guard`].
#[doc(hidden)]
pub trait DeclarativeGuard<T: FlatTuple, C: 'static = ()>: Described {
    /// The contexts in the order of the handler's data: [`ContextFrom`], [`Checked`] and [`Other`] in a nested list that ends
    /// with `()`.
    type Contexts: ContextTypes + Arguments<Self::Others, List = T::List>;

    /// The other arguments, as such a list.
    type Others: FromRequest + 'static;
}

/// For callers who are authenticated.
impl<G: DeclarativeGuard<T, C>, T: FlatTuple, C: 'static> Guard<T, C> for G {
    async fn admit(request: &HttpRequest, payload: &mut Payload) -> Result<T, Error> {
        let entry = Entry::of(request, &G::handler().requirements)?;
        let first = G::Contexts::first(&entry);
        let (caller, first) = pin!(entry.authenticate(first)).await?;
        progress::passes(request);
        let contexts = pin!(G::Contexts::load(&caller, 0, first)).await?;
        with_others::<G::Contexts, G::Others>(contexts, request, payload).await.map(T::from_list)
    }
}

/// Phase 4. A function of its own, so that its future takes the room of those before it.
async fn with_others<C: Arguments<O>, O: FromRequest>(
    contexts: C::Loaded,
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<C::List, Error> {
    let others = extract(request, payload).await?;
    Ok(C::with(contexts, others))
}

/// A context for an argument of type `A`, named in the place `S`.
#[doc(hidden)]
pub struct ContextFrom<A, S>(PhantomData<(A, S)>);

/// A context that no argument receives.
#[doc(hidden)]
pub struct Checked<A, S>(PhantomData<(A, S)>);

/// The place of another argument in front of a context's. All that have none follow behind the last context.
#[doc(hidden)]
pub struct Other;

/// The contexts of a handler in the order of its arguments, and the others `O` between them. It requires nothing of the types,
/// so that the compiler reports a missing trait for [`ContextTypes`] alone.
#[doc(hidden)]
pub trait Arguments<O>: ContextList {
    /// The arguments, as a nested list.
    type List: 'static;

    fn with(contexts: Self::Loaded, others: O) -> Self::List;
}

impl<O: 'static> Arguments<O> for () {
    type List = O;

    fn with((): (), others: O) -> O {
        others
    }
}

impl<A: 'static, S: 'static, Rest: Arguments<O>, O> Arguments<O> for (ContextFrom<A, S>, Rest) {
    type List = (A, Rest::List);

    fn with((context, rest): Self::Loaded, others: O) -> Self::List {
        (context, Rest::with(rest, others))
    }
}

impl<A: 'static, S: 'static, Rest: Arguments<O>, O> Arguments<O> for (Checked<A, S>, Rest) {
    type List = Rest::List;

    fn with((_, rest): Self::Loaded, others: O) -> Self::List {
        Rest::with(rest, others)
    }
}

impl<E: 'static, Rest: Arguments<O>, O> Arguments<(E, O)> for (Other, Rest) {
    type List = (E, Rest::List);

    fn with(contexts: Self::Loaded, (other, others): (E, O)) -> Self::List {
        (other, Rest::with(contexts, others))
    }
}

/// The loaded contexts of a list. It requires nothing of the types, so that the compiler reports a missing trait for
/// [`ContextTypes`] alone.
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

impl<A: 'static, S: 'static, Rest: ContextList> ContextList for (Checked<A, S>, Rest) {
    type Loaded = (A, Rest::Loaded);
}

impl<Rest: ContextList> ContextList for (Other, Rest) {
    type Loaded = Rest::Loaded;
}

/// A tuple, which is made of a nested list.
#[doc(hidden)]
pub trait FlatTuple: 'static {
    type List: 'static;

    fn from_list(list: Self::List) -> Self;
}

macro_rules! flat_tuples {
    (@list) => { () };
    (@list $first:ident $($rest:ident)*) => { ($first, flat_tuples!(@list $($rest)*)) };
    ($($name:ident)*) => {
        impl<$($name: 'static),*> FlatTuple for ($($name,)*) {
            type List = flat_tuples!(@list $($name)*);

            #[allow(clippy::unused_unit, non_snake_case, reason = "the names are those of the types")]
            fn from_list(flat_tuples!(@list $($name)*): Self::List) -> Self {
                ($($name,)*)
            }
        }
    };
}

flat_tuples!();
flat_tuples!(A);
flat_tuples!(A B);
flat_tuples!(A B C);
flat_tuples!(A B C D);
flat_tuples!(A B C D E);
flat_tuples!(A B C D E F);
flat_tuples!(A B C D E F G);
flat_tuples!(A B C D E F G H);
flat_tuples!(A B C D E F G H I);
flat_tuples!(A B C D E F G H I J);
flat_tuples!(A B C D E F G H I J K);
flat_tuples!(A B C D E F G H I J K L);

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
        first: Option<First<Self::First>>,
    ) -> impl Future<Output = Result<Self::Loaded, AuthError>>;
}

#[diagnostic::do_not_recommend]
impl ContextTypes for () {
    type First = ();

    fn first(_: &Entry<'_, 'static>) -> Option<First<()>> {
        None
    }

    async fn load(caller: &Caller<'_>, index: usize, _: Option<First<()>>) -> Result<(), AuthError> {
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
        first: Option<First<A::Loaded>>,
    ) -> Result<(A, Rest::Loaded), AuthError> {
        let context = pin!(caller.context_on_thread::<A, S>(index, first)).await?;
        Ok((context, Rest::load(caller, index + 1, None).await?))
    }
}

#[diagnostic::do_not_recommend]
impl<A, S, Rest> ContextTypes for (Checked<A, S>, Rest)
where
    A: ContextArgument<Loaded: ReadFrom<S>> + 'static,
    S: 'static,
    Rest: ContextTypes,
{
    type First = A::Loaded;

    fn first(entry: &Entry<'_, 'static>) -> Option<First<A::Loaded>> {
        entry.first()
    }

    fn load(
        caller: &Caller<'_>,
        index: usize,
        first: Option<First<A::Loaded>>,
    ) -> impl Future<Output = Result<(A, Rest::Loaded), AuthError>> {
        <(ContextFrom<A, S>, Rest)>::load(caller, index, first)
    }
}

#[diagnostic::do_not_recommend]
impl<Rest: ContextTypes> ContextTypes for (Other, Rest) {
    type First = Rest::First;

    fn first(entry: &Entry<'_, 'static>) -> Option<First<Rest::First>> {
        Rest::first(entry)
    }

    fn load(
        caller: &Caller<'_>,
        index: usize,
        first: Option<First<Rest::First>>,
    ) -> impl Future<Output = Result<Rest::Loaded, AuthError>> {
        Rest::load(caller, index, first)
    }
}
