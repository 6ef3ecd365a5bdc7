//! The decisions on FlexMeasures' own models once more, as requests to the energy service: each world is
//! imported, each user sends the token that the import printed, and the guards answer.
//!
//! No request changes anything: guards come before all else, so only callers that pass them learn of an error in the
//! request. Every request that would change something is malformed on purpose, and 400 is the answer to a caller who may.

use std::{collections::BTreeMap, net::TcpListener, sync::mpsc, thread, time::Duration};

use actix_web::{dev::ServerHandle, rt::System};
use auth_core::mechanism::Token;
use diesel::{QueryDsl, RunQueryDsl};
use energy_service::{
    Config, Service,
    audit::AuditConfig,
    import::{World, import_with_tokens},
    schema::{asset_audit_log, audit_log, measurements},
};
use ureq::{Agent, http::Request};

use crate::conformance::{
    models::{Question, worlds},
    vectors::{self, Count},
};

/// The name under which cases of missing objects are counted: FlexMeasures answers 403, this library 404.
const MISSING: &str = "missing-object";

#[test]
fn requests_of_handlers() {
    ask("by requests", Question::request);
}

#[test]
fn requests_of_permissions() {
    ask("by requests for permissions", |question| {
        ("GET", format!("{}/permissions/{}", question.object(), question.permission))
    });
}

fn ask(way: &str, request: impl Fn(&Question) -> (&'static str, String)) {
    let vectors = vectors::read::<Question, String>("flexmeasures-models.jsonl");
    let worlds = worlds(vectors.iter().map(|vector| &vector.question));
    let served: BTreeMap<_, _> = worlds.iter().map(|(name, world)| (name, Served::start(world))).collect();
    let mut count = Count::default();
    let mut of_permissions = 0;
    for vector in vectors {
        let question = &vector.question;
        let world = &worlds[&question.world];
        let (method, path) = request(question);
        of_permissions += usize::from(path.contains("/permissions/"));
        let status = served[&question.world].status(question.user_id, method, &path);
        let answer = match status {
            200 | 204 | 400 => "allow",
            401 => "unauthenticated",
            403 => "forbidden",
            404 if !question.is_there(world) => MISSING,
            status => panic!("{}: {method} {path} by {:?}: {status}", vector.id, question.user_id),
        };
        if answer == MISSING && vector.expects("forbidden".to_owned()) {
            count.deviate(MISSING);
        } else {
            count.add(&vector, answer.to_owned());
        }
    }
    for (name, world) in &worlds {
        served[name].assert_unchanged(world);
    }
    let of_handlers = count.cases() - of_permissions;
    count.note(format!("{of_handlers} asked of handlers, {of_permissions} of permission endpoints"));
    count.assert(&format!("flexmeasures-models.jsonl, {way}"));
}

impl Question {
    /// The path of the object.
    fn object(&self) -> String {
        let id = self.object_id.unwrap_or_default();
        match self.model.as_str() {
            "Account" => format!("/accounts/{id}"),
            "User" => format!("/users/{id}"),
            "GenericAsset" => format!("/assets/{id}"),
            "Sensor" => format!("/sensors/{id}"),
            "AuditLog" => format!("/audit-log/{id}"),
            "AuditLog.account_table_acl" => format!("/accounts/{id}/audit-log"),
            "AuditLog.user_table_acl" => format!("/users/{id}/audit-log"),
            "AssetAuditLog" => format!("/asset-audit-log/{id}"),
            "FlexMeasuresPlatform" => "/platform".to_owned(),
            model => panic!("no such model: {model}"),
        }
    }

    /// The request for the action; where there is no action, because no user writes a log, the endpoint for permissions.
    fn request(&self) -> (&'static str, String) {
        let object = self.object();
        match (self.model.as_str(), self.permission.as_str()) {
            ("FlexMeasuresPlatform", "create-children") => ("POST", "/accounts".to_owned()),
            ("Account", "create-children") => ("POST", format!("{object}/users")),
            ("GenericAsset", "create-children") => ("POST", format!("{object}/sensors")),
            ("Sensor", "create-children") => ("POST", format!("{object}/measurements")),
            ("Account" | "User" | "GenericAsset" | "Sensor", "update") => ("PATCH", object),
            ("Account" | "User" | "GenericAsset" | "Sensor", "delete") => ("DELETE", object),
            (model, "read") if model != "FlexMeasuresPlatform" => ("GET", object),
            (_, permission) => ("GET", format!("{object}/permissions/{permission}")),
        }
    }

    fn is_there(&self, world: &World) -> bool {
        let Some(id) = self.object_id else { return true };
        match self.model.as_str() {
            "Account" | "AuditLog.account_table_acl" => world.accounts.iter().any(|account| account.id == id),
            "User" | "AuditLog.user_table_acl" => world.users.iter().any(|user| user.id == id),
            "GenericAsset" => world.assets.iter().any(|asset| asset.id == id),
            "Sensor" => world.sensors.iter().any(|sensor| sensor.id == id),
            "AuditLog" => world.audit_log.iter().any(|entry| entry.id == id),
            "AssetAuditLog" => world.asset_audit_log.iter().any(|entry| entry.id == id),
            model => panic!("no such model: {model}"),
        }
    }
}

/// The service on a port of its own, with a world in its database.
struct Served {
    service: Service,
    tokens: BTreeMap<i32, Token>,
    base: String,
    agent: Agent,
    handle: ServerHandle,
}

impl Served {
    fn start(world: &World) -> Self {
        // Denials wait for longer than the test takes.
        let audit = AuditConfig { interval: Duration::MAX, ..AuditConfig::default() };
        let config = Config { workers: Some(1), pool_size: 2, audit, ..Config::default() };
        let service = Service::open(&config).unwrap();
        let tokens = import_with_tokens(world, service.database()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/api/v3_0", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel();
        let started = service.clone();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = started.start(listener).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self { service, tokens, base, agent, handle: receiver.recv().unwrap() }
    }

    /// The status of a request. If it is not a GET, no handler takes its query or its body.
    fn status(&self, user_id: Option<i32>, method: &str, path: &str) -> u16 {
        let wrong = method != "GET";
        let query = if wrong { "?no-such-parameter" } else { "" };
        let mut request = Request::builder().method(method).uri(format!("{}{path}{query}", self.base));
        if let Some(user_id) = user_id {
            let token = self.tokens[&user_id].as_str();
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if method != "DELETE" && wrong {
            request = request.header("content-type", "application/json");
        }
        let body = if wrong { "{" } else { "" };
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        // Read to its end, the connection serves the next request, too.
        drop(response.body_mut().read_to_string().unwrap());
        response.status().as_u16()
    }

    /// Each change of the service writes an entry, but for measurements.
    fn assert_unchanged(&self, world: &World) {
        let connection = &mut *self.service.database().connection().unwrap();
        let entries: i64 = audit_log::table.count().get_result(connection).unwrap();
        let of_assets: i64 = asset_audit_log::table.count().get_result(connection).unwrap();
        assert_eq!(measurements::table.count().get_result(connection), Ok(0_i64));
        assert_eq!(usize::try_from(entries), Ok(world.audit_log.len()));
        assert_eq!(usize::try_from(of_assets), Ok(world.asset_audit_log.len()));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The server stops in its own thread; the test does not wait for it.
        drop(self.handle.stop(false));
    }
}
