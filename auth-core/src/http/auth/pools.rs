//! The registered pools, by the type of their connections.

use std::any::{Any, TypeId};

/// One pool for each type of connections. There are few, so that looking at each costs less than a hash.
#[derive(Default)]
pub(super) struct Pools(Vec<(TypeId, Box<dyn Any + Send + Sync>)>);

impl Pools {
    /// Adds the pool of connections of type `C`, unless there is one.
    #[must_use]
    pub(super) fn add<C: 'static>(&mut self, pool: impl Any + Send + Sync) -> bool {
        let connection = TypeId::of::<C>();
        let is_new = self.0.iter().all(|(other, _)| *other != connection);
        if is_new {
            self.0.push((connection, Box::new(pool)));
        }
        is_new
    }

    /// The pool of connections of type `C`, which was added as a `P`.
    pub(super) fn of<C: 'static, P: 'static>(&self) -> Option<&P> {
        let (_, pool) = self.0.iter().find(|(connection, _)| *connection == TypeId::of::<C>())?;
        pool.downcast_ref()
    }
}
