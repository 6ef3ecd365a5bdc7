//! Contexts that were loaded before the database decides about them: they are read anew by the statement that
//! decides, as they may have changed since.

use std::{collections::HashMap, hash::Hash};

use crate::context::{Granted, LoadError};

/// The ids for each statement. One finds each row once, and a row is not copied: of a context that is there several times,
/// each has a row of its own, with the answer of its own statement.
pub(super) fn rounds<Id: Clone + Eq + Hash>(ids: &[Id]) -> Vec<Vec<Id>> {
    let mut rounds: Vec<Vec<Id>> = Vec::new();
    let mut seen: HashMap<&Id, usize> = HashMap::with_capacity(ids.len());
    for id in ids {
        let times = seen.entry(id).or_default();
        match rounds.get_mut(*times) {
            Some(round) => round.push(id.clone()),
            None => rounds.push(vec![id.clone()]),
        }
        *times += 1;
    }
    rounds
}

/// Each id once.
pub(super) fn distinct<Id: Clone + Eq + Hash>(ids: &[Id]) -> Vec<Id> {
    rounds(ids).into_iter().next().unwrap_or_default()
}

/// Of what these statements have found, a row for each context.
pub(super) fn in_order<M, Id: Eq + Hash>(
    ids: &[Id],
    found: Vec<(M, Granted)>,
    id: fn(&M) -> Id,
) -> Result<Vec<(M, Granted)>, LoadError> {
    let mut rows: HashMap<Id, Vec<(M, Granted)>> = HashMap::with_capacity(ids.len());
    for (row, answer) in found {
        rows.entry(id(&row)).or_default().push((row, answer));
    }
    let row = |id| rows.get_mut(id).and_then(Vec::pop).ok_or(LoadError::NotFound);
    ids.iter().map(row).collect()
}
