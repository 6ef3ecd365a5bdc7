//! The walk through policies that finds how their statements come to rows.

use std::ptr;

use super::Index;
use crate::{
    acl::{ColumnUse, Leaf},
    policy::{Column, Policy, Relation, RelationKind, Rule},
    vocabulary::Permission,
};

/// How a statement finds rows of a table, if it does not look at all of them.
#[derive(Clone, Default)]
struct Access {
    /// The columns whose values it knows.
    equal: Vec<&'static str>,
    /// Whether these are values of the subject, and not keys that a subquery finds.
    is_of_subject: bool,
    /// The columns that it compares with values of the policy. Few of these are rare, so an index has them only where a
    /// walk down a tree looks at them: `SQLite` would rather have an index of its own made for them.
    values: Vec<&'static str>,
    /// Whether this is the way down a tree.
    is_walk: bool,
    /// The times that it compares.
    times: Vec<&'static str>,
}

impl Access {
    fn by(column: &Column, is_of_subject: bool) -> Self {
        Self { equal: vec![column.name], is_of_subject, ..Self::default() }
    }

    fn finds(&self) -> bool {
        !self.equal.is_empty()
    }
}

/// The ways to the rows of a table that a part of a rule gives: the subject has the rows of one or several.
type Ways = Vec<Access>;

/// A walk through a policy, and those to which its relations lead.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) found: Vec<Index>,
    /// The permissions that were followed, with what came of them.
    followed: Vec<(&'static Policy, Permission, Ways)>,
}

impl Walk {
    /// Everything that statements about the policy's own rows need.
    pub(super) fn of(policy: &'static Policy) -> Self {
        let mut walk = Self::default();
        for grant in policy.grants {
            let ways = walk.granted(policy, grant.permission);
            walk.add_all(policy, &ways);
        }
        // These are decided about rows that are found otherwise, but lead to other rows as well.
        for rule in policy.column_grants.iter().map(|grant| &grant.rule).chain(policy.becomes) {
            walk.rule(policy, rule, None);
        }
        walk
    }

    /// A circle ends: by a tree, a permission leads to itself, and what finds the tree's rows is there already.
    fn granted(&mut self, policy: &'static Policy, permission: Permission) -> Ways {
        let known =
            self.followed.iter().find(|(of, followed, _)| ptr::eq(*of, policy) && *followed == permission);
        if let Some((.., ways)) = known {
            return ways.clone();
        }
        let place = self.followed.len();
        self.followed.push((policy, permission, Vec::new()));
        let ways: Ways =
            policy.rules(permission).flat_map(|rule| self.rule(policy, rule, Some(permission))).collect();
        if let Some((.., followed)) = self.followed.get_mut(place) {
            followed.clone_from(&ways);
        }
        ways
    }

    /// The ways of a rule about a row of this policy. `permission` is the one that the rule is for.
    fn rule(&mut self, policy: &'static Policy, rule: &'static Rule, permission: Option<Permission>) -> Ways {
        match rule {
            Rule::Leaf(leaf) => vec![of_leaf(leaf)],
            Rule::Granted(granted) => self.granted(policy, *granted),
            Rule::Any(rules) => rules.iter().flat_map(|rule| self.rule(policy, rule, permission)).collect(),
            Rule::All(rules) => {
                let parts: Vec<_> = rules.iter().map(|rule| self.rule(policy, rule, permission)).collect();
                all(&parts)
            }
            Rule::Related(relation, rule) => self.related(relation, rule, permission),
        }
    }

    fn related(
        &mut self,
        relation: &'static Relation,
        rule: &'static Rule,
        permission: Option<Permission>,
    ) -> Ways {
        let goes_up = relation.kind == RelationKind::Ancestors
            && matches!(rule, Rule::Granted(granted) if Some(*granted) == permission);
        if goes_up {
            // From each row that is found otherwise, down to those below it.
            return vec![Access { is_walk: true, ..Access::by(&relation.own, false) }];
        }
        let ways = self.rule(relation.policy, rule, None);
        if relation.kind == RelationKind::Many {
            for way in &ways {
                self.add_many(relation, way);
            }
        } else {
            self.add_all(relation.policy, &ways);
        }
        if ways.iter().any(Access::finds) {
            vec![Access::by(&relation.own, false)]
        } else {
            vec![Access::default()]
        }
    }

    /// Rows that refer to one: all of them that a way finds, for a list, and among those of one row, for a decision.
    fn add_many(&mut self, relation: &'static Relation, way: &Access) {
        let Access { equal, is_of_subject, times, .. } = way;
        let key = relation.related.name;
        if way.finds() {
            let rest: Vec<_> =
                [key].into_iter().filter(|key| !equal.contains(key)).chain(times.iter().copied()).collect();
            self.add(relation.policy, equal, &rest);
        }
        // With values of the subject, a decision finds its rows by the same index.
        if !is_of_subject {
            self.add(relation.policy, &[key], times);
        }
    }

    fn add_all(&mut self, policy: &'static Policy, ways: &Ways) {
        for way in ways.iter().filter(|way| way.finds()) {
            let values = if way.is_walk { way.values.as_slice() } else { &[] };
            self.add(policy, &way.equal, &[values, &way.times].concat());
        }
    }

    /// Wants an index. One that the table's primary key serves, or is the whole beginning of, is there.
    fn add(&mut self, policy: &'static Policy, equal: &[&'static str], rest: &[&'static str]) {
        let Some(table) = policy.table else { return };
        let columns = [equal, rest].concat();
        if !columns.starts_with(table.key) && !table.key.starts_with(&columns) {
            self.found.push(Index { table: (table.name)(), columns });
        }
    }
}

fn of_leaf(leaf: &Leaf<Column>) -> Access {
    match leaf.column_use() {
        ColumnUse::None => Access::default(),
        ColumnUse::Subject(column) => Access::by(column, true),
        ColumnUse::Value(column) => Access { values: vec![column.name], ..Access::default() },
        ColumnUse::Time(column) => Access { times: vec![column.name], ..Access::default() },
    }
}

/// The ways where all parts of a rule have to hold: one of them finds the rows, the others choose among these.
fn all(parts: &[Ways]) -> Ways {
    let mut whole = Access { is_of_subject: true, ..Access::default() };
    for part in parts {
        let [way] = part.as_slice() else { continue };
        extend(&mut whole.times, &way.times);
        extend(&mut whole.values, &way.values);
        if way.is_of_subject {
            extend(&mut whole.equal, &way.equal);
        }
    }
    if whole.finds() {
        return vec![whole];
    }
    let with_others = |way: &Access| {
        let mut way = way.clone();
        extend(&mut way.times, &whole.times);
        extend(&mut way.values, &whole.values);
        way
    };
    let finding = |part: &&Ways| !part.is_empty() && part.iter().all(Access::finds);
    if parts.iter().any(|part| finding(&part)) {
        return parts.iter().filter(finding).flatten().map(with_others).collect();
    }
    // Which part finds the rows is a matter of what the subject alone decides of the others.
    let finding = parts.iter().flatten().filter(|way| way.finds()).map(with_others);
    finding.chain([with_others(&Access::default())]).collect()
}

fn extend(columns: &mut Vec<&'static str>, others: &[&'static str]) {
    for column in others {
        if !columns.contains(column) {
            columns.push(column);
        }
    }
}
