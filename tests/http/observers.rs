//! The events that observers receive, and tests that they cannot change a decision.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use actix_web::{
    App, HttpRequest, Responder,
    dev::Service as _,
    get, post,
    test::{TestRequest, init_service},
    web::{Path, ServiceConfig, get as on_get, scope},
};
use auth_core::{
    Accessible, Acl, AdminRoles, Auth, AuthBuilder, AuthModel, CurrentUser, Event, LoadContext, LoadError,
    MaybeUser, NoConnection, Observer, Permission, User, allow, anonymous_user_required, auth_required,
    event::Metrics,
    every_logged_in_user,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission::Read,
    permission_required_for_context, permissions_accepted, public, roles_accepted, roles_required,
};
use diesel::{prelude::*, sqlite::Sqlite};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use serde_json::{Value, json};

use crate::{
    client::Service,
    fixture::{Resource, World, resources},
};

/// Authenticates as user 7 of account 1 who has the roles that the header `x-as` names, unless the header names a failure
/// instead.
struct Scripted;

impl Mechanism for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let Some(script) = request.headers().get("x-as").map(|script| script.to_str().unwrap()) else {
            return Ok(None);
        };
        match script {
            "nobody" => Err(Rejection::BadCredentials),
            "guesser" => Err(Rejection::TooManyRequests { retry_after: Duration::from_secs(7) }),
            "another site" => Err(Rejection::CrossSite),
            "outage" => Err(Rejection::unavailable(io::Error::other("the store of users is gone"))),
            "unprepared" => Err(Rejection::Misconfigured),
            "panic" => panic!("a bug in a mechanism"),
            roles => {
                let user = User::new(7)
                    .with_account(1)
                    .with_roles(roles.split(' '))
                    .with_admin_roles(AdminRoles::flexmeasures());
                Ok(Some(Authenticated::from(user).since(SystemTime::UNIX_EPOCH)))
            }
        }
    }
}

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

#[roles_accepted("chef", "waiter")]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("update", ctx = Resource)]
#[permission_required_for_context("read", ctx = Resource)]
#[post("/resources/{resource_id}")]
async fn change() -> impl Responder {
    "ok"
}

#[permission_required_for_context("read", ctx_arg = "resources", id = query("id"))]
#[get("/resources")]
async fn several(resources: Vec<Resource>) -> impl Responder {
    resources.len().to_string()
}

#[permission_required_for_context("read", ctx_loader = of_account(path))]
#[get("/accounts/{account}")]
async fn by_loader(path: Path<i32>) -> impl Responder {
    path.to_string()
}

fn of_account(path: &Path<i32>) -> Result<Vec<Resource>, LoadError> {
    if **path == 9 {
        return Err(LoadError::NotFound);
    }
    Ok((0..**path).map(|id| Resource { id, account_id: 1, name: String::new() }).collect())
}

#[permission_required_for_context("read", ctx = Resource)]
async fn without_a_parameter() -> impl Responder {
    "ok"
}

#[auth_required(within = "15 min")]
#[get("/fresh")]
async fn fresh() -> impl Responder {
    "ok"
}

#[auth_required("proxy")]
#[get("/proxy")]
async fn by_proxy() -> impl Responder {
    "ok"
}

#[roles_required("chef")]
#[permissions_accepted("cook", "serve")]
#[get("/kitchen")]
async fn kitchen() -> impl Responder {
    "ok"
}

#[anonymous_user_required]
#[get("/welcome")]
async fn welcome() -> impl Responder {
    "ok"
}

#[public]
#[get("/public")]
async fn open(_: MaybeUser) -> impl Responder {
    "ok"
}

#[get("/unguarded")]
async fn unguarded(_: CurrentUser) -> impl Responder {
    "ok"
}

#[get("/of-another-type")]
async fn of_another_type(_: CurrentUser<crate::fixture::Member>) -> impl Responder {
    "ok"
}

/// With a declared policy, so that there are lists.
#[derive(Queryable, Selectable, AuthModel, LoadContext)]
#[diesel(table_name = resources, check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
struct Listed {
    id: i32,
    account_id: i32,
}

#[get("/list")]
async fn list(_: Accessible<Listed, Read>) -> impl Responder {
    "ok"
}

/// A context that has no connections, or whose access-control list panics.
struct Cursed<C>(std::marker::PhantomData<fn() -> C>);

struct Unconnected;

impl<C: 'static> LoadContext for Cursed<C> {
    type Id = i32;
    type Connection = C;

    fn load(_: i32, _: &mut C) -> Result<Self, LoadError> {
        Ok(Self(std::marker::PhantomData))
    }
}

impl<C> AuthModel for Cursed<C> {
    fn acl(&self) -> impl Acl {
        assert!(std::hint::black_box(false), "a bug in an access-control list");
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx = Cursed<NoConnection>)]
#[get("/cursed/{id}")]
async fn cursed() -> impl Responder {
    "ok"
}

#[permission_required_for_context("read", ctx = Cursed<Unconnected>)]
#[get("/unconnected/{id}")]
async fn unconnected() -> impl Responder {
    "ok"
}

fn configure(app: &mut ServiceConfig, auth: &Auth) {
    app.app_data(auth.clone()).service(
        scope("/api")
            .service((view, change, several, by_loader, fresh, by_proxy, kitchen, welcome))
            .service((open, unguarded, of_another_type, list, cursed, unconnected))
            .route("/plain/{number}", on_get().to(without_a_parameter)),
    );
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
            "asked": ["chef", "waiter"], "outcome": "allow", "reason": "match",
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

/// In this thread, for which a recorder of its own is installed.
#[actix_web::test]
async fn metrics_count_decisions_and_measure_loads() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let _installed = metrics::set_default_local_recorder(&recorder);

    let world = World::new();
    let auth = Auth::builder().mechanism(Scripted).connections(world.pool.clone());
    let auth = auth.observer(Metrics::new()).build().unwrap();
    let app = init_service(App::new().configure(|app| configure(app, &auth))).await;
    for (who, path) in [
        ("chef", "/resources/1"),
        ("chef", "/resources/2"),
        ("chef", "/resources/2?again"),
        ("waiter", "/kitchen"),
        ("", "/kitchen"),
        ("chef", "/resources?id=1&id=2"),
    ] {
        let mut request = TestRequest::get().uri(&format!("/api{path}"));
        if !who.is_empty() {
            request = request.insert_header(("x-as", who));
        }
        app.call(request.to_request()).await.unwrap();
    }

    let mut counted = Vec::new();
    for (key, unit, description, value) in snapshots.snapshot().into_vec() {
        assert!(unit.is_some() && description.is_some(), "{key:?}");
        let (_, key) = key.into_parts();
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        counted.push(match value {
            DebugValue::Counter(count) => format!("{} {} {count}", key.name(), labels.join(" ")),
            DebugValue::Histogram(loads) => {
                assert!(loads.iter().all(|seconds| (0.0..60.0).contains(&seconds.into_inner())), "{loads:?}");
                format!("{} {} {}", key.name(), labels.join(" "), loads.len())
            }
            DebugValue::Gauge(_) => panic!("{key:?}"),
        });
    }
    counted.sort();
    let decided = |route: &str, guard: &str, decision: &str, count: u32| {
        format!("auth_decisions_total route=/api{route} method=GET guard={guard} {decision} {count}")
    };
    let (one, many) = ("/resources/{resource_id}", "/resources");
    let guard = "permission_required_for_context";
    let (allowed, denied) = ("outcome=allow reason=match", "outcome=deny reason=no-match");
    let mut expected = [
        decided(one, "authenticate", allowed, 3),
        decided(one, "roles_accepted", allowed, 3),
        decided(one, guard, allowed, 1),
        decided(one, guard, denied, 2),
        decided("/kitchen", "authenticate", allowed, 1),
        decided("/kitchen", "authenticate", "outcome=deny reason=anonymous", 1),
        decided("/kitchen", "roles_required", denied, 1),
        decided(many, "authenticate", allowed, 1),
        decided(many, guard, allowed, 1),
        decided(many, guard, denied, 1),
        "auth_load_duration_seconds context=http::fixture::Resource 4".to_owned(),
    ];
    expected.sort();
    assert_eq!(counted, expected);
}
