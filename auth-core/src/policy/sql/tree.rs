//! A policy, evaluated for one subject and one permission: a small tree of plain values, in which all that the subject
//! alone decides has folded away.

use std::ptr;

use super::column_test::ColumnTest;
use crate::{
    policy::{OpenLeaf, Outcome, Policy, Relation, evaluate},
    vocabulary::{Permission, Subject},
};

/// Which rows a rule lets the subject have.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Always,
    Never,
    Test(ColumnTest),
    Any(Vec<Self>),
    All(Vec<Self>),
    /// The parent is one of these rows.
    Parent(&'static Relation, Box<Self>),
}

impl Tree {
    /// The rows on which the subject has the permission by the policy alone. It does not know of admins.
    pub(super) fn of(policy: &'static Policy, permission: Permission, subject: &dyn Subject) -> Self {
        evaluate(policy, permission, |leaf, _| ColumnTest::answer(leaf, subject))
    }

    /// The rows for which a single term matches.
    pub(super) fn of_leaf(OpenLeaf { path, leaf }: &OpenLeaf, subject: &dyn Subject) -> Self {
        let term = ColumnTest::answer(leaf, subject);
        path.iter().rev().fold(term, |tree, relation| Self::of_parent(relation, tree))
    }
}

impl From<bool> for Tree {
    fn from(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }
}

impl From<ColumnTest> for Tree {
    fn from(test: ColumnTest) -> Self {
        Self::Test(test)
    }
}

impl Outcome for Tree {
    fn any(trees: impl Iterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for tree in trees {
            match tree {
                Self::Always => return Self::Always,
                Self::Never => {}
                Self::Any(trees) => kept.extend(trees),
                tree => kept.push(tree),
            }
        }
        Self::join(kept, false, Self::any, Self::Any)
    }

    fn all(trees: impl Iterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        let mut is_given = false;
        for tree in trees {
            is_given = true;
            match tree {
                Self::Never => return Self::Never,
                Self::Always => {}
                Self::All(trees) => kept.extend(trees),
                tree => kept.push(tree),
            }
        }
        // A conjunction of nothing would hold for everybody.
        Self::join(kept, is_given, Self::all, Self::All)
    }

    /// No parent is one of no rows. A parent that may be any row may still be missing.
    fn of_parent(relation: &'static Relation, tree: Self) -> Self {
        if matches!(tree, Self::Never) { Self::Never } else { Self::Parent(relation, Box::new(tree)) }
    }
}

impl Tree {
    /// Joins the conditions on one parent, so that a statement looks at each parent once. A foreign key refers to one row at the
    /// most: that row meets one condition and another exactly if it meets both at once, and `OR` likewise.
    fn join(
        trees: Vec<Self>,
        of_none: bool,
        joined: fn(std::vec::IntoIter<Self>) -> Self,
        several: fn(Vec<Self>) -> Self,
    ) -> Self {
        let parents = trees.iter().filter(|tree| matches!(tree, Self::Parent(..))).count();
        let mut kept = if parents > 1 { Self::with_parents_once(trees, joined) } else { trees };
        match kept.len() {
            0 => Self::from(of_none),
            1 => kept.pop().unwrap_or(Self::Never),
            _ => several(kept),
        }
    }

    fn with_parents_once(trees: Vec<Self>, joined: fn(std::vec::IntoIter<Self>) -> Self) -> Vec<Self> {
        let mut kept: Vec<Self> = Vec::with_capacity(trees.len());
        for tree in trees {
            let Self::Parent(relation, tree) = tree else {
                kept.push(tree);
                continue;
            };
            let same = kept.iter_mut().find_map(|other| match other {
                Self::Parent(of, other) if ptr::eq(*of, relation) => Some(other),
                _ => None,
            });
            match same {
                Some(other) => {
                    let both = vec![std::mem::replace(&mut **other, Self::Never), *tree];
                    **other = joined(both.into_iter());
                }
                None => kept.push(Self::Parent(relation, tree)),
            }
        }
        kept
    }
}
