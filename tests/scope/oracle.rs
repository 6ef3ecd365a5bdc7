//! Random worlds, subjects and policies with the library's decisions, written down for `tests/oracle`, where an engine that
//! shares no code with the library decides about them again.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::File,
    io::{self, BufWriter, Write},
};

use diesel::{Connection as _, connection::SimpleConnection as _};
use proptest::{
    collection::vec,
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value as Json, json};

use super::{Connection, DIALECT};
use crate::{
    drafts::policies,
    models::{Ask as _, Question},
    person::{Person, person},
    policies::{PERMISSIONS, Policies, Rule},
    tables::{Kind, Leads, TABLES, created},
    world::{Value, World, world},
};

/// The file that the cases go to, a line each, behind a line about the tables.
const FILE: &str = "AUTH_TEST_ORACLE_FILE";

/// The number of cases, and what determines them.
const CASES: &str = "AUTH_TEST_ORACLE_CASES";
const SEED: &str = "AUTH_TEST_ORACLE_SEED";

/// Without a file, some cases are written to nowhere.
#[test]
fn decisions_are_written_down_for_an_oracle() {
    let number = |name: &str, default: u64| match env::var(name) {
        Ok(number) => number.parse().unwrap_or_else(|error| panic!("{name}: {number}: {error}")),
        Err(_) => default,
    };
    let (cases, seed) = (number(CASES, 10), number(SEED, 1));
    let mut file: Box<dyn Write> = match env::var_os(FILE) {
        Some(path) => Box::new(BufWriter::new(File::create(path).unwrap())),
        None => Box::new(io::sink()),
    };
    let mut connection = Connection::establish(":memory:").unwrap();
    connection.batch_execute(&created(DIALECT)).unwrap();
    let mut runner = seeded(seed);
    let strategy = (world(DIALECT), vec(person(), 2), policies());
    writeln!(file, "{}", tables()).unwrap();
    let (mut allowed, mut decisions) = (0, 0);
    for case in 0..cases {
        let (world, people, policies) = strategy.new_tree(&mut runner).unwrap().current();
        connection.batch_execute(&world.inserted(DIALECT)).unwrap();
        let decided = Decided::by_library(&mut connection, &world, &people, &policies);
        allowed += decided.allowed;
        decisions += people.len() * PERMISSIONS.len() * world.tables.iter().map(Vec::len).sum::<usize>();
        let line = json!({
            "seed": seed,
            "case": case,
            "rows": rows(&world),
            "people": people.iter().map(Person::written).collect::<Vec<_>>(),
            "granting": policies.granting.each_ref().map(|table| {
                table.each_ref().map(|rules| rules.iter().map(rule).collect::<Vec<_>>())
            }),
            "there": policies.rows.each_ref().map(|rows| rows.as_ref().map(rule)),
            "decided": decided.answers,
        });
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();
    println!("seed {seed}: {cases} cases, {decisions} decisions, {allowed} allowed");
    assert!(0 < allowed && allowed < decisions);
}

fn seeded(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// What the library decides about a case.
struct Decided {
    /// The rows that are allowed, by form, person, table and permission.
    answers: BTreeMap<&'static str, Vec<[[BTreeSet<i32>; PERMISSIONS.len()]; TABLES.len()]>>,
    /// The number of those in lists.
    allowed: usize,
}

impl Decided {
    fn by_library(
        connection: &mut Connection,
        world: &World,
        people: &[Person],
        policies: &Policies,
    ) -> Self {
        let library = policies.leaked(DIALECT);
        let mut decided = Self { answers: BTreeMap::new(), allowed: 0 };
        for person in people {
            let subject = person.user();
            let mut by_form = |form, decide: &mut dyn FnMut(Question<'_>) -> BTreeSet<i32>| {
                let of_tables = std::array::from_fn(|table| {
                    PERMISSIONS.map(|permission| {
                        decide(Question { table, policy: library[table], subject: &subject, permission })
                    })
                });
                decided.answers.entry(form).or_default().push(of_tables);
            };
            by_form("in a list", &mut |question| {
                let rows = connection.listed(question).unwrap();
                decided.allowed += rows.len();
                rows
            });
            by_form("as a single row", &mut |question| connection.selected(question).unwrap());
            by_form("as a column", &mut |question| connection.answered(question).unwrap());
            // By the key, and of the rows that are there: that others are not is a matter of the model, which has no such
            // rule here.
            by_form("explained", &mut |question| {
                let rows = 0..i32::try_from(world.tables[question.table].len()).unwrap();
                rows.filter(|row| connection.explained(question, *row).unwrap()).collect()
            });
        }
        decided
    }
}

fn tables() -> Json {
    let tables = TABLES.iter().map(|table| {
        let columns = table.columns.iter().map(|column| match column.kind {
            Kind::Uuid | Kind::Binary => json!({ "name": column.written, "holds": "bytes" }),
            Kind::Text | Kind::NoCase => json!({ "name": column.written, "holds": "text" }),
            Kind::Bool => json!({ "name": column.written, "holds": "flag" }),
            Kind::Time | Kind::Zoned => json!({ "name": column.written, "holds": "time" }),
            Kind::SmallInt | Kind::Integer | Kind::BigInt => {
                json!({ "name": column.written, "holds": "integer" })
            }
        });
        let relations = table.relations.iter().map(|relation| {
            json!({
                "name": relation.name,
                "own": relation.own,
                "related": relation.related,
                "table": relation.table,
                "many": relation.leads == Leads::ToMany,
            })
        });
        json!({
            "name": table.name,
            "columns": columns.collect::<Vec<_>>(),
            "relations": relations.collect::<Vec<_>>(),
        })
    });
    json!({ "tables": tables.collect::<Vec<_>>(), "permissions": PERMISSIONS.map(|permission| permission.to_string()) })
}

fn rows(world: &World) -> Json {
    world
        .tables
        .iter()
        .map(|rows| rows.iter().map(|row| row.iter().map(value).collect()).collect::<Vec<Vec<_>>>())
        .collect()
}

/// An integer is a text, as not every program's numbers hold each of 64 bits.
fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(integer) => json!(["integer", integer.to_string()]),
        Value::Text(text) => json!(["text", text]),
        Value::Bytes(bytes) => json!(["bytes", bytes]),
        Value::Bool(flag) => json!(["flag", flag]),
        Value::Time(time) => json!(["time", time.written]),
    }
}

fn rule(of: &Rule) -> Json {
    let all = |rules: &[Rule]| rules.iter().map(rule).collect::<Vec<_>>();
    match of {
        Rule::EveryLoggedInUser => json!(["every_logged_in_user"]),
        Rule::Everyone => json!(["everyone"]),
        Rule::User(column) => json!(["user", column]),
        Rule::Account(column) => json!(["account", column]),
        Rule::Role(name) => json!(["role", name]),
        Rule::AccountRole(name) => json!(["account_role", name]),
        Rule::Permission(name) => json!(["permission", name]),
        Rule::IsNull(column) => json!(["is_null", column]),
        Rule::Flag(column) => json!(["flag", column]),
        Rule::Is(column, values) => json!(["is", column, values.iter().map(value).collect::<Vec<_>>()]),
        Rule::Until(column) => json!(["until", column]),
        Rule::Since(column) => json!(["since", column]),
        Rule::Related(relation, of) => json!(["related", relation, rule(of)]),
        Rule::Granted(permission) => json!(["granted", permission]),
        Rule::Any(rules) => json!(["any", all(rules)]),
        Rule::All(rules) => json!(["all", all(rules)]),
    }
}
