//! Policies as data of the library.

use auth_core::{
    __private::{
        Column as LibraryColumn, ColumnGrant, Grant, Leaf, Literal, Relation as LibraryRelation,
        RelationKind, Rule as LibraryRule, SqlKind, TableOfRows,
    },
    Permission, Policy, Principal,
};
use diesel::sql_types::{BigInt, Binary, Bool, Integer, SmallInt, Text, Timestamp};

use crate::{
    database::Dialect,
    drafts::MOST_READS,
    policies::{PERMISSIONS, Policies, Rule},
    tables::{Column, Kind, Leads, TABLES},
    world::Value,
};

/// For each table its policy, and the relations of that.
#[derive(Clone, Copy)]
struct Generation {
    policies: [&'static Policy; 4],
    relations: [&'static [LibraryRelation]; 4],
}

impl Policies {
    /// Data of the library for as long as the test runs, a policy for each table.
    pub(crate) fn leaked(&self, dialect: Dialect) -> [&'static Policy; 4] {
        // A policy that is there before those of related rows refers to none. Each generation knows one more.
        let mut generations = vec![Generation {
            policies: std::array::from_fn(|table| &*Box::leak(Box::new(new(table, &[], &[], None)))),
            relations: [&[]; 4],
        }];
        for _ in 0..MOST_READS + 2 {
            let before = generations[0].policies;
            let relations = std::array::from_fn(|table| relations(table, &before, dialect));
            // The youngest one stands in front.
            generations.insert(0, Generation { policies: before, relations });
            let of_row = LibraryRules { generations: &generations, dialect };
            generations[0].policies = std::array::from_fn(|table| self.policy(table, of_row));
        }
        generations[0].policies
    }

    fn policy(&self, table: usize, library: LibraryRules<'_>) -> &'static Policy {
        let mut grants = Vec::new();
        for (permission, rules) in PERMISSIONS.iter().zip(&self.granting[table]) {
            for rule in rules {
                grants.push(Grant { permission: *permission, rule: library.rule(rule, table) });
            }
        }
        let rows = self.rows[table].as_ref().map(|rule| &*Box::leak(Box::new(library.rule(rule, table))));
        let changing = self.changing[table].iter().map(|(columns, rule)| ColumnGrant {
            permission: Permission::UPDATE,
            columns: columns
                .iter()
                .map(|index| library_column(&TABLES[table].columns[*index], library.dialect))
                .collect::<Vec<_>>()
                .leak(),
            serialized: &[],
            rule: library.rule(rule, table),
        });
        let changing = changing.collect::<Vec<_>>().leak();
        let policy = new(table, library.generations[0].relations[table], grants.leak(), rows);
        let policy = policy.with_columns(changing);
        Box::leak(Box::new(match &self.becoming[table] {
            Some(rule) => policy.with_becomes(Box::leak(Box::new(library.rule(rule, table)))),
            None => policy,
        }))
    }
}

/// The tables, for their names.
mod schema {
    diesel::table! { readings (n) { n -> Integer } }
    diesel::table! { assets (n) { n -> Integer } }
    diesel::table! { sites (n) { n -> Integer } }
    diesel::table! { devices (n) { n -> Integer } }
}

fn table_of_rows(table: usize) -> TableOfRows {
    match table {
        0 => TableOfRows::of::<schema::readings::table, _>(),
        1 => TableOfRows::of::<schema::assets::table, _>(),
        2 => TableOfRows::of::<schema::sites::table, _>(),
        _ => TableOfRows::of::<schema::devices::table, _>(),
    }
}

fn relations(table: usize, policies: &[&'static Policy; 4], dialect: Dialect) -> &'static [LibraryRelation] {
    let relations = TABLES[table].relations.iter().map(|relation| LibraryRelation {
        name: relation.name,
        kind: match relation.leads {
            Leads::ToParent => RelationKind::Parent,
            Leads::Up => RelationKind::Ancestors,
            Leads::ToMany => RelationKind::Many,
        },
        own: library_column(&TABLES[table].columns[relation.own], dialect),
        related: library_column(&TABLES[relation.table].columns[relation.related], dialect),
        policy: policies[relation.table],
    });
    relations.collect::<Vec<_>>().leak()
}

fn new(
    table: usize,
    relations: &'static [LibraryRelation],
    grants: &'static [Grant],
    rows: Option<&'static LibraryRule>,
) -> Policy {
    let relations: &'static [_] = relations.iter().collect::<Vec<_>>().leak();
    Policy::new(TABLES[table].name, "", &[], relations, grants, rows).of_table(table_of_rows(table))
}

/// Makes rules about a row whose policy is of the first generation.
#[derive(Clone, Copy)]
struct LibraryRules<'a> {
    generations: &'a [Generation],
    dialect: Dialect,
}

impl LibraryRules<'_> {
    fn rule(self, rule: &Rule, table: usize) -> LibraryRule {
        let all = |rules: &[Rule]| -> &'static [LibraryRule] {
            rules.iter().map(|rule| self.rule(rule, table)).collect::<Vec<_>>().leak()
        };
        match rule {
            Rule::Related(relation, rule) => {
                // The oldest generation has none. No policy is read that far.
                let Some(related) = self.generations[0].relations[table].get(*relation) else {
                    return LibraryRule::Any(&[]);
                };
                let behind = Self { generations: &self.generations[1..], ..self };
                let rule = behind.rule(rule, TABLES[table].relations[*relation].table);
                LibraryRule::Related(related, Box::leak(Box::new(rule)))
            }
            Rule::Granted(permission) => LibraryRule::Granted(PERMISSIONS[*permission]),
            Rule::Any(rules) => LibraryRule::Any(all(rules)),
            Rule::All(rules) => LibraryRule::All(all(rules)),
            term => LibraryRule::Leaf(self.leaf(term, table)),
        }
    }

    fn leaf(self, term: &Rule, table: usize) -> Leaf<LibraryColumn> {
        let column = |index: usize| library_column(&TABLES[table].columns[index], self.dialect);
        match term {
            Rule::EveryLoggedInUser => Leaf::Subject(Principal::EveryLoggedInUser),
            Rule::Everyone => Leaf::Everyone,
            Rule::User(index) => Leaf::Subject(Principal::User(column(*index))),
            Rule::Account(index) => Leaf::Subject(Principal::Account(column(*index))),
            Rule::Role(name) => Leaf::Subject(Principal::Role(name)),
            Rule::AccountRole(name) => Leaf::Subject(Principal::AccountRole(name)),
            Rule::Permission(name) => Leaf::Permission(name),
            Rule::IsNull(index) => Leaf::IsNull(column(*index)),
            Rule::Flag(index) => Leaf::Flag(column(*index)),
            Rule::Is(index, values) => {
                Leaf::Is(column(*index), values.iter().map(literal).collect::<Vec<_>>().leak())
            }
            Rule::Until(index) => Leaf::Until(column(*index)),
            Rule::Since(index) => Leaf::Since(column(*index)),
            Rule::Related(..) | Rule::Granted(_) | Rule::Any(_) | Rule::All(_) => {
                unreachable!("{term:?} is no term")
            }
        }
    }
}

fn literal(value: &Value) -> Literal {
    match value {
        Value::Integer(integer) => Literal::Integer(*integer),
        Value::Text(text) => Literal::Text(text),
        Value::Bool(flag) => Literal::Bool(*flag),
        value => unreachable!("no policy names {value:?}"),
    }
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
        #[cfg(feature = "postgres")]
        Kind::Zoned if dialect == Dialect::Postgres => SqlKind::<diesel::pg::sql_types::Timestamptz>::KIND,
        Kind::Time | Kind::Zoned => SqlKind::<Timestamp>::KIND,
    };
    let _ = dialect;
    LibraryColumn { written: column.written, name: column.name, kind, nullable: column.nullable }
}
