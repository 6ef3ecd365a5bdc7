//! A policy as text, in the words in which it is declared, and as JSON.

use std::fmt::{self, Display, Write as _};

use serde::{Serialize, Serializer};

use super::{Policy, Rule};
use crate::vocabulary::Permission;

/// As it is declared: the context, and a line for each permission.
impl Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.context)?;
        for grant in self.grants {
            writeln!(
                f,
                "  {} = {}",
                grant.permission,
                Written { rule: &grant.rule, policy: self, through: None }
            )?;
        }
        Ok(())
    }
}

impl Policy {
    /// Who has this permission: its rules, as they are declared.
    pub(crate) fn written_rules(&self, permission: Permission) -> String {
        let mut rules = self.rules(permission).peekable();
        if rules.peek().is_none() {
            return "nobody".to_owned();
        }
        let rules: Vec<String> =
            rules.map(|rule| Written { rule, policy: self, through: None }.to_string()).collect();
        rules.join(" | ")
    }
}

/// A rule of a policy, as it is declared there.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) rule: &'a Rule,
    pub(super) policy: &'a Policy,
    /// The relation in front of its column.
    pub(super) through: Option<&'a str>,
}

impl<'a> Written<'a> {
    fn relation(&self, index: usize) -> &'a str {
        self.policy.relations.get(index).map_or("", |relation| relation.name)
    }

    /// A rule within this one: in parentheses where it binds less tightly.
    fn inner(&self, rule: &'a Rule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = Self { rule, ..*self };
        match (self.rule, rule) {
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
        let through = |f: &mut fmt::Formatter<'_>| match self.through {
            Some(relation) => write!(f, "{relation}."),
            None => Ok(()),
        };
        let call = |name: &str, column: &str, f: &mut fmt::Formatter<'_>| {
            write!(f, "{name}(")?;
            through(f)?;
            write!(f, "{column})")
        };
        match self.rule {
            Rule::EveryLoggedInUser => f.write_str("every_logged_in_user"),
            Rule::User(column) => call("user", column.written, f),
            Rule::Account(column) => call("account", column.written, f),
            Rule::Role(name) => write!(f, "role({name:?})"),
            Rule::AccountRole(name) => write!(f, "account_role({name:?})"),
            Rule::IsNull(column) => call("is_null", column.written, f),
            Rule::Flag(column) => {
                through(f)?;
                f.write_str(column.written)
            }
            Rule::Through(index, rule) => Self { rule, through: Some(self.relation(*index)), ..*self }.fmt(f),
            Rule::Granted(index, permission) => {
                f.write_str(self.relation(*index))?;
                f.write_char('.')?;
                // As an identifier.
                f.write_str(&permission.as_str().replace('-', "_"))
            }
            Rule::Any([]) => f.write_str("nobody"),
            Rule::Any(rules) => self.joined(rules, " | ", f),
            Rule::All(rules) => self.joined(rules, " & ", f),
        }
    }
}

/// The context, what it belongs to, and the rule of each permission: an object of one key, which is `any`, `all`
/// or the name of a term.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let belongs_to = self.relations.iter().map(|relation| BelongsTo {
            relation: relation.name,
            context: relation.policy.context,
            foreign_key: relation.foreign_key.written,
        });
        let permissions = self.grants.iter().map(|grant| Granted {
            permission: grant.permission.as_str(),
            rule: Node::of(&grant.rule, self, None),
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
    permissions: Vec<Granted<'a>>,
}

#[derive(Serialize)]
struct BelongsTo<'a> {
    relation: &'a str,
    context: &'a str,
    foreign_key: &'a str,
}

#[derive(Serialize)]
struct Granted<'a> {
    permission: &'a str,
    rule: Node<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Node<'a> {
    EveryLoggedInUser,
    User(String),
    Account(String),
    Role(&'a str),
    AccountRole(&'a str),
    IsNull(String),
    Column(String),
    Granted { relation: &'a str, permission: &'a str },
    Any(Vec<Self>),
    All(Vec<Self>),
}

impl<'a> Node<'a> {
    fn of(rule: &'a Rule, policy: &'a Policy, through: Option<&'a str>) -> Self {
        let written = Written { rule, policy, through };
        let column = |name: &str| match through {
            Some(relation) => format!("{relation}.{name}"),
            None => name.to_owned(),
        };
        let all = |rules: &'a [Rule]| rules.iter().map(|rule| Self::of(rule, policy, through)).collect();
        match rule {
            Rule::EveryLoggedInUser => Self::EveryLoggedInUser,
            Rule::User(name) => Self::User(column(name.written)),
            Rule::Account(name) => Self::Account(column(name.written)),
            Rule::Role(name) => Self::Role(name),
            Rule::AccountRole(name) => Self::AccountRole(name),
            Rule::IsNull(name) => Self::IsNull(column(name.written)),
            Rule::Flag(name) => Self::Column(column(name.written)),
            Rule::Through(index, rule) => Self::of(rule, policy, Some(written.relation(*index))),
            Rule::Granted(index, permission) => {
                Self::Granted { relation: written.relation(*index), permission: permission.as_str() }
            }
            Rule::Any(rules) => Self::Any(all(rules)),
            Rule::All(rules) => Self::All(all(rules)),
        }
    }
}
