//! Random policies over the whole grammar, as plain data of the tests, and as data of the library.

use std::fmt::Debug;

use auth_core::{
    __private::{
        Column as LibraryColumn, Grant, Leaf, Relation as LibraryRelation, RelationKind, Rule as LibraryRule,
        SqlKind,
    },
    Permission, Policy, Principal,
};
use diesel::sql_types::{BigInt, Binary, Bool, Integer, SmallInt, Text};
use proptest::{
    collection::vec,
    prelude::any,
    prop_oneof,
    strategy::{Just, Strategy},
};

use crate::{
    database::Dialect,
    world::{Column, Kind, TABLES},
};

pub(crate) const PERMISSIONS: [Permission; 6] = [
    Permission::READ,
    Permission::UPDATE,
    Permission::DELETE,
    Permission::CREATE_CHILDREN,
    Permission::new("publish"),
    Permission::new("publish-all"),
];

pub(crate) const ROLES: [&str; 5] = ["operator", "auditor", "admin", "admin-reader", "Operator"];

/// Columns, relations and permissions are indices.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    EveryLoggedInUser,
    User(usize),
    Account(usize),
    Role(&'static str),
    AccountRole(&'static str),
    IsNull(usize),
    Flag(usize),
    /// A term about a column of the parent.
    Through(usize, Box<Self>),
    Granted(usize, usize),
    /// Of none: it matches no subject.
    Any(Vec<Self>),
    /// Of none: it matches no subject. No policy that is written down has it.
    All(Vec<Self>),
}

/// The declaration for each table and permission: a rule, none, or several.
#[derive(Clone, Debug)]
pub(crate) struct Policies(pub(crate) [[Vec<Rule>; 6]; 4]);

/// A rule before it is known which columns there are.
#[derive(Clone, Debug)]
enum Draft {
    EveryLoggedInUser,
    Role(u8),
    AccountRole(u8),
    Column(Term, u8),
    Through(u8, Term, u8),
    Granted(u8, u8),
    Any(Vec<Self>),
    All(Vec<Self>),
}

#[derive(Clone, Copy, Debug)]
enum Term {
    User,
    Account,
    IsNull,
    Flag,
}

fn draft() -> impl Strategy<Value = Draft> {
    let term = || {
        prop_oneof![
            3 => Just(Term::User),
            3 => Just(Term::Account),
            2 => Just(Term::IsNull),
            2 => Just(Term::Flag),
        ]
    };
    let leaf = prop_oneof![
        1 => Just(Draft::EveryLoggedInUser),
        2 => any::<u8>().prop_map(Draft::Role),
        2 => any::<u8>().prop_map(Draft::AccountRole),
        8 => (term(), any::<u8>()).prop_map(|(term, column)| Draft::Column(term, column)),
        5 => (any::<u8>(), term(), any::<u8>())
            .prop_map(|(relation, term, column)| Draft::Through(relation, term, column)),
        8 => any::<(u8, u8)>().prop_map(|(relation, permission)| Draft::Granted(relation, permission)),
    ];
    let rule = leaf.prop_recursive(4, 10, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..=3).prop_map(Draft::Any), vec(inner, 0..=3).prop_map(Draft::All)]
    });
    // Most drawn terms fold away for one subject, and then nothing is left whose precedence or whose parents could be
    // mistaken.
    let open = || (term(), any::<u8>()).prop_map(|(term, column)| Draft::Column(term, column));
    prop_oneof![
        3 => rule,
        1 => (open(), open(), open()).prop_map(|(a, b, c)| Draft::All(vec![Draft::Any(vec![a, b]), c])),
        1 => (open(), open(), open()).prop_map(|(a, b, c)| Draft::Any(vec![Draft::All(vec![a, b]), c])),
        1 => (any::<(bool, u8)>(), vec((term(), any::<u8>()), 2)).prop_map(|((any, relation), terms)| {
            let terms =
                terms.into_iter().map(|(term, column)| Draft::Through(relation, term, column)).collect();
            if any { Draft::Any(terms) } else { Draft::All(terms) }
        }),
    ]
}

pub(crate) fn policies() -> impl Strategy<Value = Policies> {
    // Two rules for one permission suffice each.
    let rules = || prop_oneof![1 => vec(draft(), 0..=0), 8 => vec(draft(), 1..=1), 1 => vec(draft(), 2..=2)];
    let table = move || [rules(), rules(), rules(), rules(), rules(), rules()];
    [table(), table(), table(), table()].prop_map(|drafts| {
        let mut made = Made {
            policies: Policies(std::array::from_fn(|_| std::array::from_fn(|_| Vec::new()))),
            asked: [[0; 6]; 4],
        };
        // No permission may depend on itself in the end: each depends on those before it, or on itself in a table behind
        // it.
        for permission in 0..PERMISSIONS.len() {
            for (table, drafts) in drafts.iter().enumerate().rev() {
                let mut asked = 0;
                made.policies.0[table][permission] = drafts[permission]
                    .iter()
                    .map(|draft| made.rule(draft, table, permission, &mut asked))
                    .collect();
                made.asked[table][permission] = asked;
            }
        }
        made.policies
    })
}

impl Policies {
    /// A rule each for `read` and `update` of a table, and nothing for all else.
    pub(crate) fn of(table: usize, read: Rule, update: Rule) -> Self {
        let mut policies = Self(std::array::from_fn(|_| std::array::from_fn(|_| Vec::new())));
        policies.0[table][0].push(read);
        policies.0[table][1].push(update);
        policies
    }
}

struct Made {
    policies: Policies,
    /// The number of tables that each rule reads in the end.
    asked: [[usize; 6]; 4],
}

/// Optimizers take their time over subqueries, and `MariaDB` has a limit of 61 tables a statement.
const MOST_ASKED: usize = 14;

impl Made {
    fn rule(&self, draft: &Draft, table: usize, permission: usize, asked: &mut usize) -> Rule {
        let relations = TABLES[table].relations;
        let mut all = |drafts: &[Draft]| {
            drafts.iter().map(|draft| self.rule(draft, table, permission, asked)).collect::<Vec<_>>()
        };
        match *draft {
            Draft::EveryLoggedInUser => Rule::EveryLoggedInUser,
            Draft::Role(pick) => Rule::Role(of(&ROLES, pick)),
            Draft::AccountRole(pick) => Rule::AccountRole(of(&ROLES, pick)),
            Draft::Column(term, pick) => column_rule(table, term, pick),
            Draft::Through(relation, term, pick) => {
                let relation = usize::from(relation) % relations.len();
                *asked += 1;
                Rule::Through(relation, Box::new(column_rule(relations[relation].parent, term, pick)))
            }
            Draft::Granted(relation, granted) => {
                let relation = usize::from(relation) % relations.len();
                let parent = relations[relation].parent;
                let most = if parent > table { permission + 1 } else { permission };
                let granted = usize::from(granted).checked_rem(most);
                match granted {
                    Some(granted) if *asked + self.asked[parent][granted] < MOST_ASKED => {
                        *asked += 1 + self.asked[parent][granted];
                        Rule::Granted(relation, granted)
                    }
                    _ => column_rule(table, Term::Account, 0),
                }
            }
            Draft::Any(ref drafts) => Rule::Any(all(drafts)),
            Draft::All(ref drafts) => Rule::All(all(drafts)),
        }
    }
}

fn of<T: Copy>(values: &[T], pick: u8) -> T {
    values[usize::from(pick) % values.len()]
}

/// A term about one of the columns that it can be about, which every table has.
fn column_rule(table: usize, term: Term, pick: u8) -> Rule {
    let fits = |column: &Column| match term {
        Term::User | Term::Account => column.kind != Kind::Bool,
        Term::IsNull => column.nullable,
        Term::Flag => column.kind == Kind::Bool,
    };
    let columns: Vec<usize> =
        (0..TABLES[table].columns.len()).filter(|index| fits(&TABLES[table].columns[*index])).collect();
    let column = of(&columns, pick);
    match term {
        Term::User => Rule::User(column),
        Term::Account => Rule::Account(column),
        Term::IsNull => Rule::IsNull(column),
        Term::Flag => Rule::Flag(column),
    }
}

impl Policies {
    /// Data of the library for as long as the test runs, a policy for each table.
    pub(crate) fn leaked(&self, dialect: Dialect) -> [&'static Policy; 4] {
        // A policy that is there before its parents are refers to none. Each round knows one more generation.
        let mut policies = std::array::from_fn(|table| policy(table, &[], &[]));
        for _ in 0..=MOST_ASKED {
            policies = std::array::from_fn(|table| {
                let relations = TABLES[table].relations.iter().map(|relation| LibraryRelation {
                    name: relation.name,
                    kind: RelationKind::Parent,
                    own: library_column(&TABLES[table].columns[relation.foreign_key], dialect),
                    related: library_column(&TABLES[relation.parent].columns[0], dialect),
                    policy: policies[relation.parent],
                });
                let relations: &'static [LibraryRelation] = relations.collect::<Vec<_>>().leak();
                policy(table, relations, self.grants(&Library { table, relations, dialect }))
            });
        }
        policies
    }

    fn grants(&self, library: &Library) -> &'static [Grant] {
        let mut grants = Vec::new();
        for (permission, rules) in PERMISSIONS.iter().zip(&self.0[library.table]) {
            for rule in rules {
                grants.push(Grant { permission: *permission, rule: library.rule(rule) });
            }
        }
        grants.leak()
    }
}

fn policy(table: usize, relations: &'static [LibraryRelation], grants: &'static [Grant]) -> &'static Policy {
    let relations: &'static [_] = relations.iter().collect::<Vec<_>>().leak();
    Box::leak(Box::new(Policy::new(TABLES[table].name, "", &[], relations, grants, None)))
}

/// The context in which rules of a table become data of the library.
struct Library {
    table: usize,
    relations: &'static [LibraryRelation],
    dialect: Dialect,
}

impl Library {
    fn rule(&self, rule: &Rule) -> LibraryRule {
        let all = |rules: &[Rule]| -> &'static [LibraryRule] {
            rules.iter().map(|rule| self.rule(rule)).collect::<Vec<_>>().leak()
        };
        match rule {
            Rule::Through(relation, rule) => {
                let parent = TABLES[self.table].relations[*relation].parent;
                related(&self.relations[*relation], LibraryRule::Leaf(self.leaf(rule, parent)))
            }
            Rule::Granted(relation, permission) => {
                related(&self.relations[*relation], LibraryRule::Granted(PERMISSIONS[*permission]))
            }
            Rule::Any(rules) => LibraryRule::Any(all(rules)),
            Rule::All(rules) => LibraryRule::All(all(rules)),
            term => LibraryRule::Leaf(self.leaf(term, self.table)),
        }
    }

    fn leaf(&self, term: &Rule, table: usize) -> Leaf<LibraryColumn> {
        let column = |index: usize| library_column(&TABLES[table].columns[index], self.dialect);
        match term {
            Rule::EveryLoggedInUser => Leaf::Subject(Principal::EveryLoggedInUser),
            Rule::User(index) => Leaf::Subject(Principal::User(column(*index))),
            Rule::Account(index) => Leaf::Subject(Principal::Account(column(*index))),
            Rule::Role(name) => Leaf::Subject(Principal::Role(name)),
            Rule::AccountRole(name) => Leaf::Subject(Principal::AccountRole(name)),
            Rule::IsNull(index) => Leaf::IsNull(column(*index)),
            Rule::Flag(index) => Leaf::Flag(column(*index)),
            Rule::Through(..) | Rule::Granted(..) | Rule::Any(_) | Rule::All(_) => {
                unreachable!("only terms stand behind a relation")
            }
        }
    }
}

fn related(relation: &'static LibraryRelation, rule: LibraryRule) -> LibraryRule {
    LibraryRule::Related(relation, Box::leak(Box::new(rule)))
}

fn library_column(column: &Column, dialect: Dialect) -> LibraryColumn {
    let kind = match column.kind {
        Kind::SmallInt => SqlKind::<SmallInt>::KIND,
        Kind::Integer => SqlKind::<Integer>::KIND,
        Kind::BigInt => SqlKind::<BigInt>::KIND,
        Kind::Text | Kind::NoCase => SqlKind::<Text>::KIND,
        #[cfg(feature = "postgres")]
        Kind::Uuid if dialect == Dialect::Postgres => SqlKind::<diesel::sql_types::Uuid>::KIND,
        Kind::Binary | Kind::Uuid => SqlKind::<Binary>::KIND,
        Kind::Bool => SqlKind::<Bool>::KIND,
    };
    let _ = dialect;
    LibraryColumn { written: column.written, name: column.name, kind, nullable: column.nullable }
}
