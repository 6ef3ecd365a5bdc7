//! How the subject of a request is found once more, over the connection of a transaction.

use std::{
    any::{Any, type_name},
    marker::PhantomData,
};

use crate::{context::LoadError, vocabulary::Subject};

/// Finds the subject of a request once more, by the credentials of the request.
pub(crate) trait FindAgain: Send + Sync {
    /// The subject as it is now, of the type that the mechanism makes. `None` if the connection is of another type than
    /// the mechanism's.
    fn find(&self, connection: &mut dyn Any) -> Option<Result<Box<dyn Any>, LoadError>>;

    /// The type of the mechanism's connection, for the log.
    fn connection(&self) -> &'static str;
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
