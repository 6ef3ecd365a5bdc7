//! Who lends connections, by their type.

use std::any::{Any, TypeId};

/// One source for each type of connections. There are few, so that looking at each costs less than a hash.
#[derive(Default)]
pub(super) struct Pools(Vec<(TypeId, Box<dyn Any + Send + Sync>)>);

impl Pools {
    /// Adds the source of connections of type `C`, unless there is one.
    #[must_use]
    pub(super) fn add<C: 'static>(&mut self, source: impl Any + Send + Sync) -> bool {
        let connection = TypeId::of::<C>();
        let is_new = self.0.iter().all(|(other, _)| *other != connection);
        if is_new {
            self.0.push((connection, Box::new(source)));
        }
        is_new
    }

    /// The source of connections of type `C`, which was added as an `S`.
    pub(super) fn of<C: 'static, S: 'static>(&self) -> Option<&S> {
        let (_, source) = self.0.iter().find(|(connection, _)| *connection == TypeId::of::<C>())?;
        source.downcast_ref()
    }
}
