//! Guards that load what the request names, and nothing else: most of them. They are types and data, and their checks
//! the same code for all, which the compiler does not check again for each handler.

use std::{marker::PhantomData, pin::pin, sync::Arc};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use super::{Caller, Described, Entry, Guard, extract, id_place::ReadFrom, progress};
use crate::{
    context::{Ahead, ContextArgument},
    error::AuthError,
};

/// What an attribute writes for a handler whose contexts are all named by the request.
///
/// `T` is that of [`Guard`].
#[doc(hidden)]
pub trait DeclarativeGuard<T: 'static = ()>: Described {
    /// The handler's arguments, as a tuple.
    type Arguments: 'static;

    /// What is loaded, as [`ContextFrom`] in a nested list that ends with `()`, as the handler's data has it.
    type Contexts: ContextTypes;

    /// The other arguments, as a tuple.
    type Others: FromRequest + 'static;

    /// Puts the arguments in their order.
    fn arguments(contexts: <Self::Contexts as ContextList>::Loaded, others: Self::Others) -> Self::Arguments;
}

/// For callers who are authenticated.
impl<G: DeclarativeGuard<T>, T: 'static> Guard<T> for G {
    type Arguments = G::Arguments;

    async fn admit(request: &HttpRequest, payload: &mut Payload) -> Result<Self::Arguments, Error> {
        let asking = Entry::of(request, &G::handler().requirements)?;
        let ahead = G::Contexts::ahead(&asking);
        let next = ahead.clone().map(Ahead::next).unwrap_or_default();
        let caller = pin!(asking.authenticate(next)).await?;
        progress::passes(request);
        let contexts = pin!(G::Contexts::load(&caller, 0, ahead.as_deref())).await?;
        let others = extract(request, payload).await?;
        Ok(G::arguments(contexts, others))
    }
}

/// A context for an argument of type `A`, named in the place `S`.
#[doc(hidden)]
pub struct ContextFrom<A, S>(PhantomData<(A, S)>);

/// A list of types, whatever they are: what is wrong with them is reported for [`ContextTypes`] alone.
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
    /// What the first is loaded as.
    type First: 'static;

    /// The load of the first, for the thread that finds the subject.
    fn ahead(asking: &Entry<'_, 'static>) -> Option<Arc<dyn Ahead<Self::First>>>;

    /// Loads and checks those that the guard asks for at `index` and behind it.
    fn load(
        caller: &Caller<'_>,
        index: usize,
        ahead: Option<&dyn Ahead<Self::First>>,
    ) -> impl Future<Output = Result<Self::Loaded, AuthError>>;
}

#[diagnostic::do_not_recommend]
impl ContextTypes for () {
    type First = ();

    fn ahead(_: &Entry<'_, 'static>) -> Option<Arc<dyn Ahead<()>>> {
        None
    }

    async fn load(caller: &Caller<'_>, index: usize, _: Option<&dyn Ahead<()>>) -> Result<(), AuthError> {
        caller.has_asked(index)
    }
}

impl<A, S, Rest> ContextTypes for (ContextFrom<A, S>, Rest)
where
    A: ContextArgument<Loaded: ReadFrom<S>> + 'static,
    S: 'static,
    Rest: ContextTypes,
{
    type First = A::Loaded;

    fn ahead(asking: &Entry<'_, 'static>) -> Option<Arc<dyn Ahead<A::Loaded>>> {
        asking.ahead()
    }

    async fn load(
        caller: &Caller<'_>,
        index: usize,
        ahead: Option<&dyn Ahead<A::Loaded>>,
    ) -> Result<(A, Rest::Loaded), AuthError> {
        let context = pin!(caller.named::<A, S>(index, ahead)).await?;
        Ok((context, Rest::load(caller, index + 1, None).await?))
    }
}
