//! A policy, asked for one subject, term by term: what the subject alone decides is known, and what a row decides is a
//! leaf that the database answers.

use super::{Policy, RelationPath, Rule, text::Written};
use crate::vocabulary::{Condition, Permission, Subject};

/// The alternatives for a permission before the database has answered.
pub(crate) enum Sketch {
    Known {
        text: String,
        matches: bool,
    },
    /// The leaf of this index.
    Asked {
        text: String,
        leaf: usize,
    },
    Any(Vec<Self>),
    All(Vec<Self>),
}

/// A term about a column, of the context itself or of an ancestor.
#[derive(Clone)]
pub(crate) struct Leaf {
    /// From the context on.
    pub(crate) way: Vec<usize>,
    pub(crate) rule: &'static Rule,
}

impl Sketch {
    /// What the policy says about a permission, and the leaves that it leaves open.
    pub(crate) fn of(
        policy: &'static Policy,
        permission: Permission,
        subject: &dyn Subject,
    ) -> (Self, Vec<Leaf>) {
        let mut leaves = Vec::new();
        let sketch = Self::granted(policy, permission, None, subject, &mut leaves);
        (sketch, leaves)
    }

    fn granted(
        policy: &'static Policy,
        permission: Permission,
        way: Option<&RelationPath<'_>>,
        subject: &dyn Subject,
        leaves: &mut Vec<Leaf>,
    ) -> Self {
        Self::Any(
            policy.rules(permission).map(|rule| Self::rule(rule, policy, way, subject, leaves)).collect(),
        )
    }

    fn rule(
        rule: &'static Rule,
        policy: &'static Policy,
        way: Option<&RelationPath<'_>>,
        subject: &dyn Subject,
        leaves: &mut Vec<Leaf>,
    ) -> Self {
        let all = |rules: &'static [Rule], leaves: &mut Vec<Leaf>| {
            rules.iter().map(|rule| Self::rule(rule, policy, way, subject, leaves)).collect()
        };
        // A term that needs no row: that of an ancestor needs the ancestor to be there.
        let about_subject = |matches, leaves: &mut Vec<Leaf>| {
            let text = Written { rule, policy, through: None }.to_string();
            match through(way) {
                Some(through) if matches => {
                    Self::asked(format!("{text} through {through}"), rule, way, leaves)
                }
                _ => Self::Known { text, matches },
            }
        };
        match *rule {
            Rule::Any(rules) => Self::Any(all(rules, leaves)),
            Rule::All(rules) => Self::All(all(rules, leaves)),
            Rule::EveryLoggedInUser => about_subject(true, leaves),
            Rule::Role(name) => about_subject(subject.has_named_role(name), leaves),
            Rule::AccountRole(name) => about_subject(subject.account_has_named_role(name), leaves),
            Rule::Through(index, rule) => {
                let relation = policy.relation(index);
                let way = RelationPath { before: way, index, relation };
                Self::rule(rule, relation.policy, Some(&way), subject, leaves)
            }
            Rule::Granted(index, permission) => {
                let relation = policy.relation(index);
                let way = RelationPath { before: way, index, relation };
                Self::granted(relation.policy, permission, Some(&way), subject, leaves)
            }
            Rule::User(_) | Rule::Account(_) | Rule::IsNull(_) | Rule::Flag(_) => {
                let text = Written { rule, policy, through: through(way).as_deref() }.to_string();
                Self::asked(text, rule, way, leaves)
            }
        }
    }

    fn asked(
        text: String,
        rule: &'static Rule,
        way: Option<&RelationPath<'_>>,
        leaves: &mut Vec<Leaf>,
    ) -> Self {
        let mut way: Vec<_> = RelationPath::steps(way).map(|step| step.index).collect();
        way.reverse();
        leaves.push(Leaf { way, rule });
        Self::Asked { text, leaf: leaves.len() - 1 }
    }

    /// With the answers of the database, in the order of the leaves. What was not answered does not match.
    pub(crate) fn answered(self, answers: &[bool]) -> Condition {
        let all = |sketches: Vec<Self>| sketches.into_iter().map(|sketch| sketch.answered(answers)).collect();
        match self {
            Self::Known { text, matches } => Condition::Term { text, matches },
            Self::Asked { text, leaf } => {
                Condition::Term { text, matches: answers.get(leaf).copied().unwrap_or_default() }
            }
            Self::Any(sketches) => Condition::Any(all(sketches)),
            Self::All(sketches) => Condition::All(all(sketches)),
        }
    }
}

/// The names of the relations that lead to an ancestor.
fn through(way: Option<&RelationPath<'_>>) -> Option<String> {
    let mut names: Vec<_> = RelationPath::steps(way).map(|step| step.relation.name).collect();
    names.reverse();
    (!names.is_empty()).then(|| names.join("."))
}
