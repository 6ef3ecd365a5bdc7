//! Policies over the whole grammar, as plain data.

use auth_core::Permission;

use crate::world::Value;

pub(crate) const PERMISSIONS: [Permission; 6] = [
    Permission::READ,
    Permission::UPDATE,
    Permission::DELETE,
    Permission::CREATE_CHILDREN,
    Permission::new("publish"),
    Permission::new("publish-all"),
];

pub(crate) const ROLES: [&str; 5] = ["operator", "auditor", "admin", "admin-reader", "Operator"];

/// Permissions that roles carry.
pub(crate) const CARRIED: [&str; 3] = ["export", "import", "read"];

/// Columns, relations and permissions are indices.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    EveryLoggedInUser,
    Everyone,
    User(usize),
    Account(usize),
    Role(&'static str),
    AccountRole(&'static str),
    Permission(&'static str),
    IsNull(usize),
    Flag(usize),
    Is(usize, Vec<Value>),
    Until(usize),
    Since(usize),
    /// One of the related rows meets all of the rule: of a parent a term or a permission, of many rows any rule.
    Related(usize, Box<Self>),
    /// On the row itself.
    Granted(usize),
    /// Of none: it matches no subject.
    Any(Vec<Self>),
    /// Of none: it matches no subject. No policy that is written down has it.
    All(Vec<Self>),
}

#[derive(Clone, Debug)]
pub(crate) struct Policies {
    /// The declaration for each table and permission: a rule, none, or several.
    pub(crate) granting: [[Vec<Rule>; 6]; 4],
    /// Which rows of each table are there, if not all: a rule about their columns alone.
    pub(crate) rows: [Option<Rule>; 4],
    /// For each table the rules that some of its columns need for a change, each with its columns.
    pub(crate) changing: [Vec<(Vec<usize>, Rule)>; 4],
    /// For each table the rule that a row has to meet as it becomes.
    pub(crate) becoming: [Option<Rule>; 4],
}

impl Policies {
    pub(crate) fn none() -> Self {
        Self {
            granting: std::array::from_fn(|_| std::array::from_fn(|_| Vec::new())),
            rows: std::array::from_fn(|_| None),
            changing: std::array::from_fn(|_| Vec::new()),
            becoming: std::array::from_fn(|_| None),
        }
    }

    /// A rule each for `read` and `update` of a table, and nothing for all else.
    pub(crate) fn of(table: usize, read: Rule, update: Rule) -> Self {
        let mut policies = Self::none();
        policies.granting[table][0].push(read);
        policies.granting[table][1].push(update);
        policies
    }
}
