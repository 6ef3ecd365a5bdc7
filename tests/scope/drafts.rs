//! Random policies.

use proptest::{
    collection::vec,
    option,
    prelude::any,
    prop_oneof,
    strategy::{BoxedStrategy, Just, Strategy},
};

use crate::{
    policies::{CARRIED, PERMISSIONS, Policies, ROLES, Rule},
    tables::{Column, Kind, Leads, TABLES},
    world::compared,
};

/// A rule before it is known which columns and relations there are.
#[derive(Clone, Debug)]
enum Draft {
    EveryLoggedInUser,
    Everyone,
    Role(u8),
    AccountRole(u8),
    Permission(u8),
    Column(Term),
    Through(u8, Term),
    /// A permission on the parent.
    OnParent(u8, u8),
    /// The permission itself, on the parent.
    Recursive,
    /// A permission on the row itself.
    OnRow(u8),
    AnyRow(u8, Box<Self>),
    Any(Vec<Self>),
    All(Vec<Self>),
}

#[derive(Clone, Debug)]
struct Term {
    about: About,
    column: u8,
    /// The values with which it is compared.
    values: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum About {
    User,
    Account,
    Null,
    Flag,
    Values,
    End,
    Begin,
}

impl About {
    /// Another one, if it is about the subject, too.
    const fn or_of_row(self) -> Self {
        match self {
            Self::User => Self::Null,
            Self::Account => Self::End,
            about => about,
        }
    }
}

fn term() -> impl Strategy<Value = Term> {
    let about = prop_oneof![
        3 => Just(About::User),
        3 => Just(About::Account),
        2 => Just(About::Null),
        2 => Just(About::Flag),
        3 => Just(About::Values),
        2 => Just(About::End),
        2 => Just(About::Begin),
    ];
    (about, any::<u8>(), vec(any::<u8>(), 1..=3)).prop_map(|(about, column, values)| Term {
        about,
        column,
        values,
    })
}

fn column() -> impl Strategy<Value = Draft> {
    term().prop_map(Draft::Column)
}

/// A term about a row, whoever the subject is.
fn of_row() -> impl Strategy<Value = Draft> {
    term().prop_map(|term| Draft::Column(Term { about: term.about.or_of_row(), ..term }))
}

fn draft() -> BoxedStrategy<Draft> {
    let leaf = prop_oneof![
        1 => Just(Draft::EveryLoggedInUser),
        1 => Just(Draft::Everyone),
        2 => any::<u8>().prop_map(Draft::Role),
        2 => any::<u8>().prop_map(Draft::AccountRole),
        2 => any::<u8>().prop_map(Draft::Permission),
        12 => column(),
        6 => (any::<u8>(), term()).prop_map(|(relation, term)| Draft::Through(relation, term)),
        8 => any::<(u8, u8)>().prop_map(|(relation, permission)| Draft::OnParent(relation, permission)),
        3 => Just(Draft::Recursive),
        3 => any::<u8>().prop_map(Draft::OnRow),
    ];
    let rule = leaf.prop_recursive(5, 12, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..=3).prop_map(Draft::Any),
            3 => vec(inner.clone(), 0..=3).prop_map(Draft::All),
            2 => (any::<u8>(), inner).prop_map(|(relation, rule)| Draft::AnyRow(relation, Box::new(rule))),
        ]
    });
    let any_of = |drafts: Vec<Draft>| Draft::Any(drafts);
    let all_of = |drafts: Vec<Draft>| Draft::All(drafts);
    // Most drawn terms fold away for one subject, and then nothing is left whose precedence or whose relations could be
    // mistaken.
    prop_oneof![
        6 => rule.clone(),
        2 => (column(), column(), column()).prop_map(move |(a, b, c)| all_of(vec![any_of(vec![a, b]), c])),
        2 => (column(), column(), column()).prop_map(move |(a, b, c)| any_of(vec![all_of(vec![a, b]), c])),
        2 => (any::<(bool, u8)>(), vec(term(), 2)).prop_map(|((any, relation), terms)| {
            let terms = terms.into_iter().map(|term| Draft::Through(relation, term)).collect();
            if any { Draft::Any(terms) } else { Draft::All(terms) }
        }),
        // What one of many rows meets, and what two of them do.
        3 => (any::<(bool, u8)>(), vec(of_row(), 2)).prop_map(move |((apart, relation), terms)| {
            let of = |rule| Draft::AnyRow(relation, Box::new(rule));
            if apart { all_of(terms.into_iter().map(of).collect()) } else { of(all_of(terms)) }
        }),
        // Down a tree: always, or under conditions.
        1 => column().prop_map(move |base| any_of(vec![base, Draft::Recursive])),
        5 => (of_row(), of_row())
            .prop_map(move |(base, step)| any_of(vec![base, all_of(vec![Draft::Recursive, step])])),
        2 => (column(), of_row(), rule).prop_map(move |(base, step, other)| {
            all_of(vec![any_of(vec![base, all_of(vec![Draft::Recursive, step])]), other])
        }),
    ]
    .boxed()
}

pub(crate) fn policies() -> impl Strategy<Value = Policies> {
    made().prop_map(|made| made.policies)
}

fn made() -> impl Strategy<Value = Made> {
    // Two rules for one permission suffice each.
    let rules =
        || prop_oneof![1 => vec(draft(), 0..=0), 8 => vec(draft(), 1..=1), 1 => vec(draft(), 2..=2)].boxed();
    let table = move || [rules(), rules(), rules(), rules(), rules(), rules()];
    let rows = || option::weighted(0.3, (any::<bool>(), vec(term(), 1..=3)));
    ([table(), table(), table(), table()], [rows(), rows(), rows(), rows()]).prop_map(|(drafts, rows)| {
        let mut made = Made { policies: Policies::none(), reads: [[0; 6]; 4] };
        // No permission may depend on itself in the end, but by going up a tree: each depends on those before it, or on
        // itself in a table behind it.
        for permission in 0..PERMISSIONS.len() {
            for (table, drafts) in drafts.iter().enumerate().rev() {
                let is_recursive = drafts[permission].iter().any(|draft| recurs(draft, table));
                let mut making = Making {
                    made: &made,
                    table,
                    permission,
                    times: if is_recursive { TIMES_OF_A_TREE } else { 1 },
                    reads: 0,
                };
                let rules = drafts[permission]
                    .iter()
                    .map(|draft| making.rule(draft, table, true))
                    .collect::<Vec<_>>();
                let reads = making.reads;
                made.policies.granting[table][permission] = rules;
                made.reads[table][permission] = reads;
            }
        }
        for (table, rows) in rows.into_iter().enumerate() {
            made.policies.rows[table] = rows.map(|(any, terms)| {
                let terms = terms.iter().map(|term| row_rule(table, term)).collect();
                if any { Rule::Any(terms) } else { Rule::All(terms) }
            });
        }
        made
    })
}

/// Policies that also have rules for columns, and for what rows become.
pub(crate) fn policies_of_changes() -> impl Strategy<Value = Policies> {
    let columns = || vec((any::<u8>(), draft()), 0..=3);
    let becomes = || option::weighted(0.8, draft());
    let of_changes =
        ([columns(), columns(), columns(), columns()], [becomes(), becomes(), becomes(), becomes()]);
    (made(), of_changes).prop_map(|(mut made, (columns, becomes))| {
        for (table, (columns, becomes)) in columns.into_iter().zip(becomes).enumerate() {
            // No other rule refers to these, so they name any permission.
            let rule = |draft: &Draft| {
                let permission = PERMISSIONS.len() - 1;
                Making { made: &made, table, permission, times: 1, reads: 0 }.rule(draft, table, true)
            };
            let changing = columns.iter().enumerate().map(|(place, (column, draft))| {
                // A third of the columns each, so that no column has two rules.
                let others = (1..TABLES[table].columns.len()).filter(|index| index % 3 == place);
                let of_rule = others.filter(|index| (column >> (index / 3)) & 1 == 0).collect();
                (of_rule, rule(draft))
            });
            let (changing, becoming) = (changing.collect(), becomes.as_ref().map(rule));
            made.policies.changing[table] = changing;
            made.policies.becoming[table] = becoming;
        }
        made.policies
    })
}

fn recurs(draft: &Draft, table: usize) -> bool {
    match draft {
        Draft::Recursive => !relations(table, |leads| leads == Leads::Up).is_empty(),
        Draft::Any(drafts) | Draft::All(drafts) => drafts.iter().any(|draft| recurs(draft, table)),
        _ => false,
    }
}

#[derive(Debug)]
struct Made {
    policies: Policies,
    /// The number of tables that each rule reads in the end.
    reads: [[usize; 6]; 4],
}

/// The rules for a permission.
struct Making<'a> {
    made: &'a Made,
    table: usize,
    permission: usize,
    /// How often a statement has each of their terms.
    times: usize,
    reads: usize,
}

/// Optimizers take their time over subqueries, and `MariaDB` has a limit of 61 tables a statement.
pub(crate) const MOST_READS: usize = 15;

/// The rules are there for the row itself, for the ancestors at which a walk ends, and for those that it passes.
const TIMES_OF_A_TREE: usize = 3;

impl Making<'_> {
    /// A rule about a row of a table, which is that of the context or one of many rows.
    fn rule(&mut self, draft: &Draft, table: usize, is_own: bool) -> Rule {
        let joined = |making: &mut Self, drafts: &[Draft]| {
            drafts.iter().map(|draft| making.rule(draft, table, is_own)).collect::<Vec<_>>()
        };
        match draft {
            Draft::EveryLoggedInUser => Rule::EveryLoggedInUser,
            Draft::Everyone => Rule::Everyone,
            Draft::Role(pick) => Rule::Role(of(&ROLES, *pick)),
            Draft::AccountRole(pick) => Rule::AccountRole(of(&ROLES, *pick)),
            Draft::Permission(pick) => Rule::Permission(of(&CARRIED, *pick)),
            Draft::Column(term) => column_rule(table, term),
            Draft::Through(relation, term) => {
                let relation = of(&relations(table, |leads| leads != Leads::ToMany), *relation);
                self.related(relation, 0, column_rule(TABLES[table].relations[relation].table, term))
                    .unwrap_or_else(|| column_rule(table, term))
            }
            Draft::OnParent(relation, granted) => {
                let relation = of(&relations(table, |leads| leads != Leads::ToMany), *relation);
                self.granted(TABLES[table].relations[relation].table, *granted)
                    .and_then(|(granted, reads)| self.related(relation, reads, Rule::Granted(granted)))
                    .unwrap_or(Rule::Account(0))
            }
            Draft::Recursive => {
                let up = relations(table, |leads| leads == Leads::Up);
                let recursive = match up[..] {
                    // Two tables more than that of the parent.
                    [relation] if is_own => self.related(relation, 0, Rule::Granted(self.permission)),
                    _ => None,
                };
                recursive.unwrap_or(Rule::User(0))
            }
            Draft::OnRow(granted) => match self.granted(table, *granted) {
                Some((granted, reads)) if self.affords(reads) => {
                    self.reads += reads * self.times;
                    Rule::Granted(granted)
                }
                _ => Rule::Account(0),
            },
            Draft::AnyRow(relation, rule) => {
                let many = relations(table, |leads| leads == Leads::ToMany);
                if many.is_empty() || !self.affords(1) {
                    return self.rule(rule, table, is_own);
                }
                self.reads += self.times;
                let relation = of(&many, *relation);
                let rule = self.rule(rule, TABLES[table].relations[relation].table, false);
                Rule::Related(relation, Box::new(rule))
            }
            Draft::Any(drafts) => Rule::Any(joined(self, drafts)),
            Draft::All(drafts) => Rule::All(joined(self, drafts)),
        }
    }

    fn affords(&self, reads: usize) -> bool {
        self.reads + reads * self.times <= MOST_READS
    }

    fn related(&mut self, relation: usize, reads: usize, rule: Rule) -> Option<Rule> {
        if !self.affords(1 + reads) {
            return None;
        }
        self.reads += (1 + reads) * self.times;
        Some(Rule::Related(relation, Box::new(rule)))
    }

    /// A permission on rows of a table, and how many tables it reads.
    fn granted(&self, table: usize, pick: u8) -> Option<(usize, usize)> {
        let most = if table > self.table { self.permission + 1 } else { self.permission };
        let granted = usize::from(pick).checked_rem(most)?;
        Some((granted, self.made.reads[table][granted]))
    }
}

fn of<T: Copy>(values: &[T], pick: u8) -> T {
    values[usize::from(pick) % values.len()]
}

fn relations(table: usize, lead: impl Fn(Leads) -> bool) -> Vec<usize> {
    let relations = TABLES[table].relations.iter().enumerate();
    relations.filter(|(_, relation)| lead(relation.leads)).map(|(index, _)| index).collect()
}

/// A term about one of the columns that it can be about, of which every table has some.
fn column_rule(table: usize, term: &Term) -> Rule {
    let fits = |column: &Column| match term.about {
        About::User | About::Account => column.kind.is_id(),
        About::Null => column.nullable,
        About::Flag => column.kind == Kind::Bool,
        About::Values => column.kind.is_compared(),
        About::End | About::Begin => column.kind.is_time(),
    };
    let columns: Vec<usize> =
        (0..TABLES[table].columns.len()).filter(|index| fits(&TABLES[table].columns[*index])).collect();
    let column = of(&columns, term.column);
    match term.about {
        About::User => Rule::User(column),
        About::Account => Rule::Account(column),
        About::Null => Rule::IsNull(column),
        About::Flag => Rule::Flag(column),
        About::Values => {
            let kind = TABLES[table].columns[column].kind;
            Rule::Is(column, term.values.iter().map(|pick| compared(kind, usize::from(*pick))).collect())
        }
        About::End => Rule::Until(column),
        About::Begin => Rule::Since(column),
    }
}

/// A term about a row alone.
fn row_rule(table: usize, term: &Term) -> Rule {
    column_rule(table, &Term { about: term.about.or_of_row(), ..term.clone() })
}
