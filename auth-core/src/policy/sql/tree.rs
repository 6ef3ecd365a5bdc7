//! A policy, asked for one subject and one permission: a small tree of plain values, in which all that the subject
//! alone decides has folded away.

use super::value::Value;
use crate::{
    policy::{Column, Leaf, Policy, Rule},
    vocabulary::{Permission, Subject},
};

/// Which rows a rule lets the subject have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Always,
    Never,
    Is(Column, Value),
    IsNull(Column),
    Flag(Column),
    Any(Vec<Self>),
    All(Vec<Self>),
    /// The parent that the relation of this index leads to is one of these rows.
    Parent(usize, Box<Self>),
}

impl Tree {
    /// The rows on which the subject has the permission. Who stands above lists is not considered here.
    pub(super) fn of(policy: &'static Policy, permission: Permission, subject: &dyn Subject) -> Self {
        Self::any(policy.rules(permission).map(|rule| Self::rule(rule, policy, subject)))
    }

    /// The rows for which a single term matches.
    pub(super) fn of_leaf(leaf: &Leaf, policy: &'static Policy, subject: &dyn Subject) -> Self {
        let term = Self::rule(leaf.rule, policy, subject);
        leaf.way.iter().rev().fold(term, |tree, index| Self::parent(*index, tree))
    }

    fn rule(rule: &'static Rule, policy: &'static Policy, subject: &dyn Subject) -> Self {
        match *rule {
            Rule::EveryLoggedInUser => Self::Always,
            Rule::User(column) => {
                Value::of(subject.id(), column.kind).map_or(Self::Never, |id| Self::Is(column, id))
            }
            Rule::Account(column) => {
                let id = subject.account_id().and_then(|id| Value::of(id, column.kind));
                id.map_or(Self::Never, |id| Self::Is(column, id))
            }
            Rule::Role(name) => Self::constant(subject.has_named_role(name)),
            Rule::AccountRole(name) => Self::constant(subject.account_has_named_role(name)),
            Rule::IsNull(column) => Self::IsNull(column),
            Rule::Flag(column) => Self::Flag(column),
            Rule::Through(index, rule) => {
                Self::parent(index, Self::rule(rule, policy.relation(index).policy, subject))
            }
            Rule::Granted(index, permission) => {
                Self::parent(index, Self::of(policy.relation(index).policy, permission, subject))
            }
            Rule::Any(rules) => Self::any(rules.iter().map(|rule| Self::rule(rule, policy, subject))),
            Rule::All(rules) => Self::all(rules.iter().map(|rule| Self::rule(rule, policy, subject))),
        }
    }

    fn constant(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }

    /// No parent is one of no rows. That of all rows may still be missing.
    fn parent(index: usize, tree: Self) -> Self {
        if tree == Self::Never { Self::Never } else { Self::Parent(index, Box::new(tree)) }
    }

    /// None at all are not enough.
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
        Self::join(kept, Self::Never, Self::any, Self::Any)
    }

    fn all(trees: impl Iterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        let mut asked = false;
        for tree in trees {
            asked = true;
            match tree {
                Self::Never => return Self::Never,
                Self::Always => {}
                Self::All(trees) => kept.extend(trees),
                tree => kept.push(tree),
            }
        }
        // A conjunction of nothing would hold for everybody.
        Self::join(kept, Self::constant(asked), Self::all, Self::All)
    }

    /// Asks each parent once: a foreign key refers to one row at the most, so that row is one of these and one of
    /// those exactly if it is one of both, and one of either likewise.
    fn join(
        trees: Vec<Self>,
        of_none: Self,
        joined: fn(std::vec::IntoIter<Self>) -> Self,
        several: fn(Vec<Self>) -> Self,
    ) -> Self {
        let parents = trees.iter().filter(|tree| matches!(tree, Self::Parent(..))).count();
        let mut kept = if parents > 1 { Self::with_parents_once(trees, joined) } else { trees };
        match kept.len() {
            0 => of_none,
            1 => kept.pop().unwrap_or(of_none),
            _ => several(kept),
        }
    }

    fn with_parents_once(trees: Vec<Self>, joined: fn(std::vec::IntoIter<Self>) -> Self) -> Vec<Self> {
        let mut kept: Vec<Self> = Vec::with_capacity(trees.len());
        for tree in trees {
            let Self::Parent(index, tree) = tree else {
                kept.push(tree);
                continue;
            };
            let same = kept.iter_mut().find_map(|other| match other {
                Self::Parent(of, other) if *of == index => Some(other),
                _ => None,
            });
            match same {
                Some(other) => {
                    let both = vec![std::mem::replace(&mut **other, Self::Never), *tree];
                    **other = joined(both.into_iter());
                }
                None => kept.push(Self::Parent(index, tree)),
            }
        }
        kept
    }
}
