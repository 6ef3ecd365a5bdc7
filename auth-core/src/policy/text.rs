//! A policy as text, in the words in which it is declared, and as JSON.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{Column, Policy, Rule};
use crate::{acl::Leaf, vocabulary::Permission};

/// As it is declared: the context, and a line for each permission.
impl Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.context)?;
        for grant in self.grants {
            writeln!(f, "  {} = {}", grant.permission, Written(&grant.rule))?;
        }
        Ok(())
    }
}

impl Policy {
    /// The rules for this permission, as they are declared.
    pub(crate) fn written_rules(&self, permission: Permission) -> String {
        let mut rules = self.rules(permission).peekable();
        if rules.peek().is_none() {
            return "nobody".to_owned();
        }
        let rules: Vec<String> = rules.map(|rule| Written(rule).to_string()).collect();
        rules.join(" | ")
    }
}

/// A rule as a policy declares it, and in JSON as an object of one key, which is `any`, `all`, `granted` or the name of a
/// term.
struct Written<'a>(&'a Rule);

impl<'a> Written<'a> {
    /// A rule within this one: in parentheses where it binds less tightly.
    fn inner(&self, rule: &'a Rule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = Self(rule);
        match (self.0, rule) {
            (Rule::All(_), Rule::Any(_) | Rule::All(_)) | (Rule::Any(_), Rule::Any(_)) => {
                write!(f, "({inner})")
            }
            _ => inner.fmt(f),
        }
    }

    fn joined(&self, rules: &'a [Rule], operator: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in rules.iter().enumerate() {
            if index > 0 {
                f.write_str(operator)?;
            }
            self.inner(rule, f)?;
        }
        Ok(())
    }
}

impl Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Rule::Leaf(leaf) => written(leaf, None).fmt(f),
            Rule::Through(relation, leaf) => written(leaf, Some(relation.name)).fmt(f),
            Rule::Granted(relation, permission) => {
                // As an identifier.
                write!(f, "{}.{}", relation.name, permission.as_str().replace('-', "_"))
            }
            Rule::Any([]) => f.write_str("nobody"),
            Rule::Any(rules) => self.joined(rules, " | ", f),
            Rule::All(rules) => self.joined(rules, " & ", f),
        }
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Rule::Leaf(leaf) => written(leaf, None).serialize(serializer),
            Rule::Through(relation, leaf) => written(leaf, Some(relation.name)).serialize(serializer),
            Rule::Granted(relation, permission) => {
                let granted = Granted { relation: relation.name, permission: permission.as_str() };
                one_key("granted", &granted, serializer)
            }
            Rule::Any(rules) => one_key("any", &all(rules), serializer),
            Rule::All(rules) => one_key("all", &all(rules), serializer),
        }
    }
}

fn written(leaf: &Leaf<Column>, through: Option<&str>) -> Leaf<String> {
    leaf.written(|column| column.through(through))
}

fn all(rules: &[Rule]) -> Vec<Written<'_>> {
    rules.iter().map(Written).collect()
}

fn one_key<S: Serializer>(key: &str, value: &impl Serialize, serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(1))?;
    object.serialize_entry(key, value)?;
    object.end()
}

#[derive(Serialize)]
struct Granted<'a> {
    relation: &'a str,
    permission: &'a str,
}

/// The context, what it belongs to, and the rule of each permission.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let belongs_to = self.relations.iter().map(|relation| BelongsTo {
            relation: relation.name,
            context: relation.policy.context,
            foreign_key: relation.foreign_key.written,
        });
        let permissions = self.grants.iter().map(|grant| PermissionRule {
            permission: grant.permission.as_str(),
            rule: Written(&grant.rule),
        });
        Document {
            context: self.context,
            belongs_to: belongs_to.collect(),
            permissions: permissions.collect(),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    context: &'a str,
    belongs_to: Vec<BelongsTo<'a>>,
    permissions: Vec<PermissionRule<'a>>,
}

#[derive(Serialize)]
struct BelongsTo<'a> {
    relation: &'a str,
    context: &'a str,
    foreign_key: &'a str,
}

#[derive(Serialize)]
struct PermissionRule<'a> {
    permission: &'a str,
    rule: Written<'a>,
}
