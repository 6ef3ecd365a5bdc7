//! The events that observers receive, and tests that they cannot change a decision.

mod metrics;
mod own_rules;
mod service;

use std::sync::{Arc, Mutex};

use actix_web::{
    App, HttpRequest, Responder, get,
    test::{TestRequest, call_service, init_service},
};
use auth_core::{
    Auth, AuthBuilder, Event, Observer, ProtectedScope, User, auth_required,
    mechanism::{Authenticated, Mechanism, Rejection},
    protected::ScopeGuard,
};
use serde_json::{Value, json};

use self::service::{Scripted, configure};
use crate::{client::Service, fixture::World};

/// All events, as JSON.
#[derive(Default)]
struct Told(Mutex<Vec<Value>>);

impl Told {
    /// The events since the last call, without their times, which are there.
    fn take(&self) -> Vec<Value> {
        let mut events = std::mem::take(&mut *self.0.lock().unwrap());
        for event in &mut events {
            let fields = event.as_object_mut().unwrap();
            assert!(fields.remove("time_us").unwrap().as_u64().unwrap() > 1_700_000_000_000_000);
            assert!(fields.remove("duration_us").unwrap().is_u64());
            if let Some(load) = fields.get_mut("load_us") {
                assert!(load.is_u64());
                *load = "measured".into();
            }
        }
        events
    }
}

impl Observer for Told {
    fn decided(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(serde_json::to_value(event).unwrap());
    }
}

struct Panics;

impl Observer for Panics {
    fn decided(&self, _: &Event<'_>) {
        panic!("a bug in an observer");
    }
}

struct Observed {
    world: World,
    told: Arc<Told>,
    http: Service,
}

impl Observed {
    fn start(build: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let (world, told) = (World::new(), Arc::new(Told::default()));
        let auth = Auth::builder().mechanism(Scripted).connections(world.pool.clone());
        let auth = build(auth).observer(Arc::clone(&told)).build().unwrap();
        let http = Service::start(move |app| configure(app, &auth));
        Self { world, told, http }
    }

    fn send(&self, who: &str, method: &str, path: &str) -> (u16, Vec<Value>) {
        let who: &[_] = if who.is_empty() { &[] } else { &[("x-as", who)] };
        let response = self.http.request(method, &format!("/api{path}"), who);
        (response.status.as_u16(), self.told.take())
    }
}

#[test]
fn an_event_has_these_fields_and_no_others() {
    let observed = Observed::start(|auth| auth);
    let authenticated = |method: &str, route: &str| {
        json!({
            "guard": "authenticate", "method": method, "route": route, "subject": 7, "mechanism": "scripted",
            "outcome": "allow", "reason": "match",
        })
    };
    let (status, events) = observed.send("chef", "GET", "/resources/1");
    let route = "/api/resources/{resource_id}";
    let expected = [
        authenticated("GET", route),
        json!({
            "guard": "roles_accepted", "method": "GET", "route": route, "subject": 7, "mechanism": "scripted",
            "required": ["chef", "waiter"], "outcome": "allow", "reason": "match",
        }),
        json!({
            "guard": "permission_required_for_context", "method": "GET", "route": route, "subject": 7,
            "mechanism": "scripted", "permission": "read", "context": "http::fixture::Resource",
            "context_id": "1", "outcome": "allow", "reason": "match", "load_us": "measured",
        }),
    ];
    assert_eq!((status, events), (200, expected.to_vec()));

    // The row is loaded once for two permissions, so one event says how long it took.
    let (status, events) = observed.send("waiter", "POST", "/resources/1");
    let of_context = |permission: &str| {
        json!({
            "guard": "permission_required_for_context", "method": "POST", "route": route, "subject": 7,
            "mechanism": "scripted", "permission": permission, "context": "http::fixture::Resource",
            "context_id": "1", "outcome": "deny", "reason": "no-match",
        })
    };
    let mut denied = of_context("update");
    denied["load_us"] = "measured".into();
    assert_eq!((status, events), (403, vec![authenticated("POST", route), denied]));

    let (status, events) = observed.send("", "GET", "/kitchen");
    let anonymous = json!({
        "guard": "authenticate", "method": "GET", "route": "/api/kitchen", "outcome": "deny",
        "reason": "anonymous",
    });
    assert_eq!((status, events), (401, vec![anonymous]));

    let (status, events) = observed.send("outage", "GET", "/kitchen");
    let failed = json!({
        "guard": "authenticate", "method": "GET", "route": "/api/kitchen", "mechanism": "scripted",
        "outcome": "deny", "reason": "unavailable",
        "error": "the store of users is gone",
    });
    assert_eq!((status, events), (503, vec![failed]));

    let hiding = Observed::start(AuthBuilder::hide_unreadable);
    let (status, events) = hiding.send("admin-reader", "POST", "/resources/2");
    let readable = events.last().unwrap();
    assert_eq!((status, readable.get("hidden")), (403, None));
    let (status, events) = hiding.send("waiter", "POST", "/resources/2");
    let mut hidden = of_context("update");
    hidden["context_id"] = "2".into();
    hidden["load_us"] = "measured".into();
    hidden["hidden"] = true.into();
    assert_eq!((status, events.last().unwrap()), (404, &hidden));
}

#[test]
fn every_denial_is_told_with_its_reason_and_as_the_last() {
    let observed = Observed::start(|auth| auth);
    let guard = "permission_required_for_context";
    for (who, method, path, status, guard, reason) in [
        ("", "GET", "/fresh", 401, "authenticate", "anonymous"),
        ("nobody", "GET", "/fresh", 401, "authenticate", "bad-credentials"),
        ("guesser", "GET", "/fresh", 429, "authenticate", "too-many-requests"),
        ("chef", "GET", "/fresh", 401, "authenticate", "stale"),
        ("another site", "GET", "/fresh", 403, "authenticate", "cross-site"),
        ("unprepared", "GET", "/fresh", 500, "authenticate", "misconfigured"),
        ("chef", "GET", "/proxy", 500, "authenticate", "misconfigured"),
        ("waiter", "GET", "/kitchen", 403, "roles_required", "no-match"),
        ("chef", "GET", "/kitchen", 403, "permissions_accepted", "no-match"),
        ("chef", "GET", "/welcome", 403, "anonymous_user_required", "logged-in"),
        ("chef", "GET", "/resources/2", 403, guard, "no-match"),
        ("chef", "GET", "/resources/3", 404, guard, "not-found"),
        ("chef", "GET", "/resources/x", 404, guard, "not-found"),
        ("chef", "GET", "/resources", 403, guard, "empty"),
        ("chef", "GET", "/resources?id=1&id=2", 403, guard, "no-match"),
        ("chef", "GET", "/resources?id=1&id=9", 404, guard, "not-found"),
        ("chef", "GET", "/accounts/0", 403, guard, "empty"),
        ("chef", "GET", "/accounts/9", 404, guard, "not-found"),
        ("chef", "GET", "/plain/1", 500, guard, "misconfigured"),
        ("chef", "GET", "/unconnected/1", 500, guard, "misconfigured"),
        ("chef", "GET", "/of-another-type", 500, "authenticate", "misconfigured"),
        ("", "GET", "/unguarded", 401, "authenticate", "anonymous"),
        ("nobody", "GET", "/public", 401, "authenticate", "bad-credentials"),
        ("", "GET", "/list", 401, "authenticate", "anonymous"),
    ] {
        let (seen, events) = observed.send(who, method, path);
        let [before @ .., denied] = events.as_slice() else { panic!("nothing is told of {path} by {who:?}") };
        assert_eq!(seen, status, "{path} by {who:?}");
        assert_eq!(
            [&denied["guard"], &denied["outcome"], &denied["reason"]],
            [guard, "deny", reason],
            "{path} by {who:?}"
        );
        assert!(before.iter().all(|event| event["outcome"] == "allow"), "{path} by {who:?}: {events:?}");
        assert_eq!(denied.get("error"), None, "{path} by {who:?}");
    }
    let (status, events) = observed.send("chef", "GET", &format!("/resources?{}", "id=1&".repeat(10_001)));
    assert_eq!((status, &events.last().unwrap()["reason"]), (404, &json!("too-many")));
}

#[test]
fn who_is_let_in_is_told_as_well() {
    let observed = Observed::start(|auth| auth);
    for (who, path, expected) in [
        ("chef", "/unguarded", vec!["authenticate match"]),
        ("chef", "/public", vec!["authenticate match"]),
        ("", "/public", vec![]),
        ("chef", "/list", vec!["authenticate match"]),
        ("", "/welcome", vec![]),
        ("admin", "/resources/2", vec!["authenticate match", "roles_accepted admin", "context admin"]),
        ("chef", "/resources?id=1&id=1", vec!["authenticate match", "context match"]),
        ("chef", "/accounts/2", vec!["authenticate match", "context match", "context match"]),
    ] {
        let (status, events) = observed.send(who, "GET", path);
        let told: Vec<String> = events
            .iter()
            .map(|event| {
                assert_eq!(event["outcome"], "allow");
                let guard = event["guard"].as_str().unwrap();
                let guard = guard.strip_prefix("permission_required_for_").unwrap_or(guard);
                format!("{guard} {}", event["reason"].as_str().unwrap())
            })
            .collect();
        assert_eq!((status, told), (200, expected.into_iter().map(str::to_owned).collect()), "{path}");
    }
}

#[test]
fn a_failure_is_told_with_its_cause() {
    let observed = Observed::start(|auth| auth);
    observed.world.execute("ALTER TABLE resources RENAME TO gone");
    let (status, events) = observed.send("chef", "GET", "/resources/1");
    let failed = events.last().unwrap();
    assert_eq!((status, &failed["reason"], &failed["subject"]), (503, &json!("unavailable"), &json!(7)));
    assert_eq!(failed["error"], "the store failed: no such table: resources");
    assert_eq!(failed["load_us"], "measured");
}

#[test]
fn a_panic_is_told_as_a_failure() {
    let observed = Observed::start(|auth| auth);
    for (who, path, guard, subject) in [
        ("panic", "/kitchen", "guard", None),
        ("panic", "/unguarded", "authenticate", None),
        ("panic", "/public", "authenticate", None),
        ("panic", "/list", "authenticate", None),
        ("chef", "/cursed/1", "guard", Some(json!(7))),
    ] {
        let (status, events) = observed.send(who, "GET", path);
        let failed = events.last().unwrap();
        assert_eq!(status, 503, "{path}");
        assert_eq!([&failed["guard"], &failed["outcome"]], [guard, "deny"], "{path}");
        assert_eq!([&failed["reason"], &failed["error"]], ["unavailable", "a guard panicked"], "{path}");
        assert_eq!(failed.get("subject"), subject.as_ref(), "{path}");
    }
}

#[test]
fn an_observer_has_no_say() {
    let observed = Observed::start(|auth| auth.observer(Panics).observer(Panics));
    for (who, path, expected) in [
        ("chef", "/resources/1", 200),
        ("waiter", "/kitchen", 403),
        ("chef", "/resources/2", 403),
        ("", "/resources/1", 401),
        ("outage", "/resources/1", 503),
        ("panic", "/resources/1", 503),
        ("chef", "/cursed/1", 503),
    ] {
        let (status, events) = observed.send(who, "GET", path);
        assert_eq!(status, expected, "{path} by {who}");
        assert!(!events.is_empty(), "the next one is told of {path} by {who}");
    }
}

#[test]
fn the_route_is_the_pattern_and_never_the_path() {
    let observed = Observed::start(|auth| auth);
    for id in ["1", "2", "99", "x", "%0A", "1%2F2"] {
        let (_, events) = observed.send("chef", "GET", &format!("/resources/{id}?secret=1"));
        assert!(events.iter().all(|event| event["route"] == "/api/resources/{resource_id}"), "{events:?}");
    }
    let long = "9".repeat(5_000);
    let (_, events) = observed.send("chef", "GET", &format!("/resources/{long}"));
    assert_eq!(events.last().unwrap()["context_id"].as_str().unwrap().chars().count(), 256);
}

/// Finds the same user under this name.
struct Named(&'static str);

impl Mechanism for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(Some(User::new("mia").into()))
    }
}

#[auth_required("badge")]
#[get("/vault")]
async fn vault() -> impl Responder {
    "open"
}

#[auth_required("session")]
#[get("/hall")]
async fn hall() -> impl Responder {
    "open"
}

/// A handler may accept another mechanism than its scope, and then two decide about one request.
#[actix_web::test]
async fn each_mechanism_that_lets_a_request_in_is_an_event() {
    let told = Arc::new(Told::default());
    let auth =
        Auth::builder().mechanism(Named("session")).mechanism(Named("badge")).observer(Arc::clone(&told));
    let scope = ProtectedScope::new("").guarded_by(ScopeGuard::auth_required_by(&["session"]));
    let app = App::new().app_data(auth.build().unwrap()).service(scope.service(vault).service(hall));
    let app = init_service(app).await;
    for (path, expected) in [("/vault", &["session", "badge"][..]), ("/hall", &["session"])] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), 200, "{path}");
        let events = told.take();
        let mechanisms: Vec<_> = events.iter().map(|event| event["mechanism"].as_str().unwrap()).collect();
        assert_eq!(mechanisms, expected, "{path}: {events:?}");
        assert!(events.iter().all(|event| event["guard"] == "authenticate" && event["outcome"] == "allow"));
    }
}
