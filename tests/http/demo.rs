//! The energy service with its demo world, and a token for each of its users.

use auth_core::mechanism::TokenHash;
use diesel::prelude::*;
use energy_service::{
    Config,
    database::Instant,
    schema::{accounts, assets, auth_tokens, sensors, users},
    test::TestDatabase,
};
use serde_json::{Value, json};

use super::SERVER;
use crate::client::{Response, Service, bearer};

/// Anonymous, and the users of the demo by the local part of their email address: member and account-admin of
/// Sunnyside Farm, its consultant, a stranger, an admin and an admin-reader.
pub(super) const CALLERS: [&str; 7] = ["", "mia", "adam", "cora", "sven", "ada", "rita"];

pub(super) struct Energy {
    pub(super) http: Service,
    pub(super) real: energy_service::Service,
    // Last, so that it outlives the service.
    pub(super) place: TestDatabase,
}

impl Energy {
    pub(super) fn start() -> Self {
        let place = SERVER.database();
        let config = Config { demo: true, pool_size: 1, ..place.config() };
        let real = energy_service::Service::open(&config).unwrap();
        let service = real.clone();
        let http = Service::start(move |app| service.configure(app));
        let energy = Self { http, real, place };
        energy.store_tokens();
        energy
    }

    /// A token for each user, named after the user, without the cost of a log-in.
    fn store_tokens(&self) {
        let mut connection = self.real.database().connection().unwrap();
        let all: Vec<(i32, String)> =
            users::table.select((users::id, users::email)).load(&mut connection).unwrap();
        for (id, email) in all {
            let (name, _) = email.split_once('@').unwrap();
            diesel::insert_into(auth_tokens::table)
                .values((
                    auth_tokens::token_hash.eq(TokenHash::of(name).as_bytes().as_slice()),
                    auth_tokens::user_id.eq(id),
                    auth_tokens::created_at.eq(Instant::now()),
                ))
                .execute(&mut connection)
                .unwrap();
        }
    }

    pub(super) fn id_of(&self, what: &str) -> i32 {
        let connection = &mut self.real.database().connection().unwrap();
        let (kind, name) = what.split_once(' ').unwrap();
        match kind {
            "account" => {
                accounts::table.filter(accounts::name.eq(name)).select(accounts::id).first(connection)
            }
            "user" => users::table
                .filter(users::email.like(format!("{name}@%")))
                .select(users::id)
                .first(connection),
            "asset" => assets::table.filter(assets::name.eq(name)).select(assets::id).first(connection),
            "sensors-of" => sensors::table
                .inner_join(assets::table)
                .filter(assets::name.eq(name))
                .order(sensors::id)
                .select(sensors::id)
                .first(connection),
            _ => panic!("{what}"),
        }
        .unwrap()
    }

    /// `/assets/{asset Solar roof}` with the id in it.
    pub(super) fn path(&self, pattern: &str) -> String {
        let path =
            match pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
                Some((before, (what, after))) => format!("{before}{}{after}", self.id_of(what)),
                None => pattern.to_owned(),
            };
        format!("/api/v3_0{path}")
    }

    pub(super) fn send(&self, caller: &str, method: &str, pattern: &str, body: Option<&Value>) -> Response {
        let authorization = (!caller.is_empty()).then(|| bearer(caller));
        let body = body.map(Value::to_string);
        self.http.send(method, &self.path(pattern), authorization.as_deref(), body.as_deref())
    }

    pub(super) fn assert_statuses(
        &self,
        method: &str,
        pattern: &str,
        body: Option<&Value>,
        expected: [u16; 7],
    ) {
        let observed = CALLERS.map(|caller| self.send(caller, method, pattern, body).status.as_u16());
        assert_eq!(observed, expected, "{method} {pattern} by {CALLERS:?}");
    }
}

pub(super) fn log_in(energy: &Energy, email: &str, password: &str) -> Response {
    let body = json!({"email": email, "password": password}).to_string();
    energy.http.send("POST", "/api/requestAuthToken", None, Some(&body))
}
