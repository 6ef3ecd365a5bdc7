//! The document of the energy service, compared with the answers of the service: every caller sends a request to every
//! operation in it, for objects of their own, of others and of no account.
//!
//! An operation that changes something gets a malformed body or query, unless a table here says otherwise. A guard
//! decides before it looks at them, and a caller who is let in gets a 400: so next to nothing is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
};

use base64ct::{Base64, Encoding as _};
use diesel::{insert_into, prelude::*};
use energy_service::{
    demo::PASSWORD,
    schema::{asset_audit_log, asset_shares, audit_log},
};
use serde_json::{Value, json};

use super::demo::{CALLERS, Energy};
use crate::client::{Response, bearer};

/// Answers that are declared and do not occur here, with the reason.
const NOT_SEEN: [(&str, u16, &str); 2] = [
    ("GET /log-in", 403, "who is logged in is led to another page, by `on_denied`"),
    ("POST /api/requestAuthToken", 401, "wrong passwords are counted, so none is tried"),
];

/// Answers of pages, which the document does not describe, where the handler decides after its guard.
const BY_PAGES: [(&str, u16); 1] = [("GET /assets/new", 403)];

/// A body that every handler refuses, and a query that every handler with a query refuses.
const MALFORMED_BODY: &str = "{";
const MALFORMED_QUERY: &str = "?unexpected=%";

struct Operation<'a> {
    method: String,
    path: String,
    said: &'a Value,
    /// The names in each alternative of the requirement.
    security: Vec<Vec<String>>,
    seen: BTreeSet<u16>,
}

impl Operation<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn is_declared(&self, status: u16) -> bool {
        let declares = |key: &str| self.said["responses"].get(key).is_some();
        // The denials of a guard have entries of their own, which `default` does not replace. An open handler may look
        // for the caller, and answer likewise.
        let by_guard = [401, 403].contains(&status) && declares("401");
        declares(&status.to_string()) || (!by_guard && declares("default"))
    }

    /// Ends the credentials of its request.
    fn ends_a_log_in(&self) -> bool {
        ["DELETE /api/v3_0/auth-tokens/current", "POST /log-out"].contains(&self.name().as_str())
    }
}

/// The document, and the service with which it is compared.
struct World<'a> {
    energy: &'a Energy,
    document: &'a Value,
    cookies: BTreeMap<&'static str, String>,
    statuses: BTreeMap<u16, usize>,
}

impl World<'_> {
    /// One request to the operation. Its answer is declared, and a denial is as it is described.
    fn ask(
        &mut self,
        operation: &mut Operation<'_>,
        path: &str,
        headers: &[(&str, &str)],
        input: &str,
    ) -> Response {
        let (path, body) = match operation.method.as_str() {
            "GET" | "DELETE" => (format!("{path}{input}"), ""),
            // A form that only confirms an action has no body.
            _ if input == MALFORMED_BODY => (format!("{path}{MALFORMED_QUERY}"), input),
            _ => (path.to_owned(), input),
        };
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        let answer = self.energy.http.request_of(&operation.method, &path, &headers, body);
        let status = answer.status.as_u16();
        operation.seen.insert(status);
        *self.statuses.entry(status).or_default() += 1;
        let name = operation.name();
        let is_declared = operation.is_declared(status) || BY_PAGES.contains(&(name.as_str(), status));
        assert!(is_declared, "{name} ({path}) answered {status}: {}", answer.body);
        if [401, 403, 404].contains(&status) && operation.said["responses"][status.to_string()].is_object() {
            self.assert_problem(operation, &answer);
        }
        answer
    }

    fn assert_problem(&self, operation: &Operation<'_>, answer: &Response) {
        let name = operation.name();
        let status = answer.status.as_u16();
        let content = &self.resolved(&operation.said["responses"][status.to_string()])["content"];
        let schema = self.resolved(&content["application/problem+json"]["schema"]);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{name}");
        let problem = answer.json();
        for property in schema["required"].as_array().unwrap() {
            let value = &problem[property.as_str().unwrap()];
            let is_right = match schema["properties"][property.as_str().unwrap()]["type"].as_str().unwrap() {
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                other => panic!("{other}"),
            };
            assert!(is_right, "{name}: {property} of {problem}");
        }
        for member in problem.as_object().unwrap().keys() {
            assert!(schema["properties"][member].is_object(), "{name}: {member} of {problem}");
        }
        assert_eq!(problem["status"], status, "{name}");
    }

    /// The value there, or the one to which it refers.
    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    /// The schemes in the challenges of a 401, which are those of the operation that HTTP has a challenge for.
    fn assert_challenges(&self, operation: &Operation<'_>, answer: &Response) {
        let challenges = answer.headers.get_all("www-authenticate").iter();
        let asked: BTreeSet<String> = challenges
            .map(|challenge| challenge.to_str().unwrap().split(' ').next().unwrap().to_lowercase())
            .collect();
        let schemes = &self.document["components"]["securitySchemes"];
        let named = operation.security.iter().flatten().map(|name| &schemes[name]);
        let expected: BTreeSet<String> = named
            .filter(|scheme| scheme["type"] == "http")
            .map(|scheme| scheme["scheme"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(asked, expected, "{}", operation.name());
    }

    /// The header with the credentials of an admin.
    fn credentials(&self, scheme: &str) -> (&'static str, String) {
        match scheme {
            "token" => ("authorization", bearer("ada")),
            "session" => ("cookie", self.cookies["ada"].clone()),
            "basic" => {
                let pair = format!("ada@platform.example:{PASSWORD}");
                ("authorization", format!("Basic {}", Base64::encode_string(pair.as_bytes())))
            }
            _ => panic!("this test knows no credentials for the scheme {scheme}"),
        }
    }
}

/// A value for each parameter of a path.
type Values = Vec<(&'static str, String)>;

/// The objects of Sunnyside Farm, those of Harbour Bakery, one that is not there, and a text that is no object.
fn objects(energy: &Energy) -> Vec<Values> {
    let ids = |names: [(&'static str, &str); 4]| {
        let mut ids = names.map(|(name, what)| (name, energy.id_of(what).to_string())).to_vec();
        let (asset, sven) = (energy.id_of(names[2].1), energy.id_of("user sven"));
        let connection = &mut energy.real.database().connection().unwrap();
        let entry: i32 = audit_log::table.select(audit_log::id).first(connection).unwrap();
        let of_asset: i32 = asset_audit_log::table.select(asset_audit_log::id).first(connection).unwrap();
        ids.extend([("audit_log_id", entry.to_string()), ("asset_audit_log_id", of_asset.to_string())]);
        let share = (asset_shares::asset_id.eq(asset), asset_shares::user_id.eq(sven));
        insert_into(asset_shares::table).values(share).execute(connection).unwrap();
        let newest = asset_shares::table.order(asset_shares::id.desc());
        let share: i32 = newest.select(asset_shares::id).first(connection).unwrap();
        ids.push(("asset_share_id", share.to_string()));
        ids.extend(["schedule_id", "forecast_id", "job_id"].map(|name| (name, "none".to_owned())));
        ids
    };
    let own = ids([
        ("account_id", "account Sunnyside Farm"),
        ("user_id", "user mia"),
        ("asset_id", "asset Solar roof"),
        ("sensor_id", "sensors-of Solar roof"),
    ]);
    let others = ids([
        ("account_id", "account Harbour Bakery"),
        ("user_id", "user sven"),
        ("asset_id", "asset Oven"),
        ("sensor_id", "sensors-of Oven"),
    ]);
    let all = |id: &str| own.iter().map(|(name, _)| (*name, id.to_owned())).collect();
    let (missing, wrong) = (all("999999"), all("nothing"));
    vec![own, others, missing, wrong]
}

/// The path with each of the objects in it; once where it has no parameter.
fn paths(objects: &[Values], template: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for values in objects {
        let path = values
            .iter()
            .fold(template.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        assert!(!path.contains('{'), "this test knows no value for a parameter of {path}");
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The content of a request to an operation: a query where it has no body. The first changes nothing.
fn inputs(energy: &Energy, operation: &Operation<'_>) -> Vec<String> {
    match operation.method.as_str() {
        "GET" if operation.name() == "GET /api/v3_0/assets" => {
            let roots = [energy.id_of("asset Oven"), 999_999].map(|root| format!("?root={root}"));
            [String::new(), MALFORMED_QUERY.to_owned()].into_iter().chain(roots).collect()
        }
        "GET" => vec![String::new(), MALFORMED_QUERY.to_owned()],
        "DELETE" => vec![MALFORMED_QUERY.to_owned()],
        _ => {
            let of_account = |id: i32| json!({ "name": "x", "account_id": id }).to_string();
            let at_asset = |id: i32| {
                let sensor =
                    json!({ "name": "x", "unit": "", "event_resolution": "PT1H", "generic_asset_id": id });
                sensor.to_string()
            };
            let mut bodies = vec![MALFORMED_BODY.to_owned()];
            // Its handler decides about the objects in the body.
            if operation.name() == "POST /api/v3_0/assets" {
                bodies.extend([of_account(energy.id_of("account Platform")), of_account(999_999)]);
            }
            if operation.name() == "POST /api/v3_0/sensors" {
                bodies.extend([at_asset(energy.id_of("asset Oven")), at_asset(999_999)]);
            }
            bodies
        }
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, said) in item.as_object().unwrap() {
            let security = said["security"].as_array().unwrap_or_else(|| panic!("{path} says nothing"));
            let names = |asked: &Value| asked.as_object().unwrap().keys().cloned().collect();
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                said,
                security: security.iter().map(names).collect(),
                seen: BTreeSet::new(),
            });
        }
    }
    operations.sort_by_key(Operation::ends_a_log_in);
    operations
}

fn document(energy: &Energy) -> Value {
    let answer = energy.http.get("/api/v3_0/openapi.json", None);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

#[test]
fn the_service_answers_as_its_document_says() {
    let energy = Energy::start();
    // So that there are entries of both audit logs.
    for (pattern, name) in [("/accounts/{account Platform}", "Platform"), ("/assets/{asset Oven}", "Oven")] {
        let answer = energy.send("ada", "PATCH", pattern, Some(&json!({ "name": name })));
        assert_eq!(answer.status, 200);
    }
    let document = document(&energy);
    let mut cookies = BTreeMap::new();
    for (name, email) in [("ada", "ada@platform.example"), ("sven", "sven@bakery.example")] {
        let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        let body = format!("email={email}&password={PASSWORD}");
        let answer = energy.http.request_of("POST", "/log-in", &form, &body);
        assert_eq!(answer.status, 303);
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        cookies.insert(name, cookie.to_owned());
    }
    let mut world = World { energy: &energy, document: &document, cookies, statuses: BTreeMap::new() };
    let objects = objects(&energy);
    let mut operations = operations(&document);
    for operation in &mut operations {
        let name = operation.name();
        let is_open = operation.security.is_empty();
        let paths = paths(&objects, &operation.path);
        let inputs = inputs(&energy, operation);
        for path in &paths {
            for input in &inputs {
                let answer = world.ask(operation, path, &[], input);
                assert_eq!(answer.status == 401, !is_open, "{name} asked by nobody");
                if !is_open {
                    world.assert_challenges(operation, &answer);
                }
            }
        }
        // A request that another site causes is refused, where its credentials are those that a browser sends by itself.
        let foreign = [("cookie", &*world.cookies["ada"].clone()), ("sec-fetch-site", "cross-site")];
        world.ask(operation, &paths[0], &foreign, &inputs[0]);
        world.ask(operation, &paths[0], &[("authorization", "Bearer wrong")], &inputs[0]);

        let named: BTreeSet<String> = operation.security.iter().flatten().cloned().collect();
        for scheme in ["token", "session", "basic"] {
            let (header, value) = world.credentials(scheme);
            let answer = world.ask(operation, &paths[0], &[(header, &value)], &inputs[0]);
            if !is_open {
                let alone = operation.security.iter().any(|names| *names == [scheme]);
                assert_eq!(answer.status != 401, alone, "{name} asked with {scheme}");
            }
        }
        assert!(named.iter().all(|name| ["token", "session", "basic"].contains(&name.as_str())), "{named:?}");
        for caller in CALLERS.into_iter().filter(|caller| !caller.is_empty()) {
            for path in &paths {
                for input in &inputs {
                    world.ask(operation, path, &[("authorization", &bearer(caller))], input);
                }
            }
        }
        let by_session = world.cookies["sven"].clone();
        world.ask(operation, &paths[0], &[("cookie", &by_session)], &inputs[0]);

        for status in [401, 403, 404] {
            let declared = operation.said["responses"].get(status.to_string()).is_some();
            let excepted =
                NOT_SEEN.iter().any(|(excepted, not_seen, _)| *excepted == name && *not_seen == status);
            // An undeclared answer fails where it occurs.
            if declared {
                let seen = operation.seen.contains(&status);
                assert_eq!(seen, !excepted, "{name} declares {status}, and answered {:?}", operation.seen);
            }
        }
    }
    let requests: usize = world.statuses.values().sum();
    // The harness does not capture this.
    let _ = writeln!(
        io::stderr(),
        "openapi: {} operations, {requests} requests, answers {:?}",
        operations.len(),
        world.statuses
    );
}

#[actix_web::test]
async fn the_document_has_every_route_and_no_other() {
    let energy = Energy::start();
    let document = document(&energy);
    let documented: BTreeSet<String> = operations(&document).iter().map(Operation::name).collect();
    let registered = energy.real.guards().await;
    let routes: BTreeSet<String> = registered
        .report()
        .entries()
        .iter()
        .flat_map(|entry| entry.methods().iter().map(move |method| format!("{method} {}", entry.path())))
        .collect();
    assert_eq!(documented, routes);
    assert!(routes.len() > 60, "{}", routes.len());
}

#[test]
fn every_endpoint_of_the_api_is_described_by_its_handler() {
    let energy = Energy::start();
    let document = document(&energy);
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let name = operation.name();
        let id = operation.said["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "{name} has the id of another operation");
        if !operation.path.starts_with("/api/") {
            continue;
        }
        let responses = operation.said["responses"].as_object().unwrap();
        let is_success = |status: &String| status.starts_with('2') || status == "101";
        assert!(responses.keys().any(is_success), "{name} says nothing of success");
        assert!(!responses.contains_key("default"), "{name} is not described: is it missing in its `Api`?");
        for (status, response) in responses {
            // The others are by the guards.
            let is_described = response["$ref"].is_string() || response["description"].is_string();
            assert!(is_described, "{name} does not describe its {status}");
        }
        assert!(operation.said["summary"].is_string(), "{name} has no summary");
        assert!(operation.said["tags"].is_array(), "{name} has no tag");
        let has_body = ["POST", "PUT", "PATCH"].contains(&operation.method.as_str())
            || name == "DELETE /api/v3_0/sensors/{sensor_id}/data";
        assert_eq!(operation.said["requestBody"].is_object(), has_body, "{name}");
    }
}

#[test]
fn the_document_names_no_role_and_no_rule() {
    let energy = Energy::start();
    let text = energy.http.get("/api/v3_0/openapi.json", None).body;
    for secret in ["admin-reader", "account-admin", "Consultancy", "Prosumer", "consultancy_account_id)"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn swagger_ui_shows_the_document_with_nothing_from_elsewhere() {
    let energy = Energy::start();
    let page = energy.http.get("/docs/", None);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html"));
    for text in [&page.body, &energy.http.get("/docs/swagger-initializer.js", None).body] {
        assert!(!text.contains("://") && !text.contains("src=\"//"), "{text}");
    }
    let initializer = energy.http.get("/docs/swagger-initializer.js", None).body;
    assert!(initializer.contains(r#""url": "/api/v3_0/openapi.json""#), "{initializer}");
    for path in ["/docs/", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/nothing"] {
        let answer = energy.http.get(path, None);
        assert_eq!(answer.status, if path == "/docs/nothing" { 404 } else { 200 }, "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}
