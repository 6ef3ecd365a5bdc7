//! The meaning of a policy by the documentation, evaluated over rows in memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    person::Person,
    policies::{PERMISSIONS, Policies, Rule},
    tables::TABLES,
    world::{Value, World, uuid_text},
};

/// The rows of a table on which the person has the permission.
pub(crate) fn allowed(
    policies: &Policies,
    world: &World,
    table: usize,
    person: &Person,
    permission: usize,
) -> BTreeSet<i32> {
    let mut allowed = allowed_if_there(policies, world, table, person, permission);
    let evaluation = Evaluation::new(policies, world, person);
    allowed.retain(|row| evaluation.is_there(table, usize::try_from(*row).unwrap()));
    allowed
}

/// With the rows that would be theirs if they were there.
pub(crate) fn allowed_if_there(
    policies: &Policies,
    world: &World,
    table: usize,
    person: &Person,
    permission: usize,
) -> BTreeSet<i32> {
    let evaluation = Evaluation::new(policies, world, person);
    let stands_above = person.stands_above(PERMISSIONS[permission]).is_some();
    let is_allowed = |row: &usize| stands_above || evaluation.grants(table, *row, permission);
    let rows = (0..world.tables[table].len()).filter(is_allowed);
    rows.map(|row| i32::try_from(row).unwrap()).collect()
}

/// What becomes of a change, or of a new row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Done,
    Missing,
    Denied,
    DeniedColumn,
    DeniedResult,
}

/// What becomes of a change of these columns, which makes `after` of the world.
pub(crate) fn changed(
    policies: &Policies,
    (before, after): (&World, &World),
    table: usize,
    row: usize,
    person: &Person,
    columns: &[usize],
) -> Outcome {
    const UPDATE: usize = 1;

    let evaluation = Evaluation::new(policies, before, person);
    if before.tables[table].len() <= row || !evaluation.is_there(table, row) {
        return Outcome::Missing;
    }
    if person.stands_above(PERMISSIONS[UPDATE]).is_some() {
        return Outcome::Done;
    }
    if !evaluation.grants(table, row, UPDATE) {
        return Outcome::Denied;
    }
    let is_set = |of: &[usize]| of.iter().any(|column| columns.contains(column));
    let rules = policies.changing[table].iter().filter(|(of, _)| is_set(of));
    if rules.into_iter().any(|(_, rule)| !evaluation.holds(rule, table, row)) {
        return Outcome::DeniedColumn;
    }
    if columns.is_empty() {
        return Outcome::Done;
    }
    created(policies, after, table, row, person)
}

/// What becomes of a row that is in this world, as its table's rule says.
pub(crate) fn created(
    policies: &Policies,
    after: &World,
    table: usize,
    row: usize,
    person: &Person,
) -> Outcome {
    let evaluation = Evaluation::new(policies, after, person);
    let holds = |rule: &Rule| evaluation.holds(rule, table, row);
    let stands_above = person.stands_above(PERMISSIONS[1]).is_some();
    if stands_above || policies.becoming[table].as_ref().is_none_or(holds) {
        Outcome::Done
    } else {
        Outcome::DeniedResult
    }
}

struct Evaluation<'a> {
    policies: &'a Policies,
    world: &'a World,
    person: &'a Person,
    /// For each table and permission that is evaluated, the rows on which it is granted as far as it is known.
    granted: RefCell<BTreeMap<(usize, usize), Vec<bool>>>,
}

impl<'a> Evaluation<'a> {
    fn new(policies: &'a Policies, world: &'a World, person: &'a Person) -> Self {
        Self { policies, world, person, granted: RefCell::default() }
    }

    /// A permission that depends on itself, by way of other rows, is on as few rows as its rules allow.
    fn grants(&self, table: usize, row: usize, permission: usize) -> bool {
        let of = (table, permission);
        let known = self.granted.borrow().get(&of).map(|rows| rows[row]);
        if let Some(granted) = known {
            return granted;
        }
        let mut granted = vec![false; self.world.tables[table].len()];
        loop {
            self.granted.borrow_mut().insert(of, granted.clone());
            let rules = &self.policies.granting[table][permission];
            let now: Vec<bool> =
                (0..granted.len()).map(|row| rules.iter().any(|rule| self.holds(rule, table, row))).collect();
            if now == granted {
                return granted[row];
            }
            granted = now;
        }
    }

    fn is_there(&self, table: usize, row: usize) -> bool {
        self.policies.rows[table].as_ref().is_none_or(|rule| self.holds(rule, table, row))
    }

    fn holds(&self, rule: &Rule, table: usize, number: usize) -> bool {
        let row = &self.world.tables[table][number];
        match rule {
            Rule::EveryLoggedInUser | Rule::Everyone => true,
            Rule::User(column) => self.person.is_by(|id| written(&row[*column], id)),
            Rule::Account(column) => self.person.is_of_by(|id| written(&row[*column], id)),
            Rule::Role(name) => self.person.has_role(name),
            Rule::AccountRole(name) => self.person.account_has_role(name),
            Rule::Permission(name) => self.person.carries(name),
            Rule::IsNull(column) => row[*column] == Value::Null,
            Rule::Flag(column) => row[*column] == Value::Bool(true),
            Rule::Is(column, values) => row[*column] != Value::Null && values.contains(&row[*column]),
            Rule::Until(column) => match row[*column] {
                Value::Null => true,
                Value::Time(time) => self.person.now().is_before(time),
                _ => false,
            },
            Rule::Since(column) => match row[*column] {
                Value::Time(time) => self.person.now().has_reached(time),
                _ => false,
            },
            Rule::Related(relation, rule) => {
                let relation = &TABLES[table].relations[*relation];
                self.world
                    .related(row, relation)
                    .filter(|row| self.is_there(relation.table, *row))
                    .any(|row| self.holds(rule, relation.table, row))
            }
            Rule::Granted(permission) => self.grants(table, number, *permission),
            Rule::Any(rules) => rules.iter().any(|rule| self.holds(rule, table, number)),
            Rule::All(rules) => !rules.is_empty() && rules.iter().all(|rule| self.holds(rule, table, number)),
        }
    }
}

/// An id is its text, and that of a UUID each of its texts; null has none.
fn written(value: &Value, id: &str) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::Time(_) => None,
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Text(text) => Some((*text).to_owned()),
        Value::Bytes(bytes) => {
            let uuid = uuid_text(bytes)?;
            let spelled =
                [uuid.clone(), uuid.replace('-', ""), format!("{{{uuid}}}"), format!("urn:uuid:{uuid}")];
            spelled.iter().any(|text| text.eq_ignore_ascii_case(id)).then(|| id.to_owned())
        }
    }
}
