//! A policy as text, in the words in which it is declared, and as JSON.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

use super::{Column, ColumnGrant, Policy, Relation, RelationKind, Rule};
use crate::{
    acl::{Leaf, one_key},
    vocabulary::Permission,
};

/// As it is declared: the context, and a line for each permission, for columns, and for what rows become.
impl Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.context)?;
        for grant in self.grants {
            writeln!(f, "  {} = {}", grant.permission, Written(&grant.rule))?;
        }
        for ColumnGrant { permission, columns, rule, .. } in self.column_grants {
            let columns: Vec<_> = columns.iter().map(|column| column.written).collect();
            writeln!(f, "  {permission}({}) = {}", columns.join(", "), Written(rule))?;
        }
        if let Some(rule) = self.becomes {
            writeln!(f, "  becomes = {}", Written(rule))?;
        }
        if let Some(rows) = self.rows {
            writeln!(f, "  rows = {}", Written(rows))?;
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
            Rule::Related(relation, rule) => WrittenRelated { relation, rule }.fmt(f),
            Rule::Granted(permission) => f.write_str(&as_identifier(*permission)),
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
            Rule::Related(relation, rule) => WrittenRelated { relation, rule }.serialize(serializer),
            Rule::Granted(permission) => {
                let granted = Granted { relation: None, permission: permission.as_str() };
                one_key("granted", &granted, serializer)
            }
            Rule::Any(rules) => one_key("any", &all(rules), serializer),
            Rule::All(rules) => one_key("all", &all(rules), serializer),
        }
    }
}

/// A rule about related rows, as a policy declares it.
pub(super) fn written_related(relation: &'static Relation, rule: &'static Rule) -> impl Display {
    WrittenRelated { relation, rule }
}

struct WrittenRelated<'a> {
    relation: &'a Relation,
    rule: &'a Rule,
}

impl Display for WrittenRelated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { relation: Relation { name, kind, .. }, rule } = self;
        match rule {
            Rule::Leaf(leaf) if *kind != RelationKind::Many => written(leaf, Some(name)).fmt(f),
            Rule::Granted(permission) if *kind != RelationKind::Many => {
                write!(f, "{name}.{}", as_identifier(*permission))
            }
            rule => write!(f, "any({name}: {})", Written(rule)),
        }
    }
}

impl Serialize for WrittenRelated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { relation: Relation { name, kind, .. }, rule } = self;
        match rule {
            Rule::Leaf(leaf) if *kind != RelationKind::Many => {
                written(leaf, Some(name)).serialize(serializer)
            }
            Rule::Granted(permission) if *kind != RelationKind::Many => {
                let granted = Granted { relation: Some(name), permission: permission.as_str() };
                one_key("granted", &granted, serializer)
            }
            rule => one_key("related", &RelatedRule { relation: name, rule: Written(rule) }, serializer),
        }
    }
}

fn as_identifier(permission: Permission) -> String {
    permission.as_str().replace('-', "_")
}

fn written(leaf: &Leaf<Column>, through: Option<&str>) -> Leaf<String> {
    leaf.written(|column| column.through(through))
}

fn all(rules: &[Rule]) -> Vec<Written<'_>> {
    rules.iter().map(Written).collect()
}

#[derive(Serialize)]
struct Granted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<&'a str>,
    permission: &'a str,
}

#[derive(Serialize)]
struct RelatedRule<'a> {
    relation: &'a str,
    rule: Written<'a>,
}

/// The context, its relations, and the rule of each permission.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_many = |relation: &&&Relation| relation.kind == RelationKind::Many;
        let relations = |many: bool| {
            let relations = self.relations.iter().filter(move |relation| is_many(relation) == many);
            relations.map(|relation| WrittenRelation::of(relation)).collect()
        };
        let permissions = self.grants.iter().map(|grant| PermissionRule {
            permission: grant.permission.as_str(),
            rule: Written(&grant.rule),
        });
        Document {
            context: self.context,
            belongs_to: relations(false),
            has_many: relations(true),
            rows: self.rows.map(Written),
            permissions: permissions.collect(),
            columns: self.column_grants.iter().map(ColumnRule::of).collect(),
            becomes: self.becomes.map(Written),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    context: &'a str,
    belongs_to: Vec<WrittenRelation<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_many: Vec<WrittenRelation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Written<'a>>,
    permissions: Vec<PermissionRule<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<ColumnRule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    becomes: Option<Written<'a>>,
}

#[derive(Serialize)]
struct WrittenRelation<'a> {
    relation: &'a str,
    context: &'a str,
    foreign_key: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recursive: bool,
}

impl<'a> WrittenRelation<'a> {
    fn of(relation: &'a Relation) -> Self {
        let Relation { name, kind, own, related, policy } = relation;
        let foreign_key = if *kind == RelationKind::Many { related } else { own };
        Self {
            relation: name,
            context: policy.context,
            foreign_key: foreign_key.written,
            recursive: *kind == RelationKind::Ancestors,
        }
    }
}

#[derive(Serialize)]
struct PermissionRule<'a> {
    permission: &'a str,
    rule: Written<'a>,
}

#[derive(Serialize)]
struct ColumnRule<'a> {
    permission: &'a str,
    columns: Vec<&'a str>,
    rule: Written<'a>,
}

impl<'a> ColumnRule<'a> {
    fn of(grant: &'a ColumnGrant) -> Self {
        Self {
            permission: grant.permission.as_str(),
            columns: grant.columns.iter().map(|column| column.written).collect(),
            rule: Written(&grant.rule),
        }
    }
}
