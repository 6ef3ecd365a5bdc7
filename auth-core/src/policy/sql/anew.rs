//! Contexts that were loaded before somebody asks the database about them: they are read anew by the statement that
//! decides, as they may have changed since.

use std::{collections::HashMap, hash::Hash};

use super::{GrantedColumn, Stored};
use crate::context::{AccessQuery, Granted, Lender, LoadError};

/// Asks about contexts that a function of the application has loaded, and reads them anew in the statement that decides.
/// A row that has gone since is missing.
#[doc(hidden)]
pub async fn ask<M: Stored, L: Lender>(
    contexts: &[&M],
    question: &AccessQuery,
    lender: &L,
) -> Result<Vec<(M, Granted)>, L::Error> {
    let question = question.clone();
    let ids: Vec<M::Id> = contexts.iter().map(|context| M::key_of(context)).collect();
    let work = move |connection: &mut M::Connection| {
        let mut found = Vec::with_capacity(ids.len());
        for distinct in rounds(&ids) {
            found.extend(M::load_all_answered(&distinct, GrantedColumn::to(&question), connection)?);
        }
        in_order(&ids, found, M::key_of)
    };
    lender.blocking(work).await
}

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
