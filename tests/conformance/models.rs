//! The decisions on FlexMeasures' own models, put to those of the energy service: each world is imported into a
//! database, and each subject and each context is loaded from it.

use std::{collections::BTreeMap, time::Duration};

use auth_core::{
    AuthModel, LoadContext, LoadError, Permission, check_access,
    mechanism::{FindByToken, Token},
};
use energy_service::{
    auth::LoggedIn,
    database::{Connection, Database, Location},
    import::{World, import_with_tokens},
    models::{
        Account, AccountAuditLog, Asset, AssetAuditLog, AuditLog, Platform, Sensor, User, UserAuditLog,
    },
};
use serde::Deserialize;

use crate::vectors::{self, Count};

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

/// A database with a world in it, and the tokens of its users.
struct Stored {
    database: Database,
    tokens: BTreeMap<i32, Token>,
}

#[test]
fn check_access_on_models() {
    let vectors = vectors::read::<Question, String>("flexmeasures-models.jsonl");
    let worlds = worlds(vectors.iter().map(|vector| &vector.question));
    let stored: BTreeMap<_, _> = worlds
        .iter()
        .map(|(name, world)| {
            let database = Database::open(&Location::Memory, 1, Duration::from_secs(5)).unwrap();
            let tokens = import_with_tokens(world, &database).unwrap();
            (name, Stored { database, tokens })
        })
        .collect();
    let mut count = Count::default();
    for vector in vectors {
        let answer = stored[&vector.question.world].answer(&vector.question);
        count.add(&vector, answer.to_owned());
    }
    count.assert("flexmeasures-models.jsonl, by check_access");
}

impl Stored {
    fn answer(&self, question: &Question) -> &'static str {
        match question.model.as_str() {
            "Account" => self.decide::<Account>(question),
            "User" => self.decide::<User>(question),
            "GenericAsset" => self.decide::<Asset>(question),
            "Sensor" => self.decide::<Sensor>(question),
            "AuditLog" => self.decide::<AuditLog>(question),
            "AuditLog.account_table_acl" => self.decide::<AccountAuditLog>(question),
            "AuditLog.user_table_acl" => self.decide::<UserAuditLog>(question),
            "AssetAuditLog" => self.decide::<AssetAuditLog>(question),
            "FlexMeasuresPlatform" => self.decide_on(question, |_| Some(Platform)),
            model => panic!("no such model: {model}"),
        }
    }

    fn decide<C>(&self, question: &Question) -> &'static str
    where
        C: AuthModel + LoadContext<Id = i32, Connection = Connection>,
    {
        self.decide_on(question, |connection| match C::load(question.object_id.unwrap(), connection) {
            Ok(context) => Some(context),
            Err(LoadError::NotFound) => None,
            Err(error) => panic!("{error}"),
        })
    }

    fn decide_on<C: AuthModel>(
        &self,
        question: &Question,
        load: impl FnOnce(&mut Connection) -> Option<C>,
    ) -> &'static str {
        let Some(user_id) = question.user_id else { return "unauthenticated" };
        let connection = &mut *self.database.connection().unwrap();
        let subject = LoggedIn::find_by_token(&self.tokens[&user_id].hash(), connection).unwrap();
        // What is not there is nobody's to see: the guards answer 404.
        let Some(context) = load(connection) else { return "forbidden" };
        let permission: Permission = question.permission.parse().unwrap();
        if check_access(&subject, &context, permission).is_allowed() { "allow" } else { "forbidden" }
    }
}
