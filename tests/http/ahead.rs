//! The thread that finds the subject loads the first context, and nothing before the subject is let in.

use std::{
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant, SystemTime},
};

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{HttpRequest, HttpResponse, Responder, cookie::Key, get, post, web};
use auth_core::{
    Acl, AdminRoles, Auth, AuthError, AuthModel, CurrentUser, Event, IdRef, LoadContext, LoadError,
    NoConnection, Observer, Permission, Subject, account, allow, auth_required,
    mechanism::{
        BearerToken, FindByClaims, FindBySession, FindByToken, Jwt, SessionCookie, TokenHash,
        jwt::{self, Algorithm},
        session,
    },
    permission_required_for_context, public, roles_required,
};
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::task;

use crate::{
    client::Service,
    jwt::{SECRET, sign},
    session::Browser,
};

/// How many ids were parsed, and how many contexts loaded, by the one test that counts.
static PARSED: AtomicUsize = AtomicUsize::new(0);
static LOADED: AtomicUsize = AtomicUsize::new(0);

struct Number(i32);

impl FromStr for Number {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PARSED.fetch_add(1, Ordering::SeqCst);
        text.parse().map(Self)
    }
}

impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Of the account of its number. There are 1 and 2.
struct Counted;

impl LoadContext for Counted {
    type Id = Number;
    type Connection = NoConnection;

    fn load(Number(number): Number, _: &mut NoConnection) -> Result<Self, LoadError> {
        LOADED.fetch_add(1, Ordering::SeqCst);
        match number {
            1 => Ok(Self),
            2 => panic!("a bug in a loader"),
            3 => Err(LoadError::unavailable("the store is down")),
            _ => Err(LoadError::NotFound),
        }
    }
}

impl AuthModel for Counted {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(1)).allow(Permission::DELETE, account(2))
    }
}

/// Remembers where it was loaded.
pub(crate) struct Loaded(pub(crate) Place);

/// A thread, and the work that was handed over to it: a thread may be there for several, one after the other.
#[derive(PartialEq)]
pub(crate) struct Place {
    pub(crate) thread: ThreadId,
    work: Option<task::Id>,
}

impl Place {
    fn here() -> Self {
        Self { thread: thread::current().id(), work: task::try_id() }
    }
}

impl LoadContext for Loaded {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self(Place::here()))
    }
}

impl AuthModel for Loaded {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(1))
    }
}

/// Of account 1, found here.
pub(crate) struct Found {
    pub(crate) place: Place,
    issued: SystemTime,
    expires: Option<SystemTime>,
    logged_out: Option<SystemTime>,
}

impl Found {
    fn now() -> Self {
        Self { place: Place::here(), issued: SystemTime::now(), expires: None, logged_out: None }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

impl FindByToken for Found {
    type Connection = NoConnection;

    fn find_by_token(token: &TokenHash, _: &mut NoConnection) -> Result<Self, LoadError> {
        let found = Self::now();
        let is = |text| *token == TokenHash::of(text);
        match () {
            () if is("fresh") => Ok(found),
            () if is("stale") => Ok(Self { issued: found.issued - HOUR, ..found }),
            () if is("old") => Ok(Self { issued: found.issued - 48 * HOUR, ..found }),
            () if is("expired") => Ok(Self { expires: Some(found.issued - HOUR), ..found }),
            () => Err(LoadError::NotFound),
        }
    }

    fn token_issued_at(&self) -> Option<SystemTime> {
        Some(self.issued)
    }

    fn token_expires_at(&self) -> Option<SystemTime> {
        self.expires
    }
}

impl FindBySession for Found {
    type Id = u8;
    type Connection = NoConnection;

    fn find_by_id(id: u8, _: &mut NoConnection) -> Result<Self, LoadError> {
        let found = Self::now();
        Ok(Self { logged_out: (id == 2).then(|| found.issued + HOUR), ..found })
    }

    fn logged_out_at(&self) -> Option<SystemTime> {
        self.logged_out
    }
}

impl FindByClaims for Found {
    type Claims = IgnoredAny;
    type Connection = NoConnection;

    fn find_by_claims(_: IgnoredAny, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self::now())
    }
}

impl Subject for Found {
    fn id(&self) -> IdRef<'_> {
        1.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        Some(1.into())
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

#[permission_required_for_context("read", ctx = Counted)]
#[get("/read/{id}")]
async fn read() -> impl Responder {
    "ok"
}

#[permission_required_for_context("delete", ctx = Counted)]
#[get("/delete/{id}")]
async fn delete() -> impl Responder {
    "ok"
}

#[roles_required("chef")]
#[permission_required_for_context("read", ctx = Counted)]
#[get("/chef/{id}")]
async fn of_chef() -> impl Responder {
    "ok"
}

#[auth_required(within = "15 min")]
#[permission_required_for_context("read", ctx = Counted)]
#[get("/recent/{id}")]
async fn recent() -> impl Responder {
    "ok"
}

#[permission_required_for_context("read", ctx_arg = "loaded")]
#[get("/thread/{id}")]
async fn thread_of(loaded: Loaded, found: CurrentUser<Found>) -> impl Responder {
    (loaded.0 == found.place && found.place.work.is_some()).to_string()
}

/// Where it is loaded, as above. A query is not read before its sender is known.
#[permission_required_for_context("read", ctx_arg = "loaded", id = query("id"))]
#[get("/by-query")]
async fn by_query(loaded: Loaded, found: CurrentUser<Found>) -> impl Responder {
    (loaded.0 == found.place).to_string()
}

/// Is not loaded before the test lets it, and takes longer than a check without it.
static HELD: Mutex<()> = Mutex::new(());

struct Held;

impl LoadContext for Held {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        let _wait = HELD.lock();
        thread::sleep(Duration::from_millis(20));
        Ok(Self)
    }
}

impl AuthModel for Held {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(1))
    }
}

#[permission_required_for_context("read", ctx = Held)]
#[get("/held/{id}")]
async fn held() -> impl Responder {
    "ok"
}

#[public]
#[post("/log-in/{id}")]
async fn log_in(request: HttpRequest, id: web::Path<u8>) -> Result<impl Responder, AuthError> {
    session::log_in(&request, i32::from(*id))?;
    Ok(HttpResponse::NoContent())
}

fn service(auth: Auth) -> Service {
    let key = Key::generate();
    Service::start(move |app| {
        let sessions = SessionMiddleware::new(CookieSessionStore::default(), key.clone());
        let handlers = (read, delete, of_chef, recent, thread_of, by_query, held, log_in);
        app.app_data(auth.clone()).service(web::scope("").wrap(sessions).service(handlers));
    })
}

#[test]
fn nothing_is_parsed_or_loaded_before_the_caller_is_let_in() {
    let tokens = BearerToken::<Found>::new(NoConnection).max_age(24 * HOUR);
    let sessions = SessionCookie::<Found>::new(NoConnection);
    let service = service(Auth::builder().mechanism(tokens).mechanism(sessions).build().unwrap());
    let counted = |path: &str, token: Option<&str>| {
        let status = service.get(path, token).status.as_u16();
        (status, PARSED.swap(0, Ordering::SeqCst) > 0, LOADED.swap(0, Ordering::SeqCst))
    };
    assert_eq!(counted("/read/1", Some("fresh")), (200, true, 1));
    assert_eq!(counted("/read/1", Some("stale")), (200, true, 1));
    assert_eq!(counted("/recent/1", Some("fresh")), (200, true, 1));
    // Loaded, and then denied, missing or an outage.
    assert_eq!(counted("/delete/1", Some("fresh")), (403, true, 1));
    assert_eq!(counted("/read/9", Some("fresh")), (404, true, 1));
    assert_eq!(counted("/read/3", Some("fresh")), (503, true, 1));
    assert_eq!(counted("/read/2", Some("fresh")), (503, true, 1), "its loader panics");
    assert_eq!(counted("/read/x", Some("fresh")), (404, true, 0));
    for path in ["/read/1", "/read/x", "/chef/1", "/recent/1"] {
        for token in [None, Some("unknown"), Some("not a token"), Some("expired"), Some("old")] {
            assert_eq!(counted(path, token), (401, false, 0), "{path} by {token:?}");
        }
    }
    assert_eq!(counted("/chef/1", Some("fresh")), (403, false, 0));
    assert_eq!(counted("/recent/1", Some("stale")), (401, false, 0));

    let mut browser = Browser::new(&service);
    for (user, expected) in [("1", (200, true, 1)), ("2", (401, false, 0))] {
        browser.post(&format!("/log-in/{user}"));
        let status = browser.status("/read/1");
        let seen = (status, PARSED.swap(0, Ordering::SeqCst) > 0, LOADED.swap(0, Ordering::SeqCst));
        assert_eq!(seen, expected, "the session of {user}");
    }
}

#[test]
fn a_context_is_loaded_on_the_thread_that_found_the_subject() {
    let tokens = || BearerToken::<Found>::new(NoConnection);
    let by_token = service(Auth::builder().mechanism(tokens()).build().unwrap());
    assert_eq!(by_token.get("/thread/1", Some("fresh")).body, "true");
    assert_eq!(by_token.get("/by-query?id=1", Some("fresh")).body, "false");

    let keys = jwt::Key::secret(Algorithm::HS256, SECRET).unwrap();
    let jwt = Jwt::<Found>::builder(NoConnection, keys).issuer("i").audience("a").or_opaque(tokens());
    let by_jwt = service(Auth::builder().mechanism(jwt.build().unwrap()).build().unwrap());
    let signed = sign(Algorithm::HS256, SECRET, &json!({ "iss": "i", "aud": "a", "exp": 9_999_999_999_u64 }));
    assert_eq!(by_jwt.get("/thread/1", Some(&signed)).body, "true");
    assert_eq!(by_jwt.get("/thread/1", Some("fresh")).body, "true");

    let sessions = SessionCookie::<Found>::new(NoConnection);
    let by_session = service(Auth::builder().mechanism(sessions).build().unwrap());
    let mut browser = Browser::new(&by_session);
    browser.post("/log-in/1");
    assert_eq!(browser.get("/thread/1").body, "true");
}

/// A guard, whether it knows the subject, how long its check took, and how much of it the load.
type Line = (&'static str, bool, Duration, Option<Duration>);

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Line>>>);

impl Observer for Events {
    fn decided(&self, event: &Event<'_>) {
        let line = (event.guard, event.subject.is_some(), event.duration, event.load);
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn a_load_is_a_part_of_the_check_that_needs_it() {
    let events = Events::default();
    let tokens = BearerToken::<Found>::new(NoConnection);
    let limit = Duration::from_millis(200);
    let auth = Auth::builder().mechanism(tokens).observer(events.clone()).time_limit(limit).build().unwrap();
    let service = service(auth);
    let begun = Instant::now();
    assert_eq!(service.get("/held/1", Some("fresh")).status, 200);
    let total = begun.elapsed();
    let all = std::mem::take(&mut *events.0.lock().unwrap());
    let [
        ("authenticate", true, authentication, None),
        ("permission_required_for_context", true, check, Some(load)),
    ] = all[..]
    else {
        panic!("{all:?}")
    };
    assert!(check >= load, "{check:?} {load:?}");
    // The load is a part of one of the two alone.
    assert!(authentication + check <= total, "{authentication:?} {check:?} {total:?}");

    // A store of contexts that hangs is an outage for a subject that is known.
    let hold = HELD.lock().unwrap();
    assert_eq!(service.get("/held/1", Some("fresh")).status, 503);
    let all = std::mem::take(&mut *events.0.lock().unwrap());
    assert!(matches!(all[..], [("authenticate", true, _, None)]), "{all:?}");
    drop(hold);
    assert_eq!(service.get("/held/1", Some("fresh")).status, 200);
}
