//! How the subject of a request is found once more, over the connection of a transaction.

#[cfg(feature = "bearer")]
use std::time::Duration;
use std::{
    any::{Any, type_name},
    marker::PhantomData,
    sync::Arc,
};

#[cfg(feature = "bearer")]
use super::TokenHash;
use crate::{context::LoadError, vocabulary::Subject};

/// Finds the subject of a request once more, by the credentials of the request.
pub(crate) trait FindAgain: Send + Sync {
    /// The subject as it is now, of the type that the mechanism makes. `None` if the connection is of another type than
    /// the mechanism's.
    fn find(&self, connection: &mut dyn Any) -> Option<Result<Box<dyn Any>, LoadError>>;

    /// The type of the mechanism's connection, for the log.
    fn connection(&self) -> &'static str;
}

/// How a mechanism finds a subject once more.
#[derive(Clone)]
pub(crate) enum Again {
    /// By its token. It needs no place in memory of its own, so that a guarded request does not pay for one.
    #[cfg(feature = "bearer")]
    Token(TokenAgain),
    By(Arc<dyn FindAgain>),
}

impl Again {
    pub(crate) fn finder(&self) -> &dyn FindAgain {
        match self {
            #[cfg(feature = "bearer")]
            Self::Token(token) => token,
            Self::By(finder) => &**finder,
        }
    }
}

/// The token of a request, and how its subject is found.
#[cfg(feature = "bearer")]
#[derive(Clone, Copy)]
pub(crate) struct TokenAgain {
    pub(super) hash: TokenHash,
    pub(super) max_age: Option<Duration>,
    pub(super) find: FindByHash,
    pub(super) connection: fn() -> &'static str,
}

#[cfg(feature = "bearer")]
pub(super) type FindByHash =
    fn(&TokenHash, Option<Duration>, &mut dyn Any) -> Option<Result<Box<dyn Any>, LoadError>>;

#[cfg(feature = "bearer")]
impl FindAgain for TokenAgain {
    fn find(&self, connection: &mut dyn Any) -> Option<Result<Box<dyn Any>, LoadError>> {
        (self.find)(&self.hash, self.max_age, connection)
    }

    fn connection(&self) -> &'static str {
        (self.connection)()
    }
}

/// Finds it by a function of the mechanism.
pub(super) struct Finder<C, S, F> {
    find: F,
    types: PhantomData<fn(&mut C) -> S>,
}

impl<C, S, F: Fn(&mut C) -> Result<S, LoadError>> Finder<C, S, F> {
    pub(super) fn new(find: F) -> Self {
        Self { find, types: PhantomData }
    }
}

impl<C, S, F> FindAgain for Finder<C, S, F>
where
    C: 'static,
    S: Subject,
    F: Fn(&mut C) -> Result<S, LoadError> + Send + Sync,
{
    fn find(&self, connection: &mut dyn Any) -> Option<Result<Box<dyn Any>, LoadError>> {
        let connection = connection.downcast_mut()?;
        Some((self.find)(connection).map(|subject| Box::new(subject) as Box<dyn Any>))
    }

    fn connection(&self) -> &'static str {
        type_name::<C>()
    }
}
