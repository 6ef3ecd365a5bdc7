//! The decisions on FlexMeasures' own models, put to those of the energy service: each world is stored in a
//! database, and each subject and each context is loaded from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use auth_core::{
    AuthModel, LoadContext, Permission, check_access,
    mechanism::{FindByToken, TokenHash},
};
use diesel::prelude::*;
use energy_service::{
    auth::LoggedIn,
    database::{Connection, Database, Instant, Location},
    models::{Account, Asset, Sensor, User},
    schema,
};
use serde::Deserialize;

use crate::vectors::{self, Count};

#[derive(Deserialize)]
struct Worlds {
    worlds: Vec<World>,
}

#[derive(Deserialize)]
struct World {
    name: String,
    accounts: Vec<WorldAccount>,
    users: Vec<WorldUser>,
    assets: Vec<WorldAsset>,
    sensors: Vec<WorldSensor>,
}

#[derive(Deserialize)]
struct WorldAccount {
    id: i32,
    consultancy_account_id: Option<i32>,
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct WorldUser {
    id: i32,
    account_id: i32,
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct WorldAsset {
    id: i32,
    account_id: Option<i32>,
}

#[derive(Deserialize)]
struct WorldSensor {
    id: i32,
    asset_id: i32,
}

/// One question of `flexmeasures-models.jsonl`.
#[derive(Deserialize)]
struct Question {
    world: String,
    user_id: Option<i32>,
    model: String,
    object_id: Option<i32>,
    permission: String,
}

#[test]
fn check_access_on_models() {
    let worlds: Worlds =
        serde_json::from_slice(&fs::read(vectors::path("flexmeasures-world.json")).unwrap()).unwrap();
    let databases: BTreeMap<_, _> =
        worlds.worlds.into_iter().map(|world| (world.name.clone(), store(&world).unwrap())).collect();
    let mut count = Count::default();
    let mut elsewhere = BTreeMap::<_, usize>::new();
    for vector in vectors::read::<Question, String>("flexmeasures-models.jsonl") {
        let question = &vector.question;
        let connection = &mut databases[&question.world].connection().unwrap();
        let answer = match question.model.as_str() {
            "Account" => question.decide::<Account>(connection),
            "User" => question.decide::<User>(connection),
            "GenericAsset" => question.decide::<Asset>(connection),
            "Sensor" => question.decide::<Sensor>(connection),
            model => {
                *elsewhere.entry(model.to_owned()).or_default() += 1;
                continue;
            }
        };
        count.add(&vector, answer.to_owned());
    }
    vectors::say(&format!(
        "flexmeasures-models.jsonl: of models that the energy service does not have: {elsewhere:?}"
    ));
    count.assert("flexmeasures-models.jsonl");
}

impl Question {
    fn decide<C>(&self, connection: &mut Connection) -> &'static str
    where
        C: AuthModel + LoadContext<Id = i32, Connection = Connection>,
    {
        let Some(user_id) = self.user_id else { return "unauthenticated" };
        let subject = LoggedIn::find_by_token(&TokenHash::of(&user_id.to_string()), connection).unwrap();
        let Ok(context) = C::load(self.object_id.unwrap(), connection) else { return "forbidden" };
        let permission: Permission = self.permission.parse().unwrap();
        if check_access(&subject, &context, permission).is_allowed() { "allow" } else { "forbidden" }
    }
}

/// A database with this world in it. A user's token is the text of its id.
fn store(world: &World) -> QueryResult<Database> {
    use schema::{
        account_roles, accounts, accounts_account_roles, assets, auth_tokens, roles, sensors, users,
        users_roles,
    };

    let database = Database::open(&Location::Memory, 1, Duration::from_secs(5)).unwrap();
    let mut connection = database.connection().unwrap();
    let connection = &mut *connection;
    for role in world.accounts.iter().flat_map(|account| &account.roles).collect::<BTreeSet<_>>() {
        diesel::insert_into(account_roles::table).values(account_roles::name.eq(role)).execute(connection)?;
    }
    for role in world.users.iter().flat_map(|user| &user.roles).collect::<BTreeSet<_>>() {
        diesel::insert_into(roles::table).values(roles::name.eq(role)).execute(connection)?;
    }
    // An account may come before its consultancy.
    for account in &world.accounts {
        diesel::insert_into(accounts::table)
            .values((accounts::id.eq(account.id), accounts::name.eq("an account")))
            .execute(connection)?;
    }
    for account in &world.accounts {
        diesel::update(accounts::table.find(account.id))
            .set(accounts::consultancy_account_id.eq(account.consultancy_account_id))
            .execute(connection)?;
        for role in &account.roles {
            let role: i32 = account_roles::table
                .filter(account_roles::name.eq(role))
                .select(account_roles::id)
                .first(connection)?;
            diesel::insert_into(accounts_account_roles::table)
                .values((
                    accounts_account_roles::account_id.eq(account.id),
                    accounts_account_roles::account_role_id.eq(role),
                ))
                .execute(connection)?;
        }
    }
    for user in &world.users {
        diesel::insert_into(users::table)
            .values((
                users::id.eq(user.id),
                users::account_id.eq(user.account_id),
                users::email.eq(user.id.to_string()),
                users::username.eq("a user"),
                users::password_hash.eq(""),
            ))
            .execute(connection)?;
        diesel::insert_into(auth_tokens::table)
            .values((
                auth_tokens::token_hash.eq(TokenHash::of(&user.id.to_string()).as_bytes().as_slice()),
                auth_tokens::user_id.eq(user.id),
                auth_tokens::created_at.eq(Instant::now()),
            ))
            .execute(connection)?;
        for role in &user.roles {
            let role: i32 = roles::table.filter(roles::name.eq(role)).select(roles::id).first(connection)?;
            diesel::insert_into(users_roles::table)
                .values((users_roles::user_id.eq(user.id), users_roles::role_id.eq(role)))
                .execute(connection)?;
        }
    }
    for asset in &world.assets {
        diesel::insert_into(assets::table)
            .values((
                assets::id.eq(asset.id),
                assets::name.eq("an asset"),
                assets::account_id.eq(asset.account_id),
            ))
            .execute(connection)?;
    }
    for sensor in &world.sensors {
        diesel::insert_into(sensors::table)
            .values((
                sensors::id.eq(sensor.id),
                sensors::asset_id.eq(sensor.asset_id),
                sensors::name.eq("a sensor"),
                sensors::unit.eq("kW"),
                sensors::event_resolution_minutes.eq(15),
            ))
            .execute(connection)?;
    }
    Ok(database)
}
