//! A policy, evaluated for one subject and one permission: a small tree of plain values, in which all that the subject
//! alone decides has folded away.

use std::{cell::OnceCell, ptr, slice, time::SystemTime};

use super::{column_test::ColumnTest, moment::Moment};
use crate::{
    acl::Leaf,
    policy::{Column, Evaluation, Kind, OpenTerm, Policy, Relation, RelationKind, Row, Rule, Term},
    vocabulary::{Permission, Subject},
};

/// Which rows a rule lets the subject have.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub enum Tree {
    Always,
    Never,
    Test(ColumnTest),
    Any(Vec<Self>),
    All(Vec<Self>),
    /// One of the related rows is one of these.
    Related(&'static Relation, Box<Self>),
    /// One of the ancestors is one of these, and all in between, from the parent on, let it through.
    Ancestor(&'static Relation, Box<Climb>),
}

impl Tree {
    /// Whether it refuses some rows, but not a row of nulls, which a left join has where it finds none.
    pub(super) fn holds_of_nulls(&self) -> bool {
        match self {
            // Always, it refuses none. A key that is null has no related rows.
            Self::Always | Self::Never | Self::Related(..) | Self::Ancestor(..) => false,
            Self::Test(test) => test.holds_of_null(),
            Self::Any(trees) => trees.iter().any(Self::holds_of_nulls),
            Self::All(trees) => trees.iter().all(Self::holds_of_nulls),
        }
    }

    pub(super) fn asks_other_rows(&self) -> bool {
        match self {
            Self::Always | Self::Never | Self::Test(_) => false,
            Self::Any(trees) | Self::All(trees) => trees.iter().any(Self::asks_other_rows),
            Self::Related(..) | Self::Ancestor(..) => true,
        }
    }

    /// Calls `take` with each column of the row itself on which this depends.
    pub(super) fn own_columns(&self, take: &mut impl FnMut(&'static str)) {
        match self {
            Self::Always | Self::Never => {}
            Self::Test(test) => take(test.column.name),
            Self::Any(trees) | Self::All(trees) => trees.iter().for_each(|tree| tree.own_columns(take)),
            Self::Related(relation, _) | Self::Ancestor(relation, _) => take(relation.own.name),
        }
    }

    /// Whether a relation leads to rows of such a policy.
    pub(super) fn leads_to(&self, is_one: &mut impl FnMut(&'static Policy) -> bool) -> bool {
        match self {
            Self::Always | Self::Never | Self::Test(_) => false,
            Self::Any(trees) | Self::All(trees) => trees.iter().any(|tree| tree.leads_to(is_one)),
            Self::Related(relation, tree) => is_one(relation.policy) || tree.leads_to(is_one),
            Self::Ancestor(relation, climb) => {
                is_one(relation.policy) || climb.base.leads_to(is_one) || climb.step.leads_to(is_one)
            }
        }
    }

    /// Whether indexes find them, and a few of many: by a value of the subject's, or by such rows of another table.
    pub(super) fn is_found_by_indexes(&self) -> bool {
        match self {
            Self::Always => false,
            Self::Never => true,
            Self::Test(test) => test.is_of_subject(),
            Self::Any(trees) => trees.iter().all(Self::is_found_by_indexes),
            Self::All(trees) => trees.iter().any(Self::is_found_by_indexes),
            Self::Related(relation, tree) => relation.is_looked_up() && tree.is_found_by_indexes(),
            Self::Ancestor(relation, climb) => relation.is_looked_up() && climb.base.is_found_by_indexes(),
        }
    }

    /// Whether an index finds it as one of several alternatives. A null is none of a few, but no row of another table is found
    /// by it.
    pub(super) fn is_alternative_of_indexes(&self) -> bool {
        matches!(self, Self::Test(test) if test.is_null()) || self.is_found_by_indexes()
    }
}

/// Relations are equal if they are one.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Always, Self::Always) | (Self::Never, Self::Never) => true,
            (Self::Test(one), Self::Test(other)) => one == other,
            (Self::Any(some), Self::Any(others)) | (Self::All(some), Self::All(others)) => some == others,
            (Self::Related(one, tree), Self::Related(other, of_other)) => {
                ptr::eq(*one, *other) && tree == of_other
            }
            (Self::Ancestor(one, climb), Self::Ancestor(other, of_other)) => {
                ptr::eq(*one, *other) && climb == of_other
            }
            _ => false,
        }
    }
}

impl Relation {
    /// Whether a statement about many rows looks them up by it. `IN` compares texts by the collation of the column before it,
    /// and `=` by that of the other, as single rows do: so it tests them one by one.
    pub(super) fn is_looked_up(&self) -> bool {
        self.related.kind != Kind::Text
    }
}

/// A walk up a tree of rows.
#[derive(Debug, Clone, PartialEq)]
#[doc(hidden)]
pub struct Climb {
    /// Where it ends well.
    pub(super) base: Tree,
    /// Where it may go on to the parent.
    pub(super) step: Tree,
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

/// Makes trees for one decision.
pub(super) struct Planter<'a> {
    subject: Option<&'a dyn Subject>,
    /// Read once.
    now: OnceCell<Option<Moment>>,
}

impl<'a> Planter<'a> {
    pub(super) fn of(subject: &'a dyn Subject) -> Self {
        Self { subject: Some(subject), now: OnceCell::new() }
    }

    /// The rows on which the subject has the permission by the policy alone, of those that are there. It does not know of
    /// admins.
    pub(super) fn allowed(&mut self, policy: &'static Policy, permission: Permission) -> Tree {
        self.granted(permission, &Row::of(policy))
    }

    /// The rows that meet a rule of the policy that is for no permission.
    pub(super) fn own_rule(&mut self, policy: &'static Policy, rule: &'static Rule) -> Tree {
        self.rule(rule, &Row::of(policy))
    }

    /// Which rows are there.
    pub(super) fn rows_of(&mut self, policy: &'static Policy) -> Tree {
        policy.rows.map_or(Tree::Always, |rule| self.rule(rule, &Row::of(policy)))
    }

    /// The rows for which a single term matches.
    pub(super) fn term(&mut self, policy: &'static Policy, OpenTerm { path, term }: &OpenTerm) -> Tree {
        let row = Row::of(policy);
        let tree = match term {
            Term::Leaf(leaf) => self.leaf(leaf, &row),
            Term::Related(relation, rule) => self.related(relation, rule, &row),
        };
        path.iter().rev().fold(tree, |tree, relation| self.one_of(relation, tree))
    }

    /// One of the related rows that are there is one of these.
    fn one_of(&mut self, relation: &'static Relation, tree: Tree) -> Tree {
        let rows = self.rows_of(relation.policy);
        match Self::all([tree, rows].into_iter()) {
            Tree::Never => Tree::Never,
            // A related row that may be any may still be missing.
            tree => Tree::Related(relation, Box::new(tree)),
        }
    }

    fn ancestor(&mut self, relation: &'static Relation, permission: Permission) -> Tree {
        let policy = relation.policy;
        let refused = Row::below(policy, permission, false);
        let base = Self::any(policy.rules(permission).map(|rule| self.rule(rule, &refused)));
        // A rule only grants. So the parent's answer passes where what depends on it holds, given that it is yes.
        let allowed = Row::below(policy, permission, true);
        let dependent = policy.rules(permission).flat_map(alternatives).filter(|rule| allowed.depends(rule));
        let step = Self::any(dependent.map(|rule| self.rule(rule, &allowed)));
        let mut of_there = |tree| Self::all([tree, self.rows_of(policy)].into_iter());
        match of_there(base) {
            Tree::Never => Tree::Never,
            base => Tree::Ancestor(relation, Box::new(Climb { base, step: of_there(step) })),
        }
    }
}

/// The rules of which one suffices.
fn alternatives(rule: &'static Rule) -> &'static [Rule] {
    match rule {
        Rule::Any(rules) => rules,
        rule => slice::from_ref(rule),
    }
}

/// Which rows are there by a rule, which is about nothing but a row.
pub(super) fn rows_of(rule: Option<&'static Rule>) -> Tree {
    let mut planter = Planter { subject: None, now: OnceCell::new() };
    rule.map_or(Tree::Always, |rule| planter.rule(rule, &Row::of(&NO_POLICY)))
}

/// The policy of rows for which code decides.
static NO_POLICY: Policy = Policy::new("", "", &[], &[], &[], None);

impl Evaluation for Planter<'_> {
    type Outcome = Tree;

    fn any(trees: impl Iterator<Item = Tree>) -> Tree {
        let mut kept = Vec::new();
        for tree in trees {
            match tree {
                Tree::Always => return Tree::Always,
                Tree::Never => {}
                Tree::Any(trees) => kept.extend(trees),
                tree => kept.push(tree),
            }
        }
        // Where there are many rows, too: one that meets this or one that meets that is one that meets either.
        let kept = joined_once(kept, |_| true, Self::any);
        several(kept, false, Tree::Any)
    }

    fn all(trees: impl Iterator<Item = Tree>) -> Tree {
        let mut kept = Vec::new();
        let mut is_given = false;
        for tree in trees {
            is_given = true;
            match tree {
                Tree::Never => return Tree::Never,
                Tree::Always => {}
                Tree::All(trees) => kept.extend(trees),
                tree => kept.push(tree),
            }
        }
        // Of many rows, one may meet this and another one that.
        let kept = joined_once(kept, |relation| relation.kind != RelationKind::Many, Self::all);
        // A conjunction of nothing would hold for everybody.
        several(kept, is_given, Tree::All)
    }

    fn leaf(&mut self, leaf: &'static Leaf<Column>, _: &Row<'_>) -> Tree {
        let Self { subject, now } = self;
        let read = || subject.map_or_else(SystemTime::now, Subject::now);
        ColumnTest::answer(leaf, *subject, || now.get_or_init(|| Moment::of(read())).clone())
    }

    fn related(&mut self, relation: &'static Relation, rule: &'static Rule, row: &Row<'_>) -> Tree {
        match (row.climbs(relation, rule), row.above) {
            (Some(_), Some(above)) => above.into(),
            (Some(permission), None) => self.ancestor(relation, permission),
            (None, _) => {
                let tree = self.rule(rule, &row.behind(relation));
                self.one_of(relation, tree)
            }
        }
    }
}

fn several(mut kept: Vec<Tree>, of_none: bool, several: fn(Vec<Tree>) -> Tree) -> Tree {
    match kept.len() {
        0 => Tree::from(of_none),
        1 => kept.pop().unwrap_or(Tree::Never),
        _ => {
            // Databases evaluate a condition from left to right where they do not know what is cheap.
            kept.sort_by_key(Tree::asks_other_rows);
            several(kept)
        }
    }
}

/// Joins the conditions on the rows of one relation, so that a statement looks at them once: a foreign key refers to one row at
/// the most, and that row meets one condition and another exactly if it meets both at once.
fn joined_once(
    trees: Vec<Tree>,
    is_joined: fn(&Relation) -> bool,
    join: fn(std::vec::IntoIter<Tree>) -> Tree,
) -> Vec<Tree> {
    if trees.iter().filter(|tree| matches!(tree, Tree::Related(..))).count() < 2 {
        return trees;
    }
    let mut kept: Vec<Tree> = Vec::with_capacity(trees.len());
    for tree in trees {
        let (relation, tree) = match tree {
            Tree::Related(relation, tree) if is_joined(relation) => (relation, tree),
            tree => {
                kept.push(tree);
                continue;
            }
        };
        let same = kept.iter_mut().find_map(|other| match other {
            Tree::Related(of, other) if ptr::eq(*of, relation) => Some(other),
            _ => None,
        });
        match same {
            Some(other) => {
                let both = vec![std::mem::replace(&mut **other, Tree::Never), *tree];
                **other = join(both.into_iter());
            }
            None => kept.push(Tree::Related(relation, tree)),
        }
    }
    kept
}
