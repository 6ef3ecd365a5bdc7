//! The command `import`, as it is typed, and the service on the imported world.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use actix_web::{
    App,
    http::{Method, StatusCode, header},
    test::{TestRequest, call_service, init_service, read_body_json},
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, dsl::max};
use energy_service::{
    Config, Service,
    database::{Instant, Location},
    schema::{accounts, assets, audit_log, sensors, users},
    test::TestDatabase,
};
use serde_json::{Value, json};

use super::SERVER;

const WORLDS: &str = r#"{ "worlds": [
    {
        "name": "first",
        "accounts": [{ "id": 3, "consultancy_account_id": null, "roles": ["Prosumer"] }],
        "users": [
            { "id": 70, "account_id": 3, "roles": ["account-admin"] },
            { "id": 7, "account_id": 3, "roles": [] }
        ],
        "assets": [{ "id": 9, "account_id": 3, "parent_asset_id": null }],
        "sensors": [{ "id": 5, "asset_id": 9 }],
        "audit_log": [{ "id": 2, "affected_user_id": 7, "affected_account_id": 3 }],
        "asset_audit_log": []
    },
    {
        "name": "second",
        "accounts": [], "users": [], "assets": [], "sensors": [], "audit_log": [], "asset_audit_log": []
    }
] }"#;

/// A folder with the worlds in it, and a database; both of its own for each test.
struct Place {
    folder: PathBuf,
    database: TestDatabase,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("import-{SERVER:?}-{name}"));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("worlds.json"), WORLDS).unwrap();
        Self { folder, database: SERVER.database() }
    }

    /// The value of `--database`. The command is a process of its own, so it is a file where the other tests are in
    /// memory.
    fn url(&self) -> String {
        match self.database.location() {
            Location::Memory => self.folder.join("energy.sqlite").to_str().unwrap().to_owned(),
            Location::File(url) | Location::Postgres(url) | Location::Mysql(url) => url.clone(),
        }
    }

    /// Imports the first world.
    fn import_first(&self, options: &[&str]) -> Output {
        let url = self.url();
        self.import(&[&["worlds.json", "--world", "first", "--database", &url], options].concat())
    }

    fn import(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_energy-service"))
            .current_dir(&self.folder)
            .env_remove("DATABASE_URL")
            .env("RUST_LOG", "trace")
            .arg("import")
            .args(arguments)
            .output()
            .unwrap()
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.import(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        text.lines().find(|line| line.starts_with("energy-service: ")).unwrap_or(&text).to_owned()
    }

    fn service(&self) -> Service {
        let database = self.url().parse().unwrap();
        Service::open(&Config { database, ..Config::default() }).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

async fn get(service: &Service, path: &str, token: &str) -> (StatusCode, Value) {
    let app = init_service(App::new().configure(|config| service.configure(config))).await;
    let request =
        TestRequest::with_uri(path).insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
    let response = call_service(&app, request.to_request()).await;
    (response.status(), read_body_json(response).await)
}

#[actix_web::test]
async fn the_printed_tokens_log_in_the_users_of_the_world() {
    let place = Place::new("tokens");
    let output = place.import_first(&["--print-tokens"]);
    assert!(output.status.success());
    let tokens: BTreeMap<String, String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(tokens.keys().collect::<Vec<_>>(), ["7", "70"]);

    let service = place.service();
    let (status, me) = get(&service, "/api/v3_0/users/me", &tokens["70"]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&me["id"], &me["account_id"]), (&json!(70), &json!(3)));
    assert_eq!((&me["roles"], &me["account_roles"]), (&json!(["account-admin"]), &json!(["Prosumer"])));
    let (status, sensor) = get(&service, "/api/v3_0/sensors/5", &tokens["7"]).await;
    assert_eq!((status, &sensor["asset_id"]), (StatusCode::OK, &json!(9)));
    assert_eq!(get(&service, "/api/v3_0/users/me", "7").await.0, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn nobody_who_was_imported_has_a_password() {
    let place = Place::new("passwords");
    assert!(place.import_first(&[]).status.success());
    let service = place.service();
    let stored: Vec<(String, String)> = users::table
        .select((users::email, users::password_hash))
        .load(&mut service.database().connection().unwrap())
        .unwrap();
    let app = init_service(App::new().configure(|config| service.configure(config))).await;
    for (email, stored) in stored {
        for password in ["", &stored] {
            let request = TestRequest::with_uri("/api/requestAuthToken").method(Method::POST);
            let credentials = json!({ "email": email, "password": password });
            let response = call_service(&app, request.set_json(credentials).to_request()).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        }
    }
}

#[test]
fn ids_go_on_behind_those_of_the_file() {
    let place = Place::new("ids");
    assert!(place.import_first(&[]).status.success());
    let service = place.service();
    let connection = &mut *service.database().connection().unwrap();
    macro_rules! next_id {
        ($table:ident, $values:expr) => {{
            diesel::insert_into($table::table).values($values).execute(connection).unwrap();
            $table::table.select(max($table::id)).first::<Option<i32>>(connection).unwrap()
        }};
    }
    assert_eq!(next_id!(accounts, accounts::name.eq("new")), Some(4));
    let user = (
        users::account_id.eq(3),
        users::email.eq("new@x.example"),
        users::username.eq("new"),
        users::password_hash.eq("none"),
    );
    assert_eq!(next_id!(users, user), Some(71));
    assert_eq!(next_id!(assets, assets::name.eq("new")), Some(10));
    let sensor = (
        sensors::asset_id.eq(9),
        sensors::name.eq("new"),
        sensors::unit.eq("kW"),
        sensors::event_resolution_minutes.eq(15),
    );
    assert_eq!(next_id!(sensors, sensor), Some(6));
    let now = Instant::now();
    let entry = (audit_log::event_datetime.eq(now), audit_log::event.eq("new"));
    assert_eq!(next_id!(audit_log, entry), Some(3));
}

#[test]
fn what_is_wrong_is_said() {
    let place = Place::new("refusals");
    fs::write(place.folder.join("text.json"), "no JSON").unwrap();
    fs::write(place.folder.join("shape.json"), r#"{"world": []}"#).unwrap();
    let url = place.url();
    for (file, world, refusal) in [
        ("missing.json", "first", "cannot read `missing.json`: No such file or directory (os error 2)"),
        (
            "worlds.json",
            "third",
            "there is no world \"third\" in the file; the worlds are: \"first\", \"second\"",
        ),
        ("text.json", "first", "`text.json` is not JSON: expected ident at line 1 column 2"),
        (
            "shape.json",
            "first",
            "`shape.json` does not hold worlds as they should be: \
             unknown field `world`, expected `worlds` at line 1 column 8",
        ),
    ] {
        let said = place.refusal(&[file, "--world", world, "--database", &url]);
        assert_eq!(said, format!("energy-service: {refusal}"));
    }
    for url in ["postgres://me:secret/energy", "mysql://me:sec%ret@host/secret", "Postgress://me:secret@host"]
    {
        let output = place.import(&["worlds.json", "--world", "first", "--database", url]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("energy-service: the URL of "), "{said}");
        assert!(!said.contains("sec"), "{said}");
    }
    assert!(!place.folder.join("energy.sqlite").exists(), "nothing was made for what is no world");

    let large = r#"{"worlds": [{"name": "large\n", "accounts": [{"id": 2000000001, "roles": []}], "users": [],
        "assets": [], "sensors": [], "audit_log": [], "asset_audit_log": []}]}"#;
    fs::write(place.folder.join("large.json"), large).unwrap();
    for (world, refusal) in [
        ("large\n", "the world cannot be imported: account 2000000001: an id is at most 2000000000"),
        ("small\n", r#"there is no world "small\n" in the file; the worlds are: "large\n""#),
    ] {
        let said = place.refusal(&["large.json", "--world", world, "--database", &url]);
        assert_eq!(said, format!("energy-service: {refusal}"));
    }

    assert!(place.import_first(&[]).status.success());
    assert_eq!(
        place.refusal(&["worlds.json", "--world", "first", "--print-tokens", "--database", &url]),
        "energy-service: a world is for an empty database, and this one holds other data: name another database"
    );
    assert_eq!(
        place.refusal(&["worlds.json", "--world", "first", "--database", ":memory:"]),
        "energy-service: a database in memory ends with this command: name another with --database"
    );
}
