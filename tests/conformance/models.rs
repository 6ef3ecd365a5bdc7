//! The decisions on FlexMeasures' own models, put to those of the energy service, on each database: each world is
//! imported, and each subject is loaded from it. A policy answers twice, about the row and by the list.

use std::{collections::BTreeMap, time::Duration};

use auth_core::{
    LoadError, Permission, Scoped, Stored, check_access,
    mechanism::{FindByToken, Token},
};
use diesel::{RunQueryDsl, query_dsl::LoadQuery};
use energy_service::{
    auth::LoggedIn,
    database::{Connection, Database},
    import::{World, import_with_tokens},
    models::{
        Account, AccountAuditLog, Asset, AssetAuditLog, AuditLog, Platform, Sensor, User, UserAuditLog,
    },
    test::{Server, TestDatabase},
};
use serde::Deserialize;

use crate::conformance::vectors::{self, Count};

/// One question of `flexmeasures-models.jsonl`.
#[derive(Deserialize)]
pub(crate) struct Question {
    pub(crate) world: String,
    pub(crate) user_id: Option<i32>,
    pub(crate) model: String,
    pub(crate) object_id: Option<i32>,
    pub(crate) permission: String,
}

/// The worlds that questions are about, by name.
pub(crate) fn worlds<'a>(questions: impl Iterator<Item = &'a Question>) -> BTreeMap<String, World> {
    let path = vectors::path("flexmeasures-world.json");
    let mut worlds = BTreeMap::new();
    for question in questions {
        worlds
            .entry(question.world.clone())
            .or_insert_with(|| World::read(&path, &question.world).unwrap_or_else(|error| panic!("{error}")));
    }
    worlds
}

/// The tests on each database.
macro_rules! on {
    ($module:ident: $server:expr) => {
        mod $module {
            use energy_service::test::Server;

            use crate::conformance::models::{ask, by_check_access, by_list};

            const SERVER: Server = $server;

            #[test]
            fn check_access_on_models() {
                ask(SERVER, "by check_access", |question, subject, permission, connection| {
                    Some(by_check_access(question, subject, permission, connection))
                });
            }

            #[test]
            fn lists_of_models() {
                ask(SERVER, "by list", by_list);
            }
        }
    };
}

on!(sqlite: Server::Sqlite);
#[cfg(feature = "postgres")]
on!(postgres: Server::Postgres);
#[cfg(feature = "mysql")]
on!(mysql: Server::Mysql);

/// A database with a world in it, and the tokens of its users.
struct Imported {
    database: Database,
    tokens: BTreeMap<i32, Token>,
    // Last, so that it outlives the connections.
    _place: TestDatabase,
}

/// Has each question about a model answered, except those for which `answer` returns none: a model without a table has no
/// list.
fn ask(
    server: Server,
    way: &str,
    answer: impl Fn(&Question, &LoggedIn, Permission, &mut Connection) -> Option<bool>,
) {
    let vectors = vectors::read::<Question, String>("flexmeasures-models.jsonl");
    let worlds = worlds(vectors.iter().map(|vector| &vector.question));
    let imported: BTreeMap<_, _> =
        worlds.iter().map(|(name, world)| (name, Imported::new(world, server))).collect();
    let mut count = Count::default();
    let (mut anonymous, mut of_no_table) = (0, 0);
    for vector in vectors {
        let question = &vector.question;
        let Some(user_id) = question.user_id else {
            anonymous += 1;
            count.add(&vector, "unauthenticated".to_owned());
            continue;
        };
        let Imported { database, tokens, .. } = &imported[&question.world];
        let connection = &mut *database.connection().unwrap();
        let subject = LoggedIn::find_by_token(&tokens[&user_id].hash(), connection).unwrap();
        match answer(question, &subject, question.permission.parse().unwrap(), connection) {
            Some(true) => count.add(&vector, "allow".to_owned()),
            Some(false) => count.add(&vector, "forbidden".to_owned()),
            None => of_no_table += 1,
        }
    }
    count.note(format!("{anonymous} asked by nobody; {of_no_table} left out, about what has no table"));
    count.assert(&format!("flexmeasures-models.jsonl, {way} on {}", name(server)));
}

fn name(server: Server) -> &'static str {
    match server {
        Server::Sqlite => "SQLite",
        Server::Postgres => "PostgreSQL",
        Server::Mysql => "MariaDB",
    }
}

impl Imported {
    fn new(world: &World, server: Server) -> Self {
        let place = server.database();
        let database = Database::open(place.location(), 1, Duration::from_secs(5)).unwrap();
        let tokens = import_with_tokens(world, &database).unwrap();
        Self { database, tokens, _place: place }
    }
}

/// Calls a function that is generic over the model which a question is about.
macro_rules! of_model {
    ($function:ident($question:expr, $($argument:expr),+)) => {
        match $question.model.as_str() {
            "Account" => $function::<Account>($question, $($argument),+),
            "User" => $function::<User>($question, $($argument),+),
            "GenericAsset" => $function::<Asset>($question, $($argument),+),
            "Sensor" => $function::<Sensor>($question, $($argument),+),
            "AuditLog" => $function::<AuditLog>($question, $($argument),+),
            "AuditLog.account_table_acl" => $function::<AccountAuditLog>($question, $($argument),+),
            "AuditLog.user_table_acl" => $function::<UserAuditLog>($question, $($argument),+),
            "AssetAuditLog" => $function::<AssetAuditLog>($question, $($argument),+),
            model => panic!("no such model: {model}"),
        }
    };
}

fn by_check_access(
    question: &Question,
    subject: &LoggedIn,
    permission: Permission,
    connection: &mut Connection,
) -> bool {
    if question.model == "FlexMeasuresPlatform" {
        check_access(subject, &Platform, permission).is_allowed()
    } else {
        of_model!(row_allows(question, subject, permission, connection))
    }
}

fn row_allows<M>(
    question: &Question,
    subject: &LoggedIn,
    permission: Permission,
    connection: &mut Connection,
) -> bool
where
    M: Stored<Id = i32, Connection = Connection>,
{
    match M::check_access(connection, subject, question.object_id.unwrap(), permission) {
        Ok(decision) => decision.is_allowed(),
        // A missing object is not visible to anybody: the guards answer 404.
        Err(LoadError::NotFound) => false,
        Err(error) => panic!("{error}"),
    }
}

fn by_list(
    question: &Question,
    subject: &LoggedIn,
    permission: Permission,
    connection: &mut Connection,
) -> Option<bool> {
    (question.model != "FlexMeasuresPlatform")
        .then(|| of_model!(list_holds(question, subject, permission, connection)))
}

fn list_holds<M>(
    question: &Question,
    subject: &LoggedIn,
    permission: Permission,
    connection: &mut Connection,
) -> bool
where
    M: Stored<Id = i32> + Scoped<Query: LoadQuery<'static, Connection, M>>,
{
    let rows: Vec<M> = M::accessible_by(subject, permission).load(connection).unwrap();
    rows.iter().any(|row| Some(M::key_of(row)) == question.object_id)
}
